/* SPDX-License-Identifier: BSD-3-Clause */
/* Core sets by plain bit arithmetic; glibc's CPU_* macros would do the same, but cannot print a list.
 *
 * Bindings nest in practice (core in socket in machine), so there are enough cores for all threads exactly if
 * no set holds more threads of ranks confined to it than cores: that is what crowd_threads is for. */
#include "comm/placement/cores.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

void ls_cores_add(ls_cores *cores, size_t core)
{
  if (core < LS_CORES_LIMIT) cores->words[core / LS_CORES_WORD_BITS] |= 1UL << core % LS_CORES_WORD_BITS;
}

bool ls_cores_has(const ls_cores *cores, size_t core)
{
  return cores->words[core / LS_CORES_WORD_BITS] >> core % LS_CORES_WORD_BITS & 1UL;
}

size_t ls_cores_count(const ls_cores *cores)
{
  size_t count = 0;
  for (size_t i = 0; i < LS_CORES_WORDS; i++) count += (size_t)__builtin_popcountl(cores->words[i]);
  return count;
}

bool ls_cores_overlap(const ls_cores *a, const ls_cores *b)
{
  for (size_t i = 0; i < LS_CORES_WORDS; i++)
    if (a->words[i] & b->words[i]) return true;
  return false;
}

bool ls_cores_within(const ls_cores *inner, const ls_cores *outer)
{
  for (size_t i = 0; i < LS_CORES_WORDS; i++)
    if (inner->words[i] & ~outer->words[i]) return false;
  return true;
}

/* The first core from `core` on that is, or is not, in the set; LS_CORES_LIMIT if there is none. */
static size_t next(const ls_cores *cores, size_t core, bool is_in)
{
  while (core < LS_CORES_LIMIT && ls_cores_has(cores, core) != is_in) core++;
  return core;
}

void ls_cores_list(const ls_cores *cores, char *text, size_t bytes)
{
  size_t length = 0;
  text[0] = '\0';
  for (size_t first = next(cores, 0, true); first < LS_CORES_LIMIT;) {
    const size_t end = next(cores, first, false);
    char range[32];
    snprintf(range, sizeof range, end - first == 1 ? "%s%zu" : "%s%zu-%zu", length ? "," : "", first,
             end - 1);
    const size_t added = strlen(range);
    if (length + added + sizeof ",..." > bytes) {
      snprintf(text + length, bytes - length, "%s...", length ? "," : "");
      return;
    }
    memcpy(text + length, range, added + 1);
    length += added;
    first = next(cores, end, true);
  }
}

/* A number, which *text then is behind. */
static bool read_core(const char **text, size_t *core)
{
  char *end;
  if (**text < '0' || **text > '9') return false;
  *core = strtoul(*text, &end, 10);
  *text = end;
  return *core < LS_CORES_LIMIT;
}

bool ls_cores_parse(const char *text, ls_cores *cores)
{
  *cores = (ls_cores){{0}};
  do {
    size_t first, last;
    if (!read_core(&text, &first)) return false;
    last = first;
    if (*text == '-') {
      text++;
      if (!read_core(&text, &last) || last < first) return false;
    }
    for (size_t core = first; core <= last; core++) ls_cores_add(cores, core);
    text += *text == ',';
  } while (*text != '\0' && *text != '\n');
  return true;
}

static size_t sharing_of(const ls_core_request *requests, size_t count, size_t rank)
{
  size_t sharing = 1;
  for (size_t r = 0; r < count; r++)
    sharing += r != rank && ls_cores_overlap(&requests[r].cores, &requests[rank].cores);
  return sharing;
}

static bool is_under(const ls_core_request *request, const ls_quota *quota)
{
  for (size_t q = 0; q < request->quota_count; q++)
    if (request->quotas[q].device == quota->device && request->quotas[q].inode == quota->inode) return true;
  return false;
}

/* Its part of the cores, at least 1. */
static size_t cores_for(const ls_core_request *requests, size_t count, size_t rank)
{
  return ls_size_max(1, ls_cores_count(&requests[rank].cores) / sharing_of(requests, count, rank));
}

/* Its part of the tightest quota, at least 1: what is left of a whole CPU would be a thread that the others
 * wait for. */
static size_t quota_for(const ls_core_request *requests, size_t count, size_t rank)
{
  size_t least = SIZE_MAX;
  for (size_t q = 0; q < requests[rank].quota_count; q++) {
    const ls_quota *quota = &requests[rank].quotas[q];
    size_t ranks = 0;
    for (size_t r = 0; r < count; r++) ranks += is_under(&requests[r], quota);
    const double part = quota->cpus / (double)ranks;
    if (part < LS_CORES_LIMIT) least = ls_size_min(least, (size_t)part);
  }
  return ls_size_max(1, least);
}

static size_t threads_of(const ls_core_request *requests, size_t count, size_t rank)
{
  if (requests[rank].wanted) return requests[rank].wanted;
  return ls_size_min(cores_for(requests, count, rank), quota_for(requests, count, rank));
}

/* The quota that has the most threads for each of its CPUs. */
static void find_strain(const ls_core_request *requests, size_t count, size_t mine, ls_core_share *share)
{
  for (size_t q = 0; q < requests[mine].quota_count; q++) {
    const ls_quota *quota = &requests[mine].quotas[q];
    size_t threads = 0, ranks = 0;
    for (size_t r = 0; r < count; r++) {
      if (!is_under(&requests[r], quota)) continue;
      threads += threads_of(requests, count, r);
      ranks++;
    }
    if (share->quota > 0.0 && (double)threads * share->quota <= (double)share->quota_threads * quota->cpus)
      continue;
    share->quota = quota->cpus;
    share->quota_threads = threads;
    share->quota_ranks = ranks;
  }
}

ls_core_share ls_core_share_of(const ls_core_request *requests, size_t count, size_t mine)
{
  ls_core_share share = {.threads = threads_of(requests, count, mine),
                         .sharing = sharing_of(requests, count, mine)};
  for (size_t r = 0; r < count; r++)
    if (ls_cores_within(&requests[r].cores, &requests[mine].cores))
      share.crowd_threads += threads_of(requests, count, r);
  share.is_by_quota = !requests[mine].wanted && share.threads < cores_for(requests, count, mine);
  find_strain(requests, count, mine, &share);
  return share;
}
