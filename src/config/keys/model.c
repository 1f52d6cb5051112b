/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of the network, of every layer in it, and of every kind (config/keys.h). */
#include <math.h>

#include "config/rows.h"

const ls_family_row ls_families[LS_FAMILY_COUNT] = {
#define LS_FAMILY_ROW(id, word, is_chosen) {word, is_chosen},
    LS_FAMILY_LIST(LS_FAMILY_ROW)
#undef LS_FAMILY_ROW
};

const ls_key ls_type_key = {.path = "type", .type = LS_KEY_TEXT, .doc = "Which kind it is."};

const ls_key ls_name_key = {
    .path = "name",
    .type = LS_KEY_TEXT,
    .doc = "Names the layer in tables, overrides and checkpoints; by default made of its type and a number."};

const ls_key ls_layer_keys[] = {
    {.path = "input",
     .type = LS_KEY_TEXT,
     .offset = offsetof(ls_layer_spec, input),
     .preset = "previous",
     .doc = "Name of the earlier layer of its list whose output it takes; input for what the list is given."},
    {.path = "inputs",
     .type = LS_KEY_TEXTS,
     .offset = offsetof(ls_layer_spec, inputs),
     .preset = "[]",
     .doc = "The same of a kind that takes several, two names or more."},
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

_Static_assert(sizeof ls_layer_keys / sizeof *ls_layer_keys == LS_LAYER_KEYS, "as many as rows.h says");

static const ls_key model_keys[] = {
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
         "A new run starts with the weights of this file: a checkpoint, PyTorch's .pt or .pth, .safetensors, "
         ".npz, or a state dict saved by h5py; FILE#KEY: with those below a key, such as ema. Tensors go to "
         "layers of the same names; none for random weights."},
    {.path = "model.freeze",
     .type = LS_KEY_TEXTS,
     .offset = offsetof(ls_spec, model.freeze),
     .preset = "[]",
     .doc = "Names of layers, or globs such as block1* or *, that stay as they are: see freeze of a layer."},
    {.path = "model.rename",
     .type = LS_KEY_TEXT_PAIRS,
     .offset = offsetof(ls_spec, model.rename),
     .preset = "{}",
     .doc = "What names of tensors in model.init_from become, {pattern: replacement}, one after the other: "
            "extended regular expressions of POSIX, \\1 is the first group; of every part that fits."},
};

const ls_key_table ls_model_key_table = {model_keys, sizeof model_keys / sizeof model_keys[0]};
