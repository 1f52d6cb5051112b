/* SPDX-License-Identifier: BSD-3-Clause */
/* Histories, metrics.h5 and metrics.csv. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <hdf5.h>

#include <sys/stat.h>

#include "fixture.h"

static int setup(void **state)
{
  *state = fixture_new();
  return 0;
}

static int teardown(void **state)
{
  fixture_free(*state);
  return 0;
}

static void history_grows(void **state)
{
  (void)state;
  ls_history history = {0};
  for (uint64_t i = 0; i < 1000; i++)
    assert_int_equal(ls_history_add(&history, &(ls_epoch_metrics){.epoch = i, .loss = (double)i / 7}), LS_OK);
  assert_int_equal(history.count, 1000);
  for (uint64_t i = 0; i < 1000; i++) {
    assert_int_equal(history.rows[i].epoch, i);
    assert_true(history.rows[i].loss == (double)i / 7);
  }
  ls_history_fini(&history);
  assert_null(history.rows);
}

static void csv_has_a_line_per_epoch(void **state)
{
  fixture *f = *state;
  assert_int_equal(ls_metrics_write(&f->run_dir, &f->info, &f->state), LS_OK);
  size_t count;
  unsigned char *csv = slurp(path_in(f, "metrics.csv"), &count);
  assert_string_equal(
      (char *)csv,
      "epoch,step,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,seconds\n"
      "1,225,1,0.9,,,0.05,4.25\n"
      "2,450,0.5,0.95,1,0.95,0.05,4.25\n"
      "3,675,0.333333333,0.966666667,0.666666667,0.966666667,0.05,4.25\n");
  free(csv);
}

static void csv_of_no_epochs_is_a_header(void **state)
{
  fixture *f = *state;
  const ls_state none = {.model = NULL};
  assert_int_equal(ls_metrics_write(&f->run_dir, &f->info, &none), LS_OK);
  size_t count;
  unsigned char *csv = slurp(path_in(f, "metrics.csv"), &count);
  assert_int_equal(csv[count - 1], '\n');
  assert_null(memchr(csv, '\n', count - 1));
  free(csv);
}

static void h5_has_a_row_per_epoch(void **state)
{
  fixture *f = *state;
  assert_int_equal(ls_metrics_write(&f->run_dir, &f->info, &f->state), LS_OK);
  hid_t file = H5Fopen(path_in(f, "metrics.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  const char *tables[] = {"metrics/train", "metrics/validation"};
  const ls_history *histories[] = {&f->state.train, &f->state.validation};
  hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(double));
  H5Tinsert(type, "loss", 0, H5T_NATIVE_DOUBLE);
  for (int t = 0; t < 2; t++) {
    double loss[8];
    hid_t data = H5Dopen2(file, tables[t], H5P_DEFAULT);
    hid_t space = H5Dget_space(data);
    assert_int_equal(H5Sget_simple_extent_npoints(space), histories[t]->count);
    assert_true(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, loss) >= 0);
    for (size_t i = 0; i < histories[t]->count; i++) assert_true(loss[i] == histories[t]->rows[i].loss);
    H5Sclose(space);
    H5Dclose(data);
  }
  H5Tclose(type);
  H5Fclose(file);
}

static double attribute_of(hid_t file, const char *group, const char *name)
{
  double value = -1;
  hid_t attribute = H5Aopen_by_name(file, group, name, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0);
  H5Aclose(attribute);
  return value;
}

static void read_all(hid_t file, const char *name, double *values, hssize_t count)
{
  hid_t data = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(data);
  assert_int_equal(H5Sget_simple_extent_npoints(space), count);
  assert_true(H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Sclose(space);
  H5Dclose(data);
}

/* As HDF5 itself sees it, without this module. */
static void h5_has_the_figures_of_each_split(void **state)
{
  fixture *f = *state;
  double values[9];
  assert_int_equal(ls_metrics_write(&f->run_dir, &f->info, &f->state), LS_OK);
  hid_t file = H5Fopen(path_in(f, "metrics.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(attribute_of(file, "test", "epoch") == 3);
  assert_true(attribute_of(file, "validation", "epoch") == 2);
  assert_true(attribute_of(file, "test", "loss") == 1.5 && attribute_of(file, "test", "nll") == 1.25);
  assert_true(attribute_of(file, "test", "accuracy") == 0.7 && attribute_of(file, "test", "brier") == 0.25);
  assert_true(attribute_of(file, "test", "ece") == 0.125 && attribute_of(file, "test", "macro_f1") == 0.3);
  read_all(file, "test/f1", values, 3);
  assert_true(values[0] == 2.5 && values[2] == 4.5);
  read_all(file, "test/precision", values, 3);
  assert_true(values[0] == 0.5);
  read_all(file, "validation/support", values, 3);
  assert_true(values[1] == 4);
  read_all(file, "test/confusion", values, 9);
  assert_true(values[0] == 100 && values[8] == 108);
  assert_true(H5Aexists_by_name(file, "test", "class_names", H5P_DEFAULT) > 0);
  H5Fclose(file);
  ls_split_metrics_set(&f->state.split_metrics, LS_METRICS_TEST, NULL);
  assert_int_equal(ls_metrics_write(&f->run_dir, &f->info, &f->state), LS_OK);
  file = H5Fopen(path_in(f, "metrics.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(H5Lexists(file, "test", H5P_DEFAULT) == 0 && H5Lexists(file, "validation", H5P_DEFAULT) > 0);
  H5Fclose(file);
}

static void inspect_shows_the_table(void **state)
{
  fixture *f = *state;
  assert_int_equal(ls_metrics_write(&f->run_dir, &f->info, &f->state), LS_OK);
  ls_text text = {0};
  assert_int_equal(ls_inspect(path_in(f, "metrics.h5"), &text), LS_OK);
  assert_non_null(strstr(text.chars, "lockstep metrics"));
  assert_non_null(strstr(text.chars, "     2       450     0.50000    0.9500     1.00000    0.9500"));
  assert_non_null(strstr(text.chars, "     1       225     1.00000    0.9000           -         -"));
  assert_non_null(
      strstr(text.chars, "  test       after epoch 3: accuracy 0.7000, loss 1.50000, Brier score 0.2500"));
  ls_text_fini(&text);
}

static void unwritable_path_is_reported(void **state)
{
  fixture *f = *state;
  assert_int_equal(rmdir(f->folder), 0);
  assert_int_equal(ls_metrics_write(&f->run_dir, &f->info, &f->state), LS_E_IO);
  assert_true(error_has("cannot write the metrics"));
  assert_int_equal(mkdir(f->folder, 0700), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(history_grows),        TEST(csv_has_a_line_per_epoch),
      TEST(csv_of_no_epochs_is_a_header),     TEST(h5_has_a_row_per_epoch),
      TEST(h5_has_the_figures_of_each_split), TEST(inspect_shows_the_table),
      TEST(unwritable_path_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
