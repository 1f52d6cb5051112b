/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of channels, one after the other: the images of a group are copied together, and convolved as the
 * group's shape is by itself. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/conv/way.h"

typedef struct plan {
  const ls_conv_way *way;
  void *inner;                /* the way's plan of one group */
  ls_conv_shape shape, group; /* of all, of one */
  ls_conv_counts counts;      /* of one, rounded up so that each starts aligned */
  size_t y_scratch, scratch;  /* offsets: the images of the group's filters, the way's own; x's are at 0 */
} plan;

static bool fits(const ls_conv_shape *shape)
{
  return shape->groups > 1;
}

static ls_status create(void **out, const ls_conv_shape *shape, size_t microbatch, ls_conv_counts *counts)
{
  plan *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a convolution"));
  *out = self;
  const size_t groups = shape->groups;
  self->shape = self->group = *shape;
  self->group.groups = 1;
  self->group.in.c /= groups;
  self->group.out.c /= groups;
  self->way = ls_conv_way_choose(&self->group);
  LS_PASS(self->way->create(&self->inner, &self->group, microbatch, &self->counts));
  self->counts.packed = ls_floats_aligned(self->counts.packed);
  self->counts.grads = ls_floats_aligned(self->counts.grads);
  self->y_scratch = ls_floats_aligned(microbatch * ls_shape_count(self->group.in));
  self->scratch = self->y_scratch + ls_floats_aligned(microbatch * ls_shape_count(self->group.out));
  *counts = (ls_conv_counts){.packed = groups * self->counts.packed,
                             .grads = groups * self->counts.grads,
                             .scratch = self->scratch + self->counts.scratch,
                             .piece = self->group.out.c};
  return LS_OK;
}

static void destroy(void *made)
{
  plan *self = made;
  if (self->inner) self->way->destroy(self->inner);
  free(self);
}

/* The filters of a group, in the pieces of its way. A piece of all is a group. */
static ls_conv_filters next_piece(const plan *self, size_t first)
{
  return (ls_conv_filters){first, ls_size_min(self->counts.piece, self->group.out.c - first)};
}

static void pack(const void *made, const float *weights, float *packed, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t group = filters.first / self->group.out.c;
  weights += group * ls_conv_weights(&self->group);
  packed += group * self->counts.packed;
  for (size_t first = 0; first < filters.count; first += self->counts.piece)
    self->way->pack(self->inner, weights, packed, next_piece(self, first));
}

static void unpack(const void *made, const float *grads, float *weight_grads, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t group = filters.first / self->group.out.c;
  grads += group * self->counts.grads;
  weight_grads += group * ls_conv_weights(&self->group);
  for (size_t first = 0; first < filters.count; first += self->counts.piece)
    self->way->unpack(self->inner, grads, weight_grads, next_piece(self, first));
}

/* to[pixels][channels] from every pixel of `from_channels`; and back. */
static void gather(const float *restrict from, size_t from_channels, size_t pixels, size_t channels,
                   float *restrict to)
{
  for (size_t p = 0; p < pixels; p++)
    for (size_t c = 0; c < channels; c++) to[p * channels + c] = from[p * from_channels + c];
}

static void scatter(const float *restrict from, size_t channels, size_t pixels, size_t to_channels,
                    float *restrict to)
{
  for (size_t p = 0; p < pixels; p++)
    for (size_t c = 0; c < channels; c++) to[p * to_channels + c] = from[p * channels + c];
}

static size_t pixels_of(ls_shape shape, const ls_kernel_pass *pass)
{
  return pass->n * shape.h * shape.w;
}

static ls_kernel_pass pass_of(const plan *self, const ls_kernel_pass *pass, size_t group)
{
  ls_kernel_pass inner = *pass;
  inner.packed += group * self->counts.packed;
  if (inner.bias) inner.bias += group * self->group.out.c;
  inner.scratch += self->scratch;
  return inner;
}

static void forward(const void *made, const ls_kernel_pass *pass, const float *x, float *y)
{
  const plan *self = made;
  const ls_shape in = self->group.in, out = self->group.out;
  float *x_group = pass->scratch, *y_group = pass->scratch + self->y_scratch;
  for (size_t g = 0; g < self->shape.groups; g++) {
    const ls_kernel_pass inner = pass_of(self, pass, g);
    gather(x + g * in.c, self->shape.in.c, pixels_of(in, pass), in.c, x_group);
    self->way->forward(self->inner, &inner, x_group, y_group);
    scatter(y_group, out.c, pixels_of(out, pass), self->shape.out.c, y + g * out.c);
  }
}

static void backward(const void *made, const ls_kernel_pass *pass, const float *x, const float *dy, float *dx,
                     float *grads)
{
  const plan *self = made;
  const ls_shape in = self->group.in, out = self->group.out;
  float *x_group = pass->scratch, *dy_group = pass->scratch + self->y_scratch;
  for (size_t g = 0; g < self->shape.groups; g++) {
    const ls_kernel_pass inner = pass_of(self, pass, g);
    gather(dy + g * out.c, self->shape.out.c, pixels_of(out, pass), out.c, dy_group);
    if (grads) {
      gather(x + g * in.c, self->shape.in.c, pixels_of(in, pass), in.c, x_group);
      self->way->backward(self->inner, &inner, x_group, dy_group, NULL, grads + g * self->counts.grads);
    }
    if (!dx) continue;
    self->way->backward(self->inner, &inner, NULL, dy_group, x_group, NULL);
    scatter(x_group, in.c, pixels_of(in, pass), self->shape.in.c, dx + g * in.c);
  }
}

const ls_conv_way ls_conv_grouped = {.fits = fits,
                                     .create = create,
                                     .destroy = destroy,
                                     .pack = pack,
                                     .unpack = unpack,
                                     .forward = forward,
                                     .backward = backward};
