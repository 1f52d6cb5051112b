/* SPDX-License-Identifier: BSD-3-Clause */
/* Randomness as a pure function: every number is Philox4x32-10 of (seed, purpose, index...), so it does
 * not depend on which rank or thread asks for it, nor on what was drawn before.
 *
 * Source: Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Random123).
 */
#ifndef LS_BASE_RNG_H
#define LS_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/** The purpose of a stream; streams of different purposes are independent. Reproducible runs depend on the
 * values: append, never renumber. */
typedef enum ls_rng_purpose {
  LS_RNG_INIT = 1,      /* initial weights */
  LS_RNG_SHUFFLE = 2,   /* order of the samples in an epoch */
  LS_RNG_SPLIT = 3,     /* validation split */
  LS_RNG_DROPOUT = 4,   /* dropout masks */
  LS_RNG_AUGMENT = 5,   /* augmentation of an image */
  LS_RNG_MIXUP = 6,     /* its share in a mixture */
  LS_RNG_ATTACK = 16,   /* where an attack on an image starts */
  LS_RNG_NOISE = 17,    /* the signs of noise on an image */
  LS_RNG_BOOTSTRAP = 24 /* measurements that are drawn anew */
} ls_rng_purpose;

/** A stream of 32-bit words, addressed by position. 2^32 blocks of four words long. */
typedef struct ls_rng {
  uint32_t key[2];   /* seed */
  uint32_t upper[3]; /* purpose and the two indices, folded: the upper words of the counter */
} ls_rng;

/** The stream of (seed, purpose, a, b): for example a = epoch or step, b = sample or layer. */
ls_rng ls_rng_stream(uint64_t seed, ls_rng_purpose purpose, uint64_t a, uint64_t b);

/** Four words: block `block` of the stream. */
void ls_rng_block(const ls_rng *rng, uint32_t block, uint32_t words[4]);

/** A word as a float in [0, 1), all multiples of 2^-24 equally likely. */
static inline float ls_rng_unit(uint32_t word)
{
  return (float)(word >> 8) * 0x1p-24f;
}

/** Fill x[0..count) with uniform floats in [low, high). */
void ls_rng_uniform(const ls_rng *rng, float low, float high, float *x, size_t count);

/** Fill x[0..count) with normal floats (Box-Muller). */
void ls_rng_normal(const ls_rng *rng, float mean, float deviation, float *x, size_t count);

/** A pseudo-random permutation of 0..count-1 that needs no memory and can be inverted.
 *
 * A Feistel network whose round function is Philox, walked in cycles down to `count`
 * (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).
 */
typedef struct ls_permutation {
  ls_rng rng;
  uint64_t count;     /* size of the domain, below 2^62 */
  unsigned half_bits; /* the network permutes 2^(2*half_bits) >= count values */
} ls_permutation;

ls_permutation ls_permutation_of(uint64_t seed, ls_rng_purpose purpose, uint64_t a, uint64_t b,
                                 uint64_t count);

/** Where `i` < count goes. */
uint64_t ls_permutation_at(const ls_permutation *permutation, uint64_t i);

/** The i with ls_permutation_at(i) == j. */
uint64_t ls_permutation_inverse(const ls_permutation *permutation, uint64_t j);

#endif
