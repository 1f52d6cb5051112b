/* SPDX-License-Identifier: BSD-3-Clause */
/* What layers with several inputs share. Private to them. */
#ifndef LS_NN_LAYERS_MERGE_H
#define LS_NN_LAYERS_MERGE_H

#include "nn/layer.h"

static inline bool ls_shape_equal(ls_shape a, ls_shape b)
{
  return a.c == b.c && a.h == b.h && a.w == b.w;
}

/** Refuse two inputs that do not fit each other. `need`: "all inputs need the same shape". Local. Errors:
 * LS_E_CONFIG, always. */
ls_status ls_merge_refuse(const ls_layer *layer, size_t input, const char *need) LS_CHECKED;

/** y = the sum of the inputs, in their order, and its gradient. See ls_layer_kind. */
void ls_sum_merge(const ls_layer *layer, const ls_pass *pass, const float *const *xs, float *y);
void ls_sum_split(const ls_layer *layer, const ls_pass *pass, const float *const *xs, const float *dy,
                  float *const *dxs);
void ls_sum_express(const ls_layer *layer, const ls_expression *to);

#endif
