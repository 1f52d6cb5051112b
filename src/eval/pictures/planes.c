/* SPDX-License-Identifier: BSD-3-Clause */
/* Conversion of pixels to planes, and filters by rows and then by columns. */
#include "eval/pictures/planes.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

enum { BINS = 4096 };

static const float WHITE = 255.0F;

/* ---- pixels ---- */

float ls_grey_of(const float colour[LS_RGB])
{
  return 0.299F * colour[0] + 0.587F * colour[1] + 0.114F * colour[2];
}

size_t ls_side_scaled(size_t side, double scale, size_t most)
{
  return ls_size_min(ls_size_max((size_t)llround((double)side * scale), 1), most);
}

/* What shines through: black or white. */
static float find_ground(const ls_rgba *picture)
{
  double opacity = 0.0, light = 0.0, border_opacity = 0.0, border_light = 0.0;
  size_t border = 0;
  for (size_t i = 0; i < picture->width * picture->height; i++) {
    const uint8_t *pixel = picture->pixels + i * LS_RGBA;
    const float colour[LS_RGB] = {pixel[0], pixel[1], pixel[2]};
    const double alpha = (double)pixel[LS_RGB] / (double)WHITE, grey = alpha * (double)ls_grey_of(colour);
    opacity += alpha;
    light += grey;
    if (!ls_is_border(i, picture->width, picture->height)) continue;
    border++;
    border_opacity += alpha;
    border_light += grey;
  }
  const double middle = (double)WHITE / 2.0;
  if (border_opacity > 0.5 * (double)border)
    return border_light / border_opacity > middle ? WHITE : 0.0F; /* paper with holes */
  return opacity > 0.0 && light / opacity > middle ? 0.0F : WHITE;
}

/* The mean colour of a block of pixels that begins at (x, y), over the ground. */
static void mean_colour(const ls_rgba *picture, size_t x, size_t y, size_t side, float ground,
                        float colour[LS_RGB])
{
  const size_t right = ls_size_min(x + side, picture->width), bottom = ls_size_min(y + side, picture->height);
  float sums[LS_RGB] = {0.0F, 0.0F, 0.0F};
  for (size_t row = y; row < bottom; row++)
    for (size_t i = row * picture->width + x; i < row * picture->width + right; i++) {
      const uint8_t *pixel = picture->pixels + i * LS_RGBA;
      const float alpha = (float)pixel[LS_RGB] / WHITE;
      for (size_t c = 0; c < LS_RGB; c++) sums[c] += alpha * (float)pixel[c] + (1.0F - alpha) * ground;
    }
  for (size_t c = 0; c < LS_RGB; c++) colour[c] = sums[c] / (float)((right - x) * (bottom - y));
}

ls_status ls_planes_take(const ls_rgba *picture, size_t count, size_t reduction, ls_planes *out)
{
  const size_t width = (picture->width + reduction - 1) / reduction,
               height = (picture->height + reduction - 1) / reduction, plane = width * height;
  const float ground = find_ground(picture);
  *out = (ls_planes){.width = width, .height = height, .count = count};
  LS_PASS(ls_alloc(&out->values, plane * count, sizeof *out->values, "a picture"));
  for (size_t i = 0; i < plane; i++) {
    float colour[LS_RGB];
    mean_colour(picture, i % width * reduction, i / width * reduction, reduction, ground, colour);
    for (size_t c = 0; c < count; c++)
      out->values[c * plane + i] = count == LS_RGB ? colour[c] : ls_grey_of(colour);
  }
  return LS_OK;
}

void ls_planes_fini(ls_planes *planes)
{
  free(planes->values);
  *planes = (ls_planes){.values = NULL};
}

/* ---- filters ---- */

/* Values that lie `stride` floats apart, and scratch memory to work on them. */
typedef struct line {
  float *values;
  size_t count, stride, radius;
  float *scratch; /* [2, count + 4 * radius + 2] */
} line;

static size_t scratch_floats(ls_map map, size_t radius)
{
  return ls_size_max(map.width, map.height) + 4 * radius + 2;
}

static void blur_line(const line *l)
{
  double sum = 0.0;
  size_t first = 0, end = 0;
  for (size_t i = 0; i < l->count; i++) l->scratch[i] = l->values[i * l->stride];
  for (size_t i = 0; i < l->count; i++) {
    for (; end < l->count && end <= i + l->radius; end++) sum += (double)l->scratch[end];
    for (; first + l->radius < i; first++) sum -= (double)l->scratch[first];
    l->values[i * l->stride] = (float)(sum / (double)(end - first));
  }
}

/* In blocks of the window's length: the largest value since the block began, and until it ends. */
static void dilate_line(const line *l)
{
  const size_t window = 2 * l->radius + 1;
  const size_t padded = (l->count + 2 * l->radius + window - 1) / window * window;
  float *since = l->scratch, *until = l->scratch + padded;
  for (size_t i = 0; i < padded; i++) {
    const bool is_inside = i >= l->radius && i < l->count + l->radius;
    const float value = is_inside ? l->values[(i - l->radius) * l->stride] : -INFINITY;
    until[i] = value;
    since[i] = i % window == 0 ? value : fmaxf(since[i - 1], value);
  }
  for (size_t i = padded; i-- > 0;)
    if (i % window != window - 1) until[i] = fmaxf(until[i], until[i + 1]);
  for (size_t i = 0; i < l->count; i++) l->values[i * l->stride] = fmaxf(until[i], since[i + window - 1]);
}

static ls_status filter(ls_map map, size_t radius, void (*filter_line)(const line *))
{
  if (radius == 0) return LS_OK;
  float *scratch;
  LS_PASS(ls_alloc(&scratch, 2 * scratch_floats(map, radius), sizeof *scratch, "a filter"));
  for (size_t y = 0; y < map.height; y++)
    filter_line(&(line){map.values + y * map.width, map.width, 1, radius, scratch});
  for (size_t x = 0; x < map.width; x++)
    filter_line(&(line){map.values + x, map.height, map.width, radius, scratch});
  free(scratch);
  return LS_OK;
}

static void negate(ls_map map)
{
  for (size_t i = 0; i < map.width * map.height; i++) map.values[i] = -map.values[i];
}

ls_status ls_map_blur(ls_map map, size_t radius)
{
  return filter(map, radius, blur_line);
}

ls_status ls_map_dilate(ls_map map, size_t radius)
{
  return filter(map, radius, dilate_line);
}

ls_status ls_map_erode(ls_map map, size_t radius)
{
  negate(map);
  const ls_status status = filter(map, radius, dilate_line);
  negate(map);
  return status;
}

float ls_level_quantile(const float *values, size_t count, double share)
{
  size_t counts[BINS] = {0}, below = 0, bin = 0;
  float low = values[0], high = values[0];
  for (size_t i = 0; i < count; i++) {
    low = fminf(low, values[i]);
    high = fmaxf(high, values[i]);
  }
  if (!(high > low)) return low;
  const float scale = (float)(BINS - 1) / (high - low);
  for (size_t i = 0; i < count; i++) counts[(size_t)((values[i] - low) * scale + 0.5F)]++;
  const double wanted = share * (double)count;
  while (bin < BINS - 1 && (double)(below += counts[bin]) < wanted) bin++;
  return low + (float)bin / scale;
}
