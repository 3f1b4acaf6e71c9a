/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a received frame to a flow key and what is accounted about it. */
#ifndef NPK_CORE_PARSE_H
#define NPK_CORE_PARSE_H

#include "key.h"

/* TCP flags, RFC 9293 section 3.1, RFC 3168 and RFC 7125 */
#define NPK_TCP_FIN	0x01
#define NPK_TCP_SYN	0x02
#define NPK_TCP_RST	0x04
#define NPK_TCP_PSH	0x08
#define NPK_TCP_ACK	0x10
#define NPK_TCP_URG	0x20
#define NPK_TCP_ECE	0x40
#define NPK_TCP_CWR	0x80
#define NPK_TCP_NS	0x100	/* RFC 3540, historic */

/**
 * enum npk_ignored - why a frame is not accounted
 * @NPK_IGN_NONE: it is accounted
 * @NPK_IGN_L2_TRUNCATED: ends inside the link layer's headers
 * @NPK_IGN_NOT_IP: carries something else (ARP, LLDP, spanning tree, ...)
 * @NPK_IGN_TOO_MANY_TAGS: more than three VLAN tags
 * @NPK_IGN_MPLS_NOT_IP: a pseudo-wire or something unknown below the labels
 * @NPK_IGN_MPLS_TOO_DEEP: more than ten labels
 * @NPK_IGN_PPPOE_NOT_IP: PPP control protocols, or no PPPoE session data
 * @NPK_IGN_BAD_VERSION: the IP version is not what the layer below says
 * @NPK_IGN_BAD_HEADER_LENGTH: IPv4 header shorter than 20 octets, or longer than
 *	the packet
 * @NPK_IGN_IP4_TRUNCATED: ends inside the IPv4 header
 * @NPK_IGN_IP6_TRUNCATED: ends inside the IPv6 header
 * @NPK_IGN_FILTER: rejected by the filter
 * @__NPK_IGN_MAX: number of values
 *
 * The reasons exclude each other; every frame is accounted or has exactly one.
 */
enum npk_ignored {
	NPK_IGN_NONE,
	NPK_IGN_L2_TRUNCATED,
	NPK_IGN_NOT_IP,
	NPK_IGN_TOO_MANY_TAGS,
	NPK_IGN_MPLS_NOT_IP,
	NPK_IGN_MPLS_TOO_DEEP,
	NPK_IGN_PPPOE_NOT_IP,
	NPK_IGN_BAD_VERSION,
	NPK_IGN_BAD_HEADER_LENGTH,
	NPK_IGN_IP4_TRUNCATED,
	NPK_IGN_IP6_TRUNCATED,
	NPK_IGN_FILTER,
	__NPK_IGN_MAX,
};

/**
 * enum npk_note - remarks on packets that are accounted; bits of npk_pkt.notes
 * @NPK_NOTE_CAPPED: the IP length was larger than the frame on the wire
 * @NPK_NOTE_FRAGMENT: a fragment
 * @NPK_NOTE_L4_TRUNCATED: ends before ports, ICMP type or TCP flags
 * @NPK_NOTE_BAD_TCP: TCP data offset below 5: the flags are not believed
 * @NPK_NOTE_EXT_TOO_DEEP: more than 32 IPv6 extension headers
 * @NPK_NOTE_MERGED: packets that arrived merged into fewer
 * @NPK_NOTE_CONV_FORGOTTEN: to follow its conversation another one that was under way
 *	had to be given up: that one's delays are not measured
 * @NPK_NOTE_FRAG_UNKNOWN: a later fragment whose first one is not known: ports 0
 * @__NPK_NOTE_MAX: number of values
 */
enum npk_note {
	NPK_NOTE_CAPPED,
	NPK_NOTE_FRAGMENT,
	NPK_NOTE_L4_TRUNCATED,
	NPK_NOTE_BAD_TCP,
	NPK_NOTE_EXT_TOO_DEEP,
	NPK_NOTE_MERGED,
	NPK_NOTE_FRAG_UNKNOWN,
	NPK_NOTE_CONV_FORGOTTEN,
	__NPK_NOTE_MAX,
};

/**
 * enum npk_fragment - which part of a fragmented packet a frame carries
 * @NPK_FRAG_NONE: not fragmented; also an IPv6 atomic fragment (RFC 6946)
 * @NPK_FRAG_FIRST: offset 0, more follow
 * @NPK_FRAG_LATER: any other: the transport header is not in it
 */
enum npk_fragment {
	NPK_FRAG_NONE,
	NPK_FRAG_FIRST,
	NPK_FRAG_LATER,
};

struct npk_pkt;

/**
 * typedef npk_pull_fn - copy octets beyond the linear part of a frame
 * @pkt: the frame
 * @off: offset from the start of the frame
 * @len: octets wanted, at most NPK_PULL_MAX
 * @buf: out: the octets
 *
 * Return: true, or false when they cannot be had.
 */
typedef bool (*npk_pull_fn)(const struct npk_pkt *pkt, u32 off, u32 len, u8 *buf);

/** NPK_GSO_BY_FRAGS - npk_pkt.gso_size when merged packets differ in size */
#define NPK_GSO_BY_FRAGS	0xffffU

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
 * @segs: packets on the wire that were merged into this one, 1 for most; 0 with
 *	@gso_size set: not known, npk_parse() works it out
 * @gso_size: payload octets of each merged packet but the last, 0 = not merged,
 *	NPK_GSO_BY_FRAGS = they differ
 * @gso_hdr_len: octets from the IP header to the payload that was merged; 0 = to
 *	the end of the outermost transport header
 * @gso_min: NPK_GSO_BY_FRAGS: payload octets of the shortest merged packet
 * @gso_max: NPK_GSO_BY_FRAGS: of the longest
 * @vlan_tci: tag that the device took out of the frame, if @has_tag
 * @has_tag: there is one; it is the outermost
 * @key: result: the flow key
 * @l3_off: result: offset of the IP header
 * @ip_len: result: IP octets of the packet as it came, capped at the frame's
 * @octets: result: IP octets on the wire: @ip_len, and for merged packets the
 *	headers that merging removed
 * @min_len: result: shortest IP packet on the wire in it
 * @max_len: result: longest
 * @flow_label: result: IPv6 flow label
 * @tcp_flags: result: 12 bits, 0 when not TCP
 * @ttl: result: TTL or hop limit
 * @nr_mpls: result: labels seen, at most NPK_MPLS_MAX are kept
 * @mpls: result: label stack entries, top first, host order
 * @jumbo: result: the length is that of an IPv6 jumbo payload option
 * @fragment: result: enum npk_fragment
 * @has_tcp: result: a whole TCP header, not of a fragment: @seq to @tcp_hlen are set
 * @frag_id: result: identification of a fragment, host order
 * @l4_off: result: offset of the TCP header
 * @seq: result: sequence number
 * @ack: result: acknowledgement number
 * @payload: result: octets of TCP payload, of all merged packets together
 * @window: result: window, not scaled
 * @tcp_hlen: result: octets of the TCP header with its options
 * @notes: result: bit set of enum npk_note
 *
 * The fields up to @has_tag are the caller's; npk_parse() sets the others.  Packet
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
	u32 gso_size;
	u32 gso_hdr_len;
	u32 gso_min;
	u32 gso_max;
	u16 vlan_tci;
	bool has_tag;

	struct npk_key key;
	u32 l3_off;
	u32 ip_len;
	u32 octets;
	u32 min_len;
	u32 max_len;
	u32 flow_label;
	u16 tcp_flags;
	u8 ttl;
	u8 nr_mpls;
	bool jumbo;
	u8 fragment;
	bool has_tcp;
	u32 frag_id;
	u32 l4_off;
	u32 seq;
	u32 ack;
	u32 payload;
	u16 window;
	u16 tcp_hlen;
	u32 mpls[NPK_MPLS_MAX];
	u32 notes;
};

/**
 * npk_parse() - dissect a frame down to its outermost IP packet
 * @pkt: frame; the caller's fields set
 *
 * Ethernet II, 802.3 LLC/SNAP, up to three VLAN tags, an MPLS stack with IP
 * below it, PPPoE session, IPv4 with options, IPv6 with extension headers.
 * Later fragments have ports 0; npk_frags_join() may know better.
 *
 * Context: Any. Never sleeps.
 * Return: NPK_IGN_NONE and the results in @pkt, or why the frame is ignored.
 */
enum npk_ignored npk_parse(struct npk_pkt *pkt);

/* The same of a frame of which is known that it is not plain (plain.h); right for any. */
enum npk_ignored npk_parse_any(struct npk_pkt *pkt);

/**
 * npk_ignored_by_choice() - is a reason one that no meter should have got over
 * @reason: not NPK_IGN_NONE
 *
 * Return: true for what is no IP, and for a filter's choice; false for a packet that could not
 * be read, which RFC 7012's ignoredPacketTotalCount (164) is about.
 */
static inline bool npk_ignored_by_choice(enum npk_ignored reason)
{
	return reason == NPK_IGN_NOT_IP || reason == NPK_IGN_MPLS_NOT_IP ||
	       reason == NPK_IGN_PPPOE_NOT_IP || reason == NPK_IGN_FILTER;
}

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
