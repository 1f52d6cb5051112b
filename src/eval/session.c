/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening networks and data once, with all checks of how they fit. */
#include "eval/loading.h"
#include "eval/session.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/placement/placement.h"
#include "data/collective.h"
#include "train/schemas.h"

/* Without a communicator the status is this process's own. */
static ls_status agree(ls_comm *comm, ls_status status)
{
  return comm ? ls_comm_agree(comm, status) : status;
}

/* ---- networks ---- */

ls_status ls_session_find(ls_session *session, ls_comm *comm, const ls_session_options *options)
{
  session->options = *options;
  session->wanted = options->count;
  if (!options->expands) return LS_OK;
  LS_PASS(ls_loaded_members(&session->paths, comm, options->checkpoints, options->count));
  session->wanted = session->paths.count;
  return LS_OK;
}

static ls_status make_room(ls_session *session)
{
  LS_PASS(ls_alloc(&session->networks, session->wanted, sizeof *session->networks, "the networks"));
  return ls_alloc(&session->names, session->wanted, sizeof *session->names, "the networks");
}

static ls_status open_network(ls_session *session, ls_comm *comm)
{
  const ls_session_options *options = &session->options;
  const size_t i = session->count;
  const char *path = options->expands ? session->paths.items[i] : options->checkpoints[i];
  ls_loaded *loaded = &session->networks[i];
  LS_PASS(comm ? ls_loaded_open(loaded, comm, path, &ls_all_schemas, options->input_gradient)
               : ls_loaded_read(loaded, path, &ls_all_schemas));
  session->names[i] = loaded->path;
  session->count++;
  ls_text_add(&session->notes, "%s", ls_text_get(&loaded->notes));
  return LS_OK;
}

ls_status ls_session_open(ls_session *session, ls_comm *comm)
{
  LS_PASS(agree(comm, make_room(session)));
  while (session->count < session->wanted) LS_PASS(open_network(session, comm));
  return LS_OK;
}

/* ---- data ---- */

/* The training split is no matter. */
static ls_status check_held_out(const ls_session *session, size_t i)
{
  if (session->options.split != LS_EVAL_VALIDATION) return LS_OK;
  return ls_loaded_check_held_out(&session->networks[0], session->names[0], &session->networks[i],
                                  session->names[i]);
}

/* What compares or attacks classes is not for networks whose labels are none. */
static ls_status check_labels(const ls_session *session, size_t i)
{
  const ls_loss_kind *loss = session->networks[i].network.loss.kind;
  const ls_session_options *options = &session->options;
  LS_TRY(ls_source_check_labels(session->source, loss->labels), "'%s' was trained with the loss %s",
         session->names[i], loss->schema.name);
  if (loss->labels == LS_LABELS_CLASS) return LS_OK;
  const char *refused = options->input_gradient ? "an attack changes the class that an image is taken for"
                        : options->tta ? "test-time augmentation takes the mean of classes' probabilities"
                        : session->count > 1 ? "several networks vote on the class of an image"
                                             : NULL;
  if (!refused) return LS_OK;
  return ls_fail(LS_E_INPUT, "%s, but '%s' was trained with the loss %s, for other labels", refused,
                 session->names[i], loss->schema.name);
}

/* Local. */
static ls_status check_networks(ls_session *session)
{
  const ls_session_options *options = &session->options;
  const ls_dataset_info *data = ls_source_info(session->source);
  session->fits_weights =
      options->fits_weights && session->count > 1 && options->split == LS_EVAL_TEST && !options->data;
  for (size_t i = 0; i < session->count; i++) {
    const ls_loaded *loaded = &session->networks[i];
    session->fits_weights =
        session->fits_weights && ls_loaded_holds_out_the_same(&session->networks[0], loaded);
    LS_PASS(check_labels(session, i));
    LS_PASS(ls_loaded_check_fit(loaded, data, session->names[i]));
    LS_PASS(check_held_out(session, i));
    ls_loaded_compare_classes(loaded, data, session->names[i], &session->other_classes);
  }
  return LS_OK;
}

ls_status ls_session_open_data(ls_session *session, ls_comm *comm)
{
  ls_placement placement;
  LS_PASS(ls_placement_find(comm, &placement));
  session->threads = placement.threads;
  ls_activity_enter(ls_comm_activity(comm), "opening the data");
  LS_PASS(ls_loaded_open_data(&session->source, comm, &session->networks[0], session->options.data,
                              &session->options.reading));
  LS_PASS(ls_source_check_same(session->source, comm));
  return ls_comm_agree(comm, check_networks(session));
}

void ls_session_close(ls_session *session)
{
  ls_text_fini(&session->other_classes);
  ls_source_close(session->source);
  ls_text_fini(&session->notes);
  for (size_t i = 0; i < session->count; i++) ls_loaded_close(&session->networks[i]);
  free(session->networks);
  free(session->names);
  ls_names_fini(&session->paths);
}

/* ---- samples ---- */

/* Micro-batches small enough for every member. */
static size_t common_microbatch(const ls_loaded *networks, size_t count)
{
  size_t microbatch = networks[0].spec->train.microbatch;
  for (size_t i = 1; i < count; i++) microbatch = ls_size_min(microbatch, networks[i].spec->train.microbatch);
  return microbatch;
}

/* Local. */
static ls_status make_members(ls_group *group, const ls_session *session, size_t first, size_t count)
{
  const ls_session_options *options = &session->options;
  const size_t microbatch = common_microbatch(&session->networks[first], count);
  const ls_network **networks;
  LS_PASS(ls_alloc(&networks, count, sizeof *networks, "the networks"));
  for (size_t i = 0; i < count; i++) networks[i] = &session->networks[first + i].network;
  const ls_status status = ls_members_init(&group->members, networks, count, session->threads, microbatch);
  free(networks);
  if (status != LS_OK || !options->tta) return status;
  LS_PASS(ls_tta_new(&group->tta, session->threads, microbatch * ls_members_classes(&group->members),
                     options->flips));
  for (size_t i = 0; i < count; i++) group->members.items[i].tta = group->tta;
  return LS_OK;
}

static ls_status refuse_empty(ls_eval_split split, const char *dataset)
{
  return ls_fail(
      LS_E_INPUT,
      split == LS_EVAL_TEST
          ? "dataset '%s' has no test split; try --split validation, or another --data"
          : "no samples of '%s' were held out for validation (data.validation is 0); try --split test",
      dataset);
}

ls_status ls_session_load(ls_group *out, ls_comm *comm, const ls_session *session, size_t first, size_t count)
{
  const ls_spec *spec = session->networks[0].spec;
  const ls_eval_split split = session->options.split;
  LS_AGREE(comm, make_members(out, session, first, count));
  const ls_loader_options loader = {.data = &spec->data,
                                    .seed = spec->seed,
                                    .batch = session->networks[first].spec->train.batch,
                                    .microbatch = out->members.microbatch,
                                    .threads = session->threads,
                                    .test_only = split == LS_EVAL_TEST && !session->fits_weights};
  LS_PASS(ls_loader_new(&out->loader, comm, session->source, &loader));
  if (ls_loader_eval_count(out->loader, split) > 0) return LS_OK;
  return refuse_empty(split, ls_source_info(session->source)->name);
}

void ls_group_close(ls_group *group)
{
  ls_loader_free(group->loader);
  ls_members_fini(&group->members);
  ls_tta_free(group->tta);
  *group = (ls_group){.loader = NULL};
}
