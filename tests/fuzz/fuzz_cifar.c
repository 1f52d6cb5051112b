/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of CIFAR-10's binary files (src/data/readers/cifar.c). Input: a training batch and a test batch,
 * each with its length before it, then the class names. */
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/source.h"

/* An empty part is a file that is not there. */
static void put_file(const char *path, fuzz_bytes part)
{
  unlink(path);
  if (part.left > 0) fuzz_write(path, part.at, part.left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  fuzz_bytes in = {data, bytes};
  mkdir("cifar", 0777);
  put_file("cifar/data_batch_1.bin", fuzz_part(&in));
  put_file("cifar/test_batch.bin", fuzz_part(&in));
  put_file("cifar/batches.meta.txt", in);
  fuzz_source("cifar");
  return 0;
}
