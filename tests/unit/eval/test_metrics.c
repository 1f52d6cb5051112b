/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics from confusion matrices: against values worked out by hand and against a naive count over single
 * samples; the report and the JSON as a reader sees them. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "eval/report/metrics_report.h"

static ls_metrics *metrics_of(uint64_t *confusion, size_t classes, double loss)
{
  ls_metrics *metrics;
  const ls_calibration calibration = {.samples = 4, .brier = 1 << 28, .bins = {[14] = {4, 3, 1 << 30}}};
  assert_int_equal(ls_metrics_make(&metrics, LS_LABELS_CLASS, classes), LS_OK);
  memcpy(metrics->confusion, confusion, classes * classes * sizeof *confusion);
  ls_metrics_derive(metrics, loss, loss + 0.25, &calibration);
  return metrics;
}

/* All quotients are of small counts: one rounding each, a few in the means. */
static void assert_close(double actual, double expected)
{
  if (!(fabs(actual - expected) <= 1e-14)) fail_msg("%.17g expected, %.17g found", expected, actual);
}

static void assert_contains(const char *text, const char *part)
{
  if (!strstr(text, part)) fail_msg("'%s' is not in\n%s", part, text);
}

/* y_true = 0 1 2 0 1 2, y_pred = 0 2 1 0 0 1: scikit-learn's documentation gives precision_macro 0.22...,
 * recall_macro 0.33..., f1_macro 0.26... for it. */
static uint64_t textbook[] = {2, 0, 0, 1, 0, 1, 0, 2, 0};

static void the_textbook_example(void **state)
{
  (void)state;
  ls_metrics *metrics = metrics_of(textbook, 3, 0.5);
  assert_int_equal(metrics->samples, 6);
  assert_int_equal(metrics->correct, 2);
  assert_close(metrics->accuracy, 1.0 / 3);
  assert_close(metrics->loss, 0.5);
  assert_close(metrics->per_class[0].precision, 2.0 / 3);
  assert_close(metrics->per_class[0].recall, 1);
  assert_close(metrics->per_class[0].f1, 0.8);
  assert_close(metrics->per_class[1].f1, 0);
  assert_close(metrics->macro.precision, 2.0 / 9);
  assert_close(metrics->macro.recall, 1.0 / 3);
  assert_close(metrics->macro.f1, 0.8 / 3);
  assert_int_equal(metrics->macro.support, 6);
  ls_metrics_free(metrics);
}

/* Precision and recall of a class from their definitions, sample by sample; false when it never occurs. */
static bool count_naively(const uint16_t *labels, const uint16_t *guesses, size_t count, uint16_t class,
                          ls_class_metrics *out)
{
  double hits = 0, false_alarms = 0, misses = 0;
  for (size_t i = 0; i < count; i++) {
    hits += labels[i] == class && guesses[i] == class;
    false_alarms += labels[i] != class && guesses[i] == class;
    misses += labels[i] == class && guesses[i] != class;
  }
  out->precision = hits + false_alarms > 0 ? hits / (hits + false_alarms) : 0;
  out->recall = hits + misses > 0 ? hits / (hits + misses) : 0;
  const double sum = out->precision + out->recall;
  out->f1 = sum > 0 ? 2 * out->precision * out->recall / sum : 0;
  return hits + false_alarms + misses > 0;
}

static void agrees_with_a_naive_count(void **state)
{
  (void)state;
  enum { CLASSES = 12, SAMPLES = 500 };
  uint16_t labels[SAMPLES], guesses[SAMPLES];
  uint64_t confusion[CLASSES * CLASSES] = {0};
  const ls_rng rng = ls_rng_stream(1, LS_RNG_SPLIT, 0, 0);
  for (uint32_t i = 0; i < SAMPLES; i++) {
    uint32_t words[4];
    ls_rng_block(&rng, i, words);
    labels[i] = (uint16_t)(words[0] % (CLASSES - 2));                             /* 10 and 11: no samples */
    guesses[i] = words[1] % 3 ? labels[i] : (uint16_t)(words[2] % (CLASSES - 1)); /* 11: never predicted */
    confusion[labels[i] * CLASSES + guesses[i]]++;
  }
  ls_metrics *metrics = metrics_of(confusion, CLASSES, 1);
  ls_class_metrics mean = {0};
  double counted = 0;
  for (uint16_t class = 0; class < CLASSES; class ++) {
    ls_class_metrics naive;
    counted += count_naively(labels, guesses, SAMPLES, class, &naive);
    assert_close(metrics->per_class[class].precision, naive.precision);
    assert_close(metrics->per_class[class].recall, naive.recall);
    assert_close(metrics->per_class[class].f1, naive.f1);
    mean.precision += naive.precision;
    mean.recall += naive.recall;
    mean.f1 += naive.f1;
  }
  assert_close(counted, CLASSES - 1);
  assert_close(metrics->macro.precision, mean.precision / counted);
  assert_close(metrics->macro.recall, mean.recall / counted);
  assert_close(metrics->macro.f1, mean.f1 / counted);
  ls_metrics_free(metrics);
}

/* class 1: never predicted; 2: no samples, but predicted; 3: neither */
static uint64_t gaps[] = {4, 0, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

static void empty_classes_are_handled_and_said(void **state)
{
  (void)state;
  ls_metrics *metrics = metrics_of(gaps, 4, 1);
  assert_close(metrics->per_class[1].precision, 0);
  assert_close(metrics->per_class[2].recall, 0);
  assert_close(metrics->per_class[3].f1, 0);
  assert_close(metrics->macro.recall, 0.8 / 3); /* class 3 is left out */
  ls_text notes = {0};
  ls_metrics_notes(metrics, NULL, &notes);
  assert_string_equal(ls_text_get(&notes), "class 1: never predicted: precision taken as 0\n"
                                           "class 2: no samples: recall taken as 0\n"
                                           "class 3: no samples, never predicted: not in the macro means\n");
  ls_text_fini(&notes);
  ls_metrics_free(metrics);
}

static void no_samples_at_all(void **state)
{
  (void)state;
  static uint64_t nothing[9] = {0};
  ls_metrics *metrics = metrics_of(nothing, 3, NAN);
  assert_close(metrics->accuracy, 0);
  assert_close(metrics->loss, 0);
  assert_close(metrics->macro.f1, 0);
  ls_text text = {0};
  ls_metrics_report(metrics, "test", NULL, &text);
  assert_string_equal(ls_text_get(&text), "test: loss 0.0000, accuracy 0.00 % (0 of 0)\n"
                                          "\nnotes\nno samples: all figures are 0\n");
  ls_text_fini(&text);
  ls_metrics_free(metrics);
}

static const char *const animals[] = {"cat", "dog", "bird"};

static void the_report(void **state)
{
  (void)state;
  ls_metrics *metrics = metrics_of(textbook, 3, 0.5);
  ls_text text = {0};
  ls_metrics_report(metrics, "test", animals, &text);
  assert_string_equal(ls_text_get(&text), "test: loss 0.5000, accuracy 33.33 % (2 of 6)\n"
                                          "      negative log-likelihood 0.7500, Brier score 0.2500, "
                                          "calibration error 0.2500\n"
                                          "\n"
                                          "class   precision     recall         f1    support\n"
                                          "0 cat     66.67 %   100.00 %    80.00 %          2\n"
                                          "1 dog      0.00 %     0.00 %     0.00 %          2\n"
                                          "2 bird     0.00 %     0.00 %     0.00 %          2\n"
                                          "macro     22.22 %    33.33 %    26.67 %          6\n"
                                          "\n"
                                          "confusion matrix (rows: actual class, columns: predicted class)\n"
                                          "        0  1  2  total\n"
                                          "0 cat   2  0  0      2\n"
                                          "1 dog   1  0  1      2\n"
                                          "2 bird  0  2  0      2\n"
                                          "total   3  2  1      6\n"
                                          "\n"
                                          "most confused\n"
                                          "true 2 (bird) predicted 1 (dog): 2 times, 100.0 % of its samples\n"
                                          "true 1 (dog) predicted 0 (cat): 1 time, 50.0 % of its samples\n"
                                          "true 1 (dog) predicted 2 (bird): 1 time, 50.0 % of its samples\n");
  ls_text_fini(&text);
  ls_metrics_free(metrics);
}

/* Characters of the longest line: bytes that do not continue a UTF-8 character. */
static size_t longest_line(const char *text)
{
  size_t longest = 0, length = 0;
  for (; *text; text++) {
    length = *text == '\n' ? 0 : length + (((unsigned char)*text & 0xC0) != 0x80);
    longest = length > longest ? length : longest;
  }
  return longest;
}

static void ten_large_classes_fit_100_columns(void **state)
{
  (void)state;
  static const char *const names[] = {"T-shirt/top", "Trouser", "Pullover", "Dress",      "Coat",
                                      "Sandal",      "Shirt",   "Sneaker",  "お持ち帰り", "Ankle boot"};
  uint64_t confusion[100];
  for (size_t i = 0; i < 100; i++) confusion[i] = i % 11 == 0 ? 123456 : i;
  ls_metrics *metrics = metrics_of(confusion, 10, 1);
  ls_text text = {0};
  ls_metrics_report(metrics, "test", names, &text);
  assert_true(longest_line(ls_text_get(&text)) <= 100);
  assert_contains(ls_text_get(&text), "true 9 (Ankle boot) predicted 8 (お持ち帰り): 98 times");
  assert_contains(ls_text_get(&text), "0 T-shirt/top 123456      1      2 ");
  assert_contains(ls_text_get(&text),
                  "8 お持ち帰り      80     81 "); /* filled up by columns of a terminal, not bytes */
  ls_text_fini(&text);
  ls_metrics_free(metrics);
}

static void long_names_are_cut(void **state)
{
  (void)state;
  static const char *const names[] = {"a name that is far longer than any column would be", "b"};
  static uint64_t confusion[] = {1, 1, 0, 2};
  ls_metrics *metrics = metrics_of(confusion, 2, 1);
  ls_text text = {0};
  ls_metrics_report(metrics, "test", names, &text);
  assert_contains(ls_text_get(&text), "\n0 a name that is far lon   100.00 %    50.00 %");
  assert_contains(ls_text_get(&text), "\n0 a name that is far lon  1  1");
  ls_text_fini(&text);
  ls_metrics_free(metrics);
}

static void many_classes_have_no_matrix(void **state)
{
  (void)state;
  enum { CLASSES = 31 };
  uint64_t confusion[CLASSES * CLASSES] = {0};
  for (size_t i = 0; i < CLASSES; i++) confusion[i * CLASSES + i] = 2;
  ls_metrics *metrics = metrics_of(confusion, CLASSES, 0);
  ls_text text = {0};
  ls_metrics_report(metrics, "validation", NULL, &text);
  assert_contains(ls_text_get(&text), "validation: loss 0.0000, accuracy 100.00 % (62 of 62)");
  assert_contains(ls_text_get(&text), "confusion matrix: left out, 31 classes");
  assert_null(strstr(ls_text_get(&text), "most confused"));
  assert_null(strstr(ls_text_get(&text), "notes"));
  ls_text_fini(&text);
  ls_metrics_free(metrics);
}

static void as_many_confused_pairs_as_classes(void **state)
{
  (void)state;
  static uint64_t confusion[] = {9, 1, 2, 3, 9, 4, 5, 6, 9};
  ls_metrics *metrics = metrics_of(confusion, 3, 0);
  ls_text text = {0};
  ls_metrics_report(metrics, "test", NULL, &text);
  assert_contains(ls_text_get(&text), "most confused\n"
                                      "true 2 predicted 1: 6 times, 30.0 % of its samples\n"
                                      "true 2 predicted 0: 5 times, 25.0 % of its samples\n"
                                      "true 1 predicted 2: 4 times, 25.0 % of its samples\n");
  assert_null(strstr(ls_text_get(&text), "true 1 predicted 0"));
  ls_text_fini(&text);
  ls_metrics_free(metrics);
}

/* 25 classes, each taken for the next: 25 pairs. */
static void at_most_twenty_confused_pairs(void **state)
{
  (void)state;
  enum { CLASSES = 25 };
  uint64_t confusion[CLASSES * CLASSES] = {0};
  for (size_t k = 0; k < CLASSES; k++) confusion[k * CLASSES + (k + 1) % CLASSES] = 100 - k;
  ls_metrics *metrics = metrics_of(confusion, CLASSES, 0);
  ls_text text = {0};
  ls_metrics_report(metrics, "test", NULL, &text);
  assert_contains(ls_text_get(&text), "true 19 predicted 20: 81 times, 100.0 % of its samples\n");
  assert_null(strstr(ls_text_get(&text), "true 20 predicted"));
  ls_text_fini(&text);
  ls_metrics_free(metrics);
}

static void assert_json(const ls_metrics *metrics, const char *const *names, const char *expected)
{
  json_t *json = ls_metrics_json(metrics, names);
  assert_non_null(json);
  char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(4));
  assert_string_equal(text, expected);
  free(text);
  json_decref(json);
}

static void the_json(void **state)
{
  (void)state;
  ls_metrics *metrics = metrics_of(textbook, 3, 0.5);
  assert_json(metrics, animals,
              "{\"accuracy\":0.3333,\"loss\":0.5,\"nll\":0.75,\"brier\":0.25,\"ece\":0.25,\"samples\":6,"
              "\"macro\":{\"precision\":0.2222,\"recall\":0.3333,\"f1\":0.2667},\"per_class\":["
              "{\"class\":0,\"precision\":0.6667,\"recall\":1.0,\"f1\":0.8,\"support\":2,\"label\":\"cat\"},"
              "{\"class\":1,\"precision\":0.0,\"recall\":0.0,\"f1\":0.0,\"support\":2,\"label\":\"dog\"},"
              "{\"class\":2,\"precision\":0.0,\"recall\":0.0,\"f1\":0.0,\"support\":2,\"label\":\"bird\"}],"
              "\"confusion\":[[2,0,0],[1,0,1],[0,2,0]],\"notes\":[]}");
  ls_metrics_free(metrics);
}

static void json_of_unusual_values(void **state)
{
  (void)state;
  static const char *const names[] = {"ok", "not UTF-8: \xff", "c", "d"};
  ls_metrics *metrics = metrics_of(gaps, 4, NAN);
  json_t *json = ls_metrics_json(metrics, names);
  assert_non_null(json);
  assert_true(json_is_null(json_object_get(json, "loss")));
  assert_int_equal(json_array_size(json_object_get(json, "notes")), 3);
  assert_string_equal(json_string_value(json_array_get(json_object_get(json, "notes"), 1)),
                      "class 2 (c): no samples: recall taken as 0");
  assert_true(json_is_null(json_object_get(json_array_get(json_object_get(json, "per_class"), 1), "label")));
  json_decref(json);
  ls_metrics_free(metrics);
}

static void no_memory(void **state)
{
  (void)state;
  ls_metrics *metrics;
  assert_int_equal(ls_metrics_make(&metrics, LS_LABELS_CLASS, SIZE_MAX / 2), LS_E_MEMORY);
  ls_metrics_free(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_textbook_example),
      cmocka_unit_test(agrees_with_a_naive_count),
      cmocka_unit_test(empty_classes_are_handled_and_said),
      cmocka_unit_test(no_samples_at_all),
      cmocka_unit_test(the_report),
      cmocka_unit_test(ten_large_classes_fit_100_columns),
      cmocka_unit_test(long_names_are_cut),
      cmocka_unit_test(many_classes_have_no_matrix),
      cmocka_unit_test(as_many_confused_pairs_as_classes),
      cmocka_unit_test(at_most_twenty_confused_pairs),
      cmocka_unit_test(the_json),
      cmocka_unit_test(json_of_unusual_values),
      cmocka_unit_test(no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
