/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolution (cross-correlation, zero padding):
 *
 *   y[n,i,j,k] = b[k] + sum over u,v,c of w[k,c,u,v] * x[n, i*stride+u*dilation-top,
 * j*stride+v*dilation-left, c]
 *
 * where c goes over the channels of k's group. Options, shapes and the table of operations; the loops are the
 * ways listed below. Weights and layouts are those of PyTorch's Conv2d; `pad: same` is that of Keras and
 * TensorFlow (for stride 1 also PyTorch's). */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "kernels/affine.h"
#include "nn/conv/way.h"
#include "nn/init.h"
#include "nn/kinds.h"

typedef struct conv_options {
  size_t filters, groups;
  ls_window_options windows;
  bool bias;
  int init; /* ls_init */
} conv_options;

/* The special ones first. */
static const ls_conv_way *const ways[] = {&ls_conv_depthwise, &ls_conv_grouped,  &ls_conv_affine,
                                          &ls_conv_planar,    &ls_conv_winograd, &ls_conv_direct};

const ls_conv_way *ls_conv_way_choose(const ls_conv_shape *shape)
{
  size_t i = 0;
  while (!ways[i]->fits(shape)) i++;
  return ways[i];
}

typedef struct conv_layer {
  const ls_conv_way *way;
  void *plan; /* the way's */
  ls_conv_shape shape;
  size_t weight_count;
  size_t grad_count; /* without the bias */
  size_t piece;      /* of the plan */
  bool bias;
  ls_init init;
} conv_layer;

enum { MAX_KERNEL = 1024, MAX_PAD = 1024 }; /* far beyond any use; keeps sums of them from overflowing */

static const ls_key keys[] = {
    {.path = "filters",
     .type = LS_KEY_COUNT,
     .offset = offsetof(conv_options, filters),
     .min = 1,
     .max = INT_MAX,
     .unit = "channels",
     .doc = "Number of filters: channels of the output."},
    {.path = "kernel",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(conv_options, windows.size),
     .min = 1,
     .max = MAX_KERNEL,
     .counts_max = 2,
     .unit = "pixels",
     .doc = "Side of the square kernel, or its rows and columns."},
    {.path = "stride",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(conv_options, windows.stride),
     .preset = "1",
     .min = 1,
     .max = MAX_KERNEL,
     .counts_max = 2,
     .unit = "pixels",
     .doc = "Step of the kernel over the image."},
    {.path = "pad",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(conv_options, windows.pad),
     .preset = "0",
     .max = MAX_PAD,
     .counts_max = 4,
     .words = ls_pad_words,
     .unit = "pixels",
     .doc =
         "Zeros added on each side; same adds as many as keep the size (divided by the stride, rounded up), "
         "an odd one below or to the right, as TensorFlow does."},
    {.path = "dilation",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(conv_options, windows.dilation),
     .preset = "1",
     .min = 1,
     .max = MAX_KERNEL,
     .counts_max = 2,
     .shown_if_other = true,
     .unit = "pixels",
     .doc = "Distance of the kernel's taps from each other."},
    {.path = "groups",
     .type = LS_KEY_COUNT,
     .offset = offsetof(conv_options, groups),
     .preset = "1",
     .min = 1,
     .max = INT_MAX,
     .shown_if_other = true,
     .unit = "parts",
     .doc =
         "Equal parts of the channels and of the filters; each filter sees the channels of its own part. As "
         "many as there are channels: a depthwise convolution."},
    {.path = "bias",
     .type = LS_KEY_BOOL,
     .offset = offsetof(conv_options, bias),
     .preset = "true",
     .unit = "",
     .doc = "Add a trained constant to each filter's output."},
    {.path = "init",
     .type = LS_KEY_WORD,
     .offset = offsetof(conv_options, init),
     .preset = "auto",
     .words = ls_init_words,
     .unit = "",
     .doc = "Initializer of the weights; auto chooses by the activation that follows."},
};

/* Every product of sizes that the kernels form fits an int: byte offsets then fit 64 bits by far,
 * and dimensions fit what the matrix libraries take. */
static ls_status check_sizes(const ls_conv_shape *shape)
{
  const ls_shape in = shape->in, out = shape->out;
  const size_t pad = MAX_PAD + ls_window_span(&shape->columns);
  size_t weights = ls_conv_taps(shape);
  size_t image = (ls_size_max(in.w, out.w) + 2 * pad);
  const bool fits = ls_size_mul(weights, in.c / shape->groups, &weights) &&
                    ls_size_mul(weights, out.c, &weights) && weights <= INT_MAX &&
                    ls_size_mul(image, ls_size_max(in.h, out.h), &image) &&
                    ls_size_mul(image, ls_size_max(in.c, out.c), &image) && image <= INT_MAX;
  if (fits) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "%zu filters of %zux%zu on %zu channels of %zux%zu pixels are too large: weights "
                 "and images may have at most %d elements",
                 out.c, shape->rows.size, shape->columns.size, in.c, in.h, in.w, INT_MAX);
}

static ls_status check_groups(const conv_options *options, size_t channels)
{
  const size_t groups = options->groups;
  if (channels % groups == 0 && options->filters % groups == 0) return LS_OK;
  return ls_fail(
      LS_E_CONFIG,
      "%zu channels and %zu filters cannot be divided into %zu groups of equal size: use a number of "
      "groups that divides both",
      channels, options->filters, groups);
}

static ls_status make_shape(const conv_options *options, ls_shape in, ls_conv_shape *shape)
{
  *shape = (ls_conv_shape){.in = in, .out.c = options->filters, .groups = options->groups};
  LS_PASS(check_groups(options, in.c));
  LS_PASS(ls_window_fit(&shape->rows, &shape->out.h, &options->windows, LS_ROWS, in.h, "kernel"));
  LS_PASS(ls_window_fit(&shape->columns, &shape->out.w, &options->windows, LS_COLUMNS, in.w, "kernel"));
  return check_sizes(shape);
}

static ls_status make_plan(ls_layer *layer)
{
  conv_layer *self = layer->impl;
  ls_conv_counts counts;
  self->way = ls_conv_way_choose(&self->shape);
  LS_PASS(self->way->create(&self->plan, &self->shape, layer->microbatch, &counts));
  self->grad_count = counts.grads;
  self->piece = counts.piece;
  layer->packed_count = counts.packed;
  layer->scratch_count = counts.scratch;
  layer->piece_params = counts.piece * (self->weight_count / self->shape.out.c);
  layer->grad_count = self->grad_count + (self->bias ? self->shape.out.c : 0);
  return LS_OK;
}

static ls_status create(ls_layer *layer, const void *options_of_kind, ls_build *build)
{
  const conv_options *options = options_of_kind;
  ls_conv_shape shape;
  LS_PASS(make_shape(options, layer->in, &shape));
  conv_layer *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a convolution"));
  layer->impl = self;
  self->shape = shape;
  self->shape.input_is_data = layer->input_is_data;
  self->shape.keep_ties = ls_build_keeps_ties(build);
  layer->out = shape.out;
  self->bias = options->bias;
  self->init = ls_init_resolve((ls_init)options->init, ls_build_next(build));
  self->weight_count = ls_conv_weights(&shape);
  layer->macs = (uint64_t)self->weight_count * shape.out.h * shape.out.w;
  const size_t dims[] = {shape.out.c, shape.in.c / shape.groups, shape.rows.size, shape.columns.size};
  LS_PASS(ls_build_param(build, layer, "weight", dims, 4, true));
  if (self->bias) LS_PASS(ls_build_param(build, layer, "bias", dims, 1, false));
  return make_plan(layer);
}

static void destroy(ls_layer *layer)
{
  conv_layer *self = layer->impl;
  if (!self) return;
  if (self->plan) self->way->destroy(self->plan);
  free(self);
}

static void init(const ls_layer *layer, uint64_t seed, float *params, float *buffers)
{
  (void)buffers;
  const conv_layer *self = layer->impl;
  const size_t taps = ls_conv_taps(&self->shape), groups = self->shape.groups;
  float *weights = params + layer->param_offset;
  const ls_fans fans = {.in = layer->in.c / groups * taps, .out = layer->out.c / groups * taps};
  ls_init_fill(self->init, seed, layer->index, fans, weights, self->weight_count);
  if (self->bias) memset(weights + self->weight_count, 0, layer->out.c * sizeof *weights);
}

/* The filters of a piece; none if it holds nothing but biases, as last ones may. */
static ls_conv_filters filters_of(const conv_layer *self, size_t piece)
{
  const size_t first = ls_size_min(piece * self->piece, self->shape.out.c);
  return (ls_conv_filters){first, ls_size_min(self->piece, self->shape.out.c - first)};
}

static void pack(const ls_layer *layer, const float *params, float *packed, size_t piece)
{
  const conv_layer *self = layer->impl;
  const ls_conv_filters filters = filters_of(self, piece);
  if (filters.count > 0)
    self->way->pack(self->plan, params + layer->param_offset, packed + layer->packed_offset, filters);
}

static void unpack(const ls_layer *layer, const float *grads, float *param_grads, size_t piece)
{
  const conv_layer *self = layer->impl;
  const ls_conv_filters filters = filters_of(self, piece);
  grads += layer->grad_offset;
  param_grads += layer->param_offset;
  if (filters.count > 0) self->way->unpack(self->plan, grads, param_grads, filters);
  const size_t begin = ls_size_max(piece * layer->piece_params, self->weight_count);
  const size_t end = ls_size_min((piece + 1) * layer->piece_params, layer->param_count);
  if (begin < end)
    memcpy(param_grads + begin, grads + self->grad_count + (begin - self->weight_count),
           (end - begin) * sizeof *grads);
}

static ls_kernel_pass kernel_pass(const ls_layer *layer, const ls_pass *pass, float *scratch)
{
  const conv_layer *self = layer->impl;
  const float *bias = self->bias ? pass->params + layer->param_offset + self->weight_count : NULL;
  return ls_layer_kernels(layer, pass, bias, scratch);
}

static void forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                    float *scratch)
{
  (void)saved;
  const conv_layer *self = layer->impl;
  const ls_kernel_pass kernels = kernel_pass(layer, pass, scratch);
  self->way->forward(self->plan, &kernels, x, y);
}

static void backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                     float *dx, float *saved, float *scratch)
{
  (void)y, (void)saved;
  const conv_layer *self = layer->impl;
  const ls_kernel_pass kernels = kernel_pass(layer, pass, scratch);
  float *grads = ls_layer_grads(layer, pass);
  if (grads && self->bias)
    ls_add_rows(dy, pass->n * layer->out.h * layer->out.w, layer->out.c, grads + self->grad_count);
  self->way->backward(self->plan, &kernels, x, dy, dx, grads);
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  const conv_layer *self = layer->impl;
  const ls_window *rows = &self->shape.rows, *columns = &self->shape.columns;
  ls_operator op = {
      .name = "Conv",
      .inputs = {ls_input(LS_FORM_IMAGE), ls_tensor_called("weight"), ls_tensor_called("bias")},
      .attributes = {ls_pair("kernel_shape", rows->size, columns->size),
                     ls_pair("strides", rows->stride, columns->stride),
                     ls_pair("dilations", rows->dilation, columns->dilation),
                     ls_four("pads", rows->before, columns->before, rows->after, columns->after),
                     ls_integer("group", self->shape.groups)}};
  if (!self->bias) op.inputs[2].source = LS_OPERAND_END;
  to->add(to->user, &op);
}

static void describe(const ls_layer *layer, ls_text *text)
{
  const conv_layer *self = layer->impl;
  const ls_conv_shape *shape = &self->shape;
  ls_text_add(text, "%zu filters ", shape->out.c);
  ls_windows_describe(&shape->rows, &shape->columns, text);
  if (shape->groups > 1) ls_text_add(text, ", %zu groups", shape->groups);
  if (!self->bias) ls_text_add(text, ", no bias");
}

const ls_layer_kind ls_layer_conv = {
    .schema = {.name = "conv",
               .doc = "Convolution with zero padding: plain, grouped, depthwise, dilated.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(conv_options)},
    .backward_reads_x = true,
    .create = create,
    .destroy = destroy,
    .init = init,
    .pack = pack,
    .unpack = unpack,
    .forward = forward,
    .backward = backward,
    .express = express,
    .describe = describe,
};
