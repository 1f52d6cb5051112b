/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of CIFAR-10 binary files: the names of the classes after their length, then records, of which the
 * last is the test batch. The label's and the first bytes of a record come from the input, the rest is filled
 * up. */
#include "fuzz.h"

enum { RECORD = 3073, HEAD = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static uint8_t batch[8 * RECORD];
  fuzz_input input = {data, size};
  const fuzz_input names = fuzz_counted(&input);
  const size_t short_by = fuzz_byte(&input) % 4 == 0 ? fuzz_byte(&input) : 0;
  size_t records = 0;
  for (; input.size > 0 && records < 8; records++) {
    const fuzz_input head = fuzz_part(&input, HEAD);
    memset(batch + records * RECORD, 7, RECORD);
    memcpy(batch + records * RECORD, head.data, head.size);
  }
  const size_t bytes = records * RECORD > short_by ? records * RECORD - short_by : 0;
  fuzz_write("batches.meta.txt", names.data, names.size);
  fuzz_write("data_batch_1.bin", batch, bytes);
  fuzz_write("test_batch.bin", batch, bytes > RECORD ? RECORD : bytes);
  fuzz_read_dataset(fuzz_folder());
  fuzz_remove("batches.meta.txt");
  fuzz_remove("data_batch_1.bin");
  fuzz_remove("test_batch.bin");
  return 0;
}
