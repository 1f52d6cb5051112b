/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports values that have no effect beside the others, and layers that do not do what their names say. They
 * are not refused: an override that switches something off leaves its other keys in the file. */
#include <assert.h>
#include <string.h>

#include "base/show.h"
#include "config/config.h"
#include "config/rows.h"
#include "config/value.h"

static bool has_no_attack(const ls_spec *spec)
{
  return !spec->train.adversarial.method.schema;
}

static bool has_no_base_batch(const ls_spec *spec)
{
  return spec->train.lr_base_batch == 0;
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
  return adversarial->method.schema && adversarial->warmup_epochs >= spec->train.epochs;
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
    {"train.adversarial.warmup_epochs", has_few_epochs, "train.epochs ends before epsilon is whole"},
    {"train.bucket_mb", has_one_allreduce,
     "no effect with train.allreduce: mpi, which sums everything at once"},
    {"train.lr_scaling", has_no_base_batch, "no effect without train.lr_base_batch"},
    {"train.early_stopping.restore_best", has_no_patience, "no effect without train.early_stopping.patience"},
    {"train.early_stopping.patience", is_too_patient, "no effect, train.epochs ends before it"},
    {"train.microbatch", has_small_batch, "a micro-batch is at most the batch, train.batch"},
};

static const ls_key *find_key(const char *path)
{
  size_t i = 0;
  const ls_key *key;
  while ((key = ls_spec_key(i)) && strcmp(key->path, path) != 0) i++;
  assert(key && "a key of the table");
  return key;
}

static void note_schema(const char *path, const ls_schema *schema, ls_text *lines)
{
  if (schema->note) ls_text_show(lines, "%s: %s: %s\n", path, schema->name, schema->note);
}

static void note_layers(const char *path, const ls_layer_list *layers, ls_text *lines);

/* The notes of a layer's kind and of the layers within it. */
static void note_layer(const char *path, const ls_layer_spec *layer, ls_text *lines)
{
  note_schema(path, layer->schema, lines);
  for (size_t k = 0; k < layer->schema->key_count; k++) {
    const ls_key *key = &layer->schema->keys[k];
    if (key->type != LS_KEY_LAYERS) continue;
    ls_text inner = {0};
    ls_text_add(&inner, "%s.%s", path, key->path);
    note_layers(ls_text_get(&inner), (const void *)((const char *)layer->options + key->offset), lines);
    lines->failed = lines->failed || inner.failed;
    ls_text_fini(&inner);
  }
}

static void note_layers(const char *path, const ls_layer_list *layers, ls_text *lines)
{
  for (size_t i = 0; i < layers->count; i++) {
    ls_text layer = {0};
    ls_text_add(&layer, "%s[%zu]", path, i);
    note_layer(ls_text_get(&layer), &layers->items[i], lines);
    lines->failed = lines->failed || layer.failed;
    ls_text_fini(&layer);
  }
}

/* A key that has no effect, unless it has its preset. */
static void note_key(const ls_spec *spec, const ls_key *key, const char *why, ls_text *lines)
{
  ls_text value = {0};
  ls_value_format(key, (const char *)spec + key->offset, &value);
  if (!value.failed && strcmp(ls_text_get(&value), key->preset) != 0)
    ls_text_show(lines, "%s: %s: %s\n", key->path, ls_text_get(&value), why);
  lines->failed = lines->failed || value.failed;
  ls_text_fini(&value);
}

/* The note of a kind, and the keys beside this one that it leaves idle. */
static void note_kind(const ls_spec *spec, const ls_key *key, ls_text *lines)
{
  const ls_kind_spec *kind = (const void *)((const char *)spec + key->offset);
  if (!kind->schema) return;
  note_schema(key->path, kind->schema, lines);
  const int section = (int)(strrchr(key->path, '.') - key->path);
  for (const char *const *idle = kind->schema->idle; idle && *idle; idle++) {
    ls_text path = {0}, why = {0};
    ls_text_add(&path, "%.*s.%s", section, key->path, *idle);
    ls_text_add(&why, "no effect with %s", kind->schema->name);
    if (!path.failed && !why.failed) note_key(spec, find_key(ls_text_get(&path)), ls_text_get(&why), lines);
    lines->failed = lines->failed || path.failed || why.failed;
    ls_text_fini(&path);
    ls_text_fini(&why);
  }
}

void ls_config_notes(const ls_spec *spec, ls_text *lines)
{
  note_layers("model.layers", &spec->model.layers, lines);
  const ls_key *key;
  for (size_t i = 0; (key = ls_spec_key(i)); i++)
    if (key->type == LS_KEY_KIND || key->type == LS_KEY_NAMED_KIND) note_kind(spec, key, lines);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (rows[i].is_idle(spec)) note_key(spec, find_key(rows[i].key), rows[i].why, lines);
}
