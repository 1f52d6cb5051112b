/* SPDX-License-Identifier: BSD-3-Clause */
/* What files of tensors have in common: PyTorch's names, and what is said of the network. Private to the
 * folder. */
#ifndef LS_STORE_EXPORT_TENSORS_H
#define LS_STORE_EXPORT_TENSORS_H

#include <jansson.h>

#include "store/export/export.h"

enum { LS_EXPORT_NAME_BYTES = 192 };

/** A tensor, and where its values are. */
typedef struct ls_export_tensor {
  const ls_tensor *tensor;
  const float *values;             /* [tensor->count], PyTorch's layout */
  char name[LS_EXPORT_NAME_BYTES]; /* "layer1.0.downsample.0.weight" */
} ls_export_tensor;

typedef ls_status (*ls_export_visit)(void *user, const ls_export_tensor *tensor);

/** Call `visit` on each tensor: parameters, then running statistics. A failing call ends it with its status.
 */
ls_status ls_export_tensors(const ls_export *what, ls_export_visit visit, void *user) LS_CHECKED;

/** What is said of the network, as a JSON object of texts: version, digest, dataset, classes and their names,
 * size of an image, mean and deviation of its pixels. Released with json_decref(). Errors: LS_E_MEMORY. */
ls_status ls_export_metadata(const ls_export *what, json_t **metadata) LS_CHECKED;

#endif
