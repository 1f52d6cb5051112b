/* SPDX-License-Identifier: BSD-3-Clause */
/* The validation split: which training samples are held out. A pure function of (labels, seed, amount), so
 * every rank finds the same one without asking the others. Stratified: each class gives its share.
 *
 * What is left keeps the file's order and is numbered anew: training index 0 .. ls_holdout_train_count()-1.
 * Of that, data.per_class and data.fraction may take a part.
 */
#ifndef LS_DATA_SPLIT_H
#define LS_DATA_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "config/spec.h"

typedef struct ls_holdout {
  uint64_t *samples; /* [count] numbers in the file of what is held out, ascending; owned */
  size_t count;      /* held out */
  size_t total;      /* samples of the file's training split */
  uint64_t *chosen;  /* [chosen_count] the same of what is trained on; NULL: all that is left. Owned */
  size_t chosen_count;
} ls_holdout;

/** The labels that a split is made from. */
typedef struct ls_holdout_labels {
  const uint16_t *labels; /* [count], each below classes */
  size_t count;
  size_t classes;
} ls_holdout_labels;

/** Hold out `amount`: a fraction is rounded to the nearest count.
 *
 * Class c gives amount * n_c / N samples, rounded by largest remainder (on a tie the lower class gains), so
 * that the counts add up to the amount exactly; which ones of the class, the seed decides.
 *
 * Local. Errors: LS_E_INPUT if nothing would be left to train on; LS_E_MEMORY.
 */
ls_status ls_holdout_find(ls_holdout *out, const ls_holdout_labels *from, uint64_t seed,
                          ls_amount amount) LS_CHECKED;
void ls_holdout_fini(ls_holdout *holdout);

/** Train on a part alone of what is not held out: `part.count` samples of each class that there is, or a
 * fraction of each class, at least one sample; a count of 0: on all. The seed decides which ones; a larger
 * part adds to those of a smaller one.
 *
 * Local. Errors: LS_E_INPUT if a class has not so many; LS_E_MEMORY.
 */
ls_status ls_holdout_choose(ls_holdout *holdout, const ls_holdout_labels *from, uint64_t seed,
                            ls_amount part) LS_CHECKED;

/** The seed that decides what is held out in a run of `seed`. */
uint64_t ls_holdout_seed(const ls_spec_data *data, uint64_t seed);

/** Both, as a configuration wants it. `seed` is the run's. Local. Errors: as above. */
ls_status ls_holdout_plan(ls_holdout *out, const ls_holdout_labels *from, uint64_t seed,
                          const ls_spec_data *data) LS_CHECKED;

size_t ls_holdout_train_count(const ls_holdout *holdout);

/** Whether a sample is held out; *index: if so, its index in `samples`; if not, among the others. */
bool ls_holdout_has(const ls_holdout *holdout, uint64_t sample, size_t *index);

/** Whether a sample is trained on; *index: if so, its training index. */
bool ls_holdout_trains(const ls_holdout *holdout, uint64_t sample, size_t *index);

/** The sample with this training index. */
uint64_t ls_holdout_train_sample(const ls_holdout *holdout, size_t index);

#endif
