/* SPDX-License-Identifier: BSD-3-Clause */
/* The checkpoints of a run directory: the newest intact one, and the removal of those no longer wanted. A
 * file's place in the order is the step in its name, since clocks and copies make times unreliable. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "store/checkpoint.h"
#include "store/h5.h"
#include "store/layout.h"
#include "store/seal.h"

typedef struct listing {
  uint64_t *steps; /* of the checkpoint-<step>.h5, newest first */
  size_t count;
  char **stale; /* names of temporary files that an interrupted write left */
  size_t stale_count;
} listing;

/* The step of checkpoint-<step><suffix>; only the spelling that the writer uses, so that it names the file
 * again. */
static bool parse_step(const char *name, const char *suffix, uint64_t *step)
{
  static const char prefix[] = "checkpoint-";
  char digits[24];
  size_t length = strlen(name), around = strlen(prefix) + strlen(suffix);
  if (length <= around || length - around >= sizeof digits) return false;
  if (strncmp(name, prefix, strlen(prefix)) != 0 || strcmp(name + length - strlen(suffix), suffix) != 0)
    return false;
  snprintf(digits, length - around + 1, "%s", name + strlen(prefix));
  return ls_parse_count(digits, step) && (digits[0] != '0' || digits[1] == '\0');
}

static bool is_stale(const char *name)
{
  static const char *const ours[] = {"best.h5.tmp", "metrics.h5.tmp", "metrics.csv.tmp"};
  uint64_t step;
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (strcmp(name, ours[i]) == 0) return true;
  return parse_step(name, ".h5.tmp", &step);
}

static void listing_fini(listing *self)
{
  for (size_t i = 0; i < self->stale_count; i++) free(self->stale[i]);
  free(self->stale);
  free(self->steps);
}

static int compare_newest_first(const void *a, const void *b)
{
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x < y) - (x > y);
}

/* Sort the folder's names into the listing, which has room for all. */
static ls_status sort_names(listing *self, struct dirent **names, size_t count)
{
  LS_PASS(ls_alloc(&self->steps, count, sizeof *self->steps, "the checkpoints of a run"));
  LS_PASS(ls_alloc(&self->stale, count, sizeof *self->stale, "the temporary files of a run"));
  for (size_t i = 0; i < count; i++) {
    const char *name = names[i]->d_name;
    if (parse_step(name, ".h5", &self->steps[self->count]))
      self->count++;
    else if (is_stale(name))
      LS_PASS(ls_text_copy(&self->stale[self->stale_count++], name));
  }
  qsort(self->steps, self->count, sizeof *self->steps, compare_newest_first);
  return LS_OK;
}

static ls_status list(listing *self, const char *run_dir)
{
  *self = (listing){0};
  struct dirent **names;
  int count = scandir(run_dir, &names, NULL, alphasort);
  if (count < 0) return ls_fail(LS_E_IO, "cannot list run directory '%s': %s", run_dir, strerror(errno));
  ls_status status = sort_names(self, names, (size_t)count);
  for (int i = 0; i < count; i++) free(names[i]);
  free(names);
  return status;
}

static ls_status path_of(char **path, const char *run_dir, uint64_t step)
{
  ls_text text = {0};
  ls_text_add(&text, "%s/checkpoint-%" PRIu64 ".h5", run_dir, step);
  return ls_text_take(&text, path);
}

/* ---- newest ---- */

static ls_status verify(const char *path)
{
  hid_t file;
  LS_PASS(ls_h5_open(&file, path));
  ls_checkpoint_info info;
  ls_status status = ls_info_read(file, &info);
  if (status == LS_OK) {
    status = ls_checkpoint_verify(file, &info);
    ls_checkpoint_info_fini(&info);
  }
  ls_h5_release(file);
  return status;
}

/* Find the first that is intact. A lack of memory does not make a checkpoint a damaged one. */
static ls_status find_intact(const listing *self, const char *run_dir, char **path, ls_text *damaged)
{
  for (size_t i = 0; i < self->count; i++) {
    char *candidate;
    LS_PASS(path_of(&candidate, run_dir, self->steps[i]));
    ls_status status = verify(candidate);
    if (status == LS_OK) {
      *path = candidate;
      return LS_OK;
    }
    ls_text_show(damaged,
                 damaged->length > 0 ? "\nskipping checkpoint '%s': %s" : "skipping checkpoint '%s': %s",
                 candidate, ls_error_last()->text);
    free(candidate);
    if (status == LS_E_MEMORY) return status;
  }
  return LS_OK;
}

ls_status ls_checkpoint_newest(const char *run_dir, char **path, ls_text *damaged)
{
  *path = NULL;
  listing found;
  ls_status status = list(&found, run_dir);
  if (status == LS_OK) status = find_intact(&found, run_dir, path, damaged);
  listing_fini(&found);
  return status;
}

/* ---- prune ---- */

static ls_status remove_file(const char *path)
{
  if (unlink(path) == 0 || errno == ENOENT) return LS_OK;
  return ls_fail(LS_E_IO, "cannot remove '%s': %s", path, strerror(errno));
}

static ls_status remove_stale(const listing *self, const char *run_dir)
{
  for (size_t i = 0; i < self->stale_count; i++) {
    ls_text path = {0};
    char *text;
    ls_text_add(&path, "%s/%s", run_dir, self->stale[i]);
    LS_PASS(ls_text_take(&path, &text));
    ls_status status = remove_file(text);
    free(text);
    LS_PASS(status);
  }
  return LS_OK;
}

/* Damaged checkpoints do not count: after a resume from an older one they would else push good ones out. They
 * are left for the user, or for the run to write over them. */
static ls_status remove_old(const listing *self, const char *run_dir, size_t keep, const ls_step_range *known)
{
  size_t intact = 0;
  for (size_t i = 0; i < self->count; i++) {
    char *path;
    LS_PASS(path_of(&path, run_dir, self->steps[i]));
    ls_status status = LS_OK;
    if (intact >= keep)
      status = remove_file(path);
    else
      intact += (self->steps[i] >= known->first && self->steps[i] <= known->last) || verify(path) == LS_OK;
    free(path);
    LS_PASS(status);
  }
  return LS_OK;
}

ls_status ls_checkpoint_prune(const char *run_dir, size_t keep, const ls_step_range *known)
{
  listing found;
  ls_status status;
  LS_GO(list(&found, run_dir));
  LS_GO(remove_old(&found, run_dir, keep, known));
  LS_GO(remove_stale(&found, run_dir));
done:
  listing_fini(&found);
  return status;
}
