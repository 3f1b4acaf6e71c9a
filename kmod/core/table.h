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

#include "bucket.h"

/** NPK_SEG_SHIFT - log2 of the buckets in one segment of memory (193 MB) */
#define NPK_SEG_SHIFT		16

/** NPK_SEGS_MAX - segments a table may have (12 GB, 62 million flows) */
#define NPK_SEGS_MAX		64

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

/* npk_table_next() when it is not @from itself. */
u32 npk_table_next_word(const struct npk_table *t, u32 from, u32 end);

/**
 * npk_table_next() - next bucket that may hold a flow
 * @t: table
 * @from: first bucket to consider
 * @end: one behind the last, at most @t->nr_buckets
 *
 * Return: its number, or @end when there is none.
 */
static __always_inline u32 npk_table_next(const struct npk_table *t, u32 from, u32 end)
{
	if (likely(from < end) && likely(t->occupied[from / 64] >> (from % 64) & 1))
		return from;
	return npk_table_next_word(t, from, end);
}

/**
 * npk_table_tidy() - note that a bucket is empty, if it is
 * @t: table
 * @i: number of the bucket
 */
static __always_inline void npk_table_tidy(struct npk_table *t, u32 i)
{
	if (unlikely(!npk_bucket_used(npk_table_bucket(t, i))))
		t->occupied[i / 64] &= ~(1ULL << (i % 64));
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

/* Number of the bucket a flow lives in when its home was nearly full. */
static __always_inline u32 npk_table_other_index(const struct npk_table *t, u64 hash)
{
	return npk_table_index(t, (u32)(hash >> 16));
}

static __always_inline struct npk_bucket *npk_table_other(const struct npk_table *t, u64 hash)
{
	return npk_table_bucket(t, npk_table_other_index(t, hash));
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

/* The emptier of two buckets of which the home is nearly full; NULL when both are full. */
static __always_inline struct npk_bucket *npk_table_emptier(const struct npk_table *t,
							    struct npk_bucket *home, u64 hash)
{
	struct npk_bucket *other = npk_table_other(t, hash);
	u32 in_home = npk_bucket_used(home), in_other = npk_bucket_used(other);

	if (unlikely(in_home == NPK_WAYS && in_other == NPK_WAYS))
		return NULL;
	return in_other < in_home ? other : home;
}

/**
 * npk_table_room() - a free place for a new flow
 * @t: table
 * @hash: of a key that is not in the table
 * @slot: out: the place its hash says, if it is free
 *
 * Return: true; false when both buckets are full.
 */
static __always_inline bool npk_table_room(const struct npk_table *t, u64 hash,
					   struct npk_slot *slot)
{
	struct npk_bucket *b = npk_table_home(t, hash);

	if (unlikely(npk_bucket_used(b) >= NPK_WAYS_HOME))
		b = npk_table_emptier(t, b, hash);
	if (unlikely(!b))
		return false;
	npk_slot_set(slot, b, npk_bucket_free_way(b, hash));
	return true;
}

/**
 * npk_table_victim() - the least useful flow where a new one would have to go
 * @t: table
 * @hash: of a key that is not in the table, and both its buckets are full
 * @now: present time, ticks
 * @slot: out: its place
 *
 * Least useful is, in the home bucket and then the other one: of the flows with
 * a single packet the one with the earliest deadline; when all have more, the
 * one in the home bucket that has been silent longest.
 */
void npk_table_victim(const struct npk_table *t, u64 hash, u32 now, struct npk_slot *slot);

/**
 * npk_table_claim() - a place for a new flow
 * @t: table
 * @hash: as for npk_table_room()
 * @now: present time, ticks
 * @slot: out: a free place, or npk_table_victim()'s
 *
 * Return: true when the place is free; false when the caller has to
 * npk_table_remove() what is there first.
 */
static __always_inline bool npk_table_claim(const struct npk_table *t, u64 hash, u32 now,
					    struct npk_slot *slot)
{
	if (likely(npk_table_room(t, hash, slot)))
		return true;
	npk_table_victim(t, hash, now, slot);
	return false;
}

/* The bucket gets its first flow. */
static __always_inline void npk_table_note(struct npk_table *t, u64 hash, bool is_home)
{
	u32 i = is_home ? npk_table_index(t, (u32)hash) : npk_table_other_index(t, hash);

	t->occupied[i / 64] |= 1ULL << (i % 64);
}

/**
 * npk_table_occupy() - put a flow at a free place
 * @t: table
 * @slot: from npk_table_claim(), free
 * @hash: of the flow's key
 * @due: first deadline, ticks
 *
 * The entry itself is the caller's to start; its state is clear but for NPK_FLOW_MOVED.
 */
static __always_inline void npk_table_occupy(struct npk_table *t, const struct npk_slot *slot,
					     u64 hash, u32 due)
{
	struct npk_bucket *home = npk_table_home(t, hash);

	if (unlikely(!npk_bucket_used(slot->bucket)))
		npk_table_note(t, hash, slot->bucket == home);
	slot->bucket->sig[slot->way] = npk_sig_of(hash);
	slot->bucket->due[slot->way] = due;
	slot->bucket->nr++;
	slot->flow->state = 0;
	if (unlikely(slot->bucket != home)) {
		slot->flow->state = NPK_FLOW_MOVED;
		home->nr += npk_bucket_moved(home) < NPK_MOVED_MAX ? NPK_ONE_MOVED : 0;
	}
	t->nr_flows++;
}

/* A flow of that key no longer lives away from its home. */
void npk_table_moved_back(const struct npk_table *t, const struct npk_flow *flow);

/**
 * npk_table_remove() - free a place
 * @t: table
 * @slot: place in use; its entry must still hold the key
 */
static __always_inline void npk_table_remove(struct npk_table *t, const struct npk_slot *slot)
{
	if (unlikely(slot->flow->state & NPK_FLOW_MOVED))
		npk_table_moved_back(t, slot->flow);
	slot->bucket->sig[slot->way] = 0;
	slot->bucket->nr--;
	t->nr_flows--;
}

#endif /* NPK_CORE_TABLE_H */
