/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rank asks of MPI, counted by MPI's profiling interface. */
#ifndef LS_TESTS_MPI_CALLS_H
#define LS_TESTS_MPI_CALLS_H

#include <stdint.h>

typedef enum mpi_call {
  MPI_CALL_ALLREDUCE,
  MPI_CALL_IALLREDUCE,
  MPI_CALL_SEND, /* of any kind, persistent ones each time that they are started; Put, Get and Accumulate as
                    well */
  MPI_CALL_BARRIER,  /* Ibarrier as well */
  MPI_CALL_EXCHANGE, /* Alltoall and its kin, each with each: samples at the begin of an epoch */
  MPI_CALL_OTHER,    /* other collectives of a communicator's ranks */
  MPI_CALL_COUNT
} mpi_call;

/** Of this rank since it started; bytes are those of the buffers that it hands over to be sent or reduced. */
typedef struct mpi_calls {
  uint64_t calls[MPI_CALL_COUNT], bytes[MPI_CALL_COUNT];
} mpi_calls;

mpi_calls mpi_calls_read(void);

#endif
