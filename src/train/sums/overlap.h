/* SPDX-License-Identifier: BSD-3-Clause */
/* Reduction beside the backward pass: parts of the gradient are summed and sent while others are made.
 * Private to src/train/sums. */
#ifndef LS_TRAIN_SUMS_OVERLAP_H
#define LS_TRAIN_SUMS_OVERLAP_H

#include "comm/iallreduce.h"
#include "train/sums/workers.h"

typedef struct ls_overlap ls_overlap;

typedef struct ls_overlap_options {
  const ls_workers *workers; /* borrowed */
  ls_iallreduce *transfer;   /* between nodes, by the first rank of each; NULL on the others. Borrowed */
  const ls_comm *comm;       /* where waits are noted; borrowed */
  size_t bucket;             /* elements that are sent together */
  void *shared;              /* [ls_overlap_bytes()] of the node's common segment, zeroed */
} ls_overlap_options;

/** Bytes of the common segment that the overlap takes, for a vector of `count` elements. Local. */
size_t ls_overlap_bytes(size_t count, size_t bucket);

/** Is there enough to hide? Local. */
bool ls_overlap_pays(size_t count, size_t bucket, size_t nodes);

/** Every rank of the node makes one, before any of them begins; the next step is that of the workers. Local.
 * Errors: LS_E_MEMORY. */
ls_status ls_overlap_new(ls_overlap **out, const ls_overlap_options *options) LS_CHECKED;
void ls_overlap_free(ls_overlap *overlap);

/** A step begins: whatever becomes ready from now on may be summed and sent. Local. */
void ls_overlap_begin(ls_overlap *overlap);

/** This rank's thread `part` has all elements from `first` on. Thread 0 of the node's first rank, which calls
 * MPI, also sums and sends what is ready. Local. */
void ls_overlap_ready(ls_overlap *overlap, size_t part, size_t first);

/** Thread `part` has everything and has nothing else to do: it sums buckets that no thread has taken, until
 * all are taken. Local. */
void ls_overlap_finish(ls_overlap *overlap, size_t part);

/** Wait until everything is summed over the nodes; by the node's first rank. Collective. Errors: LS_E_COMM,
 * also of transfers before. */
ls_status ls_overlap_end(ls_overlap *overlap) LS_CHECKED;

/** Buckets of the node with values out of range, once everything is summed. Local. */
uint64_t ls_overlap_outside(const ls_overlap *overlap);

#endif
