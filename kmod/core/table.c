// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "table.h"

u32 npk_table_buckets(u64 flows)
{
	u64 max = (u64)NPK_SEGS_MAX << NPK_SEG_SHIFT;
	u64 n;

	if (flows > max * NPK_WAYS)
		return 0;
	n = div64_u64(flows + NPK_WAYS - 1, NPK_WAYS);
	return n ? n : 1;
}

u64 npk_table_segment_size(u32 nr_buckets, u32 i)
{
	u32 left = nr_buckets - (i << NPK_SEG_SHIFT);
	u32 full = 1U << NPK_SEG_SHIFT;

	return (u64)(left < full ? left : full) * sizeof(struct npk_bucket);
}

u32 npk_table_next(const struct npk_table *t, u32 from, u32 end)
{
	u64 word;
	u32 i;

	if (from >= end)
		return end;
	word = t->occupied[from / 64] & (~0ULL << (from % 64));
	for (i = from / 64; !word; word = t->occupied[i]) {
		if (++i * 64ULL >= end)
			return end;
	}
	i = i * 64 + __builtin_ctzll(word);
	return i < end ? i : end;
}

void npk_table_tidy(struct npk_table *t, u32 i)
{
	if (!npk_table_bucket(t, i)->nr_used)
		t->occupied[i / 64] &= ~(1ULL << (i % 64));
}

/* A free way has signature 0.  The bucket has one: nr_moved is in the last lane, and is looked at last. */
static void free_way(struct npk_bucket *b, struct npk_slot *slot)
{
	u64 lanes;
	u32 i = 0;

	do {
		lanes = npk_lanes_equal(b->sig_word[i], 0);
	} while (!lanes && ++i < NPK_SIG_WORDS - 1);
	if (!lanes)
		lanes = npk_lanes_equal(b->sig_word[i] | npk_last_lane(), 0);
	slot->bucket = b;
	slot->way = i * 4 + npk_lane_index(__builtin_ctzll(lanes));
}

/* Of the flows with one packet, the one with the earliest deadline. */
static bool oldest_single(struct npk_bucket *b, u32 now, struct npk_slot *slot)
{
	u32 way, overdue, most = 0;
	bool any = false;

	for (way = 0; way < NPK_WAYS; way++) {
		if (b->due[way] & NPK_DUE_REPEATED)
			continue;
		/* half the range added: overdue and ahead on one scale */
		overdue = (now - b->due[way] + (NPK_TICK_MASK + 1) / 2) & NPK_TICK_MASK;
		if (!any || overdue > most) {
			any = true;
			most = overdue;
			slot->bucket = b;
			slot->way = way;
		}
	}
	return any;
}

static void longest_silent(struct npk_bucket *b, struct npk_slot *slot)
{
	u32 way;

	slot->bucket = b;
	slot->way = 0;
	for (way = 1; way < NPK_WAYS; way++) {
		if ((s64)(b->flow[way].last_ns - b->flow[slot->way].last_ns) < 0)
			slot->way = way;
	}
}

bool npk_table_claim(const struct npk_table *t, u64 hash, u32 now, struct npk_slot *slot)
{
	struct npk_bucket *home = npk_table_home(t, hash);
	struct npk_bucket *alt, *b = home;
	u32 in_home = home->nr_used, in_alt;

	if (unlikely(in_home >= NPK_WAYS_HOME)) {
		alt = npk_table_other(t, hash);
		in_alt = alt->nr_used;
		if (in_home == NPK_WAYS && in_alt == NPK_WAYS) {
			if (!oldest_single(home, now, slot) && !oldest_single(alt, now, slot))
				longest_silent(home, slot);
			return false;
		}
		b = in_alt < in_home ? alt : home;
	}
	free_way(b, slot);
	return true;
}

void npk_table_occupy(struct npk_table *t, const struct npk_slot *slot, u64 hash, u32 due)
{
	struct npk_bucket *home = npk_table_home(t, hash);
	u32 i = npk_table_index(t, (u32)hash);

	slot->bucket->sig[slot->way] = npk_sig_of(hash);
	slot->bucket->due[slot->way] = due;
	slot->bucket->nr_used++;
	if (unlikely(slot->bucket != home)) {
		home->nr_moved++;
		i = npk_table_other_index(t, hash);
	}
	t->occupied[i / 64] |= 1ULL << (i % 64);
	t->nr_flows++;
}

void npk_table_remove(struct npk_table *t, const struct npk_slot *slot)
{
	struct npk_bucket *home;
	struct npk_key key;

	npk_flow_key(npk_slot_flow(slot), &key);
	home = npk_table_home(t, npk_key_hash(&key, &t->secret));
	if (slot->bucket != home)
		home->nr_moved--;
	slot->bucket->sig[slot->way] = 0;
	slot->bucket->nr_used--;
	t->nr_flows--;
}
