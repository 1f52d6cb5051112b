/* SPDX-License-Identifier: BSD-3-Clause */
/* Weight files of others but HDF5 (src/store/foreign): a pickle of PyTorch, archives, safetensors. Input:
 * which of them the file's name says it is, then its bytes. In archives members are read as they stand: the
 * fuzzer hardly finds sums of its own. */
#include "fuzz/fuzz.h"
#include "store/foreign/reader.h"

enum { MODEL_VALUES = 64 }; /* as in a model, tensors of other sizes are not wanted */

static void start(void *user)
{
  (void)user;
}

static bool wants(void *user, const char *name)
{
  (void)user;
  return name[0] != '-';
}

static ls_status take(void *user, const ls_foreign_tensor *tensor)
{
  float values[MODEL_VALUES];
  (void)user;
  FUZZ_REQUIRE(tensor->dim_count <= LS_FOREIGN_MAX_RANK, "%zu dimensions", tensor->dim_count);
  if (!tensor->is_real || tensor->count > MODEL_VALUES) return LS_OK;
  return tensor->read(tensor, values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  static const ls_foreign_reader *const readers[] = {&ls_foreign_reader_torch_old,
                                                     &ls_foreign_reader_torch_zip,
                                                     &ls_foreign_reader_safetensors, &ls_foreign_reader_npz};
  static const char *const keys[] = {NULL, "ema"};
  const ls_foreign_visitor visitor = {.start = start, .wants = wants, .take = take};
  fuzz_bytes in = {data, bytes};
  const size_t which = fuzz_byte(&in);
  const ls_foreign_file file = {
      .path = "weights", .key = keys[which / 4 % 2], .bytes = in.at, .count = in.left};
  if (in.left == 0) return 0;
  (void)fuzz_accepted(readers[which % 4]->walk(&file, &visitor));
  return 0;
}
