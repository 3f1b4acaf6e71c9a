/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow table: buckets of fixed size over memory the caller provides.
 *
 * A flow lives in its home bucket or, when that was nearly full, in a second
 * bucket given by other bits of its hash; the home bucket counts those that moved.
 * The first cache line of a bucket holds a 16-bit signature of every flow in
 * it, so a lookup reads that line and, on a match, the flow's own.  A packet
 * of a known flow does not write the signature line, but for its second one and
 * for those with FIN or RST.
 *
 * Nothing here locks: one writer at a time, by the caller's lock.
 */
#ifndef NPK_CORE_TABLE_H
#define NPK_CORE_TABLE_H

#include "flow.h"

/** NPK_WAYS - flows in a bucket */
#define NPK_WAYS		15

/**
 * NPK_WAYS_HOME - flows a bucket takes before the other one is considered
 *
 * From there on a new flow goes to the emptier of its two buckets.  Simulated
 * with 20000 buckets: no bucket is full before 80 % of all slots are in use,
 * 0.2 % of the flows find both full at 90 %; sooner considering the other bucket
 * would hardly help and cost a cache line for every new flow.
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

/** NPK_SEG_SHIFT - log2 of the buckets in one segment of memory (193 MB) */
#define NPK_SEG_SHIFT		16

/** NPK_SEGS_MAX - segments a table may have (12 GB, 62 million flows) */
#define NPK_SEGS_MAX		64

/*
 * Time in a bucket's line: 15 bits of (ns >> 26), 67 ms each, compared modulo
 * 2^15; a deadline is never set further ahead than NPK_TICKS_AHEAD_MAX.
 */
#define NPK_TICK_SHIFT		26
#define NPK_TICK_MASK		0x7fffU
#define NPK_TICKS_AHEAD_MAX	0x3000U

/** NPK_TICK_SLACK_NS - a sweep that is so much late notices every deadline: one tick each
 * for the deadline's and the present time's rounding */
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
 * struct npk_table - a flow table
 * @seg: segments of memory, 2^NPK_SEG_SHIFT buckets each but for the last one;
 *	owned by the caller, zeroed, aligned to a cache line
 * @occupied: a bit for each bucket, set while it may hold a flow, so that a sweep
 *	skips the others; npk_table_bitmap_size() octets, owned by the caller, zeroed
 * @nr_buckets: buckets in all
 * @nr_flows: entries in use
 * @secret: key of the hash
 */
struct npk_table {
	struct npk_bucket *seg[NPK_SEGS_MAX];
	u64 *occupied;
	u32 nr_buckets;
	u64 nr_flows;
	struct npk_secret secret;
};

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
 * npk_table_buckets() - buckets for so many flows
 * @flows: slots wanted
 *
 * Return: number of buckets, at least 1, 0 when no table can be that large.
 */
u32 npk_table_buckets(u64 flows);

/**
 * npk_table_segments() - segments for so many buckets
 * @nr_buckets: from npk_table_buckets()
 *
 * Return: number of segments.
 */
static inline u32 npk_table_segments(u32 nr_buckets)
{
	return ((nr_buckets - 1) >> NPK_SEG_SHIFT) + 1;
}

/**
 * npk_table_segment_size() - octets of one segment
 * @nr_buckets: from npk_table_buckets()
 * @i: which, below npk_table_segments()
 *
 * Return: size in octets.
 */
u64 npk_table_segment_size(u32 nr_buckets, u32 i);

/**
 * npk_table_bitmap_size() - octets of npk_table.occupied
 * @nr_buckets: from npk_table_buckets()
 *
 * Return: size in octets.
 */
static inline u64 npk_table_bitmap_size(u32 nr_buckets)
{
	return ((u64)nr_buckets + 63) / 64 * 8;
}

/**
 * npk_table_next() - next bucket that may hold a flow
 * @t: table
 * @from: first bucket to consider
 * @end: one behind the last, at most @t->nr_buckets
 *
 * Return: its number, or @end when there is none.
 */
u32 npk_table_next(const struct npk_table *t, u32 from, u32 end);

/**
 * npk_table_tidy() - note that a bucket is empty, if it is
 * @t: table
 * @i: number of the bucket
 */
void npk_table_tidy(struct npk_table *t, u32 i);

/**
 * npk_table_bucket() - bucket by number
 * @t: table
 * @i: below @t->nr_buckets
 *
 * Return: the bucket.
 */
static __always_inline struct npk_bucket *npk_table_bucket(const struct npk_table *t, u32 i)
{
	return &t->seg[i >> NPK_SEG_SHIFT][i & ((1U << NPK_SEG_SHIFT) - 1)];
}

/* Number of the bucket that 32 bits of a hash choose. */
static __always_inline u32 npk_table_index(const struct npk_table *t, u32 bits)
{
	return (u64)bits * t->nr_buckets >> 32;
}

/**
 * npk_table_home() - bucket a flow belongs in
 * @t: table
 * @hash: npk_key_hash()
 *
 * Return: the bucket; for prefetching as well.
 */
static __always_inline struct npk_bucket *npk_table_home(const struct npk_table *t, u64 hash)
{
	return npk_table_bucket(t, npk_table_index(t, (u32)hash));
}

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

/* Number of the bucket a flow lives in when its home was nearly full. */
static __always_inline u32 npk_table_other_index(const struct npk_table *t, u64 hash)
{
	return npk_table_index(t, (u32)(hash >> 16));
}

static __always_inline struct npk_bucket *npk_table_other(const struct npk_table *t, u64 hash)
{
	return npk_table_bucket(t, npk_table_other_index(t, hash));
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

/*
 * Top bits of the lanes of word @i in which a flow's deadline is at or before @nows, the present
 * tick in all lanes, modulo 2^15; NPK_DUE_REPEATED is ignored.  No flow is in the last lane.
 */
static __always_inline u64 npk_bucket_passed(const struct npk_bucket *b, u32 i, u64 nows)
{
	u64 ahead = (nows | NPK_LANE_TOP) - (b->due_word[i] & ~NPK_LANE_TOP);
	u64 sigs = b->sig_word[i];
	u64 used = ((sigs & ~NPK_LANE_TOP) + ~NPK_LANE_TOP) | sigs;

	/* half of the range of 15 bits */
	return used & ~(ahead << 1) & NPK_LANE_TOP;
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

/**
 * npk_table_fetch() - have the processor fetch what npk_table_find() will look at
 * @t: table
 * @hash: of the flow's key
 *
 * The line of signatures, and at the same time the flow where its hash says it is, which
 * otherwise would be fetched when that line has come.
 */
static __always_inline void npk_table_fetch(const struct npk_table *t, u64 hash)
{
	struct npk_bucket *home = npk_table_home(t, hash);

	__builtin_prefetch(home);
	__builtin_prefetch(&home->flow[npk_way_of(hash)], 1);
}

/**
 * npk_table_find() - look a flow up
 * @t: table
 * @w: words of its key
 * @is_ip6: the key is one of IPv6
 * @hash: npk_words_hash() of @w
 * @slot: out: where it is
 *
 * Context: Any; the caller holds the table's lock. Reads at most two buckets.
 * Return: true when the flow is in the table.
 */
static __always_inline bool npk_table_find(const struct npk_table *t, const struct npk_words *w,
					   bool is_ip6, u64 hash, struct npk_slot *slot)
{
	struct npk_bucket *home = npk_table_home(t, hash);
	u16 sig = npk_sig_of(hash);

	if (likely(npk_bucket_guess(home, w, is_ip6, hash, slot)) ||
	    likely(npk_bucket_find(home, w, is_ip6, sig, slot)))
		return true;
	return unlikely(npk_bucket_moved(home)) &&
	       npk_bucket_find(npk_table_other(t, hash), w, is_ip6, sig, slot);
}

/**
 * npk_table_own() - the place of a new flow where nothing is in its way
 * @t: table
 * @hash: of a key that is not in the table
 * @slot: out: the place its hash says, in its home bucket
 *
 * Return: true; false when npk_table_claim() has to look.
 */
static __always_inline bool npk_table_own(const struct npk_table *t, u64 hash,
					  struct npk_slot *slot)
{
	struct npk_bucket *home = npk_table_home(t, hash);
	u32 way = npk_way_of(hash);

	npk_slot_set(slot, home, way);
	return likely(npk_bucket_used(home) < NPK_WAYS_HOME) && likely(!home->sig[way]);
}

/**
 * npk_table_claim() - a place for a new flow
 * @t: table
 * @hash: of a key that is not in the table
 * @now: present time, ticks
 * @slot: out: a free place, or the one whose flow is least useful
 *
 * Least useful is, in the home bucket and then the other one: of the flows with
 * a single packet the one with the earliest deadline; when all have more, the
 * one in the home bucket that has been silent longest.
 *
 * Return: true when the place is free; false when the caller has to
 * npk_table_remove() what is there first.
 */
bool npk_table_claim(const struct npk_table *t, u64 hash, u32 now, struct npk_slot *slot);

/**
 * npk_table_occupy() - put a flow at a free place
 * @t: table
 * @slot: from npk_table_claim(), free
 * @hash: of the flow's key
 * @due: first deadline, ticks
 *
 * The entry itself is the caller's to start.
 */
static __always_inline void npk_table_occupy(struct npk_table *t, const struct npk_slot *slot,
					     u64 hash, u32 due)
{
	struct npk_bucket *home = npk_table_home(t, hash);
	u32 i = npk_table_index(t, (u32)hash);

	slot->bucket->sig[slot->way] = npk_sig_of(hash);
	slot->bucket->due[slot->way] = due;
	slot->bucket->nr++;
	if (unlikely(slot->bucket != home)) {
		home->nr += npk_bucket_moved(home) < NPK_MOVED_MAX ? NPK_ONE_MOVED : 0;
		i = npk_table_other_index(t, hash);
	}
	t->occupied[i / 64] |= 1ULL << (i % 64);
	t->nr_flows++;
}

/**
 * npk_table_remove() - free a place
 * @t: table
 * @slot: place in use; its entry must still hold the key
 */
void npk_table_remove(struct npk_table *t, const struct npk_slot *slot);

#endif /* NPK_CORE_TABLE_H */
