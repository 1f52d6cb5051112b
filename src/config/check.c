/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules on names, and between keys of different rows. Rules that need the dataset or the network are checked
 * where those are known; rules on one kind of layer, optimizer or schedule, by that kind. */
#include "config/check.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "config/config.h"
#include "config/rows.h"
#include "config/suggest.h"
#include "config/value.h"

enum { RUN_NAME_MAX = 100 /* characters: leaves characters for a number in a file name of 255 */ };

static ls_status check_characters(const char *name, const char *allowed, const char *said, size_t max)
{
  size_t length = strlen(name);
  if (length <= max && strspn(name, allowed) == length) return LS_OK;
  char excerpt[LS_EXCERPT_BYTES];
  return ls_fail(LS_E_CONFIG, "expected at most %zu of the characters %s, found '%s'", max, said,
                 ls_excerpt(excerpt, name));
}

ls_status ls_config_check_layer_name(const char *name)
{
  return check_characters(name, LS_NAME_CHARACTERS, "A-Z a-z 0-9 _ -", LS_LAYER_NAME_MAX);
}

static ls_status check_name(const ls_spec *spec)
{
  LS_PASS(check_characters(spec->name, LS_NAME_CHARACTERS ".", "A-Z a-z 0-9 . _ -", RUN_NAME_MAX));
  if (strspn(spec->name, ".") < strlen(spec->name)) return LS_OK;
  return ls_fail(LS_E_CONFIG, "'%s' cannot name a folder", spec->name);
}

static ls_status check_patience(const ls_spec *spec)
{
  const ls_amount *validation = &spec->data.validation;
  if (spec->train.early_stopping.patience == 0 || validation->is_fraction || validation->count > 0)
    return LS_OK;
  return ls_fail(LS_E_CONFIG, "early stopping watches the validation split, but data.validation is 0; "
                              "hold some samples out, such as data.validation=0.1, or set the patience to 0");
}

static ls_status check_dtype(const ls_spec *spec)
{
  if (spec->train.allreduce_dtype == LS_DTYPE_FLOAT32) return LS_OK;
  if (spec->train.allreduce == LS_ALLREDUCE_MPI)
    return ls_fail(LS_E_CONFIG, "allreduce: mpi sums 64-bit fixed point; use allreduce: auto with bfloat16");
  if (spec->train.reduction == LS_REDUCTION_FAST) return LS_OK;
  return ls_fail(LS_E_CONFIG, "bfloat16 rounds what reduction: exact keeps; use reduction: fast with it");
}

static ls_status check_mixup(const ls_spec *spec)
{
  if (spec->data.augment.mixup == 0 || !spec->train.adversarial.method.schema) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "an attack takes images of one label, and mixtures have two; use one of mixup and "
                 "train.adversarial");
}

static ls_status check_part(const ls_spec *spec)
{
  if (spec->data.fraction == 1 || spec->data.per_class == 0) return LS_OK;
  return ls_fail(LS_E_CONFIG, "data.per_class says how much of each class, too; use one of the two");
}

static ls_status check_normalization(const ls_spec *spec)
{
  const ls_spec_data *data = &spec->data;
  if (data->mean.count != data->std.count)
    return ls_fail(LS_E_CONFIG, "%zu of them, but %zu in data.std: one of each for a channel",
                   data->mean.count, data->std.count);
  if (data->mean.count == 0 || data->normalize.word == LS_NORMALIZE_STANDARD) return LS_OK;
  return ls_fail(LS_E_CONFIG, "a mean and deviation are for data.normalize: standard; use one of the two");
}

static ls_status check_shape(const ls_spec *spec)
{
  const ls_counts *shape = &spec->data.shape;
  if (shape->word >= 0 || shape->count == 3) return LS_OK;
  return ls_fail(LS_E_CONFIG, "expected [channels, height, width], such as [3, 224, 224]");
}

/* What images become, and what they are said to be. */
static ls_status check_made(const ls_spec *spec)
{
  const ls_spec_data *data = &spec->data;
  const size_t *stated = data->shape.items, *sides = data->resize.items;
  const size_t width = data->resize.count == 1 ? sides[0] : sides[1];
  if (data->shape.word >= 0) return LS_OK;
  if (data->resize.word < 0 && (sides[0] != stated[1] || width != stated[2]))
    return ls_fail(LS_E_CONFIG,
                   "data.resize makes images of %zux%zu; give data.shape=[%zu,%zu,%zu], or data.shape=auto",
                   sides[0], width, stated[0], sides[0], width);
  if (data->channels == 0 || data->channels == stated[0]) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "data.channels makes images of %zu channels; give data.shape=[%zu,%zu,%zu], or "
                 "data.shape=auto",
                 data->channels, data->channels, stated[1], stated[2]);
}

static ls_status check_members(const ls_spec *spec)
{
  const ls_spec_ensemble *ensemble = &spec->ensemble;
  const bool differ = ensemble->configs.count > 0 || ensemble->overrides.count > 0;
  if (ensemble->members == 0 && (differ || ls_spec_takes_snapshots(spec)))
    return ls_fail(LS_E_CONFIG, "an ensemble of 0 members is none; give their number, such as 5");
  if (ls_spec_takes_snapshots(spec) && differ)
    return ls_fail(LS_E_CONFIG,
                   "snapshots are of one network: they have no configs and overrides of their own");
  if (ensemble->configs.count > ensemble->members || ensemble->overrides.count > ensemble->members)
    return ls_fail(LS_E_CONFIG, "%zu members, but %zu configs and %zu overrides: some would not be used",
                   ensemble->members, ensemble->configs.count, ensemble->overrides.count);
  return LS_OK;
}

static const struct {
  const char *path; /* the key that is blamed */
  ls_status (*check)(const ls_spec *spec);
} rules[] = {
    {"name", check_name},
    {"train.early_stopping.patience", check_patience},
    {"train.allreduce_dtype", check_dtype},
    {"data.augment.mixup", check_mixup},
    {"data.fraction", check_part},
    {"data.mean", check_normalization},
    {"data.shape", check_shape},
    {"data.shape", check_made},
    {"ensemble.members", check_members},
};

ls_status ls_config_check(const ls_spec *spec, const ls_document *document)
{
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    ls_status status = rules[i].check(spec);
    if (status == LS_OK) continue;
    int node = ls_document_descend(document, ls_document_root(document), rules[i].path);
    return ls_document_wrap(document, node, &(ls_path){.key = rules[i].path}, status);
  }
  return LS_OK;
}

ls_status ls_config_replace(ls_spec *spec)
{
  ls_spec_data *data = &spec->data;
  ls_normalize_values *values;
  if (data->mean.count == 0) return LS_OK;
  LS_PASS(ls_alloc(&values, 1, sizeof *values, "a normalization"));
  *values = (ls_normalize_values){.mean = data->mean, .deviation = data->std};
  data->normalize = (ls_word_or_keys){.word = -1, .schema = &ls_normalize_schema, .options = values};
  data->mean = data->std = (ls_real_list){.count = 0};
  return LS_OK;
}

void ls_config_limit_batch(ls_spec_train *train, size_t samples)
{
  const ls_amount *amount = &train->microbatch_amount;
  train->batch = ls_size_min(train->batch, samples);
  train->microbatch = amount->is_fraction ? (size_t)ceil(amount->fraction * (double)train->batch)
                                          : ls_size_min(amount->count, train->batch);
}

/* ---- is it one at all? ---- */

/* Is a word one of the file's first level, or near to one? */
static bool is_near(const char *word)
{
  ls_suggestion suggestion = {.wanted = word};
  ls_text list = {0};
  const ls_key *key;
  for (size_t i = 0; (key = ls_spec_key(i)) && suggestion.best[0] == '\0'; i++)
    ls_suggestion_offer(&suggestion, key->path, strcspn(key->path, "."), &list);
  ls_text_fini(&list);
  return suggestion.best[0] != '\0';
}

/* Has a mapping a key of a configuration, written well or nearly so? An empty one lacks all in the same way.
 */
static bool is_ours(const ls_document *document, int root)
{
  const size_t count = ls_document_size(document, root);
  for (size_t i = 0; i < count; i++) {
    const char *word = ls_document_scalar(document, ls_document_pair(document, root, i).key);
    if (word && is_near(word)) return true;
  }
  return count == 0;
}

ls_status ls_config_check_root(const ls_document *document)
{
  static const char *const found[] = {
      [YAML_SCALAR_NODE] = "a text", [YAML_SEQUENCE_NODE] = "a list", [YAML_MAPPING_NODE] = "other keys"};
  int root = ls_document_root(document);
  if (root == 0)
    return ls_fail(LS_E_CONFIG, "%s: empty; expected a configuration, such as those in configs/",
                   document->file);
  const yaml_node_type_t type = ls_document_node(document, root)->type;
  const char *text = ls_document_scalar(document, root);
  if (type == YAML_MAPPING_NODE && is_ours(document, root)) return LS_OK;
  return ls_document_wrap(document, root, NULL,
                          ls_fail(LS_E_CONFIG, "expected a configuration, such as 'name: lenet5', found %s",
                                  text && text[0] == '\0' ? "nothing" : found[type]));
}
