/* SPDX-License-Identifier: BSD-3-Clause */
/* Release of a configuration, by the same rows that filled it; half filled ones too. */
#include <stdlib.h>

#include "config/config.h"
#include "config/rows.h"

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
    free(list->items[i].name);
    free(list->items[i].place);
  }
  free(list->items);
}

static void release_rows(const ls_key *keys, size_t key_count, void *base)
{
  static void (*const releases[])(void *member) = {
      [LS_KEY_TEXT] = release_text,     [LS_KEY_TEXTS] = release_texts,
      [LS_KEY_KIND] = release_kind,     [LS_KEY_NAMED_KIND] = release_kind,
      [LS_KEY_LAYERS] = release_layers, [LS_KEY_EVERY_KIND] = release_kinds};
  for (size_t i = 0; i < key_count; i++) {
    size_t type = keys[i].type;
    if (type < sizeof releases / sizeof releases[0] && releases[type])
      releases[type]((unsigned char *)base + keys[i].offset);
  }
}

void ls_spec_free(ls_spec *spec)
{
  if (!spec) return;
  release_rows(ls_spec_keys, ls_spec_key_count, spec);
  free(spec);
}
