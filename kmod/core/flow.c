// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow.h"

#define LEN_MAX	0xffffU

void npk_flow_start(struct npk_flow *flow, const struct npk_pkt *pkt)
{
	memcpy(flow->head, pkt->key.word, sizeof(flow->head));
	flow->packets = 0;
	flow->octets = 0;
	flow->last_ns = pkt->now_ns;
	flow->tcp_flags = 0;
	flow->min_ttl = pkt->ttl;
	flow->max_ttl = pkt->ttl;
	flow->min_len = LEN_MAX;
	flow->max_len = 0;

	memcpy(flow->tail, pkt->key.word + NPK_FLOW_HEAD, sizeof(flow->tail));
	flow->first_ns = pkt->now_ns;
	memcpy(flow->dmac, pkt->data, sizeof(flow->dmac));
	memcpy(flow->smac, pkt->data + 6, sizeof(flow->smac));
	flow->tcp_flags_first = pkt->tcp_flags;
	flow->nr_mpls = pkt->nr_mpls < NPK_MPLS_MAX ? pkt->nr_mpls : NPK_MPLS_MAX;
	flow->fragments = 0;
	flow->flow_label = pkt->flow_label;
	if (unlikely(flow->nr_mpls))
		memcpy(flow->mpls, pkt->mpls, sizeof(flow->mpls));
}

static __always_inline u16 cap_len(u32 len)
{
	return len < LEN_MAX ? len : LEN_MAX;
}

void npk_flow_account(struct npk_flow *flow, const struct npk_pkt *pkt)
{
	u16 min_len = cap_len(pkt->min_len), max_len = cap_len(pkt->max_len);

	flow->packets += pkt->segs;
	flow->octets += pkt->octets;
	flow->tcp_flags |= pkt->tcp_flags;
	if ((s64)(pkt->now_ns - flow->last_ns) > 0)
		flow->last_ns = pkt->now_ns;
	else if (unlikely((s64)(pkt->now_ns - flow->first_ns) < 0))
		flow->first_ns = pkt->now_ns;
	if (pkt->ttl < flow->min_ttl)
		flow->min_ttl = pkt->ttl;
	if (pkt->ttl > flow->max_ttl)
		flow->max_ttl = pkt->ttl;
	if (min_len < flow->min_len)
		flow->min_len = min_len;
	if (max_len > flow->max_len)
		flow->max_len = max_len;
	if (unlikely(pkt->notes & 1U << NPK_NOTE_FRAGMENT) && flow->fragments != ~0U)
		flow->fragments++;
}
