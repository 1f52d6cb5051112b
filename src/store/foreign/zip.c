/* SPDX-License-Identifier: BSD-3-Clause */
/* What a member claims to be is held against the length of the whole archive before memory is taken. */
#include "store/foreign/zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/memory.h"

/* Weights hardly get smaller; small archives of zeros do. */
enum { MEMBER_RATIO = 4, MEMBER_SLACK_BYTES = 1 << 25 };

struct ls_zip {
  zip_t *archive;
  size_t limit_bytes; /* of a member */
};

bool ls_zip_recognises(const ls_foreign_file *file)
{
  static const char member[] = "PK\3\4", empty[] = "PK\5\6";
  return file->count >= strlen(member) &&
         (memcmp(file->bytes, member, strlen(member)) == 0 || memcmp(file->bytes, empty, strlen(empty)) == 0);
}

/* In libzip's words. Takes what `error` holds. */
static ls_status fail_archive(zip_error_t *error)
{
  const bool is_memory = zip_error_code_zip(error) == ZIP_ER_MEMORY;
  const ls_status status = ls_fail(is_memory ? LS_E_MEMORY : LS_E_INPUT, "its zip archive cannot be read: %s",
                                   zip_error_strerror(error));
  zip_error_fini(error);
  return status;
}

ls_status ls_zip_open(ls_zip **zip, const ls_foreign_file *file)
{
  ls_zip *self;
  zip_error_t error;
  LS_PASS(ls_alloc(&self, 1, sizeof *self, "a zip archive"));
  *zip = NULL;
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(file->bytes, file->count, 0, &error);
  if (source) self->archive = zip_open_from_source(source, ZIP_RDONLY, &error);
  if (!self->archive) {
    if (source) zip_source_free(source);
    free(self);
    return fail_archive(&error);
  }
  zip_error_fini(&error);
  self->limit_bytes = MEMBER_RATIO * file->count + MEMBER_SLACK_BYTES;
  *zip = self;
  return LS_OK;
}

void ls_zip_close(ls_zip *zip)
{
  if (!zip) return;
  zip_discard(zip->archive);
  free(zip);
}

size_t ls_zip_count(const ls_zip *zip)
{
  const zip_int64_t count = zip_get_num_entries(zip->archive, 0);
  return count > 0 ? (size_t)count : 0;
}

const char *ls_zip_name(const ls_zip *zip, size_t member)
{
  const char *name = zip_get_name(zip->archive, member, ZIP_FL_ENC_RAW);
  return name ? name : "";
}

size_t ls_zip_find_ending(const ls_zip *zip, const char *ending)
{
  const size_t count = ls_zip_count(zip), length = strlen(ending);
  for (size_t i = 0; i < count; i++) {
    const char *name = ls_zip_name(zip, i);
    const size_t chars = strlen(name);
    if (chars >= length && strcmp(name + chars - length, ending) == 0) return i;
  }
  return count;
}

static ls_status read_open(zip_file_t *file, const char *name, unsigned char *bytes, size_t count)
{
  size_t got = 0;
  unsigned char beyond;
  while (got < count) {
    const zip_int64_t more = zip_fread(file, bytes + got, count - got);
    if (more <= 0) return ls_fail(LS_E_INPUT, "member %s of its zip archive is cut off or damaged", name);
    got += (size_t)more;
  }
  /* The sum is compared at the end. */
  if (zip_fread(file, &beyond, 1) == 0) return LS_OK;
  return ls_fail(LS_E_INPUT, "member %s of its zip archive is damaged: %s", name, zip_file_strerror(file));
}

static ls_status check_member(const ls_zip *zip, const char *name, zip_stat_t *about)
{
  const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if (zip_stat(zip->archive, name, ZIP_FL_ENC_RAW, about) < 0)
    return ls_fail(LS_E_INPUT, "its zip archive has no member %s: the file is cut off or damaged", name);
  if ((about->valid & needed) != needed || about->encryption_method != ZIP_EM_NONE ||
      (about->comp_method != ZIP_CM_STORE && about->comp_method != ZIP_CM_DEFLATE))
    return ls_fail(LS_E_INPUT, "member %s of its zip archive is neither stored nor deflated", name);
  if (about->size > zip->limit_bytes)
    return ls_fail(LS_E_INPUT,
                   "member %s of its zip archive claims %" PRIu64 " bytes, far more than the file has: write "
                   "it without compression",
                   name, (uint64_t)about->size);
  return LS_OK;
}

ls_status ls_zip_read(const ls_zip *zip, const char *name, unsigned char **bytes, size_t *count)
{
  zip_stat_t about;
  *bytes = NULL;
  LS_PASS(check_member(zip, name, &about));
  zip_file_t *file = zip_fopen_index(zip->archive, about.index, 0);
  if (!file)
    return ls_fail(LS_E_INPUT, "member %s of its zip archive cannot be read: %s", name,
                   zip_strerror(zip->archive));
  *count = (size_t)about.size;
  ls_status status = ls_alloc(bytes, *count, 1, "a member of an archive");
  if (status == LS_OK) status = read_open(file, name, *bytes, *count);
  zip_fclose(file);
  if (status == LS_OK) return LS_OK;
  free(*bytes);
  *bytes = NULL;
  return status;
}
