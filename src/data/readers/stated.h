/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration states of its images and classes itself, beside what the files of a dataset say: the
 * shape of the images (data.shape) and the names of the classes (data.class_names). */
#ifndef LS_DATA_READERS_STATED_H
#define LS_DATA_READERS_STATED_H

#include "base/status.h"
#include "comm/comm.h"
#include "config/spec.h"
#include "data/source.h"

/** The stated names of `classes` classes, from their file, which rank 0 reads.
 *
 * @param[out] names  one a line, without an end of line behind the last; freed with free(); NULL: none are
 *                    stated
 *
 * Collective; with comm NULL, on this process alone. Errors: LS_E_INPUT if there are more or fewer lines than
 * classes, or an empty one; LS_E_ACCESS, LS_E_IO, LS_E_MEMORY, LS_E_COMM. */
ls_status ls_stated_names(char **names, ls_comm *comm, const ls_spec_data *data, size_t classes) LS_CHECKED;

/** The names of a dataset's classes, one a line; freed with free(); NULL: they have none. Local. Errors:
 * LS_E_MEMORY. */
ls_status ls_class_names_join(const ls_dataset_info *dataset, char **names) LS_CHECKED;

/** Give the classes of a dataset other names: one a line, as many as there are classes, at most
 * LS_CLASS_NAME_BYTES - 1 bytes each. Local. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_source_rename_classes(ls_source *source, const char *names) LS_CHECKED;

/** Check that the images of a dataset are of the stated shape, and have as many channels as the normalization
 * values, and give its classes their stated names. Collective. Errors: LS_E_CONFIG; as the two above. */
ls_status ls_stated_apply(ls_source *source, ls_comm *comm, const ls_spec_data *data) LS_CHECKED;

#endif
