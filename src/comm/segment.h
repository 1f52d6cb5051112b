/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that several processes of a host map: made by one, found by the others through its key. */
#ifndef LS_COMM_SEGMENT_H
#define LS_COMM_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/** What another process needs to find a segment; sent to it as bytes. */
typedef struct ls_segment_key {
  int64_t process;
  int64_t descriptor;
  uint64_t token; /* at the segment's begin: another process may have that number in another container */
  uint64_t bytes;
} ls_segment_key;

/** Zero-initialize it. */
typedef struct ls_segment {
  unsigned char *base; /* [bytes], 64-byte aligned */
  ls_segment_key key;
  int descriptor; /* of the process that made it, 1 above the number; 0: none */
} ls_segment;

/** Make a segment of `bytes` zeroed bytes. Of `threads` equal shares each is near the thread of a team that
 * has this part. Local. Errors: LS_E_MEMORY. */
ls_status ls_segment_make(ls_segment *segment, size_t bytes, size_t threads) LS_CHECKED;

/** Map the segment that another process made. It must still hold it open. Local. Errors: LS_E_MEMORY. */
ls_status ls_segment_map(ls_segment *segment, const ls_segment_key *key) LS_CHECKED;

/** Once all others have mapped it; those that have keep it. Local. */
void ls_segment_close(ls_segment *segment);

/** Unmap it. Local. */
void ls_segment_fini(ls_segment *segment);

#endif
