// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "key.h"
#include "parse.h"

u64 npk_key_conv(const struct npk_key *key, const struct npk_secret *secret)
{
	unsigned int alen = key->ip_version == 6 ? 16 : 4;
	const u8 *a = key->addr;
	const u8 *b = key->addr + alen;
	u64 lo[2] = {}, hi[2] = {};
	u32 pa = 0, pb = 0;
	u64 h;

	if (npk_proto_has_ports(key->proto)) {
		pa = be16_to_cpu(key->sport);
		pb = be16_to_cpu(key->dport);
	}
	if (memcmp(a, b, alen) > 0) {
		memcpy(lo, b, alen);
		memcpy(hi, a, alen);
	} else {
		memcpy(lo, a, alen);
		memcpy(hi, b, alen);
	}
	/* Ports are ordered on their own: one order for one pair is enough. */
	h = (u64)(pa < pb ? pa : pb) << 32 | (u64)(pa < pb ? pb : pa) << 16 |
	    (u64)key->proto << 8 | key->ip_version;
	h = npk_mul_fold(h ^ secret->word[0], secret->word[1] | 1);
	h ^= npk_mul_fold(lo[0] ^ secret->word[2], hi[0] ^ secret->word[3]);
	h ^= npk_mul_fold(lo[1] ^ secret->word[4], hi[1] ^ secret->word[5]);
	return npk_mul_fold(h ^ secret->word[6], secret->word[7] | 1);
}

u8 npk_key_side(const struct npk_key *key)
{
	u32 alen = key->ip_version == 6 ? 16 : 4;
	int order = memcmp(key->addr, key->addr + alen, alen);

	if (!order && npk_proto_has_ports(key->proto))
		return be16_to_cpu(key->sport) > be16_to_cpu(key->dport);
	return order > 0;
}
