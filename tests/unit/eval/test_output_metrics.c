/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures of several labels and of values: against scikit-learn 1.9 on the same numbers; the report and the
 * JSON document as a reader sees them. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/report/metrics_report.h"

enum { SAMPLES = 8, LABELS = 4 };

/* Logits, some of them equal; nobody has the last label. */
static const float logits[SAMPLES][LABELS] = {
    {2, -1, 0.5F, -3}, {1, 3, -0.5F, -2},     {-1, 0.5F, 0.5F, -1}, {-2, -1, 1, -3},
    {0.5F, 2, -2, -2}, {2, -0.5F, 0.25F, -4}, {-0.5F, 1, -1, -1},   {3, -3, 2, -2},
};
static const float labels[SAMPLES][LABELS] = {
    {1, 0, 1, 0}, {0, 1, 0, 0}, {1, 1, 0, 0}, {0, 0, 1, 0},
    {1, 0, 0, 0}, {1, 1, 0, 0}, {0, 1, 1, 0}, {1, 0, 1, 0},
};

static void assert_close(double actual, double expected)
{
  if (!(fabs(actual - expected) <= 1e-14)) fail_msg("%.17g expected, %.17g found", expected, actual);
}

static void assert_contains(const char *text, const char *part)
{
  if (!strstr(text, part)) fail_msg("'%s' is not in\n%s", part, text);
}

/* Figures of [count, classes] outputs. */
static ls_metrics *metrics_of(ls_label_form form, const float *found, const float *wanted, size_t count,
                              size_t classes)
{
  ls_metrics *metrics;
  ls_outputs outputs = {
      .count = count, .classes = classes, .row_bytes = sizeof(ls_output) + 2 * classes * sizeof(float)};
  outputs.rows = calloc(count + 1, outputs.row_bytes);
  assert_non_null(outputs.rows);
  for (size_t i = 0; i < count; i++) {
    float *values = ((ls_output *)(void *)(outputs.rows + i * outputs.row_bytes))->values;
    memcpy(values, found + i * classes, classes * sizeof *values);
    memcpy(values + classes, wanted + i * classes, classes * sizeof *values);
  }
  assert_int_equal(ls_metrics_make(&metrics, form, classes), LS_OK);
  assert_null(metrics->confusion);
  assert_int_equal(ls_metrics_derive_outputs(metrics, 0.25, &outputs), LS_OK);
  free(outputs.rows);
  return metrics;
}

static ls_metrics *several(void)
{
  return metrics_of(LS_LABELS_SEVERAL, logits[0], labels[0], SAMPLES, LABELS);
}

static void several_labels(void **state)
{
  (void)state;
  static const ls_class_metrics expected[LABELS] = {{.precision = 0.8,
                                                     .recall = 0.8,
                                                     .f1 = 0.8,
                                                     .average_precision = 0.902857142857143,
                                                     .support = 5,
                                                     .predicted = 5},
                                                    {.precision = 0.75,
                                                     .recall = 0.75,
                                                     .f1 = 0.75,
                                                     .average_precision = 0.804166666666667,
                                                     .support = 4,
                                                     .predicted = 4},
                                                    {.precision = 0.6,
                                                     .recall = 0.75,
                                                     .f1 = 2.0 / 3,
                                                     .average_precision = 0.830357142857143,
                                                     .support = 4,
                                                     .predicted = 5},
                                                    {.support = 0}};
  ls_metrics *metrics = several();
  for (size_t k = 0; k < LABELS; k++) {
    const ls_class_metrics *class = &metrics->per_class[k];
    assert_close(class->precision, expected[k].precision);
    assert_close(class->recall, expected[k].recall);
    assert_close(class->f1, expected[k].f1);
    assert_true(fabs(class->average_precision - expected[k].average_precision) < 1e-14);
    assert_int_equal(class->support, expected[k].support);
    assert_int_equal(class->predicted, expected[k].predicted);
  }
  assert_close(metrics->micro.precision, 10.0 / 14);
  assert_close(metrics->micro.recall, 10.0 / 13);
  assert_close(metrics->micro.f1, 20.0 / 27);
  assert_close(metrics->macro.precision,
               2.15 / 3); /* without the label that nobody has, as the three alone */
  assert_close(metrics->macro.recall, 2.3 / 3);
  assert_close(metrics->macro.f1, (0.8 + 0.75 + 2.0 / 3) / 3);
  assert_true(fabs(metrics->macro.average_precision - 0.845793650793651) < 1e-14);
  assert_close(metrics->loss, 0.25);
  ls_metrics_free(metrics);
}

/* A label that is always predicted, and never there, is in the mean of F1, and not in that of the precision
 * by output. */
static void a_label_without_samples(void **state)
{
  (void)state;
  const float found[] = {1, 1, 1, -1}, wanted[] = {1, 0, 1, 0};
  ls_metrics *metrics = metrics_of(LS_LABELS_SEVERAL, found, wanted, 2, 2);
  assert_close(metrics->macro.f1, 0.5);
  assert_close(metrics->macro.average_precision, 1);
  ls_metrics_free(metrics);
}

/* The second value is always the same, which nothing explains. */
static const float wanted[4][2] = {{0.5F, 10}, {1.5F, 10}, {-2, 10}, {3.25F, 10}};
static const float found[4][2] = {{0.75F, 10}, {1, 9.5F}, {-1, 10.25F}, {3, 10}};

static void values(void **state)
{
  (void)state;
  ls_metrics *metrics = metrics_of(LS_LABELS_VALUES, found[0], wanted[0], 4, 2);
  assert_close(metrics->per_class[0].mae, 0.5);
  assert_true(fabs(metrics->per_class[0].rmse - 0.586301969977929) < 1e-14);
  assert_true(fabs(metrics->per_class[0].r2 - 0.90465872156013) < 1e-14);
  assert_close(metrics->per_class[1].mae, 0.1875);
  assert_true(fabs(metrics->per_class[1].rmse - 0.279508497187474) < 1e-14);
  assert_close(metrics->per_class[1].r2, 0);
  assert_close(metrics->macro.mae, 0.34375);
  assert_true(fabs(metrics->macro.rmse - 0.459279326771846) < 1e-14);
  assert_true(fabs(metrics->macro.r2 - 0.452329360780065) < 1e-14);
  ls_metrics_free(metrics);
  metrics = metrics_of(LS_LABELS_VALUES, wanted[0], wanted[0], 4, 2);
  assert_close(metrics->macro.r2, 1); /* all right, the constant too */
  ls_metrics_free(metrics);
}

static void no_samples(void **state)
{
  (void)state;
  for (ls_label_form form = LS_LABELS_SEVERAL; form <= LS_LABELS_VALUES; form++) {
    ls_metrics *metrics = metrics_of(form, found[0], wanted[0], 0, 2);
    ls_text text = {0};
    assert_close(metrics->loss, 0);
    ls_metrics_report(metrics, "test", NULL, &text);
    assert_contains(ls_text_get(&text), "no samples: all figures are 0");
    ls_text_fini(&text);
    ls_metrics_free(metrics);
  }
}

static void the_reports(void **state)
{
  (void)state;
  static const char *const names[] = {"cat", "dog", "tree", "sea"};
  ls_metrics *metrics = several();
  ls_text text = {0};
  metrics->correct = 3;
  metrics->accuracy = 0.375;
  ls_metrics_report(metrics, "test", names, &text);
  assert_contains(ls_text_get(&text), "test: loss 0.2500, exact match 37.50 % (3 of 8)\n"
                                      "      micro F1 0.7407, mean average precision 0.8458\n");
  assert_contains(ls_text_get(&text),
                  "label   precision     recall         f1  average_precision    support\n"
                  "0 cat     80.00 %    80.00 %    80.00 %            90.29 %          5\n");
  assert_contains(ls_text_get(&text), "label 3 (sea): no samples, never predicted: not in the macro means");
  assert_null(strstr(ls_text_get(&text), "confus"));
  ls_text_fini(&text);
  ls_metrics_free(metrics);

  metrics = metrics_of(LS_LABELS_VALUES, found[0], wanted[0], 4, 2);
  ls_metrics_report(metrics, "validation", NULL, &text);
  assert_contains(ls_text_get(&text),
                  "validation: loss 0.2500 (4 samples)\n"
                  "            mean absolute error 0.3438, root mean square error 0.4593, R2 0.4523\n");
  assert_contains(ls_text_get(&text), "value        mae       rmse         r2\n"
                                      "0            0.5     0.5863     0.9047\n");
  assert_null(strstr(ls_text_get(&text), "%"));
  ls_text_fini(&text);
  ls_metrics_free(metrics);
}

static double number_in(const json_t *json, const char *key)
{
  const json_t *number = json_object_get(json, key);
  if (!json_is_number(number)) fail_msg("there is no number '%s'", key);
  return json_number_value(number);
}

static void the_documents(void **state)
{
  (void)state;
  ls_metrics *metrics = several();
  json_t *json = ls_metrics_json(metrics, NULL);
  assert_close(number_in(json, "micro_f1"), 20.0 / 27);
  assert_close(number_in(json_object_get(json, "macro"), "recall"), 2.3 / 3);
  assert_close(number_in(json_array_get(json_object_get(json, "per_class"), 2), "precision"), 0.6);
  assert_null(json_object_get(json, "confusion"));
  assert_null(json_object_get(json, "ece"));
  json_decref(json);
  ls_metrics_free(metrics);

  metrics = metrics_of(LS_LABELS_VALUES, found[0], wanted[0], 4, 2);
  json = ls_metrics_json(metrics, NULL);
  assert_close(number_in(json, "mae"), 0.34375);
  assert_int_equal(number_in(json, "samples"), 4);
  assert_close(number_in(json_array_get(json_object_get(json, "per_value"), 1), "mae"), 0.1875);
  static const char *const missing[] = {"accuracy", "macro", "per_class", "confusion", "nll"};
  for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
    assert_null(json_object_get(json, missing[i]));
  json_decref(json);
  ls_metrics_free(metrics);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(several_labels), cmocka_unit_test(a_label_without_samples),
      cmocka_unit_test(values),         cmocka_unit_test(no_samples),
      cmocka_unit_test(the_reports),    cmocka_unit_test(the_documents),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
