/* SPDX-License-Identifier: BSD-3-Clause */
/* A run goes on only from a checkpoint of the same experiment on the same samples. */
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "config/config.h"
#include "train/run/resume.h"
#include "train/schemas.h"

static const char config[] = "data: {source: toy}\n"
                             "model:\n"
                             "  layers: [{type: flatten}, {type: dense, units: 4}]\n"
                             "train: {epochs: 3, optimizer: {type: sgd, lr: 0.1}}\n";

static ls_spec *spec_of(const char *const *overrides, size_t count)
{
  ls_spec *spec = NULL;
  if (ls_config_parse(&spec, config, "config", overrides, count, &ls_all_schemas) != LS_OK)
    fail_msg("%s", ls_error_last()->text);
  return spec;
}

static ls_checkpoint_info toy_info(void)
{
  return (ls_checkpoint_info){.channels = 1,
                              .height = 12,
                              .width = 12,
                              .classes = 4,
                              .dataset = "toy",
                              .mean = {50.0},
                              .deviation = {30.0},
                              .train_count = 333,
                              .labels_digest = "0123456789abcdef0123456789abcdef",
                              .progress = {.epoch = 1, .step = 14, .epoch_step = 7}};
}

static void assert_refused(const ls_checkpoint_info *found, const char *words)
{
  ls_spec *spec = spec_of(NULL, 0);
  const ls_checkpoint_info data = toy_info();
  const ls_resume resume = {.then = spec, .now = spec, .found = found, .data = &data};
  ls_status status = ls_resume_check(&resume);
  if (status == LS_OK) status = ls_resume_check_loaded(found, &data, 7);
  ls_spec_free(spec);
  assert_int_equal(status, words ? LS_E_INPUT : LS_OK);
  if (words && !strstr(ls_error_last()->text, words))
    fail_msg("'%s' not in: %s", words, ls_error_last()->text);
}

static void the_same_dataset_goes_on(void **state)
{
  (void)state;
  ls_checkpoint_info found = toy_info();
  assert_refused(&found, NULL);
  found.train_count = 0; /* an older checkpoint */
  found.labels_digest[0] = '\0';
  assert_refused(&found, NULL);
}

static void another_dataset_of_the_same_name_is_refused(void **state)
{
  (void)state;
  ls_checkpoint_info found = toy_info();
  found.channels = 3;
  assert_refused(&found, "another 'toy', of 3 image channels, not 1");
  found = toy_info();
  found.height = 14;
  assert_refused(&found, "14 rows of pixels, not 12");
  found = toy_info();
  snprintf(found.dataset, sizeof found.dataset, "game");
  assert_refused(&found, "was trained on 'game', not 'toy'");
  found = toy_info();
  found.width = 28;
  assert_refused(&found, "28 columns of pixels, not 12");
  found = toy_info();
  found.classes = 10;
  assert_refused(&found, "10 classes, not 4");
  found = toy_info();
  found.train_count = 334;
  assert_refused(&found, "334 training samples, not 333");
  found = toy_info();
  found.labels_digest[3] = 'f';
  assert_refused(&found, "training labels is 012f");
  found = toy_info();
  found.mean[0] *= 1.000001;
  assert_refused(&found, "had mean 50.00005");
  found = toy_info();
  found.deviation[0] = 31;
  assert_refused(&found, "deviation 31");
}

static void a_step_beyond_the_epoch_is_refused(void **state)
{
  (void)state;
  ls_checkpoint_info found = toy_info();
  found.progress.epoch_step = 8;
  assert_refused(&found, "8 steps within epoch 2, which has 7");
}

/* By progress, against the three epochs that are configured. */
static void epochs_that_are_done_or_begun_stay(void **state)
{
  (void)state;
  ls_checkpoint_info found = toy_info();
  found.progress = (ls_progress){.epoch = 2, .step = 17, .epoch_step = 3};
  assert_refused(&found, NULL);
  found.progress = (ls_progress){.epoch = 3, .step = 21};
  assert_refused(&found, NULL);
  found.progress = (ls_progress){.epoch = 4, .step = 28};
  assert_refused(&found, "train.epochs: 3, but 4 epochs are done");
  found.progress = (ls_progress){.epoch = 3, .step = 24, .epoch_step = 3};
  assert_refused(&found, "train.epochs: 3, but 3 epochs are done and the next has begun");
}

/* A configuration and a later one, by what each has beside the plain one. */
typedef struct change {
  const char *then, *now; /* then NULL: nothing */
} change;

/* Is a checkpoint of the one, at this progress, refused by the other, in these words? NULL: it goes on. */
static void expect_refused(change made, ls_progress progress, const char *words)
{
  ls_spec *then = spec_of(&made.then, made.then ? 1 : 0), *now = spec_of(&made.now, 1);
  const ls_checkpoint_info data = toy_info();
  ls_checkpoint_info found = toy_info();
  found.progress = progress;
  const ls_resume resume = {.then = then, .now = now, .found = &found, .data = &data};
  const ls_status status = ls_resume_check(&resume);
  ls_spec_free(then);
  ls_spec_free(now);
  if (status != (words ? LS_E_INPUT : LS_OK)) fail_msg("%s: status %d", made.now, (int)status);
  if (words && !strstr(ls_error_last()->text, words))
    fail_msg("%s: '%s' not in: %s", made.now, words, ls_error_last()->text);
}

static const ls_progress between = {.epoch = 1, .step = 7},
                         within = {.epoch = 1, .step = 14, .epoch_step = 7},
                         begun = {.epoch = 1, .step = 8, .epoch_step = 1};

/* Also between two epochs: each by its own name. */
static void samples_and_network_stay(void **state)
{
  (void)state;
  static const struct {
    change made;
    const char *words;
  } cases[] = {
      {{NULL, "seed=8"}, "seed: "},
      {{NULL, "data.validation=0.3"}, "data.validation: "},
      {{NULL, "data.split_seed=4"}, "data.split_seed: "},
      {{NULL, "data.normalize=unit"}, "data.normalize: "},
      {{NULL, "data={source: toy, mean: [1], std: [0.2]}"}, "data.normalize: "},
      {{"data={source: toy, mean: [1], std: [0.2]}", "data={source: toy, mean: [1], std: [0.3]}"},
       "data.normalize: "},
      {{NULL, "data.shuffle=shard"}, "data.shuffle: "},
      {{NULL, "data.per_class=5"}, "data.per_class: "},
      {{NULL, "data.fraction=0.5"}, "data.fraction: "},
      {{NULL, "data.transpose=true"}, "data.transpose: "},
      {{NULL, "data.first_label=1"}, "data.first_label: "},
      {{NULL, "model.layers=[{type: flatten}, {type: relu}, {type: dense, units: 4}]"}, "model.layers: "},
      {{NULL, "model.freeze=[dense1]"}, "model.freeze: "},
      {{NULL, "train.optimizer={type: adam, lr: 0.1}"}, "train.optimizer.type: "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    expect_refused(cases[i].made, between, cases[i].words);
}

static void batches_change_between_epochs_alone(void **state)
{
  (void)state;
  static const change changes[] = {{NULL, "train.batch=13"}, {NULL, "train.microbatch=3"}};
  for (size_t i = 0; i < 2; i++) {
    expect_refused(changes[i], between, NULL);
    expect_refused(changes[i], begun, "and it lies 1 step within epoch 2");
    expect_refused(changes[i], within, "and it lies 7 steps within epoch 2");
  }
  expect_refused((change){NULL, "train.optimizer.lr=0.3"}, within, NULL);
}

static void each_channel_counts(void **state)
{
  (void)state;
  ls_checkpoint_info data = toy_info();
  data.channels = 2;
  data.mean[1] = 60;
  data.deviation[1] = 20;
  ls_checkpoint_info found = data;
  assert_int_equal(ls_resume_check_loaded(&found, &data, 7), LS_OK);
  found.mean[1] = 61;
  assert_int_equal(ls_resume_check_loaded(&found, &data, 7), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "channel 1 had mean 61"));
  found.mean[1] = 60 * (1 + 1e-12); /* what another machine may round otherwise */
  assert_int_equal(ls_resume_check_loaded(&found, &data, 7), LS_OK);
}

/* The reported changes, a line each. */
static void hear(void *user, const char *line)
{
  char *heard = user;
  const size_t length = strlen(heard);
  snprintf(heard + length, 2048 - length, "%s\n", line);
}

static void changes_are_reported(void **state)
{
  (void)state;
  static const char *const overrides[] = {"train.epochs=5",
                                          "train.optimizer.lr=0.05",
                                          "train.clip_norm=1",
                                          "train.schedule={type: plateau}",
                                          "train.early_stopping.metric=accuracy",
                                          "checkpoint.keep=9"};
  char heard[2048] = "";
  ls_spec *then = spec_of(NULL, 0), *now = spec_of(overrides, sizeof overrides / sizeof *overrides);
  const ls_checkpoint_info info = toy_info();
  const ls_trainer_events events = {.user = heard, .message = hear};
  ls_resume resume = {.then = then, .now = then, .found = &info, .data = &info, .events = &events};
  ls_progress progress = {.best_epoch = 2, .bad_epochs = 1};
  ls_schedule_state schedule;
  ls_schedule_start(&now->train.schedule, &schedule);
  for (int epoch = 0; epoch < 3; epoch++)
    ls_schedule_observe(&now->train.schedule, 0.1, &(ls_metric_values){.loss = 3 - epoch}, &schedule);
  const ls_schedule_state before = schedule;
  assert_int_equal(ls_resume_adapt(&resume, &progress, &schedule), LS_OK);
  assert_string_equal(heard, "");
  assert_int_equal(progress.best_epoch, 2);
  assert_memory_equal(&schedule, &before, sizeof schedule);
  resume.now = now;
  assert_int_equal(ls_resume_adapt(&resume, &progress, &schedule), LS_OK);
  assert_int_equal(progress.best_epoch, 0);
  assert_memory_not_equal(&schedule, &before, sizeof schedule);
  assert_non_null(strstr(heard, "train.epochs: 3 so far, 5 from now on\n"));
  assert_non_null(strstr(heard, "train.clip_norm: 0 so far, 1 from now on\n"));
  assert_non_null(strstr(heard, "train.optimizer: {type: sgd, lr: 0.1, "));
  assert_non_null(strstr(heard, "} so far, {type: sgd, lr: 0.05, "));
  assert_non_null(strstr(heard, "train.schedule: {type: constant"));
  assert_non_null(strstr(heard, "train.early_stopping.metric: loss so far, accuracy from now on\n"));
  assert_non_null(strstr(heard, "the best epoch is looked for anew\n"));
  assert_null(strstr(heard, "checkpoint.keep"));
  assert_null(strstr(heard, "train.batch"));
  ls_spec_free(then);
  ls_spec_free(now);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_dataset_goes_on),
      cmocka_unit_test(another_dataset_of_the_same_name_is_refused),
      cmocka_unit_test(a_step_beyond_the_epoch_is_refused),
      cmocka_unit_test(epochs_that_are_done_or_begun_stay),
      cmocka_unit_test(samples_and_network_stay),
      cmocka_unit_test(batches_change_between_epochs_alone),
      cmocka_unit_test(each_channel_counts),
      cmocka_unit_test(changes_are_reported),
  };
  return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
