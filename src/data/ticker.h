/* SPDX-License-Identifier: BSD-3-Clause */
/* A callback through which a long task reports how far it is. */
#ifndef LS_DATA_TICKER_H
#define LS_DATA_TICKER_H

#include <stddef.h>

typedef struct ls_ticker {
  void *user;
  void (*tick)(void *user, size_t done, size_t total); /* of samples; NULL: not called */
} ls_ticker;

static inline void ls_tick(const ls_ticker *ticker, size_t done, size_t total)
{
  if (ticker && ticker->tick) ticker->tick(ticker->user, done, total);
}

#endif
