/* SPDX-License-Identifier: BSD-3-Clause */
/* Binding of a document's values to members of structs. Private to the folder. */
#ifndef LS_CONFIG_BIND_BIND_H
#define LS_CONFIG_BIND_BIND_H

#include "base/status.h"
#include "config/config.h"
#include "config/document.h"

typedef struct ls_binder {
  const ls_document *document;
  const ls_schemas *schemas;
} ls_binder;

/** A value that is to be bound: its row, its node and its path. */
typedef struct ls_bound {
  const ls_key *key;
  int node;
  const ls_path *path;
} ls_bound;

/** The items of a list, which are bound one after the other. */
typedef struct ls_bound_list {
  const ls_key *key; /* of each item */
  ls_status (*bind)(const ls_binder *binder, const ls_bound *item, void *member);
  void *members;
  size_t count, member_bytes;
} ls_bound_list;

/** "expected ..., found a list" for a node that is not of the form that the row takes. Local. Errors:
 * LS_E_CONFIG, always. */
ls_status ls_bind_refuse(const ls_binder *binder, const ls_bound *item) LS_CHECKED;

/** Fill the member of a row that takes a scalar. Local. Errors: LS_E_CONFIG with the value's origin,
 * LS_E_MEMORY. */
ls_status ls_bind_scalar(const ls_binder *binder, const ls_bound *item, void *member) LS_CHECKED;

bool ls_is_sequence(const ls_binder *binder, const ls_bound *item);

/** Bind the items of a list to its members. Local. Errors: those of `bind`. */
ls_status ls_bind_sequence(const ls_binder *binder, const ls_bound *item,
                           const ls_bound_list *list) LS_CHECKED;

/** Fill the member of a row of that type. Local. Errors: as ls_bind_scalar(). */
ls_status ls_bind_texts(const ls_binder *binder, const ls_bound *item, void *member) LS_CHECKED;
ls_status ls_bind_text_pairs(const ls_binder *binder, const ls_bound *item, void *member) LS_CHECKED;
ls_status ls_bind_reals(const ls_binder *binder, const ls_bound *item, void *member) LS_CHECKED;
ls_status ls_bind_counts(const ls_binder *binder, const ls_bound *item, void *member) LS_CHECKED;

#endif
