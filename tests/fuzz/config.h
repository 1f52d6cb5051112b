/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold for any configuration: it is refused, or it resolves to a text that resolves to itself. */
#ifndef LS_TESTS_FUZZ_CONFIG_H
#define LS_TESTS_FUZZ_CONFIG_H

#include "config/config.h"
#include "fuzz/fuzz.h"
#include "train/schemas.h"

static inline void fuzz_config(const char *text, const char *const *overrides, size_t override_count)
{
  ls_spec *spec, *again;
  ls_text yaml = {0}, again_yaml = {0};
  if (!fuzz_accepted(ls_config_parse(&spec, text, "c.yaml", overrides, override_count, &ls_all_schemas)))
    return;
  ls_config_emit(spec, &yaml);
  fuzz_must(ls_config_parse(&again, ls_text_get(&yaml), "resolved", NULL, 0, &ls_all_schemas));
  ls_config_emit(again, &again_yaml);
  FUZZ_REQUIRE(strcmp(ls_text_get(&yaml), ls_text_get(&again_yaml)) == 0, "%s\nand\n%s", ls_text_get(&yaml),
               ls_text_get(&again_yaml));
  ls_text_fini(&yaml);
  ls_text_fini(&again_yaml);
  ls_spec_free(again);
  ls_spec_free(spec);
}

#endif
