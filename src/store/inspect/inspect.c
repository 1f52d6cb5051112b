/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in an HDF5 file: the kinds of files that lockstep makes in their own words, any other as a list of
 * names and shapes. */
#include <stdio.h>
#include <string.h>

#include "store/checkpoint.h"
#include "h5/h5.h"
#include "store/inspect/internal.h"
#include "store/internal.h"

/* A kind of file that can be inspected. */
typedef struct file_kind {
  ls_status (*matches)(ls_h5_id file, bool *is_one);
  ls_status (*describe)(ls_h5_id file, ls_text *text);
} file_kind;

/* ---- checkpoints and metrics ---- */

/* A format attribute that is no text is from another program. */
static ls_status has_format(ls_h5_id file, const char *format, bool *is_one)
{
  char found[64];
  LS_PASS(ls_h5_has_attribute(file, "format", is_one));
  if (!*is_one) return LS_OK;
  const ls_status status = ls_h5_get_short_text(file, "format", found, sizeof found);
  *is_one = status == LS_OK && strcmp(found, format) == 0;
  return status == LS_E_INPUT ? LS_OK : status;
}

static ls_status is_checkpoint(ls_h5_id file, bool *is_one)
{
  return has_format(file, LS_CHECKPOINT_FORMAT, is_one);
}

static ls_status is_metrics(ls_h5_id file, bool *is_one)
{
  return has_format(file, LS_METRICS_FORMAT, is_one);
}

static ls_status describe_metrics(ls_h5_id file, ls_text *text)
{
  LS_PASS(ls_format_check(file, LS_METRICS_FORMAT));
  ls_text_add(text, "lockstep metrics\n");
  LS_PASS(ls_inspect_metrics(file, SIZE_MAX, text));
  return ls_split_metrics_describe(file, false, text);
}

static ls_status is_scaling(ls_h5_id file, bool *is_one)
{
  return has_format(file, LS_SCALING_FORMAT, is_one);
}

static ls_status describe_scaling(ls_h5_id file, ls_text *text)
{
  LS_PASS(ls_format_check(file, LS_SCALING_FORMAT));
  ls_text_add(text, "lockstep scaling study\n");
  return ls_inspect_members(file, text);
}

/* ---- datasets ---- */

/* Anything else of that name, such as a link to elsewhere, does not count. */
static ls_status has_images(ls_h5_id file, const char *split, bool *is_one)
{
  ls_h5_id group;
  bool has_images = false, has_labels = false;
  LS_PASS(ls_h5_has(file, split, is_one));
  if (!*is_one) return LS_OK;
  ls_status status = ls_h5_group_open(&group, file, split);
  if (status == LS_OK) {
    status = ls_h5_has(group, "images", &has_images);
    if (status == LS_OK) status = ls_h5_has(group, "labels", &has_labels);
    ls_h5_release(group);
  }
  *is_one = has_images && has_labels;
  return status == LS_E_INPUT ? LS_OK : status;
}

static ls_status is_dataset(ls_h5_id file, bool *is_one)
{
  LS_PASS(has_images(file, "train", is_one));
  return *is_one ? LS_OK : has_images(file, "test", is_one);
}

static ls_status describe_dataset(ls_h5_id file, ls_text *text)
{
  ls_text_add(text, "image dataset (`lockstep data info` shows more)\n");
  LS_PASS(ls_inspect_attributes(file, text));
  return ls_inspect_members(file, text);
}

/* ---- others ---- */

static ls_status is_anything(ls_h5_id file, bool *is_one)
{
  (void)file;
  *is_one = true;
  return LS_OK;
}

static ls_status describe_other(ls_h5_id file, ls_text *text)
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

static ls_status describe(ls_h5_id file, void *text)
{
  const file_kind *kind = kinds;
  bool is_one;
  LS_PASS(kind->matches(file, &is_one));
  while (!is_one) LS_PASS((++kind)->matches(file, &is_one));
  return kind->describe(file, text);
}

ls_status ls_inspect(const char *path, ls_text *text)
{
  ls_text_show(text, "%s: ", path);
  LS_TRY(ls_h5_read(path, describe, text), "cannot inspect '%s'", path);
  return LS_OK;
}
