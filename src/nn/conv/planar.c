/* SPDX-License-Identifier: BSD-3-Clause */
/* Images of few channels in planes (planar.h): forward, and the gradient of the weights. That with respect to
 * the input, seldom wanted of a first layer, goes the direct way. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/conv/way.h"
#include "kernels/dispatch.h"

enum { MAX_CHANNELS = 4, MAX_SPAN = 16 };

typedef struct plan {
  const ls_kernel_set *kernels;
  ls_conv_shape shape;
  void *direct;                    /* for the gradient with respect to the input; NULL: not wanted */
  size_t *taps;                    /* [tap_count] offsets; owned */
  size_t tap_count;                /* channels * rows * columns of the kernel */
  size_t pitch, rows;              /* of a padded plane */
  size_t dy_pixels;                /* floats of a plane of dy */
  size_t dy_scratch, tile_scratch; /* offsets of the parts of scratch after the planes */
} plan;

static bool fits(const ls_conv_shape *shape)
{
  return shape->groups == 1 && shape->in.c <= MAX_CHANNELS && shape->rows.stride == 1 &&
         shape->columns.stride == 1 && ls_window_span(&shape->rows) <= MAX_SPAN &&
         ls_window_span(&shape->columns) <= MAX_SPAN;
}

static ls_status plan_taps(plan *self)
{
  const ls_window *rows = &self->shape.rows, *columns = &self->shape.columns;
  const size_t taps = ls_conv_taps(&self->shape);
  self->pitch = self->shape.out.w + ls_window_span(columns) - 1;
  self->rows = self->shape.out.h + ls_window_span(rows) - 1;
  self->tap_count = self->shape.in.c * taps;
  LS_PASS(ls_alloc(&self->taps, self->tap_count, sizeof *self->taps, "a convolution's taps"));
  for (size_t t = 0; t < self->tap_count; t++) {
    const size_t row = t / taps * self->rows + t % taps / columns->size * rows->dilation;
    self->taps[t] = row * self->pitch + t % columns->size * columns->dilation;
  }
  return LS_OK;
}

static size_t plan_scratch(plan *self)
{
  const size_t filters = self->shape.out.c;
  self->dy_pixels = ls_size_ceil_div(self->shape.out.h * self->pitch, LS_PLANAR_LANES) * LS_PLANAR_LANES;
  self->dy_scratch = ls_floats_aligned(self->shape.in.c * self->rows * self->pitch +
                                       ls_window_span(&self->shape.columns) + LS_PLANAR_PIXELS);
  self->tile_scratch = self->dy_scratch + ls_floats_aligned(filters * self->dy_pixels);
  return self->tile_scratch + ls_size_ceil_div(filters, LS_PLANAR_LANES) * LS_PLANAR_LANES * LS_PLANAR_PIXELS;
}

static ls_status create(void **out, const ls_conv_shape *shape, size_t microbatch, ls_conv_counts *counts)
{
  plan *self;
  ls_conv_counts direct = {0};
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a convolution"));
  *out = self;
  self->kernels = ls_kernel_set_choose();
  self->shape = *shape;
  LS_PASS(plan_taps(self));
  if (!shape->input_is_data) LS_PASS(ls_conv_direct.create(&self->direct, shape, microbatch, &direct));
  const size_t weights = ls_conv_weights(shape);
  *counts = (ls_conv_counts){.packed = ls_floats_aligned(weights) + direct.packed,
                             .grads = weights,
                             .scratch = ls_size_max(plan_scratch(self), direct.scratch),
                             .piece = LS_CONV_PIECE};
  return LS_OK;
}

static void destroy(void *made)
{
  plan *self = made;
  if (self->direct) ls_conv_direct.destroy(self->direct);
  free(self->taps);
  free(self);
}

/* packed[tap][filter], then the direct way's. */
static void pack(const void *made, const float *weights, float *packed, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t taps = self->tap_count, all = self->shape.out.c;
  if (self->direct)
    ls_conv_direct.pack(self->direct, weights, packed + ls_floats_aligned(taps * all), filters);
  for (size_t t = 0; t < taps; t++)
    for (size_t f = filters.first; f < filters.first + filters.count; f++)
      packed[t * all + f] = weights[f * taps + t];
}

static void unpack(const void *made, const float *grads, float *weight_grads, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t first = filters.first * self->tap_count;
  memcpy(weight_grads + first, grads + first, filters.count * self->tap_count * sizeof *grads);
}

/* Nothing but the image is written to the planes: their padding is cleared once a pass. */
static void clear_planes(const plan *self, float *planes)
{
  memset(planes, 0, self->dy_scratch * sizeof *planes);
}

static void load_planes(const plan *self, const float *x, float *planes)
{
  const ls_conv_shape *shape = &self->shape;
  const ls_planar_split split = {.pixels = x,
                                 .rows = shape->in.h,
                                 .cols = shape->in.w,
                                 .channels = shape->in.c,
                                 .planes = planes + shape->rows.before * self->pitch + shape->columns.before,
                                 .pitch = self->pitch,
                                 .plane = self->rows * self->pitch};
  self->kernels->planar_split(&split);
}

static void forward(const void *made, const ls_kernel_pass *pass, const float *x, float *y)
{
  const plan *self = made;
  const ls_conv_shape *shape = &self->shape;
  ls_planar_forward sample = {.taps = {self->taps, self->tap_count},
                              .planes = pass->scratch,
                              .pitch = self->pitch,
                              .weights = pass->packed,
                              .bias = pass->bias,
                              .filters = shape->out.c,
                              .rows = shape->out.h,
                              .cols = shape->out.w,
                              .tile = pass->scratch + self->tile_scratch};
  clear_planes(self, pass->scratch);
  for (size_t i = 0; i < pass->n; i++) {
    load_planes(self, x + i * ls_shape_count(shape->in), pass->scratch);
    sample.y = y + i * ls_shape_count(shape->out);
    self->kernels->planar_forward(&sample);
  }
}

static void backward_weights(const plan *self, const ls_kernel_pass *pass, const float *x, const float *dy,
                             float *grads)
{
  const ls_conv_shape *shape = &self->shape;
  float *dy_planes = pass->scratch + self->dy_scratch;
  ls_planar_split split = {.rows = shape->out.h,
                           .cols = shape->out.w,
                           .channels = shape->out.c,
                           .planes = dy_planes,
                           .pitch = self->pitch,
                           .plane = self->dy_pixels};
  const ls_planar_weights sample = {.taps = {self->taps, self->tap_count},
                                    .planes = pass->scratch,
                                    .dy = dy_planes,
                                    .pixels = self->dy_pixels,
                                    .filters = shape->out.c,
                                    .grads = grads};
  clear_planes(self, pass->scratch);
  memset(dy_planes, 0, shape->out.c * self->dy_pixels * sizeof *dy_planes);
  for (size_t i = 0; i < pass->n; i++) {
    load_planes(self, x + i * ls_shape_count(shape->in), pass->scratch);
    split.pixels = dy + i * ls_shape_count(shape->out);
    self->kernels->planar_split(&split);
    self->kernels->planar_weights(&sample);
  }
  ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_WEIGHTS);
}

static void backward(const void *made, const ls_kernel_pass *pass, const float *x, const float *dy, float *dx,
                     float *grads)
{
  const plan *self = made;
  if (grads) backward_weights(self, pass, x, dy, grads);
  if (!dx) return;
  ls_kernel_pass direct = *pass;
  direct.packed += ls_floats_aligned(ls_conv_weights(&self->shape));
  ls_conv_direct.backward(self->direct, &direct, x, dy, dx, NULL);
}

const ls_conv_way ls_conv_planar = {.fits = fits,
                                    .create = create,
                                    .destroy = destroy,
                                    .pack = pack,
                                    .unpack = unpack,
                                    .forward = forward,
                                    .backward = backward};
