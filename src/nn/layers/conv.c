/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolution (cross-correlation, zero padding), square kernels:
 *
 *   y[n,i,j,k] = b[k] + sum over u,v,c of w[k,c,u,v] * x[n, i*stride+u-top, j*stride+v-left, c]
 *
 * Options, shapes and the table of operations; the loops are the ways listed below. Weights and layouts are
 * those of PyTorch's Conv2d; `pad: same` is that of Keras and TensorFlow (for stride 1 also PyTorch's). */
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
  size_t filters, kernel, stride;
  ls_count_or_word pad;
  bool bias;
  int init; /* ls_init */
} conv_options;

static const ls_conv_way *const ways[] = {&ls_conv_affine, &ls_conv_planar, &ls_conv_winograd,
                                          &ls_conv_direct};

typedef struct conv_layer {
  const ls_conv_way *way;
  void *plan; /* the way's */
  ls_conv_shape shape;
  size_t weight_count;
  size_t grad_count; /* without the bias */
  bool bias;
  ls_init init;
} conv_layer;

enum { MAX_KERNEL = 1024, MAX_PAD = 1024 }; /* far beyond any use; keeps sums of them from overflowing */

static const char *const pad_words[] = {"same", NULL};

static const ls_key keys[] = {
    {.path = "filters",
     .type = LS_KEY_COUNT,
     .offset = offsetof(conv_options, filters),
     .min = 1,
     .max = INT_MAX,
     .unit = "channels",
     .doc = "Number of filters: channels of the output."},
    {.path = "kernel",
     .type = LS_KEY_COUNT,
     .offset = offsetof(conv_options, kernel),
     .min = 1,
     .max = MAX_KERNEL,
     .unit = "pixels",
     .doc = "Side of the square kernel."},
    {.path = "stride",
     .type = LS_KEY_COUNT,
     .offset = offsetof(conv_options, stride),
     .preset = "1",
     .min = 1,
     .max = MAX_KERNEL,
     .unit = "pixels",
     .doc = "Step of the kernel over the image."},
    {.path = "pad",
     .type = LS_KEY_COUNT_OR_WORD,
     .offset = offsetof(conv_options, pad),
     .preset = "0",
     .max = MAX_PAD,
     .words = pad_words,
     .unit = "pixels",
     .doc =
         "Zeros added on each side; same adds as many as keep the size (divided by the stride, rounded up)."},
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

/* Output positions and padding before the first, along a dimension of `in` positions. */
static ls_status fit(const conv_options *options, size_t in, const char *dimension, size_t *out,
                     size_t *before)
{
  const size_t kernel = options->kernel;
  const size_t stride = options->stride;
  if (options->pad.word >= 0) {
    *out = ls_size_ceil_div(in, stride);
    const size_t covered = (*out - 1) * stride + kernel;
    *before = covered > in ? (covered - in) / 2 : 0;
    return LS_OK;
  }
  *before = options->pad.count;
  const size_t padded = in + 2 * *before;
  if (kernel > padded)
    return ls_fail(LS_E_CONFIG,
                   "a kernel of %zu does not fit an input of %zu %s with a pad of %zu: use a "
                   "smaller kernel or a larger pad",
                   kernel, in, dimension, *before);
  *out = (padded - kernel) / stride + 1;
  return LS_OK;
}

/* Every product of sizes that the kernels form fits an int: byte offsets then fit 64 bits by far,
 * and dimensions fit what the matrix libraries take. */
static ls_status check_sizes(const conv_options *options, ls_shape in, ls_shape out)
{
  const size_t pad = MAX_PAD + MAX_KERNEL;
  size_t weights = options->kernel * options->kernel;
  size_t image = (ls_size_max(in.w, out.w) + 2 * pad);
  const bool fits = ls_size_mul(weights, in.c, &weights) && ls_size_mul(weights, out.c, &weights) &&
                    weights <= INT_MAX && ls_size_mul(image, ls_size_max(in.h, out.h), &image) &&
                    ls_size_mul(image, ls_size_max(in.c, out.c), &image) && image <= INT_MAX;
  if (fits) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "%zu filters of %zux%zu on %zu channels of %zux%zu pixels are too large: weights "
                 "and images may have at most %d elements",
                 options->filters, options->kernel, options->kernel, in.c, in.h, in.w, INT_MAX);
}

static ls_status make_shape(const conv_options *options, ls_shape in, ls_conv_shape *shape)
{
  *shape = (ls_conv_shape){.in = in, .kernel = options->kernel, .stride = options->stride};
  shape->out.c = options->filters;
  LS_PASS(fit(options, in.h, "rows", &shape->out.h, &shape->top));
  LS_PASS(fit(options, in.w, "columns", &shape->out.w, &shape->left));
  return check_sizes(options, in, shape->out);
}

static ls_status make_plan(ls_layer *layer, bool keep_ties)
{
  conv_layer *self = layer->impl;
  ls_conv_counts counts;
  size_t i = 0;
  self->shape.input_is_data = layer->input_is_data;
  while (!ways[i]->fits(&self->shape) || (keep_ties && ways[i]->rounds_by_place)) i++;
  self->way = ways[i];
  LS_PASS(self->way->create(&self->plan, &self->shape, layer->microbatch, &counts));
  self->grad_count = counts.grads;
  layer->packed_count = counts.packed;
  layer->scratch_count = counts.scratch;
  layer->piece_params = self->way->piece * (self->weight_count / self->shape.out.c);
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
  layer->out = shape.out;
  self->bias = options->bias;
  self->init = ls_init_resolve((ls_init)options->init, ls_build_next(build));
  self->weight_count = options->filters * layer->in.c * options->kernel * options->kernel;
  layer->macs = (uint64_t)self->weight_count * shape.out.h * shape.out.w;
  const size_t dims[] = {options->filters, layer->in.c, options->kernel, options->kernel};
  LS_PASS(ls_build_param(build, layer, "weight", dims, 4, true));
  if (self->bias) LS_PASS(ls_build_param(build, layer, "bias", dims, 1, false));
  return make_plan(layer, ls_build_keeps_ties(build));
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
  const size_t taps = self->shape.kernel * self->shape.kernel;
  float *weights = params + layer->param_offset;
  ls_init_fill(self->init, seed, layer->index, layer->in.c * taps, layer->out.c * taps, weights,
               self->weight_count);
  if (self->bias) memset(weights + self->weight_count, 0, layer->out.c * sizeof *weights);
}

/* The filters of a piece; none if it holds nothing but biases, as last ones may. */
static ls_conv_filters filters_of(const conv_layer *self, size_t piece)
{
  const size_t first = ls_size_min(piece * self->way->piece, self->shape.out.c);
  return (ls_conv_filters){first, ls_size_min(self->way->piece, self->shape.out.c - first)};
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

static void describe(const ls_layer *layer, ls_text *text)
{
  const conv_layer *self = layer->impl;
  const ls_conv_shape *shape = &self->shape;
  ls_text_add(text, "%zu filters %zux%zu", shape->out.c, shape->kernel, shape->kernel);
  if (shape->stride > 1) ls_text_add(text, ", stride %zu", shape->stride);
  if (shape->top > 0 || shape->left > 0) ls_text_add(text, ", pad %zu", ls_size_max(shape->top, shape->left));
  if (!self->bias) ls_text_add(text, ", no bias");
}

const ls_layer_kind ls_layer_conv = {
    .schema = {.name = "conv",
               .doc = "Convolution with square kernels and zero padding.",
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
    .describe = describe,
};
