// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "meter.h"

/* A flow that is due but finds no room is looked at again after so many ticks. */
#define RETRY_TICKS	2
/*
 * A flow leaves at most a quarter of the shorter timeout after its time.  A round
 * takes a fifth; for short timeouts it is the quarter without what the deadline is
 * rounded up by (67 ms) and the reaper's own step (100 ms) take.
 */
#define ROUND_PART		5
#define PROMISED_PART		4
#define ROUND_MARGIN_NS		(NPK_NSEC_PER_SEC / 5)
#define SHORT_TIMEOUT_NS	(4 * NPK_NSEC_PER_SEC)
/* ... but never slower: a deadline has to be noticed before it seems ahead again. */
#define SWEEP_MAX_NS	(100 * NPK_NSEC_PER_SEC)
/*
 * A clock that jumped further (a gap in a capture) may have left deadlines so
 * far behind that, modulo 2^15, they look ahead: then every flow is looked at.
 */
#define JUMP_NS		(((u64)(NPK_TICK_MASK + 1) / 2 - NPK_TICKS_AHEAD_MAX) << NPK_TICK_SHIFT)

static u32 due_tick(const struct npk_meter *m, u64 due_ns)
{
	u64 now = m->now_ns >> NPK_TICK_SHIFT;
	u64 due = (due_ns >> NPK_TICK_SHIFT) + 1;

	if ((s64)(due - now) < 1)	/* long past: not to seem ahead, modulo 2^15 */
		due = now + 1;
	if ((s64)(due - now) > (s64)NPK_TICKS_AHEAD_MAX)
		due = now + NPK_TICKS_AHEAD_MAX;
	return due & NPK_TICK_MASK;
}

static void set_due(const struct npk_slot *s, u32 tick)
{
	u16 *due = &s->bucket->due[s->way];

	*due = (*due & NPK_DUE_REPEATED) | tick;
}

/* Hand the flow's record over, if it has one; the counters move only when it is gone. */
static bool emit(struct npk_meter *m, const struct npk_flow *flow, u8 reason, bool must)
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

/* The same for a record that was due at @due_ns. */
static bool emit_due(struct npk_meter *m, struct npk_flow *flow, u8 reason, u64 due_ns)
{
	s64 late = m->now_ns - due_ns;

	if (!emit(m, flow, reason, false)) {
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

static u32 first_due(const struct npk_meter *m, u64 now_ns)
{
	u64 idle = m->limits.idle_ns, active = m->limits.active_ns;

	return due_tick(m, now_ns + (idle < active ? idle : active));
}

static noinline void make_room(struct npk_meter *m, struct npk_slot slot)
{
	m->count.early += !!slot.flow->packets;
	emit(m, slot.flow, NPK_END_RESOURCES, true);
	npk_table_remove(&m->table, &slot);
}

/* A place for a new flow that begins at @now_ns. */
static __always_inline void claim_place(struct npk_meter *m, u64 now_ns, u64 hash,
					struct npk_slot *slot)
{
	if (unlikely(!npk_table_claim(&m->table, hash, npk_tick(m->now_ns), slot)))
		make_room(m, *slot);
	npk_table_occupy(&m->table, slot, hash, first_due(m, now_ns));
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
	if (!emit_due(m, flow, reason, due))
		return;
	npk_flow_start(flow, pkt);
	slot->bucket->due[slot->way] = first_due(m, pkt->now_ns);
}

/* The first packet since the active timeout. */
static noinline void resume_flow(struct npk_meter *m, const struct npk_pkt *pkt,
				 const struct npk_slot *slot)
{
	m->count.split--;
	npk_flow_resume(slot->flow, pkt);
	set_due(slot, first_due(m, pkt->now_ns));
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

	set_due(slot, due_tick(m, npk_expire_due(slot->flow, &m->limits, &reason)));
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
	claim_place(m, pkt->now_ns, hash, slot);
	npk_flow_start(slot->flow, pkt);
}

static void count_accounted(struct npk_meter *m, const struct npk_pkt *pkt)
{
	m->count.frames++;
	m->count.seen += pkt->segs;
	m->count.accounted.packets += pkt->segs;
	m->count.accounted.octets += pkt->octets;
	m->count.live.packets += pkt->segs;
	m->count.live.octets += pkt->octets;
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
	count_accounted(m, pkt);
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

static void time_goes_on(struct npk_meter *m, u64 now_ns)
{
	if ((s64)(now_ns - m->now_ns) > 0)
		m->now_ns = now_ns;
}

void npk_meter_ignore(struct npk_meter *m, const struct npk_pkt *pkt, enum npk_ignored reason)
{
	u32 segs = pkt->segs ? pkt->segs : 1;

	m->count.frames++;
	m->count.seen += segs;
	m->count.ignored[reason] += segs;
}

static noinline void meter_any(struct npk_meter *m, struct npk_pkt *pkt)
{
	enum npk_ignored ign = npk_parse(pkt);

	time_goes_on(m, pkt->now_ns);
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

void npk_meter_packet(struct npk_meter *m, struct npk_pkt *pkt)
{
	struct npk_plain plain NPK_UNINITIALIZED;
	bool known;
	u64 hash;

	if (unlikely(!npk_plain_pkt(&plain, pkt))) {
		meter_any(m, pkt);
		return;
	}
	hash = npk_words_hash(&plain.words, plain.is_ip6, &m->table.secret);
	if (likely(npk_meter_plain(m, &plain, hash, pkt->now_ns, &known)))
		time_goes_on(m, pkt->now_ns);
	else
		npk_meter_rest(m, &plain, hash, known, pkt->now_ns);
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

	time_goes_on(m, now_ns);
	npk_plain_again(&plain, frame, linear, link, how & NPK_AGAIN_IP6);
	account_plain(m, &plain, hash, how & NPK_AGAIN_KNOWN, now_ns);
}

static void count_first(struct npk_meter *m, u32 octets)
{
	m->count.frames++;
	m->count.seen++;
	m->count.accounted.packets++;
	m->count.accounted.octets += octets;
	m->count.live.packets++;
	m->count.live.octets += octets;
}

void npk_meter_first(struct npk_meter *m, const u8 *frame, u64 link, u64 hash, u64 now_ns)
{
	struct npk_slot slot NPK_UNINITIALIZED;
	struct npk_plain plain NPK_UNINITIALIZED;
	struct npk_conv_id id;

	if (unlikely(m->leave_out)) {
		npk_meter_again(m, frame, link, hash, now_ns, NPK_PLAIN_MIN, 0);
		return;
	}
	time_goes_on(m, now_ns);
	npk_plain_again(&plain, frame, NPK_PLAIN_MIN, link, false);
	claim_place(m, now_ns, hash, &slot);
	npk_flow_first(slot.flow, &plain, now_ns);
	count_first(m, plain.ip_len);
	if (!m->convs)
		return;
	id = npk_conv_id4(&plain.words, NPK_PROTO_UDP, true, &m->table.secret);
	if (unlikely(npk_convs_udp(m->convs, slot.flow, id, now_ns, m->limits.idle_ns)))
		m->count.note[NPK_NOTE_CONV_FORGOTTEN]++;
}

/* Does npk_meter_flush() want this flow closed? */
static bool is_flushed(const struct npk_meter *m, const struct npk_flow *flow)
{
	if (!m->flush_ns || (s64)(flow->first_ns - m->flush_ns) > 0)
		return false;
	return !m->flush_ifindex || npk_flow_ifindex(flow) == m->flush_ifindex;
}

static void sweep_flow(struct npk_meter *m, const struct npk_slot *slot)
{
	struct npk_flow *flow = slot->flow;
	u8 reason;
	u64 due = npk_expire_due(flow, &m->limits, &reason);

	if ((s64)(m->now_ns - due) < 0 && is_flushed(m, flow)) {
		reason = NPK_END_FORCED;
		due = m->now_ns;
	}
	if ((s64)(m->now_ns - due) < 0) {
		flow->state &= ~NPK_FLOW_HELD;
		set_due(slot, due_tick(m, due));
		return;
	}
	if (!emit_due(m, flow, reason, due)) {
		if (reason == NPK_END_FORCED)	/* the flush is not over */
			m->flush_left = m->table.nr_buckets;
		set_due(slot, (npk_tick(m->now_ns) + RETRY_TICKS) & NPK_TICK_MASK);
	} else if (reason == NPK_END_ACTIVE) {
		m->count.split++;
		npk_flow_split(flow);
		due = npk_expire_due(flow, &m->limits, &reason);
		/* not "repeated": without a packet it is the first to make room */
		slot->bucket->due[slot->way] = due_tick(m, due);
	} else {
		npk_table_remove(&m->table, slot);
	}
}

static void sweep_bucket(struct npk_meter *m, struct npk_bucket *b, u32 now, bool all)
{
	struct npk_slot slot;
	u32 way;

	for (way = 0; way < NPK_WAYS; way++) {
		if (!b->sig[way] || !(all || npk_tick_passed(b->due[way], now)))
			continue;
		npk_slot_set(&slot, b, way);
		sweep_flow(m, &slot);
	}
}

/* Time a round gives each bucket, nanoseconds. */
static u64 time_per_bucket(const struct npk_meter *m)
{
	u64 shorter = m->limits.idle_ns < m->limits.active_ns ? m->limits.idle_ns :
								m->limits.active_ns;
	u64 round = div64_u64(shorter, ROUND_PART);

	if (shorter < SHORT_TIMEOUT_NS) {
		round = shorter / PROMISED_PART;
		round = round > ROUND_MARGIN_NS ? round - ROUND_MARGIN_NS : 0;
	}
	if (round > SWEEP_MAX_NS)
		round = SWEEP_MAX_NS;
	return div64_u64(round, m->table.nr_buckets) + 1;
}

/* Buckets to pass now to be on time: one round at most. */
static u32 sweep_quota(const struct npk_meter *m, u64 late, u64 per_bucket)
{
	u64 want = div64_u64(late, per_bucket);

	if (want < m->look_at_all)
		want = m->look_at_all;
	return want < m->table.nr_buckets ? want : m->table.nr_buckets;
}

/* Go on to the next bucket in use, or @quota buckets; returns how many were passed. */
static u32 sweep_on(struct npk_meter *m, u32 quota, u32 *looked)
{
	u32 nr = m->table.nr_buckets, left = nr - m->cursor;
	u32 end = m->cursor + (quota < left ? quota : left);
	u32 next = npk_table_next(&m->table, m->cursor, end);
	u32 passed = next - m->cursor;

	if (next < end) {
		sweep_bucket(m, npk_table_bucket(&m->table, next), npk_tick(m->now_ns),
			     m->look_at_all > passed);
		npk_table_tidy(&m->table, next);
		next++;
		passed++;
		(*looked)++;
	}
	m->cursor = next < nr ? next : 0;
	m->look_at_all -= passed < m->look_at_all ? passed : m->look_at_all;
	m->flush_left -= passed < m->flush_left ? passed : m->flush_left;
	return passed;
}

u32 npk_meter_sweep(struct npk_meter *m, u64 now_ns, u32 max_buckets)
{
	u64 per_bucket = time_per_bucket(m);
	u32 quota, passed = 0, looked = 0;
	u64 late;

	time_goes_on(m, now_ns);
	if (!m->table.nr_flows) {
		m->swept_ns = m->now_ns;
		m->look_at_all = 0;
		m->flush_left = 0;
		return 0;
	}
	late = m->now_ns - m->swept_ns;
	if (late > JUMP_NS)
		m->look_at_all = m->table.nr_buckets;
	quota = sweep_quota(m, late, per_bucket);
	while (passed < quota && looked < max_buckets)
		passed += sweep_on(m, quota - passed, &looked);
	/* a whole round is all that can be owed; what the budget cut off stays owed */
	if (late > m->table.nr_buckets * per_bucket)
		m->swept_ns = m->now_ns - m->table.nr_buckets * per_bucket;
	m->swept_ns += (u64)passed * per_bucket;
	if ((s64)(m->swept_ns - m->now_ns) > 0)
		m->swept_ns = m->now_ns;
	return looked;
}

void npk_meter_flush(struct npk_meter *m, u64 now_ns, u32 ifindex)
{
	/* one flush at a time: a second one for another device takes all */
	m->flush_ifindex = m->flush_left && m->flush_ifindex != ifindex ? 0 : ifindex;
	m->flush_ns = now_ns;
	m->flush_left = m->table.nr_buckets;
	m->look_at_all = m->table.nr_buckets;
}

bool npk_meter_expire_all(struct npk_meter *m, u32 max_buckets)
{
	u32 i, way, nr = m->table.nr_buckets;
	struct npk_bucket *b;
	struct npk_slot slot;

	for (i = 0; i < max_buckets && m->table.nr_flows; i++) {
		m->cursor = npk_table_next(&m->table, m->cursor, nr);
		if (m->cursor == nr) {
			m->cursor = 0;
			continue;
		}
		b = npk_table_bucket(&m->table, m->cursor);
		for (way = 0; way < NPK_WAYS; way++) {
			if (!b->sig[way])
				continue;
			npk_slot_set(&slot, b, way);
			if (!emit(m, slot.flow, NPK_END_FORCED, false))
				return false;
			npk_table_remove(&m->table, &slot);
		}
		npk_table_tidy(&m->table, m->cursor);
	}
	return !m->table.nr_flows;
}
