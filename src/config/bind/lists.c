/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys whose value is a list: texts, pairs of texts, numbers. */
#include <stdio.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/bind/bind.h"
#include "config/rows.h"
#include "config/value.h"

bool ls_is_sequence(const ls_binder *binder, const ls_bound *item)
{
  return ls_document_node(binder->document, item->node)->type == YAML_SEQUENCE_NODE;
}

ls_status ls_bind_sequence(const ls_binder *binder, const ls_bound *item, const ls_bound_list *sequence)
{
  for (size_t i = 0; i < sequence->count; i++) {
    const ls_path path = {.parent = item->path, .index = i};
    const ls_bound one = {sequence->key, ls_document_item(binder->document, item->node, i), &path};
    LS_PASS(sequence->bind(binder, &one, (unsigned char *)sequence->members + i * sequence->member_bytes));
  }
  return LS_OK;
}

/* Make `items`, the address of a pointer, one for each of a list. */
static ls_status make_items(const ls_binder *binder, const ls_bound *item, void *items, size_t item_bytes,
                            size_t *count)
{
  if (!ls_is_sequence(binder, item)) return ls_bind_refuse(binder, item);
  const size_t found = ls_document_size(binder->document, item->node);
  LS_PASS(ls_alloc(items, found, item_bytes, "a list"));
  *count = found;
  return LS_OK;
}

ls_status ls_bind_texts(const ls_binder *binder, const ls_bound *item, void *member)
{
  ls_text_list *list = member;
  LS_PASS(make_items(binder, item, &list->items, sizeof *list->items, &list->count));
  return ls_bind_sequence(
      binder, item,
      &(ls_bound_list){&ls_name_key, ls_bind_scalar, list->items, list->count, sizeof *list->items});
}

/* A text that may be empty between quotes: what a pattern fits is then left out. */
static ls_status bind_replacement(const ls_binder *binder, const ls_bound *item, char **member)
{
  const char *text = ls_document_scalar(binder->document, item->node);
  const yaml_node_t *node = ls_document_node(binder->document, item->node);
  const bool is_empty = text && text[0] == '\0' && node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return is_empty ? ls_text_copy(member, "") : ls_bind_scalar(binder, item, member);
}

ls_status ls_bind_text_pairs(const ls_binder *binder, const ls_bound *item, void *member)
{
  ls_text_list *list = member;
  if (ls_document_node(binder->document, item->node)->type != YAML_MAPPING_NODE)
    return ls_bind_refuse(binder, item);
  const size_t count = 2 * ls_document_size(binder->document, item->node);
  LS_PASS(ls_alloc(&list->items, count, sizeof *list->items, "pairs of texts"));
  list->count = count;
  for (size_t i = 0; i < count; i += 2) {
    const yaml_node_pair_t pair = ls_document_pair(binder->document, item->node, i / 2);
    const ls_path path = {.parent = item->path, .key = ls_document_scalar(binder->document, pair.key)};
    LS_PASS(ls_bind_scalar(binder, &(ls_bound){&ls_name_key, pair.key, &path}, &list->items[i]));
    LS_PASS(bind_replacement(binder, &(ls_bound){&ls_name_key, pair.value, &path}, &list->items[i + 1]));
  }
  return LS_OK;
}

ls_status ls_bind_reals(const ls_binder *binder, const ls_bound *item, void *member)
{
  ls_real_list *list = member;
  ls_key one = *item->key;
  one.type = LS_KEY_REAL;
  LS_PASS(make_items(binder, item, &list->items, sizeof *list->items, &list->count));
  return ls_bind_sequence(
      binder, item, &(ls_bound_list){&one, ls_bind_scalar, list->items, list->count, sizeof *list->items});
}

ls_status ls_bind_counts(const ls_binder *binder, const ls_bound *item, void *member)
{
  if (ls_document_node(binder->document, item->node)->type != YAML_SEQUENCE_NODE)
    return ls_bind_scalar(binder, item, member);
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
    LS_PASS(ls_bind_scalar(binder, &(ls_bound){&one, node, &path}, &counts->items[i]));
  }
  ls_counts_shorten(counts);
  return LS_OK;
}
