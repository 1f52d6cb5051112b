/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on any number of ranks, whose shards are of unequal sizes and hold unequal shares of what is
 * attacked: every such sample is kept once, and evaluating the kept images again gives the reported figures.
 */
#include "net.h"

#include "eval/robustness/robustness.h"
#include "idx_folder.h"
#include "loss.h"
#include "nn/probability.h"
#include "parallel/mpi_main.h"
#include "attack/attack.h"

enum { SIDE = 6, PIXELS = SIDE * SIDE, TRAIN = 101, TEST = 23, MICROBATCH = 4, SEED = 5, MEMBERS = 2 };

static const char layers[] = "[{type: conv, filters: 4, kernel: 3}, {type: tanh}, {type: flatten}, "
                             "{type: dense, units: 10}]";

/* A dataset, an untrained network, and the workspace of one thread. */
typedef struct fixture {
  ls_comm *comm;
  idx_folder folder;
  ls_source *source;
  ls_loader *loader;
  test_net net;
  ls_network network;
  ls_members members; /* the network alone */
} fixture;

static void open_network(fixture *f)
{
  net_init(&f->net, layers, (ls_shape){.c = 1, .h = SIDE, .w = SIDE}, MICROBATCH);
  f->network = (ls_network){.model = f->net.model,
                            .loss = loss_named("cross_entropy"),
                            .normalization = {.channels = 1, .mean = {33.3}, .deviation = {78.6}},
                            .params = f->net.params,
                            .buffers = f->net.buffers,
                            .packed = f->net.packed};
  const ls_network *alone = &f->network;
  assert_ok(ls_members_init(&f->members, &alone, 1, 1, MICROBATCH));
}

static void setup(fixture *f, ls_comm *comm)
{
  const ls_spec_data data = {.fraction = 1};
  const ls_loader_options options = {.data = &data, .seed = SEED, .batch = 16, .microbatch = MICROBATCH};
  *f = (fixture){.comm = comm};
  if (ls_comm_rank(comm) == 0) idx_folder_make(&f->folder, SIDE, TRAIN, TEST);
  assert_ok(ls_comm_broadcast(comm, &f->folder, sizeof f->folder));
  assert_ok(ls_source_open(&f->source, f->folder.path, IDX_CLASSES));
  assert_ok(ls_loader_new(&f->loader, comm, f->source, &options));
  open_network(f);
}

static void teardown(fixture *f)
{
  ls_loader_free(f->loader);
  ls_source_close(f->source);
  ls_members_fini(&f->members);
  net_fini(&f->net);
  assert_ok(ls_comm_barrier(f->comm));
  if (ls_comm_rank(f->comm) == 0) idx_folder_remove(&f->folder);
}

/* What is attacked of the split, counted from the definition of the labels. */
static size_t expected_count(const ls_robustness_options *attacks)
{
  const size_t all = attacks->split == LS_EVAL_TRAIN ? TRAIN : TEST;
  size_t count = 0;
  for (uint64_t sample = 0; sample < all && sample < attacks->limit; sample++)
    count += attacks->source_class == LS_ANY_CLASS || attacks->source_class == idx_label(sample);
  return count;
}

/* Logits of up to a micro-batch of images in raw pixel units, [n, PIXELS]. */
static const float *classify(const fixture *f, const float *images, size_t n)
{
  const float mean = 33.3F, scale = (float)(1.0 / 78.6);
  float *x = ls_workspace_input(f->net.workspace);
  for (size_t i = 0; i < n * PIXELS; i++) x[i] = (255.0F * images[i] - mean) * scale;
  const ls_microbatch microbatch = {.n = n, .samples = f->net.samples};
  const ls_pass pass = ls_network_pass(&f->network, microbatch.n, microbatch.samples);
  return ls_model_forward(f->net.model, &pass, f->net.workspace);
}

static uint16_t class_of(const float *logits)
{
  uint16_t best = 0;
  for (uint16_t k = 1; k < IDX_CLASSES; k++)
    if (logits[k] > logits[best]) best = k;
  return best;
}

/* The images themselves, or those of 8 bits: classes as they were kept, and how many are right. */
static uint64_t judge_again(const fixture *f, const ls_examples *examples, const float *images,
                            const uint16_t *classes)
{
  uint64_t correct = 0;
  for (size_t first = 0; first < examples->count; first += MICROBATCH) {
    const size_t n = ls_size_min(MICROBATCH, examples->count - first);
    const float *logits = classify(f, images + first * PIXELS, n);
    for (size_t s = 0; s < n; s++) {
      const uint16_t class = class_of(logits + s * IDX_CLASSES);
      assert_int_equal(class, classes[first + s]);
      correct += class == examples->labels[first + s];
    }
  }
  return correct;
}

/* As probabilities show, to the last bit: where micro-batches are the same, so are the kernels. */
static void expect_same_bits(const fixture *f, const ls_examples *examples)
{
  float p[IDX_CLASSES];
  for (size_t first = 0; first < examples->count; first += MICROBATCH) {
    const size_t n = ls_size_min(MICROBATCH, examples->count - first);
    const float *logits = classify(f, examples->images + first * PIXELS, n);
    for (size_t s = 0; s < n; s++) {
      ls_softmax(logits + s * IDX_CLASSES, 1, IDX_CLASSES, p);
      assert_true(p[examples->after[first + s]] == examples->confidences[first + s]);
    }
  }
}

/* Each sample once, with its own image, and no pixel beyond epsilon: in 8 bits 25 levels for 0.1. */
static void check_images(const ls_examples *examples, const ls_robustness_options *attacks)
{
  const size_t split = attacks->split == LS_EVAL_TRAIN ? 0 : 1;
  const double epsilon = attacks->attack.epsilon;
  const int levels = (int)(255.0 * epsilon);
  int farthest = 0;
  bool is_seen[TRAIN] = {false};
  for (size_t i = 0; i < examples->count; i++) {
    const uint64_t sample = examples->samples[i];
    assert_false(is_seen[sample]);
    is_seen[sample] = true;
    assert_int_equal(examples->labels[i], idx_label(sample));
    for (size_t j = 0; j < PIXELS; j++) {
      const size_t at = i * PIXELS + j;
      const double original = (double)examples->originals[at] / 255.0;
      const int change = examples->pixels[at] - examples->originals[at];
      assert_int_equal(examples->originals[at], idx_pixel(split, sample, j));
      assert_true(fabs((double)examples->images[at] - original) <= epsilon + 1e-15);
      assert_true(change <= levels && change >= -levels);
      assert_true(fabs(255.0 * (double)examples->images[at] - (double)examples->pixels[at]) <= 0.5 + 1e-5);
      farthest = abs(change) > farthest ? abs(change) : farthest;
    }
  }
  assert_int_equal(farthest, levels);
}

static void check_examples(const fixture *f, const ls_examples *examples, const ls_robustness *figures,
                           const ls_robustness_options *attacks)
{
  float *images = net_floats(examples->count * PIXELS);
  assert_int_equal(examples->count, figures->samples);
  check_images(examples, attacks);
  assert_int_equal(judge_again(f, examples, examples->images, examples->after), figures->correct);
  for (size_t i = 0; i < examples->count * PIXELS; i++) images[i] = (float)examples->pixels[i] / 255.0F;
  assert_int_equal(judge_again(f, examples, images, examples->after_8bit), figures->correct_8bit);
  if (attacks->source_class == LS_ANY_CLASS && ls_comm_size(f->comm) == 1 && attacks->split == LS_EVAL_TEST)
    expect_same_bits(f, examples);
  free(images);
}

static void kept_examples_give_the_figures(void **state)
{
  static const ls_robustness_options cases[] = {
      {.split = LS_EVAL_TRAIN, .source_class = LS_ANY_CLASS, .limit = UINT64_MAX},
      {.split = LS_EVAL_TRAIN, .source_class = 0, .limit = UINT64_MAX},
      {.split = LS_EVAL_TRAIN, .source_class = LS_ANY_CLASS, .limit = 40},
      {.split = LS_EVAL_TRAIN, .source_class = 7, .limit = 90},
      {.split = LS_EVAL_TEST, .source_class = LS_ANY_CLASS, .limit = UINT64_MAX},
      {.split = LS_EVAL_TEST, .source_class = LS_ANY_CLASS, .limit = 1}, /* ranks with none */
  };
  fixture f;
  setup(&f, *state);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t k = 0; ls_attack_kinds[k]; k++) {
      ls_robustness_options attacks = cases[i];
      attacks.loader = f.loader;
      attacks.methods[0] = ls_attack_kinds[k];
      attacks.method_count = 1;
      attacks.attack = (ls_attack){.epsilon = 0.1, .steps = 4, .seed = SEED};
      attacks.restarts = 2;
      attacks.target = LS_ANY_CLASS;
      ls_examples examples = {.count = 0};
      ls_robustness figures;
      assert_ok(ls_robustness_find(&figures, NULL, &examples, f.comm, &f.members, &attacks));
      assert_int_equal(figures.samples, expected_count(&attacks));
      assert_int_equal(figures.vanished, 0);
      if (ls_comm_rank(f.comm) == 0)
        check_examples(&f, &examples, &figures, &attacks);
      else
        assert_int_equal(examples.count, 0);
      ls_examples_fini(&examples);
    }
  teardown(&f);
}

/* Figures and examples of some methods, by the numbers of the samples. */
typedef struct trial {
  ls_robustness worst, each[LS_ATTACK_COUNT];
  ls_examples examples;
} trial;

static void try_starts(trial *out, const fixture *f, const ls_attack_kind *const *methods, size_t count,
                       double epsilon, size_t restarts)
{
  ls_robustness_options attacks = {.loader = f->loader,
                                   .split = LS_EVAL_TRAIN,
                                   .method_count = count,
                                   .attack = {.epsilon = epsilon, .steps = 4, .seed = SEED},
                                   .restarts = restarts,
                                   .target = LS_ANY_CLASS,
                                   .source_class = LS_ANY_CLASS,
                                   .limit = UINT64_MAX};
  for (size_t m = 0; m < count; m++) attacks.methods[m] = methods[m];
  *out = (trial){.examples = {.count = 0}};
  assert_ok(ls_robustness_find(&out->worst, out->each, &out->examples, f->comm, &f->members, &attacks));
}

static void try_methods(trial *out, const fixture *f, const ls_attack_kind *const *methods, size_t count)
{
  try_starts(out, f, methods, count, 0.1, 2);
}

static void expect_same(const ls_robustness *a, const ls_robustness *b)
{
  assert_int_equal(a->samples, b->samples);
  assert_int_equal(a->clean_correct, b->clean_correct);
  assert_int_equal(a->correct, b->correct);
  assert_int_equal(a->correct_8bit, b->correct_8bit);
  assert_int_equal(a->vanished, b->vanished);
  assert_memory_equal(&a->confidence_on_errors, &b->confidence_on_errors, sizeof(double));
}

/* Each of several methods does what it does alone; a sample is right only where it stands up to all. */
static void the_worst_of_methods_is_taken_sample_by_sample(void **state)
{
  enum { COUNT = 3 };
  fixture f;
  setup(&f, *state);
  const ls_attack_kind *const methods[COUNT] = {&ls_attack_pgd, &ls_attack_fgsm, &ls_attack_noise};
  trial all, alone[COUNT];
  try_methods(&all, &f, methods, COUNT);
  for (size_t m = 0; m < COUNT; m++) {
    try_methods(&alone[m], &f, &methods[m], 1);
    expect_same(&alone[m].worst, &all.each[m]);
    expect_same(&alone[m].worst, &alone[m].each[0]);
  }
  uint64_t correct = 0;
  for (size_t i = 0; i < all.examples.count; i++) {
    bool is_right = true;
    for (size_t m = 0; m < COUNT; m++)
      is_right = is_right && alone[m].examples.after[i] == alone[m].examples.labels[i];
    assert_int_equal(is_right, all.examples.after[i] == all.examples.labels[i]);
    correct += is_right;
  }
  if (ls_comm_rank(f.comm) == 0) assert_int_equal(correct, all.worst.correct);
  ls_examples_fini(&all.examples);
  for (size_t m = 0; m < COUNT; m++) ls_examples_fini(&alone[m].examples);
  teardown(&f);
}

/* What one start of an attack makes of a clean image; the caller frees it. */
static float *start_alone(const fixture *f, const ls_attack_kind *kind, const ls_examples *examples, size_t i,
                          uint64_t round)
{
  const ls_attack attack = {.kind = kind, .epsilon = 0.1, .steps = 4, .seed = SEED};
  const ls_microbatch microbatch = {.images = examples->originals + i * PIXELS,
                                    .labels = examples->labels + i,
                                    .samples = examples->samples + i,
                                    .n = 1};
  const ls_attack_member alone = {.network = &f->network, .workspace = f->net.workspace};
  ls_attack_scratch *scratch;
  assert_ok(ls_attack_scratch_new(&scratch, f->net.model, 1, 1, 1));
  const ls_attack_task task = {.attack = &attack,
                               .members = &alone,
                               .member_count = 1,
                               .scratch = scratch,
                               .microbatch = &microbatch,
                               .labels = microbatch.labels,
                               .round = round};
  float *x = ls_workspace_input(f->net.workspace), *found = net_floats(PIXELS);
  ls_normalization_apply(&f->network.normalization, microbatch.images, 1, PIXELS, x);
  ls_attack_run(&task);
  ls_attack_scratch_free(scratch, 1);
  for (size_t j = 0; j < PIXELS; j++) found[j] = (float)(((double)x[j] * 78.6 + 33.3) / 255.0);
  return found;
}

/* Is a kept image what a start makes? Pixels whose gradient all but vanishes may go either way in another
 * micro-batch: one is passed over. */
static bool is_of_start(const float *kept, const float *start)
{
  size_t others = 0;
  for (size_t j = 0; j < PIXELS; j++)
    if (!(fabsf(kept[j] - start[j]) < 1e-5F)) others++;
  return others <= 1;
}

/* Every restart begins at the clean image: what is kept is what one start by itself has made of it. */
static void every_restart_begins_at_the_clean_image(void **state)
{
  enum { STARTS = 4 };
  fixture f;
  setup(&f, *state);
  for (size_t k = 0; ls_attack_kinds[k]; k++) {
    const ls_attack_kind *kind = ls_attack_kinds[k];
    size_t of_later = 0;
    trial tried;
    try_starts(&tried, &f, &kind, 1, 0.1, STARTS);
    for (size_t i = 0; i < tried.examples.count; i++) {
      bool is_found = false;
      for (uint64_t round = 0; round < (kind->is_random ? STARTS : 1) && !is_found; round++) {
        float *start = start_alone(&f, kind, &tried.examples, i, round);
        is_found = is_of_start(tried.examples.images + i * PIXELS, start);
        of_later += is_found && round > 0;
        free(start);
      }
      if (!is_found) fail_msg("%s: the image kept of sample %zu is that of no start", kind->schema.name, i);
    }
    if (ls_comm_rank(f.comm) == 0 && !kind->follows_gradient) assert_true(of_later > 0);
    ls_examples_fini(&tried.examples);
  }
  teardown(&f);
}

/* A sample that is fooled in some starts is fooled in more: accuracy never rises with them. */
static void expect_no_rise(const fixture *f, const ls_attack_kind *kind, double epsilon)
{
  trial fewer, more;
  try_starts(&fewer, f, &kind, 1, epsilon, 1);
  for (size_t restarts = 2; restarts <= 6; restarts++) {
    try_starts(&more, f, &kind, 1, epsilon, restarts);
    assert_true(more.worst.correct <= fewer.worst.correct);
    for (size_t i = 0; i < fewer.examples.count; i++)
      assert_true(fewer.examples.after[i] == fewer.examples.labels[i] ||
                  more.examples.after[i] != more.examples.labels[i]);
    if (!kind->is_random) expect_same(&more.worst, &fewer.worst);
    ls_examples_fini(&fewer.examples);
    fewer = more;
  }
  ls_examples_fini(&fewer.examples);
}

/* Samples that are hit in some starts are hit in more. */
static void expect_no_fewer_hits(const fixture *f, const ls_attack_kind *kind, double epsilon, size_t target)
{
  uint64_t fewer = 0;
  for (size_t restarts = 1; restarts <= 5; restarts++) {
    const ls_robustness_options attacks = {.loader = f->loader,
                                           .split = LS_EVAL_TRAIN,
                                           .methods = {kind},
                                           .method_count = 1,
                                           .attack = {.epsilon = epsilon, .steps = 2, .seed = SEED},
                                           .restarts = restarts,
                                           .target = target,
                                           .source_class = LS_ANY_CLASS,
                                           .limit = UINT64_MAX};
    ls_robustness figures;
    assert_ok(ls_robustness_find(&figures, NULL, NULL, f->comm, &f->members, &attacks));
    assert_true(figures.hits >= fewer);
    fewer = figures.hits;
  }
}

/* Noise makes and breaks errors: where a start has fooled a network of classes that are all but equally
 * probable, a later one often does not, though it makes the label less probable. */
static void accuracy_never_rises_with_restarts(void **state)
{
  fixture f;
  setup(&f, *state);
  for (size_t k = 0; ls_attack_kinds[k]; k++)
    for (size_t e = 1; e <= 4; e++) {
      expect_no_rise(&f, ls_attack_kinds[k], 0.15 * (double)e);
      expect_no_fewer_hits(&f, ls_attack_kinds[k], 0.15 * (double)e, 2 * e);
    }
  teardown(&f);
}

/* Of several draws a later one is worse for some sample that stands up to the first. */
static void restarts_are_draws_of_their_own(void **state)
{
  const ls_attack_kind *const noise = &ls_attack_noise;
  fixture f;
  setup(&f, *state);
  trial single, several;
  try_starts(&single, &f, &noise, 1, 0.1, 1);
  try_starts(&several, &f, &noise, 1, 0.1, 3);
  assert_true(several.worst.correct <= single.worst.correct);
  if (ls_comm_rank(f.comm) == 0) {
    assert_true(single.worst.correct > 0);
    assert_memory_not_equal(single.examples.images, several.examples.images,
                            single.examples.count * PIXELS * sizeof(float));
  }
  ls_examples_fini(&single.examples);
  ls_examples_fini(&several.examples);
  teardown(&f);
}

/* The vote's word on kept images: class of the larger mean probability. */
static uint16_t vote_on(const fixture *f, const test_net *nets[MEMBERS], const float *images)
{
  double mean[IDX_CLASSES] = {0.0};
  for (size_t m = 0; m < MEMBERS; m++) {
    const ls_normalization *normalization = &f->members.items[m].network->normalization;
    float p[IDX_CLASSES], *x = ls_workspace_input(nets[m]->workspace);
    for (size_t i = 0; i < PIXELS; i++)
      x[i] = (float)((255.0 * (double)images[i] - normalization->mean[0]) / normalization->deviation[0]);
    const ls_microbatch microbatch = {.n = 1, .samples = nets[m]->samples};
    const ls_pass pass = ls_network_pass(f->members.items[m].network, microbatch.n, microbatch.samples);
    ls_softmax(ls_model_forward(nets[m]->model, &pass, nets[m]->workspace), 1, IDX_CLASSES, p);
    for (size_t k = 0; k < IDX_CLASSES; k++) mean[k] += (double)p[k];
  }
  uint16_t best = 0;
  for (uint16_t k = 1; k < IDX_CLASSES; k++)
    if (mean[k] > mean[best]) best = k;
  return best;
}

/* Two networks with normalizations of their own are attacked as one, and measured as one. */
static void a_vote_is_attacked_as_one(void **state)
{
  fixture f;
  test_net other;
  setup(&f, *state);
  net_init(&other, "[{type: flatten}, {type: dense, units: 10}]", (ls_shape){.c = 1, .h = SIDE, .w = SIDE},
           MICROBATCH);
  const ls_network network = {.model = other.model,
                              .loss = loss_named("cross_entropy"),
                              .normalization = {.channels = 1, .mean = {0.0}, .deviation = {255.0}},
                              .params = other.params,
                              .buffers = other.buffers,
                              .packed = other.packed};
  const test_net *nets[MEMBERS] = {&f.net, &other};
  const ls_network *networks[MEMBERS] = {&f.network, &network};
  ls_members_fini(&f.members);
  assert_ok(ls_members_init(&f.members, networks, MEMBERS, 1, MICROBATCH));
  for (size_t k = 0; ls_attack_kinds[k]; k++) {
    trial tried;
    try_methods(&tried, &f, &ls_attack_kinds[k], 1);
    assert_int_equal(tried.worst.vanished, 0);
    for (size_t i = 0; i < tried.examples.count; i++)
      assert_int_equal(vote_on(&f, nets, tried.examples.images + i * PIXELS), tried.examples.after[i]);
    ls_examples_fini(&tried.examples);
  }
  net_fini(&other);
  teardown(&f);
}

/* A network that looks at nothing cannot be attacked, which is said of every sample; a pixel that nothing
 * moves is the original's. */
static void vanished_gradients_are_counted(void **state)
{
  fixture f;
  setup(&f, *state);
  memset(f.net.params, 0, ls_model_count(f.net.model)->params * sizeof *f.net.params);
  ls_network_pack(&f.network, 0, 1);
  for (size_t k = 0; ls_attack_kinds[k]; k++) {
    const ls_robustness_options attacks = {.loader = f.loader,
                                           .split = LS_EVAL_TRAIN,
                                           .methods = {ls_attack_kinds[k]},
                                           .method_count = 1,
                                           .attack = {.epsilon = 0.1, .steps = 2},
                                           .restarts = 2,
                                           .target = LS_ANY_CLASS,
                                           .source_class = LS_ANY_CLASS,
                                           .limit = 50};
    ls_robustness figures;
    ls_examples examples = {.count = 0};
    assert_ok(ls_robustness_find(&figures, NULL, &examples, f.comm, &f.members, &attacks));
    assert_int_equal(figures.samples, 50);
    const bool follows_gradient = ls_attack_kinds[k]->follows_gradient;
    assert_int_equal(figures.vanished, follows_gradient ? 50 : 0);
    assert_int_equal(figures.vanished_correct, follows_gradient ? figures.correct : 0);
    assert_true(figures.correct > 0);
    for (size_t i = 0; ls_attack_kinds[k] == &ls_attack_fgsm && i < examples.count * PIXELS; i++)
      assert_true(examples.images[i] == (float)((double)examples.originals[i] / 255.0));
    ls_examples_fini(&examples);
  }
  teardown(&f);
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(kept_examples_give_the_figures, comm),
      cmocka_unit_test_prestate(the_worst_of_methods_is_taken_sample_by_sample, comm),
      cmocka_unit_test_prestate(every_restart_begins_at_the_clean_image, comm),
      cmocka_unit_test_prestate(accuracy_never_rises_with_restarts, comm),
      cmocka_unit_test_prestate(restarts_are_draws_of_their_own, comm),
      cmocka_unit_test_prestate(a_vote_is_attacked_as_one, comm),
      cmocka_unit_test_prestate(vanished_gradients_are_counted, comm),
  };
  return cmocka_run_group_tests_name("robustness", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
