/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded into the program: makes one allocation of its own fail. An allocation's site is where it was
 * asked for: the functions of the program on the stack, and the last ones of the library that it called for
 * it. What MPI and OpenMP allocate for themselves is let alone.
 *
 *   LS_ALLOC_SITES=FILE  append the hash of each site, once, in the order of their first use
 *   LS_ALLOC_FAIL=HASH   the first allocation of that site fails
 *   LS_ALLOC_RANK=R      all this on rank R alone
 *   LS_ALLOC_SKIP=NAME   what the library NAME (libhdf5) allocates for itself is let alone, too
 *   LS_DENY_EXECUTION=1  no memory may be run that was written: mmap and mprotect refuse it
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_OBJECTS = 512, MAX_FRAMES = 64, MAX_SITES = 1 << 16, LIBRARY_FRAMES = 2 };

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

/* Who owns the code at an address. */
typedef enum owner { FOREIGN, PROGRAM, LIBRARY, LIBC, SELF } owner;

typedef struct object {
  uintptr_t first, end, base;
  owner owner;
} object;

static object objects[MAX_OBJECTS];
static size_t object_count;
static uint64_t sites[MAX_SITES]; /* a hash table; 0: free */
static uint64_t wanted;
static int list = -1;
static bool is_ready, denies;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool is_busy;

static owner owner_of(const char *name)
{
  static const char *const libraries[] = {"libhdf5", "libjansson", "libpng", "libyaml",
                                          "libz.",   "libsz.",     "libaec."};
  if (!*name) return PROGRAM;
  if (strstr(name, "/allocations.so")) return SELF;
  if (strstr(name, "/libc.so")) return LIBC;
  const char *skipped = getenv("LS_ALLOC_SKIP");
  if (skipped && strstr(name, skipped)) return FOREIGN;
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
    if (strstr(name, libraries[i])) return LIBRARY;
  return FOREIGN;
}

static int add_object(struct dl_phdr_info *info, size_t bytes, void *user)
{
  (void)bytes, (void)user;
  for (size_t i = 0; i < info->dlpi_phnum && object_count < MAX_OBJECTS; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
    objects[object_count++] = (object){.first = info->dlpi_addr + part->p_vaddr,
                                       .end = info->dlpi_addr + part->p_vaddr + part->p_memsz,
                                       .base = info->dlpi_addr,
                                       .owner = owner_of(info->dlpi_name)};
  }
  return 0;
}

static bool is_our_rank(void)
{
  const char *asked = getenv("LS_ALLOC_RANK"), *mine = getenv("OMPI_COMM_WORLD_RANK");
  return !asked || (mine && strcmp(asked, mine) == 0);
}

__attribute__((constructor)) static void start(void)
{
  const char *fail = getenv("LS_ALLOC_FAIL"), *path = getenv("LS_ALLOC_SITES");
  void *frames[MAX_FRAMES];
  is_busy = true;
  denies = getenv("LS_DENY_EXECUTION") != NULL;
  if (!is_our_rank()) return;
  backtrace(frames, MAX_FRAMES); /* loads the unwinder */
  dl_iterate_phdr(add_object, NULL);
  if (fail) wanted = strtoull(fail, NULL, 16);
  if (path) list = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  is_ready = wanted != 0 || list >= 0;
  is_busy = false;
}

static const object *find_object(uintptr_t code)
{
  static const object unknown = {.owner = FOREIGN};
  for (size_t i = 0; i < object_count; i++)
    if (objects[i].first <= code && code < objects[i].end) return &objects[i];
  return &unknown;
}

/* The site's hash; 0 if the allocation is none of ours. */
static uint64_t find_site(void)
{
  void *frames[MAX_FRAMES];
  const int count = backtrace(frames, MAX_FRAMES);
  uint64_t hash = 14695981039346656037U;
  size_t of_libraries = 0;
  bool is_ours = false;
  for (int i = 0; i < count; i++) {
    const uintptr_t code = (uintptr_t)frames[i];
    const object *at = find_object(code);
    if (at->owner == SELF || at->owner == LIBC) continue;
    if (at->owner == FOREIGN) {
      if (!is_ours) return 0;
      continue;
    }
    if (at->owner == PROGRAM) is_ours = true;
    if (at->owner == LIBRARY && (is_ours || of_libraries++ >= LIBRARY_FRAMES)) continue;
    hash = (hash ^ (code - at->base)) * 1099511628211U;
  }
  return is_ours ? hash | 1 : 0;
}

/* Has the site been seen before? From now on it has. */
static bool is_known(uint64_t site)
{
  size_t at = site / 2 % MAX_SITES;
  while (sites[at] != 0 && sites[at] != site) at = (at + 1) % MAX_SITES;
  const bool known = sites[at] == site;
  sites[at] = site;
  return known;
}

static bool fails(void)
{
  if (!is_ready || is_busy) return false;
  is_busy = true;
  bool yes = false;
  const uint64_t site = find_site();
  if (site != 0) {
    pthread_mutex_lock(&lock);
    yes = site == wanted;
    if (yes) is_ready = false;
    char line[32];
    const int length = snprintf(line, sizeof line, "%016llx\n", (unsigned long long)site);
    if (list >= 0 && !is_known(site) && write(list, line, (size_t)length) != length) abort();
    pthread_mutex_unlock(&lock);
  }
  is_busy = false;
  if (yes) errno = ENOMEM;
  return yes;
}

void *malloc(size_t bytes)
{
  return fails() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
  return fails() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
  return fails() ? NULL : __libc_realloc(old, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
  return fails() ? NULL : __libc_memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
  void *block = fails() ? NULL : __libc_memalign(alignment, bytes);
  if (!block) return ENOMEM;
  *out = block;
  return 0;
}

void *mmap(void *at, size_t bytes, int rights, int flags, int file, off_t offset)
{
  const bool is_denied = denies && (rights & PROT_EXEC) && (rights & PROT_WRITE);
  if (is_denied || fails()) {
    errno = is_denied ? EPERM : ENOMEM;
    return MAP_FAILED;
  }
  return (void *)syscall(SYS_mmap, at, bytes, rights, flags, file, offset);
}

int mprotect(void *at, size_t bytes, int rights)
{
  if (denies && (rights & PROT_EXEC)) {
    errno = EACCES;
    return -1;
  }
  return (int)syscall(SYS_mprotect, at, bytes, rights);
}
