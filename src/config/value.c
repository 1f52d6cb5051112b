/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of the types of keys: each has the noun for a value, its parser (value_parse.c) and its formatter
 * (value_format.c). */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/value.h"

enum { REMEDY_BYTES = 128 };

const char *ls_excerpt(char excerpt[LS_EXCERPT_BYTES], const char *text)
{
  size_t limit = LS_EXCERPT_BYTES - sizeof "...";
  size_t length = strnlen(text, limit + 1);
  const char *tail = "";
  if (length > limit) {
    tail = "...";
    length = limit;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--; /* not inside a character */
  }
  snprintf(excerpt, LS_EXCERPT_BYTES, "%.*s%s", (int)length, text, tail);
  return excerpt;
}

ls_status ls_value_refuse(const ls_key *key, const char *found, const char *remedy)
{
  ls_text expected = {0};
  ls_value_expect(key, &expected);
  ls_status status = ls_fail(LS_E_CONFIG, "expected %s, found %s%s", ls_text_get(&expected), found, remedy);
  ls_text_fini(&expected);
  return status;
}

/* ---- ranges ---- */

static bool has_range(const ls_key *key)
{
  return key->min != 0 || key->max != 0;
}

bool ls_value_in_range(const ls_key *key, double value)
{
  if (!has_range(key)) return true;
  assert(key->min <= key->max);
  bool above = key->min_open ? value > key->min : value >= key->min;
  bool below = key->max_open ? value < key->max : value <= key->max;
  return above && below;
}

static void expect_range(const ls_key *key, ls_text *out)
{
  if (!has_range(key)) return;
  const char *joint = ", ";
  if (isfinite(key->min)) {
    ls_text_add(out, "%s%s %.10g", joint, key->min_open ? "above" : "at least", key->min);
    joint = " and ";
  }
  if (isfinite(key->max))
    ls_text_add(out, "%s%s %.10g", joint, key->max_open ? "below" : "at most", key->max);
}

/* ---- expectations ---- */

static void expect_count(const ls_key *key, ls_text *out)
{
  bool has_unit = key->unit && key->unit[0] != '\0';
  ls_text_add(out, "a count%s%s", has_unit ? " of " : "", has_unit ? key->unit : "");
  expect_range(key, out);
}

static void expect_real(const ls_key *key, ls_text *out)
{
  bool has_unit = key->unit && key->unit[0] != '\0';
  ls_text_add(out, "a number%s%s", has_unit ? " of " : "", has_unit ? key->unit : "");
  expect_range(key, out);
}

static void expect_amount(const ls_key *key, ls_text *out)
{
  expect_count(key, out);
  ls_text_add(out, ", or a fraction between 0 and 1");
}

static void expect_word(const ls_key *key, ls_text *out)
{
  ls_text_add(out, "one of: ");
  for (size_t i = 0; key->words[i]; i++) ls_text_add(out, "%s%s", i > 0 ? ", " : "", key->words[i]);
}

static void expect_count_or_word(const ls_key *key, ls_text *out)
{
  expect_count(key, out);
  ls_text_add(out, ", or ");
  expect_word(key, out);
}

static void expect_real_or_word(const ls_key *key, ls_text *out)
{
  expect_real(key, out);
  ls_text_add(out, ", or ");
  expect_word(key, out);
}

static void expect_counts(const ls_key *key, ls_text *out)
{
  const char *sides =
      key->counts_max > 2 ? "[rows, columns] or [top, bottom, left, right]" : "[rows, columns]";
  expect_count(key, out);
  ls_text_add(out, "; or a list of them, %s", key->counts_form ? key->counts_form : sides);
  if (!key->words) return;
  ls_text_add(out, "; or ");
  expect_word(key, out);
}

static void expect_bool(const ls_key *key, ls_text *out)
{
  (void)key;
  ls_text_add(out, "true or false");
}

static void expect_text(const ls_key *key, ls_text *out)
{
  (void)key;
  ls_text_add(out, "a text");
}

/* ---- the table ---- */

static void expect_kind(const ls_key *key, ls_text *out)
{
  (void)key;
  ls_text_add(out, "{type: NAME, ...}");
}

static void expect_word_or_keys(const ls_key *key, ls_text *out)
{
  expect_word(key, out);
  ls_text_add(out, "; or {");
  for (size_t i = 0; i < key->schema->key_count; i++)
    ls_text_add(out, "%s%s: ...", i > 0 ? ", " : "", key->schema->keys[i].path);
  ls_text_add(out, "}");
}

static void expect_layers(const ls_key *key, ls_text *out)
{
  ls_text_add(out, "a list of layers");
  expect_range(key, out);
}

static void expect_texts(const ls_key *key, ls_text *out)
{
  (void)key;
  ls_text_add(out, "a list of texts");
}

static void expect_text_pairs(const ls_key *key, ls_text *out)
{
  (void)key;
  ls_text_add(out, "{TEXT: TEXT, ...}");
}

static void expect_reals(const ls_key *key, ls_text *out)
{
  ls_text_add(out, "a list of numbers");
  expect_range(key, out);
}

static const struct {
  bool takes_quotes; /* a quoted scalar is one too */
  void (*expect)(const ls_key *key, ls_text *out);
  ls_status (*parse)(const ls_key *key, const char *text, void *member); /* NULL: not a scalar */
  void (*format)(const ls_key *key, const void *member, ls_text *out);   /* NULL: not a scalar */
} types[] = {
    [LS_KEY_BOOL] = {.expect = expect_bool, .parse = ls_parse_key_bool, .format = ls_format_key_bool},
    [LS_KEY_COUNT] = {.expect = expect_count, .parse = ls_parse_key_count, .format = ls_format_key_count},
    [LS_KEY_REAL] = {.expect = expect_real, .parse = ls_parse_key_real, .format = ls_format_key_real},
    [LS_KEY_WORD] = {.takes_quotes = true,
                     .expect = expect_word,
                     .parse = ls_parse_key_word,
                     .format = ls_format_key_word},
    [LS_KEY_TEXT] = {.takes_quotes = true,
                     .expect = expect_text,
                     .parse = ls_parse_key_text,
                     .format = ls_format_key_text},
    [LS_KEY_AMOUNT] = {.expect = expect_amount, .parse = ls_parse_key_amount, .format = ls_format_key_amount},
    [LS_KEY_COUNT_OR_WORD] = {.expect = expect_count_or_word,
                              .parse = ls_parse_key_count_or_word,
                              .format = ls_format_key_count_or_word},
    [LS_KEY_REAL_OR_WORD] = {.expect = expect_real_or_word,
                             .parse = ls_parse_key_real_or_word,
                             .format = ls_format_key_real_or_word},
    [LS_KEY_COUNTS] = {.expect = expect_counts, .parse = ls_parse_key_counts, .format = ls_format_key_counts},
    [LS_KEY_TEXTS] = {.expect = expect_texts},
    [LS_KEY_TEXT_PAIRS] = {.expect = expect_text_pairs},
    [LS_KEY_REALS] = {.expect = expect_reals},
    [LS_KEY_KIND] = {.expect = expect_kind},
    [LS_KEY_NAMED_KIND] = {.expect = expect_kind}, /* the names alone: ls_kind_words() */
    [LS_KEY_WORD_OR_KEYS] = {.expect = expect_word_or_keys},
    [LS_KEY_LAYERS] = {.expect = expect_layers},
};

bool ls_value_is_scalar(ls_key_type type)
{
  return types[type].parse != NULL;
}

bool ls_value_is_null(const char *text)
{
  return text[0] == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

ls_status ls_value_parse(const ls_key *key, const char *text, bool plain, void *member)
{
  if (plain && ls_value_is_null(text)) {
    char remedy[REMEDY_BYTES];
    snprintf(remedy, sizeof remedy, "; leave the key out for its default, %s",
             key->preset ? key->preset : "");
    return ls_value_refuse(key, "nothing", key->preset ? remedy : "");
  }
  if (!plain && !types[key->type].takes_quotes) {
    char excerpt[LS_EXCERPT_BYTES];
    char found[LS_EXCERPT_BYTES + 20];
    snprintf(found, sizeof found, "the quoted text \"%s\"", ls_excerpt(excerpt, text));
    return ls_value_refuse(key, found, "; remove the quotes");
  }
  return types[key->type].parse(key, text, member);
}

void ls_value_format(const ls_key *key, const void *member, ls_text *out)
{
  types[key->type].format(key, member, out);
}

void ls_value_expect(const ls_key *key, ls_text *out)
{
  types[key->type].expect(key, out);
}
