/* SPDX-License-Identifier: BSD-3-Clause */
/* The one table of configuration keys. A key is a member of a struct in spec.h and a row here: parsing,
 * defaults, range checks, overrides, --help-config and the resolved configuration follow from the row. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "config/rows.h"

static const char *const normalize_words[] = {
    [LS_NORMALIZE_UNIT] = "unit", [LS_NORMALIZE_STANDARD] = "standard", [LS_NORMALIZE_NONE] = "none", NULL};
static const char *const shuffle_words[] = {
    [LS_SHUFFLE_GLOBAL] = "global", [LS_SHUFFLE_SHARD] = "shard", NULL};
static const char *const transpose_words[] = {
    [LS_TRANSPOSE_AUTO] = "auto", [LS_TRANSPOSE_TRUE] = "true", [LS_TRANSPOSE_FALSE] = "false", NULL};
const char *const ls_picture_words[] = {
    [LS_PICTURE_AUTO] = "auto",     [LS_PICTURE_PLAIN] = "plain", [LS_PICTURE_DIGIT] = "digit",
    [LS_PICTURE_LETTER] = "letter", [LS_PICTURE_GLYPH] = "glyph", NULL};
static const char *const split_seed_words[] = {"seed", NULL};
static const char *const metric_words[] = {
    [LS_METRIC_LOSS] = "loss", [LS_METRIC_ACCURACY] = "accuracy", NULL};
static const char *const reduction_words[] = {
    [LS_REDUCTION_FAST] = "fast", [LS_REDUCTION_EXACT] = "exact", NULL};
const char *const ls_allreduce_words[LS_ALLREDUCE_COUNT + 1] = {
    [LS_ALLREDUCE_AUTO] = "auto", [LS_ALLREDUCE_MPI] = "mpi", NULL};
static const char *const none_words[] = {"none", NULL};
static const char *const auto_words[] = {"auto", NULL};
static const char *const lr_scaling_words[] = {[LS_LR_LINEAR] = "linear", [LS_LR_SQRT] = "sqrt", NULL};
static const char *const dtype_words[] = {
    [LS_DTYPE_FLOAT32] = "float32", [LS_DTYPE_BFLOAT16] = "bfloat16", NULL};

static const char *const ensemble_words[] = {
    [LS_ENSEMBLE_INDEPENDENT] = "independent", [LS_ENSEMBLE_SNAPSHOT] = "snapshot", NULL};

ls_status ls_picture_find(const char *word, ls_picture_kind *kind)
{
  ls_text all = {0};
  for (size_t k = 0; ls_picture_words[k]; k++) {
    if (strcmp(ls_picture_words[k], word) == 0) {
      *kind = (ls_picture_kind)k;
      ls_text_fini(&all);
      return LS_OK;
    }
    ls_text_add(&all, "%s%s", k > 0 ? ", " : "", ls_picture_words[k]);
  }
  const ls_status status =
      ls_fail(LS_E_INPUT, "'%s' is no kind of picture: expected one of: %s", word, ls_text_get(&all));
  ls_text_fini(&all);
  return status;
}

const char *const ls_family_words[LS_FAMILY_COUNT] = {
    [LS_FAMILY_LAYER] = "layer",       [LS_FAMILY_OPTIMIZER] = "optimizer",
    [LS_FAMILY_SCHEDULE] = "schedule", [LS_FAMILY_LOSS] = "loss",
    [LS_FAMILY_ATTACK] = "attack",     [LS_FAMILY_AUGMENTATION] = "augmentation"};

const ls_key ls_type_key = {.path = "type", .type = LS_KEY_TEXT, .doc = "Which kind it is."};

const ls_key ls_name_key = {
    .path = "name",
    .type = LS_KEY_TEXT,
    .doc = "Names the layer in tables, overrides and checkpoints; by default made of its type and a number."};

const ls_key ls_layer_keys[LS_LAYER_KEYS] = {
    {.path = "freeze",
     .type = LS_KEY_BOOL,
     .offset = offsetof(ls_layer_spec, freeze),
     .preset = "false",
     .doc = "The layer stays as it is, its running statistics too, and works as in an evaluation."},
    {.path = "lr_factor",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_layer_spec, lr_factor),
     .preset = "1",
     .min_open = true,
     .max = INFINITY,
     .doc = "Factor on the learning rate for the layer."},
};

const ls_key ls_spec_keys[] = {
    {.path = "name",
     .type = LS_KEY_TEXT,
     .offset = offsetof(ls_spec, name),
     .preset = "run",
     .doc = "Names the default run directory: letters, digits, '.', '_' and '-'."},
    {.path = "seed",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, seed),
     .preset = "1",
     .doc = "Every random choice follows from it: initial weights, order of the samples, splits, dropout."},
    {.path = "data.source",
     .type = LS_KEY_TEXT,
     .offset = offsetof(ls_spec, data.source),
     .doc = "Name in the catalogue (mnist), folder of a dataset's files, or .h5 dataset; of several "
            "datasets in a folder, folder/BEGINNING of its files' names."},
    {.path = "data.validation",
     .type = LS_KEY_AMOUNT,
     .offset = offsetof(ls_spec, data.validation),
     .preset = "0",
     .unit = "samples",
     .doc = "Held out of the training split for validation, in proportion to the classes; 0 for none."},
    {.path = "data.split_seed",
     .type = LS_KEY_COUNT_OR_WORD,
     .offset = offsetof(ls_spec, data.split_seed),
     .preset = "seed",
     .words = split_seed_words,
     .doc = "Chooses what is held out; seed: the run's. The members of an ensemble hold out the same."},
    {.path = "data.normalize",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, data.normalize),
     .preset = "standard",
     .words = normalize_words,
     .doc = "Pixels to [0, 1] (unit), to mean 0 and deviation 1 of the training split (standard), or as is."},
    {.path = "data.mean",
     .type = LS_KEY_REALS,
     .offset = offsetof(ls_spec, data.mean),
     .preset = "[]",
     .max = 1,
     .doc = "With normalize: standard, the mean of each channel where black is 0 and white is 1, instead of "
            "that of the training split: what weights from elsewhere were trained with."},
    {.path = "data.std",
     .type = LS_KEY_REALS,
     .offset = offsetof(ls_spec, data.std),
     .preset = "[]",
     .min = 1e-5,
     .max = 1,
     .doc = "And the standard deviation of each channel."},
    {.path = "data.shuffle",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, data.shuffle),
     .preset = "global",
     .words = shuffle_words,
     .doc = "New order each epoch over the whole training split (global), or within each rank's shard."},
    {.path = "data.per_class",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, data.per_class),
     .preset = "0",
     .unit = "samples",
     .doc = "Train on so many samples of each class, chosen by the seed; 0 for all. Validation is not cut."},
    {.path = "data.fraction",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, data.fraction),
     .preset = "1",
     .min_open = true,
     .max = 1,
     .doc = "Train on this fraction of each class, chosen by the seed: what bagging gives each member."},
    {.path = "data.classes",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, data.classes),
     .preset = "0",
     .doc = "Number of classes; 0 takes it from the dataset."},
    {.path = "data.transpose",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, data.transpose),
     .preset = "auto",
     .words = transpose_words,
     .doc =
         "Whether IDX files hold each image by columns; auto: as EMNIST does, where the names are EMNIST's."},
    {.path = "data.first_label",
     .type = LS_KEY_COUNT_OR_WORD,
     .offset = offsetof(ls_spec, data.first_label),
     .preset = "auto",
     .words = auto_words,
     .max = 65535,
     .doc = "The files' number of the first class; auto: 1 where the names are those of EMNIST's letters, "
            "else 0, if there is a 0 among the labels."},
    {.path = "data.picture",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, data.picture),
     .preset = "auto",
     .words = ls_picture_words,
     .doc = "What `lockstep predict` turns pictures into: as they are, scaled (plain), or the ink on paper, "
            "laid "
            "as in MNIST (digit), EMNIST (letter), or over the whole image, as in KMNIST and USPS (glyph); "
            "auto: "
            "as the dataset says, else the catalogue, else plain."},
    {.path = "data.augment",
     .type = LS_KEY_EVERY_KIND,
     .offset = offsetof(ls_spec, data.augment.kinds),
     .family = LS_FAMILY_AUGMENTATION},
    {.path = "data.augment.mixup",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, data.augment.mixup),
     .preset = "0",
     .max = 1,
     .doc =
         "Each image becomes a mixture with another of its micro-batch, and so does its label; the share is "
         "Beta(mixup, mixup) distributed."},
    {.path = "model.layers",
     .type = LS_KEY_LAYERS,
     .offset = offsetof(ls_spec, model.layers),
     .min = 1,
     .max = INFINITY,
     .doc = "The network, from the image to one value per class."},
    {.path = "model.init_from",
     .type = LS_KEY_TEXT,
     .offset = offsetof(ls_spec, model.init_from),
     .preset = "none",
     .doc =
         "A new run starts with the weights of this checkpoint, or PyTorch state dict saved by h5py: those "
         "of layers with the same names; none for random ones."},
    {.path = "model.freeze",
     .type = LS_KEY_TEXTS,
     .offset = offsetof(ls_spec, model.freeze),
     .preset = "[]",
     .doc = "Names of layers, or globs such as block1* or *, that stay as they are: see freeze of a layer."},
    {.path = "train.epochs",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, train.epochs),
     .preset = "10",
     .max = INFINITY,
     .unit = "epochs",
     .doc = "Passes over the training split; 0 for none: the run is evaluated and saved as it begins."},
    {.path = "train.batch",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, train.batch),
     .preset = "256",
     .min = 1,
     .max = INFINITY,
     .unit = "samples",
     .doc = "Global batch: the samples of one step, over all ranks and threads."},
    {.path = "train.microbatch",
     .type = LS_KEY_AMOUNT,
     .offset = offsetof(ls_spec, train.microbatch_amount),
     .preset = "32",
     .min = 1,
     .max = INFINITY,
     .unit = "samples",
     .doc = "The part of a batch that one thread carries through the network at a time; at most the batch."},
    {.path = "train.reduction",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, train.reduction),
     .preset = "fast",
     .words = reduction_words,
     .doc = "How gradients are summed between hosts; within one, any ranks and threads give the same bits. "
            "exact: "
            "64-bit fixed point, the same bits on any number of hosts too. fast: float32, half the bytes; "
            "with allreduce: mpi, as exact."},
    {.path = "train.allreduce",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, train.allreduce),
     .preset = "auto",
     .words = ls_allreduce_words,
     .doc = "Who adds up the gradients. auto, which is fastest: ranks of a host in memory that they share; "
            "hosts "
            "by messages of lockstep's own beside the backward pass, or where that is less than three times "
            "train.bucket_mb by MPI_Allreduce. mpi: one MPI_Allreduce over all ranks "
            "each step, of 64-bit fixed point: the bits of auto on one host, of exact on several."},
    {.path = "train.allreduce_dtype",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, train.allreduce_dtype),
     .preset = "float32",
     .words = dtype_words,
     .doc = "What gradients travel as between hosts under reduction: fast; bfloat16 halves the bytes and "
            "keeps 8 bits of each value."},
    {.path = "train.bucket_mb",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, train.bucket_mb),
     .preset = "0.125",
     .max = 1024,
     .unit = "MiB",
     .doc =
         "Between hosts, so much of the gradient is sent at a time, while the rest is still being made; 0, "
         "or less than three times as much in all: everything at the end."},
    {.path = "train.loss",
     .type = LS_KEY_NAMED_KIND,
     .offset = offsetof(ls_spec, train.loss),
     .preset = "cross_entropy",
     .family = LS_FAMILY_LOSS,
     .doc = "What training makes small."},
    {.path = "train.label_smoothing",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, train.label_smoothing),
     .preset = "0",
     .max = 1,
     .max_open = true,
     .doc = "Share of each label that is spread evenly over all classes."},
    {.path = "train.ema",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, train.ema),
     .preset = "0",
     .max = 1,
     .max_open = true,
     .doc = "Decay per step of a moving average of the weights, such as 0.999, that is evaluated instead of "
            "them; 0 for none. Early steps decay faster: at most (1 + step) / (10 + step)."},
    {.path = "train.lr_base_batch",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, train.lr_base_batch),
     .preset = "0",
     .unit = "samples",
     .doc =
         "The batch that the learning rate is meant for: with another train.batch it is scaled; 0 for not."},
    {.path = "train.lr_scaling",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, train.lr_scaling),
     .preset = "linear",
     .words = lr_scaling_words,
     .doc = "With train.lr_base_batch, the learning rate grows as the batch, or as its square root."},
    {.path = "train.clip_norm",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, train.clip_norm),
     .preset = "0",
     .max = INFINITY,
     .doc = "Gradients with a larger L2 norm are scaled down to it; 0 for off."},
    {.path = "train.time_limit",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, train.time_limit),
     .preset = "0",
     .max = INFINITY,
     .unit = "seconds",
     .doc = "Training stops after so much time with a checkpoint and exit status 75; 0 for never."},
    {.path = "train.stall_timeout",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, train.stall_timeout),
     .preset = "60",
     .max = INFINITY,
     .unit = "seconds",
     .doc = "A rank that waits so long for others says so, and the missing ranks are named; 0 for never."},
    {.path = "train.stall_abort",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, train.stall_abort),
     .preset = "0",
     .max = INFINITY,
     .unit = "seconds",
     .doc = "The job is ended with status 1 when a rank has waited so long for others, also when those are "
            "merely busy, as with a large checkpoint; 0 for never."},
    {.path = "train.check_replicas",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, train.check_replicas),
     .preset = "0",
     .unit = "steps",
     .doc = "The ranks' weights are compared after so many steps too; always after an epoch and before a "
            "checkpoint."},
    {.path = "train.optimizer",
     .type = LS_KEY_KIND,
     .offset = offsetof(ls_spec, train.optimizer),
     .preset = "{type: sgd}",
     .family = LS_FAMILY_OPTIMIZER,
     .doc = "How the weights follow from the gradients."},
    {.path = "train.schedule",
     .type = LS_KEY_KIND,
     .offset = offsetof(ls_spec, train.schedule),
     .preset = "{type: constant}",
     .family = LS_FAMILY_SCHEDULE,
     .doc = "How the learning rate changes over the run."},
    {.path = "train.adversarial.method",
     .type = LS_KEY_NAMED_KIND,
     .offset = offsetof(ls_spec, train.adversarial.method),
     .preset = "none",
     .words = none_words,
     .family = LS_FAMILY_ATTACK,
     .doc = "Train on images that an attack has changed for the worse."},
    {.path = "train.adversarial.epsilon",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, train.adversarial.epsilon),
     .preset = "0.3",
     .max = 1,
     .doc = "A pixel is changed by so much at most, where black is 0 and white is 1."},
    {.path = "train.adversarial.alpha",
     .type = LS_KEY_REAL_OR_WORD,
     .offset = offsetof(ls_spec, train.adversarial.alpha),
     .preset = "auto",
     .max = 1,
     .words = auto_words,
     .doc = "Share of the clean images' loss, the rest is that of the attacked ones; auto: 0 where its "
            "authors train on attacked images alone, else 0.5."},
    {.path = "train.adversarial.steps",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, train.adversarial.steps),
     .preset = "7",
     .min = 1,
     .max = INFINITY,
     .unit = "steps",
     .doc = "Steps of an attack that takes several."},
    {.path = "train.adversarial.step_size",
     .type = LS_KEY_REAL_OR_WORD,
     .offset = offsetof(ls_spec, train.adversarial.step_size),
     .preset = "auto",
     .min_open = true,
     .max = 1,
     .words = auto_words,
     .doc = "What one of several steps changes a pixel by; auto: 2.5 * epsilon / steps."},
    {.path = "train.adversarial.warmup_epochs",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, train.adversarial.warmup_epochs),
     .preset = "0",
     .unit = "epochs",
     .doc = "Epsilon and step_size grow from epoch to epoch, and are whole after so many: a strong attack at "
            "once may leave a network that has learnt nothing yet at guessing."},
    {.path = "train.early_stopping.patience",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, train.early_stopping.patience),
     .preset = "0",
     .unit = "epochs",
     .doc = "Training stops after so many epochs in a row without improvement; 0 for never."},
    {.path = "train.early_stopping.metric",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, train.early_stopping.metric),
     .preset = "loss",
     .words = metric_words,
     .doc = "What has to improve on the validation split; it also chooses best.h5."},
    {.path = "train.early_stopping.min_delta",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, train.early_stopping.min_delta),
     .preset = "0",
     .max = INFINITY,
     .doc = "A change counts as an improvement if it is larger than this."},
    {.path = "train.early_stopping.restore_best",
     .type = LS_KEY_BOOL,
     .offset = offsetof(ls_spec, train.early_stopping.restore_best),
     .preset = "true",
     .doc = "End with the weights of the best epoch."},
    {.path = "checkpoint.every_epochs",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, checkpoint.every_epochs),
     .preset = "1",
     .unit = "epochs",
     .doc = "Write a checkpoint after so many epochs; 0 for off."},
    {.path = "checkpoint.every_steps",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, checkpoint.every_steps),
     .preset = "0",
     .unit = "steps",
     .doc = "Write a checkpoint after so many steps; 0 for off."},
    {.path = "checkpoint.every_minutes",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, checkpoint.every_minutes),
     .preset = "0",
     .max = INFINITY,
     .unit = "minutes",
     .doc = "Write a checkpoint after so much time; 0 for off."},
    {.path = "checkpoint.keep",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, checkpoint.keep),
     .preset = "3",
     .min = 1,
     .max = INFINITY,
     .unit = "checkpoints",
     .doc = "The newest so many checkpoints are kept."},
    {.path = "ensemble.members",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, ensemble.members),
     .preset = "0",
     .max = 1000,
     .unit = "networks",
     .doc = "Train so many networks, side by side where there are ranks for it, and let them vote; 0 for one "
            "alone."},
    {.path = "ensemble.type",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, ensemble.type),
     .preset = "independent",
     .words = ensemble_words,
     .doc = "Members of seeds seed, seed + 1, ... (independent), or one network as it is at the end of each "
            "cycle of {type: cosine, cycles: members} (snapshot)."},
    {.path = "ensemble.configs",
     .type = LS_KEY_TEXTS,
     .offset = offsetof(ls_spec, ensemble.configs),
     .preset = "[]",
     .doc = "Configuration files of the members, in turns; none: all have this one."},
    {.path = "ensemble.overrides",
     .type = LS_KEY_TEXTS,
     .offset = offsetof(ls_spec, ensemble.overrides),
     .preset = "[]",
     .doc = "What members have differently, in turns: texts such as 'data.fraction=0.8; "
            "train.optimizer.lr=0.02', or none."},
};

const size_t ls_spec_key_count = sizeof ls_spec_keys / sizeof ls_spec_keys[0];

_Static_assert(sizeof ls_spec_keys / sizeof ls_spec_keys[0] <= LS_ROWS_MAX, "raise LS_ROWS_MAX");
