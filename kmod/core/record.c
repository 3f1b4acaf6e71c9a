// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "record.h"

NPK_STATIC_ASSERT(sizeof(struct npk_rec) == 192);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, saddr) == 48);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, sport) == 80);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, mpls) == 100);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, smac) == 132);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, server_delay_us) == 152);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, syn) == 176);

static void fill_key(struct npk_rec *rec, const struct npk_key *key)
{
	u32 alen = key->ip_version == 6 ? 16 : 4;

	memcpy(rec->saddr, key->addr, alen);
	memcpy(rec->daddr, key->addr + alen, alen);
	rec->sport = key->sport;
	rec->dport = key->dport;
	rec->proto = key->proto;
	rec->tos = key->tos;
	rec->ip_version = key->ip_version;
	rec->in_if = key->ifindex;
	rec->vlan = key->vlan;
	rec->vlan2 = key->vlan2;
	rec->dir = key->dir;
}

void npk_record_fill(struct npk_rec *rec, const struct npk_flow *flow, u8 reason, u64 conv_hash,
		     u64 seq)
{
	struct npk_key key;

	memset(rec, 0, sizeof(*rec));
	npk_flow_key(flow, &key);
	fill_key(rec, &key);
	rec->first_ns = flow->first_ns;
	rec->last_ns = flow->last_ns;
	rec->packets = flow->packets;
	rec->octets = flow->octets;
	rec->conv_hash = conv_hash;
	rec->seq = seq;
	rec->end_reason = reason;
	rec->tcp_flags = flow->tcp_flags;
	rec->tcp_flags_first = flow->tcp_flags_first;
	rec->min_len = flow->min_len;
	rec->max_len = flow->max_len;
	rec->min_ttl = flow->min_ttl;
	rec->max_ttl = flow->max_ttl;
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
	rec->nr_mpls = flow->nr_mpls;
	if (flow->nr_mpls)
		memcpy(rec->mpls, flow->mpls, flow->nr_mpls * sizeof(rec->mpls[0]));
}
