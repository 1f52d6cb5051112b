/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures are composed over the paper, taken apart into planes of floats, and scaled.
 *
 * Paper is what most of the picture's border is. Where that is transparent, the drawing is what counts: it is
 * laid on the opposite of its own brightness. */
#include "eval/intake.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/resample.h"

enum { RGB = 3, RGBA = 4, LEVELS = 256 };

static const float WHITE = 255.0F;
/* Of the way from paper to the strongest ink: what is below is grain of the paper. */
static const float GRAIN = 0.15F;
static const float MIN_CONTRAST = 8.0F; /* of the strongest ink, in levels */
static const double BOX = 20.0 / 28.0;  /* of the image's sides, that the ink fits into */

/* A picture, opaque, as planes. */
typedef struct planes {
  size_t width, height, count;
  float *pixels; /* [count, height, width], 0 .. 255; owned */
} planes;

/* ---- what is seen ---- */

/* Weights of ITU-R BT.601, as in most conversions to grey. */
static float grey_of(const float colour[RGB])
{
  return 0.299F * colour[0] + 0.587F * colour[1] + 0.114F * colour[2];
}

static bool is_border(const ls_rgba *picture, size_t i)
{
  const size_t x = i % picture->width, y = i / picture->width;
  return x == 0 || y == 0 || x + 1 == picture->width || y + 1 == picture->height;
}

/* What shines through: black or white. */
static float find_ground(const ls_rgba *picture)
{
  double opacity = 0.0, light = 0.0, border_opacity = 0.0, border_light = 0.0;
  size_t border = 0;
  for (size_t i = 0; i < picture->width * picture->height; i++) {
    const uint8_t *pixel = picture->pixels + i * RGBA;
    const float colour[RGB] = {pixel[0], pixel[1], pixel[2]};
    const double alpha = (double)pixel[RGB] / (double)WHITE, grey = alpha * (double)grey_of(colour);
    opacity += alpha;
    light += grey;
    if (!is_border(picture, i)) continue;
    border++;
    border_opacity += alpha;
    border_light += grey;
  }
  const double middle = (double)WHITE / 2.0;
  if (border_opacity > 0.5 * (double)border)
    return border_light / border_opacity > middle ? WHITE : 0.0F; /* paper with holes */
  return opacity > 0.0 && light / opacity > middle ? 0.0F : WHITE;
}

/* Planes of a picture: of red, green and blue, or of grey. */
static ls_status take_planes(const ls_rgba *picture, size_t count, planes *out)
{
  const size_t plane = picture->width * picture->height;
  const float ground = find_ground(picture);
  *out = (planes){.width = picture->width, .height = picture->height, .count = count};
  LS_PASS(ls_alloc(&out->pixels, plane * count, sizeof *out->pixels, "a picture"));
  for (size_t i = 0; i < plane; i++) {
    const uint8_t *pixel = picture->pixels + i * RGBA;
    const float alpha = (float)pixel[RGB] / WHITE;
    float colour[RGB];
    for (size_t c = 0; c < RGB; c++) colour[c] = alpha * (float)pixel[c] + (1.0F - alpha) * ground;
    for (size_t c = 0; c < count; c++)
      out->pixels[c * plane + i] = count == RGB ? colour[c] : grey_of(colour);
  }
  return LS_OK;
}

/* ---- ink ---- */

/* A rectangle of a picture. */
typedef struct rectangle {
  size_t x, y, width, height;
} rectangle;

static size_t level_of(float value)
{
  return (size_t)(value + 0.5F);
}

/* The level that half of the border's pixels do not exceed. */
static float find_paper(const ls_rgba *picture, const float *grey)
{
  size_t counts[LEVELS] = {0}, total = 0, below = 0, level = 0;
  for (size_t i = 0; i < picture->width * picture->height; i++)
    if (is_border(picture, i)) counts[level_of(grey[i])]++, total++;
  while (2 * (below += counts[level]) < total) level++;
  return (float)level;
}

/* Turn grey values into ink, 0 .. 1: what lies on the other side of the paper from most of the contrast does
 * not count. */
static ls_status find_ink(const ls_rgba *picture, float *grey)
{
  const size_t count = picture->width * picture->height;
  const float paper = find_paper(picture, grey);
  float darkest = paper, lightest = paper;
  for (size_t i = 0; i < count; i++) {
    darkest = fminf(darkest, grey[i]);
    lightest = fmaxf(lightest, grey[i]);
  }
  const bool is_dark = paper - darkest > lightest - paper;
  const float contrast = is_dark ? paper - darkest : lightest - paper;
  if (contrast < MIN_CONTRAST) return ls_fail(LS_E_INPUT, "no ink found: the picture is of one colour");
  for (size_t i = 0; i < count; i++) {
    const float ink = (is_dark ? paper - grey[i] : grey[i] - paper) / contrast;
    grey[i] = ink > GRAIN ? ink : 0.0F;
  }
  return LS_OK;
}

static rectangle find_bounds(const float *ink, size_t width, size_t height)
{
  size_t left = width, right = 0, top = height, bottom = 0;
  for (size_t i = 0; i < width * height; i++) {
    if (!(ink[i] > 0.0F)) continue;
    left = ls_size_min(left, i % width);
    right = ls_size_max(right, i % width);
    top = ls_size_min(top, i / width);
    bottom = ls_size_max(bottom, i / width);
  }
  return (rectangle){left, top, right - left + 1, bottom - top + 1};
}

/* A side of the scaled ink, in whole pixels. */
static size_t scaled(size_t side, double scale, size_t most)
{
  return ls_size_min(ls_size_max((size_t)llround((double)side * scale), 1), most);
}

/* Where `side` pixels whose centre of mass is at `mass` have to start so that it comes to the middle. */
static size_t place(double mass, size_t side, size_t whole)
{
  const double start = (double)whole / 2.0 - mass;
  const double last = (double)(whole - side);
  return (size_t)llround(fmin(fmax(start, 0.0), last));
}

/* Lay the scaled ink into the empty image. */
static void lay(const float *ink, size_t width, size_t height, ls_shape shape, uint8_t *image)
{
  double total = 0.0, x = 0.0, y = 0.0;
  float strongest = 0.0F;
  for (size_t i = 0; i < width * height; i++) {
    const double weight = (double)ink[i];
    total += weight;
    x += weight * ((double)(i % width) + 0.5);
    y += weight * ((double)(i / width) + 0.5);
    strongest = fmaxf(strongest, ink[i]);
  }
  const size_t left = place(x / total, width, shape.w), top = place(y / total, height, shape.h);
  memset(image, 0, shape.h * shape.w);
  for (size_t i = 0; i < width * height; i++)
    image[(top + i / width) * shape.w + left + i % width] = (uint8_t)(WHITE * ink[i] / strongest + 0.5F);
}

static ls_status fit_ink(const float *ink, size_t stride, rectangle bounds, ls_shape shape, uint8_t *image)
{
  const size_t box_w = scaled(shape.w, BOX, shape.w), box_h = scaled(shape.h, BOX, shape.h);
  const double scale = fmin((double)box_w / (double)bounds.width, (double)box_h / (double)bounds.height);
  const size_t width = scaled(bounds.width, scale, box_w), height = scaled(bounds.height, scale, box_h);
  const ls_plane cut = {.width = bounds.width,
                        .height = bounds.height,
                        .stride = stride,
                        .pixels = ink + bounds.y * stride + bounds.x};
  float *small;
  LS_PASS(ls_alloc(&small, width * height, sizeof *small, "an image"));
  const ls_status status = ls_resample(cut, width, height, small);
  if (status == LS_OK) lay(small, width, height, shape, image);
  free(small);
  return status;
}

static ls_status take_ink(const ls_rgba *picture, ls_shape shape, uint8_t *image)
{
  planes grey = {.pixels = NULL};
  ls_status status;
  LS_GO(take_planes(picture, 1, &grey));
  LS_GO(find_ink(picture, grey.pixels));
  LS_GO(fit_ink(grey.pixels, grey.width, find_bounds(grey.pixels, grey.width, grey.height), shape, image));
done:
  free(grey.pixels);
  return status;
}

/* ---- pixels as they are ---- */

/* The largest rectangle in the middle that has the image's proportions. */
static rectangle find_middle(const planes *from, ls_shape shape)
{
  const double scale = fmin((double)from->width / (double)shape.w, (double)from->height / (double)shape.h);
  rectangle middle = {.width = scaled(shape.w, scale, from->width),
                      .height = scaled(shape.h, scale, from->height)};
  middle.x = (from->width - middle.width) / 2;
  middle.y = (from->height - middle.height) / 2;
  return middle;
}

static ls_status scale_planes(const planes *from, rectangle cut, ls_shape shape, uint8_t *image)
{
  const size_t plane = shape.h * shape.w;
  float *scaled_plane;
  LS_PASS(ls_alloc(&scaled_plane, plane, sizeof *scaled_plane, "an image"));
  ls_status status = LS_OK;
  for (size_t c = 0; c < from->count && status == LS_OK; c++) {
    const ls_plane in = {.width = cut.width,
                         .height = cut.height,
                         .stride = from->width,
                         .pixels = from->pixels + (c * from->height + cut.y) * from->width + cut.x};
    status = ls_resample(in, shape.w, shape.h, scaled_plane);
    for (size_t i = 0; i < plane && status == LS_OK; i++)
      image[c * plane + i] = (uint8_t)level_of(scaled_plane[i]);
  }
  free(scaled_plane);
  return status;
}

static ls_status take_pixels(const ls_rgba *picture, ls_shape shape, bool whole, uint8_t *image)
{
  planes all = {.pixels = NULL};
  ls_status status;
  LS_GO(take_planes(picture, shape.c, &all));
  const rectangle everything = {.width = all.width, .height = all.height};
  LS_GO(scale_planes(&all, whole ? everything : find_middle(&all, shape), shape, image));
done:
  free(all.pixels);
  return status;
}

ls_status ls_intake(const ls_rgba *picture, ls_shape shape, bool raw, uint8_t *image)
{
  if (shape.c != 1 && shape.c != RGB)
    return ls_fail(LS_E_INPUT, "the network takes images of %zu channels: pictures have 1 or 3", shape.c);
  if (shape.c == 1 && !raw) return take_ink(picture, shape, image);
  return take_pixels(picture, shape, raw, image);
}
