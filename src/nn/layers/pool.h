/* SPDX-License-Identifier: BSD-3-Clause */
/* What max and average pooling share: options, and where the windows are. Private to the two. */
#ifndef LS_NN_LAYERS_POOL_H
#define LS_NN_LAYERS_POOL_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "config/keys.h"
#include "nn/shape.h"

typedef struct ls_pool_options {
  size_t size;
  ls_count_or_word stride;
  size_t pad;
} ls_pool_options;

enum { LS_POOL_KEYS = 3, LS_POOL_MAX_SIZE = 255 };

extern const ls_key ls_pool_keys[LS_POOL_KEYS];

/** Windows of size x size pixels, `stride` apart, the first one `pad` pixels before the image. */
typedef struct ls_pool {
  ls_shape in, out;
  size_t size, stride, pad;
} ls_pool;

/** The part of a window that is inside the image, along one dimension. */
typedef struct ls_pool_span {
  size_t first, end; /* in the image; never empty */
  size_t skipped;    /* positions of the window before `first` */
} ls_pool_span;

/** Local. Errors: LS_E_CONFIG if the window does not fit. */
ls_status ls_pool_init(ls_pool *pool, const ls_pool_options *options, ls_shape in) LS_CHECKED;

/** The span of window i along a dimension of `in` pixels. */
ls_pool_span ls_pool_window(const ls_pool *pool, size_t i, size_t in);

/** Append "2x2, stride 2". */
void ls_pool_describe(const ls_pool *pool, ls_text *text);

#endif
