/* SPDX-License-Identifier: BSD-3-Clause */
/* A dataset in memory, so that the functions that write or show datasets serve it too. */
#ifndef LS_DATA_READERS_MEMORY_H
#define LS_DATA_READERS_MEMORY_H

#include "data/source.h"

/** Make a test split of images [count, c, h, w] and labels [count] a dataset.
 *
 * @param[in] like    name, shape, classes and class names are taken from it; copied
 * @param[in] images  borrowed until the source is closed
 * @param[in] labels  each below classes; copied
 *
 * Local. Errors: LS_E_MEMORY.
 */
ls_status ls_memory_source(ls_source **out, const ls_dataset_info *like, const uint8_t *images,
                           const uint16_t *labels, size_t count) LS_CHECKED;

/** Make up a training split of `count` images for measurements of speed: the same pixels on every rank, the
 * classes in turn. `like` as above; its image fits size_t. Local. Errors: LS_E_MEMORY. */
ls_status ls_memory_made_up(ls_source **out, const ls_dataset_info *like, size_t count) LS_CHECKED;

#endif
