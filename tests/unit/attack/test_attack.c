/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks against PyTorch's on the same weights, also where the network is sure beyond what float32 resolves
 * from certainty, and what must hold for any: epsilon and the range of pixels are kept to, an epsilon of 0
 * changes no bit, a random start depends on nothing but seed, round and sample.
 *
 * Goldens are worked out in double. Where a gradient all but vanishes its sign is rounding's: the script has
 * kept off such points, so outcomes agree to float32's rounding of pixels, 1e-6.
 */
#include "golden_file.h"

#include "loss.h"
#include "nn/probability.h"
#include "attack/attack.h"

static const double tolerance = 1e-5; /* of gradients: sums of some hundreds of terms in float32 */
static const char *const small_nets[] = {"grey", "colour", NULL};
static const char *const sure_nets[] = {"sure_dense",    "sure_norm",  "sure_smooth",
                                        "sure_residual", "sure_equal", NULL};
static const float PIXEL_TOLERANCE = 2e-6F;

enum { MEMBERS = 2 };

typedef struct fixture {
  hid_t file, group;
  test_net net;
  ls_network network;
  ls_attack_member members[MEMBERS]; /* the network, and others if a test has them */
  ls_attack_scratch *scratch;
  ls_attack attack;
  ls_microbatch microbatch;
  ls_shape in;
  size_t n, count; /* samples; floats of all of them */
  uint8_t *images; /* [n, c, h, w] */
  uint16_t *labels, *towards;
} fixture;

static float *read_floats(const fixture *f, const char *name, size_t count)
{
  float *values = net_floats(count);
  golden_read(f->group, name, H5T_NATIVE_FLOAT, count, values);
  return values;
}

static void read_data(fixture *f)
{
  size_t dims[GOLDEN_MAX_RANK];
  assert_int_equal(golden_dims(f->group, "pixels", dims), 4);
  f->n = dims[0];
  f->in = (ls_shape){.c = dims[1], .h = dims[2], .w = dims[3]};
  f->count = f->n * ls_shape_count(f->in);
  assert_int_equal(ls_alloc(&f->images, f->count, 1, "images"), LS_OK);
  assert_int_equal(ls_alloc(&f->labels, f->n, sizeof *f->labels, "labels"), LS_OK);
  assert_int_equal(ls_alloc(&f->towards, f->n, sizeof *f->towards, "labels"), LS_OK);
  golden_read(f->group, "pixels", H5T_NATIVE_UCHAR, f->count, f->images);
  golden_read(f->group, "labels", H5T_NATIVE_USHORT, f->n, f->labels);
}

static void read_network(fixture *f)
{
  size_t count;
  char *layers = golden_text(f->group, "layers");
  const ls_model_options options = {.in = f->in,
                                    .microbatch = f->n + 1, /* one that is not full */
                                    .input_gradient = true,
                                    .keep_ties = true};
  net_init_model(&f->net, layers, &options);
  free(layers);
  for (size_t i = 0; i < f->n; i++)
    f->towards[i] = (uint16_t)((f->labels[i] + 1U) % ls_model_classes(f->net.model));
  const ls_tensor *tensors = ls_model_params(f->net.model, &count);
  golden_tensors(f->group, "params", tensors, count, f->net.params);
  tensors = ls_model_buffers(f->net.model, &count);
  golden_tensors(f->group, "buffers", tensors, count, f->net.buffers);
  ls_model_pack(f->net.model, f->net.params, f->net.packed, 0, 1);
  f->network = (ls_network){.model = f->net.model,
                            .loss = loss_named("cross_entropy"),
                            .normalization = {.channels = f->in.c},
                            .params = f->net.params,
                            .buffers = f->net.buffers,
                            .packed = f->net.packed};
  golden_read(f->group, "mean", H5T_NATIVE_DOUBLE, f->in.c, f->network.normalization.mean);
  golden_read(f->group, "deviation", H5T_NATIVE_DOUBLE, f->in.c, f->network.normalization.deviation);
}

static void setup(fixture *f, const char *name)
{
  *f = (fixture){.file = golden_open("attacks.h5")};
  f->group = H5Gopen2(f->file, name, H5P_DEFAULT);
  assert_true(f->group >= 0);
  read_data(f);
  read_network(f);
  assert_int_equal(ls_attack_scratch_new(&f->scratch, f->net.model, f->n + 1, MEMBERS, 1), LS_OK);
  f->members[0] = (ls_attack_member){.network = &f->network, .workspace = f->net.workspace};
  f->microbatch =
      (ls_microbatch){.images = f->images, .labels = f->labels, .samples = f->net.samples, .n = f->n};
  f->attack = (ls_attack){.kind = &ls_attack_fgsm,
                          .epsilon = golden_number(f->group, "epsilon"),
                          .step_size = golden_number(f->group, "step_size"),
                          .steps = (size_t)golden_number(f->group, "steps"),
                          .seed = 3};
}

static void teardown(fixture *f)
{
  ls_attack_scratch_free(f->scratch, 1);
  net_fini(&f->net);
  free(f->images), free(f->labels), free(f->towards);
  H5Gclose(f->group), H5Fclose(f->file);
}

static ls_attack_task task_of(const fixture *f)
{
  const size_t pixels = f->in.h * f->in.w;
  ls_normalization_apply(&f->network.normalization, f->images, f->n, pixels,
                         ls_workspace_input(f->net.workspace));
  return (ls_attack_task){.attack = &f->attack,
                          .members = f->members,
                          .member_count = 1,
                          .scratch = f->scratch,
                          .microbatch = &f->microbatch,
                          .labels = f->attack.is_targeted ? f->towards : f->labels};
}

/* The images in the workspace in raw pixel units [n, c, h, w]; the caller frees them. */
static float *raw_images(const fixture *f)
{
  const ls_normalization *normalization = &f->network.normalization;
  float *raw = net_floats(f->count);
  golden_to_nchw(ls_workspace_input(f->net.workspace), raw, f->n, f->in);
  for (size_t i = 0; i < f->count; i++) {
    const size_t c = i / (f->in.h * f->in.w) % f->in.c;
    raw[i] = (float)(((double)raw[i] * normalization->deviation[c] + normalization->mean[c]) / 255.0);
  }
  return raw;
}

static void expect_images(const fixture *f, const char *name)
{
  float *raw = raw_images(f), *expected = read_floats(f, name, f->count);
  for (size_t i = 0; i < f->count; i++) assert_float_equal(raw[i], expected[i], PIXEL_TOLERANCE);
  free(raw), free(expected);
}

/* Each sample's gradient has a positive factor of its own: the largest magnitude becomes 1. */
static void scale_to_one(float *gradients, size_t samples, size_t pixels)
{
  for (size_t s = 0; s < samples; s++, gradients += pixels) {
    float largest = 0.0F;
    for (size_t i = 0; i < pixels; i++) largest = fmaxf(largest, fabsf(gradients[i]));
    assert_true(largest > 0.0F);
    for (size_t i = 0; i < pixels; i++) gradients[i] /= largest;
  }
}

static void expect_gradient(const fixture *f, const char *name)
{
  float *found = net_floats(f->count), *expected = read_floats(f, "gradient", f->count);
  golden_to_nchw(f->scratch->gradient, found, f->n, f->in);
  for (size_t j = 0; j < f->count; j++) /* to raw pixels: the chain rule */
    found[j] *= (float)(255.0 / f->network.normalization.deviation[j / (f->in.h * f->in.w) % f->in.c]);
  scale_to_one(found, f->n, f->count / f->n);
  scale_to_one(expected, f->n, f->count / f->n);
  golden_expect(name, "gradient", found, expected, f->count, tolerance);
  free(found), free(expected);
}

static void expect_fgsm(fixture *f, const char *name)
{
  f->attack.is_targeted = false;
  ls_attack_task task = task_of(f);
  ls_attack_run(&task);
  expect_images(f, "fgsm");
  expect_gradient(f, name);
  for (size_t s = 0; s < f->n; s++) assert_true(ls_attack_has_gradient(&task, s));
  f->attack.is_targeted = true;
  task = task_of(f);
  ls_attack_run(&task);
  expect_images(f, "targeted");
}

static void gradients_and_fgsm_are_pytorchs(void **state)
{
  (void)state;
  for (const char *const *name = small_nets; *name; name++) {
    fixture f;
    setup(&f, *name);
    expect_fgsm(&f, *name);
    teardown(&f);
  }
}

/* The last layer, by so many times. */
static void scale_last(fixture *f, float factor)
{
  const ls_model_counts *counts = ls_model_count(f->net.model);
  size_t count;
  const ls_tensor *last = ls_model_params(f->net.model, &count) + count - 2; /* weight and bias */
  assert_string_equal(last->layer, "last");
  for (size_t i = last->offset; i < counts->params; i++) f->net.params[i] *= factor;
  ls_model_pack(f->net.model, f->net.params, f->net.packed, 0, 1);
}

/* p is 1, and p - 1 is 0, in float32 and in time in float64. */
static void a_sure_network_is_attacked_like_any(void **state)
{
  (void)state;
  for (const char *const *name = sure_nets; *name; name++) {
    fixture f;
    setup(&f, *name);
    for (size_t power = 0; power <= 3; power++) {
      if (power > 0) scale_last(&f, 10.0F);
      expect_fgsm(&f, *name);
    }
    teardown(&f);
  }
}

/* Saturated units: the gradient is 0, and it is said. Where it is not finite, too. */
static void a_vanished_gradient_is_seen(void **state)
{
  (void)state;
  fixture f;
  setup(&f, "sure_dense");
  const ls_attack_task task = task_of(&f);
  ls_attack_run(&task);
  const size_t pixels = f.count / f.n;
  memset(f.scratch->gradient, 0, pixels * sizeof *f.scratch->gradient);
  f.scratch->gradient[pixels + 3] = NAN;
  assert_false(ls_attack_has_gradient(&task, 0));
  assert_false(ls_attack_has_gradient(&task, 1));
  assert_true(ls_attack_has_gradient(&task, 2));
  f.scratch->gradient[1] = -1e-30F;
  assert_true(ls_attack_has_gradient(&task, 0));
  teardown(&f);
}

static void pgd_from_the_same_start_is_pytorchs(void **state)
{
  (void)state;
  for (const char *const *name = small_nets; *name; name++) {
    fixture f;
    setup(&f, *name);
    const ls_attack_task task = task_of(&f);
    float *offsets = read_floats(&f, "offsets", f.count), *start = net_floats(f.count);
    golden_to_nhwc(offsets, start, f.n, f.in);
    memcpy(f.scratch->clean, ls_workspace_input(f.net.workspace), f.count * sizeof(float));
    ls_attack_start(&task, start);
    for (size_t s = 0; s < f.attack.steps; s++) ls_attack_step(&task, f.attack.step_size);
    expect_images(&f, "pgd");
    free(offsets), free(start);
    teardown(&f);
  }
}

static void epsilon_and_range_are_kept_to(void **state)
{
  (void)state;
  static const double epsilons[] = {0.0, 1.0 / 255, 0.3, 1.0};
  fixture f;
  setup(&f, "colour");
  for (size_t k = 0; ls_attack_kinds[k]; k++)
    for (size_t e = 0; e < sizeof epsilons / sizeof *epsilons; e++) {
      f.attack.kind = ls_attack_kinds[k];
      f.attack.epsilon = epsilons[e];
      const ls_attack_task task = task_of(&f);
      ls_attack_run(&task);
      if (epsilons[e] == 0.0)
        assert_memory_equal(ls_workspace_input(f.net.workspace), f.scratch->clean, f.count * sizeof(float));
      float *raw = raw_images(&f), farthest = 0.0F;
      for (size_t i = 0; i < f.count; i++) {
        assert_true(raw[i] >= -PIXEL_TOLERANCE && raw[i] <= 1.0F + PIXEL_TOLERANCE);
        farthest = fmaxf(farthest, fabsf(raw[i] - (float)f.images[i] / 255.0F));
      }
      assert_true((double)farthest <= epsilons[e] + (double)PIXEL_TOLERANCE);
      assert_true((double)farthest >= 0.5 * epsilons[e]);
      free(raw);
    }
  teardown(&f);
}

/* The registry's two lists side by side; the reported idle keys match what a kind does. */
static void kinds_are_registered(void **state)
{
  (void)state;
  for (size_t k = 0; k < LS_ATTACK_COUNT; k++) {
    const ls_attack_kind *kind = ls_attack_kinds[k];
    assert_ptr_equal(ls_attack_schemas[k], &kind->schema);
    assert_ptr_equal(ls_attack_find(kind->schema.name), kind);
    assert_int_equal(kind->takes_steps, kind->schema.idle == NULL);
  }
  assert_null(ls_attack_kinds[LS_ATTACK_COUNT]);
  assert_null(ls_attack_schemas[LS_ATTACK_COUNT]);
}

/* The same sample alone and in company, at another index. */
static void expect_a_start_of_its_own(const ls_attack_kind *kind)
{
  fixture f;
  setup(&f, "grey");
  f.attack.kind = kind;
  ls_attack_task task = task_of(&f);
  ls_attack_run(&task);
  const size_t pixels = ls_shape_count(f.in);
  float *first = net_floats(f.count);
  memcpy(first, ls_workspace_input(f.net.workspace), f.count * sizeof *first);
  f.microbatch = (ls_microbatch){
      .images = f.images + pixels, .samples = f.net.samples + 1, .n = 1, .labels = f.labels + 1};
  ls_normalization_apply(&f.network.normalization, f.images + pixels, 1, f.in.h * f.in.w,
                         ls_workspace_input(f.net.workspace));
  task.labels = f.labels + 1;
  ls_attack_run(&task);
  const float *alone = ls_workspace_input(f.net.workspace);
  for (size_t i = 0; i < pixels; i++) assert_float_equal(alone[i], first[pixels + i], 1e-5F);
  f.microbatch.n = 1;
  task.round = 1;
  ls_normalization_apply(&f.network.normalization, f.images + pixels, 1, f.in.h * f.in.w,
                         ls_workspace_input(f.net.workspace));
  ls_attack_run(&task);
  assert_memory_not_equal(ls_workspace_input(f.net.workspace), first + pixels, pixels * sizeof *first);
  free(first);
  teardown(&f);
}

static void a_random_start_is_the_samples_own(void **state)
{
  (void)state;
  for (size_t k = 0; k < LS_ATTACK_COUNT; k++)
    if (ls_attack_kinds[k]->is_random) expect_a_start_of_its_own(ls_attack_kinds[k]);
}

/* Each pixel goes by epsilon, as often up as down, whatever the labels are. */
static void noise_looks_at_nothing(void **state)
{
  (void)state;
  fixture f;
  setup(&f, "colour");
  f.attack.kind = &ls_attack_noise;
  ls_attack_task task = task_of(&f);
  ls_attack_run(&task);
  float *raw = raw_images(&f), *first = net_floats(f.count);
  size_t up = 0, down = 0;
  for (size_t i = 0; i < f.count; i++) {
    const float original = (float)f.images[i] / 255.0F, epsilon = (float)f.attack.epsilon;
    if (original < epsilon || original > 1.0F - epsilon) continue; /* not beyond black and white */
    assert_float_equal(fabsf(raw[i] - original), epsilon, PIXEL_TOLERANCE);
    up += raw[i] > original;
    down += raw[i] < original;
  }
  assert_true(up + down > 100 && up > (up + down) / 3 && down > (up + down) / 3);
  memcpy(first, ls_workspace_input(f.net.workspace), f.count * sizeof *first);
  task = task_of(&f);
  task.labels = f.towards;
  ls_attack_run(&task);
  assert_memory_equal(ls_workspace_input(f.net.workspace), first, f.count * sizeof *first);
  free(raw), free(first);
  teardown(&f);
}

/* The gradient of an image against central differences. */
static double unlikelihood_at(fixture *f, const float *x)
{
  memcpy(ls_workspace_input(f->net.workspace), x, f->count * sizeof *x);
  ls_pass pass = ls_network_pass(&f->network, f->microbatch.n, f->microbatch.samples);
  const float *logits = ls_model_forward(f->net.model, &pass, f->net.workspace);
  const size_t classes = ls_model_classes(f->net.model);
  double sum = 0.0;
  for (size_t s = 0; s < f->n; s++) sum -= ls_log_odds(logits + s * classes, f->labels[s], classes);
  return sum;
}

static void gradients_are_differences(void **state)
{
  (void)state;
  fixture f;
  setup(&f, "colour");
  const ls_attack_task task = task_of(&f);
  ls_attack_run(&task);
  float *x = net_floats(f.count);
  double largest = 0.0;
  for (size_t i = 0; i < f.count; i++) f.scratch->gradient[i] *= 0x1p-32F; /* the attack's scale */
  for (size_t i = 0; i < f.count; i++) largest = fmax(largest, fabs((double)f.scratch->gradient[i]));
  for (size_t i = 0; i < f.count; i++) {
    const float step = 0x1p-5F;
    memcpy(x, f.scratch->clean, f.count * sizeof *x);
    x[i] += step;
    const double above = unlikelihood_at(&f, x);
    x[i] -= 2.0F * step;
    const double slope = (above - unlikelihood_at(&f, x)) / (2.0 * (double)step);
    assert_true(fabs(slope - (double)f.scratch->gradient[i]) < 1e-3 * largest);
  }
  free(x);
  teardown(&f);
}

/* ---- votes ---- */

/* A second network of the same shape, with weights and a normalization of its own. */
typedef struct rival {
  test_net net;
  ls_network network;
} rival;

static void add_rival(fixture *f, rival *other, const char *layers)
{
  net_init(&other->net, layers, f->in, f->n + 1);
  other->network = (ls_network){.model = other->net.model,
                                .loss = loss_named("cross_entropy"),
                                .normalization = {.channels = f->in.c},
                                .params = other->net.params,
                                .buffers = other->net.buffers,
                                .packed = other->net.packed};
  for (size_t c = 0; c < f->in.c; c++) {
    other->network.normalization.mean[c] = 20.0 + 30.0 * (double)c;
    other->network.normalization.deviation[c] = 150.0 - 20.0 * (double)c;
  }
  f->members[1] = (ls_attack_member){.network = &other->network, .workspace = other->net.workspace};
}

static double probability(const float *logits, size_t class, size_t classes)
{
  double sum = 0.0;
  for (size_t k = 0; k < classes; k++) sum += exp((double)logits[k] - (double)logits[class]);
  return 1.0 / sum;
}

/* -log of the vote's mean probability of sample s's label, the images being raw pixels [n, h, w, c] times
 * 255. */
static double vote_loss(fixture *f, const double *raw, size_t s)
{
  const size_t classes = ls_model_classes(f->net.model);
  double sum = 0.0;
  for (size_t m = 0; m < MEMBERS; m++) {
    const ls_normalization *normalization = &f->members[m].network->normalization;
    float *x = ls_workspace_input(f->members[m].workspace);
    for (size_t i = 0; i < f->count; i++)
      x[i] = (float)((raw[i] - normalization->mean[i % f->in.c]) / normalization->deviation[i % f->in.c]);
    const ls_pass pass = ls_network_pass(f->members[m].network, f->microbatch.n, f->microbatch.samples);
    const float *logits = ls_model_forward(f->members[m].network->model, &pass, f->members[m].workspace);
    sum += probability(logits + s * classes, f->labels[s], classes);
  }
  return -log(sum / MEMBERS);
}

/* Of a sample: differences of the vote's loss have the direction of what the attack has found. */
static void expect_vote_gradient(fixture *f, double *raw, size_t s)
{
  const size_t pixels = f->count / f->n;
  float *found = net_floats(pixels), *expected = net_floats(pixels);
  for (size_t i = 0; i < pixels; i++) {
    const size_t at = s * pixels + i;
    const double step = 2.0, pixel = raw[at];
    raw[at] = pixel + step;
    const double above = vote_loss(f, raw, s);
    raw[at] = pixel - step;
    expected[i] = (float)(above - vote_loss(f, raw, s));
    raw[at] = pixel;
    found[i] = f->scratch->gradient[at] / (float)f->network.normalization.deviation[at % f->in.c];
  }
  scale_to_one(found, 1, pixels);
  scale_to_one(expected, 1, pixels);
  for (size_t i = 0; i < pixels; i++) assert_float_equal(found[i], expected[i], 2e-3F);
  free(found), free(expected);
}

static void a_votes_gradient_is_that_of_its_loss(void **state)
{
  (void)state;
  fixture f;
  rival other;
  setup(&f, "colour");
  add_rival(&f, &other,
            "[{type: conv, filters: 4, kernel: 3}, {type: tanh}, {type: flatten}, "
            "{type: dense, name: fc, units: 5}]");
  ls_attack_task task = task_of(&f);
  task.member_count = MEMBERS;
  ls_attack_run(&task);
  double *raw;
  assert_int_equal(ls_alloc(&raw, f.count, sizeof *raw, "pixels"), LS_OK);
  float *images = net_floats(f.count), *nhwc = net_floats(f.count);
  for (size_t i = 0; i < f.count; i++) images[i] = (float)f.images[i];
  golden_to_nhwc(images, nhwc, f.n, f.in);
  for (size_t i = 0; i < f.count; i++) raw[i] = (double)nhwc[i];
  for (size_t s = 0; s < f.n; s++) expect_vote_gradient(&f, raw, s);
  free(images), free(nhwc), free(raw);
  net_fini(&other.net);
  teardown(&f);
}

/* Twice the same network votes as it does alone, also where it is sure: to the bit. */
static void a_vote_of_one_network_is_that_network(void **state)
{
  (void)state;
  static const char *const names[] = {"grey", "sure_dense", "sure_norm"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    fixture f;
    ls_workspace *second;
    setup(&f, names[k]);
    assert_int_equal(ls_workspace_new(&second, f.net.model), LS_OK);
    f.members[1] = (ls_attack_member){.network = &f.network, .workspace = second};
    ls_attack_task task = task_of(&f);
    ls_attack_run(&task);
    float *alone = net_floats(f.count);
    memcpy(alone, ls_workspace_input(f.net.workspace), f.count * sizeof *alone);
    task = task_of(&f);
    task.member_count = MEMBERS;
    ls_attack_run(&task);
    assert_memory_equal(ls_workspace_input(f.net.workspace), alone, f.count * sizeof *alone);
    free(alone);
    ls_workspace_free(second);
    teardown(&f);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_and_fgsm_are_pytorchs),
      cmocka_unit_test(a_sure_network_is_attacked_like_any),
      cmocka_unit_test(a_vanished_gradient_is_seen),
      cmocka_unit_test(pgd_from_the_same_start_is_pytorchs),
      cmocka_unit_test(epsilon_and_range_are_kept_to),
      cmocka_unit_test(a_random_start_is_the_samples_own),
      cmocka_unit_test(noise_looks_at_nothing),
      cmocka_unit_test(gradients_are_differences),
      cmocka_unit_test(a_votes_gradient_is_that_of_its_loss),
      cmocka_unit_test(a_vote_of_one_network_is_that_network),
      cmocka_unit_test(kinds_are_registered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
