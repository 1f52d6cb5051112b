/* SPDX-License-Identifier: BSD-3-Clause */
#include "nn/conv_planar.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/kernel_pass.h"

enum { MAX_CHANNELS = 4, MAX_KERNEL = 16 };

bool ls_conv_planar_fits(const ls_conv_shape *shape)
{
  return shape->in.c <= MAX_CHANNELS && shape->kernel <= MAX_KERNEL && shape->stride == 1;
}

static size_t aligned(size_t floats)
{
  const size_t line = LS_ALIGNMENT / sizeof(float);
  return ls_size_ceil_div(floats, line) * line;
}

ls_status ls_conv_planar_init(ls_conv_planar *planar, const ls_conv_shape *shape)
{
  const size_t kernel = shape->kernel, channels = shape->in.c, filters = shape->out.c;
  planar->pitch = shape->out.w + kernel - 1;
  planar->rows = shape->out.h + kernel - 1;
  planar->tap_count = channels * kernel * kernel;
  LS_PASS(ls_alloc(&planar->taps, planar->tap_count, sizeof *planar->taps, "a convolution's taps"));
  for (size_t t = 0; t < planar->tap_count; t++)
    planar->taps[t] =
        (t / (kernel * kernel) * planar->rows + t / kernel % kernel) * planar->pitch + t % kernel;
  planar->dy_pixels = ls_size_ceil_div(shape->out.h * planar->pitch, LS_PLANAR_LANES) * LS_PLANAR_LANES;
  planar->dy_scratch = aligned(channels * planar->rows * planar->pitch + kernel + LS_PLANAR_PIXELS);
  planar->tile_scratch = planar->dy_scratch + aligned(filters * planar->dy_pixels);
  planar->scratch_count =
      planar->tile_scratch + ls_size_ceil_div(filters, LS_PLANAR_LANES) * LS_PLANAR_LANES * LS_PLANAR_PIXELS;
  planar->kernels = ls_tile_choose();
  return LS_OK;
}

void ls_conv_planar_fini(ls_conv_planar *planar)
{
  free(planar->taps);
}

void ls_conv_planar_pack(const ls_conv_planar *planar, const ls_conv_shape *shape, const float *weights,
                         float *packed)
{
  const size_t taps = planar->tap_count, filters = shape->out.c;
  for (size_t t = 0; t < taps; t++)
    for (size_t f = 0; f < filters; f++) packed[t * filters + f] = weights[f * taps + t];
}

/* Nothing but the image is written to the planes: their padding is cleared once a pass. */
static void clear_planes(const ls_conv_planar *planar, float *planes)
{
  memset(planes, 0, planar->dy_scratch * sizeof *planes);
}

static void load_planes(const ls_conv_planar *planar, const ls_conv_shape *shape, const float *x,
                        float *planes)
{
  const ls_planar_split split = {.pixels = x,
                                 .rows = shape->in.h,
                                 .cols = shape->in.w,
                                 .channels = shape->in.c,
                                 .planes = planes + shape->top * planar->pitch + shape->left,
                                 .pitch = planar->pitch,
                                 .plane = planar->rows * planar->pitch};
  planar->kernels->planar_split(&split);
}

void ls_conv_planar_forward(const ls_conv_planar *planar, const ls_conv_shape *shape,
                            const ls_kernel_pass *pass, const float *x, float *y)
{
  ls_planar_forward sample = {.taps = {planar->taps, planar->tap_count},
                              .planes = pass->scratch,
                              .pitch = planar->pitch,
                              .weights = pass->packed,
                              .bias = pass->bias,
                              .filters = shape->out.c,
                              .rows = shape->out.h,
                              .cols = shape->out.w,
                              .tile = pass->scratch + planar->tile_scratch};
  clear_planes(planar, pass->scratch);
  for (size_t i = 0; i < pass->n; i++) {
    load_planes(planar, shape, x + i * ls_shape_count(shape->in), pass->scratch);
    sample.y = y + i * ls_shape_count(shape->out);
    planar->kernels->planar_forward(&sample);
  }
}

void ls_conv_planar_backward_weights(const ls_conv_planar *planar, const ls_conv_shape *shape,
                                     const ls_kernel_pass *pass, const float *x, const float *dy,
                                     float *grads)
{
  float *dy_planes = pass->scratch + planar->dy_scratch;
  ls_planar_split split = {.rows = shape->out.h,
                           .cols = shape->out.w,
                           .channels = shape->out.c,
                           .planes = dy_planes,
                           .pitch = planar->pitch,
                           .plane = planar->dy_pixels};
  const ls_planar_weights sample = {.taps = {planar->taps, planar->tap_count},
                                    .planes = pass->scratch,
                                    .dy = dy_planes,
                                    .pixels = planar->dy_pixels,
                                    .filters = shape->out.c,
                                    .grads = grads};
  clear_planes(planar, pass->scratch);
  memset(dy_planes, 0, shape->out.c * planar->dy_pixels * sizeof *dy_planes);
  for (size_t i = 0; i < pass->n; i++) {
    load_planes(planar, shape, x + i * ls_shape_count(shape->in), pass->scratch);
    split.pixels = dy + i * ls_shape_count(shape->out);
    planar->kernels->planar_split(&split);
    planar->kernels->planar_weights(&sample);
  }
  ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_WEIGHTS);
}
