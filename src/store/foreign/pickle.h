/* SPDX-License-Identifier: BSD-3-Clause */
/* Python's pickles, read as data. A pickle is a program for a stack machine, whose REDUCE calls any function
 * that it names: that is how a file runs what it likes. Here a call stays a call, a value like others:
 * nothing is looked up, imported or run. Names that are not on the caller's list are refused. */
#ifndef LS_STORE_FOREIGN_PICKLE_H
#define LS_STORE_FOREIGN_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/foreign/tensor.h"

typedef enum ls_pickle_class {
  LS_PICKLE_OTHER, /* None, a number that is not whole, ...: nothing that a tensor's description is made of */
  LS_PICKLE_NUMBER,  /* whole, of 64 bits; also True and False */
  LS_PICKLE_TEXT,    /* text or bytes */
  LS_PICKLE_LIST,    /* list, tuple or set */
  LS_PICKLE_DICT,    /* its items are keys and values, in turn */
  LS_PICKLE_NAME,    /* of a class or function: "torch.FloatStorage" */
  LS_PICKLE_CALL,    /* of a name; its items are what was added to the result */
  LS_PICKLE_OUTSIDE, /* a persistent id: what lies beside the pickle */
} ls_pickle_class;

/** A place in ls_pickle.values. 0 is a value that is LS_PICKLE_OTHER. */
typedef uint32_t ls_pickle_index;

typedef struct ls_pickle_value {
  ls_pickle_class class;
  bool was_seen; /* the caller's */
  union {
    int64_t number;
    ls_bytes text; /* TEXT, borrowed from the pickle; NAME, borrowed from the caller's list */
    struct {
      ls_pickle_index first, last; /* in ls_pickle.items; 0: none */
      uint32_t count;
    } items;
  } of;
  ls_pickle_index name, arguments; /* CALL: of what, with which list; OUTSIDE: arguments are the id */
} ls_pickle_value;

typedef struct ls_pickle_item {
  ls_pickle_index value, next; /* next: 0 after the last one */
} ls_pickle_item;

typedef struct ls_pickle {
  ls_pickle_value *values; /* [value_count]; owned */
  ls_pickle_item *items;   /* [item_count]; owned */
  size_t value_count, item_count, value_room, item_room;
} ls_pickle;

/** Is that a name which a pickle may mention? A caller's own; it lasts as long as the pickle. */
typedef const char *(*ls_pickle_names)(const char *name, size_t length);

/** Read one pickle from the front of `bytes`, which is moved behind it. *pickle is newly made, released with
 * ls_pickle_fini(), also after an error. *root is what the pickle stands for.
 *
 * Local. Errors: LS_E_INPUT, if it is cut or damaged, mentions other names, or takes unreasonably many
 * values; LS_E_MEMORY. */
ls_status ls_pickle_read(ls_pickle *pickle, ls_bytes *bytes, ls_pickle_names names,
                         ls_pickle_index *root) LS_CHECKED;

void ls_pickle_fini(ls_pickle *pickle);

/** The item at `place` of a list or dict, or 0: a value that is LS_PICKLE_OTHER. */
ls_pickle_index ls_pickle_item_at(const ls_pickle *pickle, ls_pickle_index list, size_t place);

static inline const ls_pickle_value *ls_pickle_get(const ls_pickle *pickle, ls_pickle_index index)
{
  return &pickle->values[index];
}

/** Is a value the text, or the name? */
bool ls_pickle_is(const ls_pickle *pickle, ls_pickle_index index, ls_pickle_class class, const char *text);

#endif
