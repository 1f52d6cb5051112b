/* SPDX-License-Identifier: BSD-3-Clause */
/* The class that a user names: by name, by number, and never one of two. */
#include "cmocka_all.h"

#include <string.h>

#include "cli/class_names.h"

static char fashion[][LS_CLASS_NAME_BYTES] = {"T-shirt/top", "Trouser", "Ankle boot"};
/* Digits in another order, a name twice, and one like a mark. */
static char confused[][LS_CLASS_NAME_BYTES] = {"0", "2", "1", "bag", "bag", "#0"};

static const ls_dataset_info numbered = {.classes = 10};
static const ls_dataset_info named = {.classes = 3, .class_names = fashion};
static const ls_dataset_info twisted = {.classes = 6, .class_names = confused};

static void expect(const ls_dataset_info *data, const char *given, size_t class)
{
  size_t found;
  if (ls_class_find(&found, data, "--target", given) != LS_OK) fail_msg("%s", ls_error_last()->text);
  assert_int_equal(found, class);
}

static void refused(const ls_dataset_info *data, const char *given, const char *expected)
{
  size_t found;
  assert_int_equal(ls_class_find(&found, data, "--target", given), LS_E_USAGE);
  if (!strstr(ls_error_last()->text, expected))
    fail_msg("'%s' does not say '%s'", ls_error_last()->text, expected);
}

static void numbers_and_names(void **state)
{
  (void)state;
  expect(&numbered, "0", 0);
  expect(&numbered, "9", 9);
  expect(&numbered, "#9", 9);
  expect(&named, "2", 2);
  expect(&named, "Ankle boot", 2);
  expect(&named, "T-shirt/top", 0);
  expect(&twisted, "0", 0); /* class 0 is called so */
  expect(&twisted, "5", 5);
}

static void what_is_none_is_refused(void **state)
{
  (void)state;
  static const char *const wrong[] = {"10", "-1", "1.0", "", "#", "#10", "Trouser"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    refused(&numbered, wrong[i], "there are classes 0 to 9");
  refused(&named, "trouser", "called 'T-shirt/top' to 'Ankle boot'");
  refused(&named, "3", "0 to 2");
}

static void what_has_two_readings_is_asked_for(void **state)
{
  (void)state;
  refused(&twisted, "1", "class 1, '2', or class 2, '1'");
  refused(&twisted, "2", "Give '#2' or '#1'");
  expect(&twisted, "#1", 1);
  expect(&twisted, "#2", 2);
  refused(&twisted, "bag", "Give '#3' or '#4'");
  expect(&twisted, "#0", 0); /* a mark is never a name */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_and_names),
      cmocka_unit_test(what_is_none_is_refused),
      cmocka_unit_test(what_has_two_readings_is_asked_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
