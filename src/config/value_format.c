/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing the scalar types, such that value_parse.c and every other reader of YAML reads them back. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "config/value.h"

enum { REAL_DIGITS_MAX = 17 /* enough for any double */ };

void ls_format_key_count(const ls_key *key, const void *member, ls_text *out)
{
  (void)key;
  ls_text_add(out, "%zu", *(const size_t *)member);
}

/* Whole numbers as such; otherwise the fewest digits that read back as the same number; "1.0e-05" rather than
 * "1e-05", which readers of YAML 1.1 take for a text. */
static void add_real(double real, ls_text *out)
{
  char text[40];
  if (fabs(real) < 1e15 && real == floor(real)) {
    ls_text_add(out, "%.0f", real);
    return;
  }
  for (int digits = 1; digits <= REAL_DIGITS_MAX; digits++) {
    double read;
    ls_format(text, sizeof text, "%.*g", digits, real);
    if (ls_parse_real(text, &read) && read == real) break;
  }
  const char *exponent = strchr(text, 'e');
  if (exponent && !strchr(text, '.'))
    ls_text_add(out, "%.*s.0%s", (int)(exponent - text), text, exponent);
  else
    ls_text_add(out, "%s", text);
}

void ls_format_key_real(const ls_key *key, const void *member, ls_text *out)
{
  (void)key;
  add_real(*(const double *)member, out);
}

void ls_format_key_amount(const ls_key *key, const void *member, ls_text *out)
{
  (void)key;
  const ls_amount *amount = member;
  if (amount->is_fraction)
    add_real(amount->fraction, out);
  else
    ls_text_add(out, "%zu", amount->count);
}

void ls_format_key_word(const ls_key *key, const void *member, ls_text *out)
{
  ls_text_add(out, "%s", key->words[*(const int *)member]);
}

void ls_format_key_count_or_word(const ls_key *key, const void *member, ls_text *out)
{
  const ls_count_or_word *value = member;
  if (value->word >= 0)
    ls_format_key_word(key, &value->word, out);
  else
    ls_text_add(out, "%zu", value->count);
}

void ls_format_key_real_or_word(const ls_key *key, const void *member, ls_text *out)
{
  const ls_real_or_word *value = member;
  if (value->word >= 0)
    ls_format_key_word(key, &value->word, out);
  else
    add_real(value->real, out);
}

void ls_format_key_counts(const ls_key *key, const void *member, ls_text *out)
{
  const ls_counts *value = member;
  if (value->word >= 0) {
    ls_format_key_word(key, &value->word, out);
    return;
  }
  ls_text_add(out, value->count > 1 ? "[" : "");
  for (size_t i = 0; i < value->count; i++) ls_text_add(out, "%s%zu", i > 0 ? ", " : "", value->items[i]);
  ls_text_add(out, value->count > 1 ? "]" : "");
}

void ls_format_key_bool(const ls_key *key, const void *member, ls_text *out)
{
  (void)key;
  ls_text_add(out, "%s", *(const bool *)member ? "true" : "false");
}

static bool is_word_character(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/' || c == '.';
}

/* May the text stand without quotes, and is it a text to every reader of YAML? */
static bool is_plain_text(const char *text)
{
  static const char *const taken[] = {"null", "true", "false", "yes",  "no",  "on",
                                      "off",  "y",    "n",     ".nan", ".inf"};
  if (!is_word_character(text[0])) return false;
  if (text[0] == '.' && !is_word_character(text[1])) return false; /* .5 is a number */
  for (const char *c = text; *c != '\0'; c++)
    if (!is_word_character(*c) && *c != '-' && !(*c >= '0' && *c <= '9')) return false;
  for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
    if (strcasecmp(taken[i], text) == 0) return false;
  return true;
}

void ls_format_key_text(const ls_key *key, const void *member, ls_text *out)
{
  (void)key;
  const char *text = *(char *const *)member;
  if (is_plain_text(text)) {
    ls_text_add(out, "%s", text);
    return;
  }
  ls_text_add(out, "\"");
  for (const char *c = text; *c != '\0'; c++)
    ls_text_add(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c); /* all are printable: see parse_text() */
  ls_text_add(out, "\"");
}
