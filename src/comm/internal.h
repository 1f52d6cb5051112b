/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this module share: the communicator's inside, and the one file where MPI's errors become
 * ours. For src/comm alone. */
#ifndef LS_COMM_INTERNAL_H
#define LS_COMM_INTERNAL_H

#include <mpi.h>

#include "base/activity.h"
#include "base/status.h"
#include "comm/placement/launcher.h"

struct ls_comm {
  MPI_Comm handle; /* our own duplicate of the world: no message of a library can be taken for ours */
  int rank, size;
  ls_launch launch;      /* of the world */
  ls_activity *activity; /* where waits are noted; borrowed; NULL: nowhere */
};

/** LS_OK for MPI_SUCCESS; otherwise LS_E_COMM, with what MPI says of the error behind what was being done.
 * Local. */
ls_status ls_comm_check(int code, const char *doing) LS_CHECKED;

/** ls_comm_check() of a blocking call, which is noted as the activity of the rank. */
#define LS_COMM_WAIT(comm, call, doing)                                                                      \
  (ls_activity_wait((comm)->activity, (doing)), ls_comm_waited((comm), (call), (doing)))

/** The end of a blocking call; for LS_COMM_WAIT. Local. */
ls_status ls_comm_waited(const struct ls_comm *comm, int code, const char *doing) LS_CHECKED;

#endif
