/* SPDX-License-Identifier: BSD-3-Clause */
/* The counts of a step, which travel with its gradient. */
#ifndef LS_TRAIN_SUMS_TALLY_H
#define LS_TRAIN_SUMS_TALLY_H

/** What is counted beside the vectors. */
typedef enum ls_tally {
  LS_TALLY_LOSS, /* fixed point: see ls_sums_add_loss() and ls_sums_loss() */
  LS_TALLY_CORRECT,
  LS_TALLY_SAMPLES,
  LS_TALLY_OUTSIDE,    /* chunks or losses with a value out of range */
  LS_TALLY_STOP,       /* ranks that ask to stop */
  LS_TALLY_CHECKPOINT, /* ranks that ask for a checkpoint */
  LS_TALLY_COUNT
} ls_tally;

#endif
