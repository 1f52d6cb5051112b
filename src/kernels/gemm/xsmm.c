/* SPDX-License-Identifier: BSD-3-Clause */
/* Small matrix products by libxsmm, which compiles a kernel for each shape when it is planned. Every kernel
 * is of the batch-reduce kind with offsets: a batch of one costs a few instructions more than a plain kernel,
 * and one kind of kernel is enough. Prefetching is off: operands are in cache, or streamed in order.
 *
 * Where the system gives no executable memory (SELinux, systemd's MemoryDenyWriteExecute, no memory left),
 * libxsmm puts its code on the heap and would run it there. So kernels are requested only if executable
 * memory can be had, and each kernel's address is looked up in the process's mappings. */
#include "kernels/gemm/backend.h"
#include "kernels/gemm/gemm.h"

#include <errno.h>
#include <libxsmm.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"

const bool ls_backend_is_for_small = true;

enum { CODE_BYTES = 1 << 18 }; /* more than libxsmm asks for while it makes a kernel */

struct ls_backend_kernel {
  libxsmm_smmfunction_reducebatch_offs
      run; /* owned by libxsmm's registry, which lives as long as the process */
};

static bool fits(const ls_gemm_shape *shape)
{
  const size_t limit = INT_MAX / sizeof(float); /* offsets within a matrix are 32-bit byte counts */
  return shape->m <= limit && shape->n <= limit && shape->k <= limit && shape->lda <= limit &&
         shape->ldb <= limit && shape->ldc <= limit;
}

static libxsmm_smmfunction_reducebatch_offs dispatch(const ls_gemm_shape *shape)
{
  const libxsmm_blasint lda = (libxsmm_blasint)shape->lda;
  const libxsmm_blasint ldb = (libxsmm_blasint)shape->ldb;
  const libxsmm_blasint ldc = (libxsmm_blasint)shape->ldc;
  const float alpha = 1;
  const float beta = shape->overwrite ? 0 : 1;
  const int flags = shape->transpose_b ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const int prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  return libxsmm_smmdispatch_reducebatch_offs((libxsmm_blasint)shape->m, (libxsmm_blasint)shape->n,
                                              (libxsmm_blasint)shape->k, &lda, &ldb, &ldc, &alpha, &beta,
                                              &flags, &prefetch);
}

/* Can memory be had that is written and then run? It is requested as libxsmm does, and twice, since a lack of
 * memory may be short, and must not decide which kernels a model uses. */
static bool has_executable_memory(size_t bytes)
{
  for (int i = 0; i < 2; i++) {
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) continue;
    munmap(page, bytes);
    return true;
  }
  return false;
}

const char *ls_gemm_fallback_reason(void)
{
  if (!has_executable_memory((size_t)sysconf(_SC_PAGESIZE))) return "the system gives no executable memory";
  if (libxsmm_get_target_archid() < LIBXSMM_X86_SSE3)
    return "libxsmm has no kernels for this processor, or for the one that LIBXSMM_TARGET names";
  return NULL;
}

/* Is the code in executable memory? Where mappings cannot be read, libxsmm's memory is taken to be. */
static bool is_executable(libxsmm_smmfunction_reducebatch_offs run)
{
  uintptr_t code;
  memcpy(&code, &run, sizeof code);
  char line[256]; /* "first-end rwxp ..."; where a name is longer, its rest is no mapping */
  bool yes = false;
  FILE *maps = fopen("/proc/self/maps", "re");
  if (!maps) return errno != ENOMEM;
  while (!yes && fgets(line, sizeof line, maps)) {
    char *rest;
    const uintptr_t first = strtoull(line, &rest, 16);
    if (*rest != '-') continue;
    const uintptr_t end = strtoull(rest + 1, &rest, 16);
    yes = first <= code && code < end && strlen(rest) > 3 && rest[3] == 'x';
  }
  fclose(maps);
  return yes;
}

ls_status ls_backend_new(ls_backend_kernel **out, const ls_gemm_shape *shape)
{
  *out = NULL;
  if (!fits(shape) || ls_gemm_fallback_reason()) return LS_OK;
  libxsmm_smmfunction_reducebatch_offs run = dispatch(shape);
  if (!run) run = dispatch(shape);
  if (!run && has_executable_memory(CODE_BYTES)) return LS_OK; /* twice: libxsmm refuses the shape */
  if (!run || !is_executable(run))
    return ls_fail(LS_E_MEMORY, "no memory for the kernel of a matrix product %zux%zux%zu", shape->m,
                   shape->n, shape->k);
  ls_backend_kernel *kernel;
  LS_PASS(ls_alloc(&kernel, 1, sizeof *kernel, "a matrix product"));
  kernel->run = run;
  *out = kernel;
  return LS_OK;
}

void ls_backend_free(ls_backend_kernel *kernel)
{
  free(kernel);
}

_Static_assert(sizeof(unsigned long long) == sizeof(uint64_t), "libxsmm takes offsets of this size");

void ls_backend_run(const ls_backend_kernel *kernel, const float *a, const float *b, float *c,
                    const ls_gemm_batch *batch)
{
  const unsigned long long count = batch->count;
  kernel->run(a, b, c, &count, (const unsigned long long *)batch->a_bytes,
              (const unsigned long long *)batch->b_bytes);
}

const char *ls_gemm_backend(void)
{
  static _Thread_local char text[128];
  const char *reason = ls_gemm_fallback_reason();
  if (reason)
    snprintf(text, sizeof text, "register tiles: %s", reason);
  else
    snprintf(text, sizeof text, "libxsmm %d.%d (%s)", LIBXSMM_VERSION_MAJOR, LIBXSMM_VERSION_MINOR,
             libxsmm_get_target_arch());
  return text;
}
