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
	u32 late = npk_flow_clock(pkt->now_ns) - flow->next_seq_at;
	u32 limit = flow->rtt ? flow->rtt : npk_flow_clock(NPK_TCP_OVERTAKEN_NS);
	u32 skew = npk_flow_clock(NPK_NSEC_PER_SEC);	/* it may bear an earlier time */

	return late + skew < limit + skew && end != flow->next_seq;
}

/* Of a merged packet the segments that begin before the highest number seen. */
static u32 passed_segments(const struct npk_flow *flow, const struct npk_pkt *pkt)
{
	u32 nr = pkt->segs;

	if (nr > 1 && pkt->gso_size && pkt->gso_size != NPK_GSO_BY_FRAGS)
		nr = (flow->next_seq - pkt->seq - 1) / pkt->gso_size + 1;
	return nr < pkt->segs ? nr : pkt->segs;
}

/* A segment that begins before the highest sequence number seen. */
static noinline void passed_segment(struct npk_flow *flow, const struct npk_pkt *pkt, u32 end)
{
	if (end == pkt->seq || is_keep_alive(flow, pkt))
		return;
	if (pkt->payload > 1 && pkt->seq == flow->next_seq - 1)	/* the octet before was a probe */
		return;
	if (was_overtaken(flow, pkt, end))
		flow->out_of_order += passed_segments(flow, pkt);
	else
		flow->retransmitted += passed_segments(flow, pkt);
}

static void start_at(struct npk_flow *flow, const struct npk_pkt *pkt, u32 end)
{
	flow->state |= NPK_FLOW_SEQ;
	flow->state &= ~NPK_FLOW_ASTRAY;
	flow->next_seq = end;
	flow->next_seq_at = npk_flow_clock(pkt->now_ns);
}

/* From nowhere near: once is an accident or worse, twice in a row is where the flow is. */
static noinline void astray(struct npk_flow *flow, const struct npk_pkt *pkt, u32 end)
{
	if (flow->state & NPK_FLOW_ASTRAY)
		start_at(flow, pkt, end);
	else
		flow->state |= NPK_FLOW_ASTRAY;
}

static bool is_near(const struct npk_flow *flow, u32 seq)
{
	return seq - flow->next_seq + NPK_TCP_ASTRAY < 2U * NPK_TCP_ASTRAY;
}

/* A SYN begins the sequence anew, unless it is the same SYN again. */
static noinline void account_syn(struct npk_flow *flow, const struct npk_pkt *pkt, u32 end)
{
	if (flow->state & NPK_FLOW_ISN && pkt->seq == flow->isn) {
		flow->retransmitted += pkt->segs;
	} else {
		start_at(flow, pkt, end);
		flow->state |= NPK_FLOW_ISN;
		flow->isn = pkt->seq;
	}
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
	if (unlikely(flags & NPK_TCP_RST))
		return;
	if (unlikely(!(flow->state & NPK_FLOW_SEQ))) {
		start_at(flow, pkt, end);
		return;
	}
	if (unlikely(!is_near(flow, pkt->seq))) {
		astray(flow, pkt, end);
		return;
	}
	flow->state &= ~NPK_FLOW_ASTRAY;
	if (unlikely(is_before(pkt->seq, flow->next_seq)))
		passed_segment(flow, pkt, end);
	if (is_before(flow->next_seq, end)) {
		flow->next_seq = end;
		flow->next_seq_at = npk_flow_clock(pkt->now_ns);
	}
}
