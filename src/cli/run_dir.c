/* SPDX-License-Identifier: BSD-3-Clause */
/* A run directory is never written into by accident: only a new one, or with --resume the old one. */
#include "cli/run_dir.h"

#include <glob.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

/* Does a folder hold a file that matches the pattern? */
static bool holds(const char *folder, const char *pattern)
{
  ls_text path = {0};
  ls_text_add(&path, "%s/%s", folder, pattern);
  glob_t found = {0};
  bool any = glob(ls_text_get(&path), 0, NULL, &found) == 0 && found.gl_pathc > 0;
  globfree(&found);
  ls_text_fini(&path);
  return any;
}

static bool holds_run(const char *folder)
{
  return holds(folder, "config.yaml") || holds(folder, "checkpoint-*.h5") || holds(folder, "best.h5");
}

/* runs/NAME, or the first runs/NAME-2, -3 ... that holds no run. */
static ls_status choose(char **out, const char *name, bool resume)
{
  for (size_t number = 1;; number++) {
    ls_text path = {0};
    ls_text_add(&path, "runs/%s", name);
    if (number > 1) ls_text_add(&path, "-%zu", number);
    LS_PASS(ls_text_take(&path, out));
    if (resume || !holds_run(*out)) return LS_OK;
    free(*out);
    *out = NULL;
  }
}

ls_status ls_run_dir_prepare(char **out, const char *wanted, const char *name, bool resume)
{
  LS_PASS(wanted ? ls_text_copy(out, wanted) : choose(out, name, resume));
  if (!resume && holds_run(*out))
    return ls_fail(LS_E_USAGE,
                   "run directory '%s' already holds a run; --resume goes on with it, another -o starts anew",
                   *out);
  LS_TRY(ls_folder_make(*out), "run directory");
  return LS_OK;
}
