/* SPDX-License-Identifier: BSD-3-Clause */
/* What torch.save() writes from PyTorch 1.6 on: a zip archive of NAME/data.pkl and NAME/data/KEY, one for
 * each storage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/foreign/reader.h"
#include "store/foreign/torch.h"
#include "store/foreign/zip.h"

static const char PICKLE[] = "data.pkl", ORDER[] = "byteorder";

typedef struct storages {
  ls_zip *zip;
  char folder[LS_FOREIGN_NAME_BYTES]; /* with its slash */
  char key[LS_FOREIGN_NAME_BYTES];    /* member that was read last; tensors that share it follow each other */
  unsigned char *bytes;               /* [count] its; owned */
  size_t count;
} storages;

static ls_status find_storage(ls_torch *torch, ls_bytes key, ls_bytes *storage)
{
  storages *self = torch->storages;
  char name[sizeof self->key];
  const int length = snprintf(name, sizeof name, "%sdata/%.*s", self->folder,
                              key.count < sizeof name ? (int)key.count : 0, (const char *)key.at);
  if (length < 0 || (size_t)length >= sizeof name)
    return ls_fail(LS_E_INPUT, "the name of its storage is too long");
  if (!self->bytes || strcmp(self->key, name) != 0) {
    free(self->bytes);
    LS_PASS(ls_zip_read(self->zip, name, &self->bytes, &self->count));
    memcpy(self->key, name, sizeof name);
  }
  *storage = (ls_bytes){self->bytes, self->count};
  return LS_OK;
}

/* The archive's own folder. */
static ls_status find_folder(storages *self)
{
  const size_t member = ls_zip_find_ending(self->zip, PICKLE);
  if (member == ls_zip_count(self->zip))
    return ls_fail(LS_E_INPUT, "its zip archive has neither data.pkl, as PyTorch's have, nor .npy files, as "
                               "NumPy's have");
  const char *name = ls_zip_name(self->zip, member);
  const size_t length = strlen(name) - strlen(PICKLE);
  if (length >= sizeof self->folder) return ls_fail(LS_E_INPUT, "the name of its data.pkl is too long");
  memcpy(self->folder, name, length);
  self->folder[length] = '\0';
  return LS_OK;
}

/* Read a member of the archive's folder. */
static ls_status read_member(const storages *self, const char *name, unsigned char **bytes, size_t *count)
{
  char whole[LS_FOREIGN_NAME_BYTES + sizeof ORDER];
  snprintf(whole, sizeof whole, "%s%s", self->folder, name);
  return ls_zip_read(self->zip, whole, bytes, count);
}

/* Archives of PyTorch 2.1 on say it. */
static ls_status check_order(const storages *self)
{
  unsigned char *order;
  size_t count;
  if (ls_zip_find_ending(self->zip, ORDER) == ls_zip_count(self->zip)) return LS_OK;
  LS_PASS(read_member(self, ORDER, &order, &count));
  const bool is_little = count == strlen("little") && memcmp(order, "little", count) == 0;
  free(order);
  return is_little ? LS_OK : ls_fail(LS_E_INPUT, "its numbers are not little-endian");
}

static ls_status offer(ls_torch *torch, ls_bytes pickle)
{
  ls_pickle_index root;
  LS_PASS(ls_pickle_read(&torch->pickle, &pickle, ls_torch_names, &root));
  return ls_torch_offer(torch, root);
}

static ls_status walk(const ls_foreign_file *file, const ls_foreign_visitor *visitor)
{
  storages own = {.zip = NULL};
  ls_torch torch = {.file = file, .visitor = visitor, .find = find_storage, .storages = &own};
  unsigned char *pickle = NULL;
  size_t count;
  ls_status status;
  visitor->start(visitor->user);
  LS_GO(ls_zip_open(&own.zip, file));
  LS_GO(find_folder(&own));
  LS_GO(check_order(&own));
  LS_GO(read_member(&own, PICKLE, &pickle, &count));
  LS_GO(offer(&torch, (ls_bytes){pickle, count}));
done:
  ls_pickle_fini(&torch.pickle);
  ls_zip_close(own.zip);
  free(own.bytes);
  free(pickle);
  return status;
}

/* NumPy's archives have another reader; this one also says what is wrong with archives that are neither. */
static bool recognises(const ls_foreign_file *file)
{
  ls_zip *zip;
  if (!ls_zip_recognises(file)) return false;
  if (ls_zip_open(&zip, file) != LS_OK) return true;
  const bool is_numpy = ls_zip_find_ending(zip, ".npy") < ls_zip_count(zip);
  ls_zip_close(zip);
  return !is_numpy;
}

const ls_foreign_reader ls_foreign_reader_torch_zip = {
    .name = "PyTorch's zip archive", .recognises = recognises, .walk = walk};
