/* SPDX-License-Identifier: BSD-3-Clause */
/* An open folder: what is written comes into it wherever it is, whole or not at all, and never elsewhere. */
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

/* A temporary folder, the current directory while a test runs; cmocka's state. */
static int enter(void **state)
{
  char *path = strdup("/tmp/lockstep-test-XXXXXX");
  if (!path || !mkdtemp(path) || chdir(path) != 0) return -1;
  *state = path;
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

static void put(const char *path, const char *text)
{
  assert_int_equal(ls_file_write(path, text, strlen(text)), LS_OK);
}

static void assert_holds(const char *path, const char *text)
{
  char *found;
  size_t length;
  assert_int_equal(ls_file_read(path, 100, &found, &length), LS_OK);
  assert_string_equal(found, text);
  free(found);
}

static size_t count_files(const char *path)
{
  ls_directory directory;
  ls_names names;
  assert_int_equal(ls_directory_open(&directory, path), LS_OK);
  assert_int_equal(ls_directory_list(&directory, &names), LS_OK);
  const size_t count = names.count;
  ls_names_fini(&names);
  ls_directory_close(&directory);
  return count;
}

static ls_directory open_folder(const char *path)
{
  ls_directory directory;
  assert_int_equal(ls_directory_open(&directory, path), LS_OK);
  return directory;
}

static void a_moved_folder_is_followed(void **state)
{
  (void)state;
  bool moved, found;
  assert_int_equal(mkdir("a", 0777), 0);
  ls_directory a = open_folder("a"), inner;
  assert_int_equal(ls_directory_follow(&a, &moved), LS_OK);
  assert_false(moved);
  assert_int_equal(rename("a", "b"), 0);
  assert_int_equal(mkdir("a", 0777), 0);
  put("a/file", "another's");
  assert_int_equal(ls_directory_find(&a, "file", &found), LS_OK);
  assert_false(found);
  assert_int_equal(ls_directory_write(&a, "file", "mine", 4), LS_OK);
  assert_int_equal(ls_directory_find(&a, "file", &found), LS_OK);
  assert_true(found);
  assert_holds("a/file", "another's");
  assert_holds("b/file", "mine");
  assert_int_equal(ls_directory_open_in(&inner, &a, "member"), LS_OK);
  assert_int_equal(ls_directory_write(&inner, "file", "its", 3), LS_OK);
  assert_holds("b/member/file", "its");
  ls_directory_close(&inner);
  assert_int_equal(ls_directory_follow(&a, &moved), LS_OK);
  assert_true(moved);
  assert_string_equal(strrchr(a.path, '/'), "/b");
  assert_int_equal(ls_directory_follow(&a, &moved), LS_OK);
  assert_false(moved); /* it is reported once */
  assert_int_equal(ls_directory_remove(&a, "file"), LS_OK);
  assert_int_equal(ls_directory_remove(&a, "file"), LS_OK);
  assert_holds("a/file", "another's");
  assert_int_equal(count_files("b"), 1);
  ls_directory_close(&a);
}

static void a_removed_folder_is_reported(void **state)
{
  (void)state;
  bool moved;
  assert_int_equal(mkdir("a", 0777), 0);
  ls_directory a = open_folder("a");
  assert_int_equal(rmdir("a"), 0);
  assert_int_equal(ls_directory_follow(&a, &moved), LS_E_IO);
  assert_string_equal(ls_error_last()->text, "folder 'a' was removed, or moved to where it cannot be found");
  assert_int_equal(mkdir("a", 0777), 0);
  assert_int_equal(ls_directory_follow(&a, &moved), LS_E_IO);
  assert_int_equal(ls_directory_write(&a, "file", "x", 1), LS_E_IO);
  assert_int_equal(count_files("a"), 0);
  ls_directory_close(&a);
}

/* Links of others are replaced, or left, and never written through. */
static void no_link_is_written_through(void **state)
{
  (void)state;
  struct stat info;
  put("precious", "untouched");
  assert_int_equal(symlink("precious", "file.tmp"), 0);
  assert_int_equal(symlink("precious", "file"), 0);
  put("file", "new");
  assert_holds("precious", "untouched");
  assert_int_equal(lstat("file", &info), 0);
  assert_true(S_ISREG(info.st_mode));
  assert_holds("file", "new");
}

static void temporary_files_have_names_of_their_own(void **state)
{
  (void)state;
  char target[32];
  ls_directory here = open_folder(".");
  ls_temporary one, two;
  assert_int_equal(ls_temporary_make(&one, &here, "data.h5"), LS_OK);
  assert_int_equal(ls_temporary_make(&two, &here, "data.h5"), LS_OK);
  assert_string_not_equal(one.name, two.name);
  assert_true(ls_temporary_is(one.name, target, sizeof target));
  assert_string_equal(target, "data.h5");
  const char *others[] = {"data.h5.tmp", ".data.h5.tmp", ".0123abcd.tmp", ".data.h5.0123abcg.tmp",
                          ".data.h5.0123abcd.tm"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    assert_false(ls_temporary_is(others[i], target, sizeof target));
  assert_false(ls_temporary_is(one.name, target, strlen("data.h5")));
  assert_int_equal(ls_temporary_keep(&one), LS_OK);
  ls_temporary_fini(&one);
  ls_temporary_fini(&two);
  assert_int_equal(access("data.h5", F_OK), 0);
  assert_int_equal(count_files("."), 1); /* data.h5 */
  ls_directory_close(&here);
}

static void long_names_can_be_written(void **state)
{
  (void)state;
  char name[256];
  memset(name, 'n', 255);
  name[255] = '\0';
  put(name, "x");
  assert_holds(name, "x");
  assert_int_equal(count_files("."), 1);
}

/* What keeps a file from being looked at does not make it a missing one. */
static void only_what_is_missing_is_missing(void **state)
{
  (void)state;
  bool found;
  ls_file_kind kind;
  ls_directory here = open_folder(".");
  assert_int_equal(ls_file_look(&kind, "nothing"), LS_OK);
  assert_int_equal(kind, LS_FILE_NONE);
  put("file", "x");
  assert_int_equal(ls_file_look(&kind, "file/inside"), LS_OK);
  assert_int_equal(kind, LS_FILE_NONE);
  assert_int_equal(ls_file_look(&kind, "file"), LS_OK);
  assert_int_equal(kind, LS_FILE_REGULAR);
  assert_int_equal(ls_file_look(&kind, "."), LS_OK);
  assert_int_equal(kind, LS_FILE_FOLDER);
  assert_int_equal(ls_file_look(&kind, "/dev/null"), LS_OK);
  assert_int_equal(kind, LS_FILE_OTHER);
  assert_int_equal(symlink("loop", "loop"), 0);
  assert_int_equal(ls_file_look(&kind, "loop"), LS_E_ACCESS);
  assert_non_null(strstr(ls_error_last()->text, "cannot look for 'loop': Too many levels"));
  assert_int_equal(ls_directory_find(&here, "loop", &found), LS_E_ACCESS);
  ls_directory_close(&here);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
  const struct CMUnitTest tests[] = {
      TEST(a_moved_folder_is_followed), TEST(a_removed_folder_is_reported),
      TEST(no_link_is_written_through), TEST(temporary_files_have_names_of_their_own),
      TEST(long_names_can_be_written),  TEST(only_what_is_missing_is_missing),
  };
  return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
