/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups, and the opening of what they hold: hard links alone are followed. */
#include <stdio.h>

#include "h5/internal.h"

void ls_h5_path(hid_t parent, const char *name, char path[LS_H5_PATH_BYTES])
{
  char folder[LS_H5_PATH_BYTES / 2];
  ssize_t length = H5Iget_name(parent, folder, sizeof folder);
  if (length <= 1) folder[0] = '\0'; /* the root, or unknown */
  snprintf(path, LS_H5_PATH_BYTES, "%s/%s", folder, name);
}

bool ls_h5_keep_order(hid_t creation)
{
  return H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0;
}

ls_status ls_h5_group_make(ls_h5_id *group, ls_h5_id parent, const char *name)
{
  *group = H5I_INVALID_HID;
  hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  if (creation >= 0 && ls_h5_keep_order(creation))
    *group = H5Gcreate2(parent, name, H5P_DEFAULT, creation, H5P_DEFAULT);
  ls_status status = LS_OK;
  if (*group < 0) status = ls_h5_fail(LS_E_MEMORY, "cannot make group '%s'", name);
  ls_h5_release(creation);
  return status;
}

ls_status ls_h5_has(ls_h5_id parent, const char *name, bool *has)
{
  const htri_t found = H5Lexists(parent, name, H5P_DEFAULT);
  *has = found > 0;
  return found >= 0 ? LS_OK : ls_h5_fail(LS_E_INPUT, "cannot look for '%s'", name);
}

ls_status ls_h5_member_open(hid_t *object, hid_t parent, const char *name, H5I_type_t wanted,
                            const char *noun)
{
  *object = H5I_INVALID_HID;
  char path[LS_H5_PATH_BYTES];
  ls_h5_path(parent, name, path);
  bool has;
  LS_PASS(ls_h5_has(parent, name, &has));
  if (!has) return ls_fail(LS_E_INPUT, "%s %s: missing", noun, path);
  H5L_info_t link;
  if (H5Lget_info(parent, name, &link, H5P_DEFAULT) < 0) return ls_h5_fail(LS_E_INPUT, "%s %s", noun, path);
  if (link.type != H5L_TYPE_HARD)
    return ls_fail(LS_E_INPUT, "%s %s: it is a link to another place, which is not followed", noun, path);
  hid_t opened = H5Oopen(parent, name, H5P_DEFAULT);
  if (opened < 0) return ls_h5_fail(LS_E_INPUT, "%s %s", noun, path);
  if (H5Iget_type(opened) != wanted) {
    ls_h5_release(opened);
    return ls_fail(LS_E_INPUT, "%s: it is not a %s", path, noun);
  }
  *object = opened;
  return LS_OK;
}

ls_status ls_h5_group_open(ls_h5_id *group, ls_h5_id parent, const char *name)
{
  return ls_h5_member_open(group, parent, name, H5I_GROUP, "group");
}
