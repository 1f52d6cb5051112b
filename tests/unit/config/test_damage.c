/* SPDX-License-Identifier: BSD-3-Clause */
/* Damaged configurations: each is refused with a message or read, and what is read resolves to itself. Run
 * under ASan (preset asan) this also shows that nothing leaks on any way out. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "base/rng.h"
#include "unit/config/fakes.h"

enum { MUTANTS = 4000, EDITS = 3 };

static void check_whatever_it_is(const char *text, const char *const *overrides, size_t override_count)
{
  ls_spec *spec;
  ls_status status = ls_config_parse(&spec, text, "c.yaml", overrides, override_count, &fakes);
  if (status != LS_OK) {
    assert_int_equal(status, LS_E_CONFIG);
    assert_null(spec);
    assert_true(strlen(ls_error_last()->text) > 0);
    return;
  }
  ls_text yaml = {0}, again_yaml = {0};
  ls_config_emit(spec, &yaml);
  ls_spec *again;
  status = ls_config_parse(&again, ls_text_get(&yaml), "resolved", NULL, 0, &fakes);
  if (status != LS_OK) fail_msg("%s, of\n%s\nmade of\n%s", ls_error_last()->text, ls_text_get(&yaml), text);
  ls_config_emit(again, &again_yaml);
  assert_string_equal(ls_text_get(&again_yaml), ls_text_get(&yaml));
  ls_text_fini(&yaml);
  ls_text_fini(&again_yaml);
  ls_spec_free(again);
  ls_spec_free(spec);
}

static void every_beginning_of_a_file(void **state)
{
  (void)state;
  char text[sizeof full_text];
  for (size_t length = 0; length < sizeof full_text; length++) {
    memcpy(text, full_text, length);
    text[length] = '\0';
    check_whatever_it_is(text, NULL, 0);
  }
}

/* Replace, drop or double a character, with a liking for those that mean something in YAML. */
static void edit(char *text, const uint32_t words[4])
{
  static const char liked[] = "{}[]:,#&*!|>'\"%@`-?~ \t\n.0123456789eE\\\x01\x7f\xc2\x80\xff";
  size_t length = strlen(text);
  size_t at = words[0] % length;
  size_t rest = length - at; /* with the terminator: length - at bytes follow text[at] */
  if (words[1] % 4 == 0)
    memmove(text + at, text + at + 1, rest);
  else if (words[1] % 4 == 1)
    memmove(text + at + 1, text + at, rest + 1);
  else
    text[at] = liked[words[2] % (sizeof liked - 1)];
}

static void files_with_a_few_characters_changed(void **state)
{
  (void)state;
  for (uint64_t mutant = 0; mutant < MUTANTS; mutant++) {
    char text[sizeof full_text + EDITS];
    memcpy(text, full_text, sizeof full_text);
    ls_rng rng = ls_rng_stream(1, LS_RNG_INIT, mutant, 0);
    for (uint32_t i = 0; i < EDITS; i++) {
      uint32_t words[4];
      ls_rng_block(&rng, i, words);
      edit(text, words);
    }
    check_whatever_it_is(text, NULL, 0);
  }
}

static void overrides_with_a_few_characters_changed(void **state)
{
  (void)state;
  static const char *const originals[] = {"model.layers.block.body[1].body.deep={type: conv, filters: 82}",
                                          "train.optimizer={type: adam, lr: 0.002}",
                                          "train.early_stopping.patience=2", "model.layers[0].pad=same"};
  for (uint64_t mutant = 0; mutant < MUTANTS; mutant++) {
    char override[100];
    strcpy(override, originals[mutant % 4]);
    ls_rng rng = ls_rng_stream(2, LS_RNG_INIT, mutant, 0);
    uint32_t words[4];
    ls_rng_block(&rng, 0, words);
    edit(override, words);
    const char *const overrides[] = {override, "seed=3"};
    check_whatever_it_is(full_text, overrides, 2);
  }
}

/* Sizes that would show time or memory that grows faster than the text. */
static void large_files_are_refused_in_no_time(void **state)
{
  (void)state;
  static const char *const units[] = {"[",     "{a: ", "- ", "seed: 1\n", "a: 1\n",
                                      "&a x ", "'",    "? ", "- - - - - "};
  enum { BYTES = 200000 };
  char *text = malloc(BYTES + 1);
  assert_non_null(text);
  for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
    size_t length = strlen(units[u]);
    size_t used = BYTES / length * length;
    for (size_t i = 0; i < used; i += length) memcpy(text + i, units[u], length);
    text[used] = '\0';
    check_whatever_it_is(text, NULL, 0);
  }
  free(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_beginning_of_a_file),
      cmocka_unit_test(files_with_a_few_characters_changed),
      cmocka_unit_test(overrides_with_a_few_characters_changed),
      cmocka_unit_test(large_files_are_refused_in_no_time),
  };
  return cmocka_run_group_tests_name("config damage", tests, NULL, NULL);
}
