/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One entry of the flow table: a flow's key and what was accounted to it. */
#ifndef NPK_CORE_FLOW_H
#define NPK_CORE_FLOW_H

#include "parse.h"

/* Words of the key in the first and in the second cache line of an entry. */
#define NPK_FLOW_HEAD	NPK_KEY_WORDS4
#define NPK_FLOW_TAIL	(NPK_KEY_WORDS6 - NPK_KEY_WORDS4)

/**
 * enum npk_flow_state - bits of npk_flow.state
 * @NPK_FLOW_SEQ: a TCP sequence number was seen
 * @NPK_FLOW_SHAKES: sent a SYN, and not yet what follows it
 * @NPK_FLOW_SPOKE: its first data were seen
 * @NPK_FLOW_HELD: is due and found no room for its record
 * @NPK_FLOW_ISN: a SYN was seen
 * @NPK_FLOW_ASTRAY: the TCP packet before was far from where the sequence is
 */
enum npk_flow_state {
	NPK_FLOW_SEQ = 1,
	NPK_FLOW_SHAKES = 2,
	NPK_FLOW_SPOKE = 4,
	NPK_FLOW_HELD = 8,
	NPK_FLOW_ASTRAY = 16,
	NPK_FLOW_ISN = 32,
};

/**
 * struct npk_flow - one direction of one flow
 * @head: key words that decide for IPv4, and all of the key but most of the
 *	addresses for IPv6
 * @packets: packets on the wire
 * @octets: IP octets
 * @last_ns: latest packet
 * @tcp_flags: union of flags, 12 bits
 * @min_ttl: lowest TTL or hop limit
 * @max_ttl: highest
 * @min_len: shortest IP packet, octets, 65535 also for longer ones
 * @max_len: longest, likewise
 * @tail: the rest of an IPv6 key
 * @first_ns: earliest packet
 * @next_seq: TCP sequence number behind the highest seen, with NPK_FLOW_SEQ
 * @next_seq_at: when it was seen, npk_flow_clock()
 * @retransmitted: see struct npk_rec
 * @out_of_order: likewise
 * @zero_windows: likewise
 * @smac: source MAC address of the first packet
 * @dmac: destination MAC address of the first packet
 * @tcp_flags_first: flags of the first packet accounted
 * @nr_mpls: entries of @mpls in use
 * @state: enum npk_flow_state
 * @fragments: packets that were fragments
 * @flow_label: IPv6 flow label of the first packet
 * @mpls: label stack of the first packet, host order
 * @syn: see struct npk_rec
 * @server_delay_us: likewise
 * @client_delay_us: likewise
 * @appl_delay_us: likewise
 * @rtt: round trip of the conversation's handshake, npk_flow_clock() units, 0 = not known
 * @isn: sequence number of its SYN, with NPK_FLOW_ISN
 *
 * The first line holds all that an IPv4 packet of a known flow touches; IPv6
 * and TCP packets need the second line too.  An entry with @packets 0 is a flow
 * whose record was made because of the active timeout: it goes on, and the next
 * packet begins another record.  Single writer: the caller holds the lock of the
 * table the entry is in.
 */
struct npk_flow {
	u64 head[NPK_FLOW_HEAD];
	u64 packets;
	u64 octets;
	u64 last_ns;
	u16 tcp_flags;
	u8 min_ttl;
	u8 max_ttl;
	u16 min_len;
	u16 max_len;

	u64 tail[NPK_FLOW_TAIL];
	u64 first_ns;
	u32 next_seq;
	u32 next_seq_at;
	u32 retransmitted;
	u32 out_of_order;
	u32 zero_windows;
	u32 fragments;
	u32 flow_label;
	u16 tcp_flags_first;
	u8 nr_mpls;
	u8 state;

	u8 smac[6];
	u8 dmac[6];
	u32 mpls[NPK_MPLS_MAX];
	struct npk_syn syn;
	u32 server_delay_us;
	u32 client_delay_us;
	u32 appl_delay_us;
	u32 rtt;
	u32 isn;
};

NPK_STATIC_ASSERT(offsetof(struct npk_flow, tail) == NPK_CACHE_LINE);
NPK_STATIC_ASSERT(offsetof(struct npk_flow, smac) == 2 * NPK_CACHE_LINE);
NPK_STATIC_ASSERT(sizeof(struct npk_flow) == 3 * NPK_CACHE_LINE);

/**
 * npk_flow_key_is() - is this the flow of that key
 * @flow: entry in use
 * @key: key
 *
 * Return: true when every part of the key is equal.
 */
static __always_inline bool npk_flow_key_is(const struct npk_flow *flow, const struct npk_key *key)
{
	const u64 *w = key->word;

	if ((flow->head[0] ^ w[0]) | (flow->head[1] ^ w[1]) |
	    (flow->head[2] ^ w[2]) | (flow->head[3] ^ w[3]))
		return false;
	if (likely(key->ip_version == 4))
		return true;
	return !((flow->tail[0] ^ w[4]) | (flow->tail[1] ^ w[5]) | (flow->tail[2] ^ w[6]));
}

/**
 * npk_flow_key() - put the key of an entry together
 * @flow: entry in use
 * @key: out
 */
static inline void npk_flow_key(const struct npk_flow *flow, struct npk_key *key)
{
	memcpy(key->word, flow->head, sizeof(flow->head));
	memcpy(key->word + NPK_FLOW_HEAD, flow->tail, sizeof(flow->tail));
}

/**
 * npk_flow_ifindex() - device of an entry
 * @flow: entry in use
 *
 * Return: ifIndex, 0 when the key leaves it out.
 */
static inline u32 npk_flow_ifindex(const struct npk_flow *flow)
{
	struct npk_key key;

	npk_flow_key(flow, &key);
	return key.ifindex;
}

/**
 * npk_flow_clock() - time as npk_flow.next_seq_at and npk_flow.rtt keep it
 * @ns: nanoseconds
 *
 * Return: units of 1024 ns, modulo 2^32: 73 minutes.
 */
static inline u32 npk_flow_clock(u64 ns)
{
	return ns >> 10;
}

/**
 * npk_flow_start() - make an entry the flow of this packet, nothing accounted
 * @flow: entry; whatever it held is gone
 * @pkt: parsed packet, its first
 *
 * Context: Any; the caller holds the table's lock. Never sleeps.
 */
void npk_flow_start(struct npk_flow *flow, const struct npk_pkt *pkt);

/**
 * npk_flow_split() - the record was made, the flow goes on
 * @flow: entry in use
 *
 * What belongs to the flow and not to its record stays: TCP's sequence, how far
 * the conversation is.
 */
void npk_flow_split(struct npk_flow *flow);

/**
 * npk_flow_resume() - begin the next record of a flow that was split
 * @flow: entry after npk_flow_split()
 * @pkt: parsed packet, the first of the record
 */
void npk_flow_resume(struct npk_flow *flow, const struct npk_pkt *pkt);

/* Lengths are kept in 16 bits. */
#define NPK_LEN_MAX	0xffffU

static __always_inline u16 npk_cap_len(u32 len)
{
	return len < NPK_LEN_MAX ? len : NPK_LEN_MAX;
}

/**
 * npk_flow_account() - add one packet to its flow
 * @flow: entry started or resumed for the same key
 * @pkt: parsed packet
 *
 * Counters are 64-bit and cumulative since the record began; a merged packet
 * counts as @pkt->segs packets.  Time may go backwards (captures are not
 * sorted): first is the minimum, last the maximum.
 *
 * Context: Any; the caller holds the table's lock. Never sleeps.
 * Source: RFC 5102 octetDeltaCount (1), packetDeltaCount (2), tcpControlBits (6).
 */
static __always_inline void npk_flow_account(struct npk_flow *flow,
					     const struct npk_pkt *pkt)
{
	u16 min_len = npk_cap_len(pkt->min_len), max_len = npk_cap_len(pkt->max_len);

	flow->packets += pkt->segs;
	flow->octets += pkt->octets;
	flow->tcp_flags |= pkt->tcp_flags;
	if ((s64)(pkt->now_ns - flow->last_ns) > 0)
		flow->last_ns = pkt->now_ns;
	else if (unlikely((s64)(pkt->now_ns - flow->first_ns) < 0))
		flow->first_ns = pkt->now_ns;
	if (pkt->ttl < flow->min_ttl)
		flow->min_ttl = pkt->ttl;
	if (pkt->ttl > flow->max_ttl)
		flow->max_ttl = pkt->ttl;
	if (min_len < flow->min_len)
		flow->min_len = min_len;
	if (max_len > flow->max_len)
		flow->max_len = max_len;
	if (unlikely(pkt->notes & 1U << NPK_NOTE_FRAGMENT) && flow->fragments != ~0U)
		flow->fragments++;
}

#endif /* NPK_CORE_FLOW_H */
