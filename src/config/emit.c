/* SPDX-License-Identifier: BSD-3-Clause */
/* The resolved configuration as YAML: every row of the table in its order, defaults included. One layer is
 * one line; a layer with layers of its own is a block, so that its body reads like the model's list. */
#include <assert.h>
#include <string.h>

#include "config/config.h"
#include "config/rows.h"
#include "config/value.h"

enum { INDENT = 2 };

static void add_layers(const ls_layer_list *list, int indent, ls_text *yaml);

static const void *member_of(const void *base, const ls_key *key)
{
  return (const unsigned char *)base + key->offset;
}

static bool is_default(const ls_key *key, const void *member)
{
  ls_text value = {0};
  ls_value_format(key, member, &value);
  const bool same = key->preset && strcmp(ls_text_get(&value), key->preset) == 0;
  ls_text_fini(&value);
  return same;
}

/* Is a key of a kind left out? */
static bool is_hidden(const ls_key *key, const void *options)
{
  return key->shown_if_other && is_default(key, member_of(options, key));
}

static void add_inline(const ls_key *key, const void *member, ls_text *yaml);

/* Up to the brace that closes it. */
static void add_flow_kind(const ls_schema *schema, const char *name, const void *options, ls_text *yaml)
{
  ls_text_add(yaml, "{type: %s", schema->name);
  if (name) {
    ls_text_add(yaml, ", name: ");
    ls_value_format(&ls_name_key, &name, yaml);
  }
  for (size_t i = 0; i < schema->key_count; i++) {
    if (is_hidden(&schema->keys[i], options)) continue;
    ls_text_add(yaml, ", %s: ", schema->keys[i].path);
    add_inline(&schema->keys[i], member_of(options, &schema->keys[i]), yaml);
  }
}

static void add_texts(const ls_key *key, const void *member, ls_text *yaml)
{
  (void)key;
  const ls_text_list *list = member;
  ls_text_add(yaml, "[");
  for (size_t i = 0; i < list->count; i++) {
    ls_text_add(yaml, i > 0 ? ", " : "");
    ls_value_format(&ls_name_key, &list->items[i], yaml);
  }
  ls_text_add(yaml, "]");
}

static void add_text_pairs(const ls_key *key, const void *member, ls_text *yaml)
{
  (void)key;
  const ls_text_list *list = member;
  ls_text_add(yaml, "{");
  for (size_t i = 0; i < list->count; i++) {
    ls_text_add(yaml, i == 0 ? "" : i % 2 ? ": " : ", ");
    ls_value_format(&ls_name_key, &list->items[i], yaml);
  }
  ls_text_add(yaml, "}");
}

static void add_reals(const ls_key *key, const void *member, ls_text *yaml)
{
  const ls_real_list *list = member;
  ls_key one = *key;
  one.type = LS_KEY_REAL;
  ls_text_add(yaml, "[");
  for (size_t i = 0; i < list->count; i++) {
    ls_text_add(yaml, i > 0 ? ", " : "");
    ls_value_format(&one, &list->items[i], yaml);
  }
  ls_text_add(yaml, "]");
}

static void add_kind(const ls_key *key, const void *member, ls_text *yaml)
{
  (void)key;
  const ls_kind_spec *kind = member;
  add_flow_kind(kind->schema, NULL, kind->options, yaml);
  ls_text_add(yaml, "}");
}

/* As short as it can be. */
static void add_named_kind(const ls_key *key, const void *member, ls_text *yaml)
{
  const ls_kind_spec *kind = member;
  if (kind->schema && kind->schema->key_count > 0)
    add_kind(key, member, yaml);
  else
    ls_text_add(yaml, "%s", kind->schema ? kind->schema->name : key->words[0]);
}

static void add_word_or_keys(const ls_key *key, const void *member, ls_text *yaml)
{
  const ls_word_or_keys *value = member;
  if (value->word >= 0) {
    ls_text_add(yaml, "%s", key->words[value->word]);
    return;
  }
  for (size_t i = 0; i < key->schema->key_count; i++) {
    const ls_key *own = &key->schema->keys[i];
    ls_text_add(yaml, "%s%s: ", i > 0 ? ", " : "{", own->path);
    add_inline(own, member_of(value->options, own), yaml);
  }
  ls_text_add(yaml, "}");
}

/* The value of a row on the line of its key. */
static void add_inline(const ls_key *key, const void *member, ls_text *yaml)
{
  static void (*const adds[])(const ls_key *key, const void *member, ls_text *yaml) = {
      [LS_KEY_TEXTS] = add_texts,           [LS_KEY_TEXT_PAIRS] = add_text_pairs,
      [LS_KEY_REALS] = add_reals,           [LS_KEY_KIND] = add_kind,
      [LS_KEY_NAMED_KIND] = add_named_kind, [LS_KEY_WORD_OR_KEYS] = add_word_or_keys};
  const size_t type = key->type;
  assert(type != LS_KEY_LAYERS && "a layer with layers is a block");
  if (type < sizeof adds / sizeof adds[0] && adds[type])
    adds[type](key, member, yaml);
  else
    ls_value_format(key, member, yaml);
}

/* The value of a row whose key is written, up to the end of its last line. */
static void add_value(const ls_key *key, const void *base, int indent, ls_text *yaml)
{
  if (key->type == LS_KEY_LAYERS) {
    add_layers(member_of(base, key), indent, yaml);
    return;
  }
  ls_text_add(yaml, " ");
  add_inline(key, member_of(base, key), yaml);
  ls_text_add(yaml, "\n");
}

/* The keys of every layer, where they differ from the default: most layers have none. */
static void add_common(const ls_layer_spec *layer, const char *before, int indent, const char *after,
                       ls_text *yaml)
{
  for (size_t i = 0; i < LS_LAYER_KEYS; i++) {
    const ls_key *key = &ls_layer_keys[i];
    ls_text value = {0};
    add_inline(key, member_of(layer, key), &value);
    if (strcmp(ls_text_get(&value), key->preset) != 0)
      ls_text_add(yaml, "%s%*s%s: %s%s", before, indent, "", key->path, ls_text_get(&value), after);
    yaml->failed |= value.failed;
    ls_text_fini(&value);
  }
}

static bool has_layers(const ls_schema *schema)
{
  for (size_t i = 0; i < schema->key_count; i++)
    if (schema->keys[i].type == LS_KEY_LAYERS) return true;
  return false;
}

static void add_block_layer(const ls_layer_spec *layer, int indent, ls_text *yaml)
{
  ls_text_add(yaml, "%*s- type: %s\n", indent, "", layer->schema->name);
  if (layer->name) {
    ls_text_add(yaml, "%*sname: ", indent + INDENT, "");
    ls_value_format(&ls_name_key, &layer->name, yaml);
    ls_text_add(yaml, "\n");
  }
  add_common(layer, "", indent + INDENT, "\n", yaml);
  for (size_t i = 0; i < layer->schema->key_count; i++) {
    const ls_key *key = &layer->schema->keys[i];
    if (is_hidden(key, layer->options)) continue;
    ls_text_add(yaml, "%*s%s:", indent + INDENT, "", key->path);
    add_value(key, layer->options, indent + INDENT, yaml);
  }
}

/* The value of a key at column `indent`. */
static void add_layers(const ls_layer_list *list, int indent, ls_text *yaml)
{
  ls_text_add(yaml, list->count == 0 ? " []\n" : "\n");
  for (size_t i = 0; i < list->count; i++) {
    const ls_layer_spec *layer = &list->items[i];
    if (has_layers(layer->schema)) {
      add_block_layer(layer, indent + INDENT, yaml);
      continue;
    }
    ls_text_add(yaml, "%*s- ", indent + INDENT, "");
    add_flow_kind(layer->schema, layer->name, layer->options, yaml);
    add_common(layer, ", ", 0, "", yaml);
    ls_text_add(yaml, "}\n");
  }
}

/* Write the headers of the sections that a path is in and the path before it was not; the last step's column.
 */
static int open_sections(const char *path, const char *before, ls_text *yaml)
{
  int indent = 0;
  bool same = true;
  for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
    size_t length = (size_t)(dot - path);
    same = same && strncmp(path, before, length + 1) == 0;
    const char *step = dot;
    while (step > path && step[-1] != '.') step--;
    if (!same) ls_text_add(yaml, "%*s%.*s:\n", indent, "", (int)(dot - step), step);
    indent += INDENT;
  }
  return indent;
}

void ls_config_emit(const ls_spec *spec, ls_text *yaml)
{
  const char *before = "";
  ls_rows rows;
  ls_rows_of(&rows, spec);
  for (size_t i = 0; i < rows.count; i++) {
    const ls_key *key = rows.items[i].key;
    if (key->is_replaced) continue;
    const char *last_dot = strrchr(key->path, '.');
    int indent = open_sections(key->path, before, yaml);
    ls_text_add(yaml, "%*s%s:", indent, "", last_dot ? last_dot + 1 : key->path);
    add_value(key, rows.items[i].base, indent, yaml);
    before = key->path;
  }
}

const char *ls_config_key_path(const ls_spec *spec, size_t index)
{
  ls_rows rows;
  ls_rows_of(&rows, spec);
  return index < rows.count ? rows.items[index].key->path : NULL;
}

void ls_config_emit_key(const ls_spec *spec, const char *path, ls_text *yaml)
{
  size_t i = 0;
  ls_rows rows;
  ls_rows_of(&rows, spec);
  while (i < rows.count && strcmp(rows.items[i].key->path, path) != 0) i++;
  assert(i < rows.count && "a key of the table");
  add_value(rows.items[i].key, rows.items[i].base, 0, yaml);
}
