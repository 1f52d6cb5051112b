/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures for the tests of how they are taken: paper, and what is drawn on it. */
#ifndef LS_TESTS_UNIT_EVAL_PICTURES_H
#define LS_TESTS_UNIT_EVAL_PICTURES_H

#include "cmocka_all.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/png_read.h"

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

/* A 2 of three strokes and two uprights, `unit` pixels thick, 5 by 9 units: told from its mirror images. */
static inline void test_two(ls_rgba *picture, size_t left, size_t top, size_t unit, test_colour ink)
{
  test_box(picture, left, top, 5 * unit, unit, ink);
  test_box(picture, left, top + 4 * unit, 5 * unit, unit, ink);
  test_box(picture, left, top + 8 * unit, 5 * unit, unit, ink);
  test_box(picture, left + 4 * unit, top, unit, 5 * unit, ink);
  test_box(picture, left, top + 4 * unit, unit, 5 * unit, ink);
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
