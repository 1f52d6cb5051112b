/* SPDX-License-Identifier: BSD-3-Clause */
/* Each temporary file has a name of its own, so that two writers never share one. */
#include "base/files/temporary.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/files/file.h"
#include "base/files/unfinished.h"
#include "base/memory.h"

enum {
  ATTEMPTS = 100,   /* to find a name that no other file has */
  DIGITS = 8,       /* of that name's number, hexadecimal */
  STEM_BYTES = 200, /* of the target's name: a name can have 255 */
  ENDING_BYTES = 13 /* ".<DIGITS>.tmp" */
};
static uint32_t draw_number(uint32_t attempt)
{
  uint32_t number;
  if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number) return number;
  return (uint32_t)getpid() + (attempt << 24);
}

/* Open a new file under the first name that no other has. errno says why there is none. */
static void open_new(ls_temporary *temporary, const char *target, size_t bytes)
{
  temporary->descriptor = -1;
  for (uint32_t attempt = 0; attempt < ATTEMPTS && temporary->descriptor < 0; attempt++) {
    snprintf(temporary->name, bytes, ".%.*s.%08x.tmp", STEM_BYTES, target, draw_number(attempt));
    LS_RETRY(temporary->descriptor,
             LS_SYSTEM("open", openat(temporary->directory->descriptor, temporary->name,
                                      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666)));
    if (temporary->descriptor < 0 && errno != EEXIST) return;
  }
}

/* The same, so that a signal that ends the process removes it. */
static void make_new(ls_temporary *temporary, const char *target, size_t bytes)
{
  sigset_t signals;
  ls_unfinished_block(&signals);
  open_new(temporary, target, bytes);
  const int error = errno;
  if (temporary->descriptor >= 0)
    temporary->is_known = ls_unfinished_begin(temporary->directory->descriptor, temporary->name);
  ls_unfinished_unblock(&signals);
  errno = error;
}

/* It has its final name, or is removed. */
static void forget_name(ls_temporary *temporary)
{
  if (temporary->is_known) ls_unfinished_end();
  temporary->is_known = false;
  free(temporary->name);
  temporary->name = NULL;
}

ls_status ls_temporary_make(ls_temporary *out, const ls_directory *directory, const char *target)
{
  const size_t bytes = 1 + STEM_BYTES + ENDING_BYTES + 1;
  *out = (ls_temporary){.directory = directory, .descriptor = -1};
  ls_status status;
  LS_GO(ls_directory_path(directory, target, &out->target));
  LS_GO(ls_alloc(&out->name, bytes, 1, "a name"));
  make_new(out, target, bytes);
  if (out->descriptor < 0) {
    status = ls_fail(LS_E_IO, "cannot create '%s': %s", out->target, strerror(errno));
    free(out->name); /* it is none of ours */
    out->name = NULL;
    goto done;
  }
  LS_GO(ls_directory_path(directory, out->name, &out->path));
done:
  if (status != LS_OK) ls_temporary_fini(out);
  return status;
}

/* After EINTR the file is closed all the same. */
static ls_status close_file(ls_temporary *temporary)
{
  int failed = close(temporary->descriptor);
  if (LS_FAULT("close", __func__)) failed = -1;
  temporary->descriptor = -1;
  if (!failed || errno == EINTR) return LS_OK;
  return ls_fail(LS_E_IO, "cannot close '%s': %s", temporary->target, strerror(errno));
}

ls_status ls_temporary_keep(ls_temporary *temporary)
{
  const char *slash = strrchr(temporary->target, '/');
  const int folder = temporary->directory->descriptor;
  int failed;
  if (ls_file_sync(temporary->descriptor) != 0)
    return ls_fail(LS_E_IO, "cannot sync '%s': %s", temporary->target, strerror(errno));
  LS_PASS(close_file(temporary));
  LS_RETRY(failed, LS_SYSTEM("rename", renameat(folder, temporary->name, folder,
                                                slash ? slash + 1 : temporary->target)));
  if (failed)
    return ls_fail(LS_E_IO, "cannot rename '%s' to '%s': %s", temporary->path, temporary->target,
                   strerror(errno));
  forget_name(temporary);
  return ls_directory_sync(temporary->directory);
}

void ls_temporary_fini(ls_temporary *temporary)
{
  if (temporary->name && temporary->directory) unlinkat(temporary->directory->descriptor, temporary->name, 0);
  if (temporary->descriptor >= 0) close(temporary->descriptor);
  forget_name(temporary);
  free(temporary->path);
  free(temporary->target);
  *temporary = (ls_temporary){.descriptor = -1};
}

bool ls_temporary_is(const char *name, char *target, size_t bytes)
{
  static const char ending[] = ".tmp";
  const size_t length = strlen(name);
  if (length < 1 + 1 + ENDING_BYTES || name[0] != '.') return false;
  const char *number = name + length - ENDING_BYTES;
  if (number[0] != '.' || strspn(number + 1, "0123456789abcdef") != DIGITS ||
      strcmp(number + 1 + DIGITS, ending) != 0)
    return false;
  const size_t stem = length - 1 - ENDING_BYTES;
  if (stem >= bytes) return false;
  memcpy(target, name + 1, stem);
  target[stem] = '\0';
  return true;
}

/* ---- whole files ---- */

static ls_status write_all(const ls_temporary *temporary, const char *data, size_t bytes)
{
  size_t done = 0;
  while (done < bytes) {
    ssize_t put;
    LS_RETRY(put, LS_SYSTEM("write", write(temporary->descriptor, data + done, bytes - done)));
    if (put <= 0)
      return ls_fail(LS_E_IO, "cannot write '%s': %s", temporary->target, strerror(put < 0 ? errno : ENOSPC));
    done += (size_t)put;
  }
  return LS_OK;
}

ls_status ls_directory_write(const ls_directory *directory, const char *name, const void *data, size_t bytes)
{
  ls_temporary temporary;
  LS_PASS(ls_temporary_make(&temporary, directory, name));
  ls_status status;
  LS_GO(write_all(&temporary, data, bytes));
  LS_GO(ls_temporary_keep(&temporary));
done:
  ls_temporary_fini(&temporary);
  return status;
}

ls_status ls_file_write(const char *path, const void *data, size_t bytes)
{
  ls_directory folder;
  const char *name;
  LS_PASS(ls_directory_open_around(&folder, path, &name));
  const ls_status status = ls_directory_write(&folder, name, data, bytes);
  ls_directory_close(&folder);
  return status;
}
