/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams over plain and gzip files (src/data/readers/stream.c): the input is the file. What can be read once
 * must be there again after going back, and be as long as it was. Checksums would stop a plain mutation of
 * gzip data at the door, so half of the time it is the decompressed data that are mutated. */
#include "data/readers/stream.h"
#include "fuzz/gzip.h"

enum { LIMIT_BYTES = 1 << 20, PIECE_BYTES = 3000 };

static uint8_t first[LIMIT_BYTES], again[LIMIT_BYTES];

/* Read on to the end; false if there is none within reason. */
static bool read_to_end(ls_stream *stream, size_t *count)
{
  *count = 0;
  for (;;) {
    size_t got, wanted = LIMIT_BYTES - *count < PIECE_BYTES ? LIMIT_BYTES - *count : PIECE_BYTES;
    if (!fuzz_accepted(ls_stream_read(stream, first + *count, wanted, &got))) return false;
    *count += got;
    if (*count == LIMIT_BYTES) return false;
    if (got < wanted) return true;
  }
}

static void go_back(ls_stream *stream, size_t count)
{
  size_t middle = count / 2;
  fuzz_must(ls_stream_seek(stream, middle));
  fuzz_must(ls_stream_read_all(stream, again, count - middle));
  FUZZ_REQUIRE(memcmp(again, first + middle, count - middle) == 0, "other bytes the second time");
  fuzz_must(ls_stream_seek(stream, 0));
  fuzz_must(ls_stream_expect(stream, count, "so much was read"));
  fuzz_must(ls_stream_seek(stream, 0));
  FUZZ_REQUIRE(!fuzz_accepted(ls_stream_expect(stream, count + 1, "one more")), "too short a file");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  ls_stream *stream;
  size_t count;
  fuzz_write("stream", data, bytes);
  if (!fuzz_accepted(ls_stream_open(&stream, "stream"))) return 0;
  if (read_to_end(stream, &count)) go_back(stream, count);
  ls_stream_close(stream);
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t limit, unsigned seed)
{
  enum { INFLATED_BYTES = 1 << 14 };
  static uint8_t inflated[INFLATED_BYTES];
  size_t count = seed % 2 ? fuzz_gunzip(data, bytes, inflated, INFLATED_BYTES) : 0;
  if (count == 0) return LLVMFuzzerMutate(data, bytes, limit);
  count = LLVMFuzzerMutate(inflated, count, INFLATED_BYTES);
  size_t deflated = fuzz_gzip(inflated, count, data, limit);
  return deflated > 0 ? deflated : LLVMFuzzerMutate(data, 0, limit);
}
