/* SPDX-License-Identifier: BSD-3-Clause */
/* Which temporary file this process is writing, for a handler of signals that ends it: the file would stay
 * for good, since nobody else can know whose it was. It knows one at a time. */
#ifndef LS_BASE_FILES_UNFINISHED_H
#define LS_BASE_FILES_UNFINISHED_H

#include <signal.h>
#include <stdbool.h>

/** This process has just made the file `name` of the open folder, which stays open until ls_unfinished_end().
 * False if it is not known of: another one is, or the name is too long. Local. */
bool ls_unfinished_begin(int folder, const char *name);

/** The file is complete under another name, or removed. To be called if it was known of. Local. */
void ls_unfinished_end(void);

/** Remove the file that this process has not finished, if there is one. Safe in a handler of a signal; the
 * process is to end then. Local. */
void ls_unfinished_remove(void);

/** No signal is handled by this thread until ls_unfinished_unblock(), so that no handler comes between the
 * making of a file and ls_unfinished_begin(). Local. */
void ls_unfinished_block(sigset_t *before);
void ls_unfinished_unblock(const sigset_t *before);

#endif
