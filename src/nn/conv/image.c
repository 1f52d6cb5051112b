/* SPDX-License-Identifier: BSD-3-Clause */
/* Padding to the left and right by a copy; above and below, correlations leave out what is outside.
 *
 * An example: an image of 5x5 pixels and 8 channels, a kernel of 3x3, padding 1, stride 1. Output column j
 * reads source columns j - 1 to j + 1 (count 5, src_first -1, src_step 1, taps 3), so columns -1 to 5 are
 * read: left is 1, width 7. The copy is 5 rows of 7 pixels, 280 floats; pixel (r, c) of the image lies at
 * float (r * 7 + 1 + c) * 8, and columns 0 and 6 of the copy stay zero. It has no rows for the padding above
 * and below.
 *
 * With stride 2 the output has 3x3 pixels. The gradient with respect to column c of the input comes from the
 * taps u with c + 1 - u even: phase 0 are columns 1 and 3 (dst_first 1, dst_step 2), each by the 2 taps u = 0
 * and 2; phase 1 are columns 0, 2 and 4 by the one tap u = 1. */
#include "nn/conv/image.h"

#include <string.h>

#include "base/size.h"

ls_conv_axis ls_conv_forward_axis(const ls_window *window, size_t out)
{
  return (ls_conv_axis){.count = out,
                        .dst_step = 1,
                        .src_first = -(ptrdiff_t)window->before,
                        .src_step = window->stride,
                        .taps = window->size,
                        .tap_step = window->dilation};
}

static size_t common_divisor(size_t a, size_t b)
{
  while (b != 0) {
    const size_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Output position i and tap u touch position i * stride + u * dilation of the padded input. With their common
 * divisor g, what is in `phase` modulo the stride is touched by every (stride / g)-th tap from the first one
 * on that brings u * dilation there, by none if there is no such tap; from each to the next it is dilation /
 * g output positions. */
ls_conv_axis ls_conv_backward_axis(const ls_window *window, size_t in, size_t phase)
{
  const size_t stride = window->stride, pad = window->before;
  const size_t common = common_divisor(stride, window->dilation);
  const size_t step = stride / common;
  size_t tap = 0;
  while (tap < step && tap * window->dilation % stride != phase) tap++;
  const bool touched = tap < step && tap < window->size;
  const size_t taps = touched ? ls_size_ceil_div(window->size - tap, step) : 0;
  const size_t back =
      touched ? tap * window->dilation / stride + (taps - 1) * (window->dilation / common) : 0;
  const size_t skipped = phase < pad ? ls_size_ceil_div(pad - phase, stride) : 0;
  const size_t first = phase + skipped * stride - pad;
  return (ls_conv_axis){.count = first < in ? ls_size_ceil_div(in - first, stride) : 0,
                        .dst_first = first,
                        .dst_step = stride,
                        .src_first = (ptrdiff_t)skipped - (ptrdiff_t)back,
                        .src_step = 1,
                        .taps = taps,
                        .tap_step = window->dilation / common,
                        .kernel_last = touched ? tap + (taps - 1) * step : 0,
                        .kernel_step = step};
}

size_t ls_conv_phases(const ls_conv_shape *shape)
{
  return shape->input_is_data ? 0 : shape->rows.stride * shape->columns.stride;
}

void ls_conv_backward_axes(const ls_conv_shape *shape, size_t phase, ls_conv_axis *rows, ls_conv_axis *cols)
{
  const size_t across = shape->columns.stride;
  *rows = ls_conv_backward_axis(&shape->rows, shape->in.h, phase / across);
  *cols = ls_conv_backward_axis(&shape->columns, shape->in.w, phase % across);
}

ls_conv_inside ls_conv_taps_inside(const ls_conv_axis *axis, size_t i, size_t size)
{
  const ptrdiff_t first = axis->src_first + (ptrdiff_t)(i * axis->src_step);
  const ptrdiff_t left = (ptrdiff_t)size - first; /* positions from the first tap to the end */
  const size_t begin = first < 0 ? ls_size_ceil_div((size_t)-first, axis->tap_step) : 0;
  const size_t end = left > 0 ? ls_size_min(axis->taps, ls_size_ceil_div((size_t)left, axis->tap_step)) : 0;
  return (ls_conv_inside){begin, ls_size_max(begin, end)};
}

void ls_conv_image_cover(ls_conv_image *image, const ls_conv_axis *axis)
{
  if (axis->count == 0 || axis->taps == 0) return;
  if (axis->src_first < 0) image->left = ls_size_max(image->left, (size_t)-axis->src_first);
  const ptrdiff_t end = axis->src_first + (ptrdiff_t)((axis->count - 1) * axis->src_step +
                                                      (axis->taps - 1) * axis->tap_step + 1);
  if (end > 0)
    image->width = ls_size_max(image->width, (size_t)end); /* without `left` until ls_conv_image_fix() */
}

void ls_conv_image_fix(ls_conv_image *image)
{
  image->copied = image->left > 0 || image->width > image->shape.w || image->channels > image->shape.c;
  image->width = image->copied ? image->left + ls_size_max(image->width, 1) : image->shape.w;
}

size_t ls_conv_image_floats(const ls_conv_image *image)
{
  return image->copied ? image->shape.h * image->width * image->channels : 0;
}

void ls_conv_image_clear(const ls_conv_image *image, float *copy)
{
  memset(copy, 0, ls_conv_image_floats(image) * sizeof *copy);
}

/* Pixels of `channels` floats from pixels of fewer. */
static void widen_pixels(const float *restrict from, size_t pixels, size_t from_channels, size_t channels,
                         float *restrict to)
{
  for (size_t j = 0; j < pixels; j++)
    for (size_t c = 0; c < from_channels; c++) to[j * channels + c] = from[j * from_channels + c];
}

const float *ls_conv_image_load(const ls_conv_image *image, const float *x, float *copy)
{
  if (!image->copied) return x;
  const size_t columns = ls_size_min(image->shape.w, image->width - image->left);
  for (size_t row = 0; row < image->shape.h; row++) {
    float *to = copy + (row * image->width + image->left) * image->channels;
    const float *from = x + row * image->shape.w * image->shape.c;
    if (image->channels == image->shape.c)
      memcpy(to, from, columns * image->channels * sizeof *to);
    else
      widen_pixels(from, columns, image->shape.c, image->channels, to);
  }
  return copy;
}
