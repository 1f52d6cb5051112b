/* SPDX-License-Identifier: BSD-3-Clause */
/* A small IDX dataset in a temporary folder, for tests: the bytes of every image show which sample of which
 * split it is. */
#ifndef LS_TESTS_IDX_FOLDER_H
#define LS_TESTS_IDX_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"

enum { IDX_CLASSES = 10 };

typedef struct idx_folder {
  char path[64];
  size_t side;     /* images are side x side */
  size_t count[2]; /* train, test */
} idx_folder;

static const char *const idx_names[2][2] = {{"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
                                            {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}};

/* Byte i of the image of a sample: the first eight are its number, the others depend on it and the split. */
static inline uint8_t idx_pixel(size_t split, uint64_t sample, size_t i)
{
  if (i < 8) return (uint8_t)(sample >> (8 * i));
  return (uint8_t)(sample * 31 + i * 7 + split * 128);
}

/* Labels come in runs of unequal lengths, so that a slice of the file does not hold all classes alike. */
static inline uint16_t idx_label(uint64_t sample)
{
  return (uint16_t)((sample / 3 + sample / 7) % IDX_CLASSES);
}

static inline void idx_put_u32(FILE *file, size_t value)
{
  for (int shift = 24; shift >= 0; shift -= 8)
    assert_int_not_equal(fputc((int)(value >> shift & 255), file), EOF);
}

static inline FILE *idx_create(const idx_folder *folder, const char *name)
{
  char path[128];
  snprintf(path, sizeof path, "%s/%s", folder->path, name);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  return file;
}

static inline void idx_write_split(const idx_folder *folder, size_t split)
{
  FILE *images = idx_create(folder, idx_names[split][0]);
  FILE *labels = idx_create(folder, idx_names[split][1]);
  const size_t bytes = folder->side * folder->side;
  idx_put_u32(images, 0x803);
  idx_put_u32(images, folder->count[split]);
  idx_put_u32(images, folder->side);
  idx_put_u32(images, folder->side);
  idx_put_u32(labels, 0x801);
  idx_put_u32(labels, folder->count[split]);
  for (size_t sample = 0; sample < folder->count[split]; sample++) {
    for (size_t i = 0; i < bytes; i++) fputc(idx_pixel(split, sample, i), images);
    fputc(idx_label(sample), labels);
  }
  assert_int_equal(fclose(images), 0);
  assert_int_equal(fclose(labels), 0);
}

/* Make the folder; remove it with idx_folder_remove(). */
static inline void idx_folder_make(idx_folder *folder, size_t side, size_t train_count, size_t test_count)
{
  *folder =
      (idx_folder){.path = "/tmp/lockstep-idx-XXXXXX", .side = side, .count = {train_count, test_count}};
  assert_non_null(mkdtemp(folder->path));
  for (size_t split = 0; split < 2; split++)
    if (folder->count[split] > 0) idx_write_split(folder, split);
}

static inline void idx_folder_remove(const idx_folder *folder)
{
  char path[128];
  for (size_t i = 0; i < 4; i++) {
    snprintf(path, sizeof path, "%s/%s", folder->path, idx_names[i / 2][i % 2]);
    unlink(path);
  }
  rmdir(folder->path);
}

#endif
