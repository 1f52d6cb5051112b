/* SPDX-License-Identifier: BSD-3-Clause */
/* A run directory is never written into by accident: only a new one, or with --resume the old one. */
#include "cli/run_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

static bool is_of_a_run(const char *name)
{
  static const char *const patterns[] = {"config.yaml", "best.h5", "checkpoint-*.h5", "summary.json"};
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
    if (fnmatch(patterns[i], name, 0) == 0) return true;
  return false;
}

static bool holds_run(const char *path)
{
  DIR *folder = opendir(path);
  bool any = false;
  for (struct dirent *entry; folder && !any && (entry = readdir(folder));) any = is_of_a_run(entry->d_name);
  if (folder) closedir(folder);
  return any;
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
    if (mkdir(*out, 0777) == 0) return LS_OK;
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

/* Only one run at a time writes there; the lock goes with the process. Some network file systems have none.
 */
static ls_status lock(const char *path, int *descriptor)
{
  *descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*descriptor < 0) return ls_fail(LS_E_IO, "cannot open run directory '%s': %s", path, strerror(errno));
  if (flock(*descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return ls_fail(LS_E_USAGE,
                   "run directory '%s' is in use by another run; wait for its end, or give another -o", path);
  return LS_OK;
}

ls_status ls_run_dir_prepare(char **out, int *descriptor, const ls_run_dir_wish *wish)
{
  if (wish->path && wish->path[0] == '\0')
    return ls_fail(LS_E_USAGE, "-o: an empty text is no name of a folder");
  if (!wish->path && !wish->resume)
    LS_PASS(claim(out, wish->run_name));
  else
    LS_PASS(wish->path ? ls_text_copy(out, wish->path) : resume_default(out, wish->run_name));
  LS_TRY(ls_folder_make(*out), "run directory");
  LS_PASS(lock(*out, descriptor));
  if (wish->path && !wish->resume && holds_run(*out))
    return ls_fail(LS_E_USAGE,
                   "run directory '%s' already holds a run; --resume goes on with it, another -o starts anew",
                   *out);
  return LS_OK;
}
