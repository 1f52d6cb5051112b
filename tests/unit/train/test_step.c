/* SPDX-License-Identifier: BSD-3-Clause */
/* The training step: allocates nothing, learns, and gives the same bits however often it is run. The
 * program brings its own malloc, which counts. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "idx_folder.h"
#include "parallel/mpi_main.h"
#include "train/engine.h"
#include "train/schemas.h"

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

static const char *const config = "name: step\n"
                                  "data: {source: x, normalize: unit}\n"
                                  "model:\n"
                                  "  layers:\n"
                                  "    - {type: conv, filters: 6, kernel: 3, pad: same, bias: false}\n"
                                  "    - {type: batchnorm}\n"
                                  "    - {type: relu}\n"
                                  "    - type: residual\n"
                                  "      body:\n"
                                  "        - {type: conv, filters: 12, kernel: 3, stride: 2, pad: 1}\n"
                                  "        - {type: gelu}\n"
                                  "      shortcut:\n"
                                  "        - {type: avgpool, size: 2}\n"
                                  "        - {type: conv, filters: 12, kernel: 1}\n"
                                  "    - {type: maxpool, size: 2}\n"
                                  "    - {type: dropout, rate: 0.2}\n"
                                  "    - {type: flatten}\n"
                                  "    - {type: dense, units: 16}\n"
                                  "    - {type: tanh}\n"
                                  "    - {type: dense, units: 10}\n"
                                  "train:\n"
                                  "  batch: 37\n"
                                  "  microbatch: 6\n"
                                  "  clip_norm: 5\n"
                                  "  label_smoothing: 0.1\n"
                                  "  optimizer: {type: adam, lr: 0.01, weight_decay: 0.001}\n";

typedef struct step_bench {
  idx_folder folder;
  ls_spec *spec;
  ls_source *source;
  ls_model *model;
  ls_loader *loader;
  ls_network network;
  ls_engine *engine;
} step_bench;

static void bench_make(step_bench *bench, ls_comm *comm, size_t threads)
{
  idx_folder_make(&bench->folder, 12, 100, 0);
  assert_ok(ls_config_parse(&bench->spec, config, "config", NULL, 0, &ls_all_schemas));
  assert_ok(ls_source_open(&bench->source, bench->folder.path, 0));
  ls_shape in = {.c = 1, .h = 12, .w = 12};
  const ls_spec_train *train = &bench->spec->train;
  assert_ok(ls_model_new(&bench->model, &bench->spec->model.layers, in, train->microbatch, IDX_CLASSES));
  ls_loader_options loader = {
      .data = &bench->spec->data, .seed = 1, .batch = train->batch, .microbatch = train->microbatch};
  assert_ok(ls_loader_new(&bench->loader, comm, bench->source, &loader));
  ls_normalization unit = {.channels = 1, .mean = {0.0}, .deviation = {255.0}};
  assert_ok(ls_network_init(&bench->network, bench->model, &unit));
  ls_model_init(bench->model, 1, bench->network.params, bench->network.buffers);
  ls_engine_options engine = {
      .comm = comm, .network = &bench->network, .train = train, .seed = 1, .threads = threads};
  assert_ok(ls_engine_new(&bench->engine, &engine));
  ls_engine_pack(bench->engine);
  assert_ok(ls_loader_epoch(bench->loader, 0, true));
}

static void bench_free(step_bench *bench)
{
  ls_engine_free(bench->engine);
  ls_network_fini(&bench->network);
  ls_loader_free(bench->loader);
  ls_model_free(bench->model);
  ls_source_close(bench->source);
  ls_spec_free(bench->spec);
  idx_folder_remove(&bench->folder);
}

/* `rounds` passes over the three steps of the epoch; the loss of the first and the last pass. */
static void run_steps(const step_bench *bench, size_t rounds, double *first, double *last)
{
  uint64_t step = 0;
  for (size_t round = 0; round < rounds; round++) {
    double sum = 0.0;
    for (size_t i = 0; i < ls_loader_steps(bench->loader); i++) {
      ls_step request = {.loader = bench->loader, .epoch_step = i, .lr = 0.01, .optimizer_step = ++step};
      ls_step_result result;
      assert_ok(ls_engine_step(bench->engine, &request, &result));
      sum += result.loss;
    }
    if (round == 0) *first = sum / 100;
    *last = sum / 100;
  }
}

static void steps_learn_and_allocate_nothing(void **state)
{
  for (size_t threads = 1; threads <= 2; threads++) {
    step_bench bench;
    bench_make(&bench, *state, threads);
    double first = 0.0, last = 0.0, ignored = 0.0;
    run_steps(&bench, 1, &first, &last); /* OpenMP starts its threads, MPI its connections */
    size_t before = allocations;
    assert_true(!COUNTS_ALLOCATIONS || before > 100);
    run_steps(&bench, 60, &ignored, &last);
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
    bench_make(&one, *state, 1);
    bench_make(&two, *state, threads);
    run_steps(&one, 3, &ignored, &ignored);
    run_steps(&two, 3, &ignored, &ignored);
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
