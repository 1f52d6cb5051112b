/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of this module share: the communicator's inside, and the one place where MPI's errors become
 * ours. For src/comm alone. */
#ifndef LS_COMM_INTERNAL_H
#define LS_COMM_INTERNAL_H

#include <mpi.h>

#include "base/status.h"
#include "comm/comm.h"

struct ls_comm {
  MPI_Comm handle; /* our own duplicate of the world: no message of a library can be taken for ours */
  int rank, size;
};

/** LS_OK for MPI_SUCCESS; otherwise LS_E_COMM, with what MPI says of the error behind what was being done.
 * Local. */
ls_status ls_comm_check(int code, const char *doing) LS_CHECKED;

#endif
