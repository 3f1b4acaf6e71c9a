// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "close.h"

bool npk_close(struct npk_meter *m, const struct npk_flow *flow, u8 reason, bool must)
{
	if (!flow->packets) {
		m->count.split--;
		return true;
	}
	if (!m->emit(m->emit_ctx, flow, reason, must))
		return false;
	m->count.live.packets -= flow->packets;
	m->count.live.octets -= flow->octets;
	m->count.held += !!(flow->state & NPK_FLOW_HELD);
	return true;
}

bool npk_close_due(struct npk_meter *m, struct npk_flow *flow, u8 reason, u64 due_ns)
{
	s64 late = m->now_ns - due_ns;

	if (!npk_close(m, flow, reason, false)) {
		flow->state |= NPK_FLOW_HELD;
		return false;
	}
	if (!flow->packets || reason == NPK_END_FORCED || flow->state & NPK_FLOW_HELD)
		return true;
	if (late < 0)
		late = 0;
	m->count.late[npk_late_class(late)]++;
	if ((u64)late > m->count.late_max_ns)
		m->count.late_max_ns = late;
	return true;
}
