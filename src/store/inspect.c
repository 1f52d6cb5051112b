/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in an HDF5 file: the kinds of files that lockstep makes in their own words, any other as a list of
 * names and shapes. */
#include <stdio.h>
#include <string.h>

#include "store/checkpoint.h"
#include "store/h5.h"
#include "store/inspect_parts.h"
#include "store/layout.h"

/* A kind of file that can be inspected. */
typedef struct file_kind {
  bool (*matches)(hid_t file);
  ls_status (*describe)(hid_t file, ls_text *text);
} file_kind;

/* ---- checkpoints and metrics ---- */

static bool has_format(hid_t file, const char *format)
{
  char found[64];
  return ls_h5_has_attribute(file, "format") &&
         ls_h5_get_short_text(file, "format", found, sizeof found) == LS_OK && strcmp(found, format) == 0;
}

static bool is_checkpoint(hid_t file)
{
  return has_format(file, LS_CHECKPOINT_FORMAT);
}

static bool is_metrics(hid_t file)
{
  return has_format(file, LS_METRICS_FORMAT);
}

static ls_status describe_metrics(hid_t file, ls_text *text)
{
  LS_PASS(ls_format_check(file, LS_METRICS_FORMAT));
  ls_text_add(text, "lockstep metrics\n");
  return ls_inspect_metrics(file, SIZE_MAX, text);
}

static bool is_scaling(hid_t file)
{
  return has_format(file, LS_SCALING_FORMAT);
}

static ls_status describe_scaling(hid_t file, ls_text *text)
{
  LS_PASS(ls_format_check(file, LS_SCALING_FORMAT));
  ls_text_add(text, "lockstep scaling study\n");
  return ls_inspect_members(file, text);
}

/* ---- datasets ---- */

static bool has_images(hid_t file, const char *split)
{
  hid_t group;
  if (!ls_h5_has(file, split) || ls_h5_group_open(&group, file, split) != LS_OK) return false;
  bool found = ls_h5_has(group, "images") && ls_h5_has(group, "labels");
  ls_h5_release(group);
  return found;
}

static bool is_dataset(hid_t file)
{
  return has_images(file, "train") || has_images(file, "test");
}

static ls_status describe_dataset(hid_t file, ls_text *text)
{
  ls_text_add(text, "image dataset (`lockstep data info` tells more)\n");
  LS_PASS(ls_inspect_attributes(file, text));
  return ls_inspect_members(file, text);
}

/* ---- others ---- */

static bool is_anything(hid_t file)
{
  (void)file;
  return true;
}

static ls_status describe_other(hid_t file, ls_text *text)
{
  ls_text_add(text, "HDF5 file, not one of lockstep's\n");
  return ls_inspect_members(file, text);
}

static const file_kind kinds[] = {
    {.matches = is_checkpoint, .describe = ls_inspect_checkpoint},
    {.matches = is_metrics, .describe = describe_metrics},
    {.matches = is_scaling, .describe = describe_scaling},
    {.matches = is_dataset, .describe = describe_dataset},
    {.matches = is_anything, .describe = describe_other},
};

static ls_status describe(hid_t file, ls_text *text)
{
  const file_kind *kind = kinds;
  while (!kind->matches(file)) kind++;
  return kind->describe(file, text);
}

ls_status ls_inspect(const char *path, ls_text *text)
{
  hid_t file;
  LS_TRY(ls_h5_open(&file, path), "cannot inspect '%s'", path);
  ls_text_show(text, "%s: ", path);
  ls_status status = describe(file, text);
  ls_h5_release(file);
  LS_TRY(status, "cannot inspect '%s'", path);
  return LS_OK;
}
