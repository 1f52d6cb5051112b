/* SPDX-License-Identifier: BSD-3-Clause */
/* The topology of this host: which logical cores share a core or a cache. */
#ifndef LS_COMM_PLACEMENT_TOPOLOGY_H
#define LS_COMM_PLACEMENT_TOPOLOGY_H

#include <stddef.h>

#include "comm/placement/cores.h"

/** Number of last-level caches that the cores of this host share among them; 0: the kernel does not say.
 * Local. */
size_t ls_topology_caches(void);

/** How many cores these logical ones belong to: hyper-threads of a core count once. Local. */
size_t ls_topology_cores(const ls_cores *logical);

/** Hyper-threads of a core; 1 where the kernel does not say. Local. */
size_t ls_topology_siblings(void);

/** The same of a folder of the form of /sys/devices/system/cpu. */
size_t ls_topology_caches_of(const char *folder);
size_t ls_topology_cores_of(const char *folder, const ls_cores *logical);
size_t ls_topology_siblings_of(const char *folder);

#endif
