/* SPDX-License-Identifier: BSD-3-Clause */
/* Forward passes of trained networks, one or several that vote softly (the mean of their probabilities
 * decides): over a micro-batch, and over all those of a split. All code that works sample by sample is a
 * visitor of ls_for_each_microbatch(). */
#ifndef LS_EVAL_FORWARD_H
#define LS_EVAL_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/loader.h"
#include "data/ticker.h"
#include "eval/tta.h"
#include "nn/network.h"

/** One network and the workspaces of its threads. */
typedef struct ls_member {
  const ls_network *network; /* borrowed */
  ls_workspace **workspaces; /* [threads] */
  const ls_tta *tta;         /* its views of each image; NULL: the image alone. Borrowed */
} ls_member;

/** Networks that are evaluated together: members of an ensemble, or a single one. Several want
 * ls_members_init(), for memory to vote in; a single one may be put together by hand. */
typedef struct ls_members {
  ls_member *items; /* [count] */
  size_t count, threads;
  size_t microbatch;             /* samples at most */
  struct ls_vote_scratch *votes; /* [threads]; NULL: a single network. Owned */
} ls_members;

/** Workspaces for these networks, [count], all of as many classes, and memory to vote in. Freed with
 * ls_members_fini(), also after an error. Local. Errors: LS_E_MEMORY. */
ls_status ls_members_init(ls_members *members, const ls_network *const *networks, size_t count,
                          size_t threads, size_t microbatch) LS_CHECKED;
void ls_members_fini(ls_members *members);

size_t ls_members_classes(const ls_members *members);

/* ---- one micro-batch, by thread `part`; local, cannot fail ---- */

/** Images [n, c, h, w], normalized, to where a member's thread reads them. */
void ls_member_show(const ls_member *member, size_t part, const uint8_t *images, size_t n);

/** Logits [n, classes] of the members on the images that they were shown last; of several, logarithms of
 * their mean probabilities, which are logits of these: softmax(log p) = p. Borrowed until the thread's next.
 */
const float *ls_members_forward(const ls_members *members, size_t part, const ls_microbatch *microbatch);

/** The same on the micro-batch's own images, in all views that there are. */
const float *ls_members_logits(const ls_members *members, size_t part, const ls_microbatch *microbatch);

/** Probabilities [n, classes] of one of several members, as they were in the thread's last of the two.
 * Borrowed. */
const float *ls_members_probabilities(const ls_members *members, size_t part, size_t member);

/* ---- all micro-batches of a split ---- */

/** A micro-batch of this rank, and the members' logits on it. */
typedef struct ls_visit {
  size_t part;  /* the thread, below the members' threads */
  size_t i;     /* which of this rank's micro-batches */
  size_t first; /* samples of this rank before it */
  ls_microbatch microbatch;
  const float *logits; /* [n, classes]; borrowed for the call, as ls_members_logits() */
} ls_visit;

typedef struct ls_visitor {
  void *user;
  void (*visit)(void *user, const ls_visit *visit);
  bool (*wants)(const void *user, size_t i); /* is micro-batch i to be visited? NULL: every one */
  const ls_ticker *ticker; /* called for each micro-batch of this rank's first thread; NULL: none */
} ls_visitor;

/** Visit each micro-batch of the split that is this rank's once, on one of the threads. Local. */
void ls_for_each_microbatch(const ls_members *members, const ls_loader *loader, ls_eval_split split,
                            const ls_visitor *visitor);

/** Samples of the largest micro-batch of this rank, at least 1. */
size_t ls_rank_microbatch(const ls_loader *loader, ls_eval_split split);

#endif
