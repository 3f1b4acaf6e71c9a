/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a table entry to the record that user space reads. */
#ifndef NPK_CORE_RECORD_H
#define NPK_CORE_RECORD_H

#include "flow.h"

NPK_STATIC_ASSERT(sizeof(struct npk_rec) == 192);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, saddr) == 48);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, sport) == 80);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, retransmitted) == 112);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, dmac) == 136);
NPK_STATIC_ASSERT(offsetof(struct npk_rec, server_delay_us) == 180);

/*
 * Members that stand in a record as they stand in the key or the flow are copied together: most
 * of the price of a record is the number of its parts.
 */
#define NPK_REC_SPAN(type, first, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member) - offsetof(type, first))
#define NPK_REC_SAME(type, first, member, rec_first, rec_member) \
	NPK_STATIC_ASSERT(NPK_REC_SPAN(struct npk_rec, rec_first, rec_member) == \
			  NPK_REC_SPAN(type, first, member))
#define NPK_REC_ALIKE(type, first, member) NPK_REC_SAME(type, first, member, first, member)

NPK_REC_ALIKE(struct npk_key, sport, dport);
NPK_REC_ALIKE(struct npk_key, sport, proto);
NPK_REC_ALIKE(struct npk_key, sport, tos);
NPK_REC_ALIKE(struct npk_key, sport, ip_version);
NPK_REC_ALIKE(struct npk_key, sport, dir);
NPK_REC_SAME(struct npk_key, ifindex, vlan, in_if, vlan);
NPK_REC_SAME(struct npk_key, ifindex, vlan2, in_if, vlan2);
NPK_REC_ALIKE(struct npk_flow, tcp_flags, min_ttl);
NPK_REC_ALIKE(struct npk_flow, tcp_flags, max_ttl);
NPK_REC_ALIKE(struct npk_flow, retransmitted, out_of_order);
NPK_REC_ALIKE(struct npk_flow, retransmitted, zero_windows);
NPK_REC_ALIKE(struct npk_flow, retransmitted, fragments);
NPK_REC_ALIKE(struct npk_flow, retransmitted, flow_label);
NPK_REC_ALIKE(struct npk_flow, retransmitted, tcp_flags_first);
NPK_REC_ALIKE(struct npk_flow, retransmitted, nr_mpls);
NPK_REC_SAME(struct npk_flow, retransmitted, state, retransmitted, end_reason);
NPK_REC_ALIKE(struct npk_flow, dmac, smac);
NPK_REC_ALIKE(struct npk_flow, dmac, mpls);
NPK_REC_ALIKE(struct npk_flow, dmac, syn);
NPK_REC_ALIKE(struct npk_flow, dmac, server_delay_us);
NPK_REC_ALIKE(struct npk_flow, dmac, client_delay_us);
NPK_REC_ALIKE(struct npk_flow, dmac, appl_delay_us);

/* From @first to the end of @last; octets, because one member must not be written past its end. */
#define NPK_REC_COPY(rec, flow, first, last) \
	memcpy((u8 *)(rec) + offsetof(struct npk_rec, first), \
	       (const u8 *)(flow) + offsetof(struct npk_flow, first), \
	       NPK_REC_SPAN(struct npk_rec, first, last))

static __always_inline void npk_rec_addresses(struct npk_rec *rec, const struct npk_flow *flow)
{
	if (unlikely(npk_flow_is_ip6(flow))) {
		memcpy(rec->saddr, &flow->head[3], 8);
		memcpy(rec->saddr + 8, &flow->tail[0], 8);
		memcpy(rec->daddr, &flow->tail[1], 8);
		memcpy(rec->daddr + 8, &flow->tail[2], 8);
		return;
	}
	memset(rec->saddr, 0, sizeof(rec->saddr));
	memset(rec->daddr, 0, sizeof(rec->daddr));
	memcpy(rec->saddr, &flow->head[3], 4);
	memcpy(rec->daddr, (const u8 *)&flow->head[3] + 4, 4);
}

/**
 * npk_record_fill() - write the record of a flow
 * @rec: every octet of it is written, so nothing of what was there leaks
 * @flow: entry in use
 * @reason: enum npk_end_reason
 * @conv_hash: npk_key_conv() of the flow's key
 * @seq: number of the record in its stream
 *
 * Context: Any; the caller holds the table's lock. Never sleeps.
 */
static __always_inline void npk_record_fill(struct npk_rec *rec, const struct npk_flow *flow,
					    u8 reason, u64 conv_hash, u64 seq)
{
	rec->first_ns = flow->first_ns;
	rec->last_ns = flow->last_ns;
	rec->packets = flow->packets;
	rec->octets = flow->octets;
	rec->conv_hash = conv_hash;
	rec->seq = seq;
	npk_rec_addresses(rec, flow);
	memcpy((u8 *)rec + offsetof(struct npk_rec, sport), &flow->head[0], 8);
	memcpy((u8 *)rec + offsetof(struct npk_rec, in_if), &flow->head[1], 8);
	NPK_REC_COPY(rec, flow, tcp_flags, max_ttl);
	rec->min_len = flow->min_len;
	rec->max_len = flow->max_len;
	rec->out_if = 0;
	NPK_REC_COPY(rec, flow, retransmitted, nr_mpls);
	rec->end_reason = reason;
	NPK_REC_COPY(rec, flow, dmac, appl_delay_us);
	/* what an entry holds beyond its labels is older than the flow */
	if (likely(!flow->nr_mpls))
		memset(rec->mpls, 0, sizeof(rec->mpls));
	else
		memset(rec->mpls + flow->nr_mpls, 0,
		       (NPK_MPLS_MAX - flow->nr_mpls) * sizeof(rec->mpls[0]));
}

#endif /* NPK_CORE_RECORD_H */
