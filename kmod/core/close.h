/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When to look at a flow again, and its record when it is closed: for the meter's own files. */
#ifndef NPK_CORE_CLOSE_H
#define NPK_CORE_CLOSE_H

#include "meter.h"

/* The tick at which a deadline has certainly passed. */
static inline u32 npk_due_tick(const struct npk_meter *m, u64 due_ns)
{
	u64 now = m->now_ns >> NPK_TICK_SHIFT;
	u64 due = (due_ns >> NPK_TICK_SHIFT) + 1;

	if ((s64)(due - now) < 1)	/* long past: not to seem ahead, modulo 2^15 */
		due = now + 1;
	if ((s64)(due - now) > (s64)NPK_TICKS_AHEAD_MAX)
		due = now + NPK_TICKS_AHEAD_MAX;
	return due & NPK_TICK_MASK;
}

static inline void npk_due_set(const struct npk_slot *s, u32 tick)
{
	u16 *due = &s->bucket->due[s->way];

	*due = (*due & NPK_DUE_REPEATED) | tick;
}

/**
 * npk_close() - hand a flow's record over, if it has one
 * @m: meter
 * @flow: entry in use; stays where it is
 * @reason: enum npk_end_reason
 * @must: see npk_emit_fn
 *
 * Return: true when it is gone, and the counters have moved; else nothing was done.
 */
bool npk_close(struct npk_meter *m, const struct npk_flow *flow, u8 reason, bool must);

/**
 * npk_close_due() - the same for a record that has its time
 * @m: meter
 * @flow: as for npk_close(); held when there is no room
 * @reason: enum npk_end_reason
 * @due_ns: when it was due; how late it is is counted
 *
 * Return: as npk_close().
 */
bool npk_close_due(struct npk_meter *m, struct npk_flow *flow, u8 reason, u64 due_ns);

#endif /* NPK_CORE_CLOSE_H */
