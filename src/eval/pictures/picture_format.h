/* SPDX-License-Identifier: BSD-3-Clause */
/* Recognizes the format of a file that is no PNG picture, whatever its name says. */
#ifndef LS_EVAL_PICTURES_PICTURE_FORMAT_H
#define LS_EVAL_PICTURES_PICTURE_FORMAT_H

#include <stddef.h>

#include "base/status.h"

/** Fail with what the file `path` is by its first bytes, and how to make a PNG picture of it. Local. Returns
 * LS_E_INPUT. */
ls_status ls_picture_format_fail(const char *path, const unsigned char *bytes, size_t count) LS_CHECKED;

#endif
