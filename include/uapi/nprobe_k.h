/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * nprobe_k user-space ABI: the flow record, and the rings that carry it.
 *
 * A record describes one direction of one flow between its first and its last
 * packet, or the part of it since the record before (active timeout).  The
 * sums over all records of a flow are exact; a record is never repeated.
 *
 * Integers are in host byte order unless the type says __be16; addresses and
 * MAC addresses are in network order, as on the wire.  Times are nanoseconds
 * of CLOCK_MONOTONIC for records of the module; other sources have their own
 * clock (see npk_source_clock() in <npk/npk.h>).  Bytes named _resv are zero.
 * Later versions append: a reader takes sizes from struct npk_info, never from
 * sizeof.
 *
 * Reading the module's records, /dev/nprobe_k:
 *
 *   1. open(O_RDWR), ioctl(NPK_IOC_JOIN) to become a member of a group.  Every
 *      group gets every record once; within a group both directions of a
 *      conversation go to the same member.  One file at a time is a member.
 *   2. mmap one page of NPK_REGION_INFO of ring 0, read only.  It says how many
 *      rings there are (one for each shard of the flow table) and their sizes.
 *   3. For every ring mmap NPK_REGION_PROD (one page, read only),
 *      NPK_REGION_CONS (one page, read and write) and NPK_REGION_DATA (slots *
 *      rec_size octets, rounded up to pages, read only), all MAP_SHARED, at
 *      NPK_MMAP_OFFSET(ring, region).
 *   4. Positions count records and never wrap: record number n is in slot
 *      n % slots.  Load head with acquire semantics; records from tail to head
 *      may be read.  When they are done with, store tail with release semantics:
 *      their slots are the module's again.  A tail that is beyond head, or more
 *      than slots behind it, stops the ring until it is right again.
 *   5. poll() says POLLIN when a ring holds as many records as the watermark, or
 *      any for a tenth of a second; POLLHUP after NPK_IOC_SHUTDOWN when every
 *      record has been taken.
 *
 * Positions belong to the member, not to the file: who joins after a reader
 * that died goes on where that one's tail is.
 */
#ifndef _UAPI_NPROBE_K_H
#define _UAPI_NPROBE_K_H

#include <linux/ioctl.h>
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
 * enum npk_syn_flag - bits of npk_syn.flags
 * @NPK_SYN_SEEN: the flow had a packet with SYN; all of struct npk_syn is zero otherwise
 * @NPK_SYN_ACK: it was a SYN+ACK
 * @NPK_SYN_MSS: it had a maximum segment size option
 * @NPK_SYN_WSCALE: it had a window scale option
 * @NPK_SYN_MORE: it had more options than npk_syn.options holds
 * @NPK_SYN_BAD: its options are malformed or cut short
 * @NPK_SYN_PAYLOAD: it carried data
 */
enum npk_syn_flag {
	NPK_SYN_SEEN = 0x01,
	NPK_SYN_ACK = 0x02,
	NPK_SYN_MSS = 0x04,
	NPK_SYN_WSCALE = 0x08,
	NPK_SYN_MORE = 0x10,
	NPK_SYN_BAD = 0x20,
	NPK_SYN_PAYLOAD = 0x40,
};

/**
 * enum npk_syn_option - four bits of npk_syn.options
 * @NPK_SYN_OPT_NONE: behind the last one
 * @NPK_SYN_OPT_NOP: no operation, kind 1
 * @NPK_SYN_OPT_MSS: maximum segment size, kind 2
 * @NPK_SYN_OPT_WSCALE: window scale, kind 3
 * @NPK_SYN_OPT_SACK_OK: SACK permitted, kind 4
 * @NPK_SYN_OPT_SACK: SACK, kind 5
 * @NPK_SYN_OPT_TIMESTAMP: timestamps, kind 8
 * @NPK_SYN_OPT_EOL: end of the list, kind 0; npk_syn.eol_pad octets follow
 * @NPK_SYN_OPT_OTHER: any other kind
 *
 * Where a kind of RFC 9293, RFC 2018 or RFC 7323 fits in four bits the value is the kind.
 */
enum npk_syn_option {
	NPK_SYN_OPT_NONE = 0,
	NPK_SYN_OPT_NOP = 1,
	NPK_SYN_OPT_MSS = 2,
	NPK_SYN_OPT_WSCALE = 3,
	NPK_SYN_OPT_SACK_OK = 4,
	NPK_SYN_OPT_SACK = 5,
	NPK_SYN_OPT_TIMESTAMP = 8,
	NPK_SYN_OPT_EOL = 14,
	NPK_SYN_OPT_OTHER = 15,
};

/** NPK_SYN_OPTIONS_MAX - options whose order is kept */
#define NPK_SYN_OPTIONS_MAX	8

/**
 * enum npk_syn_quirk - bits of npk_syn.quirks, named as p0f 3 names them
 * @NPK_QUIRK_DF: "df": IPv4 don't fragment
 * @NPK_QUIRK_ID_PLUS: "id+": DF and an identification that is not 0
 * @NPK_QUIRK_ID_MINUS: "id-": neither DF nor an identification
 * @NPK_QUIRK_ECN: "ecn": ECN bits in the IP header, ECE, CWR or NS in TCP's
 * @NPK_QUIRK_ZERO_PLUS: "0+": the bit of the IPv4 flags that must be zero is not
 * @NPK_QUIRK_FLOW: "flow": IPv6 flow label that is not 0
 * @NPK_QUIRK_SEQ_MINUS: "seq-": sequence number 0
 * @NPK_QUIRK_ACK_PLUS: "ack+": an acknowledgement number without ACK
 * @NPK_QUIRK_ACK_MINUS: "ack-": ACK with acknowledgement number 0
 * @NPK_QUIRK_UPTR_PLUS: "uptr+": an urgent pointer without URG
 * @NPK_QUIRK_URGF_PLUS: "urgf+": URG
 * @NPK_QUIRK_PUSHF_PLUS: "pushf+": PSH
 * @NPK_QUIRK_TS1_MINUS: "ts1-": own timestamp 0
 * @NPK_QUIRK_TS2_PLUS: "ts2+": the peer's timestamp is not 0 in a SYN
 * @NPK_QUIRK_OPT_PLUS: "opt+": octets that are not 0 behind the end of the options
 * @NPK_QUIRK_EXWS: "exws": window scale above 14
 */
enum npk_syn_quirk {
	NPK_QUIRK_DF = 0x0001,
	NPK_QUIRK_ID_PLUS = 0x0002,
	NPK_QUIRK_ID_MINUS = 0x0004,
	NPK_QUIRK_ECN = 0x0008,
	NPK_QUIRK_ZERO_PLUS = 0x0010,
	NPK_QUIRK_FLOW = 0x0020,
	NPK_QUIRK_SEQ_MINUS = 0x0040,
	NPK_QUIRK_ACK_PLUS = 0x0080,
	NPK_QUIRK_ACK_MINUS = 0x0100,
	NPK_QUIRK_UPTR_PLUS = 0x0200,
	NPK_QUIRK_URGF_PLUS = 0x0400,
	NPK_QUIRK_PUSHF_PLUS = 0x0800,
	NPK_QUIRK_TS1_MINUS = 0x1000,
	NPK_QUIRK_TS2_PLUS = 0x2000,
	NPK_QUIRK_OPT_PLUS = 0x4000,
	NPK_QUIRK_EXWS = 0x8000,
};

/**
 * struct npk_syn - what a SYN or SYN+ACK says about the system that sent it
 * @options: order of the TCP options, enum npk_syn_option, four bits each, the
 *	first in the lowest
 * @window: window
 * @mss: maximum segment size, 0 without NPK_SYN_MSS
 * @quirks: enum npk_syn_quirk
 * @wscale: window scale, 0 without NPK_SYN_WSCALE
 * @ttl: TTL or hop limit
 * @ip_options: octets of IPv4 options
 * @tcp_len: octets of the TCP header with its options and the data, at most 255
 * @eol_pad: octets behind NPK_SYN_OPT_EOL
 * @flags: enum npk_syn_flag
 */
struct npk_syn {
	__u32 options;
	__u16 window;
	__u16 mss;
	__u16 quirks;
	__u8 wscale;
	__u8 ttl;
	__u8 ip_options;
	__u8 tcp_len;
	__u8 eol_pad;
	__u8 flags;
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
 * @dir: enum npk_dir
 * @in_if: ifIndex of the observed device, 0 when unknown
 * @vlan: VID of the outermost tag, or NPK_VLAN_NONE
 * @vlan2: VID of the second tag, or NPK_VLAN_NONE
 * @tcp_flags: union of the flags of all packets, 12 bits (RFC 7125)
 * @min_ttl: lowest TTL or hop limit
 * @max_ttl: highest TTL or hop limit
 * @min_len: shortest IP packet, octets
 * @max_len: longest IP packet, octets
 * @out_if: 0: the output interface is not known where packets are received
 * @retransmitted: TCP packets whose sequence numbers had been passed before
 * @out_of_order: such packets that came so soon that they were rather overtaken; not
 *	counted in @retransmitted
 * @zero_windows: TCP packets that announced a window of 0
 * @fragments: packets that were fragments, saturating
 * @flow_label: IPv6 flow label of the first packet, 20 bits
 * @tcp_flags_first: flags of the first packet accounted
 * @nr_mpls: entries of @mpls in use
 * @end_reason: enum npk_end_reason
 * @dmac: destination MAC address of the first packet
 * @smac: source MAC address of the first packet
 * @mpls: label stack entries (label << 12 | TC << 9 | S << 8 | TTL) of the
 *	first packet, @nr_mpls of them, the rest zero
 * @syn: the flow's SYN or SYN+ACK
 * @server_delay_us: from a SYN to this flow's SYN+ACK, microseconds, 0 = not measured
 * @client_delay_us: from a SYN+ACK to this flow's acknowledgement of it, likewise
 * @appl_delay_us: from the first data of a request to this flow's first answer, likewise
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
	__u8 dir;
	__u32 in_if;
	__u16 vlan;
	__u16 vlan2;
	__u16 tcp_flags;
	__u8 min_ttl;
	__u8 max_ttl;
	__u32 min_len;
	__u32 max_len;
	__u32 out_if;
	__u32 retransmitted;
	__u32 out_of_order;
	__u32 zero_windows;
	__u32 fragments;
	__u32 flow_label;
	__u16 tcp_flags_first;
	__u8 nr_mpls;
	__u8 end_reason;
	__u8 dmac[6];
	__u8 smac[6];
	__u32 mpls[NPK_MPLS_MAX];
	struct npk_syn syn;
	__u32 server_delay_us;
	__u32 client_delay_us;
	__u32 appl_delay_us;
};

/** NPK_INFO_MAGIC - npk_info.magic */
#define NPK_INFO_MAGIC		0x6b50724eU

/* npk_info.abi_major changes when old readers cannot go on, abi_minor otherwise. */
#define NPK_ABI_MAJOR		2
#define NPK_ABI_MINOR		0

/** NPK_GROUP_NAME_MAX - octets of a group's name with its NUL */
#define NPK_GROUP_NAME_MAX	16

/**
 * struct npk_info - first page of a member's mapping, read only
 * @magic: NPK_INFO_MAGIC
 * @abi_major: NPK_ABI_MAJOR of the module
 * @abi_minor: NPK_ABI_MINOR of the module
 * @info_size: octets of this struct as the module knows it
 * @rec_size: octets from one record to the next
 * @slots: records a ring holds, a power of two
 * @nr_rings: rings of this member
 * @features: bits that later versions define
 * @load_id: random, another one for every load of the module
 * @group: group joined, NUL padded
 * @member: member joined
 * @nr_members: members of the group
 */
struct npk_info {
	__u32 magic;
	__u16 abi_major;
	__u16 abi_minor;
	__u32 info_size;
	__u32 rec_size;
	__u32 slots;
	__u32 nr_rings;
	__aligned_u64 features;
	__aligned_u64 load_id;
	char group[NPK_GROUP_NAME_MAX];
	__u32 member;
	__u32 nr_members;
};

/**
 * struct npk_prod - what the module says about one ring, read only
 * @head: records written so far; store-release by the module, pairs with the
 *	reader's load-acquire (A in docs/abi.md)
 * @lost_records: records that found no room when they had to leave the table
 * @lost_packets: packets in them
 * @lost_octets: octets in them
 * @bad_tail: times the reader's position made no sense
 */
struct npk_prod {
	__aligned_u64 head;
	__aligned_u64 lost_records;
	__aligned_u64 lost_packets;
	__aligned_u64 lost_octets;
	__aligned_u64 bad_tail;
};

/**
 * struct npk_cons - what the reader says about one ring, the only page it may write
 * @tail: records done with so far; store-release by the reader, pairs with the
 *	module's load-acquire (B in docs/abi.md)
 */
struct npk_cons {
	__aligned_u64 tail;
};

/**
 * enum npk_region - parts of a ring that are mapped on their own
 * @NPK_REGION_INFO: struct npk_info, ring 0 only
 * @NPK_REGION_PROD: struct npk_prod
 * @NPK_REGION_CONS: struct npk_cons
 * @NPK_REGION_DATA: the records
 */
enum npk_region {
	NPK_REGION_INFO = 0,
	NPK_REGION_PROD = 1,
	NPK_REGION_CONS = 2,
	NPK_REGION_DATA = 3,
};

/** NPK_MMAP_OFFSET() - offset for mmap */
#define NPK_MMAP_OFFSET(ring, region)	(((ring) * 4ULL + (region)) << 32)

/** NPK_JOIN_DISCARD - npk_join.flags: skip what is in the rings, counted as lost */
#define NPK_JOIN_DISCARD	1U

/**
 * struct npk_join - argument of NPK_IOC_JOIN
 * @group: name of the group, NUL terminated
 * @member: number of the member, from 0
 * @flags: NPK_JOIN_ bits
 * @watermark: records in one ring that make poll() return at once, 0 = a quarter
 * @_resv: zero
 * @backlog: out: records that wait in the rings
 * @oldest_ns: out: last packet of the oldest of them, CLOCK_MONOTONIC
 */
struct npk_join {
	char group[NPK_GROUP_NAME_MAX];
	__u32 member;
	__u32 flags;
	__u32 watermark;
	__u32 _resv;
	__aligned_u64 backlog;
	__aligned_u64 oldest_ns;
};

/*
 * NPK_IOC_JOIN: become a member.  ENOENT no such group or member, EBUSY taken or
 * this file is a member already, EINVAL unknown flags.
 * NPK_IOC_FLUSH: close every flow (end reason 4); returns at once.  EPERM without
 * having joined or CAP_NET_ADMIN.
 * NPK_IOC_SHUTDOWN: stop metering, close every flow, end the stream.  EPERM
 * without CAP_NET_ADMIN.
 */
#define NPK_IOC_JOIN		_IOWR(0xbd, 1, struct npk_join)
#define NPK_IOC_FLUSH		_IO(0xbd, 2)
#define NPK_IOC_SHUTDOWN	_IO(0xbd, 3)

#endif /* _UAPI_NPROBE_K_H */
