/* SPDX-License-Identifier: BSD-3-Clause */
/* Photographs as networks for ImageNet see them in evaluations. */
#ifndef LS_EVAL_PICTURES_PHOTO_H
#define LS_EVAL_PICTURES_PHOTO_H

#include "base/status.h"
#include "eval/pictures/planes.h"
#include "nn/shape.h"

/** Scale a photograph so that the image takes 7/8 of its shorter side, by Pillow's bicubic filter, and cut
 * the image out of its middle: for an image of 224x224 the shorter side becomes 256, and the longer one what
 * is then nearest to its proportion (torchvision's Resize(256) may make it a pixel shorter).
 *
 * @param[in]  planes  as many as the image has channels
 * @param[out] image   [c, h, w]
 *
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_photo_take(const ls_planes *planes, ls_shape shape, uint8_t *image) LS_CHECKED;

#endif
