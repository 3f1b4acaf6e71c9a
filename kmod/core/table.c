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

u32 npk_table_next_word(const struct npk_table *t, u32 from, u32 end)
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

u32 npk_bucket_ways_by_word(const struct npk_bucket *b, u16 sig)
{
	u64 sigs = sig * NPK_LANES;
	u32 i, way, ways = 0;
	u64 found;

	for (i = 0; i < NPK_SIG_WORDS; i++) {
		found = npk_lanes_equal(b->sig_word[i], sigs);
		for (; unlikely(found); found &= found - 1) {
			way = i * 4 + npk_lane_index(__builtin_ctzll(found));
			if (b->sig[way] == sig)
				ways |= 1U << way;
		}
	}
	return ways;
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
			npk_slot_set(slot, b, way);
		}
	}
	return any;
}

static void longest_silent(struct npk_bucket *b, struct npk_slot *slot)
{
	u32 way;

	npk_slot_set(slot, b, 0);
	for (way = 1; way < NPK_WAYS; way++) {
		if ((s64)(b->flow[way].last_ns - slot->flow->last_ns) < 0)
			npk_slot_set(slot, b, way);
	}
}

void npk_table_victim(const struct npk_table *t, u64 hash, u32 now, struct npk_slot *slot)
{
	struct npk_bucket *home = npk_table_home(t, hash);

	if (!oldest_single(home, now, slot) && !oldest_single(npk_table_other(t, hash), now, slot))
		longest_silent(home, slot);
}

void npk_table_moved_back(const struct npk_table *t, const struct npk_flow *flow)
{
	struct npk_words w = npk_flow_words(flow);
	u64 hash = npk_words_hash(&w, npk_flow_is_ip6(flow), &t->secret);
	struct npk_bucket *home = npk_table_home(t, hash);

	if (npk_bucket_moved(home) < NPK_MOVED_MAX)
		home->nr -= NPK_ONE_MOVED;
}
