/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference of all keys, from the rows that parse them. */
#include <stdlib.h>

#include "config/config.h"
#include "config/rows.h"
#include "config/value.h"

enum { INDENT = 6 }; /* of what is said of a key */

static void add_key(const ls_key *key, const char *fallback, ls_text *help)
{
  ls_text what = {0}, doc = {0};
  ls_text_add(&what, "  %s: ", key->path);
  ls_value_expect(key, &what);
  ls_text_add(&what, "; %s%s", key->preset ? "default " : "", key->preset ? key->preset : fallback);
  ls_text_add(&doc, "%*s%s", INDENT, "", key->doc);
  ls_text_add_wrapped(help, INDENT, ls_text_get(&what));
  ls_text_add_wrapped(help, INDENT, ls_text_get(&doc));
  help->failed |= what.failed || doc.failed;
  ls_text_fini(&what);
  ls_text_fini(&doc);
}

/* The keys of the mapping that a key may be. */
static void add_own_keys(const ls_key *key, ls_text *help)
{
  for (size_t i = 0; key->schema && i < key->schema->key_count; i++) {
    ls_text path = {0};
    ls_key own = key->schema->keys[i];
    ls_text_add(&path, "%s.%s", key->path, own.path);
    own.path = ls_text_get(&path);
    add_key(&own, "required", help);
    help->failed |= path.failed;
    ls_text_fini(&path);
  }
}

/* A key of ls_spec, or the keys of kinds instead of it. */
static void add_spec_key(const ls_schemas *schemas, const ls_key *key, ls_text *help)
{
  if (key->type == LS_KEY_EVERY_KIND) {
    for (const ls_schema *const *kind = ls_family_kinds(schemas, key->family); *kind; kind++)
      for (size_t i = 0; i < (*kind)->key_count; i++) add_key(&(*kind)->keys[i], "required", help);
    return;
  }
  ls_key as_words;
  const char **words;
  if (key->type != LS_KEY_NAMED_KIND) {
    add_key(key, "required", help);
    add_own_keys(key, help);
  } else if (ls_kind_words(&as_words, &words, key, schemas) == LS_OK) {
    add_key(&as_words, "required", help);
    free(words);
  } else {
    help->failed = true;
  }
}

static void add_kinds(const ls_schemas *schemas, ls_family family, ls_text *help)
{
  for (const ls_schema *const *schema = ls_family_kinds(schemas, family); *schema; schema++) {
    ls_text kind = {0};
    ls_text_add(&kind, "%s %s: %s", ls_families[family].word, (*schema)->name, (*schema)->doc);
    ls_text_add(help, "\n");
    ls_text_add_wrapped(help, INDENT, ls_text_get(&kind));
    help->failed |= kind.failed;
    ls_text_fini(&kind);
    for (size_t i = 0; i < (*schema)->key_count; i++) add_key(&(*schema)->keys[i], "required", help);
  }
}

void ls_config_help(const ls_schemas *schemas, ls_text *help)
{
  ls_text_add(help, "A configuration is YAML; a dot in a key stands for a level of nesting. On the\n"
                    "command line key.path=value takes precedence over the file: train.epochs=5,\n"
                    "model.layers.conv1.filters=8, model.layers[0].filters=8,\n"
                    "'train.optimizer={type: adam, lr: 0.001}'.\n\nkeys\n");
  for (size_t i = 0; ls_spec_key(i); i++) add_spec_key(schemas, ls_spec_key(i), help);
  ls_text_add(help, "\nevery layer, optimizer and schedule, as {type: NAME, ...} or as a block; a loss\n"
                    "or an attack without keys as NAME alone\n");
  add_key(&ls_type_key, "required", help);
  ls_text_add(help, "\nevery layer\n");
  add_key(&ls_name_key, "optional", help);
  for (size_t i = 0; i < LS_LAYER_KEYS; i++) add_key(&ls_layer_keys[i], "required", help);
  for (int family = 0; family < LS_FAMILY_COUNT; family++)
    if (ls_families[family].is_chosen) add_kinds(schemas, (ls_family)family, help);
}
