// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * nFlow v1, as ntop's probes of 2003 sent it: no templates, each flow is a list
 * of items (type, length, value), the message has a keyed MD5 digest and is
 * sent as one zlib stream.  Its one receiver set the limits: counters of 32 bits,
 * at most 30 flows, and 1500 octets before compression.
 *
 * Types are those of NetFlow v9 up to 79, and of nFlow's own days from 80 on,
 * which is not what they mean in v9 today.  An item that would say nothing is left
 * out: 0, IP version 4, what was not measured.
 */
#include <errno.h>

#include "buf.h"
#include "enc.h"
#include "nflow.h"
#include "seal.h"

#define MESSAGE_MAX	1400
#define FLOWS_MAX	30
/* more than all items together have */
#define FLOW_MAX	256

#define PROTO_ICMP	1
#define ICMP_TYPES	32	/* bits of NFLOW_ICMP_FLAGS */
#define NS_PER_HALF_US	500

static void put_item(struct npk_buf *b, enum nflow_type type, uint64_t value, unsigned int len)
{
	uint8_t *p;

	npk_buf_u16(b, (uint16_t)type);
	npk_buf_u16(b, (uint16_t)len);
	p = npk_buf_claim(b, len);
	if (p)
		npk_put_be(p, value, len);
}

static void put_known(struct npk_buf *b, enum nflow_type type, uint64_t value, unsigned int len)
{
	if (value)
		put_item(b, type, value, len);
}

static void put_octets(struct npk_buf *b, enum nflow_type type, const void *value, uint16_t len)
{
	npk_buf_u16(b, (uint16_t)type);
	npk_buf_u16(b, len);
	npk_buf_bytes(b, value, len);
}

static void put_key(struct npk_buf *b, const struct npk_rec *rec)
{
	bool ipv6 = rec->ip_version == 6;

	put_octets(b, ipv6 ? NFLOW_IPV6_SRC_ADDR : NFLOW_IPV4_SRC_ADDR, rec->saddr, ipv6 ? 16 : 4);
	put_octets(b, ipv6 ? NFLOW_IPV6_DST_ADDR : NFLOW_IPV4_DST_ADDR, rec->daddr, ipv6 ? 16 : 4);
	put_octets(b, NFLOW_L4_SRC_PORT, &rec->sport, 2);
	put_octets(b, NFLOW_L4_DST_PORT, &rec->dport, 2);
	put_item(b, NFLOW_PROTOCOL, rec->proto, 1);
	put_item(b, NFLOW_SRC_TOS, rec->tos, 1);
	put_item(b, NFLOW_TCP_FLAGS, rec->tcp_flags & 0xff, 1);
}

static void put_counters(struct npk_buf *b, const struct npk_rec *rec,
			 const struct npk_times *times, const struct npk_part *part)
{
	uint32_t first, last;

	npk_times_span(times, rec, &first, &last);
	put_item(b, NFLOW_IN_BYTES, part->octets, 4);
	put_item(b, NFLOW_IN_PKTS, part->packets, 4);
	put_item(b, NFLOW_FIRST_SWITCHED, first, 4);
	put_item(b, NFLOW_LAST_SWITCHED, last, 4);
}

static void put_link(struct npk_buf *b, const struct npk_rec *rec)
{
	unsigned int i;

	put_known(b, NFLOW_INPUT_SNMP, rec->in_if, 4);
	put_known(b, NFLOW_OUTPUT_SNMP, rec->out_if, 4);
	put_known(b, NFLOW_DIRECTION, rec->dir, 1);
	if (rec->ip_version == 6) {
		put_item(b, NFLOW_IP_PROTOCOL_VERSION, 6, 1);
		put_known(b, NFLOW_IPV6_FLOW_LABEL, rec->flow_label, 3);
	}
	if (rec->vlan != NPK_VLAN_NONE)		/* 0 is a tag */
		put_item(b, NFLOW_VLAN_TAG, rec->vlan, 2);
	for (i = 0; i < rec->nr_mpls && i < NPK_MPLS_MAX; i++)
		put_item(b, NFLOW_MPLS_LABEL_1 + i, rec->mpls[i] >> 8, 3);
}

static void put_time(struct npk_buf *b, enum nflow_type sec, uint64_t ns)
{
	if (!ns)
		return;
	put_item(b, sec, ns / NPK_NS_PER_S, 4);
	put_item(b, sec + 1, ns % NPK_NS_PER_S, 4);
}

/*
 * The network latency is half a round trip.  This record knows the one between the
 * probe and its own side; both directions' add up to the whole connection's.
 */
static void put_measured(struct npk_buf *b, const struct npk_rec *rec)
{
	uint64_t delays = (uint64_t)rec->server_delay_us + rec->client_delay_us;
	unsigned int icmp_type = *(const uint8_t *)&rec->dport;

	if (rec->fragments)
		put_item(b, NFLOW_FRAGMENTED, 1, 1);
	put_time(b, NFLOW_NW_LATENCY_SEC, delays * NS_PER_HALF_US);
	put_time(b, NFLOW_APPL_LATENCY_SEC, (uint64_t)rec->appl_delay_us * NPK_NS_PER_US);
	if (rec->proto == PROTO_ICMP && icmp_type < ICMP_TYPES)
		put_item(b, NFLOW_ICMP_FLAGS, UINT64_C(1) << icmp_type, 4);
}

static void put_flow(struct npk_buf *b, const struct npk_rec *rec, const struct npk_times *times,
		     const struct npk_part *part)
{
	size_t start = b->len;
	uint8_t *len = npk_buf_claim(b, 2);

	put_key(b, rec);
	put_counters(b, rec, times, part);
	put_link(b, rec);
	put_measured(b, rec);
	if (len)
		npk_put_be16(len, (uint16_t)(b->len - start));
}

/* By making it: which items there are does not depend on times and counters. */
static size_t flow_len(const struct npk_rec *rec)
{
	static const struct npk_times times;
	static const struct npk_part part;
	uint8_t scratch[FLOW_MAX];
	struct npk_buf b;

	npk_buf_init(&b, scratch, sizeof(scratch));
	put_flow(&b, rec, &times, &part);
	return b.len;
}

static struct npk_split_plan nflow_plan(const struct npk_enc *enc,
					const struct npk_rec *const *recs, size_t nr_recs)
{
	size_t max = enc->opts.max_payload < MESSAGE_MAX ? enc->opts.max_payload : MESSAGE_MAX;
	const struct npk_split_room room = {
		.parts = FLOWS_MAX,
		.octets = max - NFLOW_HEADER_LEN,
		.len = flow_len,
	};

	return npk_split_plan(enc, &enc->split, recs, nr_recs, &room);
}

static size_t nflow_room(const struct npk_enc *enc, const struct npk_rec *const *recs,
			 size_t nr_recs, const struct npk_clock *clock)
{
	(void)clock;
	return nflow_plan(enc, recs, nr_recs).taken;
}

static void put_header(struct npk_buf *b, const struct npk_enc *enc, const struct npk_times *times,
		       size_t flows)
{
	const struct npk_sampling *s = &enc->opts.sampling;

	npk_split_put_header(b, enc, times, flows);
	npk_buf_u32(b, enc->opts.source_id);
	npk_buf_u16(b, (uint16_t)(s->interval > 1 ? s->interval : 0));
	npk_buf_zero(b, 2 + NPK_MD5_LEN);
}

static int nflow_datagram(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
			  const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken)
{
	struct npk_split_plan plan = nflow_plan(enc, recs, nr_recs);
	struct npk_times times;
	struct npk_buf b;

	if (plan.bad)
		return -EINVAL;
	if (!plan.parts)
		return 0;

	npk_times_init(&times, clock);
	npk_buf_init(&b, buf, enc->opts.max_payload);
	put_header(&b, enc, &times, plan.parts);
	npk_split_put(&b, &enc->split, recs, plan.parts, &times, put_flow);
	npk_digest_md5(&enc->seal->key, buf, b.len, NFLOW_DIGEST_AT, buf + NFLOW_DIGEST_AT);
	enc->sequence += (uint32_t)plan.parts;
	*len = npk_seal_compress(enc->seal, buf, b.len, b.size);
	*taken = plan.taken;
	return 0;
}

static const char *nflow_exportable(const struct npk_enc *enc, const struct npk_rec *rec)
{
	(void)enc;
	(void)rec;
	return NULL;
}

static int nflow_init(struct npk_enc *enc, const struct npk_enc_template *templates)
{
	(void)templates;
	if (enc->opts.sampling.interval > UINT16_MAX)
		return -EINVAL;
	return npk_seal_new(&enc->opts, &enc->seal);
}

const struct npk_enc_format npk_enc_nflow = {
	.init = nflow_init,
	.exportable = nflow_exportable,
	.room = nflow_room,
	.datagram = nflow_datagram,
};
