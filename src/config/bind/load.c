/* SPDX-License-Identifier: BSD-3-Clause */
/* From a document to structs: the binder.
 *
 * A mapping is bound in two passes. The first (locate.c) goes over the written keys and finds the row of
 * each. The second goes over the rows and fills each member from the written value, or from the row's
 * default: so a written 0 stays a 0, and only the table has defaults. The ls_spec owns each allocation from
 * the start, so one ls_spec_free() releases everything after any error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "config/bind/bind.h"
#include "config/check.h"
#include "config/config.h"
#include "config/locate.h"
#include "config/override.h"
#include "config/rows.h"
#include "config/suggest.h"
#include "config/value.h"

static ls_status bind_value(const ls_binder *binder, const ls_bound *item, void *member);

/* ---- from rows to members ---- */

ls_status ls_bind_refuse(const ls_binder *binder, const ls_bound *item)
{
  char found[LS_FOUND_BYTES];
  char remedy[LS_EXCERPT_BYTES + 20] = "";
  char excerpt[LS_EXCERPT_BYTES];
  const char *text = ls_document_scalar(binder->document, item->node);
  if (text && !ls_value_is_null(text) && item->key->type == LS_KEY_KIND)
    snprintf(remedy, sizeof remedy, "; write {type: %s}", ls_excerpt(excerpt, text));
  ls_document_describe(binder->document, item->node, found);
  return ls_document_wrap(binder->document, item->node, item->path,
                          ls_value_refuse(item->key, found, remedy));
}

static ls_status bind_preset(const ls_schemas *schemas, const ls_key *key, void *member)
{
  if (ls_value_is_scalar(key->type)) return ls_value_parse(key, key->preset, true, member);
  ls_document document;
  ls_status status;
  LS_GO(ls_document_load(&document, key->preset, "default"));
  ls_binder binder = {.document = &document, .schemas = schemas};
  ls_path path = {.key = key->path};
  status = bind_value(&binder, &(ls_bound){key, ls_document_root(&document), &path}, member);
done:
  ls_document_fini(&document);
  return status;
}

static ls_status fail_missing(const ls_scope *scope, const ls_key *key, const ls_path *path)
{
  ls_text expected = {0};
  ls_value_expect(key, &expected);
  ls_status status = ls_fail(LS_E_CONFIG, "a required key is missing; expected %s", ls_text_get(&expected));
  ls_text_fini(&expected);
  int nearest = ls_document_descend(scope->document, scope->mapping, key->path);
  return ls_document_wrap(scope->document, nearest, path, status);
}

/* Fill the member of row i of a scope whose rows have been located. */
static ls_status bind_row(const ls_binder *binder, const ls_scope *scope, size_t i, void *member)
{
  const ls_key *key = &scope->keys[i];
  ls_path path = {.parent = scope->path, .key = key->path};
  if (scope->found[i]) return bind_value(binder, &(ls_bound){key, scope->found[i], &path}, member);
  return key->preset ? bind_preset(binder->schemas, key, member) : fail_missing(scope, key, &path);
}

/* Fill the struct at `base`. */
static ls_status bind_rows(const ls_binder *binder, ls_scope *scope, void *base)
{
  const bool is_name = ls_document_node(scope->document, scope->mapping)->type == YAML_SCALAR_NODE;
  if (!is_name) LS_PASS(ls_scope_locate(scope)); /* a kind's name alone: all keys have their presets */
  for (size_t i = 0; i < scope->key_count; i++)
    LS_PASS(bind_row(binder, scope, i, (unsigned char *)base + scope->keys[i].offset));
  return LS_OK;
}

ls_status ls_bind_scalar(const ls_binder *binder, const ls_bound *item, void *member)
{
  const char *text = ls_document_scalar(binder->document, item->node);
  if (!text) return ls_bind_refuse(binder, item);
  const yaml_node_t *node = ls_document_node(binder->document, item->node);
  bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  ls_status status = ls_value_parse(item->key, text, plain, member);
  return status == LS_OK ? LS_OK : ls_document_wrap(binder->document, item->node, item->path, status);
}

/* ---- kinds ---- */

/* Refuse the `type` at a node; NULL: there is none. */
static ls_status fail_type(const ls_binder *binder, ls_family family, const char *type, const ls_bound *item)
{
  ls_text kinds = {0};
  ls_suggestion suggestion = {.wanted = type ? type : ""};
  for (const ls_schema *const *schema = ls_family_kinds(binder->schemas, family); *schema; schema++)
    ls_suggestion_offer(&suggestion, (*schema)->name, strlen((*schema)->name), &kinds);
  ls_text text = {0};
  char excerpt[LS_EXCERPT_BYTES];
  if (type)
    ls_text_add(&text, "unknown %s '%s'", ls_families[family].word, ls_excerpt(excerpt, type));
  else
    ls_text_add(&text, "a required key is missing");
  ls_text_add(&text, "; expected one of: %s", ls_text_get(&kinds));
  ls_suggestion_add(&suggestion, &text);
  ls_status status = ls_document_wrap(binder->document, item->node, item->path,
                                      ls_fail(LS_E_CONFIG, "%s", ls_text_get(&text)));
  ls_text_fini(&text);
  ls_text_fini(&kinds);
  return status;
}

/* The kind that a mapping names. */
static ls_status find_schema(const ls_binder *binder, ls_family family, const ls_bound *mapping,
                             const ls_schema **out)
{
  ls_path path = {.parent = mapping->path, .key = "type"};
  int node = ls_document_find(binder->document, mapping->node, "type", strlen("type"));
  if (node == 0) return fail_type(binder, family, NULL, &(ls_bound){NULL, mapping->node, &path});
  ls_bound item = {&ls_type_key, node, &path};
  const char *type = ls_document_scalar(binder->document, node);
  if (!type) return ls_bind_refuse(binder, &item);
  for (const ls_schema *const *schema = ls_family_kinds(binder->schemas, family); *schema; schema++) {
    *out = *schema;
    if (strcmp((*schema)->name, type) == 0) return LS_OK;
  }
  *out = NULL;
  return fail_type(binder, family, type, &item);
}

static ls_status bind_options(const ls_binder *binder, const ls_schema *schema, const char *const *common,
                              const ls_bound *mapping, void **options)
{
  if (schema->key_count > LS_ROWS_MAX) return ls_fail(LS_E_BUG, "%s has too many keys", schema->name);
  LS_PASS(ls_alloc(options, 1, schema->options_bytes, schema->name));
  ls_scope scope = {.document = binder->document,
                    .mapping = mapping->node,
                    .path = mapping->path,
                    .owner = schema->name,
                    .keys = schema->keys,
                    .key_count = schema->key_count,
                    .common = common};
  LS_PASS(bind_rows(binder, &scope, *options));
  const char *impossible = schema->check ? schema->check(*options) : NULL;
  if (!impossible) return LS_OK;
  return ls_document_wrap(binder->document, mapping->node, mapping->path,
                          ls_fail(LS_E_CONFIG, "%s: %s", schema->name, impossible));
}

static ls_status bind_kind(const ls_binder *binder, const ls_bound *item, void *member)
{
  static const char *const common[] = {"type", NULL};
  ls_kind_spec *kind = member;
  if (ls_document_node(binder->document, item->node)->type != YAML_MAPPING_NODE)
    return ls_bind_refuse(binder, item);
  LS_PASS(find_schema(binder, item->key->family, item, &kind->schema));
  return bind_options(binder, kind->schema, common, item, &kind->options);
}

/* A word, or the name of a kind. */
static ls_status bind_kind_name(const ls_binder *binder, const ls_bound *item, ls_kind_spec *kind)
{
  ls_key key;
  const char **words;
  LS_PASS(ls_kind_words(&key, &words, item->key, binder->schemas));
  int word = 0;
  ls_status status = ls_bind_scalar(binder, &(ls_bound){&key, item->node, item->path}, &word);
  const ls_schema *const *schema = ls_family_kinds(binder->schemas, item->key->family);
  for (const char *const *own = item->key->words; own && *own; own++) word--;
  free(words);
  if (status != LS_OK || word < 0) return status;
  kind->schema = schema[word];
  static const char *const common[] = {NULL};
  return bind_options(binder, kind->schema, common, item, &kind->options);
}

static ls_status bind_named_kind(const ls_binder *binder, const ls_bound *item, void *member)
{
  if (ls_document_node(binder->document, item->node)->type == YAML_MAPPING_NODE)
    return bind_kind(binder, item, member);
  return bind_kind_name(binder, item, member);
}

static ls_status bind_word_or_keys(const ls_binder *binder, const ls_bound *item, void *member)
{
  static const char *const common[] = {NULL};
  ls_word_or_keys *out = member;
  ls_key word = *item->key;
  if (ls_document_node(binder->document, item->node)->type == YAML_MAPPING_NODE) {
    *out = (ls_word_or_keys){.word = -1, .schema = item->key->schema};
    return bind_options(binder, out->schema, common, item, &out->options);
  }
  if (!ls_document_scalar(binder->document, item->node)) return ls_bind_refuse(binder, item);
  word.type = LS_KEY_WORD;
  return ls_bind_scalar(binder, &(ls_bound){&word, item->node, item->path}, &out->word);
}

/* ---- layers ---- */

static ls_status bind_layer_name(const ls_binder *binder, const ls_bound *layer, char **name)
{
  int node = ls_document_find(binder->document, layer->node, "name", strlen("name"));
  if (node == 0) return LS_OK;
  ls_path path = {.parent = layer->path, .key = "name"};
  LS_PASS(ls_bind_scalar(binder, &(ls_bound){&ls_name_key, node, &path}, name));
  ls_status status = ls_config_check_layer_name(*name);
  return status == LS_OK ? LS_OK : ls_document_wrap(binder->document, node, &path, status);
}

/* Of every layer. */
static ls_status bind_layer_keys(const ls_binder *binder, const ls_bound *item, ls_layer_spec *layer)
{
  for (size_t i = 0; i < LS_LAYER_KEYS; i++) {
    const ls_key *key = &ls_layer_keys[i];
    void *member = (unsigned char *)layer + key->offset;
    const ls_path path = {.parent = item->path, .key = key->path};
    const int node = ls_document_find(binder->document, item->node, key->path, strlen(key->path));
    if (node)
      LS_PASS(bind_value(binder, &(ls_bound){key, node, &path}, member));
    else
      LS_PASS(bind_preset(binder->schemas, key, member));
  }
  return LS_OK;
}

static ls_status bind_layer(const ls_binder *binder, const ls_bound *item, void *member)
{
  ls_layer_spec *layer = member;
  const char *common[2 + LS_LAYER_KEYS + 1] = {ls_type_key.path, ls_name_key.path};
  for (size_t i = 0; i < LS_LAYER_KEYS; i++) common[2 + i] = ls_layer_keys[i].path;
  if (ls_document_node(binder->document, item->node)->type != YAML_MAPPING_NODE)
    return ls_bind_refuse(binder, item);
  ls_text location = {0};
  ls_document_origin(binder->document, item->node, &location);
  ls_text_add(&location, ": ");
  ls_path_text(item->path, &location);
  LS_PASS(ls_text_take(&location, &layer->origin));
  LS_PASS(find_schema(binder, LS_FAMILY_LAYER, item, &layer->schema));
  LS_PASS(bind_layer_name(binder, item, &layer->name));
  LS_PASS(bind_layer_keys(binder, item, layer));
  return bind_options(binder, layer->schema, common, item, &layer->options);
}

static ls_status bind_layers(const ls_binder *binder, const ls_bound *item, void *member)
{
  static const ls_key layer_key = {.path = "", .type = LS_KEY_KIND, .family = LS_FAMILY_LAYER};
  ls_layer_list *list = member;
  if (!ls_is_sequence(binder, item)) return ls_bind_refuse(binder, item);
  const size_t count = ls_document_size(binder->document, item->node);
  if (!ls_value_in_range(item->key, (double)count)) {
    char found[LS_FOUND_BYTES];
    snprintf(found, sizeof found, "a list of %zu", count);
    ls_status status = ls_value_refuse(item->key, found, "");
    return ls_document_wrap(binder->document, item->node, item->path, status);
  }
  LS_PASS(ls_alloc(&list->items, count, sizeof *list->items, "layers"));
  list->count = count;
  return ls_bind_sequence(binder, item,
                          &(ls_bound_list){&layer_key, bind_layer, list->items, count, sizeof *list->items});
}

static ls_status bind_value(const ls_binder *binder, const ls_bound *item, void *member)
{
  static ls_status (*const binds[])(const ls_binder *binder, const ls_bound *item,
                                    void *member) = {[LS_KEY_COUNTS] = ls_bind_counts,
                                                     [LS_KEY_TEXTS] = ls_bind_texts,
                                                     [LS_KEY_TEXT_PAIRS] = ls_bind_text_pairs,
                                                     [LS_KEY_REALS] = ls_bind_reals,
                                                     [LS_KEY_KIND] = bind_kind,
                                                     [LS_KEY_NAMED_KIND] = bind_named_kind,
                                                     [LS_KEY_WORD_OR_KEYS] = bind_word_or_keys,
                                                     [LS_KEY_LAYERS] = bind_layers};
  const size_t type = item->key->type;
  const bool is_scalar = type >= sizeof binds / sizeof binds[0] || !binds[type];
  return is_scalar ? ls_bind_scalar(binder, item, member) : binds[type](binder, item, member);
}

/* ---- the whole ---- */

static ls_status bind_spec(const ls_document *document, const ls_schemas *schemas, ls_spec *spec)
{
  static const char *const common[] = {NULL};
  const ls_binder binder = {.document = document, .schemas = schemas};
  ls_rows rows;
  ls_key keys[LS_ROWS_MAX];
  LS_PASS(ls_rows_prepare(spec, schemas));
  ls_rows_of(&rows, spec);
  for (size_t i = 0; i < rows.count; i++) keys[i] = *rows.items[i].key;
  ls_scope scope = {.document = document,
                    .mapping = ls_document_root(document),
                    .keys = keys,
                    .key_count = rows.count,
                    .common = common};
  LS_PASS(ls_scope_locate(&scope));
  for (size_t i = 0; i < rows.count; i++)
    LS_PASS(bind_row(&binder, &scope, i, ls_row_member(&rows.items[i])));
  return LS_OK;
}

ls_status ls_config_parse(ls_spec **out, const char *text, const char *file, const char *const *overrides,
                          size_t override_count, const ls_schemas *schemas)
{
  *out = NULL;
  ls_document document = {0};
  ls_spec *spec = NULL;
  ls_status status;
  LS_GO(ls_document_load(&document, text, file));
  LS_GO(ls_config_check_root(&document));
  LS_GO(ls_overrides_apply(&document, overrides, override_count));
  LS_GO(ls_alloc(&spec, 1, sizeof *spec, "the configuration"));
  LS_GO(bind_spec(&document, schemas, spec));
  LS_GO(ls_config_check(spec, &document));
  LS_GO(ls_config_replace(spec));
  ls_config_limit_batch(&spec->train, SIZE_MAX);
  *out = spec;
  spec = NULL;
done:
  ls_spec_free(spec);
  ls_document_fini(&document);
  return status;
}
