/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared memory by memfd_create(): without a name that a killed process could leave behind, and not limited
 * by the size of /dev/shm, which containers keep small. Others open it as /proc/PID/fd/N. Its memory is
 * reserved at once, so that a lack of it is an error here and no SIGBUS later; by the threads that will use
 * it, since the system takes it near to who reserves it. */
#include "comm/segment.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/files/file.h"
#include "base/size.h"
#include "comm/team.h"

enum { HEAD_BYTES = 64 }; /* the token, and alignment */

static ls_status map(ls_segment *segment, int descriptor)
{
  void *memory = LS_FAULT("map", __func__) ? MAP_FAILED
                                           : mmap(NULL, HEAD_BYTES + segment->key.bytes,
                                                  PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED)
    return ls_fail(LS_E_MEMORY, "cannot map %llu bytes of shared memory: %s",
                   (unsigned long long)segment->key.bytes, strerror(errno));
  segment->base = (unsigned char *)memory + HEAD_BYTES;
  return LS_OK;
}

/* What the threads of a team reserve. */
typedef struct reservation {
  int descriptor;
  size_t pages, page_bytes, threads;
  atomic_bool failed;
} reservation;

/* A page that two threads share is the second one's. */
static void reserve_part(void *user, size_t part)
{
  reservation *self = user;
  const size_t first = ls_part_first(self->pages, self->threads, part);
  const size_t end = ls_part_first(self->pages, self->threads, part + 1);
  int failed;
  if (first == end) return;
  LS_RETRY(failed, LS_SYSTEM("map", fallocate(self->descriptor, 0, (off_t)(first * self->page_bytes),
                                              (off_t)((end - first) * self->page_bytes))));
  if (failed) atomic_store(&self->failed, true);
}

/* Reserve the memory of a segment. Is there so much? */
static bool reserve(int descriptor, size_t bytes, size_t threads)
{
  const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  if (bytes / page_bytes > (size_t)sysconf(_SC_PHYS_PAGES)) return false;
  reservation self = {.descriptor = descriptor,
                      .pages = ls_size_ceil_div(HEAD_BYTES + bytes, page_bytes),
                      .page_bytes = page_bytes,
                      .threads = threads};
  ls_team_run(threads, reserve_part, &self);
  return !atomic_load(&self.failed);
}

ls_status ls_segment_make(ls_segment *segment, size_t bytes, size_t threads)
{
  const int descriptor = LS_SYSTEM("map", memfd_create("lockstep", MFD_CLOEXEC));
  if (descriptor < 0) return ls_fail(LS_E_MEMORY, "cannot make shared memory: %s", strerror(errno));
  *segment = (ls_segment){.key = {.process = getpid(), .descriptor = descriptor, .bytes = bytes},
                          .descriptor = descriptor + 1};
  if (!reserve(descriptor, bytes, threads))
    return ls_fail(LS_E_MEMORY, "no memory for a shared segment of %zu bytes", bytes);
  LS_PASS(map(segment, descriptor));
  if (getrandom(&segment->key.token, sizeof segment->key.token, 0) < 0)
    return ls_fail(LS_E_MEMORY, "no random number for shared memory: %s", strerror(errno));
  memcpy(segment->base - HEAD_BYTES, &segment->key.token, sizeof segment->key.token);
  return LS_OK;
}

ls_status ls_segment_map(ls_segment *segment, const ls_segment_key *key)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)key->process, (long long)key->descriptor);
  int descriptor;
  LS_RETRY(descriptor, LS_SYSTEM("open", open(path, O_RDWR | O_CLOEXEC)));
  if (descriptor < 0)
    return ls_fail(LS_E_MEMORY, "cannot open the shared memory of process %lld: %s", (long long)key->process,
                   strerror(errno));
  *segment = (ls_segment){.key = *key};
  uint64_t token = 0;
  ls_status status = LS_OK;
  if (pread(descriptor, &token, sizeof token, 0) != (ssize_t)sizeof token || token != key->token)
    status = ls_fail(LS_E_MEMORY, "process %lld is another one here: a container of its own?",
                     (long long)key->process);
  else
    status = map(segment, descriptor);
  close(descriptor);
  return status;
}

void ls_segment_close(ls_segment *segment)
{
  if (segment->descriptor > 0) close(segment->descriptor - 1);
  segment->descriptor = 0;
}

void ls_segment_fini(ls_segment *segment)
{
  ls_segment_close(segment);
  if (segment->base) munmap(segment->base - HEAD_BYTES, HEAD_BYTES + segment->key.bytes);
  segment->base = NULL;
}
