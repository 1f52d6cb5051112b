/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that others made are first read in a child process: libhdf5 crashes on some damaged ones and never
 * ends on others, wherever in the file the damage is. Then only the child dies. */
#ifndef LS_H5_GUARD_H
#define LS_H5_GUARD_H

#include <stdint.h>

#include "base/status.h"

/** The work that may crash. It runs in a process of its own: its changes to memory are lost. It must neither
 * call MPI nor start threads. After an error it is called once more. */
typedef ls_status (*ls_h5_attempt)(void *user);

/** Run `attempt` in a child process with limits on memory and processor time; only if this succeeds, do the
 * same here. libhdf5 must be started before (h5.h): that takes time.
 *
 * @param[in] path        of the file, for messages; NULL: the caller's own words name it
 * @param[in] file_bytes  its length, which the limits go by
 *
 * Local. Errors: those of `attempt`, in its own words; LS_E_INPUT if the child crashed, came to no end or
 * took too much memory; LS_E_MEMORY, LS_E_IO if there can be no child, or others ended it.
 */
ls_status ls_h5_guard(const char *path, uint64_t file_bytes, ls_h5_attempt attempt, void *user) LS_CHECKED;

#endif
