/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of HDF5 datasets (src/data/readers/h5set.c). Input: edits (h5_edit.h) to a dataset that our own
 * writer made. */
#include <sys/stat.h>

#include "data/readers/h5set_write.h"
#include "fuzz/h5_edit.h"
#include "fuzz/source.h"
#include "store/checkpoint.h"

static unsigned char *base;
static size_t base_bytes;

/* Four images and labels of each split, from CIFAR files to an HDF5 file. */
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
  (void)count, (void)arguments;
  enum { RECORD_BYTES = 3073, RECORDS = 4 };
  static unsigned char batch[RECORDS * RECORD_BYTES];
  static const char names[] = "a\nb\nc\nd\n";
  ls_source *source;
  for (size_t i = 0; i < RECORDS; i++) batch[i * RECORD_BYTES] = (unsigned char)i;
  mkdir("cifar", 0777);
  fuzz_write("cifar/data_batch_1.bin", batch, sizeof batch);
  fuzz_write("cifar/test_batch.bin", batch, sizeof batch);
  fuzz_write("cifar/batches.meta.txt", names, sizeof names - 1);
  fuzz_must(ls_source_open(&source, "cifar", 0));
  fuzz_must(ls_h5set_write("base.h5", source, NULL));
  ls_source_close(source);
  base = fuzz_read("base.h5", &base_bytes);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  ls_text text = {0};
  fuzz_write("dataset.h5", base, base_bytes);
  fuzz_h5_edit_file("dataset.h5", (fuzz_bytes){data, bytes});
  fuzz_source("dataset.h5");
  (void)fuzz_accepted(ls_inspect("dataset.h5", &text));
  ls_text_fini(&text);
  return 0;
}
