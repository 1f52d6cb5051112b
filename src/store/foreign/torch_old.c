/* SPDX-License-Identifier: BSD-3-Clause */
/* What torch.save() wrote before PyTorch 1.6: pickles of a magic number, a version, facts on the machine, the
 * object and the keys of the storages, and behind them each storage: its length in elements, and its bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "store/foreign/reader.h"
#include "store/foreign/torch.h"

enum { PICKLES_BEFORE = 3, LENGTH_BYTES = 8 };

/* LONG1, its length, and 0x1950a86a20f9469cfc6c. */
static const unsigned char magic[] = {0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19};

typedef struct stored {
  ls_torch_storage storage;
  ls_bytes bytes; /* at NULL: not met in the file */
} stored;

typedef struct storages {
  stored *list; /* [count] by their keys; owned */
  size_t count;
} storages;

static int compare(const void *a, const void *b)
{
  const ls_bytes x = ((const stored *)a)->storage.key, y = ((const stored *)b)->storage.key;
  const int order = memcmp(x.at, y.at, ls_size_min(x.count, y.count));
  return order != 0 ? order : (x.count > y.count) - (x.count < y.count);
}

static stored *find(const storages *self, ls_bytes key)
{
  const stored wanted = {.storage = {.key = key}};
  return bsearch(&wanted, self->list, self->count, sizeof *self->list, compare);
}

static ls_status find_storage(ls_torch *torch, ls_bytes key, ls_bytes *storage)
{
  const stored *own = find(torch->storages, key);
  if (!own || !own->bytes.at)
    return ls_fail(LS_E_INPUT, "its storage is not in the file: it is cut off or damaged");
  *storage = own->bytes;
  return LS_OK;
}

/* All storages that the pickle speaks of, once each. */
static ls_status list_storages(const ls_pickle *pickle, storages *self)
{
  size_t mentioned = 0;
  for (size_t i = 0; i < pickle->value_count; i++) mentioned += pickle->values[i].class == LS_PICKLE_OUTSIDE;
  LS_PASS(ls_alloc(&self->list, mentioned, sizeof *self->list, "the storages of a file"));
  for (size_t i = 0; i < pickle->value_count; i++)
    if (pickle->values[i].class == LS_PICKLE_OUTSIDE)
      LS_PASS(ls_torch_storage_of(pickle, (ls_pickle_index)i, &self->list[self->count++].storage));
  qsort(self->list, self->count, sizeof *self->list, compare);
  size_t kept = 0;
  for (size_t i = 0; i < self->count; i++)
    if (i == 0 || compare(&self->list[kept - 1], &self->list[i]) != 0) self->list[kept++] = self->list[i];
  self->count = kept;
  return LS_OK;
}

/* The bytes of the storage of that key, which come next. */
static ls_status place_storage(const storages *self, const ls_pickle_value *key, ls_bytes *in)
{
  uint64_t elements;
  size_t bytes;
  stored *own = key->class == LS_PICKLE_TEXT ? find(self, key->of.text) : NULL;
  if (!own) return ls_fail(LS_E_INPUT, "a storage that no tensor has");
  if (in->count < LENGTH_BYTES) return ls_fail(LS_E_INPUT, "it ends before its storages do: it is cut off");
  memcpy(&elements, in->at, LENGTH_BYTES);
  if (!ls_size_mul(elements, own->storage.element->bytes, &bytes) || bytes > in->count - LENGTH_BYTES)
    return ls_fail(LS_E_INPUT, "it ends before its storages do: it is cut off");
  own->bytes = (ls_bytes){in->at + LENGTH_BYTES, bytes};
  in->at += LENGTH_BYTES + bytes;
  in->count -= LENGTH_BYTES + bytes;
  return LS_OK;
}

static ls_status place_storages(const storages *self, ls_bytes in)
{
  ls_pickle keys;
  ls_pickle_index root;
  ls_status status;
  LS_GO(ls_pickle_read(&keys, &in, ls_torch_names, &root));
  const ls_pickle_value *list = ls_pickle_get(&keys, root);
  status = list->class == LS_PICKLE_LIST ? LS_OK : ls_fail(LS_E_INPUT, "it has no list of its storages");
  if (status != LS_OK) goto done;
  ls_pickle_index item = list->of.items.first;
  for (size_t i = 0; i < list->of.items.count; i++, item = keys.items[item].next)
    LS_GO(place_storage(self, ls_pickle_get(&keys, keys.items[item].value), &in));
done:
  ls_pickle_fini(&keys);
  return status;
}

/* The magic number follows the pickle's protocol, and from protocol 4 on its frame. */
static bool recognises(const ls_foreign_file *file)
{
  const size_t places[] = {2, 11};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (file->count >= places[i] + sizeof magic && memcmp(file->bytes + places[i], magic, sizeof magic) == 0)
      return file->bytes[0] == 0x80;
  return false;
}

/* A pickle that torch.save() has not written is read as far as that: what it asks to run is named. */
static ls_status skip_facts(const ls_foreign_file *file, ls_bytes *in)
{
  for (size_t i = 0; i < PICKLES_BEFORE; i++) {
    ls_pickle facts;
    ls_pickle_index root;
    const ls_status status = ls_pickle_read(&facts, in, ls_torch_names, &root);
    ls_pickle_fini(&facts);
    LS_PASS(status);
    if (i == 0 && !recognises(file))
      return ls_fail(LS_E_INPUT, "it is no file of torch.save(), but another pickle");
  }
  return LS_OK;
}

static ls_status walk(const ls_foreign_file *file, const ls_foreign_visitor *visitor)
{
  storages own = {.count = 0};
  ls_torch torch = {.file = file, .visitor = visitor, .find = find_storage, .storages = &own};
  ls_bytes in = {file->bytes, file->count};
  ls_pickle_index root;
  ls_status status;
  visitor->start(visitor->user);
  LS_GO(skip_facts(file, &in));
  LS_GO(ls_pickle_read(&torch.pickle, &in, ls_torch_names, &root));
  LS_GO(list_storages(&torch.pickle, &own));
  LS_GO(place_storages(&own, in));
  LS_GO(ls_torch_offer(&torch, root));
done:
  ls_pickle_fini(&torch.pickle);
  free(own.list);
  return status;
}

static const char *const extensions[] = {".pt", ".pth", ".bin", ".ckpt", ".pkl", NULL};

const ls_foreign_reader ls_foreign_reader_torch_old = {.name = "PyTorch's file from before 1.6",
                                                       .extensions = extensions,
                                                       .recognises = recognises,
                                                       .walk = walk};
