/* SPDX-License-Identifier: BSD-3-Clause */
/* The chunk is found in the file's bytes, since it may stand before or after the image data; in it is a TIFF
 * header and a directory of entries, in either byte order. Every offset is checked against the chunk. */
#include "eval/pictures/exif.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

enum {
  SIGNATURE_BYTES = 8,
  CHUNK_HEAD_BYTES = 8, /* length and name */
  CRC_BYTES = 4,
  TIFF_HEAD_BYTES = 8,
  ENTRY_BYTES = 12,
  TAG_ORIENTATION = 0x0112,
  TYPE_SHORT = 3,
  ORIENTATIONS = 8
};

/* Bytes in an order. */
typedef struct reader {
  const unsigned char *bytes;
  size_t count;
  bool is_big; /* most significant byte first */
} reader;

static uint32_t number(const reader *r, size_t at, size_t bytes)
{
  uint32_t value = 0;
  for (size_t i = 0; i < bytes; i++) value = value << 8 | r->bytes[at + (r->is_big ? i : bytes - 1 - i)];
  return value;
}

/* The contents of a chunk whose checksum holds; NULL: there is none. */
static const unsigned char *find_chunk(const reader *png, const char *name, size_t *length)
{
  size_t at = SIGNATURE_BYTES;
  while (at + CHUNK_HEAD_BYTES + CRC_BYTES <= png->count) {
    const size_t rest = png->count - at - CHUNK_HEAD_BYTES - CRC_BYTES;
    const unsigned char *type = png->bytes + at + 4;
    *length = number(png, at, 4);
    if (*length > rest) return NULL;
    const size_t end = at + CHUNK_HEAD_BYTES + *length;
    if (memcmp(type, name, 4) == 0)
      return crc32(0, type, (uInt)(*length + 4)) == number(png, end, CRC_BYTES) ? type + 4 : NULL;
    at = end + CRC_BYTES;
  }
  return NULL;
}

static unsigned read_directory(const reader *tiff)
{
  const size_t start = number(tiff, 4, 4);
  if (start > tiff->count - 2) return 1;
  const size_t entries = number(tiff, start, 2);
  for (size_t i = 0; i < entries && start + 2 + (i + 1) * ENTRY_BYTES <= tiff->count; i++) {
    const size_t entry = start + 2 + i * ENTRY_BYTES;
    if (number(tiff, entry, 2) != TAG_ORIENTATION || number(tiff, entry + 2, 2) != TYPE_SHORT) continue;
    const unsigned value = number(tiff, entry + 8, 2);
    return value >= 1 && value <= ORIENTATIONS ? value : 1;
  }
  return 1;
}

unsigned ls_exif_orientation(const unsigned char *png, size_t bytes)
{
  static const char prefix[] = "Exif\0"; /* of JPEG; some programs leave it there */
  const reader file = {.bytes = png, .count = bytes, .is_big = true};
  reader tiff = {.count = 0};
  tiff.bytes = find_chunk(&file, "eXIf", &tiff.count);
  if (!tiff.bytes) return 1;
  if (tiff.count > sizeof prefix && memcmp(tiff.bytes, prefix, sizeof prefix) == 0)
    tiff.bytes += sizeof prefix, tiff.count -= sizeof prefix;
  if (tiff.count < TIFF_HEAD_BYTES) return 1;
  tiff.is_big = tiff.bytes[0] == 'M';
  const bool is_tiff =
      tiff.bytes[0] == tiff.bytes[1] && (tiff.is_big || tiff.bytes[0] == 'I') && number(&tiff, 2, 2) == 42;
  return is_tiff ? read_directory(&tiff) : 1;
}
