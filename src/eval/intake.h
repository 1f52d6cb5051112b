/* SPDX-License-Identifier: BSD-3-Clause */
/* From a picture to an image like those that a network was trained on. */
#ifndef LS_EVAL_INTAKE_H
#define LS_EVAL_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "data/png_read.h"
#include "nn/shape.h"

/** Convert a picture to an image of `shape`, 1 or 3 channels.
 *
 * One channel: as MNIST was made. Ink is what differs from the paper around it, dark on light or light on
 * dark; the rectangle around it is scaled, in its proportions, to fit into 20/28 of the image, stretched to
 * the full range, and placed so that its centre of mass is the middle. Three channels: the middle of the
 * picture, in the image's proportions, is scaled.
 *
 * @param[in]  raw    the pixels as they are: grey values or colours of the whole picture, scaled where the
 *                    size is another
 * @param[out] image  [c, h, w]
 *
 * Local. Errors: LS_E_INPUT if no ink is found, or for another number of channels; LS_E_MEMORY.
 * Source: LeCun, Cortes, Burges: "The MNIST database of handwritten digits".
 */
ls_status ls_intake(const ls_rgba *picture, ls_shape shape, bool raw, uint8_t *image) LS_CHECKED;

#endif
