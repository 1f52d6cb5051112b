/* SPDX-License-Identifier: BSD-3-Clause */
/* The tensors of weight files, whoever wrote them: PyTorch's archives and its older files, safetensors,
 * NumPy's archives, HDF5. Nothing that such a file asks for is run, and what it says of sizes is held against
 * what is there before memory is taken. */
#ifndef LS_STORE_FOREIGN_FOREIGN_H
#define LS_STORE_FOREIGN_FOREIGN_H

#include "base/digest.h"
#include "base/status.h"
#include "store/foreign/tensor.h"

/** Does a path end as those of weight files do that only other programs write? Local. */
bool ls_foreign_is_named(const char *path);

/** Visit all tensors of a weight file.
 *
 * @param[out] digest  of the file's bytes
 *
 * Rank 0. Errors: those of the visitor; LS_E_INPUT if the file is none of the formats, is damaged, or asks to
 * run something; LS_E_ACCESS, LS_E_IO, LS_E_MEMORY. */
ls_status ls_foreign_walk(ls_foreign_file file, const ls_foreign_visitor *visitor,
                          char digest[LS_DIGEST_CHARS]) LS_CHECKED;

#endif
