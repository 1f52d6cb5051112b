/* SPDX-License-Identifier: BSD-3-Clause */
/* Growing texts, characters of UTF-8 and strict number parsing. Parsing first checks the grammar by hand,
 * because strtod and its kin accept blanks, hexadecimal, infinities and trailing junk. */
#include "base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/size.h"

/* The C locale is static in the C library: making one costs nothing, and it need not be freed. */
static locale_t enter_c_locale(locale_t *before)
{
  const locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  *before = uselocale(locale);
  return locale;
}

static void leave_locale(locale_t locale, locale_t before)
{
  uselocale(before);
  if (locale) freelocale(locale);
}

__attribute__((format(printf, 3, 0))) static int format_in_c(char *out, size_t size, const char *fmt,
                                                             va_list args)
{
  locale_t before;
  const locale_t locale = enter_c_locale(&before);
  const int length = vsnprintf(out, size, fmt, args);
  leave_locale(locale, before);
  return length;
}

static bool grow(ls_text *text, size_t more)
{
  size_t need;
  if (!ls_size_add(text->length, more, &need) || !ls_size_add(need, 1, &need)) return false;
  if (need <= text->capacity) return true;
  size_t capacity = ls_size_max(need, text->capacity * 2);
  char *chars = LS_FAULT("alloc", __func__) ? NULL : realloc(text->chars, capacity);
  if (!chars) return false;
  text->chars = chars;
  text->capacity = capacity;
  return true;
}

char *ls_text_extend(ls_text *text, size_t length)
{
  if (text->failed || !grow(text, length)) {
    text->failed = true;
    return NULL;
  }
  char *end = text->chars + text->length;
  text->length += length;
  text->chars[text->length] = '\0';
  return end;
}

void ls_text_add_bytes(ls_text *text, const void *data, size_t bytes)
{
  char *end = ls_text_extend(text, bytes);
  if (end) memcpy(end, data, bytes);
}

void ls_text_add(ls_text *text, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  va_list again;
  va_copy(again, args);
  const int length = format_in_c(NULL, 0, fmt, args);
  va_end(args);
  char *end = length < 0 ? NULL : ls_text_extend(text, (size_t)length);
  if (end)
    format_in_c(end, (size_t)length + 1, fmt, again);
  else
    text->failed = true;
  va_end(again);
}

void ls_text_add_csv(ls_text *text, const char *field)
{
  if (!strpbrk(field, ",\"\r\n")) {
    ls_text_add_bytes(text, field, strlen(field));
    return;
  }
  ls_text_add(text, "\"");
  for (const char *at = field; *at; at++) ls_text_add(text, *at == '"' ? "\"\"" : "%c", *at);
  ls_text_add(text, "\"");
}

/* Bytes of the rest of a line that fit into `space`: up to a blank, or all. */
static size_t fitting(const char *line, size_t space)
{
  size_t fits = 0, end = strspn(line, " ");
  for (;;) {
    end += strcspn(line + end, " ");
    if (fits > 0 && end > space) return fits;
    fits = end;
    if (line[end] == '\0') return fits;
    end += strspn(line + end, " ");
  }
}

void ls_text_add_wrapped(ls_text *text, size_t indent, const char *line)
{
  size_t fits = fitting(line, LS_TEXT_WIDTH);
  ls_text_add(text, "%.*s\n", (int)fits, line);
  for (line += fits; *(line += strspn(line, " ")) != '\0'; line += fits) {
    fits = fitting(line, LS_TEXT_WIDTH - indent);
    ls_text_add(text, "%*s%.*s\n", (int)indent, "", (int)fits, line);
  }
}

const char *ls_plural(uint64_t count)
{
  return count == 1 ? "" : "s";
}

const char *ls_text_get(const ls_text *text)
{
  return text->chars ? text->chars : "";
}

ls_status ls_text_take(ls_text *text, char **out)
{
  if (!text->chars) ls_text_add(text, "%s", "");
  bool failed = text->failed;
  if (failed) {
    ls_text_fini(text);
    return ls_fail(LS_E_MEMORY, "no memory for a text");
  }
  *out = text->chars;
  *text = (ls_text){0};
  return LS_OK;
}

void ls_text_fini(ls_text *text)
{
  free(text->chars);
  *text = (ls_text){0};
}

/* ---- characters ---- */

size_t ls_decode_character(const char *text, size_t length, uint32_t *code)
{
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *bytes = (const unsigned char *)text;
  const size_t count = bytes[0] < 0x80             ? 1
                       : (bytes[0] & 0xe0) == 0xc0 ? 2
                       : (bytes[0] & 0xf0) == 0xe0 ? 3
                       : (bytes[0] & 0xf8) == 0xf0 ? 4
                                                   : 0;
  if (count == 0 || count > length) return 0;
  *code = count == 1 ? bytes[0] : bytes[0] & (0x7fU >> count);
  for (size_t i = 1; i < count; i++) {
    if ((bytes[i] & 0xc0) != 0x80) return 0;
    *code = *code << 6 | (bytes[i] & 0x3fU);
  }
  const bool is_surrogate = *code >= 0xd800 && *code <= 0xdfff;
  return *code < least[count] || is_surrogate || *code > 0x10ffff ? 0 : count;
}

/* ---- numbers ---- */

int ls_format(char *out, size_t size, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  const int length = format_in_c(out, size, fmt, args);
  va_end(args);
  return length;
}

static double read_real(const char *text)
{
  locale_t before;
  const locale_t locale = enter_c_locale(&before);
  const double value = strtod(text, NULL);
  leave_locale(locale, before);
  return value;
}

static size_t digits(const char *text)
{
  return strspn(text, "0123456789");
}

bool ls_parse_count(const char *text, uint64_t *value)
{
  size_t length = digits(text);
  if (length == 0 || text[length] != '\0') return false;
  errno = 0;
  unsigned long long parsed = strtoull(text, NULL, 10);
  if (errno != 0) return false;
  *value = parsed;
  return true;
}

static bool is_real(const char *text)
{
  if (*text == '+' || *text == '-') text++;
  size_t whole = digits(text);
  text += whole;
  size_t fraction = 0;
  if (*text == '.') {
    fraction = digits(++text);
    text += fraction;
  }
  if (whole + fraction == 0) return false;
  if (*text == 'e' || *text == 'E') {
    text++;
    if (*text == '+' || *text == '-') text++;
    size_t exponent = digits(text);
    if (exponent == 0) return false;
    text += exponent;
  }
  return *text == '\0';
}

bool ls_parse_real(const char *text, double *value)
{
  if (!is_real(text)) return false;
  double parsed = read_real(text);
  if (!isfinite(parsed)) return false;
  *value = parsed;
  return true;
}

bool ls_text_begins(const char *text, const char *part)
{
  return strncmp(text, part, strlen(part)) == 0;
}

bool ls_text_ends(const char *text, const char *part)
{
  size_t length = strlen(text);
  size_t part_length = strlen(part);
  return length >= part_length && strcmp(text + length - part_length, part) == 0;
}

bool ls_parse_bool(const char *text, bool *value)
{
  bool yes = strcmp(text, "true") == 0;
  if (!yes && strcmp(text, "false") != 0) return false;
  *value = yes;
  return true;
}
