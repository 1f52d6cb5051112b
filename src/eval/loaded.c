/* SPDX-License-Identifier: BSD-3-Clause */
/* The model and network of what was loaded, and how data and other networks fit it. */
#include "eval/loaded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/files/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "config/config.h"
#include "data/collective.h"
#include "data/split.h"
#include "data/readers/stated.h"
#include "store/checkpoint_find.h"

enum { NAMES_TOLD = 3 };

/* The configuration may have any number of weights, but the file must hold them: so a false one takes no
 * memory.
 */
static ls_status check_size(const ls_loaded *loaded)
{
  const size_t bytes = loaded->info.file_bytes;
  const ls_model_counts *counts = ls_model_count(loaded->model);
  if (counts->params <= bytes / sizeof(float) && counts->buffers <= bytes / sizeof(float)) return LS_OK;
  return ls_fail(
      LS_E_INPUT,
      "damaged: its configuration asks for %zu parameters and %zu running statistics, more than its "
      "%zu bytes can hold",
      counts->params, counts->buffers, bytes);
}

ls_status ls_loaded_build(ls_loaded *loaded, bool input_gradient)
{
  ls_checkpoint_info *info = &loaded->info;
  const ls_loss loss = ls_loss_of(&loaded->spec->train.loss);
  info->labels = loss.kind->labels;
  const ls_model_options options = {.in = {.c = info->channels, .h = info->height, .w = info->width},
                                    .microbatch = loaded->spec->train.microbatch,
                                    .classes = info->classes,
                                    .labels = loss.kind->labels,
                                    .input_gradient = input_gradient,
                                    .keep_ties = input_gradient};
  LS_PASS(ls_model_new(&loaded->model, &loaded->spec->model.layers, &options));
  if (info->file_bytes > 0) LS_PASS(check_size(loaded));
  info->classes = ls_model_classes(loaded->model);
  ls_normalization normalization = {.channels = info->channels};
  for (size_t c = 0; c < info->channels; c++) {
    normalization.mean[c] = info->mean[c];
    normalization.deviation[c] = info->deviation[c];
  }
  LS_PASS(ls_network_init(&loaded->network, loaded->model, &normalization));
  loaded->network.loss = loss;
  LS_TRY(ls_loss_check_classes(&loss, info->classes), "the configuration in it");
  return LS_OK;
}

/* Rank 0. */
static ls_status list_members(ls_names *members, const char *const *paths, size_t count)
{
  for (size_t i = 0; i < count; i++) LS_PASS(ls_checkpoint_members(paths[i], members));
  return LS_OK;
}

ls_status ls_loaded_members(ls_names *members, ls_comm *comm, const char *const *paths, size_t count)
{
  LS_ROOT(comm, list_members(members, paths, count));
  size_t found = members->count;
  LS_PASS(ls_comm_broadcast(comm, &found, sizeof found));
  ls_status status = LS_OK;
  if (ls_comm_rank(comm) != 0)
    status = ls_alloc(&members->items, found, sizeof *members->items, "the checkpoints");
  LS_AGREE(comm, status);
  members->count = found;
  for (size_t i = 0; i < found; i++) LS_PASS(ls_comm_broadcast_text(comm, &members->items[i]));
  return LS_OK;
}

ls_status ls_loaded_check_fit(const ls_loaded *loaded, const ls_dataset_info *data, const char *path)
{
  const ls_checkpoint_info *info = &loaded->info;
  if (info->channels != data->channels || info->height != data->height || info->width != data->width)
    return ls_fail(LS_E_INPUT, "'%s' takes images of %zux%zux%zu, but '%s' has %zux%zux%zu", path,
                   info->channels, info->height, info->width, data->name, data->channels, data->height,
                   data->width);
  if (loaded->network.loss.kind->labels != LS_LABELS_CLASS && info->classes != data->classes)
    return ls_fail(LS_E_INPUT, "'%s' gives %zu labels or values for an image, but '%s' has %zu", path,
                   info->classes, data->name, data->classes);
  if (info->classes != data->classes)
    return ls_fail(LS_E_INPUT, "'%s' tells %zu classes apart, but '%s' has %zu", path, info->classes,
                   data->name, data->classes);
  return LS_OK;
}

bool ls_loaded_holds_out_the_same(const ls_loaded *first, const ls_loaded *other)
{
  const ls_amount *a = &first->spec->data.validation, *b = &other->spec->data.validation;
  return a->is_fraction == b->is_fraction && a->count == b->count && a->fraction == b->fraction &&
         ls_holdout_seed(&first->spec->data, first->spec->seed) ==
             ls_holdout_seed(&other->spec->data, other->spec->seed) &&
         strcmp(first->info.dataset, other->info.dataset) == 0;
}

ls_status ls_loaded_check_held_out(const ls_loaded *first, const char *first_path, const ls_loaded *other,
                                   const char *path)
{
  if (ls_loaded_holds_out_the_same(first, other)) return LS_OK;
  return ls_fail(
      LS_E_INPUT,
      "'%s' and '%s' were trained with other validation splits (dataset, seed or data.validation differ): "
      "each has seen samples that the other has not; use --split test",
      first_path, path);
}

/* Look at a path. One that may not be looked at counts as not found. */
static ls_status look(const char *path, struct stat *info, bool *found)
{
  int failed;
  LS_RETRY(failed, LS_SYSTEM("stat", stat(path, info)));
  *found = !failed;
  const ls_status status = *found ? LS_OK : ls_errno_status(errno);
  if (status == LS_OK || status == LS_E_INPUT || status == LS_E_ACCESS) return LS_OK;
  return ls_fail(status, "cannot look for '%s': %s", path, strerror(errno));
}

/* Do two paths, or names, lead to the same data? */
static ls_status is_same_data(const char *a, const char *b, bool *yes)
{
  struct stat of_a, of_b;
  bool has_a, has_b = false;
  *yes = strcmp(a, b) == 0;
  if (*yes) return LS_OK;
  LS_PASS(look(a, &of_a, &has_a));
  if (has_a) LS_PASS(look(b, &of_b, &has_b));
  *yes = has_b && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
  return LS_OK;
}

ls_status ls_loaded_open_data(ls_source **out, ls_comm *comm, const ls_loaded *loaded, const char *where,
                              const ls_reading *given)
{
  const ls_spec_data *trained = &loaded->spec->data;
  bool is_same = true;
  if (where) LS_AGREE(comm, is_same_data(where, trained->source, &is_same));
  const ls_reading own = is_same ? ls_reading_of(trained) : ls_reading_of_images(trained);
  ls_reading reading = ls_reading_with(own, given);
  reading.classes = loaded->info.classes;
  LS_PASS(ls_source_open_collective(out, comm, where ? where : trained->source, &reading));
  const bool has_names = is_same && ls_spec_class_names(trained) && loaded->info.class_names;
  const ls_status status =
      ls_comm_agree(comm, has_names ? ls_source_rename_classes(*out, loaded->info.class_names) : LS_OK);
  if (status == LS_OK) return LS_OK;
  ls_source_close(*out);
  *out = NULL;
  return status;
}

/* ---- other classes ---- */

/* The classes of a network or of data: one of the two members is NULL, or both, and then they are numbers. */
typedef struct class_names {
  const char *lines; /* one a line */
  const char (*array)[LS_CLASS_NAME_BYTES];
} class_names;

/* The name of the next class; *length of it. */
static const char *next_name(class_names *names, size_t class, char number[LS_CLASS_NAME_BYTES],
                             size_t *length)
{
  const char *name = number;
  if (names->lines) {
    name = names->lines;
    *length = strcspn(name, "\n");
    names->lines += *length + (name[*length] == '\n');
    return name;
  }
  snprintf(number, LS_CLASS_NAME_BYTES, "%zu", class);
  if (names->array) name = names->array[class];
  *length = strlen(name);
  return name;
}

static bool have_same_names(class_names a, class_names b, size_t classes)
{
  char number[2][LS_CLASS_NAME_BYTES];
  size_t length[2];
  for (size_t k = 0; k < classes; k++) {
    const char *of_a = next_name(&a, k, number[0], &length[0]);
    const char *of_b = next_name(&b, k, number[1], &length[1]);
    if (length[0] != length[1] || memcmp(of_a, of_b, length[0]) != 0) return false;
  }
  return true;
}

/* "'o', 'ki', 'su', ..." */
static void add_names(class_names names, size_t classes, ls_text *text)
{
  char number[LS_CLASS_NAME_BYTES];
  for (size_t k = 0; k < ls_size_min(classes, NAMES_TOLD); k++) {
    size_t length;
    const char *name = next_name(&names, k, number, &length);
    ls_text_show(text, "%s'%.*s'", k > 0 ? ", " : "", (int)length, name);
  }
  if (classes > NAMES_TOLD) ls_text_show(text, ", ...");
}

void ls_loaded_compare_classes(const ls_loaded *loaded, const ls_dataset_info *data, const char *path,
                               ls_text *text)
{
  const ls_checkpoint_info *info = &loaded->info;
  const class_names trained = {.lines = info->class_names};
  const class_names given = {.array = (const char(*)[LS_CLASS_NAME_BYTES])data->class_names};
  const bool is_same_data = strcmp(info->dataset, data->name) == 0;
  if (data->stated_classes > 0 && data->stated_classes != info->classes) {
    if (is_same_data && loaded->spec->data.classes > 0) return; /* as it was trained */
    ls_text_show(
        text,
        "'%s' was trained on the %zu classes of '%s', and '%s' has %zu: class k of the one is counted as "
        "class k of the other\n",
        path, info->classes, info->dataset, data->name, data->stated_classes);
    return;
  }
  if (is_same_data && !(info->class_names && data->class_names))
    return; /* one of the two merely lacks names */
  if (have_same_names(trained, given, info->classes)) return;
  ls_text_show(text, "'%s' was trained on '%s', whose classes are ", path, info->dataset);
  add_names(trained, info->classes, text);
  ls_text_show(text, "; those of '%s' are ", data->name);
  add_names(given, info->classes, text);
  ls_text_show(text,
               ": class k of the one is counted as class k of the other, and is shown as '%s' calls it\n",
               data->name);
}

void ls_loaded_close(ls_loaded *loaded)
{
  ls_network_fini(&loaded->network);
  ls_model_free(loaded->model);
  ls_spec_free(loaded->spec);
  ls_checkpoint_info_fini(&loaded->info);
  ls_text_fini(&loaded->notes);
  free(loaded->path);
  *loaded = (ls_loaded){.spec = NULL};
}
