/* SPDX-License-Identifier: BSD-3-Clause */
/* Which checkpoint a run goes on from, and which ones are removed. */
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

static const ls_step_range unknown = {.first = 1};

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

static void write_step(fixture *f, const char *name, uint64_t step)
{
  f->state.progress.step = step;
  assert_int_equal(ls_checkpoint_write(path_in(f, name), &f->info, &f->state), LS_OK);
}

static void damage(const fixture *f, const char *name)
{
  size_t count;
  unsigned char *bytes = slurp(path_in(f, name), &count);
  bytes[count / 3] ^= 4;
  spew(path_in(f, name), bytes, count);
  free(bytes);
}

/* The newest intact checkpoint is this one; the report names these, or nothing. */
static void expect_newest(const fixture *f, const char *name, const char *const *skipped)
{
  char *path;
  ls_text damaged = {0};
  assert_int_equal(ls_checkpoint_newest(&f->run_dir, &path, &damaged), LS_OK);
  if (name) assert_string_equal(path, path_in(f, name));
  if (!name) assert_null(path);
  size_t lines = damaged.length > 0;
  for (size_t i = 0; i < damaged.length; i++) lines += damaged.chars[i] == '\n';
  size_t count = 0;
  for (; skipped[count]; count++) assert_non_null(strstr(damaged.chars, skipped[count]));
  assert_int_equal(lines, count);
  free(path);
  ls_text_fini(&damaged);
}

static int exists(const fixture *f, const char *name)
{
  return access(path_in(f, name), F_OK) == 0;
}

static void newest_goes_by_number(void **state)
{
  fixture *f = *state;
  const char *none[] = {NULL};
  expect_newest(f, NULL, none);
  write_step(f, "checkpoint-1000.h5", 1000);
  write_step(f, "checkpoint-999.h5", 999);
  write_step(f, "checkpoint-20.h5", 20);
  write_step(f, "best.h5", 5000);
  write_step(f, "checkpoint-0007.h5", 7000);
  spew(path_in(f, "checkpoint-9999.h5.tmp"), "x", 1);
  spew(path_in(f, "checkpoint-.h5"), "x", 1);
  spew(path_in(f, "checkpoint-12a.h5"), "x", 1);
  spew(path_in(f, "checkpoint-99999999999999999999999.h5"), "x", 1);
  expect_newest(f, "checkpoint-1000.h5", none);
}

static void damaged_ones_are_skipped_and_named(void **state)
{
  fixture *f = *state;
  write_step(f, "checkpoint-10.h5", 10);
  write_step(f, "checkpoint-20.h5", 20);
  write_step(f, "checkpoint-30.h5", 30);
  damage(f, "checkpoint-30.h5");
  spew(path_in(f, "checkpoint-40.h5"), "", 0);
  spew(path_in(f, "checkpoint-50.h5"), "no HDF5 file at all", 19);
  assert_int_equal(mkdir(path_in(f, "checkpoint-60.h5"), 0700), 0);
  const char *skipped[] = {"checkpoint-60.h5': cannot read: it is not a regular file",
                           "checkpoint-50.h5': it is no HDF5", "checkpoint-40.h5': it is no HDF5",
                           "checkpoint-30.h5': damaged", NULL};
  expect_newest(f, "checkpoint-20.h5", skipped);
  damage(f, "checkpoint-20.h5");
  damage(f, "checkpoint-10.h5");
  char *path;
  ls_text damaged = {0};
  assert_int_equal(ls_checkpoint_newest(&f->run_dir, &path, &damaged), LS_OK);
  assert_null(path);
  ls_text_fini(&damaged);
}

/* Damage in a file whose seal was removed. */
static void contents_are_verified_too(void **state)
{
  fixture *f = *state;
  write_step(f, "checkpoint-10.h5", 10);
  write_step(f, "checkpoint-20.h5", 20);
  size_t count;
  unsigned char *bytes = slurp_unsealed(path_in(f, "checkpoint-20.h5"), &count);
  spew(path_in(f, "checkpoint-20.h5"), bytes, count);
  const char *none[] = {NULL};
  expect_newest(f, "checkpoint-20.h5", none);
  unsigned char *slot = memmem(bytes, count, f->slots[1], 24);
  assert_non_null(slot);
  slot[3] ^= 1;
  spew(path_in(f, "checkpoint-20.h5"), bytes, count);
  const char *skipped[] = {"dataset /optimizer/exp_avg_sq/conv1/weight: damaged", NULL};
  expect_newest(f, "checkpoint-10.h5", skipped);
  free(bytes);
}

static void other_weights_are_noticed(void **state)
{
  fixture *f = *state;
  write_step(f, "checkpoint-20.h5", 20);
  size_t count;
  unsigned char *bytes = slurp_unsealed(path_in(f, "checkpoint-20.h5"), &count);
  spew(path_in(f, "checkpoint-20.h5"), bytes, count);
  free(bytes);
  hid_t file = H5Fopen(path_in(f, "checkpoint-20.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t data = H5Dopen2(file, "model/fc/bias", H5P_DEFAULT);
  assert_true(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, f->params) >= 0);
  H5Dclose(data);
  H5Fclose(file);
  const char *skipped[] = {"weights_digest", NULL};
  expect_newest(f, NULL, skipped);
}

/* What cannot be read just now may be intact: to go on from an older one would be another run. */
static void one_that_cannot_be_read_ends_the_search(void **state)
{
  fixture *f = *state;
  char *path;
  ls_text damaged = {0};
  write_step(f, "checkpoint-10.h5", 10);
  assert_int_equal(symlink("checkpoint-20.h5", path_in(f, "checkpoint-20.h5")), 0);
  assert_int_equal(ls_checkpoint_newest(&f->run_dir, &path, &damaged), LS_E_ACCESS);
  assert_true(error_has("checkpoint-20.h5': Too many levels of symbolic links"));
  assert_null(path);
  assert_int_equal(damaged.length, 0);
}

/* Another folder of that name is none of the run's business. */
static void the_folder_may_be_moved(void **state)
{
  fixture *f = *state;
  char moved[80];
  ls_text damaged = {0};
  char *path;
  write_step(f, "checkpoint-10.h5", 10);
  snprintf(moved, sizeof moved, "%s.moved", f->folder);
  assert_int_equal(rename(f->folder, moved), 0);
  assert_int_equal(mkdir(f->folder, 0700), 0);
  write_step(f, "checkpoint-5.h5", 5);
  assert_int_equal(ls_checkpoint_write_in(&f->run_dir, "checkpoint-20.h5", &f->info, &f->state), LS_OK);
  assert_int_equal(ls_metrics_write(&f->run_dir, &f->info, &f->state), LS_OK);
  assert_int_equal(ls_checkpoint_prune(&f->run_dir, 1, &(ls_step_range){20, 20}), LS_OK);
  assert_true(exists(f, "checkpoint-5.h5"));
  assert_false(exists(f, "checkpoint-20.h5"));
  assert_false(exists(f, "metrics.csv"));
  assert_int_equal(unlink(path_in(f, "checkpoint-5.h5")), 0);
  assert_int_equal(rmdir(f->folder), 0);
  assert_int_equal(rename(moved, f->folder), 0);
  assert_false(exists(f, "checkpoint-10.h5"));
  assert_true(exists(f, "metrics.csv"));
  assert_int_equal(ls_checkpoint_newest(&f->run_dir, &path, &damaged), LS_OK);
  assert_string_equal(path, path_in(f, "checkpoint-20.h5"));
  free(path);
}

static void prune_keeps_the_newest(void **state)
{
  fixture *f = *state;
  write_step(f, "checkpoint-8.h5", 8);
  write_step(f, "checkpoint-9.h5", 9);
  write_step(f, "checkpoint-10.h5", 10);
  write_step(f, "checkpoint-100.h5", 100);
  write_step(f, "best.h5", 9);
  spew(path_in(f, "checkpoint-11.h5.tmp"), "x", 1);
  spew(path_in(f, "best.h5.tmp"), "x", 1);
  spew(path_in(f, ".checkpoint-11.h5.0123abcd.tmp"), "x", 1);
  spew(path_in(f, ".snapshot-1.h5.0123abcd.tmp"), "x", 1);
  spew(path_in(f, ".metrics.csv.0123abcd.tmp"), "x", 1);
  spew(path_in(f, ".notes.0123abcd.tmp"), "x", 1);
  spew(path_in(f, "notes.tmp"), "x", 1);
  spew(path_in(f, "checkpoint-mine.h5.tmp"), "x", 1);
  spew(path_in(f, "checkpoint-08.h5"), "x", 1);
  assert_int_equal(ls_checkpoint_prune(&f->run_dir, 2, &unknown), LS_OK);
  const char *kept[] = {"checkpoint-100.h5",  "checkpoint-10.h5",       "best.h5",
                        "notes.tmp",          "checkpoint-mine.h5.tmp", "checkpoint-08.h5",
                        ".notes.0123abcd.tmp"};
  const char *gone[] = {"checkpoint-8.h5",
                        "checkpoint-9.h5",
                        "checkpoint-11.h5.tmp",
                        "best.h5.tmp",
                        ".checkpoint-11.h5.0123abcd.tmp",
                        ".snapshot-1.h5.0123abcd.tmp",
                        ".metrics.csv.0123abcd.tmp"};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) assert_true(exists(f, kept[i]));
  for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) assert_false(exists(f, gone[i]));
  assert_int_equal(ls_checkpoint_prune(&f->run_dir, 5, &unknown), LS_OK);
  assert_true(exists(f, "checkpoint-10.h5"));
}

/* After a resume from step 10, behind which newer ones are damaged, the run writes step 15. */
static void damaged_ones_do_not_push_good_ones_out(void **state)
{
  fixture *f = *state;
  write_step(f, "checkpoint-5.h5", 5);
  write_step(f, "checkpoint-10.h5", 10);
  write_step(f, "checkpoint-15.h5", 15);
  write_step(f, "checkpoint-20.h5", 20);
  write_step(f, "checkpoint-30.h5", 30);
  damage(f, "checkpoint-20.h5");
  damage(f, "checkpoint-30.h5");
  assert_int_equal(ls_checkpoint_prune(&f->run_dir, 1, &unknown), LS_OK);
  assert_true(exists(f, "checkpoint-15.h5"));
  assert_false(exists(f, "checkpoint-10.h5"));
  assert_false(exists(f, "checkpoint-5.h5"));
}

/* What the run has written is not read again: it counts though it is damaged since, but not beyond `keep`. */
static void known_ones_are_not_read_again(void **state)
{
  fixture *f = *state;
  write_step(f, "checkpoint-5.h5", 5);
  write_step(f, "checkpoint-10.h5", 10);
  write_step(f, "checkpoint-15.h5", 15);
  damage(f, "checkpoint-10.h5");
  assert_int_equal(ls_checkpoint_prune(&f->run_dir, 2, &(ls_step_range){10, 15}), LS_OK);
  assert_true(exists(f, "checkpoint-15.h5"));
  assert_true(exists(f, "checkpoint-10.h5"));
  assert_false(exists(f, "checkpoint-5.h5"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(newest_goes_by_number),
      TEST(damaged_ones_are_skipped_and_named),
      TEST(contents_are_verified_too),
      TEST(other_weights_are_noticed),
      TEST(one_that_cannot_be_read_ends_the_search),
      TEST(the_folder_may_be_moved),
      TEST(prune_keeps_the_newest),
      TEST(damaged_ones_do_not_push_good_ones_out),
      TEST(known_ones_are_not_read_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
