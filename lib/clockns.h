/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NPK_LIB_CLOCKNS_H
#define NPK_LIB_CLOCKNS_H

#include <stdint.h>
#include <time.h>

#include <npk/clock.h>

/* A clock of the system, nanoseconds. */
static inline uint64_t npk_clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* For records on the monotonic clock: what time it is, and how far the wall clock is. */
static inline struct npk_clock npk_clock_now(void)
{
	struct npk_clock clock = { .now_ns = npk_clock_ns(CLOCK_MONOTONIC) };

	clock.offset_ns = (int64_t)(npk_clock_ns(CLOCK_REALTIME) - clock.now_ns);
	return clock;
}

#endif /* NPK_LIB_CLOCKNS_H */
