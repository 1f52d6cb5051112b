/* SPDX-License-Identifier: BSD-3-Clause */
/* Agreement on a status, so that no rank leaves a collective function while the others wait in it; and a
 * comparison of the ranks' findings with rank 0's.
 *
 * The good path costs one allreduce of an int. If a rank has failed, all ranks know it from that, and enter
 * the calls that broadcast the message. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
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
  /* A rank number that is set already comes from an agreement further in, and stays. */
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

/* ---- the same on every rank ----
 *
 * Each rank is compared with rank 0. Rank 0 need not be right, but so the message can name a rank that
 * differs. */

enum { SHOWN_CHARS = 200 }; /* of a line */

/* The line at `text` without its blanks, as it is reported; released with ls_text_fini(). */
static ls_text shown(const char *text)
{
  ls_text line = {0};
  if (*text == '\0') {
    ls_text_add(&line, "nothing");
    return line;
  }
  text += strspn(text, " ");
  const size_t length = strcspn(text, "\n");
  ls_text_add(&line, "'%.*s'", (int)(length < SHOWN_CHARS ? length : SHOWN_CHARS), text);
  return line;
}

/* Local. */
static ls_status compare(const char *mine, const char *first, const char *what, ls_status code)
{
  if (strcmp(mine, first) == 0) return LS_OK;
  size_t start = 0; /* of the line that differs */
  for (size_t i = 0; mine[i] == first[i]; i++)
    if (mine[i] == '\n') start = i + 1;
  ls_text here = shown(mine + start), there = shown(first + start);
  const ls_status status =
      ls_fail(code, "%s not rank 0's: %s instead of %s", what, ls_text_get(&here), ls_text_get(&there));
  ls_text_fini(&here);
  ls_text_fini(&there);
  return status;
}

ls_status ls_comm_same(ls_comm *comm, const char *mine, const char *what, ls_status code)
{
  if (ls_comm_size(comm) == 1) return LS_OK;
  char *first = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? ls_text_copy(&first, mine) : LS_OK));
  LS_GO(ls_comm_broadcast_text(comm, &first));
  status = ls_comm_agree(comm, compare(mine, first, what, code));
done:
  free(first);
  return status;
}
