/* SPDX-License-Identifier: BSD-3-Clause */
/* The HDF5 dataset reader, on files that a script makes. */
#include "hdf5_script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char path[128];
  script_run(data, size, path);
  fuzz_read_dataset(path);
  fuzz_remove("fuzz.h5");
  return 0;
}
