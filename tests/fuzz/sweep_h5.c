/* SPDX-License-Identifier: BSD-3-Clause */
/* Every byte of a sound HDF5 file is changed in four ways, and all that reads such files is run on it: it may
 * be refused or read, but never crash, hang or take much memory.
 *
 *   sweep_h5 FILE [STRIDE]      only every STRIDE-th byte; the first one goes by the file's name
 *
 * The readings run in a process of their own, which reports the number of the change it is at, so that a
 * crash is reported with its offset and the sweep goes on behind it. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/memory.h"
#include "eval/loaded.h"
#include "eval/loading.h"
#include "fuzz/fuzz.h"
#include "fuzz/source.h"
#include "store/checkpoint.h"
#include "train/schemas.h"

enum { WAYS = 4, CPU_LIMIT_MS = 1000, MEMORY_LIMIT_MB = 160 };

static const char path[] = "damaged.h5";

/* What the worker counts. */
typedef struct outcome {
  size_t change;  /* the one it is at */
  size_t refused; /* readings */
  size_t read;
  size_t failed; /* changes with which something was broken */
} outcome;

static uint8_t changed(uint8_t byte, size_t way)
{
  const uint8_t ways[WAYS] = {0x00, 0xff, byte ^ 0x80, byte ^ 0x01};
  return ways[way];
}

/* ---- the readings ---- */

static ls_status inspect(void)
{
  ls_text text = {0};
  const ls_status status = ls_inspect(path, &text);
  FUZZ_REQUIRE(!text.failed, "no memory");
  ls_text_fini(&text);
  return status;
}

static ls_status read_source(void)
{
  ls_source *source;
  ls_survey survey;
  LS_PASS(ls_source_open(&source, path, 0));
  const ls_status status = ls_survey_make(&survey, source, NULL);
  if (status == LS_OK) ls_survey_fini(&survey);
  ls_source_close(source);
  return status;
}

static ls_status load(void)
{
  ls_loaded loaded;
  LS_PASS(ls_loaded_read(&loaded, path, &ls_all_schemas));
  ls_loaded_close(&loaded);
  return LS_OK;
}

static ls_status (*const readings[])(void) = {inspect, read_source, load};
enum { READINGS = sizeof readings / sizeof *readings };

/* ---- a change ---- */

/* Of this process and the children it has waited for. */
static double cpu_ms(void)
{
  double ms = 0;
  struct rusage used;
  const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
  for (size_t i = 0; i < 2; i++) {
    getrusage(whose[i], &used);
    ms += 1e3 * (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
          1e-3 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  }
  return ms;
}

/* True if the reading kept its promises. */
static bool try_reading(size_t reading, outcome *counts)
{
  const double before = cpu_ms();
  const ls_status status = readings[reading]();
  const double ms = cpu_ms() - before;
  const char *text = status == LS_OK ? "" : ls_error_last()->text;
  const bool is_refused = status == LS_E_INPUT || status == LS_E_CONFIG;
  counts->refused += is_refused;
  counts->read += status == LS_OK;
  if ((status == LS_OK || (is_refused && strstr(text, path))) && ms < CPU_LIMIT_MS) return true;
  printf("  change %zu, reading %zu: %s: %s (%.0f ms)\n", counts->change, reading, ls_status_word(status),
         text, ms);
  return false;
}

static void put_byte(int file, size_t at, uint8_t byte)
{
  FUZZ_REQUIRE(pwrite(file, &byte, 1, (off_t)at) == 1, "cannot change byte %zu", at);
}

/* A sound file and which of its bytes are changed. */
typedef struct sweep {
  uint8_t *sound;
  size_t count, first, stride;
} sweep;

static size_t offset_of(const sweep *self, size_t change)
{
  return self->first + change / WAYS * self->stride;
}

static void run_changes(const sweep *self, outcome *counts)
{
  int file = open(path, O_RDWR);
  FUZZ_REQUIRE(file >= 0, "cannot open %s", path);
  for (; offset_of(self, counts->change) < self->count; counts->change++) {
    const size_t at = offset_of(self, counts->change);
    bool is_kept = true;
    put_byte(file, at, changed(self->sound[at], counts->change % WAYS));
    for (size_t i = 0; i < READINGS; i++) is_kept &= try_reading(i, counts);
    counts->failed += !is_kept;
    put_byte(file, at, self->sound[at]);
  }
  close(file);
}

static void run_worker(const sweep *self, outcome *counts)
{
  fuzz_write(path, self->sound, self->count);
  pid_t worker = fork();
  FUZZ_REQUIRE(worker >= 0, "cannot fork");
  if (worker == 0) {
    run_changes(self, counts);
    fflush(stdout);
    _exit(0);
  }
  int how = 0;
  FUZZ_REQUIRE(waitpid(worker, &how, 0) == worker, "cannot wait");
  if (how == 0) return;
  printf("  change %zu: ended by %d\n", counts->change, WIFSIGNALED(how) ? WTERMSIG(how) : -WEXITSTATUS(how));
  counts->failed++;
  counts->change++;
}

/* FILE's name decides where the sweep begins, so that the files are not all changed at the same offsets. */
static size_t choose_first(const char *name, size_t stride)
{
  size_t sum = 0;
  for (; *name; name++) sum = 31 * sum + (unsigned char)*name;
  return sum % stride;
}

int main(int count, char **arguments)
{
  FUZZ_REQUIRE(count == 2 || count == 3, "usage: sweep_h5 FILE [STRIDE]");
  outcome *counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  FUZZ_REQUIRE(counts != MAP_FAILED, "no memory");
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  sweep self = {.stride = count == 3 ? strtoul(arguments[2], NULL, 10) : 1};
  const char *slash = strrchr(arguments[1], '/');
  self.sound = fuzz_read(arguments[1], &self.count);
  self.first = choose_first(slash ? slash + 1 : arguments[1], self.stride);
  while (offset_of(&self, counts->change) < self.count) run_worker(&self, counts);
  struct rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  const long mb = used.ru_maxrss / 1024;
  printf("%s: %zu changes, %zu readings refused, %zu read, %zu failed, %ld MB\n", arguments[1],
         counts->change, counts->refused, counts->read, counts->failed, mb);
  free(self.sound);
  return counts->failed == 0 && mb < MEMORY_LIMIT_MB ? 0 : 1;
}
