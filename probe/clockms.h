/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PROBE_CLOCKMS_H
#define PROBE_CLOCKMS_H

#include <stdint.h>
#include <time.h>

/* Monotonic milliseconds, for the daemon's own timers. */
static inline uint64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

#endif /* PROBE_CLOCKMS_H */
