/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures are encoded in memory and then written in one go, so that a full disk cannot leave half a file,
 * and libpng's error exits (longjmp) never cross our own code: they lead from a callback straight back here.
 */
#include "draw/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/temporary.h"
#include "base/memory.h"
#include "base/size.h"
#include "base/text.h"

enum { MAX_SIDE = 1 << 20, RGB = 3 };

ls_status ls_picture_init(ls_picture *picture, size_t width, size_t height, const uint8_t colour[3])
{
  size_t pixels;
  *picture = (ls_picture){.width = width, .height = height};
  if (!ls_size_mul(width, height, &pixels))
    return ls_fail(LS_E_MEMORY, "no memory for a picture of %zu x %zu", width, height);
  LS_PASS(ls_alloc(&picture->rgb, pixels, RGB, "a picture"));
  for (size_t i = 0; i < pixels; i++) memcpy(picture->rgb + RGB * i, colour, RGB);
  return LS_OK;
}

void ls_picture_fini(ls_picture *picture)
{
  free(picture->rgb);
  *picture = (ls_picture){0};
}

/* What the callbacks of libpng work on. */
typedef struct png_encoder {
  ls_text bytes;
  char reason[128]; /* why libpng gave up */
} png_encoder;

static void take_bytes(png_structp png, png_bytep data, size_t bytes)
{
  png_encoder *encoder = png_get_io_ptr(png);
  ls_text_add_bytes(&encoder->bytes, data, bytes);
  if (encoder->bytes.failed) png_error(png, "no memory");
}

static void nothing_to_flush(png_structp png)
{
  (void)png;
}

static void take_error(png_structp png, png_const_charp reason)
{
  png_encoder *encoder = png_get_error_ptr(png);
  snprintf(encoder->reason, sizeof encoder->reason, "%s", reason);
  png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp reason)
{
  (void)png;
  (void)reason;
}

/* Encode with an open encoder; false: libpng gave up. No variable of this function changes after setjmp. */
static bool encode(png_structp png, png_infop info, const ls_picture *picture)
{
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_IHDR(png, info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8, PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (size_t y = 0; y < picture->height; y++) png_write_row(png, picture->rgb + y * picture->width * RGB);
  png_write_end(png, info);
  return true;
}

static ls_status encode_picture(png_encoder *encoder, const ls_picture *picture)
{
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, encoder, take_error, ignore_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  ls_status status = LS_OK;
  if (!info) {
    status = ls_fail(LS_E_MEMORY, "no memory to encode a picture");
  } else {
    png_set_write_fn(png, encoder, take_bytes, nothing_to_flush);
    if (!encode(png, info, picture)) status = ls_fail(LS_E_IO, "libpng: %s", encoder->reason);
  }
  if (png) png_destroy_write_struct(&png, &info);
  return status;
}

ls_status ls_png_write(const char *path, const ls_picture *picture)
{
  if (picture->width > MAX_SIDE || picture->height > MAX_SIDE)
    return ls_fail(LS_E_INPUT, "a picture of %zu x %zu pixels is too large: at most %d a side",
                   picture->width, picture->height, MAX_SIDE);
  png_encoder encoder = {.reason = ""};
  ls_status status;
  LS_GO(encode_picture(&encoder, picture));
  LS_GO(ls_file_write(path, encoder.bytes.chars, encoder.bytes.length));
done:
  ls_text_fini(&encoder.bytes);
  return status == LS_OK ? LS_OK : ls_wrap(status, "writing picture '%s'", path);
}
