/* SPDX-License-Identifier: BSD-3-Clause */
/* Configurations and overrides: YAML text up to the first zero byte, then overrides, each up to the next.
 * What is accepted must resolve to itself. */
#include "config/config.h"
#include "fuzz.h"
#include "train/schemas.h"

enum { OVERRIDES_MAX = 8 };

/* The text up to the next zero byte, with a terminator, freed by the caller. */
static char *next_text(fuzz_input *input)
{
  size_t length = 0;
  while (length < input->size && input->data[length]) length++;
  char *text = calloc(length + 1, 1);
  if (!text) abort();
  memcpy(text, input->data, length);
  fuzz_part(input, length + 1);
  return text;
}

static void check_resolved(const ls_spec *spec)
{
  ls_text first = {0}, second = {0};
  ls_spec *again;
  ls_config_emit(spec, &first);
  if (ls_config_parse(&again, ls_text_get(&first), "resolved", NULL, 0, &ls_all_schemas) != LS_OK) abort();
  ls_config_emit(again, &second);
  if (strcmp(ls_text_get(&first), ls_text_get(&second)) != 0) abort();
  ls_spec_free(again);
  ls_text_fini(&first);
  ls_text_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  fuzz_input input = {data, size};
  char *overrides[OVERRIDES_MAX];
  size_t count = 0;
  char *text = next_text(&input);
  while (input.size > 0 && count < OVERRIDES_MAX) overrides[count++] = next_text(&input);
  ls_spec *spec;
  if (ls_config_parse(&spec, text, "fuzz.yaml", (const char *const *)overrides, count, &ls_all_schemas) ==
      LS_OK) {
    check_resolved(spec);
    ls_spec_free(spec);
  }
  for (size_t i = 0; i < count; i++) free(overrides[i]);
  free(text);
  return 0;
}
