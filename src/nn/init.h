/* SPDX-License-Identifier: BSD-3-Clause */
/* Initializers of weights: He, Glorot, LeCun, normal or uniform, chosen by the activation that follows. */
#ifndef LS_NN_INIT_H
#define LS_NN_INIT_H

#include <stddef.h>
#include <stdint.h>

#include "nn/layer.h"

/** Words of the `init` key of layers with weights, in the order of ls_init; NULL-terminated. */
extern const char *const ls_init_words[];

/** `auto` is He normal where the next activation is a rectifier (LS_ROLE_RECTIFIER), and Glorot uniform where
 * it is a sigmoid (LS_ROLE_SIGMOID), or where there is none before the next weights or the end. */
typedef enum ls_init {
  LS_INIT_AUTO,
  LS_INIT_HE_NORMAL,
  LS_INIT_HE_UNIFORM,
  LS_INIT_GLOROT_NORMAL,
  LS_INIT_GLOROT_UNIFORM,
  LS_INIT_LECUN_NORMAL,
  LS_INIT_LECUN_UNIFORM
} ls_init;

/** Resolve LS_INIT_AUTO by what follows: He for rectifiers, otherwise Glorot. */
ls_init ls_init_resolve(ls_init init, ls_role next);

/** Weights that lead into an output, and out of an input. */
typedef struct ls_fans {
  size_t in, out;
} ls_fans;

/** Fill a weight tensor: w[0..count). Stream (seed, LS_RNG_INIT, layer_index, 0). */
void ls_init_fill(ls_init init, uint64_t seed, uint32_t layer_index, ls_fans fans, float *w, size_t count);

#endif
