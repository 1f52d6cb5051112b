/* SPDX-License-Identifier: BSD-3-Clause */
/* What groupnorm, layernorm and instancenorm share: normalization of every sample by itself. Private to them.
 */
#ifndef LS_NN_LAYERS_SAMPLE_NORM_H
#define LS_NN_LAYERS_SAMPLE_NORM_H

#include "nn/layer.h"

/** What has statistics of its own, and what is trained. A sample is one item, or each pixel of it is one; the
 * channels of an item fall into groups, each with a mean and a variance of its own. */
typedef struct ls_sample_norm {
  double epsilon;
  size_t items;         /* of a sample */
  size_t pixels;        /* of an item: items * pixels is in.h * in.w */
  size_t groups;        /* of an item's channels, side by side; divide them */
  size_t affine_pixels; /* pixels with weights and biases of their own: in.h * in.w, or 1: a weight per
                           channel; 0: none */
} ls_sample_norm;

/** Rows of the keys that all of them have, of options with the members `epsilon` and `affine`. */
#define LS_SAMPLE_NORM_KEYS(options, affine_preset)                                                          \
  {.path = "epsilon",                                                                                        \
   .type = LS_KEY_REAL,                                                                                      \
   .offset = offsetof(options, epsilon),                                                                     \
   .preset = "1e-05",                                                                                        \
   .min = 0.0,                                                                                               \
   .max = 1.0,                                                                                               \
   .min_open = true,                                                                                         \
   .unit = "",                                                                                               \
   .doc = "Added to the variance before its root is taken."},                                                \
  {                                                                                                          \
    .path = "affine", .type = LS_KEY_BOOL, .offset = offsetof(options, affine), .preset = (affine_preset),   \
    .unit = "", .doc = "Scale and shift what is normalized, by trained weights and biases."                  \
  }

/** Set what create() sets, and impl to a copy of `norm`; with weights for every pixel, [c, h, w], the packed
 * form and the gradient are [h, w, c]. Local. Errors: LS_E_CONFIG where a mean would be of one value;
 * LS_E_MEMORY. */
ls_status ls_sample_norm_create(ls_layer *layer, const ls_sample_norm *norm, ls_build *build) LS_CHECKED;

/* Operations of the three kinds. See ls_layer_kind. */
void ls_sample_norm_destroy(ls_layer *layer);
void ls_sample_norm_init(const ls_layer *layer, uint64_t seed, float *params, float *buffers);
void ls_sample_norm_forward(const ls_layer *layer, const ls_pass *pass, const float *x, float *y,
                            float *saved, float *scratch);
void ls_sample_norm_backward(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y,
                             float *dy, float *dx, float *saved, float *scratch);

/** Append "epsilon 1e-05, no affine". */
void ls_sample_norm_describe(const ls_layer *layer, ls_text *text);

#endif
