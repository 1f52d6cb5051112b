/* SPDX-License-Identifier: BSD-3-Clause */
/* Which way up a picture is: the orientation that cameras write beside the pixels. */
#ifndef LS_EVAL_PICTURES_EXIF_H
#define LS_EVAL_PICTURES_EXIF_H

#include <stddef.h>

/** The orientation that the eXIf chunk of a PNG file says, 1 .. 8 (Exif 2.32, tag 274); 1 where it says none,
 * or is damaged: it is no part of the picture. */
unsigned ls_exif_orientation(const unsigned char *png, size_t bytes);

#endif
