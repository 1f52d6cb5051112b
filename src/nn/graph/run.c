/* SPDX-License-Identifier: BSD-3-Clause */
/* Walking a graph forward and backward with the memory that was planned. */
#include "nn/graph/graph.h"
#include "kernels/profile.h"

static const float *output_of(const ls_graph *graph, size_t node, const ls_graph_memory *memory)
{
  return node == LS_GRAPH_INPUT ? memory->vectors[LS_MEMORY_INPUT]
                                : ls_graph_at(memory, graph->nodes[node].y);
}

static void find_inputs(const ls_graph *graph, const ls_node *node, const ls_graph_memory *memory,
                        const float **xs)
{
  for (size_t k = 0; k < node->layer.input_count; k++) xs[k] = output_of(graph, node->edges[k].node, memory);
}

/* The nodes from `first` to before `end`. */
static void forward_nodes(const ls_graph *graph, const ls_pass *pass, const ls_graph_memory *memory,
                          size_t first, size_t end)
{
  const float *xs[LS_GRAPH_MAX_INPUTS];
  const ls_pass frozen = ls_pass_frozen(pass);
  for (size_t i = first; i < end; i++) {
    const ls_node *node = &graph->nodes[i];
    const ls_layer *layer = &node->layer;
    const ls_pass *own = layer->frozen ? &frozen : pass;
    if (node->is_absorbed) continue;
    float *y = ls_graph_at(memory, node->y);
    find_inputs(graph, node, memory, xs);
    if (layer->frozen) (void)ls_layer_stats(layer, pass); /* none, but they are summed */
    if (layer->kind->merge)
      layer->kind->merge(layer, own, xs, y);
    else
      layer->kind->forward(layer, own, xs[0], y, ls_graph_at(memory, node->saved), memory->scratch);
    ls_profile_lap(pass->profile, layer->index, LS_PHASE_FORWARD);
    if (pass->observe) pass->observe(pass->observer, layer, y);
  }
}

void ls_graph_extract(const ls_graph *graph, const ls_pass *pass, const ls_graph_memory *memory)
{
  forward_nodes(graph, pass, memory, 0, graph->features + 1);
}

void ls_graph_forward(const ls_graph *graph, const ls_pass *pass, const ls_graph_memory *memory)
{
  const size_t first = pass->from_features ? graph->features + 1 : 0;
  for (size_t i = 0; i < first; i++) (void)ls_layer_stats(&graph->nodes[i].layer, pass); /* likewise */
  forward_nodes(graph, pass, memory, first, graph->count);
}

/* Where a node writes the gradient with respect to each input; NULL: nobody wants it. */
static void find_gradients(const ls_graph *graph, const ls_node *node, const ls_graph_memory *memory,
                           float **dxs)
{
  const bool all = memory->vectors[LS_MEMORY_DX] != NULL;
  for (size_t k = 0; k < node->layer.input_count; k++) {
    const ls_edge *edge = &node->edges[k];
    const bool trains = edge->node != LS_GRAPH_INPUT && ls_node_trains(&graph->nodes[edge->node]);
    dxs[k] = all || trains ? ls_graph_at(memory, edge->dx) : NULL;
  }
}

/* Add the parts of gradients that were written beside what others wrote before. */
static void add_parts(const ls_graph *graph, const ls_node *node, const ls_pass *pass,
                      const ls_graph_memory *memory, float *const *dxs)
{
  for (size_t k = 0; k < node->layer.input_count; k++) {
    const ls_edge *edge = &node->edges[k];
    if (!dxs[k] || edge->action != LS_EDGE_ADD) continue;
    const size_t count = pass->n * ls_shape_count(node->layer.inputs[k].shape);
    float *sum = edge->node == LS_GRAPH_INPUT ? memory->vectors[LS_MEMORY_DX]
                                              : ls_graph_at(memory, graph->nodes[edge->node].dy);
    for (size_t i = 0; i < count; i++) sum[i] += dxs[k][i];
  }
}

/* Without a need for dx, what comes before the first trained parameters needs no gradient. */
void ls_graph_backward(const ls_graph *graph, const ls_pass *pass, const ls_graph_memory *memory)
{
  const float *xs[LS_GRAPH_MAX_INPUTS];
  float *dxs[LS_GRAPH_MAX_INPUTS];
  const ls_pass frozen = ls_pass_frozen(pass);
  for (size_t i = graph->count; i-- > 0;) {
    const ls_node *node = &graph->nodes[i];
    const ls_layer *layer = &node->layer;
    const ls_pass *own = layer->frozen ? &frozen : pass;
    if (node->is_absorbed || (!memory->vectors[LS_MEMORY_DX] && !ls_node_trains(node))) continue;
    float *dy = ls_graph_at(memory, node->dy);
    find_inputs(graph, node, memory, xs);
    find_gradients(graph, node, memory, dxs);
    if (layer->kind->split)
      layer->kind->split(layer, own, xs, dy, dxs);
    else
      layer->kind->backward(layer, own, xs[0], ls_graph_at(memory, node->y), dy, dxs[0],
                            ls_graph_at(memory, node->saved), memory->scratch);
    add_parts(graph, node, pass, memory, dxs);
    ls_profile_lap(pass->profile, layer->index, LS_PHASE_BACKWARD_DATA);
    if (layer->grad_count > 0) ls_pass_done(pass, layer->grad_offset);
  }
}
