/* SPDX-License-Identifier: BSD-3-Clause */
/* Speed of single layers on one thread: GFLOP/s of forward and backward for the shapes of the networks in
 * configs/, and microseconds per sample for layers without arithmetic to speak of.
 *
 *   bench_layers [NETWORK] [seconds per layer, default 0.2]
 *
 * tests/bench/torch_layers.py prints the same table for PyTorch. Times are processor time, the best of
 * several runs: the question is what the code can do, not what else the machine was doing. */
#include "unit/nn/layer_harness.h"

#include <time.h>

#include "kernels/gemm/gemm.h"
#include "nn/window.h"
#include "nn/layers/pool.h"

typedef struct conv_options {
  size_t filters, groups;
  ls_window_options windows;
  bool bias;
  int init;
} conv_options;

typedef struct dense_options {
  size_t units;
  bool bias;
  int init;
} dense_options;

enum { SAME = -1 };

/* One row: a layer of a network, and how often it occurs there. */
typedef struct row {
  const char *network;
  const ls_layer_kind *kind;
  ls_shape in;
  size_t size, kernel, stride; /* filters, units or window; kernel and stride of a convolution */
  int pad;
  size_t times;
  bool first;    /* its input is data: no gradient with respect to it */
  size_t groups; /* of a convolution */
} row;

#define CONV(net, h, c, k, size, stride, pad, times, first)                                                  \
  {                                                                                                          \
    net, &ls_layer_conv, {c, h, h}, k, size, stride, pad, times, first, 1                                    \
  }
#define GROUPS(net, h, c, k, groups, size, stride, pad, times)                                               \
  {                                                                                                          \
    net, &ls_layer_conv, {c, h, h}, k, size, stride, pad, times, false, groups                               \
  }
#define DEPTHWISE(net, h, c, size, stride, times) GROUPS(net, h, c, c, c, size, stride, (size) / 2, times)
#define DENSE(net, in, out, times, first)                                                                    \
  {                                                                                                          \
    net, &ls_layer_dense, {in, 1, 1}, out, 0, 0, 0, times, first, 1                                          \
  }
#define POOL(net, h, c)                                                                                      \
  {                                                                                                          \
    net, &ls_layer_maxpool, {c, h, h}, 2, 0, 0, 0, 1, false, 1                                               \
  }

static const row rows[] = {
    DENSE("mlp", 784, 512, 1, true),
    DENSE("mlp", 512, 256, 1, false),
    DENSE("mlp", 256, 10, 1, false),
    CONV("lenet5", 28, 1, 6, 5, 1, 2, 1, true),
    POOL("lenet5", 28, 6),
    CONV("lenet5", 14, 6, 16, 5, 1, 0, 1, false),
    POOL("lenet5", 10, 16),
    DENSE("lenet5", 400, 120, 1, false),
    DENSE("lenet5", 120, 84, 1, false),
    DENSE("lenet5", 84, 10, 1, false),
    CONV("fast_cnn", 28, 1, 24, 5, 1, 0, 1, true),
    POOL("fast_cnn", 24, 24),
    CONV("fast_cnn", 12, 24, 32, 3, 1, 0, 1, false),
    POOL("fast_cnn", 10, 32),
    DENSE("fast_cnn", 800, 256, 1, false),
    DENSE("fast_cnn", 256, 10, 1, false),
    CONV("keras_cnn", 28, 1, 32, 3, 1, 0, 1, true),
    CONV("keras_cnn", 26, 32, 64, 3, 1, 0, 1, false),
    POOL("keras_cnn", 24, 64),
    DENSE("keras_cnn", 9216, 128, 1, false),
    DENSE("keras_cnn", 128, 10, 1, false),
    CONV("deotte_cnn", 28, 1, 32, 3, 1, 0, 1, true),
    CONV("deotte_cnn", 26, 32, 32, 3, 1, 0, 1, false),
    CONV("deotte_cnn", 24, 32, 32, 5, 2, SAME, 1, false),
    CONV("deotte_cnn", 12, 32, 64, 3, 1, 0, 1, false),
    CONV("deotte_cnn", 10, 64, 64, 3, 1, 0, 1, false),
    CONV("deotte_cnn", 8, 64, 64, 5, 2, SAME, 1, false),
    CONV("deotte_cnn", 4, 64, 128, 4, 1, 0, 1, false),
    DENSE("deotte_cnn", 128, 10, 1, false),
    CONV("resnet20", 28, 1, 16, 3, 1, 1, 1, true),
    CONV("resnet20", 28, 16, 16, 3, 1, 1, 6, false),
    CONV("resnet20", 28, 16, 32, 3, 2, 1, 1, false),
    CONV("resnet20", 28, 16, 32, 1, 2, 0, 1, false),
    CONV("resnet20", 14, 32, 32, 3, 1, 1, 5, false),
    CONV("resnet20", 14, 32, 64, 3, 2, 1, 1, false),
    CONV("resnet20", 14, 32, 64, 1, 2, 0, 1, false),
    CONV("resnet20", 7, 64, 64, 3, 1, 1, 5, false),
    DENSE("resnet20", 64, 10, 1, false),
    DEPTHWISE("mobilenet", 32, 32, 3, 1, 1),
    DEPTHWISE("mobilenet", 32, 96, 3, 1, 1),
    DEPTHWISE("mobilenet", 32, 144, 3, 1, 1),
    DEPTHWISE("mobilenet", 32, 144, 3, 2, 1),
    DEPTHWISE("mobilenet", 16, 192, 3, 1, 2),
    DEPTHWISE("mobilenet", 16, 192, 3, 2, 1),
    DEPTHWISE("mobilenet", 8, 384, 3, 1, 4),
    DEPTHWISE("mobilenet", 8, 576, 3, 2, 1),
    DEPTHWISE("mobilenet", 4, 960, 3, 1, 3),
    DEPTHWISE("depthwise5", 56, 72, 5, 2, 1),
    DEPTHWISE("depthwise5", 28, 120, 5, 1, 1),
    DEPTHWISE("depthwise5", 14, 480, 5, 1, 1),
    DEPTHWISE("depthwise5", 14, 96, 7, 1, 1),
    GROUPS("grouped", 32, 64, 64, 2, 3, 1, 1, 1),
    GROUPS("grouped", 32, 64, 64, 8, 3, 1, 1, 1),
    GROUPS("grouped", 16, 128, 128, 32, 3, 1, 1, 1),
    GROUPS("grouped", 16, 256, 256, 32, 3, 2, 1, 1),
    GROUPS("grouped", 16, 128, 128, 4, 1, 1, 0, 1),
};

enum { ROWS = sizeof rows / sizeof *rows, MICROBATCH = 32, MLP_MICROBATCH = 128, REPEATS = 10 };

static ls_counts one(size_t count)
{
  return (ls_counts){.word = -1, .count = 1, .items = {count}};
}

static void create(harness *h, const row *r)
{
  const size_t microbatch = strcmp(r->network, "mlp") == 0 ? MLP_MICROBATCH : MICROBATCH;
  const conv_options conv = {
      .filters = r->size,
      .groups = r->groups,
      .windows = {.size = one(r->kernel),
                  .stride = one(r->stride),
                  .dilation = one(1),
                  .pad = r->pad == SAME ? (ls_counts){.word = 0} : one((size_t)r->pad)},
      .bias = strcmp(r->network, "resnet20") != 0};
  const dense_options dense = {.units = r->size, .bias = true};
  const ls_pool_options pool = {.windows = {.size = one(r->size), .stride.word = 0, .pad = one(0)}};
  const void *options = r->kind == &ls_layer_conv    ? (const void *)&conv
                        : r->kind == &ls_layer_dense ? (const void *)&dense
                                                     : (const void *)&pool;
  if (harness_create(h, r->kind, options, r->in, microbatch) != LS_OK) {
    fprintf(stderr, "%s\n", ls_error_last()->text);
    exit(1);
  }
  harness_prepare(h, microbatch);
}

static void forward(harness *h)
{
  h->layer.kind->forward(&h->layer, &h->pass, h->x, h->y, h->saved, h->scratch);
}

static void backward(harness *h)
{
  h->layer.kind->backward(&h->layer, &h->pass, h->x, h->y, h->dy, h->dx, h->saved, h->scratch);
}

static void backward_weights(harness *h)
{
  h->layer.kind->backward(&h->layer, &h->pass, h->x, h->y, h->dy, NULL, h->saved, h->scratch);
}

static void pack_and_unpack(harness *h)
{
  for (size_t piece = 0; h->layer.kind->pack && piece < ls_layer_pieces(&h->layer); piece++)
    h->layer.kind->pack(&h->layer, h->params, h->packed, piece);
  for (size_t piece = 0; h->layer.kind->unpack && piece < ls_layer_pieces(&h->layer); piece++)
    h->layer.kind->unpack(&h->layer, h->grads, h->param_grads, piece);
}

static double processor_s(void)
{
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds of one call, the best of some runs. */
static double measure(harness *h, void (*operation)(harness *), double seconds)
{
  double best = INFINITY;
  for (int repeat = 0; repeat < REPEATS; repeat++) {
    size_t calls = 0;
    const double start = processor_s();
    double now;
    do {
      operation(h);
      calls++;
      now = processor_s();
    } while (now - start < seconds / REPEATS);
    best = fmin(best, (now - start) / (double)calls);
  }
  return best;
}

/* Prints the row; returns its seconds per sample in training. */
static double run(const row *r, double seconds)
{
  harness h;
  create(&h, r);
  const double n = (double)h.pass.n;
  const double work = 2e-9 * (double)h.layer.macs * n;
  const double forward_s = measure(&h, forward, seconds);
  const double weights_s = r->kind == &ls_layer_maxpool ? 0 : measure(&h, backward_weights, seconds);
  const double backward_s = r->first ? weights_s : measure(&h, backward, seconds);
  const double pack_s = measure(&h, pack_and_unpack, seconds / 4);
  ls_text text = {0};
  r->kind->describe(&h.layer, &text);
  printf("%-11s %-8s %4zux%2zux%2zu  %-24s %9.2f %9.2f", r->network, r->kind->schema.name, r->in.c, r->in.h,
         r->in.w, ls_text_get(&text), 1e6 * forward_s / n, 1e6 * backward_s / n);
  if (h.layer.macs > 0)
    printf(" %7.1f %7.1f %7.1f %8.1f", work / forward_s, work / weights_s,
           r->first ? 0 : work / (backward_s - weights_s), 1e6 * pack_s);
  printf("\n");
  ls_text_fini(&text);
  harness_fini(&h);
  return (double)r->times * (forward_s + backward_s) / n;
}

int main(int argc, char **argv)
{
  const char *only = argc > 1 ? argv[1] : "";
  const double seconds = argc > 2 ? atof(argv[2]) : 0.2;
  printf("%s\n%-11s %-8s %10s  %-24s %9s %9s %7s %7s %7s %8s\n", ls_gemm_backend(), "network", "layer",
         "input", "", "fwd us", "bwd us", "fwd GF", "dw GF", "dx GF", "pack us");
  double total = 0;
  for (size_t i = 0; i < ROWS; i++) {
    if (*only && strcmp(only, rows[i].network) != 0) continue;
    total += run(&rows[i], seconds);
    if (i + 1 == ROWS || strcmp(rows[i].network, rows[i + 1].network) != 0) {
      printf("%-11s %.1f us per sample in these layers: %.0f samples/s\n", rows[i].network, 1e6 * total,
             1 / total);
      total = 0;
    }
  }
  return 0;
}
