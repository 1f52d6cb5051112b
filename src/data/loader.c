/* SPDX-License-Identifier: BSD-3-Clause */
/* The loader: reads a contiguous slice of the file on each rank, brings every sample to the rank that needs
 * it, and then moves the training samples once per epoch, in the background.
 *
 * A slice of the file and an epoch are both layouts (shuffle.h), so loading and shuffling are one operation:
 * move from one layout to another. Ranks agree on local work before each exchange: none waits for a rank that
 * has failed. */
#include "data/loader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/exchange.h"
#include "comm/team.h"
#include "data/plan.h"
#include "data/shard.h"
#include "data/collective.h"
#include "data/shuffle.h"
#include "data/split.h"

/* A split as it is evaluated. */
typedef struct eval_view {
  ls_plan plan;
  const ls_shard *shard;
} eval_view;

struct ls_loader {
  ls_comm *comm;
  size_t rank, ranks;
  size_t image_bytes;
  size_t columns; /* values of a sample; 0: labels are classes */
  uint64_t seed;
  size_t threads;
  int shuffle;      /* ls_shuffle */
  uint16_t *labels; /* of the file's training split, all of them */
  float *values;    /* likewise, [samples, columns] */
  ls_holdout holdout;
  ls_plan plan;     /* of the training samples */
  ls_layout layout; /* of `current` */
  ls_shard current; /* training samples of this epoch */
  ls_shard next;    /* of the next one; empty before the first exchange */
  ls_shard validation;
  ls_shard test;
  eval_view eval[LS_EVAL_COUNT];
  size_t epoch; /* that `current` is for */
  bool is_started;
  bool is_moving;        /* samples are on their way: MPI may use the shards, for ever after a failure */
  ls_exchange *exchange; /* of them; NULL also after it has failed */
};

static ls_layout layout_of(const ls_loader *loader, size_t epoch)
{
  static ls_layout (*const layouts[])(const ls_holdout *, ls_plan, uint64_t, size_t) = {
      [LS_SHUFFLE_GLOBAL] = ls_layout_global, [LS_SHUFFLE_SHARD] = ls_layout_shard};
  return layouts[loader->shuffle](&loader->holdout, loader->plan, loader->seed, epoch);
}

/* ---- memory near the threads that will read it ---- */

static ls_shard_use train_use(const ls_loader *loader)
{
  return (ls_shard_use){.steps = &loader->plan, .rank = loader->rank, .threads = loader->threads};
}

static ls_shard_use eval_use(const ls_loader *loader)
{
  return (ls_shard_use){.rank = loader->rank, .threads = loader->threads};
}

/* A new shard of this rank, whose images each thread writes zeros to first. Local. */
static ls_status make_shard(const ls_loader *loader, ls_shard *shard, size_t count, ls_shard_use use)
{
  LS_PASS(ls_shard_init(shard, count, loader->image_bytes, loader->columns));
  ls_shard_clear(shard, &use);
  return LS_OK;
}

static ls_status make_train_shard(const ls_loader *loader, ls_shard *shard)
{
  return make_shard(loader, shard, ls_plan_rank_count(&loader->plan, loader->rank), train_use(loader));
}

/* ---- loading ---- */

/* Start to move samples. Collective. */
static ls_status move_start(ls_loader *loader, const ls_move *move)
{
  ls_route route = {0};
  ls_status status;
  LS_GO(ls_comm_agree(loader->comm, ls_route_find(&route, move, loader->rank, loader->threads)));
  status = ls_exchange_start(
      &loader->exchange, loader->comm, loader->image_bytes,
      &(ls_exchange_send){.items = move->now->images, .counts = route.send_counts, .index = route.send_index},
      &(ls_exchange_receive){
          .items = move->next->images, .counts = route.receive_counts, .index = route.receive_index});
  loader->is_moving = status == LS_OK || status == LS_E_COMM;
done:
  ls_route_fini(&route);
  return status;
}

/* Complete the move. Collective. */
static ls_status move_wait(ls_loader *loader)
{
  ls_exchange *exchange = loader->exchange;
  loader->exchange = NULL;
  LS_PASS(ls_exchange_wait(exchange));
  loader->is_moving = false;
  return LS_OK;
}

/* Make room for samples of a split that lie side by side in the file. Local. */
static ls_status make_slice(ls_shard *slice, size_t first, size_t count, const ls_loader *loader)
{
  LS_PASS(make_shard(loader, slice, count, eval_use(loader)));
  for (size_t i = 0; i < count; i++) slice->samples[i] = first + i;
  return LS_OK;
}

/* Their images, as the files hold them. Collective. */
static ls_status read_slice(const ls_loader *loader, ls_source *source, ls_split split, const ls_shard *slice)
{
  const size_t first = slice->count > 0 ? (size_t)slice->samples[0] : 0;
  return ls_source_read_collective(ls_source_original(source), loader->comm, split, first, slice->count,
                                   slice->images);
}

/* Make room for this rank's slice of the training split, and for what will be received. Local. */
static ls_status prepare(ls_shard *slice, const ls_layout *file, ls_loader *loader)
{
  const size_t first = ls_part_first(file->plan.count, loader->ranks, loader->rank);
  LS_PASS(make_slice(slice, first, ls_plan_rank_count(&file->plan, loader->rank), loader));
  LS_PASS(make_train_shard(loader, &loader->current));
  const ls_plan *validation = &loader->eval[LS_EVAL_VALIDATION].plan;
  return make_shard(loader, &loader->validation, ls_plan_rank_count(validation, loader->rank),
                    eval_use(loader));
}

/* Bring training and validation samples from the rank that read them to the ranks that need them. Collective.
 */
static ls_status load_train(ls_loader *loader, ls_source *source, size_t microbatch)
{
  ls_shard slice = {0};
  ls_layout file = ls_layout_file(loader->holdout.total, loader->ranks);
  ls_layout validation = ls_layout_validation(&loader->holdout, microbatch, loader->ranks);
  ls_status status;
  LS_GO(ls_comm_agree(loader->comm, prepare(&slice, &file, loader)));
  LS_GO(read_slice(loader, source, LS_SPLIT_TRAIN, &slice));
  ls_move to_train = {.from = &file, .to = &loader->layout, .now = &slice, .next = &loader->current};
  LS_GO(move_start(loader, &to_train));
  LS_GO(move_wait(loader));
  ls_move to_validation = {.from = &file, .to = &validation, .now = &slice, .next = &loader->validation};
  LS_GO(move_start(loader, &to_validation));
  LS_GO(move_wait(loader));
  ls_shard_label(&loader->current, loader->labels, loader->values);
  ls_shard_label(&loader->validation, loader->labels, loader->values);
done:
  if (!loader->is_moving) ls_shard_fini(&slice);
  return status;
}

/* Allocate this rank's test samples: its micro-batches are consecutive in the file. Local. */
static ls_status prepare_test(ls_loader *loader, const ls_source *source)
{
  const ls_plan *plan = &loader->eval[LS_EVAL_TEST].plan;
  const size_t count = ls_plan_rank_count(plan, loader->rank);
  const ls_plan_location first = {.rank = loader->rank, .index = 0};
  LS_PASS(make_slice(&loader->test, count > 0 ? ls_plan_position(plan, first) : 0, count, loader));
  ls_shard_label(&loader->test, ls_source_labels(source, LS_SPLIT_TEST),
                 ls_source_values(source, LS_SPLIT_TEST));
  return LS_OK;
}

/* Collective. */
static ls_status load_test(ls_loader *loader, ls_source *source)
{
  LS_AGREE(loader->comm, prepare_test(loader, source));
  return read_slice(loader, source, LS_SPLIT_TEST, &loader->test);
}

/* Make of the files' images those that are wanted, once they are where they are needed: a part of the data
 * then costs what the part does, and ranks share the work. Local. */
static ls_status resize_all(ls_loader *loader, const ls_source *source)
{
  const ls_resizer *resizer = ls_source_resizer(source);
  const ls_shard_use train = train_use(loader), eval = eval_use(loader);
  if (!resizer) return LS_OK;
  loader->image_bytes = ls_source_image_bytes(source);
  LS_PASS(ls_shard_resize(&loader->current, &train, resizer, loader->image_bytes));
  LS_PASS(ls_shard_resize(&loader->validation, &eval, resizer, loader->image_bytes));
  return ls_shard_resize(&loader->test, &eval, resizer, loader->image_bytes);
}

/* The plan of an evaluation split: one step that holds it all. */
static ls_plan eval_plan(const ls_loader *loader, size_t count, size_t microbatch)
{
  return (ls_plan){
      .count = count, .batch = ls_size_max(count, 1), .microbatch = microbatch, .ranks = loader->ranks};
}

/* The training split's samples and their order, and the validation split. Local. */
static ls_status plan_train(ls_loader *loader, ls_source *source, const ls_loader_options *options)
{
  const ls_dataset_info *info = ls_source_info(source);
  const size_t count = info->count[LS_SPLIT_TRAIN];
  LS_PASS(ls_source_copy_labels(source, LS_SPLIT_TRAIN, &loader->labels, &loader->values));
  ls_holdout_labels from = {.labels = loader->labels, .count = count, .classes = info->classes};
  LS_TRY(ls_holdout_plan(&loader->holdout, &from, options->seed, options->data), "dataset '%s'", info->name);
  loader->plan = (ls_plan){.count = ls_holdout_train_count(&loader->holdout),
                           .batch = options->batch,
                           .microbatch = options->microbatch,
                           .evens_out = options->evens_out,
                           .ranks = loader->ranks};
  loader->layout = layout_of(loader, options->first_epoch);
  return LS_OK;
}

/* Set up everything that needs neither images nor other ranks. Local. */
static ls_status set_up(ls_loader *loader, ls_source *source, const ls_loader_options *options)
{
  const ls_dataset_info *info = ls_source_info(source);
  loader->columns = info->labels == LS_LABELS_CLASS ? 0 : info->classes;
  loader->seed = options->seed;
  loader->shuffle = options->data->shuffle;
  loader->epoch = options->first_epoch;
  loader->threads = ls_size_max(options->threads, 1);
  const ls_dataset_info *files = ls_source_info(ls_source_original(source));
  if (!ls_size_mul(files->channels, files->height, &loader->image_bytes) ||
      !ls_size_mul(loader->image_bytes, files->width, &loader->image_bytes))
    return ls_fail(LS_E_INPUT, "dataset '%s': an image of %zu x %zu x %zu does not fit into memory",
                   info->name, files->channels, files->height, files->width);
  if (!options->test_only) LS_PASS(plan_train(loader, source, options));
  loader->eval[LS_EVAL_TRAIN] = (eval_view){loader->plan, &loader->current};
  loader->eval[LS_EVAL_VALIDATION] =
      (eval_view){eval_plan(loader, loader->holdout.count, options->microbatch), &loader->validation};
  loader->eval[LS_EVAL_TEST] =
      (eval_view){eval_plan(loader, info->count[LS_SPLIT_TEST], options->microbatch), &loader->test};
  return LS_OK;
}

ls_status ls_loader_new(ls_loader **out, ls_comm *comm, ls_source *source, const ls_loader_options *options)
{
  assert(options->batch > 0 && options->microbatch > 0);
  ls_loader *loader = NULL;
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_alloc(&loader, 1, sizeof *loader, "the data loader")));
  loader->comm = comm;
  loader->rank = (size_t)ls_comm_rank(comm);
  loader->ranks = (size_t)ls_comm_size(comm);
  LS_GO(ls_comm_agree(comm, set_up(loader, source, options)));
  if (!options->test_only) LS_GO(load_train(loader, source, options->microbatch));
  LS_GO(load_test(loader, source));
  LS_GO(ls_comm_agree(comm, resize_all(loader, source)));
  *out = loader;
done:
  if (status != LS_OK) ls_loader_free(loader);
  return status;
}

void ls_loader_set_features(ls_loader *loader, ls_eval_split split, float *features, size_t values)
{
  ls_shard *shard = split == LS_EVAL_TRAIN ? &loader->current : &loader->validation;
  assert(split != LS_EVAL_TEST && !loader->is_started && !loader->next.images);
  free(shard->images);
  shard->images = (uint8_t *)features;
  shard->image_bytes = values * sizeof *features;
  shard->has_features = true;
  if (split == LS_EVAL_TRAIN) loader->image_bytes = shard->image_bytes;
}

void ls_loader_free(ls_loader *loader)
{
  if (!loader) return;
  bool is_in_use = loader->is_moving;
  if (loader->exchange) is_in_use = move_wait(loader) != LS_OK;
  if (!is_in_use) { /* otherwise the job is about to end */
    ls_shard_fini(&loader->current);
    ls_shard_fini(&loader->next);
    ls_shard_fini(&loader->validation);
  }
  ls_shard_fini(&loader->test);
  ls_holdout_fini(&loader->holdout);
  free(loader->labels);
  free(loader->values);
  free(loader);
}

size_t ls_loader_image_bytes(const ls_loader *loader)
{
  return loader->image_bytes;
}

size_t ls_loader_train_count(const ls_loader *loader)
{
  return loader->plan.count;
}

size_t ls_loader_steps(const ls_loader *loader)
{
  return ls_plan_steps(&loader->plan);
}

size_t ls_loader_eval_count(const ls_loader *loader, ls_eval_split split)
{
  return loader->eval[split].plan.count;
}

/* Make the epoch that was being received the current one. Collective. */
static ls_status advance(ls_loader *loader)
{
  assert(loader->is_moving);
  LS_PASS(move_wait(loader));
  ls_shard received = loader->next;
  loader->next = loader->current;
  loader->current = received;
  loader->epoch++;
  loader->layout = layout_of(loader, loader->epoch);
  ls_shard_label(&loader->current, loader->labels, loader->values);
  return LS_OK;
}

ls_status ls_loader_epoch(ls_loader *loader, size_t epoch, bool is_last)
{
  if (loader->is_started) LS_TRY(advance(loader), "exchanging the samples for epoch %zu", epoch + 1);
  assert(epoch == loader->epoch);
  loader->is_started = true;
  if (is_last) return LS_OK;
  if (!loader->next.images) LS_AGREE(loader->comm, make_train_shard(loader, &loader->next));
  loader->next.has_features = loader->current.has_features;
  ls_layout coming = layout_of(loader, epoch + 1);
  ls_move move = {.from = &loader->layout, .to = &coming, .now = &loader->current, .next = &loader->next};
  return move_start(loader, &move);
}

ls_status ls_loader_advance(ls_loader *loader)
{
  if (!loader->exchange) return LS_OK;
  ls_status status = ls_exchange_advance(loader->exchange);
  if (status != LS_OK) loader->exchange = NULL; /* must not be waited for any more */
  return status;
}

size_t ls_loader_step_samples(const ls_loader *loader, size_t step)
{
  return ls_plan_step_count(&loader->plan, step);
}

size_t ls_loader_step_microbatches(const ls_loader *loader, size_t step)
{
  return ls_plan_step_microbatches(&loader->plan, loader->rank, step);
}

static ls_microbatch microbatch_of(const ls_shard *shard, ls_plan_run run)
{
  const uint8_t *images = shard->images + run.index * shard->image_bytes;
  return (ls_microbatch){.images = shard->has_features ? NULL : images,
                         .features = shard->has_features ? (const float *)images : NULL,
                         .labels = shard->labels + run.index,
                         .values = shard->values ? shard->values + run.index * shard->columns : NULL,
                         .samples = shard->samples + run.index,
                         .n = run.count};
}

ls_microbatch ls_loader_microbatch(const ls_loader *loader, size_t step, size_t i)
{
  return microbatch_of(&loader->current, ls_plan_microbatch(&loader->plan, loader->rank, step, i));
}

size_t ls_loader_eval_microbatches(const ls_loader *loader, ls_eval_split split)
{
  return ls_plan_rank_microbatches(&loader->eval[split].plan, loader->rank);
}

ls_microbatch ls_loader_eval_microbatch(const ls_loader *loader, ls_eval_split split, size_t i)
{
  const eval_view *view = &loader->eval[split];
  return microbatch_of(view->shard, ls_plan_rank_microbatch(&view->plan, loader->rank, i));
}

size_t ls_loader_rank_samples(const ls_loader *loader, ls_eval_split split)
{
  const size_t count = ls_loader_eval_microbatches(loader, split);
  size_t samples = 0;
  for (size_t i = 0; i < count; i++) samples += ls_loader_eval_microbatch(loader, split, i).n;
  return samples;
}
