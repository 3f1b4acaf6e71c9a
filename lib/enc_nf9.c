// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NetFlow v9, RFC 3954: templates and data, IPv4 and IPv6 in sets of their own.
 *
 * A datagram is: header, template set when due, data set of IPv4, data set of
 * IPv6.  Records are taken from the front of what is offered, so the order
 * changes only between the two sets of one datagram.
 */
#include <errno.h>
#include <string.h>

#include "buf.h"
#include "enc.h"

#define NF9_HEADER_LEN		20	/* RFC 3954 section 5.1 */
#define NF9_SET_HEADER_LEN	4	/* section 5.3 */
#define NF9_TEMPLATE_SET	0	/* section 5.2, FlowSet id */
#define NF9_FIRST_ID		256	/* section 5.2, lower ids are reserved */

/* A shorter record could not be told from padding, section 5.3. */
#define NF9_MIN_RECORD		4

/*
 * The default templates: what a passive probe knows.  TCP flags in one octet
 * and packet lengths in two, as other exporters send them; longer ones saturate.
 */
static const struct npk_field default_ipv4[] = {
	NPK_FIELD(IPV4_SRC_ADDR), NPK_FIELD(IPV4_DST_ADDR),
	NPK_FIELD(L4_SRC_PORT), NPK_FIELD(L4_DST_PORT),
	NPK_FIELD(PROTOCOL), NPK_FIELD(TCP_FLAGS), NPK_FIELD(SRC_TOS), NPK_FIELD(DIRECTION),
	NPK_FIELD(IN_BYTES), NPK_FIELD(IN_PKTS),
	NPK_FIELD(FIRST_SWITCHED), NPK_FIELD(LAST_SWITCHED),
	NPK_FIELD(INPUT_SNMP), NPK_FIELD(OUTPUT_SNMP),
	NPK_FIELD(ICMP_TYPE),
	NPK_FIELD(SRC_VLAN), NPK_FIELD(IN_SRC_MAC), NPK_FIELD(IN_DST_MAC),
	NPK_FIELD(MIN_TTL), NPK_FIELD(MAX_TTL), NPK_FIELD(IP_PROTOCOL_VERSION),
	NPK_FIELD(MIN_IP_PKT_LEN), NPK_FIELD(MAX_IP_PKT_LEN),
	NPK_FIELD(FLOW_END_REASON),
};

static const struct npk_field default_ipv6[] = {
	NPK_FIELD(IPV6_SRC_ADDR), NPK_FIELD(IPV6_DST_ADDR),
	NPK_FIELD(L4_SRC_PORT), NPK_FIELD(L4_DST_PORT),
	NPK_FIELD(PROTOCOL), NPK_FIELD(TCP_FLAGS), NPK_FIELD(SRC_TOS), NPK_FIELD(DIRECTION),
	NPK_FIELD(IN_BYTES), NPK_FIELD(IN_PKTS),
	NPK_FIELD(FIRST_SWITCHED), NPK_FIELD(LAST_SWITCHED),
	NPK_FIELD(INPUT_SNMP), NPK_FIELD(OUTPUT_SNMP),
	/* 178 and 179 say what 139 says: nfdump knows only the former, others the latter. */
	NPK_FIELD(ICMP_IPV6_TYPE_CODE), NPK_FIELD(ICMP_IPV6_TYPE), NPK_FIELD(ICMP_IPV6_CODE),
	NPK_FIELD(IPV6_FLOW_LABEL),
	NPK_FIELD(SRC_VLAN), NPK_FIELD(IN_SRC_MAC), NPK_FIELD(IN_DST_MAC),
	NPK_FIELD(MIN_TTL), NPK_FIELD(MAX_TTL), NPK_FIELD(IP_PROTOCOL_VERSION),
	NPK_FIELD(MIN_IP_PKT_LEN), NPK_FIELD(MAX_IP_PKT_LEN),
	NPK_FIELD(FLOW_END_REASON),
};

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

/**
 * struct nf9_layout - what one datagram will hold
 * @templates: the templates are due
 * @taken: records, the sum of @nr
 * @nr: records by family
 * @bad: stopped at a record that is not exportable
 */
struct nf9_layout {
	bool templates;
	size_t taken;
	size_t nr[__NPK_ENC_FAMILY_MAX];
	bool bad;
};

/* Octets of a data set with its padding, 0 without records. */
static size_t set_len(const struct npk_enc_set *set, size_t nr)
{
	size_t len = NF9_SET_HEADER_LEN + nr * set->plan.record_len;

	return nr ? len + (-len & 3) : 0;
}

static const char *nf9_exportable(const struct npk_enc *enc, const struct npk_rec *rec)
{
	if (enc->sets[npk_enc_family(rec)].plan.nr_fields)
		return NULL;
	return rec->ip_version == 4 ? "no_ipv4_template" : "no_ipv6_template";
}

static void nf9_plan(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		     const struct npk_clock *clock, struct nf9_layout *l)
{
	size_t len[__NPK_ENC_FAMILY_MAX] = { 0 };
	size_t fixed = NF9_HEADER_LEN;

	*l = (struct nf9_layout){ .templates = npk_enc_templates_due(enc, nr_recs, clock) };
	if (l->templates)
		fixed += enc->templates_len;
	for (; l->taken < nr_recs; l->taken++) {
		const struct npk_rec *rec = recs[l->taken];
		enum npk_enc_family f = npk_enc_family(rec);
		size_t grown;

		if (npk_enc_exportable(enc, rec)) {
			l->bad = true;
			return;
		}
		grown = set_len(&enc->sets[f], l->nr[f] + 1);
		if (fixed + grown + len[!f] > enc->opts.max_payload)
			return;
		len[f] = grown;
		l->nr[f]++;
	}
}

static size_t nf9_room(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		       const struct npk_clock *clock)
{
	struct nf9_layout l;

	nf9_plan(enc, recs, nr_recs, clock, &l);
	return l.taken;
}

/*
 * RFC 3954 section 5.1 has whole seconds only, so a collector that subtracts
 * sysUptime from them would be up to 999 ms off.  Both are moved back to the
 * start of the second, and boot time comes out exact.  Where sysUptime has just
 * (re)started and cannot go back, both are moved on to the end of the second.
 */
static void put_header(struct npk_buf *b, const struct npk_enc *enc, const struct npk_times *times,
		       size_t count)
{
	uint32_t uptime = npk_times_uptime(times, times->now_ms);
	int64_t secs = npk_floor_div(times->now_ms, NPK_MS_PER_S);
	uint32_t past_ms = (uint32_t)(times->now_ms - secs * NPK_MS_PER_S);

	if (uptime < past_ms) {
		uptime += NPK_MS_PER_S;
		secs++;
	}
	npk_buf_u16(b, NPK_ENC_NF9);
	npk_buf_u16(b, (uint16_t)count);
	npk_buf_u32(b, uptime - past_ms);
	npk_buf_u32(b, (uint32_t)secs);
	npk_buf_u32(b, enc->sequence);
	npk_buf_u32(b, enc->opts.source_id);
}

static void put_data_set(struct npk_buf *b, const struct npk_enc *enc, enum npk_enc_family f,
			 const struct npk_rec *const *recs, const struct nf9_layout *l,
			 const struct npk_times *times)
{
	const struct npk_enc_set *set = &enc->sets[f];
	uint8_t *out;
	size_t i;

	if (!l->nr[f])
		return;
	npk_buf_u16(b, set->id);
	npk_buf_u16(b, (uint16_t)set_len(set, l->nr[f]));
	for (i = 0; i < l->taken; i++) {
		if (npk_enc_family(recs[i]) != f)
			continue;
		out = npk_buf_claim(b, set->plan.record_len);
		if (out)
			npk_plan_encode(&set->plan, recs[i], times, out);
	}
	npk_buf_align4(b);
}

static int nf9_datagram(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
			const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken)
{
	struct npk_times times;
	struct nf9_layout l;
	struct npk_buf b;

	nf9_plan(enc, recs, nr_recs, clock, &l);
	if (l.bad)
		return -EINVAL;
	if (!l.templates && !l.taken)
		return 0;

	npk_times_init(&times, clock);
	npk_buf_init(&b, buf, enc->opts.max_payload);
	put_header(&b, enc, &times, l.taken + (l.templates ? enc->nr_templates : 0));
	if (l.templates)
		npk_buf_bytes(&b, enc->templates, enc->templates_len);
	put_data_set(&b, enc, NPK_ENC_IPV4, recs, &l, &times);
	put_data_set(&b, enc, NPK_ENC_IPV6, recs, &l, &times);

	npk_enc_templates_account(enc, clock, l.templates);
	enc->sequence++;
	*len = b.len;
	*taken = l.taken;
	return 0;
}

/* One template record, RFC 3954 section 5.2. */
static int put_template(struct npk_buf *b, const struct npk_enc_set *set)
{
	unsigned int i;

	npk_buf_u16(b, set->id);
	npk_buf_u16(b, set->plan.nr_fields);
	for (i = 0; i < set->plan.nr_fields; i++) {
		uint16_t type = npk_ie_v9_type(set->plan.fields[i].ie);

		if (!type)
			return -EINVAL;
		npk_buf_u16(b, type);
		npk_buf_u16(b, set->plan.fields[i].len);
	}
	return 0;
}

static int add_template(struct npk_enc *enc, enum npk_enc_family f,
			const struct npk_enc_template *t, struct npk_buf *b)
{
	struct npk_enc_set *set = &enc->sets[f];
	int err;

	if (!t->nr_fields)
		return 0;
	if (t->id < NF9_FIRST_ID)
		return -EINVAL;
	err = npk_plan_init(&set->plan, t->fields, t->nr_fields);
	if (err)
		return err;
	if (set->plan.record_len < NF9_MIN_RECORD)
		return -EINVAL;
	set->id = t->id;
	enc->nr_templates++;
	return put_template(b, set);
}

/* Compile the templates, and build the template set that is sent when due. */
static int build_templates(struct npk_enc *enc, const struct npk_enc_template *templates)
{
	uint8_t *set_header;
	struct npk_buf b;
	unsigned int f;
	int err;

	npk_buf_init(&b, enc->templates, sizeof(enc->templates));
	set_header = npk_buf_claim(&b, NF9_SET_HEADER_LEN);
	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		err = add_template(enc, f, &templates[f], &b);
		if (err)
			return err;
	}
	if (!enc->nr_templates)
		return -EINVAL;
	if (enc->sets[NPK_ENC_IPV4].id == enc->sets[NPK_ENC_IPV6].id)
		return -EINVAL;
	npk_put_be16(set_header, NF9_TEMPLATE_SET);
	npk_put_be16(set_header + 2, (uint16_t)b.len);
	enc->templates_len = b.len;
	return 0;
}

static int nf9_init(struct npk_enc *enc, const struct npk_enc_template *templates)
{
	uint16_t id = enc->opts.template_id;
	const struct npk_enc_template defaults[] = {
		[NPK_ENC_IPV4] = { default_ipv4, NR(default_ipv4), id },
		[NPK_ENC_IPV6] = { default_ipv6, NR(default_ipv6), (uint16_t)(id + 1) },
	};
	size_t fixed;
	unsigned int f;
	int err;

	err = build_templates(enc, templates ? templates : defaults);
	if (err)
		return err;
	fixed = NF9_HEADER_LEN + enc->templates_len;
	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		if (fixed + set_len(&enc->sets[f], 1) > enc->opts.max_payload)
			return -EMSGSIZE;
	}
	return 0;
}

const struct npk_enc_format npk_enc_nf9 = {
	.init = nf9_init,
	.exportable = nf9_exportable,
	.room = nf9_room,
	.datagram = nf9_datagram,
};
