/* SPDX-License-Identifier: BSD-3-Clause */
/* What the reading of another network's weights finds, and the report on it. Private to the module. */
#ifndef LS_STORE_TRANSFER_INTERNAL_H
#define LS_STORE_TRANSFER_INTERNAL_H

#include <stddef.h>

#include "base/text.h"
#include "store/foreign/foreign.h"
#include "store/foreign_names.h"

/** What became of a tensor of the model. */
typedef enum ls_fate { LS_INITIALIZED, LS_LOADED, LS_ADAPTED } ls_fate;

enum { LS_NAMES_SHOWN = 8 };

/** Where the values of a tensor of the model go. */
typedef struct ls_transfer_target {
  const ls_tensor *tensor;
  float *values;
  ls_fate fate;
  char from[sizeof((ls_foreign_tensor *)NULL)->place]; /* what they came from; "": nothing */
} ls_transfer_target;

/** Names, of which the first ones are shown. */
typedef struct ls_name_list {
  ls_text text;
  size_t count;
} ls_name_list;

typedef struct ls_transfer {
  ls_tensor_names *names;      /* [count] parameters, then buffers; owned */
  ls_transfer_target *targets; /* [count] likewise */
  size_t count;
  const char *head;  /* name of the last layer with parameters */
  const char *first; /* of the first one */
  size_t channels;   /* of the model's input */
  bool as_it_is;     /* see ls_transfer_source */
  ls_renames renames;
  size_t found; /* target of the tensor that was asked for last */
  size_t taken;
  ls_name_list skipped; /* names in the file that the model does not have */
} ls_transfer;

/** Append a name, after `head` if it is the first, unless `most` are there. */
void ls_name_list_add(ls_name_list *list, const char *head, size_t most, const char *name);
void ls_name_list_clear(ls_name_list *list);

/** Append the tensors that have met one fate, after `word` and before `end`; nothing where none has. */
void ls_transfer_list(const ls_transfer *self, ls_fate which, const char *word, const char *end,
                      ls_text *report);

/** Append what happened to each tensor of the model. */
void ls_transfer_describe(const ls_transfer *self, const char *path, ls_text *report);

/** Append a line if layers but the last one are not in the file, or not whole: it may have them by other
 * names. */
void ls_transfer_warn(const ls_transfer *self, const char *path, ls_text *warning);

#endif
