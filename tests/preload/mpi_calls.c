/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts the calls of MPI that carry or add up data, and their bytes: each function of MPI has a second name,
 * PMPI_..., under which these stand in for it. Part of a test program, which asks for the counts, or
 * preloaded into the program: at its end each rank then writes them to the file LS_MPI_CALLS with its number
 * behind it, a line each: name, calls, bytes. */
#include "mpi_calls.h"

#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static mpi_calls counts; /* MPI_THREAD_FUNNELED: one thread calls */

/* Persistent sends that were planned. */
static struct {
  MPI_Request request;
  uint64_t bytes;
} * planned;
static size_t planned_count;

static void count(mpi_call call, int elements, MPI_Datatype type)
{
  int width = 0;
  if (elements > 0) PMPI_Type_size(type, &width);
  counts.calls[call]++;
  counts.bytes[call] += (uint64_t)elements * (uint64_t)width;
}

mpi_calls mpi_calls_read(void)
{
  return counts;
}

int MPI_Allreduce(const void *from, void *to, int elements, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  count(MPI_CALL_ALLREDUCE, elements, type);
  return PMPI_Allreduce(from, to, elements, type, op, comm);
}

int MPI_Iallreduce(const void *from, void *to, int elements, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                   MPI_Request *request)
{
  count(MPI_CALL_IALLREDUCE, elements, type);
  return PMPI_Iallreduce(from, to, elements, type, op, comm, request);
}

static int ranks_of(MPI_Comm comm)
{
  int ranks;
  PMPI_Comm_size(comm, &ranks);
  return ranks;
}

static bool is_rank(int rank, MPI_Comm comm)
{
  int own;
  PMPI_Comm_rank(comm, &own);
  return own == rank;
}

/* NULL: in place. */
static int sum(const int *sizes, MPI_Comm comm)
{
  int total = 0;
  for (int r = 0; sizes && r < ranks_of(comm); r++) total += sizes[r];
  return total;
}

static int sum_bytes(const int *sizes, const MPI_Datatype *types, MPI_Comm comm)
{
  int total = 0;
  for (int r = 0; sizes && r < ranks_of(comm); r++) {
    int width = 0;
    if (sizes[r] > 0) PMPI_Type_size(types[r], &width);
    total += sizes[r] * width;
  }
  return total;
}

/* A function of MPI under its name: counted as `call`, so many elements of a type, then what it stands for.
 */
#define COUNTED(name, parameters, arguments, call, elements, type)                                           \
  int MPI_##name parameters                                                                                  \
  {                                                                                                          \
    count(call, elements, type);                                                                             \
    return PMPI_##name arguments;                                                                            \
  }

/* Likewise one of which there is one that waits, and one with a request. */
#define BARE(...) __VA_ARGS__
#define COUNTED_TWICE(name, started, parameters, arguments, call, elements, type)                            \
  COUNTED(name, parameters, arguments, call, elements, type)                                                 \
  COUNTED(started, (BARE parameters, MPI_Request * request), (BARE arguments, request), call, elements, type)

/* Parameters that many of them have. */
#define TO_PEER const void *from, int elements, MPI_Datatype type, int peer, int tag, MPI_Comm comm
#define TO_PEER_ARGUMENTS from, elements, type, peer, tag, comm

COUNTED_TWICE(Send, Isend, (TO_PEER), (TO_PEER_ARGUMENTS), MPI_CALL_SEND, elements, type)
COUNTED_TWICE(Ssend, Issend, (TO_PEER), (TO_PEER_ARGUMENTS), MPI_CALL_SEND, elements, type)
COUNTED_TWICE(Bsend, Ibsend, (TO_PEER), (TO_PEER_ARGUMENTS), MPI_CALL_SEND, elements, type)
COUNTED_TWICE(Rsend, Irsend, (TO_PEER), (TO_PEER_ARGUMENTS), MPI_CALL_SEND, elements, type)
COUNTED(Sendrecv,
        (const void *from, int elements, MPI_Datatype type, int peer, int tag, void *to, int to_elements,
         MPI_Datatype to_type, int source, int source_tag, MPI_Comm comm, MPI_Status *state),
        (from, elements, type, peer, tag, to, to_elements, to_type, source, source_tag, comm, state),
        MPI_CALL_SEND, elements, type)
COUNTED(Sendrecv_replace,
        (void *data, int elements, MPI_Datatype type, int peer, int tag, int source, int source_tag,
         MPI_Comm comm, MPI_Status *state),
        (data, elements, type, peer, tag, source, source_tag, comm, state), MPI_CALL_SEND, elements, type)
COUNTED(Put,
        (const void *from, int elements, MPI_Datatype type, int peer, MPI_Aint at, int to_elements,
         MPI_Datatype to_type, MPI_Win window),
        (from, elements, type, peer, at, to_elements, to_type, window), MPI_CALL_SEND, elements, type)
COUNTED(Accumulate,
        (const void *from, int elements, MPI_Datatype type, int peer, MPI_Aint at, int to_elements,
         MPI_Datatype to_type, MPI_Op op, MPI_Win window),
        (from, elements, type, peer, at, to_elements, to_type, op, window), MPI_CALL_SEND, elements, type)
COUNTED(Get,
        (void *to, int elements, MPI_Datatype type, int peer, MPI_Aint at, int to_elements,
         MPI_Datatype to_type, MPI_Win window),
        (to, elements, type, peer, at, to_elements, to_type, window), MPI_CALL_SEND, elements, type)

int MPI_Send_init(const void *from, int elements, MPI_Datatype type, int peer, int tag, MPI_Comm comm,
                  MPI_Request *request)
{
  int width = 0;
  PMPI_Type_size(type, &width);
  const int code = PMPI_Send_init(from, elements, type, peer, tag, comm, request);
  void *grown = realloc(planned, (planned_count + 1) * sizeof *planned);
  if (!grown) abort();
  planned = grown;
  planned[planned_count].request = *request;
  planned[planned_count++].bytes = (uint64_t)elements * (uint64_t)width;
  return code;
}

/* Receives are not among the planned. */
static void count_started(MPI_Request request)
{
  size_t i = 0;
  while (i < planned_count && planned[i].request != request) i++;
  if (i == planned_count) return;
  counts.calls[MPI_CALL_SEND]++;
  counts.bytes[MPI_CALL_SEND] += planned[i].bytes;
}

int MPI_Start(MPI_Request *request)
{
  count_started(*request);
  return PMPI_Start(request);
}

int MPI_Startall(int request_count, MPI_Request *requests)
{
  for (int i = 0; i < request_count; i++) count_started(requests[i]);
  return PMPI_Startall(request_count, requests);
}

int MPI_Request_free(MPI_Request *request)
{
  for (size_t i = 0; i < planned_count; i++)
    if (planned[i].request == *request) planned[i].request = MPI_REQUEST_NULL;
  return PMPI_Request_free(request);
}

COUNTED_TWICE(Barrier, Ibarrier, (MPI_Comm comm), (comm), MPI_CALL_BARRIER, 0, MPI_BYTE)

COUNTED_TWICE(Bcast, Ibcast, (void *data, int elements, MPI_Datatype type, int root, MPI_Comm comm),
              (data, elements, type, root, comm), MPI_CALL_OTHER, elements, type)
COUNTED_TWICE(Reduce, Ireduce,
              (const void *from, void *to, int elements, MPI_Datatype type, MPI_Op op, int root,
               MPI_Comm comm),
              (from, to, elements, type, op, root, comm), MPI_CALL_OTHER, elements, type)
COUNTED_TWICE(Scan, Iscan,
              (const void *from, void *to, int elements, MPI_Datatype type, MPI_Op op, MPI_Comm comm),
              (from, to, elements, type, op, comm), MPI_CALL_OTHER, elements, type)
COUNTED_TWICE(Exscan, Iexscan,
              (const void *from, void *to, int elements, MPI_Datatype type, MPI_Op op, MPI_Comm comm),
              (from, to, elements, type, op, comm), MPI_CALL_OTHER, elements, type)
COUNTED_TWICE(Gather, Igather,
              (const void *from, int elements, MPI_Datatype type, void *to, int to_elements,
               MPI_Datatype to_type, int root, MPI_Comm comm),
              (from, elements, type, to, to_elements, to_type, root, comm), MPI_CALL_OTHER, elements, type)
COUNTED_TWICE(Gatherv, Igatherv,
              (const void *from, int elements, MPI_Datatype type, void *to, const int *to_sizes,
               const int *to_offsets, MPI_Datatype to_type, int root, MPI_Comm comm),
              (from, elements, type, to, to_sizes, to_offsets, to_type, root, comm), MPI_CALL_OTHER, elements,
              type)
COUNTED_TWICE(Allgather, Iallgather,
              (const void *from, int elements, MPI_Datatype type, void *to, int to_elements,
               MPI_Datatype to_type, MPI_Comm comm),
              (from, elements, type, to, to_elements, to_type, comm), MPI_CALL_OTHER, elements, type)
COUNTED_TWICE(Allgatherv, Iallgatherv,
              (const void *from, int elements, MPI_Datatype type, void *to, const int *to_sizes,
               const int *to_offsets, MPI_Datatype to_type, MPI_Comm comm),
              (from, elements, type, to, to_sizes, to_offsets, to_type, comm), MPI_CALL_OTHER, elements, type)
COUNTED_TWICE(Reduce_scatter, Ireduce_scatter,
              (const void *from, void *to, const int *sizes, MPI_Datatype type, MPI_Op op, MPI_Comm comm),
              (from, to, sizes, type, op, comm), MPI_CALL_OTHER, sum(sizes, comm), type)
COUNTED_TWICE(Reduce_scatter_block, Ireduce_scatter_block,
              (const void *from, void *to, int elements, MPI_Datatype type, MPI_Op op, MPI_Comm comm),
              (from, to, elements, type, op, comm), MPI_CALL_OTHER, elements *ranks_of(comm), type)
COUNTED_TWICE(Alltoall, Ialltoall,
              (const void *from, int elements, MPI_Datatype type, void *to, int to_elements,
               MPI_Datatype to_type, MPI_Comm comm),
              (from, elements, type, to, to_elements, to_type, comm), MPI_CALL_EXCHANGE,
              elements *ranks_of(comm), type)
COUNTED_TWICE(Alltoallv, Ialltoallv,
              (const void *from, const int *sizes, const int *offsets, MPI_Datatype type, void *to,
               const int *to_sizes, const int *to_offsets, MPI_Datatype to_type, MPI_Comm comm),
              (from, sizes, offsets, type, to, to_sizes, to_offsets, to_type, comm), MPI_CALL_EXCHANGE,
              sum(sizes, comm), type)
COUNTED_TWICE(Scatter, Iscatter,
              (const void *from, int elements, MPI_Datatype type, void *to, int to_elements,
               MPI_Datatype to_type, int root, MPI_Comm comm),
              (from, elements, type, to, to_elements, to_type, root, comm), MPI_CALL_OTHER,
              is_rank(root, comm) ? elements *ranks_of(comm) : 0, type)
COUNTED_TWICE(Scatterv, Iscatterv,
              (const void *from, const int *sizes, const int *offsets, MPI_Datatype type, void *to,
               int to_elements, MPI_Datatype to_type, int root, MPI_Comm comm),
              (from, sizes, offsets, type, to, to_elements, to_type, root, comm), MPI_CALL_OTHER,
              is_rank(root, comm) ? sum(sizes, comm) : 0, type)

/* A type for each rank: the bytes are added up, as elements of one byte. */
COUNTED_TWICE(Alltoallw, Ialltoallw,
              (const void *from, const int *sizes, const int *offsets, const MPI_Datatype *types, void *to,
               const int *to_sizes, const int *to_offsets, const MPI_Datatype *to_types, MPI_Comm comm),
              (from, sizes, offsets, types, to, to_sizes, to_offsets, to_types, comm), MPI_CALL_EXCHANGE,
              sum_bytes(sizes, types, comm), MPI_BYTE)

static void write_counts(const char *path)
{
  static const char *const names[MPI_CALL_COUNT] = {
      [MPI_CALL_ALLREDUCE] = "allreduce", [MPI_CALL_IALLREDUCE] = "iallreduce", [MPI_CALL_SEND] = "send",
      [MPI_CALL_BARRIER] = "barrier",     [MPI_CALL_EXCHANGE] = "exchange",     [MPI_CALL_OTHER] = "other"};
  char name[4096];
  int rank;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  snprintf(name, sizeof name, "%s.%d", path, rank);
  FILE *file = fopen(name, "w");
  if (!file) abort();
  for (size_t i = 0; i < MPI_CALL_COUNT; i++)
    fprintf(file, "%s %llu %llu\n", names[i], (unsigned long long)counts.calls[i],
            (unsigned long long)counts.bytes[i]);
  if (fclose(file) != 0) abort();
}

int MPI_Finalize(void)
{
  const char *path = getenv("LS_MPI_CALLS");
  if (path) write_counts(path);
  free(planned);
  planned = NULL;
  planned_count = 0;
  return PMPI_Finalize();
}
