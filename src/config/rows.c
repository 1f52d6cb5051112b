/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows that depend on which kinds there are. */
#include "config/rows.h"

#include "base/memory.h"

const ls_schema *const *ls_family_kinds(const ls_schemas *schemas, ls_family family)
{
  static const ls_schema *const none[] = {NULL};
  return schemas->kinds[family] ? schemas->kinds[family] : none;
}

static size_t count_of(const char *const *words)
{
  size_t count = 0;
  while (words && words[count]) count++;
  return count;
}

ls_status ls_kind_words(ls_key *out, const char ***words, const ls_key *key, const ls_schemas *schemas)
{
  const ls_schema *const *kinds = ls_family_kinds(schemas, key->family);
  const size_t own = count_of(key->words);
  size_t count = 0;
  while (kinds[count]) count++;
  LS_PASS(ls_alloc(words, own + count + 1, sizeof **words, "the names of kinds"));
  for (size_t i = 0; i < own; i++) (*words)[i] = key->words[i];
  for (size_t i = 0; i < count; i++) (*words)[own + i] = kinds[i]->name;
  *out = *key;
  out->type = LS_KEY_WORD;
  out->words = *words;
  return LS_OK;
}
