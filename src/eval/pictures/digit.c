/* SPDX-License-Identifier: BSD-3-Clause */
/* MNIST: scaled to 20 of 28 pixels, centred by mass (LeCun, Cortes, Burges: "The MNIST database of
 * handwritten digits"). Its strokes are white: 36 % of what is not black has 250 levels and more. So the
 * level that 30 % of the scaled ink exceeds becomes white: one strongest pixel, where strokes cross, would
 * leave the rest grey. */
#include "eval/pictures/digit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/augment/resample.h"
#include "eval/pictures/planes.h"

static const float WHITE = 255.0F;
static const double STROKES = 0.7;       /* of the scaled ink: what is above is the inside of strokes */
static const float MIN_INK = 1.0F / 255; /* what is below rounds to black */
static const double OFF_CENTRE = 1.0;    /* pixels */
static const double FLAT = 0.75;         /* of the border, that is paper */
static const float ALMOST = 4.0F;        /* levels that black and white may be off by */

/* Where the middle of a drawing is, in pixels from its corner. */
typedef struct middle {
  double x, y;
} middle;

static middle middle_of_mass(const float *ink, size_t width, size_t height)
{
  double total = 0.0, x = 0.0, y = 0.0;
  for (size_t i = 0; i < width * height; i++) {
    const double weight = (double)ink[i];
    total += weight;
    x += weight * ((double)(i % width) + 0.5);
    y += weight * ((double)(i / width) + 0.5);
  }
  return total > 0.0 ? (middle){x / total, y / total} : (middle){(double)width / 2, (double)height / 2};
}

/* ---- images that are made already ---- */

static float grey_at(const ls_rgba *picture, size_t pixel)
{
  const uint8_t *p = picture->pixels + pixel * LS_RGBA;
  return ls_grey_of((const float[LS_RGB]){p[0], p[1], p[2]});
}

/* The level of the paper, where most of the border has one, black or white; -1: it has not. Digits may reach
 * the border: one in a hundred of MNIST's does. */
static float flat_border(const ls_rgba *picture)
{
  size_t black = 0, white = 0, border = 0;
  for (size_t i = 0; i < picture->width * picture->height; i++) {
    if (!ls_is_border(i, picture->width, picture->height)) continue;
    const float grey = grey_at(picture, i);
    border++;
    black += grey <= ALMOST;
    white += grey >= WHITE - ALMOST;
  }
  if ((double)black >= FLAT * (double)border) return 0.0F;
  return (double)white >= FLAT * (double)border ? WHITE : -1.0F;
}

/* Is the ink within the box, large enough to have been scaled to it, and centred? */
static bool is_laid(const uint8_t *image, ls_shape shape, ls_digit_layout layout)
{
  size_t left = shape.w, right = 0, top = shape.h, bottom = 0;
  double total = 0.0, x = 0.0, y = 0.0;
  for (size_t i = 0; i < shape.h * shape.w; i++) {
    const size_t column = i % shape.w, row = i / shape.w;
    total += image[i];
    x += image[i] * ((double)column + 0.5);
    y += image[i] * ((double)row + 0.5);
    if (image[i] <= (uint8_t)ALMOST) continue;
    left = ls_size_min(left, column), right = ls_size_max(right, column + 1);
    top = ls_size_min(top, row), bottom = ls_size_max(bottom, row + 1);
  }
  if (!(total > 0.0)) return false;
  const size_t longer = ls_size_max(right - left, bottom - top);
  const size_t box = ls_side_scaled(ls_size_min(shape.h, shape.w), layout.box, shape.w);
  const double off_x = (layout.by_mass ? x / total : (double)(left + right) / 2.0) - (double)shape.w / 2.0,
               off_y = (layout.by_mass ? y / total : (double)(top + bottom) / 2.0) - (double)shape.h / 2.0;
  return longer <= box && longer + 2 >= box && fabs(off_x) <= OFF_CENTRE && fabs(off_y) <= OFF_CENTRE;
}

bool ls_digit_is_made(const ls_rgba *picture, ls_shape shape, ls_digit_layout layout, uint8_t *image)
{
  if (picture->width != shape.w || picture->height != shape.h) return false;
  const float paper = flat_border(picture);
  if (paper < 0.0F) return false;
  for (size_t i = 0; i < shape.h * shape.w; i++) {
    if (picture->pixels[i * LS_RGBA + LS_RGB] != 255) return false;
    image[i] = (uint8_t)(fabsf(grey_at(picture, i) - paper) + 0.5F);
  }
  return is_laid(image, shape, layout);
}

/* ---- laying ---- */

/* Where `side` pixels have to start so that `centre` of them comes to the middle. */
static size_t edge_of(double centre, size_t side, size_t whole)
{
  const double start = (double)whole / 2.0 - centre;
  const double last = (double)(whole - side);
  return (size_t)llround(fmin(fmax(start, 0.0), last));
}

/* The level that becomes white: packs what is no black into `spare`, of the same size. */
static float white_level(const float *ink, size_t count, float *spare)
{
  size_t inked = 0;
  for (size_t i = 0; i < count; i++)
    if (ink[i] > MIN_INK) spare[inked++] = ink[i];
  return inked > 0 ? ls_level_quantile(spare, inked, STROKES) : 1.0F;
}

/* `ink` [2, height, width]: the scaled drawing, and scratch memory. */
static void lay(float *ink, size_t width, size_t height, ls_digit_layout layout, ls_shape shape,
                uint8_t *image)
{
  const float white = white_level(ink, width * height, ink + width * height);
  for (size_t i = 0; i < width * height; i++) ink[i] = fminf(ink[i] / white, 1.0F);
  const middle of_box = {(double)width / 2.0, (double)height / 2.0};
  const middle m = layout.by_mass ? middle_of_mass(ink, width, height) : of_box;
  const size_t left = edge_of(m.x, width, shape.w), top = edge_of(m.y, height, shape.h);
  memset(image, 0, shape.h * shape.w);
  for (size_t i = 0; i < width * height; i++)
    image[(top + i / width) * shape.w + left + i % width] = (uint8_t)(WHITE * ink[i] + 0.5F);
}

ls_status ls_digit_lay(const ls_drawing *drawing, ls_shape shape, ls_digit_layout layout, uint8_t *image)
{
  const size_t box_w = ls_side_scaled(shape.w, layout.box, shape.w),
               box_h = ls_side_scaled(shape.h, layout.box, shape.h);
  const double scale = fmin((double)box_w / (double)drawing->width, (double)box_h / (double)drawing->height);
  const size_t width = ls_side_scaled(drawing->width, scale, box_w),
               height = ls_side_scaled(drawing->height, scale, box_h);
  float *small;
  LS_PASS(ls_alloc(&small, 2 * width * height, sizeof *small, "an image"));
  const ls_plane whole = {drawing->width, drawing->height, drawing->width, drawing->ink};
  const ls_status status = ls_resample(whole, width, height, small);
  if (status == LS_OK) lay(small, width, height, layout, shape, image);
  free(small);
  return status;
}
