/* SPDX-License-Identifier: BSD-3-Clause */
/* The loader on any number of ranks, over sizes that nothing divides: every sample once an epoch, in the
 * order of a single rank, each with its own image and label; a resumed run sees what an uninterrupted one
 * sees; evaluation counts each sample once; memory stays near 2/R; a rank that fails takes all along. The
 * same of gzip files, which one rank decompresses for all. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/loader.h"
#include "data/normalize.h"
#include "data/collective.h"
#include "data/shuffle.h"
#include "idx_folder.h"
#include "parallel/mpi_main.h"

enum { SIDE = 4, SEED = 7, EPOCHS = 5, RESUMED_EPOCH = 3 };

/* A dataset and how it is trained on. */
typedef struct sizes {
  size_t train, test, validation, batch, microbatch;
} sizes;

static const sizes cases[] = {
    {.train = 197, .test = 53, .validation = 30, .batch = 32, .microbatch = 5},
    {.train = 101, .test = 7, .validation = 0, .batch = 17, .microbatch = 17},
    {.train = 64, .test = 64, .validation = 16, .batch = 16, .microbatch = 4},
    {.train = 3, .test = 1, .validation = 1, .batch = 2, .microbatch = 1},
    {.train = 1, .test = 0, .validation = 0, .batch = 1, .microbatch = 1},
    {.train = 40, .test = 9, .validation = 3, .batch = 1000, .microbatch = 6},
    {.train = 50, .test = 11, .validation = 10, .batch = 10, .microbatch = 64},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* A dataset in a folder that rank 0 made, opened on every rank. */
typedef struct fixture {
  ls_comm *comm;
  idx_folder folder;
  ls_source *source;
} fixture;

static fixture open_fixture(ls_comm *comm, size_t side, size_t train, size_t test)
{
  fixture f = {.comm = comm};
  if (ls_comm_rank(comm) == 0) idx_folder_make(&f.folder, side, train, test);
  assert_ok(ls_comm_broadcast(comm, &f.folder, sizeof f.folder));
  assert_ok(ls_source_open(&f.source, f.folder.path, IDX_CLASSES));
  return f;
}

static void close_fixture(fixture *f)
{
  ls_source_close(f->source);
  assert_ok(ls_comm_barrier(f->comm));
  if (ls_comm_rank(f->comm) == 0) idx_folder_remove(&f->folder);
}

static ls_loader *open_loader(const fixture *f, const sizes *s, int shuffle, size_t first_epoch)
{
  ls_spec_data data = {.validation = {.count = s->validation}, .fraction = 1, .shuffle = shuffle};
  ls_loader_options options = {.data = &data,
                               .seed = SEED,
                               .batch = s->batch,
                               .microbatch = s->microbatch,
                               .first_epoch = first_epoch};
  ls_loader *loader = NULL;
  assert_ok(ls_loader_new(&loader, f->comm, f->source, &options));
  return loader;
}

/* What all ranks together did with each of `count` things: how often, and a value (0 where nothing). */
typedef struct tally {
  uint64_t *times, *value;
  size_t count;
} tally;

static tally tally_new(size_t count)
{
  tally t = {.count = count};
  assert_ok(ls_alloc(&t.times, count, sizeof *t.times, "times"));
  assert_ok(ls_alloc(&t.value, count, sizeof *t.value, "values"));
  return t;
}

static void tally_free(tally *t)
{
  free(t->times);
  free(t->value);
}

static void tally_put(tally *t, size_t at, uint64_t value)
{
  assert_true(at < t->count);
  t->times[at]++;
  t->value[at] = value;
}

static void tally_join(tally *t, ls_comm *comm)
{
  assert_ok(ls_comm_sum_u64(comm, t->times, t->count));
  assert_ok(ls_comm_sum_u64(comm, t->value, t->count));
}

static void check_images(const fixture *f, ls_microbatch batch, size_t split)
{
  const size_t bytes = f->folder.side * f->folder.side;
  assert_true(batch.n > 0);
  for (size_t k = 0; k < batch.n; k++) {
    assert_int_equal(batch.labels[k], idx_label(batch.samples[k]));
    for (size_t i = 0; i < bytes; i++)
      assert_int_equal(batch.images[k * bytes + i], idx_pixel(split, batch.samples[k], i));
  }
}

/* Walk an epoch as the trainer does; returns which sample stood at which position, on all ranks. */
static tally walk_epoch(const fixture *f, ls_loader *loader, const sizes *s)
{
  const size_t rank = (size_t)ls_comm_rank(f->comm);
  const size_t ranks = (size_t)ls_comm_size(f->comm);
  tally order = tally_new(ls_loader_train_count(loader));
  for (size_t step = 0; step < ls_loader_steps(loader); step++) {
    assert_ok(ls_loader_advance(loader));
    size_t microbatches = ls_size_ceil_div(ls_loader_step_samples(loader, step), s->microbatch);
    for (size_t i = 0; i < ls_loader_step_microbatches(loader, step); i++) {
      ls_microbatch batch = ls_loader_microbatch(loader, step, i);
      size_t m = ls_part_first(microbatches, ranks, rank) + i;
      check_images(f, batch, LS_SPLIT_TRAIN);
      for (size_t k = 0; k < batch.n; k++)
        tally_put(&order, step * s->batch + m * s->microbatch + k, batch.samples[k]);
    }
  }
  tally_join(&order, f->comm);
  return order;
}

static ls_holdout expected_holdout(const fixture *f, const sizes *s)
{
  ls_holdout holdout;
  ls_holdout_labels from = {.labels = ls_source_labels(f->source, LS_SPLIT_TRAIN),
                            .count = s->train,
                            .classes = ls_source_info(f->source)->classes};
  ls_amount amount = {.count = s->validation};
  assert_ok(ls_holdout_find(&holdout, &from, SEED, amount));
  return holdout;
}

/* The order that one rank would see, straight from the definition. */
static void check_order(const tally *order, const ls_holdout *holdout, size_t epoch)
{
  ls_permutation permutation =
      ls_permutation_of(SEED, LS_RNG_SHUFFLE, epoch, 0, ls_holdout_train_count(holdout));
  assert_int_equal(order->count, ls_holdout_train_count(holdout));
  for (size_t position = 0; position < order->count; position++) {
    size_t index = (size_t)ls_permutation_at(&permutation, position);
    assert_int_equal(order->times[position], 1);
    assert_int_equal(order->value[position], ls_holdout_train_sample(holdout, index));
  }
}

static void check_global_epochs(const fixture *f, const sizes *s, size_t first_epoch)
{
  ls_holdout holdout = expected_holdout(f, s);
  ls_loader *loader = open_loader(f, s, LS_SHUFFLE_GLOBAL, first_epoch);
  assert_int_equal(ls_loader_train_count(loader), s->train - s->validation);
  assert_int_equal(ls_loader_steps(loader), ls_size_ceil_div(s->train - s->validation, s->batch));
  for (size_t epoch = first_epoch; epoch < EPOCHS; epoch++) {
    assert_ok(ls_loader_epoch(loader, epoch, epoch + 1 == EPOCHS));
    tally order = walk_epoch(f, loader, s);
    check_order(&order, &holdout, epoch);
    tally_free(&order);
  }
  ls_loader_free(loader);
  ls_holdout_fini(&holdout);
}

static void order_is_that_of_one_rank_also_when_resumed(void **state)
{
  for (size_t i = 0; i < CASES; i++) {
    fixture f = open_fixture(*state, SIDE, cases[i].train, cases[i].test);
    check_global_epochs(&f, &cases[i], 0);
    check_global_epochs(&f, &cases[i], RESUMED_EPOCH);
    close_fixture(&f);
  }
}

/* Samples that this rank has now, as marks by sample. */
static tally own_samples(const ls_loader *loader, size_t total)
{
  tally own = tally_new(total);
  for (size_t i = 0; i < ls_loader_eval_microbatches(loader, LS_EVAL_TRAIN); i++) {
    ls_microbatch batch = ls_loader_eval_microbatch(loader, LS_EVAL_TRAIN, i);
    for (size_t k = 0; k < batch.n; k++) tally_put(&own, (size_t)batch.samples[k], 1);
  }
  return own;
}

static void check_shard_epochs(const fixture *f, const sizes *s)
{
  ls_loader *whole = open_loader(f, s, LS_SHUFFLE_SHARD, 0);
  ls_loader *resumed = open_loader(f, s, LS_SHUFFLE_SHARD, RESUMED_EPOCH);
  tally first = own_samples(whole, s->train);
  for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
    assert_ok(ls_loader_epoch(whole, epoch, epoch + 1 == EPOCHS));
    tally own = own_samples(whole, s->train);
    assert_memory_equal(own.times, first.times, s->train * sizeof *own.times);
    tally_free(&own);
    tally order = walk_epoch(f, whole, s);
    for (size_t position = 0; position < order.count; position++) assert_int_equal(order.times[position], 1);
    if (epoch >= RESUMED_EPOCH) {
      assert_ok(ls_loader_epoch(resumed, epoch, epoch + 1 == EPOCHS));
      tally again = walk_epoch(f, resumed, s);
      assert_memory_equal(again.value, order.value, order.count * sizeof *order.value);
      tally_free(&again);
    }
    tally_free(&order);
  }
  tally_free(&first);
  ls_loader_free(whole);
  ls_loader_free(resumed);
}

static void shard_shuffle_keeps_each_ranks_samples(void **state)
{
  for (size_t i = 0; i < CASES; i++) {
    fixture f = open_fixture(*state, SIDE, cases[i].train, cases[i].test);
    check_shard_epochs(&f, &cases[i]);
    close_fixture(&f);
  }
}

/* How often the ranks together evaluate each sample of the file's split; every image is checked. */
static tally walk_split(const fixture *f, const ls_loader *loader, ls_eval_split split, size_t total)
{
  tally seen = tally_new(total);
  for (size_t i = 0; i < ls_loader_eval_microbatches(loader, split); i++) {
    ls_microbatch batch = ls_loader_eval_microbatch(loader, split, i);
    check_images(f, batch, split == LS_EVAL_TEST ? LS_SPLIT_TEST : LS_SPLIT_TRAIN);
    for (size_t k = 0; k < batch.n; k++) tally_put(&seen, (size_t)batch.samples[k], 1);
  }
  tally_join(&seen, f->comm);
  return seen;
}

static void check_evaluation(const fixture *f, const sizes *s, const ls_loader *loader)
{
  ls_holdout holdout = expected_holdout(f, s);
  tally train = walk_split(f, loader, LS_EVAL_TRAIN, s->train);
  tally validation = walk_split(f, loader, LS_EVAL_VALIDATION, s->train);
  tally test = walk_split(f, loader, LS_EVAL_TEST, s->test);
  for (size_t sample = 0; sample < s->train; sample++) {
    size_t index;
    bool is_held = ls_holdout_has(&holdout, sample, &index);
    assert_int_equal(validation.times[sample], is_held ? 1 : 0);
    assert_int_equal(train.times[sample], is_held ? 0 : 1);
  }
  for (size_t sample = 0; sample < s->test; sample++) assert_int_equal(test.times[sample], 1);
  assert_int_equal(ls_loader_eval_count(loader, LS_EVAL_TRAIN), s->train - s->validation);
  assert_int_equal(ls_loader_eval_count(loader, LS_EVAL_VALIDATION), s->validation);
  assert_int_equal(ls_loader_eval_count(loader, LS_EVAL_TEST), s->test);
  tally_free(&train);
  tally_free(&validation);
  tally_free(&test);
  ls_holdout_fini(&holdout);
}

static void evaluation_counts_each_sample_once(void **state)
{
  for (size_t i = 0; i < CASES; i++) {
    fixture f = open_fixture(*state, SIDE, cases[i].train, cases[i].test);
    ls_loader *loader = open_loader(&f, &cases[i], LS_SHUFFLE_GLOBAL, 0);
    check_evaluation(&f, &cases[i], loader); /* before the first epoch, and while an exchange runs */
    assert_ok(ls_loader_epoch(loader, 0, false));
    check_evaluation(&f, &cases[i], loader);
    ls_loader_free(loader); /* with the exchange still running */
    close_fixture(&f);
  }
}

/* The sums over the shards give the same bits as one pass over all training samples. */
static void normalization_does_not_depend_on_ranks(void **state)
{
  const sizes *s = &cases[0];
  fixture f = open_fixture(*state, SIDE, s->train, s->test);
  ls_loader *loader = open_loader(&f, s, LS_SHUFFLE_GLOBAL, 0);
  ls_holdout holdout = expected_holdout(&f, s);
  ls_normalization found;
  const ls_spec_data standard = {.normalize.word = LS_NORMALIZE_STANDARD};
  assert_ok(ls_normalization_find(&found, f.comm, loader, &standard, 1));
  double sum = 0.0;
  for (size_t i = 0; i < ls_holdout_train_count(&holdout); i++)
    for (size_t p = 0; p < (size_t)SIDE * SIDE; p++)
      sum += idx_pixel(LS_SPLIT_TRAIN, ls_holdout_train_sample(&holdout, i), p);
  double mean = sum / (double)(ls_holdout_train_count(&holdout) * SIDE * SIDE);
  assert_true(found.mean[0] == mean); /* integers below 2^53 and one division: exact */
  double *all = NULL;
  size_t ranks = (size_t)ls_comm_size(f.comm);
  assert_ok(ls_alloc(&all, ranks, sizeof *all, "deviations"));
  assert_ok(ls_comm_gather(f.comm, &found.deviation[0], sizeof *all, all));
  for (size_t r = 0; ls_comm_rank(f.comm) == 0 && r < ranks; r++) assert_true(all[r] == all[0]);
  free(all);
  ls_holdout_fini(&holdout);
  ls_loader_free(loader);
  close_fixture(&f);
}

static size_t heap_bytes(void)
{
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/* Everything allocated by this process counts, MPI's datatypes too. The shards are large enough that a third
 * copy would be seen beside the buffers of a network, some MiB whatever the size of the data. */
static void memory_is_two_shards_while_samples_travel(void **state)
{
  enum { IMAGE_SIDE = 28, PER_RANK = 12000, NETWORK_BYTES = 6 << 20 };
  ls_comm *comm = *state;
  const sizes s = {.train = (size_t)PER_RANK * (size_t)ls_comm_size(comm), .batch = 960, .microbatch = 8};
  const size_t shard = (size_t)PER_RANK * IMAGE_SIDE * IMAGE_SIDE;
  fixture f = open_fixture(comm, IMAGE_SIDE, s.train, s.test);
  size_t before = heap_bytes();
  ls_loader *loader = open_loader(&f, &s, LS_SHUFFLE_GLOBAL, 0);
  assert_ok(ls_loader_epoch(loader, 0, false));
  size_t used = heap_bytes() - before;
  if (before > 0)
    print_message("%zu bytes for a shard of %zu: %.2f\n", used, shard, (double)used / (double)shard);
  else
    print_message("not measured: mallinfo2() counts nothing under a sanitizer\n");
  assert_true(before == 0 || used < shard * 5 / 2 + NETWORK_BYTES);
  ls_loader_free(loader);
  close_fixture(&f);
}

/* The file is cut after it was opened: the ranks whose slice is gone fail to read, the others must learn. */
static void a_read_error_on_one_rank_reaches_all(void **state)
{
  const sizes s = {.train = 4000, .test = 10, .validation = 10, .batch = 32, .microbatch = 8};
  fixture f = open_fixture(*state, SIDE, s.train, s.test);
  assert_ok(ls_comm_barrier(f.comm));
  if (ls_comm_rank(f.comm) == 0) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f.folder.path, idx_names[0][0]);
    assert_int_equal(truncate(path, 16 + (long)(s.train - 1) * SIDE * SIDE), 0);
  }
  assert_ok(ls_comm_barrier(f.comm));
  ls_spec_data data = {.validation = {.count = s.validation}, .fraction = 1};
  ls_loader_options options = {.data = &data, .seed = SEED, .batch = s.batch, .microbatch = s.microbatch};
  ls_loader *loader = NULL;
  ls_status status = ls_loader_new(&loader, f.comm, f.source, &options);
  assert_true(status == LS_E_INPUT || status == LS_E_IO);
  assert_non_null(strstr(ls_error_last()->text, "train-images"));
  assert_null(loader);
  close_fixture(&f);
}

/* ---- gzip ---- */

static void images_path(const fixture *f, size_t split, const char *end, char path[128])
{
  snprintf(path, 128, "%s/%s%s", f->folder.path, idx_names[split][0], end);
}

/* Compress the images of a split, in members of `member` bytes, and leave the plain file out. Rank 0. */
static void compress_images(const fixture *f, size_t split, size_t member)
{
  char plain[128], packed[128];
  unsigned char *bytes;
  assert_ok(ls_alloc(&bytes, member, 1, "a gzip member"));
  images_path(f, split, "", plain);
  images_path(f, split, ".gz", packed);
  FILE *from = fopen(plain, "rb");
  assert_non_null(from);
  for (size_t got = member; got == member;) {
    got = fread(bytes, 1, member, from);
    gzFile to = gzopen(packed, "ab1");
    assert_non_null(to);
    assert_int_equal(gzwrite(to, bytes, (unsigned)got), got);
    assert_int_equal(gzclose(to), Z_OK);
  }
  fclose(from);
  free(bytes);
  unlink(plain);
}

/* A dataset whose images are gzip. */
static fixture open_gzip_fixture(ls_comm *comm, size_t side, const sizes *s)
{
  fixture f = {.comm = comm};
  if (ls_comm_rank(comm) == 0) {
    idx_folder_make(&f.folder, side, s->train, s->test);
    compress_images(&f, LS_SPLIT_TRAIN, 3000000);
    if (s->test > 0) compress_images(&f, LS_SPLIT_TEST, 3000000);
  }
  assert_ok(ls_comm_broadcast(comm, &f.folder, sizeof f.folder));
  assert_ok(ls_source_open_collective(&f.source, comm, f.folder.path, &(ls_reading){.classes = IDX_CLASSES}));
  return f;
}

static void close_gzip_fixture(fixture *f)
{
  char path[128];
  assert_ok(ls_comm_barrier(f->comm));
  for (size_t split = 0; split < 2; split++) {
    images_path(f, split, ".gz", path);
    if (ls_comm_rank(f->comm) == 0) unlink(path);
  }
  close_fixture(f);
}

static void gzip_images_reach_their_ranks(void **state)
{
  for (size_t i = 0; i < CASES; i++) {
    fixture f = open_gzip_fixture(*state, SIDE, &cases[i]);
    check_global_epochs(&f, &cases[i], 0);
    ls_loader *loader =
        open_loader(&f, &cases[i], LS_SHUFFLE_GLOBAL, 0); /* once more, from the same source */
    check_evaluation(&f, &cases[i], loader);
    ls_loader_free(loader);
    close_gzip_fixture(&f);
  }
}

/* An image of 160 kB: six in a message; and one of more than a message. */
static void gzip_images_come_in_portions(void **state)
{
  static const size_t sides[] = {400, 1100}, counts[] = {23, 5};
  for (size_t i = 0; i < 2; i++) {
    const sizes s = {.train = counts[i], .test = 9, .validation = 2, .batch = 8, .microbatch = 1};
    fixture f = open_gzip_fixture(*state, sides[i], &s);
    ls_loader *loader = open_loader(&f, &s, LS_SHUFFLE_GLOBAL, 0);
    check_evaluation(&f, &s, loader);
    ls_loader_free(loader);
    close_gzip_fixture(&f);
  }
}

/* The last rank's copy is plain, all others' are gzip. */
static void plain_and_gzip_copies_go_together(void **state)
{
  const sizes *s = &cases[0];
  ls_comm *comm = *state;
  const bool is_last = ls_comm_rank(comm) + 1 == ls_comm_size(comm);
  fixture f = open_gzip_fixture(comm, SIDE, s);
  idx_folder own = {.side = SIDE};
  ls_source *opened = f.source;
  if (is_last) {
    idx_folder_make(&own, SIDE, s->train, s->test);
    assert_ok(ls_source_open(&f.source, own.path, IDX_CLASSES));
  }
  ls_loader *loader = open_loader(&f, s, LS_SHUFFLE_GLOBAL, 0);
  check_evaluation(&f, s, loader);
  ls_loader_free(loader);
  if (is_last) {
    idx_folder_remove(&own);
    ls_source_close(f.source);
    f.source = opened;
  }
  close_gzip_fixture(&f);
}

/* Change a split's file of images. Rank 0. */
static void damage(const fixture *f, size_t split, long cut)
{
  char path[128];
  images_path(f, split, ".gz", path);
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  assert_int_equal(truncate(path, ftell(file) - cut), 0);
  fclose(file);
}

static void damaged_gzip_is_found_at_the_opening(void **state)
{
  const sizes *s = &cases[0];
  ls_comm *comm = *state;
  for (size_t split = 0; split < 2; split++) {
    fixture f = open_gzip_fixture(comm, SIDE, s), again = f;
    if (ls_comm_rank(comm) == 0) damage(&f, split, 1);
    assert_ok(ls_comm_barrier(comm));
    again.source = NULL;
    assert_int_equal(
        ls_source_open_collective(&again.source, comm, f.folder.path, &(ls_reading){.classes = 0}),
        LS_E_INPUT);
    assert_non_null(strstr(ls_error_last()->text, "images-idx3-ubyte.gz' is truncated"));
    assert_null(again.source);
    close_gzip_fixture(&f);
  }
}

/* Cut after it was opened: the first samples are there, the last are not. */
static void a_gzip_error_of_rank_0_reaches_all(void **state)
{
  const sizes s = {.train = 23, .test = 9, .validation = 5, .batch = 8, .microbatch = 1};
  ls_comm *comm = *state;
  fixture f = open_gzip_fixture(comm, 400, &s);
  assert_ok(ls_comm_barrier(comm));
  if (ls_comm_rank(comm) == 0) damage(&f, LS_SPLIT_TRAIN, 2000);
  assert_ok(ls_comm_barrier(comm));
  ls_spec_data data = {.validation = {.count = s.validation}, .fraction = 1};
  ls_loader_options options = {.data = &data, .seed = SEED, .batch = s.batch, .microbatch = s.microbatch};
  ls_loader *loader = NULL;
  assert_int_equal(ls_loader_new(&loader, comm, f.source, &options), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "train-images-idx3-ubyte.gz' is truncated"));
  assert_null(loader);
  close_gzip_fixture(&f);
}

/* Images of a view are those that one process reads, whoever has read and resized them here. */
static void check_resized(const fixture *f, const ls_loader *loader, ls_eval_split view, ls_split split)
{
  const size_t bytes = ls_source_image_bytes(f->source);
  uint8_t *expected;
  assert_ok(ls_alloc(&expected, bytes, 1, "an image"));
  assert_int_equal(ls_loader_image_bytes(loader), bytes);
  for (size_t i = 0; i < ls_loader_eval_microbatches(loader, view); i++) {
    const ls_microbatch batch = ls_loader_eval_microbatch(loader, view, i);
    for (size_t k = 0; k < batch.n; k++) {
      assert_ok(ls_source_read_images(f->source, split, (size_t)batch.samples[k], 1, expected));
      assert_memory_equal(batch.images + k * bytes, expected, bytes);
      assert_int_equal(batch.labels[k], idx_label(batch.samples[k]));
    }
  }
  free(expected);
}

static void resized_images_reach_their_ranks(void **state)
{
  const ls_reading wanted = {.classes = IDX_CLASSES, .height = 7, .width = 6, .channels = 3};
  for (size_t i = 0; i < 2 * CASES; i++) {
    const sizes *s = &cases[i / 2];
    fixture f = i % 2 ? open_gzip_fixture(*state, SIDE, s) : open_fixture(*state, SIDE, s->train, s->test);
    ls_source_close(f.source);
    assert_ok(ls_source_open_collective(&f.source, f.comm, f.folder.path, &wanted));
    ls_loader *loader = open_loader(&f, s, LS_SHUFFLE_GLOBAL, 0);
    check_resized(&f, loader, LS_EVAL_VALIDATION, LS_SPLIT_TRAIN);
    check_resized(&f, loader, LS_EVAL_TEST, LS_SPLIT_TEST);
    for (size_t epoch = 0; epoch < 2; epoch++) {
      assert_ok(ls_loader_epoch(loader, epoch, epoch == 1));
      check_resized(&f, loader, LS_EVAL_TRAIN, LS_SPLIT_TRAIN);
    }
    ls_loader_free(loader);
    (i % 2 ? close_gzip_fixture : close_fixture)(&f);
  }
}

static void too_much_validation_is_refused_on_all_ranks(void **state)
{
  fixture f = open_fixture(*state, SIDE, 20, 5);
  ls_spec_data data = {.validation = {.count = 20}, .fraction = 1};
  ls_loader_options options = {.data = &data, .seed = SEED, .batch = 4, .microbatch = 2};
  ls_loader *loader = NULL;
  assert_int_equal(ls_loader_new(&loader, f.comm, f.source, &options), LS_E_INPUT);
  assert_non_null(strstr(ls_error_last()->text, "data.validation"));
  close_fixture(&f);
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(order_is_that_of_one_rank_also_when_resumed, comm),
      cmocka_unit_test_prestate(shard_shuffle_keeps_each_ranks_samples, comm),
      cmocka_unit_test_prestate(evaluation_counts_each_sample_once, comm),
      cmocka_unit_test_prestate(normalization_does_not_depend_on_ranks, comm),
      cmocka_unit_test_prestate(memory_is_two_shards_while_samples_travel, comm),
      cmocka_unit_test_prestate(a_read_error_on_one_rank_reaches_all, comm),
      cmocka_unit_test_prestate(gzip_images_reach_their_ranks, comm),
      cmocka_unit_test_prestate(gzip_images_come_in_portions, comm),
      cmocka_unit_test_prestate(plain_and_gzip_copies_go_together, comm),
      cmocka_unit_test_prestate(damaged_gzip_is_found_at_the_opening, comm),
      cmocka_unit_test_prestate(a_gzip_error_of_rank_0_reaches_all, comm),
      cmocka_unit_test_prestate(resized_images_reach_their_ranks, comm),
      cmocka_unit_test_prestate(too_much_validation_is_refused_on_all_ranks, comm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
