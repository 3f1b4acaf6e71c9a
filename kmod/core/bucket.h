/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A bucket of the flow table: its flows, and the line that says where to look for one.
 *
 * The first cache line holds a 16-bit signature of every flow and when to look at it
 * again; it is read and compared four lanes of a 64-bit word at a time.
 */
#ifndef NPK_CORE_BUCKET_H
#define NPK_CORE_BUCKET_H

#include "flow.h"

/** NPK_WAYS - flows in a bucket */
#define NPK_WAYS		15

/**
 * NPK_WAYS_HOME - flows a bucket takes before the other one is considered
 *
 * From there on a new flow goes to the emptier of its two buckets.  With more than 12 a bucket
 * is full sooner (test_fill_before_first_eviction), with less that hardly happens later, and more
 * flows are to be looked for in two buckets.
 */
#define NPK_WAYS_HOME		12

/** NPK_LANES_ALL - 16-bit lanes in a line of signatures: the last one is none */
#define NPK_LANES_ALL		(NPK_WAYS + 1)

/** NPK_SIG_WORDS - 64-bit words of signatures in a bucket */
#define NPK_SIG_WORDS		(NPK_LANES_ALL / 4)

/* npk_bucket.nr has the number of moved flows above that of used places, which takes 4 bits. */
#define NPK_ONE_MOVED		16U

/** NPK_MOVED_MAX - a number of moved flows that was this much stays so */
#define NPK_MOVED_MAX		0xfffU

/*
 * Time in a bucket's line: 15 bits of (ns >> 24), 17 ms each, compared modulo
 * 2^15; a deadline is never set further ahead than NPK_TICKS_AHEAD_MAX, 172 s: a flow with a
 * later one is looked at once more.
 */
#define NPK_TICK_SHIFT		24
#define NPK_TICK_MASK		0x7fffU
#define NPK_TICKS_AHEAD_MAX	0x2800U

/**
 * NPK_TICK_SLACK_NS - a sweep that is so much late notices every deadline: one tick each
 * for the deadline's and the present time's rounding
 */
#define NPK_TICK_SLACK_NS	(2ULL << NPK_TICK_SHIFT)

/** NPK_DUE_REPEATED - npk_bucket.due: the flow had a second packet */
#define NPK_DUE_REPEATED	0x8000U

/**
 * struct npk_bucket - one signature line and the flows it describes
 * @sig: 15 bits of each flow's hash and 1, 0 = free; the last one is always 0
 * @sig_word: the same, four 16-bit lanes a word
 * @due: when to look at the flow again (ticks), and NPK_DUE_REPEATED
 * @due_word: @due and @nr, four lanes a word
 * @nr: npk_bucket_used(), and times NPK_ONE_MOVED npk_bucket_moved()
 * @flow: the flows
 */
struct npk_bucket {
	union {
		u16 sig[NPK_LANES_ALL];
		u64 sig_word[NPK_SIG_WORDS];
	};
	union {
		struct {
			u16 due[NPK_WAYS];
			u16 nr;
		};
		u64 due_word[NPK_SIG_WORDS];
	};
	struct npk_flow flow[NPK_WAYS];
};

NPK_STATIC_ASSERT(offsetof(struct npk_bucket, flow) == NPK_CACHE_LINE);
NPK_STATIC_ASSERT(sizeof(struct npk_bucket) == 46 * NPK_CACHE_LINE);

/**
 * npk_bucket_used() - flows in a bucket
 * @b: bucket
 *
 * Return: number, at most NPK_WAYS.
 */
static __always_inline u32 npk_bucket_used(const struct npk_bucket *b)
{
	return b->nr % NPK_ONE_MOVED;
}

/**
 * npk_bucket_moved() - flows whose home is the bucket but which live in their other one
 * @b: bucket
 *
 * Return: number; NPK_MOVED_MAX: there may be some.
 */
static __always_inline u32 npk_bucket_moved(const struct npk_bucket *b)
{
	return b->nr / NPK_ONE_MOVED;
}

/**
 * struct npk_slot - a place in the table
 * @bucket: bucket
 * @flow: entry
 * @way: its index in the bucket, below NPK_WAYS
 */
struct npk_slot {
	struct npk_bucket *bucket;
	struct npk_flow *flow;
	u32 way;
};

/**
 * npk_slot_set() - name a place
 * @s: out
 * @b: bucket
 * @way: index below NPK_WAYS
 */
static __always_inline void npk_slot_set(struct npk_slot *s, struct npk_bucket *b, u32 way)
{
	s->bucket = b;
	s->flow = &b->flow[way];
	s->way = way;
}

/**
 * npk_tick() - time as a bucket's line keeps it
 * @ns: nanoseconds
 *
 * Return: 15 bits.
 */
static inline u32 npk_tick(u64 ns)
{
	return (ns >> NPK_TICK_SHIFT) & NPK_TICK_MASK;
}

/* Four 16-bit lanes: one in each, and the top bit of each. */
#define NPK_LANES		0x0001000100010001ULL
#define NPK_LANE_TOP		0x8000800080008000ULL

/* Signature of a hash, never 0. */
static __always_inline u16 npk_sig_of(u64 hash)
{
	return (hash >> 48) | 1;
}

/* Where in a bucket a flow is put when it can. */
static __always_inline u32 npk_way_of(u64 hash)
{
	return ((hash >> 36) & 0xfff) * NPK_WAYS >> 12;
}

/*
 * Four signatures at a time: lanes equal to @sig show their top bit.  A lane
 * above an equal one may show it too.
 */
static __always_inline u64 npk_lanes_equal(u64 word, u64 sigs)
{
	u64 x = word ^ sigs;

	return (x - NPK_LANES) & ~x & NPK_LANE_TOP;
}

/* Top bits of the lanes of word @i that have a flow; its signature is odd. */
static __always_inline u64 npk_bucket_lanes(const struct npk_bucket *b, u32 i)
{
	return b->sig_word[i] << 15 & NPK_LANE_TOP;
}

/*
 * Top bits of the lanes of word @i in which a flow's deadline is at or before @nows, the present
 * tick in all lanes, modulo 2^15; NPK_DUE_REPEATED is ignored.  No flow is in the last lane.
 */
static __always_inline u64 npk_bucket_passed(const struct npk_bucket *b, u32 i, u64 nows)
{
	u64 ahead = (nows | NPK_LANE_TOP) - (b->due_word[i] & ~NPK_LANE_TOP);

	/* half of the range of 15 bits */
	return npk_bucket_lanes(b, i) & ~(ahead << 1);
}

/* Is there a place with this signature? */
static __always_inline bool npk_bucket_has(const struct npk_bucket *b, u16 sig)
{
	const u64 *w = b->sig_word;
	u64 sigs = sig * NPK_LANES;

	NPK_STATIC_ASSERT(NPK_SIG_WORDS == 4);
	return npk_lanes_equal(w[0], sigs) | npk_lanes_equal(w[1], sigs) |
	       npk_lanes_equal(w[2], sigs) | npk_lanes_equal(w[3], sigs);
}

/* npk_bucket_ways() four lanes at a time. */
u32 npk_bucket_ways_by_word(const struct npk_bucket *b, u16 sig);

/**
 * npk_bucket_ways() - places with a signature
 * @b: bucket
 * @sig: not 0
 *
 * Return: a bit for each of them.
 */
static __always_inline u32 npk_bucket_ways(const struct npk_bucket *b, u16 sig)
{
	if (NPK_LANES_AT_ONCE)
		return npk_lanes_at_once(b->sig, sig);
	return unlikely(npk_bucket_has(b, sig)) ? npk_bucket_ways_by_word(b, sig) : 0;
}

static __always_inline bool npk_bucket_find(struct npk_bucket *b, const struct npk_words *w,
					    bool is_ip6, u16 sig, struct npk_slot *slot)
{
	u32 ways;

	for (ways = npk_bucket_ways(b, sig); ways; ways &= ways - 1) {
		npk_slot_set(slot, b, __builtin_ctz(ways));
		if (likely(npk_flow_key_is(slot->flow, w, is_ip6)))
			return true;
	}
	return false;
}

/* Where its hash says?  A guess that often goes wrong costs more than to look at all places. */
static __always_inline bool npk_bucket_guess(struct npk_bucket *b, const struct npk_words *w,
					     bool is_ip6, u64 hash, struct npk_slot *slot)
{
	u32 way = npk_way_of(hash);

	if (NPK_LANES_AT_ONCE || b->sig[way] != npk_sig_of(hash))
		return false;
	npk_slot_set(slot, b, way);
	return npk_flow_key_is(slot->flow, w, is_ip6);
}

/* A free place in a bucket that has one: where the hash says, or the first. */
static __always_inline u32 npk_bucket_free_way(const struct npk_bucket *b, u64 hash)
{
	u32 i = 0, way = npk_way_of(hash);
	u64 lanes;

	if (!b->sig[way])
		return way;
	do {
		lanes = npk_bucket_lanes(b, i) ^ NPK_LANE_TOP;
	} while (!lanes && ++i < NPK_SIG_WORDS - 1);
	if (!lanes)	/* the last lane is none */
		lanes = (npk_bucket_lanes(b, i) ^ NPK_LANE_TOP) & ~npk_last_lane();
	return i * 4 + npk_lane_index(__builtin_ctzll(lanes));
}

#endif /* NPK_CORE_BUCKET_H */
