/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fuzz targets share: a folder in memory for the files that the readers want, and reading a dataset
 * as the program does. A target fails by crashing; refusing its input is what it should do with most. */
#ifndef LS_TESTS_FUZZ_H
#define LS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/source.h"
#include "data/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input that is taken bit by bit; behind its end come zeros. */
typedef struct fuzz_input {
  const uint8_t *data;
  size_t size;
} fuzz_input;

static inline uint8_t fuzz_byte(fuzz_input *input)
{
  if (input->size == 0) return 0;
  input->size--;
  return *input->data++;
}

/* The next `count` bytes, or what is left. */
static inline fuzz_input fuzz_part(fuzz_input *input, size_t count)
{
  const fuzz_input part = {input->data, count < input->size ? count : input->size};
  input->data += part.size;
  input->size -= part.size;
  return part;
}

/* A part whose length stands before it in two bytes. */
static inline fuzz_input fuzz_counted(fuzz_input *input)
{
  const size_t high = fuzz_byte(input);
  return fuzz_part(input, high << 8 | fuzz_byte(input));
}

/* The folder of this process; made at first use. */
static inline const char *fuzz_folder(void)
{
  static char path[64];
  if (path[0]) return path;
  snprintf(path, sizeof path, "/dev/shm/lockstep-fuzz-%d", (int)getpid());
  if (mkdir(path, 0700) != 0) abort();
  return path;
}

static inline void fuzz_path(const char *name, char path[128])
{
  snprintf(path, 128, "%s/%s", fuzz_folder(), name);
}

static inline void fuzz_write(const char *name, const void *data, size_t size)
{
  char path[128];
  fuzz_path(name, path);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) abort();
}

static inline void fuzz_remove(const char *name)
{
  char path[128];
  fuzz_path(name, path);
  unlink(path);
}

/* Open and read a dataset whole. */
static inline void fuzz_read_dataset(const char *where)
{
  ls_source *source;
  ls_survey survey;
  if (ls_source_open(&source, where, 0) != LS_OK) return;
  if (ls_survey_make(&survey, source, NULL) == LS_OK) ls_survey_fini(&survey);
  ls_source_close(source);
}

#endif
