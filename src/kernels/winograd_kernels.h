/* SPDX-License-Identifier: BSD-3-Clause */
/* The transforms of winograd.h; a part of set_kernels.h. Each is one transform of
 * vectors for the columns and again for the rows. */

enum { SIDE = LS_WINOGRAD_IN, OUT = LS_WINOGRAD_OUT, TAPS = 3 };

/* x * factor + y, for a constant factor. */
#define PLUS(y, factor, x) MULTIPLY_ADD_EIGHT(SPLAT_EIGHT(factor), x, y)

/* to = B^T from: six to six. */
ALWAYS_INLINE void transform_input(const eight *from, size_t step, eight *to, size_t to_step)
{
  const eight d0 = from[0], d1 = from[step], d2 = from[2 * step];
  const eight d3 = from[3 * step], d4 = from[4 * step], d5 = from[5 * step];
  const eight even = PLUS(d4, -4.0F, d2), odd = PLUS(d3, -4.0F, d1);
  const eight even2 = d4 - d2, odd2 = d3 - d1;
  to[0] = PLUS(PLUS(d4, -5.0F, d2), 4.0F, d0);
  to[to_step] = even + odd;
  to[2 * to_step] = even - odd;
  to[3 * to_step] = PLUS(even2, 2.0F, odd2);
  to[4 * to_step] = PLUS(even2, -2.0F, odd2);
  to[5 * to_step] = PLUS(PLUS(d5, -5.0F, d3), 4.0F, d1);
}

/* to = A^T from: six to four. */
ALWAYS_INLINE void transform_output(const eight *from, size_t step, eight *to, size_t to_step)
{
  const eight sum = from[step] + from[2 * step], difference = from[step] - from[2 * step];
  const eight sum2 = from[3 * step] + from[4 * step], difference2 = from[3 * step] - from[4 * step];
  to[0] = from[0] + sum + sum2;
  to[to_step] = PLUS(difference, 2.0F, difference2);
  to[2 * to_step] = PLUS(sum, 4.0F, sum2);
  to[3 * to_step] = PLUS(difference + from[5 * step], 8.0F, difference2);
}

/* to = A from: four to six. */
ALWAYS_INLINE void transform_spread(const eight *from, size_t step, eight *to, size_t to_step)
{
  const eight y0 = from[0], y1 = from[step], y2 = from[2 * step], y3 = from[3 * step];
  const eight even = y0 + y2, odd = y1 + y3;
  const eight even2 = PLUS(y0, 4.0F, y2), odd2 = PLUS(y1, 4.0F, y3);
  to[0] = y0;
  to[to_step] = even + odd;
  to[2 * to_step] = even - odd;
  to[3 * to_step] = PLUS(even2, 2.0F, odd2);
  to[4 * to_step] = PLUS(even2, -2.0F, odd2);
  to[5 * to_step] = y3;
}

/* to = G from: three to six. */
ALWAYS_INLINE void transform_weights(const eight *from, size_t step, eight *to, size_t to_step)
{
  const eight even = (from[0] + from[2 * step]) * (-1.0F / 6.0F), odd = from[step] * (-1.0F / 6.0F);
  const eight even2 = from[0] * (1.0F / 24.0F) + from[2 * step] * (1.0F / 6.0F);
  const eight odd2 = from[step] * (1.0F / 12.0F);
  to[0] = from[0] * 0.25F;
  to[to_step] = even + odd;
  to[2 * to_step] = even - odd;
  to[3 * to_step] = even2 + odd2;
  to[4 * to_step] = even2 - odd2;
  to[5 * to_step] = from[2 * step];
}

/* to = G^T from: six to three. */
ALWAYS_INLINE void transform_gradient(const eight *from, size_t step, eight *to, size_t to_step)
{
  const eight sum = from[step] + from[2 * step], difference = from[2 * step] - from[step];
  const eight sum2 = from[3 * step] + from[4 * step], difference2 = from[3 * step] - from[4 * step];
  to[0] = 0.25F * from[0] - sum * (1.0F / 6.0F) + sum2 * (1.0F / 24.0F);
  to[to_step] = difference * (1.0F / 6.0F) + difference2 * (1.0F / 12.0F);
  to[2 * to_step] = (sum2 - sum) * (1.0F / 6.0F) + from[5 * step];
}

static void winograd_input(const ls_winograd_tile *tile, const float *image, float *points)
{
  for (size_t c = 0; c < tile->channels; c += LS_WINOGRAD_LANES) {
    eight pixels[SIDE * SIDE], half[SIDE * SIDE], whole[SIDE * SIDE];
    for (size_t i = 0; i < SIDE; i++)
      for (size_t j = 0; j < SIDE; j++)
        pixels[i * SIDE + j] = EIGHT_AT(image + i * tile->row + j * tile->pixel + c);
    for (size_t j = 0; j < SIDE; j++) transform_input(pixels + j, SIDE, half + j, SIDE);
    for (size_t i = 0; i < SIDE; i++) transform_input(half + i * SIDE, 1, whole + i * SIDE, 1);
    for (size_t p = 0; p < SIDE * SIDE; p++) STORE_EIGHT(points + p * tile->point + c, whole[p]);
  }
}

static void winograd_output(const ls_winograd_tile *tile, const float *points, float *image)
{
  for (size_t c = 0; c < tile->channels; c += LS_WINOGRAD_LANES) {
    eight products[SIDE * SIDE], half[OUT * SIDE], whole[OUT * OUT];
    for (size_t p = 0; p < SIDE * SIDE; p++) products[p] = EIGHT_AT(points + p * tile->point + c);
    for (size_t j = 0; j < SIDE; j++) transform_output(products + j, SIDE, half + j, SIDE);
    for (size_t i = 0; i < OUT; i++) transform_output(half + i * SIDE, 1, whole + i * OUT, 1);
    eight bias = {0};
    if (tile->bias) bias = EIGHT_AT(tile->bias + c);
    for (size_t i = 0; i < tile->rows; i++)
      for (size_t j = 0; j < tile->cols; j++)
        STORE_EIGHT(image + i * tile->row + j * tile->pixel + c, whole[i * OUT + j] + bias);
  }
}

static void winograd_spread(const ls_winograd_tile *tile, const float *image, float *points)
{
  for (size_t c = 0; c < tile->channels; c += LS_WINOGRAD_LANES) {
    eight pixels[OUT * OUT] = {{0}}, half[SIDE * OUT], whole[SIDE * SIDE];
    for (size_t i = 0; i < tile->rows; i++)
      for (size_t j = 0; j < tile->cols; j++)
        pixels[i * OUT + j] = EIGHT_AT(image + i * tile->row + j * tile->pixel + c);
    for (size_t j = 0; j < OUT; j++) transform_spread(pixels + j, OUT, half + j, OUT);
    for (size_t i = 0; i < SIDE; i++) transform_spread(half + i * OUT, 1, whole + i * SIDE, 1);
    for (size_t p = 0; p < SIDE * SIDE; p++) STORE_EIGHT(points + p * tile->point + c, whole[p]);
  }
}

static void winograd_weights(const ls_winograd_filters *filters, const float *weights, float *points)
{
  eight taps[TAPS * TAPS], half[SIDE * TAPS], whole[SIDE * SIDE];
  for (size_t t = 0; t < TAPS * TAPS; t++)
    for (size_t lane = 0; lane < LS_WINOGRAD_LANES; lane++)
      taps[t][lane] = weights[lane * filters->lane + (filters->rotated ? TAPS * TAPS - 1 - t : t)];
  for (size_t j = 0; j < TAPS; j++) transform_weights(taps + j, TAPS, half + j, TAPS);
  for (size_t i = 0; i < SIDE; i++) transform_weights(half + i * TAPS, 1, whole + i * SIDE, 1);
  for (size_t p = 0; p < SIDE * SIDE; p++) STORE_EIGHT(points + p * filters->point, whole[p]);
}

static void winograd_gradient(size_t point, const float *points, size_t step, float *grads)
{
  eight products[SIDE * SIDE], half[TAPS * SIDE], whole[TAPS * TAPS];
  for (size_t p = 0; p < SIDE * SIDE; p++) products[p] = EIGHT_AT(points + p * point);
  for (size_t j = 0; j < SIDE; j++) transform_gradient(products + j, SIDE, half + j, SIDE);
  for (size_t i = 0; i < TAPS; i++) transform_gradient(half + i * SIDE, 1, whole + i * TAPS, 1);
  for (size_t t = 0; t < TAPS * TAPS; t++)
    STORE_EIGHT(grads + t * step, EIGHT_AT(grads + t * step) + whole[t]);
}
