/* SPDX-License-Identifier: BSD-3-Clause */
/* Walking through a file that may be hostile: hard links only, each object once, to a limited depth and
 * number. HDF5's own H5Ovisit() recurses as deep as the file asks for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/internal.h"

enum { MAX_DEPTH = 12, MAX_ENTRIES = 10000 };

/* ---- objects ---- */

/* An object's type and identity: libhdf5 has other types for them from 1.12 on. */
#if H5_VERSION_GE(1, 12, 0)
typedef H5O_token_t object_id;
#else
typedef haddr_t object_id;
#endif

typedef struct object {
  H5O_type_t type;
  object_id id; /* no other object of the file has it */
} object;

/* Look at an object without opening it; "." is `parent` itself. */
static ls_status find_object(hid_t parent, const char *name, object *found)
{
#if H5_VERSION_GE(1, 12, 0)
  H5O_info2_t info;
  if (H5Oget_info_by_name3(parent, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
    return ls_h5_fail(LS_E_INPUT, "cannot be read");
  *found = (object){.type = info.type, .id = info.token};
#else
  H5O_info_t info;
  if (H5Oget_info_by_name2(parent, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
    return ls_h5_fail(LS_E_INPUT, "cannot be read");
  *found = (object){.type = info.type, .id = info.addr};
#endif
  return LS_OK;
}

/* Have two objects of a file the same id? Both are made whole by libhdf5, as arrays of bytes or as a number:
 * neither has bytes between its members.
 */
static bool is_same(const object_id *a, const object_id *b)
{
  return memcmp(a, b, sizeof *a) == 0;
}

/* ---- the walk ---- */

typedef struct walk {
  ls_h5_visit visit;
  void *user;
  ls_status status; /* why the walk ended early */
  object_id *seen;  /* [MAX_ENTRIES + 1] the objects met so far */
  size_t seen_count, entries;
  size_t depth;
  char path[LS_H5_PATH_BYTES * 2];
} walk;

static ls_status walk_group(walk *self, hid_t group);

static bool seen_before(walk *self, const object *found)
{
  for (size_t i = 0; i < self->seen_count; i++)
    if (is_same(&self->seen[i], &found->id)) return true;
  self->seen[self->seen_count++] = found->id;
  return false;
}

static ls_status find_type(walk *self, hid_t group, const char *name, H5L_type_t link, ls_h5_member *type)
{
  static const ls_h5_member types[H5O_TYPE_NTYPES] = {[H5O_TYPE_GROUP] = LS_H5_GROUP,
                                                      [H5O_TYPE_DATASET] = LS_H5_DATASET,
                                                      [H5O_TYPE_NAMED_DATATYPE] = LS_H5_TYPE};
  *type = LS_H5_LINK;
  if (link != H5L_TYPE_HARD) return LS_OK;
  object found = {.type = H5O_TYPE_UNKNOWN};
  LS_TRY(find_object(group, name, &found), "%s", self->path);
  bool known = found.type >= 0 && found.type < H5O_TYPE_NTYPES;
  *type = known ? types[found.type] : LS_H5_TYPE;
  if (seen_before(self, &found)) *type = LS_H5_AGAIN;
  if (*type == LS_H5_GROUP && self->depth >= MAX_DEPTH) *type = LS_H5_BEYOND;
  return LS_OK;
}

static ls_status enter(walk *self, hid_t parent, const char *name)
{
  hid_t group = H5Gopen2(parent, name, H5P_DEFAULT);
  if (group < 0) return ls_h5_fail(LS_E_INPUT, "%s: cannot be read", self->path);
  ls_status status = walk_group(self, group);
  ls_h5_release(group);
  return status;
}

static ls_status meet(walk *self, hid_t group, const char *name, H5L_type_t link)
{
  if (++self->entries > MAX_ENTRIES)
    return ls_fail(LS_E_INPUT, "it has more than %d members: not one of lockstep's files", MAX_ENTRIES);
  size_t length = strlen(self->path);
  if (length + strlen(name) + 2 > sizeof self->path)
    return ls_fail(LS_E_INPUT, "the names in %s are too long: not one of lockstep's files", self->path);
  snprintf(self->path + length, sizeof self->path - length, "/%s", name);
  ls_h5_entry entry = {.path = self->path, .name = name, .parent = group};
  LS_PASS(find_type(self, group, name, link, &entry.type));
  LS_PASS(self->visit(self->user, &entry));
  bool inside = entry.type == LS_H5_GROUP;
  if (inside) LS_PASS(enter(self, group, name));
  self->path[length] = '\0';
  return LS_OK;
}

static herr_t on_link(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
  walk *self = user;
  self->status = meet(self, group, name, info->type);
  return self->status == LS_OK ? 0 : -1;
}

/* In the order in which the members were made, where the file knows it. */
static ls_status find_index(const walk *self, hid_t group, H5_index_t *index)
{
  unsigned order = 0;
  hid_t creation = H5Gget_create_plist(group);
  ls_status status = LS_OK;
  if (creation < 0 || H5Pget_link_creation_order(creation, &order) < 0)
    status = ls_h5_fail(LS_E_INPUT, "group %s: the order of its members cannot be read", self->path);
  ls_h5_release(creation);
  *index = order & H5P_CRT_ORDER_INDEXED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  return status;
}

static ls_status walk_group(walk *self, hid_t group)
{
  H5_index_t index;
  LS_PASS(find_index(self, group, &index));
  self->depth++;
  herr_t result = H5Literate(group, index, H5_ITER_INC, NULL, on_link, self);
  self->depth--;
  if (result >= 0) return LS_OK;
  if (self->status != LS_OK) return self->status;
  return ls_h5_fail(LS_E_INPUT, "group %s: cannot be read", self->path);
}

/* Walk from an open group, which is an object that was met. */
static ls_status start(walk *self, hid_t group)
{
  object found = {.type = H5O_TYPE_UNKNOWN};
  LS_TRY(find_object(group, ".", &found), "group %s", self->path);
  (void)seen_before(self, &found);
  return walk_group(self, group);
}

ls_status ls_h5_walk(ls_h5_id group, ls_h5_visit visit, void *user)
{
  walk self = {.visit = visit, .user = user, .status = LS_OK};
  if (H5Iget_name(group, self.path, LS_H5_PATH_BYTES) <= 1) self.path[0] = '\0';
  LS_PASS(ls_alloc(&self.seen, MAX_ENTRIES + 1, sizeof *self.seen, "the members of a file"));
  hid_t opened = H5Gopen2(group, ".", H5P_DEFAULT); /* the root too is given as a group, not as its file */
  ls_status status =
      opened < 0 ? ls_h5_fail(LS_E_INPUT, "group %s/: cannot be read", self.path) : start(&self, opened);
  ls_h5_release(opened);
  free(self.seen);
  return status;
}
