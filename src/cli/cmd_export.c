/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep export: a trained network as a file for other programs. Rank 0 alone works. */
#include <argp.h>
#include <stdlib.h>

#include "base/files/file.h"
#include "base/files/temporary.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/print.h"
#include "eval/loaded.h"
#include "eval/loading.h"
#include "store/export/export.h"
#include "train/schemas.h"

typedef struct arguments {
  const char *checkpoint, *output;
  ls_onnx_options options;
  bool has_options;
} arguments;

enum { NORMALIZED = 256, SOFTMAX, FOLD_BATCHNORM };

static error_t refuse(struct argp_state *state, const char *what)
{
  argp_error(state, "%s", what);
  return EINVAL;
}

static bool set_option(arguments *given, int key)
{
  if (key == NORMALIZED)
    given->options.raw_pixels = false;
  else if (key == SOFTMAX)
    given->options.softmax = true;
  else if (key == FOLD_BATCHNORM)
    given->options.fold_batchnorm = true;
  else
    return false;
  return given->has_options = true;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  arguments *given = state->input;
  if (set_option(given, key)) return 0;
  if (key == 'o')
    given->output = value;
  else if (key == ARGP_KEY_ARG && !given->checkpoint)
    given->checkpoint = value;
  else if (key == ARGP_KEY_ARG)
    return refuse(state, "one checkpoint at a time");
  else if (key == ARGP_KEY_END && (!given->checkpoint || !given->output))
    return refuse(state, "expected a checkpoint, and -o FILE");
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "Write this file; its extension says the format", 0},
    {"normalized", NORMALIZED, NULL, 0, "ONNX: take normalized pixels, instead of 0 to 255", 0},
    {"softmax", SOFTMAX, NULL, 0, "ONNX: give probabilities instead of logits", 0},
    {"fold-batchnorm", FOLD_BATCHNORM, NULL, 0,
     "ONNX: make batch normalization part of the convolution or dense layer before it", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "CHECKPOINT.h5|RUN_DIR|WEIGHTS|CONFIG.yaml -o FILE",
    .doc = "Write a trained network for other programs: the moving average of its weights, if there is one, "
           "with "
           "PyTorch's names and shapes, and what it was trained on (classes, mean and deviation of pixels "
           "from 0 to "
           "255, digest) as metadata. A residual block layer1_0 becomes layer1.0, its shortcut downsample.\v"
           "Formats:\n"
           "  .onnx         graph and weights, opset 17: images [N, c, h, w] of pixels from 0 to 255 to "
           "logits [N, classes]\n"
           "  .safetensors  weights for PyTorch, by safetensors.torch.load_file()\n"
           "  .npz          weights for NumPy, by numpy.load()\n"
           "\n"
           "Examples:\n"
           "  lockstep export runs/a -o model.onnx\n"
           "  lockstep export runs/a -o model.safetensors\n"
           "  lockstep export runs/a/best.h5 -o model.npz\n"};

static ls_status write_file(const ls_loaded *loaded, const ls_export_format *format, const arguments *given)
{
  const char *path = given->output;
  const ls_export what = {.model = loaded->model,
                          .params = loaded->network.params,
                          .buffers = loaded->network.buffers,
                          .info = &loaded->info,
                          .options = given->options};
  ls_text file = {0};
  ls_status status = format->make(&what, &file);
  if (status == LS_OK && file.failed) status = ls_fail(LS_E_MEMORY, "no memory for the file's bytes");
  if (status == LS_OK) status = ls_file_write(path, ls_text_get(&file), file.length);
  ls_text_fini(&file);
  if (status != LS_OK) return ls_wrap(status, "cannot export to '%s'", path);
  return LS_OK;
}

/* Rank 0. */
static ls_status export(const arguments *given)
{
  const ls_export_format *format;
  ls_loaded loaded;
  LS_PASS(ls_export_find(&format, given->output));
  if (given->has_options && !format->holds_graph)
    return ls_fail(LS_E_USAGE, "'%s': this format has the weights alone; the options are for .onnx",
                   given->output);
  LS_PASS(ls_file_check_target(given->output));
  LS_PASS(ls_loaded_read(&loaded, given->checkpoint, &ls_all_schemas));
  ls_print_each(stderr, "lockstep: ", &loaded.notes);
  ls_status status = given->options.softmax && loaded.info.labels != LS_LABELS_CLASS
                         ? ls_fail(LS_E_USAGE, "--softmax is for classes, and '%s' gives %s", loaded.path,
                                   ls_label_nouns[loaded.info.labels])
                         : write_file(&loaded, format, given);
  if (status == LS_OK)
    ls_print(stdout, "%zu parameters of %s to %s\n", ls_model_count(loaded.model)->params, loaded.path,
             given->output);
  ls_loaded_close(&loaded);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  arguments given = {.options = {.raw_pixels = true}};
  bool done;
  LS_PASS(ls_command_parse(comm, &argp, argc, argv, &given, &done));
  if (!done) LS_ROOT(comm, export(&given));
  return LS_OK;
}

const ls_command ls_command_export = {
    .word = "export", .doc = "write a trained network for other programs", .run = run};
