/* SPDX-License-Identifier: BSD-3-Clause */
/* How much processor time, and memory, the control groups of this process allow: a container of 2 CPUs on a
 * host of 64 shows all 64 cores, and stops threads that together use more than two. */
#ifndef LS_COMM_PLACEMENT_QUOTA_H
#define LS_COMM_PLACEMENT_QUOTA_H

#include <stddef.h>
#include <stdint.h>

enum { LS_QUOTAS = 4 }; /* groups with a limit that are kept, the tightest first to stay */

typedef struct ls_quota {
  double cpus;            /* that its processes may use on average; above 0 */
  uint64_t device, inode; /* of the group's folder: the same for all processes of a host that are in it */
} ls_quota;

/** Quotas of the process' own group and all above it, as far as they can be seen. Returns how many there are:
 * 0 also where there are no control groups. `root` is before every path: "" but in tests. Local. */
size_t ls_quota_find(const char *root, ls_quota quotas[LS_QUOTAS]);

/** The least memory, in bytes, that a control group of the process allows to all that is in it; infinite:
 * none has a limit. `root` as above. Local. */
double ls_memory_limit(const char *root);

#endif
