/* SPDX-License-Identifier: BSD-3-Clause */
/* The transforms of Winograd's minimal filtering F(4x4, 3x3): 36 multiplications a channel for 16 outputs of
 * a 3x3 convolution, where the direct way takes 144.
 *
 * Source: Lavin and Gray: "Fast Algorithms for Convolutional Neural Networks", 2015 (arXiv:1509.09308), whose
 * names of the matrices are kept: the output tile is A^T [(G g G^T) . (B^T d B)] A. Its gradients are the
 * adjoints: that of the weights is G^T [(A dy A^T) . (B^T d B)] G.
 *
 * Vectors run over channels. The 36 points of a tile lie `point` floats apart. Compiled once for
 * each kernel set (dispatch.h). Private to the convolution. */
#ifndef LS_KERNELS_WINOGRAD_H
#define LS_KERNELS_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

enum {
  LS_WINOGRAD_OUT = 4,     /* side of a tile of the output */
  LS_WINOGRAD_IN = 6,      /* side of the input that it needs */
  LS_WINOGRAD_POINTS = 36, /* products of a tile */
  LS_WINOGRAD_LANES = 8    /* channels must be a multiple of this */
};

/** A tile of an image and its transform. */
typedef struct ls_winograd_tile {
  size_t pixel, row; /* floats of the image from pixel to pixel and from row to row */
  size_t channels;   /* a multiple of LS_WINOGRAD_LANES */
  size_t rows, cols; /* pixels of an output tile that are inside the image, 1 .. 4 */
  size_t point;      /* floats from point to point */
  const float *bias; /* [channels]; NULL for none; the output transform adds it */
} ls_winograd_tile;

/** points = B^T image B: 6 x 6 pixels, all of them there. */
typedef void ls_winograd_input_function(const ls_winograd_tile *tile, const float *image, float *points);

/** image = bias + A^T points A. */
typedef void ls_winograd_output_function(const ls_winograd_tile *tile, const float *points, float *image);

/** points = A image A^T: the adjoint; pixels outside count as zero. */
typedef void ls_winograd_spread_function(const ls_winograd_tile *tile, const float *image, float *points);

/** Eight filters of 3 x 3 taps and their transform. */
typedef struct ls_winograd_filters {
  size_t lane;  /* floats from filter to filter, of the weights */
  bool rotated; /* by half a turn */
  size_t point; /* floats from point to point; filters lie side by side */
} ls_winograd_filters;

/** points = G weights G^T. */
typedef void ls_winograd_weights_function(const ls_winograd_filters *filters, const float *weights,
                                          float *points);

/** grads[tap * step] += G^T points G, of eight filters that lie side by side. */
typedef void ls_winograd_gradient_function(size_t point, const float *points, size_t step, float *grads);

#endif
