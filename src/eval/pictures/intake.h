/* SPDX-License-Identifier: BSD-3-Clause */
/* Turns a picture into an image like those that a network was trained on. */
#ifndef LS_EVAL_PICTURES_INTAKE_H
#define LS_EVAL_PICTURES_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "config/spec.h"
#include "eval/pictures/png_read.h"
#include "nn/shape.h"
#include "store/checkpoint.h"

/** How pictures are taken. */
typedef struct ls_intake_way {
  ls_picture_kind kind; /* not LS_PICTURE_AUTO */
  bool whole;           /* plain, photo: not the middle in the image's proportions, but all of the picture */
} ls_intake_way;

/** The kind of the pictures that the network of a checkpoint takes: as the checkpoint says, else as the
 * catalogue does of the dataset it names, else plain. Local. Errors: LS_E_INPUT where the checkpoint says a
 * word that is not known. */
ls_status ls_intake_kind(const ls_checkpoint_info *info, ls_picture_kind *kind) LS_CHECKED;

/** A description of a kind in a few words, for people. Static. */
const char *ls_intake_doc(ls_picture_kind kind);

/** Convert a picture to an image of `shape`, 1 or 3 channels.
 *
 * plain: the middle of the picture, in the image's proportions, is scaled.
 * photo: the same of 7/8 of it, by another filter (eval/pictures/photo.h).
 * digit, letter, glyph: the drawing is cut out (eval/pictures/drawing.h) and laid in white on black into the
 * image as the dataset's makers did (eval/pictures/digit.h), in each channel.
 *
 * @param[out] image     [c, h, w]
 * @param[out] warnings  appended: a line for each reason to look at the picture again
 *
 * Local. Errors: LS_E_INPUT if no ink is found, or for another number of channels; LS_E_MEMORY.
 */
ls_status ls_intake(const ls_rgba *picture, ls_shape shape, ls_intake_way way, uint8_t *image,
                    ls_text *warnings) LS_CHECKED;

#endif
