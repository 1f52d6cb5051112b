/* SPDX-License-Identifier: BSD-3-Clause */
/* Counter-based randomness and memory-free permutations on top of Random123's Philox. */
#include "base/rng.h"

#include <Random123/philox.h>
#include <math.h>

enum { FEISTEL_ROUNDS = 8 };

static philox4x32_ctr_t philox(const uint32_t key[2], uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3)
{
  philox4x32_ctr_t counter = {{c0, c1, c2, c3}};
  philox4x32_key_t philox_key = {{key[0], key[1]}};
  return philox4x32(counter, philox_key);
}

ls_rng ls_rng_stream(uint64_t seed, ls_rng_purpose purpose, uint64_t a, uint64_t b)
{
  /* The counter holds the lower halves of a and b; their upper halves go into the key. */
  ls_rng rng = {.key = {(uint32_t)seed, (uint32_t)(seed >> 32)}};
  philox4x32_ctr_t mixed =
      philox(rng.key, (uint32_t)(a >> 32), (uint32_t)(b >> 32), (uint32_t)purpose, UINT32_MAX);
  rng.key[0] = mixed.v[0];
  rng.key[1] = mixed.v[1];
  rng.upper[0] = (uint32_t)a;
  rng.upper[1] = (uint32_t)b;
  rng.upper[2] = (uint32_t)purpose;
  return rng;
}

void ls_rng_block(const ls_rng *rng, uint32_t block, uint32_t words[4])
{
  philox4x32_ctr_t out = philox(rng->key, block, rng->upper[0], rng->upper[1], rng->upper[2]);
  for (int i = 0; i < 4; i++) words[i] = out.v[i];
}

void ls_rng_uniform(const ls_rng *rng, float low, float high, float *x, size_t count)
{
  uint32_t words[4];
  for (size_t i = 0; i < count; i++) {
    if (i % 4 == 0) ls_rng_block(rng, (uint32_t)(i / 4), words);
    x[i] = low + (high - low) * ls_rng_unit(words[i % 4]);
  }
}

void ls_rng_normal(const ls_rng *rng, float mean, float deviation, float *x, size_t count)
{
  const double two_pi = 6.283185307179586;
  for (size_t i = 0; i < count; i += 2) {
    uint32_t words[4];
    ls_rng_block(rng, (uint32_t)(i / 2), words);
    double u = ((double)words[0] + 1.0) * 0x1p-32; /* (0, 1]: the logarithm is finite */
    double radius = sqrt(-2.0 * log(u));
    double angle = two_pi * (double)words[1] * 0x1p-32;
    x[i] = mean + deviation * (float)(radius * cos(angle));
    if (i + 1 < count) x[i + 1] = mean + deviation * (float)(radius * sin(angle));
  }
}

ls_permutation ls_permutation_of(uint64_t seed, ls_rng_purpose purpose, uint64_t a, uint64_t b,
                                 uint64_t count)
{
  unsigned half_bits = 1;
  while (((uint64_t)1 << (2 * half_bits)) < count) half_bits++;
  return (ls_permutation){.rng = ls_rng_stream(seed, purpose, a, b), .count = count, .half_bits = half_bits};
}

static uint64_t feistel_round(const ls_permutation *permutation, uint32_t round, uint64_t half)
{
  uint32_t words[4];
  ls_rng rng = permutation->rng;
  rng.upper[2] ^= round << 8; /* purposes are below 256: rounds have counters of their own */
  ls_rng_block(&rng, (uint32_t)half, words);
  return words[0] & (((uint64_t)1 << permutation->half_bits) - 1);
}

uint64_t ls_permutation_at(const ls_permutation *permutation, uint64_t i)
{
  uint64_t mask = ((uint64_t)1 << permutation->half_bits) - 1;
  do {
    uint64_t left = i >> permutation->half_bits;
    uint64_t right = i & mask;
    for (uint32_t round = 0; round < FEISTEL_ROUNDS; round++) {
      uint64_t next = left ^ feistel_round(permutation, round, right);
      left = right;
      right = next;
    }
    i = left << permutation->half_bits | right;
  } while (i >= permutation->count);
  return i;
}

uint64_t ls_permutation_inverse(const ls_permutation *permutation, uint64_t j)
{
  uint64_t mask = ((uint64_t)1 << permutation->half_bits) - 1;
  do {
    uint64_t left = j >> permutation->half_bits;
    uint64_t right = j & mask;
    for (uint32_t round = FEISTEL_ROUNDS; round-- > 0;) {
      uint64_t before = right ^ feistel_round(permutation, round, left);
      right = left;
      left = before;
    }
    j = left << permutation->half_bits | right;
  } while (j >= permutation->count);
  return j;
}
