/* SPDX-License-Identifier: BSD-3-Clause */
/* How the tensors of a model may be called in files of others, PyTorch's first of all. */
#ifndef LS_STORE_FOREIGN_NAMES_H
#define LS_STORE_FOREIGN_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/model.h"
#include "store/rename.h"

enum { LS_PLAIN_NAME_BYTES = 192 };

/** A tensor, and its names in plain form: separators are all the same, and so are the words for a shortcut.
 */
typedef struct ls_tensor_names {
  const ls_tensor *tensor;
  char own[LS_PLAIN_NAME_BYTES];      /* layer2_0.shortcut.conv.weight */
  char numbered[LS_PLAIN_NAME_BYTES]; /* layer2_0.shortcut.0.weight, as nn.Sequential has it; "": in none */
  char alone[LS_PLAIN_NAME_BYTES];    /* layer2_0.shortcut.weight, if it is the only layer with weights */
} ls_tensor_names;

/** Name the parameters of a model, then its buffers. `names` holds all of them. Local. */
void ls_tensor_names_fill(ls_tensor_names *names, const ls_model *model);

/** Which of `count` tensors a file calls `name` ("state_dict/module.layer2.0.downsample.0.weight")? `count`:
 * none. The name is changed by `renames` first. An exact match comes first, then the plain form, then the
 * forms with numbers; PyTorch's prefixes of a network are left out where the whole name matches none. Local.
 */
size_t ls_tensor_names_find(const ls_tensor_names *names, size_t count, const ls_renames *renames,
                            const char *name);

/** Is it the counter that PyTorch keeps beside the weights, num_batches_tracked? Local. */
bool ls_tensor_names_is_counter(const char *name);

#endif
