/* SPDX-License-Identifier: BSD-3-Clause */
/* Sealing a file and checking the seal. The block is compared as a whole with the one that the file's length
 * and contents ask for, so that nothing in it is left unchecked. */
#include "store/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/memory.h"

enum { PIECE_BYTES = 1 << 16 };

static const char hdf5[] = {'\x89', 'H',  'D',    'F',
                            '\r',   '\n', '\x1a', '\n'}; /* a file without a user block */
static const char mark[] = "lockstep: HDF5 data follows after 512 bytes\n";

static void write_block(char block[LS_SEAL_BYTES], size_t count, const char *digest)
{
  memset(block, 0, LS_SEAL_BYTES);
  snprintf(block, LS_SEAL_BYTES, "%sbytes %zu\nxxh3 %s\n", mark, count, digest);
}

void ls_seal_set(unsigned char *bytes, size_t count)
{
  char block[LS_SEAL_BYTES], digest[LS_DIGEST_CHARS];
  ls_digest_of(bytes + LS_SEAL_BYTES, count - LS_SEAL_BYTES, digest);
  write_block(block, count, digest);
  memcpy(bytes, block, LS_SEAL_BYTES);
}

/* Read up to `bytes` bytes, fewer only at the end of the file. */
static ls_status read_some(int descriptor, char *data, size_t bytes, size_t *got)
{
  *got = 0;
  while (*got < bytes) {
    ssize_t now = read(descriptor, data + *got, bytes - *got);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return ls_fail(LS_E_IO, "cannot read: %s", strerror(errno));
    if (now == 0) break;
    *got += (size_t)now;
  }
  return LS_OK;
}

/* Length and digest of what follows. */
static ls_status digest_rest(int descriptor, size_t *count, char text[LS_DIGEST_CHARS])
{
  ls_digest *digest = NULL;
  char *piece = NULL;
  ls_status status;
  size_t got;
  *count = 0;
  LS_GO(ls_digest_new(&digest));
  LS_GO(ls_alloc(&piece, PIECE_BYTES, 1, "a piece of a file"));
  do {
    LS_GO(read_some(descriptor, piece, PIECE_BYTES, &got));
    ls_digest_add(digest, piece, got);
    *count += got;
  } while (got == PIECE_BYTES);
  ls_digest_text(digest, text);
done:
  free(piece);
  ls_digest_free(digest);
  return status;
}

static ls_status check(int descriptor)
{
  char found[LS_SEAL_BYTES + 1] = {0}, expected[LS_SEAL_BYTES], digest[LS_DIGEST_CHARS];
  size_t got, rest, sealed;
  LS_PASS(read_some(descriptor, found, LS_SEAL_BYTES, &got));
  if (got >= sizeof hdf5 && memcmp(found, hdf5, sizeof hdf5) == 0) return LS_OK;
  if (strncmp(found, mark, strlen(mark)) != 0)
    return ls_fail(LS_E_INPUT, "it is no HDF5 file, or its beginning is damaged");
  LS_PASS(digest_rest(descriptor, &rest, digest));
  size_t count = got + rest;
  if (sscanf(found + strcspn(found, "\n"), "\nbytes %zu", &sealed) == 1 && sealed != count)
    return ls_fail(LS_E_INPUT, "damaged: %zu bytes expected, %zu found", sealed, count);
  write_block(expected, count, digest);
  if (memcmp(found, expected, LS_SEAL_BYTES) != 0)
    return ls_fail(LS_E_INPUT, "damaged: its contents are not those that were written (the digest differs)");
  return LS_OK;
}

ls_status ls_seal_check(const char *path)
{
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not make us wait */
  if (descriptor < 0) return ls_fail(LS_E_INPUT, "cannot open: %s", strerror(errno));
  struct stat info;
  ls_status status;
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode))
    status = ls_fail(LS_E_INPUT, "cannot read: it is not a regular file");
  else
    status = check(descriptor);
  close(descriptor);
  return status;
}
