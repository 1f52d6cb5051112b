/* SPDX-License-Identifier: BSD-3-Clause */
/* The communicator: the only interface to MPI. Collective functions return the same status on every rank.
 *
 * After an MPI call has failed (LS_E_COMM) no further collective may be attempted. */
#ifndef LS_COMM_COMM_H
#define LS_COMM_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/activity.h"
#include "base/status.h"

/** A group of ranks; opaque. */
typedef struct ls_comm ls_comm;

/** Initialize MPI (MPI_THREAD_FUNNELED: the thread that starts it) and open a duplicate of the world.
 *
 * Collective. Errors: LS_E_COMM; LS_E_MEMORY, whose text is rank 0's alone: the ranks are not known
 * afterwards. */
ls_status ls_comm_start(ls_comm **out, int *argc, char ***argv) LS_CHECKED;

/** Close the communicator and finalize MPI. NULL is fine. Collective. */
void ls_comm_finish(ls_comm *comm);

/** End the job on every rank at once with this exit status; for main() alone, when agreement is impossible.
 */
void ls_comm_kill(ls_comm *comm, int exit_status);

/** From now on note in `activity` (borrowed; NULL: none) when this rank waits for others. Communicators that
 * are made of this one later do the same. Local. */
void ls_comm_watch(ls_comm *comm, ls_activity *activity);

/** Where waits are noted; borrowed, may be NULL. */
ls_activity *ls_comm_activity(const ls_comm *comm);

int ls_comm_rank(const ls_comm *comm); /* 0 .. size-1 */
int ls_comm_size(const ls_comm *comm); /* number of ranks */

/** Agree on a status: if it is LS_OK everywhere, LS_OK; otherwise the code of the lowest failing rank,
 * whose error chain is installed on every rank with its rank number. One 4-byte allreduce when all is well.
 *
 * The rank number stays -1 when every rank failed with the same text, and with a single rank. LS_E_COMM is
 * returned at once, with no collective: MPI may not work any more, and the rank that has it ends the job.
 * Collective.
 */
ls_status ls_comm_agree(ls_comm *comm, ls_status status) LS_CHECKED;

/** Call a Local function and agree on its result; for use between collectives. */
#define LS_AGREE(comm, call) LS_PASS(ls_comm_agree((comm), (call)))

/** Call a Rank 0 function on rank 0 only and agree on its result. */
#define LS_ROOT(comm, call) LS_PASS(ls_comm_agree((comm), ls_comm_rank(comm) == 0 ? (call) : LS_OK))

/** Has this rank found the same as rank 0? `mine` is a text of lines; `what` says what it is about, as in
 * "the arguments are". Collective. Errors: `code`, with the first line that differs on the lowest rank that
 * has another text; LS_E_MEMORY; LS_E_COMM. */
ls_status ls_comm_same(ls_comm *comm, const char *mine, const char *what, ls_status code) LS_CHECKED;

/** Copy rank 0's bytes to every rank. Collective. Errors: LS_E_COMM. */
ls_status ls_comm_broadcast(ls_comm *comm, void *data, size_t bytes) LS_CHECKED;

/** Copy rank 0's text (with its terminator) to every rank; the other ranks get a new text, freed with free().
 * Collective. Errors: LS_E_MEMORY, LS_E_COMM. */
ls_status ls_comm_broadcast_text(ls_comm *comm, char **text) LS_CHECKED;

/** Element-wise sums over the ranks, in place, the same bits on every rank. Collective. Errors: LS_E_COMM. */
ls_status ls_comm_sum_f32(ls_comm *comm, float *values, size_t count) LS_CHECKED;
ls_status ls_comm_sum_f64(ls_comm *comm, double *values, size_t count) LS_CHECKED;
ls_status ls_comm_sum_u64(ls_comm *comm, uint64_t *values, size_t count) LS_CHECKED;

/** Element-wise minima over the ranks, likewise. */
ls_status ls_comm_min_f64(ls_comm *comm, double *values, size_t count) LS_CHECKED;

/** Gather `bytes` bytes of every rank on rank 0, in rank order: all holds size * bytes there, may be NULL
 * elsewhere. Collective. Errors: LS_E_COMM. */
ls_status ls_comm_gather(ls_comm *comm, const void *mine, size_t bytes, void *all) LS_CHECKED;

/** Wait for all ranks. Collective. Errors: LS_E_COMM. */
ls_status ls_comm_barrier(ls_comm *comm) LS_CHECKED;

/** The launcher of the world's ranks; none for a communicator that was made of another one. Borrowed. Local.
 */
const struct ls_launch *ls_comm_launch(const ls_comm *comm);

/** Name and version of the MPI library, on one line, borrowed. Local. */
const char *ls_comm_library(void);

#endif
