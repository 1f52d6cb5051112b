/* SPDX-License-Identifier: BSD-3-Clause */
#include "h5/object.h"

#include <string.h>

#include "h5/call.h"

ls_status ls_h5_object_find(hid_t place, const char *name, ls_h5_object *object)
{
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  if (H5Oget_info_by_name3(place, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
    return ls_h5_fail(LS_E_INPUT, "cannot be read");
  *object = (ls_h5_object){.type = info.type, .id = info.token};
#else
  H5O_info_t info;
  if (H5Oget_info_by_name2(place, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
    return ls_h5_fail(LS_E_INPUT, "cannot be read");
  *object = (ls_h5_object){.type = info.type, .id = info.addr};
#endif
  return LS_OK;
}

/* Both are made whole by libhdf5, as arrays of bytes or as a number: neither has bytes between its members.
 */
bool ls_h5_object_is_same(const ls_h5_object_id *a, const ls_h5_object_id *b)
{
  return memcmp(a, b, sizeof *a) == 0;
}
