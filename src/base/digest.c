/* SPDX-License-Identifier: BSD-3-Clause */
/* Digests by xxHash's XXH3, which is as fast as reading the memory. */
#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/memory.h"

struct ls_digest {
  XXH3_state_t *state;
};

ls_status ls_digest_new(ls_digest **out)
{
  ls_digest *digest;
  LS_PASS(ls_alloc(&digest, 1, sizeof *digest, "a digest"));
  digest->state = XXH3_createState();
  if (!digest->state || XXH3_128bits_reset(digest->state) == XXH_ERROR) {
    ls_digest_free(digest);
    return ls_fail(LS_E_MEMORY, "no memory for a digest");
  }
  *out = digest;
  return LS_OK;
}

void ls_digest_free(ls_digest *digest)
{
  if (!digest) return;
  XXH3_freeState(digest->state);
  free(digest);
}

void ls_digest_add(ls_digest *digest, const void *data, size_t bytes)
{
  if (bytes > 0) (void)XXH3_128bits_update(digest->state, data, bytes);
}

static void write_text(XXH128_hash_t hash, char text[LS_DIGEST_CHARS])
{
  snprintf(text, LS_DIGEST_CHARS, "%016" PRIx64 "%016" PRIx64, hash.high64, hash.low64);
}

void ls_digest_text(const ls_digest *digest, char text[LS_DIGEST_CHARS])
{
  write_text(XXH3_128bits_digest(digest->state), text);
}

void ls_digest_of(const void *data, size_t bytes, char text[LS_DIGEST_CHARS])
{
  write_text(XXH3_128bits(data, bytes), text);
}
