/* SPDX-License-Identifier: BSD-3-Clause */
/* Agreement on a status, so that no rank leaves a collective function while the others wait in it.
 *
 * The good path costs one allreduce of an int. Only when a rank has failed do all of them, who now all know
 * it, enter the calls that tell the story. */
#include <limits.h>
#include <string.h>

#include "comm/comm.h"
#include "comm/internal.h"

static const char doing[] = "agreeing on a status";

/* Did every rank fail, and with the very same text? Then no rank is to blame. Collective. */
static ls_status is_common(const ls_comm *comm, ls_status status, const ls_error *error, int *common)
{
  *common = status == error->status && strcmp(ls_error_last()->text, error->text) == 0;
  return LS_COMM_WAIT(comm, MPI_Allreduce(MPI_IN_PLACE, common, 1, MPI_INT, MPI_MIN, comm->handle), doing);
}

/* Install the error of the rank `first` on all ranks. Collective. */
static ls_status share(const ls_comm *comm, ls_status status, int first)
{
  ls_error error = {.status = LS_OK};
  if (comm->rank == first) {
    error = *ls_error_last();
    error.status = status;
  }
  LS_PASS(LS_COMM_WAIT(comm, MPI_Bcast(&error, (int)sizeof error, MPI_BYTE, first, comm->handle), doing));
  int common;
  LS_PASS(is_common(comm, status, &error, &common));
  /* A rank number that is there already comes from an agreement further in, which knew better. */
  if (error.rank < 0 && !common) error.rank = first;
  ls_error_install(&error);
  return error.status;
}

ls_status ls_comm_agree(ls_comm *comm, ls_status status)
{
  if (status == LS_E_COMM) return status; /* MPI does not promise to work any more: main() ends the job */
  int first = status == LS_OK ? INT_MAX : comm->rank;
  LS_PASS(LS_COMM_WAIT(comm, MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm->handle), doing));
  return first == INT_MAX ? LS_OK : share(comm, status, first);
}
