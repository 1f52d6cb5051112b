/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes as a programme of edits to an HDF5 file: links, groups, attributes, datasets, raw chunks, with
 * whatever shapes, types and filters. libhdf5 itself makes each edit, so the file is a sound one that says
 * hostile things, and what is tested is our code: the library (1.10.8) is known to read beyond its buffers on
 * files whose own structure was forged, which nothing above it can prevent.
 *
 * An edit is a byte that names it, then its operands, a byte each unless said otherwise. A path is the
 * number of a path in the list below, an attribute likewise; any larger number stands for a text that
 * follows, its length before it. The lists are also the vocabulary of seeds.c. */
#ifndef LS_TESTS_FUZZ_H5_EDIT_H
#define LS_TESTS_FUZZ_H5_EDIT_H

#include <hdf5.h>

#include "fuzz/fuzz.h"

#define FUZZ_EDIT_LIST(X)                                                                                    \
  X(UNLINK)     /* path */                                                                                   \
  X(FORGET)     /* path, attribute: remove it */                                                             \
  X(ATTRIBUTE)  /* path, attribute, type, space, values (a part) */                                          \
  X(DATASET)    /* path, type, space, storage, values (a part) */                                            \
  X(CHUNK)      /* path, mask, coordinate of its corner, bytes as they are stored (a part) */                \
  X(BOMB)       /* path, times that a MiB of zeros is deflated, and stored as a chunk */                     \
  X(GROUP)      /* path, depth: groups in groups */                                                          \
  X(HARD_LINK)  /* path it leads to, path */                                                                 \
  X(SOFT_LINK)  /* path it leads to, path */                                                                 \
  X(OUTER_LINK) /* path: to another file */                                                                  \
  X(NAMED_TYPE) /* path, type */

#define FUZZ_PATH_LIST(X)                                                                                    \
  X(ROOT, "/")                                                                                               \
  X(EXTRA, "/extra")                                                                                         \
  X(EXTRA_IN, "/extra/in")                                                                                   \
  X(DATA, "/data")                                                                                           \
  X(PROGRESS, "/progress")                                                                                   \
  X(MODEL, "/model")                                                                                         \
  X(MODEL_CONV, "/model/conv1")                                                                              \
  X(MODEL_WEIGHT, "/model/conv1/weight")                                                                     \
  X(MODEL_BIAS, "/model/fc/bias")                                                                            \
  X(MODEL_EXTRA, "/model/fc/extra")                                                                          \
  X(MODEL_MEAN, "/model/bn1/running_mean")                                                                   \
  X(OPTIMIZER, "/optimizer")                                                                                 \
  X(SLOT, "/optimizer/exp_avg")                                                                              \
  X(SLOT_BIAS, "/optimizer/exp_avg/fc/bias")                                                                 \
  X(SLOT_EXTRA, "/optimizer/exp_avg/fc/extra")                                                               \
  X(METRICS, "/metrics")                                                                                     \
  X(METRICS_TRAIN, "/metrics/train")                                                                         \
  X(METRICS_VALIDATION, "/metrics/validation")                                                               \
  X(TRAIN, "/train")                                                                                         \
  X(TRAIN_IMAGES, "/train/images")                                                                           \
  X(TRAIN_LABELS, "/train/labels")                                                                           \
  X(TEST, "/test")                                                                                           \
  X(TEST_IMAGES, "/test/images")                                                                             \
  X(TEST_LABELS, "/test/labels")

#define FUZZ_ATTRIBUTE_LIST(X)                                                                               \
  X(format)                                                                                                  \
  X(format_version)                                                                                          \
  X(lockstep_version)                                                                                        \
  X(config)                                                                                                  \
  X(weights_digest)                                                                                          \
  X(name)                                                                                                    \
  X(channels)                                                                                                \
  X(height)                                                                                                  \
  X(width)                                                                                                   \
  X(classes)                                                                                                 \
  X(class_names)                                                                                             \
  X(dataset)                                                                                                 \
  X(mean)                                                                                                    \
  X(deviation)                                                                                               \
  X(order)                                                                                                   \
  X(parameters)                                                                                              \
  X(buffers)                                                                                                 \
  X(step)                                                                                                    \
  X(epoch)                                                                                                   \
  X(best_metric)

/* Texts are followed by a byte with their length, tables by one with a bit for each of their columns. */
#define FUZZ_TYPE_LIST(X)                                                                                    \
  X(UINT8)                                                                                                   \
  X(UINT16)                                                                                                  \
  X(UINT32_BIG)                                                                                              \
  X(UINT64)                                                                                                  \
  X(INT32)                                                                                                   \
  X(INT64) X(FLOAT) X(DOUBLE) X(NARROW) X(TEXT) X(LONG_TEXT) X(TABLE) X(LISTS) X(ARRAY) X(ENUM) X(REFERENCE)

typedef enum fuzz_edit {
#define FUZZ_EDIT_NUMBER(name) FUZZ_##name,
  FUZZ_EDIT_LIST(FUZZ_EDIT_NUMBER)
#undef FUZZ_EDIT_NUMBER
      FUZZ_EDIT_COUNT
} fuzz_edit;

typedef enum fuzz_path {
#define FUZZ_PATH_NUMBER(name, path) FUZZ_AT_##name,
  FUZZ_PATH_LIST(FUZZ_PATH_NUMBER)
#undef FUZZ_PATH_NUMBER
      FUZZ_PATH_COUNT
} fuzz_path;

typedef enum fuzz_attribute {
#define FUZZ_ATTRIBUTE_NUMBER(name) FUZZ_OF_##name,
  FUZZ_ATTRIBUTE_LIST(FUZZ_ATTRIBUTE_NUMBER)
#undef FUZZ_ATTRIBUTE_NUMBER
      FUZZ_ATTRIBUTE_COUNT
} fuzz_attribute;

typedef enum fuzz_type {
#define FUZZ_TYPE_NUMBER(name) FUZZ_IS_##name,
  FUZZ_TYPE_LIST(FUZZ_TYPE_NUMBER)
#undef FUZZ_TYPE_NUMBER
      FUZZ_TYPE_COUNT
} fuzz_type;

/* A space: its rank (FUZZ_NO_SPACE: none at all), then that many extents. An extent below FUZZ_EXTENT_LARGE
 * is itself; above, it is 2 to the power of what it is more, less one if it is odd. */
enum { FUZZ_NO_SPACE = 33, FUZZ_EXTENT_LARGE = 100 };

/* Storage: a layout, then for chunks an extent for each dimension; then the filters. */
enum { FUZZ_PLAIN, FUZZ_COMPACT, FUZZ_CHUNKED, FUZZ_OUTSIDE, FUZZ_VIEW, FUZZ_LAYOUT_COUNT };
enum {
  FUZZ_SHUFFLE = 1,
  FUZZ_DEFLATE = 2,
  FUZZ_DEFLATE_TWICE = 4,
  FUZZ_FLETCHER = 8,
  FUZZ_SCALE_OFFSET = 16,
  FUZZ_EARLY = 32
};

/* Make the input's edits to the file at `path`, as far as libhdf5 takes them. */
void fuzz_h5_edit_file(const char *path, fuzz_bytes in);

#endif
