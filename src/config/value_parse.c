/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading the scalar types.
 *
 * YAML 1.1's readers guess the type of a scalar from its form (010 is 8, `on` is true). Here the row has the
 * type and the text must have exactly that type; a text with two meanings is refused with a remedy. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "config/suggest.h"
#include "config/value.h"

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "a count must hold all that ls_parse_count() accepts");

static ls_status refuse_text(const ls_key *key, const char *text, const char *remedy)
{
  char excerpt[LS_EXCERPT_BYTES];
  char found[LS_EXCERPT_BYTES + 2];
  snprintf(found, sizeof found, "'%s'", ls_excerpt(excerpt, text));
  return ls_value_refuse(key, found, remedy);
}

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

/* The remedy for a number that is written in another form. */
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

ls_status ls_parse_key_count(const ls_key *key, const char *text, void *member)
{
  size_t count;
  if (!parse_count_text(text, &count)) return refuse_text(key, text, number_remedy(text));
  if (!ls_value_in_range(key, (double)count)) return refuse_text(key, text, "");
  *(size_t *)member = count;
  return LS_OK;
}

ls_status ls_parse_key_real(const ls_key *key, const char *text, void *member)
{
  double real;
  if (!parse_real_text(text, &real)) return refuse_text(key, text, real_remedy(text));
  if (!ls_value_in_range(key, real)) return refuse_text(key, text, "");
  *(double *)member = real;
  return LS_OK;
}

ls_status ls_parse_key_amount(const ls_key *key, const char *text, void *member)
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

ls_status ls_parse_key_word(const ls_key *key, const char *text, void *member)
{
  return find_word(key, text, member) ? LS_OK : refuse_word(key, text, "");
}

ls_status ls_parse_key_count_or_word(const ls_key *key, const char *text, void *member)
{
  ls_count_or_word value = {.word = -1};
  if (!find_word(key, text, &value.word)) {
    if (!parse_count_text(text, &value.count)) return refuse_word(key, text, number_remedy(text));
    if (!ls_value_in_range(key, (double)value.count)) return refuse_text(key, text, "");
  }
  *(ls_count_or_word *)member = value;
  return LS_OK;
}

ls_status ls_parse_key_real_or_word(const ls_key *key, const char *text, void *member)
{
  ls_real_or_word value = {.word = -1};
  if (!find_word(key, text, &value.word)) {
    if (!parse_real_text(text, &value.real)) return refuse_word(key, text, real_remedy(text));
    if (!ls_value_in_range(key, value.real)) return refuse_text(key, text, "");
  }
  *(ls_real_or_word *)member = value;
  return LS_OK;
}

/* One count for all sides, or a word; lists are bound item by item. */
ls_status ls_parse_key_counts(const ls_key *key, const char *text, void *member)
{
  ls_counts value = {.word = -1, .count = 1};
  if (!key->words || !find_word(key, text, &value.word)) {
    if (!parse_count_text(text, &value.items[0]))
      return key->words ? refuse_word(key, text, number_remedy(text))
                        : refuse_text(key, text, number_remedy(text));
    if (!ls_value_in_range(key, (double)value.items[0])) return refuse_text(key, text, "");
  }
  *(ls_counts *)member = value;
  return LS_OK;
}

void ls_counts_shorten(ls_counts *counts)
{
  size_t *items = counts->items;
  if (counts->count == 4 && items[0] == items[1] && items[2] == items[3]) {
    items[1] = items[2];
    counts->count = 2;
  }
  if (counts->count == 2 && items[0] == items[1]) counts->count = 1;
}

/* Words of other languages and of YAML 1.1. */
static const struct {
  const char *word, *remedy;
} boolean_remedies[] = {
    {"true", "; write true"}, {"yes", "; write true"},    {"on", "; write true"},  {"y", "; write true"},
    {"1", "; write true"},    {"false", "; write false"}, {"no", "; write false"}, {"off", "; write false"},
    {"n", "; write false"},   {"0", "; write false"},
};

ls_status ls_parse_key_bool(const ls_key *key, const char *text, void *member)
{
  if (ls_parse_bool(text, member)) return LS_OK;
  for (size_t i = 0; i < sizeof boolean_remedies / sizeof boolean_remedies[0]; i++)
    if (strcasecmp(boolean_remedies[i].word, text) == 0)
      return refuse_text(key, text, boolean_remedies[i].remedy);
  return refuse_text(key, text, "");
}

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

ls_status ls_parse_key_text(const ls_key *key, const char *text, void *member)
{
  if (text[0] == '\0') return ls_value_refuse(key, "an empty text", "");
  if (!is_printable(text)) return refuse_text(key, text, "; it holds a control character or a line break");
  return ls_text_copy(member, text);
}
