/* SPDX-License-Identifier: BSD-3-Clause */
/* Stratified holdout. Only the held-out samples are stored, sorted: a binary search finds the numbers of the
 * rest, so no rank needs a table of all training samples. */
#include "data/split.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/size.h"

/* Of one class. */
typedef struct share {
  size_t count;     /* samples */
  size_t held;      /* of them held out */
  size_t remainder; /* of the division that gave `held` */
  size_t seen;      /* passed so far in the walk over the samples */
  ls_permutation order;
} share;

static ls_status find_count(size_t *count, size_t total, ls_amount amount)
{
  *count = amount.is_fraction ? (size_t)llround(amount.fraction * (double)total) : amount.count;
  if (amount.is_fraction && *count == 0 && total > 0)
    return ls_fail(LS_E_INPUT,
                   "data.validation: %g of %zu training samples is less than one sample; "
                   "try: a larger fraction, or data.validation=0 for none",
                   amount.fraction, total);
  if (*count < total) return LS_OK;
  if (total == 0) return ls_fail(LS_E_INPUT, "no samples to train on: the training split is empty");
  return ls_fail(LS_E_INPUT,
                 "data.validation: %zu samples to hold out of %zu training samples leave none to train on; "
                 "try: data.validation=%zu",
                 *count, total, total / 10);
}

/* Deal the samples that rounding down has left over to the classes with the largest remainders, one each. */
static void deal_rest(share *shares, size_t classes, size_t rest)
{
  for (; rest > 0; rest--) {
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
      if (shares[c].remainder > shares[best].remainder) best = c;
    assert(shares[best].remainder > 0);
    shares[best].remainder = 0;
    shares[best].held++;
  }
}

static ls_status find_shares(share *shares, const ls_holdout_labels *from, uint64_t seed, size_t held)
{
  for (size_t i = 0; i < from->count; i++) shares[from->labels[i]].count++;
  size_t rest = held;
  for (size_t c = 0; c < from->classes; c++) {
    size_t product;
    if (!ls_size_mul(held, shares[c].count, &product))
      return ls_fail(LS_E_INPUT, "%zu training samples are more than a validation split can be made of",
                     from->count);
    shares[c].held = product / from->count;
    shares[c].remainder = product % from->count;
    shares[c].order = ls_permutation_of(seed, LS_RNG_SPLIT, c, 0, shares[c].count);
    rest -= shares[c].held;
  }
  deal_rest(shares, from->classes, rest);
  return LS_OK;
}

/* The j-th sample of a class is held out if the class's permutation puts it among the first `held`. */
static void collect(uint64_t *samples, share *shares, const ls_holdout_labels *from)
{
  size_t count = 0;
  for (size_t i = 0; i < from->count; i++) {
    share *of_class = &shares[from->labels[i]];
    size_t j = of_class->seen++;
    if (of_class->held > 0 && ls_permutation_at(&of_class->order, j) < of_class->held) samples[count++] = i;
  }
}

ls_status ls_holdout_find(ls_holdout *out, const ls_holdout_labels *from, uint64_t seed, ls_amount amount)
{
  ls_holdout holdout = {.total = from->count};
  share *shares = NULL;
  ls_status status;
  LS_GO(find_count(&holdout.count, from->count, amount));
  LS_GO(ls_alloc(&holdout.samples, holdout.count, sizeof *holdout.samples, "the validation split"));
  LS_GO(ls_alloc(&shares, from->classes, sizeof *shares, "the classes' shares of the validation split"));
  LS_GO(find_shares(shares, from, seed, holdout.count));
  if (holdout.count > 0) collect(holdout.samples, shares, from);
  *out = holdout;
done:
  free(shares);
  if (status != LS_OK) free(holdout.samples);
  return status;
}

void ls_holdout_fini(ls_holdout *holdout)
{
  free(holdout->samples);
  free(holdout->chosen);
  *holdout = (ls_holdout){0};
}

size_t ls_holdout_train_count(const ls_holdout *holdout)
{
  return holdout->chosen ? holdout->chosen_count : holdout->total - holdout->count;
}

/* Is a sample in an ascending list? *low: how many of the list are below it. */
static bool find_sample(const uint64_t *samples, size_t count, uint64_t sample, size_t *low)
{
  size_t high = count;
  *low = 0;
  while (*low < high) {
    size_t middle = *low + (high - *low) / 2;
    if (samples[middle] < sample)
      *low = middle + 1;
    else
      high = middle;
  }
  return *low < count && samples[*low] == sample;
}

bool ls_holdout_has(const ls_holdout *holdout, uint64_t sample, size_t *index)
{
  size_t low;
  bool is_held = find_sample(holdout->samples, holdout->count, sample, &low);
  *index = is_held ? low : (size_t)sample - low;
  return is_held;
}

bool ls_holdout_trains(const ls_holdout *holdout, uint64_t sample, size_t *index)
{
  if (holdout->chosen) return find_sample(holdout->chosen, holdout->chosen_count, sample, index);
  return !ls_holdout_has(holdout, sample, index);
}

/* How many of a class's samples are trained on. */
static ls_status find_part(share *of_class, size_t class, ls_amount part)
{
  if (part.is_fraction) {
    of_class->held = ls_size_max(1, (size_t)(part.fraction * (double)of_class->count + 0.5));
    return LS_OK;
  }
  of_class->held = part.count;
  if (of_class->count >= part.count) return LS_OK;
  return ls_fail(LS_E_INPUT, "data.per_class: %zu samples of each class, but class %zu has %zu to train on",
                 part.count, class, of_class->count);
}

/* What is left of each class, in an order that the seed decides. */
static ls_status order_rest(share *shares, const ls_holdout *holdout, const ls_holdout_labels *from,
                            uint64_t seed, ls_amount part)
{
  size_t index;
  for (size_t i = 0; i < from->count; i++)
    if (!ls_holdout_has(holdout, i, &index)) shares[from->labels[i]].count++;
  for (size_t c = 0; c < from->classes; c++) {
    if (shares[c].count == 0) continue;
    LS_PASS(find_part(&shares[c], c, part));
    shares[c].order = ls_permutation_of(seed, LS_RNG_SPLIT, c, 1, shares[c].count);
  }
  return LS_OK;
}

ls_status ls_holdout_choose(ls_holdout *holdout, const ls_holdout_labels *from, uint64_t seed, ls_amount part)
{
  share *shares = NULL;
  size_t index, count = 0;
  ls_status status = LS_OK;
  if (!part.is_fraction && part.count == 0) return LS_OK;
  LS_GO(ls_alloc(&shares, from->classes, sizeof *shares, "the classes' shares of the training samples"));
  LS_GO(order_rest(shares, holdout, from, seed, part));
  for (size_t c = 0; c < from->classes; c++) count += shares[c].held;
  LS_GO(ls_alloc(&holdout->chosen, count, sizeof *holdout->chosen, "the training samples"));
  for (size_t i = 0; i < from->count; i++) {
    share *of_class = &shares[from->labels[i]];
    if (ls_holdout_has(holdout, i, &index)) continue;
    if (ls_permutation_at(&of_class->order, of_class->seen++) < of_class->held)
      holdout->chosen[holdout->chosen_count++] = i;
  }
done:
  free(shares);
  return status;
}

uint64_t ls_holdout_seed(const ls_spec_data *data, uint64_t seed)
{
  return data->split_seed.word < 0 ? data->split_seed.count : seed;
}

ls_status ls_holdout_plan(ls_holdout *out, const ls_holdout_labels *from, uint64_t seed,
                          const ls_spec_data *data)
{
  const ls_amount part = {.is_fraction = data->per_class == 0 && data->fraction < 1,
                          .count = data->per_class,
                          .fraction = data->fraction};
  LS_PASS(ls_holdout_find(out, from, ls_holdout_seed(data, seed), data->validation));
  const ls_status status = ls_holdout_choose(out, from, seed, part);
  if (status != LS_OK) ls_holdout_fini(out);
  return status;
}

uint64_t ls_holdout_train_sample(const ls_holdout *holdout, size_t index)
{
  if (holdout->chosen) return holdout->chosen[index];
  /* samples[k] - k training samples stand before the k-th held-out one: it does not decrease with k. */
  size_t low = 0;
  size_t high = holdout->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (holdout->samples[middle] - middle <= index)
      low = middle + 1;
    else
      high = middle;
  }
  return index + low;
}
