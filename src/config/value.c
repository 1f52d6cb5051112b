/* SPDX-License-Identifier: BSD-3-Clause */
/* One table over the types of keys: how a value is called, read and written.
 *
 * YAML 1.1's readers guess the type of a scalar from its looks (010 is 8, `on` is true). Here the row says
 * the type and the text must be exactly that; whatever could mean two things is refused with a remedy. */
#include "config/value.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "config/suggest.h"

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "a count must hold all that ls_parse_count() accepts");

enum { REMEDY_BYTES = 128, REAL_DIGITS_MAX = 17 /* enough for any double */ };

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

static ls_status refuse_text(const ls_key *key, const char *text, const char *remedy)
{
  char excerpt[LS_EXCERPT_BYTES];
  char found[LS_EXCERPT_BYTES + 2];
  snprintf(found, sizeof found, "'%s'", ls_excerpt(excerpt, text));
  return ls_value_refuse(key, found, remedy);
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

/* ---- numbers ---- */

/* 010 is 8 to some readers of YAML and 10 to others. */
static bool has_leading_zero(const char *text)
{
  if (*text == '+' || *text == '-') text++;
  return text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

static bool parse_count_text(const char *text, size_t *count)
{
  uint64_t parsed;
  if (has_leading_zero(text) || !ls_parse_count(text, &parsed)) return false;
  *count = parsed;
  return true;
}

static bool parse_real_text(const char *text, double *real)
{
  return !has_leading_zero(text) && ls_parse_real(text, real);
}

/* What to do about a number that was written in another way. */
static const char *number_remedy(const char *text)
{
  double real;
  if (has_leading_zero(text)) return "; write it without leading zeros";
  if (strchr(text, ',') && strspn(text, "+-0123456789,") == strlen(text))
    return "; decimals are written with a point";
  if (strspn(text, "0123456789") == strlen(text)) return "; it is too large";
  if (ls_parse_real(text, &real) && strpbrk(text, ".eE")) return "; write it as a whole number";
  return "";
}

static const char *real_remedy(const char *text)
{
  double real;
  return ls_parse_real(text, &real) && !has_leading_zero(text) ? "" : number_remedy(text);
}

static ls_status parse_count(const ls_key *key, const char *text, void *member)
{
  size_t count;
  if (!parse_count_text(text, &count)) return refuse_text(key, text, number_remedy(text));
  if (!ls_value_in_range(key, (double)count)) return refuse_text(key, text, "");
  *(size_t *)member = count;
  return LS_OK;
}

static ls_status parse_real(const ls_key *key, const char *text, void *member)
{
  double real;
  if (!parse_real_text(text, &real)) return refuse_text(key, text, real_remedy(text));
  if (!ls_value_in_range(key, real)) return refuse_text(key, text, "");
  *(double *)member = real;
  return LS_OK;
}

static ls_status parse_amount(const ls_key *key, const char *text, void *member)
{
  ls_amount amount = {0};
  amount.is_fraction = !parse_count_text(text, &amount.count);
  if (amount.is_fraction && !parse_real_text(text, &amount.fraction))
    return refuse_text(key, text, real_remedy(text));
  if (amount.is_fraction && !(amount.fraction > 0 && amount.fraction < 1))
    return refuse_text(key, text, amount.fraction < 0 ? "" : "; a count is written without a point");
  if (!amount.is_fraction && !ls_value_in_range(key, (double)amount.count)) return refuse_text(key, text, "");
  *(ls_amount *)member = amount;
  return LS_OK;
}

static void format_count(const ls_key *key, const void *member, ls_text *out)
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

static void format_real(const ls_key *key, const void *member, ls_text *out)
{
  (void)key;
  add_real(*(const double *)member, out);
}

static void format_amount(const ls_key *key, const void *member, ls_text *out)
{
  (void)key;
  const ls_amount *amount = member;
  if (amount->is_fraction)
    add_real(amount->fraction, out);
  else
    ls_text_add(out, "%zu", amount->count);
}

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

/* ---- words ---- */

static ls_status refuse_word(const ls_key *key, const char *text, const char *remedy)
{
  ls_suggestion suggestion = {.wanted = text};
  ls_text all = {0};
  for (const char *const *word = key->words; *word; word++)
    ls_suggestion_offer(&suggestion, *word, strlen(*word), &all);
  ls_text_fini(&all);
  ls_text said = {0};
  ls_text_add(&said, "%s", remedy);
  ls_suggestion_add(&suggestion, &said);
  ls_status status = refuse_text(key, text, ls_text_get(&said));
  ls_text_fini(&said);
  return status;
}

static bool find_word(const ls_key *key, const char *text, int *word)
{
  for (int i = 0; key->words[i]; i++)
    if (strcmp(key->words[i], text) == 0) {
      *word = i;
      return true;
    }
  return false;
}

static ls_status parse_word(const ls_key *key, const char *text, void *member)
{
  return find_word(key, text, member) ? LS_OK : refuse_word(key, text, "");
}

static ls_status parse_count_or_word(const ls_key *key, const char *text, void *member)
{
  ls_count_or_word value = {.word = -1};
  if (!find_word(key, text, &value.word)) {
    if (!parse_count_text(text, &value.count)) return refuse_word(key, text, number_remedy(text));
    if (!ls_value_in_range(key, (double)value.count)) return refuse_text(key, text, "");
  }
  *(ls_count_or_word *)member = value;
  return LS_OK;
}

static ls_status parse_real_or_word(const ls_key *key, const char *text, void *member)
{
  ls_real_or_word value = {.word = -1};
  if (!find_word(key, text, &value.word)) {
    if (!parse_real_text(text, &value.real)) return refuse_word(key, text, real_remedy(text));
    if (!ls_value_in_range(key, value.real)) return refuse_text(key, text, "");
  }
  *(ls_real_or_word *)member = value;
  return LS_OK;
}

/* Words of other languages and of YAML 1.1. */
static const struct {
  const char *word, *remedy;
} boolean_remedies[] = {
    {"true", "; write true"}, {"yes", "; write true"},    {"on", "; write true"},  {"y", "; write true"},
    {"1", "; write true"},    {"false", "; write false"}, {"no", "; write false"}, {"off", "; write false"},
    {"n", "; write false"},   {"0", "; write false"},
};

static ls_status parse_bool(const ls_key *key, const char *text, void *member)
{
  if (ls_parse_bool(text, member)) return LS_OK;
  for (size_t i = 0; i < sizeof boolean_remedies / sizeof boolean_remedies[0]; i++)
    if (strcasecmp(boolean_remedies[i].word, text) == 0)
      return refuse_text(key, text, boolean_remedies[i].remedy);
  return refuse_text(key, text, "");
}

static void format_word(const ls_key *key, const void *member, ls_text *out)
{
  ls_text_add(out, "%s", key->words[*(const int *)member]);
}

static void format_count_or_word(const ls_key *key, const void *member, ls_text *out)
{
  const ls_count_or_word *value = member;
  if (value->word >= 0)
    format_word(key, &value->word, out);
  else
    ls_text_add(out, "%zu", value->count);
}

static void format_real_or_word(const ls_key *key, const void *member, ls_text *out)
{
  const ls_real_or_word *value = member;
  if (value->word >= 0)
    format_word(key, &value->word, out);
  else
    add_real(value->real, out);
}

static void format_bool(const ls_key *key, const void *member, ls_text *out)
{
  (void)key;
  ls_text_add(out, "%s", *(const bool *)member ? "true" : "false");
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

static void expect_bool(const ls_key *key, ls_text *out)
{
  (void)key;
  ls_text_add(out, "true or false");
}

/* ---- texts ---- */

/* Characters beyond ASCII that YAML does not print or takes for a line break, as UTF-8. */
static const char *const unprintable[] = {"\xE2\x80\xA8", "\xE2\x80\xA9", "\xEF\xBB\xBF", "\xEF\xBF\xBE",
                                          "\xEF\xBF\xBF"};

static bool is_printable(const char *text)
{
  for (const char *c = text; *c != '\0'; c++) {
    unsigned char first = (unsigned char)c[0];
    if (first < 0x20 || first == 0x7F) return false;
    if (first == 0xC2 && (unsigned char)c[1] < 0xA0) return false; /* U+0080 to U+009F */
  }
  for (size_t i = 0; i < sizeof unprintable / sizeof unprintable[0]; i++)
    if (strstr(text, unprintable[i])) return false;
  return true;
}

static ls_status parse_text(const ls_key *key, const char *text, void *member)
{
  if (text[0] == '\0') return ls_value_refuse(key, "an empty text", "");
  if (!is_printable(text)) return refuse_text(key, text, "; it holds a control character or a line break");
  return ls_text_copy(member, text);
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

static void format_text(const ls_key *key, const void *member, ls_text *out)
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

static void expect_reals(const ls_key *key, ls_text *out)
{
  ls_text_add(out, "a list of up to %d numbers", LS_REALS_MAX);
  expect_range(key, out);
}

static const struct {
  bool takes_quotes; /* a quoted scalar is one too */
  void (*expect)(const ls_key *key, ls_text *out);
  ls_status (*parse)(const ls_key *key, const char *text, void *member); /* NULL: not a scalar */
  void (*format)(const ls_key *key, const void *member, ls_text *out);   /* NULL: not a scalar */
} types[] = {
    [LS_KEY_BOOL] = {.expect = expect_bool, .parse = parse_bool, .format = format_bool},
    [LS_KEY_COUNT] = {.expect = expect_count, .parse = parse_count, .format = format_count},
    [LS_KEY_REAL] = {.expect = expect_real, .parse = parse_real, .format = format_real},
    [LS_KEY_WORD] = {.takes_quotes = true, .expect = expect_word, .parse = parse_word, .format = format_word},
    [LS_KEY_TEXT] = {.takes_quotes = true, .expect = expect_text, .parse = parse_text, .format = format_text},
    [LS_KEY_AMOUNT] = {.expect = expect_amount, .parse = parse_amount, .format = format_amount},
    [LS_KEY_COUNT_OR_WORD] = {.expect = expect_count_or_word,
                              .parse = parse_count_or_word,
                              .format = format_count_or_word},
    [LS_KEY_REAL_OR_WORD] = {.expect = expect_real_or_word,
                             .parse = parse_real_or_word,
                             .format = format_real_or_word},
    [LS_KEY_TEXTS] = {.expect = expect_texts},
    [LS_KEY_REALS] = {.expect = expect_reals},
    [LS_KEY_KIND] = {.expect = expect_kind},
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
