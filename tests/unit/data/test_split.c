/* SPDX-License-Identifier: BSD-3-Clause */
/* The validation split: exact size, proportional classes, chosen by the seed, and the numbering of the rest.
 */
#include <string.h>

#include "data/split.h"
#include "cmocka_all.h"

enum { TOTAL = 1003, CLASSES = 7 };

/* Classes of different sizes: class c stands c + 1 times in 21 samples; class 6 has none. */
static void make_labels(uint16_t labels[TOTAL])
{
  for (size_t i = 0; i < TOTAL; i++) {
    uint16_t label = 0;
    for (size_t left = i % 21; left > label; left -= label) label++;
    labels[i] = label;
  }
}

static ls_holdout hold_out(const uint16_t *labels, uint64_t seed, ls_amount amount)
{
  ls_holdout holdout;
  ls_holdout_labels from = {.labels = labels, .count = TOTAL, .classes = CLASSES};
  assert_int_equal(ls_holdout_find(&holdout, &from, seed, amount), LS_OK);
  return holdout;
}

static void check_proportions(const uint16_t *labels, const ls_holdout *holdout)
{
  size_t all[CLASSES] = {0};
  size_t held[CLASSES] = {0};
  for (size_t i = 0; i < TOTAL; i++) all[labels[i]]++;
  for (size_t i = 0; i < holdout->count; i++) held[labels[holdout->samples[i]]]++;
  for (size_t c = 0; c < CLASSES; c++) {
    size_t share = holdout->count * all[c]; /* TOTAL times the fair share: no rounding */
    assert_true(held[c] * TOTAL < share + TOTAL);
    assert_true((held[c] + 1) * TOTAL > share);
  }
}

static void any_count_is_met_exactly_and_stratified(void **state)
{
  (void)state;
  uint16_t labels[TOTAL];
  make_labels(labels);
  for (size_t count = 0; count < TOTAL; count++) {
    ls_holdout holdout = hold_out(labels, 1, (ls_amount){.count = count});
    assert_int_equal(holdout.count, count);
    assert_int_equal(ls_holdout_train_count(&holdout), TOTAL - count);
    for (size_t i = 0; i < count; i++) {
      assert_true(holdout.samples[i] < TOTAL);
      if (i > 0) assert_true(holdout.samples[i - 1] < holdout.samples[i]);
    }
    check_proportions(labels, &holdout);
    ls_holdout_fini(&holdout);
  }
}

static void largest_remainder_rounds_by_hand(void **state)
{
  (void)state;
  /* 10 samples: 5 of class 0, 3 of class 1, 2 of class 2; 4 held out: shares 2.0, 1.2, 0.8 -> 2, 1, 1 */
  const uint16_t labels[10] = {0, 0, 0, 0, 0, 1, 1, 1, 2, 2};
  ls_holdout_labels from = {.labels = labels, .count = 10, .classes = 3};
  ls_holdout holdout;
  assert_int_equal(ls_holdout_find(&holdout, &from, 9, (ls_amount){.count = 4}), LS_OK);
  size_t held[3] = {0};
  for (size_t i = 0; i < holdout.count; i++) held[labels[holdout.samples[i]]]++;
  assert_int_equal(held[0], 2);
  assert_int_equal(held[1], 1);
  assert_int_equal(held[2], 1);
  ls_holdout_fini(&holdout);
}

static void numbering_of_the_rest_goes_both_ways(void **state)
{
  (void)state;
  uint16_t labels[TOTAL];
  make_labels(labels);
  ls_holdout holdout = hold_out(labels, 5, (ls_amount){.count = 321});
  size_t next_held = 0;
  size_t next_train = 0;
  for (uint64_t sample = 0; sample < TOTAL; sample++) {
    size_t index;
    bool is_held = next_held < holdout.count && holdout.samples[next_held] == sample;
    assert_int_equal(ls_holdout_has(&holdout, sample, &index), is_held);
    assert_int_equal(index, is_held ? next_held : next_train);
    if (!is_held) assert_int_equal(ls_holdout_train_sample(&holdout, next_train), sample);
    next_held += is_held;
    next_train += !is_held;
  }
  ls_holdout_fini(&holdout);
}

static void the_seed_decides(void **state)
{
  (void)state;
  uint16_t labels[TOTAL];
  make_labels(labels);
  ls_holdout one = hold_out(labels, 1, (ls_amount){.count = 200});
  ls_holdout same = hold_out(labels, 1, (ls_amount){.count = 200});
  ls_holdout other = hold_out(labels, 2, (ls_amount){.count = 200});
  assert_memory_equal(one.samples, same.samples, 200 * sizeof *one.samples);
  assert_memory_not_equal(one.samples, other.samples, 200 * sizeof *one.samples);
  ls_holdout_fini(&one);
  ls_holdout_fini(&same);
  ls_holdout_fini(&other);
}

static void a_fraction_is_rounded_to_the_nearest_count(void **state)
{
  (void)state;
  uint16_t labels[TOTAL];
  make_labels(labels);
  ls_holdout holdout = hold_out(labels, 1, (ls_amount){.is_fraction = true, .fraction = 0.1});
  assert_int_equal(holdout.count, 100);
  ls_holdout_fini(&holdout);
  holdout = hold_out(labels, 1, (ls_amount){.is_fraction = true, .fraction = 0.0996});
  assert_int_equal(holdout.count, 100);
  ls_holdout_fini(&holdout);
}

static void nothing_left_to_train_on_is_refused(void **state)
{
  (void)state;
  uint16_t labels[TOTAL];
  make_labels(labels);
  ls_holdout_labels from = {.labels = labels, .count = TOTAL, .classes = CLASSES};
  ls_holdout holdout;
  assert_int_equal(ls_holdout_find(&holdout, &from, 1, (ls_amount){.count = TOTAL}), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "data.validation"));
  assert_non_null(strstr(ls_error_last()->text, "1003"));
  assert_int_equal(ls_holdout_find(&holdout, &from, 1, (ls_amount){.count = 99999}), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "99999"));
  ls_amount most = {.is_fraction = true, .fraction = 0.9999};
  assert_int_equal(ls_holdout_find(&holdout, &from, 1, most), LS_E_INPUT);
  from.count = 0;
  assert_int_equal(ls_holdout_find(&holdout, &from, 1, (ls_amount){.count = 0}), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "empty"));
}

/* Out of what is not held out, the same number of each class; more of them include fewer. */
static void a_part_of_each_class_is_chosen(void **state)
{
  (void)state;
  uint16_t labels[TOTAL];
  make_labels(labels);
  const ls_holdout_labels from = {.labels = labels, .count = TOTAL, .classes = CLASSES};
  bool before[TOTAL] = {false};
  for (size_t per_class = 1; per_class <= 40; per_class += 13) {
    ls_holdout holdout = hold_out(labels, 3, (ls_amount){.count = 100});
    assert_int_equal(ls_holdout_choose(&holdout, &from, 3, (ls_amount){.count = per_class}), LS_OK);
    const size_t count = ls_holdout_train_count(&holdout);
    assert_int_equal(count, 6 * per_class); /* class 6 has none */
    size_t of_class[CLASSES] = {0}, chosen = 0, index;
    for (size_t i = 0; i < TOTAL; i++) {
      const bool trains = ls_holdout_trains(&holdout, i, &index);
      assert_false(before[i] && !trains);
      before[i] = trains;
      if (!trains) continue;
      assert_int_equal(index, chosen++);
      assert_int_equal(ls_holdout_train_sample(&holdout, index), i);
      of_class[labels[i]]++;
      assert_false(ls_holdout_has(&holdout, i, &index));
    }
    for (size_t c = 0; c < 6; c++) assert_int_equal(of_class[c], per_class);
    ls_holdout_fini(&holdout);
  }
  ls_holdout holdout = hold_out(labels, 3, (ls_amount){.count = 100});
  const ls_amount half = {.is_fraction = true, .fraction = 0.5};
  assert_int_equal(ls_holdout_choose(&holdout, &from, 3, half), LS_OK);
  assert_in_range(ls_holdout_train_count(&holdout), (TOTAL - 100) / 2, (TOTAL - 100) / 2 + CLASSES);
  ls_holdout_fini(&holdout);
  holdout = hold_out(labels, 3, (ls_amount){.count = 100});
  assert_int_equal(ls_holdout_choose(&holdout, &from, 3, (ls_amount){.count = 44}),
                   LS_E_INPUT); /* the smallest has 48, 5 held out */
  assert_non_null(
      strstr(ls_error_last()->text, "data.per_class: 44 samples of each class, but class 0 has 43"));
  ls_holdout_fini(&holdout);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_count_is_met_exactly_and_stratified),
      cmocka_unit_test(largest_remainder_rounds_by_hand),
      cmocka_unit_test(numbering_of_the_rest_goes_both_ways),
      cmocka_unit_test(the_seed_decides),
      cmocka_unit_test(a_fraction_is_rounded_to_the_nearest_count),
      cmocka_unit_test(a_part_of_each_class_is_chosen),
      cmocka_unit_test(nothing_left_to_train_on_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
