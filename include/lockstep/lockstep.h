/* SPDX-License-Identifier: BSD-3-Clause */
/* liblockstep: use a trained network from a C program.
 *
 *   lockstep_model *model;
 *   if (lockstep_model_open("runs/first/best.h5", &model) != 0) fprintf(stderr, "%s\n", lockstep_error());
 *   float p[10];
 *   lockstep_model_predict(model, image, 1, p);
 *   lockstep_model_close(model);
 *
 * Functions that return int give 0 on success, and otherwise the exit status that the program would end with;
 * lockstep_error() then says what happened. A model may be used by one thread at a time. The program's locale
 * is neither used nor changed.
 *
 * HDF5 is opened without its handler at the program's exit (H5dont_atexit): a program that uses HDF5 itself
 * closes its files. A checkpoint without a valid seal is first read in a child process (fork).
 */
#ifndef LOCKSTEP_LOCKSTEP_H
#define LOCKSTEP_LOCKSTEP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LOCKSTEP_API __attribute__((visibility("default")))

/** A trained network; opaque. */
typedef struct lockstep_model lockstep_model;

/** What a network takes and gives. */
typedef struct lockstep_model_info {
  size_t channels, height, width; /* of an image */
  size_t classes;
  size_t parameters;
} lockstep_model_info;

/** Version of the library, "MAJOR.MINOR.PATCH"; static. */
LOCKSTEP_API const char *lockstep_version(void);

/** What the last failed call of this thread says; valid until its next failure. */
LOCKSTEP_API const char *lockstep_error(void);

/** Load a checkpoint, or weights of another program with a configuration beside them that gives data.shape
 * and data.normalize (model.pt, model.yaml). *model is the caller's, closed with lockstep_model_close(); NULL
 * on failure. */
LOCKSTEP_API int lockstep_model_open(const char *checkpoint, lockstep_model **model);

/** NULL is fine. */
LOCKSTEP_API void lockstep_model_close(lockstep_model *model);

LOCKSTEP_API lockstep_model_info lockstep_model_describe(const lockstep_model *model);

/** Probabilities of the classes for `count` images.
 *
 * @param[in]  images         [count, channels, height, width], 0 .. 255; normalized as in training
 * @param[out] probabilities  [count, classes], each row sums to 1; of a network that was trained with bce the
 *                            probability of each label, with mse the values
 */
LOCKSTEP_API void lockstep_model_predict(lockstep_model *model, const uint8_t *images, size_t count,
                                         float *probabilities);

#ifdef __cplusplus
}
#endif

#endif
