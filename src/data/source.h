/* SPDX-License-Identifier: BSD-3-Clause */
/* A dataset as it lies on disk, behind one table of readers (readers/reader.h). Samples are read by range, so
 * that each rank reads only its slice. */
#ifndef LS_DATA_SOURCE_H
#define LS_DATA_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/status.h"
#include "base/text.h"
#include "config/spec.h"
#include "data/dataset.h"
#include "data/readers/resize.h"

typedef struct ls_source ls_source;

/** Open a dataset.
 *
 * @param[in] where    a name in the catalogue (searched along LOCKSTEP_DATA_PATH, then data/ and
 *                     /usr/share/datasets), a folder of IDX or CIFAR-10 files, an .h5 dataset, or, of several
 *                     datasets in a folder, FOLDER/BEGINNING of the names of its files
 *
 * What IDX files say of themselves by the names of a catalogue's dataset ("emnist-letters-...") holds
 * wherever they lie; what `reading` says holds before that. Checks headers against file lengths, image counts
 * against label counts, and every label. Local. Errors: LS_E_INPUT naming the file, what is wrong and what to
 * do (for a catalogue name: the paths searched and `data/fetch.sh NAME`), also where labels can be read in
 * two ways; LS_E_ACCESS if a file may not be read; LS_E_IO, LS_E_MEMORY.
 */
ls_status ls_source_open_as(ls_source **out, const char *where, const ls_reading *reading) LS_CHECKED;

/** The same, with no more known than the number of classes; 0: from the dataset. */
ls_status ls_source_open(ls_source **out, const char *where, size_t classes) LS_CHECKED;
void ls_source_close(ls_source *source);

/** The two halves of ls_source_open_as(), for ranks that open a dataset together (data/collective.h). Between
 * them labels may be lacking on ranks without `checks_files`, which do not go through gzip images. The second
 * one numbers the classes from 0 and checks them. Local. Errors: as there. */
ls_status ls_source_find(ls_source **out, const char *where, const ls_reading *reading,
                         bool checks_files) LS_CHECKED;
ls_status ls_source_resolve(ls_source *source, const ls_reading *reading) LS_CHECKED;

const ls_dataset_info *ls_source_info(const ls_source *source);

/** What the owner of the files should know of them, a line each. Borrowed. */
const ls_text *ls_source_notes(const ls_source *source);

/** Append the classes without a sample in a split: "3, 5 and 7"; nothing where each has some. Local. Errors:
 * LS_E_MEMORY. */
ls_status ls_source_empty_classes(const ls_source *source, ls_split split, ls_text *text) LS_CHECKED;

/** Read images first .. first+count-1 of a split into images [count, c, h, w] uint8. Local. Errors:
 * LS_E_INPUT, LS_E_IO, LS_E_MEMORY. */
ls_status ls_source_read_images(ls_source *source, ls_split split, size_t first, size_t count,
                                uint8_t *images) LS_CHECKED;

/** The labels of a whole split, [count], each below classes; borrowed, read once at open. Where they are not
 * classes, all are 0. */
const uint16_t *ls_source_labels(const ls_source *source, ls_split split);

/** Labels that are not classes, of a whole split: [count, classes], finite, or 0 and 1; NULL if they are.
 * Borrowed. */
const float *ls_source_values(const ls_source *source, ls_split split);

/** Copies of both, freed with free(), also after an error. Local. Errors: LS_E_MEMORY. */
ls_status ls_source_copy_labels(const ls_source *source, ls_split split, uint16_t **labels,
                                float **values) LS_CHECKED;

/** Is a sample of a class, or has it that label? Of a number: is it above 0? */
bool ls_source_has_label(const ls_source *source, ls_split split, size_t sample, size_t class);

/** Refuse labels that are not of the form that is needed; numbers that are all 0 or 1 may stand for several
 * labels. Local. Errors: LS_E_INPUT naming found, needed, remedy. */
ls_status ls_source_check_labels(const ls_source *source, ls_label_form needed) LS_CHECKED;

/** Are labels that are values of a size that losses can be summed for? Local. Errors: LS_E_INPUT. */
ls_status ls_source_check_scale(const ls_source *source) LS_CHECKED;

/** The digest of the labels of a split. */
void ls_source_labels_digest(const ls_source *source, ls_split split, char text[LS_DIGEST_CHARS]);

/** Bytes of an image: channels * height * width, which every reader has checked to fit. Local. */
size_t ls_source_image_bytes(const ls_source *source);

/** The source of the images that this one's are made of (data.resize, data.channels), and what makes them;
 * itself and NULL where they are the files' own. Borrowed. The samples are the same, but the original has no
 * labels. */
ls_source *ls_source_original(ls_source *source);
const ls_resizer *ls_source_resizer(const ls_source *source);

#endif
