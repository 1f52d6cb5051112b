/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing lockstep's HDF5 dataset:
 *
 *   /                attributes format = "lockstep-dataset", name, classes, class_names (optional)
 *   /train/images    uint8 [N, C, H, W], chunked by samples, shuffle + deflate + Fletcher-32
 *   /train/labels    uint8 [N] (uint16 from 257 classes on), the class; or uint8 [N, K], 0 or 1 for each of
 *                    several labels; or float32 [N, K], numbers
 *   /test/...        the same
 *
 * The reader is a row of the table of readers (reader.h); source.h opens such a file.
 */
#ifndef LS_DATA_READERS_H5SET_WRITE_H
#define LS_DATA_READERS_H5SET_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "data/source.h"
#include "data/ticker.h"

/** Write all samples of an open dataset to an HDF5 file: to a temporary file, which is renamed when it is
 * complete, so what `path` held before stays intact until then.
 *
 * Local. Errors: LS_E_IO if it cannot be written; those of reading the source; LS_E_MEMORY.
 */
ls_status ls_h5set_write(const char *path, ls_source *source, const ls_ticker *ticker) LS_CHECKED;

typedef enum ls_h5set_type {
  LS_H5SET_UINT8,
  LS_H5SET_UINT16,
  LS_H5SET_UINT64,
  LS_H5SET_FLOAT32
} ls_h5set_type;

/** One more array for the test split, beside images and labels, which readers of datasets ignore. */
typedef struct ls_h5set_extra {
  const char *name;
  ls_h5set_type type;
  bool is_images;   /* [N, C, H, W]; otherwise [N] */
  const void *data; /* borrowed */
} ls_h5set_extra;

/** One more attribute of the file. */
typedef struct ls_h5set_number {
  const char *name;
  double value;
} ls_h5set_number;

typedef struct ls_h5set_extras {
  const ls_h5set_extra *arrays;
  size_t array_count;
  const ls_h5set_number *numbers;
  size_t number_count;
} ls_h5set_extras;

/** The same, with what is extra. */
ls_status ls_h5set_write_extra(const char *path, ls_source *source, const ls_h5set_extras *extras,
                               const ls_ticker *ticker) LS_CHECKED;

#endif
