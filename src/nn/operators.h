/* SPDX-License-Identifier: BSD-3-Clause */
/* A layer as operators of ONNX's set (onnx.ai/onnx/operators, version 17) that compute it in an evaluation.
 * Kinds describe theirs as plain structs; who writes them into a file is no matter to nn. */
#ifndef LS_NN_OPERATORS_H
#define LS_NN_OPERATORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/shape.h"

enum { LS_OPERATOR_INPUTS = 5, LS_OPERATOR_ATTRIBUTES = 6, LS_OPERATOR_DIMS = 4, LS_OPERATORS_MAX = 8 };

typedef struct ls_layer ls_layer;

/** How a value lies in ONNX. A vector of features may come as an image of one pixel. */
typedef enum ls_form {
  LS_FORM_ANY,    /* as it comes; several inputs of a layer get one form */
  LS_FORM_IMAGE,  /* [N, C, H, W] */
  LS_FORM_VECTOR, /* [N, C] */
  LS_FORM_OTHER   /* between operators of one layer */
} ls_form;

typedef enum ls_operand_source {
  LS_OPERAND_END,      /* behind the last one */
  LS_OPERAND_RESULT,   /* of an operator of the layer before this one */
  LS_OPERAND_INPUT,    /* what the layer takes */
  LS_OPERAND_INPUTS,   /* all that the layer takes */
  LS_OPERAND_TENSOR,   /* a parameter of the layer, or running statistics */
  LS_OPERAND_FILL,     /* a constant of equal numbers */
  LS_OPERAND_INTEGERS, /* a list of integers */
  LS_OPERAND_ABSENT    /* an optional one that is left out */
} ls_operand_source;

typedef struct ls_operand {
  ls_operand_source source;
  size_t input;                  /* of INPUT: which one */
  size_t back;                   /* of RESULT: so many operators before the last one */
  ls_form form;                  /* of INPUT: that it is brought into */
  const char *tensor;            /* "weight" */
  size_t dims[LS_OPERATOR_DIMS]; /* of FILL; of TENSOR: those it is given with, none: its own */
  size_t dim_count;              /* of FILL 0: a single number */
  double fill;
  int64_t integers[LS_OPERATOR_DIMS]; /* [dim_count] */
} ls_operand;

typedef enum ls_attribute_holds {
  LS_ATTRIBUTE_INTEGER,
  LS_ATTRIBUTE_INTEGERS,
  LS_ATTRIBUTE_REAL
} ls_attribute_holds;

typedef struct ls_attribute {
  const char *name; /* NULL: behind the last one */
  ls_attribute_holds holds;
  size_t count; /* of INTEGERS */
  int64_t integers[LS_OPERATOR_DIMS];
  double real;
} ls_attribute;

typedef struct ls_operator {
  const char *name; /* "Conv" */
  ls_operand inputs[LS_OPERATOR_INPUTS + 1];
  ls_attribute attributes[LS_OPERATOR_ATTRIBUTES + 1];
  ls_form gives; /* form of its result; ANY: that of its first input */
} ls_operator;

/** Who asks for the operators of layers. */
typedef struct ls_expression {
  /* A layer begins. inputs [layer->input_count]: positions of the layers, in this order, whose outputs it
   * takes, or LS_MODEL_INPUT. Without an operator after it, it passes its input on. */
  void (*begin)(void *user, const ls_layer *layer, const size_t *inputs);
  /* One of its operators, at most LS_OPERATORS_MAX for each input; the result of the last one is the layer's.
   * Borrowed. */
  void (*add)(void *user, const ls_operator *op);
  void *user;
} ls_expression;

#define LS_MODEL_INPUT SIZE_MAX

/* ---- words for kinds ---- */

static inline ls_operand ls_result(void)
{
  return (ls_operand){.source = LS_OPERAND_RESULT};
}

static inline ls_operand ls_input(ls_form form)
{
  return (ls_operand){.source = LS_OPERAND_INPUT, .form = form};
}

static inline ls_operand ls_all_inputs(void)
{
  return (ls_operand){.source = LS_OPERAND_INPUTS};
}

static inline ls_operand ls_tensor_called(const char *name)
{
  return (ls_operand){.source = LS_OPERAND_TENSOR, .tensor = name};
}

static inline ls_operand ls_number(double value)
{
  return (ls_operand){.source = LS_OPERAND_FILL, .fill = value};
}

static inline ls_attribute ls_integer(const char *name, size_t value)
{
  return (ls_attribute){.name = name, .integers = {(int64_t)value}};
}

static inline ls_attribute ls_real(const char *name, double value)
{
  return (ls_attribute){.name = name, .holds = LS_ATTRIBUTE_REAL, .real = value};
}

static inline ls_attribute ls_pair(const char *name, size_t rows, size_t columns)
{
  return (ls_attribute){.name = name,
                        .holds = LS_ATTRIBUTE_INTEGERS,
                        .count = 2,
                        .integers = {(int64_t)rows, (int64_t)columns}};
}

/** Of an image's padding, in ONNX's order; or of four dimensions. */
static inline ls_attribute ls_four(const char *name, size_t top, size_t left, size_t bottom, size_t right)
{
  return (ls_attribute){.name = name,
                        .holds = LS_ATTRIBUTE_INTEGERS,
                        .count = 4,
                        .integers = {(int64_t)top, (int64_t)left, (int64_t)bottom, (int64_t)right}};
}

/** Say a layer by one operator on its input that has no more to it: `name` of ONNX. */
void ls_express_plain(const ls_expression *to, const char *name);

/** A tensor of one value per channel, as images are multiplied by it: [c, 1, 1]. */
ls_operand ls_operand_of_channels(const char *tensor, size_t channels);

/** The shape of an image for Reshape: [0, c, h, w]. */
ls_operand ls_operand_of_shape(ls_shape shape);

#endif
