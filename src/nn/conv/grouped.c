/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of channels, bundle by bundle: the images of a bundle are copied together, and convolved as its
 * shape is by itself. A bundle is a group, or, where these have too few channels for the other ways to be
 * fast, some groups whose weights are filled up with zeros. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/conv/way.h"

/* Of channels and of filters. Parts of up to MOST_CHANNELS are filled up, where groups have few. */
enum { FEW_CHANNELS = 16, MOST_CHANNELS = 32, MOST_TAPS = 9 };
enum { SAMPLES_FLOATS = 1 << 16 }; /* of the images that are worked on at a time: in the second-level cache */

typedef struct plan {
  const ls_conv_way *way;
  void *inner;                 /* the way's plan of one bundle */
  ls_conv_shape shape, bundle; /* of all, of one */
  size_t bundles, together;    /* groups in a bundle */
  size_t samples;              /* that all bundles are made of before the next ones */
  ls_conv_counts counts;       /* of one, rounded up so that each starts aligned */
  size_t filled;               /* offset in a bundle's packed weights of those with zeros */
  size_t y_scratch, scratch;   /* offsets: the images of the bundle's filters, the way's own; x's are at 0 */
} plan;

static bool fits(const ls_conv_shape *shape)
{
  return shape->groups > 1;
}

/* Groups that go together. */
static size_t choose_together(const ls_conv_shape *shape)
{
  const size_t channels = shape->in.c / shape->groups, filters = shape->out.c / shape->groups;
  size_t together = 1;
  if (ls_conv_taps(shape) > MOST_TAPS) return together;
  for (size_t m = 2; ls_size_max(channels, filters) * m <= MOST_CHANNELS; m++)
    if (shape->groups % m == 0 && ls_size_min(channels, filters) * together < FEW_CHANNELS) together = m;
  return together;
}

static void plan_counts(plan *self, ls_conv_counts *counts)
{
  self->filled = ls_floats_aligned(self->counts.packed);
  const size_t zeros = self->together > 1 ? ls_floats_aligned(ls_conv_weights(&self->bundle)) : 0;
  self->counts.packed = self->filled + zeros;
  self->counts.grads = ls_floats_aligned(self->counts.grads);
  self->y_scratch = ls_floats_aligned(self->samples * ls_shape_count(self->bundle.in));
  self->scratch = self->y_scratch + ls_floats_aligned(self->samples * ls_shape_count(self->bundle.out));
  *counts = (ls_conv_counts){.packed = self->bundles * self->counts.packed,
                             .grads = self->bundles * self->counts.grads,
                             .scratch = self->scratch + self->counts.scratch,
                             .piece = self->bundle.out.c};
}

static ls_status create(void **out, const ls_conv_shape *shape, size_t microbatch, ls_conv_counts *counts)
{
  plan *self;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a convolution"));
  *out = self;
  self->together = choose_together(shape);
  self->bundles = shape->groups / self->together;
  self->shape = self->bundle = *shape;
  self->bundle.groups = 1;
  self->bundle.in.c /= self->bundles;
  self->bundle.out.c /= self->bundles;
  self->way = ls_conv_way_choose(&self->bundle);
  const size_t floats = ls_size_max(ls_shape_count(shape->in), ls_shape_count(shape->out));
  self->samples = ls_size_min(microbatch, ls_size_max(1, SAMPLES_FLOATS / floats));
  LS_PASS(self->way->create(&self->inner, &self->bundle, self->samples, &self->counts));
  plan_counts(self, counts);
  return LS_OK;
}

static void destroy(void *made)
{
  plan *self = made;
  if (self->inner) self->way->destroy(self->inner);
  free(self);
}

/* The filters of a bundle, in the pieces of its way. A piece of all is a bundle. */
static ls_conv_filters next_piece(const plan *self, size_t first)
{
  return (ls_conv_filters){first, ls_size_min(self->counts.piece, self->bundle.out.c - first)};
}

/* Where the weights of filter f of a bundle are among those filled up with zeros: its own channels. */
static size_t place_of(const plan *self, size_t f)
{
  const size_t filters = self->bundle.out.c / self->together, channels = self->bundle.in.c / self->together;
  return (f * self->bundle.in.c + f / filters * channels) * ls_conv_taps(&self->bundle);
}

/* Weights of a filter without the zeros. */
static size_t own_weights(const plan *self)
{
  return self->bundle.in.c / self->together * ls_conv_taps(&self->bundle);
}

static void pack(const void *made, const float *weights, float *packed, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t bundle = filters.first / self->bundle.out.c, own = own_weights(self);
  weights += bundle * self->bundle.out.c * own;
  packed += bundle * self->counts.packed;
  if (self->together > 1) {
    float *filled = packed + self->filled;
    memset(filled, 0, ls_conv_weights(&self->bundle) * sizeof *filled);
    for (size_t f = 0; f < filters.count; f++)
      memcpy(filled + place_of(self, f), weights + f * own, own * sizeof *filled);
    weights = filled;
  }
  for (size_t first = 0; first < filters.count; first += self->counts.piece)
    self->way->pack(self->inner, weights, packed, next_piece(self, first));
}

static void unpack_bundle(const plan *self, const float *grads, float *weight_grads)
{
  for (size_t first = 0; first < self->bundle.out.c; first += self->counts.piece)
    self->way->unpack(self->inner, grads, weight_grads, next_piece(self, first));
}

static void unpack(const void *made, const float *grads, float *weight_grads, ls_conv_filters filters)
{
  const plan *self = made;
  const size_t bundle = filters.first / self->bundle.out.c, own = own_weights(self);
  float filled[MOST_CHANNELS * MOST_CHANNELS * MOST_TAPS]; /* with the gradients of the zeros */
  grads += bundle * self->counts.grads;
  weight_grads += bundle * self->bundle.out.c * own;
  if (self->together == 1) {
    unpack_bundle(self, grads, weight_grads);
    return;
  }
  unpack_bundle(self, grads, filled);
  for (size_t f = 0; f < filters.count; f++)
    memcpy(weight_grads + f * own, filled + place_of(self, f), own * sizeof *filled);
}

/* Some floats of each pixel from pixels of `from_step` floats to those of `to_step`. */
static void copy_pixels(const float *restrict from, size_t from_step, float *restrict to, size_t to_step,
                        size_t pixels, size_t floats)
{
  for (size_t p = 0; p < pixels; p++)
    for (size_t c = 0; c < floats; c++) to[p * to_step + c] = from[p * from_step + c];
}

/* Bundle p of n images, whose shapes are `all` and `bundle`: out of them, and into them. */
static void take_bundle(const float *images, ls_shape all, ls_shape bundle, size_t p, size_t n, float *to)
{
  copy_pixels(images + p * bundle.c, all.c, to, bundle.c, n * bundle.h * bundle.w, bundle.c);
}

static void put_bundle(const float *from, ls_shape all, ls_shape bundle, size_t p, size_t n, float *images)
{
  copy_pixels(from, bundle.c, images + p * bundle.c, all.c, n * bundle.h * bundle.w, bundle.c);
}

static ls_kernel_pass pass_of(const plan *self, const ls_kernel_pass *pass, size_t bundle)
{
  ls_kernel_pass inner = *pass;
  inner.packed += bundle * self->counts.packed;
  if (inner.bias) inner.bias += bundle * self->bundle.out.c;
  inner.scratch += self->scratch;
  return inner;
}

/* Some samples, as many as pass->n says. */
static void forward_samples(const plan *self, const ls_kernel_pass *pass, const float *x, float *y)
{
  float *x_bundle = pass->scratch, *y_bundle = pass->scratch + self->y_scratch;
  for (size_t p = 0; p < self->bundles; p++) {
    const ls_kernel_pass inner = pass_of(self, pass, p);
    take_bundle(x, self->shape.in, self->bundle.in, p, pass->n, x_bundle);
    self->way->forward(self->inner, &inner, x_bundle, y_bundle);
    put_bundle(y_bundle, self->shape.out, self->bundle.out, p, pass->n, y);
  }
}

static void backward_samples(const plan *self, const ls_kernel_pass *pass, const float *x, const float *dy,
                             float *dx, float *grads)
{
  float *x_bundle = pass->scratch, *dy_bundle = pass->scratch + self->y_scratch;
  for (size_t p = 0; p < self->bundles; p++) {
    take_bundle(dy, self->shape.out, self->bundle.out, p, pass->n, dy_bundle);
    const ls_kernel_pass inner = pass_of(self, pass, p);
    if (grads) {
      take_bundle(x, self->shape.in, self->bundle.in, p, pass->n, x_bundle);
      self->way->backward(self->inner, &inner, x_bundle, dy_bundle, NULL, grads + p * self->counts.grads);
    }
    if (!dx) continue;
    self->way->backward(self->inner, &inner, NULL, dy_bundle, x_bundle, NULL);
    put_bundle(x_bundle, self->shape.in, self->bundle.in, p, pass->n, dx);
  }
}

static void forward(const void *made, const ls_kernel_pass *pass, const float *x, float *y)
{
  const plan *self = made;
  ls_kernel_pass some = *pass;
  for (size_t s = 0; s < pass->n; s += self->samples) {
    some.n = ls_size_min(self->samples, pass->n - s);
    forward_samples(self, &some, x + s * ls_shape_count(self->shape.in),
                    y + s * ls_shape_count(self->shape.out));
  }
}

static void backward(const void *made, const ls_kernel_pass *pass, const float *x, const float *dy, float *dx,
                     float *grads)
{
  const plan *self = made;
  const size_t in = ls_shape_count(self->shape.in), out = ls_shape_count(self->shape.out);
  ls_kernel_pass some = *pass;
  for (size_t s = 0; s < pass->n; s += self->samples) {
    some.n = ls_size_min(self->samples, pass->n - s);
    backward_samples(self, &some, x + s * in, dy + s * out, dx ? dx + s * in : NULL, grads);
    some.accumulate = true;
  }
}

const ls_conv_way ls_conv_grouped = {.fits = fits,
                                     .create = create,
                                     .destroy = destroy,
                                     .pack = pack,
                                     .unpack = unpack,
                                     .forward = forward,
                                     .backward = backward};
