/* SPDX-License-Identifier: BSD-3-Clause */
/* Status codes and the error chain.
 *
 * A function that can fail returns an ls_status; a chain of messages describes the failure, and each level of
 * the call stack may extend it: ls_fail() starts it with the fact, ls_wrap() adds the action that failed. It
 * is for people: every %s is shown as base/show.h says. The chain is thread-local, bounded, and needs no
 * allocation, so an out-of-memory error can be reported like any other. It must not be used inside OpenMP
 * parallel regions: a chain that a worker starts is invisible to the master thread.
 */
#ifndef LS_BASE_STATUS_H
#define LS_BASE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

/* code, word, exit status of the program that ends with it */
#define LS_STATUS_LIST(X)                                                                                    \
  X(LS_OK, "ok", 0)                                                                                          \
  X(LS_E_USAGE, "usage error", 2)                                                                            \
  X(LS_E_CONFIG, "configuration error", 2)                                                                   \
  X(LS_E_INPUT, "input error", 2)                                                                            \
  X(LS_E_ACCESS, "input error", 2) /* a file that is there but may not be opened: not damage */              \
  X(LS_E_IO, "input/output error", 1)                                                                        \
  X(LS_E_MEMORY, "out of memory", 1)                                                                         \
  X(LS_E_NONFINITE, "numerical error", 1)                                                                    \
  X(LS_E_COMM, "communication error", 1)                                                                     \
  X(LS_E_BUG, "internal error", 1)                                                                           \
  X(LS_STOPPED, "stopped on request", 75)

typedef enum ls_status {
#define LS_STATUS_ENUM(code, word, exit_status) code,
  LS_STATUS_LIST(LS_STATUS_ENUM)
#undef LS_STATUS_ENUM
} ls_status;

/** A copy of an error chain, of fixed size so that it can be sent to other ranks as bytes. */
typedef struct ls_error {
  ls_status status; /* code of the failure */
  int rank;         /* rank where it arose; -1 when it is this one, or the same on all */
  char text[2048];  /* the chain, outermost message first, joined by ": "; always terminated */
} ls_error;

#define LS_CHECKED __attribute__((warn_unused_result))
#define LS_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/** Start a new chain with the fact that went wrong, with names and numbers. Returns `status`. Local. */
ls_status ls_fail(ls_status status, const char *fmt, ...) LS_PRINTF(2, 3) LS_CHECKED;

/** Put "what we were doing" in front of the chain. Returns `status`. Local. */
ls_status ls_wrap(ls_status status, const char *fmt, ...) LS_PRINTF(2, 3) LS_CHECKED;

/** The chain of this thread's last failure; owned by the thread, valid until its next failure. */
const ls_error *ls_error_last(void);

/** Replace this thread's chain by a copy of `error`, such as one that another rank sent. */
void ls_error_install(const ls_error *error);

/** The word of a status ("input error"). */
const char *ls_status_word(ls_status status);

/** The exit status of a program that ends with `status`. */
int ls_status_exit(ls_status status);

/** Return from the calling function if `call` fails, with a frame in front of the chain. */
#define LS_TRY(call, ...)                                                                                    \
  do {                                                                                                       \
    ls_status ls_try_status_ = (call);                                                                       \
    if (ls_try_status_ != LS_OK) return ls_wrap(ls_try_status_, __VA_ARGS__);                                \
  } while (0)

/** Like LS_TRY without a frame, for calls whose own message says everything. */
#define LS_PASS(call)                                                                                        \
  do {                                                                                                       \
    ls_status ls_try_status_ = (call);                                                                       \
    if (ls_try_status_ != LS_OK) return ls_try_status_;                                                      \
  } while (0)

/** Go to the caller's `done:` label if `call` fails, its status in the local variable `status`. */
#define LS_GO(call)                                                                                          \
  do {                                                                                                       \
    status = (call);                                                                                         \
    if (status != LS_OK) goto done;                                                                          \
  } while (0)

#endif
