/* SPDX-License-Identifier: BSD-3-Clause */
/* The error chain: one bounded text per thread, built from the inside out. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/show.h"

static _Thread_local ls_error last;

ls_status ls_fail(ls_status status, const char *fmt, ...)
{
  char text[sizeof last.text]; /* the arguments may point into the old chain */
  va_list args;
  va_start(args, fmt);
  ls_show_into(text, sizeof text, fmt, args);
  va_end(args);
  memcpy(last.text, text, sizeof text);
  last.status = status;
  last.rank = -1;
  return status;
}

ls_status ls_wrap(ls_status status, const char *fmt, ...)
{
  char text[sizeof last.text];
  va_list args;
  va_start(args, fmt);
  const size_t head = ls_show_into(text, sizeof text, fmt, args);
  va_end(args);
  if (head + 3 > sizeof text) return status; /* does not fit: keep the inner facts */
  snprintf(text + head, sizeof text - head, ": %.*s", (int)(sizeof text - head - 3), last.text);
  memcpy(last.text, text, sizeof text);
  last.status = status;
  return status;
}

const ls_error *ls_error_last(void)
{
  return &last;
}

void ls_error_install(const ls_error *error)
{
  last = *error;
  last.text[sizeof last.text - 1] = '\0';
}

static const struct {
  const char *word;
  int exit_status;
} table[] = {
#define LS_STATUS_ROW(code, word, exit_status) [code] = {word, exit_status},
    LS_STATUS_LIST(LS_STATUS_ROW)
#undef LS_STATUS_ROW
};

const char *ls_status_word(ls_status status)
{
  return table[status].word;
}

int ls_status_exit(ls_status status)
{
  return table[status].exit_status;
}
