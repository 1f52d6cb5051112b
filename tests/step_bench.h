/* SPDX-License-Identifier: BSD-3-Clause */
/* Training steps of a small net with most kinds of layers, with sizes that nothing divides. */
#ifndef LS_TESTS_STEP_BENCH_H
#define LS_TESTS_STEP_BENCH_H

#include "config/config.h"
#include "idx_folder.h"
#include "parallel/mpi_main.h"
#include "train/engine.h"
#include "train/schemas.h"

static const char *const bench_config = "name: step\n"
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

typedef struct bench_options {
  ls_comm *comm;
  size_t threads, node_ranks;
  const char *reduction; /* NULL: the default */
  const char *allreduce; /* likewise */
  bool bfloat16;         /* between hosts */
  double bucket_mb;      /* 0: everything is sent at the end */
} bench_options;

/* Collective; every rank has a folder of its own. */
static inline void bench_make(step_bench *bench, bench_options options)
{
  ls_comm *comm = options.comm;
  char reduction[64], allreduce[64];
  snprintf(reduction, sizeof reduction, "train.reduction=%s", options.reduction ? options.reduction : "fast");
  snprintf(allreduce, sizeof allreduce, "train.allreduce=%s", options.allreduce ? options.allreduce : "auto");
  const char *const overrides[] = {reduction, allreduce};
  idx_folder_make(&bench->folder, 12, 100, 0);
  assert_ok(ls_config_parse(&bench->spec, bench_config, "config", overrides, 2, &ls_all_schemas));
  bench->spec->train.bucket_mb = options.bucket_mb;
  bench->spec->train.allreduce_dtype = options.bfloat16 ? LS_DTYPE_BFLOAT16 : LS_DTYPE_FLOAT32;
  assert_ok(ls_source_open(&bench->source, bench->folder.path, 0));
  const ls_spec_train *train = &bench->spec->train;
  const ls_model_options shape = {
      .in = {.c = 1, .h = 12, .w = 12}, .microbatch = train->microbatch, .classes = IDX_CLASSES};
  assert_ok(ls_model_new(&bench->model, &bench->spec->model.layers, &shape));
  ls_loader_options loader = {
      .data = &bench->spec->data, .seed = 1, .batch = train->batch, .microbatch = train->microbatch};
  assert_ok(ls_loader_new(&bench->loader, comm, bench->source, &loader));
  ls_normalization unit = {.channels = 1, .mean = {0.0}, .deviation = {255.0}};
  assert_ok(ls_network_init(&bench->network, bench->model, &unit));
  bench->network.loss = ls_loss_of(&train->loss);
  ls_model_init(bench->model, 1, bench->network.params, bench->network.buffers);
  ls_engine_options engine = {.comm = comm,
                              .network = &bench->network,
                              .train = train,
                              .augment = &bench->spec->data.augment,
                              .seed = 1,
                              .threads = options.threads,
                              .node_ranks = options.node_ranks};
  assert_ok(ls_engine_new(&bench->engine, &engine));
  ls_engine_pack(bench->engine, &bench->network);
  assert_ok(ls_loader_epoch(bench->loader, 0, true));
}

static inline void bench_free(step_bench *bench)
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
static inline void bench_run(const step_bench *bench, size_t rounds, double *first, double *last)
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

#endif
