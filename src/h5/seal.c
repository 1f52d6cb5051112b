/* SPDX-License-Identifier: BSD-3-Clause */
/* Sealing a file and checking the seal. The block is compared as a whole with the one that the file's length
 * and contents ask for, so that nothing in it is left unchecked. */
#include "h5/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/memory.h"
#include "base/size.h"

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

/* Not only disks change files: HDFView opens a file for writing, as h5py.File(name, 'r+') does, and libhdf5
 * then cuts the file where its data end, without any write. */
static ls_status fail_changed(const char *how)
{
  return ls_fail(LS_E_INPUT,
                 "damaged, or changed by another program that had it open for writing (to read it by h5py: "
                 "h5py.File(name, 'r')): %s",
                 how);
}

static ls_status check_image(const unsigned char *image, size_t count)
{
  char expected[LS_SEAL_BYTES], digest[LS_DIGEST_CHARS], found[LS_SEAL_BYTES + 1] = {0};
  size_t sealed;
  memcpy(found, image, LS_SEAL_BYTES);
  if (sscanf(found + strcspn(found, "\n"), "\nbytes %zu", &sealed) == 1 && sealed != count) {
    char how[80];
    snprintf(how, sizeof how, "%zu bytes expected, %zu found", sealed, count);
    return fail_changed(how);
  }
  ls_digest_of(image + LS_SEAL_BYTES, count - LS_SEAL_BYTES, digest);
  write_block(expected, count, digest);
  if (memcmp(found, expected, LS_SEAL_BYTES) != 0)
    return fail_changed("its contents are not those that were written (the digest differs)");
  return LS_OK;
}

ls_status ls_seal_check(ls_h5_file *file)
{
  char start[LS_SEAL_BYTES] = {0};
  const size_t count = (size_t)file->bytes;
  LS_PASS(ls_h5_file_read(file, start, ls_size_min(count, sizeof start)));
  if (count >= sizeof hdf5 && memcmp(start, hdf5, sizeof hdf5) == 0) return LS_OK;
  if (strncmp(start, mark, strlen(mark)) != 0)
    return ls_fail(LS_E_INPUT, "it is no HDF5 file, or its beginning is damaged");
  if (count < LS_SEAL_BYTES) return ls_fail(LS_E_INPUT, "damaged: it ends after %zu bytes", count);
  unsigned char *image;
  LS_PASS(ls_alloc(&image, count, 1, "a file's contents"));
  ls_status status = ls_h5_file_read(file, image, count);
  if (status == LS_OK) status = check_image(image, count);
  if (status == LS_OK)
    file->image = image;
  else
    free(image);
  return status;
}
