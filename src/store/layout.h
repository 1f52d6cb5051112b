/* SPDX-License-Identifier: BSD-3-Clause */
/* What the writer and the readers of a checkpoint must agree on. Private to the module. */
#ifndef LS_STORE_LAYOUT_H
#define LS_STORE_LAYOUT_H

#include <stddef.h>

#include "base/digest.h"
#include "store/checkpoint.h"
#include "h5/h5.h"

#define LS_CHECKPOINT_FORMAT "lockstep-checkpoint"
#define LS_METRICS_FORMAT "lockstep-metrics"
#define LS_SCALING_FORMAT "lockstep-scaling"

enum { LS_STORE_FORMAT_VERSION = 1 };

/** The attribute of each tensor in /model that gives its place in the digest: parameters, then buffers, from
 * 0. */
#define LS_TENSOR_ORDER "order"

/** Take one more tensor, by its own digest, into a chained digest, which starts as "". */
void ls_digest_chain(char digest[LS_DIGEST_CHARS], const char tensor[LS_DIGEST_CHARS]);

/** The first line of the configuration that starts with "name: ", without that: borrowed, up to *length
 * bytes; NULL if there is none. */
const char *ls_config_name(const char *config, size_t *length);

/** Is a name <prefix><number><suffix>, and which number? Only the spelling that the writer uses is, so that
 * it names the file again. */
bool ls_name_number(const char *name, const char *prefix, const char *suffix, uint64_t *number);

/** Write the attributes format, format_version and lockstep_version. Errors: LS_E_MEMORY. */
ls_status ls_format_write(hid_t file, const char *format) LS_CHECKED;

/** Check that an open file is of this format and a version that this program reads. Errors: LS_E_INPUT. */
ls_status ls_format_check(hid_t file, const char *format) LS_CHECKED;

/** Write what a reader must know before it builds the model. Errors: LS_E_MEMORY. */
ls_status ls_info_write(hid_t file, const ls_checkpoint_info *info) LS_CHECKED;

/** Read and check it; on error *info is empty. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_info_read(hid_t file, ls_checkpoint_info *info) LS_CHECKED;

/** Read all datasets of an open checkpoint and check its weights' digest. Errors: LS_E_INPUT, LS_E_MEMORY. */
ls_status ls_checkpoint_verify(hid_t file, const ls_checkpoint_info *info) LS_CHECKED;

/** The same for a file that is not open yet. Errors: LS_E_INPUT if it is damaged, LS_E_ACCESS, LS_E_IO,
 * LS_E_MEMORY. */
ls_status ls_checkpoint_examine(const char *path) LS_CHECKED;

#endif
