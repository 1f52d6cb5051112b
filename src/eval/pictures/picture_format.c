/* SPDX-License-Identifier: BSD-3-Clause */
/* One row a format, by its signature. */
#include "eval/pictures/picture_format.h"

#include <string.h>

typedef struct picture_format {
  const char *name;
  const char *signature;
  size_t offset, bytes;
  const char *remedy; /* command that makes a PNG picture of FILE; NULL: none */
} picture_format;

#define SIGNATURE(at, text) .signature = (text), .offset = (at), .bytes = sizeof(text) - 1

static const picture_format formats[] = {
    {"a JPEG picture", SIGNATURE(0, "\xff\xd8\xff"), .remedy = "convert jpeg:FILE NEW.png"},
    {"a HEIC or AVIF picture", SIGNATURE(4, "ftyp"), .remedy = "heif-convert FILE NEW.png"},
    {"a WebP picture", SIGNATURE(8, "WEBP"), .remedy = "convert webp:FILE NEW.png"},
    {"a GIF picture", SIGNATURE(0, "GIF8"), .remedy = "convert 'gif:FILE[0]' NEW.png"},
    {"a TIFF picture", SIGNATURE(0, "II*\0"), .remedy = "convert 'tiff:FILE[0]' NEW.png"},
    {"a TIFF picture", SIGNATURE(0, "MM\0*"), .remedy = "convert 'tiff:FILE[0]' NEW.png"},
    {"a BMP picture", SIGNATURE(0, "BM"), .remedy = "convert bmp:FILE NEW.png"},
    {"a PBM picture", SIGNATURE(0, "P1"), .remedy = "pnmtopng FILE >NEW.png"},
    {"a PGM picture", SIGNATURE(0, "P2"), .remedy = "pnmtopng FILE >NEW.png"},
    {"a PPM picture", SIGNATURE(0, "P3"), .remedy = "pnmtopng FILE >NEW.png"},
    {"a PBM picture", SIGNATURE(0, "P4"), .remedy = "pnmtopng FILE >NEW.png"},
    {"a PGM picture", SIGNATURE(0, "P5"), .remedy = "pnmtopng FILE >NEW.png"},
    {"a PPM picture", SIGNATURE(0, "P6"), .remedy = "pnmtopng FILE >NEW.png"},
    {"a PDF document", SIGNATURE(0, "%PDF"), .remedy = "pdftoppm -png FILE NEW"},
    {"an SVG drawing", SIGNATURE(0, "<svg"), .remedy = "rsvg-convert FILE -o NEW.png"},
    {"an HDF5 file", SIGNATURE(0, "\x89HDF")},
    {"a NumPy array", SIGNATURE(0, "\x93NUMPY")},
};

ls_status ls_picture_format_fail(const char *path, const unsigned char *bytes, size_t count)
{
  if (count == 0) return ls_fail(LS_E_INPUT, "'%s': the file is empty", path);
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    const picture_format *f = &formats[i];
    if (count < f->offset + f->bytes || memcmp(bytes + f->offset, f->signature, f->bytes) != 0) continue;
    return f->remedy ? ls_fail(LS_E_INPUT, "'%s': no PNG file, but %s; to make a PNG file of it: %s", path,
                               f->name, f->remedy)
                     : ls_fail(LS_E_INPUT, "'%s': no PNG file, but %s", path, f->name);
  }
  return ls_fail(LS_E_INPUT, "'%s': no PNG file", path);
}
