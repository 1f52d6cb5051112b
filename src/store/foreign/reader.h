/* SPDX-License-Identifier: BSD-3-Clause */
/* A format of weight files: a row each, and what they share. Private to the folder. */
#ifndef LS_STORE_FOREIGN_READER_H
#define LS_STORE_FOREIGN_READER_H

#include "store/foreign/element.h"
#include "store/foreign/foreign.h"

typedef struct ls_foreign_reader {
  const char *name; /* "a PyTorch archive" */
  const char *const
      *extensions; /* NULL-terminated: of files that no reader knows by their bytes; NULL: none */
  bool (*recognises)(const ls_foreign_file *file);
  ls_status (*walk)(const ls_foreign_file *file, const ls_foreign_visitor *visitor);
} ls_foreign_reader;

/* The first one that knows a file reads it. */
#define LS_FOREIGN_READERS(X) X(torch_zip) X(npz) X(torch_old) X(safetensors) X(h5)

#define LS_FOREIGN_DECLARE(name) extern const ls_foreign_reader ls_foreign_reader_##name;
LS_FOREIGN_READERS(LS_FOREIGN_DECLARE)
#undef LS_FOREIGN_DECLARE

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
