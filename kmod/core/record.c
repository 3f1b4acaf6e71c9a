// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "record.h"

NPK_STATIC_ASSERT(sizeof(struct npk_rec) == 192);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, saddr) == 48);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, sport) == 80);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, mpls) == 100);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, smac) == 132);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, server_delay_us) == 152);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, syn) == 176);

static __always_inline void fill_key(struct npk_rec *rec, const struct npk_words *w, bool is_ip6)
{
	struct npk_key key;

	key.words = *w;
	rec->sport = key.sport;
	rec->dport = key.dport;
	rec->proto = key.proto;
	rec->tos = key.tos;
	rec->ip_version = key.ip_version;
	rec->dir = key.dir;
	rec->in_if = key.ifindex;
	rec->out_if = 0;
	rec->vlan = key.vlan;
	rec->vlan2 = key.vlan2;
	if (unlikely(is_ip6)) {
		memcpy(rec->saddr, key.addr, 16);
		memcpy(rec->daddr, key.addr + 16, 16);
		return;
	}
	memset(rec->saddr, 0, sizeof(rec->saddr));
	memset(rec->daddr, 0, sizeof(rec->daddr));
	memcpy(rec->saddr, key.addr, 4);
	memcpy(rec->daddr, key.addr + 4, 4);
}

void npk_record_fill(struct npk_rec *rec, const struct npk_flow *flow, u8 reason, u64 conv_hash,
		     u64 seq)
{
	struct npk_words w = npk_flow_words(flow);

	/* every octet is written once: clearing all of them first would be half of the work */
	rec->first_ns = flow->first_ns;
	rec->last_ns = flow->last_ns;
	rec->packets = flow->packets;
	rec->octets = flow->octets;
	rec->conv_hash = conv_hash;
	rec->seq = seq;
	fill_key(rec, &w, npk_flow_is_ip6(flow));
	rec->end_reason = reason;
	memset(rec->mpls, 0, sizeof(rec->mpls));
	if (unlikely(flow->nr_mpls))
		memcpy(rec->mpls, flow->mpls, flow->nr_mpls * sizeof(rec->mpls[0]));
	rec->tcp_flags = flow->tcp_flags;
	rec->tcp_flags_first = flow->tcp_flags_first;
	rec->min_len = flow->min_len;
	rec->max_len = flow->max_len;
	rec->min_ttl = flow->min_ttl;
	rec->max_ttl = flow->max_ttl;
	rec->nr_mpls = flow->nr_mpls;
	memcpy(rec->smac, flow->smac, sizeof(rec->smac));
	memcpy(rec->dmac, flow->dmac, sizeof(rec->dmac));
	rec->fragments = flow->fragments;
	rec->flow_label = flow->flow_label;
	rec->server_delay_us = flow->server_delay_us;
	rec->client_delay_us = flow->client_delay_us;
	rec->appl_delay_us = flow->appl_delay_us;
	rec->retransmitted = flow->retransmitted;
	rec->out_of_order = flow->out_of_order;
	rec->zero_windows = flow->zero_windows;
	rec->syn = flow->syn;
}
