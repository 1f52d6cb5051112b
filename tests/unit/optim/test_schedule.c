/* SPDX-License-Identifier: BSD-3-Clause */
/* Schedules against the rates that PyTorch's give step by step, and at the edges of a run. */
#include "cmocka_all.h"

#include <math.h>

#include "optim/schedule.h"
#include "unit/optim/cases.h"

/* The table has twelve digits, and PyTorch's recursive cosine loses a few of sixteen. */
static void assert_rate(double actual, double expected, const char *name, size_t step)
{
  if (!(fabs(actual - expected) <= 1e-11 * expected))
    fail_msg("%s: step %zu: rate %.13g expected, %.13g found", name, step, expected, actual);
}

static double rate_at(const ls_kind_spec *spec, double lr, uint64_t step, uint64_t epoch_steps,
                      uint64_t epochs)
{
  const ls_schedule_position position = {step, epoch_steps, epoch_steps * epochs};
  ls_schedule_state state;
  ls_schedule_start(spec, &state);
  return ls_schedule_rate(spec, lr, &position, &state);
}

/* A number that a schedule remembers; files know it by this name. */
static unsigned char *remembered(const ls_kind_spec *spec, ls_schedule_state *state, const char *name)
{
  const ls_fields fields = ls_schedule_fields(spec);
  for (size_t i = 0; i < fields.count; i++)
    if (strcmp(fields.list[i].name, name) == 0) return (unsigned char *)state + fields.list[i].offset;
  fail_msg("nothing is remembered as %s", name);
  return NULL;
}

static double real_of(const ls_kind_spec *spec, ls_schedule_state *state, const char *name)
{
  double value;
  memcpy(&value, remembered(spec, state, name), sizeof value);
  return value;
}

static uint64_t count_of(const ls_kind_spec *spec, ls_schedule_state *state, const char *name)
{
  uint64_t value;
  memcpy(&value, remembered(spec, state, name), sizeof value);
  return value;
}

typedef struct schedule_case {
  char name[256];
  uint64_t epoch_steps, epochs;
  double lr;
  ls_kind_spec spec;
} schedule_case;

static schedule_case take_case(case_file *table)
{
  schedule_case found;
  char *at = table->line + strlen("case ");
  found.epoch_steps = strtoull(at, &at, 10);
  found.epochs = strtoull(at, &at, 10);
  found.lr = strtod(at, &at);
  snprintf(found.name, sizeof found.name, "%s", at + 1);
  found.spec = case_spec(ls_schedule_schemas, found.name);
  case_next(table);
  case_take(table, "rates");
  assert_int_equal(table->value_count, found.epoch_steps * found.epochs);
  return found;
}

/* What a file keeps of the state, put into the state that a new run starts with. */
static ls_schedule_state resume(const ls_kind_spec *spec, const ls_schedule_state *state)
{
  const ls_fields fields = ls_schedule_fields(spec);
  ls_schedule_state resumed;
  ls_schedule_start(spec, &resumed);
  for (size_t i = 0; i < fields.count; i++) {
    const size_t offset = fields.list[i].offset;
    memcpy((unsigned char *)&resumed + offset, (const unsigned char *)state + offset, LS_FIELD_BYTES);
  }
  return resumed;
}

/* Every epoch is one step and ends with a metric, as a loss and as an accuracy; each epoch starts from what a
 * file keeps of the state. */
static void check_observing(const schedule_case *found, const double *rates, const double *metrics)
{
  ls_schedule_state state;
  ls_schedule_start(&found->spec, &state);
  for (size_t epoch = 0; epoch < found->epochs; epoch++) {
    const ls_schedule_position position = {epoch, 1, found->epochs};
    state = resume(&found->spec, &state);
    assert_rate(ls_schedule_rate(&found->spec, found->lr, &position, &state), rates[epoch], found->name,
                epoch);
    ls_schedule_observe(&found->spec, found->lr, &(ls_metric_values){metrics[epoch], metrics[epoch]}, &state);
  }
}

static void check_steps(const schedule_case *found, const double *rates)
{
  for (size_t step = 0; step < found->epoch_steps * found->epochs; step++)
    assert_rate(rate_at(&found->spec, found->lr, step, found->epoch_steps, found->epochs), rates[step],
                found->name, step);
}

static void rates_are_those_of_pytorch(void **state)
{
  (void)state;
  static case_file table;
  double metrics[CASE_MAX_VALUES];
  size_t metric_count = 0, cases = 0;
  case_open(&table, LS_SOURCE_DIR "/tests/golden/schedules.txt");
  while (table.line[0]) {
    if (case_at(&table, "metrics")) {
      case_take(&table, "metrics");
      metric_count = table.value_count;
      memcpy(metrics, table.values, sizeof metrics);
    }
    const schedule_case found = take_case(&table);
    if (metric_count > 0)
      check_observing(&found, table.values, metrics);
    else
      check_steps(&found, table.values);
    free(found.spec.options);
    cases++;
  }
  case_close(&table);
  assert_true(cases > 0);
}

/* "{type: NAME}" with what the kind requires. */
static const char *const each_kind[] = {"{type: constant, warmup_epochs: 9}",
                                        "{type: step, step_epochs: 1, warmup_epochs: 9}",
                                        "{type: exponential, gamma: 0.5, warmup_epochs: 9}",
                                        "{type: cosine, warmup_epochs: 9}",
                                        "{type: onecycle, max_lr: 0.1, div_factor: 1, warmup_epochs: 9}",
                                        "{type: plateau, warmup_epochs: 9}"};

static void every_kind_has_its_cases(void **state)
{
  (void)state;
  case_expect_goldens(ls_schedule_schemas, LS_SOURCE_DIR "/tests/golden/schedules.txt");
  case_expect_all(ls_schedule_schemas, each_kind, sizeof each_kind / sizeof each_kind[0],
                  "`each_kind` in tests/unit/optim/test_schedule.c");
}

static void a_warm_up_may_be_longer_than_the_run(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof each_kind / sizeof each_kind[0]; i++) {
    const ls_kind_spec spec = case_spec(ls_schedule_schemas, each_kind[i]);
    for (uint64_t step = 0; step < 6; step++)
      assert_rate(rate_at(&spec, 0.1, step, 3, 2), 0.1 * (double)(step + 1) / 7, each_kind[i], step);
    free(spec.options);
  }
}

static void a_huge_warm_up_does_not_overflow(void **state)
{
  (void)state;
  const ls_kind_spec spec = case_spec(ls_schedule_schemas, "{type: constant, warmup_epochs: 1e300}");
  assert_rate(rate_at(&spec, 0.5, 4, 3, 3), 0.5 * 5 / 10, "constant", 4);
  free(spec.options);
}

static void rates_are_finite_and_positive_for_any_length(void **state)
{
  (void)state;
  static const char *const cases[] = {"{type: cosine}",
                                      "{type: cosine, min_lr: 0.01, warmup_epochs: 0.5}",
                                      "{type: onecycle, max_lr: 1}",
                                      "{type: onecycle, max_lr: 1, pct_start: 0}",
                                      "{type: onecycle, max_lr: 1, pct_start: 0.5}",
                                      "{type: onecycle, max_lr: 1, pct_start: 1}"};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const ls_kind_spec spec = case_spec(ls_schedule_schemas, cases[i]);
    for (uint64_t steps = 1; steps < 12; steps++)
      for (uint64_t step = 0; step < steps; step++) {
        const double rate = rate_at(&spec, 0.1, step, steps, 1);
        if (!(rate > 0 && rate <= 1.0000001)) fail_msg("%s: step %zu: %g", cases[i], (size_t)step, rate);
      }
    free(spec.options);
  }
}

static void plateau_by_accuracy_and_loss_look_at_their_own(void **state)
{
  (void)state;
  const ls_kind_spec by_loss = case_spec(ls_schedule_schemas, "{type: plateau, patience: 0}");
  const ls_kind_spec by_accuracy =
      case_spec(ls_schedule_schemas, "{type: plateau, patience: 0, metric: accuracy}");
  ls_schedule_state loss, accuracy;
  ls_schedule_start(&by_loss, &loss);
  ls_schedule_start(&by_accuracy, &accuracy);
  for (int epoch = 0; epoch < 2; epoch++) { /* the loss gets worse, the accuracy better */
    ls_schedule_observe(&by_loss, 0.1, &(ls_metric_values){1 + epoch, 0.5 + 0.1 * epoch}, &loss);
    ls_schedule_observe(&by_accuracy, 0.1, &(ls_metric_values){1 + epoch, 0.5 + 0.1 * epoch}, &accuracy);
  }
  assert_rate(real_of(&by_loss, &loss, "schedule_factor"), 0.1, "plateau by loss", 1);
  assert_rate(real_of(&by_accuracy, &accuracy, "schedule_factor"), 1, "plateau by accuracy", 1);
  free(by_loss.options);
  free(by_accuracy.options);
}

/* A metric of exactly 0 is a value like others: a loss cannot improve on it, and each epoch after it is bad.
 */
static void plateau_takes_a_zero_for_what_it_is(void **state)
{
  (void)state;
  const ls_kind_spec spec = case_spec(ls_schedule_schemas, "{type: plateau, patience: 0}");
  ls_schedule_state plateau;
  ls_schedule_start(&spec, &plateau);
  ls_schedule_observe(&spec, 0.1, &(ls_metric_values){0, 1}, &plateau);
  ls_schedule_observe(&spec, 0.1, &(ls_metric_values){3, 1}, &plateau);
  assert_rate(real_of(&spec, &plateau, "schedule_factor"), 0.1, "plateau after 0", 1);
  free(spec.options);
}

/* The rate stays where it had come to; what was the best of another metric is none. */
static void plateau_looks_for_a_best_anew_after_a_change(void **state)
{
  (void)state;
  const ls_kind_spec spec = case_spec(ls_schedule_schemas, "{type: plateau, patience: 1}");
  ls_schedule_state plateau;
  ls_schedule_start(&spec, &plateau);
  for (int epoch = 0; epoch < 4; epoch++)
    ls_schedule_observe(&spec, 0.1, &(ls_metric_values){1 + epoch, 0}, &plateau);
  assert_int_equal(count_of(&spec, &plateau, "schedule_bad"), 1);
  ls_schedule_restart(&spec, &plateau);
  assert_rate(real_of(&spec, &plateau, "schedule_factor"), 0.1, "plateau after a change", 1);
  assert_int_equal(count_of(&spec, &plateau, "schedule_bad"), 0);
  ls_schedule_observe(&spec, 0.1, &(ls_metric_values){9, 0}, &plateau);
  assert_rate(real_of(&spec, &plateau, "schedule_best"), 9, "plateau after a change", 1);
  assert_int_equal(count_of(&spec, &plateau, "schedule_epochs"), 1);
  free(spec.options);
}

/* Files keep each kind's state by name: what lies beyond it, or twice, would be lost. */
static void what_kinds_remember_fits_and_has_names(void **state)
{
  (void)state;
  for (size_t i = 0; ls_schedule_kinds[i]; i++) {
    const ls_schedule_kind *kind = ls_schedule_kinds[i];
    const ls_fields fields = kind->state;
    if ((fields.count > 0) != (kind->start && kind->restart) || (kind->observe && fields.count == 0))
      fail_msg("%s: what it remembers is not started, not restarted or not kept", kind->schema.name);
    for (size_t k = 0; k < fields.count; k++) {
      assert_true(fields.list[k].offset + LS_FIELD_BYTES <= sizeof(ls_schedule_state));
      for (size_t other = 0; other < k; other++) {
        assert_string_not_equal(fields.list[k].name, fields.list[other].name);
        assert_int_not_equal(fields.list[k].offset, fields.list[other].offset);
      }
    }
  }
}

static void kinds_and_schemas_are_in_the_same_order(void **state)
{
  (void)state;
  size_t i = 0;
  for (; ls_schedule_kinds[i]; i++) assert_ptr_equal(&ls_schedule_kinds[i]->schema, ls_schedule_schemas[i]);
  assert_null(ls_schedule_schemas[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rates_are_those_of_pytorch),
      cmocka_unit_test(every_kind_has_its_cases),
      cmocka_unit_test(a_warm_up_may_be_longer_than_the_run),
      cmocka_unit_test(a_huge_warm_up_does_not_overflow),
      cmocka_unit_test(rates_are_finite_and_positive_for_any_length),
      cmocka_unit_test(plateau_by_accuracy_and_loss_look_at_their_own),
      cmocka_unit_test(plateau_takes_a_zero_for_what_it_is),
      cmocka_unit_test(plateau_looks_for_a_best_anew_after_a_change),
      cmocka_unit_test(what_kinds_remember_fits_and_has_names),
      cmocka_unit_test(kinds_and_schemas_are_in_the_same_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
