/* SPDX-License-Identifier: BSD-3-Clause */
/* A model under construction: the tensors of its layers, and the offsets that have been given out so far.
 * Private to the module. */
#ifndef LS_NN_BUILD_H
#define LS_NN_BUILD_H

#include "nn/layer.h"

/** A growing list of tensors. */
typedef struct ls_tensor_list {
  ls_tensor *items; /* owned */
  size_t count, capacity;
  size_t floats; /* elements of all of them: the next one's offset */
} ls_tensor_list;

/** Of the layer under construction: where it stands. */
typedef struct ls_build_context {
  bool frozen;      /* the block that it is in */
  double lr_factor; /* likewise; 1 at the top */
  ls_role next;     /* what follows the layer */
  bool is_last;     /* the layer is the model's last */
} ls_build_context;

struct ls_build {
  ls_tensor_list params, buffers;
  size_t grads, packed; /* floats given out, multiples of 16 so that layers start on cache lines */
  uint32_t layers;      /* layers made: the next one's index */
  size_t microbatch;
  const ls_text_list *freeze; /* names and globs of layers; NULL: none. Borrowed */
  ls_build_context context;
  ls_label_form labels;
  bool keep_ties;  /* see ls_model_options */
  bool has_origin; /* the error chain has the origin of the layer that does not fit */
};

/** Does a name or glob of `freeze` fit a layer's full name, as a shell matches them? */
bool ls_build_freezes(const ls_build *build, const char *layer);

/** Add the origin of the layer that does not fit to the error chain; once, that of the innermost one. */
ls_status ls_build_add_origin(ls_build *build, const char *origin, ls_status status) LS_CHECKED;

/** Floats of a micro-batch of samples of that shape fit memory, and those of a whole model can be added up.
 */
bool ls_build_fits(const ls_build *build, ls_shape shape);

void ls_build_fini(ls_build *build);

#endif
