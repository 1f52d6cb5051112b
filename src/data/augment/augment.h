/* SPDX-License-Identifier: BSD-3-Clause */
/* Augmentation: another version of each training image in each epoch, a pure function of (seed, epoch,
 * sample).
 *
 * Works on raw bytes, before normalization, in three steps that kinds take part in (kind.h): the whole image
 * is moved and mirrored by shifting where it is read; pixels are displaced by one bilinear resampling for all
 * that displace them; the result is changed. What lies outside of an image is 0. */
#ifndef LS_DATA_AUGMENT_AUGMENT_H
#define LS_DATA_AUGMENT_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "config/spec.h"
#include "data/loader.h"

typedef struct ls_augment ls_augment; /* opaque */

typedef struct ls_augment_options {
  const ls_spec_augment *spec; /* mixup is not read; borrowed for the life of the plan */
  size_t channels, height, width;
  size_t microbatch, threads;
  uint64_t seed; /* of the run */
} ls_augment_options;

/** The kinds' keys, for the configuration; NULL-terminated. */
extern const ls_schema *const ls_augment_schemas[];

/** Append a line for each option that has no effect, or not the one that it names, with images of this size:
 * "key: value: why". Local. */
void ls_augment_note(const ls_spec_augment *spec, size_t height, size_t width, ls_text *lines);

/** Plan, with buffers for what each thread makes. *out stays NULL if the configuration asks for nothing.
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_augment_new(ls_augment **out, const ls_augment_options *options) LS_CHECKED;

/** NULL is fine. */
void ls_augment_free(ls_augment *augment);

/** The same micro-batch with this epoch's versions of its images, which are valid until thread `part` asks
 * again. A NULL `augment` gives it back as it is. No allocation; threads may call it at the same time. Local.
 */
ls_microbatch ls_augment_apply(const ls_augment *augment, size_t part, const ls_microbatch *microbatch,
                               uint64_t epoch);

#endif
