// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow.h"

void npk_flow_resume(struct npk_flow *flow, const struct npk_pkt *pkt)
{
	flow->last_ns = pkt->now_ns;
	flow->min_ttl = pkt->ttl;
	flow->max_ttl = pkt->ttl;
	flow->min_len = NPK_LEN_MAX;
	flow->max_len = 0;
	flow->first_ns = pkt->now_ns;
	flow->flow_label = pkt->flow_label;
	flow->tcp_flags_first = pkt->tcp_flags;
	flow->nr_mpls = pkt->nr_mpls < NPK_MPLS_MAX ? pkt->nr_mpls : NPK_MPLS_MAX;
	memcpy(flow->dmac, pkt->data, sizeof(flow->dmac));
	memcpy(flow->smac, pkt->data + 6, sizeof(flow->smac));
	if (unlikely(flow->nr_mpls))
		memcpy(flow->mpls, pkt->mpls, sizeof(flow->mpls));
}

static __always_inline void clear_counters(struct npk_flow *flow)
{
	flow->packets = 0;
	flow->octets = 0;
	flow->tcp_flags = 0;
	flow->retransmitted = 0;
	flow->out_of_order = 0;
	flow->zero_windows = 0;
	flow->fragments = 0;
	memset(&flow->syn, 0, sizeof(flow->syn));
	flow->server_delay_us = 0;
	flow->client_delay_us = 0;
	flow->appl_delay_us = 0;
}

void npk_flow_start(struct npk_flow *flow, const struct npk_pkt *pkt)
{
	memcpy(flow->head, pkt->key.word, sizeof(flow->head));
	memcpy(flow->tail, pkt->key.word + NPK_FLOW_HEAD, sizeof(flow->tail));
	flow->state = 0;
	flow->rtt = 0;
	clear_counters(flow);
	npk_flow_resume(flow, pkt);
}

void npk_flow_split(struct npk_flow *flow)
{
	flow->state &= ~NPK_FLOW_HELD;
	clear_counters(flow);
}
