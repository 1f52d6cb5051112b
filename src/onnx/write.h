/* SPDX-License-Identifier: BSD-3-Clause */
/* A network as an ONNX file. */
#ifndef LS_ONNX_WRITE_H
#define LS_ONNX_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "nn/model.h"

/** A tensor of the model. Borrowed. */
typedef struct ls_onnx_tensor {
  const ls_tensor *tensor;
  const float *values; /* [tensor->count] */
  const char *name;    /* in the file */
} ls_onnx_tensor;

/** What is said of the model beside its graph. Borrowed. */
typedef struct ls_onnx_property {
  const char *key, *value;
} ls_onnx_property;

typedef struct ls_onnx_options {
  bool raw_pixels;     /* the graph takes pixels from 0 to 255, and normalizes them itself */
  bool softmax;        /* it gives probabilities instead of logits */
  bool fold_batchnorm; /* batch normalization becomes part of the convolution or dense layer before it */
} ls_onnx_options;

/** A network to be written. Borrowed. */
typedef struct ls_onnx_source {
  const ls_model *model;
  const ls_onnx_tensor *tensors; /* all of the model's */
  size_t tensor_count;
  const ls_onnx_property *properties;
  size_t property_count;
  const double *mean, *deviation; /* [channels] of pixels from 0 to 255 */
  ls_onnx_options options;
} ls_onnx_source;

/** Append the bytes of an ONNX file: opset 17, a graph from `input` [N, c, h, w] to `logits` or
 * `probabilities` [N, classes] with the batch N free, and the tensors under their names. Local. Errors:
 * LS_E_INPUT if it would be longer than a file of the format may be; LS_E_MEMORY. */
ls_status ls_onnx_write(const ls_onnx_source *source, ls_text *file) LS_CHECKED;

#endif
