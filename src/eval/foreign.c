/* SPDX-License-Identifier: BSD-3-Clause */
/* What a checkpoint says of its data, a configuration may say itself: with data.shape and a normalization
 * that needs no samples no dataset is opened. */
#include "eval/foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "config/config.h"
#include "data/normalize.h"
#include "data/collective.h"
#include "data/readers/stated.h"
#include "store/foreign/foreign.h"
#include "store/transfer.h"

enum { CONFIG_LIMIT_BYTES = 1 << 20 };

static const char *const endings[] = {".yaml", ".yml"}; /* of configurations */
enum { ENDINGS = sizeof endings / sizeof *endings };

/* ---- which configuration ---- */

static bool is_config(const char *path)
{
  for (size_t i = 0; i < ENDINGS; i++)
    if (ls_text_ends(path, endings[i])) return true;
  return false;
}

/* Is there a file? An error in finding out is left to the call that opens it. */
static bool is_file(const char *path)
{
  ls_file_kind kind;
  return ls_file_look(&kind, path) == LS_OK && kind == LS_FILE_REGULAR;
}

/* The path of the file in FILE or FILE#KEY; NULL: there is none. */
static ls_status find_file(const char *path, char **file)
{
  char *mark;
  LS_PASS(ls_text_copy(file, path));
  if (is_file(*file)) return LS_OK;
  mark = strrchr(*file, '#');
  if (mark) *mark = '\0';
  if (mark && is_file(*file)) return LS_OK;
  free(*file);
  *file = NULL;
  return LS_OK;
}

/* A path with another ending. */
static ls_status put_ending(const char *path, const char *ending, char **out)
{
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
  ls_text text = {0};
  ls_text_add_bytes(&text, path, dot && dot > name ? (size_t)(dot - path) : strlen(path));
  ls_text_add(&text, "%s", ending);
  return ls_text_take(&text, out);
}

/* The configuration beside a file; NULL: there is none. */
static ls_status find_beside(const char *file, char **config)
{
  for (size_t i = 0; i < ENDINGS; i++) {
    LS_PASS(put_ending(file, endings[i], config));
    if (is_file(*config)) return LS_OK;
    free(*config);
    *config = NULL;
  }
  return LS_OK;
}

static ls_status fail_alone(const char *file)
{
  char *wanted;
  LS_PASS(put_ending(file, endings[0], &wanted));
  const ls_status status =
      ls_fail(LS_E_INPUT,
              "'%s' holds weights, and not what network they are of: put its configuration beside it, '%s'",
              file, wanted);
  free(wanted);
  return status;
}

/* A checkpoint is known by what it holds, whatever lies beside it. */
static ls_status is_checkpoint(const char *path, bool *yes)
{
  ls_checkpoint_info info = {.config = NULL};
  const ls_status status = ls_checkpoint_read_info(path, &info);
  ls_checkpoint_info_fini(&info);
  *yes = status == LS_OK;
  return status == LS_E_INPUT ? LS_OK : status;
}

static ls_status find_config(const char *file, char **config)
{
  if (is_config(file)) return ls_text_copy(config, file);
  LS_PASS(find_beside(file, config));
  if (!*config) return ls_foreign_is_named(file) ? fail_alone(file) : LS_OK;
  bool yes;
  const ls_status status = is_checkpoint(file, &yes);
  if (status == LS_OK && !yes) return LS_OK;
  free(*config);
  *config = NULL;
  return status;
}

ls_status ls_foreign_find(const char *path, char **config)
{
  char *file;
  *config = NULL;
  LS_PASS(find_file(path, &file));
  const ls_status status = file ? find_config(file, config) : LS_OK;
  free(file);
  return status;
}

ls_status ls_foreign_find_shared(char **config, ls_comm *comm, const char *path)
{
  *config = NULL;
  LS_ROOT(comm, ls_foreign_find(path, config));
  bool is_found = *config != NULL;
  LS_PASS(ls_comm_broadcast(comm, &is_found, sizeof is_found));
  return is_found ? ls_comm_broadcast_text(comm, config) : LS_OK;
}

/* ---- the network ---- */

/* Without a communicator the status is this process's own. */
static ls_status agree(ls_comm *comm, ls_status status)
{
  return comm ? ls_comm_agree(comm, status) : status;
}

static bool is_root(const ls_comm *comm)
{
  return !comm || ls_comm_rank(comm) == 0;
}

static ls_status read_text(const char *path, char **text)
{
  size_t length;
  LS_PASS(ls_file_read(path, CONFIG_LIMIT_BYTES, text, &length));
  if (strlen(*text) == length) return LS_OK;
  return ls_fail(LS_E_CONFIG, "'%s' holds a zero byte: not a text file", path);
}

/* The configuration, whose model.init_from becomes the weight file that was given. Local. */
static ls_status parse(ls_loaded *out, const char *text, const char *path, const char *config,
                       const ls_schemas *schemas)
{
  LS_PASS(ls_config_parse(&out->spec, text, config, NULL, 0, schemas));
  char **from = &out->spec->model.init_from;
  if (strcmp(path, config) == 0 && !ls_spec_init_from(out->spec))
    return ls_fail(LS_E_INPUT,
                   "'%s' is a configuration without weights: give a checkpoint, or let "
                   "model.init_from name a weight file",
                   config);
  if (strcmp(path, config) != 0) {
    free(*from);
    *from = NULL;
    LS_PASS(ls_text_copy(from, path));
  }
  ls_text yaml = {0};
  ls_config_emit(out->spec, &yaml);
  return ls_text_take(&yaml, &out->info.config);
}

static bool needs_data(const ls_spec_data *data)
{
  return data->shape.word >= 0 || ls_normalization_needs_samples(data);
}

/* The shape that the configuration gives, and the dataset's name. */
static void take_given(ls_checkpoint_info *info, const ls_spec_data *data)
{
  const char *slash = strrchr(data->source, '/');
  info->channels = data->shape.items[0];
  info->height = data->shape.items[1];
  info->width = data->shape.items[2];
  info->classes = data->classes;
  snprintf(info->dataset, sizeof info->dataset, "%s", slash ? slash + 1 : data->source);
  if (data->picture != LS_PICTURE_AUTO)
    snprintf(info->picture, sizeof info->picture, "%s", ls_picture_words[data->picture]);
}

/* What the dataset says. Local. */
static ls_status take_dataset(ls_checkpoint_info *info, const ls_spec_data *data,
                              const ls_dataset_info *dataset)
{
  const ls_picture_kind picture =
      data->picture != LS_PICTURE_AUTO ? (ls_picture_kind)data->picture : dataset->picture;
  info->channels = dataset->channels;
  info->height = dataset->height;
  info->width = dataset->width;
  info->classes = dataset->classes;
  snprintf(info->dataset, sizeof info->dataset, "%s", dataset->name);
  if (picture != LS_PICTURE_AUTO)
    snprintf(info->picture, sizeof info->picture, "%s", ls_picture_words[picture]);
  return ls_class_names_join(dataset, &info->class_names);
}

static ls_status open_source(ls_source **source, ls_comm *comm, const ls_spec_data *data)
{
  const ls_reading reading = ls_reading_of(data);
  if (!comm)
    return ls_fail(LS_E_CONFIG,
                   "the configuration gives no data.shape, or no data.normalize that does without "
                   "a dataset, such as {mean: [0.5], deviation: [0.5]}");
  LS_TRY(ls_source_open_collective(source, comm, data->source, &reading),
         "data.source (with data.shape and a data.normalize other than standard no dataset is needed)");
  LS_PASS(ls_source_check_same(*source, comm));
  return ls_stated_apply(*source, comm, data);
}

/* Mean and deviation. */
static ls_status find_normalization(ls_normalization *out, ls_comm *comm, ls_source *source,
                                    ls_loaded *loaded)
{
  const ls_spec *spec = loaded->spec;
  ls_loader *loader = NULL;
  if (!ls_normalization_needs_samples(&spec->data))
    return agree(comm, ls_normalization_find(out, NULL, NULL, &spec->data, loaded->info.channels));
  const ls_loader_options options = {.data = &spec->data,
                                     .seed = spec->seed,
                                     .batch = spec->train.batch,
                                     .microbatch = spec->train.microbatch};
  LS_PASS(ls_loader_new(&loader, comm, source, &options));
  const ls_status status = ls_normalization_find(out, comm, loader, &spec->data, loaded->info.channels);
  ls_loader_free(loader);
  if (is_root(comm))
    ls_text_show(
        &loaded->notes,
        "%s: data.normalize: standard takes mean and deviation of the training split of '%s'; weights "
        "want those that they were trained with\n",
        loaded->path, loaded->info.dataset);
  return status;
}

/* Shape, classes and normalization. Collective. */
static ls_status describe(ls_loaded *out, ls_comm *comm)
{
  ls_source *source = NULL;
  ls_normalization normalization;
  const ls_spec_data *data = &out->spec->data;
  ls_status status;
  take_given(&out->info, data);
  if (needs_data(data)) {
    LS_GO(open_source(&source, comm, data));
    LS_GO(ls_comm_agree(comm, take_dataset(&out->info, data, ls_source_info(source))));
  }
  LS_GO(find_normalization(&normalization, comm, source, out));
  for (size_t c = 0; c < out->info.channels; c++) {
    out->info.mean[c] = normalization.mean[c];
    out->info.deviation[c] = normalization.deviation[c];
  }
done:
  ls_source_close(source);
  return status;
}

/* Load the weights: all of them, since those that are not in the file would be random. Rank 0. */
static ls_status read_weights(ls_loaded *out)
{
  ls_network *network = &out->network;
  ls_transfer_report report = {.lines = {0}};
  const ls_transfer_source source = {
      .path = out->spec->model.init_from, .renames = &out->spec->model.rename, .as_it_is = true};
  ls_status status = ls_transfer_read(&source, out->model, network->params, network->buffers, &report);
  if (status == LS_OK && report.lacking.length > 0)
    status = ls_fail(LS_E_INPUT, "'%s' lacks weights of the configured network: %s", source.path,
                     ls_text_get(&report.lacking));
  if (status == LS_OK) {
    memcpy(out->info.init_digest, report.digest, sizeof out->info.init_digest);
    ls_weights_digest(out->model, network->params, network->buffers, out->info.weights_digest);
  }
  ls_transfer_report_fini(&report);
  return status;
}

/* Give all ranks what rank 0 has read. */
static ls_status share_weights(ls_loaded *out, ls_comm *comm)
{
  const ls_model_counts *counts = ls_model_count(out->model);
  if (!comm) return LS_OK;
  LS_PASS(ls_comm_broadcast(comm, out->network.params, counts->params * sizeof(float)));
  LS_PASS(ls_comm_broadcast(comm, out->network.buffers, counts->buffers * sizeof(float)));
  LS_PASS(ls_comm_broadcast(comm, out->info.init_digest, sizeof out->info.init_digest));
  return ls_comm_broadcast(comm, out->info.weights_digest, sizeof out->info.weights_digest);
}

static ls_status read_config(ls_loaded *out, ls_comm *comm, const char *path, const char *config,
                             const ls_schemas *schemas)
{
  char *text = NULL;
  ls_status status;
  LS_GO(agree(comm, is_root(comm) ? read_text(config, &text) : LS_OK));
  if (comm) LS_GO(ls_comm_broadcast_text(comm, &text));
  LS_GO(agree(comm, parse(out, text, path, config, schemas)));
  LS_GO(agree(comm, ls_text_copy(&out->path, path)));
done:
  free(text);
  return status;
}

/* The stated names of classes, if there are any, instead of the dataset's. Collective. */
static ls_status take_names(ls_loaded *out, ls_comm *comm)
{
  char *names;
  LS_PASS(ls_stated_names(&names, comm, &out->spec->data, out->info.classes));
  if (!names) return LS_OK;
  free(out->info.class_names);
  out->info.class_names = names;
  return LS_OK;
}

ls_status ls_foreign_open(ls_loaded *out, ls_comm *comm, const char *path, const char *config,
                          const ls_schemas *schemas, bool input_gradient)
{
  LS_PASS(read_config(out, comm, path, config, schemas));
  LS_PASS(describe(out, comm));
  LS_PASS(agree(comm, ls_loaded_build(out, input_gradient)));
  LS_PASS(take_names(out, comm));
  LS_PASS(agree(comm, is_root(comm) ? read_weights(out) : LS_OK));
  LS_PASS(share_weights(out, comm));
  ls_model_pack(out->model, out->network.params, out->network.packed, 0, 1);
  return LS_OK;
}
