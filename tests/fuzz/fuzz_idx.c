/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of IDX files: a byte of flags (which files are called .gz, and which of those are compressed
 * here), then the four files, each after its length. */
#include <zlib.h>

#include "fuzz.h"

static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

static void write_compressed(const char *name, const fuzz_input *part)
{
  char path[128];
  fuzz_path(name, path);
  gzFile file = gzopen(path, "wb1");
  if (!file || gzwrite(file, part->data, (unsigned)part->size) != (int)part->size || gzclose(file) != Z_OK)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  fuzz_input input = {data, size};
  const unsigned flags = fuzz_byte(&input);
  char files[4][64];
  for (unsigned i = 0; i < 4; i++) {
    const fuzz_input part = fuzz_counted(&input);
    snprintf(files[i], sizeof files[i], "%s%s", names[i], flags >> i & 1 ? ".gz" : "");
    if ((flags >> i & 1) && (flags >> (i + 4) & 1) && part.size > 0)
      write_compressed(files[i], &part);
    else
      fuzz_write(files[i], part.data, part.size);
  }
  fuzz_read_dataset(fuzz_folder());
  for (unsigned i = 0; i < 4; i++) fuzz_remove(files[i]);
  return 0;
}
