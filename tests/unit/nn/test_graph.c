/* SPDX-License-Identifier: BSD-3-Clause */
/* Layers that name their inputs: what is refused, and what shares memory. */
#include "net.h"

#include "nn/graph/graph.h"

static const ls_shape image = {.c = 3, .h = 6, .w = 8};

static void refuses_what_does_not_connect(void **state)
{
  (void)state;
  static const struct {
    const char *layers;
    const char *words[4];
  } cases[] = {
      {"[{type: relu, name: pool1}, {type: relu, input: poool1}, {type: flatten}]",
       {"net.yaml:4:", "model.layers[1]", "'poool1'", "did you mean 'pool1'?"}},
      {"[{type: relu, name: a}, {type: relu, name: b, input: b}, {type: flatten}]",
       {"model.layers[1]", "'b' takes its own output", "cycle"}},
      {"[{type: relu, name: a}, {type: add, name: b, inputs: [a, d]}, {type: relu, name: c}, {type: relu, "
       "name: "
       "d}, {type: flatten}]",
       {"model.layers[1]", "'b' takes the output of 'd'", "from that of 'b'", "cycle"}},
      {"[{type: relu, name: a}, {type: relu, name: b, input: c}, {type: relu, name: c, input: a}, {type: "
       "add, "
       "inputs: [b, c]}, {type: flatten}]",
       {"model.layers[1]", "'c' comes later", "move it before 'b'"}},
      {"[{type: relu, name: a}, {type: tanh, name: b, input: input}, {type: flatten}]",
       {"model.layers[0]", "nothing takes the output of 'a'"}},
      {"[{type: conv, name: a, filters: 5, kernel: 3}, {type: add, inputs: [a, input]}, {type: flatten}]",
       {"model.layers[1]", "'a' gives 5x4x6", "'input' 3x6x8", "one shape"}},
      {"[{type: conv, name: a, filters: 5, kernel: 3}, {type: concat, inputs: [input, a]}, {type: flatten}]",
       {"model.layers[1]", "'input' gives 3x6x8", "'a' 5x4x6", "rows and columns"}},
      {"[{type: conv, name: a, filters: 5, kernel: 3}, {type: multiply, inputs: [input, a]}, {type: "
       "flatten}]",
       {"model.layers[1]", "'input' gives 3x6x8", "'a' 5x4x6", "per channel"}},
      {"[{type: add}, {type: flatten}]", {"model.layers[0]", "add takes several inputs", "inputs: [a, b]"}},
      {"[{type: add, inputs: [input]}, {type: flatten}]", {"model.layers[0]", "add takes several inputs"}},
      {"[{type: relu, inputs: [input, input]}, {type: flatten}]",
       {"model.layers[0]", "relu takes one input"}},
      {"[{type: residual, inputs: [input, input], body: [{type: relu}]}, {type: flatten}]",
       {"model.layers[0]", "a residual block takes one input"}},
      {"[{type: add, input: input, inputs: [input, input]}, {type: flatten}]",
       {"model.layers[0]", "both input and inputs"}},
      {"[{type: relu, name: input}, {type: relu, input: input}, {type: flatten}]",
       {"model.layers[1]", "'input' has two readings"}},
      {"[{type: relu, name: previous}, {type: flatten}]", {"model.layers[0]", "'previous' means"}},
      {"[{type: relu, name: a}, {type: residual, body: [{type: relu, input: a}]}, {type: flatten}]",
       {"model.layers[1].body[0]", "'a' is no layer of this list", "previous, input"}},
      {"[{type: relu}, {type: residual, body: [{type: relu, name: x}, {type: tanh, name: y, input: input}]}, "
       "{type: flatten}]",
       {"model.layers[1].body[0]", "nothing takes the output of 'x'"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_net n;
    assert_int_equal(net_try(&n, cases[i].layers, image, 4, 0), LS_E_CONFIG);
    const char *text = ls_error_last()->text;
    for (size_t w = 0; w < 4 && cases[i].words[w]; w++)
      if (!strstr(text, cases[i].words[w])) fail_msg("'%s' is missing in: %s", cases[i].words[w], text);
    net_fini(&n);
  }
}

static void add_output(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  size_t *bytes = user;
  *bytes += layer->microbatch * ls_shape_count(layer->out) * sizeof(float);
}

/* A dense block keeps less than all its outputs, though each is read by several layers. */
static void dense_blocks_share_memory(void **state)
{
  (void)state;
  enum { BLOCK_LAYERS = 12 };
  test_net n;
  ls_text layers = {0};
  ls_text_add(&layers, "[{type: conv, name: x0, filters: 16, kernel: 3, pad: 1}");
  for (size_t i = 1; i <= BLOCK_LAYERS; i++)
    ls_text_add(
        &layers,
        ", {type: batchnorm, input: x%zu}, {type: relu}, {type: conv, name: f%zu, filters: 12, kernel: 3, "
        "pad: 1, bias: false}, {type: concat, name: x%zu, inputs: [x%zu, f%zu]}",
        i - 1, i, i, i - 1, i);
  ls_text_add(&layers, ", {type: globalavgpool}]");
  net_init(&n, ls_text_get(&layers), image, 8);
  size_t outputs = 0;
  ls_model_visit(n.model, add_output, &outputs);
  assert_true(ls_model_count(n.model)->workspace_bytes < outputs);
  net_fini(&n);
  ls_text_fini(&layers);
}

/* Nobody pays for a graph that is a chain, however it is written. */
static void named_chains_are_chains(void **state)
{
  (void)state;
  enum { IN = 4 * 144, PARAMS = 3 * 27 + 3 };
  static const char *const layers[] = {
      "[{type: conv, filters: 3, kernel: 3}, {type: relu}, {type: maxpool, size: 2}, {type: flatten}]",
      "[{type: conv, name: c, filters: 3, kernel: 3, input: input}, {type: relu, name: r, input: c}, {type: "
      "maxpool, name: m, size: 2, input: r}, {type: flatten, input: m}]"};
  test_net nets[2];
  float x[IN];
  net_random(1, x, IN);
  for (size_t i = 0; i < 2; i++) net_init(&nets[i], layers[i], image, 4);
  const ls_model_counts *a = ls_model_count(nets[0].model), *b = ls_model_count(nets[1].model);
  assert_memory_equal(a, b, sizeof *a);
  const float *y = net_forward(&nets[0], x), *z = net_forward(&nets[1], x);
  assert_memory_equal(y, z, 4 * ls_model_classes(nets[0].model) * sizeof *y);
  for (size_t i = 0; i < 2; i++) net_fini(&nets[i]);
}

/* Layer i of a random graph: it takes the outputs of one or two before it, which all have one shape. */
static void add_random_layer(ls_text *layers, const ls_rng *rng, uint32_t i, bool *used)
{
  static const char *const singles[] = {"type: tanh",
                                        "type: relu",
                                        "type: batchnorm",
                                        "type: dropout, rate: 0.3",
                                        "type: conv, filters: 2, kernel: 3, pad: 1",
                                        "type: maxpool, size: 1",
                                        "type: gelu"};
  uint32_t words[4];
  ls_rng_block(rng, i, words);
  const bool is_single = words[2] % 3 < 2;
  const uint32_t a = words[0] % 2 ? i - 1 : (words[0] >> 1) % i, b = is_single ? a : words[1] % i;
  used[a] = used[b] = true;
  ls_text_add(layers, "{name: n%u, ", i);
  if (words[2] % 3 == 0)
    ls_text_add(layers, "%s, input: n%u}, ", singles[words[3] % 7], a);
  else if (words[2] % 3 == 1)
    ls_text_add(layers, "type: residual, input: n%u, body: [{%s}, {type: tanh}]}, ", a,
                singles[words[3] % 7]);
  else
    ls_text_add(layers, "type: %s, inputs: [n%u, n%u]}, ", words[3] % 3 == 0 ? "multiply" : "add", a, b);
}

/* A walk through a graph in which nothing shares memory. */
typedef struct walk {
  const ls_graph *graph;
  const test_net *net;
  float **y, **dy, **saved; /* [nodes], dy also of the input behind them */
  bool *is_set;             /* dy */
  float *scratch;
} walk;

static const float *walk_input(const walk *w, const float *x, size_t node)
{
  return node == LS_GRAPH_INPUT ? x : w->y[node];
}

static void walk_forward(walk *w, const float *x)
{
  for (size_t i = 0; i < w->graph->count; i++) {
    const ls_node *node = &w->graph->nodes[i];
    const float *xs[LS_GRAPH_MAX_INPUTS];
    for (size_t k = 0; k < node->layer.input_count; k++) xs[k] = walk_input(w, x, node->edges[k].node);
    if (node->is_absorbed) continue;
    if (node->layer.kind->merge)
      node->layer.kind->merge(&node->layer, &w->net->pass, xs, w->y[i]);
    else
      node->layer.kind->forward(&node->layer, &w->net->pass, xs[0], w->y[i], w->saved[i], w->scratch);
  }
}

/* dy of a node, or of the input, gets a part. */
static void walk_add(walk *w, size_t node, const float *part, size_t count)
{
  const size_t at = node == LS_GRAPH_INPUT ? w->graph->count : node;
  for (size_t i = 0; i < count; i++) w->dy[at][i] = w->is_set[at] ? w->dy[at][i] + part[i] : part[i];
  w->is_set[at] = true;
}

static void walk_back(walk *w, const float *x)
{
  for (size_t i = w->graph->count; i-- > 0;) {
    const ls_node *node = &w->graph->nodes[i];
    const ls_layer *layer = &node->layer;
    const float *xs[LS_GRAPH_MAX_INPUTS];
    float *dxs[LS_GRAPH_MAX_INPUTS];
    if (node->is_absorbed) continue;
    for (size_t k = 0; k < layer->input_count; k++) {
      xs[k] = walk_input(w, x, node->edges[k].node);
      dxs[k] = net_floats(layer->microbatch * ls_shape_count(layer->inputs[k].shape));
    }
    if (layer->kind->split)
      layer->kind->split(layer, &w->net->pass, xs, w->dy[i], dxs);
    else
      layer->kind->backward(layer, &w->net->pass, xs[0], w->y[i], w->dy[i], dxs[0], w->saved[i], w->scratch);
    for (size_t k = 0; k < layer->input_count; k++) {
      walk_add(w, node->edges[k].node, dxs[k], w->net->pass.n * ls_shape_count(layer->inputs[k].shape));
      free(dxs[k]);
    }
  }
}

static void walk_init(walk *w, const ls_graph *graph, const test_net *net)
{
  *w = (walk){.graph = graph, .net = net, .scratch = net_floats(graph->scratch_count)};
  w->y = calloc(graph->count, sizeof(float *));
  w->dy = calloc(graph->count + 1, sizeof(float *));
  w->saved = calloc(graph->count, sizeof(float *));
  w->is_set = calloc(graph->count + 1, sizeof *w->is_set);
  assert_true(w->y && w->dy && w->saved && w->is_set);
  for (size_t i = 0; i < graph->count; i++) {
    const ls_layer *layer = &graph->nodes[i].layer;
    w->y[i] = net_floats(layer->microbatch * ls_shape_count(layer->out));
    w->dy[i] = net_floats(layer->microbatch * ls_shape_count(layer->out));
    w->saved[i] = net_floats(layer->saved_count);
  }
  w->dy[graph->count] = net_floats(net->microbatch * ls_shape_count(graph->in));
}

static void walk_fini(walk *w)
{
  for (size_t i = 0; i < w->graph->count; i++) {
    free(w->y[i]);
    free(w->dy[i]);
    free(w->saved[i]);
  }
  free(w->dy[w->graph->count]);
  free(w->y);
  free(w->dy);
  free(w->saved);
  free(w->is_set);
  free(w->scratch);
}

/* What shares memory has the values that it has by itself. */
static void check_sharing(const char *layers)
{
  enum { N = 3 };
  test_net n;
  net_init(&n, layers, image, N);
  ls_build build = {.microbatch = N};
  ls_graph graph;
  assert_int_equal(ls_graph_init(&graph, &n.spec->model.layers, image, true, &build), LS_OK);
  const size_t in = N * ls_shape_count(image), out = N * ls_shape_count(graph.out);
  const size_t grads = ls_model_count(n.model)->grads;
  float *x = net_floats(in), *dy = net_floats(out), *expected = net_floats(grads);
  net_random(1, x, in);
  net_random(2, dy, out);
  ls_model_pack(n.model, n.params, n.packed, 0, 1);
  walk w;
  walk_init(&w, &graph, &n);
  memset(n.grads, 0, grads * sizeof *n.grads);
  walk_forward(&w, x);
  walk_add(&w, graph.output, dy, out);
  float *y = net_floats(out);
  memcpy(y, w.y[graph.output], out * sizeof *y);
  walk_back(&w, x);
  memcpy(expected, n.grads, grads * sizeof *expected);
  if (memcmp(net_forward(&n, x), y, out * sizeof *y) != 0) fail_msg("%s: the outputs differ", layers);
  memcpy(ls_workspace_loss_gradient(n.workspace), dy, out * sizeof *dy);
  memset(n.grads, 0, grads * sizeof *n.grads);
  ls_model_backward(n.model, &n.pass, n.workspace, n.dx);
  if (memcmp(n.grads, expected, grads * sizeof *expected) != 0) fail_msg("%s: the gradients differ", layers);
  if (memcmp(n.dx, w.dy[graph.count], in * sizeof *x) != 0) fail_msg("%s: dx differs", layers);
  walk_fini(&w);
  free(x);
  free(y);
  free(dy);
  free(expected);
  ls_graph_fini(&graph);
  ls_build_fini(&build);
  net_fini(&n);
}

static void sharing_changes_no_bit(void **state)
{
  (void)state;
  enum { GRAPHS = 300, LAYERS = 9 };
  for (uint64_t g = 0; g < GRAPHS; g++) {
    const ls_rng rng = ls_rng_stream(7, LS_RNG_INIT, g, 0);
    ls_text layers = {0};
    bool used[LAYERS + 1] = {false};
    ls_text_add(&layers, "[{type: conv, name: n0, filters: 2, kernel: 1}, ");
    for (uint32_t i = 1; i <= LAYERS; i++) add_random_layer(&layers, &rng, i, used);
    ls_text_add(&layers, "{type: concat, inputs: [n%d, input", LAYERS);
    for (uint32_t i = 0; i < LAYERS; i++)
      if (!used[i]) ls_text_add(&layers, ", n%u", i);
    ls_text_add(&layers, "]}, {type: conv, filters: 2, kernel: 3}, {type: flatten}]");
    check_sharing(ls_text_get(&layers));
    ls_text_fini(&layers);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_what_does_not_connect),
      cmocka_unit_test(dense_blocks_share_memory),
      cmocka_unit_test(named_chains_are_chains),
      cmocka_unit_test(sharing_changes_no_bit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
