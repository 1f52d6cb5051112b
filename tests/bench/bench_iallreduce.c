/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over ranks beside computation: lockstep's own messages (comm/iallreduce.h) against MPI's collectives.
 *
 *   mpirun ... bench_iallreduce [elements, default 535818] [products of computation, default 100]
 *
 * A step computes matrix products, as many before each bucket of 32,768 floats is complete, from the last
 * bucket to the first, as the gradient of a backward pass. Ways take turns; the median of the steps counts.
 * Every rank stands for a host. tests/bench/allreduce.sh runs it on two emulated ones. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/size.h"
#include "comm/iallreduce.h"
#include "kernels/gemm/sgemm.h"

enum { BUCKET = 32768, PRODUCT = 128, STEPS = 101, MOST_BUCKETS = 4096 };

typedef struct job {
  float *values; /* [count] */
  size_t count, buckets, products;
  ls_sgemm *product;
  ls_iallreduce *own;
  MPI_Request requests[MOST_BUCKETS];
  int done[MOST_BUCKETS];
  size_t started;
} job;

static void check(bool is_fine, const char *what)
{
  if (is_fine) return;
  fprintf(stderr, "%s: %s\n", what, ls_error_last()->text);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

/* Elements from `first` on are complete, up to those that were before; nothing before the first call. */
typedef void started(job *self, size_t first, size_t end);
typedef void ended(job *self);

static void start_nothing(job *self, size_t first, size_t end)
{
  (void)self, (void)first, (void)end;
}

static void end_nothing(job *self)
{
  (void)self;
}

static void start_own(job *self, size_t first, size_t end)
{
  if (end == self->count) check(ls_iallreduce_begin(self->own) == LS_OK, "own");
  check(ls_iallreduce_start(self->own, first) == LS_OK, "own");
  check(ls_iallreduce_advance(self->own) == LS_OK, "own");
}

static void end_own(job *self)
{
  check(ls_iallreduce_end(self->own) == LS_OK, "own");
}

static void start_mpi(job *self, size_t first, size_t end)
{
  int done;
  MPI_Iallreduce(MPI_IN_PLACE, self->values + first, (int)(end - first), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD,
                 &self->requests[self->started++]);
  MPI_Testsome((int)self->started, self->requests, &done, self->done, MPI_STATUSES_IGNORE);
}

static void end_mpi(job *self)
{
  MPI_Waitall((int)self->started, self->requests, MPI_STATUSES_IGNORE);
  self->started = 0;
}

static void end_late(job *self)
{
  MPI_Allreduce(MPI_IN_PLACE, self->values, (int)self->count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

static const struct way {
  const char *name;
  started *start;
  ended *end;
} ways[] = {{"computation alone", start_nothing, end_nothing},
            {"lockstep's messages meanwhile", start_own, end_own},
            {"MPI_Iallreduce by bucket", start_mpi, end_mpi},
            {"MPI_Allreduce at the end", start_nothing, end_late}};
enum { WAYS = sizeof ways / sizeof ways[0] };

static double take_step(job *self, const struct way *way)
{
  MPI_Barrier(MPI_COMM_WORLD);
  const double started_s = ls_clock_s();
  for (size_t b = self->buckets; b-- > 0;) {
    const size_t work =
        ls_part_first(self->products, self->buckets, b + 1) - ls_part_first(self->products, self->buckets, b);
    for (size_t i = 0; i < work; i++) ls_sgemm_run(self->product);
    way->start(self, b * BUCKET, ls_size_min((b + 1) * BUCKET, self->count));
  }
  way->end(self);
  return ls_clock_s() - started_s;
}

static int by_value(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void measure(job *self, int rank)
{
  static double seconds[WAYS][STEPS];
  for (size_t s = 0; s < STEPS; s++)
    for (size_t w = 0; w < WAYS; w++) seconds[w][s] = take_step(self, &ways[w]);
  for (size_t w = 0; w < WAYS && rank == 0; w++) {
    qsort(seconds[w], STEPS, sizeof(double), by_value);
    printf("%-30s %8.2f ms a step\n", ways[w].name, 1e3 * seconds[w][STEPS / 2]);
  }
}

int main(int argc, char **argv)
{
  static job self;
  ls_comm *comm;
  ls_node *node;
  check(ls_comm_start(&comm, &argc, &argv) == LS_OK, "MPI");
  self.count = argc > 1 ? strtoull(argv[1], NULL, 10) : 535818;
  self.products = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
  self.buckets = ls_size_ceil_div(self.count, BUCKET);
  self.values = calloc(self.count, sizeof *self.values);
  const ls_node_options options = {.max_ranks = 1, .bytes = 64, .common_bytes = 64};
  check(self.values && self.count > 0 && self.buckets <= MOST_BUCKETS, "elements");
  check(ls_sgemm_new(&self.product, PRODUCT) == LS_OK, "matrix products");
  check(ls_node_new(&node, comm, &options) == LS_OK, "hosts");
  check(ls_iallreduce_new(&self.own, node, LS_WIRE_F32, self.values, self.count) == LS_OK, "own");
  measure(&self, ls_comm_rank(comm));
  ls_iallreduce_free(self.own);
  ls_node_free(node);
  ls_sgemm_free(self.product);
  free(self.values);
  ls_comm_finish(comm);
  return 0;
}
