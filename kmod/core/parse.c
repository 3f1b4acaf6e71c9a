// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "parse.h"

/* IEEE 802 numbers, EtherTypes (IANA) */
#define ETHERTYPE_IP4		0x0800
#define ETHERTYPE_IP6		0x86dd
#define ETHERTYPE_VLAN		0x8100	/* 802.1Q C-tag */
#define ETHERTYPE_SVLAN		0x88a8	/* 802.1ad S-tag */
#define ETHERTYPE_OLD_QINQ	0x9100	/* before 802.1ad */
#define ETHERTYPE_MPLS		0x8847
#define ETHERTYPE_MPLS_UP	0x8848	/* upstream-assigned, RFC 5332 */
#define ETHERTYPE_PPPOE		0x8864	/* session stage, RFC 2516 */
#define ETHERTYPE_MIN		0x0600	/* below: an 802.3 length */

/* PPP protocol numbers (IANA) */
#define PPP_IP4			0x0021
#define PPP_IP6			0x0057
#define PPP_MPLS		0x0281

/* IPv6 extension headers, RFC 8200 section 4, RFC 4302 */
#define EXT_HOPBYHOP		0
#define EXT_ROUTING		43
#define EXT_FRAGMENT		44
#define EXT_AH			51
#define EXT_DSTOPTS		60
#define OPT6_PAD1		0x00
#define OPT6_JUMBO		0xc2	/* RFC 2675 */

#define ETH_HLEN_		14
#define IP4_HLEN_MIN		20
#define IP6_HLEN		40
#define TCP_DOFF_MIN		5	/* 32-bit words, RFC 9293 section 3.1 */

#define MAX_TAGS		3	/* the innermost of three is not in the key */
#define MAX_LABELS		10
#define MAX_EXT_HEADERS		32

/* @len octets at @off: in place when linear, else pulled into @buf, else NULL. */
static __always_inline const u8 *at(const struct npk_pkt *pkt, u32 off, u32 len, u8 *buf)
{
	if (likely(off + len <= pkt->linear))
		return pkt->data + off;
	if (!pkt->pull || off + len > pkt->captured)
		return NULL;
	return pkt->pull(pkt, off, len, buf) ? buf : NULL;
}

static void note(struct npk_pkt *pkt, enum npk_note n)
{
	pkt->notes |= 1U << n;
}

static u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* Data offset and flags of a TCP header whose ports were already read. */
static void parse_tcp_flags(struct npk_pkt *pkt, u32 off, u32 end)
{
	u8 buf[2];
	const u8 *p = off + 14 <= end ? at(pkt, off + 12, 2, buf) : NULL;

	if (!p) {
		note(pkt, NPK_NOTE_L4_TRUNCATED);
		return;
	}
	if (p[0] >> 4 < TCP_DOFF_MIN) {	/* no TCP header: garbage, not flags */
		note(pkt, NPK_NOTE_BAD_TCP);
		return;
	}
	pkt->tcp_flags = npk_load_be16(p) & 0x0fff;
}

/* Ports, or ICMP type and code; @end is where the IP packet ends. */
static __always_inline void parse_l4(struct npk_pkt *pkt, u32 off, u32 end)
{
	struct npk_key *key = &pkt->key;
	bool icmp = key->proto == (key->ip_version == 4 ? NPK_PROTO_ICMP : NPK_PROTO_ICMP6);
	u32 need = npk_proto_has_ports(key->proto) ? 4 : icmp ? 2 : 0;
	const u8 *p;
	u8 buf[4];

	if (!need)
		return;
	p = off + need <= end ? at(pkt, off, need, buf) : NULL;
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
		parse_tcp_flags(pkt, off, end);
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
	return min_u32(off + len, pkt->captured);
}

static __always_inline enum npk_ignored parse_ip4(struct npk_pkt *pkt, u32 off)
{
	struct npk_key *key = &pkt->key;
	u32 hlen, tot_len, end, frag;
	u8 buf[IP4_HLEN_MIN];
	const u8 *ip = at(pkt, off, IP4_HLEN_MIN, buf);

	if (!ip)
		return NPK_IGN_IP4_TRUNCATED;
	if (ip[0] >> 4 != 4)
		return NPK_IGN_BAD_VERSION;
	hlen = (ip[0] & 0x0f) * 4U;
	tot_len = npk_load_be16(ip + 2);
	if (!tot_len)	/* segmentation offload, BIG TCP: the frame is the packet */
		tot_len = pkt->wire_len - off;
	if (hlen < IP4_HLEN_MIN || tot_len < hlen)
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
		if (frag & 0x1fff)
			return NPK_IGN_NONE;
	}
	parse_l4(pkt, off + hlen, end);
	return NPK_IGN_NONE;
}

/* Jumbo payload option (RFC 2675) of the hop-by-hop header at @off, 0 if none. */
static u32 jumbo_len(const struct npk_pkt *pkt, u32 off)
{
	u8 buf[6];
	const u8 *p = at(pkt, off, 2, buf);
	u32 end, steps;

	if (!p)
		return 0;
	end = off + (p[1] + 1U) * 8;
	off += 2;
	for (steps = 0; steps < 16 && off + 6 <= end; steps++) {
		p = at(pkt, off, 6, buf);
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
	return frag & 0xfff8;
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
		p = off + 8 <= end ? at(pkt, off, 8, buf) : NULL;
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
	u8 buf[IP6_HLEN];
	const u8 *ip = at(pkt, off, IP6_HLEN, buf);
	u32 word, len, end;

	if (!ip)
		return NPK_IGN_IP6_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return NPK_IGN_BAD_VERSION;
	word = npk_load_be32(ip);
	len = npk_load_be16(ip + 4);
	if (unlikely(!len) && ip[6] == EXT_HOPBYHOP)
		len = jumbo_len(pkt, off + IP6_HLEN);

	/* A jumbo length near 2^32 must not wrap: the cap makes it the frame's. */
	end = cap_ip_len(pkt, off, len > 0xffffffffU - IP6_HLEN ? len : len + IP6_HLEN);
	key->ip_version = 6;
	key->tos = word >> 20;
	key->proto = ip[6];
	memcpy(key->addr, ip + 8, 32);
	pkt->ttl = ip[7];
	pkt->flow_label = word & 0xfffff;
	if (unlikely(is_ext(key->proto)))
		parse_ext6(pkt, off + IP6_HLEN, end);
	else
		parse_l4(pkt, off + IP6_HLEN, end);
	return NPK_IGN_NONE;
}

static noinline enum npk_ignored parse_vlan(struct npk_pkt *pkt, u32 *off, u16 *type, u32 nr_tags)
{
	u8 buf[4];
	const u8 *p = at(pkt, *off, 4, buf);
	u16 vid;

	if (nr_tags == MAX_TAGS)
		return NPK_IGN_TOO_MANY_TAGS;
	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	vid = npk_load_be16(p) & 0x0fff;
	if (nr_tags == 0)
		pkt->key.vlan = vid;
	else if (nr_tags == 1)
		pkt->key.vlan2 = vid;
	*off += 4;
	*type = npk_load_be16(p + 2);
	return NPK_IGN_NONE;
}

/* 802.3: LLC with SNAP, or LLC with IP's own service access point. */
static noinline enum npk_ignored parse_llc(struct npk_pkt *pkt, u32 *off, u16 *type)
{
	u8 buf[8];
	const u8 *p = at(pkt, *off, 3, buf);

	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	if (p[0] == 0x06 && p[1] == 0x06 && p[2] == 0x03) {
		*off += 3;
		*type = ETHERTYPE_IP4;
		return NPK_IGN_NONE;
	}
	if (p[0] != 0xaa || p[1] != 0xaa || p[2] != 0x03)
		return NPK_IGN_NOT_IP;
	p = at(pkt, *off, 8, buf);
	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	/* OUI 0 (RFC 1042) or the bridge-tunnel 00-00-f8 (802.1H) */
	if (p[3] || p[4] || (p[5] && p[5] != 0xf8))
		return NPK_IGN_NOT_IP;
	*off += 8;
	*type = npk_load_be16(p + 6);
	return *type < ETHERTYPE_MIN ? NPK_IGN_NOT_IP : NPK_IGN_NONE;
}

/*
 * RFC 3032 label stack.  Nothing says what is below it: the first nibble is
 * the IP version, 0 and 1 are a pseudo-wire (RFC 4385).
 */
static noinline enum npk_ignored parse_mpls(struct npk_pkt *pkt, u32 *off, u16 *type)
{
	u8 buf[4];
	const u8 *p;
	u32 entry;

	do {
		if (pkt->nr_mpls == MAX_LABELS)
			return NPK_IGN_MPLS_TOO_DEEP;
		p = at(pkt, *off, 4, buf);
		if (!p)
			return NPK_IGN_L2_TRUNCATED;
		entry = npk_load_be32(p);
		if (!pkt->nr_mpls)
			pkt->key.mpls = entry >> 12;
		if (pkt->nr_mpls < NPK_MPLS_MAX)
			pkt->mpls[pkt->nr_mpls] = entry;
		pkt->nr_mpls++;
		*off += 4;
	} while (!(entry & 0x100));

	p = at(pkt, *off, 1, buf);
	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	if (p[0] >> 4 != 4 && p[0] >> 4 != 6)
		return NPK_IGN_MPLS_NOT_IP;
	*type = p[0] >> 4 == 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
	return NPK_IGN_NONE;
}

/* RFC 2516 session data: version and type 1, code 0, then PPP. */
static noinline enum npk_ignored parse_pppoe(struct npk_pkt *pkt, u32 *off, u16 *type)
{
	u8 buf[8];
	const u8 *p = at(pkt, *off, 8, buf);
	u16 proto;

	if (!p)
		return NPK_IGN_L2_TRUNCATED;
	if (p[0] != 0x11 || p[1])
		return NPK_IGN_PPPOE_NOT_IP;
	proto = npk_load_be16(p + 6);
	*off += 8;
	if (proto & 0x0100) {	/* compressed to one octet, RFC 1661 section 6.5 */
		proto >>= 8;
		*off -= 1;
	}
	switch (proto) {
	case PPP_IP4:
		*type = ETHERTYPE_IP4;
		return NPK_IGN_NONE;
	case PPP_IP6:
		*type = ETHERTYPE_IP6;
		return NPK_IGN_NONE;
	case PPP_MPLS:
		*type = ETHERTYPE_MPLS;
		return NPK_IGN_NONE;
	}
	return NPK_IGN_PPPOE_NOT_IP;
}

/* One step below an EtherType that is not IP; ends because each consumes data. */
static noinline enum npk_ignored parse_shim(struct npk_pkt *pkt, u32 *off, u16 *type, u32 *nr_tags)
{
	switch (*type) {
	case ETHERTYPE_VLAN:
	case ETHERTYPE_SVLAN:
	case ETHERTYPE_OLD_QINQ:
		return parse_vlan(pkt, off, type, (*nr_tags)++);
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_UP:
		return parse_mpls(pkt, off, type);
	case ETHERTYPE_PPPOE:
		return parse_pppoe(pkt, off, type);
	}
	if (*type >= ETHERTYPE_MIN)
		return NPK_IGN_NOT_IP;
	return parse_llc(pkt, off, type);
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
	pkt->notes = 0;
}

enum npk_ignored npk_parse(struct npk_pkt *pkt)
{
	u32 off = ETH_HLEN_, nr_tags = 0;
	enum npk_ignored ign;
	u16 type;

	/* Drivers and captures deliver the Ethernet header in one piece. */
	if (unlikely(pkt->linear < ETH_HLEN_))
		return NPK_IGN_L2_TRUNCATED;
	reset_results(pkt);
	type = npk_load_be16(pkt->data + 12);
	while (unlikely(type != ETHERTYPE_IP4 && type != ETHERTYPE_IP6)) {
		ign = parse_shim(pkt, &off, &type, &nr_tags);
		if (ign)
			return ign;
	}
	return type == ETHERTYPE_IP4 ? parse_ip4(pkt, off) : parse_ip6(pkt, off);
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
	};

	return name[n];
}
