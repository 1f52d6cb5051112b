/* SPDX-License-Identifier: BSD-3-Clause */
/* Which mean and deviation the pixels of a dataset are normalized by. */
#ifndef LS_DATA_NORMALIZE_H
#define LS_DATA_NORMALIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/loader.h"
#include "kernels/normalize.h"

enum { LS_SUM_ONE, LS_SUM_PIXEL, LS_SUM_SQUARE, LS_SUM_COUNT };

/** Sums over the pixels of a channel: of 1, of the pixels and of their squares. Zero-initialize it. */
typedef struct ls_pixel_sums {
  uint64_t items[LS_SUM_COUNT]; /* integers: sums of parts add up to the same sums */
} ls_pixel_sums;

/** Add a plane of pixels. Local. Cannot fail. */
void ls_pixel_sums_add(ls_pixel_sums *sums, const uint8_t *plane, size_t pixels);

/** Mean and population deviation (ddof 0, as NumPy and PyTorch's MNIST example), in pixel units, rounded once
 * from exact integers: 0 is the deviation of constant pixels alone. There are pixels. Local. Cannot fail. */
double ls_pixel_sums_mean(const ls_pixel_sums *sums);
double ls_pixel_sums_deviation(const ls_pixel_sums *sums);

/** Are there as many given values as channels, or one for all of them? Local. Errors: LS_E_CONFIG;
 * LS_E_INPUT for more channels than are supported. */
ls_status ls_normalization_check(const ls_spec_data *data, size_t channels) LS_CHECKED;

/** Does the configured normalization depend on the training samples? Local. */
bool ls_normalization_needs_samples(const ls_spec_data *data);

/** Find the normalization that is configured; `standard` takes the exact integer sums over the training
 * samples of all ranks (validation excluded), so it is the same for any number of ranks; the others need no
 * loader, which may be NULL. Collective; Local where no samples are needed, and comm may be NULL, too.
 * Errors: those of ls_normalization_check(); LS_E_COMM. */
ls_status ls_normalization_find(ls_normalization *out, ls_comm *comm, const ls_loader *loader,
                                const ls_spec_data *data, size_t channels) LS_CHECKED;

#endif
