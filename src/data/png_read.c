/* SPDX-License-Identifier: BSD-3-Clause */
/* Files are read whole and decoded from memory. libpng's error exits (longjmp) lead straight back here. */
#include "data/png_read.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { RGBA = 4, MAX_SIDE = 1 << 16, MAX_PIXELS = 1 << 26, FILE_LIMIT_BYTES = 1 << 29 };

/* What the callbacks of libpng work on. */
typedef struct png_decoder {
  const unsigned char *next;
  size_t left;
  char reason[128]; /* why libpng gave up */
  ls_rgba picture;
  png_bytep *rows;
} png_decoder;

static void give_bytes(png_structp png, png_bytep data, size_t bytes)
{
  png_decoder *decoder = png_get_io_ptr(png);
  if (bytes > decoder->left) png_error(png, "it ends too early");
  memcpy(data, decoder->next, bytes);
  decoder->next += bytes;
  decoder->left -= bytes;
}

static void take_error(png_structp png, png_const_charp reason)
{
  png_decoder *decoder = png_get_error_ptr(png);
  snprintf(decoder->reason, sizeof decoder->reason, "%s", reason);
  png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp reason)
{
  (void)png;
  (void)reason;
}

/* Whatever it is, to 8 bits of red, green, blue and alpha. */
static void ask_for_rgba(png_structp png, png_infop info)
{
  png_set_expand(png); /* palettes, fewer than 8 bits, transparent colours */
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
}

static void make_rows(png_structp png, png_infop info, png_decoder *decoder)
{
  ls_rgba *picture = &decoder->picture;
  picture->width = png_get_image_width(png, info);
  picture->height = png_get_image_height(png, info);
  if (picture->width > MAX_PIXELS / picture->height) png_error(png, "it has more than 2^26 pixels");
  if (ls_alloc(&picture->pixels, picture->width * picture->height, RGBA, "a picture") != LS_OK ||
      ls_alloc(&decoder->rows, picture->height, sizeof *decoder->rows, "the rows of a picture") != LS_OK)
    png_error(png, "no memory");
  for (size_t y = 0; y < picture->height; y++) decoder->rows[y] = picture->pixels + y * picture->width * RGBA;
}

/* Decode with an open decoder; false: libpng gave up. No variable of this function changes after setjmp. */
static bool decode(png_structp png, png_infop info, png_decoder *decoder)
{
  if (setjmp(png_jmpbuf(png))) return false;
  png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
  png_read_info(png, info);
  ask_for_rgba(png, info);
  make_rows(png, info, decoder);
  png_read_image(png, decoder->rows);
  png_read_end(png, NULL);
  return true;
}

static ls_status decode_file(png_decoder *decoder)
{
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, take_error, ignore_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  ls_status status = LS_OK;
  if (!info) {
    status = ls_fail(LS_E_MEMORY, "no memory to decode a picture");
  } else {
    png_set_read_fn(png, decoder, give_bytes);
    if (!decode(png, info, decoder)) status = ls_fail(LS_E_INPUT, "damaged: %s", decoder->reason);
  }
  if (png) png_destroy_read_struct(&png, &info, NULL);
  return status;
}

ls_status ls_png_read(const char *path, ls_rgba *out)
{
  char *bytes = NULL;
  png_decoder decoder = {.reason = ""};
  ls_status status;
  LS_GO(ls_file_read(path, FILE_LIMIT_BYTES, &bytes, &decoder.left));
  decoder.next = (const unsigned char *)bytes;
  if (decoder.left < 8 || png_sig_cmp(decoder.next, 0, 8) != 0)
    LS_GO(ls_fail(LS_E_INPUT, "'%s': no PNG file", path));
  status = decode_file(&decoder);
  if (status != LS_OK) status = ls_wrap(status, "'%s'", path);
done:
  free(decoder.rows);
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
