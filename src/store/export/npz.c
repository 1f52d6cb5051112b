/* SPDX-License-Identifier: BSD-3-Clause */
/* NumPy's archives: see store/foreign/npz.c, which reads them. What is said of the network is the archive's
 * comment, so that every member is a tensor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/memory.h"
#include "store/export/tensors.h"

enum { ALIGNMENT = 64, COMMENT_MAX = 65535 };

static const char MAGIC[] = "\x93NUMPY\x01"; /* and version's second byte, 0 */

static ls_status fail_archive(zip_t *archive)
{
  return ls_fail(LS_E_MEMORY, "the archive cannot be made: %s", zip_strerror(archive));
}

/* The header of an array, up to its numbers. */
static void add_header(const ls_tensor *tensor, ls_text *file)
{
  ls_text dict = {0};
  ls_text_add(&dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
  for (size_t i = 0; i < tensor->dim_count; i++) ls_text_add(&dict, "%zu, ", tensor->dims[i]);
  ls_text_add(&dict, "), }");
  const size_t before = sizeof MAGIC + 2, whole = before + dict.length + 1;
  const size_t length = (whole + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - before;
  const unsigned char bytes[] = {length & 0xFF, (unsigned char)(length >> 8)};
  ls_text_add_bytes(file, MAGIC, sizeof MAGIC);
  ls_text_add_bytes(file, bytes, sizeof bytes);
  ls_text_add(file, "%-*s\n", (int)(length - 1), ls_text_get(&dict));
  file->failed = file->failed || dict.failed;
  ls_text_fini(&dict);
}

/* Stored, and of no time, so that the same network gives the same file. */
static ls_status add_member(void *user, const ls_export_tensor *tensor)
{
  zip_t *archive = user;
  ls_text file = {0};
  char name[LS_EXPORT_NAME_BYTES + 8], *bytes;
  add_header(tensor->tensor, &file);
  ls_text_add_bytes(&file, tensor->values, tensor->tensor->count * sizeof(float));
  const size_t count = file.length;
  LS_PASS(ls_text_take(&file, &bytes));
  zip_source_t *source = zip_source_buffer(archive, bytes, count, 1 /* frees them */);
  if (!source) {
    free(bytes);
    return fail_archive(archive);
  }
  snprintf(name, sizeof name, "%s.npy", tensor->name);
  const zip_int64_t member = zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8);
  if (member < 0) zip_source_free(source);
  if (member < 0 || zip_set_file_compression(archive, (zip_uint64_t)member, ZIP_CM_STORE, 0) < 0 ||
      zip_file_set_dostime(archive, (zip_uint64_t)member, 0, 1 << 5 | 1, 0) < 0)
    return fail_archive(archive);
  return LS_OK;
}

/* Names of many classes may be too long for it: then they are left out. */
static ls_status add_comment(const ls_export *what, zip_t *archive)
{
  json_t *metadata;
  LS_PASS(ls_export_metadata(what, &metadata));
  char *text = json_dumps(metadata, JSON_COMPACT);
  if (text && strlen(text) > COMMENT_MAX) {
    free(text);
    json_object_del(metadata, "class_names");
    text = json_dumps(metadata, JSON_COMPACT);
  }
  json_decref(metadata);
  if (!text) return ls_fail(LS_E_MEMORY, "no memory for what is said of the network");
  const bool done = zip_set_archive_comment(archive, text, (zip_uint16_t)strlen(text)) == 0;
  free(text);
  return done ? LS_OK : fail_archive(archive);
}

/* What a finished archive's source holds. */
static ls_status take_bytes(zip_source_t *source, ls_text *file)
{
  zip_stat_t about;
  bool done = zip_source_stat(source, &about) == 0 && zip_source_open(source) == 0;
  if (!done) return ls_fail(LS_E_MEMORY, "the archive cannot be made");
  char *bytes = ls_text_extend(file, (size_t)about.size);
  done = bytes && zip_source_read(source, bytes, about.size) == (zip_int64_t)about.size;
  (void)zip_source_close(source);
  return done ? LS_OK : ls_fail(LS_E_MEMORY, "no memory for the archive");
}

static ls_status fill(const ls_export *what, zip_t *archive)
{
  LS_PASS(ls_export_tensors(what, add_member, archive));
  return add_comment(what, archive);
}

static ls_status make(const ls_export *what, ls_text *file)
{
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &error);
  zip_t *archive = source ? zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error) : NULL;
  zip_error_fini(&error);
  if (!archive) {
    if (source) zip_source_free(source);
    return ls_fail(LS_E_MEMORY, "no memory for an archive");
  }
  zip_source_keep(source);
  ls_status status = fill(what, archive);
  if (status == LS_OK && zip_close(archive) < 0)
    status = fail_archive(archive);
  else if (status == LS_OK)
    archive = NULL;
  if (archive) zip_discard(archive);
  if (status == LS_OK) status = take_bytes(source, file);
  zip_source_free(source);
  return status;
}

const ls_export_format ls_export_format_npz = {.extension = ".npz", .make = make};
