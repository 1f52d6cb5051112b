/* SPDX-License-Identifier: BSD-3-Clause */
/* The tensors of weight files, whoever wrote them: PyTorch's archives and its older files, safetensors,
 * NumPy's archives, HDF5. Nothing that such a file asks for is run, and what it says of sizes is held against
 * what is there before memory is taken. */
#ifndef LS_STORE_FOREIGN_FOREIGN_H
#define LS_STORE_FOREIGN_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/status.h"
#include "h5/h5.h"

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

/** Visit all tensors of a weight file.
 *
 * @param[out] digest  of the file's bytes
 *
 * Rank 0. Errors: those of the visitor; LS_E_INPUT if the file is none of the formats, is damaged, or asks to
 * run something; LS_E_ACCESS, LS_E_IO, LS_E_MEMORY. */
ls_status ls_foreign_walk(ls_foreign_file file, const ls_foreign_visitor *visitor,
                          char digest[LS_DIGEST_CHARS]) LS_CHECKED;

#endif
