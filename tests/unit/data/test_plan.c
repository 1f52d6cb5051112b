/* SPDX-License-Identifier: BSD-3-Clause */
/* The plan against its definition, carried out position by position. */
#include "base/size.h"
#include "data/plan.h"
#include "cmocka_all.h"

enum { MAX_RANKS = 16 };

/* What has been dealt to a rank so far. */
typedef struct dealt {
  size_t samples, microbatches;
} dealt;

/* Deal one micro-batch as the contract says and compare every question about it. */
static void check_microbatch(const ls_plan *plan, size_t step, size_t owner, size_t first, size_t count,
                             size_t i, dealt *to)
{
  ls_plan_run run = ls_plan_microbatch(plan, owner, step, i);
  assert_int_equal(run.index, to->samples);
  assert_int_equal(run.count, count);
  ls_plan_run again = ls_plan_rank_microbatch(plan, owner, to->microbatches);
  assert_int_equal(again.index, run.index);
  assert_int_equal(again.count, run.count);
  for (size_t k = 0; k < count; k++) {
    ls_plan_location location = ls_plan_locate(plan, first + k);
    assert_int_equal(location.rank, owner);
    assert_int_equal(location.index, to->samples + k);
    assert_int_equal(ls_plan_position(plan, location), first + k);
  }
  to->samples += count;
  to->microbatches++;
}

/* Where micro-batch m of a step begins. */
static size_t begin_of(const ls_plan *plan, size_t count, size_t m)
{
  const size_t size = plan->microbatch, all = ls_size_ceil_div(count, size);
  if (m == all) return count;
  if (!plan->evens_out || m == 0 || m + 1 < all || count % size != 1 || size == 1) return m * size;
  return (m - 1) * size + (size + 2) / 2; /* size + 1 positions for two: the first has the odd one */
}

static void check_step(const ls_plan *plan, size_t step, dealt *dealt_to)
{
  size_t begin = step * plan->batch;
  size_t end = ls_size_min(begin + plan->batch, plan->count);
  size_t microbatches = ls_size_ceil_div(end - begin, plan->microbatch);
  assert_int_equal(ls_plan_step_count(plan, step), end - begin);
  for (size_t rank = 0; rank < plan->ranks; rank++) {
    size_t first = ls_part_first(microbatches, plan->ranks, rank);
    size_t last = ls_part_first(microbatches, plan->ranks, rank + 1);
    assert_int_equal(ls_plan_step_microbatches(plan, rank, step), last - first);
    for (size_t m = first; m < last; m++) {
      const size_t from = begin_of(plan, end - begin, m), to = begin_of(plan, end - begin, m + 1);
      check_microbatch(plan, step, rank, begin + from, to - from, m - first, &dealt_to[rank]);
      if (plan->evens_out && plan->microbatch > 2 && end - begin > 1) assert_true(to - from > 1);
    }
  }
}

static void check_plan(const ls_plan *plan)
{
  dealt dealt_to[MAX_RANKS] = {{0, 0}};
  size_t steps = ls_size_ceil_div(plan->count, plan->batch);
  assert_int_equal(ls_plan_steps(plan), steps);
  for (size_t step = 0; step < steps; step++) check_step(plan, step, dealt_to);
  size_t total = 0;
  for (size_t rank = 0; rank < plan->ranks; rank++) {
    assert_int_equal(ls_plan_rank_count(plan, rank), dealt_to[rank].samples);
    assert_int_equal(ls_plan_rank_microbatches(plan, rank), dealt_to[rank].microbatches);
    total += dealt_to[rank].samples;
  }
  assert_int_equal(total, plan->count);
}

static void plan_follows_its_definition(void **state)
{
  (void)state;
  static const size_t counts[] = {0, 1, 2, 7, 31, 32, 33, 64, 101, 257};
  static const size_t batches[] = {1, 3, 16, 32, 50, 101, 1000};
  static const size_t microbatches[] = {1, 2, 4, 7, 32, 2000};
  static const size_t ranks[] = {1, 2, 3, 4, 5, 8, MAX_RANKS};
  const size_t combinations = 10 * 7 * 6 * 7 * 2;
  for (size_t i = 0; i < combinations; i++)
    check_plan(&(ls_plan){.count = counts[i % 10],
                          .batch = batches[i / 10 % 7],
                          .microbatch = microbatches[i / 70 % 6],
                          .ranks = ranks[i / 420 % 7],
                          .evens_out = i / 2940});
}

static void smallest_is_reported(void **state)
{
  (void)state;
  static const struct {
    ls_plan plan;
    size_t smallest;
  } cases[] = {
      {{.count = 0, .batch = 4, .microbatch = 4}, 0},    {{.count = 100, .batch = 32, .microbatch = 32}, 4},
      {{.count = 97, .batch = 32, .microbatch = 16}, 1}, {{.count = 99, .batch = 33, .microbatch = 16}, 1},
      {{.count = 66, .batch = 33, .microbatch = 32}, 1}, {{.count = 3, .batch = 10, .microbatch = 32}, 3},
      {{.count = 50, .batch = 10, .microbatch = 1}, 1},  {{.count = 53, .batch = 10, .microbatch = 2}, 1}};
  static const size_t evened[] = {0, 4, 1, 8, 16, 3, 1, 1};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ls_plan plan = cases[i].plan;
    plan.ranks = 1;
    assert_int_equal(ls_plan_smallest(&plan), cases[i].smallest);
    plan.evens_out = true;
    assert_int_equal(ls_plan_smallest(&plan), evened[i]);
  }
}

static void work_is_even_to_one_microbatch(void **state)
{
  (void)state;
  ls_plan plan = {.count = 60000, .batch = 256, .microbatch = 32, .ranks = 3};
  for (size_t rank = 0; rank < plan.ranks; rank++) {
    size_t n = ls_plan_step_microbatches(&plan, rank, 0);
    assert_in_range(n, 2, 3); /* 8 micro-batches for 3 ranks */
  }
}

/* A test that would not end if a query took time proportional to the count. */
static void huge_plans_are_answered_at_once(void **state)
{
  (void)state;
  ls_plan plan = {.count = 3000000000017, .batch = 65537, .microbatch = 24, .ranks = 100003};
  for (size_t i = 0; i < 1000; i++) {
    size_t position = i * 2999999999 + (i & 1);
    ls_plan_location location = ls_plan_locate(&plan, position);
    assert_true(location.rank < plan.ranks);
    assert_true(location.index < ls_plan_rank_count(&plan, location.rank));
    assert_int_equal(ls_plan_position(&plan, location), position);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plan_follows_its_definition),
      cmocka_unit_test(smallest_is_reported),
      cmocka_unit_test(work_is_even_to_one_microbatch),
      cmocka_unit_test(huge_plans_are_answered_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
