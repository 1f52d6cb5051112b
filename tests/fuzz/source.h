/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold for any dataset that opens: labels are below the number of classes, and everything that its
 * headers promise can be read, or is refused. */
#ifndef LS_TESTS_FUZZ_SOURCE_H
#define LS_TESTS_FUZZ_SOURCE_H

#include "data/source.h"
#include "data/survey.h"
#include "fuzz/fuzz.h"

/* Read the whole of a dataset, if it is one. */
static inline void fuzz_source_as(const char *where, const ls_reading *reading)
{
  ls_source *source;
  ls_survey survey;
  if (!fuzz_accepted(ls_source_open_as(&source, where, reading))) return;
  const ls_dataset_info *info = ls_source_info(source);
  FUZZ_REQUIRE(strlen(info->name) < sizeof info->name, "a name without end");
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    for (size_t i = 0; i < info->count[split]; i++)
      FUZZ_REQUIRE(ls_source_labels(source, (ls_split)split)[i] < info->classes, "sample %zu", i);
  if (fuzz_accepted(ls_survey_make(&survey, source, NULL))) ls_survey_fini(&survey);
  ls_source_close(source);
}

static inline void fuzz_source(const char *where)
{
  fuzz_source_as(where, &(ls_reading){.classes = 0});
}

#endif
