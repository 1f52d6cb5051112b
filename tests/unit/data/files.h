/* SPDX-License-Identifier: BSD-3-Clause */
/* Datasets that the tests of the readers make for themselves: a temporary folder, plain and gzip files, IDX
 * headers, and assertions on error messages. */
#ifndef LS_TESTS_UNIT_DATA_FILES_H
#define LS_TESTS_UNIT_DATA_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/status.h"
#include "data/source.h"
#include "cmocka_all.h"

/* A temporary folder, the current directory while a test runs; cmocka's state. */
static inline int enter_folder(void **state)
{
  char *path = strdup("/tmp/lockstep-test-XXXXXX");
  if (!path || !mkdtemp(path) || chdir(path) != 0) return -1;
  *state = path;
  return 0;
}

static inline int leave_folder(void **state)
{
  char command[256];
  char *path = *state;
  snprintf(command, sizeof command, "rm -rf '%s'", path);
  free(path);
  return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

/* A file in the making. */
typedef struct bytes {
  unsigned char data[1 << 16];
  size_t count;
} bytes;

static inline void put(bytes *out, const void *data, size_t count)
{
  assert_true(out->count + count <= sizeof out->data);
  memcpy(out->data + out->count, data, count);
  out->count += count;
}

static inline void put_byte(bytes *out, unsigned value)
{
  const unsigned char byte = (unsigned char)value;
  put(out, &byte, 1);
}

static inline void put_number(bytes *out, uint32_t value)
{
  for (int shift = 24; shift >= 0; shift -= 8) put_byte(out, value >> shift & 0xff);
}

static inline void write_file(const char *path, const void *data, size_t count)
{
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, count, file), count);
  assert_int_equal(fclose(file), 0);
}

static inline void write_plain(const char *path, const bytes *in)
{
  write_file(path, in->data, in->count);
}

static inline void write_gzip(const char *path, const bytes *in)
{
  gzFile file = gzopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(gzwrite(file, in->data, (unsigned)in->count), in->count);
  assert_int_equal(gzclose(file), Z_OK);
}

static inline bytes read_back(const char *path)
{
  bytes in = {.count = 0};
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  in.count = fread(in.data, 1, sizeof in.data, file);
  fclose(file);
  return in;
}

/* An IDX file of unsigned bytes with `rank` dimensions and no elements yet. */
static inline bytes idx_header(size_t rank, const uint32_t *shape)
{
  bytes out = {.count = 0};
  put_number(&out, 0x0800 | (uint32_t)rank);
  for (size_t i = 0; i < rank; i++) put_number(&out, shape[i]);
  return out;
}

/* The pixel of the generated images. */
static inline uint8_t pixel_of(size_t sample, size_t pixel)
{
  return (uint8_t)(sample * 31 + pixel * 7);
}

static inline bytes idx_images(size_t count, size_t height, size_t width)
{
  const uint32_t shape[] = {(uint32_t)count, (uint32_t)height, (uint32_t)width};
  bytes out = idx_header(3, shape);
  for (size_t i = 0; i < count; i++)
    for (size_t p = 0; p < height * width; p++) put_byte(&out, pixel_of(i, p));
  return out;
}

/* Labels 0 .. classes-1 in turn. */
static inline bytes idx_labels(size_t count, unsigned classes)
{
  const uint32_t shape[] = {(uint32_t)count};
  bytes out = idx_header(1, shape);
  for (size_t i = 0; i < count; i++) put_byte(&out, (unsigned)i % classes);
  return out;
}

static inline void assert_says(const char *part)
{
  const char *text = ls_error_last()->text;
  if (!strstr(text, part)) fail_msg("expected '%s' in the message: %s", part, text);
}

/* Opening must fail as an input error whose message has each of the two parts. */
static inline void assert_refused(const char *where, const char *part, const char *other)
{
  ls_source *source = NULL;
  assert_int_equal(ls_source_open(&source, where, 0), LS_E_INPUT);
  assert_null(source);
  assert_says(part);
  assert_says(other);
}

static inline ls_source *open_good(const char *where)
{
  ls_source *source = NULL;
  if (ls_source_open(&source, where, 0) != LS_OK) fail_msg("%s", ls_error_last()->text);
  return source;
}

/* The same with what is known of the files. */
static inline ls_source *open_as(const char *where, ls_reading reading)
{
  ls_source *source = NULL;
  if (ls_source_open_as(&source, where, &reading) != LS_OK) fail_msg("%s", ls_error_last()->text);
  return source;
}

static inline void assert_refused_as(const char *where, ls_reading reading, const char *part,
                                     const char *other)
{
  ls_source *source = NULL;
  assert_int_equal(ls_source_open_as(&source, where, &reading), LS_E_INPUT);
  assert_null(source);
  assert_says(part);
  assert_says(other);
}

static inline ls_reading first_label(size_t count)
{
  return (ls_reading){.first_label = {.word = -1, .count = count}};
}

/* Real data, if there are any: skips the test, saying so, when there are not. */
static inline const char *real_data(const char *name)
{
  static char path[1024];
  const char *root = getenv("LOCKSTEP_DATA_PATH");
  snprintf(path, sizeof path, "%s/%s", root ? root : "", name);
  if (root && access(path, R_OK) == 0) return path;
  print_message("no real data: LOCKSTEP_DATA_PATH does not lead to %s\n", name);
  skip();
  return NULL;
}

static inline void assert_class_counts(const ls_source *source, ls_split split, const size_t expected[10])
{
  size_t counts[10] = {0};
  const uint16_t *labels = ls_source_labels(source, split);
  for (size_t i = 0; i < ls_source_info(source)->count[split]; i++) counts[labels[i]]++;
  for (size_t k = 0; k < 10; k++) assert_int_equal(counts[k], expected[k]);
}

#endif
