/* SPDX-License-Identifier: BSD-3-Clause */
/* Ten training steps of lenet5 and of a batch-norm + residual net against PyTorch, with each optimizer:
 * losses, weights and running statistics.
 *
 * The goldens are worked out in double; float32 rounding grows from step to step, Adam's division by small
 * moments foremost. The tolerance is 1e-4 of the largest value of each tensor.
 */
#include "golden_file.h"

#include "loss.h"
#include "optim/optimizer.h"

enum { STEPS = 10, BATCH = 8, CLASSES = 10 };

static const double tolerance = 1e-4;

typedef struct run {
  const char *name;
  hid_t group;
  test_net net;
  float *slots[LS_OPTIMIZER_MAX_SLOTS];
  float *inputs; /* [steps, n, c, h, w] */
  uint16_t labels[STEPS * BATCH];
} run;

static void read_state(hid_t group, const test_net *net, float *params, float *buffers)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(net->model, &count);
  golden_tensors(group, "params", tensors, count, params);
  tensors = ls_model_buffers(net->model, &count);
  golden_tensors(group, "buffers", tensors, count, buffers);
}

static void run_init(run *r)
{
  size_t dims[GOLDEN_MAX_RANK];
  assert_int_equal(golden_dims(r->group, "inputs", dims), 5);
  assert_true(dims[0] == STEPS && dims[1] == BATCH);
  const ls_shape in = {.c = dims[2], .h = dims[3], .w = dims[4]};
  char *layers = golden_text(r->group, "layers");
  net_init(&r->net, layers, in, BATCH);
  free(layers);
  const size_t params = ls_model_count(r->net.model)->params, count = STEPS * BATCH * ls_shape_count(in);
  for (size_t i = 0; i < LS_OPTIMIZER_MAX_SLOTS; i++) r->slots[i] = net_floats(params);
  r->inputs = net_floats(count);
  golden_read(r->group, "inputs", H5T_NATIVE_FLOAT, count, r->inputs);
  golden_read(r->group, "labels", H5T_NATIVE_USHORT, STEPS * BATCH, r->labels);
  read_state(r->group, &r->net, r->net.params, r->net.buffers);
}

static void run_fini(run *r)
{
  for (size_t i = 0; i < LS_OPTIMIZER_MAX_SLOTS; i++) free(r->slots[i]);
  free(r->inputs);
  net_fini(&r->net);
}

/* One step; the mean loss before its update. */
static double step(run *r, const ls_kind_spec *optimizer, size_t i)
{
  const ls_shape in = ls_model_input(r->net.model);
  const size_t count = BATCH * ls_shape_count(in), buffers = ls_model_count(r->net.model)->buffers;
  float *x = net_floats(count), gradient[BATCH * CLASSES];
  golden_to_nhwc(r->inputs + i * count, x, BATCH, in);
  memset(r->net.stats, 0, buffers * sizeof *r->net.stats);
  const float *logits = net_forward(&r->net, x);
  const double loss =
      cross_entropy(logits, r->labels + i * BATCH, BATCH, CLASSES, 0.0, 1.0 / BATCH, gradient).loss / BATCH;
  net_backward(&r->net, gradient, false);
  const ls_update update = {.lr = ls_optimizer_lr(optimizer), .grad_scale = 1.0, .step = i + 1};
  const ls_optimizer bound = {optimizer, r->net.model, r->net.params, r->slots};
  ls_optimizer_update(&bound, &update, r->net.param_grads, 0, ls_model_count(r->net.model)->params);
  for (size_t k = 0; k < buffers; k++) r->net.stats[k] /= BATCH;
  ls_model_update_buffers(r->net.model, r->net.stats, r->net.buffers);
  free(x);
  return loss;
}

static void expect_tensors(const run *r, const char *what, const ls_tensor *tensors, size_t count,
                           const float *actual, const float *expected)
{
  char label[GOLDEN_NAME_BYTES], name[GOLDEN_NAME_BYTES];
  snprintf(label, sizeof label, "%s, %s", r->name, what);
  for (size_t i = 0; i < count; i++) {
    const size_t offset = tensors[i].offset;
    golden_tensor_name("final", &tensors[i], name);
    golden_expect(label, name, actual + offset, expected + offset, tensors[i].count, tolerance);
  }
}

static void check_optimizer(run *r, const char *what)
{
  double losses[STEPS];
  size_t count;
  const hid_t group = H5Gopen2(r->group, what, H5P_DEFAULT);
  assert_true(group >= 0);
  run_init(r);
  char *optimizer = golden_text(group, "optimizer");
  char text[512];
  snprintf(text, sizeof text,
           "data: {source: none}\nmodel: {layers: [{type: relu}]}\ntrain: {optimizer: %s}\n", optimizer);
  free(optimizer);
  static const ls_schema constant = {.name = "constant", .doc = ""};
  const ls_schema *const schedules[] = {&constant, NULL};
  const ls_schemas schemas = {.kinds = {[LS_FAMILY_LAYER] = ls_layer_schemas,
                                        [LS_FAMILY_OPTIMIZER] = ls_optimizer_schemas,
                                        [LS_FAMILY_SCHEDULE] = schedules,
                                        [LS_FAMILY_LOSS] = ls_loss_schemas}};
  ls_spec *spec;
  if (ls_config_parse(&spec, text, what, NULL, 0, &schemas) != LS_OK) fail_msg("%s", ls_error_last()->text);
  golden_read(group, "losses", H5T_NATIVE_DOUBLE, STEPS, losses);
  for (size_t i = 0; i < STEPS; i++) {
    const double error = fabs(step(r, &spec->train.optimizer, i) / losses[i] - 1.0);
    if (!(error <= tolerance)) fail_msg("%s, %s: the loss of step %zu is off by %g", r->name, what, i, error);
  }
  const ls_model_counts *counts = ls_model_count(r->net.model);
  float *params = net_floats(counts->params), *buffers = net_floats(counts->buffers);
  read_state(group, &r->net, params, buffers);
  const ls_tensor *tensors = ls_model_params(r->net.model, &count);
  expect_tensors(r, what, tensors, count, r->net.params, params);
  tensors = ls_model_buffers(r->net.model, &count);
  expect_tensors(r, what, tensors, count, r->net.buffers, buffers);
  free(params);
  free(buffers);
  ls_spec_free(spec);
  run_fini(r);
  H5Gclose(group);
}

static void check_net(const char *name)
{
  static const char *const optimizers[] = {"sgd", "adam", "adamw"};
  const hid_t file = golden_open("training.h5");
  run r = {.name = name, .group = H5Gopen2(file, name, H5P_DEFAULT)};
  assert_true(r.group >= 0);
  for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) check_optimizer(&r, optimizers[i]);
  H5Gclose(r.group);
  H5Fclose(file);
}

static void lenet5(void **state)
{
  (void)state;
  check_net("lenet5");
}

static void residual(void **state)
{
  (void)state;
  check_net("residual");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(lenet5), cmocka_unit_test(residual)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
