// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "key.h"

/* Does the source's address come second?  In an order that means nothing. */
static bool is_second(const struct npk_words *w, bool *same)
{
	*same = w->addr0 == w->addr2 && w->addr1 == w->addr3;
	return w->addr0 == w->addr2 ? w->addr1 > w->addr3 : w->addr0 > w->addr2;
}

struct npk_conv_id npk_conv_id6(const struct npk_words *w, u8 proto, bool has_ports,
				const struct npk_secret *secret)
{
	u32 ports = has_ports ? npk_words_ports(w) : 0, sorted = npk_ports_sorted(ports);
	const u64 *k = secret->word;
	bool same, second = is_second(w, &same);
	u64 low0 = second ? w->addr2 : w->addr0, high0 = second ? w->addr0 : w->addr2;
	u64 low1 = second ? w->addr3 : w->addr1, high1 = second ? w->addr1 : w->addr3;
	u64 h = npk_mul_fold(npk_word(sorted, proto, 0, 6, 0) ^ k[0], low0 ^ k[1]) ^
		npk_mul_fold(high0 ^ k[2], low1 ^ k[3]) ^ npk_mul_fold(high1 ^ k[4], k[5]);

	return (struct npk_conv_id){
		.hash = npk_mul_fold(h ^ k[6], k[7]),
		.side = same ? ports != sorted : second,
	};
}
