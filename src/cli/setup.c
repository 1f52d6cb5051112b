/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes a checked model from the command line's CONFIG.yaml [key.path=value ...]. */
#include "cli/setup.h"

#include <argp.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/run_dir.h"
#include "cli/setup_checks.h"
#include "config/config.h"
#include "data/augment/augment.h"
#include "data/collective.h"
#include "data/normalize.h"
#include "data/plan.h"
#include "data/readers/memory.h"
#include "data/split.h"
#include "data/readers/stated.h"
#include "eval/foreign.h"
#include "nn/loss.h"
#include "optim/schedule.h"
#include "train/schemas.h"

enum {
  SMALL_REST = 16 /* a last batch below this part of a whole one is worth a warning */
};

ls_status ls_setup_arguments_init(ls_setup_arguments *arguments, size_t most)
{
  *arguments = (ls_setup_arguments){.config = NULL};
  return ls_alloc(&arguments->overrides, most, sizeof *arguments->overrides, "the overrides");
}

void ls_setup_arguments_fini(ls_setup_arguments *arguments)
{
  free(arguments->overrides);
  free(arguments->own_config);
}

/* key.path=value, whatever the value; but a folder of a configuration file may have a '=' in its name. */
static bool is_override(const char *value)
{
  return ls_config_is_override(value) || (strchr(value, '=') && fnmatch("*.y*ml", value, 0) != 0);
}

int ls_setup_parse(ls_setup_arguments *arguments, const char *value, struct argp_state *state)
{
  if (!arguments->config && !(arguments->may_lack_config && is_override(value))) {
    arguments->config = value;
  } else if (strchr(value, '=')) {
    arguments->overrides[arguments->override_count++] = value;
  } else {
    argp_error(state, "'%s' is no override: expected key.path=value, such as train.epochs=5", value);
    return EINVAL;
  }
  return 0;
}

int ls_setup_check(const ls_setup_arguments *arguments, struct argp_state *state)
{
  if (arguments->config || arguments->may_lack_config) return 0;
  argp_error(state, "no configuration given: configs/ holds some to start from");
  return EINVAL;
}

ls_status ls_setup_read(ls_setup *setup, ls_comm *comm, const ls_setup_arguments *arguments)
{
  LS_ROOT(comm, ls_config_file_read(arguments->config, &setup->text));
  return ls_comm_broadcast_text(comm, &setup->text);
}

ls_status ls_setup_find_beside(ls_setup_arguments *arguments, ls_comm *comm)
{
  LS_PASS(ls_foreign_find_shared(&arguments->own_config, comm, arguments->config));
  if (arguments->own_config) arguments->config = arguments->own_config;
  return LS_OK;
}

/* Rank 0. */
static ls_status read_own(const char *run_path, char **text, char **source)
{
  ls_text notes = {0}, word = {0};
  ls_status status = ls_run_dir_config(run_path, text, source, &notes);
  ls_warn_each("", &notes);
  ls_text_fini(&notes);
  if (status != LS_OK || *text) return status;
  ls_text_show_word(&word, run_path);
  status = ls_fail(
      LS_E_INPUT,
      "there is no run in '%s' to go on with, neither a checkpoint nor config.yaml; a new one takes a "
      "configuration: lockstep train CONFIG.yaml -o %s",
      run_path, ls_text_get(&word));
  ls_text_fini(&word);
  return status;
}

ls_status ls_setup_read_own(ls_setup *setup, ls_comm *comm, ls_setup_arguments *arguments,
                            const char *run_path)
{
  LS_ROOT(comm, read_own(run_path, &setup->text, &arguments->own_config));
  LS_PASS(ls_comm_broadcast_text(comm, &setup->text));
  LS_PASS(ls_comm_broadcast_text(comm, &arguments->own_config));
  arguments->config = arguments->own_config;
  return LS_OK;
}

ls_status ls_setup_parse_config(ls_setup *setup, const ls_setup_arguments *arguments)
{
  LS_PASS(ls_config_parse(&setup->spec, setup->text, arguments->config, arguments->overrides,
                          arguments->override_count, &ls_all_schemas));
  ls_text yaml = {0};
  ls_config_emit(setup->spec, &yaml);
  return ls_text_take(&yaml, &setup->resolved);
}

/* Does the configuration train one network? */
static ls_status check_single(const ls_setup *setup, const char *command)
{
  const size_t members = setup->spec->ensemble.members;
  if (members <= 1) return LS_OK;
  return ls_fail(
      LS_E_CONFIG,
      "ensemble.members: %zu, but %s measures the training of one network; give ensemble.members=0, or train "
      "the ensemble by `lockstep train`",
      members, command);
}

/* The classes that the layers distinguish. */
static ls_status count_classes(const ls_spec *spec, ls_shape shape, size_t *classes)
{
  ls_model *model;
  LS_PASS(ls_model_new(&model, &spec->model.layers, &(ls_model_options){.in = shape, .microbatch = 1}));
  *classes = ls_model_classes(model);
  ls_model_free(model);
  return LS_OK;
}

/* Images of the stated shape for two batches, all of them to train on. */
static ls_status make_up_data(ls_setup *setup)
{
  ls_spec *spec = setup->spec;
  const size_t *shape = spec->data.shape.items;
  ls_dataset_info like = {
      .name = "made-up images", .channels = shape[0], .height = shape[1], .width = shape[2]};
  LS_PASS(ls_normalization_check(&spec->data, like.channels));
  LS_PASS(count_classes(spec, (ls_shape){.c = shape[0], .h = shape[1], .w = shape[2]}, &like.classes));
  spec->data.validation = (ls_amount){.count = 0};
  spec->data.per_class = 0;
  spec->data.fraction = 1;
  return ls_memory_made_up(&setup->source, &like, 2 * spec->train.batch);
}

/* Collective. */
static ls_status open_data(ls_setup *setup, ls_comm *comm)
{
  if (setup->makes_up_data) LS_AGREE(comm, make_up_data(setup));
  if (setup->makes_up_data) return ls_stated_apply(setup->source, comm, &setup->spec->data);
  const ls_reading reading = ls_reading_of(&setup->spec->data);
  LS_TRY(ls_source_open_collective(&setup->source, comm, setup->spec->data.source, &reading), "data.source");
  LS_PASS(ls_source_check_same(setup->source, comm));
  return ls_stated_apply(setup->source, comm, &setup->spec->data);
}

/* Does the validation split leave samples to train on? Checked here, before a run directory is made, and also
 * without a run. A step cannot have more samples than there are. */
static ls_status check_split(ls_setup *setup)
{
  const ls_dataset_info *data = ls_source_info(setup->source);
  const ls_holdout_labels from = {.labels = ls_source_labels(setup->source, LS_SPLIT_TRAIN),
                                  .count = data->count[LS_SPLIT_TRAIN],
                                  .classes = data->classes};
  ls_holdout holdout;
  LS_TRY(ls_holdout_plan(&holdout, &from, setup->spec->seed, &setup->spec->data), "dataset '%s'", data->name);
  setup->train_samples = ls_holdout_train_count(&holdout);
  ls_holdout_fini(&holdout);
  setup->wanted_batch = setup->spec->train.batch;
  ls_config_limit_batch(&setup->spec->train, setup->train_samples);
  return LS_OK;
}

static ls_status build_model(ls_setup *setup)
{
  const ls_dataset_info *data = ls_source_info(setup->source);
  const ls_model_options options = {.in = {.c = data->channels, .h = data->height, .w = data->width},
                                    .microbatch = setup->spec->train.microbatch,
                                    .classes = data->classes,
                                    .labels = ls_loss_of(&setup->spec->train.loss).kind->labels,
                                    .input_gradient = setup->spec->train.adversarial.method.schema != NULL,
                                    .freeze = &setup->spec->model.freeze};
  LS_PASS(ls_model_new(&setup->model, &setup->spec->model.layers, &options));
  const ls_model_counts *counts = ls_model_count(setup->model);
  if (counts->grads > 0 || counts->params == 0) return LS_OK;
  return ls_fail(LS_E_CONFIG, "model.freeze: every layer with weights is frozen: none is left to train");
}

/* Collective. */
static ls_status open_checked(ls_setup *setup, ls_comm *comm)
{
  LS_PASS(open_data(setup, comm));
  LS_AGREE(comm, ls_setup_check_labels(setup->spec, setup->source));
  return ls_comm_agree(comm, check_split(setup));
}

ls_status ls_setup_prepare(ls_setup *setup, ls_comm *comm, const ls_placement *placement)
{
  LS_PASS(
      ls_comm_same(comm, setup->resolved, "the configuration with every key written out is", LS_E_CONFIG));
  if (placement)
    setup->placement = *placement;
  else
    LS_PASS(ls_placement_find(comm, &setup->placement));
  const char *before = ls_activity_enter(ls_comm_activity(comm), "opening the data");
  const ls_status status = open_checked(setup, comm);
  ls_activity_enter(ls_comm_activity(comm), before);
  LS_PASS(status);
  LS_AGREE(comm, build_model(setup));
  LS_AGREE(comm, ls_setup_check_statistics(&setup->spec->train, setup->model, setup->train_samples));
  return LS_OK;
}

void ls_setup_fini(ls_setup *setup)
{
  free(setup->text);
  ls_spec_free(setup->spec);
  free(setup->resolved);
  ls_source_close(setup->source);
  ls_model_free(setup->model);
}

ls_status ls_setup_warn_placement(const ls_placement *placement, ls_comm *comm)
{
  ls_placement *placements;
  LS_PASS(ls_placement_gather(comm, placement, &placements));
  if (ls_comm_rank(comm) != 0) return LS_OK;
  ls_text lines = {0};
  ls_placement_warnings(placements, (size_t)ls_comm_size(comm), &lines);
  ls_warn_each("", &lines);
  ls_text_fini(&lines);
  free(placements);
  return LS_OK;
}

ls_status ls_setup_warn_idle(const ls_setup *setup, ls_comm *comm)
{
  const ls_spec_train *train = &setup->spec->train;
  const size_t microbatches = ls_size_ceil_div(train->batch, train->microbatch);
  uint64_t threads = setup->placement.threads;
  LS_PASS(ls_comm_sum_u64(comm, &threads, 1));
  if (ls_comm_rank(comm) == 0 && microbatches < threads)
    ls_warn("train.batch %zu makes %zu micro-batch%s of at most %zu, fewer than the %zu threads: some stay "
            "idle; lower train.microbatch or raise train.batch",
            train->batch, microbatches, microbatches == 1 ? "" : "es", train->microbatch, (size_t)threads);
  return LS_OK;
}

/* "member 3: "; nothing for 0. */
static const char *name_member(size_t member, char name[32])
{
  name[0] = '\0';
  if (member > 0) snprintf(name, 32, "member %zu: ", member);
  return name;
}

/* Checks that need the data or a schedule. */
static void note_limits(const ls_setup *setup, ls_text *lines)
{
  const ls_spec_train *train = &setup->spec->train;
  const ls_dataset_info *data = ls_source_info(setup->source);
  const double warmup = ls_schedule_warmup(&train->schedule);
  if (setup->wanted_batch > setup->train_samples)
    ls_text_add(lines,
                "train.batch: %zu, but there are only %zu training samples: each step takes all of them\n",
                setup->wanted_batch, setup->train_samples);
  if (train->epochs > 0 && warmup > 0 && warmup >= (double)train->epochs)
    ls_text_add(lines, "train.schedule.warmup_epochs: %g, but train.epochs is %zu: the whole run warms up\n",
                warmup, train->epochs);
  ls_augment_note(&setup->spec->data.augment, data->height, data->width, lines);
}

void ls_setup_note_settings(const ls_setup *setup, size_t member, FILE *stream)
{
  char whose[32];
  ls_text lines = {0};
  note_limits(setup, &lines);
  ls_config_notes(setup->spec, &lines);
  ls_print_each(stream, name_member(member, whose), &lines);
  ls_text_fini(&lines);
}

void ls_setup_warn_rest(const ls_setup *setup, size_t member)
{
  const size_t batch = setup->spec->train.batch;
  const size_t rest = setup->train_samples % batch;
  if (rest == 0 || rest * SMALL_REST >= batch) return;
  size_t better = batch - 1;
  while (setup->train_samples % better != 0 && 2 * (setup->train_samples % better) < better) better--;
  char whose[32];
  ls_warn(
      "%sthe last batch of an epoch has %zu sample%s instead of %zu, and its mean gradient counts as much "
      "as any: it can undo what the epoch has learned; try train.batch=%zu",
      name_member(member, whose), rest, ls_plural(rest), batch, better);
}

ls_status ls_setup_warn_data(const ls_setup *setup, size_t member)
{
  const ls_dataset_info *data = ls_source_info(setup->source);
  char whose[32];
  ls_text classes = {0};
  ls_warn_each(name_member(member, whose), ls_source_notes(setup->source));
  LS_PASS(ls_source_empty_classes(setup->source, LS_SPLIT_TRAIN, &classes));
  if (classes.length > 0)
    ls_warn("%sdataset '%s' has no training samples of %s %s: labels go from 0 to %zu%s",
            name_member(member, whose), data->name, data->labels == LS_LABELS_CLASS ? "class" : "label",
            ls_text_get(&classes), data->classes - 1,
            data->first_label > 0 ? " when the first is counted as 0" : "");
  const bool failed = classes.failed;
  ls_text_fini(&classes);
  return failed ? ls_fail(LS_E_MEMORY, "no memory for the classes") : LS_OK;
}

void ls_setup_report_data(const ls_setup *setup)
{
  const ls_dataset_info *data = ls_source_info(setup->source);
  const ls_dataset_info *files = ls_source_info(ls_source_original(setup->source));
  ls_print(stdout, "%s: %zux%zux%zu, %zu %s, %zu training and %zu test samples (%s%s", data->name,
           data->channels, data->height, data->width, data->classes, ls_label_nouns[data->labels],
           data->count[LS_SPLIT_TRAIN], data->count[LS_SPLIT_TEST], data->format,
           data->is_transposed ? ", by columns" : "");
  if (files != data) ls_print(stdout, ", from %zux%zux%zu", files->channels, files->height, files->width);
  ls_print(stdout, ")\n");
}

ls_status ls_setup_single(ls_setup *setup, ls_comm *comm, const ls_setup_arguments *arguments,
                          ls_watch *watch, const char *command, FILE *notes)
{
  LS_PASS(ls_setup_read(setup, comm, arguments));
  LS_AGREE(comm, ls_setup_parse_config(setup, arguments));
  LS_AGREE(comm, check_single(setup, command));
  setup->makes_up_data = setup->spec->data.shape.word < 0;
  LS_PASS(ls_watch_begin(watch, comm, &setup->spec->train));
  LS_PASS(ls_setup_prepare(setup, comm, NULL));
  LS_PASS(ls_setup_warn_placement(&setup->placement, comm));
  LS_PASS(ls_setup_warn_idle(setup, comm));
  if (ls_comm_rank(comm) > 0) return LS_OK;
  ls_warn_each("", ls_source_notes(setup->source));
  if (setup->makes_up_data)
    ls_print(notes, "data.shape is given: images are made up, as %s needs no others\n", command);
  ls_setup_note_settings(setup, 0, notes);
  return LS_OK;
}
