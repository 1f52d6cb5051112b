/* SPDX-License-Identifier: BSD-3-Clause */
/* From a document to structs: the binder.
 *
 * A mapping is bound in two passes. The first goes over what is written and finds the row of each key, so
 * that an unknown, double or misplaced key is refused. The second goes over the rows and fills each member
 * from what was found, or from the row's default: so a 0 that is written stays a 0, and no default is
 * anywhere but in the table. All that is allocated hangs on the ls_spec from the start, which makes one
 * ls_spec_free() the release after any error. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "config/check.h"
#include "config/config.h"
#include "config/document.h"
#include "config/override.h"
#include "config/rows.h"
#include "config/suggest.h"
#include "config/value.h"

enum { PATH_BYTES = 128 /* longer than any path of a row */ };

struct binder {
  const ls_document *document;
  const ls_schemas *schemas;
};

/* A table of rows and the mapping that it is bound to. */
struct scope {
  const char *owner;         /* the kind whose rows these are; NULL: the configuration */
  const ls_key *keys;        /* [key_count] */
  size_t key_count;          /* <= LS_ROWS_MAX */
  const char *const *common; /* keys that are bound by others; NULL-terminated */
  unsigned char *base;       /* the struct that the rows fill */
  int mapping;
  const ls_path *path;    /* of the mapping */
  int found[LS_ROWS_MAX]; /* value of each row; 0: not given */
};

static const char *const no_common[] = {NULL};
static const char *const kind_common[] = {"type", NULL};
static const char *const layer_common[] = {"type", "name", NULL};

static ls_status bind_value(const struct binder *binder, const ls_key *key, int node, const ls_path *path,
                            void *member);

/* ---- messages ---- */

/* "expected ..., found a list" for a node that is not what the row takes. */
static ls_status refuse_node(const struct binder *binder, const ls_key *key, int node, const ls_path *path)
{
  static const char *const forms[] = {
      [YAML_NO_NODE] = "nothing", [YAML_SEQUENCE_NODE] = "a list", [YAML_MAPPING_NODE] = "a mapping"};
  const char *text = ls_document_scalar(binder->document, node);
  char excerpt[LS_EXCERPT_BYTES];
  char found[LS_EXCERPT_BYTES + 2];
  char remedy[LS_EXCERPT_BYTES + 20] = "";
  if (!text)
    snprintf(found, sizeof found, "%s", forms[ls_document_node(binder->document, node)->type]);
  else if (text[0] == '\0')
    snprintf(found, sizeof found, "nothing");
  else
    snprintf(found, sizeof found, "'%s'", ls_excerpt(excerpt, text));
  if (text && text[0] != '\0' && key->type == LS_KEY_KIND)
    snprintf(remedy, sizeof remedy, "; write {type: %s}", excerpt);
  return ls_document_wrap(binder->document, node, path, ls_value_refuse(key, found, remedy));
}

static bool starts_with(const char *text, const char *start, size_t length)
{
  return strncmp(text, start, length) == 0;
}

/* The next step of a row's path below the section `prefix` ("" for the top); its length, 0 if it is not
 * there. */
static size_t step_below(const ls_key *key, const char *prefix, const char **step)
{
  size_t length = strlen(prefix);
  if (!starts_with(key->path, prefix, length)) return 0;
  if (length > 0 && key->path[length] != '.') return 0;
  *step = key->path + length + (length > 0);
  return strcspn(*step, ".");
}

static void add_allowed(ls_text *allowed, ls_suggestion *suggestion, const char *word, size_t length)
{
  ls_suggestion_offer(suggestion, word, length);
  ls_text_add(allowed, "%s%.*s", allowed->length > 0 ? ", " : "", (int)length, word);
}

/* All keys that may stand in a section, and the one that is nearest to what was written. */
static void list_allowed(const struct scope *scope, const char *prefix, ls_text *allowed,
                         ls_suggestion *suggestion)
{
  for (size_t i = 0; prefix[0] == '\0' && scope->common[i]; i++)
    add_allowed(allowed, suggestion, scope->common[i], strlen(scope->common[i]));
  const char *last = "";
  size_t last_length = 0;
  for (size_t i = 0; i < scope->key_count; i++) {
    const char *step;
    size_t length = step_below(&scope->keys[i], prefix, &step);
    bool is_new = length > 0 && (length != last_length || !starts_with(step, last, length));
    if (!is_new) continue;
    add_allowed(allowed, suggestion, step, length);
    last = step;
    last_length = length;
  }
}

/* ---- first pass: from keys to rows ---- */

enum meaning { UNKNOWN, COMMON, ROW, SECTION };

/* What `name` means in the section `prefix`; *full is its path in the table, *row its row. */
static enum meaning look_up(const struct scope *scope, const char *prefix, const char *name,
                            char full[PATH_BYTES], size_t *row)
{
  for (size_t i = 0; prefix[0] == '\0' && scope->common[i]; i++)
    if (strcmp(scope->common[i], name) == 0) return COMMON;
  int length = snprintf(full, PATH_BYTES, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", name);
  if (length < 0 || length >= PATH_BYTES || name[0] == '\0' || strchr(name, '.')) return UNKNOWN;
  for (size_t i = 0; i < scope->key_count; i++) {
    const char *step;
    *row = i;
    if (strcmp(scope->keys[i].path, full) == 0) return ROW;
    if (step_below(&scope->keys[i], full, &step) > 0) return SECTION;
  }
  return UNKNOWN;
}

/* Where in the document the first pass is. */
struct section {
  int mapping;
  const char *prefix; /* its path in the table; "" at the top */
  const ls_path *path;
};

static void list_other_unknowns(const struct binder *binder, const struct scope *scope,
                                const struct section *section, size_t first, ls_text *out)
{
  size_t others = 0;
  size_t count = ls_document_size(binder->document, section->mapping);
  for (size_t i = first + 1; i < count; i++) {
    yaml_node_pair_t pair = ls_document_pair(binder->document, section->mapping, i);
    const char *name = ls_document_scalar(binder->document, pair.key);
    char full[PATH_BYTES], excerpt[LS_EXCERPT_BYTES];
    size_t row;
    if (!name || look_up(scope, section->prefix, name, full, &row) != UNKNOWN) continue;
    if (++others > 5) break; /* enough to see what went wrong */
    ls_text_add(out, "%s'%s'", others == 1 ? ", and so is " : ", ", ls_excerpt(excerpt, name));
  }
}

/* A mapping got a new type by an override, and still has keys of the old kind from the file. */
static bool is_retyped(const struct binder *binder, const struct scope *scope, int key)
{
  int type = ls_document_find(binder->document, scope->mapping, "type", strlen("type"));
  return scope->owner && type && ls_document_is_overridden(binder->document, type) &&
         !ls_document_is_overridden(binder->document, key);
}

/* Refuse pair `i` of a section, which no row knows. */
static ls_status fail_unknown(const struct binder *binder, const struct scope *scope,
                              const struct section *section, size_t i)
{
  int key = ls_document_pair(binder->document, section->mapping, i).key;
  const char *name = ls_document_scalar(binder->document, key);
  ls_text text = {0};
  ls_text allowed = {0};
  ls_suggestion suggestion = {.wanted = name};
  list_allowed(scope, section->prefix, &allowed, &suggestion);
  ls_text_add(&text, "unknown key");
  list_other_unknowns(binder, scope, section, i, &text);
  if (suggestion.best[0] != '\0') ls_text_add(&text, "; did you mean '%s'?", suggestion.best);
  ls_text_add(&text, "; %s %s: %s", scope->owner ? scope->owner : "allowed", scope->owner ? "takes" : "here",
              ls_text_get(&allowed));
  if (is_retyped(binder, scope, key)) {
    ls_text_add(&text, "; an override that replaces everything: '");
    ls_path_text(scope->path, &text);
    ls_text_add(&text, "={type: %s, ...}'", scope->owner);
  }
  ls_path path = {.parent = section->path, .key = name};
  ls_status status =
      ls_document_wrap(binder->document, key, &path, ls_fail(LS_E_CONFIG, "%s", ls_text_get(&text)));
  ls_text_fini(&text);
  ls_text_fini(&allowed);
  return status;
}

static ls_status check_double(const struct binder *binder, int mapping, yaml_node_pair_t pair,
                              const ls_path *path)
{
  const char *name = ls_document_scalar(binder->document, pair.key);
  int first = ls_document_find(binder->document, mapping, name, strlen(name));
  if (first == pair.value) return LS_OK;
  ls_text origin = {0};
  ls_document_origin(binder->document, first, &origin);
  ls_status status = ls_document_wrap(
      binder->document, pair.key, path,
      ls_fail(LS_E_CONFIG, "the key is there twice; the first is at %s", ls_text_get(&origin)));
  ls_text_fini(&origin);
  return status;
}

static ls_status locate(const struct binder *binder, struct scope *scope, const struct section *section);

static ls_status locate_section(const struct binder *binder, struct scope *scope,
                                const struct section *section)
{
  if (ls_document_node(binder->document, section->mapping)->type == YAML_MAPPING_NODE)
    return locate(binder, scope, section);
  ls_text allowed = {0};
  list_allowed(scope, section->prefix, &allowed, &(ls_suggestion){.wanted = ""});
  ls_status status = ls_fail(LS_E_CONFIG, "expected a section with keys of: %s", ls_text_get(&allowed));
  ls_text_fini(&allowed);
  return ls_document_wrap(binder->document, section->mapping, section->path, status);
}

static ls_status locate_pair(const struct binder *binder, struct scope *scope, const struct section *in,
                             size_t i)
{
  yaml_node_pair_t pair = ls_document_pair(binder->document, in->mapping, i);
  const char *name = ls_document_scalar(binder->document, pair.key);
  if (!name)
    return ls_document_wrap(binder->document, pair.key, in->path,
                            ls_fail(LS_E_CONFIG, "a key is not a word"));
  ls_path path = {.parent = in->path, .key = name};
  char full[PATH_BYTES];
  size_t row;
  enum meaning meaning = look_up(scope, in->prefix, name, full, &row);
  if (meaning == UNKNOWN) return fail_unknown(binder, scope, in, i);
  LS_PASS(check_double(binder, in->mapping, pair, &path));
  if (meaning == SECTION)
    return locate_section(binder, scope,
                          &(struct section){.mapping = pair.value, .prefix = full, .path = &path});
  if (meaning == ROW) scope->found[row] = pair.value;
  return LS_OK;
}

static ls_status locate(const struct binder *binder, struct scope *scope, const struct section *section)
{
  size_t count = ls_document_size(binder->document, section->mapping);
  for (size_t i = 0; i < count; i++) LS_PASS(locate_pair(binder, scope, section, i));
  return LS_OK;
}

/* ---- second pass: from rows to members ---- */

static ls_status bind_preset(const struct binder *outer, const ls_key *key, void *member)
{
  if (ls_value_is_scalar(key->type)) return ls_value_parse(key, key->preset, true, member);
  ls_document document;
  ls_status status;
  LS_GO(ls_document_load(&document, key->preset, "default"));
  struct binder binder = {.document = &document, .schemas = outer->schemas};
  status = bind_value(&binder, key, ls_document_root(&document), &(ls_path){.key = key->path}, member);
done:
  ls_document_fini(&document);
  return status;
}

static ls_status fail_missing(const struct binder *binder, const struct scope *scope, const ls_key *key,
                              const ls_path *path)
{
  ls_text expected = {0};
  ls_value_expect(key, &expected);
  ls_status status = ls_fail(LS_E_CONFIG, "a required key is missing; expected %s", ls_text_get(&expected));
  ls_text_fini(&expected);
  int nearest = ls_document_descend(binder->document, scope->mapping, key->path);
  return ls_document_wrap(binder->document, nearest, path, status);
}

static ls_status bind_rows(const struct binder *binder, struct scope *scope)
{
  LS_PASS(
      locate(binder, scope, &(struct section){.mapping = scope->mapping, .prefix = "", .path = scope->path}));
  for (size_t i = 0; i < scope->key_count; i++) {
    const ls_key *key = &scope->keys[i];
    void *member = scope->base + key->offset;
    ls_path path = {.parent = scope->path, .key = key->path};
    if (scope->found[i])
      LS_PASS(bind_value(binder, key, scope->found[i], &path, member));
    else if (key->preset)
      LS_PASS(bind_preset(binder, key, member));
    else
      return fail_missing(binder, scope, key, &path);
  }
  return LS_OK;
}

static ls_status bind_scalar(const struct binder *binder, const ls_key *key, int node, const ls_path *path,
                             void *member)
{
  const char *text = ls_document_scalar(binder->document, node);
  if (!text) return refuse_node(binder, key, node, path);
  bool plain = ls_document_node(binder->document, node)->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  ls_status status = ls_value_parse(key, text, plain, member);
  return status == LS_OK ? LS_OK : ls_document_wrap(binder->document, node, path, status);
}

/* ---- kinds ---- */

static ls_status fail_type(const struct binder *binder, ls_family family, int node, const char *type,
                           const ls_path *path)
{
  ls_text kinds = {0};
  ls_suggestion suggestion = {.wanted = type ? type : ""};
  for (const ls_schema *const *schema = binder->schemas->kinds[family]; *schema; schema++)
    add_allowed(&kinds, &suggestion, (*schema)->name, strlen((*schema)->name));
  char excerpt[LS_EXCERPT_BYTES];
  ls_text text = {0};
  if (type)
    ls_text_add(&text, "unknown %s '%s'", ls_family_words[family], ls_excerpt(excerpt, type));
  else
    ls_text_add(&text, "a required key is missing");
  if (suggestion.best[0] != '\0') ls_text_add(&text, "; did you mean '%s'?", suggestion.best);
  ls_text_add(&text, "; expected one of: %s", ls_text_get(&kinds));
  ls_status status = ls_document_wrap(binder->document, node, &(ls_path){.parent = path, .key = "type"},
                                      ls_fail(LS_E_CONFIG, "%s", ls_text_get(&text)));
  ls_text_fini(&text);
  ls_text_fini(&kinds);
  return status;
}

/* The kind that a mapping names. */
static ls_status find_schema(const struct binder *binder, ls_family family, int mapping, const ls_path *path,
                             const ls_schema **out)
{
  int node = ls_document_find(binder->document, mapping, "type", strlen("type"));
  if (node == 0) return fail_type(binder, family, mapping, NULL, path);
  const char *type = ls_document_scalar(binder->document, node);
  if (!type) return refuse_node(binder, &ls_type_key, node, &(ls_path){.parent = path, .key = "type"});
  for (const ls_schema *const *schema = binder->schemas->kinds[family]; *schema; schema++)
    if (strcmp((*schema)->name, type) == 0) {
      *out = *schema;
      return LS_OK;
    }
  return fail_type(binder, family, node, type, path);
}

static ls_status bind_options(const struct binder *binder, const ls_schema *schema, const char *const *common,
                              int mapping, const ls_path *path, void **options)
{
  if (schema->key_count > LS_ROWS_MAX) return ls_fail(LS_E_BUG, "%s has too many keys", schema->name);
  LS_PASS(ls_alloc(options, 1, schema->options_bytes, schema->name));
  struct scope scope = {.owner = schema->name,
                        .keys = schema->keys,
                        .key_count = schema->key_count,
                        .common = common,
                        .base = *options,
                        .mapping = mapping,
                        .path = path};
  return bind_rows(binder, &scope);
}

static ls_status bind_kind(const struct binder *binder, const ls_key *key, int node, const ls_path *path,
                           void *member)
{
  ls_kind_spec *kind = member;
  if (ls_document_node(binder->document, node)->type != YAML_MAPPING_NODE)
    return refuse_node(binder, key, node, path);
  LS_PASS(find_schema(binder, key->family, node, path, &kind->schema));
  return bind_options(binder, kind->schema, kind_common, node, path, &kind->options);
}

static ls_status bind_layer_name(const struct binder *binder, int mapping, const ls_path *path, char **name)
{
  int node = ls_document_find(binder->document, mapping, "name", strlen("name"));
  if (node == 0) return LS_OK;
  ls_path name_path = {.parent = path, .key = "name"};
  LS_PASS(bind_scalar(binder, &ls_name_key, node, &name_path, name));
  ls_status status = ls_config_check_layer_name(*name);
  return status == LS_OK ? LS_OK : ls_document_wrap(binder->document, node, &name_path, status);
}

static ls_status bind_layer(const struct binder *binder, int node, const ls_path *path, ls_layer_spec *layer)
{
  static const ls_key item_key = {.path = "", .type = LS_KEY_KIND, .family = LS_FAMILY_LAYER};
  if (ls_document_node(binder->document, node)->type != YAML_MAPPING_NODE)
    return refuse_node(binder, &item_key, node, path);
  ls_text place = {0};
  ls_document_origin(binder->document, node, &place);
  ls_text_add(&place, ": ");
  ls_path_text(path, &place);
  LS_PASS(ls_text_take(&place, &layer->place));
  LS_PASS(find_schema(binder, LS_FAMILY_LAYER, node, path, &layer->schema));
  LS_PASS(bind_layer_name(binder, node, path, &layer->name));
  return bind_options(binder, layer->schema, layer_common, node, path, &layer->options);
}

static ls_status bind_layers(const struct binder *binder, const ls_key *key, int node, const ls_path *path,
                             void *member)
{
  ls_layer_list *list = member;
  if (ls_document_node(binder->document, node)->type != YAML_SEQUENCE_NODE)
    return refuse_node(binder, key, node, path);
  size_t count = ls_document_size(binder->document, node);
  if (!ls_value_in_range(key, (double)count)) {
    char found[40];
    snprintf(found, sizeof found, "a list of %zu", count);
    return ls_document_wrap(binder->document, node, path, ls_value_refuse(key, found, ""));
  }
  LS_PASS(ls_alloc(&list->items, count, sizeof *list->items, "layers"));
  list->count = count;
  for (size_t i = 0; i < count; i++) {
    ls_path item = {.parent = path, .index = i};
    LS_PASS(bind_layer(binder, ls_document_item(binder->document, node, i), &item, &list->items[i]));
  }
  return LS_OK;
}

static ls_status bind_value(const struct binder *binder, const ls_key *key, int node, const ls_path *path,
                            void *member)
{
  if (key->type == LS_KEY_KIND) return bind_kind(binder, key, node, path, member);
  if (key->type == LS_KEY_LAYERS) return bind_layers(binder, key, node, path, member);
  return bind_scalar(binder, key, node, path, member);
}

/* ---- the whole ---- */

static ls_status check_root(const ls_document *document)
{
  int root = ls_document_root(document);
  if (root == 0)
    return ls_fail(LS_E_CONFIG, "%s: empty; expected a configuration, such as those in configs/",
                   document->file);
  if (ls_document_node(document, root)->type == YAML_MAPPING_NODE) return LS_OK;
  return ls_document_wrap(document, root, NULL,
                          ls_fail(LS_E_CONFIG, "expected a configuration (keys such as 'name: lenet5')"));
}

static ls_status bind_spec(const ls_document *document, const ls_schemas *schemas, ls_spec *spec)
{
  struct scope scope = {.keys = ls_spec_keys,
                        .key_count = ls_spec_key_count,
                        .common = no_common,
                        .base = (unsigned char *)spec,
                        .mapping = ls_document_root(document)};
  return bind_rows(&(struct binder){.document = document, .schemas = schemas}, &scope);
}

ls_status ls_config_parse(ls_spec **out, const char *text, const char *file, const char *const *overrides,
                          size_t override_count, const ls_schemas *schemas)
{
  *out = NULL;
  ls_document document = {0};
  ls_spec *spec = NULL;
  ls_status status;
  LS_GO(ls_document_load(&document, text, file));
  LS_GO(check_root(&document));
  LS_GO(ls_overrides_apply(&document, overrides, override_count));
  LS_GO(ls_alloc(&spec, 1, sizeof *spec, "the configuration"));
  LS_GO(bind_spec(&document, schemas, spec));
  LS_GO(ls_config_check(spec, &document));
  *out = spec;
  spec = NULL;
done:
  ls_spec_free(spec);
  ls_document_fini(&document);
  return status;
}
