/* SPDX-License-Identifier: BSD-3-Clause */
/* Padding to the left and right by a copy; above and below, sweeps leave out what is outside.
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

ls_conv_axis ls_conv_forward_axis(size_t out, size_t kernel, size_t stride, size_t pad)
{
  return (ls_conv_axis){
      .count = out, .dst_step = 1, .src_first = -(ptrdiff_t)pad, .src_step = stride, .taps = kernel};
}

/* The positions of dx that are in `phase` modulo the stride, counted in the padded input: only every
 * stride-th tap touches them. Output row r and tap u touch padded input row r * stride + u. */
ls_conv_axis ls_conv_backward_axis(size_t in, size_t kernel, size_t stride, size_t pad, size_t phase)
{
  const size_t taps = phase < kernel ? ls_size_ceil_div(kernel - phase, stride) : 0;
  const size_t skipped = phase < pad ? ls_size_ceil_div(pad - phase, stride) : 0;
  const size_t first = phase + skipped * stride - pad;
  return (ls_conv_axis){.count = first < in ? ls_size_ceil_div(in - first, stride) : 0,
                        .dst_first = first,
                        .dst_step = stride,
                        .src_first = (ptrdiff_t)skipped - (ptrdiff_t)taps + 1,
                        .src_step = 1,
                        .taps = taps};
}

void ls_conv_image_cover(ls_conv_image *image, const ls_conv_axis *axis)
{
  if (axis->count == 0 || axis->taps == 0) return;
  if (axis->src_first < 0) image->left = ls_size_max(image->left, (size_t)-axis->src_first);
  const ptrdiff_t end = axis->src_first + (ptrdiff_t)((axis->count - 1) * axis->src_step + axis->taps);
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
