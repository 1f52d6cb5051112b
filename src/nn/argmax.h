/* SPDX-License-Identifier: BSD-3-Clause */
/* The class that a sample is taken for. */
#ifndef LS_NN_ARGMAX_H
#define LS_NN_ARGMAX_H

#include <stddef.h>

#define LS_ARGMAX_OF(name, type)                                                                             \
  static inline size_t name(const type *values, size_t count)                                                \
  {                                                                                                          \
    size_t best = 0;                                                                                         \
    for (size_t k = 1; k < count; k++)                                                                       \
      if (values[k] > values[best]) best = k;                                                                \
    return best;                                                                                             \
  }

/** Where the largest of [count] logits or probabilities is, the first of equals. Local. Cannot fail. */
LS_ARGMAX_OF(ls_argmax_f32, float)
LS_ARGMAX_OF(ls_argmax_f64, double)

#undef LS_ARGMAX_OF

#endif
