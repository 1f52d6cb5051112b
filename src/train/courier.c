/* SPDX-License-Identifier: BSD-3-Clause */
#include "train/courier.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

typedef enum state { RESTING, SENT, DONE, LEAVING } state;

struct ls_courier {
  ls_courier_job *job;
  void *user;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  state state;
  ls_status status; /* of the last job */
  ls_error error;   /* its chain, unless the status is LS_OK */
};

static void set_state(ls_courier *courier, state to)
{
  pthread_mutex_lock(&courier->mutex);
  courier->state = to;
  pthread_cond_broadcast(&courier->changed);
  pthread_mutex_unlock(&courier->mutex);
}

/* Wait until the state is one of the two; which one it is. */
static state await(ls_courier *courier, state one, state other)
{
  pthread_mutex_lock(&courier->mutex);
  while (courier->state != one && courier->state != other)
    pthread_cond_wait(&courier->changed, &courier->mutex);
  const state found = courier->state;
  pthread_mutex_unlock(&courier->mutex);
  return found;
}

/* The job is done, unless the courier is to leave. */
static void finish(ls_courier *courier)
{
  pthread_mutex_lock(&courier->mutex);
  if (courier->state == SENT) courier->state = DONE;
  pthread_cond_broadcast(&courier->changed);
  pthread_mutex_unlock(&courier->mutex);
}

static void *work(void *user)
{
  ls_courier *courier = user;
  while (await(courier, SENT, LEAVING) == SENT) {
    courier->status = courier->job(courier->user);
    if (courier->status != LS_OK) courier->error = *ls_error_last();
    finish(courier);
  }
  return NULL;
}

/* Signals are the main thread's. */
static int start_thread(ls_courier *courier)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int code = pthread_create(&courier->thread, NULL, work, courier);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

ls_status ls_courier_new(ls_courier **out, ls_courier_job *job, void *user)
{
  ls_courier *courier;
  LS_PASS(ls_alloc(&courier, 1, sizeof *courier, "a courier"));
  courier->job = job;
  courier->user = user;
  pthread_mutex_init(&courier->mutex, NULL);
  pthread_cond_init(&courier->changed, NULL);
  if (start_thread(courier) != 0) {
    free(courier);
    return ls_fail(LS_E_MEMORY, "no thread can be started for the sums between hosts");
  }
  *out = courier;
  return LS_OK;
}

void ls_courier_free(ls_courier *courier)
{
  if (!courier) return;
  set_state(courier, LEAVING);
  pthread_join(courier->thread, NULL);
  pthread_cond_destroy(&courier->changed);
  pthread_mutex_destroy(&courier->mutex);
  free(courier);
}

void ls_courier_send(ls_courier *courier)
{
  set_state(courier, SENT);
}

ls_status ls_courier_wait(ls_courier *courier)
{
  await(courier, DONE, DONE);
  set_state(courier, RESTING);
  if (courier->status != LS_OK) ls_error_install(&courier->error);
  return courier->status;
}
