// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tcp.h"

static bool is_before(u32 seq, u32 other)
{
	return (s32)(seq - other) < 0;
}

static bool is_keep_alive(const struct npk_flow *flow, const struct npk_pkt *pkt)
{
	return pkt->payload <= 1 && pkt->seq == flow->next_seq - 1 &&
	       !(pkt->tcp_flags & (NPK_TCP_SYN | NPK_TCP_FIN | NPK_TCP_RST));
}

/* Did the segment set out before the one that passed it, or again after it? */
static bool was_overtaken(const struct npk_flow *flow, const struct npk_pkt *pkt, u32 end)
{
	u32 late = npk_flow_us(pkt->now_ns) - flow->next_seq_us;

	return late < (flow->rtt_us ? flow->rtt_us : NPK_TCP_OVERTAKEN_US) &&
	       end != flow->next_seq;
}

/* A segment that begins before the highest sequence number seen. */
static noinline void passed_segment(struct npk_flow *flow, const struct npk_pkt *pkt, u32 end)
{
	if (end == pkt->seq || is_keep_alive(flow, pkt))
		return;
	if (pkt->payload > 1 && pkt->seq == flow->next_seq - 1)	/* the octet before was a probe */
		return;
	if (was_overtaken(flow, pkt, end))
		flow->out_of_order += pkt->segs;
	else
		flow->retransmitted += pkt->segs;
}

/* A SYN begins the sequence anew, unless it is the same SYN again. */
static noinline void account_syn(struct npk_flow *flow, const struct npk_pkt *pkt, u32 end)
{
	if (flow->state & NPK_FLOW_SEQ && end == flow->next_seq)
		flow->retransmitted += pkt->segs;
	flow->state |= NPK_FLOW_SEQ;
	flow->next_seq = end;
	flow->next_seq_us = npk_flow_us(pkt->now_ns);
	if (!flow->syn.flags)
		npk_syn_read(&flow->syn, pkt);
}

void npk_tcp_account(struct npk_flow *flow, const struct npk_pkt *pkt)
{
	u16 flags = pkt->tcp_flags;
	u32 end = pkt->seq + pkt->payload + !!(flags & NPK_TCP_SYN) + !!(flags & NPK_TCP_FIN);

	if (unlikely(flags & NPK_TCP_SYN)) {
		account_syn(flow, pkt, end);
		return;
	}
	if (unlikely(!pkt->window) && !(flags & (NPK_TCP_FIN | NPK_TCP_RST)))
		flow->zero_windows += pkt->segs;
	if (unlikely(!(flow->state & NPK_FLOW_SEQ))) {
		flow->state |= NPK_FLOW_SEQ;
	} else {
		if (unlikely(is_before(pkt->seq, flow->next_seq)))
			passed_segment(flow, pkt, end);
		if (!is_before(flow->next_seq, end))
			return;
	}
	flow->next_seq = end;
	flow->next_seq_us = npk_flow_us(pkt->now_ns);
}
