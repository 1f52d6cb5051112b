/* SPDX-License-Identifier: BSD-3-Clause */
/* The formats of weight files: a row each. Private to the folder. */
#ifndef LS_STORE_FOREIGN_READER_H
#define LS_STORE_FOREIGN_READER_H

#include <stdbool.h>

#include "base/status.h"
#include "store/foreign/tensor.h"

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

#endif
