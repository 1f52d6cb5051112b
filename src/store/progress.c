/* SPDX-License-Identifier: BSD-3-Clause */
/* Where training stands, member by member under the members' names. */
#include "store/progress.h"

#define COUNT_LIST(X)                                                                                        \
  X(epoch)                                                                                                   \
  X(step)                                                                                                    \
  X(epoch_step)                                                                                              \
  X(epoch_correct)                                                                                           \
  X(epoch_samples)                                                                                           \
  X(best_epoch)                                                                                              \
  X(bad_epochs)                                                                                              \
  X(schedule_epochs)                                                                                         \
  X(schedule_bad)

#define REAL_LIST(X)                                                                                         \
  X(epoch_seconds)                                                                                           \
  X(epoch_loss)                                                                                              \
  X(best_metric)                                                                                             \
  X(schedule_factor)                                                                                         \
  X(schedule_best)                                                                                           \
  X(seconds)

static ls_status write_members(hid_t group, const ls_progress *progress)
{
#define WRITE_COUNT(name) LS_PASS(ls_h5_put_count(group, #name, progress->name));
  COUNT_LIST(WRITE_COUNT)
#undef WRITE_COUNT
#define WRITE_REAL(name) LS_PASS(ls_h5_put_real(group, #name, progress->name));
  REAL_LIST(WRITE_REAL)
#undef WRITE_REAL
  return LS_OK;
}

ls_status ls_progress_write(hid_t file, const ls_progress *progress)
{
  hid_t group;
  LS_PASS(ls_h5_group_make(&group, file, "progress"));
  return ls_h5_close(group, write_members(group, progress));
}

static ls_status read_members(hid_t group, ls_progress *progress)
{
#define READ_COUNT(name) LS_PASS(ls_h5_get_count(group, #name, 0, UINT64_MAX, &progress->name));
  COUNT_LIST(READ_COUNT)
#undef READ_COUNT
#define READ_REAL(name) LS_PASS(ls_h5_get_real(group, #name, &progress->name));
  REAL_LIST(READ_REAL)
#undef READ_REAL
  return LS_OK;
}

ls_status ls_progress_read(hid_t file, ls_progress *progress)
{
  *progress = (ls_progress){0};
  hid_t group;
  LS_PASS(ls_h5_group_open(&group, file, "progress"));
  ls_status status = read_members(group, progress);
  ls_h5_release(group);
  return status;
}
