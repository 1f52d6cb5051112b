/* SPDX-License-Identifier: BSD-3-Clause */
/* PNG files of every colour type and depth that libpng writes, and scaling against PyTorch's antialiasing. */
#include "unit/data/files.h"
#include "png_chunks.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <png.h>
#include <sys/syscall.h>

#include "eval/pictures/png_read.h"
#include "data/augment/resample.h"

enum { WIDTH = 16, HEIGHT = 4 };

typedef struct png_case {
  int type, depth;
  bool interlaced, has_transparent;
} png_case;

static const png_case cases[] = {
    {PNG_COLOR_TYPE_GRAY, 1, false, false},        {PNG_COLOR_TYPE_GRAY, 2, false, false},
    {PNG_COLOR_TYPE_GRAY, 4, true, false},         {PNG_COLOR_TYPE_GRAY, 8, false, true},
    {PNG_COLOR_TYPE_GRAY, 16, false, false},       {PNG_COLOR_TYPE_GRAY_ALPHA, 8, true, false},
    {PNG_COLOR_TYPE_GRAY_ALPHA, 16, false, false}, {PNG_COLOR_TYPE_PALETTE, 1, false, false},
    {PNG_COLOR_TYPE_PALETTE, 2, true, true},       {PNG_COLOR_TYPE_PALETTE, 4, false, true},
    {PNG_COLOR_TYPE_PALETTE, 8, false, false},     {PNG_COLOR_TYPE_RGB, 8, true, true},
    {PNG_COLOR_TYPE_RGB, 16, false, false},        {PNG_COLOR_TYPE_RGB_ALPHA, 8, false, false},
    {PNG_COLOR_TYPE_RGB_ALPHA, 16, true, false},
};

/* Sample c of pixel i in the file's depth: every value that there is, in the first channel. */
static unsigned sample(const png_case *k, size_t i, size_t c)
{
  const unsigned most = (1U << k->depth) - 1;
  return (unsigned)(i * (k->depth == 16 ? 1023 : k->depth == 8 ? 4 : 1) + 77 * c) & most;
}

static size_t channels_of(const png_case *k)
{
  static const size_t channels[] = {[PNG_COLOR_TYPE_GRAY] = 1,
                                    [PNG_COLOR_TYPE_RGB] = 3,
                                    [PNG_COLOR_TYPE_PALETTE] = 1,
                                    [PNG_COLOR_TYPE_GRAY_ALPHA] = 2,
                                    [PNG_COLOR_TYPE_RGB_ALPHA] = 4};
  return channels[k->type];
}

/* One byte a sample below 16 bits, two from there: libpng packs them. */
static void fill_row(const png_case *k, size_t y, unsigned char *row)
{
  const size_t channels = channels_of(k);
  for (size_t x = 0; x < WIDTH; x++)
    for (size_t c = 0; c < channels; c++) {
      const unsigned value = sample(k, y * WIDTH + x, c);
      if (k->depth == 16) *row++ = (unsigned char)(value >> 8);
      *row++ = (unsigned char)value;
    }
}

static png_color colour_of(size_t i)
{
  return (png_color){(png_byte)i, (png_byte)(255 - i), (png_byte)(i * 3)};
}

static void set_colours(const png_case *k, png_structp png, png_infop info)
{
  png_color palette[256];
  png_byte opacity[2] = {255, 60}; /* of the first two colours */
  png_color_16 transparent = {.red = 4, .green = 81, .blue = 158, .gray = 4};
  for (size_t i = 0; i < 256; i++) palette[i] = colour_of(i);
  if (k->type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 1 << k->depth);
  if (!k->has_transparent) return;
  const bool is_palette = k->type == PNG_COLOR_TYPE_PALETTE;
  png_set_tRNS(png, info, is_palette ? opacity : NULL, is_palette ? 2 : 0, is_palette ? NULL : &transparent);
}

static void write_png(const png_case *k, const char *path)
{
  unsigned char pixels[HEIGHT][WIDTH * LS_RGBA * 2], *rows[HEIGHT];
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, WIDTH, HEIGHT, k->depth, k->type,
               k->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  set_colours(k, png, info);
  png_write_info(png, info);
  png_set_packing(png);
  for (size_t y = 0; y < HEIGHT; y++) {
    rows[y] = pixels[y];
    fill_row(k, y, pixels[y]);
  }
  png_write_image(png, rows);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  assert_int_equal(fclose(file), 0);
}

static unsigned eight(const png_case *k, unsigned value)
{
  const unsigned most = (1U << k->depth) - 1;
  return (unsigned)lround(255.0 * value / most);
}

/* What pixel i must look like. */
static void expect_pixel(const png_case *k, size_t i, const uint8_t *pixel)
{
  unsigned wanted[LS_RGBA] = {0, 0, 0, 255};
  const unsigned first = sample(k, i, 0);
  const png_color colour = colour_of(first);
  const bool is_grey = k->type == PNG_COLOR_TYPE_GRAY || k->type == PNG_COLOR_TYPE_GRAY_ALPHA;
  for (size_t c = 0; c < 3; c++) wanted[c] = eight(k, sample(k, i, is_grey ? 0 : c));
  if (k->type == PNG_COLOR_TYPE_GRAY_ALPHA) wanted[3] = eight(k, sample(k, i, 1));
  if (k->type == PNG_COLOR_TYPE_RGB_ALPHA) wanted[3] = eight(k, sample(k, i, 3));
  if (k->type == PNG_COLOR_TYPE_PALETTE) {
    wanted[0] = colour.red, wanted[1] = colour.green, wanted[2] = colour.blue;
    wanted[3] = k->has_transparent && first == 1 ? 60 : 255;
  } else if (k->has_transparent) {
    wanted[3] = first == 4 ? 0 : 255;
  }
  for (size_t c = 0; c < LS_RGBA; c++) assert_in_range(pixel[c] + 1, wanted[c], wanted[c] + 2);
}

static void every_colour_type_is_read(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    ls_rgba picture;
    write_png(&cases[k], "a.png");
    assert_int_equal(ls_png_read("a.png", &picture), LS_OK);
    assert_int_equal(picture.width, WIDTH);
    assert_int_equal(picture.height, HEIGHT);
    for (size_t i = 0; i < WIDTH * HEIGHT; i++) expect_pixel(&cases[k], i, picture.pixels + i * LS_RGBA);
    ls_rgba_fini(&picture);
  }
}

static void damage_is_reported(void **state)
{
  (void)state;
  char whole[4096];
  ls_rgba picture;
  write_png(&cases[11], "whole.png");
  FILE *file = fopen("whole.png", "rb");
  const size_t count = fread(whole, 1, sizeof whole, file);
  fclose(file);
  for (size_t cut = 0; cut < count; cut += 7) {
    file = fopen("cut.png", "wb");
    assert_int_equal(fwrite(whole, 1, cut, file), cut);
    fclose(file);
    assert_int_equal(ls_png_read("cut.png", &picture), LS_E_INPUT);
    assert_says("cut.png");
  }
  assert_int_not_equal(ls_png_read("missing.png", &picture), LS_OK);
  assert_says("missing.png");
}

static bool is_broken; /* the file system */

/* Replaces the C library's. */
__attribute__((visibility("default"))) ssize_t read(int descriptor, void *data, size_t count)
{
  if (!is_broken) return syscall(SYS_read, descriptor, data, count);
  errno = EIO;
  return -1;
}

static void an_input_error_is_told_as_one(void **state)
{
  (void)state;
  ls_rgba picture;
  write_png(&cases[0], "a.png");
  is_broken = true;
  const ls_status status = ls_png_read("a.png", &picture);
  is_broken = false;
  assert_int_equal(status, LS_E_IO);
  assert_says("cannot read 'a.png': Input/output error");
}

static size_t inflated_bytes; /* that libpng had decompressed */

/* Replaces zlib's, to count. */
__attribute__((visibility("default"))) int inflate(z_streamp stream, int flush)
{
  static int (*real)(z_streamp stream, int flush);
  void *found = real ? NULL : dlsym(RTLD_NEXT, "inflate");
  if (!real) memcpy(&real, &found, sizeof real);
  const uLong before = stream->total_out;
  const int code = real(stream, flush);
  inflated_bytes += stream->total_out - before;
  return code;
}

/* Compressed zeros: many in few bytes. */
static bytes packed_zeros(size_t count)
{
  bytes out = {.count = sizeof out.data};
  unsigned char *zeros = calloc(1, count);
  uLongf packed = sizeof out.data;
  assert_non_null(zeros);
  assert_int_equal(compress2(out.data, &packed, zeros, count, 9), Z_OK);
  free(zeros);
  out.count = packed;
  return out;
}

/* What is no part of the picture is not decompressed. */
static void other_chunks_are_passed_over(void **state)
{
  (void)state;
  static const struct {
    const char *type, *head;
    size_t head_bytes;
  } kinds[] = {{"zTXt", "Comment\0\0", 9}, {"iTXt", "Comment\0\1\0\0\0", 12}, {"iCCP", "Profile\0\0", 9}};
  const bytes text = packed_zeros(1 << 20), rows = packed_zeros(2 * 3);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    ls_rgba picture;
    bytes file = png_header(2, 2, 8), chunk = {.count = 0};
    put(&chunk, kinds[k].head, kinds[k].head_bytes);
    put(&chunk, text.data, text.count);
    for (size_t i = 0; i < 20; i++) put_chunk(&file, kinds[k].type, chunk.data, chunk.count);
    put_chunk(&file, "IDAT", rows.data, rows.count);
    put_chunk(&file, kinds[k].type, chunk.data, chunk.count);
    put_chunk(&file, "IEND", "", 0);
    write_plain("texts.png", &file);
    inflated_bytes = 0;
    assert_int_equal(ls_png_read("texts.png", &picture), LS_OK);
    assert_int_equal(inflated_bytes, 2 * 3);
    assert_int_equal(picture.width, 2);
    ls_rgba_fini(&picture);
  }
}

static void sizes_that_lie_are_refused(void **state)
{
  (void)state;
  const bytes rows = packed_zeros(1 << 16);
  bytes file = png_header(100000, 100000, 8);
  put_chunk(&file, "IDAT", rows.data, rows.count);
  assert_no_picture(&file, "it has 100000x100000 pixels: at most 2^26");
  file = png_header(1 << 30, 1, 1);
  put_chunk(&file, "IDAT", rows.data, rows.count);
  assert_no_picture(&file, "it has 1073741824x1 pixels");
  file = png_header(8000, 8000, 8);
  put_chunk(&file, "IDAT", rows.data, rows.count);
  assert_no_picture(&file, "damaged: it declares 8000x8000 pixels, more than its");
  file = png_header(0, 8, 8);
  put_chunk(&file, "IDAT", rows.data, rows.count);
  assert_no_picture(&file, "damaged");
}

/* libpng would decompress all of it to see where it ends. */
static void data_beyond_the_picture_are_refused(void **state)
{
  (void)state;
  enum { PIECES = 8, PIECE = 60000 };
  static unsigned char pixels[PIECES * PIECE], packed[PIECES * PIECE + 1000];
  ls_rgba picture;
  bytes out = png_header(4, 4, 8);
  uLongf count = sizeof packed;
  assert_int_equal(compress2(packed, &count, pixels, sizeof pixels, 0), Z_OK); /* level 0: as they are */
  FILE *file = fopen("a.png", "wb");
  assert_non_null(file);
  for (size_t i = 0; i < count; i += PIECE) {
    put_chunk(&out, "IDAT", packed + i, i + PIECE < count ? PIECE : count - i);
    assert_int_equal(fwrite(out.data, 1, out.count, file), out.count);
    out.count = 0;
  }
  put_chunk(&out, "IEND", "", 0);
  assert_int_equal(fwrite(out.data, 1, out.count, file), out.count);
  assert_int_equal(fclose(file), 0);
  inflated_bytes = 0;
  assert_int_equal(ls_png_read("a.png", &picture), LS_E_INPUT);
  assert_says("'a.png': damaged: its image data go on beyond the picture");
  assert_true(inflated_bytes < 3 * PIECE);
}

/* torch.nn.functional.interpolate(x, size, mode="bilinear", antialias=True) of 0, 1, 4, 9, 16, 25, 36. */
static void scaling_is_pytorchs(void **state)
{
  (void)state;
  static const float squares[7] = {0, 1, 4, 9, 16, 25, 36};
  static const float small[3] = {1.285714F, 9.941177F, 26.999998F};
  static const float large[10] = {0.000000F,  0.550000F,  1.750000F,  3.850000F,  7.249999F,
                                  11.449999F, 16.449997F, 22.750000F, 29.949997F, 36.000000F};
  float out[10];
  const ls_plane row = {.width = 7, .height = 1, .stride = 7, .pixels = squares};
  const ls_plane column = {.width = 1, .height = 7, .stride = 1, .pixels = squares};
  assert_int_equal(ls_resample(row, 3, 1, out), LS_OK);
  for (size_t i = 0; i < 3; i++) assert_float_equal(out[i], small[i], 1e-4F);
  assert_int_equal(ls_resample(column, 1, 3, out), LS_OK);
  for (size_t i = 0; i < 3; i++) assert_float_equal(out[i], small[i], 1e-4F);
  assert_int_equal(ls_resample(row, 10, 1, out), LS_OK);
  for (size_t i = 0; i < 10; i++) assert_float_equal(out[i], large[i], 1e-4F);
  assert_int_equal(ls_resample(row, 7, 1, out), LS_OK);
  assert_memory_equal(out, squares, sizeof squares);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_FOLDER(every_colour_type_is_read),     IN_FOLDER(damage_is_reported),
      IN_FOLDER(an_input_error_is_told_as_one), IN_FOLDER(other_chunks_are_passed_over),
      IN_FOLDER(sizes_that_lie_are_refused),    IN_FOLDER(data_beyond_the_picture_are_refused),
      cmocka_unit_test(scaling_is_pytorchs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
