/* SPDX-License-Identifier: BSD-3-Clause */
/* A run directory is never written into by accident: only a new one, or with --resume the old one. */
#include "cli/run_dir.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/print.h"

static bool is_of_a_run(const char *name)
{
  static const char *const patterns[] = {"config.yaml", "best.h5", "checkpoint-*.h5", "summary.json"};
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
    if (fnmatch(patterns[i], name, 0) == 0) return true;
  return false;
}

static ls_status holds_run(const ls_directory *directory, bool *any)
{
  ls_names names;
  *any = false;
  LS_PASS(ls_directory_list(directory, &names));
  for (size_t i = 0; i < names.count; i++) *any |= is_of_a_run(names.items[i]);
  ls_names_fini(&names);
  return LS_OK;
}

/* Make runs/NAME, or the first of runs/NAME-2, -3 ... that does not exist: mkdir() decides, so that two jobs
 * that start together get two folders. */
static ls_status claim(char **out, const char *name)
{
  LS_PASS(ls_folder_make("runs"));
  for (size_t number = 1;; number++) {
    ls_text path = {0};
    ls_text_add(&path, "runs/%s", name);
    if (number > 1) ls_text_add(&path, "-%zu", number);
    LS_PASS(ls_text_take(&path, out));
    int failed;
    LS_RETRY(failed, mkdir(*out, 0777));
    if (!failed) return LS_OK;
    if (errno != EEXIST) return ls_fail(LS_E_IO, "cannot make folder '%s': %s", *out, strerror(errno));
    free(*out);
    *out = NULL;
  }
}

static ls_status resume_default(char **out, const char *name)
{
  ls_text path = {0};
  ls_text_add(&path, "runs/%s", name);
  return ls_text_take(&path, out);
}

/* Open the folder that is wished for, made if need be. */
static ls_status open_wished(ls_directory *out, const ls_run_dir_wish *wish)
{
  char *path = NULL;
  bool moved;
  if (wish->parent) {
    LS_PASS(ls_directory_follow(wish->parent, &moved));
    return ls_directory_open_in(out, wish->parent, wish->path);
  }
  ls_status status;
  if (!wish->path && !wish->resume)
    LS_GO(claim(&path, wish->run_name));
  else
    LS_GO(wish->path ? ls_text_copy(&path, wish->path) : resume_default(&path, wish->run_name));
  LS_GO(ls_folder_make(path));
  status = ls_directory_open(out, path);
done:
  free(path);
  return status;
}

/* Only one run at a time writes there. Some file systems have no locks: EWOULDBLOCK alone means that somebody
 * holds one. */
static ls_status lock(const ls_directory *directory, bool is_told)
{
  int failed;
  LS_RETRY(failed, flock(directory->descriptor, LOCK_EX | LOCK_NB));
  if (!failed) return LS_OK;
  if (errno == EWOULDBLOCK)
    return ls_fail(LS_E_USAGE,
                   "run directory '%s' is in use by another run; wait for its end, or give another -o",
                   directory->path);
  if (is_told)
    ls_warn("run directory '%s' cannot be locked (%s): take care that no other run writes there",
            directory->path, strerror(errno));
  return LS_OK;
}

/* May this run write there? */
static ls_status take(const ls_directory *directory, const ls_run_dir_wish *wish)
{
  bool any;
  LS_PASS(lock(directory, wish->parent == NULL));
  if (!wish->path || wish->resume) return LS_OK;
  LS_PASS(holds_run(directory, &any));
  if (!any) return LS_OK;
  return ls_fail(LS_E_USAGE,
                 "run directory '%s' already holds a run; --resume goes on with it, another -o starts anew",
                 directory->path);
}

ls_status ls_run_dir_prepare(ls_directory *out, const ls_run_dir_wish *wish)
{
  *out = (ls_directory){.descriptor = -1};
  if (wish->path && wish->path[0] == '\0')
    return ls_fail(LS_E_USAGE, "-o: an empty text is no name of a folder");
  LS_TRY(open_wished(out, wish), "run directory");
  const ls_status status = take(out, wish);
  if (status != LS_OK) ls_directory_close(out);
  return status;
}
