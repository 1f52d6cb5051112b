/* SPDX-License-Identifier: BSD-3-Clause */
/* A block of very many chunks is read as any other, and takes no more memory. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

#include "h5/guard.h"
#include "h5/internal.h"

enum { ROWS = 300, COLUMNS = 100, FILE_BYTES = 1 << 26 };

static hid_t file, dataset;

/* One-byte chunks in a file that is never written. */
static int setup(void **state)
{
  (void)state;
  static uint8_t values[ROWS][COLUMNS];
  for (size_t i = 0; i < ROWS; i++)
    for (size_t k = 0; k < COLUMNS; k++) values[i][k] = (uint8_t)(3 * i + k);
  assert_int_equal(ls_h5_start(), LS_OK);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_DATASET_CREATE);
  hid_t space = H5Screate_simple(2, (hsize_t[]){ROWS, COLUMNS}, NULL);
  H5Pset_fapl_core(access, 1 << 20, 0);
  H5Pset_chunk(creation, 2, (hsize_t[]){1, 1});
  file = H5Fcreate("in memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  dataset = H5Dcreate2(file, "d", H5T_STD_U8LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  for (hsize_t i = 0; i < ROWS; i++) { /* a row at a time: writing takes memory as well */
    hid_t row = H5Screate_simple(1, (hsize_t[]){COLUMNS}, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, (hsize_t[]){i, 0}, NULL, (hsize_t[]){1, COLUMNS}, NULL);
    assert_true(H5Dwrite(dataset, H5T_NATIVE_UINT8, row, space, H5P_DEFAULT, values[i]) >= 0);
    H5Sclose(row);
  }
  H5Sclose(space);
  H5Pclose(creation);
  H5Pclose(access);
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  H5Dclose(dataset);
  H5Fclose(file);
  return 0;
}

static ls_status read_block(void *user)
{
  static uint16_t values[ROWS][COLUMNS - 1];
  (void)user;
  const hsize_t start[] = {1, 1}, shape[] = {ROWS - 1, COLUMNS - 1};
  memset(values, 0, sizeof values);
  LS_PASS(ls_h5_block_read(dataset, H5T_NATIVE_UINT16, 2, start, shape, values));
  for (size_t i = 0; i < ROWS - 1; i++)
    for (size_t k = 0; k < COLUMNS - 1; k++)
      if (values[i][k] != (uint8_t)(3 * (i + 1) + k + 1))
        return ls_fail(LS_E_BUG, "row %zu, column %zu: %u", i, k, values[i][k]);
  return LS_OK;
}

static void many_chunks_are_read(void **state)
{
  (void)state;
  assert_int_equal(read_block(NULL), LS_OK);
}

/* As a whole it takes 200 MB; for a file of 64 MB the limit is 128. First of all, since libhdf5 keeps memory
 * to use it again. */
static void many_chunks_take_little_memory(void **state)
{
  (void)state;
  if (ls_h5_guard("d", FILE_BYTES, read_block, NULL) != LS_OK) fail_msg("%s", ls_error_last()->text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(many_chunks_take_little_memory),
      cmocka_unit_test(many_chunks_are_read),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
