/* SPDX-License-Identifier: BSD-3-Clause */
/* Affine maps by panels of small matrix products. */
#include "kernels/affine.h"

#include <string.h>

#include "base/size.h"
#include "kernels/dispatch.h"

enum {
  PANEL = LS_AFFINE_PANEL,
  SLICE = 128,       /* columns of A in use at a time: PANEL * SLICE floats are half of a first-level cache */
  MAX_COLUMNS = 128, /* of x at a time */
  STRIP_FLOATS = 1 << 16, /* of the gradient of the weights that are made together */
  GATHER = 16,            /* channels packed at a time: they go to as many cache lines */
  LANES = 8 /* the last panel is padded to a multiple of this: kernels are slow at odd heights */
};

static const float zeros[PANEL];

/* Height of the last panel of `m` rows, between 1 and PANEL. */
static size_t last_of(size_t m, size_t block)
{
  return m - (ls_size_ceil_div(m, block) - 1) * block;
}

/* The largest planned size that is at most n. */
static size_t pick_size(const ls_product *product, size_t n)
{
  size_t i = 0;
  while (product->sizes[i] > n) i++;
  return i;
}

static void plan_sizes(ls_product *product, size_t columns)
{
  product->sizes[product->size_count++] = columns;
  size_t power = 1;
  while (power <= columns / 2) power *= 2;
  for (; power > 0; power /= 2)
    if (power < columns) product->sizes[product->size_count++] = power;
}

/* Kernels of one panel height and one slice length, for every number of columns. */
static ls_status plan_gemm(ls_product *product, bool last_panel, bool last_slice)
{
  const size_t m = last_panel ? ls_size_round_up(last_of(product->m, PANEL), LANES) : PANEL;
  const size_t k = last_slice ? last_of(product->k, SLICE) : SLICE;
  const bool padded = last_panel && product->m % LANES != 0;
  for (size_t i = 0; i < product->size_count; i++) {
    const ls_gemm_shape shape = {
        .m = m, .n = product->sizes[i], .k = k, .lda = m, .ldb = product->k, .ldc = padded ? m : product->m};
    LS_PASS(ls_gemm_new(&product->gemm[last_panel][last_slice][i], &shape));
  }
  return LS_OK;
}

static ls_status product_init(ls_product *product, size_t m, size_t k, size_t columns)
{
  product->m = m;
  product->k = k;
  plan_sizes(product, columns);
  LS_PASS(plan_gemm(product, true, true));
  if (k > SLICE) LS_PASS(plan_gemm(product, true, false));
  if (m > PANEL) LS_PASS(plan_gemm(product, false, true));
  if (m > PANEL && k > SLICE) LS_PASS(plan_gemm(product, false, false));
  return LS_OK;
}

static void product_fini(ls_product *product)
{
  for (size_t i = 0; i < 4 * LS_AFFINE_MAX_SIZES; i++) ls_gemm_free(product->gemm[i / 2 % 2][i % 2][i / 4]);
}

static size_t product_packed(const ls_product *product)
{
  return ls_size_round_up(product->m, LANES) * product->k;
}

/* Operands of a product, and how many of its columns: sizes[size]. */
typedef struct operands {
  const float *bias; /* [m] or NULL */
  const float *a;    /* panels; of the gradient, the inputs [columns][in] */
  const float *b;    /* [columns][k] */
  float *y;          /* [columns][m] */
  size_t size;
  float *scratch;
} operands;

/* The panel of A that starts at row `first`: c = start + A b. */
static void run_panel(const ls_product *product, const operands *o, size_t first, const float *start,
                      float *c)
{
  const bool last_panel = first + PANEL >= product->m;
  const size_t m = last_panel ? ls_size_round_up(last_of(product->m, PANEL), LANES) : PANEL;
  const float *a = o->a + first * product->k;
  for (size_t k = 0; k < product->k; k += SLICE) {
    const ls_gemm *gemm = product->gemm[last_panel][k + SLICE >= product->k][o->size];
    ls_gemm_run(gemm, k == 0 ? start : NULL, a + k * m, o->b + k, c, NULL);
  }
}

/* The last panel when its height is padded: made in scratch, then copied. */
static void run_padded_panel(const ls_product *product, const operands *o, size_t first)
{
  const size_t rows = product->m - first;
  const size_t padded = ls_size_round_up(rows, LANES);
  run_panel(product, o, first, zeros, o->scratch);
  for (size_t j = 0; j < product->sizes[o->size]; j++)
    for (size_t i = 0; i < rows; i++)
      o->y[j * product->m + first + i] = o->scratch[j * padded + i] + (o->bias ? o->bias[first + i] : 0);
}

/* y = bias + A b for sizes[size] columns. */
static void run_columns(const ls_product *product, const operands *o)
{
  for (size_t first = 0; first < product->m; first += PANEL) {
    if (first + PANEL > product->m && product->m % LANES != 0)
      run_padded_panel(product, o, first);
    else
      run_panel(product, o, first, o->bias ? o->bias + first : zeros, o->y + first);
  }
}

/* All n columns; o is at the first. */
static void product_run(const ls_product *product, operands o, size_t n)
{
  while (n > 0) {
    o.size = pick_size(product, n);
    run_columns(product, &o);
    const size_t columns = product->sizes[o.size];
    o.b += columns * product->k;
    o.y += columns * product->m;
    n -= columns;
  }
}

static ls_status plan_weights(ls_affine *affine, bool last_panel, bool last_strip)
{
  for (size_t i = 0; i < affine->forward.size_count; i++) {
    const ls_gemm_shape shape = {.m = last_panel ? last_of(affine->in, PANEL) : PANEL,
                                 .n = last_strip ? last_of(affine->out, affine->strip) : affine->strip,
                                 .k = affine->forward.sizes[i],
                                 .lda = PANEL,
                                 .ldb = affine->out,
                                 .ldc = affine->in,
                                 .transpose_b = true};
    LS_PASS(ls_gemm_new(&affine->weights[last_panel][last_strip][i], &shape));
  }
  return LS_OK;
}

static ls_status plan_gradient(ls_affine *affine)
{
  const size_t strips = ls_size_ceil_div(affine->in * affine->out, STRIP_FLOATS);
  affine->strip = ls_size_ceil_div(affine->out, strips);
  for (int last_strip = 0; last_strip < 2; last_strip++) {
    if (!last_strip && affine->out <= affine->strip) continue;
    LS_PASS(plan_weights(affine, true, last_strip));
    if (affine->in > PANEL) LS_PASS(plan_weights(affine, false, last_strip));
  }
  return LS_OK;
}

ls_status ls_affine_plan(ls_affine *affine, size_t columns)
{
  const size_t in = affine->in;
  const size_t out = affine->out;
  affine->kernels = ls_kernel_set_choose();
  columns = ls_size_min(columns, MAX_COLUMNS);
  LS_PASS(product_init(&affine->forward, out, in, columns));
  if (!affine->input_is_data) LS_PASS(product_init(&affine->data, in, out, columns));
  LS_PASS(plan_gradient(affine));
  affine->packed_count = product_packed(&affine->forward) + product_packed(&affine->data);
  affine->scratch_count = columns * PANEL;
  return LS_OK;
}

void ls_affine_fini(ls_affine *affine)
{
  product_fini(&affine->forward);
  product_fini(&affine->data);
  for (size_t i = 0; i < 4 * LS_AFFINE_MAX_SIZES; i++) ls_gemm_free(affine->weights[i / 2 % 2][i % 2][i / 4]);
}

/* packed[channels, rows] from one tap of weights[rows, channels, taps]; so many channels at a time that the
 * lines they go to stay in cache. */
static void pack_tap(const ls_affine *affine, const float *weights, size_t rows, float *packed)
{
  const size_t channels = affine->in / affine->taps;
  const size_t padded = ls_size_round_up(rows, LANES);
  for (size_t first = 0; first < channels; first += GATHER) {
    const size_t end = ls_size_min(first + GATHER, channels);
    for (size_t i = 0; i < rows; i++)
      for (size_t c = first; c < end; c++)
        packed[c * padded + i] = weights[i * affine->in + c * affine->taps];
  }
}

/* Panel [taps, channels, rows] of the forward product, from weights[rows, channels, taps]. */
static void pack_forward(const ls_affine *affine, const float *weights, size_t rows, float *packed)
{
  const size_t tap_floats = affine->in / affine->taps * ls_size_round_up(rows, LANES);
  if (rows % LANES != 0) memset(packed, 0, affine->taps * tap_floats * sizeof *packed);
  if (affine->taps == 1) {
    affine->kernels->transpose(weights, affine->in, rows, affine->in, packed, ls_size_round_up(rows, LANES));
    return;
  }
  for (size_t t = 0; t < affine->taps; t++) pack_tap(affine, weights + t, rows, packed + t * tap_floats);
}

/* Some outputs of a panel of inputs. */
typedef struct weight_block {
  size_t first, rows;   /* inputs */
  size_t output, count; /* the first output, and how many */
} weight_block;

/* A block of the panel [outputs, rows] of the product for dx. */
static void pack_data(const ls_affine *affine, const float *weights, const weight_block *block, float *packed)
{
  const size_t channels = affine->in / affine->taps, first = block->first, rows = block->rows;
  const size_t padded = ls_size_round_up(rows, LANES);
  size_t at[PANEL];
  for (size_t i = 0; i < rows; i++) at[i] = (first + i) % channels * affine->taps + (first + i) / channels;
  packed += first * affine->out + block->output * padded;
  weights += block->output * affine->in;
  for (size_t j = 0; j < block->count; j++, packed += padded, weights += affine->in) {
    if (affine->taps == 1)
      memcpy(packed, weights + first, rows * sizeof *packed);
    else
      for (size_t i = 0; i < rows; i++) packed[i] = weights[at[i]];
    for (size_t i = rows; i < padded; i++) packed[i] = 0;
  }
}

void ls_affine_pack_panel(const ls_affine *affine, const float *weights, float *packed, size_t first)
{
  const size_t count = ls_size_min(PANEL, affine->out - first);
  pack_forward(affine, weights + first * affine->in, count, packed + first * affine->in);
  packed += product_packed(&affine->forward);
  for (size_t row = 0; row < affine->data.m; row += PANEL) {
    const size_t rows = ls_size_min(PANEL, affine->data.m - row);
    pack_data(affine, weights, &(weight_block){.first = row, .rows = rows, .output = first, .count = count},
              packed);
  }
}

void ls_affine_pack(const ls_affine *affine, const float *weights, float *packed)
{
  for (size_t first = 0; first < affine->out; first += PANEL)
    ls_affine_pack_panel(affine, weights, packed, first);
}

void ls_affine_unpack_panel(const ls_affine *affine, const float *dw, float *weight_grads, size_t first)
{
  const size_t channels = affine->in / affine->taps;
  const size_t end = ls_size_min(first + PANEL, affine->out);
  dw += first * affine->in;
  weight_grads += first * affine->in;
  for (size_t i = first; i < end; i++, dw += affine->in, weight_grads += affine->in)
    for (size_t c = 0; c < channels; c++)
      for (size_t t = 0; t < affine->taps; t++) weight_grads[c * affine->taps + t] = dw[t * channels + c];
}

void ls_add_rows(const float *restrict x, size_t rows, size_t channels, float *restrict sum)
{
  size_t row = 0;
  for (; row + 4 <= rows; row += 4, x += 4 * channels)
    for (size_t c = 0; c < channels; c++)
      sum[c] += (x[c] + x[channels + c]) + (x[2 * channels + c] + x[3 * channels + c]);
  for (; row < rows; row++, x += channels)
    for (size_t c = 0; c < channels; c++) sum[c] += x[c];
}

void ls_affine_forward(const ls_affine *affine, const ls_kernel_pass *pass, const float *x, float *y)
{
  const operands o = {.bias = pass->bias, .a = pass->packed, .b = x, .y = y, .scratch = pass->scratch};
  product_run(&affine->forward, o, pass->n);
}

void ls_affine_backward_data(const ls_affine *affine, const ls_kernel_pass *pass, const float *dy, float *dx)
{
  const operands o = {
      .a = pass->packed + product_packed(&affine->forward), .b = dy, .y = dx, .scratch = pass->scratch};
  product_run(&affine->data, o, pass->n);
}

/* The gradient o.y of the outputs from `output` on, from o.a = x and o.b = dy of some columns, added to
 * `start`. A panel of x is copied together first: rows of a power of two floats would share few cache sets.
 */
static void add_columns(const ls_affine *affine, size_t output, const operands *o, const float *start)
{
  const bool last_strip = output + affine->strip >= affine->out;
  for (size_t first = 0; first < affine->in; first += PANEL) {
    const size_t rows = ls_size_min(PANEL, affine->in - first);
    for (size_t j = 0; j < affine->forward.sizes[o->size]; j++)
      memcpy(o->scratch + j * PANEL, o->a + j * affine->in + first, rows * sizeof *o->a);
    const bool last_panel = first + PANEL >= affine->in;
    ls_gemm_run(affine->weights[last_panel][last_strip][o->size], start, o->scratch, o->b + output,
                o->y + output * affine->in + first, NULL);
  }
}

/* The gradient of the strip of outputs from `output` on, from all columns. */
static void add_strip(const ls_affine *affine, const ls_kernel_pass *pass, size_t output, const float *x,
                      const float *dy, float *dw)
{
  const float *start = pass->accumulate ? NULL : zeros;
  operands o = {.a = x, .b = dy, .y = dw, .scratch = pass->scratch};
  for (size_t n = pass->n; n > 0; start = NULL) {
    o.size = pick_size(&affine->forward, n);
    const size_t columns = affine->forward.sizes[o.size];
    add_columns(affine, output, &o, start);
    o.a += columns * affine->in;
    o.b += columns * affine->out;
    n -= columns;
  }
}

void ls_affine_backward_weights(const ls_affine *affine, const ls_kernel_pass *pass, const float *x,
                                const float *dy, float *dw)
{
  for (size_t strip = ls_size_ceil_div(affine->out, affine->strip); strip-- > 0;) {
    add_strip(affine, pass, strip * affine->strip, x, dy, dw);
    if (!pass->done || strip == 0) continue;
    ls_profile_lap(pass->profile, pass->layer, LS_PHASE_BACKWARD_WEIGHTS);
    pass->done(pass->waiting, pass->grad_offset + strip * affine->strip * affine->in);
  }
}
