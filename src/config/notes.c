/* SPDX-License-Identifier: BSD-3-Clause */
/* Values that have no effect beside the others, and layers that are not what they seem. They are reported,
 * not refused: an override that switches something off leaves its other keys behind. */
#include <assert.h>
#include <string.h>

#include "base/show.h"
#include "config/config.h"
#include "config/rows.h"
#include "config/value.h"

static bool has_no_attack(const ls_spec *spec)
{
  return spec->train.adversarial.method == LS_ADVERSARY_NONE;
}

static bool has_one_step(const ls_spec *spec)
{
  const int method = spec->train.adversarial.method;
  return method == LS_ADVERSARY_FGSM || method == LS_ADVERSARY_NOISE;
}

static bool has_no_base_batch(const ls_spec *spec)
{
  return spec->train.lr_base_batch == 0;
}

static bool has_no_elastic(const ls_spec *spec)
{
  return spec->data.augment.elastic.alpha == 0;
}

static bool has_no_patience(const ls_spec *spec)
{
  return spec->train.early_stopping.patience == 0;
}

static bool is_too_patient(const ls_spec *spec)
{
  return spec->train.early_stopping.patience >= spec->train.epochs;
}

static bool has_few_epochs(const ls_spec *spec)
{
  const ls_spec_adversarial *adversarial = &spec->train.adversarial;
  return adversarial->method != LS_ADVERSARY_NONE && adversarial->warmup_epochs >= spec->train.epochs;
}

static bool has_small_batch(const ls_spec *spec)
{
  const ls_amount *amount = &spec->train.microbatch_amount;
  return !amount->is_fraction && amount->count > spec->train.batch;
}

static bool has_one_allreduce(const ls_spec *spec)
{
  return spec->train.allreduce == LS_ALLREDUCE_MPI;
}

static const struct {
  const char *key;
  bool (*is_idle)(const ls_spec *spec);
  const char *why;
} rows[] = {
    {"train.adversarial.epsilon", has_no_attack, "no effect without train.adversarial.method"},
    {"train.adversarial.alpha", has_no_attack, "no effect without train.adversarial.method"},
    {"train.adversarial.steps", has_no_attack, "no effect without train.adversarial.method"},
    {"train.adversarial.step_size", has_no_attack, "no effect without train.adversarial.method"},
    {"train.adversarial.warmup_epochs", has_no_attack, "no effect without train.adversarial.method"},
    {"train.adversarial.steps", has_one_step, "no effect with fgsm and noise, which take one step"},
    {"train.adversarial.step_size", has_one_step, "no effect with fgsm and noise, which take one step"},
    {"train.adversarial.warmup_epochs", has_few_epochs, "train.epochs ends before epsilon is whole"},
    {"train.bucket_mb", has_one_allreduce,
     "no effect with train.allreduce: mpi, which sums everything at once"},
    {"train.lr_scaling", has_no_base_batch, "no effect without train.lr_base_batch"},
    {"train.early_stopping.restore_best", has_no_patience, "no effect without train.early_stopping.patience"},
    {"train.early_stopping.patience", is_too_patient, "no effect, train.epochs ends before it"},
    {"train.microbatch", has_small_batch, "a micro-batch is at most the batch, train.batch"},
    {"data.augment.elastic.sigma", has_no_elastic, "no effect without data.augment.elastic.alpha"},
};

static const ls_key *find_key(const char *path)
{
  size_t i = 0;
  while (i < ls_spec_key_count && strcmp(ls_spec_keys[i].path, path) != 0) i++;
  assert(i < ls_spec_key_count && "a key of the table");
  return &ls_spec_keys[i];
}

/* What the kinds of layers say of themselves. */
static void note_layers(const ls_layer_list *layers, ls_text *lines)
{
  for (size_t i = 0; i < layers->count; i++)
    if (layers->items[i].schema->note)
      ls_text_show(lines, "model.layers[%zu]: %s: %s\n", i, layers->items[i].schema->name,
                   layers->items[i].schema->note);
}

void ls_config_notes(const ls_spec *spec, ls_text *lines)
{
  note_layers(&spec->model.layers, lines);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const ls_key *key = find_key(rows[i].key);
    ls_text value = {0};
    ls_value_format(key, (const char *)spec + key->offset, &value);
    if (!value.failed && rows[i].is_idle(spec) && strcmp(ls_text_get(&value), key->preset) != 0)
      ls_text_show(lines, "%s: %s: %s\n", key->path, ls_text_get(&value), rows[i].why);
    lines->failed = lines->failed || value.failed;
    ls_text_fini(&value);
  }
}
