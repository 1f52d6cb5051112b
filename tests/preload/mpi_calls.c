/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts the calls of MPI that carry or add up data, and their bytes: each function of MPI has a second name,
 * PMPI_..., under which these stand in for it. Part of a test program, which asks for the counts, or
 * preloaded into the program: at its end each rank then writes them to the file LS_MPI_CALLS with its number
 * behind it, a line each: name, calls, bytes. */
#include "mpi_calls.h"

#include <mpi.h>
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

int MPI_Send(const void *from, int elements, MPI_Datatype type, int peer, int tag, MPI_Comm comm)
{
  count(MPI_CALL_SEND, elements, type);
  return PMPI_Send(from, elements, type, peer, tag, comm);
}

int MPI_Isend(const void *from, int elements, MPI_Datatype type, int peer, int tag, MPI_Comm comm,
              MPI_Request *request)
{
  count(MPI_CALL_SEND, elements, type);
  return PMPI_Isend(from, elements, type, peer, tag, comm, request);
}

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

int MPI_Barrier(MPI_Comm comm)
{
  count(MPI_CALL_BARRIER, 0, MPI_BYTE);
  return PMPI_Barrier(comm);
}

int MPI_Bcast(void *data, int elements, MPI_Datatype type, int root, MPI_Comm comm)
{
  count(MPI_CALL_OTHER, elements, type);
  return PMPI_Bcast(data, elements, type, root, comm);
}

int MPI_Reduce(const void *from, void *to, int elements, MPI_Datatype type, MPI_Op op, int root,
               MPI_Comm comm)
{
  count(MPI_CALL_OTHER, elements, type);
  return PMPI_Reduce(from, to, elements, type, op, root, comm);
}

int MPI_Gather(const void *from, int elements, MPI_Datatype type, void *to, int to_elements,
               MPI_Datatype to_type, int root, MPI_Comm comm)
{
  count(MPI_CALL_OTHER, elements, type);
  return PMPI_Gather(from, elements, type, to, to_elements, to_type, root, comm);
}

int MPI_Allgather(const void *from, int elements, MPI_Datatype type, void *to, int to_elements,
                  MPI_Datatype to_type, MPI_Comm comm)
{
  count(MPI_CALL_OTHER, elements, type);
  return PMPI_Allgather(from, elements, type, to, to_elements, to_type, comm);
}

static void write_counts(const char *path)
{
  static const char *const names[MPI_CALL_COUNT] = {[MPI_CALL_ALLREDUCE] = "allreduce",
                                                    [MPI_CALL_IALLREDUCE] = "iallreduce",
                                                    [MPI_CALL_SEND] = "send",
                                                    [MPI_CALL_BARRIER] = "barrier",
                                                    [MPI_CALL_OTHER] = "other"};
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
