/* SPDX-License-Identifier: BSD-3-Clause */
/* y = (W x + b - mean) * weight / sqrt(var + epsilon) + bias, as another W and b. */
#include "onnx/fold.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/message.h"

enum { NAME_BYTES = 256 };

/* A product and the batch normalization behind it. */
typedef struct pair {
  Onnx__NodeProto *product, *norm;
  Onnx__TensorProto *weight;
  Onnx__TensorProto *values[4]; /* of the normalization: weight, bias, mean, variance */
  size_t channels;
} pair;

static Onnx__TensorProto *find_tensor(const Onnx__GraphProto *graph, const char *name)
{
  for (size_t i = 0; i < graph->n_initializer; i++)
    if (strcmp(graph->initializer[i]->name, name) == 0) return graph->initializer[i];
  return NULL;
}

static Onnx__NodeProto *find_maker(const Onnx__GraphProto *graph, const char *value)
{
  for (size_t i = 0; i < graph->n_node; i++)
    if (strcmp(graph->node[i]->output[0], value) == 0) return graph->node[i];
  return NULL;
}

static size_t count_takers(const Onnx__GraphProto *graph, const char *value)
{
  size_t count = 0;
  for (size_t i = 0; i < graph->n_node; i++)
    for (size_t k = 0; k < graph->node[i]->n_input; k++)
      count += strcmp(graph->node[i]->input[k], value) == 0;
  return count;
}

/* Is node i a normalization that can be folded? */
static bool find_pair(const Onnx__GraphProto *graph, size_t i, pair *out)
{
  *out = (pair){.norm = graph->node[i]};
  if (strcmp(out->norm->op_type, "BatchNormalization") != 0) return false;
  const char *value = out->norm->input[0];
  out->product = find_maker(graph, value);
  if (!out->product || count_takers(graph, value) != 1) return false;
  if (strcmp(out->product->op_type, "Conv") != 0 && strcmp(out->product->op_type, "Gemm") != 0) return false;
  out->weight = find_tensor(graph, out->product->input[1]);
  for (size_t k = 0; k < 4; k++) out->values[k] = find_tensor(graph, out->norm->input[1 + k]);
  out->channels = (size_t)out->weight->dims[0];
  return true;
}

/* The bias of the product, of zeros where it has none. */
static ls_status take_bias(Onnx__GraphProto *graph, const pair *self, Onnx__TensorProto **bias)
{
  Onnx__NodeProto *product = self->product;
  if (product->n_input < 3) {
    float *zeros;
    char name[NAME_BYTES];
    LS_PASS(ls_alloc(&zeros, self->channels, sizeof *zeros, "a bias"));
    snprintf(name, sizeof name, "%.*s.bias", NAME_BYTES - 8, product->name);
    const ls_status status = ls_message_floats(graph, name, (ls_dims){&self->channels, 1}, zeros);
    free(zeros);
    LS_PASS(status);
    LS_PASS(ls_repeated_add_text(&product->input, &product->n_input, name));
  }
  *bias = find_tensor(graph, product->input[2]);
  return LS_OK;
}

static void apply(const pair *self, double epsilon, Onnx__TensorProto *bias)
{
  float *values[4], *weights = (float *)(void *)self->weight->raw_data.data;
  float *biases = (float *)(void *)bias->raw_data.data;
  const size_t width = self->weight->raw_data.len / sizeof(float) / self->channels;
  for (size_t k = 0; k < 4; k++) values[k] = (float *)(void *)self->values[k]->raw_data.data;
  for (size_t c = 0; c < self->channels; c++) {
    const double factor = (double)values[0][c] / sqrt((double)values[3][c] + epsilon);
    for (size_t i = c * width; i < (c + 1) * width; i++) weights[i] = (float)(factor * (double)weights[i]);
    biases[c] = (float)(factor * ((double)biases[c] - (double)values[2][c]) + (double)values[1][c]);
  }
}

static void remove_tensor(Onnx__GraphProto *graph, Onnx__TensorProto *tensor)
{
  size_t at = 0;
  while (graph->initializer[at] != tensor) at++;
  memmove(graph->initializer + at, graph->initializer + at + 1,
          (--graph->n_initializer - at) * sizeof tensor);
  onnx__tensor_proto__free_unpacked(tensor, NULL);
}

/* The product gives what the normalization gave. */
static void remove_norm(Onnx__GraphProto *graph, const pair *self, size_t i)
{
  char *given = self->product->output[0];
  self->product->output[0] = self->norm->output[0];
  self->norm->output[0] = given;
  memmove(graph->node + i, graph->node + i + 1, (--graph->n_node - i) * sizeof *graph->node);
  onnx__node_proto__free_unpacked(self->norm, NULL);
  for (size_t k = 0; k < 4; k++) remove_tensor(graph, self->values[k]);
}

static double epsilon_of(const Onnx__NodeProto *norm)
{
  for (size_t i = 0; i < norm->n_attribute; i++)
    if (strcmp(norm->attribute[i]->name, "epsilon") == 0) return (double)norm->attribute[i]->f;
  return 1e-5;
}

ls_status ls_onnx_fold(Onnx__GraphProto *graph)
{
  pair self;
  Onnx__TensorProto *bias;
  for (size_t i = 0; i < graph->n_node; i++) {
    if (!find_pair(graph, i, &self)) continue;
    LS_PASS(take_bias(graph, &self, &bias));
    apply(&self, epsilon_of(self.norm), bias);
    remove_norm(graph, &self, i--);
  }
  return LS_OK;
}
