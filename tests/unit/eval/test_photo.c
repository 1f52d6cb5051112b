/* SPDX-License-Identifier: BSD-3-Clause */
/* Photographs become what Pillow makes of them: Image.resize(size, Image.BICUBIC) of the shorter side to 8/7
 * of the image's, and crop() of its middle. */
#include "pictures.h"

#include "eval/pictures/intake.h"

enum { MOST = 6, CHANNELS = 3 };

static const ls_intake_way photo = {.kind = LS_PICTURE_PHOTO};

static ls_rgba pattern(size_t width, size_t height)
{
  ls_rgba picture = {.width = width, .height = height, .pixels = malloc(width * height * LS_RGBA)};
  assert_non_null(picture.pixels);
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++) {
      uint8_t *pixel = picture.pixels + (y * width + x) * LS_RGBA;
      for (size_t c = 0; c < CHANNELS; c++) pixel[c] = (uint8_t)(x * x * 7 + y * 13 * (c + 1) + x * y * c);
      pixel[CHANNELS] = 255;
    }
  return picture;
}

/* By Pillow 13.0: a wide one and a high one made smaller, one made larger. */
static const struct {
  size_t width, height, side;
  uint8_t image[CHANNELS * MOST * MOST];
} cases[] = {
    {23, 17, 4, {123, 139, 148, 93,  152, 123, 136, 127, 144, 107, 111, 143, 139, 143, 142, 148,
                 139, 121, 126, 123, 127, 129, 119, 145, 122, 132, 127, 142, 130, 123, 123, 125,
                 142, 146, 135, 128, 136, 129, 128, 135, 125, 143, 140, 133, 129, 128, 133, 131}},
    {17, 29, 4, {124, 141, 99,  116, 165, 145, 143, 136, 187, 104, 128, 120, 169, 113, 112, 120,
                 170, 122, 130, 134, 82,  128, 124, 122, 144, 132, 132, 125, 154, 130, 125, 125,
                 109, 126, 142, 142, 151, 130, 131, 133, 117, 126, 135, 134, 146, 133, 120, 125}},
    {5, 3, 6, {5,  12, 21, 33, 47, 64,  7,  14, 23, 35,  49,  66,  12, 19, 28,  40,  54,  71,
               19, 26, 35, 47, 61, 78,  26, 33, 42, 54,  68,  85,  31, 38, 47,  59,  73,  90,
               3,  10, 19, 31, 45, 62,  8,  15, 24, 36,  50,  67,  19, 27, 36,  48,  62,  79,
               33, 41, 50, 62, 77, 94,  47, 55, 64, 77,  91,  109, 58, 66, 76,  89,  103, 121,
               2,  9,  18, 30, 44, 61,  10, 17, 26, 38,  52,  69,  26, 34, 43,  56,  70,  87,
               47, 55, 65, 78, 92, 110, 68, 76, 87, 100, 115, 133, 84, 93, 104, 117, 133, 151}},
};

static void photographs_are_pillows(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const size_t side = cases[i].side;
    uint8_t image[CHANNELS * MOST * MOST];
    ls_text warnings = {0};
    ls_rgba picture = pattern(cases[i].width, cases[i].height);
    const ls_shape shape = {.c = CHANNELS, .h = side, .w = side};
    assert_int_equal(ls_intake(&picture, shape, photo, image, &warnings), LS_OK);
    assert_int_equal(warnings.length, 0);
    for (size_t k = 0; k < CHANNELS * side * side; k++)
      if (image[k] != cases[i].image[k])
        fail_msg("case %zu, value %zu: %d, not %d", i, k, image[k], cases[i].image[k]);
    ls_rgba_fini(&picture);
  }
}

/* A strip that is scaled as a whole would take 16 million columns. */
static void a_strip_takes_no_more_than_its_middle(void **state)
{
  (void)state;
  uint8_t image[224 * 224];
  ls_text warnings = {0};
  ls_rgba picture = test_paper(65536, 1, (test_colour){70, 70, 70});
  const ls_shape shape = {.c = 1, .h = 224, .w = 224};
  assert_int_equal(ls_intake(&picture, shape, photo, image, &warnings), LS_OK);
  for (size_t i = 0; i < sizeof image; i++) assert_int_equal(image[i], 70);
  ls_rgba_fini(&picture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(photographs_are_pillows),
      cmocka_unit_test(a_strip_takes_no_more_than_its_middle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
