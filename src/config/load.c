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
#include "config/check.h"
#include "config/config.h"
#include "config/locate.h"
#include "config/override.h"
#include "config/rows.h"
#include "config/suggest.h"
#include "config/value.h"

struct binder {
  const ls_document *document;
  const ls_schemas *schemas;
};

/* A value that is to be bound: its row, its node and its path. */
struct item {
  const ls_key *key;
  int node;
  const ls_path *path;
};

static ls_status bind_value(const struct binder *binder, const struct item *item, void *member);

/* ---- from rows to members ---- */

/* "expected ..., found a list" for a node that is not of the form that the row takes. */
static ls_status refuse_form(const struct binder *binder, const struct item *item)
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
  struct binder binder = {.document = &document, .schemas = schemas};
  ls_path path = {.key = key->path};
  status = bind_value(&binder, &(struct item){key, ls_document_root(&document), &path}, member);
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
static ls_status bind_row(const struct binder *binder, const ls_scope *scope, size_t i, void *member)
{
  const ls_key *key = &scope->keys[i];
  ls_path path = {.parent = scope->path, .key = key->path};
  if (scope->found[i]) return bind_value(binder, &(struct item){key, scope->found[i], &path}, member);
  return key->preset ? bind_preset(binder->schemas, key, member) : fail_missing(scope, key, &path);
}

/* Fill the struct at `base`. */
static ls_status bind_rows(const struct binder *binder, ls_scope *scope, void *base)
{
  const bool is_name = ls_document_node(scope->document, scope->mapping)->type == YAML_SCALAR_NODE;
  if (!is_name) LS_PASS(ls_scope_locate(scope)); /* a kind's name alone: all keys have their presets */
  for (size_t i = 0; i < scope->key_count; i++)
    LS_PASS(bind_row(binder, scope, i, (unsigned char *)base + scope->keys[i].offset));
  return LS_OK;
}

static ls_status bind_scalar(const struct binder *binder, const struct item *item, void *member)
{
  const char *text = ls_document_scalar(binder->document, item->node);
  if (!text) return refuse_form(binder, item);
  const yaml_node_t *node = ls_document_node(binder->document, item->node);
  bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  ls_status status = ls_value_parse(item->key, text, plain, member);
  return status == LS_OK ? LS_OK : ls_document_wrap(binder->document, item->node, item->path, status);
}

/* ---- kinds ---- */

/* Refuse the `type` at a node; NULL: there is none. */
static ls_status fail_type(const struct binder *binder, ls_family family, const char *type,
                           const struct item *item)
{
  ls_text kinds = {0};
  ls_suggestion suggestion = {.wanted = type ? type : ""};
  for (const ls_schema *const *schema = ls_family_kinds(binder->schemas, family); *schema; schema++)
    ls_suggestion_offer(&suggestion, (*schema)->name, strlen((*schema)->name), &kinds);
  ls_text text = {0};
  char excerpt[LS_EXCERPT_BYTES];
  if (type)
    ls_text_add(&text, "unknown %s '%s'", ls_family_words[family], ls_excerpt(excerpt, type));
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
static ls_status find_schema(const struct binder *binder, ls_family family, const struct item *mapping,
                             const ls_schema **out)
{
  ls_path path = {.parent = mapping->path, .key = "type"};
  int node = ls_document_find(binder->document, mapping->node, "type", strlen("type"));
  if (node == 0) return fail_type(binder, family, NULL, &(struct item){NULL, mapping->node, &path});
  struct item item = {&ls_type_key, node, &path};
  const char *type = ls_document_scalar(binder->document, node);
  if (!type) return refuse_form(binder, &item);
  for (const ls_schema *const *schema = ls_family_kinds(binder->schemas, family); *schema; schema++) {
    *out = *schema;
    if (strcmp((*schema)->name, type) == 0) return LS_OK;
  }
  *out = NULL;
  return fail_type(binder, family, type, &item);
}

static ls_status bind_options(const struct binder *binder, const ls_schema *schema, const char *const *common,
                              const struct item *mapping, void **options)
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

static ls_status bind_kind(const struct binder *binder, const struct item *item, void *member)
{
  static const char *const common[] = {"type", NULL};
  ls_kind_spec *kind = member;
  if (ls_document_node(binder->document, item->node)->type != YAML_MAPPING_NODE)
    return refuse_form(binder, item);
  LS_PASS(find_schema(binder, item->key->family, item, &kind->schema));
  return bind_options(binder, kind->schema, common, item, &kind->options);
}

/* A word, or the name of a kind. */
static ls_status bind_kind_name(const struct binder *binder, const struct item *item, ls_kind_spec *kind)
{
  ls_key key;
  const char **words;
  LS_PASS(ls_kind_words(&key, &words, item->key, binder->schemas));
  int word = 0;
  ls_status status = bind_scalar(binder, &(struct item){&key, item->node, item->path}, &word);
  const ls_schema *const *schema = ls_family_kinds(binder->schemas, item->key->family);
  for (const char *const *own = item->key->words; own && *own; own++) word--;
  free(words);
  if (status != LS_OK || word < 0) return status;
  kind->schema = schema[word];
  static const char *const common[] = {NULL};
  return bind_options(binder, kind->schema, common, item, &kind->options);
}

static ls_status bind_named_kind(const struct binder *binder, const struct item *item, void *member)
{
  if (ls_document_node(binder->document, item->node)->type == YAML_MAPPING_NODE)
    return bind_kind(binder, item, member);
  return bind_kind_name(binder, item, member);
}

/* ---- layers ---- */

static ls_status bind_layer_name(const struct binder *binder, const struct item *layer, char **name)
{
  int node = ls_document_find(binder->document, layer->node, "name", strlen("name"));
  if (node == 0) return LS_OK;
  ls_path path = {.parent = layer->path, .key = "name"};
  LS_PASS(bind_scalar(binder, &(struct item){&ls_name_key, node, &path}, name));
  ls_status status = ls_config_check_layer_name(*name);
  return status == LS_OK ? LS_OK : ls_document_wrap(binder->document, node, &path, status);
}

/* Of every layer. */
static ls_status bind_layer_keys(const struct binder *binder, const struct item *item, ls_layer_spec *layer)
{
  for (size_t i = 0; i < LS_LAYER_KEYS; i++) {
    const ls_key *key = &ls_layer_keys[i];
    void *member = (unsigned char *)layer + key->offset;
    const ls_path path = {.parent = item->path, .key = key->path};
    const int node = ls_document_find(binder->document, item->node, key->path, strlen(key->path));
    if (node)
      LS_PASS(bind_value(binder, &(struct item){key, node, &path}, member));
    else
      LS_PASS(bind_preset(binder->schemas, key, member));
  }
  return LS_OK;
}

static ls_status bind_layer(const struct binder *binder, const struct item *item, void *member)
{
  ls_layer_spec *layer = member;
  static const char *const common[] = {"type", "name", "input", "inputs", "freeze", "lr_factor", NULL};
  if (ls_document_node(binder->document, item->node)->type != YAML_MAPPING_NODE)
    return refuse_form(binder, item);
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

/* The items of a sequence, one after the other. */
struct sequence {
  const ls_key *key; /* of each item */
  ls_status (*bind)(const struct binder *binder, const struct item *item, void *member);
  void *members;
  size_t count, member_bytes;
};

static bool is_sequence(const struct binder *binder, const struct item *item)
{
  return ls_document_node(binder->document, item->node)->type == YAML_SEQUENCE_NODE;
}

static ls_status bind_sequence(const struct binder *binder, const struct item *item,
                               const struct sequence *sequence)
{
  for (size_t i = 0; i < sequence->count; i++) {
    const ls_path path = {.parent = item->path, .index = i};
    const struct item one = {sequence->key, ls_document_item(binder->document, item->node, i), &path};
    LS_PASS(sequence->bind(binder, &one, (unsigned char *)sequence->members + i * sequence->member_bytes));
  }
  return LS_OK;
}

static ls_status bind_layers(const struct binder *binder, const struct item *item, void *member)
{
  static const ls_key layer_key = {.path = "", .type = LS_KEY_KIND, .family = LS_FAMILY_LAYER};
  ls_layer_list *list = member;
  if (!is_sequence(binder, item)) return refuse_form(binder, item);
  const size_t count = ls_document_size(binder->document, item->node);
  if (!ls_value_in_range(item->key, (double)count)) {
    char found[LS_FOUND_BYTES];
    snprintf(found, sizeof found, "a list of %zu", count);
    ls_status status = ls_value_refuse(item->key, found, "");
    return ls_document_wrap(binder->document, item->node, item->path, status);
  }
  LS_PASS(ls_alloc(&list->items, count, sizeof *list->items, "layers"));
  list->count = count;
  return bind_sequence(binder, item,
                       &(struct sequence){&layer_key, bind_layer, list->items, count, sizeof *list->items});
}

static ls_status bind_texts(const struct binder *binder, const struct item *item, void *member)
{
  ls_text_list *list = member;
  if (!is_sequence(binder, item)) return refuse_form(binder, item);
  const size_t count = ls_document_size(binder->document, item->node);
  LS_PASS(ls_alloc(&list->items, count, sizeof *list->items, "a list of texts"));
  list->count = count;
  return bind_sequence(
      binder, item, &(struct sequence){&ls_name_key, bind_scalar, list->items, count, sizeof *list->items});
}

/* A text that may be empty between quotes: what a pattern fits is then left out. */
static ls_status bind_replacement(const struct binder *binder, const struct item *item, char **member)
{
  const char *text = ls_document_scalar(binder->document, item->node);
  const yaml_node_t *node = ls_document_node(binder->document, item->node);
  const bool is_empty = text && text[0] == '\0' && node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return is_empty ? ls_text_copy(member, "") : bind_scalar(binder, item, member);
}

static ls_status bind_text_pairs(const struct binder *binder, const struct item *item, void *member)
{
  ls_text_list *list = member;
  if (ls_document_node(binder->document, item->node)->type != YAML_MAPPING_NODE)
    return refuse_form(binder, item);
  const size_t count = 2 * ls_document_size(binder->document, item->node);
  LS_PASS(ls_alloc(&list->items, count, sizeof *list->items, "pairs of texts"));
  list->count = count;
  for (size_t i = 0; i < count; i += 2) {
    const yaml_node_pair_t pair = ls_document_pair(binder->document, item->node, i / 2);
    const ls_path path = {.parent = item->path, .key = ls_document_scalar(binder->document, pair.key)};
    LS_PASS(bind_scalar(binder, &(struct item){&ls_name_key, pair.key, &path}, &list->items[i]));
    LS_PASS(bind_replacement(binder, &(struct item){&ls_name_key, pair.value, &path}, &list->items[i + 1]));
  }
  return LS_OK;
}

static ls_status bind_reals(const struct binder *binder, const struct item *item, void *member)
{
  ls_real_list *list = member;
  ls_key one = *item->key;
  one.type = LS_KEY_REAL;
  const size_t count = ls_document_size(binder->document, item->node);
  if (!is_sequence(binder, item) || count > LS_REALS_MAX) return refuse_form(binder, item);
  list->count = count;
  return bind_sequence(binder, item,
                       &(struct sequence){&one, bind_scalar, list->items, count, sizeof *list->items});
}

static ls_status bind_counts(const struct binder *binder, const struct item *item, void *member)
{
  if (ls_document_node(binder->document, item->node)->type != YAML_SEQUENCE_NODE)
    return bind_scalar(binder, item, member);
  ls_counts *counts = member;
  ls_key one = *item->key;
  one.type = LS_KEY_COUNT;
  const size_t count = ls_document_size(binder->document, item->node);
  if (count != 2 && count != item->key->counts_max) {
    char found[LS_FOUND_BYTES];
    snprintf(found, sizeof found, "a list of %zu", count);
    return ls_document_wrap(binder->document, item->node, item->path, ls_value_refuse(item->key, found, ""));
  }
  *counts = (ls_counts){.word = -1, .count = count};
  for (size_t i = 0; i < count; i++) {
    const ls_path path = {.parent = item->path, .index = i};
    const int node = ls_document_item(binder->document, item->node, i);
    LS_PASS(bind_scalar(binder, &(struct item){&one, node, &path}, &counts->items[i]));
  }
  ls_counts_shorten(counts);
  return LS_OK;
}

static ls_status bind_value(const struct binder *binder, const struct item *item, void *member)
{
  static ls_status (*const binds[])(const struct binder *binder, const struct item *item, void *member) = {
      [LS_KEY_COUNTS] = bind_counts, [LS_KEY_TEXTS] = bind_texts, [LS_KEY_TEXT_PAIRS] = bind_text_pairs,
      [LS_KEY_REALS] = bind_reals,   [LS_KEY_KIND] = bind_kind,   [LS_KEY_NAMED_KIND] = bind_named_kind,
      [LS_KEY_LAYERS] = bind_layers};
  const size_t type = item->key->type;
  const bool is_scalar = type >= sizeof binds / sizeof binds[0] || !binds[type];
  return is_scalar ? bind_scalar(binder, item, member) : binds[type](binder, item, member);
}

/* ---- the whole ---- */

static ls_status bind_spec(const ls_document *document, const ls_schemas *schemas, ls_spec *spec)
{
  static const char *const common[] = {NULL};
  const struct binder binder = {.document = document, .schemas = schemas};
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
  ls_config_limit_batch(&spec->train, SIZE_MAX);
  *out = spec;
  spec = NULL;
done:
  ls_spec_free(spec);
  ls_document_fini(&document);
  return status;
}
