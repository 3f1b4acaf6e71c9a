/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * nprobe_k user-space ABI: the flow record.
 *
 * A record describes one direction of one flow between its first and its last
 * packet, or the part of it since the record before (active timeout).  The
 * sums over all records of a flow are exact; a record is never repeated.
 *
 * Integers are in host byte order unless the type says __be16; addresses and
 * MAC addresses are in network order, as on the wire.  Times are nanoseconds
 * of the clock of the source that delivers the record (see npk_source_clock()
 * in <npk/npk.h>).  Bytes named _resv are zero.  Later versions append: a
 * reader takes the size of a record from its source, never from sizeof.
 */
#ifndef _UAPI_NPROBE_K_H
#define _UAPI_NPROBE_K_H

#include <linux/types.h>

/** NPK_VLAN_NONE - vlan, vlan2: the frame had no such tag (VID 0 is a tag) */
#define NPK_VLAN_NONE	0xffffU

/** NPK_MPLS_MAX - label stack entries kept in a record, outermost first */
#define NPK_MPLS_MAX	4

/**
 * enum npk_end_reason - why a record was closed
 * @NPK_END_IDLE: no packet for the idle timeout
 * @NPK_END_ACTIVE: the flow goes on, the active timeout passed
 * @NPK_END_FLOW: the flow's own FIN or RST, then two seconds of silence
 * @NPK_END_FORCED: flush, detach, shutdown, end of a capture file
 * @NPK_END_RESOURCES: closed early to make room in a full bucket
 *
 * The values are those of flowEndReason, RFC 5102 section 5.11.3 (element 136).
 */
enum npk_end_reason {
	NPK_END_IDLE = 1,
	NPK_END_ACTIVE = 2,
	NPK_END_FLOW = 3,
	NPK_END_FORCED = 4,
	NPK_END_RESOURCES = 5,
};

/**
 * enum npk_dir - side of the device on which the packets were seen
 * @NPK_DIR_INGRESS: received; also what a source that cannot tell reports
 * @NPK_DIR_EGRESS: transmitted
 *
 * The values are those of flowDirection, RFC 5102 section 5.11.1 (element 61).
 */
enum npk_dir {
	NPK_DIR_INGRESS = 0,
	NPK_DIR_EGRESS = 1,
};

/**
 * struct npk_rec - one flow record
 * @first_ns: earliest packet, nanoseconds of the source's clock
 * @last_ns: latest packet, same clock
 * @packets: packets on the wire; a merged packet counts as those it was made of
 * @octets: IP octets: total length (IPv4), payload length + 40 (IPv6), never
 *	more than the frame had on the wire
 * @conv_hash: equal for both directions of a conversation; keyed, so comparable
 *	only between records of one source
 * @seq: number of the record in its stream, from 0, without gaps
 * @saddr: source address; IPv4 in the first four octets, the rest zero
 * @daddr: destination address, likewise
 * @sport: source port; 0 where the protocol has none or the packets did not
 *	show it (later fragments, headers cut short)
 * @dport: destination port; ICMP and ICMPv6: type * 256 + code
 * @proto: IP protocol; IPv6: of the first header that is no extension header
 * @tos: IPv4 type of service or IPv6 traffic class, part of the flow's key
 * @ip_version: 4 or 6
 * @end_reason: enum npk_end_reason
 * @in_if: ifIndex of the observed device, 0 when unknown
 * @out_if: 0: the output interface is not known where packets are received
 * @vlan: VID of the outermost tag, or NPK_VLAN_NONE
 * @vlan2: VID of the second tag, or NPK_VLAN_NONE
 * @mpls: label stack entries (label << 12 | TC << 9 | S << 8 | TTL) of the
 *	first packet, @nr_mpls of them, the rest zero
 * @tcp_flags: union of the flags of all packets, 12 bits (RFC 7125)
 * @tcp_flags_first: flags of the first packet accounted
 * @min_len: shortest IP packet, octets
 * @max_len: longest IP packet, octets
 * @min_ttl: lowest TTL or hop limit
 * @max_ttl: highest TTL or hop limit
 * @dir: enum npk_dir
 * @nr_mpls: entries of @mpls in use
 * @smac: source MAC address of the first packet
 * @dmac: destination MAC address of the first packet
 * @fragments: packets that were fragments, saturating
 * @flow_label: IPv6 flow label of the first packet, 20 bits
 * @_resv: zero
 */
struct npk_rec {
	__aligned_u64 first_ns;
	__aligned_u64 last_ns;
	__aligned_u64 packets;
	__aligned_u64 octets;
	__aligned_u64 conv_hash;
	__aligned_u64 seq;
	__u8 saddr[16];
	__u8 daddr[16];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 tos;
	__u8 ip_version;
	__u8 end_reason;
	__u32 in_if;
	__u32 out_if;
	__u16 vlan;
	__u16 vlan2;
	__u32 mpls[NPK_MPLS_MAX];
	__u16 tcp_flags;
	__u16 tcp_flags_first;
	__u32 min_len;
	__u32 max_len;
	__u8 min_ttl;
	__u8 max_ttl;
	__u8 dir;
	__u8 nr_mpls;
	__u8 smac[6];
	__u8 dmac[6];
	__u32 fragments;
	__u32 flow_label;
	__u8 _resv[40];
};

#endif /* _UAPI_NPROBE_K_H */
