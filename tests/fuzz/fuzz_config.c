/* SPDX-License-Identifier: BSD-3-Clause */
/* The YAML configuration (src/config): the input is the file. */
#include "fuzz/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  char *text = fuzz_text((fuzz_bytes){data, bytes});
  fuzz_config(text, NULL, 0);
  free(text);
  return 0;
}
