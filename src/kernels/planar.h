/* SPDX-License-Identifier: BSD-3-Clause */
/* Convolution of images with few channels, as vectors of neighbouring pixels: a multiply-add takes a weight
 * and eight pixels of a plane, where a matrix product would take one pixel and eight filters, and with one
 * channel and six filters spend more on fetching than on multiplying.
 *
 * The image is cut into planes, one a channel, padded with zeros; tap t of a kernel reads the plane
 * taps[t] floats further on. Compiled once for each kernel set (dispatch.h). Private to the convolution. */
#ifndef LS_KERNELS_PLANAR_H
#define LS_KERNELS_PLANAR_H

#include <stddef.h>

enum {
  LS_PLANAR_LANES = 8,  /* pixels of a vector */
  LS_PLANAR_PIXELS = 24 /* of a forward tile at most; as many floats are read beyond the last plane */
};

/** Where the taps of a kernel are. */
typedef struct ls_planar_taps {
  const size_t *offsets; /* [count] in the planes; borrowed */
  size_t count;
} ls_planar_taps;

/** One sample: y[rows, cols, filters] = bias + sum over taps of weights * planes. */
typedef struct ls_planar_forward {
  ls_planar_taps taps;
  const float *planes;
  size_t pitch;         /* floats from row to row of a plane */
  const float *weights; /* [tap][filter] */
  const float *bias;    /* [filters]; NULL for none */
  size_t filters, rows, cols;
  float *y;
  float *tile; /* scratch: [filters rounded up to lanes][LS_PLANAR_PIXELS] */
} ls_planar_forward;

typedef void ls_planar_forward_function(const ls_planar_forward *operands);

/** One sample: grads[filter][tap] += sum over pixels of dy * planes. */
typedef struct ls_planar_weights {
  ls_planar_taps taps;
  const float *planes;
  const float *dy; /* planes of the filters, of `pixels` floats each, laid out as those of the input */
  size_t pixels;   /* a multiple of LS_PLANAR_LANES */
  size_t filters;
  float *grads;
} ls_planar_weights;

typedef void ls_planar_weights_function(const ls_planar_weights *operands);

/** Pixels [rows, cols, channels] to planes [channels][rows, pitch]; the floats between the rows stay. */
typedef struct ls_planar_split {
  const float *pixels;
  size_t rows, cols, channels;
  float *planes;
  size_t pitch, plane; /* floats from row to row and from plane to plane */
} ls_planar_split;

typedef void ls_planar_split_function(const ls_planar_split *operands);

#endif
