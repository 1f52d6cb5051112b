/* SPDX-License-Identifier: BSD-3-Clause */
/* One row a format, by its signature. */
#include "eval/pictures/picture_format.h"

#include <string.h>

#include "base/show.h"
#include "base/text.h"

typedef struct picture_format {
  const char *name;
  const char *signature;
  size_t offset, bytes;
  const char *program;        /* that makes a PNG picture of it; NULL: there is none */
  const char *before, *after; /* the file's name, as the program wants it */
  const char *rest;           /* of the command */
} picture_format;

#define SIGNATURE(at, text) .signature = (text), .offset = (at), .bytes = sizeof(text) - 1

static const picture_format formats[] = {
    {"a JPEG picture", SIGNATURE(0, "\xff\xd8\xff"), .program = "convert",
     .before = "jpeg:", .rest = "NEW.png"},
    {"a HEIC or AVIF picture", SIGNATURE(4, "ftyp"), .program = "heif-convert", .rest = "NEW.png"},
    {"a WebP picture", SIGNATURE(8, "WEBP"), .program = "convert", .before = "webp:", .rest = "NEW.png"},
    {"a GIF picture", SIGNATURE(0, "GIF8"), .program = "convert", .before = "gif:", .after = "[0]",
     .rest = "NEW.png"},
    {"a TIFF picture", SIGNATURE(0, "II*\0"), .program = "convert", .before = "tiff:", .after = "[0]",
     .rest = "NEW.png"},
    {"a TIFF picture", SIGNATURE(0, "MM\0*"), .program = "convert", .before = "tiff:", .after = "[0]",
     .rest = "NEW.png"},
    {"a BMP picture", SIGNATURE(0, "BM"), .program = "convert", .before = "bmp:", .rest = "NEW.png"},
    {"a PBM picture", SIGNATURE(0, "P1"), .program = "pnmtopng", .rest = ">NEW.png"},
    {"a PGM picture", SIGNATURE(0, "P2"), .program = "pnmtopng", .rest = ">NEW.png"},
    {"a PPM picture", SIGNATURE(0, "P3"), .program = "pnmtopng", .rest = ">NEW.png"},
    {"a PBM picture", SIGNATURE(0, "P4"), .program = "pnmtopng", .rest = ">NEW.png"},
    {"a PGM picture", SIGNATURE(0, "P5"), .program = "pnmtopng", .rest = ">NEW.png"},
    {"a PPM picture", SIGNATURE(0, "P6"), .program = "pnmtopng", .rest = ">NEW.png"},
    {"a PDF document", SIGNATURE(0, "%PDF"), .program = "pdftoppm -png", .rest = "NEW"},
    {"an SVG drawing", SIGNATURE(0, "<svg"), .program = "rsvg-convert", .rest = "-o NEW.png"},
    {"an HDF5 file", SIGNATURE(0, "\x89HDF")},
    {"a NumPy array", SIGNATURE(0, "\x93NUMPY")},
};

/* "convert 'jpeg:my photo' NEW.png": what a shell takes as these words. */
static ls_status fail_with_remedy(const char *path, const picture_format *format)
{
  ls_text name = {0}, word = {0};
  ls_text_add(&name, "%s%s%s", format->before ? format->before : "", path,
              format->after ? format->after : "");
  ls_text_show_word(&word, ls_text_get(&name));
  const ls_status status =
      ls_fail(LS_E_INPUT, "'%s': no PNG file, but %s; to make a PNG file of it: %s %s %s", path, format->name,
              format->program, ls_text_get(&word), format->rest);
  ls_text_fini(&name);
  ls_text_fini(&word);
  return status;
}

ls_status ls_picture_format_fail(const char *path, const unsigned char *bytes, size_t count)
{
  if (count == 0) return ls_fail(LS_E_INPUT, "'%s': the file is empty", path);
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    const picture_format *f = &formats[i];
    if (count < f->offset + f->bytes || memcmp(bytes + f->offset, f->signature, f->bytes) != 0) continue;
    if (f->program) return fail_with_remedy(path, f);
    return ls_fail(LS_E_INPUT, "'%s': no PNG file, but %s", path, f->name);
  }
  return ls_fail(LS_E_INPUT, "'%s': no PNG file", path);
}
