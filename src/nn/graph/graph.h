/* SPDX-License-Identifier: BSD-3-Clause */
/* A model as a graph of layers: nodes in the order in which they are computed, each of which names the nodes
 * whose outputs it takes.
 *
 * build.c makes the nodes from the configuration's lists, wire.c finds their inputs, plan.c decides where
 * every activation and gradient lies in a workspace, run.c walks the nodes forward and backward. Private to
 * the module. */
#ifndef LS_NN_GRAPH_H
#define LS_NN_GRAPH_H

#include "nn/build.h"
#include "nn/layer.h"

enum { LS_GRAPH_MAX_INPUTS = 256 };

/** Instead of a node: the model's input. */
#define LS_GRAPH_INPUT LS_MODEL_INPUT

/** Where floats of a micro-batch lie: a stretch of the workspace, or one of the vectors that callers see. */
typedef enum ls_external {
  LS_MEMORY_INPUT,         /* [n, in] */
  LS_MEMORY_LOGITS,        /* [n, out] */
  LS_MEMORY_LOSS_GRADIENT, /* [n, out] */
  LS_MEMORY_DX,            /* [n, in], or NULL: not wanted */
  LS_MEMORY_ARENA          /* of the graph's own */
} ls_external;

typedef struct ls_region {
  ls_external memory;
  size_t offset; /* floats from the start of that memory */
} ls_region;

/** How the gradient of a node's output gets a part from a node that takes it. */
typedef enum ls_edge_action {
  LS_EDGE_SET, /* written where it is to be */
  LS_EDGE_ADD  /* written beside it, and added: others wrote before */
} ls_edge_action;

/** An input of a node. */
typedef struct ls_edge {
  size_t from;           /* whose output it is, or LS_GRAPH_INPUT */
  size_t node;           /* the same, or the one before that, where a relu between them is absorbed */
  ls_edge_action action; /* in the backward pass */
  ls_region dx;          /* where the node writes the gradient with respect to it */
} ls_edge;

typedef struct ls_node {
  ls_layer layer;
  size_t depth;     /* of blocks that it is in */
  ls_edge *edges;   /* [layer.input_count], owned; so is layer.inputs */
  bool is_absorbed; /* a relu that its neighbour does; nobody takes its output */
  ls_region y, dy;  /* its output, and the gradient of that */
  ls_region saved;  /* what it keeps from forward to backward */
} ls_node;

/** Does every training pass go backward through the node? */
static inline bool ls_node_trains(const ls_node *node)
{
  return node->layer.input_trains || node->layer.grad_count > 0;
}

typedef struct ls_graph {
  ls_node *nodes; /* owned; in the order of the forward pass */
  size_t count, capacity;
  ls_node **shown;      /* [count] owned: the nodes by layer.index, blocks before what is in them */
  ls_shape in, out;     /* per sample */
  bool input_gradient;  /* passes may ask for the gradient with respect to the input */
  size_t output;        /* the node of the logits */
  size_t features;      /* the last node that training does not change and all that follows takes, alone; or
                           LS_GRAPH_INPUT: none with weights */
  size_t arena_count;   /* floats of a workspace: activations, gradients, saved */
  size_t scratch_count; /* floats of a workspace that the layers use one after the other */
} ls_graph;

/** The vectors of a pass, by ls_external, and its scratch. */
typedef struct ls_graph_memory {
  float *vectors[LS_MEMORY_ARENA + 1];
  float *scratch;
} ls_graph_memory;

/** Build the nodes and plan their memory.
 *
 * @param input_gradient  backward passes may be asked for the gradient with respect to the input
 *
 * On error ls_graph_fini() is still due. Local. Errors: LS_E_CONFIG with the origin of the layer that does
 * not fit, LS_E_MEMORY. */
ls_status ls_graph_init(ls_graph *graph, const ls_layer_list *specs, ls_shape in, bool input_gradient,
                        ls_build *build) LS_CHECKED;
void ls_graph_fini(ls_graph *graph);

/** Find where all lies: the regions of nodes and edges, and the counts. Local. Errors: LS_E_MEMORY. */
ls_status ls_graph_plan(ls_graph *graph) LS_CHECKED;

/** A node's memory. */
static inline float *ls_graph_at(const ls_graph_memory *memory, ls_region region)
{
  return memory->vectors[region.memory] + region.offset;
}

/** From LS_MEMORY_INPUT to the output of the node `features`. */
void ls_graph_extract(const ls_graph *graph, const ls_pass *pass, const ls_graph_memory *memory);

/** From LS_MEMORY_INPUT, or the node `features` if the pass says so, to LS_MEMORY_LOGITS. */
void ls_graph_forward(const ls_graph *graph, const ls_pass *pass, const ls_graph_memory *memory);

/** From LS_MEMORY_LOSS_GRADIENT, which is destroyed, to LS_MEMORY_DX and the pass's gradients. */
void ls_graph_backward(const ls_graph *graph, const ls_pass *pass, const ls_graph_memory *memory);

#endif
