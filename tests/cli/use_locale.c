/* SPDX-License-Identifier: BSD-3-Clause */
/* A program that uses liblockstep, in the locales that it is given: use_locale CHECKPOINT.h5 LOCALE...
 * A line for each: the bits of the probabilities of some images, and what the library has made of the locale.
 */
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockstep/lockstep.h"

enum { IMAGES = 5 };

/* Images of noise; the same in every call. */
static void fill(uint8_t *pixels, size_t count)
{
  uint32_t state = 1;
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525U + 1013904223U;
    pixels[i] = (uint8_t)(state >> 24);
  }
}

static int predict(const char *checkpoint)
{
  lockstep_model *model;
  if (lockstep_model_open(checkpoint, &model) != 0) {
    printf("%s\n", lockstep_error());
    return 1;
  }
  const lockstep_model_info info = lockstep_model_describe(model);
  const size_t size = info.channels * info.height * info.width;
  uint8_t *images = malloc(IMAGES * size);
  float *probabilities = malloc(IMAGES * info.classes * sizeof *probabilities);
  if (!images || !probabilities) return 1;
  fill(images, IMAGES * size);
  lockstep_model_predict(model, images, IMAGES, probabilities);
  for (size_t i = 0; i < IMAGES * info.classes; i++) {
    uint32_t bits;
    memcpy(&bits, &probabilities[i], sizeof bits);
    printf("%08x", bits);
  }
  printf("\n");
  free(images);
  free(probabilities);
  lockstep_model_close(model);
  return 0;
}

static void *predict_in_thread(void *checkpoint)
{
  static int failed = 1, fine = 0;
  return predict(checkpoint) == 0 ? &fine : &failed;
}

/* As the program sees it: after the library's calls as before. */
static void print_numbers(FILE *stream)
{
  fprintf(stream, "%s %s %.2f %d\n", setlocale(LC_ALL, NULL), localeconv()->decimal_point, 1.5,
          strtod("2,5", NULL) > 2.25);
}

static int try_locale(char *checkpoint, const char *name)
{
  char before[256] = "", after[256] = "";
  pthread_t thread;
  void *failed;
  if (!setlocale(LC_ALL, name)) {
    printf("no locale %s\n", name);
    return 1;
  }
  FILE *text = fmemopen(before, sizeof before, "w");
  print_numbers(text);
  fclose(text);
  if (predict(checkpoint) != 0) return 1;
  text = fmemopen(after, sizeof after, "w");
  print_numbers(text);
  fclose(text);
  if (strcmp(before, after) != 0) {
    printf("the locale was %safterwards it is %s", before, after);
    return 1;
  }
  /* A locale of this thread alone; and another thread, which has the program's. */
  const locale_t own = newlocale(LC_ALL_MASK, name, (locale_t)0), global = uselocale(own);
  if (predict(checkpoint) != 0 || uselocale((locale_t)0) != own) return 1;
  uselocale(global);
  freelocale(own);
  if (pthread_create(&thread, NULL, predict_in_thread, checkpoint) != 0) return 1;
  pthread_join(thread, &failed);
  return *(int *)failed;
}

int main(int argc, char **argv)
{
  if (argc < 3) return 2;
  for (int i = 2; i < argc; i++)
    if (try_locale(argv[1], argv[i]) != 0) return 1;
  return 0;
}
