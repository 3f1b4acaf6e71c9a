// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Closing the flows whose time has come, and those somebody wants closed. */
#include "close.h"

/* A flow that is due but finds no room is looked at again after so many ticks. */
#define RETRY_TICKS	2
/*
 * A flow leaves at most a quarter of the shorter timeout after its time.  A round
 * takes a fifth; for short timeouts it is the quarter without what the deadline is
 * rounded up by, what lies between two calls, and a little.
 */
#define ROUND_PART		5
#define PROMISED_PART		4
#define SHORT_TIMEOUT_NS	(4 * NPK_NSEC_PER_SEC)
#define LITTLE_NS		(NPK_NSEC_PER_SEC / 30)
#define STEP_PART		40
#define STEP_MAX_NS		(NPK_NSEC_PER_SEC / 10)
/* ... but never slower: a deadline has to be noticed before it seems ahead again. */
#define SWEEP_MAX_NS	(60 * NPK_NSEC_PER_SEC)
/* So many buckets without a flow are passed for what one look costs: 64 of them a word. */
#define PASSED_FOR_ONE		4096
/*
 * A clock that jumped further (a gap in a capture) may have left deadlines so
 * far behind that, modulo 2^15, they look ahead: then every flow is looked at.
 */
#define JUMP_NS		(((u64)(NPK_TICK_MASK + 1) / 2 - NPK_TICKS_AHEAD_MAX) << NPK_TICK_SHIFT)

/* Does npk_meter_flush() want this flow closed? */
static bool is_flushed(const struct npk_meter *m, const struct npk_flow *flow)
{
	if (!m->flush_ns || (s64)(flow->first_ns - m->flush_ns) > 0)
		return false;
	return !m->flush_ifindex || npk_flow_ifindex(flow) == m->flush_ifindex;
}

static void sweep_flow(struct npk_meter *m, struct npk_bucket *b, u32 way)
{
	struct npk_slot slot = { .bucket = b, .flow = &b->flow[way], .way = way };
	struct npk_flow *flow = slot.flow;
	u8 reason;
	u64 due = npk_expire_due(flow, &m->limits, &reason);

	if ((s64)(m->now_ns - due) < 0 && is_flushed(m, flow)) {
		reason = NPK_END_FORCED;
		due = m->now_ns;
	}
	if ((s64)(m->now_ns - due) < 0) {
		flow->state &= ~NPK_FLOW_HELD;
		npk_due_set(&slot, npk_due_tick(m, due));
		return;
	}
	if (!npk_close_due(m, flow, reason, due)) {
		if (reason == NPK_END_FORCED)	/* the flush is not over */
			m->flush_left = m->table.nr_buckets;
		npk_due_set(&slot, (npk_tick(m->now_ns) + RETRY_TICKS) & NPK_TICK_MASK);
	} else if (reason == NPK_END_ACTIVE) {
		m->count.split++;
		npk_flow_split(flow);
		due = npk_expire_due(flow, &m->limits, &reason);
		/* not "repeated": without a packet it is the first to make room */
		b->due[way] = npk_due_tick(m, due);
	} else {
		npk_table_remove(&m->table, &slot);
	}
}

/* Bits of flows, those of word @i of a bucket moved out of the way of the others'. */
static __always_inline u64 flows_of(u64 lanes, u32 i)
{
	NPK_STATIC_ASSERT(NPK_SIG_WORDS == 4);
	return lanes >> (NPK_SIG_WORDS - 1 - i);
}

/* The flows of @found, a sum of flows_of(). */
static noinline u32 sweep_flows(struct npk_meter *m, struct npk_bucket *b, u64 found)
{
	u32 bit, took = 0;

	for (; found; found &= found - 1) {
		bit = __builtin_ctzll(found);
		sweep_flow(m, b, (bit % 16 - 12) * 4 + npk_lane_index(bit));
		took += 2;
	}
	return took;
}

/* Returns what it took: 1 for the look, 2 for a flow that was due. */
static __always_inline u32 sweep_bucket(struct npk_meter *m, struct npk_bucket *b, u64 nows)
{
	u64 found = flows_of(npk_bucket_passed(b, 0, nows), 0) |
		    flows_of(npk_bucket_passed(b, 1, nows), 1) |
		    flows_of(npk_bucket_passed(b, 2, nows), 2) |
		    flows_of(npk_bucket_passed(b, 3, nows), 3);

	return likely(!found) ? 1 : 1 + sweep_flows(m, b, found);
}

/* The same when deadlines say nothing: every flow is looked at. */
static noinline u32 sweep_all(struct npk_meter *m, struct npk_bucket *b)
{
	u64 found = 0;
	u32 i;

	for (i = 0; i < NPK_SIG_WORDS; i++)
		found |= flows_of(npk_bucket_lanes(b, i), i);
	return 1 + sweep_flows(m, b, found);
}

static u64 shorter_timeout(const struct npk_meter *m)
{
	return m->limits.idle_ns < m->limits.active_ns ? m->limits.idle_ns : m->limits.active_ns;
}

u64 npk_meter_step_ns(const struct npk_meter *m)
{
	u64 step = div64_u64(shorter_timeout(m), STEP_PART);

	return step < STEP_MAX_NS ? step : STEP_MAX_NS;
}

/* Time a round gives each bucket, nanoseconds. */
static u64 time_per_bucket(const struct npk_meter *m)
{
	u64 shorter = shorter_timeout(m), round = div64_u64(shorter, ROUND_PART);
	u64 rest = (1ULL << NPK_TICK_SHIFT) + npk_meter_step_ns(m) + LITTLE_NS;

	if (shorter < SHORT_TIMEOUT_NS) {
		round = shorter / PROMISED_PART;
		round = round > rest ? round - rest : 0;
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

/* So many buckets were passed that somebody counts on. */
static void pass(struct npk_meter *m, u32 passed)
{
	m->look_at_all -= passed < m->look_at_all ? passed : m->look_at_all;
	m->flush_left -= passed < m->flush_left ? passed : m->flush_left;
}

/* On up to bucket @end, or until @budget is spent; returns how many buckets were passed. */
static __always_inline u32 sweep_to(struct npk_meter *m, u32 end, u64 nows, u32 budget, u32 *took)
{
	u32 at = m->cursor, next, begin = at;
	struct npk_bucket *b;
	bool all;

	while (at < end && *took < budget) {
		next = npk_table_next(&m->table, at, end);
		*took += (next - at) / PASSED_FOR_ONE;
		all = m->look_at_all > next - at;
		/* before a flow that finds no room begins the flush's round anew */
		if (unlikely(m->look_at_all | m->flush_left))
			pass(m, next - at + (next < end));
		if (likely(next < end)) {
			b = npk_table_bucket(&m->table, next);
			*took += unlikely(all) ? sweep_all(m, b) : sweep_bucket(m, b, nows);
			npk_table_tidy(&m->table, next);
			next++;
		}
		at = next;
	}
	m->cursor = at;
	if (at == m->table.nr_buckets) {
		m->cursor = 0;
		m->round_ns = m->now_ns;
	}
	return at - begin;
}

u32 npk_meter_sweep(struct npk_meter *m, u64 now_ns, u32 budget)
{
	u64 per_bucket = time_per_bucket(m);
	u32 quota, left, passed = 0, took = 0;
	u64 late, nows;

	npk_meter_time(m, now_ns);
	if (!m->table.nr_flows) {
		m->swept_ns = m->now_ns;
		m->round_ns = m->now_ns;
		m->look_at_all = 0;
		m->flush_left = 0;
		return 0;
	}
	late = m->now_ns - m->swept_ns;
	/* what a budget cuts off does not show in swept_ns */
	if (late > JUMP_NS || m->now_ns - m->round_ns > JUMP_NS)
		m->look_at_all = m->table.nr_buckets;
	quota = sweep_quota(m, late, per_bucket);
	nows = npk_tick(m->now_ns) * NPK_LANES;
	while (passed < quota && took < budget) {
		left = m->table.nr_buckets - m->cursor;
		if (left > quota - passed)
			left = quota - passed;
		passed += sweep_to(m, m->cursor + left, nows, budget, &took);
	}
	/* a whole round is all that can be owed; what the budget cut off stays owed */
	if (late > m->table.nr_buckets * per_bucket)
		m->swept_ns = m->now_ns - m->table.nr_buckets * per_bucket;
	m->swept_ns += (u64)passed * per_bucket;
	if ((s64)(m->swept_ns - m->now_ns) > 0)
		m->swept_ns = m->now_ns;
	return took;
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
			if (!npk_close(m, slot.flow, NPK_END_FORCED, false))
				return false;
			npk_table_remove(&m->table, &slot);
		}
		npk_table_tidy(&m->table, m->cursor);
	}
	return !m->table.nr_flows;
}
