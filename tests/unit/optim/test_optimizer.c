/* SPDX-License-Identifier: BSD-3-Clause */
/* Optimizers against PyTorch's, step by step; and that the cut into parts does not change a bit. */
#include "cmocka_all.h"

#include <math.h>

#include "base/rng.h"
#include "base/size.h"
#include "optim/optimizer.h"
#include "unit/optim/cases.h"

enum { GOLDEN_STEPS = 5, GOLDEN_INPUTS = 4, GOLDEN_UNITS = 3, MAX_PARAMS = 2048, MAX_LAYERS = 4 };

static const float golden_scale = 0.5F; /* factor on the gradients, as in make_optim_goldens.py */

/* A dense layer, then further ones of the same kind: weight and bias of each. The first has a factor on its
 * learning rate. */
static ls_model *new_model_at(size_t inputs, size_t units, size_t layer_count, double first_factor)
{
  char text[64];
  snprintf(text, sizeof text, "{type: dense, units: %zu}", units);
  ls_layer_spec layers[MAX_LAYERS] = {{0}};
  assert_in_range(layer_count, 1, MAX_LAYERS);
  for (size_t i = 0; i < layer_count; i++) {
    const ls_kind_spec dense = case_spec(ls_layer_schemas, text);
    layers[i] = (ls_layer_spec){.schema = dense.schema,
                                .options = dense.options,
                                .input = "previous",
                                .origin = text,
                                .lr_factor = i == 0 ? first_factor : 1};
  }
  ls_model *model;
  const ls_layer_list list = {layers, layer_count};
  const ls_model_options options = {.in = {inputs, 1, 1}, .microbatch = 1, .classes = units};
  assert_int_equal(ls_model_new(&model, &list, &options), LS_OK);
  for (size_t i = 0; i < layer_count; i++) free(layers[i].options);
  assert_in_range(ls_model_count(model)->params, 1, MAX_PARAMS);
  return model;
}

static ls_model *new_model(size_t inputs, size_t units, size_t layer_count)
{
  return new_model_at(inputs, units, layer_count, 1);
}

/* The state of a run of an optimizer. */
typedef struct experiment {
  ls_kind_spec spec;
  const ls_model *model;
  float params[MAX_PARAMS], grads[MAX_PARAMS], state[LS_OPTIMIZER_MAX_SLOTS][MAX_PARAMS];
} experiment;

static double norm_of(const float *x, size_t count)
{
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sqrt(sum);
}

static void find_norms(const experiment *run, const ls_optimizer *optimizer, const ls_update *update,
                       ls_tensor_norms *norms)
{
  size_t count;
  const ls_tensor *tensors = ls_model_params(run->model, &count);
  float direction[MAX_PARAMS];
  for (size_t i = 0; i < count; i++) {
    const size_t first = tensors[i].offset, length = tensors[i].count;
    memcpy(direction, run->grads + first, length * sizeof *direction);
    ls_optimizer_direction(optimizer, update, i, first, direction, length);
    norms[i] = (ls_tensor_norms){.params = norm_of(run->params + first, length),
                                 .direction = norm_of(direction, length)};
  }
}

static void take_step(experiment *run, uint64_t step, double scale, size_t parts)
{
  float *slots[LS_OPTIMIZER_MAX_SLOTS];
  for (size_t i = 0; i < LS_OPTIMIZER_MAX_SLOTS; i++) slots[i] = run->state[i];
  ls_update update = {.lr = ls_optimizer_lr(&run->spec), .grad_scale = scale, .step = step};
  const ls_optimizer optimizer = {&run->spec, run->model, run->params, slots};
  ls_tensor_norms norms[2 * MAX_LAYERS];
  find_norms(run, &optimizer, &update, norms);
  update.norms = norms;
  const size_t count = ls_model_count(run->model)->params;
  for (size_t part = 0; part < parts; part++) {
    const size_t first = ls_part_first(count, parts, part), end = ls_part_first(count, parts, part + 1);
    ls_optimizer_update(&optimizer, &update, run->grads + first, first, end - first);
  }
}

static bool has_negative(const float *values, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (values[i] < 0) return true;
  return false;
}

static void take_floats(case_file *table, const char *word, float *x, size_t count)
{
  case_take(table, word);
  assert_int_equal(table->value_count, count);
  for (size_t i = 0; i < count; i++) x[i] = (float)table->values[i];
}

/* float32 throughout: a few roundings of values near 1, in another order than PyTorch's fused ones. */
static void assert_floats(const float *actual, const case_file *expected, const char *name)
{
  for (size_t i = 0; i < expected->value_count; i++)
    if (!(fabs((double)actual[i] - expected->values[i]) <= 1e-6 + 1e-6 * fabs(expected->values[i])))
      fail_msg("%s: element %zu: %.9g expected, %.9g found", name, i, expected->values[i], (double)actual[i]);
}

static void check_case(case_file *table, const ls_model *model, const float *initial,
                       float gradients[GOLDEN_STEPS][CASE_MAX_VALUES])
{
  const size_t bytes = ls_model_count(model)->params * sizeof(float);
  char name[256];
  snprintf(name, sizeof name, "%.255s", table->line + strlen("case "));
  case_next(table);
  experiment run = {.spec = case_spec(ls_optimizer_schemas, name), .model = model};
  const ls_optimizer_kind *kind = ls_optimizer_find(&run.spec);
  memcpy(run.params, initial, bytes);
  for (size_t step = 0; step < GOLDEN_STEPS; step++) {
    memcpy(run.grads, gradients[step], bytes);
    take_step(&run, step + 1, (double)golden_scale, 1);
    case_take(table, "params");
    assert_floats(run.params, table, name);
  }
  for (size_t i = 0; i < ls_optimizer_slot_count(kind); i++) {
    if (!case_at(table, kind->slots[i].name)) continue; /* PyTorch has none: momentum 0 */
    case_take(table, kind->slots[i].name);
    assert_floats(run.state[i], table, name);
    /* The gradients have both signs: only means of squares have none. */
    assert_int_equal(kind->slots[i].is_squares, !has_negative(run.state[i], table->value_count));
  }
  free(run.spec.options);
}

static void steps_are_those_of_pytorch(void **state)
{
  (void)state;
  static case_file table;
  float initial[CASE_MAX_VALUES];
  float gradients[GOLDEN_STEPS][CASE_MAX_VALUES];
  ls_model *model = new_model(GOLDEN_INPUTS, GOLDEN_UNITS, 1);
  const size_t count = ls_model_count(model)->params;
  case_open(&table, LS_SOURCE_DIR "/tests/golden/optimizers.txt");
  take_floats(&table, "initial", initial, count);
  for (size_t i = 0; i < GOLDEN_STEPS; i++) take_floats(&table, "gradient", gradients[i], count);
  size_t cases = 0;
  for (; case_at(&table, "case"); cases++) check_case(&table, model, initial, gradients);
  assert_string_equal(table.line, "");
  assert_true(cases > 0);
  case_close(&table);
  ls_model_free(model);
}

static void every_kind_has_its_goldens(void **state)
{
  (void)state;
  case_expect_goldens(ls_optimizer_schemas, LS_SOURCE_DIR "/tests/golden/optimizers.txt");
}

static void start_run(experiment *run, const char *kind, const ls_model *model)
{
  *run = (experiment){.spec = case_spec(ls_optimizer_schemas, kind), .model = model};
  const ls_rng params = ls_rng_stream(1, LS_RNG_INIT, 0, 0), grads = ls_rng_stream(1, LS_RNG_INIT, 1, 0);
  ls_rng_normal(&params, 0, 1, run->params, ls_model_count(model)->params);
  ls_rng_normal(&grads, 0, 1, run->grads, ls_model_count(model)->params);
}

static void check_parts(const char *text, const ls_model *model)
{
  static experiment whole, cut;
  start_run(&whole, text, model);
  for (uint64_t step = 1; step <= 3; step++) take_step(&whole, step, 0.25, 1);
  for (size_t parts = 2; parts <= 200; parts = parts * 2 + 1) { /* also more parts than cache lines */
    start_run(&cut, text, model);
    for (uint64_t step = 1; step <= 3; step++) take_step(&cut, step, 0.25, parts);
    if (memcmp(cut.params, whole.params, sizeof whole.params) != 0 ||
        memcmp(cut.state, whole.state, sizeof whole.state) != 0)
      fail_msg("%s: other bits in %zu parts", text, parts);
    free(cut.spec.options);
  }
  free(whole.spec.options);
}

/* With every set of options that has goldens. */
static void parts_do_not_change_a_bit(void **state)
{
  (void)state;
  static case_file table;
  ls_model *model = new_model(19, 21, 3); /* nothing is a multiple of a vector */
  case_open(&table, LS_SOURCE_DIR "/tests/golden/optimizers.txt");
  for (; table.line[0]; case_next(&table))
    if (case_at(&table, "case")) check_parts(table.line + strlen("case "), model);
  case_close(&table);
  ls_model_free(model);
}

static bool has_key(const ls_schema *kind, const char *path)
{
  for (size_t i = 0; i < kind->key_count; i++)
    if (strcmp(kind->keys[i].path, path) == 0) return true;
  return false;
}

/* A kind with a small rate, and with what else is asked for. */
static void kind_text(char text[128], const ls_schema *kind, const char *rest)
{
  snprintf(text, 128, "{type: %s, lr: 0.001%s}", kind->name, rest);
}

/* Do the weights of a kind go towards 0, those of at least 0.1, and do the biases where they should? The
 * gradients are 0: decay alone moves the parameters. */
static void check_decay(const char *text, const ls_model *model, bool moves_biases)
{
  const size_t bias = GOLDEN_INPUTS * GOLDEN_UNITS;
  static experiment run;
  float before[MAX_PARAMS];
  start_run(&run, text, model);
  memset(run.grads, 0, sizeof run.grads);
  memcpy(before, run.params, sizeof before);
  take_step(&run, 1, 1, 1);
  for (size_t i = 0; i < bias + GOLDEN_UNITS; i++) {
    if (fabsf(before[i]) < 0.1F) continue;
    const float shrunk = fabsf(before[i]) - fabsf(run.params[i]);
    if (i < bias || moves_biases ? !(shrunk > 0 && shrunk < 0.1F) : shrunk != 0)
      fail_msg("%s: parameter %zu goes from %g to %g", text, i, (double)before[i], (double)run.params[i]);
  }
  free(run.spec.options);
}

static void decay_spares_biases_unless_asked(void **state)
{
  (void)state;
  ls_model *model = new_model(GOLDEN_INPUTS, GOLDEN_UNITS, 1);
  for (const ls_schema *const *kind = ls_optimizer_schemas; *kind; kind++) {
    char text[128];
    kind_text(text, *kind, ", weight_decay: 0.5");
    check_decay(text, model, false);
    kind_text(text, *kind, ", weight_decay: 0.5, decay_bias_and_norm: true");
    if (has_key(*kind, "decay_bias_and_norm")) check_decay(text, model, true);
  }
  check_decay("{type: nadam, lr: 0.001, weight_decay: 0.5, decoupled_weight_decay: true}", model, false);
  ls_model_free(model);
}

/* Of sgd to the bit. */
static void decay_is_a_share_of_the_weight(void **state)
{
  (void)state;
  ls_model *model = new_model(GOLDEN_INPUTS, GOLDEN_UNITS, 1);
  static experiment run;
  start_run(&run, "{type: sgd, lr: 1, weight_decay: 0.5}", model);
  memset(run.grads, 0, sizeof run.grads);
  const float weight = run.params[0];
  take_step(&run, 1, 1, 1);
  assert_true(run.params[0] == 0.5F * weight);
  free(run.spec.options);
  ls_model_free(model);
}

/* How far the first parameters of two equal layers go in a step, the first with a factor on its rate. */
static void check_factor(const char *text, const ls_model *slow, const ls_model *plain)
{
  static experiment runs[2];
  const ls_model *const models[] = {slow, plain};
  const size_t count = ls_model_count(plain)->params;
  float before[MAX_PARAMS];
  for (size_t i = 0; i < 2; i++) {
    start_run(&runs[i], text, models[i]);
    memcpy(before, runs[i].params, sizeof before);
    take_step(&runs[i], 1, 1, 1);
  }
  for (size_t i = 0; i < count; i++) {
    const double factor = i < count / 2 ? 0.25 : 1;
    const double expected = factor * (double)(runs[1].params[i] - before[i]);
    if (!(fabs((double)(runs[0].params[i] - before[i]) - expected) <= 1e-6 + 1e-4 * fabs(expected)))
      fail_msg("%s: parameter %zu goes from %g to %g", text, i, (double)before[i], (double)runs[0].params[i]);
  }
  for (size_t i = 0; i < 2; i++) free(runs[i].spec.options);
}

static void a_layers_factor_scales_its_steps_alone(void **state)
{
  (void)state;
  ls_model *slow = new_model_at(GOLDEN_INPUTS, GOLDEN_INPUTS, 2, 0.25);
  ls_model *plain = new_model(GOLDEN_INPUTS, GOLDEN_INPUTS, 2);
  for (const ls_schema *const *kind = ls_optimizer_schemas; *kind; kind++) {
    char text[128];
    snprintf(text, sizeof text, "{type: %s, lr: 0.5, weight_decay: 0.1}", (*kind)->name);
    check_factor(text, slow, plain);
  }
  ls_model_free(slow);
  ls_model_free(plain);
}

static void check_norm_0(const char *text, const ls_model *model, bool no_gradient, bool no_weights)
{
  static experiment run;
  float before[MAX_PARAMS];
  start_run(&run, text, model);
  if (no_gradient) memset(run.grads, 0, sizeof run.grads);
  if (no_weights) memset(run.params, 0, sizeof run.params);
  memcpy(before, run.params, sizeof before);
  for (uint64_t step = 1; step <= 3; step++) take_step(&run, step, 1, 1);
  for (size_t k = 0; k < ls_model_count(model)->params; k++) {
    const bool is_kept = no_gradient && (no_weights || strstr(text, "decay: 0,"));
    const bool is_right = is_kept ? run.params[k] == before[k] : fabsf(run.params[k]) < 100;
    if (!is_right)
      fail_msg("%s: parameter %zu goes from %g to %g", text, k, (double)before[k], (double)run.params[k]);
  }
  free(run.spec.options);
}

/* A tensor may have no gradient at all, be all 0, or both: a dead layer, a new one. Nothing becomes infinite,
 * and without a gradient and decay nothing moves. */
static void tensors_of_norm_0_stay_finite(void **state)
{
  (void)state;
  ls_model *model = new_model(GOLDEN_INPUTS, GOLDEN_UNITS, 2);
  for (const ls_schema *const *kind = ls_optimizer_schemas; *kind; kind++)
    for (int i = 0; i < 8; i++) {
      char text[128];
      snprintf(text, sizeof text, "{type: %s, weight_decay: %s, lr: 1%s}", (*kind)->name, i & 4 ? "0.5" : "0",
               has_key(*kind, "trust") ? ", trust: 1" : "");
      check_norm_0(text, model, i & 1, i & 2);
    }
  check_norm_0("{type: sgd, weight_decay: 0, lr: 1, momentum: 0.9}", model, true, false);
  check_norm_0("{type: rmsprop, weight_decay: 0, lr: 1, momentum: 0.9, centered: true}", model, true, false);
  ls_model_free(model);
}

/* You, Gitman, Ginsburg 2017: whatever the gradient's length, a tensor moves by trust times its own norm. */
static void lars_moves_by_a_share_of_the_norm(void **state)
{
  (void)state;
  ls_model *model = new_model(GOLDEN_INPUTS, GOLDEN_UNITS, 2);
  const size_t weights = GOLDEN_INPUTS * GOLDEN_UNITS;
  for (int power = -8; power <= 8; power += 4) {
    static experiment run;
    float before[MAX_PARAMS], moved[MAX_PARAMS];
    start_run(&run, "{type: lars, lr: 1, trust: 0.25, momentum: 0}", model);
    for (size_t i = 0; i < weights; i++) run.grads[i] *= ldexpf(1, power);
    memcpy(before, run.params, sizeof before);
    take_step(&run, 1, 0.5, 1);
    for (size_t i = 0; i < weights; i++) moved[i] = run.params[i] - before[i];
    assert_true(fabs(norm_of(moved, weights) / norm_of(before, weights) - 0.25) < 1e-5);
    for (size_t i = weights; i < weights + GOLDEN_UNITS; i++) /* the bias: as without it */
      assert_true(fabsf(run.params[i] - (before[i] - 0.5F * run.grads[i])) < 1e-6F);
    free(run.spec.options);
  }
  ls_model_free(model);
}

/* You et al. 2020: whatever the gradient's length, a tensor moves by lr times its own norm; biases as by
 * adam.
 */
static void lamb_moves_by_a_share_of_the_norm(void **state)
{
  (void)state;
  ls_model *model = new_model(GOLDEN_INPUTS, GOLDEN_UNITS, 2);
  const size_t weights = GOLDEN_INPUTS * GOLDEN_UNITS;
  static const char *const decays[] = {"0", "0.5"};
  for (int power = -8; power <= 8; power += 4)
    for (size_t d = 0; d < 2; d++) {
      static experiment run;
      float before[MAX_PARAMS], moved[MAX_PARAMS];
      char text[128];
      snprintf(text, sizeof text, "{type: lamb, lr: 0.125, weight_decay: %s}", decays[d]);
      start_run(&run, text, model);
      for (size_t i = 0; i < weights; i++) run.grads[i] *= ldexpf(1, power);
      for (uint64_t step = 1; step <= 3; step++) {
        memcpy(before, run.params, sizeof before);
        take_step(&run, step, 0.5, 1);
        for (size_t i = 0; i < weights; i++) moved[i] = run.params[i] - before[i];
        assert_true(fabs(norm_of(moved, weights) / norm_of(before, weights) - 0.125) < 1e-5);
        for (size_t i = weights; i < weights + GOLDEN_UNITS; i++)
          assert_true(fabsf(fabsf(run.params[i] - before[i]) - 0.125F) < 1e-4F);
      }
      free(run.spec.options);
    }
  ls_model_free(model);
}

/* Gradients that stay the same have a variance of 0, which rounding takes below it. */
static void centered_rmsprop_stays_finite(void **state)
{
  (void)state;
  ls_model *model = new_model(GOLDEN_INPUTS, GOLDEN_UNITS, 1);
  static experiment run;
  start_run(&run, "{type: rmsprop, alpha: 0.5, centered: true, epsilon: 1}", model);
  for (uint64_t step = 1; step <= 100; step++) {
    float before[MAX_PARAMS];
    memcpy(before, run.params, sizeof before);
    take_step(&run, step, 1, 1);
    for (size_t i = 0; i < ls_model_count(model)->params; i++)
      assert_true(fabsf(run.params[i] - before[i]) <= 0.0101F * fabsf(run.grads[i]) + 1e-6F);
  }
  free(run.spec.options);
  ls_model_free(model);
}

/* Of a product of 2000 factors, worked out one by one, with the options of torch.optim.NAdam. With a gradient
 * of 1 at each step, m and v are those of one weight, in double. */
static void nadam_keeps_its_product(void **state)
{
  (void)state;
  static const double decays[] = {0, 0.004, 0.5, 100};
  ls_model *model = new_model(GOLDEN_INPUTS, GOLDEN_UNITS, 1);
  for (size_t d = 0; d < sizeof decays / sizeof *decays; d++) {
    static experiment run;
    char text[128];
    snprintf(text, sizeof text, "{type: nadam, lr: 0.001, beta1: 0.999, momentum_decay: %g}", decays[d]);
    start_run(&run, text, model);
    for (size_t i = 0; i < MAX_PARAMS; i++) run.grads[i] = 1;
    double product = 1, m = 0;
    for (uint64_t step = 1; step <= 2000; step++) {
      const double t = (double)step, before = (double)run.params[0];
      const double mu = 0.999 * (1 - 0.5 * pow(0.96, t * decays[d]));
      const double next = 0.999 * (1 - 0.5 * pow(0.96, (t + 1) * decays[d]));
      product *= mu;
      m = 0.999 * m + 0.001;
      take_step(&run, step, 1, 1);
      const double expected = 0.001 * ((1 - mu) / (1 - product) + next * m / (1 - product * next));
      const double found = before - (double)run.params[0];
      if (!(fabs(found - expected) <= 1e-3 * expected + 3e-7))
        fail_msg("momentum_decay %g, step %zu: a step of %g, not %g", decays[d], (size_t)step, found,
                 expected);
    }
    free(run.spec.options);
  }
  ls_model_free(model);
}

static void kinds_and_schemas_are_in_the_same_order(void **state)
{
  (void)state;
  size_t i = 0;
  for (; ls_optimizer_kinds[i]; i++)
    assert_ptr_equal(&ls_optimizer_kinds[i]->schema, ls_optimizer_schemas[i]);
  assert_null(ls_optimizer_schemas[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_are_those_of_pytorch),
      cmocka_unit_test(every_kind_has_its_goldens),
      cmocka_unit_test(parts_do_not_change_a_bit),
      cmocka_unit_test(decay_spares_biases_unless_asked),
      cmocka_unit_test(decay_is_a_share_of_the_weight),
      cmocka_unit_test(a_layers_factor_scales_its_steps_alone),
      cmocka_unit_test(tensors_of_norm_0_stay_finite),
      cmocka_unit_test(lars_moves_by_a_share_of_the_norm),
      cmocka_unit_test(lamb_moves_by_a_share_of_the_norm),
      cmocka_unit_test(centered_rmsprop_stays_finite),
      cmocka_unit_test(nadam_keeps_its_product),
      cmocka_unit_test(kinds_and_schemas_are_in_the_same_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
