/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a step may wait for each other. With fewer threads than parts, one would wait for a part that
 * it has to carry itself, for ever; so the size of a team is found by starting one. A table has the causes
 * for fewer threads. */
#include "comm/team.h"

#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "base/text.h"

void ls_team_run(size_t threads, void (*work)(void *user, size_t part), void *user)
{
  if (threads == 1) {
    work(user, 0);
    return;
  }
  const int dynamic = omp_get_dynamic();
  omp_set_dynamic(0);
#pragma omp parallel for schedule(static, 1) num_threads((int)threads)
  for (size_t part = 0; part < threads; part++) work(user, part);
  omp_set_dynamic(dynamic);
}

/* What the threads of a team write zeros to. */
typedef struct clearing {
  float *values;
  size_t count, threads;
} clearing;

static void clear_part(void *user, size_t part)
{
  const clearing *self = user;
  const size_t first = ls_part_first(self->count, self->threads, part);
  const size_t end = ls_part_first(self->count, self->threads, part + 1);
  memset(self->values + first, 0, (end - first) * sizeof *self->values);
}

void ls_team_clear(size_t threads, float *values, size_t count)
{
  clearing self = {.values = values, .count = count, .threads = threads};
  ls_team_run(threads, clear_part, &self);
}

/* Request no more than the limit: libomp would print a warning of its own. */
static size_t count_given(size_t threads)
{
  size_t given = 0;
  const int dynamic = omp_get_dynamic();
  const int asked = (int)ls_size_min(threads, (size_t)omp_get_thread_limit());
  omp_set_dynamic(0);
#pragma omp parallel num_threads(asked) reduction(+ : given)
  given++;
  omp_set_dynamic(dynamic);
  return given;
}

static bool is_limited(size_t threads)
{
  return (size_t)omp_get_thread_limit() < threads;
}

static int warn_limit(char *text, size_t bytes)
{
  return snprintf(text, bytes, "OMP_THREAD_LIMIT is %d; try: unset OMP_THREAD_LIMIT", omp_get_thread_limit());
}

static bool has_no_levels(size_t threads)
{
  (void)threads;
  return omp_get_max_active_levels() == 0;
}

static int warn_no_levels(char *text, size_t bytes)
{
  return snprintf(text, bytes, "OMP_MAX_ACTIVE_LEVELS is 0; try: unset OMP_MAX_ACTIVE_LEVELS");
}

static bool is_nested(size_t threads)
{
  (void)threads;
  return omp_get_active_level() >= omp_get_max_active_levels();
}

static int warn_nested(char *text, size_t bytes)
{
  const int level = omp_get_active_level();
  return snprintf(text, bytes,
                  "the caller is in %d parallel region%s, and OMP_MAX_ACTIVE_LEVELS is %d; try: "
                  "OMP_MAX_ACTIVE_LEVELS=%d, or a call from outside of them",
                  level, ls_plural((uint64_t)level), omp_get_max_active_levels(), level + 1);
}

static bool is_any(size_t threads)
{
  (void)threads;
  return true;
}

static int warn_any(char *text, size_t bytes)
{
  return snprintf(text, bytes, "OpenMP does not say why; try: unset the variables OMP_*");
}

/* The first that holds. */
static const struct {
  bool (*holds)(size_t threads);
  int (*report)(char *text, size_t bytes); /* as snprintf() */
} causes[] = {
    {.holds = is_limited, .report = warn_limit},
    {.holds = has_no_levels, .report = warn_no_levels},
    {.holds = is_nested, .report = warn_nested},
    {.holds = is_any, .report = warn_any},
};

void ls_team_shortage(size_t threads, char *text, size_t bytes)
{
  char cause[192];
  text[0] = '\0';
  if (threads <= 1) return;
  const size_t given = count_given(threads);
  if (given >= threads) return;
  size_t i = 0;
  while (!causes[i].holds(threads)) i++;
  causes[i].report(cause, sizeof cause);
  snprintf(text, bytes, "OpenMP gives this rank %zu of %zu threads: %s, or ask for %zu (OMP_NUM_THREADS=%zu)",
           given, threads, cause, given, given);
}

ls_status ls_team_check(size_t threads)
{
  char shortage[LS_TEAM_SHORTAGE_CHARS];
  ls_team_shortage(threads, shortage, sizeof shortage);
  return *shortage ? ls_fail(LS_E_INPUT, "%s", shortage) : LS_OK;
}
