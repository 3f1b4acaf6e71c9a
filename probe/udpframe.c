// SPDX-License-Identifier: GPL-2.0-only
#include <netinet/in.h>
#include <string.h>

#include "udpframe.h"

#define ETHERTYPE_4	0x0800
#define ETHERTYPE_6	0x86dd
#define TAGS_MAX	3
#define EXTENSIONS_MAX	8

/**
 * struct rest - what is left of a frame
 * @p: next octet
 * @len: how many
 */
struct rest {
	const uint8_t *p;
	size_t len;
};

static unsigned int be16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static bool pass(struct rest *r, size_t len)
{
	if (len > r->len)
		return false;
	r->p += len;
	r->len -= len;
	return true;
}

bool udpframe_knows(int link)
{
	switch (link) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_NULL:
	case DLT_LOOP:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return true;
	}
	return false;
}

static bool ethernet(struct rest *r)
{
	unsigned int type, tags;

	if (!pass(r, 12))
		return false;
	for (tags = 0; r->len >= 4 && tags < TAGS_MAX; tags++) {
		type = be16(r->p);
		if (type != 0x8100 && type != 0x88a8 && type != 0x9100)
			break;
		pass(r, 4);
	}
	if (r->len < 2)
		return false;
	type = be16(r->p);
	return (type == ETHERTYPE_4 || type == ETHERTYPE_6) && pass(r, 2);
}

/* To the IP header, whose own version decides then. */
static bool skip_link(int link, struct rest *r)
{
	switch (link) {
	case DLT_EN10MB:
		return ethernet(r);
	case DLT_LINUX_SLL:
		return pass(r, 16);
	case DLT_LINUX_SLL2:
		return pass(r, 20);
	case DLT_NULL:
	case DLT_LOOP:
		return pass(r, 4);
	default:
		return true;
	}
}

void udpframe_map_ipv4(uint8_t *out, const uint8_t *addr)
{
	memset(out, 0, 16);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, addr, 4);
}

static bool ipv4(struct rest *r, struct npk_verify_from *from)
{
	size_t head = (r->p[0] & 15) * 4U, total;

	if (head < 20 || r->len < head)
		return false;
	total = be16(r->p + 2);
	if (r->p[9] != IPPROTO_UDP || be16(r->p + 6) & 0x3fff || total < head)
		return false;
	udpframe_map_ipv4(from->addr, r->p + 12);
	if (r->len > total)	/* padding of the link */
		r->len = total;
	return pass(r, head);
}

static bool ipv6(struct rest *r, struct npk_verify_from *from)
{
	unsigned int next, n;

	if (r->len < 40)
		return false;
	memcpy(from->addr, r->p + 8, 16);
	next = r->p[6];
	if (r->len > 40 + be16(r->p + 4))
		r->len = 40 + be16(r->p + 4);
	pass(r, 40);
	for (n = 0; n < EXTENSIONS_MAX && (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
					   next == IPPROTO_DSTOPTS); n++) {
		if (r->len < 8)
			return false;
		next = r->p[0];
		if (!pass(r, (r->p[1] + 1U) * 8))
			return false;
	}
	return next == IPPROTO_UDP;
}

bool udpframe_payload(int link, const uint8_t *p, size_t len, struct datagram *d)
{
	struct rest r = { p, len };
	size_t udp;

	if (!skip_link(link, &r) || !r.len)
		return false;
	if (r.p[0] >> 4 == 4 ? !ipv4(&r, &d->from) : r.p[0] >> 4 != 6 || !ipv6(&r, &d->from))
		return false;
	if (r.len < 8)
		return false;
	udp = be16(r.p + 4);
	d->from.port = (uint16_t)be16(r.p);
	if (udp < 8)
		return false;
	d->data = r.p + 8;
	d->len = (r.len < udp ? r.len : udp) - 8;
	return true;
}
