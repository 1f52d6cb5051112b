/* SPDX-License-Identifier: BSD-3-Clause */
/* A model: a graph of layers, its vectors, and the passes through it. Knows neither MPI nor files. */
#ifndef LS_NN_MODEL_H
#define LS_NN_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "config/keys.h"
#include "nn/layer.h"
#include "nn/shape.h"

/** The layers and their plan; opaque, not changed after it is built, shared by all threads. */
typedef struct ls_model ls_model;

/** Sizes of a model's vectors, in floats. */
typedef struct ls_model_counts {
  size_t params;          /* trainable parameters, PyTorch's layouts, one after the other */
  size_t buffers;         /* running statistics */
  size_t grads;           /* gradient in the kernels' layout, without frozen layers */
  size_t packed;          /* parameters in the kernels' layout */
  size_t layers;          /* inner ones included; their indices are below it */
  uint64_t macs;          /* multiply-adds of one sample's forward pass */
  size_t workspace_bytes; /* of one thread: activations, saved, scratch (training) */
} ls_model_counts;

typedef struct ls_model_options {
  ls_shape in;                /* of a sample */
  size_t microbatch;          /* samples of a pass, at most */
  size_t classes;             /* features that the last layer has to give; 0: any number */
  ls_label_form labels;       /* what they are compared with */
  const ls_text_list *freeze; /* model.freeze: names and globs of layers that stay as they are; NULL: none */
  bool input_gradient;        /* backward passes may ask for the gradient with respect to the input */
  bool
      keep_ties; /* equal windows of an image give equal bits, so that max pooling takes the first of
                    them, as in exact arithmetic: no kernels whose rounding depends on the position; slower */
} ls_model_options;

/** Build a model.
 *
 * Names that are not given are made of the kind and a running number ("conv1", "relu2").
 * Local. Errors: LS_E_CONFIG with the layer's origin if a layer does not fit, a name comes twice, or the last
 * layer does not give `classes` features, or a name or glob of `freeze` fits none; LS_E_MEMORY.
 */
ls_status ls_model_new(ls_model **out, const ls_layer_list *layers,
                       const ls_model_options *options) LS_CHECKED;
void ls_model_free(ls_model *model);

const ls_model_counts *ls_model_count(const ls_model *model);
ls_shape ls_model_input(const ls_model *model);
size_t ls_model_classes(const ls_model *model); /* features of the last layer */

/** Parameters and buffers in the order of their offsets; borrowed. */
const ls_tensor *ls_model_params(const ls_model *model, size_t *count);
const ls_tensor *ls_model_buffers(const ls_model *model, size_t *count);

/** Call visit on each layer in order, those inside of residual blocks with a depth above 0. */
void ls_model_visit(const ls_model *model, void (*visit)(const ls_layer *layer, size_t depth, void *user),
                    void *user);

/** Ask for the operators of each layer, in the order of the forward pass, so that the last one gives the
 * logits. There are ls_model_count()->layers. */
void ls_model_express(const ls_model *model, const ls_expression *to);

/** The first layer that takes statistics of a channel over samples alone, since its images are of one pixel,
 * and that is trained: a micro-batch of one sample would give it one value. NULL: none does. Borrowed. */
const ls_layer *ls_model_needs_samples(const ls_model *model);

/** Set initial parameters and running statistics: a pure function of (model, seed). */
void ls_model_init(const ls_model *model, uint64_t seed, float *params, float *buffers);

/** Make the packed form that forward and backward read; work item `part` of `parts`. */
void ls_model_pack(const ls_model *model, const float *params, float *packed, size_t part, size_t parts);

/** Running statistics from the step's mean batch statistics. */
void ls_model_update_buffers(const ls_model *model, const float *stats, float *buffers);

/** What one thread needs to carry one micro-batch; opaque. */
typedef struct ls_workspace ls_workspace;

/** Its memory is left untouched (ls_alloc_untouched()) until the thread does its first pass. Local. Errors:
 * LS_E_MEMORY. */
ls_status ls_workspace_new(ls_workspace **out, const ls_model *model) LS_CHECKED;
void ls_workspace_free(ls_workspace *workspace);

/** Where the caller puts the micro-batch: [microbatch, h, w, c]; borrowed. */
float *ls_workspace_input(ls_workspace *workspace);

/** Values of a sample's features: what the layers at the model's begin give that training does not change
 * (frozen ones, and such without weights, up to the last one whose output alone the rest takes). 0: there are
 * none. [h, w, c], as large as the output of a layer. */
size_t ls_model_features(const ls_model *model);

/** Where features lie, [microbatch, features]: the caller puts those of a micro-batch there for a pass
 * `from_features`. Borrowed. */
float *ls_workspace_features(const ls_model *model, const ls_workspace *workspace);

/** Compute the features of the workspace's input, as an evaluation does. Returns [n, features], borrowed
 * until the next pass. */
const float *ls_model_extract(const ls_model *model, const ls_pass *pass, ls_workspace *workspace);

/** Forward pass over workspace's input, or its features. Returns the logits [n, classes], borrowed until the
 * next pass. */
const float *ls_model_forward(const ls_model *model, const ls_pass *pass, ls_workspace *workspace);

/** Where the caller puts the loss gradient with respect to the logits: [microbatch, classes]; borrowed. */
float *ls_workspace_loss_gradient(ls_workspace *workspace);

/** Backward pass after a forward pass of the same micro-batch, which sets pass->grads or adds to them.
 *
 * @param[out] dx  gradient with respect to the input [n, h, w, c], or NULL: not wanted; needs the model's
 *                 input_gradient
 */
void ls_model_backward(const ls_model *model, const ls_pass *pass, ls_workspace *workspace, float *dx);

/** Append a table: layer, kind and options, output shape, parameters, multiply-adds; then the totals. */
void ls_model_summary(const ls_model *model, ls_text *text);

#endif
