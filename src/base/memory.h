/* SPDX-License-Identifier: BSD-3-Clause */
/* Aligned, zeroed, overflow-checked allocation, and an arena whose blocks are planned before it is
 * allocated: reserve() every block, allocate once, then turn offsets into pointers. */
#ifndef LS_BASE_MEMORY_H
#define LS_BASE_MEMORY_H

#include <stddef.h>

#include "base/size.h"
#include "base/status.h"

#define LS_ALIGNMENT ((size_t)64) /* bytes: a cache line, and the widest vector register */

/** Floats that take a whole number of aligned lines, at least so many. */
static inline size_t ls_floats_aligned(size_t floats)
{
  return ls_size_round_up(floats, LS_ALIGNMENT / sizeof(float));
}

/** Allocate `count` zeroed elements of `size` bytes, 64-byte aligned; freed with free().
 *
 * *out is never NULL on success, also for count 0.   `what` names the block in the error.
 * Local. Errors: LS_E_MEMORY.
 */
ls_status ls_alloc(void *out, size_t count, size_t size, const char *what) LS_CHECKED;

/** The same, without a page of memory behind it yet: a page comes into being where the thread runs that first
 * writes to it, near its processor. For large blocks that threads of a team use, each its own part: whoever
 * allocates one leaves it untouched. Aligned to pages; freed with free(). Local. Errors: LS_E_MEMORY.
 */
ls_status ls_alloc_untouched(void *out, size_t count, size_t size, const char *what) LS_CHECKED;

/** A copy of `text`, freed with free(). Local. Errors: LS_E_MEMORY. */
ls_status ls_text_copy(char **out, const char *text) LS_CHECKED;

typedef struct ls_arena {
  unsigned char *base; /* 64-byte aligned; NULL until allocated */
  size_t bytes;        /* sum of the reserved blocks, each rounded up to LS_ALIGNMENT */
} ls_arena;

/** Reserve `count` elements of `size` bytes and return their offset in bytes, a multiple of 64.
 *
 * Call before ls_arena_allocate(). An overflow is remembered and reported there.
 */
size_t ls_arena_reserve(ls_arena *arena, size_t count, size_t size);

/** Allocate the reserved bytes, as ls_alloc_untouched(). `what` names the arena in the error. Local.
 * Errors: LS_E_MEMORY. */
ls_status ls_arena_allocate(ls_arena *arena, const char *what) LS_CHECKED;

/** The block at `offset`, borrowed from the arena. */
static inline void *ls_arena_at(const ls_arena *arena, size_t offset)
{
  return arena->base + offset;
}

/** Release the memory; the arena is empty afterwards. */
void ls_arena_fini(ls_arena *arena);

#endif
