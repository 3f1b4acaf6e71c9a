// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* IPFIX, RFC 7011; its sets are in sets.c. */
#include "sets.h"

#define HEADER_LEN	16	/* RFC 7011 section 3.1 */
#define TEMPLATE_SET	2	/* section 3.3.2 */
#define OPTIONS_SET	3	/* section 3.3.2 */
#define SCOPE_DOMAIN	149	/* observationDomainId */
#define ENTERPRISE	0x8000	/* section 3.2: the E bit of a field specifier */

/* The default template: that of v9, with absolute times, and what TCP's numbers say. */
static const struct npk_field defaults[] = {
	NPK_FIELD(IPV4_SRC_ADDR), NPK_FIELD(IPV4_DST_ADDR),
	/*
	 * Before the ports: nfdump 1.7.1 puts 32, whatever the protocol, where the destination
	 * port goes.  178 and 179 say what 139 says, as in v9.
	 */
	NPK_FIELD(ICMP_TYPE),
	NPK_FIELD(ICMP_IPV6_TYPE_CODE), NPK_FIELD(ICMP_IPV6_TYPE), NPK_FIELD(ICMP_IPV6_CODE),
	NPK_FIELD(L4_SRC_PORT), NPK_FIELD(L4_DST_PORT),
	NPK_FIELD(PROTOCOL), NPK_FIELD(TCP_FLAGS), NPK_FIELD(SRC_TOS), NPK_FIELD(DIRECTION),
	NPK_FIELD(IN_BYTES), NPK_FIELD(IN_PKTS),
	NPK_FIELD(FLOW_START_MILLISECONDS), NPK_FIELD(FLOW_END_MILLISECONDS),
	NPK_FIELD(INPUT_SNMP), NPK_FIELD(OUTPUT_SNMP),
	NPK_FIELD(IPV6_FLOW_LABEL),
	NPK_FIELD(SRC_VLAN), NPK_FIELD(IN_SRC_MAC), NPK_FIELD(IN_DST_MAC),
	NPK_FIELD(MIN_TTL), NPK_FIELD(MAX_TTL), NPK_FIELD(IP_PROTOCOL_VERSION),
	NPK_FIELD(MIN_IP_PKT_LEN), NPK_FIELD(MAX_IP_PKT_LEN),
	NPK_FIELD(FLOW_END_REASON),
	NPK_FIELD(CLIENT_NW_LATENCY_MS), NPK_FIELD(SERVER_NW_LATENCY_MS),
	NPK_FIELD(APPL_LATENCY_MS),
	NPK_FIELD(RETRANSMITTED_IN_PKTS), NPK_FIELD(OOORDER_IN_PKTS),
};

/* Section 3.2 */
static int put_spec(struct npk_buf *b, const struct npk_field *field)
{
	npk_buf_u16(b, field->ie->id | (field->ie->pen ? ENTERPRISE : 0));
	npk_buf_u16(b, field->len);
	if (field->ie->pen)
		npk_buf_u32(b, field->ie->pen);
	return 0;
}

/* Section 3.4.2.2: all fields, and of these the scope. */
static void put_options_counts(struct npk_buf *b, uint16_t nr_fields)
{
	npk_buf_u16(b, (uint16_t)(nr_fields + 1));
	npk_buf_u16(b, 1);
}

/* Section 3.1 */
static void put_header(struct npk_buf *b, const struct npk_enc *enc, const struct npk_times *times,
		       const struct npk_sets_layout *l, size_t len)
{
	npk_buf_u16(b, NPK_ENC_IPFIX);
	npk_buf_u16(b, (uint16_t)len);
	npk_buf_u32(b, (uint32_t)npk_floor_div(times->now_ns, NPK_NS_PER_S));
	npk_buf_u32(b, npk_sets_in_domain_0(enc, l->process) ? enc->options.sequence :
							      enc->sequence);
	npk_buf_u32(b, l->process ? 0 : enc->opts.source_id);
}

/* Section 3.1: the sequence number counts data records, templates are none. */
static uint32_t counted(const struct npk_sets_layout *l)
{
	return (uint32_t)l->nr_records;
}

static const struct npk_sets_rules rules = {
	.header_len = HEADER_LEN,
	.template_set = TEMPLATE_SET,
	.options_set = OPTIONS_SET,
	.options_scope = SCOPE_DOMAIN,
	.put_options_counts = put_options_counts,
	.full_len = true,
	.defaults = defaults,
	.nr_defaults = sizeof(defaults) / sizeof(defaults[0]),
	.put_spec = put_spec,
	.put_header = put_header,
	.counted = counted,
	.apart = true,
};

const struct npk_enc_format npk_enc_ipfix = {
	.init = npk_sets_init,
	.exportable = npk_sets_exportable,
	.room = npk_sets_room,
	.datagram = npk_sets_datagram,
	.sets = &rules,
};
