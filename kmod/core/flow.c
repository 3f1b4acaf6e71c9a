// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow.h"

u64 npk_flow_conv_of(const struct npk_flow *flow, const struct npk_secret *secret)
{
	struct npk_words w = npk_flow_words(flow);

	return npk_words_conv(&w, npk_flow_is_ip6(flow), npk_flow_proto(flow), secret).hash;
}
