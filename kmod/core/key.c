// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "key.h"

static u64 fold_addresses(const u64 *src, const u64 *dst, const struct npk_secret *secret)
{
	return npk_mul_fold(src[0] ^ secret->word[2], dst[0] ^ secret->word[3]) ^
	       npk_mul_fold(src[1] ^ secret->word[4], dst[1] ^ secret->word[5]);
}

u64 npk_key_conv(const struct npk_key *key, const struct npk_secret *secret)
{
	bool swap = npk_key_side(key);
	u32 low = 0, high = 0;
	u64 src[2], dst[2];
	u32 ends[2];
	u64 h;

	if (npk_proto_has_ports(key->proto)) {
		low = be16_to_cpu(key->sport);
		high = be16_to_cpu(key->dport);
	}
	/* ports are ordered on their own: one order for one pair is enough */
	if (low > high) {
		low = be16_to_cpu(key->dport);
		high = be16_to_cpu(key->sport);
	}
	h = (u64)low << 32 | (u64)high << 16 | (u64)key->proto << 8 | key->ip_version;
	h = npk_mul_fold(h ^ secret->word[0], secret->word[1] | 1);
	if (likely(key->ip_version == 4)) {
		memcpy(ends, key->addr, sizeof(ends));
		h ^= npk_mul_fold(ends[swap] ^ secret->word[2], ends[!swap] ^ secret->word[3]);
	} else {
		memcpy(src, key->addr, sizeof(src));
		memcpy(dst, key->addr + 16, sizeof(dst));
		h ^= swap ? fold_addresses(dst, src, secret) : fold_addresses(src, dst, secret);
	}
	return npk_mul_fold(h ^ secret->word[6], secret->word[7] | 1);
}
