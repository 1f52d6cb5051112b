/* SPDX-License-Identifier: BSD-3-Clause */
/* What a report of an attack says beside its figures: that a gradient has vanished, that the attack has
 * helped. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "cli/attack/report.h"
#include "attack/attack.h"

static const ls_robustness sound = {
    .samples = 200, .clean_correct = 190, .correct = 60, .correct_8bit = 70, .confidence_on_errors = 0.5};

static const char above[] = "warning: epsilon 0.1: the accuracy under attack is above that without one";
static const char vanished[] =
    "the gradient vanished (all 0, or not finite) at 9 of 200 samples; 4 of them are still right";

/* The table and the JSON document, in one text that the caller frees. */
static char *report_of(const ls_attack_kind *kind, ls_robustness figures, size_t target)
{
  static char names[][LS_CLASS_NAME_BYTES] = {"cat", "hen"};
  const ls_dataset_info data = {.name = "pets", .classes = 2, .class_names = names};
  const ls_robustness_options attacks = {
      .methods = {kind}, .method_count = 1, .restarts = 1, .target = target, .source_class = LS_ANY_CLASS};
  static const char *const checkpoints[] = {"a.h5"};
  const ls_attack_subject subject = {.name = "a.h5",
                                     .results = {{.epsilon = 0.1, .figures = figures, .each = {figures}}}};
  const ls_attack_report report = {.checkpoints = checkpoints,
                                   .checkpoint_count = 1,
                                   .split = "test",
                                   .data = &data,
                                   .attacks = &attacks,
                                   .subjects = &subject,
                                   .subject_count = 1,
                                   .count = 1};
  ls_text text = {0};
  char *json, *all;
  ls_attack_report_table(&report, &text);
  assert_int_equal(ls_attack_report_json(&report, &json), LS_OK);
  ls_text_add(&text, "%s", json);
  free(json);
  assert_int_equal(ls_text_take(&text, &all), LS_OK);
  return all;
}

static void expect_of(const ls_attack_kind *kind, ls_robustness figures, size_t target, const char *part,
                      bool is_told)
{
  char *text = report_of(kind, figures, target);
  if ((strstr(text, part) != NULL) != is_told)
    fail_msg("'%s' is %stold:\n%s", part, is_told ? "not " : "", text);
  free(text);
}

static void expect(ls_robustness figures, size_t target, const char *part, bool is_told)
{
  expect_of(&ls_attack_fgsm, figures, target, part, is_told);
}

static void a_sound_attack_has_no_warning(void **state)
{
  (void)state;
  ls_robustness no_harm = sound;
  no_harm.correct = sound.clean_correct;
  expect(sound, LS_ANY_CLASS, "warning", false);
  expect(no_harm, LS_ANY_CLASS, "warning", false);
  expect(sound, LS_ANY_CLASS, "30.00 %     35.00 %", true);
  expect(sound, LS_ANY_CLASS, "\"accuracy_8bit\": 0.35", true);
  expect(sound, LS_ANY_CLASS, "\"above_clean\": false", true);
  expect(sound, 1, "to be taken for class 1 (hen)", true);
}

static void a_vanished_gradient_is_reported(void **state)
{
  (void)state;
  ls_robustness figures = sound;
  figures.vanished = 9;
  figures.vanished_correct = 4;
  expect(figures, LS_ANY_CLASS, vanished, true);
  expect(figures, LS_ANY_CLASS, "\"vanished_gradients\": 9", true);
  expect(figures, LS_ANY_CLASS, "\"vanished_correct\": 4", true);
}

/* A target may make right what was wrong: nothing to warn of. */
static void an_attack_that_helps_is_reported(void **state)
{
  (void)state;
  ls_robustness figures = sound;
  figures.correct = sound.clean_correct + 1;
  expect(figures, LS_ANY_CLASS, above, true);
  expect(figures, LS_ANY_CLASS, "\"above_clean\": true", true);
  expect(figures, 1, above, false);
  expect_of(&ls_attack_noise, figures, LS_ANY_CLASS, above, false); /* it may be, by chance */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sound_attack_has_no_warning),
      cmocka_unit_test(a_vanished_gradient_is_reported),
      cmocka_unit_test(an_attack_that_helps_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
