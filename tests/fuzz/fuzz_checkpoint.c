/* SPDX-License-Identifier: BSD-3-Clause */
/* The checkpoint readers, on files that a script makes: what is in front of the model, its configuration, the
 * search for the newest, and inspection. */
#include "config/config.h"
#include "hdf5_script.h"
#include "store/checkpoint.h"
#include "train/schemas.h"

static void read_info(const char *path)
{
  ls_checkpoint_info info;
  ls_spec *spec;
  if (ls_checkpoint_read_info(path, &info) != LS_OK) return;
  if (ls_config_parse(&spec, info.config, path, NULL, 0, &ls_all_schemas) == LS_OK) ls_spec_free(spec);
  ls_checkpoint_info_fini(&info);
}

static void find_newest(const char *path)
{
  char as[128], *newest = NULL;
  ls_text damaged = {0};
  fuzz_path("checkpoint-1.h5", as);
  if (rename(path, as) != 0) abort();
  if (ls_checkpoint_newest(fuzz_folder(), &newest, &damaged) == LS_OK) free(newest);
  ls_text_fini(&damaged);
  if (rename(as, path) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char path[128];
  ls_text text = {0};
  script_run(data, size, path);
  read_info(path);
  find_newest(path);
  if (ls_inspect(path, &text) != LS_OK && text.failed) abort();
  ls_text_fini(&text);
  fuzz_remove("fuzz.h5");
  return 0;
}
