/* SPDX-License-Identifier: BSD-3-Clause */
/* A trained network as a file for other programs: a format each, chosen by the file's extension. */
#ifndef LS_STORE_EXPORT_EXPORT_H
#define LS_STORE_EXPORT_EXPORT_H

#include "base/status.h"
#include "base/text.h"
#include "nn/model.h"
#include "onnx/write.h"
#include "store/checkpoint.h"

/** What is written. Borrowed. */
typedef struct ls_export {
  const ls_model *model;
  const float *params, *buffers; /* of the model */
  const ls_checkpoint_info *info;
  ls_onnx_options options; /* of formats that hold the graph */
} ls_export;

typedef struct ls_export_format {
  const char *extension; /* ".safetensors" */
  bool holds_graph;      /* it holds the network, not its weights alone */
  /* Append the file's bytes. Errors: LS_E_INPUT if the format cannot say the network; LS_E_MEMORY. */
  ls_status (*make)(const ls_export *what, ls_text *file);
} ls_export_format;

#define LS_EXPORT_FORMATS(X) X(onnx) X(safetensors) X(npz)

#define LS_EXPORT_DECLARE(name) extern const ls_export_format ls_export_format_##name;
LS_EXPORT_FORMATS(LS_EXPORT_DECLARE)
#undef LS_EXPORT_DECLARE

/** The format of a file's extension. Local. Errors: LS_E_USAGE with all extensions. */
ls_status ls_export_find(const ls_export_format **format, const char *path) LS_CHECKED;

#endif
