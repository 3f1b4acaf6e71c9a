/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a packet was received: the kernel's monotonic time, worked out from the CPU's
 * cycle counter where that is what the kernel's time is made of.
 *
 * ktime_get_mono_fast_ns() costs a third of the whole fast path.  The counter and the
 * time are read together ten times a second; in between a multiplication tells the
 * time.  Its error is what the two readings were apart (a microsecond), and, until the
 * next reading, what the kernel changes its rate by (at most 500 ppm, 50 us).
 */
#ifndef NPK_CLOCK_H
#define NPK_CLOCK_H

#include <linux/timekeeping.h>

#include "compat.h"

/**
 * struct npk_clock - one shard's; protected by its lock
 * @cycles: counter when it was last read together with the time
 * @ns: the time then, ktime_get_mono_fast_ns()
 * @span: cycles after that for which the rate holds, 0 = the counter is not used
 * @mult: nanoseconds per cycle, times 2^NPK_CLOCK_SHIFT
 */
struct npk_clock {
	u64 cycles;
	u64 ns;
	u32 span;
	u32 mult;
};

#define NPK_CLOCK_SHIFT	24

/**
 * npk_clock_now() - monotonic time
 * @c: the shard's clock, its lock held
 *
 * May be behind an earlier reading, by what the above says.
 *
 * Context: BH disabled.
 * Return: nanoseconds, comparable with ktime_get_mono_fast_ns().
 */
static __always_inline u64 npk_clock_now(const struct npk_clock *c)
{
	u64 passed = npk_cycles() - c->cycles;

	/* not when the reaper was held up; a suspend is noticed by npk_clock_set() */
	if (likely(passed < c->span))
		return c->ns + (passed * c->mult >> NPK_CLOCK_SHIFT);
	return ktime_get_mono_fast_ns();
}

void npk_clock_set(struct npk_clock *c);

#endif /* NPK_CLOCK_H */
