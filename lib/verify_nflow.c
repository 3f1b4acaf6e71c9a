// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nFlow v1 messages, as lib/enc_nflow.c and the probes of 2003 make them. */
#include <string.h>

#include "buf.h"
#include "nflow.h"
#include "verify.h"

#define NTOP_TYPES	80	/* from here on types are nFlow's own */

/**
 * struct cursor - what is left of a flow, or of the message
 * @p: next octet
 * @len: how many
 */
struct cursor {
	const uint8_t *p;
	size_t len;
};

/**
 * struct item - an item of a flow
 * @type: enum nflow_type, or any other
 * @len: octets of its value
 * @value: its value
 */
struct item {
	uint16_t type;
	uint16_t len;
	const uint8_t *value;
};

static bool next_flow(struct cursor *message, struct cursor *flow)
{
	size_t len = message->len < 2 ? 0 : npk_get_be16(message->p);

	if (len < 2 || len > message->len)
		return false;
	flow->p = message->p + 2;
	flow->len = len - 2;
	message->p += len;
	message->len -= len;
	return true;
}

static bool next_item(struct cursor *flow, struct item *item)
{
	if (flow->len < 4)
		return false;
	item->type = npk_get_be16(flow->p);
	item->len = npk_get_be16(flow->p + 2);
	item->value = flow->p + 4;
	if (item->len > flow->len - 4)
		return false;
	flow->p += 4 + item->len;
	flow->len -= 4U + item->len;
	return true;
}

/* The number of flows is that of the header, and each ends where its last item does. */
static bool well_formed(const struct npk_verify_datagram *d, struct cursor message)
{
	size_t left = npk_get_be16(d->data + 2);
	struct cursor flow;
	struct item item;

	for (; left; left--) {
		if (!next_flow(&message, &flow))
			return false;
		while (flow.len) {
			if (!next_item(&flow, &item))
				return false;
		}
	}
	return !message.len;
}

static enum npk_verdict judge(const struct npk_verify_datagram *d)
{
	const uint8_t *digest = d->data + NFLOW_DIGEST_AT;
	uint8_t want[NPK_MD5_LEN];

	npk_digest_md5(&d->v->key, d->data, d->len, NFLOW_DIGEST_AT, want);
	if (!npk_digest_same(digest, want, sizeof(want)))
		return NPK_VERDICT_BAD_DIGEST;
	return npk_verify_fresh(d, digest);
}

/* What is longer than a record can say is the longest it can. */
static void add_delay(struct npk_rec *rec, uint64_t us)
{
	uint32_t left = UINT32_MAX - rec->appl_delay_us;

	rec->appl_delay_us += us < left ? (uint32_t)us : left;
}

/*
 * Types whose meaning is nFlow's own.  The network latency is left out: it does not
 * say to which of the two sides.
 */
static void own_item(struct npk_rec *rec, const struct item *item)
{
	uint64_t v;

	if (!item->len || item->len > 8)
		return;
	v = npk_get_be(item->value, item->len);
	switch (item->type) {
	case NFLOW_FRAGMENTED:
		rec->fragments = !!v;
		break;
	case NFLOW_VLAN_TAG:
		rec->vlan = (uint16_t)v;
		break;
	case NFLOW_APPL_LATENCY_SEC:
		add_delay(rec, v < UINT32_MAX ? v * NPK_US_PER_S : UINT32_MAX);
		break;
	case NFLOW_APPL_LATENCY_NSEC:
		add_delay(rec, v / NPK_NS_PER_US);
		break;
	}
}

static void decode(const struct npk_verify_datagram *d, struct cursor flow)
{
	const struct npk_decode_clock clock = {
		.unix_ms = (int64_t)npk_get_be32(d->data + 8) * NPK_MS_PER_S +
			   npk_get_be32(d->data + 12) / NPK_NS_PER_MS,
		.uptime_ms = npk_get_be32(d->data + 4),
	};
	const struct npk_ie *ie;
	struct npk_rec rec;
	struct item item;

	npk_decode_init(&rec);
	while (next_item(&flow, &item)) {
		ie = item.type < NTOP_TYPES ? npk_ie_by_v9_type(item.type) : NULL;
		if (ie)
			npk_decode_field(&rec, ie, &clock, item.value, item.len);
		else
			own_item(&rec, &item);
	}
	npk_verify_flow(d, &rec);
}

void npk_verify_nflow(const struct npk_verify_datagram *d)
{
	struct cursor message, flow;

	if (d->len < NFLOW_HEADER_LEN)
		return;
	message.p = d->data + NFLOW_HEADER_LEN;
	message.len = d->len - NFLOW_HEADER_LEN;
	if (!well_formed(d, message))
		return;
	d->out->unix_s = npk_get_be32(d->data + 8);
	d->out->sequence = npk_get_be32(d->data + 16);
	d->out->source_id = npk_get_be32(d->data + 20);
	d->out->verdict = judge(d);
	if (d->out->verdict != NPK_VERDICT_VALID)
		return;
	npk_verify_stream(d, npk_get_be16(d->data + 2));
	while (next_flow(&message, &flow))
		decode(d, flow);
}
