/* SPDX-License-Identifier: BSD-3-Clause */
/* Wall-clock time. */
#ifndef LS_BASE_CLOCK_H
#define LS_BASE_CLOCK_H

/** Seconds from a fixed, arbitrary moment; never goes back. */
double ls_clock_s(void);

#endif
