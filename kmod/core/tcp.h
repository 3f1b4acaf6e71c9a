/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What TCP headers say beyond their flags: order of segments, windows, SYNs. */
#ifndef NPK_CORE_TCP_H
#define NPK_CORE_TCP_H

#include "flow.h"
#include "plain.h"

/**
 * NPK_TCP_OVERTAKEN_NS - a segment this late behind a later one was overtaken
 *
 * ... as long as the round trip time is not known: nobody can have asked for it
 * again so soon.
 */
#define NPK_TCP_OVERTAKEN_NS	3000000

/** NPK_TCP_ASTRAY - further away than any window is (RFC 7323 section 2.3) */
#define NPK_TCP_ASTRAY		(1 << 30)

/**
 * npk_tcp_account() - follow the sequence numbers of one direction
 * @flow: flow of the packet
 * @pkt: parsed packet with has_tcp
 *
 * A segment with data, SYN or FIN that begins before the highest sequence number
 * seen is out of order when it comes within a round trip time of the one that
 * passed it and does not end where that did, else retransmitted.  Keep-alives and
 * what follows a window probe are neither.  A RST does not move the sequence, nor
 * does a single segment from further away than any window.  Of a merged packet only
 * the segments before the highest number count.  The first SYN or SYN+ACK of a
 * record is kept.
 *
 * Context: Any; the caller holds the table's lock. Never sleeps.
 * Source: RFC 9293 section 3.4; the distinction is that of Wireshark's "TCP
 * Analysis", but for what it concludes from the other direction.
 */
void npk_tcp_account(struct npk_flow *flow, const struct npk_pkt *pkt);

/**
 * npk_tcp_goes_on() - follow a segment that is just the next one
 * @flow: flow of the packet
 * @p: plain TCP frame
 * @now_ns: time of reception
 *
 * Return: false, and nothing is done, when npk_tcp_account() or npk_convs_follow()
 * would do more than move the sequence number.
 */
static __always_inline bool npk_tcp_goes_on(struct npk_flow *flow, const struct npk_plain *p,
					    u64 now_ns)
{
	u32 payload = npk_plain_payload(p);
	u8 need = NPK_FLOW_SEQ | (payload ? NPK_FLOW_SPOKE : 0);
	u16 flags = npk_plain_flags(p);

	if (unlikely(flags & (NPK_TCP_SYN | NPK_TCP_FIN | NPK_TCP_RST)) ||
	    unlikely((flow->state & (need | NPK_FLOW_SHAKES | NPK_FLOW_ASTRAY)) != need) ||
	    npk_load_be32(p->l4 + 4) != flow->next_seq || unlikely(!npk_load_be16(p->l4 + 14)))
		return false;
	if (payload) {
		flow->next_seq += payload;
		flow->next_seq_at = npk_flow_clock(now_ns);
	}
	flow->tcp_flags |= flags;
	return true;
}

/**
 * npk_syn_read() - what a SYN says about the system that sent it
 * @syn: out: every octet of it is written
 * @pkt: parsed packet with has_tcp and SYN
 *
 * Context: Any. Never sleeps.
 * Source: RFC 9293 section 3.2, RFC 7323 (options); the quirks of p0f 3.
 */
void npk_syn_read(struct npk_syn *syn, const struct npk_pkt *pkt);

#endif /* NPK_CORE_TCP_H */
