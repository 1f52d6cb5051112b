/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels of planar.h; a part of set_kernels.h, after transpose_kernels.h. */

/* ---- forward ---- */

#define FOR_FILTERS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

#define FORWARD_START(f) eight one_##f = {0}, two_##f = {0}, three_##f = {0};
#define FORWARD_BIAS(f)                                                                                      \
  if (f < filters && bias) one_##f = two_##f = three_##f = SPLAT_EIGHT(bias[f]);
#define FORWARD_STEP(f)                                                                                      \
  if (f < filters) {                                                                                         \
    const float w = weights[f];                                                                              \
    const eight factor = SPLAT_EIGHT(w);                                                                     \
    one_##f = MULTIPLY_ADD_EIGHT(factor, x_one, one_##f);                                                    \
    if (vectors > 1) two_##f = MULTIPLY_ADD_EIGHT(factor, x_two, two_##f);                                   \
    if (vectors > 2) three_##f = MULTIPLY_ADD_EIGHT(factor, x_three, three_##f);                             \
  }
#define FORWARD_STORE(f)                                                                                     \
  if (f < filters) {                                                                                         \
    STORE_EIGHT(tile + f * LS_PLANAR_PIXELS, one_##f);                                                       \
    if (vectors > 1) STORE_EIGHT(tile + f * LS_PLANAR_PIXELS + LS_PLANAR_LANES, two_##f);                    \
    if (vectors > 2) STORE_EIGHT(tile + f * LS_PLANAR_PIXELS + 2 * LS_PLANAR_LANES, three_##f);              \
  }

/* Some filters at one to three vectors of pixels, 12 sums in flight; `filters` and `vectors` are constants.
 */
ALWAYS_INLINE void forward_tile(const ls_planar_forward *o, const float *planes, size_t first, size_t filters,
                                size_t vectors)
{
  const float *weights = o->weights + first, *bias = o->bias ? o->bias + first : NULL;
  float *tile = o->tile + first * LS_PLANAR_PIXELS;
  FOR_FILTERS(FORWARD_START)
  FOR_FILTERS(FORWARD_BIAS)
  for (size_t t = 0; t < o->taps.count; t++, weights += o->filters) {
    const float *x = planes + o->taps.offsets[t];
    const eight x_one = EIGHT_AT(x);
    const eight x_two = EIGHT_AT(vectors > 1 ? x + LS_PLANAR_LANES : x);
    const eight x_three = EIGHT_AT(vectors > 2 ? x + 2 * LS_PLANAR_LANES : x);
    FOR_FILTERS(FORWARD_STEP)
  }
  FOR_FILTERS(FORWARD_STORE)
}

typedef void forward_function(const ls_planar_forward *o, const float *planes, size_t first);

#define FORWARD_TILE(vectors, filters)                                                                       \
  static void forward_##vectors##_##filters(const ls_planar_forward *o, const float *planes, size_t first)   \
  {                                                                                                          \
    forward_tile(o, planes, first, filters, vectors);                                                        \
  }
#define FORWARD_ROW(vectors, DO) DO(vectors, 1) DO(vectors, 2) DO(vectors, 3) DO(vectors, 4)
#define FORWARD_MORE(vectors, DO) DO(vectors, 5) DO(vectors, 6)
#define FORWARD_MOST(vectors, DO)                                                                            \
  DO(vectors, 7) DO(vectors, 8) DO(vectors, 9) DO(vectors, 10) DO(vectors, 11) DO(vectors, 12)
#define FORWARD_NAME(vectors, filters) forward_##vectors##_##filters,

/* clang-format off */
FORWARD_ROW(1, FORWARD_TILE) FORWARD_MORE(1, FORWARD_TILE) FORWARD_MOST(1, FORWARD_TILE)
FORWARD_ROW(2, FORWARD_TILE) FORWARD_MORE(2, FORWARD_TILE)
FORWARD_ROW(3, FORWARD_TILE)

enum { MOST_VECTORS = LS_PLANAR_PIXELS / LS_PLANAR_LANES, MOST_SUMS = 12 };

/* [vectors - 1][filters - 1] */
static forward_function *const forward_tiles[MOST_VECTORS][MOST_SUMS] = {
    {FORWARD_ROW(1, FORWARD_NAME) FORWARD_MORE(1, FORWARD_NAME) FORWARD_MOST(1, FORWARD_NAME)},
    {FORWARD_ROW(2, FORWARD_NAME) FORWARD_MORE(2, FORWARD_NAME)},
    {FORWARD_ROW(3, FORWARD_NAME)}};
/* clang-format on */

/* Write the tile's pixels to y. Filters go from the last block of lanes to the first: a block that
 * is not full reaches into the next pixel, whose first block comes later. */
static void store_tile(const ls_planar_forward *o, float *y, size_t pixels)
{
  const size_t blocks = ls_size_ceil_div(o->filters, LS_PLANAR_LANES);
  for (size_t j = 0; j < pixels; j += LS_PLANAR_LANES) {
    const size_t count = ls_size_min(LS_PLANAR_LANES, pixels - j);
    for (size_t block = blocks; block-- > 0;) {
      const float *from = o->tile + block * LS_PLANAR_LANES * LS_PLANAR_PIXELS + j;
      float *to = y + j * o->filters + block * LS_PLANAR_LANES;
      if (count == LS_PLANAR_LANES)
        transpose_eight(from, LS_PLANAR_PIXELS, to, o->filters, LS_PLANAR_LANES);
      else
        transpose_eight(from, LS_PLANAR_PIXELS, to, o->filters, count);
    }
  }
}

/* The sample's last pixels, behind which nothing may be written. */
static void store_last(const ls_planar_forward *o, float *y, size_t pixels)
{
  for (size_t j = 0; j < pixels; j++)
    for (size_t f = 0; f < o->filters; f++) y[j * o->filters + f] = o->tile[f * LS_PLANAR_PIXELS + j];
}

/* All filters at some pixels of a row, in blocks that are nearly equal. */
static void forward_pixels(const ls_planar_forward *o, const float *planes, size_t vectors)
{
  const size_t blocks = ls_size_ceil_div(o->filters, MOST_SUMS / vectors);
  for (size_t b = 0; b < blocks; b++) {
    const size_t first = ls_part_first(o->filters, blocks, b);
    forward_tiles[vectors - 1][ls_part_first(o->filters, blocks, b + 1) - first - 1](o, planes, first);
  }
}

static void planar_forward(const ls_planar_forward *o)
{
  const size_t vectors = ls_size_ceil_div(o->cols, LS_PLANAR_LANES);
  const size_t parts = ls_size_ceil_div(vectors, MOST_VECTORS);
  for (size_t i = 0; i < o->rows; i++)
    for (size_t part = 0; part < parts; part++) {
      const size_t j = ls_part_first(vectors, parts, part) * LS_PLANAR_LANES;
      const size_t end = ls_part_first(vectors, parts, part + 1) * LS_PLANAR_LANES;
      const size_t pixels = ls_size_min(end, o->cols) - j;
      const size_t left = o->rows * o->cols - (i * o->cols + j + pixels); /* pixels of the sample */
      const bool has_room = left * o->filters >= LS_PLANAR_LANES;
      forward_pixels(o, o->planes + i * o->pitch + j, (end - j) / LS_PLANAR_LANES);
      (has_room ? store_tile : store_last)(o, o->y + (i * o->cols + j) * o->filters, pixels);
    }
}

/* ---- planes ---- */

static void split_pixels(const ls_planar_split *o, const float *pixels, float *planes, size_t count)
{
  for (size_t c = 0; c < o->channels; c++)
    for (size_t j = 0; j < count; j++) planes[c * o->plane + j] = pixels[j * o->channels + c];
}

static void planar_split(const ls_planar_split *o)
{
  const size_t whole = o->channels / LS_PLANAR_LANES * LS_PLANAR_LANES;
  const size_t rest = o->channels - whole;
  const size_t cols = o->cols / LS_PLANAR_LANES * LS_PLANAR_LANES;
  for (size_t i = 0; i < o->rows; i++) {
    const float *pixels = o->pixels + i * o->cols * o->channels;
    float *planes = o->planes + i * o->pitch;
    const bool has_room = i + 1 < o->rows; /* a vector may reach into the next pixels */
    for (size_t j = 0; j < cols; j += LS_PLANAR_LANES) {
      const float *from = pixels + j * o->channels;
      for (size_t c = 0; c < whole; c += LS_PLANAR_LANES)
        transpose_eight(from + c, o->channels, planes + c * o->plane + j, o->plane, LS_PLANAR_LANES);
      if (rest > 0 && has_room)
        transpose_eight(from + whole, o->channels, planes + whole * o->plane + j, o->plane, rest);
    }
    if (cols < o->cols || !has_room)
      split_pixels(o, pixels + cols * o->channels, planes + cols, o->cols - cols);
    if (rest > 0 && !has_room) split_pixels(o, pixels, planes, cols);
  }
}

/* ---- gradient of the weights ---- */

#define FOR_SIX(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)

#define WEIGHTS_START(f) eight one_##f = {0}, two_##f = {0};
#define WEIGHTS_STEP(f)                                                                                      \
  if (f < filters) {                                                                                         \
    eight dy = EIGHT_AT(from + f * o->pixels + p);                                                           \
    KEEP(dy);                                                                                                \
    one_##f = MULTIPLY_ADD_EIGHT(dy, x_one, one_##f);                                                        \
    if (pair) two_##f = MULTIPLY_ADD_EIGHT(dy, x_two, two_##f);                                              \
  }
#define WEIGHTS_STORE(f)                                                                                     \
  if (f < filters) {                                                                                         \
    grads[f * o->taps.count] += SUM_OF(one_##f);                                                             \
    if (pair) grads[f * o->taps.count + 1] += SUM_OF(two_##f);                                               \
  }
#define SUM_OF(v) (((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])))

/* Up to 6 filters and 2 taps, 12 sums in flight; `filters` and `pair` are constants. */
ALWAYS_INLINE void weights_tile(const ls_planar_weights *o, size_t filter, size_t tap, size_t filters,
                                bool pair)
{
  const float *from = o->dy + filter * o->pixels;
  const float *one = o->planes + o->taps.offsets[tap];
  const float *two = pair ? o->planes + o->taps.offsets[tap + 1] : one;
  float *grads = o->grads + filter * o->taps.count + tap;
  FOR_SIX(WEIGHTS_START)
  for (size_t p = 0; p < o->pixels; p += LS_PLANAR_LANES) {
    const eight x_one = EIGHT_AT(one + p);
    const eight x_two = EIGHT_AT(two + p);
    FOR_SIX(WEIGHTS_STEP)
  }
  FOR_SIX(WEIGHTS_STORE)
}

typedef void weights_function(const ls_planar_weights *o, size_t filter, size_t tap);

#define WEIGHTS_TILE(filters)                                                                                \
  static void weights_single_##filters(const ls_planar_weights *o, size_t filter, size_t tap)                \
  {                                                                                                          \
    weights_tile(o, filter, tap, filters, false);                                                            \
  }                                                                                                          \
  static void weights_pair_##filters(const ls_planar_weights *o, size_t filter, size_t tap)                  \
  {                                                                                                          \
    weights_tile(o, filter, tap, filters, true);                                                             \
  }
/* clang-format off */
WEIGHTS_TILE(1) WEIGHTS_TILE(2) WEIGHTS_TILE(3) WEIGHTS_TILE(4) WEIGHTS_TILE(5) WEIGHTS_TILE(6)
    /* clang-format on */

    enum {
      MOST_FILTERS = 6
    };

/* [pair][filters - 1] */
static weights_function *const weights_tiles[2][MOST_FILTERS] = {
    {weights_single_1, weights_single_2, weights_single_3, weights_single_4, weights_single_5,
     weights_single_6},
    {weights_pair_1, weights_pair_2, weights_pair_3, weights_pair_4, weights_pair_5, weights_pair_6}};

static void planar_weights(const ls_planar_weights *o)
{
  const size_t blocks = ls_size_ceil_div(o->filters, MOST_FILTERS);
  for (size_t b = 0; b < blocks; b++) {
    const size_t first = ls_part_first(o->filters, blocks, b);
    const size_t count = ls_part_first(o->filters, blocks, b + 1) - first;
    for (size_t tap = 0; tap < o->taps.count; tap += 2)
      weights_tiles[tap + 1 < o->taps.count][count - 1](o, first, tap);
  }
}
