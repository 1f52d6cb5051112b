/* SPDX-License-Identifier: BSD-3-Clause */
/* Which reader takes a file. */
#include "store/foreign/foreign.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/files/file.h"
#include "store/foreign/reader.h"

static const size_t FILE_LIMIT_BYTES = (size_t)1 << 36;

static const ls_foreign_reader *const readers[] = {
#define LS_FOREIGN_ROW(name) &ls_foreign_reader_##name,
    LS_FOREIGN_READERS(LS_FOREIGN_ROW)
#undef LS_FOREIGN_ROW
};

enum { READER_COUNT = sizeof readers / sizeof *readers };

static bool has_extension(const ls_foreign_reader *reader, const char *path)
{
  const char *ending = strrchr(path, '.');
  for (const char *const *own = reader->extensions; ending && own && *own; own++)
    if (strcasecmp(*own, ending) == 0) return true;
  return false;
}

bool ls_foreign_is_named(const char *path)
{
  for (size_t i = 0; i + 1 < READER_COUNT; i++) /* the last one reads HDF5, as checkpoints are */
    if (has_extension(readers[i], path)) return true;
  return false;
}

/* The last one, which says what a file is not, takes what nobody knows. */
static const ls_foreign_reader *find_reader(const ls_foreign_file *file)
{
  for (size_t i = 0; i < READER_COUNT; i++)
    if (readers[i]->recognises(file)) return readers[i];
  for (size_t i = 0; i < READER_COUNT; i++)
    if (has_extension(readers[i], file->path)) return readers[i];
  return readers[READER_COUNT - 1];
}

ls_status ls_foreign_walk(ls_foreign_file file, const ls_foreign_visitor *visitor,
                          char digest[LS_DIGEST_CHARS])
{
  char *bytes;
  LS_PASS(ls_file_read(file.path, FILE_LIMIT_BYTES, &bytes, &file.count));
  file.bytes = (const unsigned char *)bytes;
  ls_digest_of(bytes, file.count, digest);
  const ls_foreign_reader *reader = find_reader(&file);
  const ls_status status = reader->walk(&file, visitor);
  free(bytes);
  return status;
}
