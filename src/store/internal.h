/* SPDX-License-Identifier: BSD-3-Clause */
/* What the writers and the readers of our files must agree on. Private to the module. */
#ifndef LS_STORE_INTERNAL_H
#define LS_STORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/text.h"
#include "h5/h5.h"
#include "store/checkpoint.h"

#define LS_CHECKPOINT_FORMAT "lockstep-checkpoint"
#define LS_METRICS_FORMAT "lockstep-metrics"
#define LS_SCALING_FORMAT "lockstep-scaling"

enum { LS_STORE_FORMAT_VERSION = 1 };

/** The attribute of each tensor in /model that gives its position in the digest: parameters, then buffers,
 * from 0. */
#define LS_TENSOR_ORDER "order"

/** Take one more tensor, by its own digest, into a chained digest, which starts as "". */
void ls_digest_chain(char digest[LS_DIGEST_CHARS], const char tensor[LS_DIGEST_CHARS]);

/** The first line of the configuration that starts with "name: ", without that: borrowed, up to *length
 * bytes; NULL if there is none. */
const char *ls_config_name(const char *config, size_t *length);

/** Is a name <prefix><number><suffix>, and which number? Only the writer's own spelling counts, so that the
 * number gives the name again. */
bool ls_name_number(const char *name, const char *prefix, const char *suffix, uint64_t *number);

/* ---- format and facts ---- */

/** Write the attributes format, format_version and lockstep_version. Errors: LS_E_MEMORY. */
ls_status ls_format_write(ls_h5_id file, const char *format) LS_CHECKED;

/** Check that an open file is of this format and a version that this program reads. Errors: LS_E_INPUT. */
ls_status ls_format_check(ls_h5_id file, const char *format) LS_CHECKED;

/** Write what a reader must know before it builds the model, without the progress. Errors: LS_E_MEMORY. */
ls_status ls_info_write(ls_h5_id file, const ls_checkpoint_info *info) LS_CHECKED;

/** Read and check it, and the progress; on error *info is empty. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_info_read(ls_h5_id file, ls_checkpoint_info *info) LS_CHECKED;

/** Make the group `progress` of a file: where training stands, and the numbers that a kind remembers. Errors:
 * LS_E_MEMORY. */
ls_status ls_progress_write(ls_h5_id file, const ls_progress *progress,
                            const ls_named_numbers *numbers) LS_CHECKED;

/** Read such numbers; those of a file that has none stay as they are. Errors: LS_E_INPUT. */
ls_status ls_progress_read_numbers(ls_h5_id file, const ls_named_numbers *numbers) LS_CHECKED;

/** Read all datasets of an open checkpoint and check its weights' digest. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_checkpoint_verify(ls_h5_id file, const ls_checkpoint_info *info) LS_CHECKED;

/* ---- what labels are: an attribute `labels` of a group; none: classes ---- */

ls_status ls_labels_write(ls_h5_id group, ls_label_form labels) LS_CHECKED;
/** Errors: LS_E_INPUT. */
ls_status ls_labels_read(ls_h5_id group, ls_label_form *labels) LS_CHECKED;

/* ---- the history: /metrics/train and /metrics/validation, one row per epoch ---- */

/** The row of an epoch, borrowed; NULL if there is none. */
const ls_epoch_metrics *ls_history_find(const ls_history *history, uint64_t epoch);

/** Make the group `metrics` of a file, and write the tables in it. *group is open, closed with ls_h5_close().
 * Errors: LS_E_MEMORY. */
ls_status ls_histories_write(ls_h5_id *group, ls_h5_id file, const ls_state *state) LS_CHECKED;

/** Read it; both histories are newly made. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_histories_read(ls_h5_id file, ls_history *train, ls_history *validation) LS_CHECKED;

/* ---- the figures of the splits: a group for each, with attributes and a dataset for each column of the
 * table of classes ---- */

/** In a checkpoint they are in this group of /metrics, beside the tables: readers that do not know it pass
 * over it. */
#define LS_SPLIT_METRICS_GROUP "splits"

/** Write groups `validation` and `test`, as far as there are figures. class_names: one a line, or NULL.
 * Errors: LS_E_MEMORY. */
ls_status ls_split_metrics_write(ls_h5_id parent, const ls_split_metrics *split_metrics,
                                 const char *class_names) LS_CHECKED;

/** Read them from a checkpoint of so many classes; older ones have none. *out is newly made. Errors:
 * LS_E_INPUT, LS_E_MEMORY; *out is empty then. */
ls_status ls_split_metrics_read(ls_h5_id file, size_t classes, ls_split_metrics *out) LS_CHECKED;

/** Append a line for each split of a checkpoint, or of metrics.h5. Errors: LS_E_INPUT. */
ls_status ls_split_metrics_describe(ls_h5_id file, bool is_checkpoint, ls_text *text) LS_CHECKED;

/** The same for a file that is not open yet. Errors: LS_E_INPUT if it is damaged, LS_E_ACCESS, LS_E_IO,
 * LS_E_MEMORY. */
ls_status ls_checkpoint_examine(const char *path) LS_CHECKED;

#endif
