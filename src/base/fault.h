/* SPDX-License-Identifier: BSD-3-Clause */
/* Fault points: calls of the system or of MPI that a test lets fail. They are compiled where the
 * build sets LS_FAULTS (presets debug, asan and clang); other builds have none.
 *
 * The environment chooses the call that fails in a process:
 *   LS_FAULT=POINT:N   the N-th call of this point, counted from 1
 *   LS_FAULT_LIST=FILE a line for each call, in order: its point, its N, and its site
 *
 * tests/soak/walk.py walks over them. */
#ifndef LS_BASE_FAULT_H
#define LS_BASE_FAULT_H

#include <stdbool.h>

/* Points, and the number that errno has when they fail. */
#define LS_FAULT_POINTS(X)                                                                                   \
  X("alloc", ENOMEM)                                                                                         \
  X("open", EIO)                                                                                             \
  X("stat", EIO)                                                                                             \
  X("read", EIO)                                                                                             \
  X("write", ENOSPC)                                                                                         \
  X("sync", EIO)                                                                                             \
  X("close", EIO)                                                                                            \
  X("rename", EIO)                                                                                           \
  X("remove", EIO)                                                                                           \
  X("mkdir", EIO)                                                                                            \
  X("list", EIO)                                                                                             \
  X("lock", ENOLCK)                                                                                          \
  X("map", ENOMEM)                                                                                           \
  X("fork", EAGAIN)                                                                                          \
  X("thread", EAGAIN)                                                                                        \
  X("message", EIO)

#ifdef LS_FAULTS
/** Does this call fail? If so, errno is set. `point` is one of the list, `site` a text that distinguishes
 * the calls of the point. Any thread may ask. Local. */
bool ls_fault(const char *point, const char *site);
#define LS_FAULT(point, site) ls_fault((point), (site))
#else
#define LS_FAULT(point, site) false
#endif

/** A call of the system that returns -1 where it fails, or where the point says so. */
#define LS_SYSTEM(point, call) (LS_FAULT((point), __func__) ? -1 : (call))

#endif
