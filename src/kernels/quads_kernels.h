/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels of quads.h; a part of set_kernels.h. */

/* The larger of the best so far and a candidate, without a branch: which one it is cannot be guessed. */
#define PICK(candidate, at)                                                                                  \
  {                                                                                                          \
    const vec x = VECTOR_AT(candidate);                                                                      \
    const mask larger = (x > best) | (x != x);                                                               \
    best = CHOOSE(larger, x, best);                                                                          \
    best_at = (mask)CHOOSE(larger, (vec)((at) + (mask){0}), (vec)best_at);                                   \
  }

static void quads_forward(const float *above, const float *below, size_t windows, size_t channels, float *y,
                          uint16_t *argmax)
{
  for (size_t j = 0; j < windows; j++) {
    for (size_t c = 0; c < channels; c += LANES) {
      vec best = VECTOR_AT(above + c);
      mask best_at = {0};
      PICK(above + channels + c, 1)
      PICK(below + c, 2)
      PICK(below + channels + c, 3)
      STORE_AT(y + c, best);
      *(unaligned_indices *)(argmax + c) = __builtin_convertvector(best_at, index_vec);
    }
    above += 2 * channels;
    below += 2 * channels;
    y += channels;
    argmax += channels;
  }
}

static void quads_backward(const float *restrict dy, const uint16_t *restrict argmax, size_t windows,
                           size_t channels, int32_t left, float *restrict dx)
{
  for (size_t j = 0; j < windows; j++) {
    for (size_t side = 0; side < 2; side++, dx += channels)
      for (size_t c = 0; c < channels; c += LANES) {
        const mask at = __builtin_convertvector(*(const unaligned_indices *)(argmax + c), mask);
        const mask dy_bits = (mask)VECTOR_AT(dy + c);
        STORE_AT(dx + c, (vec)(dy_bits & (at == left + (int32_t)side)));
      }
    dy += channels;
    argmax += channels;
  }
}
