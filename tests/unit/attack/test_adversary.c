/* SPDX-License-Identifier: BSD-3-Clause */
/* Adversarial training attacks as its configuration says: by the very attack that `lockstep attack` makes,
 * whose lengths grow together during the warm-up. */
#define NET_ATTACK_SCHEMAS ls_attack_schemas
#include "attack/attack.h"
#include "net.h"

#include "loss.h"
#include "attack/adversary.h"
#include "attack/kinds.h"

enum { SIDE = 5, PIXELS = SIDE * SIDE, SAMPLES = 3, SEED = 11 };

#define LAYERS                                                                                               \
  "[{type: conv, filters: 3, kernel: 3}, {type: tanh}, {type: flatten}, {type: dense, name: fc, units: 4}]"

typedef struct fixture {
  test_net net;
  ls_network network;
  ls_adversary *adversary;
  ls_attack_scratch *scratch; /* of the attacks to compare with */
  uint8_t images[SAMPLES * PIXELS];
  uint16_t labels[SAMPLES];
  ls_microbatch microbatch;
} fixture;

/* `adversarial` is the YAML of train.adversarial. */
static void setup(fixture *f, const char *adversarial)
{
  char text[512];
  snprintf(text, sizeof text, LAYERS "\ntrain:\n  microbatch: %d\n  adversarial: %s", SAMPLES, adversarial);
  *f = (fixture){.adversary = NULL};
  net_init(&f->net, text, (ls_shape){.c = 1, .h = SIDE, .w = SIDE}, SAMPLES);
  f->network = (ls_network){.model = f->net.model,
                            .loss = loss_named("cross_entropy"),
                            .normalization = {.channels = 1, .mean = {40}, .deviation = {90}},
                            .params = f->net.params,
                            .buffers = f->net.buffers,
                            .packed = f->net.packed};
  for (size_t i = 0; i < SAMPLES * PIXELS; i++) f->images[i] = (uint8_t)(90 + i * 53 % 80);
  for (size_t s = 0; s < SAMPLES; s++) f->labels[s] = (uint16_t)(s % 4);
  f->microbatch =
      (ls_microbatch){.images = f->images, .labels = f->labels, .samples = f->net.samples, .n = SAMPLES};
  assert_int_equal(ls_attack_scratch_new(&f->scratch, f->net.model, SAMPLES, 1, 1), LS_OK);
  assert_int_equal(ls_adversary_new(&f->adversary, &f->net.spec->train, &f->network, SEED, 1), LS_OK);
}

static void teardown(fixture *f)
{
  ls_adversary_free(f->adversary);
  ls_attack_scratch_free(f->scratch, 1);
  net_fini(&f->net);
}

static float *show_clean(const fixture *f)
{
  float *x = ls_workspace_input(f->net.workspace);
  ls_normalization_apply(&f->network.normalization, f->images, SAMPLES, PIXELS, x);
  return x;
}

/* What the training of an epoch has made of the images; the caller frees it. */
static float *attacked(const fixture *f, uint64_t epoch)
{
  const float *x = show_clean(f);
  float *kept = net_floats(SAMPLES * PIXELS);
  ls_pass pass = f->net.pass;
  pass.epoch = epoch;
  ls_adversary_attack(f->adversary, 0, f->net.workspace, &f->microbatch, &pass);
  memcpy(kept, x, SAMPLES * PIXELS * sizeof *kept);
  return kept;
}

/* In an epoch, the images are those of this attack. */
static void expect_attack(const fixture *f, uint64_t epoch, ls_attack attack)
{
  const ls_attack_member alone = {.network = &f->network, .workspace = f->net.workspace};
  const ls_attack_task task = {.attack = &attack,
                               .members = &alone,
                               .member_count = 1,
                               .scratch = f->scratch,
                               .microbatch = &f->microbatch,
                               .labels = f->labels,
                               .round = epoch};
  float *found = attacked(f, epoch);
  const float *expected = show_clean(f);
  attack.seed = SEED;
  ls_attack_run(&task);
  for (size_t i = 0; i < SAMPLES * PIXELS; i++)
    if (!(fabsf(found[i] - expected[i]) < 1e-6F))
      fail_msg("%s, epoch %zu: pixel %zu is %g, not %g", attack.kind->schema.name, (size_t)epoch, i,
               (double)found[i], (double)expected[i]);
  free(found);
}

/* Epsilon and step size are the same part of the whole: 1/4, 2/4, 3/4 in a warm-up of three epochs. */
static void lengths_grow_together_in_the_warm_up(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    ls_attack attack;
  } cases[] = {
      {"{method: pgd, epsilon: 0.2, steps: 2, step_size: 0.04, warmup_epochs: 3}",
       {.kind = &ls_attack_pgd, .epsilon = 0.2, .steps = 2, .step_size = 0.04}},
      {"{method: pgd, epsilon: 0.2, steps: 5, warmup_epochs: 3}",
       {.kind = &ls_attack_pgd, .epsilon = 0.2, .steps = 5}},
      {"{method: fgsm, epsilon: 0.2, warmup_epochs: 3}", {.kind = &ls_attack_fgsm, .epsilon = 0.2}},
      {"{method: noise, epsilon: 0.2, warmup_epochs: 3}", {.kind = &ls_attack_noise, .epsilon = 0.2}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fixture f;
    setup(&f, cases[i].text);
    for (uint64_t epoch = 0; epoch < 6; epoch++) {
      const double share = epoch < 3 ? (double)(epoch + 1) / 4 : 1;
      ls_attack attack = cases[i].attack;
      attack.epsilon *= share;
      attack.step_size *= share;
      expect_attack(&f, epoch, attack);
    }
    teardown(&f);
  }
}

static void without_a_warm_up_the_first_epoch_has_it_all(void **state)
{
  (void)state;
  fixture f;
  setup(&f, "{method: pgd, epsilon: 0.1, steps: 3, step_size: 0.05}");
  for (uint64_t epoch = 0; epoch < 2; epoch++)
    expect_attack(&f, epoch,
                  (ls_attack){.kind = &ls_attack_pgd, .epsilon = 0.1, .steps = 3, .step_size = 0.05});
  teardown(&f);
}

/* Random starts are other ones in each epoch. */
static void epochs_differ_where_chance_is_in_it(void **state)
{
  (void)state;
  static const char *const texts[] = {"{method: pgd, epsilon: 0.1}", "{method: noise, epsilon: 0.1}",
                                      "{method: fgsm, epsilon: 0.1}"};
  for (size_t i = 0; i < 3; i++) {
    fixture f;
    setup(&f, texts[i]);
    float *first = attacked(&f, 4), *again = attacked(&f, 4), *next = attacked(&f, 5);
    assert_memory_equal(first, again, SAMPLES * PIXELS * sizeof *first);
    assert_int_equal(memcmp(first, next, SAMPLES * PIXELS * sizeof *first) == 0, i == 2);
    free(first), free(again), free(next);
    teardown(&f);
  }
}

static void expect_share(const char *adversarial, double share)
{
  fixture f;
  setup(&f, adversarial);
  assert_true(ls_adversary_alpha(f.adversary) == share);
  teardown(&f);
}

static void the_clean_losss_share_is_the_given_one(void **state)
{
  (void)state;
  expect_share("{method: none}", 1);
  expect_share("{method: fgsm, epsilon: 0.1}", 0.5);
  expect_share("{method: noise, epsilon: 0.1}", 0.5);
  expect_share("{method: pgd, epsilon: 0.1}", 0);
  expect_share("{method: pgd, epsilon: 0.1, alpha: 0.25}", 0.25);
  expect_share("{method: fgsm, epsilon: 0.1, alpha: 0}", 0);
  expect_share("{method: fgsm, epsilon: 0.1, alpha: 1}", 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lengths_grow_together_in_the_warm_up),
      cmocka_unit_test(without_a_warm_up_the_first_epoch_has_it_all),
      cmocka_unit_test(epochs_differ_where_chance_is_in_it),
      cmocka_unit_test(the_clean_losss_share_is_the_given_one),
  };
  return cmocka_run_group_tests_name("adversary", tests, NULL, NULL);
}
