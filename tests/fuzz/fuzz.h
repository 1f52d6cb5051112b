/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fuzz targets share: taking an input apart, files made of its parts, and what must hold whatever
 * the input is. Files are made in the current folder, which run.sh puts in memory. A broken promise ends the
 * program, which libFuzzer takes for a crash and keeps the input of. */
#ifndef LS_TESTS_FUZZ_FUZZ_H
#define LS_TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t limit, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t limit); /* libFuzzer's own mutations */

#define FUZZ_REQUIRE(condition, ...)                                                                         \
  do {                                                                                                       \
    if (!(condition)) {                                                                                      \
      fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #condition);                                \
      fprintf(stderr, __VA_ARGS__);                                                                          \
      fprintf(stderr, "\n");                                                                                 \
      abort();                                                                                               \
    }                                                                                                        \
  } while (0)

/* Did it work? If not, it must be the input's fault, and be reported. No input may ask for more memory than
 * there is. */
static inline bool fuzz_accepted(ls_status status)
{
  if (status == LS_OK) return true;
  const char *text = ls_error_last()->text;
  FUZZ_REQUIRE(status == LS_E_INPUT || status == LS_E_CONFIG, "%s: %s", ls_status_word(status), text);
  FUZZ_REQUIRE(text[0] != '\0', "an error without a message");
  return false;
}

/* For what the harness itself needs. */
static inline void fuzz_must(ls_status status)
{
  FUZZ_REQUIRE(status == LS_OK, "%s", ls_error_last()->text);
}

/* ---- an input, from front to back; zeros follow its end ---- */

typedef struct fuzz_bytes {
  const uint8_t *at;
  size_t left;
} fuzz_bytes;

static inline uint8_t fuzz_byte(fuzz_bytes *in)
{
  if (in->left == 0) return 0;
  in->left--;
  return *in->at++;
}

/* The next `bytes` bytes, or as many as there are. */
static inline fuzz_bytes fuzz_take(fuzz_bytes *in, size_t bytes)
{
  fuzz_bytes part = {in->at, bytes < in->left ? bytes : in->left};
  in->at += part.left;
  in->left -= part.left;
  return part;
}

/* A part with its length before it: 16 bits, little-endian. */
static inline fuzz_bytes fuzz_part(fuzz_bytes *in)
{
  size_t low = fuzz_byte(in);
  return fuzz_take(in, low | (size_t)fuzz_byte(in) << 8);
}

/* A terminated copy; freed with free(). */
static inline char *fuzz_text(fuzz_bytes part)
{
  char *text = malloc(part.left + 1);
  FUZZ_REQUIRE(text, "no memory");
  if (part.left > 0) memcpy(text, part.at, part.left);
  text[part.left] = '\0';
  return text;
}

/* ---- files ---- */

static inline void fuzz_write(const char *path, const void *data, size_t bytes)
{
  FILE *file = fopen(path, "wb");
  FUZZ_REQUIRE(file, "cannot make '%s'", path);
  FUZZ_REQUIRE(bytes == 0 || fwrite(data, 1, bytes, file) == bytes, "cannot write '%s'", path);
  FUZZ_REQUIRE(fclose(file) == 0, "cannot write '%s'", path);
}

/* Freed with free(). */
static inline unsigned char *fuzz_read(const char *path, size_t *bytes)
{
  FILE *file = fopen(path, "rb");
  FUZZ_REQUIRE(file && fseek(file, 0, SEEK_END) == 0, "cannot read '%s'", path);
  *bytes = (size_t)ftell(file);
  rewind(file);
  unsigned char *data = malloc(*bytes + 1);
  FUZZ_REQUIRE(data && fread(data, 1, *bytes, file) == *bytes, "cannot read '%s'", path);
  fclose(file);
  return data;
}

#endif
