/* SPDX-License-Identifier: BSD-3-Clause */
/* The communicator. MPI is set to return its errors, and every one of them goes through ls_comm_check().
 * Sums are MPI_Allreduce in place: one algorithm gives its one result to all ranks, so that decisions that
 * the ranks take from a sum are the same everywhere. Vectors of any length go in portions that MPI can count.
 */
#include "comm/comm.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/memory.h"
#include "comm/internal.h"
#include "comm/portions.h"

ls_status ls_comm_check(int code, const char *doing)
{
  if (LS_FAULT("message", doing)) code = MPI_ERR_OTHER;
  if (code == MPI_SUCCESS) return LS_OK;
  char text[MPI_MAX_ERROR_STRING];
  int length;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) snprintf(text, sizeof text, "MPI error %d", code);
  return ls_fail(LS_E_COMM, "%s: %s", doing, text);
}

ls_status ls_comm_waited(const ls_comm *comm, int code, const char *doing)
{
  ls_activity_work(comm->activity);
  return ls_comm_check(code, doing);
}

void ls_comm_watch(ls_comm *comm, ls_activity *activity)
{
  comm->activity = activity;
}

/* Duplicate the world. Errors that belong to no communicator (of datatypes, of requests) are raised on the
 * world itself, so it returns its errors as well. Collective. */
static ls_status open_world(ls_comm *comm)
{
  static const char doing[] = "opening the MPI world";
  LS_PASS(ls_comm_check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), doing));
  LS_PASS(ls_comm_check(MPI_Comm_dup(MPI_COMM_WORLD, &comm->handle), doing));
  LS_PASS(ls_comm_check(MPI_Comm_set_errhandler(comm->handle, MPI_ERRORS_RETURN), doing));
  LS_PASS(ls_comm_check(MPI_Comm_rank(comm->handle, &comm->rank), doing));
  return ls_comm_check(MPI_Comm_size(comm->handle, &comm->size), doing);
}

static ls_status start_local(ls_comm **out, int thread_level)
{
  if (thread_level < MPI_THREAD_FUNNELED)
    return ls_fail(LS_E_COMM,
                   "the MPI library offers too few threads (level %d, MPI_THREAD_FUNNELED is %d); "
                   "try: an MPI library built with support for threads",
                   thread_level, MPI_THREAD_FUNNELED);
  return ls_alloc(out, 1, sizeof **out, "the communicator");
}

ls_status ls_comm_start(ls_comm **out, int *argc, char ***argv)
{
  int thread_level;
  ls_comm world = {.handle = MPI_COMM_NULL, .launch = ls_launcher_find()};
  LS_PASS(ls_comm_check(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &thread_level), "starting MPI"));
  ls_comm *comm = NULL;
  ls_status status;
  LS_GO(open_world(&world));
  LS_GO(ls_comm_agree(&world, start_local(&comm, thread_level)));
  *comm = world;
  *out = comm;
  return LS_OK;
done:
  free(comm);
  if (status == LS_E_COMM) return status; /* ending without MPI_Finalize() lets the launcher end the others */
  if (world.rank > 0) ls_error_install(&(ls_error){.status = status, .rank = -1}); /* rank 0 has it, too */
  if (world.handle != MPI_COMM_NULL) MPI_Comm_free(&world.handle);
  MPI_Finalize();
  return status;
}

void ls_comm_finish(ls_comm *comm)
{
  if (!comm) return;
  MPI_Comm_free(&comm->handle);
  free(comm);
  MPI_Finalize();
}

void ls_comm_kill(ls_comm *comm, int exit_status)
{
  MPI_Abort(comm->handle, exit_status);
}

ls_activity *ls_comm_activity(const ls_comm *comm)
{
  return comm->activity;
}

int ls_comm_rank(const ls_comm *comm)
{
  return comm->rank;
}

int ls_comm_size(const ls_comm *comm)
{
  return comm->size;
}

/* A vector for a collective call, portion by portion. */
typedef struct vector {
  const ls_comm *comm;
  void *data;
  MPI_Datatype type;
  size_t width; /* bytes of an element */
  MPI_Op op;
  const char *doing; /* of a reduction, for people */
} vector;

static void *at(const vector *v, size_t first)
{
  return (unsigned char *)v->data + first * v->width;
}

static ls_status broadcast_portion(void *context, size_t first, int count)
{
  const vector *v = context;
  return LS_COMM_WAIT(v->comm, MPI_Bcast(at(v, first), count, v->type, 0, v->comm->handle), "broadcasting");
}

static ls_status reduce_portion(void *context, size_t first, int count)
{
  const vector *v = context;
  return LS_COMM_WAIT(
      v->comm, MPI_Allreduce(MPI_IN_PLACE, at(v, first), count, v->type, v->op, v->comm->handle), v->doing);
}

ls_status ls_comm_broadcast(ls_comm *comm, void *data, size_t bytes)
{
  vector v = {.comm = comm, .data = data, .type = MPI_BYTE, .width = 1};
  return ls_in_portions(bytes, INT_MAX, broadcast_portion, &v);
}

ls_status ls_comm_broadcast_text(ls_comm *comm, char **text)
{
  const bool is_root = comm->rank == 0;
  uint64_t bytes = is_root ? strlen(*text) + 1 : 0;
  char *copy = NULL;
  ls_status status;
  LS_GO(ls_comm_broadcast(comm, &bytes, sizeof bytes));
  LS_GO(ls_comm_agree(comm, is_root ? LS_OK : ls_alloc(&copy, bytes, 1, "a text of rank 0")));
  LS_GO(ls_comm_broadcast(comm, is_root ? *text : copy, bytes));
  if (!is_root) *text = copy;
  return LS_OK;
done:
  free(copy);
  return status;
}

static const char summing[] = "summing over the ranks";

static ls_status reduce(vector v, size_t count)
{
  return ls_in_portions(count, INT_MAX, reduce_portion, &v);
}

ls_status ls_comm_sum_f32(ls_comm *comm, float *values, size_t count)
{
  return reduce((vector){comm, values, MPI_FLOAT, sizeof *values, MPI_SUM, summing}, count);
}

ls_status ls_comm_sum_f64(ls_comm *comm, double *values, size_t count)
{
  return reduce((vector){comm, values, MPI_DOUBLE, sizeof *values, MPI_SUM, summing}, count);
}

ls_status ls_comm_sum_u64(ls_comm *comm, uint64_t *values, size_t count)
{
  return reduce((vector){comm, values, MPI_UINT64_T, sizeof *values, MPI_SUM, summing}, count);
}

ls_status ls_comm_min_f64(ls_comm *comm, double *values, size_t count)
{
  return reduce(
      (vector){comm, values, MPI_DOUBLE, sizeof *values, MPI_MIN, "finding the least over the ranks"}, count);
}

/* The bytes for rank 0, and their memory there. */
typedef struct gathering {
  const ls_comm *comm;
  const unsigned char *mine;
  unsigned char *all;
  size_t bytes; /* of one rank */
} gathering;

/* A portion of every rank: rank 0 receives blocks of `count` bytes that lie `bytes` bytes apart. */
static ls_status gather_portion(void *context, size_t first, int count)
{
  static const char doing[] = "gathering from the ranks";
  const gathering *g = context;
  MPI_Datatype block = MPI_DATATYPE_NULL, spaced = MPI_DATATYPE_NULL;
  ls_status status;
  LS_GO(ls_comm_check(MPI_Type_contiguous(count, MPI_BYTE, &block), doing));
  LS_GO(ls_comm_check(MPI_Type_create_resized(block, 0, (MPI_Aint)g->bytes, &spaced), doing));
  LS_GO(ls_comm_check(MPI_Type_commit(&spaced), doing));
  LS_GO(LS_COMM_WAIT(g->comm,
                     MPI_Gather(g->mine + first, count, MPI_BYTE, g->all ? g->all + first : NULL, 1, spaced,
                                0, g->comm->handle),
                     doing));
done:
  if (spaced != MPI_DATATYPE_NULL) MPI_Type_free(&spaced);
  if (block != MPI_DATATYPE_NULL) MPI_Type_free(&block);
  return status;
}

ls_status ls_comm_gather(ls_comm *comm, const void *mine, size_t bytes, void *all)
{
  gathering g = {.comm = comm, .mine = mine, .all = comm->rank == 0 ? all : NULL, .bytes = bytes};
  return ls_in_portions(bytes, INT_MAX, gather_portion, &g);
}

ls_status ls_comm_barrier(ls_comm *comm)
{
  return LS_COMM_WAIT(comm, MPI_Barrier(comm->handle), "waiting for the ranks");
}

const ls_launch *ls_comm_launch(const ls_comm *comm)
{
  return &comm->launch;
}

const char *ls_comm_library(void)
{
  static _Thread_local char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return "unknown";
  text[strcspn(text, ",\n")] = '\0'; /* behind that: the packager, dates, build options */
  for (char *c = text; *c; c++)
    if (*c == '\t') *c = ' ';
  return text;
}
