/* SPDX-License-Identifier: BSD-3-Clause */
/* Growing texts and strict number parsing. Parsing first checks the grammar by hand, because strtod and
 * its kin accept blanks, hexadecimal, infinities and trailing junk. */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

static bool grow(ls_text *text, size_t more)
{
  size_t need;
  if (!ls_size_add(text->length, more, &need) || !ls_size_add(need, 1, &need)) return false;
  if (need <= text->capacity) return true;
  size_t capacity = ls_size_max(need, text->capacity * 2);
  char *chars = realloc(text->chars, capacity);
  if (!chars) return false;
  text->chars = chars;
  text->capacity = capacity;
  return true;
}

void ls_text_add_bytes(ls_text *text, const void *data, size_t bytes)
{
  if (text->failed || !grow(text, bytes)) {
    text->failed = true;
    return;
  }
  memcpy(text->chars + text->length, data, bytes);
  text->length += bytes;
  text->chars[text->length] = '\0';
}

void ls_text_add(ls_text *text, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  if (text->failed || length < 0 || !grow(text, (size_t)length)) {
    text->failed = true;
  } else {
    vsnprintf(text->chars + text->length, (size_t)length + 1, fmt, again);
    text->length += (size_t)length;
  }
  va_end(again);
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
  double parsed = strtod(text, NULL);
  if (!isfinite(parsed)) return false;
  *value = parsed;
  return true;
}

bool ls_parse_bool(const char *text, bool *value)
{
  bool yes = strcmp(text, "true") == 0;
  if (!yes && strcmp(text, "false") != 0) return false;
  *value = yes;
  return true;
}
