// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "buf.h"
#include "replay.h"

/* Who has no key cannot choose digests, so sets fill evenly and eight octets tell them apart. */
bool npk_replay_seen(struct npk_replay *replay, const uint8_t *digest, uint32_t unix_s)
{
	uint64_t mark = npk_get_be(digest, 8), sent = (uint64_t)unix_s + 1;
	struct npk_replay_set *set = &replay->sets[mark % NPK_REPLAY_SETS];
	unsigned int i, oldest = 0;

	for (i = 0; i < NPK_REPLAY_WAYS; i++) {
		if (set->sent[i] && set->digest[i] == mark)
			return true;
		if (set->sent[i] < set->sent[oldest])
			oldest = i;
	}
	if (sent >= set->sent[oldest]) {
		set->digest[oldest] = mark;
		set->sent[oldest] = sent;
	}
	return false;
}
