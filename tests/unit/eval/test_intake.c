/* SPDX-License-Identifier: BSD-3-Clause */
/* A drawing comes to the network the same, whatever the picture it was drawn in. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/intake.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, RGBA = 4 };

static const ls_shape grey = {.c = 1, .h = SIDE, .w = SIDE};
static const ls_shape colour = {.c = 3, .h = 8, .w = 8};

/* How a picture is made of the same drawing: an L of 8 x 16 units, strokes of 2. */
typedef struct drawing {
  size_t width, height, left, top, unit; /* pixels */
  uint8_t paper[RGBA], ink[RGBA];
} drawing;

static const drawing plain = {40, 40, 12, 10, 1, {0, 0, 0, 255}, {255, 255, 255, 255}};

static ls_rgba draw(const drawing *d)
{
  ls_rgba picture = {.width = d->width, .height = d->height, .pixels = malloc(d->width * d->height * RGBA)};
  assert_non_null(picture.pixels);
  for (size_t i = 0; i < d->width * d->height; i++) {
    const size_t x = i % d->width - d->left, y = i / d->width - d->top; /* wraps: then it is no ink */
    const bool is_ink = x < 8 * d->unit && y < 16 * d->unit && (x < 2 * d->unit || y >= 14 * d->unit);
    memcpy(picture.pixels + i * RGBA, is_ink ? d->ink : d->paper, RGBA);
  }
  return picture;
}

static void take(const drawing *d, ls_shape shape, bool raw, uint8_t *image)
{
  ls_rgba picture = draw(d);
  assert_int_equal(ls_intake(&picture, shape, raw, image), LS_OK);
  ls_rgba_fini(&picture);
}

static void the_drawing_is_what_counts(void **state)
{
  (void)state;
  static const drawing same[] = {
      {40, 40, 1, 3, 1, {0, 0, 0, 255}, {255, 255, 255, 255}},         /* elsewhere */
      {40, 40, 12, 10, 1, {255, 255, 255, 255}, {0, 0, 0, 255}},       /* dark on light */
      {60, 33, 30, 9, 1, {250, 245, 220, 255}, {20, 30, 120, 255}},    /* blue on cream, not square */
      {28, 28, 8, 4, 1, {9, 9, 9, 0}, {0, 0, 0, 255}},                 /* black on nothing */
      {28, 28, 8, 4, 1, {0, 0, 0, 0}, {255, 255, 255, 255}},           /* white on nothing */
      {40, 40, 12, 10, 1, {120, 120, 120, 255}, {140, 140, 140, 255}}, /* pale */
  };
  uint8_t expected[PIXELS], image[PIXELS];
  take(&plain, grey, false, expected);
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    take(&same[i], grey, false, image);
    for (size_t j = 0; j < PIXELS; j++) assert_in_range(image[j] + 2, expected[j], expected[j] + 4);
  }
}

/* 8 x 16 units come to 10 x 20 pixels, their centre of mass to the middle, to half a pixel. */
static void size_and_place_are_mnists(void **state)
{
  (void)state;
  static const drawing sizes[] = {
      {28, 28, 5, 5, 1, {0, 0, 0, 255}, {255, 255, 255, 255}},
      {700, 900, 100, 50, 40, {255, 255, 255, 255}, {0, 0, 0, 255}},
  };
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    uint8_t image[PIXELS];
    take(&sizes[k], grey, false, image);
    size_t left = SIDE, right = 0, top = SIDE, bottom = 0;
    double mass = 0.0, x = 0.0, y = 0.0;
    for (size_t i = 0; i < PIXELS; i++) {
      mass += image[i], x += image[i] * ((double)(i % SIDE) + 0.5),
          y += image[i] * ((double)(i / SIDE) + 0.5);
      if (image[i] == 0) continue;
      left = i % SIDE < left ? i % SIDE : left, right = i % SIDE > right ? i % SIDE : right;
      top = i / SIDE < top ? i / SIDE : top, bottom = i / SIDE > bottom ? i / SIDE : bottom;
    }
    assert_int_equal(right - left + 1, 10);
    assert_int_equal(bottom - top + 1, 20);
    assert_true(fabs(x / mass - SIDE / 2.0) <= 0.5);
    assert_true(fabs(y / mass - SIDE / 2.0) <= 0.5 || bottom == SIDE - 1 || top == 0);
  }
}

static void raw_pixels_stay(void **state)
{
  (void)state;
  const drawing small = {28, 28, 5, 5, 1, {7, 7, 7, 255}, {201, 201, 201, 255}};
  uint8_t image[PIXELS];
  take(&small, grey, true, image);
  ls_rgba picture = draw(&small);
  for (size_t i = 0; i < PIXELS; i++) assert_int_equal(image[i], picture.pixels[i * RGBA]);
  ls_rgba_fini(&picture);
}

static void colour_networks_get_colour(void **state)
{
  (void)state;
  const drawing red = {64, 32, 24, 8, 1, {200, 10, 30, 255}, {200, 10, 30, 255}};
  uint8_t image[3 * 64];
  for (int raw = 0; raw < 2; raw++) {
    take(&red, colour, raw, image);
    for (size_t i = 0; i < 64; i++)
      assert_true(image[i] == 200 && image[64 + i] == 10 && image[128 + i] == 30);
  }
}

static void what_shows_nothing_is_told(void **state)
{
  (void)state;
  const drawing empty = {30, 30, 5, 5, 1, {240, 240, 240, 255}, {240, 240, 240, 255}};
  uint8_t image[PIXELS];
  ls_rgba picture = draw(&empty);
  assert_int_equal(ls_intake(&picture, grey, false, image), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "no ink"));
  assert_int_equal(ls_intake(&picture, (ls_shape){.c = 2, .h = 5, .w = 5}, true, image), LS_E_INPUT);
  ls_rgba_fini(&picture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_drawing_is_what_counts),
      cmocka_unit_test(size_and_place_are_mnists),
      cmocka_unit_test(raw_pixels_stay),
      cmocka_unit_test(colour_networks_get_colour),
      cmocka_unit_test(what_shows_nothing_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
