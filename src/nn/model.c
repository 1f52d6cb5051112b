/* SPDX-License-Identifier: BSD-3-Clause */
/* The model: a graph of layers from the input to the logits, the tensors that its layers declared, and the
 * workspace that a thread carries a micro-batch in. */
#include "nn/model.h"

#include <assert.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/graph/graph.h"

struct ls_model {
  ls_graph graph;
  ls_tensor_list params, buffers; /* of its layers */
  ls_model_counts counts;
  size_t microbatch;
};

struct ls_workspace {
  ls_arena arena;
  float *input, *logits, *gradient, *activations, *scratch;
};

/* Offsets of the blocks of a workspace. */
typedef struct workspace_plan {
  ls_arena arena; /* reserved, not allocated */
  size_t input, logits, gradient, activations, scratch;
} workspace_plan;

static workspace_plan plan_workspace(const ls_model *model)
{
  const ls_graph *graph = &model->graph;
  workspace_plan plan = {.arena = {0}};
  plan.input = ls_arena_reserve(&plan.arena, model->microbatch * ls_shape_count(graph->in), sizeof(float));
  plan.logits = ls_arena_reserve(&plan.arena, model->microbatch * ls_shape_count(graph->out), sizeof(float));
  plan.gradient =
      ls_arena_reserve(&plan.arena, model->microbatch * ls_shape_count(graph->out), sizeof(float));
  plan.activations = ls_arena_reserve(&plan.arena, graph->arena_count, sizeof(float));
  plan.scratch = ls_arena_reserve(&plan.arena, graph->scratch_count, sizeof(float));
  return plan;
}

static ls_status check_input(const ls_build *build, ls_shape in)
{
  if (build->microbatch >= 1 && build->microbatch <= INT_MAX && ls_build_fits(build, in)) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "micro-batches of %zu samples of %zux%zux%zu (channels, rows, columns) are larger than this "
                 "machine can address: use a smaller train.microbatch",
                 build->microbatch, in.c, in.h, in.w);
}

static ls_status check_output(const ls_model *model, const ls_layer_list *layers,
                              const ls_model_options *options)
{
  ls_shape out = model->graph.out;
  const char *origin = layers->items[layers->count - 1].origin;
  if (out.h != 1 || out.w != 1)
    return ls_fail(LS_E_CONFIG,
                   "%s: the last layer gives %zux%zux%zu (channels, rows, columns), not one value a class; "
                   "end with flatten and dense",
                   origin, out.c, out.h, out.w);
  if (options->classes > 0 && out.c != options->classes)
    return ls_fail(LS_E_CONFIG, "%s: the last layer gives %zu values, but the dataset has %zu %s", origin,
                   out.c, options->classes, ls_label_nouns[options->labels]);
  return LS_OK;
}

/* A glob that looks for a layer. */
typedef struct layer_search {
  const char *glob;
  bool found;
} layer_search;

static void look(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  layer_search *self = user;
  self->found |= fnmatch(self->glob, layer->name, 0) == 0;
}

/* A pattern that fits no layer is an error: a misspelt name would leave a layer trained. */
static ls_status check_freeze(const ls_model *model, const ls_text_list *list)
{
  for (size_t i = 0; list && i < list->count; i++) {
    layer_search self = {.glob = list->items[i]};
    ls_model_visit(model, look, &self);
    if (!self.found)
      return ls_fail(LS_E_CONFIG, "model.freeze: no layer is called '%s' (--dry-run shows the names)",
                     list->items[i]);
  }
  return LS_OK;
}

static void count(ls_model *model, const ls_build *build)
{
  uint64_t macs = 0;
  for (size_t i = 0; i < model->graph.count; i++) macs += model->graph.nodes[i].layer.macs;
  model->counts = (ls_model_counts){.params = build->params.floats,
                                    .buffers = build->buffers.floats,
                                    .grads = build->grads,
                                    .packed = build->packed,
                                    .layers = build->layers,
                                    .macs = macs,
                                    .workspace_bytes = plan_workspace(model).arena.bytes};
}

ls_status ls_model_new(ls_model **out, const ls_layer_list *layers, const ls_model_options *options)
{
  ls_model *model;
  ls_build build = {.microbatch = options->microbatch,
                    .freeze = options->freeze,
                    .context.lr_factor = 1.0,
                    .labels = options->labels,
                    .keep_ties = options->keep_ties};
  LS_PASS(check_input(&build, options->in));
  LS_PASS(ls_alloc(&model, 1, sizeof *model, "the model"));
  model->microbatch = options->microbatch;
  ls_status status;
  LS_GO(ls_graph_init(&model->graph, layers, options->in, options->input_gradient, &build));
  LS_GO(check_output(model, layers, options));
  LS_GO(check_freeze(model, options->freeze));
  count(model, &build);
  model->params = build.params;
  model->buffers = build.buffers;
  *out = model;
  return LS_OK;
done:
  ls_build_fini(&build);
  ls_model_free(model);
  return status;
}

void ls_model_free(ls_model *model)
{
  if (!model) return;
  ls_graph_fini(&model->graph);
  free(model->params.items);
  free(model->buffers.items);
  free(model);
}

const ls_model_counts *ls_model_count(const ls_model *model)
{
  return &model->counts;
}

ls_shape ls_model_input(const ls_model *model)
{
  return model->graph.in;
}

size_t ls_model_classes(const ls_model *model)
{
  return model->graph.out.c;
}

const ls_tensor *ls_model_params(const ls_model *model, size_t *tensor_count)
{
  *tensor_count = model->params.count;
  return model->params.items;
}

const ls_tensor *ls_model_buffers(const ls_model *model, size_t *tensor_count)
{
  *tensor_count = model->buffers.count;
  return model->buffers.items;
}

void ls_model_visit(const ls_model *model, void (*visit)(const ls_layer *layer, size_t depth, void *user),
                    void *user)
{
  for (size_t i = 0; i < model->graph.count; i++)
    visit(&model->graph.shown[i]->layer, model->graph.shown[i]->depth, user);
}

void ls_model_express(const ls_model *model, const ls_expression *to)
{
  size_t inputs[LS_GRAPH_MAX_INPUTS];
  for (size_t i = 0; i < model->graph.count; i++) {
    const ls_node *node = &model->graph.nodes[i];
    const ls_layer *layer = &node->layer;
    for (size_t k = 0; k < layer->input_count; k++) inputs[k] = node->edges[k].from;
    to->begin(to->user, layer, inputs);
    if (layer->kind->express) layer->kind->express(layer, to);
  }
}

static void find_needy(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  const ls_layer **found = user;
  const bool needs = layer->kind->uses_batch_statistics && layer->in.h * layer->in.w == 1 && !layer->frozen;
  if (needs && !*found) *found = layer;
}

const ls_layer *ls_model_needs_samples(const ls_model *model)
{
  const ls_layer *found = NULL;
  ls_model_visit(model, find_needy, &found);
  return found;
}

void ls_model_init(const ls_model *model, uint64_t seed, float *params, float *buffers)
{
  for (size_t i = 0; i < model->graph.count; i++) {
    const ls_layer *layer = &model->graph.nodes[i].layer;
    if (layer->kind->init) layer->kind->init(layer, seed, params, buffers);
  }
}

/* The pieces of one work item. */
typedef struct packing {
  const float *params;
  float *packed;
  size_t total, part, parts;
} packing;

static void pack_layer(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  packing *self = user;
  if (!layer->kind->pack) return;
  const size_t pieces = ls_layer_pieces(layer);
  for (size_t piece = 0; piece < pieces; piece++) {
    const size_t length = layer->param_count / pieces, first = layer->param_offset + piece * length;
    if (ls_part_of(self->total, self->parts, first, length) == self->part)
      layer->kind->pack(layer, self->params, self->packed, piece);
  }
}

void ls_model_pack(const ls_model *model, const float *params, float *packed, size_t part, size_t parts)
{
  packing self = {
      .params = params, .packed = packed, .total = model->counts.params, .part = part, .parts = parts};
  ls_model_visit(model, pack_layer, &self);
}

void ls_model_update_buffers(const ls_model *model, const float *stats, float *buffers)
{
  for (size_t i = 0; i < model->graph.count; i++) {
    const ls_layer *layer = &model->graph.nodes[i].layer;
    if (layer->kind->update_buffers && !layer->frozen) layer->kind->update_buffers(layer, stats, buffers);
  }
}

ls_status ls_workspace_new(ls_workspace **out, const ls_model *model)
{
  ls_workspace *workspace;
  LS_PASS(ls_alloc(&workspace, 1, sizeof *workspace, "a workspace"));
  workspace_plan plan = plan_workspace(model);
  workspace->arena = plan.arena;
  ls_status status = ls_arena_allocate(&workspace->arena, "a thread's workspace");
  if (status != LS_OK) {
    free(workspace);
    return status;
  }
  workspace->input = ls_arena_at(&workspace->arena, plan.input);
  workspace->logits = ls_arena_at(&workspace->arena, plan.logits);
  workspace->gradient = ls_arena_at(&workspace->arena, plan.gradient);
  workspace->activations = ls_arena_at(&workspace->arena, plan.activations);
  workspace->scratch = ls_arena_at(&workspace->arena, plan.scratch);
  *out = workspace;
  return LS_OK;
}

void ls_workspace_free(ls_workspace *workspace)
{
  if (!workspace) return;
  ls_arena_fini(&workspace->arena);
  free(workspace);
}

float *ls_workspace_input(ls_workspace *workspace)
{
  return workspace->input;
}

float *ls_workspace_loss_gradient(ls_workspace *workspace)
{
  return workspace->gradient;
}

static ls_graph_memory memory_of(const ls_workspace *workspace, float *dx)
{
  return (ls_graph_memory){.vectors = {[LS_MEMORY_INPUT] = workspace->input,
                                       [LS_MEMORY_LOGITS] = workspace->logits,
                                       [LS_MEMORY_LOSS_GRADIENT] = workspace->gradient,
                                       [LS_MEMORY_DX] = dx,
                                       [LS_MEMORY_ARENA] = workspace->activations},
                           .scratch = workspace->scratch};
}

size_t ls_model_features(const ls_model *model)
{
  const size_t node = model->graph.features;
  return node == LS_GRAPH_INPUT ? 0 : ls_shape_count(model->graph.nodes[node].layer.out);
}

float *ls_workspace_features(const ls_model *model, const ls_workspace *workspace)
{
  const ls_graph_memory memory = memory_of(workspace, NULL);
  return ls_graph_at(&memory, model->graph.nodes[model->graph.features].y);
}

const float *ls_model_extract(const ls_model *model, const ls_pass *pass, ls_workspace *workspace)
{
  const ls_graph_memory memory = memory_of(workspace, NULL);
  ls_graph_extract(&model->graph, pass, &memory);
  return ls_workspace_features(model, workspace);
}

const float *ls_model_forward(const ls_model *model, const ls_pass *pass, ls_workspace *workspace)
{
  const ls_graph_memory memory = memory_of(workspace, NULL);
  ls_graph_forward(&model->graph, pass, &memory);
  return workspace->logits;
}

void ls_model_backward(const ls_model *model, const ls_pass *pass, ls_workspace *workspace, float *dx)
{
  assert((!dx || model->graph.input_gradient) && "memory for the gradients before the first weights");
  const ls_graph_memory memory = memory_of(workspace, dx);
  ls_graph_backward(&model->graph, pass, &memory);
}
