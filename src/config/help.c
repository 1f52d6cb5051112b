/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference of all keys, out of the rows that parse them. */
#include "config/config.h"
#include "config/rows.h"
#include "config/value.h"

static void add_key(const ls_key *key, const char *fallback, ls_text *help)
{
  ls_text_add(help, "  %s: ", key->path);
  ls_value_expect(key, help);
  ls_text_add(help, "; %s%s\n", key->preset ? "default " : "", key->preset ? key->preset : fallback);
  ls_text_add(help, "      %s\n", key->doc);
}

static void add_kinds(const ls_schemas *schemas, ls_family family, ls_text *help)
{
  for (const ls_schema *const *schema = schemas->kinds[family]; *schema; schema++) {
    ls_text_add(help, "\n%s %s: %s\n", ls_family_words[family], (*schema)->name, (*schema)->doc);
    for (size_t i = 0; i < (*schema)->key_count; i++) add_key(&(*schema)->keys[i], "required", help);
  }
}

void ls_config_help(const ls_schemas *schemas, ls_text *help)
{
  ls_text_add(help,
              "A configuration is YAML; a dot in a key stands for a level of nesting. On the command line\n"
              "key.path=value takes precedence over the file: train.epochs=5, model.layers.conv1.filters=8,\n"
              "model.layers[0].filters=8, 'train.optimizer={type: adam, lr: 0.001}'.\n\nkeys\n");
  for (size_t i = 0; i < ls_spec_key_count; i++) add_key(&ls_spec_keys[i], "required", help);
  ls_text_add(help, "\nevery layer, optimizer and schedule, in braces or as a block: {type: NAME, ...}\n");
  add_key(&ls_type_key, "required", help);
  ls_text_add(help, "\nevery layer\n");
  add_key(&ls_name_key, "optional", help);
  for (size_t i = 0; i < LS_LAYER_KEYS; i++) add_key(&ls_layer_keys[i], "required", help);
  for (int family = 0; family < LS_FAMILY_COUNT; family++) add_kinds(schemas, (ls_family)family, help);
}
