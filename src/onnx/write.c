/* SPDX-License-Identifier: BSD-3-Clause */
/* The graph is written layer by layer, as the layers describe themselves (nn/operators.h). A vector of
 * features may be an image of one pixel here; where an operator wants the other form, it is brought into it.
 */
#include "onnx/write.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/normalize.h"
#include "onnx/fold.h"
#include "onnx/message.h"

enum { NAME_BYTES = LS_LAYER_NAME_BYTES + 64 };

/* What a layer gives. */
typedef struct value {
  char name[NAME_BYTES];
  ls_form form;
  ls_shape shape;
} value;

typedef struct writer {
  const ls_onnx_source *source;
  Onnx__GraphProto *graph;
  value input;   /* of the model, normalized */
  value *values; /* [layer_count] of the layers so far; owned */
  size_t layer_count;
  const ls_layer *layer;                      /* the one being written */
  const size_t *inputs;                       /* its */
  ls_form common;                             /* the form of its inputs, if it has several */
  size_t operators;                           /* of it so far */
  char results[LS_OPERATORS_MAX][NAME_BYTES]; /* of the newest ones, by operators % LS_OPERATORS_MAX */
  ls_status status;                           /* the first failure; nothing is written after it */
} writer;

/* ---- values ---- */

static const value *value_at(const writer *self, size_t position)
{
  return position == LS_MODEL_INPUT ? &self->input : &self->values[position];
}

static ls_status add_input(Onnx__NodeProto *node, const char *name)
{
  return ls_repeated_add_text(&node->input, &node->n_input, name);
}

/* A vector as an image of one pixel, or an image as a vector. */
static ls_status convert(writer *self, const value *from, ls_form form, char name[NAME_BYTES])
{
  char shape[2 * NAME_BYTES];
  Onnx__NodeProto *node;
  const int64_t dims[] = {0, (int64_t)from->shape.c, (int64_t)from->shape.h, (int64_t)from->shape.w};
  const bool to_image = form == LS_FORM_IMAGE;
  snprintf(name, NAME_BYTES, "%s/%s%zu", self->layer ? self->layer->name : "output",
           to_image ? "image" : "vector", self->graph->n_node);
  LS_PASS(ls_message_node(self->graph, to_image ? "Reshape" : "Flatten", name, name, &node));
  LS_PASS(add_input(node, from->name));
  if (!to_image) return ls_message_integer(node, "axis", 1);
  snprintf(shape, sizeof shape, "%s.shape", name);
  LS_PASS(ls_message_indices(self->graph, shape, dims, 4));
  return add_input(node, shape);
}

/* ---- operands ---- */

static ls_status add_layer_input(writer *self, Onnx__NodeProto *node, size_t k, ls_form form)
{
  char name[NAME_BYTES];
  const value *from = value_at(self, self->inputs[k]);
  if (form == LS_FORM_ANY && self->layer->input_count > 1) form = self->common;
  if (form == LS_FORM_ANY || form == from->form) return add_input(node, from->name);
  LS_PASS(convert(self, from, form, name));
  return add_input(node, name);
}

static const ls_onnx_tensor *find_tensor(const writer *self, const char *name)
{
  const ls_onnx_tensor *tensors = self->source->tensors;
  for (size_t i = 0; i < self->source->tensor_count; i++)
    if (strcmp(tensors[i].tensor->layer, self->layer->name) == 0 &&
        strcmp(tensors[i].tensor->name, name) == 0)
      return &tensors[i];
  assert(false && "a kind names its own tensors");
  return NULL;
}

static ls_status add_tensor(writer *self, Onnx__NodeProto *node, const ls_operand *operand)
{
  const ls_onnx_tensor *found = find_tensor(self, operand->tensor);
  const ls_dims own = {found->tensor->dims, found->tensor->dim_count},
                given = {operand->dims, operand->dim_count};
  LS_PASS(ls_message_floats(self->graph, found->name, given.count > 0 ? given : own, found->values));
  return add_input(node, found->name);
}

static ls_status add_fill(writer *self, Onnx__NodeProto *node, const ls_operand *operand)
{
  char name[2 * NAME_BYTES];
  float *values;
  size_t count = 1;
  for (size_t i = 0; i < operand->dim_count; i++) count *= operand->dims[i];
  LS_PASS(ls_alloc(&values, count, sizeof *values, "a constant"));
  for (size_t i = 0; i < count; i++) values[i] = (float)operand->fill;
  snprintf(name, sizeof name, "%s.%zu", node->name, node->n_input);
  ls_status status =
      ls_message_floats(self->graph, name, (ls_dims){operand->dims, operand->dim_count}, values);
  free(values);
  return status == LS_OK ? add_input(node, name) : status;
}

static ls_status add_integers(writer *self, Onnx__NodeProto *node, const ls_operand *operand)
{
  char name[2 * NAME_BYTES];
  snprintf(name, sizeof name, "%s.%zu", node->name, node->n_input);
  LS_PASS(ls_message_indices(self->graph, name, operand->integers, operand->dim_count));
  return add_input(node, name);
}

static ls_status add_operand(writer *self, Onnx__NodeProto *node, const ls_operand *operand)
{
  const ls_operand_source source = operand->source;
  if (source == LS_OPERAND_TENSOR) return add_tensor(self, node, operand);
  if (source == LS_OPERAND_FILL) return add_fill(self, node, operand);
  if (source == LS_OPERAND_INTEGERS) return add_integers(self, node, operand);
  if (source == LS_OPERAND_INPUT) return add_layer_input(self, node, operand->input, operand->form);
  if (source == LS_OPERAND_RESULT)
    return add_input(node, self->results[(self->operators - 1 - operand->back) % LS_OPERATORS_MAX]);
  assert(source == LS_OPERAND_INPUTS);
  for (size_t k = 0; k < self->layer->input_count; k++) LS_PASS(add_layer_input(self, node, k, LS_FORM_ANY));
  return LS_OK;
}

static ls_status add_attribute(Onnx__NodeProto *node, const ls_attribute *attribute)
{
  if (attribute->holds == LS_ATTRIBUTE_REAL) return ls_message_real(node, attribute->name, attribute->real);
  if (attribute->holds == LS_ATTRIBUTE_INTEGER)
    return ls_message_integer(node, attribute->name, attribute->integers[0]);
  return ls_message_integers(node, attribute->name, attribute->integers, attribute->count);
}

/* ---- layers ---- */

static void begin(void *user, const ls_layer *layer, const size_t *inputs)
{
  writer *self = user;
  self->layer = layer;
  self->inputs = inputs;
  self->operators = 0;
  self->common = LS_FORM_VECTOR;
  for (size_t k = 0; k < layer->input_count; k++)
    if (value_at(self, inputs[k])->form == LS_FORM_IMAGE) self->common = LS_FORM_IMAGE;
  value *own = &self->values[self->layer_count++];
  *own = *value_at(self, inputs[0]);
  if (layer->input_count > 1) own->form = self->common;
  own->shape = layer->out;
}

/* What it takes may have been brought into another form meanwhile, which comes before it. */
static void move_to_end(Onnx__GraphProto *graph, size_t at)
{
  Onnx__NodeProto *node = graph->node[at];
  memmove(graph->node + at, graph->node + at + 1, (graph->n_node - 1 - at) * sizeof *graph->node);
  graph->node[graph->n_node - 1] = node;
}

static ls_status write_operator(writer *self, const ls_operator *op)
{
  char name[NAME_BYTES], output[NAME_BYTES + 8];
  Onnx__NodeProto *node;
  const size_t at = self->graph->n_node;
  if (self->operators == 0)
    snprintf(name, sizeof name, "%s", self->layer->name);
  else
    snprintf(name, sizeof name, "%s/%s%zu", self->layer->name, op->name, self->operators);
  snprintf(output, sizeof output, "%s:0", name);
  LS_PASS(ls_message_node(self->graph, op->name, name, output, &node));
  for (const ls_operand *operand = op->inputs; operand->source != LS_OPERAND_END; operand++)
    LS_PASS(add_operand(self, node, operand));
  for (const ls_attribute *attribute = op->attributes; attribute->name; attribute++)
    LS_PASS(add_attribute(node, attribute));
  move_to_end(self->graph, at);
  value *own = &self->values[self->layer_count - 1];
  snprintf(own->name, sizeof own->name, "%.*s", NAME_BYTES - 1, output);
  snprintf(self->results[self->operators++ % LS_OPERATORS_MAX], NAME_BYTES, "%.*s", NAME_BYTES - 1, output);
  const ls_operand *first = &op->inputs[0];
  if (op->gives != LS_FORM_ANY)
    own->form = op->gives;
  else if (first->source == LS_OPERAND_INPUT && first->form != LS_FORM_ANY)
    own->form = first->form;
  return LS_OK;
}

static void add(void *user, const ls_operator *op)
{
  writer *self = user;
  if (self->status == LS_OK) self->status = write_operator(self, op);
}

/* ---- around the layers ---- */

/* Sub and Mul by a number of each channel, in float32, as kernels/normalize.h. */
static ls_status write_normalization(writer *self)
{
  const ls_onnx_source *source = self->source;
  const size_t channels = self->input.shape.c, dims[] = {channels, 1, 1};
  float values[2][LS_MAX_CHANNELS];
  Onnx__NodeProto *node;
  for (size_t c = 0; c < channels; c++) {
    values[0][c] = (float)source->mean[c];
    values[1][c] = (float)(1.0 / source->deviation[c]);
  }
  LS_PASS(ls_message_node(self->graph, "Sub", "normalize/Sub", "normalize/Sub:0", &node));
  LS_PASS(add_input(node, "input"));
  LS_PASS(add_input(node, "normalize.mean"));
  LS_PASS(ls_message_floats(self->graph, "normalize.mean", (ls_dims){dims, 3}, values[0]));
  LS_PASS(ls_message_node(self->graph, "Mul", "normalize/Mul", "normalize/Mul:0", &node));
  LS_PASS(add_input(node, "normalize/Sub:0"));
  LS_PASS(add_input(node, "normalize.scale"));
  LS_PASS(ls_message_floats(self->graph, "normalize.scale", (ls_dims){dims, 3}, values[1]));
  snprintf(self->input.name, sizeof self->input.name, "normalize/Mul:0");
  return LS_OK;
}

static ls_status rename_text(char **name, const char *from, const char *to)
{
  char *copy;
  if (strcmp(*name, from) != 0) return LS_OK;
  LS_PASS(ls_text_copy(&copy, to));
  free(*name);
  *name = copy;
  return LS_OK;
}

static ls_status rename_value(Onnx__GraphProto *graph, const char *from, const char *to)
{
  for (size_t i = 0; i < graph->n_node; i++) {
    Onnx__NodeProto *node = graph->node[i];
    for (size_t k = 0; k < node->n_input; k++) LS_PASS(rename_text(&node->input[k], from, to));
    for (size_t k = 0; k < node->n_output; k++) LS_PASS(rename_text(&node->output[k], from, to));
  }
  return LS_OK;
}

static ls_status write_output(writer *self)
{
  value last = *value_at(self, self->layer_count - 1);
  const char *name = self->source->options.softmax ? "probabilities" : "logits";
  Onnx__NodeProto *node;
  self->layer = NULL;
  if (last.form != LS_FORM_VECTOR) {
    char vector[NAME_BYTES];
    LS_PASS(convert(self, &last, LS_FORM_VECTOR, vector));
    memcpy(last.name, vector, sizeof vector);
  }
  if (self->source->options.softmax) {
    LS_PASS(ls_message_node(self->graph, "Softmax", "softmax", name, &node));
    LS_PASS(add_input(node, last.name));
    LS_PASS(ls_message_integer(node, "axis", 1));
  } else {
    LS_PASS(rename_value(self->graph, last.name, name));
  }
  return ls_message_output(self->graph, name, (ls_dims){&last.shape.c, 1});
}

static ls_status write_graph(writer *self)
{
  const ls_onnx_source *source = self->source;
  const ls_shape in = ls_model_input(source->model);
  const size_t dims[] = {in.c, in.h, in.w};
  const ls_expression expression = {.begin = begin, .add = add, .user = self};
  self->input = (value){.name = "input", .form = LS_FORM_IMAGE, .shape = in};
  LS_PASS(ls_message_input(self->graph, "input", (ls_dims){dims, 3}));
  if (source->options.raw_pixels) LS_PASS(write_normalization(self));
  LS_PASS(ls_alloc(&self->values, ls_model_count(source->model)->layers, sizeof *self->values, "the values"));
  ls_model_express(source->model, &expression);
  LS_PASS(self->status);
  LS_PASS(write_output(self));
  return source->options.fold_batchnorm ? ls_onnx_fold(self->graph) : LS_OK;
}

static ls_status pack(const Onnx__ModelProto *model, ls_text *file)
{
  const size_t bytes = onnx__model_proto__get_packed_size(model);
  if (bytes > INT_MAX)
    return ls_fail(LS_E_INPUT, "an ONNX file of %zu bytes: the format ends at 2 GB; export to .safetensors",
                   bytes);
  char *at = ls_text_extend(file, bytes);
  if (!at) return ls_fail(LS_E_MEMORY, "no memory for an ONNX file of %zu bytes", bytes);
  onnx__model_proto__pack(model, (uint8_t *)at);
  return LS_OK;
}

ls_status ls_onnx_write(const ls_onnx_source *source, ls_text *file)
{
  Onnx__ModelProto *model;
  LS_PASS(ls_message_model(&model));
  writer self = {.source = source, .graph = model->graph};
  ls_status status;
  for (size_t i = 0; i < source->property_count; i++)
    LS_GO(ls_message_property(model, source->properties[i].key, source->properties[i].value));
  LS_GO(write_graph(&self));
  LS_GO(pack(model, file));
done:
  free(self.values);
  onnx__model_proto__free_unpacked(model, NULL);
  return status;
}
