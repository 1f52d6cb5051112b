/* SPDX-License-Identifier: BSD-3-Clause */
/* Allocation: the one checked function for all of lockstep's heap memory. */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/size.h"

/* A block of whole units, at least one, aligned to a unit; *bytes is its size. NULL: there is none. */
static void *take(size_t count, size_t size, const char *what, size_t unit, size_t *bytes)
{
  (void)what; /* of fault points alone */
  if (!ls_size_mul(count, size, bytes) || *bytes > SIZE_MAX - unit || LS_FAULT("alloc", what)) return NULL;
  *bytes = (*bytes / unit + 1) * unit;
  return aligned_alloc(unit, *bytes);
}

static ls_status refuse(size_t count, size_t size, const char *what)
{
  return ls_fail(LS_E_MEMORY, "no memory for %s: %zu elements of %zu bytes", what, count, size);
}

ls_status ls_alloc(void *out, size_t count, size_t size, const char *what)
{
  size_t bytes;
  void *block = take(count, size, what, LS_ALIGNMENT, &bytes);
  if (!block) return refuse(count, size, what);
  memset(block, 0, bytes);
  memcpy(out, &block, sizeof block);
  return LS_OK;
}

/* The heap may have used the block's pages before: they are given back, and come anew, as zeros. */
ls_status ls_alloc_untouched(void *out, size_t count, size_t size, const char *what)
{
  size_t bytes;
  void *block = take(count, size, what, (size_t)sysconf(_SC_PAGESIZE), &bytes);
  if (!block) return refuse(count, size, what);
  if (madvise(block, bytes, MADV_DONTNEED) != 0) memset(block, 0, bytes); /* locked into memory */
  memcpy(out, &block, sizeof block);
  return LS_OK;
}

ls_status ls_text_copy(char **out, const char *text)
{
  size_t length = strlen(text) + 1;
  LS_PASS(ls_alloc(out, length, 1, "a text"));
  memcpy(*out, text, length);
  return LS_OK;
}

size_t ls_arena_reserve(ls_arena *arena, size_t count, size_t size)
{
  size_t offset = arena->bytes;
  size_t bytes;
  if (!ls_size_mul(count, size, &bytes) || bytes > SIZE_MAX / 2 || offset > SIZE_MAX / 2) {
    arena->bytes = SIZE_MAX;
    return 0;
  }
  arena->bytes = offset + (bytes + LS_ALIGNMENT - 1) / LS_ALIGNMENT * LS_ALIGNMENT;
  return offset;
}

ls_status ls_arena_allocate(ls_arena *arena, const char *what)
{
  return ls_alloc_untouched(&arena->base, arena->bytes, 1, what);
}

void ls_arena_fini(ls_arena *arena)
{
  free(arena->base);
  *arena = (ls_arena){0};
}
