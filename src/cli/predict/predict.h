/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of `lockstep predict` share. */
#ifndef LS_CLI_PREDICT_PREDICT_H
#define LS_CLI_PREDICT_PREDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "eval/pictures/intake.h"
#include "eval/session.h"

typedef struct ls_predict_arguments {
  const char *checkpoint; /* argv's, like the images */
  const char **images;    /* [count] */
  size_t count;
  ls_picture_kind picture; /* auto: as the checkpoint says */
  bool raw, json;
} ls_predict_arguments;

/** What became of one picture. */
typedef struct ls_prediction_made {
  char *error;      /* why there is none; owned */
  ls_text warnings; /* a line each */
  float *outputs;   /* [classes] probabilities of classes or of labels, or values; owned */
} ls_prediction_made;

typedef struct ls_predict_session {
  const ls_predict_arguments *arguments;
  ls_session opened;
  ls_members members; /* its network */
  uint8_t *image;     /* [c, h, w] */
  ls_intake_way way;
  char **labels;                   /* [classes] pointers into the class names; NULL: classes are numbers */
  ls_prediction_made *predictions; /* [count] */
  size_t failures;
} ls_predict_session;

static inline ls_loaded *ls_predict_network(const ls_predict_session *session)
{
  return &session->opened.networks[0];
}

/** Print all predictions: a line each, or one JSON document. Rank 0. Errors: LS_E_MEMORY, LS_E_IO. */
ls_status ls_predict_print_lines(const ls_predict_session *session) LS_CHECKED;
ls_status ls_predict_print_json(const ls_predict_session *session) LS_CHECKED;

#endif
