/* SPDX-License-Identifier: BSD-3-Clause */
/* What a dataset holds, found in one pass over it: samples per class, mean and deviation per channel, and a
 * digest of the contents, which does not depend on the format they are stored in. */
#ifndef LS_DATA_SURVEY_H
#define LS_DATA_SURVEY_H

#include <stddef.h>

#include "base/digest.h"
#include "base/status.h"
#include "data/normalize.h"
#include "data/source.h"
#include "data/ticker.h"

/** One of several numbers that are the labels of a sample. */
typedef struct ls_value_survey {
  double least, most, mean, deviation; /* of the population; 0 if there are no samples */
} ls_value_survey;

typedef struct ls_split_survey {
  size_t *per_class;                 /* [classes] samples of a class, or with a label; owned */
  ls_value_survey *values;           /* [classes] where labels are numbers; else NULL; owned */
  double mean[LS_MAX_CHANNELS];      /* per channel, in pixel units (0 .. 255); 0 if there are no samples */
  double deviation[LS_MAX_CHANNELS]; /* of the population, in pixel units */
} ls_split_survey;

typedef struct ls_survey {
  ls_split_survey splits[LS_SPLIT_COUNT];
  char digest[LS_DIGEST_CHARS]; /* of counts, shape, images and labels of both splits */
} ls_survey;

/** Read everything once, in blocks. The sums are integers: the numbers are exact to the last rounding.
 *
 * Local. Errors: those of reading the source; LS_E_MEMORY. On error there is nothing to release.
 */
ls_status ls_survey_make(ls_survey *out, ls_source *source, const ls_ticker *ticker) LS_CHECKED;
void ls_survey_fini(ls_survey *survey);

#endif
