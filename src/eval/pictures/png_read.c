/* SPDX-License-Identifier: BSD-3-Clause */
/* Files are read whole and decoded from memory. libpng's error exits (longjmp) lead straight back here.
 *
 * A file's size bounds the time and memory that reading takes. Texts, profiles and whatever else is no part
 * of the picture are passed over as they are, never decompressed; a picture of more bytes than the file can
 * expand to is refused before there is memory for it; and what is decompressed beyond the picture's end is an
 * error.
 */
#include "eval/pictures/png_read.h"

#include <inttypes.h>

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/files/file.h"
#include "base/memory.h"
#include "eval/pictures/exif.h"
#include "eval/pictures/picture_format.h"

enum {
  MAX_SIDE = 1 << 16,
  MAX_PIXELS = 1 << 26,
  FILE_LIMIT_BYTES = 1 << 29,
  DEFLATE_RATIO = 1032,      /* the most that deflate can compress */
  ROW_INPUT_BYTES = 1 << 16, /* that a row may take beyond twice its own size: what a decoder reads ahead */
  ORIENTATIONS = 8           /* of Exif */
};

/* What the callbacks of libpng work on. */
typedef struct png_decoder {
  const unsigned char *next;
  size_t left;
  size_t file_bytes;
  size_t allowance; /* bytes that may be read for what is being decoded */
  bool is_deep;     /* 16 bits: samples are two bytes, as they come */
  bool is_short_of_memory;
  char reason[160]; /* why there is no picture */
  ls_rgba picture;
} png_decoder;

static png_voidp give_memory(png_structp png, png_alloc_size_t bytes)
{
  png_decoder *decoder = png_get_mem_ptr(png);
  void *block = LS_FAULT("alloc", __func__) ? NULL : malloc(bytes);
  if (!block) decoder->is_short_of_memory = true;
  return block;
}

static void take_memory(png_structp png, png_voidp block)
{
  (void)png;
  free(block);
}

static void give_bytes(png_structp png, png_bytep data, size_t bytes)
{
  png_decoder *decoder = png_get_io_ptr(png);
  if (bytes > decoder->left) png_error(png, "it ends too early");
  if (bytes > decoder->allowance) png_error(png, "its image data go on beyond the picture");
  memcpy(data, decoder->next, bytes);
  decoder->next += bytes;
  decoder->left -= bytes;
  decoder->allowance -= bytes;
}

static void take_error(png_structp png, png_const_charp reason)
{
  png_decoder *decoder = png_get_error_ptr(png);
  snprintf(decoder->reason, sizeof decoder->reason, "damaged: %s", reason);
  png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp reason)
{
  (void)png;
  (void)reason;
}

/* Is the picture of a size that is supported, and one that the file can hold? */
static void check_size(png_structp png, png_infop info, png_decoder *decoder)
{
  const uint64_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  const uint64_t bytes = height * png_get_rowbytes(png, info),
                 most = (uint64_t)decoder->file_bytes * DEFLATE_RATIO;
  char *reason = decoder->reason;
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS)
    snprintf(reason, sizeof decoder->reason,
             "it has %" PRIu64 "x%" PRIu64
             " pixels: at most 2^26, and 65536 in a row or column, are supported",
             width, height);
  else if (bytes > most)
    snprintf(reason, sizeof decoder->reason,
             "damaged: it declares %" PRIu64 "x%" PRIu64 " pixels, more than its %zu bytes can hold", width,
             height, decoder->file_bytes);
  if (*reason) png_longjmp(png, 1);
}

/* Convert any kind of PNG to 8 or 16 bits of red, green, blue and alpha. Returns the passes over an
 * interlaced picture. */
static int ask_for_rgba(png_structp png, png_infop info)
{
  png_set_expand(png); /* palettes, fewer than 8 bits, transparent colours */
  png_set_gray_to_rgb(png);
  png_set_add_alpha(png, 0xffff, PNG_FILLER_AFTER);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return passes;
}

static void make_picture(png_structp png, png_infop info, png_decoder *decoder)
{
  ls_rgba *picture = &decoder->picture;
  picture->width = png_get_image_width(png, info);
  picture->height = png_get_image_height(png, info);
  decoder->is_deep = png_get_bit_depth(png, info) == 16;
  const size_t bytes = decoder->is_deep ? 2 * LS_RGBA : LS_RGBA;
  if (ls_alloc(&picture->pixels, picture->width * picture->height, bytes, "a picture") == LS_OK) return;
  decoder->is_short_of_memory = true;
  png_longjmp(png, 1);
}

/* libpng decompresses to the end of the data when it has the last row: so each row has an allowance. */
static void read_rows(png_structp png, png_decoder *decoder, int passes, size_t row_bytes)
{
  const ls_rgba *picture = &decoder->picture;
  const size_t bytes = decoder->is_deep ? 2 * LS_RGBA : LS_RGBA;
  for (int pass = 0; pass < passes; pass++)
    for (size_t y = 0; y < picture->height; y++) {
      decoder->allowance = 2 * row_bytes + ROW_INPUT_BYTES;
      png_read_row(png, picture->pixels + y * picture->width * bytes, NULL);
    }
  decoder->allowance = SIZE_MAX;
}

/* Decode with an open decoder; false: libpng gave up. No variable of this function changes after setjmp. */
static bool decode(png_structp png, png_infop info, png_decoder *decoder)
{
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* check_size() says more than libpng would */
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_read_info(png, info);
  check_size(png, info, decoder);
  const size_t row_bytes = png_get_rowbytes(png, info);
  const int passes = ask_for_rgba(png, info);
  make_picture(png, info, decoder);
  read_rows(png, decoder, passes, row_bytes);
  png_read_end(png, NULL);
  return true;
}

static unsigned deep_sample(const ls_rgba *picture, size_t i)
{
  return (unsigned)picture->pixels[2 * i] << 8 | picture->pixels[2 * i + 1];
}

/* From 16 bits to 8, in place: by rounding; or as they are where the file holds numbers of 8 bits, which
 * would all be black: colours and opacity each for themselves. */
static void make_shallow(ls_rgba *picture)
{
  const size_t count = picture->width * picture->height * LS_RGBA;
  unsigned most[2] = {0, 0};
  for (size_t i = 0; i < count; i++) {
    const size_t kind = i % LS_RGBA == LS_RGBA - 1;
    if (deep_sample(picture, i) > most[kind]) most[kind] = deep_sample(picture, i);
  }
  for (size_t i = 0; i < count; i++) {
    const unsigned value = deep_sample(picture, i);
    picture->pixels[i] = (uint8_t)(most[i % LS_RGBA == LS_RGBA - 1] <= 255 ? value : (value + 128) / 257);
  }
}

static ls_status decode_file(png_decoder *decoder)
{
  png_structp png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decoder, take_error, ignore_warning,
                                             decoder, give_memory, take_memory);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  bool is_decoded = false;
  if (!info) decoder->is_short_of_memory = true;
  if (info) {
    png_set_read_fn(png, decoder, give_bytes);
    is_decoded = decode(png, info, decoder);
  }
  if (png) png_destroy_read_struct(&png, &info, NULL);
  if (is_decoded) return LS_OK;
  if (decoder->is_short_of_memory) return ls_fail(LS_E_MEMORY, "no memory to decode a picture");
  return ls_fail(LS_E_INPUT, "%s", decoder->reason);
}

/* ---- which way up ---- */

/* Find the stored pixel that is shown at (x, y). */
typedef struct turning {
  bool swaps;                   /* rows are columns */
  bool from_right, from_bottom; /* counted there, in the file's picture */
} turning;

static const turning turnings[ORIENTATIONS + 1] = {
    [2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true},
    [5] = {true, false, false}, [6] = {true, false, true}, [7] = {true, true, true},
    [8] = {true, true, false}};

/* Turn a picture as it is to be seen. On error it is as before. */
static ls_status turn(ls_rgba *picture, unsigned orientation)
{
  if (orientation < 2 || orientation > ORIENTATIONS) return LS_OK;
  const turning t = turnings[orientation];
  const size_t width = picture->width, height = picture->height;
  ls_rgba turned = {.width = t.swaps ? height : width, .height = t.swaps ? width : height};
  LS_PASS(ls_alloc(&turned.pixels, width * height, LS_RGBA, "a picture"));
  for (size_t i = 0; i < width * height; i++) {
    const size_t x = i % turned.width, y = i / turned.width;
    const size_t column = t.swaps ? y : x, row = t.swaps ? x : y;
    const size_t from =
        (t.from_bottom ? height - 1 - row : row) * width + (t.from_right ? width - 1 - column : column);
    memcpy(turned.pixels + i * LS_RGBA, picture->pixels + from * LS_RGBA, LS_RGBA);
  }
  free(picture->pixels);
  *picture = turned;
  return LS_OK;
}

/* ---- the whole ---- */

ls_status ls_png_read(const char *path, ls_rgba *out)
{
  char *bytes = NULL;
  png_decoder decoder = {.allowance = SIZE_MAX};
  ls_status status;
  LS_GO(ls_file_read(path, FILE_LIMIT_BYTES, &bytes, &decoder.left));
  decoder.next = (const unsigned char *)bytes;
  decoder.file_bytes = decoder.left;
  if (decoder.left < 8 || png_sig_cmp(decoder.next, 0, 8) != 0)
    LS_GO(ls_picture_format_fail(path, decoder.next, decoder.left));
  const unsigned orientation = ls_exif_orientation(decoder.next, decoder.left);
  status = decode_file(&decoder);
  if (status == LS_OK && decoder.is_deep) make_shallow(&decoder.picture);
  if (status == LS_OK) status = turn(&decoder.picture, orientation);
  if (status != LS_OK) status = ls_wrap(status, "'%s'", path);
done:
  free(bytes);
  if (status == LS_OK)
    *out = decoder.picture;
  else
    ls_rgba_fini(&decoder.picture);
  return status;
}

void ls_rgba_fini(ls_rgba *picture)
{
  free(picture->pixels);
  *picture = (ls_rgba){0};
}
