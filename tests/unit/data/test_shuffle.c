/* SPDX-License-Identifier: BSD-3-Clause */
/* Layouts and routes of all ranks, carried out in one process: an exchange is a copy along the lists. */
#include <stdlib.h>
#include <string.h>

#include "data/shuffle.h"
#include "cmocka_all.h"

enum { TOTAL = 211, HELD = 30, CLASSES = 10, IMAGE_BYTES = 3, MAX_RANKS = 12 };

/* Everything that all ranks hold. */
typedef struct world {
  ls_shard shards[MAX_RANKS];
} world;

static ls_holdout make_holdout(void)
{
  uint16_t labels[TOTAL];
  for (size_t i = 0; i < TOTAL; i++) labels[i] = (uint16_t)(i % CLASSES);
  ls_holdout_labels from = {.labels = labels, .count = TOTAL, .classes = CLASSES};
  ls_holdout holdout;
  assert_int_equal(ls_holdout_find(&holdout, &from, 3, (ls_amount){.count = HELD}), LS_OK);
  return holdout;
}

static void paint(uint8_t *image, uint64_t sample)
{
  image[0] = (uint8_t)sample;
  image[1] = (uint8_t)(sample >> 8);
  image[2] = (uint8_t)(sample * 7);
}

static world make_file_world(const ls_layout *file)
{
  world all = {0};
  for (size_t r = 0; r < file->plan.ranks; r++) {
    ls_shard *shard = &all.shards[r];
    assert_int_equal(ls_shard_init(shard, ls_plan_rank_count(&file->plan, r), IMAGE_BYTES, 0), LS_OK);
    for (size_t i = 0; i < shard->count; i++) {
      shard->samples[i] = file->at(file, ls_plan_position(&file->plan, (ls_plan_location){r, i}));
      paint(shard->images + i * IMAGE_BYTES, shard->samples[i]);
    }
  }
  return all;
}

static void free_world(world *all)
{
  for (size_t r = 0; r < MAX_RANKS; r++) ls_shard_fini(&all->shards[r]);
}

static size_t sum_below(const size_t *counts, size_t end)
{
  size_t sum = 0;
  for (size_t i = 0; i < end; i++) sum += counts[i];
  return sum;
}

static void carry(const ls_route *routes, const world *now, world *next, size_t from, size_t to)
{
  const ls_route *sender = &routes[from];
  const ls_route *receiver = &routes[to];
  assert_int_equal(sender->send_counts[to], receiver->receive_counts[from]);
  if (from == to) assert_int_equal(sender->send_counts[to], 0);
  const int *source = sender->send_index + sum_below(sender->send_counts, to);
  const int *target = receiver->receive_index + sum_below(receiver->receive_counts, from);
  for (size_t k = 0; k < sender->send_counts[to]; k++)
    memcpy(next->shards[to].images + target[k] * IMAGE_BYTES,
           now->shards[from].images + source[k] * IMAGE_BYTES, IMAGE_BYTES);
}

static world move_world(const ls_layout *from, const world *now, const ls_layout *to)
{
  world next = {0};
  ls_route routes[MAX_RANKS] = {{0}};
  size_t ranks = from->plan.ranks;
  for (size_t r = 0; r < ranks; r++) {
    ls_shard *shard = &next.shards[r];
    assert_int_equal(ls_shard_init(shard, ls_plan_rank_count(&to->plan, r), IMAGE_BYTES, 0), LS_OK);
    ls_move move = {.from = from, .to = to, .now = &now->shards[r], .next = shard};
    assert_int_equal(ls_route_find(&routes[r], &move, r, 1 + r % 3), LS_OK);
  }
  for (size_t pair = 0; pair < ranks * ranks; pair++) carry(routes, now, &next, pair / ranks, pair % ranks);
  for (size_t r = 0; r < ranks; r++) ls_route_fini(&routes[r]);
  return next;
}

/* Every sample of the layout lies where the layout says, with its own image. */
static void check_world(const ls_layout *layout, const world *all)
{
  for (size_t position = 0; position < layout->plan.count; position++) {
    ls_plan_location location = ls_plan_locate(&layout->plan, position);
    uint64_t sample = layout->at(layout, position);
    uint8_t image[IMAGE_BYTES];
    paint(image, sample);
    const ls_shard *shard = &all->shards[location.rank];
    assert_int_equal(shard->samples[location.index], sample);
    assert_memory_equal(shard->images + location.index * IMAGE_BYTES, image, IMAGE_BYTES);
  }
}

static void check_layout(const ls_layout *layout)
{
  char seen[TOTAL] = {0};
  for (size_t position = 0; position < layout->plan.count; position++) {
    uint64_t sample = layout->at(layout, position);
    size_t back;
    assert_true(sample < TOTAL);
    assert_int_equal(seen[sample]++, 0);
    assert_true(layout->find(layout, sample, &back));
    assert_int_equal(back, position);
  }
  for (size_t sample = 0; sample < TOTAL; sample++) {
    size_t position;
    if (!seen[sample]) assert_false(layout->find(layout, sample, &position));
  }
}

static ls_plan train_plan(size_t batch, size_t microbatch, size_t ranks)
{
  return (ls_plan){.count = TOTAL - HELD, .batch = batch, .microbatch = microbatch, .ranks = ranks};
}

static void layouts_are_bijections(void **state)
{
  (void)state;
  ls_holdout holdout = make_holdout();
  for (size_t ranks = 1; ranks <= MAX_RANKS; ranks++) {
    ls_layout file = ls_layout_file(TOTAL, ranks);
    ls_layout validation = ls_layout_validation(&holdout, 4, ranks);
    check_layout(&file);
    check_layout(&validation);
    for (size_t epoch = 0; epoch < 3; epoch++) {
      ls_layout global = ls_layout_global(&holdout, train_plan(17, 5, ranks), 1, epoch);
      ls_layout shard = ls_layout_shard(&holdout, train_plan(17, 5, ranks), 1, epoch);
      check_layout(&global);
      check_layout(&shard);
    }
  }
  ls_holdout_fini(&holdout);
}

typedef ls_layout (*make_layout)(const ls_holdout *, ls_plan, uint64_t, size_t);

static void check_epochs(const ls_holdout *holdout, make_layout make, ls_plan plan)
{
  ls_layout from = ls_layout_file(TOTAL, plan.ranks);
  world now = make_file_world(&from);
  ls_layout validation = ls_layout_validation(holdout, plan.microbatch, plan.ranks);
  world held = move_world(&from, &now, &validation);
  check_world(&validation, &held);
  free_world(&held);
  for (size_t epoch = 2; epoch < 5; epoch++) {
    ls_layout to = make(holdout, plan, 1, epoch);
    world next = move_world(&from, &now, &to);
    check_world(&to, &next);
    free_world(&now);
    now = next;
    from = to;
  }
  free_world(&now);
}

static void routes_bring_every_image_to_its_location(void **state)
{
  (void)state;
  ls_holdout holdout = make_holdout();
  for (size_t ranks = 1; ranks <= MAX_RANKS; ranks++) {
    check_epochs(&holdout, ls_layout_global, train_plan(17, 5, ranks));
    check_epochs(&holdout, ls_layout_global, train_plan(500, 100, ranks));
    check_epochs(&holdout, ls_layout_shard, train_plan(64, 7, ranks));
  }
  ls_holdout_fini(&holdout);
}

static void shard_shuffle_moves_nothing_between_ranks(void **state)
{
  (void)state;
  enum { RANKS = 5 };
  ls_holdout holdout = make_holdout();
  ls_layout first = ls_layout_shard(&holdout, train_plan(17, 5, RANKS), 1, 0);
  ls_layout later = ls_layout_shard(&holdout, train_plan(17, 5, RANKS), 1, 6);
  size_t moved = 0;
  for (size_t position = 0; position < first.plan.count; position++) {
    size_t then;
    assert_true(later.find(&later, first.at(&first, position), &then));
    assert_int_equal(ls_plan_locate(&first.plan, position).rank, ls_plan_locate(&later.plan, then).rank);
    moved += then != position;
  }
  assert_true(moved > first.plan.count / 2);
  ls_holdout_fini(&holdout);
}

static void order_depends_on_seed_and_epoch_not_on_ranks(void **state)
{
  (void)state;
  ls_holdout holdout = make_holdout();
  ls_layout one = ls_layout_global(&holdout, train_plan(17, 5, 1), 1, 0);
  ls_layout many = ls_layout_global(&holdout, train_plan(17, 5, 7), 1, 0);
  ls_layout next = ls_layout_global(&holdout, train_plan(17, 5, 1), 1, 1);
  ls_layout seed = ls_layout_global(&holdout, train_plan(17, 5, 1), 2, 0);
  size_t like_next = 0;
  size_t like_seed = 0;
  size_t like_file = 0;
  for (size_t position = 0; position < one.plan.count; position++) {
    uint64_t sample = one.at(&one, position);
    assert_int_equal(sample, many.at(&many, position));
    like_next += sample == next.at(&next, position);
    like_seed += sample == seed.at(&seed, position);
    like_file += sample == ls_holdout_train_sample(&holdout, position);
  }
  /* a random permutation has 1 fixed point on average, and 10 or more with a chance of 1 in 10 million */
  assert_true(like_next < 10);
  assert_true(like_seed < 10);
  assert_true(like_file < 10);
  ls_holdout_fini(&holdout);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layouts_are_bijections),
      cmocka_unit_test(routes_bring_every_image_to_its_location),
      cmocka_unit_test(shard_shuffle_moves_nothing_between_ranks),
      cmocka_unit_test(order_depends_on_seed_and_epoch_not_on_ranks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
