/* SPDX-License-Identifier: BSD-3-Clause */
/* A contact sheet: samples of a dataset as one picture for people to look at. */
#ifndef LS_CLI_DATA_PREVIEW_SHEET_H
#define LS_CLI_DATA_PREVIEW_SHEET_H

#include <stddef.h>

#include "base/status.h"
#include "data/augment/augment.h"
#include "draw/png.h"
#include "data/source.h"

enum { LS_PREVIEW_MAX_ROWS = 100, LS_PREVIEW_MAX_COUNT = 1000 };

/** Draw a row for each class (the first LS_PREVIEW_MAX_ROWS of them) with its name, its number of samples,
 * and its first `count` samples in the file's order, enlarged; or its first sample and, beside it, that
 * sample as it is trained on in the first epochs.
 *
 * Images of three channels are shown in colour, others by their first channel in grey.
 *
 * @param[out] out    released with ls_picture_fini()
 * @param[in]  count  1 .. LS_PREVIEW_MAX_COUNT
 * @param[in]  augment  for micro-batches of one and one thread at least; NULL: the samples as they are
 *
 * Local. Errors: LS_E_INPUT if the split has no samples; those of reading the source; LS_E_MEMORY.
 */
ls_status ls_preview_draw(ls_picture *out, ls_source *source, ls_split split, size_t count,
                          const ls_augment *augment) LS_CHECKED;

#endif
