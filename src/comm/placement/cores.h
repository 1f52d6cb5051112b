/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of logical cores, of fixed size so that they travel as bytes, and the comparison of those of the ranks
 * on one host. */
#ifndef LS_COMM_PLACEMENT_CORES_H
#define LS_COMM_PLACEMENT_CORES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "comm/placement/quota.h"

enum {
  LS_CORES_LIMIT = 8192, /* the most that Linux can be built for on x86-64 */
  LS_CORES_WORD_BITS = CHAR_BIT * sizeof(unsigned long),
  LS_CORES_WORDS = LS_CORES_LIMIT / LS_CORES_WORD_BITS
};

/** A set of cores below LS_CORES_LIMIT, laid out as the kernel's affinity masks are. */
typedef struct ls_cores {
  unsigned long words[LS_CORES_WORDS];
} ls_cores;

/** Add a core; one beyond the limit is left out. */
void ls_cores_add(ls_cores *cores, size_t core);

bool ls_cores_has(const ls_cores *cores, size_t core); /* core < LS_CORES_LIMIT */
size_t ls_cores_count(const ls_cores *cores);
bool ls_cores_overlap(const ls_cores *a, const ls_cores *b);
bool ls_cores_within(const ls_cores *inner, const ls_cores *outer); /* is inner a subset of outer? */

/** Write the set as a list, "0-3,8", into text[bytes]; one that does not fit ends in "...". bytes >= 16. */
void ls_cores_list(const ls_cores *cores, char *text, size_t bytes);

/** Read such a list, up to a line's end. false: it is none, or has cores beyond the limit. */
bool ls_cores_parse(const char *text, ls_cores *cores);

/** A rank's request to the ranks of its host. */
typedef struct ls_core_request {
  ls_cores cores;             /* that it may use */
  size_t wanted;              /* threads that it was asked to use; 0: it may choose */
  ls_quota quotas[LS_QUOTAS]; /* [quota_count] processor time that its control groups allow */
  size_t quota_count;
} ls_core_request;

/** What a rank learns from theirs. */
typedef struct ls_core_share {
  size_t threads;       /* wanted; or else its cores divided among the ranks that overlap, or its part of
                           the tightest quota if that is less; at least 1 */
  size_t sharing;       /* ranks whose cores overlap with its own, itself included */
  size_t crowd_threads; /* threads of the ranks, itself included, that have no cores but its own */
  bool is_by_quota;     /* the quota has decided over `threads` */
  double quota;         /* CPUs: of the quota that the threads of the ranks under it strain most; 0: none */
  size_t quota_threads; /* those threads */
  size_t quota_ranks;   /* those ranks */
} ls_core_share;

/** The share of rank `mine` < count among the ranks of a host. Local. */
ls_core_share ls_core_share_of(const ls_core_request *requests, size_t count, size_t mine);

#endif
