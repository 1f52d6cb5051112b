/* SPDX-License-Identifier: BSD-3-Clause */
/* What max and average pooling share: options, and where the windows are. Private to the two. */
#ifndef LS_NN_LAYERS_POOL_H
#define LS_NN_LAYERS_POOL_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "config/keys.h"
#include "nn/operators.h"
#include "nn/shape.h"
#include "nn/window.h"

typedef struct ls_pool_options {
  ls_window_options windows; /* a word as stride: the size */
  bool count_include_pad;    /* of averages */
} ls_pool_options;

/* The keys of max pooling, and those of average pooling. */
enum { LS_MAXPOOL_KEYS = 4, LS_POOL_KEYS, LS_POOL_MAX_SIZE = 255 };

extern const ls_key ls_pool_keys[LS_POOL_KEYS];

typedef struct ls_pool {
  ls_shape in, out;
  ls_window rows, columns;
  bool counts_padding; /* averages are over the padding too */
} ls_pool;

/** The part of a window that is inside the image, along one dimension. */
typedef struct ls_pool_span {
  size_t first, end; /* in the image; never empty */
  size_t skipped;    /* positions of the window before `first` */
  size_t counted;    /* positions of the window in the image and the padding */
} ls_pool_span;

/** Local. Errors: LS_E_CONFIG if the window does not fit. */
ls_status ls_pool_init(ls_pool *pool, const ls_pool_options *options, ls_shape in) LS_CHECKED;

/** The span of window i of a row or column of windows along a dimension of `in` pixels. */
ls_pool_span ls_pool_span_of(const ls_window *window, size_t i, size_t in);

/** Say it by an operator of ONNX: MaxPool or AveragePool. */
void ls_pool_express(const ls_pool *pool, const char *name, const ls_expression *to);

/** Append "3x3, stride 2, pad 1". */
void ls_pool_describe(const ls_pool *pool, ls_text *text);

#endif
