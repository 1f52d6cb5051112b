/* SPDX-License-Identifier: BSD-3-Clause */
/* The training step: allocates nothing, learns, and gives the same bits however often it is run. The
 * program brings its own malloc, which counts. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "step_bench.h"

/* Every allocation of the process, MPI's and OpenMP's included, goes through these; a sanitizer has its own.
 */
static atomic_size_t allocations;

#if defined(__SANITIZE_ADDRESS__)
#define COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef COUNTS_ALLOCATIONS
#define COUNTS_ALLOCATIONS 1

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes)
{
  allocations++;
  return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
  allocations++;
  return __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
  allocations++;
  return __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
  allocations++;
  return __libc_memalign(alignment, bytes);
}
#endif

static void steps_learn_and_allocate_nothing(void **state)
{
  for (size_t threads = 1; threads <= 2; threads++) {
    step_bench bench;
    bench_make(&bench, (bench_options){.comm = *state, .threads = threads});
    double first = 0.0, last = 0.0, ignored = 0.0;
    bench_run(&bench, 1, &first, &last); /* OpenMP starts its threads, MPI its connections */
    size_t before = allocations;
    assert_true(!COUNTS_ALLOCATIONS || before > 100);
    bench_run(&bench, 60, &ignored, &last);
    assert_int_equal(allocations - before, 0);
    assert_true(first > 1.8 && last < 0.8 * first);
    bench_free(&bench);
  }
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
  for (size_t threads = 1; threads <= 3; threads++) {
    step_bench one, two;
    double ignored = 0.0;
    bench_make(&one, (bench_options){.comm = *state, .threads = 1});
    bench_make(&two, (bench_options){.comm = *state, .threads = threads});
    bench_run(&one, 3, &ignored, &ignored);
    bench_run(&two, 3, &ignored, &ignored);
    size_t params = ls_model_count(one.model)->params;
    assert_memory_equal(one.network.params, two.network.params, params * sizeof(float));
    bench_free(&one);
    bench_free(&two);
  }
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(steps_learn_and_allocate_nothing, comm),
      cmocka_unit_test_prestate(any_number_of_threads_gives_the_same_bits, comm),
  };
  return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
