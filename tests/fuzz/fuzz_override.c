/* SPDX-License-Identifier: BSD-3-Clause */
/* Overrides of the configuration (src/config/override.c): each line of the input is one. */
#include "fuzz/config.h"

enum { MOST = 8 };

static const char base[] = "name: base\n"
                           "data: {source: mnist}\n"
                           "model:\n"
                           "  layers:\n"
                           "    - {type: conv, name: conv1, filters: 6, kernel: 5, pad: same}\n"
                           "    - type: residual\n"
                           "      name: block\n"
                           "      body:\n"
                           "        - {type: conv, name: inner, filters: 8, pad: 1}\n"
                           "        - {type: residual, body: [{type: relu, name: deep}]}\n"
                           "    - {type: flatten}\n"
                           "    - {type: dense, name: fc, units: 10}\n"
                           "train: {optimizer: {type: adam, lr: 0.001}, schedule: {type: cosine}}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  const char *overrides[MOST];
  size_t count = 0;
  char *text = fuzz_text((fuzz_bytes){data, bytes});
  for (char *line = text; line && count < MOST; count++) {
    overrides[count] = line;
    line = strchr(line, '\n');
    if (line) *line++ = '\0';
  }
  fuzz_config(base, overrides, count);
  free(text);
  return 0;
}
