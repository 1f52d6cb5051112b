/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures for the tests of how they are taken: paper, and what is drawn on it. */
#ifndef LS_TESTS_UNIT_EVAL_PICTURES_H
#define LS_TESTS_UNIT_EVAL_PICTURES_H

#include "cmocka_all.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eval/pictures/png_read.h"

typedef struct test_colour {
  uint8_t red, green, blue;
} test_colour;

static inline ls_rgba test_paper(size_t width, size_t height, test_colour colour)
{
  ls_rgba picture = {.width = width, .height = height, .pixels = malloc(width * height * LS_RGBA)};
  assert_non_null(picture.pixels);
  for (size_t i = 0; i < width * height; i++)
    memcpy(picture.pixels + i * LS_RGBA, (uint8_t[]){colour.red, colour.green, colour.blue, 255}, LS_RGBA);
  return picture;
}

static inline void test_dot(ls_rgba *picture, size_t x, size_t y, test_colour colour)
{
  if (x >= picture->width || y >= picture->height) return;
  memcpy(picture->pixels + (y * picture->width + x) * LS_RGBA,
         (uint8_t[]){colour.red, colour.green, colour.blue}, 3);
}

static inline void test_box(ls_rgba *picture, size_t left, size_t top, size_t width, size_t height,
                            test_colour colour)
{
  for (size_t i = 0; i < width * height; i++) test_dot(picture, left + i % width, top + i / width, colour);
}

/* A 2 of three strokes and two uprights, `unit` pixels thick, 5 by 9 units: it differs from its mirror
 * images. */
static inline void test_two(ls_rgba *picture, size_t left, size_t top, size_t unit, test_colour ink)
{
  test_box(picture, left, top, 5 * unit, unit, ink);
  test_box(picture, left, top + 4 * unit, 5 * unit, unit, ink);
  test_box(picture, left, top + 8 * unit, 5 * unit, unit, ink);
  test_box(picture, left + 4 * unit, top, unit, 5 * unit, ink);
  test_box(picture, left, top + 4 * unit, unit, 5 * unit, ink);
}

/* Digits of straight strokes, on a grid of 4 by 6: a stroke goes from point to point, two blanks end it. */
static const char *const test_digits[] = {
    "10 01 05 16 36 45 41 30 10",  /* 0 */
    "11 20 26  06 46",             /* 1, on a foot */
    "30 04 44  32 36",             /* 4, crossed */
    "11 13 33 44 45 36 06  10 40", /* 5, its bar apart */
    "00 40 16  03 43",             /* 7, crossed */
};

enum { TEST_DIGITS = sizeof test_digits / sizeof test_digits[0] };

/* A disk moves from one point to the other. */
static inline void test_line(ls_rgba *picture, double from_x, double from_y, double to_x, double to_y,
                             double radius, test_colour ink)
{
  const double dx = to_x - from_x, dy = to_y - from_y, square = dx * dx + dy * dy;
  for (size_t i = 0; i < picture->width * picture->height; i++) {
    const double x = (double)(i % picture->width) - from_x, y = (double)(i / picture->width) - from_y;
    const double part = square > 0.0 ? fmin(fmax((x * dx + y * dy) / square, 0.0), 1.0) : 0.0;
    if (hypot(x - part * dx, y - part * dy) <= radius)
      test_dot(picture, i % picture->width, i / picture->width, ink);
  }
}

/* `unit` pixels from point to point of the grid. */
static inline void test_digit(ls_rgba *picture, const char *strokes, double left, double top, double unit,
                              double radius, test_colour ink)
{
  for (const char *point = strokes; point[2]; point += 3) {
    if (point[2] == ' ' && point[3] == ' ') {
      point++;
      continue;
    }
    test_line(picture, left + unit * (point[0] - '0'), top + unit * (point[1] - '0'),
              left + unit * (point[3] - '0'), top + unit * (point[4] - '0'), radius, ink);
  }
}

/* Add noise of `levels` at most, the same each time, to every pixel: Numerical Recipes' ranqd1. */
static inline void test_grain(ls_rgba *picture, int levels)
{
  uint32_t state = 1;
  for (size_t i = 0; i < picture->width * picture->height; i++) {
    state = state * 1664525U + 1013904223U;
    const int noise = (int)(state >> 16) % (2 * levels + 1) - levels;
    for (size_t c = 0; c < 3; c++) {
      uint8_t *value = picture->pixels + i * LS_RGBA + c;
      const int level = *value + noise;
      *value = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
    }
  }
}

/* Multiply the light at every pixel by light(x, y, picture). */
static inline void test_light(ls_rgba *picture, double (*light)(double x, double y))
{
  for (size_t i = 0; i < picture->width * picture->height; i++) {
    const double x = (double)(i % picture->width) / (double)picture->width,
                 y = (double)(i / picture->width) / (double)picture->height;
    for (size_t c = 0; c < 3; c++) {
      uint8_t *value = picture->pixels + i * LS_RGBA + c;
      *value = (uint8_t)lround(*value * light(x, y));
    }
  }
}

#endif
