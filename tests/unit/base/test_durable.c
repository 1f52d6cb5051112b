/* SPDX-License-Identifier: BSD-3-Clause */
/* A file that has its name is on the disk: what the linker puts around the system's calls sees in which order
 * they come. A crash in between leaves the old file or the new one, whole. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files/directory.h"
#include "base/files/file.h"
#include "base/files/temporary.h"
#include "cmocka_all.h"

/* w: written; s: a file synced; r: renamed; S: a folder synced; m: a folder made */
static char calls[64];
static size_t call_count;

static void note(char call)
{
  const bool again = call == 'w' && call_count > 0 && calls[call_count - 1] == 'w';
  if (!again && call_count + 1 < sizeof calls) calls[call_count++] = call;
}

ssize_t __real_write(int descriptor, const void *data, size_t bytes);
ssize_t __wrap_write(int descriptor, const void *data, size_t bytes);
int __real_fsync(int descriptor);
int __wrap_fsync(int descriptor);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);

ssize_t __wrap_write(int descriptor, const void *data, size_t bytes)
{
  if (descriptor > STDERR_FILENO) note('w');
  return __real_write(descriptor, data, bytes > 1000 ? 1000 : bytes); /* in pieces */
}

int __wrap_fsync(int descriptor)
{
  struct stat info;
  assert_int_equal(fstat(descriptor, &info), 0);
  note(S_ISDIR(info.st_mode) ? 'S' : 's');
  return __real_fsync(descriptor);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
  note('r');
  return __real_renameat(from_folder, from, to_folder, to);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
  const int failed = __real_mkdir(path, mode);
  if (!failed) note('m');
  return failed;
}

static void expect_calls(const char *expected)
{
  calls[call_count] = '\0';
  assert_string_equal(calls, expected);
  call_count = 0;
}

static int enter(void **state)
{
  char *path = strdup("/tmp/lockstep-test-XXXXXX");
  if (!path || !mkdtemp(path) || chdir(path) != 0) return -1;
  *state = path;
  call_count = 0;
  return 0;
}

static int leave(void **state)
{
  char command[256];
  char *path = *state;
  snprintf(command, sizeof command, "rm -rf '%s'", path);
  free(path);
  return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void a_file_is_synced_before_it_gets_its_name(void **state)
{
  (void)state;
  char *data = calloc(1, 5000), *found;
  size_t length;
  assert_non_null(data);
  data[4999] = 'x';
  for (size_t round = 0; round < 2; round++) { /* a new one, and one that replaces an old one */
    assert_int_equal(ls_file_write("file", data, 5000), LS_OK);
    expect_calls("wsrS");
  }
  assert_int_equal(ls_file_read("file", 5000, &found, &length), LS_OK);
  assert_int_equal(length, 5000);
  assert_memory_equal(found, data, 5000);
  free(found);
  free(data);
}

static void an_open_folders_file_is_synced_too(void **state)
{
  (void)state;
  ls_directory folder, inner;
  assert_int_equal(ls_directory_open(&folder, "."), LS_OK);
  assert_int_equal(ls_directory_write(&folder, "file", "abc", 3), LS_OK);
  expect_calls("wsrS");
  assert_int_equal(ls_directory_open_in(&inner, &folder, "member"), LS_OK);
  call_count = 0;
  assert_int_equal(ls_directory_write(&inner, "file", "abc", 3), LS_OK);
  expect_calls("wsrS");
  ls_directory_close(&inner);
  ls_directory_close(&folder);
}

/* Another process writes into a temporary file, as into a dataset. */
static void a_temporary_file_is_synced_when_it_is_kept(void **state)
{
  (void)state;
  ls_directory folder;
  ls_temporary temporary;
  assert_int_equal(ls_directory_open(&folder, "."), LS_OK);
  assert_int_equal(ls_temporary_make(&temporary, &folder, "file"), LS_OK);
  assert_int_equal(write(temporary.descriptor, "abc", 3), 3);
  assert_int_equal(ls_temporary_keep(&temporary), LS_OK);
  ls_temporary_fini(&temporary);
  expect_calls("wsrS");
  assert_int_equal(ls_temporary_make(&temporary, &folder, "other"), LS_OK);
  ls_temporary_fini(&temporary); /* it is not kept */
  expect_calls("");
  assert_int_equal(access("other", F_OK), -1);
  ls_directory_close(&folder);
}

/* The name of a new folder is in its parent. */
static void a_new_folders_parent_is_synced(void **state)
{
  (void)state;
  assert_int_equal(ls_folder_make("a/b"), LS_OK);
  expect_calls("mSmS");
  assert_int_equal(ls_folder_make("a/b"), LS_OK);
  expect_calls("");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_file_is_synced_before_it_gets_its_name, enter, leave),
      cmocka_unit_test_setup_teardown(an_open_folders_file_is_synced_too, enter, leave),
      cmocka_unit_test_setup_teardown(a_temporary_file_is_synced_when_it_is_kept, enter, leave),
      cmocka_unit_test_setup_teardown(a_new_folders_parent_is_synced, enter, leave),
  };
  return cmocka_run_group_tests_name("durable", tests, NULL, NULL);
}
