/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolutions that are affine maps of what lies side by side in memory: one window that is the whole image,
 * or windows of one pixel each. */
#include <stdlib.h>

#include "base/memory.h"
#include "kernels/affine.h"
#include "nn/conv/way.h"

typedef struct plan {
  ls_affine affine;
  size_t columns; /* of a sample */
} plan;

static bool fits(const ls_conv_shape *shape)
{
  const ls_shape in = shape->in, out = shape->out;
  const ls_window *rows = &shape->rows, *columns = &shape->columns;
  const bool whole = rows->size == in.h && columns->size == in.w && out.h == 1 && out.w == 1;
  const bool pixels =
      ls_conv_taps(shape) == 1 && rows->stride == 1 && columns->stride == 1 && out.h == in.h && out.w == in.w;
  const bool is_spread = rows->dilation > 1 || columns->dilation > 1;
  return shape->groups == 1 && rows->before == 0 && columns->before == 0 && !is_spread && (whole || pixels);
}

static ls_status create(void **out, const ls_conv_shape *shape, size_t microbatch, ls_conv_counts *counts)
{
  plan *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a convolution"));
  *out = self;
  const size_t taps = ls_conv_taps(shape);
  self->columns = shape->out.h * shape->out.w;
  self->affine = (ls_affine){
      .in = shape->in.c * taps, .out = shape->out.c, .taps = taps, .input_is_data = shape->input_is_data};
  LS_PASS(ls_affine_plan(&self->affine, microbatch * self->columns));
  *counts = (ls_conv_counts){.packed = self->affine.packed_count,
                             .grads = ls_conv_weights(shape),
                             .scratch = self->affine.scratch_count,
                             .piece = LS_AFFINE_PANEL};
  return LS_OK;
}

static void destroy(void *made)
{
  plan *self = made;
  ls_affine_fini(&self->affine);
  free(self);
}

static void pack(const void *made, const float *weights, float *packed, ls_conv_filters filters)
{
  const plan *self = made;
  ls_affine_pack_panel(&self->affine, weights, packed, filters.first);
}

static void unpack(const void *made, const float *grads, float *weight_grads, ls_conv_filters filters)
{
  const plan *self = made;
  ls_affine_unpack_panel(&self->affine, grads, weight_grads, filters.first);
}

static ls_kernel_pass columns_of(const plan *self, const ls_kernel_pass *pass)
{
  ls_kernel_pass columns = *pass;
  columns.n *= self->columns;
  return columns;
}

static void forward(const void *made, const ls_kernel_pass *pass, const float *x, float *y)
{
  const plan *self = made;
  const ls_kernel_pass columns = columns_of(self, pass);
  ls_affine_forward(&self->affine, &columns, x, y);
}

static void backward(const void *made, const ls_kernel_pass *pass, const float *x, const float *dy, float *dx,
                     float *grads)
{
  const plan *self = made;
  const ls_kernel_pass columns = columns_of(self, pass);
  if (grads) ls_affine_backward_weights(&self->affine, &columns, x, dy, grads);
  ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_WEIGHTS);
  if (dx) ls_affine_backward_data(&self->affine, &columns, dy, dx);
}

const ls_conv_way ls_conv_affine = {.fits = fits,
                                    .create = create,
                                    .destroy = destroy,
                                    .pack = pack,
                                    .unpack = unpack,
                                    .forward = forward,
                                    .backward = backward};
