/* SPDX-License-Identifier: BSD-3-Clause */
/* What PyTorch's two formats share: a pickle that describes tensors, and storages beside it. Private to the
 * folder. */
#ifndef LS_STORE_FOREIGN_TORCH_H
#define LS_STORE_FOREIGN_TORCH_H

#include "store/foreign/pickle.h"

typedef struct ls_torch {
  const ls_foreign_file *file;
  const ls_foreign_visitor *visitor;
  ls_pickle pickle; /* owned by the reader of the format */
  ls_status (*find)(struct ls_torch *self, ls_bytes key, ls_bytes *storage); /* of that key; borrowed */
  void *storages;                                                            /* the format's own */
} ls_torch;

/** A storage, as the pickle speaks of it. */
typedef struct ls_torch_storage {
  const ls_element *element;
  ls_bytes key; /* borrowed from the file */
  size_t first; /* element, of the storage of that key, where this one begins */
} ls_torch_storage;

/** Names that a pickle may mention, see ls_pickle_names. */
const char *ls_torch_names(const char *name, size_t length);

/** The storage that a value stands for. Errors: LS_E_INPUT if it is none. */
ls_status ls_torch_storage_of(const ls_pickle *pickle, ls_pickle_index value,
                              ls_torch_storage *storage) LS_CHECKED;

/** Offer all tensors in dicts and lists of the pickle: "state_dict/conv1.weight". Errors: LS_E_INPUT. */
ls_status ls_torch_offer(ls_torch *self, ls_pickle_index root) LS_CHECKED;

#endif
