/* SPDX-License-Identifier: BSD-3-Clause */
/* The arrays of an HDF5 dataset: their types and shapes, and labels in each of their forms. Private to the
 * reader. */
#ifndef LS_DATA_READERS_H5SET_ARRAYS_H
#define LS_DATA_READERS_H5SET_ARRAYS_H

#include "data/readers/reader.h"
#include "h5/h5.h"

enum { LS_H5SET_SHAPE_CHARS = 128 };

/** "200x28x28", of as many dimensions as fit. */
void ls_h5set_shape(const ls_h5_data *data, char text[LS_H5SET_SHAPE_CHARS]);

/** The required type and shape of an array. */
typedef struct ls_h5set_expectation {
  const char *name;
  size_t bytes;     /* of an unsigned integer, at most */
  const char *type; /* for people */
  size_t rank;
  const char *dims; /* for people */
} ls_h5set_expectation;

/** Open an array of a split, and compare it with what it must be like. The caller closes it, after an error,
 * too. Local. Errors: LS_E_INPUT naming expected and found; LS_E_IO, LS_E_MEMORY. */
ls_status ls_h5set_open_array(ls_h5_data *data, ls_h5_id group, ls_split split,
                              const ls_h5set_expectation *expected) LS_CHECKED;

/** Read a split's labels, once its images have been counted: integers [N] are classes, uint8 [N, K] several
 * labels, floats [N] or [N, K] numbers. Local. Errors: as above. */
ls_status ls_h5set_read_labels(ls_source *source, ls_split split, ls_h5_id group) LS_CHECKED;

#endif
