/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams over plain and gzip files. zlib's inflate decodes gzip, not gzread, which accepts a cut file as a
 * short one and ignores bytes behind the data: here every end is checked. A file may hold several gzip
 * members one after the other, as the format allows. */
#include "data/readers/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/files/file.h"
#include "base/memory.h"
#include "base/size.h"
#include "base/text.h"

enum { INPUT_BYTES = 1 << 16, SCRATCH_BYTES = 1 << 16, GZIP_ONLY = 16 };

static const unsigned char gzip_magic[2] = {0x1f, 0x8b};

struct ls_stream {
  char *path;
  int descriptor;
  uint64_t file_bytes; /* of the file, as it was at the opening */
  uint64_t position;   /* offset of the next byte in the (decompressed) data */
  bool is_gzip;
  bool is_at_end; /* gzip: the last member is complete */
  bool is_set_up; /* inflate's state must be released */
  z_stream inflater;
  unsigned char input[INPUT_BYTES];     /* gzip: compressed bytes */
  unsigned char scratch[SCRATCH_BYTES]; /* what is read only to be passed over */
};

const char *ls_stream_path(const ls_stream *stream)
{
  return stream->path;
}

bool ls_stream_is_gzip(const ls_stream *stream)
{
  return stream->is_gzip;
}

static ls_status read_plain(ls_stream *stream, void *data, size_t bytes, size_t *got)
{
  return ls_file_read_some(stream->descriptor, stream->path, data, bytes, got);
}

/* Have compressed bytes ready unless the file is at its end. */
static ls_status refill(ls_stream *stream)
{
  if (stream->inflater.avail_in > 0) return LS_OK;
  size_t got;
  LS_PASS(read_plain(stream, stream->input, sizeof stream->input, &got));
  stream->inflater.next_in = stream->input;
  stream->inflater.avail_in = (uInt)got;
  return LS_OK;
}

/* A gzip member is complete: at the file's end all is done; another member may follow; nothing else. */
static ls_status next_member(ls_stream *stream)
{
  LS_PASS(refill(stream));
  z_stream *inflater = &stream->inflater;
  if (inflater->avail_in == 0) {
    stream->is_at_end = true;
    return LS_OK;
  }
  if (inflater->next_in[0] == gzip_magic[0]) {
    inflateReset(inflater);
    return LS_OK;
  }
  off_t read_so_far = lseek(stream->descriptor, 0, SEEK_CUR);
  uint64_t left_over = stream->file_bytes - (uint64_t)read_so_far + inflater->avail_in;
  return ls_fail(LS_E_INPUT,
                 "'%s': %" PRIu64 " bytes follow the end of the gzip data: the file is damaged; get it again",
                 stream->path, left_over);
}

/* An error of zlib's in words for the owner of the file. */
static const char *damage_of(const z_stream *inflater)
{
  static const struct {
    const char *zlib, *meaning;
  } table[] = {{"incorrect data check", "the checksum (CRC-32) does not match the data"},
               {"incorrect length check", "the length at its end does not match the data"},
               {"incorrect header check", "a gzip header is wrong"}};
  if (!inflater->msg) return "the data make no sense";
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strcmp(inflater->msg, table[i].zlib) == 0) return table[i].meaning;
  return inflater->msg;
}

/* One step of inflation. */
static ls_status inflate_some(ls_stream *stream)
{
  LS_PASS(refill(stream));
  if (stream->inflater.avail_in == 0)
    return ls_fail(LS_E_INPUT, "'%s' is truncated: the gzip data end in the middle; get it again",
                   stream->path);
  int code = inflate(&stream->inflater, Z_NO_FLUSH);
  if (code == Z_STREAM_END) return next_member(stream);
  if (code == Z_OK || code == Z_BUF_ERROR) return LS_OK;
  if (code == Z_MEM_ERROR) return ls_fail(LS_E_MEMORY, "no memory to decompress '%s'", stream->path);
  return ls_fail(LS_E_INPUT, "'%s': the gzip data are damaged: %s; get it again", stream->path,
                 damage_of(&stream->inflater));
}

static ls_status read_gzip(ls_stream *stream, void *data, size_t bytes, size_t *got)
{
  z_stream *inflater = &stream->inflater;
  *got = 0;
  while (*got < bytes && !stream->is_at_end) {
    const uInt portion = (uInt)ls_size_min(bytes - *got, INT32_MAX);
    inflater->next_out = (unsigned char *)data + *got;
    inflater->avail_out = portion;
    LS_PASS(inflate_some(stream));
    *got += portion - inflater->avail_out;
  }
  return LS_OK;
}

ls_status ls_stream_read(ls_stream *stream, void *data, size_t bytes, size_t *got)
{
  LS_PASS(stream->is_gzip ? read_gzip(stream, data, bytes, got) : read_plain(stream, data, bytes, got));
  stream->position += *got;
  return LS_OK;
}

static ls_status fail_short(const ls_stream *stream)
{
  return ls_fail(LS_E_INPUT, "'%s' is truncated: the data end after %" PRIu64 " bytes", stream->path,
                 stream->position);
}

ls_status ls_stream_read_all(ls_stream *stream, void *data, size_t bytes)
{
  size_t got;
  LS_PASS(ls_stream_read(stream, data, bytes, &got));
  return got == bytes ? LS_OK : fail_short(stream);
}

/* Back to the first byte. */
static ls_status rewind_stream(ls_stream *stream)
{
  if (lseek(stream->descriptor, 0, SEEK_SET) != 0)
    return ls_fail(LS_E_IO, "cannot go back to the start of '%s': %s", stream->path, strerror(errno));
  stream->position = 0;
  if (!stream->is_gzip) return LS_OK;
  stream->is_at_end = false;
  stream->inflater.avail_in = 0;
  inflateReset(&stream->inflater);
  return LS_OK;
}

/* Pass over up to `bytes` bytes; *passed is less only at the end. */
static ls_status skip(ls_stream *stream, uint64_t bytes, uint64_t *passed)
{
  *passed = 0;
  while (*passed < bytes) {
    const uint64_t left = bytes - *passed;
    size_t got;
    LS_PASS(
        ls_stream_read(stream, stream->scratch, left < SCRATCH_BYTES ? (size_t)left : SCRATCH_BYTES, &got));
    if (got == 0) break;
    *passed += got;
  }
  return LS_OK;
}

ls_status ls_stream_seek(ls_stream *stream, uint64_t offset)
{
  if (!stream->is_gzip) {
    if (offset > INT64_MAX || lseek(stream->descriptor, (off_t)offset, SEEK_SET) < 0)
      return ls_fail(LS_E_IO, "cannot go to byte %" PRIu64 " of '%s': %s", offset, stream->path,
                     strerror(errno));
    stream->position = offset;
    return LS_OK;
  }
  if (offset < stream->position) LS_PASS(rewind_stream(stream));
  uint64_t passed;
  const uint64_t wanted = offset - stream->position;
  LS_PASS(skip(stream, wanted, &passed));
  return passed == wanted ? LS_OK : fail_short(stream);
}

ls_status ls_stream_expect(ls_stream *stream, uint64_t bytes, const char *promise)
{
  uint64_t found;
  uint64_t left_over = 0;
  if (stream->is_gzip) {
    LS_PASS(skip(stream, bytes, &found));
    /* The end itself is read as well: only there checksums are compared. */
    if (found == bytes) LS_PASS(skip(stream, 1, &left_over));
  } else {
    found = stream->file_bytes > stream->position ? stream->file_bytes - stream->position : 0;
    left_over = found > bytes ? found - bytes : 0;
  }
  if (found < bytes)
    return ls_fail(LS_E_INPUT,
                   "'%s' is truncated, or its header is wrong: %s, %" PRIu64 " bytes, but only %" PRIu64
                   " follow%s",
                   stream->path, promise, bytes, found, stream->is_gzip ? " (decompressed)" : "");
  if (left_over > 0)
    return ls_fail(LS_E_INPUT,
                   "'%s' is longer than its header says: %s, %" PRIu64 " bytes, but %s%" PRIu64
                   " more follow%s",
                   stream->path, promise, bytes, stream->is_gzip ? "at least " : "", left_over,
                   stream->is_gzip ? " (decompressed)" : "");
  return LS_OK;
}

/* Find out what the file is. */
static ls_status set_up(ls_stream *stream)
{
  unsigned char magic[2];
  size_t got;
  LS_PASS(read_plain(stream, magic, sizeof magic, &got));
  if (got == 0) return ls_fail(LS_E_INPUT, "'%s' is empty", stream->path);
  stream->is_gzip = got == sizeof magic && memcmp(magic, gzip_magic, sizeof magic) == 0;
  if (stream->is_gzip) {
    if (inflateInit2(&stream->inflater, MAX_WBITS + GZIP_ONLY) != Z_OK)
      return ls_fail(LS_E_MEMORY, "no memory to decompress '%s'", stream->path);
    stream->is_set_up = true;
  }
  return rewind_stream(stream);
}

ls_status ls_stream_open(ls_stream **out, const char *path)
{
  ls_stream *stream;
  LS_PASS(ls_alloc(&stream, 1, sizeof *stream, "an input stream"));
  stream->descriptor = -1;
  size_t bytes;
  ls_status status;
  LS_GO(ls_file_open(&stream->descriptor, path, &bytes));
  stream->file_bytes = bytes;
  LS_GO(ls_text_copy(&stream->path, path));
  LS_GO(set_up(stream));
  *out = stream;
done:
  if (status != LS_OK) ls_stream_close(stream);
  return status;
}

void ls_stream_close(ls_stream *stream)
{
  if (!stream) return;
  if (stream->is_set_up) inflateEnd(&stream->inflater);
  if (stream->descriptor >= 0) close(stream->descriptor);
  free(stream->path);
  free(stream);
}

/* ---- two files that should be one ---- */

static ls_status compare(ls_stream *a, ls_stream *b, bool *same)
{
  for (;;) {
    size_t got, other;
    LS_PASS(ls_stream_read(a, a->scratch, SCRATCH_BYTES, &got));
    LS_PASS(ls_stream_read(b, b->scratch, SCRATCH_BYTES, &other));
    *same = got == other && memcmp(a->scratch, b->scratch, got) == 0;
    if (!*same || got == 0) return LS_OK;
  }
}

/* Compare a file, and go back in it, with another one, which is opened for that. */
static ls_status check_twins(ls_stream *stream, const char *twin)
{
  const uint64_t position = stream->position;
  ls_stream *other = NULL;
  bool same = true;
  ls_status status;
  LS_GO(ls_stream_open(&other, twin));
  LS_GO(ls_stream_seek(stream, 0));
  LS_GO(compare(stream, other, &same));
  LS_GO(same ? LS_OK : ls_fail(LS_E_INPUT, "they differ"));
  LS_GO(ls_stream_seek(stream, position));
done:
  ls_stream_close(other);
  return status;
}

ls_status ls_stream_check_twin(ls_stream *stream)
{
  ls_text text = {0};
  char *twin;
  ls_text_add(&text, "%s.gz", stream->path);
  LS_PASS(ls_text_take(&text, &twin));
  ls_status status;
  ls_file_kind kind;
  LS_GO(ls_file_look(&kind, twin));
  if (kind == LS_FILE_REGULAR) status = check_twins(stream, twin);
  if (status != LS_OK)
    status = ls_wrap(status, "'%s' and '%s' lie side by side and should hold the same (remove the wrong one)",
                     stream->path, twin);
done:
  free(twin);
  return status;
}
