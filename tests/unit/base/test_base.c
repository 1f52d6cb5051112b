/* SPDX-License-Identifier: BSD-3-Clause */
/* The error chain, strict numbers, texts, memory, files, digests, bfloat16. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bfloat16.h"
#include "base/digest.h"
#include "base/files/file.h"
#include "base/files/directory.h"
#include "base/files/temporary.h"
#include "base/memory.h"
#include "base/size.h"
#include "base/status.h"
#include "base/text.h"
#include "cmocka_all.h"

static ls_status fails_inside(void)
{
  LS_TRY(ls_fail(LS_E_INPUT, "label %d, but there are %d classes", 12, 10), "'%s'", "labels.gz");
  return LS_OK;
}

static void chain_reads_from_outside_in(void **state)
{
  (void)state;
  ls_status status = ls_wrap(fails_inside(), "data.source");
  assert_int_equal(status, LS_E_INPUT);
  assert_string_equal(ls_error_last()->text, "data.source: 'labels.gz': label 12, but there are 10 classes");
  assert_int_equal(ls_status_exit(status), 2);
}

static void endless_wrapping_keeps_the_fact(void **state)
{
  (void)state;
  ls_status status = ls_fail(LS_E_IO, "the fact");
  for (int i = 0; i < 1000; i++) status = ls_wrap(status, "frame %d", i);
  assert_int_equal(status, LS_E_IO);
  assert_true(strlen(ls_error_last()->text) < sizeof ls_error_last()->text);
}

static void error_may_quote_the_last_one(void **state)
{
  (void)state;
  ls_status status = ls_fail(LS_E_IO, "first");
  status = ls_fail(status, "again: %s", ls_error_last()->text);
  assert_int_equal(status, LS_E_IO);
  assert_string_equal(ls_error_last()->text, "again: first");
}

static void numbers_are_strict(void **state)
{
  (void)state;
  uint64_t count = 7;
  assert_true(ls_parse_count("0", &count));
  assert_int_equal(count, 0);
  assert_true(ls_parse_count("18446744073709551615", &count));
  assert_int_equal(count, UINT64_MAX);
  const char *no_counts[] = {"",   "3.7", "12 apples", "-1",  "+1",
                             " 1", "1 ",  "0x10",      "1e3", "18446744073709551616"};
  for (size_t i = 0; i < sizeof no_counts / sizeof *no_counts; i++)
    assert_false(ls_parse_count(no_counts[i], &count));

  double real = 7.0;
  assert_true(ls_parse_real("-1.5e-3", &real));
  assert_true(real == -1.5e-3);
  assert_true(ls_parse_real(".5", &real) && real == 0.5);
  const char *no_reals[] = {"", ".", "nan", "inf", "1,5", "0x1p3", "1e", "1e400", "1 ", "--1", "1.5.2"};
  for (size_t i = 0; i < sizeof no_reals / sizeof *no_reals; i++)
    assert_false(ls_parse_real(no_reals[i], &real));

  bool yes = false;
  assert_true(ls_parse_bool("true", &yes) && yes);
  assert_false(ls_parse_bool("maybe", &yes) || ls_parse_bool("yes", &yes) || ls_parse_bool("True", &yes));
}

static void csv_quotes_what_separates(void **state)
{
  (void)state;
  static const char *const fields[] = {"runs/a b;c'd.h5", "", "a,b", "say \"c\"", "two\nlines", "\r"};
  ls_text csv = {0};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    ls_text_add_csv(&csv, fields[i]);
    ls_text_add(&csv, "|");
  }
  assert_string_equal(ls_text_get(&csv), "runs/a b;c'd.h5||\"a,b\"|\"say \"\"c\"\"\"|\"two\nlines\"|\"\r\"|");
  ls_text_fini(&csv);
}

static void sizes_do_not_wrap(void **state)
{
  (void)state;
  size_t result;
  assert_false(ls_size_mul(SIZE_MAX / 2, 3, &result));
  assert_false(ls_size_add(SIZE_MAX, 1, &result));
  for (size_t parts = 1; parts < 20; parts++)
    for (size_t count = 0; count < 50; count++) {
      assert_int_equal(ls_part_first(count, parts, 0), 0);
      assert_int_equal(ls_part_first(count, parts, parts), count);
      for (size_t i = 0; i < parts; i++) {
        size_t length = ls_part_first(count, parts, i + 1) - ls_part_first(count, parts, i);
        assert_in_range(length, count / parts, count / parts + 1);
      }
    }
}

static void allocation_is_zeroed_and_refused_when_too_large(void **state)
{
  (void)state;
  float *block;
  assert_int_equal(ls_alloc(&block, 1000, sizeof *block, "a test"), LS_OK);
  assert_int_equal((uintptr_t)block % LS_ALIGNMENT, 0);
  for (size_t i = 0; i < 1000; i++) assert_true(block[i] == 0.0F);
  free(block);
  assert_int_equal(ls_alloc(&block, SIZE_MAX / 2, 4, "a test"), LS_E_MEMORY);
  ls_arena arena = {0};
  size_t first = ls_arena_reserve(&arena, 3, 1), second = ls_arena_reserve(&arena, 5, 4);
  assert_int_equal(first, 0);
  assert_int_equal(second, LS_ALIGNMENT);
  assert_int_equal(ls_arena_allocate(&arena, "a test"), LS_OK);
  ls_arena_fini(&arena);
  ls_arena_reserve(&arena, SIZE_MAX / 4, 8);
  assert_int_equal(ls_arena_allocate(&arena, "a test"), LS_E_MEMORY);
}

/* Of this thread so far. */
static size_t count_faults(void)
{
  struct rusage usage;
  assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
  return (size_t)usage.ru_minflt;
}

static void untouched_memory_has_no_pages_yet(void **state)
{
  (void)state;
  const size_t pages = 4096, bytes = pages * (size_t)sysconf(_SC_PAGESIZE);
  unsigned char *block;
  assert_int_equal(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0); /* each page is a fault of its own */
  const size_t before = count_faults();
  assert_int_equal(ls_alloc_untouched(&block, bytes, 1, "a test"), LS_OK);
  const size_t allocated = count_faults();
  memset(block, 1, bytes);
  assert_in_range(allocated - before, 0, pages / 2); /* a sanitizer has memory of its own */
  assert_in_range(count_faults() - allocated, pages, SIZE_MAX);
  free(block);
}

/* The heap hands out again what was written to before. */
static void untouched_memory_is_zero(void **state)
{
  (void)state;
  enum { BYTES = 40000, ROUNDS = 20 };
  unsigned char *block;
  for (int round = 0; round < ROUNDS; round++) {
    assert_int_equal(ls_alloc_untouched(&block, BYTES, 1, "a test"), LS_OK);
    for (size_t i = 0; i < BYTES; i++) assert_int_equal(block[i], 0);
    memset(block, 255, BYTES);
    free(block);
  }
  assert_int_equal(ls_alloc_untouched(&block, 0, 4, "a test"), LS_OK);
  free(block);
  assert_int_equal(ls_alloc_untouched(&block, SIZE_MAX / 2, 4, "a test"), LS_E_MEMORY);
  assert_int_equal(ls_alloc_untouched(&block, SIZE_MAX - 100, 1, "a test"), LS_E_MEMORY);
  assert_non_null(strstr(ls_error_last()->text, "no memory for a test"));
}

static void files_are_replaced_whole(void **state)
{
  (void)state;
  char folder[] = "/tmp/lockstep-test-XXXXXX";
  assert_non_null(mkdtemp(folder));
  char path[256], inner[512];
  snprintf(inner, 128, "%s/a/b", folder);
  assert_int_equal(ls_folder_make(inner), LS_OK);
  snprintf(path, sizeof path, "%s/a/b/file", folder);
  assert_int_equal(ls_file_write(path, "one", 3), LS_OK);
  assert_int_equal(ls_file_write(path, "three", 5), LS_OK);
  char *text;
  size_t length;
  assert_int_equal(ls_file_read(path, 100, &text, &length), LS_OK);
  assert_string_equal(text, "three");
  free(text);
  assert_int_equal(ls_file_read(path, 4, &text, &length), LS_E_INPUT);
  assert_int_equal(ls_file_read(folder, 100, &text, &length), LS_E_INPUT);
  snprintf(inner, sizeof inner, "%s/sub", path);
  assert_int_equal(ls_folder_make(inner), LS_E_IO);
  assert_int_equal(ls_folder_make(path), LS_E_IO);
  assert_int_equal(ls_file_write("/nowhere/at/all", "x", 1), LS_E_IO);
  snprintf(inner, sizeof inner, "rm -r %s", folder);
  assert_int_equal(system(inner), 0);
}

static void digests_tell_one_bit(void **state)
{
  (void)state;
  unsigned char data[1000] = {0};
  char whole[LS_DIGEST_CHARS], pieces[LS_DIGEST_CHARS], changed[LS_DIGEST_CHARS];
  ls_digest_of(data, sizeof data, whole);
  ls_digest *digest;
  assert_int_equal(ls_digest_new(&digest), LS_OK);
  ls_digest_add(digest, data, 1);
  ls_digest_add(digest, data + 1, 999);
  ls_digest_text(digest, pieces);
  ls_digest_free(digest);
  assert_string_equal(whole, pieces);
  data[500] ^= 4;
  ls_digest_of(data, sizeof data, changed);
  assert_string_not_equal(whole, changed);
  /* XXH3-128 of nothing, as xxhsum -H2 prints it */
  ls_digest_of(data, 0, whole);
  assert_string_equal(whole, "99aa06d3014798d86001c324468d497f");
}

static void bfloat16_rounds_to_nearest_even(void **state)
{
  (void)state;
  static const struct {
    float from;
    uint16_t to;
  } cases[] = {{1.0F, 0x3f80},      {-2.5F, 0xc020},        {0x1.01p0F, 0x3f80}, /* ties go to even */
               {0x1.03p0F, 0x3f82}, {0x1.0101p0F, 0x3f81},  {0.0F, 0},
               {-0.0F, 0x8000},     {INFINITY, 0x7f80},     {-INFINITY, 0xff80},
               {0x1p-149F, 0},      {0x1.fffp127F, 0x7f80}, {0x1.8p-140F, 0x0000}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint16_t to;
    ls_bfloat16_from_float(&cases[i].from, 1, &to);
    if (to != cases[i].to) fail_msg("%a becomes %04x, not %04x", (double)cases[i].from, to, cases[i].to);
  }
  const float values[] = {NAN, 3.0F};
  uint16_t x[2];
  float back[2];
  ls_bfloat16_from_float(values, 2, x);
  ls_bfloat16_to_float(x, 2, back);
  assert_true(isnan(back[0]) && back[1] == 3.0F);
  ls_bfloat16_add((const uint16_t[]){0x3f80, 0x3b80}, 2, back); /* 1, and 2^-8 */
  assert_true(isnan(back[0]) && back[1] == 3.0F + 0x1p-8F);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chain_reads_from_outside_in),
      cmocka_unit_test(endless_wrapping_keeps_the_fact),
      cmocka_unit_test(error_may_quote_the_last_one),
      cmocka_unit_test(numbers_are_strict),
      cmocka_unit_test(csv_quotes_what_separates),
      cmocka_unit_test(sizes_do_not_wrap),
      cmocka_unit_test(allocation_is_zeroed_and_refused_when_too_large),
      cmocka_unit_test(untouched_memory_has_no_pages_yet),
      cmocka_unit_test(untouched_memory_is_zero),
      cmocka_unit_test(files_are_replaced_whole),
      cmocka_unit_test(digests_tell_one_bit),
      cmocka_unit_test(bfloat16_rounds_to_nearest_even),
  };
  return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
