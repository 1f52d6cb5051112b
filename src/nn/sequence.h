/* SPDX-License-Identifier: BSD-3-Clause */
/* Layers one after the other: the whole model, or a path of a residual block. A sequence looks like a layer
 * to its owner: it keeps `saved_count` floats from forward to backward and needs `scratch_count` floats
 * meanwhile.
 *
 * Outputs that backward does not read are written over by the next layer that can work in place; gradients go
 * to and fro between two buffers. Private to the module.
 */
#ifndef LS_NN_SEQUENCE_H
#define LS_NN_SEQUENCE_H

#include "nn/build.h"
#include "nn/layer.h"

typedef struct ls_sequence_item {
  ls_layer layer;
  bool is_absorbed;    /* a relu that its neighbour does: nothing is left to do */
  bool in_place;       /* writes over its input */
  bool is_output;      /* its y is the sequence's y */
  size_t y_offset;     /* of its output in saved, floats; of no meaning when is_output */
  size_t saved_offset; /* of what it keeps itself */
} ls_sequence_item;

typedef struct ls_sequence {
  ls_sequence_item *items; /* owned */
  size_t count;            /* at least 1 */
  ls_shape in, out;
  size_t first_trained;              /* index of the first layer with gradients; count: none */
  size_t saved_count, scratch_count; /* floats */
  size_t gradient_count;             /* floats of one gradient buffer */
} ls_sequence;

/** Where a sequence stands in the model. */
typedef struct ls_sequence_place {
  const char *prefix; /* of its layers' names: "block1." */
  bool input_is_data; /* nobody wants the gradient of its input */
  ls_role next;       /* that follows the sequence */
} ls_sequence_place;

/** Build the layers. On error ls_sequence_fini() is still due. Local. Errors: LS_E_CONFIG, LS_E_MEMORY. */
ls_status ls_sequence_init(ls_sequence *sequence, const ls_layer_list *specs, ls_shape in,
                           const ls_sequence_place *place, ls_build *build) LS_CHECKED;
void ls_sequence_fini(ls_sequence *sequence);

/** Does its backward pass read its output? */
bool ls_sequence_reads_y(const ls_sequence *sequence);

void ls_sequence_visit(const ls_sequence *sequence,
                       void (*visit)(const ls_layer *layer, size_t depth, void *user), size_t depth,
                       void *user);

void ls_sequence_init_params(const ls_sequence *sequence, uint64_t seed, float *params, float *buffers);
void ls_sequence_update_buffers(const ls_sequence *sequence, const float *stats, float *buffers);

/** x [n, in], y [n, out]. */
void ls_sequence_forward(const ls_sequence *sequence, const ls_pass *pass, const float *x, float *y,
                         float *saved, float *scratch);

/** dy is destroyed; dx may be NULL. */
void ls_sequence_backward(const ls_sequence *sequence, const ls_pass *pass, const float *x, const float *y,
                          float *dy, float *dx, float *saved, float *scratch);

#endif
