/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When a flow's record is due, and why: pure policy. */
#ifndef NPK_CORE_EXPIRE_H
#define NPK_CORE_EXPIRE_H

#include "flow.h"

/** NPK_FIN_NS - silence after a flow's own FIN or RST that ends it, nanoseconds */
#define NPK_FIN_NS	(2 * NPK_NSEC_PER_SEC)

/**
 * struct npk_limits - timeouts
 * @idle_ns: silence that ends a flow, nanoseconds
 * @active_ns: time after which a record is made of a flow that goes on
 */
struct npk_limits {
	u64 idle_ns;
	u64 active_ns;
};

/**
 * npk_flow_ended() - has the flow's own end been seen
 * @flow: entry in use
 *
 * Return: true after a FIN or RST in this direction.
 */
static inline bool npk_flow_ended(const struct npk_flow *flow)
{
	return flow->tcp_flags & (NPK_TCP_FIN | NPK_TCP_RST);
}

/**
 * npk_expire_due() - when the record of a flow is due if no packet comes
 * @flow: entry in use
 * @limits: timeouts
 * @reason: out: enum npk_end_reason it will then have
 *
 * The active timeout gives a flow that has sent its FIN or RST the two seconds in
 * which it may end.  A flow that was split and has no packet since is due when it is idle.
 *
 * Return: the earliest of the limits, nanoseconds of the flow's clock.
 * Source: RFC 5470 section 5.1.1 (flow expiration).
 */
static inline u64 npk_expire_due(const struct npk_flow *flow, const struct npk_limits *limits,
				 u8 *reason)
{
	u64 idle = limits->idle_ns;
	u64 due, active;

	*reason = NPK_END_IDLE;
	if (npk_flow_ended(flow) && idle >= NPK_FIN_NS) {
		*reason = NPK_END_FLOW;
		idle = NPK_FIN_NS;
	}
	due = flow->last_ns + idle;
	active = flow->first_ns + limits->active_ns;
	if (npk_flow_ended(flow))	/* let it end, if that is what it does */
		active += NPK_FIN_NS;
	if (active < due && likely(flow->packets)) {
		*reason = NPK_END_ACTIVE;
		due = active;
	}
	return due;
}

#endif /* NPK_CORE_EXPIRE_H */
