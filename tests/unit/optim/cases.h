/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of optimizers and schedules share: reading the tables that PyTorch made (tests/golden/
 * make_optim_goldens.py), and options from "{type: sgd, lr: 0.1}" through a kind's own rows, without YAML.
 */
#ifndef LS_TESTS_UNIT_OPTIM_CASES_H
#define LS_TESTS_UNIT_OPTIM_CASES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/keys.h"

enum { CASE_LINE_BYTES = 1 << 14, CASE_MAX_VALUES = 256 };

static inline const ls_schema *case_schema(const ls_schema *const *schemas, const char *name)
{
  while (*schemas && strcmp((*schemas)->name, name) != 0) schemas++;
  if (!*schemas) fail_msg("no kind is called %s", name);
  return *schemas;
}

static inline void case_set(const ls_key *key, void *options, const char *text)
{
  void *member = (char *)options + key->offset;
  uint64_t count = 0;
  double real = 0;
  bool truth = false;
  if (key->type == LS_KEY_COUNT && ls_parse_count(text, &count)) {
    memcpy(member, &(size_t){count}, sizeof(size_t));
  } else if (key->type == LS_KEY_REAL && ls_parse_real(text, &real)) {
    memcpy(member, &real, sizeof real);
  } else if (key->type == LS_KEY_BOOL && ls_parse_bool(text, &truth)) {
    memcpy(member, &truth, sizeof truth);
  } else if (key->type == LS_KEY_WORD) {
    int word = 0;
    while (key->words[word] && strcmp(key->words[word], text) != 0) word++;
    assert_non_null(key->words[word]);
    memcpy(member, &word, sizeof word);
  } else {
    fail_msg("%s: '%s' is not a value of it", key->path, text);
  }
}

static inline const ls_key *case_key(const ls_schema *schema, const char *path)
{
  for (size_t i = 0; i < schema->key_count; i++)
    if (strcmp(schema->keys[i].path, path) == 0) return &schema->keys[i];
  fail_msg("%s has no key %s", schema->name, path);
  return NULL;
}

/* The kind and options of "{type: NAME, key: value, ...}"; free options. */
static inline ls_kind_spec case_spec(const ls_schema *const *schemas, const char *text)
{
  char copy[512];
  snprintf(copy, sizeof copy, "%s", text);
  char *rest = copy;
  char *type = strtok_r(rest, "{:, }", &rest);
  assert_string_equal(type, "type");
  ls_kind_spec spec = {.schema = case_schema(schemas, strtok_r(NULL, "{:, }", &rest))};
  assert_int_equal(ls_alloc(&spec.options, 1, spec.schema->options_bytes, "options"), LS_OK);
  for (size_t i = 0; i < spec.schema->key_count; i++)
    if (spec.schema->keys[i].preset)
      case_set(&spec.schema->keys[i], spec.options, spec.schema->keys[i].preset);
  for (char *path; (path = strtok_r(NULL, "{:, }", &rest)) != NULL;)
    case_set(case_key(spec.schema, path), spec.options, strtok_r(NULL, "{:, }", &rest));
  return spec;
}

/* A table that is read line by line; comments are skipped. */
typedef struct case_file {
  FILE *file;
  char line[CASE_LINE_BYTES];     /* the current line, "" at the end */
  double values[CASE_MAX_VALUES]; /* of the current line, when it is "word number number ..." */
  size_t value_count;
} case_file;

static inline void case_next(case_file *table)
{
  do {
    if (!fgets(table->line, sizeof table->line, table->file)) table->line[0] = '\0';
  } while (table->line[0] == '#');
  table->line[strcspn(table->line, "\n")] = '\0';
}

static inline void case_open(case_file *table, const char *path)
{
  table->file = fopen(path, "r");
  if (!table->file) fail_msg("cannot open %s", path);
  case_next(table);
}

static inline void case_close(case_file *table)
{
  fclose(table->file);
}

/* Is the current line "word ..."? */
static inline bool case_at(const case_file *table, const char *word)
{
  const size_t length = strlen(word);
  return strncmp(table->line, word, length) == 0 && table->line[length] == ' ';
}

/* Take the numbers of the current line, which must be "word number number ...". */
static inline void case_take(case_file *table, const char *word)
{
  if (!case_at(table, word)) fail_msg("a line of '%s' expected, found '%s'", word, table->line);
  char *at = table->line + strlen(word);
  table->value_count = 0;
  while (*at) {
    assert_in_range(table->value_count, 0, CASE_MAX_VALUES - 1);
    table->values[table->value_count++] = strtod(at, &at);
  }
  case_next(table);
}

/* Does a text begin with "{type: NAME" and no longer name? */
static inline bool case_is_of(const char *text, const ls_schema *kind)
{
  static const char start[] = "{type: ";
  const size_t length = strlen(kind->name);
  return strncmp(text, start, strlen(start)) == 0 && strncmp(text + strlen(start), kind->name, length) == 0 &&
         strchr(",}", text[strlen(start) + length]);
}

/* Every kind is among the texts: a kind without one would go unchecked. */
static inline void case_expect_all(const ls_schema *const *kinds, const char *const *texts, size_t count,
                                   const char *where)
{
  for (; *kinds; kinds++) {
    size_t i = 0;
    while (i < count && !case_is_of(texts[i], *kinds)) i++;
    if (i == count)
      fail_msg("%s has no case: add \"{type: %s}\", with what it requires, to %s", (*kinds)->name,
               (*kinds)->name, where);
  }
}

/* Every kind has a case in a golden file. */
static inline void case_expect_goldens(const ls_schema *const *kinds, const char *path)
{
  static case_file table;
  for (; *kinds; kinds++) {
    bool found = false;
    case_open(&table, path);
    for (; table.line[0]; case_next(&table)) {
      const char *text = case_at(&table, "case") ? strchr(table.line, '{') : NULL;
      found = found || (text && case_is_of(text, *kinds));
    }
    case_close(&table);
    if (!found)
      fail_msg("%s has no case in %s: add it to tests/golden/make_optim_goldens.py and run that",
               (*kinds)->name, path);
  }
}

#endif
