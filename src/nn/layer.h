/* SPDX-License-Identifier: BSD-3-Clause */
/* What a layer is: one table of operations per kind, one file per kind, listed in kinds.h.
 *
 * A layer never allocates after it is built. Everything it works on is handed in: parameters, a thread's
 * gradient, what it saves from forward to backward, scratch. One thread carries one micro-batch through a
 * layer; layers of a model are shared by all threads and not changed while they run. CONTRIBUTING.md says how
 * to add a kind. */
#ifndef LS_NN_LAYER_H
#define LS_NN_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/rng.h"
#include "base/status.h"
#include "base/text.h"
#include "config/spec.h"
#include "kernels/kernel_pass.h"
#include "nn/operators.h"
#include "nn/shape.h"

enum { LS_LAYERS_MAX = 65536 }; /* layers of a model: the randomness is keyed by 16 bits of their index */
enum { LS_LAYER_NAME_BYTES = 64, LS_TENSOR_NAME_BYTES = 16, LS_TENSOR_MAX_DIMS = 4 };

typedef struct ls_layer_kind ls_layer_kind;
typedef struct ls_build ls_build;
typedef struct ls_block ls_block;

/** One named array of a layer: a parameter, or a buffer (running statistics). */
typedef struct ls_tensor {
  char layer[LS_LAYER_NAME_BYTES]; /* full name of its layer: "conv1", "block1.conv2" */
  char name[LS_TENSOR_NAME_BYTES]; /* "weight", "bias", "running_mean", "running_var" */
  size_t dims[LS_TENSOR_MAX_DIMS]; /* PyTorch's shape: conv [out, in, kh, kw], dense [out, in], vectors [n] */
  size_t dim_count;                /* 1 .. 4 */
  size_t offset;                   /* of its first element in the model's parameter or buffer vector */
  size_t count;                    /* elements: the product of dims */
  bool decay;                      /* weight decay applies: a weight matrix, not a bias or a normalization */
  double lr_factor;                /* on the learning rate; 0: its layer is frozen */
} ls_tensor;

/** One micro-batch on its way through the model. Pointers are to the whole model's vectors; a layer adds
 * its own offsets (layer->param_offset, ...). */
typedef struct ls_pass {
  bool training;        /* batch statistics and dropout on */
  size_t n;             /* samples, 1 .. microbatch */
  const float *params;  /* parameters in PyTorch's layouts */
  const float *packed;  /* the same as the kernels want them, made by pack() once a step */
  const float *buffers; /* running statistics; read in evaluation */
  float *grads;         /* this thread's gradient, in the kernels' layout; backward sets it */
  float *stats;         /* batch statistics times n, layout of the buffers; forward in training sets them */
  bool accumulate;      /* grads and stats are added to instead */
  bool from_features;   /* the micro-batch is given as ls_workspace_features(), not as its images */
  uint64_t seed;        /* of the run */
  uint64_t epoch;       /* from 0 */
  const uint64_t *samples; /* [n] index of each sample in the dataset: keys the randomness */
  /* Called after each layer's forward; NULL: not called. y [n, out] */
  void (*observe)(void *observer, const struct ls_layer *layer, const float *y);
  void *observer;
  /* Called in the backward pass when the gradients from `first` on, an offset in grads, are complete for this
   * micro-batch; `first` falls to 0. NULL: not called. */
  void (*done)(void *waiting, size_t first);
  void *waiting;
  struct ls_profile *profile; /* see profile.h; NULL: no profile is taken */
} ls_pass;

/** Report that the gradients from `first` on are complete. */
static inline void ls_pass_done(const ls_pass *pass, size_t first)
{
  if (pass->done) pass->done(pass->waiting, first);
}

/** What a layer takes. */
typedef struct ls_layer_input {
  char name[LS_LAYER_NAME_BYTES]; /* of the layer whose output it is; "input": the model's */
  ls_shape shape;                 /* per sample */
} ls_layer_input;

/** A layer in a model. `kind` and the counts are set by create(), names and offsets by the model. */
struct ls_layer {
  const ls_layer_kind *kind;
  char name[LS_LAYER_NAME_BYTES];     /* full name, unique in the model */
  uint32_t index;                     /* position in the whole model: keys the randomness */
  ls_shape in, out;                   /* per sample; in: of the first input */
  const ls_layer_input *inputs;       /* [input_count] */
  size_t input_count;                 /* 1, or more for kinds that merge */
  size_t microbatch;                  /* largest n of a pass */
  size_t param_offset;                /* of its first parameter in pass->params */
  size_t param_count;                 /* floats */
  size_t buffer_offset, buffer_count; /* in pass->buffers and pass->stats */
  size_t grad_offset, grad_count;     /* in pass->grads; the kernels' layout may differ from params */
  size_t packed_offset, packed_count; /* in pass->packed */
  size_t piece_params;  /* pack() and unpack() take so many parameters at a time; 0: all of them */
  size_t saved_count;   /* floats per micro-batch that forward leaves for backward, besides x and y */
  size_t scratch_count; /* floats per micro-batch that forward or backward may use meanwhile */
  uint64_t macs;        /* multiply-adds of one sample's forward pass */
  size_t inner_params;  /* of a block: parameters of the layers in it */
  uint64_t inner_macs;  /* likewise */
  bool rectifies;       /* the relu beside it is left to it: see absorbs_relu */
  bool frozen;          /* stays as it is: no gradients (grad_count is 0), works as in an evaluation */
  double lr_factor;     /* on the learning rate of its parameters */
  bool input_trains;    /* layers before it have gradients: every training pass wants dx */
  bool input_is_data;   /* nobody wants the gradient of its input: backward is called with dx = NULL */
  void *impl;           /* the kind's own, made by create(), released by destroy() */
};

/** Pieces of the parameters that are updated and packed each on its own: piece_params elements from
 * piece * piece_params on, the last one fewer. */
static inline size_t ls_layer_pieces(const ls_layer *layer)
{
  return layer->piece_params == 0 ? layer->param_count > 0
                                  : (layer->param_count + layer->piece_params - 1) / layer->piece_params;
}

/** Where a layer adds its gradients to: cleared, unless the pass accumulates; NULL if they are not wanted. */
static inline float *ls_layer_grads(const ls_layer *layer, const ls_pass *pass)
{
  if (!pass->grads) return NULL;
  float *grads = pass->grads + layer->grad_offset;
  if (!pass->accumulate) memset(grads, 0, layer->grad_count * sizeof *grads);
  return grads;
}

/** What its kernels work with in a pass. `bias`: NULL for none. */
static inline ls_kernel_pass ls_layer_kernels(const ls_layer *layer, const ls_pass *pass, const float *bias,
                                              float *scratch)
{
  return (ls_kernel_pass){.packed = pass->packed + layer->packed_offset,
                          .bias = bias,
                          .n = pass->n,
                          .scratch = scratch,
                          .accumulate = pass->accumulate,
                          .profile = pass->profile,
                          .layer = layer->index};
}

/** The same as ls_layer_grads() for its batch statistics. */
static inline float *ls_layer_stats(const ls_layer *layer, const ls_pass *pass)
{
  if (!pass->stats) return NULL;
  float *stats = pass->stats + layer->buffer_offset;
  if (!pass->accumulate) memset(stats, 0, layer->buffer_count * sizeof *stats);
  return stats;
}

/** A training pass as frozen layers see it: no gradients, no batch statistics. */
static inline ls_pass ls_pass_frozen(const ls_pass *pass)
{
  ls_pass frozen = *pass;
  frozen.training = false;
  frozen.grads = frozen.stats = NULL;
  frozen.done = NULL;
  return frozen;
}

/** What a layer is to the initializer of the weights before it, which looks for the next activation. */
typedef enum ls_role {
  LS_ROLE_WEIGHTED,  /* has weights of its own: ends the search; also when the end comes first */
  LS_ROLE_RECTIFIER, /* an activation that drops about half of its inputs */
  LS_ROLE_SIGMOID,   /* an activation that is about linear near 0 */
  LS_ROLE_NEUTRAL    /* looked through: pooling, normalization, dropout; residual blocks, which pass it on */
} ls_role;

/** Operations of a kind. Optional ones may be NULL. All pointers of forward and backward are 64-byte aligned.
 *
 * x [n, in.h, in.w, in.c], y [n, out.h, out.w, out.c]; dx and dy alike.
 */
struct ls_layer_kind {
  ls_schema schema; /* name, sentence, keys and options struct */
  ls_role role;

  /* May y be x? Only for kinds that work element by element. */
  bool in_place;
  /* max(x, 0), and a kind that can do that in its own pass for a layer before or after it: where the two
   * orders give the same. */
  bool is_absorbable, absorbs_relu;
  /* What backward reads; the plan lets memory overlap accordingly (graph/plan.c). */
  bool backward_reads_x, backward_reads_y;
  /* Training takes statistics of each channel over the micro-batch's samples and pixels. */
  bool uses_batch_statistics;
  /* Training draws random numbers. */
  bool is_random;

  /** Check the input shape, set out, counts, macs and impl, and declare tensors with ls_build_param() and
   * ls_build_buffer(). `options` is schema's struct. Local. Errors: LS_E_CONFIG (the message starts with what
   * does not fit; the caller adds the layer's origin), LS_E_MEMORY. On error destroy() is still called. */
  ls_status (*create)(ls_layer *layer, const void *options, ls_build *build);

  /** Release impl, which may be NULL or half made. Optional: nothing to release. */
  void (*destroy)(ls_layer *layer);

  /** Set the initial parameters and buffers; vectors of the whole model. Optional: it has none. */
  void (*init)(const ls_layer *layer, uint64_t seed, float *params, float *buffers);

  /** Make the packed form of one of the ls_layer_pieces(). Vectors of the whole model. Optional: packed_count
   * is 0. */
  void (*pack)(const ls_layer *layer, const float *params, float *packed, size_t piece);

  /** Turn one of the ls_layer_pieces() of a reduced gradient from the kernels' layout into that of the
   * parameters (vectors of the whole model, not overlapping). Optional: both layouts are the same, grad_count
   * is param_count. */
  void (*unpack)(const ls_layer *layer, const float *grads, float *param_grads, size_t piece);

  /** running = (1 - momentum) * running + momentum * stats, where stats is the mean over the step's
   * micro-batches. Vectors of the whole model. Optional: it has no buffers. */
  void (*update_buffers)(const ls_layer *layer, const float *stats, float *buffers);

  /** A kind is a block of layers: add them by ls_block_add(). It merges what they give. Optional: it has no
   * inner layers. Errors: those of ls_block_add(). */
  ls_status (*expand)(const void *options, ls_block *block);

  void (*forward)(const ls_layer *layer, const ls_pass *pass, const float *x, float *y, float *saved,
                  float *scratch);

  /** dx = gradient with respect to x, parameter gradients go to pass->grads (skipped when that is NULL).
   * dx may be NULL (not wanted), or dy itself for in_place kinds; dy may be destroyed. */
  void (*backward)(const ls_layer *layer, const ls_pass *pass, const float *x, const float *y, float *dy,
                   float *dx, float *saved, float *scratch);

  /** Instead of forward and backward, of kinds that take several inputs: xs, dxs [layer->input_count], in the
   * shapes of layer->inputs; all 64-byte aligned. Such a kind has neither saved nor scratch. A NULL in dxs is
   * not wanted. For in_place kinds y may be one of xs; and one of dxs may be dy: that is written last. */
  void (*merge)(const ls_layer *layer, const ls_pass *pass, const float *const *xs, float *y);
  void (*split)(const ls_layer *layer, const ls_pass *pass, const float *const *xs, const float *dy,
                float *const *dxs);

  /** Give the operators of ONNX that compute it in an evaluation: see operators.h. Optional: it then passes
   * its input on. */
  void (*express)(const ls_layer *layer, const ls_expression *to);

  /** Append the options that matter to a reader, as "5x5, pad 2". NULL: the kind has none. */
  void (*describe)(const ls_layer *layer, ls_text *text);
};

/** Declare a parameter or a buffer of the layer under construction, and count it in param_count (or
 * buffer_count). Its offset within the layer is the sum of those declared before. Local. Errors: LS_E_MEMORY,
 * LS_E_CONFIG if the product of dims overflows. */
ls_status ls_build_param(ls_build *build, ls_layer *layer, const char *name, const size_t *dims,
                         size_t dim_count, bool decay) LS_CHECKED;
ls_status ls_build_buffer(ls_build *build, ls_layer *layer, const char *name, size_t count) LS_CHECKED;

/** Add layers to the block that is being expanded: a path from the block's input to one of the inputs of its
 * layer.
 *
 * @param path      follows the block's name in the layers' names: "" or a word
 * @param layers    none: the block's input itself
 *
 * Local. Errors: LS_E_CONFIG with the origin of the layer that does not fit; LS_E_MEMORY. */
ls_status ls_block_add(ls_block *block, const char *path, const ls_layer_list *layers) LS_CHECKED;

/** Add the origin of an inner layer, as configured, to the error that it caused. */
ls_status ls_block_add_origin(ls_block *block, const ls_layer_spec *spec, ls_status status);

/** What the output of the layer under construction meets first, never LS_ROLE_NEUTRAL: chooses the default
 * initializer. */
ls_role ls_build_next(const ls_build *build);

/** Is the layer under construction the model's last one? */
bool ls_build_is_last(const ls_build *build);

/** What the network's outputs are compared with. */
ls_label_form ls_build_labels(const ls_build *build);

/** See ls_model_options.keep_ties. */
bool ls_build_keeps_ties(const ls_build *build);

/** All kinds, NULL-terminated, and their schemas for the configuration (same order). */
extern const ls_layer_kind *const ls_layer_kinds[];
extern const ls_schema *const ls_layer_schemas[];

#endif
