// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* NetFlow v9, RFC 3954; its sets are in sets.c. */
#include <errno.h>

#include "nf9.h"

/*
 * The default template: what a passive probe knows.  TCP flags in one octet
 * and packet lengths in two, as other exporters send them; longer ones saturate.
 */
static const struct npk_field defaults[] = {
	NPK_FIELD(IPV4_SRC_ADDR), NPK_FIELD(IPV4_DST_ADDR),
	NPK_FIELD(L4_SRC_PORT), NPK_FIELD(L4_DST_PORT),
	NPK_FIELD(PROTOCOL), NPK_FIELD(TCP_FLAGS), NPK_FIELD(SRC_TOS), NPK_FIELD(DIRECTION),
	NPK_FIELD(IN_BYTES), NPK_FIELD(IN_PKTS),
	NPK_FIELD(FIRST_SWITCHED), NPK_FIELD(LAST_SWITCHED),
	NPK_FIELD(INPUT_SNMP), NPK_FIELD(OUTPUT_SNMP),
	/* 178 and 179 say what 139 says: nfdump knows only the former, others the latter. */
	NPK_FIELD(ICMP_TYPE),
	NPK_FIELD(ICMP_IPV6_TYPE_CODE), NPK_FIELD(ICMP_IPV6_TYPE), NPK_FIELD(ICMP_IPV6_CODE),
	NPK_FIELD(IPV6_FLOW_LABEL),
	NPK_FIELD(SRC_VLAN), NPK_FIELD(IN_SRC_MAC), NPK_FIELD(IN_DST_MAC),
	NPK_FIELD(MIN_TTL), NPK_FIELD(MAX_TTL), NPK_FIELD(IP_PROTOCOL_VERSION),
	NPK_FIELD(MIN_IP_PKT_LEN), NPK_FIELD(MAX_IP_PKT_LEN),
	NPK_FIELD(FLOW_END_REASON),
};

/* Section 5.2: v9 has no enterprise numbers. */
int npk_nf9_put_spec(struct npk_buf *b, const struct npk_field *field)
{
	uint16_t type = npk_ie_v9_type(field->ie);

	if (!type)
		return -EINVAL;
	npk_buf_u16(b, type);
	npk_buf_u16(b, field->len);
	return 0;
}

/* Section 6.1: octets of the scope's specifiers and of the others'. */
void npk_nf9_put_options_counts(struct npk_buf *b, uint16_t nr_fields)
{
	npk_buf_u16(b, 4);
	npk_buf_u16(b, (uint16_t)(4 * nr_fields));
}

/*
 * RFC 3954 section 5.1 has whole seconds only, so a collector that subtracts
 * sysUptime from them would be up to 999 ms off.  Both are moved back to the
 * start of the second, and boot time comes out exact.  Where sysUptime has just
 * (re)started and cannot go back, both are moved on to the end of the second.
 */
void npk_nf9_put_header(struct npk_buf *b, const struct npk_enc *enc,
			const struct npk_times *times, const struct npk_sets_layout *l,
			size_t len)
{
	uint32_t uptime = npk_times_uptime(times, times->now_ms);
	int64_t secs = npk_floor_div(times->now_ms, NPK_MS_PER_S);
	uint32_t past_ms = (uint32_t)(times->now_ms - secs * NPK_MS_PER_S);

	(void)len;
	if (uptime < past_ms) {
		uptime += NPK_MS_PER_S;
		secs++;
	}
	npk_buf_u16(b, NPK_ENC_NF9);
	/* records of every kind */
	npk_buf_u16(b, (uint16_t)(l->nr_templates + l->nr_records));
	npk_buf_u32(b, uptime - past_ms);
	npk_buf_u32(b, (uint32_t)secs);
	npk_buf_u32(b, enc->sequence);
	npk_buf_u32(b, enc->opts.source_id);
}

/* Section 5.1: the sequence number counts datagrams. */
uint32_t npk_nf9_counted(const struct npk_sets_layout *l)
{
	(void)l;
	return 1;
}

static const struct npk_sets_rules rules = {
	NF9_RULES,
	.defaults = defaults,
	.nr_defaults = sizeof(defaults) / sizeof(defaults[0]),
};

const struct npk_enc_format npk_enc_nf9 = {
	.init = npk_sets_init,
	.exportable = npk_sets_exportable,
	.room = npk_sets_room,
	.datagram = npk_sets_datagram,
	.sets = &rules,
};
