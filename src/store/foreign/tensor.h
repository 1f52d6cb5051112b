/* SPDX-License-Identifier: BSD-3-Clause */
/* A tensor of a weight file: what visitors get, and what the readers of all formats make it of. */
#ifndef LS_STORE_FOREIGN_TENSOR_H
#define LS_STORE_FOREIGN_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "h5/h5.h"
#include "store/foreign/element.h"

enum { LS_FOREIGN_NAME_BYTES = LS_H5_PATH_BYTES, LS_FOREIGN_MAX_RANK = LS_H5_MAX_RANK };

/** A tensor of a file, as long as it is being visited. */
typedef struct ls_foreign_tensor {
  const char *noun;                  /* for messages: "tensor", "dataset" */
  char place[LS_FOREIGN_NAME_BYTES]; /* its name, whole: "state_dict/conv1.weight" */
  size_t dims[LS_FOREIGN_MAX_RANK];
  size_t dim_count;
  size_t count; /* product of dims */
  bool is_real; /* floating-point numbers that can be read */
  ls_status (*read)(const struct ls_foreign_tensor *self, float *values /* [count], row-major */);
  void *source; /* what `read` reads from */
} ls_foreign_tensor;

/** What is done with the tensors of a file. All of it may be done twice: see h5/guard.h. */
typedef struct ls_foreign_visitor {
  void (*start)(void *user);                   /* forget what was seen before */
  bool (*wants)(void *user, const char *name); /* "state_dict/conv1.weight": is it to be taken? */
  ls_status (*take)(void *user, const ls_foreign_tensor *tensor); /* the one that was asked for last */
  void *user;
} ls_foreign_visitor;

/** A file to walk through. */
typedef struct ls_foreign_file {
  const char *path;
  const char *key;            /* only what is below it, without it: "ema" of "ema/conv1.weight"; NULL: all */
  uint64_t work_bytes;        /* what may be expanded and converted, beside the file's own length */
  const unsigned char *bytes; /* [count] the file's; ls_foreign_walk() sets them */
  size_t count;
} ls_foreign_file;

/* ---- for the readers: private to the folder ---- */

/** Bytes of a file, or of a member of an archive; borrowed. */
typedef struct ls_bytes {
  const unsigned char *at;
  size_t count;
} ls_bytes;

/** Where the numbers of a tensor lie in a storage: element [i, j, ...] at offset + i * strides[0] + ... */
typedef struct ls_layout {
  const ls_element *element;
  size_t dims[LS_FOREIGN_MAX_RANK], strides[LS_FOREIGN_MAX_RANK]; /* in elements */
  size_t dim_count;
  size_t offset; /* in elements */
} ls_layout;

/** The strides of a tensor whose elements follow each other: by rows, or by columns. Errors: LS_E_INPUT if
 * there are more elements than can be counted. */
ls_status ls_layout_pack(ls_layout *layout, bool by_columns) LS_CHECKED;

/** How many elements has it, and how many must the storage have? Errors: LS_E_INPUT: more than can be
 * counted. */
ls_status ls_layout_measure(const ls_layout *layout, size_t *count, size_t *reach) LS_CHECKED;

/** Read all elements, as float32 by rows. Errors: LS_E_INPUT if the storage is too short. */
ls_status ls_layout_read(const ls_layout *layout, ls_bytes storage, float *values) LS_CHECKED;

/** Is a name one that is looked at: its part below the file's key; NULL: it is not. Borrowed. */
const char *ls_foreign_select(const ls_foreign_file *file, const char *name);

/** Offer a tensor whose numbers `how` finds; `name` is whole. Errors: those of the visitor. */
ls_status ls_foreign_offer(const ls_foreign_file *file, const ls_foreign_visitor *visitor, const char *name,
                           const ls_layout *layout, const ls_foreign_tensor *how) LS_CHECKED;

/** The same of one that is known to be wanted. */
ls_status ls_foreign_take(const ls_foreign_visitor *visitor, const char *name, const ls_layout *layout,
                          const ls_foreign_tensor *how) LS_CHECKED;

#endif
