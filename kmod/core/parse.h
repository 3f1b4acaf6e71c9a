/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a received frame to a flow key and what is accounted about it. */
#ifndef NPK_CORE_PARSE_H
#define NPK_CORE_PARSE_H

#include "key.h"

/* TCP flags, RFC 9293 section 3.1 and RFC 7125 */
#define NPK_TCP_FIN	0x01
#define NPK_TCP_SYN	0x02
#define NPK_TCP_RST	0x04

/* IP protocols the meter knows by name (IANA protocol numbers) */
enum npk_proto {
	NPK_PROTO_ICMP = 1,
	NPK_PROTO_TCP = 6,
	NPK_PROTO_UDP = 17,
	NPK_PROTO_DCCP = 33,
	NPK_PROTO_ICMP6 = 58,
	NPK_PROTO_SCTP = 132,
	NPK_PROTO_UDPLITE = 136,
};

/*
 * NPK_IGNORED_LIST - why a frame is not accounted: constant, name in counters.
 * The reasons exclude each other; every frame is accounted or has exactly one.
 */
#define NPK_IGNORED_LIST(X)				\
	X(L2_TRUNCATED, "l2_truncated")			\
	X(NOT_IP, "not_ip")				\
	X(TOO_MANY_TAGS, "too_many_tags")		\
	X(MPLS_NOT_IP, "mpls_not_ip")			\
	X(MPLS_TOO_DEEP, "mpls_too_deep")		\
	X(PPPOE_NOT_IP, "pppoe_not_ip")			\
	X(BAD_VERSION, "bad_version")			\
	X(BAD_HEADER_LENGTH, "bad_header_length")	\
	X(IP4_TRUNCATED, "ip4_truncated")		\
	X(IP6_TRUNCATED, "ip6_truncated")		\
	X(FILTER, "filter")

/**
 * enum npk_ignored - see NPK_IGNORED_LIST; NPK_IGN_NONE means accounted
 */
enum npk_ignored {
	NPK_IGN_NONE,
#define NPK_IGN_ENUM(id, name) NPK_IGN_##id,
	NPK_IGNORED_LIST(NPK_IGN_ENUM)
#undef NPK_IGN_ENUM
	__NPK_IGN_MAX,
};

/* NPK_NOTE_LIST - remarks on frames that are accounted all the same. */
#define NPK_NOTE_LIST(X)				\
	X(CAPPED, "note_capped")			\
	X(FRAGMENT, "note_fragment")			\
	X(L4_TRUNCATED, "note_l4_truncated")		\
	X(BAD_TCP, "note_bad_tcp")			\
	X(EXT_TOO_DEEP, "note_ext_too_deep")

/**
 * enum npk_note - see NPK_NOTE_LIST; bit numbers of npk_pkt.notes
 */
enum npk_note {
#define NPK_NOTE_ENUM(id, name) NPK_NOTE_##id,
	NPK_NOTE_LIST(NPK_NOTE_ENUM)
#undef NPK_NOTE_ENUM
	__NPK_NOTE_MAX,
};

struct npk_pkt;

/**
 * typedef npk_pull_fn - reach octets beyond the linear part of a frame
 * @pkt: the frame
 * @off: offset from the start of the frame
 * @len: octets wanted, at most NPK_PULL_MAX
 * @buf: room for @len octets
 *
 * Return: the octets, in place or in @buf, or NULL when they cannot be had.
 */
typedef const u8 *(*npk_pull_fn)(const struct npk_pkt *pkt, u32 off, u32 len, u8 *buf);

/** NPK_PULL_MAX - longest single header the parser asks for */
#define NPK_PULL_MAX	40

/**
 * struct npk_pkt - a frame on its way through the meter
 * @data: first octet of the Ethernet header
 * @linear: octets readable at @data
 * @captured: octets that can be had, @linear or more when @pull is set
 * @wire_len: octets the frame had on the wire, without FCS; >= @captured
 * @pull: reaches beyond @linear; NULL in user space
 * @priv: for @pull
 * @now_ns: time of reception, nanoseconds of the source's clock
 * @ifindex: device it was received on
 * @segs: packets on the wire that were merged into this one, 1 for most
 * @key: result: the flow key
 * @l3_off: result: offset of the IP header
 * @ip_len: result: IP octets, capped at what the frame had on the wire
 * @flow_label: result: IPv6 flow label
 * @tcp_flags: result: 12 bits, 0 when not TCP
 * @ttl: result: TTL or hop limit
 * @nr_mpls: result: labels seen, at most NPK_MPLS_MAX are kept
 * @mpls: result: label stack entries, top first, host order
 * @notes: result: bit set of enum npk_note
 *
 * The fields up to @segs are the caller's; npk_parse() sets the others.  Packet
 * contents are hostile: nothing is read that the cursor did not grant.
 */
struct npk_pkt {
	const u8 *data;
	u32 linear;
	u32 captured;
	u32 wire_len;
	npk_pull_fn pull;
	const void *priv;
	u64 now_ns;
	u32 ifindex;
	u32 segs;

	struct npk_key key;
	u32 l3_off;
	u32 ip_len;
	u32 flow_label;
	u16 tcp_flags;
	u8 ttl;
	u8 nr_mpls;
	u32 mpls[NPK_MPLS_MAX];
	u32 notes;
};

/**
 * npk_proto_has_ports() - does a header of this protocol start with two ports
 * @proto: IP protocol
 *
 * Return: true for TCP, UDP, UDP-Lite, DCCP and SCTP.
 */
static inline bool npk_proto_has_ports(u8 proto)
{
	return proto == NPK_PROTO_TCP || proto == NPK_PROTO_UDP || proto == NPK_PROTO_UDPLITE ||
	       proto == NPK_PROTO_DCCP || proto == NPK_PROTO_SCTP;
}

/**
 * npk_parse() - dissect a frame down to its outermost IP packet
 * @pkt: frame; the caller's fields set
 *
 * Ethernet II, 802.3 LLC/SNAP, up to three VLAN tags, an MPLS stack with IP
 * below it, PPPoE session, IPv4 with options, IPv6 with extension headers.
 * Later fragments have ports 0.
 *
 * Context: Any. Never sleeps.
 * Return: NPK_IGN_NONE and the results in @pkt, or why the frame is ignored.
 */
enum npk_ignored npk_parse(struct npk_pkt *pkt);

/**
 * npk_ignored_name() - counter name of a reason
 * @reason: below __NPK_IGN_MAX
 *
 * Return: static string, "none" for NPK_IGN_NONE.
 */
const char *npk_ignored_name(enum npk_ignored reason);

/**
 * npk_note_name() - counter name of a note
 * @note: below __NPK_NOTE_MAX
 *
 * Return: static string.
 */
const char *npk_note_name(enum npk_note note);

#endif /* NPK_CORE_PARSE_H */
