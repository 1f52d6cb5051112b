/* SPDX-License-Identifier: BSD-3-Clause */
/* Every rank gathers the digests of all ranks and finds those that differ from the majority: all find the
 * same. */
#include "train/replicas.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

typedef char digest_text[LS_DIGEST_CHARS];

static bool same(const digest_text a, const digest_text b)
{
  return strcmp(a, b) == 0;
}

static size_t count_same(const digest_text *all, size_t ranks, size_t rank)
{
  size_t count = 0;
  for (size_t r = 0; r < ranks; r++) count += same(all[r], all[rank]);
  return count;
}

/* A rank of the majority, if there is one (Boyer, Moore: "MJRTY", 1981). */
static size_t candidate(const digest_text *all, size_t ranks)
{
  size_t chosen = 0, votes = 0;
  for (size_t r = 0; r < ranks; r++) {
    if (votes == 0) chosen = r;
    if (same(all[r], all[chosen]))
      votes++;
    else
      votes--;
  }
  return chosen;
}

static ls_status name_odd_ones(const digest_text *all, size_t ranks, size_t good)
{
  ls_text odd = {0};
  for (size_t r = 0; r < ranks; r++)
    if (!same(all[r], all[good])) ls_text_add(&odd, odd.length ? ", %zu" : "%zu", r);
  const ls_status status = ls_fail(
      LS_E_NONFINITE,
      "the weights on rank %s are no longer those of the other %zu ranks: do not trust that host's memory "
      "and processors; the last checkpoint is intact, go on with --resume elsewhere",
      ls_text_get(&odd), count_same(all, ranks, good));
  ls_text_fini(&odd);
  return status;
}

static ls_status compare(const digest_text *all, size_t ranks)
{
  const size_t good = candidate(all, ranks);
  const size_t count = count_same(all, ranks, good);
  if (count == ranks) return LS_OK;
  if (2 * count > ranks) return name_odd_ones(all, ranks, good);
  return ls_fail(LS_E_NONFINITE,
                 "the weights are no longer the same on all %zu ranks, and no majority shows whose are "
                 "right; the last checkpoint is intact, go on with --resume",
                 ranks);
}

ls_status ls_check_replicas(ls_comm *comm, const char digest[LS_DIGEST_CHARS])
{
  const size_t ranks = (size_t)ls_comm_size(comm);
  digest_text *all = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_alloc(&all, ranks, sizeof *all, "the ranks' digests")));
  LS_GO(ls_comm_gather(comm, digest, LS_DIGEST_CHARS, all));
  LS_GO(ls_comm_broadcast(comm, all, ranks * sizeof *all));
  status = compare((const digest_text *)all, ranks);
done:
  free(all);
  return status;
}
