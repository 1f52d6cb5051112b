/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkpoints (src/store), and the networks that are built from them (src/eval/loaded.c). Input: what becomes
 * of the seal, then edits (h5_edit.h) to a checkpoint that our own writer made. The file is sealed again
 * after the edits: else no edit would get past the digest. */
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "eval/loaded.h"
#include "eval/loading.h"
#include "fuzz/h5_edit.h"
#include "nn/model.h"
#include "store/checkpoint.h"
#include "h5/seal.h"
#include "train/schemas.h"

enum { SEAL_BROKEN = 1, SEAL_REMOVED = 2, SEAL_WAYS = 16, MICROBATCH = 2, CLASSES = 3 };

static const char path[] = "run/checkpoint-1.h5";
static char config[] = "name: fuzz\n"
                       "data: {source: mnist}\n"
                       "model:\n"
                       "  layers:\n"
                       "    - {type: conv, name: conv1, filters: 2, kernel: 3}\n"
                       "    - {type: batchnorm, name: bn1}\n"
                       "    - {type: flatten}\n"
                       "    - {type: dense, name: fc, units: 3}\n"
                       "train: {microbatch: 2, optimizer: {type: adam}}\n";
static unsigned char *base;
static size_t base_bytes;
static ls_spec *spec;
static ls_model *model;
static ls_network network;
static float *moments[2];

static ls_state state_of_run(void)
{
  return (ls_state){.model = model,
                    .params = network.params,
                    .buffers = network.buffers,
                    .slots = {{.name = "exp_avg", .data = moments[0]},
                              {.name = "exp_avg_sq", .data = moments[1], .is_squares = true}},
                    .slot_count = 2};
}

static void write_base(void)
{
  static char names[] = "a\nb\nc";
  const ls_epoch_metrics row = {.epoch = 1, .step = 2, .loss = 0.5};
  const ls_checkpoint_info info = {.config = config,
                                   .channels = 1,
                                   .height = 4,
                                   .width = 4,
                                   .classes = CLASSES,
                                   .class_names = names,
                                   .dataset = "mnist",
                                   .mean = {33.3},
                                   .deviation = {78.5}};
  ls_state state = state_of_run();
  state.optimizer_step = 2;
  fuzz_must(ls_history_add(&state.train, &row));
  fuzz_must(ls_history_add(&state.validation, &row));
  fuzz_must(ls_checkpoint_write(path, &info, &state));
  ls_history_fini(&state.train);
  ls_history_fini(&state.validation);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
  (void)count, (void)arguments;
  const ls_normalization normalization = {.channels = 1, .mean = {33.3}, .deviation = {78.5}};
  mkdir("run", 0777);
  fuzz_must(ls_config_parse(&spec, config, "c.yaml", NULL, 0, &ls_all_schemas));
  const ls_model_options options = {.in = {1, 4, 4}, .microbatch = MICROBATCH, .classes = CLASSES};
  fuzz_must(ls_model_new(&model, &spec->model.layers, &options));
  fuzz_must(ls_network_init(&network, model, &normalization));
  for (size_t i = 0; i < 2; i++) moments[i] = calloc(ls_model_count(model)->params, sizeof *moments[i]);
  ls_model_init(model, 1, network.params, network.buffers);
  write_base();
  base = fuzz_read(path, &base_bytes);
  return 0;
}

static void seal(unsigned way)
{
  size_t bytes;
  unsigned char *file = fuzz_read(path, &bytes);
  const size_t skipped = way == SEAL_REMOVED ? LS_SEAL_BYTES : 0;
  if (way > SEAL_REMOVED || way == 0) ls_seal_set(file, bytes);
  fuzz_write(path, file + skipped, bytes - skipped);
  free(file);
}

/* Every way in which the program reads a checkpoint: to resume, to find the newest, to evaluate, to show. */
static void read_all(void)
{
  ls_state state = state_of_run();
  ls_text text = {0}, damaged = {0};
  ls_loaded loaded;
  ls_directory run_dir;
  char *newest;
  (void)fuzz_accepted(ls_checkpoint_read(path, &state));
  ls_history_fini(&state.train);
  ls_history_fini(&state.validation);
  fuzz_must(ls_directory_open(&run_dir, "run"));
  fuzz_must(ls_checkpoint_newest(&run_dir, &newest, &damaged));
  ls_directory_close(&run_dir);
  if (fuzz_accepted(ls_loaded_read(&loaded, path, &ls_all_schemas))) ls_loaded_close(&loaded);
  (void)fuzz_accepted(ls_inspect(path, &text));
  ls_text_fini(&text);
  ls_text_fini(&damaged);
  free(newest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
  fuzz_bytes in = {data, bytes};
  unsigned way = fuzz_byte(&in) % SEAL_WAYS;
  fuzz_write(path, base, base_bytes);
  fuzz_h5_edit_file(path, in);
  seal(way);
  read_all();
  return 0;
}
