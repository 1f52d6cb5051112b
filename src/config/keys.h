/* SPDX-License-Identifier: BSD-3-Clause */
/* One row per configuration key: the single source of parsing, defaults, checks, help and the resolved
 * configuration. Sections of the configuration, and every layer, optimizer and schedule kind, declare
 * their keys as a table of these rows next to the plain struct that the rows fill. */
#ifndef LS_CONFIG_KEYS_H
#define LS_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/** Type of a key; in brackets, the type of the struct member that it fills. */
typedef enum ls_key_type {
  LS_KEY_BOOL,          /* true | false                              [bool] */
  LS_KEY_COUNT,         /* non-negative integer                      [size_t] */
  LS_KEY_REAL,          /* finite decimal number                     [double] */
  LS_KEY_WORD,          /* one of `words`                            [int: index of the word] */
  LS_KEY_TEXT,          /* any text                                  [char *: owned by the spec] */
  LS_KEY_AMOUNT,        /* a count, or a fraction in (0, 1)          [ls_amount] */
  LS_KEY_COUNT_OR_WORD, /* a count, or one of `words`                [ls_count_or_word] */
  LS_KEY_REAL_OR_WORD,  /* a number, or one of `words`               [ls_real_or_word] */
  LS_KEY_COUNTS,        /* a count, a list of them, or one of `words` [ls_counts] */
  LS_KEY_TEXTS,         /* a sequence of texts                       [ls_text_list] */
  LS_KEY_TEXT_PAIRS,    /* a mapping of texts to texts               [ls_text_list: both in turn] */
  LS_KEY_REALS,         /* a sequence of numbers                     [ls_real_list] */
  LS_KEY_KIND,          /* {type: NAME, ...} of `family`             [ls_kind_spec] */
  LS_KEY_NAMED_KIND,    /* the same, NAME alone, or one of `words`   [ls_kind_spec: zeros for a word] */
  LS_KEY_WORD_OR_KEYS,  /* one of `words`, or {KEY: VALUE, ...} of `schema` [ls_word_or_keys] */
  LS_KEY_LAYERS,        /* a sequence of layers                      [ls_layer_list] */
  LS_KEY_EVERY_KIND     /* the section of all kinds of `family`      [ls_kind_list] */
} ls_key_type;

typedef struct ls_amount {
  bool is_fraction; /* written with a point: a fraction of a whole; otherwise a count */
  size_t count;
  double fraction;
} ls_amount;

typedef struct ls_count_or_word {
  int word;     /* index of the word, or -1 when a count was given */
  size_t count; /* valid when word is -1 */
} ls_count_or_word;

typedef struct ls_real_or_word {
  int word;    /* index of the word, or -1 when a number was given */
  double real; /* valid when word is -1 */
} ls_real_or_word;

/** One of some words, or what a mapping of keys says. */
typedef struct ls_word_or_keys {
  int word;                       /* index of the word, or -1 when a mapping was given */
  const struct ls_schema *schema; /* of the mapping; NULL: a word was given */
  void *options;                  /* schema->options_bytes; owned by the spec */
} ls_word_or_keys;

enum { LS_COUNTS_MAX = 4 };

/** Counts along the dimensions of an image. Lists are as short as they can be: [3, 3] is 3. */
typedef struct ls_counts {
  int word;                    /* index of the word, or -1 when counts were given */
  size_t count;                /* 1: for all sides; 2: [rows, columns]; 4: [top, bottom, left, right] */
  size_t items[LS_COUNTS_MAX]; /* valid when word is -1 */
} ls_counts;

typedef struct ls_text_list {
  char **items; /* owned by the spec */
  size_t count;
} ls_text_list;

typedef struct ls_real_list {
  double *items; /* owned by the spec */
  size_t count;
} ls_real_list;

/** The families of kinds, in the order in which help lists them: the word for one of its kinds, and whether
 * kinds are chosen, by `type:` or name, or all have keys in a section. */
#define LS_FAMILY_LIST(X)                                                                                    \
  X(LAYER, "layer", true)                                                                                    \
  X(OPTIMIZER, "optimizer", true)                                                                            \
  X(SCHEDULE, "schedule", true)                                                                              \
  X(LOSS, "loss", true)                                                                                      \
  X(ATTACK, "attack", true)                                                                                  \
  X(AUGMENTATION, "augmentation", false)

typedef enum ls_family {
#define LS_FAMILY_ENUM(id, word, is_chosen) LS_FAMILY_##id,
  LS_FAMILY_LIST(LS_FAMILY_ENUM)
#undef LS_FAMILY_ENUM
      LS_FAMILY_COUNT
} ls_family;

typedef struct ls_schema ls_schema;

typedef struct ls_key {
  const char *path; /* "train.batch": dotted, in the table of ls_spec; "filters": one word, in a kind's */
  ls_key_type type;
  size_t offset;      /* of the member, in bytes */
  const char *preset; /* the default, as a user would write it; NULL: the key is required */
  double min, max; /* allowed range of counts and reals, each one of a list, and of the number of layers; both
                      0: any (counts are never negative) */
  bool min_open, max_open; /* the bound itself is refused */
  const char *const
      *words;        /* NULL-terminated; for WORD, those with OR_WORD, and a NAMED_KIND that may be none */
  size_t counts_max; /* of COUNTS: a list has 2 items, or up to this */
  const char *counts_form; /* of COUNTS: the lists that there may be, for people; NULL: those of an image's
                              sides */
  bool shown_if_other; /* the resolved configuration has it where it is not the default; only of scalars */
  bool is_replaced;    /* of older files, and kept as what another key says, which messages
                            and the resolved configuration show */
  ls_family family;    /* for KIND, NAMED_KIND and EVERY_KIND */
  const ls_schema *schema; /* for WORD_OR_KEYS */
  const char *unit;        /* "epochs", "samples"; "" for none */
  const char *doc;         /* one sentence */
} ls_key;

/** What a kind of a family takes. */
struct ls_schema {
  const char *name;   /* the word after `type:` */
  const char *doc;    /* one sentence */
  const ls_key *keys; /* of EVERY_KIND: with whole paths, as those of ls_spec */
  size_t key_count;
  size_t options_bytes;    /* size of the struct that the rows fill; 0 when there are no keys */
  const char *note;        /* reported where it is chosen; optional: nothing needs to be said */
  const char *const *idle; /* keys beside the one that chooses it which have no effect with it: "steps";
                              NULL-terminated. Optional: all have one */
  /* What is impossible about options that are each in range, or NULL. Optional: they are independent. */
  const char *(*check)(const void *options);
};

/** The kinds that a configuration may name: per family, a NULL-terminated list, or NULL: none. */
typedef struct ls_schemas {
  const ls_schema *const *kinds[LS_FAMILY_COUNT];
} ls_schemas;

/** A chosen kind; all zeros where `none` was. */
typedef struct ls_kind_spec {
  const ls_schema *schema;
  void *options; /* schema->options_bytes, filled from its rows; owned by the spec */
} ls_kind_spec;

/** All kinds of a family, in its order. */
typedef struct ls_kind_list {
  ls_kind_spec *items; /* owned by the spec */
  size_t count;
} ls_kind_list;

typedef struct ls_layer_spec ls_layer_spec;

typedef struct ls_layer_list {
  ls_layer_spec *items; /* owned by the spec */
  size_t count;
} ls_layer_list;

/** One layer as configured: the keys that every layer has, and the kind's own. */
struct ls_layer_spec {
  const ls_schema *schema;
  void *options;       /* schema->options_bytes; owned by the spec */
  char *name;          /* NULL when not given; owned by the spec */
  char *input;         /* name of the layer whose output it takes; "previous": of the one before it */
  ls_text_list inputs; /* names, of a kind that takes several; none: not given */
  bool freeze;         /* it and its inner layers stay as they are */
  double lr_factor;    /* on the learning rate, of its inner layers too; above 0 */
  char *origin;        /* "lenet5.yaml:14:7: model.layers[3]", for error messages; owned by the spec */
};

#endif
