/* SPDX-License-Identifier: BSD-3-Clause */
/* A way to compute convolutions: one file and one row of the list in nn/layers/conv.c. The first that fits a
 * shape is taken. Private to the convolution. */
#ifndef LS_NN_CONV_WAY_H
#define LS_NN_CONV_WAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "kernels/kernel_pass.h"
#include "nn/shape.h"
#include "nn/window.h"

/** What is convolved, and how. */
typedef struct ls_conv_shape {
  ls_shape in, out;        /* per sample */
  ls_window rows, columns; /* of the kernel */
  size_t groups;           /* parts of the channels, and of the filters, that only see each other */
  bool input_is_data;      /* backward() will not be asked for dx: nothing is planned or packed for it */
  bool keep_ties;          /* equal windows give equal floats */
} ls_conv_shape;

static inline size_t ls_conv_taps(const ls_conv_shape *shape)
{
  return shape->rows.size * shape->columns.size;
}

static inline size_t ls_conv_weights(const ls_conv_shape *shape)
{
  return shape->out.c * (shape->in.c / shape->groups) * ls_conv_taps(shape);
}

/** Some filters; `first` is a multiple of the plan's `piece`, and `count` is that, or what is left. */
typedef struct ls_conv_filters {
  size_t first, count;
} ls_conv_filters;

/** What a plan takes, in floats. */
typedef struct ls_conv_counts {
  size_t packed;  /* weights as its kernels read them */
  size_t grads;   /* gradient of the weights as its kernels make it */
  size_t scratch; /* of a pass */
  size_t piece;   /* filters that are packed and unpacked together, whatever others do meanwhile */
} ls_conv_counts;

/** Operations of a way. A plan is what its create() makes of a shape; not changed afterwards. */
typedef struct ls_conv_way {
  bool (*fits)(const ls_conv_shape *shape);

  /** Plan passes of at most `microbatch` samples. On error the caller still calls destroy() if *plan is set.
   * Local. Errors: LS_E_MEMORY, LS_E_USAGE. */
  ls_status (*create)(void **plan, const ls_conv_shape *shape, size_t microbatch, ls_conv_counts *counts);
  void (*destroy)(void *plan);

  /** Pack some filters of weights[filters, channels of a group, rows, columns]. */
  void (*pack)(const void *plan, const float *weights, float *packed, ls_conv_filters filters);

  /** Turn the gradient of some filters into the layout of the weights. */
  void (*unpack)(const void *plan, const float *grads, float *weight_grads, ls_conv_filters filters);

  /** y[n, out] = conv(x[n, in]) + bias. */
  void (*forward)(const void *plan, const ls_kernel_pass *pass, const float *x, float *y);

  /** The gradient of the weights goes to `grads`, set or added as the pass says (`accumulate`), that with
   * respect to the input to dx; each unless it is NULL. */
  void (*backward)(const void *plan, const ls_kernel_pass *pass, const float *x, const float *dy, float *dx,
                   float *grads);
} ls_conv_way;

enum { LS_CONV_PIECE = 16 }; /* filters of a cache line: the ways' piece, but for that of panels */

/** The way of a shape. */
const ls_conv_way *ls_conv_way_choose(const ls_conv_shape *shape);

/** One filter, or some, for each channel by itself. */
extern const ls_conv_way ls_conv_depthwise;
/** Any other number of groups, one after the other. */
extern const ls_conv_way ls_conv_grouped;
/** Dense layers over windows that lie side by side in memory. */
extern const ls_conv_way ls_conv_affine;
/** Vectors of pixels, for images of few channels. */
extern const ls_conv_way ls_conv_planar;
/** Winograd's minimal filtering, for 3x3 kernels. */
extern const ls_conv_way ls_conv_winograd;
/** Batch-reduce products over the taps: takes any shape. */
extern const ls_conv_way ls_conv_direct;

#endif
