/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of IDX files (src/data/readers/idx.c). Input: a byte of flags, one of which has the files read
 * by columns and labels from 1 on, the test split's images and labels, each with its length before it (only
 * if a flag says so), then the training split's images with their length, then its labels. */
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/gzip.h"
#include "fuzz/source.h"

enum { GZIP_IMAGES = 1, GZIP_LABELS = 2, WITH_TEST = 4, AS_LETTERS = 8, FILE_BYTES = 1 << 17 };

static void put_file(const char *path, fuzz_bytes part, bool gzip)
{
  static uint8_t compressed[FILE_BYTES];
  size_t count = gzip ? fuzz_gzip(part.at, part.left, compressed, sizeof compressed) : 0;
  if (count > 0)
    fuzz_write(path, compressed, count);
  else
    fuzz_write(path, part.at, part.left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  fuzz_bytes in = {data, bytes};
  uint8_t flags = fuzz_byte(&in);
  mkdir("idx", 0777);
  unlink("idx/t10k-images-idx3-ubyte");
  unlink("idx/t10k-labels-idx1-ubyte");
  if (flags & WITH_TEST) {
    put_file("idx/t10k-images-idx3-ubyte", fuzz_part(&in), false);
    put_file("idx/t10k-labels-idx1-ubyte", fuzz_part(&in), false);
  }
  put_file("idx/train-images-idx3-ubyte", fuzz_part(&in), flags & GZIP_IMAGES);
  put_file("idx/train-labels-idx1-ubyte", in, flags & GZIP_LABELS);
  const ls_reading letters = {.transpose = LS_TRANSPOSE_TRUE, .first_label = {.word = -1, .count = 1}};
  fuzz_source_as("idx", flags & AS_LETTERS ? &letters : &(ls_reading){.classes = 0});
  return 0;
}
