// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fingerprint.h"

static bool has_option(const struct npk_syn *syn, enum npk_syn_option option)
{
	unsigned int i;

	for (i = 0; i < NPK_SYN_OPTIONS_MAX; i++) {
		if ((syn->options >> 4 * i & 15) == option)
			return true;
	}
	return false;
}

static unsigned int initial_ttl(unsigned int ttl)
{
	unsigned int power = 1;

	while (power < ttl)
		power *= 2;
	return power > 255 ? 255 : power;
}

void npk_fingerprint(const struct npk_syn *syn, uint8_t out[NPK_FINGERPRINT_LEN])
{
	char mss[8] = "_MSS", scale[4] = "WS", text[32];

	memset(out, 0, NPK_FINGERPRINT_LEN);
	if (!(syn->flags & NPK_SYN_SEEN))
		return;
	if (syn->flags & NPK_SYN_MSS)
		snprintf(mss, sizeof(mss), "%04X", syn->mss);
	if (syn->flags & NPK_SYN_WSCALE)	/* RFC 7323: at most 14 */
		snprintf(scale, sizeof(scale), "%02u", syn->wscale % 100U);
	snprintf(text, sizeof(text), "%04X%s%02X%s%u%u%u%u%c%02X", syn->window, mss,
		 initial_ttl(syn->ttl), scale, has_option(syn, NPK_SYN_OPT_SACK_OK),
		 has_option(syn, NPK_SYN_OPT_NOP), !!(syn->quirks & NPK_QUIRK_DF),
		 has_option(syn, NPK_SYN_OPT_TIMESTAMP), syn->flags & NPK_SYN_ACK ? 'A' : 'S',
		 syn->tcp_len);
	memcpy(out, text, NPK_FINGERPRINT_LEN - 1);
}
