/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures: what libpng reads back is what was drawn. */
#include "unit/data/files.h"

#include <png.h>

#include "draw/font.h"
#include "draw/png.h"

/* Decode a file by libpng's simplified API. */
static ls_picture decode(const char *path)
{
  png_image image = {.version = PNG_IMAGE_VERSION};
  assert_int_not_equal(png_image_begin_read_from_file(&image, path), 0);
  image.format = PNG_FORMAT_RGB;
  ls_picture picture = {.width = image.width, .height = image.height, .rgb = malloc(PNG_IMAGE_SIZE(image))};
  assert_non_null(picture.rgb);
  assert_int_not_equal(png_image_finish_read(&image, NULL, picture.rgb, 0, NULL), 0);
  return picture;
}

static void a_picture_survives_the_file(void **state)
{
  (void)state;
  static const uint8_t grey[3] = {7, 8, 9};
  ls_picture picture;
  assert_int_equal(ls_picture_init(&picture, 5, 3, grey), LS_OK);
  for (size_t i = 0; i < 9; i++) picture.rgb[12 + i] = (uint8_t)(40 * i);
  assert_int_equal(ls_png_write("a.png", &picture), LS_OK);
  assert_int_equal(ls_png_write("a.png", &picture), LS_OK); /* over itself */
  ls_picture again = decode("a.png");
  assert_int_equal(again.width, 5);
  assert_int_equal(again.height, 3);
  assert_memory_equal(again.rgb, picture.rgb, 45);
  ls_picture_fini(&again);
  ls_picture_fini(&picture);
}

static void an_unwritable_path_is_reported(void **state)
{
  (void)state;
  static const uint8_t white[3] = {255, 255, 255};
  ls_picture picture;
  assert_int_equal(ls_picture_init(&picture, 2, 2, white), LS_OK);
  assert_int_equal(ls_png_write("missing/a.png", &picture), LS_E_IO);
  assert_says("writing picture 'missing/a.png'");
  assert_says("No such file or directory");
  ls_picture_fini(&picture);
  const ls_picture huge = {.width = (size_t)1 << 40, .height = 1};
  assert_int_equal(ls_png_write("a.png", &huge), LS_E_INPUT);
  assert_says("too large");
}

static void letters_have_their_shapes(void **state)
{
  (void)state;
  static const char *const upper_t[LS_GLYPH_HEIGHT] = {"#####", "  #  ", "  #  ", "  #  ",
                                                       "  #  ", "  #  ", "  #  "};
  static const char *const seven[LS_GLYPH_HEIGHT] = {"#####", "    #", "   # ", "  #  ",
                                                     " #   ", " #   ", " #   "};
  for (size_t y = 0; y < LS_GLYPH_HEIGHT; y++)
    for (size_t x = 0; x < LS_GLYPH_WIDTH; x++) {
      assert_int_equal(ls_font_dot('T', x, y), upper_t[y][x] == '#');
      assert_int_equal(ls_font_dot('7', x, y), seven[y][x] == '#');
      assert_false(ls_font_dot(' ', x, y));
      assert_int_equal(ls_font_dot('\xc3', x, y), ls_font_dot('?', x, y));
    }
}

/* No two letters look the same, and none is empty. */
static void every_glyph_is_its_own(void **state)
{
  (void)state;
  uint64_t seen[127] = {0};
  for (char c = '!'; c <= '~'; c++) {
    uint64_t dots = 0;
    for (size_t y = 0; y < LS_GLYPH_HEIGHT; y++)
      for (size_t x = 0; x < LS_GLYPH_WIDTH; x++) dots = dots << 1 | ls_font_dot(c, x, y);
    assert_int_not_equal(dots, 0);
    for (char other = '!'; other < c; other++) assert_int_not_equal(dots, seen[(int)other]);
    seen[(int)c] = dots;
  }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_FOLDER(a_picture_survives_the_file),
      IN_FOLDER(an_unwritable_path_is_reported),
      cmocka_unit_test(letters_have_their_shapes),
      cmocka_unit_test(every_glyph_is_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
