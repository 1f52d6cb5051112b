/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep predict: what a trained network says of pictures. Rank 0 alone works. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/predict/predict.h"
#include "cli/print.h"
#include "cli/split_report.h"
#include "comm/groups.h"
#include "eval/pictures/png_read.h"
#include "nn/loss.h"

enum { KEY_RAW = 256, KEY_PICTURE, KEY_JSON };

static error_t parse_picture(const char *word, ls_predict_arguments *arguments, struct argp_state *state)
{
  if (ls_picture_find(word, &arguments->picture) == LS_OK) return 0;
  argp_error(state, "--picture: %s", ls_error_last()->text);
  return EINVAL;
}

/* Are the arguments complete, and do they agree? */
static error_t check_arguments(const ls_predict_arguments *arguments, struct argp_state *state)
{
  if (arguments->count == 0)
    argp_error(state, "expected a checkpoint and at least one picture");
  else if (arguments->raw && arguments->picture != LS_PICTURE_AUTO)
    argp_error(state, "--raw and --picture exclude each other");
  else
    return 0;
  return EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  ls_predict_arguments *arguments = state->input;
  if (key == KEY_PICTURE) return parse_picture(value, arguments, state);
  if (key == ARGP_KEY_END) return check_arguments(arguments, state);
  if (key == KEY_RAW)
    arguments->raw = true;
  else if (key == KEY_JSON)
    arguments->json = true;
  else if (key == ARGP_KEY_ARG && !arguments->checkpoint)
    arguments->checkpoint = value;
  else if (key == ARGP_KEY_ARG)
    arguments->images[arguments->count++] = value;
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"picture", KEY_PICTURE, "KIND", 0,
     "What pictures are turned into: plain, photo, digit, letter, glyph; auto (default): as the checkpoint "
     "says",
     0},
    {"raw", KEY_RAW, NULL, 0, "Take all of each picture as it is; another size is scaled to the network's",
     0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "CHECKPOINT.h5|RUN_DIR|WEIGHTS|CONFIG.yaml IMAGE.png [IMAGE.png ...]",
    .doc =
        "Tell what a trained network takes pictures for: PNG files of any colour type and size.\v"
        "What pictures are turned into follows from the data that the network was trained on (data.picture); "
        "the first line and the JSON document say it:\n"
        "  plain   the middle of the picture, scaled to the network's size\n"
        "  photo   7/8 of it, by the bicubic filter, as networks for ImageNet are evaluated\n"
        "  digit   the ink on the paper, scaled and centred as in MNIST\n"
        "  letter  the same as in EMNIST\n"
        "  glyph   the same over the whole image, as in KMNIST and USPS\n"
        "Paper may be of any colour, unevenly lit, ruled or framed, and ink darker or lighter than it; a "
        "picture "
        "that is such an image already stays as it is. Of several drawings the largest is read, with a "
        "warning. Where labels are not classes, the labels whose probability is above a half are "
        "given, or the values. A picture that cannot be read is reported, the others go on, and the exit "
        "status is 1.\n"
        "\n"
        "Examples:\n"
        "  lockstep predict runs/a/best.h5 scan.png photo.png\n"
        "  lockstep predict runs/a/best.h5 digits/*.png --json\n"
        "  lockstep predict runs/a/best.h5 --picture plain shirts/*.png\n"};

static ls_status choose_way(ls_predict_session *session)
{
  const ls_predict_arguments *arguments = session->arguments;
  session->way = (ls_intake_way){.kind = LS_PICTURE_PLAIN, .whole = arguments->raw};
  if (arguments->raw) return LS_OK;
  if (arguments->picture == LS_PICTURE_AUTO)
    return ls_intake_kind(&ls_predict_network(session)->info, &session->way.kind);
  session->way.kind = arguments->picture;
  return LS_OK;
}

/* The class names, one a line (as many as classes: the reader has seen to it), taken apart in place. */
static ls_status split_labels(ls_predict_session *session)
{
  ls_checkpoint_info *info = &ls_predict_network(session)->info;
  if (!info->class_names) return LS_OK;
  LS_PASS(ls_alloc(&session->labels, info->classes, sizeof *session->labels, "the class names"));
  char *rest = info->class_names;
  for (size_t k = 0; k < info->classes; k++) session->labels[k] = strsep(&rest, "\n");
  return LS_OK;
}

/* `comm` has one rank. */
static ls_status prepare(ls_predict_session *session, ls_comm *comm)
{
  const ls_predict_arguments *arguments = session->arguments;
  const ls_session_options which = {.checkpoints = &arguments->checkpoint, .count = 1};
  LS_PASS(ls_session_find(&session->opened, comm, &which));
  LS_PASS(ls_session_open(&session->opened, comm));
  ls_session_print_notes(&session->opened);
  LS_TRY(choose_way(session), "'%s'", arguments->checkpoint);
  const ls_network *network = &ls_predict_network(session)->network;
  LS_PASS(ls_members_init(&session->members, &network, 1, 1, 1));
  LS_PASS(ls_alloc(&session->image, ls_shape_count(ls_model_input(network->model)), 1, "an image"));
  LS_PASS(ls_alloc(&session->predictions, arguments->count, sizeof *session->predictions, "the predictions"));
  return split_labels(session);
}

static void release(ls_predict_session *session)
{
  for (size_t i = 0; session->predictions && i < session->arguments->count; i++) {
    free(session->predictions[i].error);
    ls_text_fini(&session->predictions[i].warnings);
    free(session->predictions[i].outputs);
  }
  free(session->predictions);
  free(session->labels);
  free(session->image);
  ls_members_fini(&session->members);
  ls_session_close(&session->opened);
}

static ls_status read_image(const ls_predict_session *session, const char *path, ls_text *warnings)
{
  ls_rgba picture;
  LS_PASS(ls_png_read(path, &picture));
  const ls_status status = ls_intake(&picture, ls_model_input(ls_predict_network(session)->model),
                                     session->way, session->image, warnings);
  ls_rgba_fini(&picture);
  return status == LS_OK ? LS_OK : ls_wrap(status, "'%s'", path);
}

static ls_status classify(const ls_predict_session *session, ls_prediction_made *out)
{
  const size_t classes = ls_members_classes(&session->members);
  const uint64_t sample = 0;
  const ls_microbatch microbatch = {.images = session->image, .samples = &sample, .n = 1};
  LS_PASS(ls_alloc(&out->outputs, classes, sizeof(float), "the probabilities"));
  ls_predict_network(session)->network.loss.kind->outputs(
      ls_members_logits(&session->members, 0, &microbatch), 1, classes, out->outputs);
  return LS_OK;
}

static void report_warnings(const char *path, const ls_text *warnings)
{
  for (const char *line = ls_text_get(warnings); *line; line += strcspn(line, "\n") + 1)
    ls_print(stderr, "lockstep: warning: '%s': %.*s\n", path, (int)strcspn(line, "\n"), line);
}

/* A picture that cannot be read is reported, and the others go on. */
static ls_status predict_all(ls_predict_session *session)
{
  for (size_t i = 0; i < session->arguments->count; i++) {
    ls_prediction_made *made = &session->predictions[i];
    const char *path = session->arguments->images[i];
    const ls_status status = read_image(session, path, &made->warnings);
    if (status == LS_E_MEMORY) return status;
    if (status == LS_OK) {
      report_warnings(path, &made->warnings);
      LS_PASS(classify(session, made));
      continue;
    }
    session->failures++;
    LS_PASS(ls_text_copy(&made->error, ls_error_last()->text));
    ls_print(stderr, "lockstep: %s\n", made->error);
  }
  return LS_OK;
}

/* Rank 0, in a communicator of its own. */
static ls_status predict(ls_comm *comm, const ls_predict_arguments *arguments)
{
  ls_predict_session session = {.arguments = arguments};
  ls_status status;
  LS_GO(prepare(&session, comm));
  LS_GO(predict_all(&session));
  if (arguments->json)
    LS_GO(ls_predict_print_json(&session));
  else
    LS_GO(ls_predict_print_lines(&session));
  if (session.failures > 0)
    status = ls_fail(LS_E_IO, "%zu of %zu pictures could not be read", session.failures, arguments->count);
done:
  release(&session);
  return status;
}

/* Collective. */
static ls_status predict_alone(ls_comm *comm, const ls_predict_arguments *arguments)
{
  ls_comm *alone;
  size_t hosts;
  LS_PASS(ls_comm_first(&alone, comm, 1, &hosts));
  const ls_status status = ls_comm_agree(comm, alone ? predict(alone, arguments) : LS_OK);
  ls_comm_close(alone);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  ls_predict_arguments arguments = {.count = 0};
  LS_AGREE(comm, ls_alloc(&arguments.images, (size_t)argc, sizeof *arguments.images, "the arguments"));
  bool done;
  ls_status status = ls_command_parse(comm, &argp, argc, argv, &arguments, &done);
  if (status == LS_OK && !done) status = predict_alone(comm, &arguments);
  free(arguments.images);
  return status;
}

const ls_command ls_command_predict = {
    .word = "predict", .doc = "tell what a trained network takes PNG pictures for", .run = run};
