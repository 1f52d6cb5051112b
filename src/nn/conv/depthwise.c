/* SPDX-License-Identifier: BSD-3-Clause */
/* Depthwise convolutions: each filter sees one channel. The kernels of depthwise.h work along a row of
 * outputs that lie side by side; rows and columns of taps that fall into the padding are left out, so that
 * the image is read where it lies. The gradient with respect to the input is the same operation on dy, once
 * per phase of the stride.
 *
 * The kernels' channels are filters: where a channel has several, it is copied as often; where they do not
 * fill vectors, some zeros are put behind them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "kernels/dispatch.h"
#include "nn/conv/image.h"
#include "nn/conv/way.h"

/* Outputs [first, end) of a row, whose windows have the same columns of taps inside. */
typedef struct column_run {
  size_t first, end;
  ls_conv_inside taps;
} column_run;

/* dst = bias + weights * src. */
typedef struct correlation {
  ls_conv_axis rows, cols;
  ls_shape src; /* c: floats of a pixel, those that the kernels work on */
  size_t dst_width;
  size_t weights;           /* offset of its packed weights */
  ls_conv_inside *row_taps; /* [rows.count] that are inside; owned */
  column_run *runs;         /* [run_count] of a row; owned */
  size_t run_count;
} correlation;

typedef struct plan {
  const ls_kernel_set *kernels;
  ls_conv_shape shape;
  size_t each;     /* filters of a channel */
  size_t channels; /* the kernels': filters, or some more */
  bool copied;     /* the images are not laid out as the kernels' */
  correlation forward;
  correlation *backward; /* [ls_conv_phases()], one per phase of the stride; owned */
  size_t packed_count;   /* floats, as far as they are given out */
  size_t out_scratch;    /* offset of the copy of an image of the filters; that of the channels is at 0 */
} plan;

static bool fits(const ls_conv_shape *shape)
{
  return shape->groups > 1 && shape->groups == shape->in.c;
}

/* ---- plan ---- */

static size_t taps_of(const correlation *self)
{
  return self->rows.taps * self->cols.taps;
}

static bool is_whole(ls_conv_inside inside, size_t taps)
{
  return inside.begin == 0 && inside.end == taps;
}

/* Outputs whose windows have all taps inside go together, those at the edges one by one. */
static void find_runs(correlation *self)
{
  for (size_t j = 0; j < self->cols.count; j++) {
    const ls_conv_inside inside = ls_conv_taps_inside(&self->cols, j, self->src.w);
    column_run *last = self->run_count > 0 ? &self->runs[self->run_count - 1] : NULL;
    if (last && is_whole(inside, self->cols.taps) && is_whole(last->taps, self->cols.taps))
      last->end++;
    else
      self->runs[self->run_count++] = (column_run){j, j + 1, inside};
  }
}

/* The axes, shapes and width are set. */
static ls_status plan_correlation(plan *self, correlation *to)
{
  to->weights = self->packed_count;
  self->packed_count += taps_of(to) * self->channels;
  LS_PASS(ls_alloc(&to->row_taps, to->rows.count, sizeof *to->row_taps, "a convolution's rows"));
  LS_PASS(ls_alloc(&to->runs, to->cols.count, sizeof *to->runs, "a convolution's columns"));
  for (size_t i = 0; i < to->rows.count; i++) to->row_taps[i] = ls_conv_taps_inside(&to->rows, i, to->src.h);
  find_runs(to);
  return LS_OK;
}

static void free_correlation(correlation *self)
{
  free(self->row_taps);
  free(self->runs);
}

static ls_status plan_backward(plan *self, size_t phase)
{
  const ls_conv_shape *shape = &self->shape;
  correlation *back = &self->backward[phase];
  *back = (correlation){.src = {self->channels, shape->out.h, shape->out.w}, .dst_width = shape->in.w};
  ls_conv_backward_axes(shape, phase, &back->rows, &back->cols);
  return plan_correlation(self, back);
}

static ls_status create(void **out, const ls_conv_shape *shape, size_t microbatch, ls_conv_counts *counts)
{
  (void)microbatch;
  plan *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a convolution"));
  *out = self;
  self->kernels = ls_kernel_set_choose();
  self->shape = *shape;
  self->each = shape->out.c / shape->groups;
  self->channels = ls_size_round_up(shape->out.c, LS_DEPTHWISE_LANES);
  self->copied = self->channels != shape->in.c;
  self->forward = (correlation){.rows = ls_conv_forward_axis(&shape->rows, shape->out.h),
                                .cols = ls_conv_forward_axis(&shape->columns, shape->out.w),
                                .src = {self->channels, shape->in.h, shape->in.w},
                                .dst_width = shape->out.w};
  LS_PASS(plan_correlation(self, &self->forward));
  counts->grads = self->packed_count;
  LS_PASS(ls_alloc(&self->backward, ls_conv_phases(&self->shape), sizeof *self->backward,
                   "a convolution's phases"));
  for (size_t phase = 0; phase < ls_conv_phases(&self->shape); phase++) LS_PASS(plan_backward(self, phase));
  counts->packed = self->packed_count;
  counts->piece = LS_CONV_PIECE;
  counts->scratch = 0;
  if (!self->copied) return LS_OK;
  self->out_scratch = ls_floats_aligned(shape->in.h * shape->in.w * self->channels);
  counts->scratch = self->out_scratch + ls_floats_aligned((shape->out.h * shape->out.w + 1) * self->channels);
  return LS_OK;
}

static void destroy(void *made)
{
  plan *self = made;
  free_correlation(&self->forward);
  if (self->backward)
    for (size_t i = 0; i < ls_conv_phases(&self->shape); i++) free_correlation(&self->backward[i]);
  free(self->backward);
  free(self);
}

/* ---- weights ---- */

/* Where filter f is at tap 0 of `taps` of them, and how far it is to the next tap. */
typedef struct filter_place {
  size_t at, step;
} filter_place;

static filter_place find_filter(const plan *self, size_t taps, size_t f)
{
  const size_t block = f / LS_DEPTHWISE_SLICE * LS_DEPTHWISE_SLICE;
  return (filter_place){.at = block * taps + f - block,
                        .step = ls_size_min(LS_DEPTHWISE_SLICE, self->channels - block)};
}

/* The filters' end for the kernels: the last one takes what is behind it along. */
static size_t end_of(const plan *self, ls_conv_filters filters)
{
  const size_t end = filters.first + filters.count;
  return end == self->shape.out.c ? self->channels : end;
}

static void pack_correlation(const plan *self, const correlation *to, const float *weights, float *packed,
                             ls_conv_filters filters)
{
  const size_t width = self->shape.columns.size, all = ls_conv_taps(&self->shape);
  const bool is_forward = to == &self->forward;
  for (size_t f = filters.first; f < end_of(self, filters); f++) {
    const filter_place place = find_filter(self, taps_of(to), f);
    for (size_t t = 0; t < taps_of(to); t++) {
      const size_t row = t / to->cols.taps, column = t % to->cols.taps;
      const size_t u = is_forward ? row : to->rows.kernel_last - row * to->rows.kernel_step;
      const size_t v = is_forward ? column : to->cols.kernel_last - column * to->cols.kernel_step;
      packed[to->weights + place.at + t * place.step] =
          f < self->shape.out.c ? weights[f * all + u * width + v] : 0;
    }
  }
}

static void pack(const void *made, const float *weights, float *packed, ls_conv_filters filters)
{
  const plan *self = made;
  pack_correlation(self, &self->forward, weights, packed, filters);
  for (size_t phase = 0; phase < ls_conv_phases(&self->shape); phase++)
    pack_correlation(self, &self->backward[phase], weights, packed, filters);
}

static void unpack(const void *made, const float *grads, float *weight_grads, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t taps = ls_conv_taps(&self->shape);
  for (size_t f = filters.first; f < filters.first + filters.count; f++) {
    const filter_place place = find_filter(self, taps, f);
    for (size_t t = 0; t < taps; t++) weight_grads[f * taps + t] = grads[place.at + t * place.step];
  }
}

/* ---- images ---- */

/* An image of the layer's channels, each as often as it has filters, as the kernels read it. */
static const float *load_channels(const plan *self, const float *image, float *copy)
{
  if (!self->copied) return image;
  const size_t channels = self->shape.in.c;
  for (size_t p = 0; p < self->shape.in.h * self->shape.in.w; p++, copy += self->channels)
    for (size_t k = 0; k < self->channels; k++)
      copy[k] = k < self->shape.out.c ? image[p * channels + k / self->each] : 0;
  return copy - self->shape.in.h * self->shape.in.w * self->channels;
}

static const float *load_filters(const plan *self, const float *image, float *copy)
{
  if (!self->copied) return image;
  const size_t filters = self->shape.out.c, pixels = self->shape.out.h * self->shape.out.w;
  for (size_t p = 0; p < pixels; p++)
    for (size_t k = 0; k < self->channels; k++)
      copy[p * self->channels + k] = k < filters ? image[p * filters + k] : 0;
  return copy;
}

/* Back from the kernels' layout; the gradient of a channel is the sum of its filters'. */
static void store_filters(const plan *self, const float *copy, float *image)
{
  const size_t filters = self->shape.out.c, pixels = self->shape.out.h * self->shape.out.w;
  for (size_t p = 0; p < pixels; p++)
    memcpy(image + p * filters, copy + p * self->channels, filters * sizeof *image);
}

static void store_channels(const plan *self, const float *copy, float *image)
{
  const size_t channels = self->shape.in.c;
  for (size_t p = 0; p < self->shape.in.h * self->shape.in.w; p++, copy += self->channels)
    for (size_t c = 0; c < channels; c++) {
      float sum = copy[c * self->each];
      for (size_t i = 1; i < self->each; i++) sum += copy[c * self->each + i];
      image[p * channels + c] = sum;
    }
}

/* ---- passes ---- */

/* What a kernel works on: some channels of a run of outputs. */
typedef struct place {
  ls_depthwise_run run;
  size_t channel, tap; /* the first; tap: an offset in the weights */
  const float *src;    /* where the first tap of the first output reads */
  size_t dst;          /* offset of the first output */
} place;

typedef void run_function(const void *work, const place *at);

/* Some channels of row i. */
static void do_row(const correlation *self, size_t channel, size_t i, const float *src, run_function *run,
                   const void *work)
{
  const size_t channels = self->src.c, pitch = self->src.w * channels;
  const size_t lanes = ls_size_min(LS_DEPTHWISE_SLICE, channels - channel);
  const ls_conv_inside rows = self->row_taps[i];
  const size_t dst_row = (self->rows.dst_first + i * self->rows.dst_step) * self->dst_width;
  const ptrdiff_t row =
      self->rows.src_first + (ptrdiff_t)(i * self->rows.src_step + rows.begin * self->rows.tap_step);
  place at = {.run = {.lanes = lanes,
                      .tap_row = self->cols.taps * lanes,
                      .src_step = self->cols.src_step * channels,
                      .src_row = self->rows.tap_step * pitch,
                      .src_col = self->cols.tap_step * channels,
                      .dst_step = self->cols.dst_step * channels},
              .channel = channel};
  for (const column_run *o = self->runs; o < self->runs + self->run_count; o++) {
    const bool inside = rows.begin < rows.end && o->taps.begin < o->taps.end;
    const ptrdiff_t column = self->cols.src_first + (ptrdiff_t)(o->first * self->cols.src_step +
                                                                o->taps.begin * self->cols.tap_step);
    at.run.columns = o->end - o->first;
    at.run.rows = inside ? rows.end - rows.begin : 0;
    at.run.cols = inside ? o->taps.end - o->taps.begin : 0;
    at.tap = channel * taps_of(self) + (inside ? rows.begin * at.run.tap_row + o->taps.begin * lanes : 0);
    at.src = src + channel + (inside ? (size_t)row * pitch + (size_t)column * channels : 0);
    at.dst = (dst_row + self->cols.dst_first + o->first * self->cols.dst_step) * channels + channel;
    run(work, &at);
  }
}

static void do_correlation(const correlation *self, const float *src, run_function *run, const void *work)
{
  for (size_t channel = 0; channel < self->src.c; channel += LS_DEPTHWISE_SLICE)
    for (size_t i = 0; i < self->rows.count; i++) do_row(self, channel, i, src, run, work);
}

typedef struct forward_work {
  const ls_kernel_set *kernels;
  const float *weights, *bias;
  float *dst;
} forward_work;

static void run_forward(const void *work, const place *at)
{
  const forward_work *o = work;
  o->kernels->depthwise_forward(&at->run, o->weights + at->tap, o->bias ? o->bias + at->channel : NULL,
                                at->src, o->dst + at->dst);
}

typedef struct weights_work {
  const ls_kernel_set *kernels;
  const float *dy;
  float *grads;
} weights_work;

static void run_weights(const void *work, const place *at)
{
  const weights_work *o = work;
  o->kernels->depthwise_weights(&at->run, at->src, o->dy + at->dst, o->grads + at->tap);
}

static void forward(const void *made, const ls_kernel_pass *pass, const float *x, float *y)
{
  const plan *self = made;
  const size_t in = ls_shape_count(self->shape.in), out = ls_shape_count(self->shape.out);
  float *y_copy = pass->scratch + self->out_scratch;
  float *bias = NULL;
  forward_work work = {.kernels = self->kernels, .weights = pass->packed + self->forward.weights};
  if (self->copied && pass->bias) {
    bias = y_copy + self->shape.out.h * self->shape.out.w * self->channels;
    for (size_t k = 0; k < self->channels; k++) bias[k] = k < self->shape.out.c ? pass->bias[k] : 0;
  }
  work.bias = bias ? bias : pass->bias;
  for (size_t i = 0; i < pass->n; i++) {
    work.dst = self->copied ? y_copy : y + i * out;
    do_correlation(&self->forward, load_channels(self, x + i * in, pass->scratch), run_forward, &work);
    if (self->copied) store_filters(self, y_copy, y + i * out);
  }
}

static void backward_data(const plan *self, const ls_kernel_pass *pass, const float *dy, float *dx)
{
  const size_t in = ls_shape_count(self->shape.in), out = ls_shape_count(self->shape.out);
  forward_work work = {.kernels = self->kernels};
  for (size_t i = 0; i < pass->n; i++) {
    const float *src = load_filters(self, dy + i * out, pass->scratch + self->out_scratch);
    work.dst = self->copied ? pass->scratch : dx + i * in;
    for (size_t phase = 0; phase < ls_conv_phases(&self->shape); phase++) {
      work.weights = pass->packed + self->backward[phase].weights;
      do_correlation(&self->backward[phase], src, run_forward, &work);
    }
    if (self->copied) store_channels(self, pass->scratch, dx + i * in);
  }
}

static void backward(const void *made, const ls_kernel_pass *pass, const float *x, const float *dy, float *dx,
                     float *grads)
{
  const plan *self = made;
  const size_t in = ls_shape_count(self->shape.in), out = ls_shape_count(self->shape.out);
  for (size_t i = 0; grads && i < pass->n; i++) {
    const float *src = load_channels(self, x + i * in, pass->scratch);
    const weights_work work = {.kernels = self->kernels,
                               .dy = load_filters(self, dy + i * out, pass->scratch + self->out_scratch),
                               .grads = grads};
    do_correlation(&self->forward, src, run_weights, &work);
  }
  ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_WEIGHTS);
  if (dx) backward_data(self, pass, dy, dx);
}

const ls_conv_way ls_conv_depthwise = {.fits = fits,
                                       .create = create,
                                       .destroy = destroy,
                                       .pack = pack,
                                       .unpack = unpack,
                                       .forward = forward,
                                       .backward = backward};
