/* SPDX-License-Identifier: BSD-3-Clause */
/* Each piece of a message is allocated by itself, as protobuf-c releases it. */
#include "onnx/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/memory.h"

enum { IR_VERSION = 8, OPSET_VERSION = 17 };

/* A piece that is there is owned by its message at once, so that the model releases it whatever follows. */
#define NEW_MESSAGE(message, initial)                                                                        \
  do {                                                                                                       \
    LS_PASS(ls_alloc(&(message), 1, sizeof *(message), "a part of an ONNX file"));                           \
    initial(message);                                                                                        \
  } while (0)

ls_status ls_repeated_add(void *items, size_t *count, void *item)
{
  void ***list = items;
  if ((*count & (*count - 1)) == 0) { /* a power of two, or 0: full */
    const size_t capacity = *count > 0 ? 2 * *count : 1;
    void **larger = LS_FAULT("alloc", __func__) ? NULL : realloc(*list, capacity * sizeof *larger);
    if (!larger) return ls_fail(LS_E_MEMORY, "no memory for %zu parts of an ONNX file", capacity);
    *list = larger;
  }
  (*list)[(*count)++] = item;
  return LS_OK;
}

/* The same, of what is newly made: released where there is no memory for its place. */
static ls_status own(void *items, size_t *count, void *item)
{
  const ls_status status = ls_repeated_add(items, count, item);
  if (status != LS_OK) free(item);
  return status;
}

ls_status ls_repeated_add_text(char ***items, size_t *count, const char *text)
{
  char *copy;
  LS_PASS(ls_text_copy(&copy, text));
  return own(items, count, copy);
}

static ls_status copy_bytes(ProtobufCBinaryData *to, const void *from, size_t bytes)
{
  LS_PASS(ls_alloc(&to->data, bytes, 1, "the numbers of an ONNX file"));
  memcpy(to->data, from, bytes);
  to->len = bytes;
  return LS_OK;
}

/* ---- the model ---- */

static ls_status fill_model(Onnx__ModelProto *model)
{
  Onnx__OperatorSetIdProto *operators;
  model->has_ir_version = true;
  model->ir_version = IR_VERSION;
  LS_PASS(ls_text_copy(&model->producer_name, "lockstep"));
  LS_PASS(ls_text_copy(&model->producer_version, LS_VERSION));
  NEW_MESSAGE(operators, onnx__operator_set_id_proto__init);
  LS_PASS(own(&model->opset_import, &model->n_opset_import, operators));
  LS_PASS(ls_text_copy(&operators->domain, ""));
  operators->has_version = true;
  operators->version = OPSET_VERSION;
  NEW_MESSAGE(model->graph, onnx__graph_proto__init);
  return ls_text_copy(&model->graph->name, "network");
}

ls_status ls_message_model(Onnx__ModelProto **model)
{
  NEW_MESSAGE(*model, onnx__model_proto__init);
  const ls_status status = fill_model(*model);
  if (status != LS_OK) onnx__model_proto__free_unpacked(*model, NULL);
  return status;
}

ls_status ls_message_property(Onnx__ModelProto *model, const char *key, const char *value)
{
  Onnx__StringStringEntryProto *pair;
  NEW_MESSAGE(pair, onnx__string_string_entry_proto__init);
  LS_PASS(own(&model->metadata_props, &model->n_metadata_props, pair));
  LS_PASS(ls_text_copy(&pair->key, key));
  return ls_text_copy(&pair->value, value);
}

/* ---- inputs and outputs ---- */

/* A dimension that is free where it has a name. */
static ls_status add_dimension(Onnx__TensorShapeProto *shape, const char *name, size_t size)
{
  Onnx__TensorShapeProto__Dimension *dimension;
  NEW_MESSAGE(dimension, onnx__tensor_shape_proto__dimension__init);
  LS_PASS(own(&shape->dim, &shape->n_dim, dimension));
  if (!name) {
    dimension->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    dimension->dim_value = (int64_t)size;
    return LS_OK;
  }
  char *copy;
  LS_PASS(ls_text_copy(&copy, name));
  dimension->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
  dimension->dim_param = copy;
  return LS_OK;
}

static ls_status fill_type(Onnx__TypeProto *type, ls_dims rest)
{
  Onnx__TypeProto__Tensor *tensor;
  NEW_MESSAGE(tensor, onnx__type_proto__tensor__init);
  type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  type->tensor_type = tensor;
  tensor->has_elem_type = true;
  tensor->elem_type = (int32_t)ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  NEW_MESSAGE(tensor->shape, onnx__tensor_shape_proto__init);
  LS_PASS(add_dimension(tensor->shape, "N", 0));
  for (size_t i = 0; i < rest.count; i++) LS_PASS(add_dimension(tensor->shape, NULL, rest.items[i]));
  return LS_OK;
}

static ls_status add_value(Onnx__ValueInfoProto ***list, size_t *count, const char *name, ls_dims rest)
{
  Onnx__ValueInfoProto *value;
  NEW_MESSAGE(value, onnx__value_info_proto__init);
  LS_PASS(own(list, count, value));
  LS_PASS(ls_text_copy(&value->name, name));
  NEW_MESSAGE(value->type, onnx__type_proto__init);
  return fill_type(value->type, rest);
}

ls_status ls_message_input(Onnx__GraphProto *graph, const char *name, ls_dims rest)
{
  return add_value(&graph->input, &graph->n_input, name, rest);
}

ls_status ls_message_output(Onnx__GraphProto *graph, const char *name, ls_dims rest)
{
  return add_value(&graph->output, &graph->n_output, name, rest);
}

/* ---- nodes ---- */

ls_status ls_message_node(Onnx__GraphProto *graph, const char *op, const char *name, const char *output,
                          Onnx__NodeProto **node)
{
  Onnx__NodeProto *made;
  NEW_MESSAGE(made, onnx__node_proto__init);
  LS_PASS(own(&graph->node, &graph->n_node, made));
  LS_PASS(ls_text_copy(&made->op_type, op));
  LS_PASS(ls_text_copy(&made->name, name));
  *node = made;
  return ls_repeated_add_text(&made->output, &made->n_output, output);
}

static ls_status add_attribute(Onnx__NodeProto *node, const char *name,
                               Onnx__AttributeProto__AttributeType type, Onnx__AttributeProto **attribute)
{
  Onnx__AttributeProto *made;
  NEW_MESSAGE(made, onnx__attribute_proto__init);
  LS_PASS(own(&node->attribute, &node->n_attribute, made));
  made->has_type = true;
  made->type = type;
  *attribute = made;
  return ls_text_copy(&made->name, name);
}

ls_status ls_message_integer(Onnx__NodeProto *node, const char *name, int64_t value)
{
  Onnx__AttributeProto *attribute;
  LS_PASS(add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, &attribute));
  attribute->has_i = true;
  attribute->i = value;
  return LS_OK;
}

ls_status ls_message_integers(Onnx__NodeProto *node, const char *name, const int64_t *values, size_t count)
{
  Onnx__AttributeProto *attribute;
  LS_PASS(add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, &attribute));
  LS_PASS(ls_alloc(&attribute->ints, count, sizeof *values, "an attribute"));
  memcpy(attribute->ints, values, count * sizeof *values);
  attribute->n_ints = count;
  return LS_OK;
}

ls_status ls_message_real(Onnx__NodeProto *node, const char *name, double value)
{
  Onnx__AttributeProto *attribute;
  LS_PASS(add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, &attribute));
  attribute->has_f = true;
  attribute->f = (float)value;
  return LS_OK;
}

/* ---- constants ---- */

static ls_status add_tensor(Onnx__GraphProto *graph, const char *name, ls_dims dims,
                            Onnx__TensorProto__DataType type, Onnx__TensorProto **tensor)
{
  Onnx__TensorProto *made;
  NEW_MESSAGE(made, onnx__tensor_proto__init);
  LS_PASS(own(&graph->initializer, &graph->n_initializer, made));
  LS_PASS(ls_text_copy(&made->name, name));
  made->has_data_type = made->has_raw_data = true;
  made->data_type = (int32_t)type;
  LS_PASS(ls_alloc(&made->dims, dims.count, sizeof *made->dims, "the dimensions of a tensor"));
  for (size_t i = 0; i < dims.count; i++) made->dims[i] = (int64_t)dims.items[i];
  made->n_dims = dims.count;
  *tensor = made;
  return LS_OK;
}

ls_status ls_message_floats(Onnx__GraphProto *graph, const char *name, ls_dims dims, const float *values)
{
  Onnx__TensorProto *tensor;
  size_t count = 1;
  for (size_t i = 0; i < dims.count; i++) count *= dims.items[i];
  LS_PASS(add_tensor(graph, name, dims, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &tensor));
  return copy_bytes(&tensor->raw_data, values, count * sizeof *values);
}

ls_status ls_message_indices(Onnx__GraphProto *graph, const char *name, const int64_t *values, size_t count)
{
  Onnx__TensorProto *tensor;
  LS_PASS(add_tensor(graph, name, (ls_dims){&count, 1}, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, &tensor));
  return copy_bytes(&tensor->raw_data, values, count * sizeof *values);
}
