/* SPDX-License-Identifier: BSD-3-Clause */
/* Replacements as sed's s/PATTERN/REPLACEMENT/g makes them, but for '&': \0 is the whole. */
#include "store/rename.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "h5/h5.h"

enum { GROUPS = 10, REASON_BYTES = 128, NAME_BYTES = LS_H5_PATH_BYTES };

struct ls_rename {
  regex_t pattern;
  const char *replacement; /* borrowed */
};

/* Where text is put together. */
typedef struct target {
  char text[NAME_BYTES];
  size_t length;
} target;

/* ---- patterns ---- */

static ls_status check_groups(const char *replacement, size_t groups)
{
  for (const char *c = replacement; *c != '\0'; c++) {
    if (*c != '\\') continue;
    c++;
    if (*c == '\0') return ls_fail(LS_E_CONFIG, "'%s' ends in a backslash", replacement);
    if (*c >= '0' && *c <= '9' && (size_t)(*c - '0') > groups)
      return ls_fail(LS_E_CONFIG, "'%s' refers to group %c of a pattern that has %zu", replacement, *c,
                     groups);
  }
  return LS_OK;
}

static ls_status compile(ls_renames *renames, const char *pattern, const char *replacement)
{
  ls_rename *rename = &renames->list[renames->count];
  const int error = regcomp(&rename->pattern, pattern, REG_EXTENDED);
  if (error == REG_ESPACE) return ls_fail(LS_E_MEMORY, "no memory for pattern '%s'", pattern);
  if (error != 0) {
    char reason[REASON_BYTES];
    regerror(error, &rename->pattern, reason, sizeof reason);
    return ls_fail(LS_E_CONFIG, "'%s' is no extended regular expression: %s", pattern, reason);
  }
  rename->replacement = replacement;
  renames->count++;
  return check_groups(replacement, rename->pattern.re_nsub);
}

ls_status ls_renames_compile(ls_renames *renames, const ls_text_list *pairs)
{
  *renames = (ls_renames){.count = 0};
  LS_PASS(ls_alloc(&renames->list, pairs->count / 2, sizeof *renames->list, "patterns of names"));
  for (size_t i = 0; i + 1 < pairs->count; i += 2)
    LS_TRY(compile(renames, pairs->items[i], pairs->items[i + 1]), "model.rename");
  return LS_OK;
}

void ls_renames_fini(ls_renames *renames)
{
  for (size_t i = 0; i < renames->count; i++) regfree(&renames->list[i].pattern);
  free(renames->list);
  *renames = (ls_renames){.count = 0};
}

/* ---- names ---- */

static void add(target *to, const char *text, size_t length)
{
  length = ls_size_min(length, sizeof to->text - 1 - to->length);
  memcpy(to->text + to->length, text, length);
  to->length += length;
}

static void add_replacement(target *to, const char *replacement, const char *name, const regmatch_t *groups)
{
  for (const char *c = replacement; *c != '\0'; c++) {
    if (*c != '\\') {
      add(to, c, 1);
      continue;
    }
    c++;
    if (*c < '0' || *c > '9')
      add(to, c, 1);
    else if (groups[*c - '0'].rm_so >= 0)
      add(to, name + groups[*c - '0'].rm_so, (size_t)(groups[*c - '0'].rm_eo - groups[*c - '0'].rm_so));
  }
}

static void apply_one(const ls_rename *rename, const char *name, target *to)
{
  regmatch_t groups[GROUPS];
  const char *at = name;
  to->length = 0;
  while (regexec(&rename->pattern, at, GROUPS, groups, at > name ? REG_NOTBOL : 0) == 0) {
    add(to, at, (size_t)groups[0].rm_so);
    add_replacement(to, rename->replacement, at, groups);
    const bool is_empty = groups[0].rm_eo == groups[0].rm_so;
    at += groups[0].rm_eo;
    if (*at == '\0') break;
    if (is_empty) add(to, at++, 1); /* on, or it would fit here again */
  }
  add(to, at, strlen(at));
  to->text[to->length] = '\0';
}

void ls_renames_apply(const ls_renames *renames, const char *name, char *out, size_t size)
{
  target now;
  now.length = 0;
  add(&now, name, strlen(name));
  now.text[now.length] = '\0';
  for (size_t i = 0; i < renames->count; i++) {
    target next;
    apply_one(&renames->list[i], now.text, &next);
    now = next;
  }
  snprintf(out, size, "%s", now.text);
}
