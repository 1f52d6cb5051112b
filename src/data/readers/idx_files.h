/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of an IDX dataset, each opened once. Private to the reader of IDX. */
#ifndef LS_DATA_READERS_IDX_FILES_H
#define LS_DATA_READERS_IDX_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "data/readers/reader.h"
#include "data/readers/stream.h"

enum {
  LS_IDX_MAGIC_BYTES = 4,
  LS_IDX_TYPE_BYTE = 2, /* of the magic: of the elements */
  LS_IDX_RANK_BYTE = 3, /* of the magic: the number of dimensions */
  LS_IDX_UINT8 = 0x08,  /* the type of bytes without a sign */
  LS_IDX_IMAGE_RANK = 3,
  LS_IDX_LABEL_RANK = 1
};

typedef struct ls_idx_file {
  ls_stream *stream; /* behind the magic; owned; NULL: there is no such file */
  const char *name;  /* in the folder; borrowed */
  unsigned char magic[LS_IDX_MAGIC_BYTES];
} ls_idx_file;

typedef struct ls_idx_split {
  ls_idx_file images, labels;
} ls_idx_split;

/** The name of a type byte, for people; NULL: there is no such type. */
const char *ls_idx_type_name(unsigned char type);

/** Does one of the input's files belong to this format? Local. Errors: LS_E_INPUT, LS_E_IO, LS_E_MEMORY. */
ls_status ls_idx_recognize(const ls_reader_input *input, bool *is_mine) LS_CHECKED;

/** Open the files of a folder, each in its role, and note in `source` whose they are.
 *
 * @param[in,out] splits  empty; both files of a split or none. On an error, too, there may be some to close
 *
 * Local. Errors: LS_E_INPUT if roles are not clear, or a split is not complete; LS_E_IO, LS_E_MEMORY.
 */
ls_status ls_idx_open_files(ls_source *source, const ls_reader_input *input,
                            ls_idx_split splits[LS_SPLIT_COUNT]) LS_CHECKED;

/** Close a file; one that is closed is fine. */
void ls_idx_close(ls_idx_file *file);

#endif
