/* SPDX-License-Identifier: BSD-3-Clause */
/* Kinds for the tests of the configuration: they have every type of row, and are those of no module. */
#ifndef LS_TESTS_CONFIG_FAKES_H
#define LS_TESTS_CONFIG_FAKES_H

#include <math.h>
#include <stdlib.h>

#include "config/config.h"

typedef struct conv_options {
  size_t filters, kernel;
  ls_count_or_word pad;
  ls_counts border, step;
  bool bias;
  int init;
} conv_options;

static const char *const pad_words[] = {"same", NULL};
static const char *const init_words[] = {"he", "glorot", "lecun", NULL};

static const ls_key conv_keys[] = {
    {.path = "filters",
     .type = LS_KEY_COUNT,
     .offset = offsetof(conv_options, filters),
     .min = 1,
     .max = 4096,
     .doc = "Number of filters."},
    {.path = "kernel",
     .type = LS_KEY_COUNT,
     .offset = offsetof(conv_options, kernel),
     .preset = "3",
     .min = 1,
     .max = INFINITY,
     .unit = "pixels",
     .doc = "Side of a filter."},
    {.path = "pad",
     .type = LS_KEY_COUNT_OR_WORD,
     .offset = offsetof(conv_options, pad),
     .preset = "0",
     .words = pad_words,
     .unit = "pixels",
     .doc = "Zeros around the image."},
    {.path = "border",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(conv_options, border),
     .preset = "0",
     .max = 9,
     .counts_max = 4,
     .shown_if_other = true,
     .words = pad_words,
     .unit = "pixels",
     .doc = "Zeros on each side."},
    {.path = "step",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(conv_options, step),
     .preset = "1",
     .min = 1,
     .max = 9,
     .counts_max = 2,
     .shown_if_other = true,
     .doc = "From place to place."},
    {.path = "bias",
     .type = LS_KEY_BOOL,
     .offset = offsetof(conv_options, bias),
     .preset = "true",
     .doc = "Adds a bias per filter."},
    {.path = "init",
     .type = LS_KEY_WORD,
     .offset = offsetof(conv_options, init),
     .preset = "he",
     .words = init_words,
     .doc = "Initial weights."},
};

typedef struct residual_options {
  ls_layer_list body, shortcut;
} residual_options;

static const ls_key residual_keys[] = {
    {.path = "body",
     .type = LS_KEY_LAYERS,
     .offset = offsetof(residual_options, body),
     .min = 1,
     .max = INFINITY,
     .doc = "Layers whose result is added to the input."},
    {.path = "shortcut",
     .type = LS_KEY_LAYERS,
     .offset = offsetof(residual_options, shortcut),
     .preset = "[]",
     .doc = "Layers that the input goes through instead of straight on."},
};

typedef struct sgd_options {
  double lr, momentum;
  bool nesterov;
} sgd_options;

#define LR_KEY(options, standard)                                                                            \
  {                                                                                                          \
    .path = "lr", .type = LS_KEY_REAL, .offset = offsetof(options, lr), .preset = standard,                  \
    .min_open = true, .max = INFINITY, .doc = "Learning rate."                                               \
  }

static const ls_key sgd_keys[] = {
    LR_KEY(sgd_options, "0.01"),
    {.path = "momentum",
     .type = LS_KEY_REAL,
     .offset = offsetof(sgd_options, momentum),
     .preset = "0",
     .max = 1,
     .max_open = true,
     .doc = "Share of the last update that is kept."},
    {.path = "nesterov",
     .type = LS_KEY_BOOL,
     .offset = offsetof(sgd_options, nesterov),
     .preset = "false",
     .doc = "Nesterov's momentum."},
};

typedef struct adam_options {
  double lr, beta1;
} adam_options;

static const ls_key adam_keys[] = {
    LR_KEY(adam_options, "0.001"),
    {.path = "beta1",
     .type = LS_KEY_REAL,
     .offset = offsetof(adam_options, beta1),
     .preset = "0.9",
     .max = 1,
     .max_open = true,
     .doc = "Decay of the first moment."},
};

typedef struct onecycle_options {
  double max_lr;
} onecycle_options;

static const ls_key onecycle_keys[] = {
    {.path = "max_lr",
     .type = LS_KEY_REAL,
     .offset = offsetof(onecycle_options, max_lr),
     .min_open = true,
     .max = INFINITY,
     .doc = "Highest learning rate."},
};

typedef struct focal_options {
  double gamma;
  ls_real_list alpha;
} focal_options;

static const ls_key focal_keys[] = {
    {.path = "gamma",
     .type = LS_KEY_REAL,
     .offset = offsetof(focal_options, gamma),
     .preset = "2",
     .max = 10,
     .doc = "How much less sure samples count."},
    {.path = "alpha",
     .type = LS_KEY_REALS,
     .offset = offsetof(focal_options, alpha),
     .preset = "[]",
     .max = 10,
     .doc = "Weights."},
};

typedef struct turn_options {
  double rotate;
} turn_options;

static const ls_key turn_keys[] = {
    {.path = "data.augment.rotate",
     .type = LS_KEY_REAL,
     .offset = offsetof(turn_options, rotate),
     .preset = "0",
     .max = 180,
     .unit = "degrees",
     .doc = "Images are turned."},
};

typedef struct bend_options {
  double sigma, alpha;
} bend_options;

static const ls_key bend_keys[] = {
    {.path = "data.augment.elastic.alpha",
     .type = LS_KEY_REAL,
     .offset = offsetof(bend_options, alpha),
     .preset = "0",
     .max = 1000,
     .doc = "Images are bent."},
    {.path = "data.augment.elastic.sigma",
     .type = LS_KEY_REAL,
     .offset = offsetof(bend_options, sigma),
     .preset = "4",
     .max = 100,
     .doc = "How smoothly."},
};

#define ROWS(rows, options)                                                                                  \
  .keys = (rows), .key_count = sizeof(rows) / sizeof(rows)[0], .options_bytes = sizeof(options)

static const ls_schema conv = {
    .name = "conv", .doc = "Convolution.", .note = "a fake", ROWS(conv_keys, conv_options)};
static const ls_schema relu = {.name = "relu", .doc = "max(x, 0)."};
static const ls_schema residual = {
    .name = "residual", .doc = "A body and a shortcut.", ROWS(residual_keys, residual_options)};
static const ls_schema sgd = {.name = "sgd", .doc = "Gradient descent.", ROWS(sgd_keys, sgd_options)};
static const ls_schema adam = {
    .name = "adam", .doc = "Adam.", .note = "a fake", ROWS(adam_keys, adam_options)};
static const ls_schema constant = {.name = "constant", .doc = "The same rate always."};
static const ls_schema onecycle = {
    .name = "onecycle", .doc = "One cycle.", ROWS(onecycle_keys, onecycle_options)};
static const ls_schema cross_entropy = {.name = "cross_entropy", .doc = "Cross-entropy."};
static const ls_schema focal = {.name = "focal", .doc = "Focal loss.", ROWS(focal_keys, focal_options)};
static const char *const step_keys[] = {"steps", "step_size", NULL};
static const ls_schema turn = {.name = "turn", ROWS(turn_keys, turn_options)};
static const ls_schema bend = {.name = "bend", ROWS(bend_keys, bend_options)};
static const ls_schema fgsm = {.name = "fgsm", .doc = "One step.", .idle = step_keys};
static const ls_schema pgd = {.name = "pgd", .doc = "Many steps."};

static const ls_schema *const fake_layers[] = {&conv, &relu, &residual, NULL};
static const ls_schema *const fake_optimizers[] = {&sgd, &adam, NULL};
static const ls_schema *const fake_schedules[] = {&constant, &onecycle, NULL};

static const ls_schema *const fake_losses[] = {&cross_entropy, &focal, NULL};
static const ls_schema *const fake_augmentations[] = {&turn, &bend, NULL};
static const ls_schema *const fake_attacks[] = {&fgsm, &pgd, NULL};

static const ls_schemas fakes = {.kinds = {[LS_FAMILY_LAYER] = fake_layers,
                                           [LS_FAMILY_OPTIMIZER] = fake_optimizers,
                                           [LS_FAMILY_SCHEDULE] = fake_schedules,
                                           [LS_FAMILY_LOSS] = fake_losses,
                                           [LS_FAMILY_ATTACK] = fake_attacks,
                                           [LS_FAMILY_AUGMENTATION] = fake_augmentations}};

/* The shortest configuration there is. */
#define MINIMAL "data: {source: mnist}\nmodel: {layers: [{type: relu}]}\n"

/* One with every type of key, with layers in layers. */
static const char full_text[] =
    "# A comment.\n"
    "name: full-1\n"
    "seed: 7\n"
    "data:\n"
    "  source: \"a folder: #1\"\n"
    "  validation: 0.1\n"
    "  normalize: {scale: 0.25, mean: [0.485, 0, -1], deviation: [1e-5]}\n"
    "  shuffle: shard\n"
    "  shape: [3, 192, 224]\n"
    "  resize: [192, 224]\n"
    "  channels: 3\n"
    "  classes: 10\n"
    "  class_names: names.txt\n"
    "model:\n"
    "  layers:\n"
    "    - {type: conv, name: conv1, filters: 6, kernel: 5, pad: same, freeze: true}\n"
    "    - {type: relu}\n"
    "    - type: residual\n"
    "      name: block\n"
    "      lr_factor: 0.1\n"
    "      body:\n"
    "        - {type: conv, name: inner, filters: 8, pad: 1, bias: false}\n"
    "        - type: residual\n"
    "          body: [{type: relu, name: deep}]\n"
    "      shortcut:\n"
    "        - {type: conv, filters: 8, kernel: 1, init: lecun}\n"
    "  freeze: [conv1, \"*.inner\"]\n"
    "  rename: {'^a[.](b|c)': 'd.\\1', x: \"\"}\n"
    "train:\n"
    "  epochs: 3\n"
    "  batch: 128\n"
    "  microbatch: 16\n"
    "  reduction: fast\n"
    "  allreduce: auto\n"
    "  allreduce_dtype: float32\n"
    "  bucket_mb: 0\n"
    "  label_smoothing: 0.1\n"
    "  ema: 0.999\n"
    "  clip_norm: 1e-7\n"
    "  optimizer: {type: sgd, lr: 0.05, momentum: .9, nesterov: true}\n"
    "  schedule: {type: onecycle, max_lr: 0.30000000000000004}\n"
    "  early_stopping: {patience: 4, metric: accuracy, min_delta: 0.001}\n"
    "checkpoint: {every_epochs: 0, every_steps: 100, every_minutes: 2.5, keep: 1}\n";

#endif
