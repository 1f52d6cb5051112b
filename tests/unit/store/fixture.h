/* SPDX-License-Identifier: BSD-3-Clause */
/* A small model with every sort of tensor, and a run state around it. The few ls_model_* functions that the
 * store calls are defined here, so that a test may give a model whatever tensors it needs. */
#ifndef LS_TESTS_UNIT_STORE_FIXTURE_H
#define LS_TESTS_UNIT_STORE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/checkpoint.h"

enum { FIXTURE_MAX_TENSORS = 8, FIXTURE_FLOATS = 512 };

struct ls_model {
  ls_tensor params[FIXTURE_MAX_TENSORS], buffers[FIXTURE_MAX_TENSORS];
  size_t param_count, buffer_count;
};

const ls_tensor *ls_model_params(const ls_model *model, size_t *count)
{
  *count = model->param_count;
  return model->params;
}

const ls_tensor *ls_model_buffers(const ls_model *model, size_t *count)
{
  *count = model->buffer_count;
  return model->buffers;
}

/* A run: model, vectors, state, and a folder of its own. */
typedef struct fixture {
  ls_model model;
  float params[FIXTURE_FLOATS], buffers[FIXTURE_FLOATS], slots[2][FIXTURE_FLOATS];
  ls_state state;
  ls_checkpoint_info info;
  char folder[64];
  ls_directory run_dir; /* that folder, open */
} fixture;

static inline void add_tensor(ls_tensor *list, size_t *count, const char *layer, const char *name,
                              const size_t dims[4])
{
  ls_tensor *tensor = &list[*count];
  size_t offset = *count > 0 ? tensor[-1].offset + tensor[-1].count : 0;
  *tensor = (ls_tensor){.offset = offset, .count = 1};
  snprintf(tensor->layer, sizeof tensor->layer, "%s", layer);
  snprintf(tensor->name, sizeof tensor->name, "%s", name);
  for (; tensor->dim_count < 4 && dims[tensor->dim_count] > 0; tensor->dim_count++) {
    tensor->dims[tensor->dim_count] = dims[tensor->dim_count];
    tensor->count *= dims[tensor->dim_count];
  }
  (*count)++;
}

static inline void add_param(ls_model *model, const char *layer, const char *name, const size_t dims[4])
{
  add_tensor(model->params, &model->param_count, layer, name, dims);
}

static inline void add_buffer(ls_model *model, const char *layer, const char *name, const size_t dims[4])
{
  add_tensor(model->buffers, &model->buffer_count, layer, name, dims);
}

static inline void fill(float *values, float start)
{
  for (size_t i = 0; i < FIXTURE_FLOATS; i++) values[i] = start + (float)i * 0x1.8p-7f;
}

static inline void point_state(fixture *f)
{
  f->state.model = &f->model;
  f->state.params = f->params;
  f->state.buffers = f->buffers;
  f->state.slot_count = 2;
  f->state.slots[0].name = "exp_avg";
  f->state.slots[0].data = f->slots[0];
  f->state.slots[1].name = "exp_avg_sq";
  f->state.slots[1].data = f->slots[1];
  f->state.slots[1].is_squares = true;
}

static inline void fill_progress(ls_progress *progress)
{
  *progress = (ls_progress){.epoch = 3,
                            .step = 700,
                            .epoch_step = 25,
                            .epoch_loss = 1.0 / 3,
                            .epoch_correct = 17,
                            .epoch_samples = 99,
                            .best_epoch = 2,
                            .best_metric = 0.0312,
                            .bad_epochs = 1,
                            .seconds = 12.5,
                            .epoch_seconds = 1.25};
}

/* Figures of three classes, all numbers different. */
static inline void set_figures(fixture *f)
{
  for (int split = 0; split < LS_METRICS_COUNT; split++) {
    ls_metrics *made;
    if (ls_metrics_make(&made, LS_LABELS_CLASS, 3) != LS_OK) abort();
    made->epoch = 2 + (uint64_t)split;
    made->samples = 10;
    made->correct = 7;
    made->loss = 0.5 + split;
    made->nll = 0.25 + split;
    made->accuracy = 0.7;
    made->brier = 0.25;
    made->ece = 0.125;
    made->macro = (ls_class_metrics){.precision = 0.1, .recall = 0.2, .f1 = 0.3};
    for (uint64_t k = 0; k < 3; k++)
      made->per_class[k] = (ls_class_metrics){.precision = 0.5 + (double)k,
                                              .recall = 1.5 + (double)k,
                                              .f1 = 2.5 + (double)k,
                                              .support = 3 + k,
                                              .predicted = 30 + k};
    for (uint64_t i = 0; i < 9; i++) made->confusion[i] = 100 * (uint64_t)split + i;
    ls_split_metrics_set(&f->state.split_metrics, (ls_metrics_split)split, made);
  }
}

/* A run in a new folder under /tmp. */
static inline fixture *fixture_new(void)
{
  static char config[] = "name: lenet5\nseed: 1\nmodel:\n  layers: []\n";
  static char names[] = "zero\none\ntwo";
  fixture *f = calloc(1, sizeof *f);
  if (!f) abort();
  add_param(&f->model, "conv1", "weight", (size_t[4]){6, 1, 5, 5});
  add_param(&f->model, "conv1", "bias", (size_t[4]){6});
  add_param(&f->model, "block1.bn1", "weight", (size_t[4]){6});
  add_param(&f->model, "block1.bn1", "bias", (size_t[4]){6});
  add_param(&f->model, "fc", "weight", (size_t[4]){3, 24});
  add_param(&f->model, "fc", "bias", (size_t[4]){3});
  add_buffer(&f->model, "block1.bn1", "running_mean", (size_t[4]){6});
  add_buffer(&f->model, "block1.bn1", "running_var", (size_t[4]){6});
  fill(f->params, -0.5f);
  fill(f->buffers, 100.0f);
  fill(f->slots[0], 10.125f);
  fill(f->slots[1], 20.0f);
  point_state(f);
  f->state.optimizer_step = 701;
  fill_progress(&f->state.progress);
  for (uint64_t epoch = 1; epoch <= 3; epoch++) {
    double x = (double)epoch;
    ls_epoch_metrics row = {.epoch = epoch,
                            .step = epoch * 225,
                            .loss = 1 / x,
                            .accuracy = 1 - 0.1 / x,
                            .learning_rate = 0.05,
                            .seconds = 4.25};
    if (ls_history_add(&f->state.train, &row) != LS_OK) abort();
    row.loss *= 2;
    row.learning_rate = 0;
    row.brier = 0.5 / x;
    row.macro_f1 = 0.75 / x;
    if (epoch > 1 && ls_history_add(&f->state.validation, &row) != LS_OK) abort();
  }
  set_figures(f);
  f->info = (ls_checkpoint_info){.config = config,
                                 .channels = 1,
                                 .height = 28,
                                 .width = 28,
                                 .classes = 3,
                                 .class_names = names,
                                 .dataset = "mnist",
                                 .mean = {33.3},
                                 .deviation = {78.5},
                                 .train_count = 60000,
                                 .labels_digest = "0123456789abcdef0123456789abcdef"};
  snprintf(f->folder, sizeof f->folder, "/tmp/ls_store_XXXXXX");
  if (!mkdtemp(f->folder) || ls_directory_open(&f->run_dir, f->folder) != LS_OK) abort();
  return f;
}

static inline void fixture_free(fixture *f)
{
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
  if (system(command) != 0) fprintf(stderr, "cannot remove %s\n", f->folder);
  ls_directory_close(&f->run_dir);
  ls_history_fini(&f->state.train);
  ls_history_fini(&f->state.validation);
  ls_split_metrics_fini(&f->state.split_metrics);
  free(f);
}

/* A state of the same model with nothing in it, to read into. */
static inline fixture *fixture_empty(const fixture *like)
{
  fixture *f = calloc(1, sizeof *f);
  if (!f) abort();
  f->model = like->model;
  point_state(f);
  return f;
}

static inline void fixture_empty_free(fixture *f)
{
  ls_history_fini(&f->state.train);
  ls_history_fini(&f->state.validation);
  ls_split_metrics_fini(&f->state.split_metrics);
  free(f);
}

/* <folder>/<name>; one at a time. */
static inline const char *path_in(const fixture *f, const char *name)
{
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", f->folder, name);
  return path;
}

/* Does the last error's text hold these words? Says so if it does not. */
static inline int error_has(const char *words)
{
  if (strstr(ls_error_last()->text, words)) return 1;
  fprintf(stderr, "expected '%s' in: %s\n", words, ls_error_last()->text);
  return 0;
}

/* Read a whole file; freed with free(). */
static inline unsigned char *slurp(const char *path, size_t *count)
{
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) abort();
  *count = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(*count + 1);
  if (!bytes || fread(bytes, 1, *count, file) != *count) abort();
  bytes[*count] = 0;
  fclose(file);
  return bytes;
}

/* A checkpoint as another program would write it: without the user block, and so without a seal. */
static inline unsigned char *slurp_unsealed(const char *path, size_t *count)
{
  unsigned char *bytes = slurp(path, count);
  assert_true(*count > 512);
  *count -= 512;
  memmove(bytes, bytes + 512, *count);
  return bytes;
}

static inline void spew(const char *path, const void *bytes, size_t count)
{
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) abort();
}

#endif
