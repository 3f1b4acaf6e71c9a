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

/* The record of a flow that has one; false when there is no room: nothing was done. */
static __always_inline bool npk_hand_over(struct npk_meter *m, const struct npk_flow *flow,
					  u8 reason, bool must)
{
	if (unlikely(!m->emit(m->emit_ctx, flow, reason, must)))
		return false;
	m->count.live.packets -= flow->packets;
	m->count.live.octets -= flow->octets;
	if (unlikely(flow->state & NPK_FLOW_HELD))
		m->count.held++;
	return true;
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
static __always_inline bool npk_close(struct npk_meter *m, const struct npk_flow *flow, u8 reason,
				      bool must)
{
	if (likely(flow->packets))
		return npk_hand_over(m, flow, reason, must);
	m->count.split--;
	return true;
}

/* A record was made so long after it was due. */
static __always_inline void npk_close_late(struct npk_meter *m, s64 late)
{
	if (unlikely(late < 0))
		late = 0;
	m->count.late[npk_late_class(late)]++;
	if (unlikely((u64)late > m->count.late_max_ns))
		m->count.late_max_ns = late;
}

/**
 * npk_close_due() - the same for a record that has its time
 * @m: meter
 * @flow: as for npk_close(); held when there is no room
 * @reason: enum npk_end_reason
 * @due_ns: when it was due; the delay is counted
 *
 * Return: as npk_close().
 */
static __always_inline bool npk_close_due(struct npk_meter *m, struct npk_flow *flow, u8 reason,
					  u64 due_ns)
{
	if (unlikely(!flow->packets)) {
		m->count.split--;
		return true;
	}
	if (unlikely(!npk_hand_over(m, flow, reason, false))) {
		flow->state |= NPK_FLOW_HELD;
		return false;
	}
	if (likely(!(flow->state & NPK_FLOW_HELD)) && reason != NPK_END_FORCED)
		npk_close_late(m, m->now_ns - due_ns);
	return true;
}

#endif /* NPK_CORE_CLOSE_H */
