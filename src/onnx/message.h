/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of a file in the making: made of pieces that protobuf-c releases together, with the model that
 * they are in. Private to the module. */
#ifndef LS_ONNX_MESSAGE_H
#define LS_ONNX_MESSAGE_H

#include <onnx.pb-c.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/** A list of integers, or of sizes: a borrowed array. */
typedef struct ls_dims {
  const size_t *items;
  size_t count;
} ls_dims;

/** Append to a repeated field of pointers, `items` of type T ***, and own the item: on error it is still the
 * caller's. Errors: LS_E_MEMORY. */
ls_status ls_repeated_add(void *items, size_t *count, void *item) LS_CHECKED;

/** Append a copy of a text. Errors: LS_E_MEMORY. */
ls_status ls_repeated_add_text(char ***items, size_t *count, const char *text) LS_CHECKED;

/** A new model with an empty graph; released with onnx__model_proto__free_unpacked(). Errors: LS_E_MEMORY. */
ls_status ls_message_model(Onnx__ModelProto **model) LS_CHECKED;

/** Append a pair of metadata. Errors: LS_E_MEMORY. */
ls_status ls_message_property(Onnx__ModelProto *model, const char *key, const char *value) LS_CHECKED;

/** Append an input or an output of float32 numbers; the first dimension is free, and called N. Errors:
 * LS_E_MEMORY. */
ls_status ls_message_input(Onnx__GraphProto *graph, const char *name, ls_dims rest) LS_CHECKED;
ls_status ls_message_output(Onnx__GraphProto *graph, const char *name, ls_dims rest) LS_CHECKED;

/** Append a node without inputs and attributes, with one output; the node is borrowed. Errors: LS_E_MEMORY.
 */
ls_status ls_message_node(Onnx__GraphProto *graph, const char *op, const char *name, const char *output,
                          Onnx__NodeProto **node) LS_CHECKED;

/** Append an attribute to a node. Errors: LS_E_MEMORY. */
ls_status ls_message_integer(Onnx__NodeProto *node, const char *name, int64_t value) LS_CHECKED;
ls_status ls_message_integers(Onnx__NodeProto *node, const char *name, const int64_t *values,
                              size_t count) LS_CHECKED;
ls_status ls_message_real(Onnx__NodeProto *node, const char *name, double value) LS_CHECKED;

/** Append a constant tensor of float32 or int64 numbers; no dims: a single number. Errors: LS_E_MEMORY. */
ls_status ls_message_floats(Onnx__GraphProto *graph, const char *name, ls_dims dims,
                            const float *values) LS_CHECKED;
ls_status ls_message_indices(Onnx__GraphProto *graph, const char *name, const int64_t *values,
                             size_t count) LS_CHECKED;

#endif
