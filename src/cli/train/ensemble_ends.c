/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of an ensemble's training: how each member has ended, the path of its run directory by now, and the
 * vote of the complete members. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/show.h"
#include "base/text.h"
#include "cli/train/ensemble_job.h"
#include "cli/train/ensemble_result.h"

/* Of the members that have ended so: how many, and a list of them. */
static size_t list_ends(const ls_ensemble_job *job, ls_status status, ls_text *list)
{
  size_t count = 0;
  for (size_t m = 0; m < job->members; m++)
    if (job->ends[m].is.status == status) ls_text_add(list, "%s%zu", count++ == 0 ? "" : ", ", m + 1);
  return count;
}

/* The error of the first member that failed, and the numbers of others that did. Local. */
ls_status ls_ensemble_outcome(const ls_ensemble_job *job)
{
  ls_text list = {0}, word = {0};
  ls_status status = LS_OK;
  ls_text_show_word(&word, job->run_dir.path);
  const size_t stopped = list_ends(job, LS_STOPPED, &list);
  if (stopped > 0)
    status = ls_fail(LS_STOPPED, "stopped: %zu of %zu members are not done (%s); go on with --resume -o %s",
                     stopped, job->members, ls_text_get(&list), ls_text_get(&word));
  ls_text_fini(&list);
  ls_text_fini(&word);
  for (size_t m = 0; m < job->members && status == LS_OK; m++)
    if (job->ends[m].is.status != LS_OK)
      status = ls_fail((ls_status)job->ends[m].is.status, "member %zu failed, while the others went on: %s",
                       m + 1, job->ends[m].is.error);
  return status;
}

/* Does a folder hold the weights that a member has come to? */
static ls_status check_weights(const ls_member_end *end, const char *folder)
{
  char *path;
  ls_text text = {0};
  ls_checkpoint_info info = {0};
  ls_text_add(&text, "%s/%s", folder, end->is.checkpoint);
  LS_PASS(ls_text_take(&text, &path));
  ls_status status = ls_checkpoint_read_info(path, &info);
  if (status == LS_OK && strcmp(info.weights_digest, end->is.digest) != 0)
    status = ls_fail(LS_E_IO, "'%s' holds other weights than this member was trained to", path);
  ls_checkpoint_info_fini(&info);
  free(path);
  return status;
}

/* A member's run directory, which may have been moved, alone or with the ensemble's, while others have its
 * path: the weights show which it is. One that is not found has failed. Rank 0. */
static ls_status find_folder(const ls_ensemble_job *job, size_t member)
{
  char *inside;
  ls_text text = {0};
  ls_member_end *end = &job->ends[member];
  if (end->is.status != LS_OK) return LS_OK;
  ls_text_add(&text, "%s/member-%zu", job->run_dir.path, member + 1);
  LS_PASS(ls_text_take(&text, &inside));
  ls_status status = check_weights(end, inside);
  if (status == LS_OK)
    snprintf(end->is.folder, sizeof end->is.folder, "%s", inside);
  else if (check_weights(end, end->is.folder) == LS_OK)
    status = LS_OK;
  if (status != LS_OK) {
    end->is.status = LS_E_IO;
    snprintf(end->is.error, sizeof end->is.error, "%.*s", (int)sizeof end->is.error - 1,
             ls_error_last()->text);
  }
  free(inside);
  return LS_OK;
}

/* Rank 0. */
static ls_status find_folders(ls_ensemble_job *job)
{
  bool moved;
  LS_TRY(ls_directory_follow(&job->run_dir, &moved), "the run directory");
  for (size_t m = 0; m < job->members; m++) LS_PASS(find_folder(job, m));
  return LS_OK;
}

/* Share each rank's results of its group's members with all ranks. Collective. */
ls_status ls_ensemble_share_ends(ls_ensemble_job *job)
{
  const size_t words = job->members * sizeof *job->ends / sizeof(uint64_t);
  LS_PASS(ls_comm_sum_u64(job->world, job->ends->words, words));
  LS_ROOT(job->world, find_folders(job));
  if (ls_comm_rank(job->world) != 0) memset(job->ends, 0, job->members * sizeof *job->ends);
  return ls_comm_sum_u64(job->world, job->ends->words, words);
}

/* Collective. */
ls_status ls_ensemble_combine(ls_ensemble_job *job)
{
  ls_ensemble_result result = {.run_dir = &job->run_dir,
                               .members = job->members,
                               .split = job->has_test ? LS_EVAL_TEST : LS_EVAL_VALIDATION};
  ls_status status;
  LS_GO(ls_comm_agree(job->world, ls_ensemble_result_init(&result)));
  for (size_t m = 0; m < job->members; m++)
    if (job->ends[m].is.status == LS_OK)
      ls_ensemble_result_add(&result, "%s/%s", job->ends[m].is.folder, job->ends[m].is.checkpoint);
    else
      ls_ensemble_result_fail(&result, m + 1, job->ends[m].is.error);
  if (!job->has_test && !job->has_validation) goto done;
  status = ls_ensemble_result_finish(&result, job->world);
done:
  ls_ensemble_result_fini(&result);
  return status;
}
