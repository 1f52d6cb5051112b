/* SPDX-License-Identifier: BSD-3-Clause */
/* What files say beside their pixels, and what they are that are no PNG files. */
#include "unit/data/files.h"
#include "png_chunks.h"

#include "eval/pictures/png_read.h"

enum { HEAD = 33 /* bytes up to the end of IHDR */ };

/* A grey picture, without its end; each row of `rows` begins with its filter. */
static bytes grey_png(uint32_t width, uint32_t height, unsigned depth, const void *rows, size_t count)
{
  unsigned char packed[256];
  uLongf packed_bytes = sizeof packed;
  assert_int_equal(compress2(packed, &packed_bytes, rows, count, 9), Z_OK);
  bytes out = png_header(width, height, depth);
  put_chunk(&out, "IDAT", packed, packed_bytes);
  return out;
}

static bytes six_pixels(void)
{
  return grey_png(3, 2, 8,
                  "\0"
                  "123\0"
                  "456",
                  8);
}

/* A directory of one entry, the orientation, in either byte order. */
static bytes orientation_chunk(unsigned orientation, bool is_big)
{
  static const unsigned char big[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0};
  static const unsigned char little[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0};
  bytes out = {.count = 0};
  put(&out, is_big ? big : little, is_big ? sizeof big : sizeof little);
  put_byte(&out, orientation);
  put(&out, "\0\0\0\0\0\0", 6);
  return out;
}

/* Exif 2.32, orientation: 123/456 as each of them is to be seen. */
static const char *const turned[] = {[1] = "123/456",  [2] = "321/654",  [3] = "654/321",  [4] = "456/123",
                                     [5] = "14/25/36", [6] = "41/52/63", [7] = "63/52/41", [8] = "36/25/14"};

static void assert_shows(const bytes *file, const char *expected)
{
  ls_rgba picture;
  char shown[16] = "";
  size_t length = 0;
  write_plain("turned.png", file);
  assert_int_equal(ls_png_read("turned.png", &picture), LS_OK);
  for (size_t i = 0; i < picture.width * picture.height; i++) {
    if (i > 0 && i % picture.width == 0) shown[length++] = '/';
    shown[length++] = (char)picture.pixels[i * LS_RGBA];
  }
  assert_string_equal(shown, expected);
  ls_rgba_fini(&picture);
}

/* In either byte order; before the image data and after them. */
static void pictures_are_turned(void **state)
{
  (void)state;
  for (unsigned orientation = 1; orientation <= 8; orientation++)
    for (unsigned way = 0; way < 4; way++) {
      const bytes chunk = orientation_chunk(orientation, way % 2), whole = six_pixels();
      bytes file = {.count = 0};
      put(&file, whole.data, way < 2 ? HEAD : whole.count);
      put_chunk(&file, "eXIf", chunk.data, chunk.count);
      if (way < 2) put(&file, whole.data + HEAD, whole.count - HEAD);
      put_chunk(&file, "IEND", "", 0);
      assert_shows(&file, turned[orientation]);
    }
}

/* Orientations that there are not, and chunks that are cut or damaged. */
static void bad_orientations_turn_nothing(void **state)
{
  (void)state;
  for (unsigned k = 0; k < 60; k++) {
    const bool is_big = k % 2;
    const bytes chunk = orientation_chunk(k < 30 ? 6 : k - 20, is_big);
    const size_t whole = is_big ? 20 : 19;
    bytes file = six_pixels();
    put_chunk(&file, "eXIf", chunk.data, k / 2 < whole - 1 && k < 30 ? k / 2 : chunk.count);
    if (k == 29) file.data[file.count - 1] ^= 1;
    put_chunk(&file, "IEND", "", 0);
    assert_shows(&file, turned[1]);
  }
}

/* As arrays that were saved without being scaled have them. */
static void small_numbers_in_16_bits_are_8_bits(void **state)
{
  (void)state;
  static const uint8_t expected[] = {0, 200, 255, 7, 1};
  static const unsigned char row[] = {0, 0, 0, 0, 200, 0, 255, 0, 7, 0, 1};
  ls_rgba picture;
  bytes file = grey_png(5, 1, 16, row, sizeof row);
  put_chunk(&file, "IEND", "", 0);
  write_plain("small.png", &file);
  assert_int_equal(ls_png_read("small.png", &picture), LS_OK);
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(picture.pixels[i * LS_RGBA], expected[i]);
    assert_int_equal(picture.pixels[i * LS_RGBA + 3], 255);
  }
  ls_rgba_fini(&picture);
}

static void other_formats_are_named(void **state)
{
  (void)state;
  static const struct {
    const char *head, *name, *remedy;
  } kinds[] = {{"\xff\xd8\xff\xe0....JFIF", "no PNG file, but a JPEG picture", "convert jpeg:"},
               {"\1\1\1\1ftypheic....", "a HEIC or AVIF picture", "heif-convert"},
               {"RIFF....WEBPVP8 ", "a WebP picture", "convert webp:"},
               {"GIF89a..........", "a GIF picture", "convert"},
               {"%PDF-1.7........", "a PDF document", "pdftoppm"},
               {"no picture at all", "no PNG file", ""}};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    bytes file = {.count = 0};
    put(&file, kinds[k].head, strlen(kinds[k].head));
    assert_no_picture(&file, kinds[k].name);
    assert_no_picture(&file, kinds[k].remedy);
  }
  assert_no_picture(&(bytes){.count = 0}, "the file is empty");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_FOLDER(pictures_are_turned),
      IN_FOLDER(bad_orientations_turn_nothing),
      IN_FOLDER(small_numbers_in_16_bits_are_8_bits),
      IN_FOLDER(other_formats_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
