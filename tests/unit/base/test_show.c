/* SPDX-License-Identifier: BSD-3-Clause */
/* Text for people: what a terminal would obey is shown, and columns are those of a terminal. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/show.h"
#include "cmocka_all.h"

static void assert_shown(const char *plain, const char *shown)
{
  ls_text text = {0};
  ls_text_show(&text, "%s", plain);
  assert_string_equal(ls_text_get(&text), shown);
  ls_text_fini(&text);
}

static void what_a_terminal_obeys_is_escaped(void **state)
{
  (void)state;
  assert_shown("plain, é, 猫, ф, \"<&>\"", "plain, é, 猫, ф, \"<&>\"");
  assert_shown("\x1b]0;title\a", "\\x1b]0;title\\x07");
  assert_shown("a\nb\tc\rd\x7f", "a\\nb\\tc\\rd\\u007f");
  assert_shown("\xc2\x9b"
               "31m",
               "\\u009b31m"); /* CSI as one character */
  assert_shown("\u202egnp.exe", "\\u202egnp.exe");
  assert_shown("\u2066\u2069\u200f\u061c\ufeff\u2028", "\\u2066\\u2069\\u200f\\u061c\\ufeff\\u2028");
  assert_shown("\U000e0041", "\\udb40\\udc41"); /* a tag */
  assert_shown("\u0600\u0605\u06dd\u070f\u0890\u08e2", "\\u0600\\u0605\\u06dd\\u070f\\u0890\\u08e2");
  assert_shown("\U000110bd\U000110cd\U00013430", "\\ud804\\udcbd\\ud804\\udccd\\ud80d\\udc30");
  assert_shown("\U0001bca0\U0001bca3\U0001d173\U0001d17a",
               "\\ud82f\\udca0\\ud82f\\udca3\\ud834\\udd73\\ud834\\udd7a");
  assert_shown("\u0606\U0001d172\U0001d17b", "\u0606\U0001d172\U0001d17b"); /* their neighbours */
  assert_shown("\u0646\u200c\u0645", "\u0646\u200c\u0645");                 /* a joiner that Persian needs */
}

static void what_is_no_utf8_is_escaped(void **state)
{
  (void)state;
  assert_shown("a\xff", "a\\xff");
  assert_shown("\x9b"
               "31m",
               "\\x9b31m");
  assert_shown("\xc3", "\\xc3");                            /* cut */
  assert_shown("\xc3(", "\\xc3(");                          /* not continued */
  assert_shown("\xc0\x9b", "\\xc0\\x9b");                   /* overlong ESC */
  assert_shown("\xe0\x82\x9b", "\\xe0\\x82\\x9b");          /* overlong U+009B */
  assert_shown("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* a surrogate */
  assert_shown("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
}

static void shown_twice_is_shown_once(void **state)
{
  (void)state;
  ls_text once = {0};
  ls_text_show(&once, "%s", "\x1b[0m \u202e \xff \n \\");
  assert_shown(ls_text_get(&once), ls_text_get(&once));
  ls_text_fini(&once);
}

/* Compare with printf itself. */
#define assert_as_printf(...)                                                                                \
  do {                                                                                                       \
    ls_text text_ = {0};                                                                                     \
    char expected_[1024];                                                                                    \
    snprintf(expected_, sizeof expected_, __VA_ARGS__);                                                      \
    ls_text_show(&text_, __VA_ARGS__);                                                                       \
    assert_string_equal(ls_text_get(&text_), expected_);                                                     \
    ls_text_fini(&text_);                                                                                    \
  } while (0)

static void plain_text_is_as_by_printf(void **state)
{
  (void)state;
  assert_as_printf("100 %% of %d, %5d|%-5d|%05d|%+d", 3, 42, 42, 42, 42);
  assert_as_printf("%d %ld %lld %jd %zd %td", INT_MIN, LONG_MIN, LLONG_MIN, INTMAX_MIN, (ssize_t)-1,
                   (ptrdiff_t)-2);
  assert_as_printf("%u %lu %llu %ju %zu %" PRIu64, UINT_MAX, ULONG_MAX, ULLONG_MAX, UINTMAX_MAX, SIZE_MAX,
                   UINT64_MAX);
  assert_as_printf("%x %X %#o %02x %02hhx", 0xabcU, 0xabcU, 8U, 5U, (unsigned char)0xee);
  assert_as_printf("%f %.0f %10.3f %-10.2f| %g %.9g %e %.2e %+.2f %*.*f", 1.5, 2.5, 3.14159, 2.0, 1e-5, 0.1,
                   12345.678, 1e-300, 3.0, 9, 2, 7.125);
  assert_as_printf("%f %g", 1e300, -0.0);
  assert_as_printf("%s|%8s|%-8s|%*s|%-*s|%.3s|%.*s|%c", "abc", "abc", "abc", 6, "abc", 6, "abc", "abcdef", 2,
                   "abcdef", 'x');
  const char unterminated[3] = {'a', 'b', 'c'};
  assert_as_printf("%.3s|%.*s|%.*s", unterminated, 3, unterminated, -1, "a negative one is none");
}

static void widths_are_columns_of_a_terminal(void **state)
{
  (void)state;
  ls_text text = {0};
  ls_text_show(&text, "%-6s|%6s|%-6s|%-6s|", "é", "猫", "e\u0301", "\x1b");
  assert_string_equal(ls_text_get(&text), "é     |    猫|e\u0301     |\\x1b  |");
  ls_text_fini(&text);
  ls_text_show_column(&text, "お持ち帰り", 5);
  assert_string_equal(ls_text_get(&text), "お持 ");
  ls_text_fini(&text);
  ls_text_show_column(&text, "ab\x1b[31m", 5);
  assert_string_equal(ls_text_get(&text), "ab   "); /* an escape is not taken apart */
  ls_text_fini(&text);
  assert_int_equal(ls_shown_columns("お持ち帰り é\n"), 14);
  assert_string_equal(ls_shown_end("runs/猫/best.h5", 10), "猫/best.h5");
  assert_string_equal(ls_shown_end("runs/猫/best.h5", 9), "/best.h5");
  assert_string_equal(ls_shown_end("short", 10), "short");
}

/* As snprintf() does. */
static size_t show(char *out, size_t size, const char *fmt, ...) LS_PRINTF(3, 4);
static size_t show(char *out, size_t size, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  const size_t length = ls_show_into(out, size, fmt, args);
  va_end(args);
  return length;
}

static void what_does_not_fit_is_counted(void **state)
{
  (void)state;
  char out[8] = "#######";
  assert_int_equal(show(out, 5, "%s-%d", "ab\x1b", 1234), 11);
  assert_string_equal(out, "ab\\x");
  assert_int_equal(out[5], '#');
  assert_int_equal(show(NULL, 0, "%s", "abc"), 3);
}

static void markup_is_text_in_xml(void **state)
{
  (void)state;
  ls_text text = {0};
  ls_text_show_markup(&text, "</text><script>\"a'&b\"\x1b\xff");
  assert_string_equal(ls_text_get(&text), "&lt;/text&gt;&lt;script&gt;&quot;a&#39;&amp;b&quot;\\x1b\\xff");
  ls_text_fini(&text);
}

static void words_are_one_word_of_a_shell(void **state)
{
  (void)state;
  static const char *const words[][2] = {{"runs/a-2/lr=0.1", "runs/a-2/lr=0.1"},
                                         {"", "''"},
                                         {"a b", "'a b'"},
                                         {"it's", "'it'\\''s'"},
                                         {"~/$x\\`;", "'~/$x\\`;'"},
                                         {"猫", "'猫'"},
                                         {"two\nb'\xff", "$'two\\x0ab\\x27\\xff'"}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    ls_text text = {0};
    ls_text_show_word(&text, words[i][0]);
    assert_string_equal(ls_text_get(&text), words[i][1]);
    ls_text_fini(&text);
  }
}

static void errors_are_one_line(void **state)
{
  (void)state;
  ls_status status = ls_fail(LS_E_INPUT, "class '%s'", "a\nlockstep: all is well\x1b[0m");
  status = ls_wrap(status, "'%s'", "\u202e");
  assert_int_equal(status, LS_E_INPUT);
  assert_string_equal(ls_error_last()->text, "'\\u202e': class 'a\\nlockstep: all is well\\x1b[0m'");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_terminal_obeys_is_escaped),
      cmocka_unit_test(what_is_no_utf8_is_escaped),
      cmocka_unit_test(shown_twice_is_shown_once),
      cmocka_unit_test(plain_text_is_as_by_printf),
      cmocka_unit_test(widths_are_columns_of_a_terminal),
      cmocka_unit_test(what_does_not_fit_is_counted),
      cmocka_unit_test(markup_is_text_in_xml),
      cmocka_unit_test(words_are_one_word_of_a_shell),
      cmocka_unit_test(errors_are_one_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
