/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What most frames are, read in as few steps as can be: Ethernet II, at most one tag
 * that the device took out, IPv4 without options or IPv6 without extension headers,
 * no fragment, nothing merged, and a whole UDP or TCP header.
 *
 * All of it is inlined into the receive path, and a struct npk_plain whose address
 * nobody takes is kept in registers.  Any other frame is npk_parse()'s, which gives
 * the same results for these.
 */
#ifndef NPK_CORE_PLAIN_H
#define NPK_CORE_PLAIN_H

#include "link.h"

#define NPK_ETH_HLEN		14
#define NPK_IP4_HLEN		20
#define NPK_IP6_HLEN		40
#define NPK_UDP_HLEN		8
#define NPK_TCP_HLEN		20
#define NPK_TCP_DOFF_MIN	5	/* 32-bit words, RFC 9293 section 3.1 */

/** NPK_PLAIN_MIN - octets of the shortest plain frame: UDP over IPv4 */
#define NPK_PLAIN_MIN	(NPK_ETH_HLEN + NPK_IP4_HLEN + NPK_UDP_HLEN)

/**
 * struct npk_plain - a plain frame
 * @words: the flow key
 * @frame: Ethernet header
 * @l4: TCP or UDP header
 * @linear: octets readable at @frame
 * @ip_len: IP octets
 * @ttl: TTL or hop limit
 * @is_ip6: IPv6
 * @is_tcp: TCP
 */
struct npk_plain {
	struct npk_words words;
	const u8 *frame;
	const u8 *l4;
	u32 linear;
	u32 ip_len;
	u8 ttl;
	bool is_ip6;
	bool is_tcp;
};

/* TCP flags, 12 bits. */
static __always_inline u16 npk_plain_flags(const struct npk_plain *p)
{
	return npk_load_be16(p->l4 + 12) & 0x0fff;
}

/* Octets of the TCP header. */
static __always_inline u32 npk_plain_tcp_hlen(const struct npk_plain *p)
{
	return (p->l4[12] >> 4) * 4U;
}

/* Octets of TCP payload. */
static __always_inline u32 npk_plain_payload(const struct npk_plain *p)
{
	u32 hlen = (p->is_ip6 ? NPK_IP6_HLEN : NPK_IP4_HLEN) + npk_plain_tcp_hlen(p);

	return p->ip_len > hlen ? p->ip_len - hlen : 0;
}

/* The transport header: all of it is there, of a SYN with the options. */
static __always_inline bool npk_plain_read_l4(struct npk_plain *p, u8 proto, u32 off)
{
	u32 room = p->ip_len - (off - NPK_ETH_HLEN);

	p->l4 = p->frame + off;
	p->is_tcp = proto == NPK_PROTO_TCP;
	if (likely(!p->is_tcp))
		return proto == NPK_PROTO_UDP && likely(room >= NPK_UDP_HLEN);
	if (unlikely(room < NPK_TCP_HLEN || p->linear < off + NPK_TCP_HLEN ||
		     p->l4[12] >> 4 < NPK_TCP_DOFF_MIN))
		return false;
	return likely(!(npk_plain_flags(p) & NPK_TCP_SYN)) ||
	       p->linear >= off + npk_plain_tcp_hlen(p);
}

static __always_inline u64 npk_plain_transport(const struct npk_plain *p, u8 proto, u8 tos,
					       u8 version)
{
	return npk_word(npk_load_u32(p->l4), proto, tos, version, 0);
}

/* What a frame that turned out to be plain says; @p->frame and @p->l4 are set. */
static __always_inline void npk_plain_fill4(struct npk_plain *p)
{
	const u8 *ip = p->frame + NPK_ETH_HLEN;

	p->is_ip6 = false;
	p->ttl = ip[8];
	p->words.transport = npk_plain_transport(p, ip[9], ip[1], 4);
	p->words.addr0 = npk_load_u64(ip + 12);
	p->words.addr1 = 0;
	p->words.addr2 = 0;
	p->words.addr3 = 0;
}

static __always_inline void npk_plain_fill6(struct npk_plain *p)
{
	const u8 *ip = p->frame + NPK_ETH_HLEN;

	p->is_ip6 = true;
	p->ttl = ip[7];
	p->words.transport = npk_plain_transport(p, ip[6], npk_load_be16(ip) >> 4, 6);
	p->words.addr0 = npk_load_u64(ip + 8);
	p->words.addr1 = npk_load_u64(ip + 16);
	p->words.addr2 = npk_load_u64(ip + 24);
	p->words.addr3 = npk_load_u64(ip + 32);
}

/* What both IP versions have in common. */
static __always_inline void npk_plain_begin(struct npk_plain *p, const u8 *frame, u32 linear,
					    u64 link)
{
	p->frame = frame;
	p->linear = linear;
	p->words.link = link;
	p->words.label = npk_word(NPK_MPLS_NONE, 0, 0, 0, 0);
}

/* The device and the tag it took out; no second tag. */
static __always_inline u64 npk_plain_link(u32 ifindex, u16 vlan)
{
	return npk_word_of(ifindex, vlan, NPK_VLAN_NONE);
}

/**
 * npk_plain_ip4() - read a frame, if it is plain IPv4
 * @p: out
 * @frame: Ethernet header
 * @linear: octets readable there
 * @wire_len: octets the frame had on the wire; >= @linear; nothing was merged into it
 * @ifindex: device it was received on
 * @vlan: VID of the tag that the device took out, or NPK_VLAN_NONE
 *
 * Context: Any. Never sleeps.
 * Return: true; false, and @p means nothing, when it is another one.
 */
static __always_inline bool npk_plain_ip4(struct npk_plain *p, const u8 *frame, u32 linear,
					  u32 wire_len, u32 ifindex, u16 vlan)
{
	const u8 *ip = frame + NPK_ETH_HLEN;

	if (unlikely(linear < NPK_PLAIN_MIN) ||
	    unlikely(npk_load_be16(frame + 12) != NPK_ETHERTYPE_IP4))
		return false;
	npk_plain_begin(p, frame, linear, npk_plain_link(ifindex, vlan));
	/* 0x3fff: more fragments, and the offset, RFC 791 */
	if (unlikely(ip[0] != 0x45) || unlikely(npk_load_be16(ip + 6) & 0x3fff))
		return false;
	p->ip_len = npk_load_be16(ip + 2);
	if (unlikely(p->ip_len > wire_len - NPK_ETH_HLEN) || unlikely(p->ip_len < NPK_IP4_HLEN) ||
	    unlikely(!npk_plain_read_l4(p, ip[9], NPK_ETH_HLEN + NPK_IP4_HLEN)))
		return false;
	npk_plain_fill4(p);
	return true;
}

/**
 * npk_plain_ip6() - read a frame, if it is plain IPv6
 * @p: as for npk_plain_ip4()
 * @frame: likewise
 * @linear: likewise
 * @wire_len: likewise
 * @ifindex: likewise
 * @vlan: likewise
 *
 * Context: Any. Never sleeps.
 * Return: as npk_plain_ip4().
 */
static __always_inline bool npk_plain_ip6(struct npk_plain *p, const u8 *frame, u32 linear,
					  u32 wire_len, u32 ifindex, u16 vlan)
{
	const u8 *ip = frame + NPK_ETH_HLEN;

	if (unlikely(linear < NPK_ETH_HLEN + NPK_IP6_HLEN + NPK_UDP_HLEN) ||
	    unlikely(npk_load_be16(frame + 12) != NPK_ETHERTYPE_IP6) ||
	    unlikely(ip[0] >> 4 != 6))
		return false;
	npk_plain_begin(p, frame, linear, npk_plain_link(ifindex, vlan));
	p->ip_len = npk_load_be16(ip + 4) + NPK_IP6_HLEN;
	/* a jumbogram's length is 0, RFC 2675: too short for a transport header */
	if (unlikely(p->ip_len > wire_len - NPK_ETH_HLEN) ||
	    unlikely(!npk_plain_read_l4(p, ip[6], NPK_ETH_HLEN + NPK_IP6_HLEN)))
		return false;
	npk_plain_fill6(p);
	return true;
}

/* May it be plain, and with which tag? */
static __always_inline bool npk_plain_may_be(const struct npk_pkt *pkt, u16 *vlan)
{
	*vlan = pkt->has_tag ? pkt->vlan_tci & NPK_VID_MASK : NPK_VLAN_NONE;
	return likely(pkt->segs == 1) && likely(!pkt->gso_size);
}

/* npk_plain_pkt() for IPv4. */
static __always_inline bool npk_plain_pkt4(struct npk_plain *p, const struct npk_pkt *pkt)
{
	u16 vlan;

	return npk_plain_may_be(pkt, &vlan) &&
	       npk_plain_ip4(p, pkt->data, pkt->linear, pkt->wire_len, pkt->ifindex, vlan);
}

/* npk_plain_pkt() for IPv6. */
static __always_inline bool npk_plain_pkt6(struct npk_plain *p, const struct npk_pkt *pkt)
{
	u16 vlan;

	return npk_plain_may_be(pkt, &vlan) &&
	       npk_plain_ip6(p, pkt->data, pkt->linear, pkt->wire_len, pkt->ifindex, vlan);
}

/**
 * npk_plain_pkt() - read a frame, if it is plain
 * @p: out
 * @pkt: frame, the caller's fields set
 *
 * Return: as npk_plain_ip4().
 */
static __always_inline bool npk_plain_pkt(struct npk_plain *p, const struct npk_pkt *pkt)
{
	return npk_plain_pkt4(p, pkt) || npk_plain_pkt6(p, pkt);
}

/**
 * npk_plain_again() - read a plain frame once more
 * @p: out
 * @frame: as for npk_plain_ip4()
 * @linear: likewise
 * @link: npk_words.link of the first time
 * @is_ip6: what it is
 *
 * Cheaper for the caller than to keep what it read.
 */
static __always_inline void npk_plain_again(struct npk_plain *p, const u8 *frame, u32 linear,
					    u64 link, bool is_ip6)
{
	const u8 *ip = frame + NPK_ETH_HLEN;

	npk_plain_begin(p, frame, linear, link);
	p->l4 = ip + (is_ip6 ? NPK_IP6_HLEN : NPK_IP4_HLEN);
	p->is_tcp = ip[is_ip6 ? 6 : 9] == NPK_PROTO_TCP;
	if (is_ip6) {
		p->ip_len = npk_load_be16(ip + 4) + NPK_IP6_HLEN;
		npk_plain_fill6(p);
	} else {
		p->ip_len = npk_load_be16(ip + 2);
		npk_plain_fill4(p);
	}
}

static __always_inline void npk_plain_unfold_tcp(const struct npk_plain *p, struct npk_pkt *pkt)
{
	pkt->tcp_flags = npk_plain_flags(p);
	pkt->l4_off = p->l4 - p->frame;
	pkt->seq = npk_load_be32(p->l4 + 4);
	pkt->ack = npk_load_be32(p->l4 + 8);
	pkt->window = npk_load_be16(p->l4 + 14);
	pkt->tcp_hlen = npk_plain_tcp_hlen(p);
	pkt->payload = npk_plain_payload(p);
}

/**
 * npk_plain_unfold() - the same as npk_parse() would say
 * @p: plain frame
 * @pkt: out: the results; the caller's fields stay as they are
 *
 * Context: Any. Never sleeps.
 */
static __always_inline void npk_plain_unfold(const struct npk_plain *p, struct npk_pkt *pkt)
{
	pkt->key.words = p->words;
	pkt->l3_off = NPK_ETH_HLEN;
	pkt->ip_len = p->ip_len;
	pkt->octets = p->ip_len;
	pkt->min_len = p->ip_len;
	pkt->max_len = p->ip_len;
	pkt->flow_label = p->is_ip6 ? npk_load_be32(p->frame + NPK_ETH_HLEN) & 0xfffff : 0;
	pkt->tcp_flags = 0;
	pkt->ttl = p->ttl;
	pkt->nr_mpls = 0;
	pkt->jumbo = false;
	pkt->fragment = NPK_FRAG_NONE;
	pkt->has_tcp = p->is_tcp;
	pkt->notes = 0;
	if (p->is_tcp)
		npk_plain_unfold_tcp(p, pkt);
}

#endif /* NPK_CORE_PLAIN_H */
