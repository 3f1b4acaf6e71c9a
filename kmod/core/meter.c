// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "close.h"

static u32 first_due(const struct npk_meter *m, u64 now_ns)
{
	u64 idle = m->limits.idle_ns, active = m->limits.active_ns;

	return npk_due_tick(m, now_ns + (idle < active ? idle : active));
}

/* Of a record that begins with @pkt; what arrived merged is more than one packet. */
static u32 first_due_of(const struct npk_meter *m, const struct npk_pkt *pkt)
{
	return first_due(m, pkt->now_ns) | (pkt->segs > 1 ? NPK_DUE_REPEATED : 0);
}

static noinline void make_room(struct npk_meter *m, const struct npk_slot *slot)
{
	m->count.early += !!slot->flow->packets;
	npk_close(m, slot->flow, NPK_END_RESOURCES, true);
	npk_table_remove(&m->table, slot);
}

/* A free place for a new flow. */
static void claim_place(struct npk_meter *m, u64 hash, struct npk_slot *slot)
{
	if (unlikely(!npk_table_claim(&m->table, hash, npk_tick(m->now_ns), slot)))
		make_room(m, slot);
}

/* The same key again after the record's end: close it, go on in place. */
static noinline void restart_flow(struct npk_meter *m, const struct npk_pkt *pkt,
				  const struct npk_slot *slot)
{
	struct npk_flow *flow = slot->flow;
	u8 reason;
	u64 due = npk_expire_due(flow, &m->limits, &reason);

	if (pkt->tcp_flags & NPK_TCP_SYN && npk_flow_ended(flow))
		reason = NPK_END_FLOW;
	if (!npk_close_due(m, flow, reason, due))
		return;
	npk_flow_start(flow, pkt);
	slot->bucket->due[slot->way] = first_due_of(m, pkt);
}

/* The first packet since the active timeout. */
static noinline void resume_flow(struct npk_meter *m, const struct npk_pkt *pkt,
				 const struct npk_slot *slot)
{
	m->count.split--;
	npk_flow_resume(slot->flow, pkt);
	npk_due_set(slot, first_due(m, pkt->now_ns));
}

static __always_inline bool is_over(const struct npk_meter *m, const struct npk_flow *flow,
				    const struct npk_pkt *pkt)
{
	if ((s64)(pkt->now_ns - flow->last_ns) >= (s64)m->limits.idle_ns)
		return true;
	return pkt->tcp_flags & NPK_TCP_SYN && npk_flow_ended(flow);
}

/* A FIN or RST brings the deadline forward; the sweep works out the rest. */
static void flow_ends(struct npk_meter *m, const struct npk_slot *slot)
{
	u8 reason;

	npk_due_set(slot, npk_due_tick(m, npk_expire_due(slot->flow, &m->limits, &reason)));
}

static noinline void count_notes(struct npk_meter *m, const struct npk_pkt *pkt)
{
	u32 n;

	for (n = 0; n < __NPK_NOTE_MAX; n++) {
		if (pkt->notes & 1U << n)
			m->count.note[n] += pkt->segs;
	}
}

static noinline void follow_conversation(struct npk_meter *m, struct npk_flow *flow,
					 const struct npk_pkt *pkt)
{
	struct npk_conv_id id = npk_key_conv(&pkt->key, &m->table.secret);

	if (npk_convs_follow(m->convs, flow, pkt, id, m->limits.idle_ns))
		m->count.note[NPK_NOTE_CONV_FORGOTTEN]++;
}

static noinline void join_fragment(struct npk_meter *m, struct npk_pkt *pkt)
{
	if (m->frags && npk_frags_join(m->frags, pkt, &m->table.secret))
		pkt->notes |= 1U << NPK_NOTE_FRAG_UNKNOWN;
}

static void prepare_known(struct npk_meter *m, const struct npk_pkt *pkt,
			  const struct npk_slot *slot)
{
	struct npk_flow *flow = slot->flow;

	if (unlikely(!(slot->bucket->due[slot->way] & NPK_DUE_REPEATED)))
		slot->bucket->due[slot->way] |= NPK_DUE_REPEATED;
	if (unlikely(is_over(m, flow, pkt)))
		restart_flow(m, pkt, slot);
	else if (unlikely(!flow->packets))
		resume_flow(m, pkt, slot);
}

static void add_flow(struct npk_meter *m, const struct npk_pkt *pkt, u64 hash,
		     struct npk_slot *slot)
{
	claim_place(m, hash, slot);
	npk_table_occupy(&m->table, slot, hash, first_due_of(m, pkt));
	npk_flow_start(slot->flow, pkt);
}

/* To the flow that @known says is at @slot, or to a new one. */
static noinline void account(struct npk_meter *m, const struct npk_pkt *pkt, u64 hash,
			     struct npk_slot *slot, bool known)
{
	struct npk_flow *flow;

	if (known)
		prepare_known(m, pkt, slot);
	else
		add_flow(m, pkt, hash, slot);
	flow = slot->flow;
	npk_meter_count(m, 1, pkt->segs, pkt->octets);
	npk_flow_account(flow, pkt);
	if (pkt->has_tcp)
		npk_tcp_account(flow, pkt);
	if (m->convs && npk_conv_matters(flow, pkt))
		follow_conversation(m, flow, pkt);
	if (unlikely(pkt->tcp_flags & (NPK_TCP_FIN | NPK_TCP_RST)))
		flow_ends(m, slot);
}

static void find_and_account(struct npk_meter *m, const struct npk_pkt *pkt)
{
	const struct npk_key *key = &pkt->key;
	u64 hash = npk_key_hash(key, &m->table.secret);
	struct npk_slot slot;
	bool known = npk_table_find(&m->table, &key->words, key->ip_version == 6, hash, &slot);

	account(m, pkt, hash, &slot, known);
}

void npk_meter_ignore(struct npk_meter *m, const struct npk_pkt *pkt, enum npk_ignored reason)
{
	u32 segs = pkt->segs ? pkt->segs : 1;

	m->count.frames++;
	m->count.seen += segs;
	m->count.ignored[reason] += segs;
	if (npk_ignored_by_choice(reason))
		return;
	m->count.unparsed.packets += segs;
	if (pkt->wire_len > NPK_ETH_HLEN)
		m->count.unparsed.octets += pkt->wire_len - NPK_ETH_HLEN;
}

void npk_meter_any(struct npk_meter *m, struct npk_pkt *pkt)
{
	enum npk_ignored ign = npk_parse_any(pkt);

	npk_meter_time(m, pkt->now_ns);
	if (unlikely(ign)) {
		npk_meter_ignore(m, pkt, ign);
		return;
	}
	if (unlikely(pkt->fragment))
		join_fragment(m, pkt);
	if (unlikely(m->leave_out))
		npk_key_leave_out(&pkt->key, m->leave_out);
	if (unlikely(pkt->notes))
		count_notes(m, pkt);
	find_and_account(m, pkt);
}

static __always_inline void meter_plain(struct npk_meter *m, const struct npk_plain *p, u64 now_ns)
{
	u64 hash = npk_words_hash(&p->words, p->is_ip6, &m->table.secret);
	bool known;

	npk_table_fetch(&m->table, hash);
	if (likely(npk_meter_plain(m, p, hash, now_ns, &known)))
		npk_meter_time(m, now_ns);
	else
		npk_meter_rest(m, p, hash, known, now_ns);
}

/* IPv4 and IPv6 on ways of their own: each knows which it is, and needs fewer registers. */
static noinline void meter_other(struct npk_meter *m, struct npk_pkt *pkt)
{
	struct npk_plain plain NPK_UNINITIALIZED;

	if (npk_plain_pkt6(&plain, pkt))
		meter_plain(m, &plain, pkt->now_ns);
	else
		npk_meter_any(m, pkt);
}

void npk_meter_packet(struct npk_meter *m, struct npk_pkt *pkt)
{
	struct npk_plain plain NPK_UNINITIALIZED;

	if (likely(npk_plain_pkt4(&plain, pkt)))
		meter_plain(m, &plain, pkt->now_ns);
	else
		meter_other(m, pkt);
}

/* What npk_parse() would make of a plain frame, and what it would be given. */
static __always_inline void unfold(struct npk_pkt *pkt, const struct npk_plain *p, u64 now_ns)
{
	pkt->data = p->frame;
	pkt->linear = p->linear;
	pkt->captured = p->linear;	/* nothing beyond is looked at */
	pkt->pull = NULL;
	pkt->now_ns = now_ns;
	pkt->segs = 1;
	pkt->gso_size = 0;
	npk_plain_unfold(p, pkt);
}

static noinline void account_plain(struct npk_meter *m, const struct npk_plain *p, u64 hash,
				   bool known, u64 now_ns)
{
	struct npk_pkt pkt NPK_UNINITIALIZED;
	struct npk_slot slot;

	unfold(&pkt, p, now_ns);
	if (unlikely(m->leave_out))
		npk_key_leave_out(&pkt.key, m->leave_out);
	if (unlikely(known || m->leave_out))
		find_and_account(m, &pkt);
	else
		account(m, &pkt, hash, &slot, false);
}

void npk_meter_again(struct npk_meter *m, const u8 *frame, u64 link, u64 hash, u64 now_ns,
		     u32 linear, u32 how)
{
	struct npk_plain plain;

	npk_meter_time(m, now_ns);
	npk_plain_again(&plain, frame, linear, link, how & NPK_AGAIN_IP6);
	account_plain(m, &plain, hash, how & NPK_AGAIN_KNOWN, now_ns);
}

/* A flow of one packet at a free place. */
static __always_inline void account_first(struct npk_meter *m, const struct npk_plain *p, u64 hash,
					  u64 now_ns, const struct npk_slot *slot)
{
	struct npk_conv_id id = npk_conv_id4(&p->words, NPK_PROTO_UDP, true, &m->table.secret);

	npk_table_occupy(&m->table, slot, hash, first_due(m, now_ns));
	npk_flow_first(slot->flow, p, now_ns, id.hash);
	npk_meter_count(m, 1, 1, p->ip_len);
	if (m->convs &&
	    unlikely(npk_convs_udp(m->convs, slot->flow, id, now_ns, m->limits.idle_ns)))
		m->count.note[NPK_NOTE_CONV_FORGOTTEN]++;
}

/* Its buckets are full. */
static noinline void first_elsewhere(struct npk_meter *m, const u8 *frame, u64 link, u64 hash,
				     u64 now_ns)
{
	struct npk_plain plain NPK_UNINITIALIZED;
	struct npk_slot slot;

	npk_plain_again(&plain, frame, NPK_PLAIN_MIN, link, false);
	claim_place(m, hash, &slot);
	account_first(m, &plain, hash, now_ns, &slot);
}

void npk_meter_first(struct npk_meter *m, const u8 *frame, u64 link, u64 hash, u64 now_ns)
{
	struct npk_plain plain NPK_UNINITIALIZED;
	struct npk_slot slot NPK_UNINITIALIZED;

	if (unlikely(m->leave_out)) {
		npk_meter_again(m, frame, link, hash, now_ns, NPK_PLAIN_MIN, 0);
		return;
	}
	npk_meter_time(m, now_ns);
	if (unlikely(!npk_table_room(&m->table, hash, &slot))) {
		first_elsewhere(m, frame, link, hash, now_ns);
		return;
	}
	npk_plain_again(&plain, frame, NPK_PLAIN_MIN, link, false);
	account_first(m, &plain, hash, now_ns, &slot);
}
