// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow.h"

struct npk_conv_id npk_flow_conv6(const struct npk_flow *flow, const struct npk_secret *secret)
{
	struct npk_words w = npk_flow_words(flow);
	u8 proto = npk_flow_proto(flow);

	return npk_conv_id6(&w, proto, npk_proto_has_ports(proto), secret);
}
