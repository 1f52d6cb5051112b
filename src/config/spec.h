/* SPDX-License-Identifier: BSD-3-Clause */
/* The resolved configuration as plain structs: the only form in which the rest of the program sees the YAML
 * file. Members carry the names of their keys; keys/ holds a row for each, with its preset. */
#ifndef LS_CONFIG_SPEC_H
#define LS_CONFIG_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/status.h"
#include "config/keys.h"

typedef enum ls_normalize { LS_NORMALIZE_UNIT, LS_NORMALIZE_STANDARD, LS_NORMALIZE_NONE } ls_normalize;
typedef enum ls_shuffle { LS_SHUFFLE_GLOBAL, LS_SHUFFLE_SHARD } ls_shuffle;
typedef enum ls_transpose { LS_TRANSPOSE_AUTO, LS_TRANSPOSE_TRUE, LS_TRANSPOSE_FALSE } ls_transpose;
typedef enum ls_picture_kind {
  LS_PICTURE_AUTO,
  LS_PICTURE_PLAIN,
  LS_PICTURE_DIGIT,
  LS_PICTURE_LETTER,
  LS_PICTURE_GLYPH,
  LS_PICTURE_PHOTO
} ls_picture_kind;
extern const char *const ls_picture_words[]; /* by ls_picture_kind; ends with NULL */
/** The kind of a word, auto too. Local. Errors: LS_E_INPUT if there is none; the message names them all. */
ls_status ls_picture_find(const char *word, ls_picture_kind *kind) LS_CHECKED;
/** What the labels of images are. */
typedef enum ls_label_form {
  LS_LABELS_CLASS,   /* one class */
  LS_LABELS_SEVERAL, /* 0 or 1 for each of several labels */
  LS_LABELS_VALUES   /* numbers */
} ls_label_form;
extern const char
    *const ls_label_words[]; /* by ls_label_form: "class", "several", "values"; ends with NULL */
extern const char *const ls_label_nouns[]; /* of what there are several: "classes", "labels", "values" */
typedef enum ls_reduction { LS_REDUCTION_FAST, LS_REDUCTION_EXACT } ls_reduction;
typedef enum ls_allreduce { LS_ALLREDUCE_AUTO, LS_ALLREDUCE_MPI, LS_ALLREDUCE_COUNT } ls_allreduce;
/** Their words in the configuration. */
extern const char *const ls_allreduce_words[LS_ALLREDUCE_COUNT + 1];

typedef enum ls_lr_scaling { LS_LR_LINEAR, LS_LR_SQRT } ls_lr_scaling;
typedef enum ls_dtype { LS_DTYPE_FLOAT32, LS_DTYPE_BFLOAT16 } ls_dtype;

typedef struct ls_spec_augment {
  ls_kind_list kinds; /* what is made of single images */
  double mixup;       /* parameter of the Beta distribution; 0: none */
} ls_spec_augment;

/** Given values: input = (pixel * scale - mean) / deviation. */
typedef struct ls_normalize_values {
  ls_real_or_word scale;        /* word: 1/255 */
  ls_real_list mean, deviation; /* of each channel, or one for all; none: 0 and 1 */
} ls_normalize_values;

typedef struct ls_spec_data {
  char *source;                 /* catalogue name, folder of a dataset's files, or .h5 dataset; required */
  ls_amount validation;         /* held out of the training split; count 0: none */
  ls_count_or_word split_seed;  /* of what is held out; word: the run's seed */
  ls_word_or_keys normalize;    /* ls_normalize, or ls_normalize_values */
  ls_real_list mean, std;       /* of older files; empty once they are read, see `normalize` */
  int shuffle;                  /* ls_shuffle */
  size_t per_class;             /* samples of each class to train on; 0: all */
  double fraction;              /* of each class to train on, in (0, 1]; without per_class */
  ls_counts shape;              /* channels, height, width of the images; word: those of the dataset */
  ls_counts resize;             /* sides that images are resized to; word: they stay as they are */
  size_t channels;              /* that the one of grey images is repeated in; 0: it is not */
  size_t classes;               /* number of classes; 0: from the dataset */
  char *class_names;            /* file with a name in each line; "none" */
  int transpose;                /* ls_transpose: do IDX files hold images by columns? */
  ls_count_or_word first_label; /* the files' number of class 0; word: as they say themselves */
  int picture;                  /* ls_picture_kind: what predict turns pictures into */
  ls_spec_augment augment;
} ls_spec_data;

typedef struct ls_spec_early_stopping {
  size_t patience;   /* epochs without improvement before stopping; 0: never stop */
  int metric;        /* of config/metric.h, on the validation split */
  double min_delta;  /* smallest change that counts as an improvement */
  bool restore_best; /* end with the weights of the best epoch */
} ls_spec_early_stopping;

typedef struct ls_spec_adversarial {
  ls_kind_spec method;       /* an attack, or none */
  double epsilon;            /* L-infinity bound, black is 0 and white is 1; [0, 1] */
  ls_real_or_word alpha;     /* share of the clean loss, [0, 1]; auto: the attack's */
  size_t steps;              /* of an attack that takes several, >= 1 */
  ls_real_or_word step_size; /* of its steps, > 0; auto: 2.5 * epsilon / steps */
  size_t warmup_epochs;      /* before epsilon and step_size have grown to what they are */
} ls_spec_adversarial;

typedef struct ls_spec_train {
  size_t epochs;               /* 0: none */
  size_t batch;                /* global batch, samples, >= 1 */
  ls_amount microbatch_amount; /* at most the batch */
  size_t microbatch;           /* samples, >= 1: what the amount comes to */
  int reduction;               /* ls_reduction */
  int allreduce;               /* ls_allreduce */
  int allreduce_dtype;         /* ls_dtype of gradients between hosts, under fast */
  double bucket_mb;       /* MiB of float32 gradients that are sent together between hosts; 0: all of them */
  ls_kind_spec loss;      /* a kind and its options */
  double label_smoothing; /* [0, 1) */
  double ema;             /* decay of the weights' average; 0: none */
  size_t lr_base_batch;   /* batch that the learning rate is meant for; 0: the one it is used with */
  int lr_scaling;         /* ls_lr_scaling; from that batch to this */
  double clip_norm;       /* L2 norm that gradients are clipped to; 0: off */
  double time_limit;      /* seconds after which a session stops; 0: off */
  double stall_timeout;   /* seconds of waiting before a warning; 0: off */
  double stall_abort;     /* seconds of waiting before the job is ended; 0: off */
  size_t check_replicas;  /* steps between further comparisons of the ranks' weights; 0: none */
  ls_kind_spec optimizer; /* a kind and its options */
  ls_kind_spec schedule;  /* a kind and its options */
  ls_spec_adversarial adversarial;
  ls_spec_early_stopping early_stopping;
} ls_spec_train;

typedef struct ls_spec_checkpoint {
  size_t every_epochs;  /* 0: off */
  size_t every_steps;   /* 0: off */
  double every_minutes; /* 0: off */
  size_t keep;          /* newest checkpoints kept, >= 1 */
} ls_spec_checkpoint;

typedef enum ls_ensemble_type { LS_ENSEMBLE_INDEPENDENT, LS_ENSEMBLE_SNAPSHOT } ls_ensemble_type;

typedef struct ls_spec_ensemble {
  size_t members;         /* 0: a single network */
  int type;               /* ls_ensemble_type */
  ls_text_list configs;   /* files of the members, in turns; none: all have this configuration */
  ls_text_list overrides; /* of the members, in turns; several in a text are separated by ';';
                             "none": nothing */
} ls_spec_ensemble;

typedef struct ls_spec {
  char *name;  /* names the default run directory */
  size_t seed; /* every random choice follows from it */
  ls_spec_data data;
  struct {
    ls_layer_list layers; /* required, at least one */
    char *init_from;      /* checkpoint or state dict that a new run's weights come from; "none" */
    ls_text_list freeze;  /* names of layers that stay as they are, or globs */
    ls_text_list rename;  /* patterns of names of tensors and what they become, in turn */
  } model;
  ls_spec_train train;
  ls_spec_checkpoint checkpoint;
  ls_spec_ensemble ensemble;
} ls_spec;

/** The file of data.class_names; NULL: there is none. */
static inline const char *ls_spec_class_names(const ls_spec_data *data)
{
  return strcmp(data->class_names, "none") == 0 ? NULL : data->class_names;
}

/** The file of model.init_from; NULL: there is none. */
static inline const char *ls_spec_init_from(const ls_spec *spec)
{
  return strcmp(spec->model.init_from, "none") == 0 ? NULL : spec->model.init_from;
}

/** Are the members of the ensemble networks of one run, at the ends of its schedule's cycles? Local. */
bool ls_spec_takes_snapshots(const ls_spec *spec);

#endif
