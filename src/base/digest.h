/* SPDX-License-Identifier: BSD-3-Clause */
/* 128-bit digests (XXH3) of tensors, files and texts: they detect damage and difference, but not forgery. */
#ifndef LS_BASE_DIGEST_H
#define LS_BASE_DIGEST_H

#include <stddef.h>

#include "base/status.h"

#define LS_DIGEST_CHARS 33 /* 32 hexadecimal digits and the terminator */

/** A digest in the making; opaque. */
typedef struct ls_digest ls_digest;

/** Local. Errors: LS_E_MEMORY. */
ls_status ls_digest_new(ls_digest **out) LS_CHECKED;
void ls_digest_free(ls_digest *digest);

/** Take in `bytes` bytes. The digest depends on the sequence of bytes, not on how it was cut. */
void ls_digest_add(ls_digest *digest, const void *data, size_t bytes);

/** Write the digest of everything taken in so far. */
void ls_digest_text(const ls_digest *digest, char text[LS_DIGEST_CHARS]);

/** The digest of one block. */
void ls_digest_of(const void *data, size_t bytes, char text[LS_DIGEST_CHARS]);

#endif
