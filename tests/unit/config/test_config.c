/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration becomes: values, defaults, layers in layers, the resolved YAML and the help. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>

#include "config/metric.h"
#include "unit/config/fakes.h"

static ls_spec *parse(const char *text)
{
  ls_spec *spec;
  ls_status status = ls_config_parse(&spec, text, "c.yaml", NULL, 0, &fakes);
  if (status != LS_OK) fail_msg("%s", ls_error_last()->text);
  return spec;
}

static void written_values_are_taken(void **state)
{
  (void)state;
  ls_spec *spec = parse(full_text);
  assert_string_equal(spec->name, "full-1");
  assert_int_equal(spec->seed, 7);
  assert_string_equal(spec->data.source, "a folder: #1");
  assert_true(spec->data.validation.is_fraction);
  assert_true(spec->data.validation.fraction == 0.1);
  assert_int_equal(spec->data.normalize.word, -1);
  const ls_normalize_values *given = spec->data.normalize.options;
  assert_true(given->scale.word == -1 && given->scale.real == 0.25);
  assert_int_equal(given->mean.count, 3);
  assert_true(given->mean.items[0] == 0.485 && given->mean.items[2] == -1.0);
  assert_true(given->deviation.count == 1 && given->deviation.items[0] == 1e-5);
  assert_true(spec->data.shape.word == -1 && spec->data.shape.count == 3);
  assert_true(spec->data.shape.items[0] == 3 && spec->data.shape.items[2] == 224);
  assert_true(spec->data.resize.word == -1 && spec->data.resize.count == 2);
  assert_true(spec->data.resize.items[0] == 192 && spec->data.resize.items[1] == 224);
  assert_int_equal(spec->data.channels, 3);
  assert_string_equal(ls_spec_class_names(&spec->data), "names.txt");
  assert_int_equal(spec->data.shuffle, LS_SHUFFLE_SHARD);
  assert_int_equal(spec->data.classes, 10);
  assert_int_equal(spec->model.freeze.count, 2);
  assert_string_equal(spec->model.freeze.items[1], "*.inner");
  assert_int_equal(spec->model.rename.count, 4);
  assert_string_equal(spec->model.rename.items[0], "^a[.](b|c)");
  assert_string_equal(spec->model.rename.items[1], "d.\\1");
  assert_string_equal(spec->model.rename.items[3], "");
  assert_true(spec->model.layers.items[0].freeze && !spec->model.layers.items[1].freeze);
  assert_true(spec->model.layers.items[1].lr_factor == 1 && spec->model.layers.items[2].lr_factor == 0.1);
  assert_null(ls_spec_init_from(spec));
  assert_int_equal(spec->train.epochs, 3);
  assert_int_equal(spec->train.batch, 128);
  assert_int_equal(spec->train.microbatch, 16);
  assert_true(spec->train.label_smoothing == 0.1);
  assert_true(spec->train.clip_norm == 1e-7);
  assert_ptr_equal(spec->train.optimizer.schema, &sgd);
  const sgd_options *options = spec->train.optimizer.options;
  assert_true(options->lr == 0.05 && options->momentum == 0.9 && options->nesterov);
  assert_ptr_equal(spec->train.schedule.schema, &onecycle);
  assert_int_equal(spec->train.early_stopping.patience, 4);
  assert_string_equal(ls_metric_words[spec->train.early_stopping.metric], "accuracy");
  assert_true(spec->train.early_stopping.restore_best);
  assert_int_equal(spec->checkpoint.every_epochs, 0); /* the default is 1: a 0 stays a 0 */
  assert_int_equal(spec->checkpoint.every_steps, 100);
  assert_true(spec->checkpoint.every_minutes == 2.5);
  assert_int_equal(spec->checkpoint.keep, 1);
  ls_spec_free(spec);
}

static size_t microbatch_of(const char *train)
{
  char text[512];
  snprintf(text, sizeof text, "%strain: {%s}\n", MINIMAL, train);
  ls_spec *spec = parse(text);
  const size_t microbatch = spec->train.microbatch;
  ls_spec_free(spec);
  return microbatch;
}

static void micro_batches_are_counts_or_shares_of_the_batch(void **state)
{
  (void)state;
  assert_int_equal(microbatch_of("batch: 64, microbatch: 48"), 48);
  assert_int_equal(microbatch_of("batch: 64, microbatch: 100"), 64);
  assert_int_equal(microbatch_of("batch: 64, microbatch: 0.5"), 32);
  assert_int_equal(microbatch_of("batch: 65, microbatch: 0.5"), 33);
  assert_int_equal(microbatch_of("batch: 3, microbatch: 0.01"), 1);
}

/* What older files say is kept in the form of today. */
static void a_mean_and_deviation_of_older_files_are_a_normalization(void **state)
{
  (void)state;
  ls_spec *spec = parse("data: {source: x, normalize: standard, mean: [0.5, 0.25], std: [0.125, 1]}\n"
                        "model: {layers: [{type: relu}]}\n");
  ls_text value = {0};
  ls_config_emit_key(spec, "data.normalize", &value);
  assert_string_equal(ls_text_get(&value), " {scale: 1/255, mean: [0.5, 0.25], deviation: [0.125, 1]}\n");
  assert_int_equal(spec->data.mean.count, 0);
  ls_text_fini(&value);
  ls_spec_free(spec);
}

static void what_is_not_written_has_the_documented_default(void **state)
{
  (void)state;
  ls_spec *spec = parse(MINIMAL);
  assert_string_equal(spec->name, "run");
  assert_int_equal(spec->seed, 1);
  assert_false(spec->data.validation.is_fraction);
  assert_int_equal(spec->data.validation.count, 0);
  assert_int_equal(spec->data.normalize.word, LS_NORMALIZE_STANDARD);
  assert_int_equal(spec->data.shuffle, LS_SHUFFLE_GLOBAL);
  assert_int_equal(spec->data.classes, 0);
  assert_int_equal(spec->data.shape.word, 0);
  assert_int_equal(spec->data.resize.word, 0);
  assert_int_equal(spec->data.channels, 0);
  assert_null(ls_spec_class_names(&spec->data));
  assert_int_equal(spec->train.epochs, 10);
  assert_int_equal(spec->train.batch, 256);
  assert_int_equal(spec->train.microbatch, 32);
  assert_int_equal(spec->train.reduction, LS_REDUCTION_FAST);
  assert_true(spec->train.label_smoothing == 0 && spec->train.clip_norm == 0);
  assert_ptr_equal(spec->train.optimizer.schema, &sgd);
  assert_true(((const sgd_options *)spec->train.optimizer.options)->lr == 0.01);
  assert_ptr_equal(spec->train.schedule.schema, &constant);
  assert_int_equal(spec->train.early_stopping.patience, 0);
  assert_string_equal(ls_metric_words[spec->train.early_stopping.metric], "loss");
  assert_true(spec->train.early_stopping.min_delta == 0 && spec->train.early_stopping.restore_best);
  assert_int_equal(spec->checkpoint.every_epochs, 1);
  assert_int_equal(spec->checkpoint.every_steps, 0);
  assert_true(spec->checkpoint.every_minutes == 0);
  assert_int_equal(spec->checkpoint.keep, 3);
  ls_spec_free(spec);
}

static void layers_nest_and_have_their_origin(void **state)
{
  (void)state;
  ls_spec *spec = parse(full_text);
  const ls_layer_list *layers = &spec->model.layers;
  assert_int_equal(layers->count, 3);
  const conv_options *conv1 = layers->items[0].options;
  assert_ptr_equal(layers->items[0].schema, &conv);
  assert_string_equal(layers->items[0].name, "conv1");
  assert_string_equal(layers->items[0].origin, "c.yaml:16:7: model.layers[0]");
  assert_true(conv1->filters == 6 && conv1->kernel == 5 && conv1->pad.word == 0 && conv1->bias);
  assert_null(layers->items[1].name);
  const residual_options *block = layers->items[2].options;
  assert_int_equal(block->body.count, 2);
  assert_int_equal(block->shortcut.count, 1);
  const conv_options *inner = block->body.items[0].options;
  assert_true(inner->pad.word == -1 && inner->pad.count == 1 && !inner->bias);
  assert_int_equal(((const conv_options *)block->shortcut.items[0].options)->init, 2);
  const residual_options *second = block->body.items[1].options;
  assert_int_equal(second->shortcut.count, 0);
  assert_string_equal(second->body.items[0].name, "deep");
  assert_string_equal(second->body.items[0].origin, "c.yaml:24:18: model.layers[2].body[1].body[0]");
  ls_spec_free(spec);
}

static void texts_may_look_like_anything(void **state)
{
  (void)state;
  static const char *const sources[][2] = {
      {"5", "5"},
      {"true", "true"},
      {"\"null\"", "null"},
      {"/data/x.h5", "/data/x.h5"},
      {"'it''s'", "it's"},
      {"\"a\\\"b\\\\c\"", "a\"b\\c"},
      {"\"- x: #y\"", "- x: #y"},
      {"Größe", "Größe"},
  };
  for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
    char text[200];
    snprintf(text, sizeof text, "data: {source: %s}\nmodel: {layers: [{type: relu}]}\n", sources[i][0]);
    ls_spec *spec = parse(text);
    assert_string_equal(spec->data.source, sources[i][1]);
    ls_text yaml = {0};
    ls_config_emit(spec, &yaml);
    ls_spec *again = parse(ls_text_get(&yaml));
    assert_string_equal(again->data.source, sources[i][1]);
    ls_spec_free(again);
    ls_text_fini(&yaml);
    ls_spec_free(spec);
  }
}

static const char full_resolved[] =
    "name: full-1\n"
    "seed: 7\n"
    "data:\n"
    "  source: \"a folder: #1\"\n"
    "  validation: 0.1\n"
    "  split_seed: seed\n"
    "  normalize: {scale: 0.25, mean: [0.485, 0, -1], deviation: [1.0e-05]}\n"
    "  shuffle: shard\n"
    "  per_class: 0\n"
    "  fraction: 1\n"
    "  shape: [3, 192, 224]\n"
    "  resize: [192, 224]\n"
    "  channels: 3\n"
    "  classes: 10\n"
    "  class_names: names.txt\n"
    "  transpose: auto\n"
    "  first_label: auto\n"
    "  picture: auto\n"
    "  augment:\n"
    "    rotate: 0\n"
    "    elastic:\n"
    "      alpha: 0\n"
    "      sigma: 4\n"
    "    mixup: 0\n"
    "model:\n"
    "  layers:\n"
    "    - {type: conv, name: conv1, filters: 6, kernel: 5, pad: same, bias: true, init: he, freeze: true}\n"
    "    - {type: relu}\n"
    "    - type: residual\n"
    "      name: block\n"
    "      lr_factor: 0.1\n"
    "      body:\n"
    "        - {type: conv, name: inner, filters: 8, kernel: 3, pad: 1, bias: false, init: he}\n"
    "        - type: residual\n"
    "          body:\n"
    "            - {type: relu, name: deep}\n"
    "          shortcut: []\n"
    "      shortcut:\n"
    "        - {type: conv, filters: 8, kernel: 1, pad: 0, bias: true, init: lecun}\n"
    "  init_from: none\n"
    "  freeze: [conv1, \"*.inner\"]\n"
    "  rename: {\"^a[.](b|c)\": \"d.\\\\1\", x: \"\"}\n"
    "train:\n"
    "  epochs: 3\n"
    "  batch: 128\n"
    "  microbatch: 16\n"
    "  reduction: fast\n"
    "  allreduce: auto\n"
    "  allreduce_dtype: float32\n"
    "  bucket_mb: 0\n"
    "  loss: cross_entropy\n"
    "  label_smoothing: 0.1\n"
    "  ema: 0.999\n"
    "  lr_base_batch: 0\n"
    "  lr_scaling: linear\n"
    "  clip_norm: 1.0e-07\n"
    "  time_limit: 0\n"
    "  stall_timeout: 60\n"
    "  stall_abort: 0\n"
    "  check_replicas: 0\n"
    "  optimizer: {type: sgd, lr: 0.05, momentum: 0.9, nesterov: true}\n"
    "  schedule: {type: onecycle, max_lr: 0.30000000000000004}\n"
    "  adversarial:\n"
    "    method: none\n"
    "    epsilon: 0.3\n"
    "    alpha: auto\n"
    "    steps: 7\n"
    "    step_size: auto\n"
    "    warmup_epochs: 0\n"
    "  early_stopping:\n"
    "    patience: 4\n"
    "    metric: accuracy\n"
    "    min_delta: 0.001\n"
    "    restore_best: true\n"
    "checkpoint:\n"
    "  every_epochs: 0\n"
    "  every_steps: 100\n"
    "  every_minutes: 2.5\n"
    "  keep: 1\n"
    "ensemble:\n"
    "  members: 0\n"
    "  type: independent\n"
    "  configs: []\n"
    "  overrides: []\n";

static void the_resolved_configuration_has_every_key_and_resolves_to_itself(void **state)
{
  (void)state;
  static const char *const texts[] = {full_text, full_resolved};
  for (size_t i = 0; i < 2; i++) {
    ls_spec *spec = parse(texts[i]);
    ls_text yaml = {0};
    ls_config_emit(spec, &yaml);
    assert_string_equal(ls_text_get(&yaml), full_resolved);
    ls_text_fini(&yaml);
    ls_spec_free(spec);
  }
}

/* Reals come back bit for bit, whatever they are. */
static void reals_survive_the_resolved_configuration(void **state)
{
  (void)state;
  static const double reals[] = {0.1,
                                 1.0 / 3,
                                 5e-324,
                                 2.2250738585072014e-308,
                                 1.7976931348623157e308,
                                 1e22,
                                 123456,
                                 0.1 + 0.2,
                                 1e-5,
                                 3.0000000000000004,
                                 1e6 / 7,
                                 2,
                                 0.30000001192092896};
  for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
    char text[200];
    snprintf(text, sizeof text, MINIMAL "train: {clip_norm: %.17g}\n", reals[i]);
    ls_spec *spec = parse(text);
    assert_memory_equal(&spec->train.clip_norm, &reals[i], sizeof(double));
    ls_text yaml = {0};
    ls_config_emit(spec, &yaml);
    ls_spec *again = parse(ls_text_get(&yaml));
    assert_memory_equal(&again->train.clip_norm, &reals[i], sizeof(double));
    ls_spec_free(again);
    ls_text_fini(&yaml);
    ls_spec_free(spec);
  }
}

static void a_number_or_a_word_is_read_and_written(void **state)
{
  (void)state;
  ls_spec *spec = parse(MINIMAL "train: {adversarial: {alpha: 0.25, step_size: auto}}\n");
  assert_int_equal(spec->train.adversarial.alpha.word, -1);
  assert_true(spec->train.adversarial.alpha.real == 0.25);
  assert_int_equal(spec->train.adversarial.step_size.word, 0);
  ls_text yaml = {0};
  ls_config_emit(spec, &yaml);
  assert_non_null(strstr(ls_text_get(&yaml), "alpha: 0.25\n"));
  assert_non_null(strstr(ls_text_get(&yaml), "step_size: auto\n"));
  ls_text_fini(&yaml);
  ls_spec_free(spec);
}

/* A name alone, or with keys; as short as it can be in the resolved configuration. */
static void named_kinds_are_read_and_written(void **state)
{
  (void)state;
  static const struct {
    const char *train, *loss, *method;
    double gamma;
  } cases[] = {
      {"{}", "cross_entropy", "none", 0},
      {"{loss: cross_entropy, adversarial: {method: pgd}}", "cross_entropy", "pgd", 0},
      {"{loss: {type: cross_entropy}, adversarial: {method: {type: fgsm}}}", "cross_entropy", "fgsm", 0},
      {"{loss: 'focal', adversarial: {method: none}}", "{type: focal, gamma: 2, alpha: []}", "none", 2},
      {"{loss: {type: focal, gamma: 0.5}}", "{type: focal, gamma: 0.5, alpha: []}", "none", 0.5},
      {"{loss: {type: focal, gamma: 1, alpha: [0.25, 3]}}", "{type: focal, gamma: 1, alpha: [0.25, 3]}",
       "none", 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[200];
    snprintf(text, sizeof text, MINIMAL "train: %s\n", cases[i].train);
    ls_spec *spec = parse(text);
    const focal_options *options = spec->train.loss.options;
    assert_ptr_equal(spec->train.loss.schema, cases[i].gamma > 0 ? &focal : &cross_entropy);
    if (cases[i].gamma > 0) assert_true(options->gamma == cases[i].gamma);
    ls_text yaml = {0};
    ls_config_emit(spec, &yaml);
    ls_spec *again = parse(ls_text_get(&yaml));
    snprintf(text, sizeof text, "  loss: %s\n", cases[i].loss);
    assert_non_null(strstr(ls_text_get(&yaml), text));
    snprintf(text, sizeof text, "    method: %s\n", cases[i].method);
    assert_non_null(strstr(ls_text_get(&yaml), text));
    assert_ptr_equal(again->train.loss.schema, spec->train.loss.schema);
    assert_ptr_equal(again->train.adversarial.method.schema, spec->train.adversarial.method.schema);
    ls_text_fini(&yaml);
    ls_spec_free(again);
    ls_spec_free(spec);
  }
}

/* Every kind of a section has its keys there, in the order of the kinds, as any other key. */
static void kinds_may_share_a_section(void **state)
{
  (void)state;
  ls_spec *spec = parse("data: {source: x, augment: {mixup: 0.5, elastic: {sigma: 1.5}, rotate: 10}}\n"
                        "model: {layers: [{type: relu}]}\n");
  const ls_kind_list *kinds = &spec->data.augment.kinds;
  assert_int_equal(kinds->count, 2);
  assert_ptr_equal(kinds->items[0].schema, &turn);
  assert_ptr_equal(kinds->items[1].schema, &bend);
  assert_true(((const turn_options *)kinds->items[0].options)->rotate == 10);
  assert_true(((const bend_options *)kinds->items[1].options)->alpha == 0);
  assert_true(((const bend_options *)kinds->items[1].options)->sigma == 1.5);
  assert_true(spec->data.augment.mixup == 0.5);
  ls_text yaml = {0};
  ls_config_emit_key(spec, "data.augment.elastic.sigma", &yaml);
  assert_string_equal(ls_text_get(&yaml), " 1.5\n");
  size_t i = 0, found = 0;
  for (const char *path; (path = ls_config_key_path(spec, i)); i++)
    found += strncmp(path, "data.augment.", strlen("data.augment.")) == 0;
  assert_int_equal(found, 4);
  ls_text_fini(&yaml);
  ls_spec_free(spec);
}

/* Keys that have no effect with a kind are reported, with that kind's name. */
static void idle_keys_are_noted(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"{method: fgsm, steps: 3}", "train.adversarial.steps: 3: no effect with fgsm\n"},
      {"{method: fgsm, step_size: 0.5}", "train.adversarial.step_size: 0.5: no effect with fgsm\n"},
      {"{method: fgsm, steps: 7}", ""},
      {"{method: pgd, steps: 3}", ""},
      {"{steps: 3}", "train.adversarial.steps: 3: no effect without train.adversarial.method\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[200];
    snprintf(text, sizeof text, MINIMAL "train: {adversarial: %s}\n", cases[i][0]);
    ls_spec *spec = parse(text);
    ls_text notes = {0};
    ls_config_notes(spec, &notes);
    assert_string_equal(ls_text_get(&notes), cases[i][1]);
    ls_text_fini(&notes);
    ls_spec_free(spec);
  }
}

static void notes_of_kinds_are_reported_wherever_they_are_chosen(void **state)
{
  (void)state;
  ls_spec *spec =
      parse("data: {source: mnist}\n"
            "model: {layers: [{type: conv, filters: 1}, {type: residual, body: [{type: relu}, {type: "
            "residual, body: [{type: conv, filters: 1}]}]}]}\n"
            "train: {optimizer: {type: adam}}\n");
  ls_text notes = {0};
  ls_config_notes(spec, &notes);
  assert_string_equal(ls_text_get(&notes), "model.layers[0]: conv: a fake\n"
                                           "model.layers[1].body[1].body[0]: conv: a fake\n"
                                           "train.optimizer: adam: a fake\n");
  ls_text_fini(&notes);
  ls_spec_free(spec);
}

static void help_tells_type_range_default_and_meaning(void **state)
{
  (void)state;
  ls_text help = {0};
  ls_config_help(&fakes, &help);
  static const char *const entries[] = {
      "  data.source: a text; required\n",
      "  data.validation: a count of samples, or a fraction between 0 and 1; default 0\n",
      "  data.normalize: one of: unit, standard, none; or {scale: ..., mean: ...,\n      deviation: ...}; "
      "default standard\n",
      "  data.normalize.scale: a number, at least 1e-06 and at most 1000000, or one\n      of: 1/255; "
      "default "
      "1/255\n",
      "  data.shape: a count, at least 1 and at most 65536; or a list of them,\n      [channels, height, "
      "width]; "
      "or one of: auto; default auto\n",
      "  model.layers: a list of layers, at least 1; required\n",
      "  train.epochs: a count of epochs, at least 0; default 10\n      Passes over the training split",
      "  train.label_smoothing: a number, at least 0 and below 1; default 0\n",
      "  train.optimizer: {type: NAME, ...}; default {type: sgd}\n",
      "  train.loss: one of: cross_entropy, focal; default cross_entropy\n",
      "  train.adversarial.method: one of: none, fgsm, pgd; default none\n",
      "\nloss focal: Focal loss.\n  gamma: a number, at least 0 and at most 10; default 2\n",
      "\nattack pgd: Many steps.\n",
      "  data.augment.elastic.sigma: a number, at least 0 and at most 100; default 4\n      How smoothly.\n",
      "  train.adversarial.alpha: a number, at least 0 and at most 1, or one of: auto;\n      default auto\n",
      "  train.early_stopping.restore_best: true or false; default true\n",
      "  checkpoint.every_minutes: a number of minutes, at least 0; default 0\n",
      "\nevery layer\n  name: a text; optional\n",
      "\nlayer conv: Convolution.\n  filters: a count, at least 1 and at most 4096; required\n",
      "  pad: a count of pixels, or one of: same; default 0\n",
      "\noptimizer sgd: Gradient descent.\n  lr: a number, above 0; default 0.01\n",
      "\nschedule constant: The same rate always.\n",
  };
  for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
    if (!strstr(ls_text_get(&help), entries[i])) fail_msg("not in the help:\n%s", entries[i]);
  for (const char *line = ls_text_get(&help); *line; line += strcspn(line, "\n") + 1)
    if (strcspn(line, "\n") > LS_TEXT_WIDTH) fail_msg("too wide: %.*s", (int)strcspn(line, "\n"), line);
  ls_text_fini(&help);
}

/* Of the first layer, a convolution with these options: what is said of `border` and `step` when resolved. */
static void expect_counts(const char *written, const char *resolved, const ls_counts *border)
{
  char text[200];
  snprintf(text, sizeof text, "data: {source: a}\nmodel: {layers: [{type: conv, filters: 1%s}]}\n", written);
  ls_spec *spec = parse(text);
  const ls_counts *found = &((const conv_options *)spec->model.layers.items[0].options)->border;
  assert_int_equal(found->word, border->word);
  for (size_t i = 0; i < border->count && border->word < 0; i++)
    assert_int_equal(found->items[i], border->items[i]);
  assert_true(border->word >= 0 || found->count == border->count);
  ls_text yaml = {0};
  ls_config_emit(spec, &yaml);
  const char *line = strstr(ls_text_get(&yaml), "pad: 0");
  assert_non_null(line);
  if (strncmp(line, resolved, strlen(resolved)) != 0) fail_msg("'%s' is not in\n%s", resolved, line);
  ls_spec *again = parse(ls_text_get(&yaml));
  ls_text same = {0};
  ls_config_emit(again, &same);
  assert_string_equal(ls_text_get(&same), ls_text_get(&yaml));
  ls_text_fini(&same);
  ls_text_fini(&yaml);
  ls_spec_free(again);
  ls_spec_free(spec);
}

/* Lists as short as they can be, and nothing of a default. */
static void counts_along_dimensions_are_read_and_written(void **state)
{
  (void)state;
  const struct {
    const char *written, *resolved;
    ls_counts border;
  } cases[] = {
      {"", "pad: 0, bias", {-1, 1, {0}}},
      {", border: 0, step: 1", "pad: 0, bias", {-1, 1, {0}}},
      {", border: [0, 0], step: [1, 1]", "pad: 0, bias", {-1, 1, {0}}},
      {", border: 2, step: [2, 1]", "pad: 0, border: 2, step: [2, 1], bias", {-1, 1, {2}}},
      {", border: [1, 2]", "pad: 0, border: [1, 2], bias", {-1, 2, {1, 2}}},
      {", border: [3, 3, 3, 3]", "pad: 0, border: 3, bias", {-1, 1, {3}}},
      {", border: [1, 1, 2, 2]", "pad: 0, border: [1, 2], bias", {-1, 2, {1, 2}}},
      {", border: [0, 1, 2, 3]", "pad: 0, border: [0, 1, 2, 3], bias", {-1, 4, {0, 1, 2, 3}}},
      {", border: [1, 2, 1, 2]", "pad: 0, border: [1, 2, 1, 2], bias", {-1, 4, {1, 2, 1, 2}}},
      {", border: same", "pad: 0, border: same, bias", {0, 0, {0}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    expect_counts(cases[i].written, cases[i].resolved, &cases[i].border);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(written_values_are_taken),
      cmocka_unit_test(micro_batches_are_counts_or_shares_of_the_batch),
      cmocka_unit_test(a_mean_and_deviation_of_older_files_are_a_normalization),
      cmocka_unit_test(what_is_not_written_has_the_documented_default),
      cmocka_unit_test(layers_nest_and_have_their_origin),
      cmocka_unit_test(texts_may_look_like_anything),
      cmocka_unit_test(the_resolved_configuration_has_every_key_and_resolves_to_itself),
      cmocka_unit_test(reals_survive_the_resolved_configuration),
      cmocka_unit_test(a_number_or_a_word_is_read_and_written),
      cmocka_unit_test(counts_along_dimensions_are_read_and_written),
      cmocka_unit_test(named_kinds_are_read_and_written),
      cmocka_unit_test(kinds_may_share_a_section),
      cmocka_unit_test(idle_keys_are_noted),
      cmocka_unit_test(notes_of_kinds_are_reported_wherever_they_are_chosen),
      cmocka_unit_test(help_tells_type_range_default_and_meaning),
  };
  return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
