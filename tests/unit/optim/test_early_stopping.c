/* SPDX-License-Identifier: BSD-3-Clause */
/* Early stopping: runs of metrics, and at which epoch each is best and ends. */
#include "cmocka_all.h"

#include <math.h>

#include "base/rng.h"
#include "optim/early_stopping.h"

enum { MAX_EPOCHS = 8 };

enum { BY_LOSS, BY_ACCURACY }; /* in the order of ls_metric_words */

typedef struct stopping_case {
  ls_spec_early_stopping spec;
  double metrics[MAX_EPOCHS]; /* 0: the end */
  uint64_t best_epoch;
  uint64_t stop_epoch; /* 0: never */
  uint64_t bad_epochs; /* at the end */
} stopping_case;

/* The metric that is not looked at gets better all the time, and must not matter. */
static void check_run(const stopping_case *run)
{
  ls_best_epoch best = {0};
  uint64_t stop_epoch = 0;
  for (uint64_t epoch = 1; epoch <= MAX_EPOCHS && run->metrics[epoch - 1] != 0 && !stop_epoch; epoch++) {
    const double metric = run->metrics[epoch - 1];
    const bool by_loss = run->spec.metric == BY_LOSS;
    const double loss = by_loss ? metric : 1 / (double)epoch;
    const double accuracy = by_loss ? (double)epoch / 10 : metric;
    const ls_early_stopping_result result =
        ls_early_stopping_observe(&run->spec, epoch, &(ls_metric_values){loss, accuracy}, &best);
    assert_int_equal(result.improved, best.epoch == epoch);
    if (result.stop) stop_epoch = epoch;
  }
  assert_int_equal(best.epoch, run->best_epoch);
  if (run->best_epoch > 0) assert_true(best.metric == run->metrics[run->best_epoch - 1]);
  assert_int_equal(stop_epoch, run->stop_epoch);
  assert_int_equal(best.bad_epochs, run->bad_epochs);
}

static void runs(void **state)
{
  (void)state;
  assert_string_equal(ls_metric_words[BY_LOSS], "loss");
  assert_string_equal(ls_metric_words[BY_ACCURACY], "accuracy");
  static const stopping_case cases[] = {
      {{.patience = 2}, {5, 4, 3, 2, 1}, 5, 0, 0},
      {{.patience = 2}, {5, 4, 4.5, 4.4, 1}, 2, 4, 2},
      {{.patience = 2}, {5, 4, 4.5, 3, 3.5, 3.5, 1}, 4, 6, 2},
      {{.patience = 1}, {5, 5, 1}, 1, 2, 1},             /* equal is no improvement */
      {{.patience = 0}, {5, 4, 6, 6, 6, 6, 6}, 2, 0, 5}, /* never stops, but knows the best */
      {{.patience = 3, .min_delta = 0.5}, {5, 4.75, 4.5, 4, 3.9, 3.6}, 4, 0, 2},
      {{.patience = 2, .min_delta = 0.5}, {5, 4.4, 3.8, 3.2}, 4, 0, 0},
      {{.patience = 2, .metric = BY_ACCURACY}, {0.5, 0.7, 0.6, 0.7, 0.9}, 2, 4, 2},
      {{.patience = 3, .metric = BY_ACCURACY, .min_delta = 0.125}, {0.5, 0.625, 0.75, 0.75}, 3, 0, 1},
      {{.patience = 2}, {NAN, 4, NAN, INFINITY, 1}, 2, 4, 2}, /* what is not finite never improves */
      {{.patience = 1}, {NAN, NAN, 1}, 0, 2, 2},              /* the first epoch never stops, as in Keras */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_run(&cases[i]);
}

static void state_goes_on_after_a_resume(void **state)
{
  (void)state;
  const ls_spec_early_stopping spec = {.patience = 3};
  ls_best_epoch best = {.epoch = 4, .metric = 0.5, .bad_epochs = 2};
  assert_false(ls_early_stopping_ends(&spec, 6, &best));
  assert_true(ls_early_stopping_observe(&spec, 7, &(ls_metric_values){.loss = 0.6}, &best).stop);
  assert_true(ls_early_stopping_ends(&spec, 7, &best));
}

/* What must hold of any run, its metrics being eighths, which subtract without rounding: the best epoch is
 * the last that was better than the best before it by more than min_delta, and a run ends with the first
 * epoch that has `patience` of them, itself included, behind the best. */
static void check_random_run(const ls_rng *rng, uint64_t number)
{
  uint32_t draws[16];
  for (uint32_t block = 0; block < 4; block++)
    ls_rng_block(rng, 4 * (uint32_t)number + block, draws + 4 * block);
  const ls_spec_early_stopping spec = {.patience = draws[0] % 4,
                                       .metric = draws[1] % 2 ? BY_ACCURACY : BY_LOSS,
                                       .min_delta = (double)(draws[2] % 3) / 8};
  const double sign = spec.metric == BY_ACCURACY ? 1 : -1;
  ls_best_epoch kept = {0};
  uint64_t best_epoch = 0;
  double best = 0;
  for (uint64_t epoch = 1; epoch <= 12; epoch++) {
    const double value = (double)(draws[2 + epoch] % 9) / 8;
    const ls_metric_values values = {sign > 0 ? -1 : value, sign > 0 ? value : 2};
    const bool is_better = best_epoch == 0 || sign * (value - best) > spec.min_delta;
    const ls_early_stopping_result result = ls_early_stopping_observe(&spec, epoch, &values, &kept);
    if (is_better) best = value, best_epoch = epoch;
    const bool ends = spec.patience > 0 && epoch - best_epoch >= spec.patience;
    if (result.improved != is_better || result.stop != ends || kept.epoch != best_epoch ||
        !(kept.metric == best) || ls_early_stopping_ends(&spec, epoch, &kept) != ends)
      fail_msg("run %zu, epoch %zu: %s of %g, min_delta %g, patience %zu: best epoch %zu expected, %zu found",
               (size_t)number, (size_t)epoch, sign > 0 ? "accuracy" : "loss", value, spec.min_delta,
               spec.patience, (size_t)best_epoch, (size_t)kept.epoch);
  }
}

static void the_best_epoch_is_better_by_more_than_min_delta(void **state)
{
  (void)state;
  const ls_rng rng = ls_rng_stream(1, LS_RNG_INIT, 0, 0);
  for (uint64_t number = 0; number < 2000; number++) check_random_run(&rng, number);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs),
      cmocka_unit_test(state_goes_on_after_a_resume),
      cmocka_unit_test(the_best_epoch_is_better_by_more_than_min_delta),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
