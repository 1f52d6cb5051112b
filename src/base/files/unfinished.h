/* SPDX-License-Identifier: BSD-3-Clause */
/* The temporary file that this process is writing, for the signal handler that ends the process: otherwise
 * the file would stay for good, since no other process may remove it. One file at a time is registered. */
#ifndef LS_BASE_FILES_UNFINISHED_H
#define LS_BASE_FILES_UNFINISHED_H

#include <signal.h>
#include <stdbool.h>

/** This process has just made the file `name` of the open folder, which stays open until ls_unfinished_end().
 * False if it is not registered: another one is, or the name is too long. Local. */
bool ls_unfinished_begin(int folder, const char *name);

/** The file is complete under another name, or removed. Called only if it was registered. Local. */
void ls_unfinished_end(void);

/** Remove the file that this process has not finished, if there is one. Safe in a handler of a signal; the
 * process is to end then. Local. */
void ls_unfinished_remove(void);

/** Block signals in this thread until ls_unfinished_unblock(), so that no handler comes between the
 * making of a file and ls_unfinished_begin(). Local. */
void ls_unfinished_block(sigset_t *before);
void ls_unfinished_unblock(const sigset_t *before);

#endif
