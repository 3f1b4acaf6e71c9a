// SPDX-License-Identifier: GPL-2.0-only
/* The cycle counter and the kernel's time, read together. */
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>

#include "clock.h"

/* A reading that took longer was interrupted: by a hypervisor, interrupts are off. */
#define APART_NS	10000
/* The rate is worked out over so much time. */
#define RATE_MIN_NS	(20 * NSEC_PER_MSEC)
#define RATE_MAX_NS	(60 * NSEC_PER_SEC)
/* ... and holds for so much, when the one before was the same but for a 1024th. */
#define HOLDS_NS	NSEC_PER_SEC
#define AGREE_SHIFT	10

/**
 * struct reading - the counter and the time of one moment
 * @cycles: counter
 * @ns: ktime_get_mono_fast_ns()
 * @apart: cycles that reading both took
 * @same: the kernel's time is made of this counter
 */
struct reading {
	u64 cycles;
	u64 ns;
	u64 apart;
	bool same;
};

static void read_both(struct reading *r)
{
	unsigned long flags;
	u64 before, source, after;

	local_irq_save(flags);
	r->cycles = npk_cycles();
	r->ns = ktime_get_mono_fast_ns();
	before = npk_cycles();
	source = npk_clocksource_cycles();
	after = npk_cycles();
	local_irq_restore(flags);
	r->apart = before - r->cycles;
	/* what the clock source's counter says: between two of ours, if it is the same */
	r->same = source - before <= after - before;
}

static void begin_at(struct npk_clock *c, const struct reading *r)
{
	c->cycles = r->cycles;
	c->ns = r->ns;
}

/*
 * A rate is believed when the one before was like it: across a suspend, in which the counter
 * ran and the time did not, or from a reading that was torn apart, there is none like it.
 */
static bool agree(u64 mult, u64 before)
{
	u64 apart = mult > before ? mult - before : before - mult;

	return mult && mult < U32_MAX && apart <= before >> AGREE_SHIFT;
}

/**
 * npk_clock_set() - read counter and time together
 * @c: the shard's clock, its lock held
 *
 * To be called about ten times a second; the first call only begins.  While the
 * kernel's time is made of something else, or cannot be read together with the
 * counter, npk_clock_now() asks the kernel.
 *
 * Context: BH disabled.
 */
void npk_clock_set(struct npk_clock *c)
{
	struct reading r;
	u64 passed, cycles, mult;

	read_both(&r);
	passed = r.ns - c->ns;
	cycles = r.cycles - c->cycles;
	if (c->ns && passed < RATE_MIN_NS)
		return;
	if (!r.same || !c->ns || passed > RATE_MAX_NS || !cycles) {
		c->span = 0;
		begin_at(c, &r);
		return;
	}
	/* in cycles as passed in so much time; a product of less than 2^24 and 2^36 */
	if (r.apart >> 24 || r.apart * passed > APART_NS * cycles)
		return;
	mult = min_t(u64, div64_u64(passed << NPK_CLOCK_SHIFT, cycles), U32_MAX);
	c->span = agree(mult, c->mult) ?
		  min_t(u64, div64_u64(HOLDS_NS << NPK_CLOCK_SHIFT, mult), U32_MAX) : 0;
	c->mult = mult;
	begin_at(c, &r);
}
