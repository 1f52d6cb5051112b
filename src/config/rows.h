/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows that the configuration itself declares. Private to the module: the binder, the emitter and the
 * help walk them, so that none of the three can know a key that the others do not. */
#ifndef LS_CONFIG_ROWS_H
#define LS_CONFIG_ROWS_H

#include "config/spec.h"

/* Of keys and of names of layers. */
#define LS_NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

enum {
  LS_ROWS_MAX = 96,        /* keys of one table: of ls_spec, or of a kind */
  LS_LAYER_NAME_MAX = 40,  /* characters */
  LS_CONFIG_DEPTH_MAX = 64 /* levels of nesting in a file, in an override's value and in its path */
};

/** The keys of a section, which have a file in keys/. */
typedef struct ls_key_table {
  const ls_key *keys;
  size_t count;
} ls_key_table;

extern const ls_key_table ls_run_key_table, ls_data_key_table, ls_model_key_table, ls_train_key_table,
    ls_checkpoint_key_table, ls_ensemble_key_table;

/** Of data.normalize: the keys of ls_normalize_values. */
extern const ls_schema ls_normalize_schema;

/** The keys of ls_spec one after the other, in the order in which the resolved configuration shows them; NULL
 * behind the last. Those of kinds that have a section are not among them: see ls_rows_of(). */
const ls_key *ls_spec_key(size_t i);

/** A key of a configuration and what its offset counts from: the ls_spec, or a kind's options. */
typedef struct ls_row {
  const ls_key *key;
  void *base; /* borrowed from the ls_spec */
} ls_row;

/** Every key of a configuration, in the order of ls_spec_key(), those of kinds instead of their section.
 */
typedef struct ls_rows {
  size_t count;
  ls_row items[LS_ROWS_MAX];
} ls_rows;

/** Allocate the options of the kinds that have a section in a new ls_spec. Local. Errors: LS_E_MEMORY;
 * LS_E_BUG if there are more than LS_ROWS_MAX keys in all. */
ls_status ls_rows_prepare(ls_spec *spec, const ls_schemas *schemas) LS_CHECKED;

/** The rows of a configuration; `spec` is borrowed, and not changed by readers. */
void ls_rows_of(ls_rows *rows, const ls_spec *spec);

/** The member that a row fills. */
static inline void *ls_row_member(const ls_row *row)
{
  return (unsigned char *)row->base + row->key->offset;
}

/** The keys that are no kind's own: `type` in every kind, `name` in layers. Their offsets mean nothing. */
extern const ls_key ls_type_key;
extern const ls_key ls_name_key;

/** The other keys of every layer: members of ls_layer_spec. */
enum { LS_LAYER_KEYS = 4 };
extern const ls_key ls_layer_keys[LS_LAYER_KEYS];

typedef struct ls_family_row {
  const char *word; /* for one of its kinds: "layer" */
  bool is_chosen;   /* by type or name; the others have keys of the whole configuration */
} ls_family_row;

extern const ls_family_row ls_families[LS_FAMILY_COUNT];

/** The kinds of a family, NULL-terminated. */
const ls_schema *const *ls_family_kinds(const ls_schemas *schemas, ls_family family);

/** The row of a NAMED_KIND as one of words: its own, then the names of the family's kinds. The caller frees
 * *words, which are out->words. Local. Errors: LS_E_MEMORY. */
ls_status ls_kind_words(ls_key *out, const char ***words, const ls_key *key,
                        const ls_schemas *schemas) LS_CHECKED;

#endif
