/* SPDX-License-Identifier: BSD-3-Clause */
/* Where activations and gradients lie. Each has a lifetime, from the moment it is written to the last time it
 * is read, and those that do not live at the same time may share memory.
 *
 * Moments are counted: node i of N runs forward at i and backward at 2N - i, the loss is taken at N.
 * Stretches get their offsets from the largest to the smallest, each the first that is free as long as it
 * lives (greedy by size: Pisarchyk and Lee, "Efficient memory management for deep neural net inference",
 * arXiv:2001.03288, section 4.3). Before, layers that can work in place are given their input's stretch. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "nn/graph/graph.h"

enum { NONE = 0, LOSS_GRADIENT = 1, DX = 2, FIXED = 3 }; /* stretches that are there from the start */

typedef struct stretch {
  ls_external memory;
  size_t count;       /* floats */
  size_t first, last; /* moments */
  size_t offset;
} stretch;

typedef struct plan {
  ls_graph *graph;
  stretch *stretches; /* [stretch_count] owned, like all that follows */
  size_t stretch_count;
  size_t *y, *dy, *saved; /* [nodes]: stretches */
  size_t *parts;          /* [edges] in the order of the nodes: what is to be added */
} plan;

static size_t backward_at(const ls_graph *graph, size_t node)
{
  return 2 * graph->count - node;
}

static size_t floats_of(const ls_layer *layer, ls_shape shape)
{
  return ls_floats_aligned(layer->microbatch * ls_shape_count(shape));
}

/* Is there a pass that goes backward through the node? */
static bool goes_back(const ls_graph *graph, const ls_node *node)
{
  return !node->is_absorbed && (graph->input_gradient || ls_node_trains(node));
}

/* ---- relus ---- */

/* The only node that takes a node's output; NULL: there are several, or none. */
static ls_node *only_taker(const ls_graph *graph, size_t node)
{
  ls_node *taker = NULL;
  for (size_t i = node + 1; i < graph->count; i++)
    for (size_t k = 0; k < graph->nodes[i].layer.input_count; k++) {
      if (graph->nodes[i].edges[k].node != node) continue;
      if (taker) return NULL;
      taker = &graph->nodes[i];
    }
  return taker;
}

/* The neighbour that can do the work of relu i: the next one, or the one before. */
static ls_node *absorber_of(const ls_graph *graph, size_t i)
{
  const size_t before = graph->nodes[i].edges[0].node;
  if (before == LS_GRAPH_INPUT || graph->nodes[before].layer.kind->backward_reads_y) return NULL;
  ls_node *next = only_taker(graph, i), *previous = &graph->nodes[before];
  if (next && next->layer.kind->absorbs_relu) return next;
  const bool is_alone = only_taker(graph, before) == &graph->nodes[i];
  return is_alone && previous->layer.kind->absorbs_relu ? previous : NULL;
}

/* Who takes the output of node `from` takes that of `to`. */
static void redirect(ls_graph *graph, size_t from, size_t to)
{
  if (graph->output == from) graph->output = to;
  for (size_t i = from + 1; i < graph->count; i++)
    for (size_t k = 0; k < graph->nodes[i].layer.input_count; k++)
      if (graph->nodes[i].edges[k].node == from) graph->nodes[i].edges[k].node = to;
}

/* Leave relus to the layers beside them that can do their work. */
static void absorb_relus(ls_graph *graph)
{
  for (size_t i = 0; i < graph->count; i++) {
    ls_node *node = &graph->nodes[i];
    ls_node *other = node->layer.kind->is_absorbable ? absorber_of(graph, i) : NULL;
    if (!other) continue;
    other->layer.rectifies = true;
    node->is_absorbed = true;
    redirect(graph, i, node->edges[0].node);
  }
}

/* ---- lifetimes ---- */

static size_t add_stretch(plan *self, size_t count, size_t first, size_t last)
{
  self->stretches[self->stretch_count] =
      (stretch){.memory = LS_MEMORY_ARENA, .count = count, .first = first, .last = last};
  return self->stretch_count++;
}

static void live_until(plan *self, size_t index, size_t moment)
{
  self->stretches[index].last = ls_size_max(self->stretches[index].last, moment);
}

/* The last moment at which node i's output is read, but for the forward pass of node `but`. */
static size_t last_read(const ls_graph *graph, size_t i, size_t but)
{
  const ls_node *node = &graph->nodes[i];
  size_t last = node->layer.kind->backward_reads_y && goes_back(graph, node) ? backward_at(graph, i) : i;
  for (size_t taker = i + 1; taker < graph->count; taker++) {
    const ls_node *other = &graph->nodes[taker];
    bool takes = false;
    for (size_t k = 0; k < other->layer.input_count; k++) takes |= other->edges[k].node == i;
    if (!takes || other->is_absorbed) continue;
    if (taker != but) last = ls_size_max(last, taker);
    if (other->layer.kind->backward_reads_x && goes_back(graph, other))
      last = ls_size_max(last, backward_at(graph, taker));
  }
  return last;
}

/* May node i write over that input? Nobody reads the input afterwards. */
static bool may_write_over(const ls_graph *graph, size_t i, const ls_edge *edge)
{
  return graph->nodes[i].layer.kind->in_place && edge->node != LS_GRAPH_INPUT &&
         last_read(graph, edge->node, i) < i;
}

static void plan_output(plan *self, size_t i)
{
  const ls_graph *graph = self->graph;
  const ls_node *node = &graph->nodes[i];
  const size_t last = last_read(graph, i, SIZE_MAX);
  self->y[i] = NONE;
  for (size_t k = 0; k < node->layer.input_count && self->y[i] == NONE; k++)
    if (may_write_over(graph, i, &node->edges[k])) self->y[i] = self->y[node->edges[k].node];
  if (self->y[i] == NONE) self->y[i] = add_stretch(self, floats_of(&node->layer, node->layer.out), i, last);
  live_until(self, self->y[i], last);
  const size_t saved_until = goes_back(graph, node) ? backward_at(graph, i) : i;
  self->saved[i] = add_stretch(self, ls_floats_aligned(node->layer.saved_count), i, saved_until);
}

/* Where a node puts the gradient with respect to an input. The first to do so writes to where it is to be, or
 * hands over the stretch of its own gradient; `part` is the edge's, for what comes later. */
static void plan_gradient(plan *self, size_t i, ls_edge *edge, size_t *part, bool *handed_over)
{
  const ls_graph *graph = self->graph;
  const ls_layer *layer = &graph->nodes[i].layer;
  const size_t now = backward_at(graph, i);
  const bool is_input = edge->node == LS_GRAPH_INPUT;
  const ls_shape shape = is_input ? graph->in : graph->nodes[edge->node].layer.out;
  size_t *dy = is_input ? &self->dy[graph->count] : &self->dy[edge->node];
  if (!graph->input_gradient && (is_input || !ls_node_trains(&graph->nodes[edge->node]))) return;
  *part = *dy;
  if (*dy != NONE) {
    edge->action = LS_EDGE_ADD;
    *part = add_stretch(self, floats_of(layer, shape), now, now);
  } else if (is_input) {
    *part = *dy = DX;
  } else if (layer->kind->in_place && !*handed_over) {
    *handed_over = true;
    *part = *dy = self->dy[i];
    live_until(self, *dy, backward_at(graph, edge->node));
  } else {
    *part = *dy = add_stretch(self, floats_of(layer, shape), now, backward_at(graph, edge->node));
  }
}

static void plan_gradients(plan *self, size_t edge_count)
{
  const ls_graph *graph = self->graph;
  self->dy[graph->output] = LOSS_GRADIENT;
  size_t first_edge = edge_count;
  for (size_t i = graph->count; i-- > 0;) {
    ls_node *node = &graph->nodes[i];
    bool handed_over = false;
    first_edge -= node->layer.input_count;
    for (size_t k = 0; goes_back(graph, node) && k < node->layer.input_count; k++)
      plan_gradient(self, i, &node->edges[k], &self->parts[first_edge + k], &handed_over);
  }
}

/* ---- features ---- */

/* Does the node give the same of the same sample all through a training? */
static bool is_fixed(const ls_layer *layer)
{
  const ls_layer_kind *kind = layer->kind;
  return layer->frozen || (layer->param_count == 0 && !kind->uses_batch_statistics && !kind->is_random);
}

/* Do the nodes after `node` take its output alone, and nothing from before it? */
static bool is_cut(const ls_graph *graph, size_t node)
{
  for (size_t i = node + 1; i < graph->count; i++)
    for (size_t k = 0; k < graph->nodes[i].layer.input_count; k++) {
      const size_t from = graph->nodes[i].edges[k].node;
      if (from == LS_GRAPH_INPUT || from < node) return false;
    }
  return true;
}

static void find_features(ls_graph *graph)
{
  bool has_weights = false;
  graph->features = LS_GRAPH_INPUT;
  for (size_t i = 0; i < graph->count && is_fixed(&graph->nodes[i].layer); i++) {
    has_weights |= graph->nodes[i].layer.param_count > 0;
    if (has_weights && !graph->nodes[i].is_absorbed && is_cut(graph, i)) graph->features = i;
  }
}

/* ---- offsets ---- */

static int by_size(const void *a, const void *b)
{
  const stretch *const *left = a, *const *right = b;
  if ((*left)->count != (*right)->count) return (*left)->count < (*right)->count ? 1 : -1;
  return *left < *right ? -1 : *left > *right;
}

static bool live_together(const stretch *a, const stretch *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* The first offset where it fits between those laid out before, which are in the order of their offsets. */
static void lay_out(stretch *item, stretch **laid_out, size_t *laid_out_count)
{
  size_t at = 0, behind = *laid_out_count;
  for (size_t i = 0; i < *laid_out_count; i++) {
    if (!live_together(item, laid_out[i])) continue;
    if (at + item->count <= laid_out[i]->offset) break;
    at = ls_size_max(at, laid_out[i]->offset + laid_out[i]->count);
  }
  item->offset = at;
  for (; behind > 0 && laid_out[behind - 1]->offset > at; behind--) laid_out[behind] = laid_out[behind - 1];
  laid_out[behind] = item;
  ++*laid_out_count;
}

static ls_status lay_out_all(plan *self)
{
  stretch **items = NULL, **laid_out = NULL;
  size_t count = 0, laid_out_count = 0;
  ls_status status;
  LS_GO(ls_alloc(&items, self->stretch_count, sizeof(stretch *), "the plan of activations"));
  LS_GO(ls_alloc(&laid_out, self->stretch_count, sizeof(stretch *), "the plan of activations"));
  for (size_t i = FIXED; i < self->stretch_count; i++)
    if (self->stretches[i].memory == LS_MEMORY_ARENA) items[count++] = &self->stretches[i];
  qsort(items, count, sizeof *items, by_size);
  for (size_t i = 0; i < count; i++) {
    lay_out(items[i], laid_out, &laid_out_count);
    self->graph->arena_count = ls_size_max(self->graph->arena_count, items[i]->offset + items[i]->count);
  }
done:
  free(items);
  free(laid_out);
  return status;
}

static ls_region region_of(const plan *self, size_t index)
{
  return (ls_region){self->stretches[index].memory, self->stretches[index].offset};
}

static void set_regions(const plan *self)
{
  size_t edge = 0;
  for (size_t i = 0; i < self->graph->count; i++) {
    ls_node *node = &self->graph->nodes[i];
    node->y = region_of(self, self->y[i]);
    node->dy = region_of(self, self->dy[i]);
    node->saved = region_of(self, self->saved[i]);
    for (size_t k = 0; k < node->layer.input_count; k++)
      node->edges[k].dx = region_of(self, self->parts[edge++]);
  }
}

/* ---- the whole ---- */

static ls_status plan_init(plan *self, ls_graph *graph, size_t edge_count)
{
  const size_t most = FIXED + 3 * graph->count + edge_count;
  self->graph = graph;
  LS_PASS(ls_alloc(&self->stretches, most, sizeof *self->stretches, "the plan of activations"));
  LS_PASS(ls_alloc(&self->y, graph->count, sizeof(size_t), "the plan of activations"));
  LS_PASS(
      ls_alloc(&self->dy, graph->count + 1, sizeof(size_t), "the plan of activations")); /* and the input's */
  LS_PASS(ls_alloc(&self->saved, graph->count, sizeof(size_t), "the plan of activations"));
  LS_PASS(ls_alloc(&self->parts, edge_count, sizeof(size_t), "the plan of activations"));
  self->stretches[NONE] = (stretch){.memory = LS_MEMORY_ARENA};
  self->stretches[LOSS_GRADIENT] = (stretch){.memory = LS_MEMORY_LOSS_GRADIENT};
  self->stretches[DX] = (stretch){.memory = LS_MEMORY_DX};
  self->stretch_count = FIXED;
  return LS_OK;
}

static void plan_fini(plan *self)
{
  free(self->stretches);
  free(self->y);
  free(self->dy);
  free(self->saved);
  free(self->parts);
}

ls_status ls_graph_plan(ls_graph *graph)
{
  plan self = {0};
  size_t edge_count = 0;
  ls_status status;
  absorb_relus(graph);
  find_features(graph);
  for (size_t i = 0; i < graph->count; i++) {
    edge_count += graph->nodes[i].layer.input_count;
    graph->scratch_count =
        ls_size_max(graph->scratch_count, ls_floats_aligned(graph->nodes[i].layer.scratch_count));
  }
  LS_GO(plan_init(&self, graph, edge_count));
  for (size_t i = 0; i < graph->count; i++)
    if (!graph->nodes[i].is_absorbed) plan_output(&self, i);
  self.stretches[self.y[graph->output]].memory = LS_MEMORY_LOGITS;
  plan_gradients(&self, edge_count);
  LS_GO(lay_out_all(&self));
  set_regions(&self);
done:
  plan_fini(&self);
  return status;
}
