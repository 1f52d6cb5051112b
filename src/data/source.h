/* SPDX-License-Identifier: BSD-3-Clause */
/* A dataset as it lies on disk: IDX files, CIFAR-10 binary files, or lockstep's HDF5 file, behind one table
 * of readers. Samples are read by range, so that each rank reads only its slice. */
#ifndef LS_DATA_SOURCE_H
#define LS_DATA_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/status.h"

typedef enum ls_split { LS_SPLIT_TRAIN, LS_SPLIT_TEST, LS_SPLIT_COUNT } ls_split;

extern const char *const ls_split_words[]; /* "train", "test", NULL */

enum { LS_CLASS_NAME_BYTES = 32, LS_MAX_CLASSES = 65535 };

typedef struct ls_dataset_info {
  char name[64];                            /* catalogue name, or name of the folder or file */
  const char *format;                       /* "IDX", "CIFAR-10 binary", "HDF5"; static */
  size_t channels, height, width;           /* of an image */
  size_t classes;                           /* labels are below it */
  size_t count[LS_SPLIT_COUNT];             /* samples; 0: no such split */
  char (*class_names)[LS_CLASS_NAME_BYTES]; /* [classes] or NULL: classes are called by their number; owned by
                                               the source */
} ls_dataset_info;

typedef struct ls_source ls_source;

/** Open a dataset.
 *
 * @param[in] where    a name in the catalogue (searched along LOCKSTEP_DATA_PATH, then data/ and
 *                     /usr/share/datasets), a folder of IDX or CIFAR-10 files, or an .h5 dataset
 * @param[in] classes  number of classes, 0: from the dataset (catalogue, attribute, or largest label + 1)
 *
 * Checks headers against file lengths, image counts against label counts, and every label.
 * Local. Errors: LS_E_INPUT naming the file, what is wrong and what to do (for a catalogue name: the places
 * searched and `data/fetch.sh NAME`); LS_E_MEMORY.
 */
ls_status ls_source_open(ls_source **out, const char *where, size_t classes) LS_CHECKED;
void ls_source_close(ls_source *source);

const ls_dataset_info *ls_source_info(const ls_source *source);

/** Read images first .. first+count-1 of a split into images [count, c, h, w] uint8. Local. Errors:
 * LS_E_INPUT, LS_E_IO, LS_E_MEMORY. */
ls_status ls_source_read_images(ls_source *source, ls_split split, size_t first, size_t count,
                                uint8_t *images) LS_CHECKED;

/** The labels of a whole split, [count], each below classes; borrowed, read once at open. */
const uint16_t *ls_source_labels(const ls_source *source, ls_split split);

/** The digest of the labels of a split. */
void ls_source_labels_digest(const ls_source *source, ls_split split, char text[LS_DIGEST_CHARS]);

#endif
