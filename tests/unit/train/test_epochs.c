/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run does from one step and epoch to the next, beside figures of validation that the tests make up
 * and a clock that they move: rates, seconds, checkpoints, stops, the best epoch. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "config/config.h"
#include "idx_folder.h"
#include "parallel/mpi_main.h"
#include "train/schemas.h"
#include "train/trainer.h"

enum { TRAINED = 80, STEPS = 4, EPOCHS = 5, MAX_OVERRIDES = 8 };

static const char config[] =
    "data: {source: x, normalize: unit, validation: 20}\n"
    "model:\n"
    "  layers: [{type: flatten}, {type: dense, units: 10}]\n"
    "train: {epochs: 5, batch: 20, microbatch: 4, optimizer: {type: sgd, lr: 0.125}}\n"
    "checkpoint: {keep: 100}\n";

/* Time, and what validation says after each epoch. */
static double now_s;
static const double *losses; /* [EPOCHS]; after the last: that again */
static size_t validated;

static const double falling[EPOCHS] = {5, 4, 3, 2, 1};

double __wrap_ls_clock_s(void);

double __wrap_ls_clock_s(void)
{
  return now_s;
}

/* An evaluation lasts 100 s. */
static ls_status evaluate(const ls_evaluation_input *input, ls_evaluation_figures *figures,
                          ls_metrics **metrics)
{
  assert_int_equal(input->split, LS_EVAL_VALIDATION);
  *metrics = NULL;
  *figures = (ls_evaluation_figures){
      .loss = losses[validated < EPOCHS ? validated : EPOCHS - 1], .samples = 20, .correct = 5};
  validated++;
  now_s += 100;
  return LS_OK;
}

/* A run, how it is disturbed, and what is heard of it. */
typedef struct trial {
  size_t overridden;
  const char *overrides[MAX_OVERRIDES];
  size_t stop_after; /* step; 0: never */
  idx_folder data;
  char run_dir[64];
  volatile sig_atomic_t stop;
  size_t steps, epochs;
  ls_step_event last_step;
  ls_epoch_event last_epoch;
  ls_epoch_metrics train[EPOCHS], validation[EPOCHS];
  char heard[1024];
  ls_train_result result; /* without what it owns */
} trial;

/* A step lasts a second. */
static void hear_step(void *user, const ls_step_event *event)
{
  trial *self = user;
  self->last_step = *event;
  self->steps++;
  now_s += 1;
  if ((event->epoch - 1) * STEPS + event->step == self->stop_after) self->stop = 1;
}

static void hear_epoch(void *user, const ls_epoch_event *event)
{
  trial *self = user;
  self->last_epoch = *event;
  self->train[event->epoch - 1] = *event->train;
  self->validation[event->epoch - 1] = *event->validation;
  self->epochs++;
}

static void hear(void *user, const char *text)
{
  trial *self = user;
  const size_t length = strlen(self->heard);
  snprintf(self->heard + length, sizeof self->heard - length, "%s\n", text);
}

/* The run's status; its folder stays. */
static ls_status train(ls_comm *comm, trial *self, bool resume)
{
  ls_spec *spec;
  ls_source *source;
  ls_model *model;
  ls_directory directory;
  assert_ok(ls_config_parse(&spec, config, "config", self->overrides, self->overridden, &ls_all_schemas));
  assert_ok(ls_source_open(&source, self->data.path, 0));
  const ls_model_options shape = {
      .in = {.c = 1, .h = 12, .w = 12}, .microbatch = spec->train.microbatch, .classes = IDX_CLASSES};
  assert_ok(ls_model_new(&model, &spec->model.layers, &shape));
  assert_ok(ls_directory_open(&directory, self->run_dir));
  self->stop = 0;
  self->heard[0] = '\0';
  const ls_trainer_options options = {
      .comm = comm,
      .spec = spec,
      .schemas = &ls_all_schemas,
      .config = config,
      .source = source,
      .model = model,
      .threads = 1,
      .run_dir = &directory,
      .resume = resume,
      .started_s = now_s,
      .stop = &self->stop,
      .evaluate = evaluate,
      .events = {.user = self, .step = hear_step, .epoch = hear_epoch, .message = hear}};
  const ls_status status = ls_train(&options, &self->result);
  if (status == LS_OK) ls_train_result_fini(&self->result);
  ls_directory_close(&directory);
  ls_model_free(model);
  ls_source_close(source);
  ls_spec_free(spec);
  return status;
}

static void begin(trial *self)
{
  idx_folder_make(&self->data, 12, TRAINED + 20, 0);
  snprintf(self->run_dir, sizeof self->run_dir, "/tmp/lockstep-epochs-XXXXXX");
  assert_non_null(mkdtemp(self->run_dir));
  now_s = 1000;
  validated = 0;
  losses = falling;
}

static void end(trial *self)
{
  char command[96];
  idx_folder_remove(&self->data);
  snprintf(command, sizeof command, "rm -rf '%s'", self->run_dir);
  assert_int_equal(system(command), 0);
}

/* The steps whose checkpoints there are, as bits. */
static uint64_t checkpoints(const trial *self)
{
  uint64_t steps = 0;
  DIR *dir = opendir(self->run_dir);
  assert_non_null(dir);
  for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
    unsigned step;
    if (sscanf(entry->d_name, "checkpoint-%u.h5", &step) == 1) steps |= UINT64_C(1) << step;
  }
  closedir(dir);
  return steps;
}

/* The bits of some steps; 0 ends the list. */
static uint64_t bits(const unsigned *steps)
{
  uint64_t out = 0;
  for (; *steps > 0; steps++) out |= UINT64_C(1) << *steps;
  return out;
}

/* ---- tests ---- */

static double rate_with(ls_comm *comm, const char *base_batch, const char *scaling)
{
  trial run = {.overridden = 3, .overrides = {"train.epochs=1", base_batch, scaling}};
  begin(&run);
  assert_ok(train(comm, &run, false));
  end(&run);
  return run.train[0].learning_rate;
}

/* Batches are of 20. */
static void rates_grow_with_the_batch(void **state)
{
  static const char linear[] = "train.lr_scaling=linear", square_root[] = "train.lr_scaling=sqrt";
  assert_true(rate_with(*state, "train.lr_base_batch=0", linear) == 0.125);
  assert_true(rate_with(*state, "train.lr_base_batch=20", linear) == 0.125);
  assert_true(rate_with(*state, "train.lr_base_batch=5", linear) == 0.5);
  assert_true(rate_with(*state, "train.lr_base_batch=80", linear) == 0.03125);
  assert_true(rate_with(*state, "train.lr_base_batch=5", square_root) == 0.25);
}

/* Each step but an epoch's first, before which no time passes, takes a second; validation is no part of it.
 */
static void seconds_and_rates_are_an_epochs_own(void **state)
{
  trial run = {.overridden = 0};
  begin(&run);
  assert_ok(train(*state, &run, false));
  assert_int_equal(run.steps, STEPS * EPOCHS);
  assert_int_equal(run.epochs, EPOCHS);
  for (size_t i = 0; i < EPOCHS; i++) {
    assert_int_equal(run.train[i].epoch, i + 1);
    assert_int_equal(run.train[i].step, STEPS * (i + 1));
    assert_true(run.train[i].seconds == STEPS - 1);
    assert_int_equal(run.validation[i].epoch, i + 1);
    assert_true(run.validation[i].seconds == 100);
    assert_true(run.validation[i].loss == falling[i] && run.validation[i].accuracy == 0.25);
  }
  assert_true(run.last_epoch.samples_per_second == TRAINED / (STEPS - 1.0));
  assert_int_equal(run.last_step.samples, TRAINED);
  assert_true(run.last_step.loss == run.train[EPOCHS - 1].loss);
  assert_true(run.last_step.accuracy == run.train[EPOCHS - 1].accuracy);
  assert_true(run.last_step.accuracy > 0 && run.last_step.accuracy <= 1);
  assert_int_equal(run.last_step.steps, STEPS);
  assert_true(run.last_step.samples_per_second == TRAINED / (STEPS - 1.0));
  assert_true(run.result.progress.seconds == EPOCHS * (STEPS - 1));
  assert_true(run.result.samples_per_second == TRAINED / (STEPS - 1.0));
  assert_int_equal(run.result.progress.step, STEPS * EPOCHS);
  end(&run);
}

static void expect_checkpoints(ls_comm *comm, const char *first, const char *second, uint64_t expected)
{
  trial run = {.overridden = 2, .overrides = {first, second}};
  begin(&run);
  assert_ok(train(comm, &run, false));
  if (checkpoints(&run) != expected)
    fail_msg("%s, %s: steps %#lx, not %#lx", first, second, (unsigned long)checkpoints(&run),
             (unsigned long)expected);
  end(&run);
}

/* After 5 epochs of 4 steps the last one is always there. */
static void checkpoints_are_where_they_are_due(void **state)
{
  static const char never[] = "checkpoint.every_epochs=0", by_steps[] = "checkpoint.every_steps=3";
  expect_checkpoints(*state, never, "checkpoint.every_steps=0", bits((unsigned[]){20, 0}));
  expect_checkpoints(*state, never, by_steps, bits((unsigned[]){3, 6, 9, 12, 15, 18, 20, 0}));
  expect_checkpoints(*state, "checkpoint.every_epochs=2", by_steps,
                     bits((unsigned[]){3, 6, 8, 9, 12, 15, 16, 18, 20, 0}));
  expect_checkpoints(*state, "checkpoint.every_epochs=1", "checkpoint.keep=2", bits((unsigned[]){16, 20, 0}));
  /* 3 s of an epoch and 100 s of its validation: with a minute, the first step of each; with two, of every
   * other */
  expect_checkpoints(*state, never, "checkpoint.every_minutes=1", bits((unsigned[]){5, 9, 13, 17, 20, 0}));
  expect_checkpoints(*state, never, "checkpoint.every_minutes=2", bits((unsigned[]){9, 17, 20, 0}));
}

/* Asked to stop after any step, a run does one more, saves it and says so; resumed, it comes to the same
 * weights, without a step too many. */
static void a_stopped_run_goes_on_to_the_same_end(void **state)
{
  trial whole = {.overridden = 0};
  begin(&whole);
  assert_ok(train(*state, &whole, false));
  for (size_t after = 1; after < STEPS * EPOCHS; after += 3) {
    char expected[64];
    trial run = {.stop_after = after};
    begin(&run);
    assert_int_equal(train(*state, &run, false), LS_STOPPED);
    snprintf(expected, sizeof expected, "stopped on request after step %zu (epoch %zu)", after + 1,
             after / STEPS + 1);
    if (!strstr(ls_error_last()->text, expected))
      fail_msg("'%s' not in: %s", expected, ls_error_last()->text);
    assert_int_equal(run.steps, after + 1);
    assert_true((checkpoints(&run) >> (after + 1)) == 1);
    run.stop_after = 0;
    assert_ok(train(*state, &run, true));
    assert_int_equal(run.steps, STEPS * EPOCHS);
    assert_int_equal(run.epochs, EPOCHS);
    assert_string_equal(run.result.weights_digest, whole.result.weights_digest);
    for (size_t i = 0; i < EPOCHS; i++) assert_true(run.train[i].loss == whole.train[i].loss);
    end(&run);
  }
  end(&whole);
}

/* The first step that begins after the limit is the last one. */
static void the_time_limit_is_kept(void **state)
{
  static const struct {
    const char *limit;
    size_t steps;
  } cases[] = {{"train.time_limit=2", 3}, {"train.time_limit=2.5", 4}, {"train.time_limit=104", 5}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char expected[64];
    trial run = {.overridden = 1, .overrides = {cases[i].limit}};
    begin(&run);
    losses = falling;
    assert_int_equal(train(*state, &run, false), LS_STOPPED);
    snprintf(expected, sizeof expected, "train.time_limit reached: stopped after step %zu ", cases[i].steps);
    if (!strstr(ls_error_last()->text, expected))
      fail_msg("'%s' not in: %s", expected, ls_error_last()->text);
    end(&run);
  }
}

/* The best epoch of these losses is the third; patience of two ends the run after the fifth. */
static void the_best_epoch_is_kept_and_restored(void **state)
{
  static const double up_and_down[EPOCHS] = {3, 4, 2, 2.5, 2};
  static const char patience[] = "train.early_stopping={patience: 2, restore_best: true}",
                    more[] = "train.early_stopping={patience: 3, restore_best: true}";
  trial run = {.overridden = 2, .overrides = {patience, "train.epochs=9"}};
  begin(&run);
  losses = up_and_down;
  assert_ok(train(*state, &run, false));
  assert_int_equal(run.epochs, EPOCHS);
  assert_int_equal(run.result.progress.best_epoch, 3);
  assert_true(run.result.progress.best_metric == 2);
  assert_int_equal(run.result.progress.bad_epochs, 2);
  assert_string_equal(run.result.checkpoint, "best.h5");
  char best[LS_DIGEST_CHARS];
  memcpy(best, run.result.weights_digest, sizeof best);
  assert_ok(train(*state, &run, true)); /* once more: there is nothing to do */
  assert_non_null(strstr(run.heard, "early stopping has ended this run; a larger patience lets it go on"));
  assert_int_equal(run.epochs, EPOCHS);
  assert_string_equal(run.result.weights_digest, best);
  run.overrides[0] = more;
  run.overrides[1] = "train.epochs=5";
  assert_ok(train(*state, &run, true));
  assert_non_null(strstr(run.heard, "all epochs are done; a larger train.epochs lets the run go on"));
  end(&run);
  trial third = {.overridden = 1, .overrides = {"train.epochs=3"}};
  begin(&third);
  losses = up_and_down;
  assert_ok(train(*state, &third, false));
  assert_string_equal(third.result.weights_digest, best);
  assert_string_equal(third.result.checkpoint, "checkpoint-12.h5");
  end(&third);
}

/* The watching thread may look at the phase at any time, after an error as well: the text that it finds there
 * must not have gone with its writer. */
static void no_phase_outlives_what_it_names(void **state)
{
  static const char *const taken[] = {"best.h5", "checkpoint-4.h5", "metrics.h5"};
  ls_activity activity = {.waiting_for = NULL};
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
    char path[96];
    trial run = {0};
    begin(&run);
    snprintf(path, sizeof path, "%s/%s", run.run_dir, taken[i]);
    assert_int_equal(mkdir(path, 0777), 0);
    ls_comm_watch(*state, &activity);
    assert_int_equal(train(*state, &run, false), LS_E_IO);
    ls_comm_watch(*state, NULL);
    assert_null(atomic_load(&activity.phase));
    end(&run);
  }
}

/* What lies there as best.h5 is another epoch's, or nothing: reported, and not taken for the best. */
static void another_file_is_not_the_best(void **state)
{
  static const double second[EPOCHS] = {3, 2, 3, 3, 3};
  static const char *const expected[] = {"best.h5 is of epoch 4, and the best is 2: ",
                                         "best.h5 is missing: "};
  trial run = {.overridden = 1, .overrides = {"train.early_stopping={patience: 3, restore_best: true}"}};
  begin(&run);
  losses = second;
  assert_ok(train(*state, &run, false));
  assert_string_equal(run.result.checkpoint, "best.h5");
  for (size_t i = 0; i < 2; i++) {
    char command[256];
    if (i == 0)
      snprintf(command, sizeof command, "cp '%s/checkpoint-16.h5' '%s/best.h5'", run.run_dir, run.run_dir);
    else
      snprintf(command, sizeof command, "rm '%s/best.h5'", run.run_dir);
    assert_int_equal(system(command), 0);
    assert_ok(train(*state, &run, true));
    if (!strstr(run.heard, expected[i])) fail_msg("'%s' not in: %s", expected[i], run.heard);
    assert_non_null(strstr(run.heard, "the final weights are the last epoch's"));
    assert_string_equal(run.result.checkpoint, "checkpoint-20.h5");
  }
  end(&run);
}

/* A network whose loss is no number is neither saved nor the best. */
static void a_loss_that_is_no_number_ends_the_run(void **state)
{
  static const double worse[2][EPOCHS] = {{3, NAN, 1, 1, 1}, {3, INFINITY, 1, 1, 1}};
  for (size_t i = 0; i < 2; i++) {
    trial run = {.overridden = 0};
    begin(&run);
    losses = worse[i];
    assert_int_equal(train(*state, &run, false), LS_E_NONFINITE);
    assert_non_null(strstr(ls_error_last()->text, "after step 8: the loss on the validation samples is not"));
    assert_non_null(strstr(ls_error_last()->text, "checkpoint-4.h5 is intact"));
    assert_int_equal(run.epochs, 1);
    assert_true(checkpoints(&run) == bits((unsigned[]){4, 0}));
    end(&run);
  }
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(rates_grow_with_the_batch, comm),
      cmocka_unit_test_prestate(seconds_and_rates_are_an_epochs_own, comm),
      cmocka_unit_test_prestate(checkpoints_are_where_they_are_due, comm),
      cmocka_unit_test_prestate(a_stopped_run_goes_on_to_the_same_end, comm),
      cmocka_unit_test_prestate(the_time_limit_is_kept, comm),
      cmocka_unit_test_prestate(the_best_epoch_is_kept_and_restored, comm),
      cmocka_unit_test_prestate(no_phase_outlives_what_it_names, comm),
      cmocka_unit_test_prestate(another_file_is_not_the_best, comm),
      cmocka_unit_test_prestate(a_loss_that_is_no_number_ends_the_run, comm),
  };
  return cmocka_run_group_tests_name("epochs", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
