/* SPDX-License-Identifier: BSD-3-Clause */
/* From lists of layers to the nodes of a graph. A block is replaced by the layers in it, followed by a node
 * of its own that merges what they give. Its index comes before theirs; its parts of the vectors come after
 * theirs, as its node does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/memory.h"
#include "nn/graph/graph.h"
#include "nn/graph/wire.h"

/* Where a list of layers stands. */
typedef struct list_position {
  const char *prefix; /* of its layers' names: "block1." */
  size_t depth;       /* of blocks around it */
  size_t input;       /* a node, or LS_GRAPH_INPUT */
  ls_role next;       /* what its output meets first */
} list_position;

struct ls_block {
  ls_graph *graph;
  ls_build *build;
  const ls_layer *layer;            /* the block's own */
  list_position position;           /* of the lists in it, but for their prefix */
  size_t ends[LS_GRAPH_MAX_INPUTS]; /* of its paths: nodes */
  size_t path_count;
};

static const ls_layer_kind *kind_of(const ls_schema *schema)
{
  for (const ls_layer_kind *const *kind = ls_layer_kinds; *kind; kind++)
    if (&(*kind)->schema == schema) return *kind;
  return NULL;
}

/* ---- what a layer has before it is created ---- */

/* What the output of layer i meets first, looking through layers that only pass values on. */
static ls_role next_role(const ls_wiring *wiring, size_t i, ls_role after)
{
  size_t taker = ls_wiring_taker(wiring, i);
  while (taker < wiring->specs->count) {
    const ls_role role = kind_of(wiring->specs->items[taker].schema)->role;
    if (role != LS_ROLE_NEUTRAL) return role;
    taker = ls_wiring_taker(wiring, taker);
  }
  return after;
}

static ls_status name_layer(ls_layer *layer, const char *prefix, const char *name)
{
  const int length = snprintf(layer->name, sizeof layer->name, "%s%s", prefix, name);
  if (length >= 0 && (size_t)length < sizeof layer->name) return LS_OK;
  return ls_fail(LS_E_CONFIG, "its full name is longer than %zu characters", sizeof layer->name - 1);
}

/* Set what the layer takes: names and shapes of the outputs of `nodes`. On error nothing is set. */
static ls_status set_inputs(const ls_graph *graph, ls_layer *layer, const size_t *nodes, size_t count)
{
  ls_layer_input *inputs;
  LS_PASS(ls_alloc(&inputs, count, sizeof *inputs, "the inputs of a layer"));
  for (size_t k = 0; k < count; k++) {
    const bool is_model_input = nodes[k] == LS_GRAPH_INPUT;
    const ls_layer *from = is_model_input ? NULL : &graph->nodes[nodes[k]].layer;
    inputs[k].shape = from ? from->out : graph->in;
    snprintf(inputs[k].name, sizeof inputs[k].name, "%s", from ? from->name : "input");
    layer->input_trains |= from && (from->input_trains || from->grad_count > 0);
  }
  layer->inputs = inputs;
  layer->input_count = count;
  layer->in = inputs[0].shape;
  return LS_OK;
}

static ls_status check_count(const ls_layer_kind *kind, const ls_layer_spec *spec)
{
  if (kind->merge && !kind->expand && spec->inputs.count < 2)
    return ls_fail(LS_E_CONFIG, "%s takes several inputs: name them, as inputs: [a, b]", kind->schema.name);
  if (!kind->merge && spec->inputs.count > 0)
    return ls_fail(LS_E_CONFIG, "%s takes one input: write input: %s", kind->schema.name,
                   spec->inputs.items[0]);
  if (kind->expand && spec->inputs.count > 0)
    return ls_fail(LS_E_CONFIG, "a %s block takes one input: write input: %s", kind->schema.name,
                   spec->inputs.items[0]);
  if (spec->inputs.count > LS_GRAPH_MAX_INPUTS)
    return ls_fail(LS_E_CONFIG, "%zu inputs; at most %d", spec->inputs.count, LS_GRAPH_MAX_INPUTS);
  return LS_OK;
}

/* ---- nodes ---- */

static ls_status grow(ls_graph *graph)
{
  if (graph->count < graph->capacity) return LS_OK;
  const size_t capacity = 2 * graph->capacity + 32;
  ls_node *nodes = LS_FAULT("alloc", __func__) ? NULL : realloc(graph->nodes, capacity * sizeof *nodes);
  if (!nodes) return ls_fail(LS_E_MEMORY, "no memory for %zu layers", capacity);
  graph->nodes = nodes;
  graph->capacity = capacity;
  return LS_OK;
}

static void release(ls_node *node)
{
  const ls_layer *layer = &node->layer;
  if (layer->kind->destroy) layer->kind->destroy(&node->layer);
  free((void *)(uintptr_t)layer->inputs);
  free(node->edges);
}

/* Give out a layer's part of a vector. */
static void take(size_t *given, size_t count)
{
  *given += ls_floats_aligned(count);
}

static ls_status check_output(const ls_build *build, const ls_layer *layer)
{
  if (ls_build_fits(build, layer->out)) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "its output of %zux%zux%zu (channels, rows, columns) for each of %zu samples is larger than "
                 "this machine can address: use a smaller train.microbatch",
                 layer->out.c, layer->out.h, layer->out.w, layer->microbatch);
}

/* Create the layer, with its parts of the model's vectors. */
static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  layer->param_offset = build->params.floats;
  layer->buffer_offset = build->buffers.floats;
  layer->grad_offset = build->grads;
  layer->packed_offset = build->packed;
  LS_PASS(layer->kind->create(layer, options, build));
  if (layer->frozen) layer->grad_count = 0;
  take(&build->grads, layer->grad_count);
  take(&build->packed, layer->packed_count);
  return check_output(build, layer);
}

/* Append the layer as a node that takes the outputs of `nodes`. Releases the node on error. */
static ls_status append(ls_graph *graph, ls_node *node, const void *options, const size_t *nodes,
                        size_t count, ls_build *build)
{
  ls_status status;
  LS_GO(set_inputs(graph, &node->layer, nodes, count));
  node->layer.input_is_data = !node->layer.input_trains && !graph->input_gradient;
  LS_GO(ls_alloc(&node->edges, count, sizeof *node->edges, "the inputs of a layer"));
  for (size_t k = 0; k < count; k++) node->edges[k].from = node->edges[k].node = nodes[k];
  LS_GO(create(&node->layer, options, build));
  LS_GO(grow(graph));
  graph->nodes[graph->count++] = *node;
  return LS_OK;
done:
  release(node);
  return status;
}

/* ---- lists and blocks ---- */

static ls_status add_list(ls_graph *graph, const ls_layer_list *specs, const list_position *position,
                          ls_build *build, size_t *end);

ls_status ls_block_add_origin(ls_block *block, const ls_layer_spec *spec, ls_status status)
{
  return ls_build_add_origin(block->build, spec->origin, status);
}

ls_status ls_block_add(ls_block *block, const char *path, const ls_layer_list *layers)
{
  char prefix[2 * LS_LAYER_NAME_BYTES];
  list_position position = block->position;
  if (block->path_count == LS_GRAPH_MAX_INPUTS)
    return ls_fail(LS_E_CONFIG, "a block of more than %d paths", LS_GRAPH_MAX_INPUTS);
  size_t *end = &block->ends[block->path_count++];
  snprintf(prefix, sizeof prefix, "%s.%s%s", block->layer->name, path, path[0] ? "." : "");
  position.prefix = prefix;
  *end = position.input;
  return layers->count > 0 ? add_list(block->graph, layers, &position, block->build, end) : LS_OK;
}

/* Append what is in a block; then the layer itself can merge it. What it is given is also for its inner ones.
 */
static ls_status expand(ls_layer *layer, const void *options, ls_block *block)
{
  ls_build *build = block->build;
  const ls_build_context outer = build->context;
  const size_t params = build->params.floats, first = block->graph->count;
  build->context.frozen = layer->frozen;
  build->context.lr_factor = layer->lr_factor;
  const ls_status status = layer->kind->expand(options, block);
  build->context = outer;
  layer->inner_params = build->params.floats - params;
  for (size_t i = first; i < block->graph->count; i++) layer->inner_macs += block->graph->nodes[i].layer.macs;
  return status;
}

/* Append the layer, or the block, that takes the outputs of `nodes`. */
static ls_status add_node(ls_graph *graph, ls_node *node, const ls_layer_spec *spec, const size_t *nodes,
                          const list_position *position, ls_build *build)
{
  ls_layer *layer = &node->layer;
  if (build->layers == LS_LAYERS_MAX)
    return ls_fail(LS_E_CONFIG, "the model has more than %d layers", LS_LAYERS_MAX);
  layer->index = build->layers++;
  layer->microbatch = build->microbatch;
  layer->frozen = build->context.frozen || spec->freeze || ls_build_freezes(build, layer->name);
  layer->lr_factor = build->context.lr_factor * spec->lr_factor;
  if (!layer->kind->expand) return append(graph, node, spec->options, nodes, ls_inputs_of(spec), build);
  ls_block block = {
      .graph = graph,
      .build = build,
      .layer = layer,
      .position = {.depth = position->depth + 1, .input = nodes[0], .next = build->context.next}};
  LS_PASS(expand(layer, spec->options, &block));
  return append(graph, node, spec->options, block.ends, block.path_count, build);
}

static ls_status check_use(const ls_wiring *wiring, size_t i)
{
  if (i + 1 == wiring->specs->count || ls_wiring_taker(wiring, i) < wiring->specs->count) return LS_OK;
  return ls_fail(LS_E_CONFIG,
                 "nothing takes the output of '%s': name it as an input of a later layer, or remove it",
                 wiring->names[i]);
}

/* Append layer i of a list; `nodes` are those of the layers before it, and get its own. */
static ls_status add_layer(ls_graph *graph, const ls_wiring *wiring, size_t i, size_t *nodes,
                           const list_position *position, ls_build *build)
{
  const ls_layer_spec *spec = &wiring->specs->items[i];
  ls_node node = {.depth = position->depth, .layer.kind = kind_of(spec->schema)};
  size_t inputs[LS_GRAPH_MAX_INPUTS];
  LS_PASS(name_layer(&node.layer, position->prefix, wiring->names[i]));
  LS_PASS(ls_wiring_check_name(wiring, i, node.layer.name));
  LS_PASS(check_count(node.layer.kind, spec));
  LS_PASS(ls_wiring_inputs(wiring, i, inputs));
  for (size_t k = 0; k < ls_inputs_of(spec); k++)
    inputs[k] = inputs[k] == LS_WIRE_LIST_INPUT ? position->input : nodes[inputs[k]];
  build->context.next = next_role(wiring, i, position->next);
  build->context.is_last = i + 1 == wiring->specs->count && position->depth == 0;
  LS_PASS(add_node(graph, &node, spec, inputs, position, build));
  nodes[i] = graph->count - 1;
  return LS_OK;
}

static ls_status add_list(ls_graph *graph, const ls_layer_list *specs, const list_position *position,
                          ls_build *build, size_t *end)
{
  ls_wiring wiring = {0};
  size_t *nodes = NULL;
  ls_status status;
  LS_GO(ls_wiring_init(&wiring, specs));
  LS_GO(ls_alloc(&nodes, specs->count, sizeof *nodes, "the layers of a list"));
  for (size_t i = 0; i < specs->count; i++)
    LS_GO(ls_build_add_origin(build, specs->items[i].origin,
                              add_layer(graph, &wiring, i, nodes, position, build)));
  for (size_t i = 0; i < specs->count; i++)
    LS_GO(ls_build_add_origin(build, specs->items[i].origin, check_use(&wiring, i)));
  *end = nodes[specs->count - 1];
done:
  free(nodes);
  ls_wiring_fini(&wiring);
  return status;
}

/* ---- the whole ---- */

static ls_status list_shown(ls_graph *graph, size_t layers)
{
  LS_PASS(ls_alloc(&graph->shown, layers, sizeof(ls_node *), "the layers"));
  for (size_t i = 0; i < graph->count; i++) graph->shown[graph->nodes[i].layer.index] = &graph->nodes[i];
  return LS_OK;
}

ls_status ls_graph_init(ls_graph *graph, const ls_layer_list *specs, ls_shape in, bool input_gradient,
                        ls_build *build)
{
  *graph = (ls_graph){.in = in, .input_gradient = input_gradient};
  const list_position position = {.prefix = "", .input = LS_GRAPH_INPUT, .next = LS_ROLE_WEIGHTED};
  LS_PASS(add_list(graph, specs, &position, build, &graph->output));
  graph->out = graph->nodes[graph->output].layer.out;
  LS_PASS(list_shown(graph, build->layers));
  return ls_graph_plan(graph);
}

void ls_graph_fini(ls_graph *graph)
{
  for (size_t i = 0; i < graph->count; i++) release(&graph->nodes[i]);
  free(graph->nodes);
  free(graph->shown);
  *graph = (ls_graph){.count = 0};
}
