/* SPDX-License-Identifier: BSD-3-Clause */
/* The first pass of the binder goes over every written key, so that none is ignored. */
#include "config/locate.h"

#include <stdio.h>
#include <string.h>

#include "config/suggest.h"
#include "config/value.h"

enum {
  PATH_BYTES = 128, /* longer than any path of a row */
  UNKNOWN_MAX = 5   /* further unknown keys that a message lists */
};

/* A mapping at the top of a scope, or nested in it. */
struct section {
  int mapping;
  const char *prefix; /* its path in the table; "" at the top */
  const ls_path *path;
};

enum meaning { UNKNOWN, COMMON, ROW, SECTION };

static bool starts_with(const char *text, const char *start, size_t length)
{
  return strncmp(text, start, length) == 0;
}

/* The next step of a row's path below the section `prefix`; its length, 0 if the row is not in there. */
static size_t step_below(const ls_key *key, const char *prefix, const char **step)
{
  size_t length = strlen(prefix);
  if (!starts_with(key->path, prefix, length)) return 0;
  if (length > 0 && key->path[length] != '.') return 0;
  *step = key->path + length + (length > 0);
  return strcspn(*step, ".");
}

/* What `name` means in a section; *full is its path in the table, *row its row. */
static enum meaning look_up(const ls_scope *scope, const char *prefix, const char *name,
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

/* ---- messages ---- */

/* All keys of a section, and the one that is nearest to the written one. */
static void list_allowed(const ls_scope *scope, const char *prefix, ls_text *allowed,
                         ls_suggestion *suggestion)
{
  for (size_t i = 0; prefix[0] == '\0' && scope->common[i]; i++)
    ls_suggestion_offer(suggestion, scope->common[i], strlen(scope->common[i]), allowed);
  const char *last = "";
  size_t last_length = 0;
  for (size_t i = 0; i < scope->key_count; i++) {
    const char *step;
    size_t length = step_below(&scope->keys[i], prefix, &step);
    if (scope->keys[i].is_replaced) continue;
    bool is_new = length > 0 && (length != last_length || !starts_with(step, last, length));
    if (!is_new) continue; /* rows of a section stand together */
    ls_suggestion_offer(suggestion, step, length, allowed);
    last = step;
    last_length = length;
  }
}

static void add_other_unknowns(const ls_scope *scope, const struct section *section, size_t first,
                               ls_text *out)
{
  size_t others = 0;
  size_t count = ls_document_size(scope->document, section->mapping);
  for (size_t i = first + 1; i < count && others < UNKNOWN_MAX; i++) {
    yaml_node_pair_t pair = ls_document_pair(scope->document, section->mapping, i);
    const char *name = ls_document_scalar(scope->document, pair.key);
    char full[PATH_BYTES], excerpt[LS_EXCERPT_BYTES];
    size_t row;
    if (!name || look_up(scope, section->prefix, name, full, &row) != UNKNOWN) continue;
    ls_text_add(out, "%s'%s'", others++ == 0 ? "; also unknown: " : ", ", ls_excerpt(excerpt, name));
  }
}

/* A mapping got a new type by an override, and still has keys of the old kind from the file. */
static bool is_retyped(const ls_scope *scope, int key)
{
  int type = ls_document_find(scope->document, scope->mapping, "type", strlen("type"));
  return scope->owner && type && ls_document_is_overridden(scope->document, type) &&
         !ls_document_is_overridden(scope->document, key);
}

/* {lr: 0,05} is lr: 0, and a key 05 without a value. */
static bool is_decimal_comma(const ls_scope *scope, yaml_node_pair_t pair)
{
  const char *name = ls_document_scalar(scope->document, pair.key);
  const char *value = ls_document_scalar(scope->document, pair.value);
  return name[0] != '\0' && strspn(name, "0123456789") == strlen(name) && value && value[0] == '\0';
}

static void add_remedy(const ls_scope *scope, yaml_node_pair_t pair, const ls_suggestion *suggestion,
                       ls_text *out)
{
  if (is_decimal_comma(scope, pair)) {
    ls_text_add(out, "; decimals are written with a point");
  } else if (is_retyped(scope, pair.key)) {
    ls_text_add(out, "; to replace all of it: '");
    ls_path_text(scope->path, out);
    ls_text_add(out, "={type: %s, ...}'", scope->owner);
  } else {
    ls_suggestion_add(suggestion, out);
  }
}

/* Refuse pair `i` of a section, which no row knows. */
static ls_status fail_unknown(const ls_scope *scope, const struct section *section, size_t i)
{
  yaml_node_pair_t pair = ls_document_pair(scope->document, section->mapping, i);
  ls_path path = {.parent = section->path, .key = ls_document_scalar(scope->document, pair.key)};
  ls_suggestion suggestion = {.wanted = path.key};
  ls_text allowed = {0};
  list_allowed(scope, section->prefix, &allowed, &suggestion);
  ls_text text = {0};
  ls_text_add(&text, "unknown key");
  add_other_unknowns(scope, section, i, &text);
  ls_text_add(&text, "; allowed %s%s: %s", scope->owner ? "in " : "here", scope->owner ? scope->owner : "",
              ls_text_get(&allowed));
  add_remedy(scope, pair, &suggestion, &text);
  ls_status status =
      ls_document_wrap(scope->document, pair.key, &path, ls_fail(LS_E_CONFIG, "%s", ls_text_get(&text)));
  ls_text_fini(&text);
  ls_text_fini(&allowed);
  return status;
}

static ls_status fail_section(const ls_scope *scope, const struct section *section)
{
  ls_text allowed = {0};
  list_allowed(scope, section->prefix, &allowed, &(ls_suggestion){.wanted = ""});
  char found[LS_FOUND_BYTES];
  ls_status status =
      ls_fail(LS_E_CONFIG, "expected a section, found %s; its keys: %s",
              ls_document_describe(scope->document, section->mapping, found), ls_text_get(&allowed));
  ls_text_fini(&allowed);
  return ls_document_wrap(scope->document, section->mapping, section->path, status);
}

static ls_status check_double(const ls_scope *scope, int mapping, yaml_node_pair_t pair, const ls_path *path)
{
  const char *name = ls_document_scalar(scope->document, pair.key);
  int first = ls_document_find(scope->document, mapping, name, strlen(name));
  if (first == pair.value) return LS_OK;
  ls_text origin = {0};
  ls_document_origin(scope->document, first, &origin);
  ls_status status =
      ls_fail(LS_E_CONFIG, "the key is there twice; its first value is at %s", ls_text_get(&origin));
  ls_text_fini(&origin);
  return ls_document_wrap(scope->document, pair.key, path, status);
}

/* ---- the pass ---- */

static ls_status locate(ls_scope *scope, const struct section *section);

static ls_status locate_pair(ls_scope *scope, const struct section *in, size_t i)
{
  yaml_node_pair_t pair = ls_document_pair(scope->document, in->mapping, i);
  const char *name = ls_document_scalar(scope->document, pair.key);
  if (!name)
    return ls_document_wrap(scope->document, pair.key, in->path, ls_fail(LS_E_CONFIG, "a key is not a word"));
  ls_path path = {.parent = in->path, .key = name};
  char full[PATH_BYTES];
  size_t row;
  enum meaning meaning = look_up(scope, in->prefix, name, full, &row);
  if (meaning == UNKNOWN) return fail_unknown(scope, in, i);
  LS_PASS(check_double(scope, in->mapping, pair, &path));
  if (meaning == SECTION)
    return locate(scope, &(struct section){.mapping = pair.value, .prefix = full, .path = &path});
  if (meaning == ROW) scope->found[row] = pair.value;
  return LS_OK;
}

static ls_status locate(ls_scope *scope, const struct section *section)
{
  if (ls_document_node(scope->document, section->mapping)->type != YAML_MAPPING_NODE)
    return fail_section(scope, section);
  size_t count = ls_document_size(scope->document, section->mapping);
  for (size_t i = 0; i < count; i++) LS_PASS(locate_pair(scope, section, i));
  return LS_OK;
}

ls_status ls_scope_locate(ls_scope *scope)
{
  return locate(scope, &(struct section){.mapping = scope->mapping, .prefix = "", .path = scope->path});
}
