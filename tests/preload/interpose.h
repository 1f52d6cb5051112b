/* SPDX-License-Identifier: BSD-3-Clause */
/* What libraries need that stand before the system's calls. */
#ifndef LS_TESTS_PRELOAD_INTERPOSE_H
#define LS_TESTS_PRELOAD_INTERPOSE_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>

#pragma GCC diagnostic ignored "-Wpedantic" /* POSIX lets dlsym() return functions */

/** The call that is stood before. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/** The mode that open() and openat() are given where they may make a file. */
static inline mode_t mode_of(int flags, va_list arguments)
{
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#endif
