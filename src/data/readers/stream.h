/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes of a file, plain or gzip, read forward at any offset without holding what lies before it.
 * Private to the readers. */
#ifndef LS_DATA_READERS_STREAM_H
#define LS_DATA_READERS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct ls_stream ls_stream;

/** Open a regular file; its first two bytes show whether it is gzip. Local. Errors: LS_E_INPUT if it is
 * missing, empty or no regular file; LS_E_ACCESS if it may not be read; LS_E_IO, LS_E_MEMORY. */
ls_status ls_stream_open(ls_stream **out, const char *path) LS_CHECKED;
void ls_stream_close(ls_stream *stream);

const char *ls_stream_path(const ls_stream *stream);
bool ls_stream_is_gzip(const ls_stream *stream);

/** Read up to `bytes` bytes; *got is less only at the end of the data, which for gzip means that lengths and
 * checksums were right and nothing follows.
 *
 * Local. Errors: LS_E_INPUT naming the file if gzip data end early, are damaged, or are followed by something
 * else; LS_E_IO.
 */
ls_status ls_stream_read(ls_stream *stream, void *data, size_t bytes, size_t *got) LS_CHECKED;

/** Read just `bytes` bytes. Local. Errors: as above; LS_E_INPUT if the data end before. */
ls_status ls_stream_read_all(ls_stream *stream, void *data, size_t bytes) LS_CHECKED;

/** Go to an offset in the (decompressed) data. Gzip data are decompressed up to there, from the start if the
 * stream is beyond it. Local. Errors: as above; LS_E_INPUT if the data end before. */
ls_status ls_stream_seek(ls_stream *stream, uint64_t offset) LS_CHECKED;

/** Check that the data from here on are just `bytes` bytes long, as `promise` ("the header promises ...")
 * says. A plain file's length is asked for; gzip data are decompressed once, without holding them. Local.
 * Errors: LS_E_INPUT with the number of bytes that are missing or left over; LS_E_IO. */
ls_status ls_stream_expect(ls_stream *stream, uint64_t bytes, const char *promise) LS_CHECKED;

/** Where PATH.gz lies beside the file PATH, whose stream this is: do both hold the same? Reads both, and goes
 * back to where the stream was. Local. Errors: LS_E_INPUT naming both if they do not, or if one is damaged;
 * LS_E_ACCESS if PATH.gz may not be read; LS_E_IO, LS_E_MEMORY. */
ls_status ls_stream_check_twin(ls_stream *stream) LS_CHECKED;

#endif
