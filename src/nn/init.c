/* SPDX-License-Identifier: BSD-3-Clause */
/* Initializers.
 *
 * He, Zhang, Ren, Sun: "Delving deep into rectifiers", ICCV 2015: variance 2 / fan_in.
 * Glorot, Bengio: "Understanding the difficulty of training deep feedforward networks", AISTATS 2010:
 * variance 2 / (fan_in + fan_out). LeCun, Bottou, Orr, Mueller: "Efficient backprop", 1998: variance 1 /
 * fan_in.
 */
#include "nn/init.h"

#include <math.h>
#include <stdbool.h>

#include "base/rng.h"

const char *const ls_init_words[] = {
    [LS_INIT_AUTO] = "auto",
    [LS_INIT_HE_NORMAL] = "he_normal",
    [LS_INIT_HE_UNIFORM] = "he_uniform",
    [LS_INIT_GLOROT_NORMAL] = "glorot_normal",
    [LS_INIT_GLOROT_UNIFORM] = "glorot_uniform",
    [LS_INIT_LECUN_NORMAL] = "lecun_normal",
    [LS_INIT_LECUN_UNIFORM] = "lecun_uniform",
    NULL,
};

ls_init ls_init_resolve(ls_init init, ls_role next)
{
  if (init != LS_INIT_AUTO) return init;
  return next == LS_ROLE_RECTIFIER ? LS_INIT_HE_NORMAL : LS_INIT_GLOROT_UNIFORM;
}

/* Variance = gain / (fan_in, or the mean of both fans). */
static const struct {
  double gain;
  bool both_fans, uniform;
} table[] = {
    [LS_INIT_HE_NORMAL] = {2.0, false, false},    [LS_INIT_HE_UNIFORM] = {2.0, false, true},
    [LS_INIT_GLOROT_NORMAL] = {1.0, true, false}, [LS_INIT_GLOROT_UNIFORM] = {1.0, true, true},
    [LS_INIT_LECUN_NORMAL] = {1.0, false, false}, [LS_INIT_LECUN_UNIFORM] = {1.0, false, true},
};

void ls_init_fill(ls_init init, uint64_t seed, uint32_t layer_index, ls_fans fans, float *w, size_t count)
{
  double fan = (double)fans.in;
  if (table[init].both_fans) fan = 0.5 * ((double)fans.in + (double)fans.out);
  const float deviation = (float)sqrt(table[init].gain / fan);
  const float limit = (float)sqrt(3.0 * table[init].gain / fan);
  const ls_rng rng = ls_rng_stream(seed, LS_RNG_INIT, layer_index, 0);
  if (table[init].uniform)
    ls_rng_uniform(&rng, -limit, limit, w, count);
  else
    ls_rng_normal(&rng, 0.0F, deviation, w, count);
}
