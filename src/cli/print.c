/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/print.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/show.h"
#include "eval/report/json.h"

enum {
  PORTION_BYTES = 512,            /* of a long line at a time */
  LINE_BYTES = 8 * PORTION_BYTES, /* an escape is at most four times as long as its bytes */
};

/* Open MPI's mpirun puts a pseudo-terminal between itself and its ranks, so that isatty() is true even when
 * its own output goes to a file. There the output of the launcher, our parent, counts. */
static bool parent_on_terminal(int number)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getppid(), number);
  int descriptor = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return false;
  bool terminal = isatty(descriptor) == 1;
  close(descriptor);
  return terminal;
}

bool ls_on_terminal(FILE *stream)
{
  const int number = fileno(stream);
  if (isatty(number) != 1) return false;
  return getenv("OMPI_COMM_WORLD_SIZE") ? parent_on_terminal(number) : true;
}

/* The text in `line`, or where that is too short on the heap: the caller frees what is not `line`. Without
 * memory, it is cut. */
__attribute__((format(printf, 2, 0))) static char *show(char line[LINE_BYTES], const char *fmt, va_list args)
{
  const size_t length = ls_show_into(line, LINE_BYTES, fmt, args);
  char *whole = length < LINE_BYTES || LS_FAULT("alloc", __func__) ? NULL : malloc(length + 1);
  if (!whole) return line;
  ls_show_into(whole, length + 1, fmt, args);
  return whole;
}

void ls_print(FILE *stream, const char *fmt, ...)
{
  char line[LINE_BYTES];
  va_list args;
  va_start(args, fmt);
  char *text = show(line, fmt, args);
  va_end(args);
  fputs(text, stream);
  if (text != line) free(text);
}

void ls_warn(const char *fmt, ...)
{
  char line[LINE_BYTES];
  va_list args;
  va_start(args, fmt);
  char *text = show(line, fmt, args);
  va_end(args);
  ls_print(stderr, "lockstep: warning: %s\n", text);
  if (text != line) free(text);
}

/* As much of a line as is printed at a time: no character is taken apart. */
static size_t portion_of(const char *line, size_t length)
{
  size_t portion = length;
  if (length <= PORTION_BYTES) return length;
  for (portion = PORTION_BYTES; portion > PORTION_BYTES - 4; portion--)
    if (((unsigned char)line[portion] & 0xC0) != 0x80) return portion; /* UTF-8: not inside a character */
  return PORTION_BYTES;
}

void ls_print_lines(FILE *stream, const char *text)
{
  while (*text) {
    const size_t length = strcspn(text, "\n");
    const size_t portion = portion_of(text, length);
    const bool is_end = portion == length && text[length] == '\n';
    ls_print(stream, is_end ? "%.*s\n" : "%.*s", (int)portion, text);
    text += portion + is_end;
  }
}

/* The next line of a text, and its bytes; NULL: there is none. */
static const char *next_line(const char **text, int *length)
{
  const char *line = *text + strspn(*text, "\n");
  *length = (int)strcspn(line, "\n");
  *text = line + *length;
  return *length > 0 ? line : NULL;
}

void ls_print_each(FILE *stream, const char *begin, const ls_text *lines)
{
  int length;
  const char *text = ls_text_get(lines);
  for (const char *line; (line = next_line(&text, &length));)
    ls_print(stream, "%s%.*s\n", begin, length, line);
  if (lines->failed) ls_warn("no memory to print all of this");
}

void ls_warn_each(const char *whose, const ls_text *lines)
{
  int length;
  const char *text = ls_text_get(lines);
  for (const char *line; (line = next_line(&text, &length));) ls_warn("%s%.*s", whose, length, line);
  if (lines->failed) ls_warn("no memory to print all of this");
}

void ls_print_json(const char *document)
{
  ls_print_lines(stdout, document);
  fputs("\n", stdout);
}

ls_status ls_print_text(ls_text *text)
{
  char *whole;
  LS_PASS(ls_text_take(text, &whole));
  ls_print_lines(stdout, whole);
  free(whole);
  return LS_OK;
}

ls_status ls_print_document(json_t *document, size_t flags)
{
  char *text;
  LS_PASS(ls_json_take(document, flags, &text));
  ls_print_json(text);
  free(text);
  return LS_OK;
}
