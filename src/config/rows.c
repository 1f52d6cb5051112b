/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of a configuration with those of its kinds, and the release of a spec, also of a partly filled
 * one. */
#include "config/rows.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "config/config.h"

static const ls_key_table *const tables[] = {&ls_run_key_table,        &ls_data_key_table,
                                             &ls_model_key_table,      &ls_train_key_table,
                                             &ls_checkpoint_key_table, &ls_ensemble_key_table};
enum { TABLES = sizeof tables / sizeof tables[0] };

const ls_key *ls_spec_key(size_t i)
{
  for (size_t t = 0; t < TABLES; i -= tables[t++]->count)
    if (i < tables[t]->count) return &tables[t]->keys[i];
  return NULL;
}

const ls_schema *const *ls_family_kinds(const ls_schemas *schemas, ls_family family)
{
  static const ls_schema *const none[] = {NULL};
  return schemas->kinds[family] ? schemas->kinds[family] : none;
}

static ls_kind_list *list_of(const ls_spec *spec, const ls_key *key)
{
  return (ls_kind_list *)((uintptr_t)spec + key->offset);
}

ls_status ls_rows_prepare(ls_spec *spec, const ls_schemas *schemas)
{
  const ls_key *key;
  size_t rows = 0;
  for (size_t i = 0; (key = ls_spec_key(i)); i++, rows++) {
    if (key->type != LS_KEY_EVERY_KIND) continue;
    const ls_schema *const *kinds = ls_family_kinds(schemas, key->family);
    ls_kind_list *list = list_of(spec, key);
    size_t count = 0;
    while (kinds[count]) count++;
    LS_PASS(ls_alloc(&list->items, count, sizeof *list->items, "the kinds of a section"));
    for (; list->count < count; list->count++) {
      ls_kind_spec *kind = &list->items[list->count];
      kind->schema = kinds[list->count];
      rows += kind->schema->key_count;
      LS_PASS(ls_alloc(&kind->options, 1, kind->schema->options_bytes, kind->schema->name));
    }
  }
  return rows <= LS_ROWS_MAX ? LS_OK : ls_fail(LS_E_BUG, "more than %d keys", LS_ROWS_MAX);
}

static void add_kinds(ls_rows *rows, const ls_kind_list *list)
{
  for (size_t i = 0; i < list->count; i++)
    for (size_t k = 0; k < list->items[i].schema->key_count; k++)
      rows->items[rows->count++] = (ls_row){&list->items[i].schema->keys[k], list->items[i].options};
}

void ls_rows_of(ls_rows *rows, const ls_spec *spec)
{
  const ls_key *key;
  rows->count = 0;
  for (size_t i = 0; (key = ls_spec_key(i)); i++)
    if (key->type == LS_KEY_EVERY_KIND)
      add_kinds(rows, list_of(spec, key));
    else
      rows->items[rows->count++] = (ls_row){key, (void *)(uintptr_t)spec};
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

/* ---- release ---- */

static void release_rows(const ls_key *keys, size_t key_count, void *base);

static void release_text(void *member)
{
  free(*(char **)member);
}

static void release_texts(void *member)
{
  ls_text_list *list = member;
  for (size_t i = 0; i < list->count; i++) free(list->items[i]);
  free(list->items);
}

static void release_reals(void *member)
{
  ls_real_list *list = member;
  free(list->items);
}

static void release_options(const ls_schema *schema, void *options)
{
  if (options) release_rows(schema->keys, schema->key_count, options);
  free(options);
}

static void release_kind(void *member)
{
  ls_kind_spec *kind = member;
  release_options(kind->schema, kind->options);
}

static void release_word_or_keys(void *member)
{
  ls_word_or_keys *value = member;
  release_options(value->schema, value->options);
}

static void release_kinds(void *member)
{
  ls_kind_list *list = member;
  for (size_t i = 0; i < list->count; i++) release_kind(&list->items[i]);
  free(list->items);
}

static void release_layers(void *member)
{
  ls_layer_list *list = member;
  for (size_t i = 0; i < list->count; i++) {
    release_options(list->items[i].schema, list->items[i].options);
    release_rows(ls_layer_keys, LS_LAYER_KEYS, &list->items[i]);
    free(list->items[i].name);
    free(list->items[i].origin);
  }
  free(list->items);
}

static void release_rows(const ls_key *keys, size_t key_count, void *base)
{
  static void (*const releases[])(void *member) = {[LS_KEY_TEXT] = release_text,
                                                   [LS_KEY_TEXTS] = release_texts,
                                                   [LS_KEY_TEXT_PAIRS] = release_texts,
                                                   [LS_KEY_REALS] = release_reals,
                                                   [LS_KEY_KIND] = release_kind,
                                                   [LS_KEY_NAMED_KIND] = release_kind,
                                                   [LS_KEY_WORD_OR_KEYS] = release_word_or_keys,
                                                   [LS_KEY_LAYERS] = release_layers,
                                                   [LS_KEY_EVERY_KIND] = release_kinds};
  for (size_t i = 0; i < key_count; i++) {
    size_t type = keys[i].type;
    if (type < sizeof releases / sizeof releases[0] && releases[type])
      releases[type]((unsigned char *)base + keys[i].offset);
  }
}

void ls_spec_free(ls_spec *spec)
{
  if (!spec) return;
  for (size_t t = 0; t < TABLES; t++) release_rows(tables[t]->keys, tables[t]->count, spec);
  free(spec);
}
