/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5 files of whatever bytes, begun with such as h5py writes (make_h5_seeds.py): libhdf5 may crash on them,
 * in the child process that tries them (src/h5/guard.c), and nowhere else. The input is the file. */
#include "eval/loaded.h"
#include "eval/loading.h"
#include "fuzz/source.h"
#include "store/checkpoint.h"
#include "train/schemas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  static const char path[] = "bytes.h5";
  ls_text text = {0};
  ls_loaded loaded;
  fuzz_write(path, data, bytes);
  (void)fuzz_accepted(ls_inspect(path, &text));
  ls_text_fini(&text);
  fuzz_source(path);
  if (fuzz_accepted(ls_loaded_read(&loaded, path, &ls_all_schemas))) ls_loaded_close(&loaded);
  return 0;
}
