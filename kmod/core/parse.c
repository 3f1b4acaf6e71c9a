// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cursor.h"
#include "plain.h"

/* IPv6 extension headers, RFC 8200 section 4, RFC 4302 */
#define EXT_HOPBYHOP		0
#define EXT_ROUTING		43
#define EXT_FRAGMENT		44
#define EXT_AH			51
#define EXT_DSTOPTS		60
#define OPT6_PAD1		0x00
#define OPT6_JUMBO		0xc2	/* RFC 2675 */
#define JUMBO_HLEN		8	/* hop-by-hop header with nothing else */

#define MAX_EXT_HEADERS		32

static void note(struct npk_pkt *pkt, enum npk_note n)
{
	pkt->notes |= 1U << n;
}

static u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* Flags of a header that ends before its window. */
static noinline void parse_tcp_cut(struct npk_pkt *pkt, u32 off, u32 end)
{
	u8 buf[2];
	const u8 *p = off + 14 <= end ? npk_at(pkt, off + 12, 2, buf) : NULL;

	if (!p)
		note(pkt, NPK_NOTE_L4_TRUNCATED);
	else if (p[0] >> 4 < NPK_TCP_DOFF_MIN)
		note(pkt, NPK_NOTE_BAD_TCP);
	else
		pkt->tcp_flags = npk_load_be16(p) & 0x0fff;
}

/* A TCP header whose ports were already read. */
static __always_inline void parse_tcp(struct npk_pkt *pkt, u32 off, u32 end)
{
	u8 buf[12];
	const u8 *p = off + 16 <= end ? npk_at(pkt, off + 4, 12, buf) : NULL;
	u32 hlen;

	if (unlikely(!p)) {
		parse_tcp_cut(pkt, off, end);
		return;
	}
	hlen = (p[8] >> 4) * 4;
	if (unlikely(hlen < NPK_TCP_DOFF_MIN * 4)) {	/* no TCP header: garbage, not flags */
		note(pkt, NPK_NOTE_BAD_TCP);
		return;
	}
	pkt->tcp_flags = npk_load_be16(p + 8) & 0x0fff;
	if (unlikely(pkt->fragment))	/* how much of its payload it has says nothing */
		return;
	pkt->has_tcp = true;
	pkt->l4_off = off;
	pkt->seq = npk_load_be32(p);
	pkt->ack = npk_load_be32(p + 4);
	pkt->window = npk_load_be16(p + 10);
	pkt->tcp_hlen = hlen;
	hlen += off - pkt->l3_off;
	pkt->payload = pkt->ip_len > hlen ? pkt->ip_len - hlen : 0;
}

/* Octets of the transport header at @off that every merged packet had. */
static u32 transport_hlen(const struct npk_pkt *pkt, u32 off)
{
	u8 buf[1];
	const u8 *p;

	switch (pkt->key.proto) {
	case NPK_PROTO_TCP:
		p = npk_at(pkt, off + 12, 1, buf);
		return p ? (p[0] >> 4) * 4U : 0;
	case NPK_PROTO_UDP:
		return 8;
	case NPK_PROTO_SCTP:
		return 12;
	}
	return 0;
}

/*
 * A packet that was merged on reception, or not yet cut on its way out of a
 * local socket: say what the wire carried.  @off is where the transport header
 * is.  The hop-by-hop header that only announces the merged packet's length
 * (BIG TCP, RFC 2675) never was on the wire.
 */
static noinline void parse_merged(struct npk_pkt *pkt, u32 off)
{
	u32 hlen = pkt->gso_hdr_len, payload, last;

	if (!hlen)
		hlen = off - pkt->l3_off + transport_hlen(pkt, off);
	if (pkt->jumbo && hlen > JUMBO_HLEN) {
		hlen -= JUMBO_HLEN;
		pkt->octets -= JUMBO_HLEN;
	}
	payload = pkt->octets > hlen ? pkt->octets - hlen : 0;
	if (!pkt->segs)		/* from a guest: not to be trusted, rounded up */
		pkt->segs = payload ? (payload - 1) / pkt->gso_size + 1 : 1;
	if (pkt->segs <= 1)
		return;
	note(pkt, NPK_NOTE_MERGED);
	pkt->octets += (pkt->segs - 1) * hlen;
	if (pkt->gso_size == NPK_GSO_BY_FRAGS) {
		pkt->min_len = hlen + pkt->gso_min;
		pkt->max_len = hlen + pkt->gso_max;
		return;
	}
	last = payload - min_u32(payload, (pkt->segs - 1) * pkt->gso_size);
	pkt->min_len = hlen + last;
	pkt->max_len = hlen + min_u32(payload, pkt->gso_size);
}

/* Ports, or ICMP type and code; @end is where the IP packet ends. */
static __always_inline void parse_l4(struct npk_pkt *pkt, u32 off, u32 end)
{
	struct npk_key *key = &pkt->key;
	bool icmp = key->proto == (key->ip_version == 4 ? NPK_PROTO_ICMP : NPK_PROTO_ICMP6);
	u32 need = npk_proto_has_ports(key->proto) ? 4 : icmp ? 2 : 0;
	const u8 *p;
	u8 buf[4];

	if (unlikely(pkt->gso_size))
		parse_merged(pkt, off);
	if (!need)
		return;
	p = off + need <= end ? npk_at(pkt, off, need, buf) : NULL;
	if (!p) {
		note(pkt, NPK_NOTE_L4_TRUNCATED);
		return;
	}
	if (icmp) {
		memcpy(&key->dport, p, 2);	/* type * 256 + code, as it stands */
		return;
	}
	memcpy(&key->sport, p, 2);
	memcpy(&key->dport, p + 2, 2);
	if (key->proto == NPK_PROTO_TCP)
		parse_tcp(pkt, off, end);
}

/* IP octets: what the header says, but never more than the wire carried. */
static __always_inline u32 cap_ip_len(struct npk_pkt *pkt, u32 off, u32 len)
{
	u32 room = pkt->wire_len - off;

	if (unlikely(len > room)) {
		note(pkt, NPK_NOTE_CAPPED);
		len = room;
	}
	pkt->l3_off = off;
	pkt->ip_len = len;
	pkt->octets = len;
	pkt->min_len = len;
	pkt->max_len = len;
	return min_u32(off + len, pkt->captured);
}

static __always_inline enum npk_ignored parse_ip4(struct npk_pkt *pkt, u32 off)
{
	struct npk_key *key = &pkt->key;
	u32 hlen, tot_len, end, frag;
	u8 buf[NPK_IP4_HLEN];
	const u8 *ip = npk_at(pkt, off, NPK_IP4_HLEN, buf);

	if (!ip)
		return NPK_IGN_IP4_TRUNCATED;
	if (ip[0] >> 4 != 4)
		return NPK_IGN_BAD_VERSION;
	hlen = (ip[0] & 0x0f) * 4U;
	tot_len = npk_load_be16(ip + 2);
	if (!tot_len)	/* segmentation offload, BIG TCP: the frame is the packet */
		tot_len = pkt->wire_len - off;
	if (hlen < NPK_IP4_HLEN || tot_len < hlen)
		return NPK_IGN_BAD_HEADER_LENGTH;

	end = cap_ip_len(pkt, off, tot_len);
	key->ip_version = 4;
	key->tos = ip[1];
	key->proto = ip[9];
	memcpy(key->addr, ip + 12, 8);
	pkt->ttl = ip[8];
	frag = npk_load_be16(ip + 6) & 0x3fff;	/* MF and offset, RFC 791 */
	if (unlikely(frag)) {
		note(pkt, NPK_NOTE_FRAGMENT);
		pkt->frag_id = npk_load_be16(ip + 4);
		pkt->fragment = frag & 0x1fff ? NPK_FRAG_LATER : NPK_FRAG_FIRST;
		if (pkt->fragment == NPK_FRAG_LATER)
			return NPK_IGN_NONE;
	}
	parse_l4(pkt, off + hlen, end);
	return NPK_IGN_NONE;
}

/* Jumbo payload option (RFC 2675) of the hop-by-hop header at @off, 0 if none. */
static u32 jumbo_len(const struct npk_pkt *pkt, u32 off)
{
	u8 buf[6];
	const u8 *p = npk_at(pkt, off, 2, buf);
	u32 end, steps;

	if (!p)
		return 0;
	end = off + (p[1] + 1U) * 8;
	off += 2;
	for (steps = 0; steps < 16 && off + 6 <= end; steps++) {
		p = npk_at(pkt, off, 6, buf);
		if (!p)
			return 0;
		if (p[0] == OPT6_JUMBO && p[1] == 4)
			return npk_load_be32(p + 2);
		off += p[0] == OPT6_PAD1 ? 1 : 2U + p[1];
	}
	return 0;
}

/* Octets of an extension header, 0 if @proto is none. */
static u32 ext_len(u8 proto, const u8 *p)
{
	switch (proto) {
	case EXT_HOPBYHOP:
	case EXT_ROUTING:
	case EXT_DSTOPTS:
		return (p[1] + 1U) * 8;
	case EXT_AH:
		return (p[1] + 2U) * 4;
	case EXT_FRAGMENT:
		return 8;
	}
	return 0;
}

static bool is_ext(u8 proto)
{
	return proto == EXT_HOPBYHOP || proto == EXT_ROUTING || proto == EXT_FRAGMENT ||
	       proto == EXT_AH || proto == EXT_DSTOPTS;
}

/* A fragment header: true when the transport header is not in this packet. */
static bool parse_frag6(struct npk_pkt *pkt, const u8 *p)
{
	u32 frag = npk_load_be16(p + 2);

	if (!(frag & 0xfff9))	/* offset 0, no more: an atomic fragment, RFC 6946 */
		return false;
	note(pkt, NPK_NOTE_FRAGMENT);
	pkt->frag_id = npk_load_be32(p + 4);
	pkt->fragment = frag & 0xfff8 ? NPK_FRAG_LATER : NPK_FRAG_FIRST;
	return pkt->fragment == NPK_FRAG_LATER;
}

/* Walk the extension headers; pkt->key.proto is the first one's number. */
static noinline void parse_ext6(struct npk_pkt *pkt, u32 off, u32 end)
{
	struct npk_key *key = &pkt->key;
	u32 steps, len;
	const u8 *p;
	u8 buf[8];

	for (steps = 0; is_ext(key->proto); steps++) {
		if (steps == MAX_EXT_HEADERS) {
			note(pkt, NPK_NOTE_EXT_TOO_DEEP);
			return;
		}
		p = off + 8 <= end ? npk_at(pkt, off, 8, buf) : NULL;
		if (!p) {
			note(pkt, NPK_NOTE_L4_TRUNCATED);
			return;
		}
		len = ext_len(key->proto, p);
		if (key->proto == EXT_FRAGMENT && parse_frag6(pkt, p)) {
			key->proto = p[0];
			return;
		}
		key->proto = p[0];
		off += len;
	}
	parse_l4(pkt, off, end);
}

static __always_inline enum npk_ignored parse_ip6(struct npk_pkt *pkt, u32 off)
{
	struct npk_key *key = &pkt->key;
	u8 buf[NPK_IP6_HLEN];
	const u8 *ip = npk_at(pkt, off, NPK_IP6_HLEN, buf);
	u32 word, len, end;

	if (!ip)
		return NPK_IGN_IP6_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return NPK_IGN_BAD_VERSION;
	word = npk_load_be32(ip);
	len = npk_load_be16(ip + 4);
	if (unlikely(!len) && ip[6] == EXT_HOPBYHOP) {
		len = jumbo_len(pkt, off + NPK_IP6_HLEN);
		pkt->jumbo = len;
	} else if (unlikely(!len && pkt->gso_size)) {
		len = pkt->wire_len - off - NPK_IP6_HLEN;	/* BIG TCP without the header */
	}

	/* A jumbo length near 2^32 must not wrap: the cap makes it the frame's. */
	end = cap_ip_len(pkt, off, len > 0xffffffffU - NPK_IP6_HLEN ? len : len + NPK_IP6_HLEN);
	key->ip_version = 6;
	key->tos = word >> 20;
	key->proto = ip[6];
	memcpy(key->addr, ip + 8, 32);
	pkt->ttl = ip[7];
	pkt->flow_label = word & 0xfffff;
	if (unlikely(is_ext(key->proto)))
		parse_ext6(pkt, off + NPK_IP6_HLEN, end);
	else
		parse_l4(pkt, off + NPK_IP6_HLEN, end);
	return NPK_IGN_NONE;
}

static void reset_results(struct npk_pkt *pkt)
{
	memset(&pkt->key, 0, sizeof(pkt->key));
	pkt->key.ifindex = pkt->ifindex;
	pkt->key.vlan = NPK_VLAN_NONE;
	pkt->key.vlan2 = NPK_VLAN_NONE;
	pkt->key.mpls = NPK_MPLS_NONE;
	pkt->flow_label = 0;
	pkt->tcp_flags = 0;
	pkt->nr_mpls = 0;
	pkt->jumbo = false;
	pkt->fragment = NPK_FRAG_NONE;
	pkt->has_tcp = false;
	pkt->notes = 0;
}

/* Any frame. */
enum npk_ignored npk_parse_any(struct npk_pkt *pkt)
{
	u32 off = NPK_ETH_HLEN, nr_tags = 0;
	enum npk_ignored ign;
	u16 type;

	/* Drivers and captures deliver the Ethernet header in one piece. */
	if (unlikely(pkt->linear < NPK_ETH_HLEN))
		return NPK_IGN_L2_TRUNCATED;
	reset_results(pkt);
	if (unlikely(pkt->has_tag)) {
		pkt->key.vlan = pkt->vlan_tci & NPK_VID_MASK;
		nr_tags = 1;
	}
	type = npk_load_be16(pkt->data + 12);
	while (unlikely(type != NPK_ETHERTYPE_IP4 && type != NPK_ETHERTYPE_IP6)) {
		ign = npk_link_shim(pkt, &off, &type, &nr_tags);
		if (ign)
			return ign;
	}
	ign = type == NPK_ETHERTYPE_IP4 ? parse_ip4(pkt, off) : parse_ip6(pkt, off);
	if (unlikely(!pkt->segs))	/* merged, they say, but there is no transport header */
		pkt->segs = 1;
	return ign;
}

enum npk_ignored npk_parse(struct npk_pkt *pkt)
{
	struct npk_plain plain;

	if (!npk_plain_pkt(&plain, pkt))
		return npk_parse_any(pkt);
	npk_plain_unfold(&plain, pkt);
	return NPK_IGN_NONE;
}

const char *npk_ignored_name(enum npk_ignored reason)
{
	static const char *const name[__NPK_IGN_MAX] = {
		[NPK_IGN_NONE] = "none",
		[NPK_IGN_L2_TRUNCATED] = "l2_truncated",
		[NPK_IGN_NOT_IP] = "not_ip",
		[NPK_IGN_TOO_MANY_TAGS] = "too_many_tags",
		[NPK_IGN_MPLS_NOT_IP] = "mpls_not_ip",
		[NPK_IGN_MPLS_TOO_DEEP] = "mpls_too_deep",
		[NPK_IGN_PPPOE_NOT_IP] = "pppoe_not_ip",
		[NPK_IGN_BAD_VERSION] = "bad_version",
		[NPK_IGN_BAD_HEADER_LENGTH] = "bad_header_length",
		[NPK_IGN_IP4_TRUNCATED] = "ip4_truncated",
		[NPK_IGN_IP6_TRUNCATED] = "ip6_truncated",
		[NPK_IGN_FILTER] = "filter",
	};

	return name[reason];
}

const char *npk_note_name(enum npk_note n)
{
	static const char *const name[__NPK_NOTE_MAX] = {
		[NPK_NOTE_CAPPED] = "note_capped",
		[NPK_NOTE_FRAGMENT] = "note_fragment",
		[NPK_NOTE_L4_TRUNCATED] = "note_l4_truncated",
		[NPK_NOTE_BAD_TCP] = "note_bad_tcp",
		[NPK_NOTE_EXT_TOO_DEEP] = "note_ext_too_deep",
		[NPK_NOTE_MERGED] = "note_merged",
		[NPK_NOTE_FRAG_UNKNOWN] = "note_fragment_unknown",
		[NPK_NOTE_CONV_FORGOTTEN] = "note_conversation_forgotten",
	};

	return name[n];
}
