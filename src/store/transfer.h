/* SPDX-License-Identifier: BSD-3-Clause */
/* Weights of another network for a new run: from a checkpoint, or from any other file of tensors that
 * store/foreign/ reads. */
#ifndef LS_STORE_TRANSFER_H
#define LS_STORE_TRANSFER_H

#include "base/digest.h"
#include "base/status.h"
#include "base/text.h"
#include "config/keys.h"
#include "nn/model.h"

/** The report on a transfer. Zero-initialize; owned; ls_transfer_report_fini(). */
typedef struct ls_transfer_report {
  char digest[LS_DIGEST_CHARS]; /* of the file's bytes */
  ls_text lines;                /* that say what was loaded, adapted, initialized, skipped */
  ls_text warning;              /* a line if a layer but the last keeps initial values; empty: none does */
  ls_text lacking; /* the tensors that keep initial values, "fc.weight, fc.bias"; empty: none does */
} ls_transfer_report;

/** Where weights come from. Borrowed. */
typedef struct ls_transfer_source {
  const char *path;            /* FILE, or FILE#KEY for what is below a key in it */
  const ls_text_list *renames; /* pattern and replacement in turn, see rename.h; NULL: none */
  bool as_it_is; /* no training follows: a last layer of other classes, or images of other channels, are
                    errors */
} ls_transfer_source;

void ls_transfer_report_fini(ls_transfer_report *report);

/** Take the tensors of a file whose names are those of the model's: `conv1.weight`, in groups or with dots.
 * Where no name is the same, '.', '_' and '-' count as equal, so that a block named layer1_0 takes
 * layer1.0.conv1.weight; the shortcut of a block may be called downsample, skip, proj or projection, and its
 * layers by their number, from 0; and what PyTorch puts around a network is left out: module.,
 * _orig_mod., state_dict/, ... Of a checkpoint it takes the moving average, if there is one. Numbers of any
 * precision become float32.
 *
 * Tensors keep their initial values that the file does not have, and those of the last layer with weights, if
 * it gives another number of values (a new head). A first convolution of one input channel takes the sum over
 * the file's channels, one of several takes equal shares of the file's one.
 *
 * @param[in,out] params, buffers  of the model, initialized
 *
 * Rank 0. Errors: LS_E_INPUT if it is no such file, no name is the same, two tensors are the same one of the
 * model, a shape does not fit, a value is not finite in float32, or a frozen layer would keep its initial
 * values; LS_E_CONFIG if a renaming is none; LS_E_MEMORY. On error the vectors are undefined. */
ls_status ls_transfer_read(const ls_transfer_source *source, const ls_model *model, float *params,
                           float *buffers, ls_transfer_report *report) LS_CHECKED;

/** Check that a transfer would succeed: reads into vectors of its own. Arguments and errors as above. Rank 0.
 */
ls_status ls_transfer_try(const ls_transfer_source *source, const ls_model *model,
                          ls_transfer_report *report) LS_CHECKED;

#endif
