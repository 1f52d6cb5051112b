/* SPDX-License-Identifier: BSD-3-Clause */
/* 3x3 convolutions of stride 1 by Winograd's minimal filtering (winograd.h). All tiles of some samples are
 * transformed, multiplied by the transformed weights in 36 matrix products, and transformed back. The
 * gradient with respect to the input is the same operation on dy, with the kernel turned round.
 *
 * The 16 outputs of a tile are rounded in different ways. They are equal floats where the 6x6 pixels that the
 * tile sees are equal in each channel: then all of its points but one are exact zeros. Where a tile sees
 * anything else as well, such as the padding, outputs whose own pixels are equal may differ in their last
 * bits, so that a max pooling after it may take another than the first of what the direct way makes equal. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/conv/way.h"
#include "kernels/dispatch.h"
#include "kernels/gemm/gemm.h"

enum {
  TAPS = 9,
  BLOCK = 64,             /* filters of a product: its weights fit the first-level cache */
  FEW_CHANNELS = 16,      /* with fewer, the transforms take longer than the products save */
  GROUP_FLOATS = 1 << 16, /* transforms of a group: half of a second-level cache */
  LEAST_TILES = 32,       /* but so many tiles, or else the weights are read too often */
  MOST_SAMPLES = 32,      /* that go together */
  MOST_TILES = 1024       /* of a sample: the transforms of all of them are in memory at a time */
};

/* At least so much of the tiles' output must be inside the image. */
static const double LEAST_COVERED = 0.45;

/* An image and the tiles that cover the output made of it. */
typedef struct tile_plan {
  ls_shape image;    /* as it is given */
  size_t top, left;  /* zeros before the first row and column */
  size_t rows, cols; /* tiles */
  ls_shape out;      /* what the tiles cover */
} tile_plan;

/* dst = bias + conv(src): forward, and the gradient with respect to the input. */
typedef struct correlation {
  tile_plan tiles;
  size_t weights;                  /* offset of its packed weights [point][channel][filter] */
  ls_gemm *gemms[2][MOST_SAMPLES]; /* [whole or last block of filters][samples - 1] */
} correlation;

typedef struct plan {
  const ls_kernel_set *kernels;
  bool input_is_data;
  correlation forward, backward;
  ls_gemm *gradient[MOST_SAMPLES];    /* [samples - 1] */
  size_t group;                       /* samples that go together */
  size_t points_in, points_out, sums; /* offsets of the parts of scratch after the padded image */
} plan;

static size_t tiles_of(const tile_plan *tiles)
{
  return tiles->rows * tiles->cols;
}

/* Floats from point to point of a matrix that is there for each: a line more than it has, because a power of
 * two would bring all points to the same set of the cache. */
static size_t point_floats(size_t rows, size_t columns)
{
  return ls_floats_aligned(rows * columns) + LS_ALIGNMENT / sizeof(float);
}

static tile_plan cover(ls_shape image, ls_shape out, size_t top, size_t left)
{
  return (tile_plan){.image = image,
                     .top = top,
                     .left = left,
                     .rows = ls_size_ceil_div(out.h, LS_WINOGRAD_OUT),
                     .cols = ls_size_ceil_div(out.w, LS_WINOGRAD_OUT),
                     .out = out};
}

/* The gradient with respect to the input is a convolution of dy with the rotated kernel. */
static tile_plan cover_backward(const ls_conv_shape *shape)
{
  return cover(shape->out, shape->in, 2 - shape->rows.before, 2 - shape->columns.before);
}

static double covered(const tile_plan *tiles)
{
  return (double)(tiles->out.h * tiles->out.w) /
         (double)(tiles_of(tiles) * LS_WINOGRAD_OUT * LS_WINOGRAD_OUT);
}

/* Three taps side by side, and no window beyond the image. */
static bool is_three(const ls_window *window)
{
  return window->size == 3 && window->stride == 1 && window->dilation == 1 && window->before < 3 &&
         window->after < 3;
}

static bool fits(const ls_conv_shape *shape)
{
  const bool is_kind =
      shape->groups == 1 && !shape->keep_ties && is_three(&shape->rows) && is_three(&shape->columns);
  const bool fills_lanes = shape->in.c % LS_WINOGRAD_LANES == 0 && shape->out.c % LS_WINOGRAD_LANES == 0;
  if (!is_kind || !fills_lanes || ls_size_min(shape->in.c, shape->out.c) < FEW_CHANNELS) return false;
  const tile_plan forward = cover(shape->in, shape->out, shape->rows.before, shape->columns.before);
  return covered(&forward) >= LEAST_COVERED && tiles_of(&forward) <= MOST_TILES;
}

static size_t padded_floats(const tile_plan *tiles)
{
  return (tiles->rows * LS_WINOGRAD_OUT + 2) * (tiles->cols * LS_WINOGRAD_OUT + 2) * tiles->image.c;
}

static ls_status plan_correlation(correlation *of, size_t group, size_t *packed)
{
  const size_t filters = of->tiles.out.c, channels = of->tiles.image.c;
  const size_t last = filters - (ls_size_ceil_div(filters, BLOCK) - 1) * BLOCK;
  of->weights = *packed;
  *packed += LS_WINOGRAD_POINTS * point_floats(filters, channels);
  for (size_t i = 0; i < 2 * group; i++) {
    const bool is_last = i < group;
    if (!is_last && filters <= BLOCK) break;
    const ls_gemm_shape product = {.m = is_last ? last : BLOCK,
                                   .n = (i % group + 1) * tiles_of(&of->tiles),
                                   .k = channels,
                                   .lda = filters,
                                   .ldb = channels,
                                   .ldc = filters,
                                   .overwrite = true};
    LS_PASS(ls_gemm_new(&of->gemms[is_last][i % group], &product));
  }
  return LS_OK;
}

static ls_status plan_gradient(plan *self, const ls_conv_shape *shape)
{
  for (size_t i = 0; i < self->group; i++) {
    const ls_gemm_shape product = {.m = shape->out.c,
                                   .n = shape->in.c,
                                   .k = (i + 1) * tiles_of(&self->forward.tiles),
                                   .lda = shape->out.c,
                                   .ldb = shape->in.c,
                                   .ldc = shape->out.c,
                                   .transpose_b = true};
    LS_PASS(ls_gemm_new(&self->gradient[i], &product));
  }
  return LS_OK;
}

static size_t plan_scratch(plan *self, const ls_conv_shape *shape)
{
  const tile_plan *forward = &self->forward.tiles, *backward = &self->backward.tiles;
  const size_t tiles = self->group * ls_size_max(tiles_of(forward), tiles_of(backward));
  const size_t channels = ls_size_max(shape->in.c, shape->out.c);
  self->points_in = ls_floats_aligned(ls_size_max(padded_floats(forward), padded_floats(backward)));
  self->points_out = self->points_in + LS_WINOGRAD_POINTS * point_floats(tiles, channels);
  self->sums = self->points_out + LS_WINOGRAD_POINTS * point_floats(tiles, channels);
  return self->sums + LS_WINOGRAD_POINTS * point_floats(shape->in.c, shape->out.c);
}

static ls_status create(void **out, const ls_conv_shape *shape, size_t microbatch, ls_conv_counts *counts)
{
  plan *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a convolution"));
  *out = self;
  self->kernels = ls_kernel_set_choose();
  self->input_is_data = shape->input_is_data;
  self->forward.tiles = cover(shape->in, shape->out, shape->rows.before, shape->columns.before);
  self->backward.tiles = cover_backward(shape);
  const size_t wanted =
      ls_size_max(LEAST_TILES, GROUP_FLOATS / (LS_WINOGRAD_POINTS * (shape->in.c + shape->out.c)));
  self->group = ls_size_min(ls_size_min(MOST_SAMPLES, microbatch),
                            ls_size_ceil_div(wanted, tiles_of(&self->backward.tiles)));
  *counts = (ls_conv_counts){.grads = ls_conv_weights(shape)};
  LS_PASS(plan_correlation(&self->forward, self->group, &counts->packed));
  if (!shape->input_is_data) LS_PASS(plan_correlation(&self->backward, self->group, &counts->packed));
  LS_PASS(plan_gradient(self, shape));
  counts->scratch = plan_scratch(self, shape);
  counts->piece = LS_CONV_PIECE;
  return LS_OK;
}

static void destroy(void *made)
{
  plan *self = made;
  for (size_t i = 0; i < MOST_SAMPLES; i++) {
    for (int last = 0; last < 2; last++) {
      ls_gemm_free(self->forward.gemms[last][i]);
      ls_gemm_free(self->backward.gemms[last][i]);
    }
    ls_gemm_free(self->gradient[i]);
  }
  free(self);
}

/* packed[point][channel][filter], and for the way back packed[point][filter][channel]. */
static void pack(const void *made, const float *weights, float *packed, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t all = self->forward.tiles.out.c, channels = self->forward.tiles.image.c;
  const size_t end = filters.first + filters.count;
  const ls_winograd_filters there = {.lane = channels * TAPS, .point = point_floats(all, channels)};
  const ls_winograd_filters back = {.lane = TAPS, .rotated = true, .point = point_floats(all, channels)};
  for (size_t c = 0; c < channels; c++)
    for (size_t f = filters.first; f < end; f += LS_WINOGRAD_LANES)
      self->kernels->winograd_weights(&there, weights + (f * channels + c) * TAPS,
                                      packed + self->forward.weights + c * all + f);
  if (self->input_is_data) return;
  for (size_t f = filters.first; f < end; f++)
    for (size_t c = 0; c < channels; c += LS_WINOGRAD_LANES)
      self->kernels->winograd_weights(&back, weights + (f * channels + c) * TAPS,
                                      packed + self->backward.weights + f * channels + c);
}

/* From grads[tap][channel][filter]. */
static void unpack(const void *made, const float *grads, float *weight_grads, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t all = self->forward.tiles.out.c, channels = self->forward.tiles.image.c;
  const size_t end = filters.first + filters.count;
  for (size_t t = 0; t < TAPS; t++)
    for (size_t c = 0; c < channels; c++, grads += all)
      for (size_t f = filters.first; f < end; f++) weight_grads[(f * channels + c) * TAPS + t] = grads[f];
}

/* A sample with the zeros around it that its tiles read. The zeros are there: see clear(). */
static void load_image(const tile_plan *tiles, const float *image, float *padded)
{
  const size_t row = tiles->image.w * tiles->image.c;
  const size_t pitch = (tiles->cols * LS_WINOGRAD_OUT + 2) * tiles->image.c;
  padded += tiles->top * pitch + tiles->left * tiles->image.c;
  for (size_t i = 0; i < tiles->image.h; i++)
    memcpy(padded + i * pitch, image + i * row, row * sizeof *padded);
}

/* Nothing but the image is written to the padded one: its zeros are made once a pass. */
static void clear(const tile_plan *tiles, float *padded)
{
  memset(padded, 0, padded_floats(tiles) * sizeof *padded);
}

/* Transform the input tiles of `count` samples to points[36][tiles of all][channels]. */
static void transform_in(const plan *self, const tile_plan *tiles, const float *images, size_t count,
                         float *scratch)
{
  const size_t channels = tiles->image.c;
  const ls_winograd_tile tile = {.pixel = channels,
                                 .row = (tiles->cols * LS_WINOGRAD_OUT + 2) * channels,
                                 .channels = channels,
                                 .point = point_floats(count * tiles_of(tiles), channels)};
  float *points = scratch + self->points_in;
  for (size_t s = 0; s < count; s++) {
    load_image(tiles, images + s * ls_shape_count(tiles->image), scratch);
    for (size_t i = 0; i < tiles->rows; i++)
      for (size_t j = 0; j < tiles->cols; j++, points += channels)
        self->kernels->winograd_input(&tile, scratch + LS_WINOGRAD_OUT * (i * tile.row + j * channels),
                                      points);
  }
}

/* A tile of the output of `count` samples. */
static ls_winograd_tile output_tile(const tile_plan *tiles, const float *bias, size_t count)
{
  const size_t channels = tiles->out.c;
  return (ls_winograd_tile){.pixel = channels,
                            .row = tiles->out.w * channels,
                            .channels = channels,
                            .point = point_floats(count * tiles_of(tiles), channels),
                            .bias = bias};
}

/* The position of tile (i, j) in the output, whose pixels are `floats` apart. */
static void place_tile(const tile_plan *tiles, size_t i, size_t j, ls_winograd_tile *tile)
{
  tile->rows = ls_size_min(LS_WINOGRAD_OUT, tiles->out.h - i * LS_WINOGRAD_OUT);
  tile->cols = ls_size_min(LS_WINOGRAD_OUT, tiles->out.w - j * LS_WINOGRAD_OUT);
}

static void transform_out(const plan *self, const tile_plan *tiles, const float *bias, size_t count,
                          const float *scratch, float *images)
{
  const size_t channels = tiles->out.c;
  ls_winograd_tile tile = output_tile(tiles, bias, count);
  const float *points = scratch + self->points_out;
  for (size_t s = 0; s < count; s++, images += ls_shape_count(tiles->out))
    for (size_t i = 0; i < tiles->rows; i++)
      for (size_t j = 0; j < tiles->cols; j++, points += channels) {
        place_tile(tiles, i, j, &tile);
        self->kernels->winograd_output(&tile, points,
                                       images + LS_WINOGRAD_OUT * (i * tile.row + j * channels));
      }
}

/* The adjoint of transform_out(): from dy to points. */
static void spread_out(const plan *self, const float *dy, size_t count, float *scratch)
{
  const tile_plan *tiles = &self->forward.tiles;
  const size_t channels = tiles->out.c;
  ls_winograd_tile tile = output_tile(tiles, NULL, count);
  float *points = scratch + self->points_out;
  for (size_t s = 0; s < count; s++, dy += ls_shape_count(tiles->out))
    for (size_t i = 0; i < tiles->rows; i++)
      for (size_t j = 0; j < tiles->cols; j++, points += channels) {
        place_tile(tiles, i, j, &tile);
        self->kernels->winograd_spread(&tile, dy + LS_WINOGRAD_OUT * (i * tile.row + j * channels), points);
      }
}

/* The 36 products of a correlation. */
static void multiply(const plan *self, const correlation *of, const float *packed, size_t count,
                     float *scratch)
{
  const size_t filters = of->tiles.out.c, channels = of->tiles.image.c;
  const size_t tiles = count * tiles_of(&of->tiles);
  for (size_t p = 0; p < LS_WINOGRAD_POINTS; p++)
    for (size_t first = 0; first < filters; first += BLOCK)
      ls_gemm_run(of->gemms[first + BLOCK >= filters][count - 1], NULL,
                  packed + of->weights + p * point_floats(filters, channels) + first,
                  scratch + self->points_in + p * point_floats(tiles, channels),
                  scratch + self->points_out + p * point_floats(tiles, filters) + first, NULL);
}

static void run_correlation(const plan *self, const correlation *of, const ls_kernel_pass *pass,
                            const float *src, float *dst)
{
  clear(&of->tiles, pass->scratch);
  for (size_t s = 0; s < pass->n; s += self->group) {
    const size_t count = ls_size_min(self->group, pass->n - s);
    transform_in(self, &of->tiles, src + s * ls_shape_count(of->tiles.image), count, pass->scratch);
    multiply(self, of, pass->packed, count, pass->scratch);
    transform_out(self, &of->tiles, pass->bias, count, pass->scratch,
                  dst + s * ls_shape_count(of->tiles.out));
  }
}

static void forward(const void *made, const ls_kernel_pass *pass, const float *x, float *y)
{
  const plan *self = made;
  run_correlation(self, &self->forward, pass, x, y);
}

/* sums[36][channel][filter] += the products of some samples. */
static void add_products(const plan *self, size_t count, float *scratch)
{
  const tile_plan *tiles = &self->forward.tiles;
  const size_t filters = tiles->out.c, channels = tiles->image.c, all = count * tiles_of(tiles);
  for (size_t p = 0; p < LS_WINOGRAD_POINTS; p++)
    ls_gemm_run(self->gradient[count - 1], NULL, scratch + self->points_out + p * point_floats(all, filters),
                scratch + self->points_in + p * point_floats(all, channels),
                scratch + self->sums + p * point_floats(channels, filters), NULL);
}

static void backward_weights(const plan *self, const ls_kernel_pass *pass, const float *x, const float *dy,
                             float *grads)
{
  const tile_plan *tiles = &self->forward.tiles;
  const size_t weights = tiles->image.c * tiles->out.c;
  const size_t point = point_floats(tiles->image.c, tiles->out.c);
  float *sums = pass->scratch + self->sums;
  clear(tiles, pass->scratch);
  memset(sums, 0, LS_WINOGRAD_POINTS * point * sizeof *sums);
  for (size_t s = 0; s < pass->n; s += self->group) {
    const size_t count = ls_size_min(self->group, pass->n - s);
    transform_in(self, tiles, x + s * ls_shape_count(tiles->image), count, pass->scratch);
    spread_out(self, dy + s * ls_shape_count(tiles->out), count, pass->scratch);
    add_products(self, count, pass->scratch);
  }
  for (size_t i = 0; i < weights; i += LS_WINOGRAD_LANES)
    self->kernels->winograd_gradient(point, sums + i, weights, grads + i);
}

static void backward(const void *made, const ls_kernel_pass *pass, const float *x, const float *dy, float *dx,
                     float *grads)
{
  const plan *self = made;
  if (grads) backward_weights(self, pass, x, dy, grads);
  ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_WEIGHTS);
  if (!dx) return;
  ls_kernel_pass unbiased = *pass;
  unbiased.bias = NULL;
  run_correlation(self, &self->backward, &unbiased, dy, dx);
}

const ls_conv_way ls_conv_winograd = {.fits = fits,
                                      .create = create,
                                      .destroy = destroy,
                                      .pack = pack,
                                      .unpack = unpack,
                                      .forward = forward,
                                      .backward = backward};
