/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One entry of the flow table: a flow's key and what was accounted to it. */
#ifndef NPK_CORE_FLOW_H
#define NPK_CORE_FLOW_H

#include "plain.h"

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
 * @NPK_FLOW_MOVED: it lives in the other one of its two buckets; the table's
 * @NPK_FLOW_CONV: of IPv4: the first word of npk_flow.tail is its conversation's hash
 */
enum npk_flow_state {
	NPK_FLOW_SEQ = 1,
	NPK_FLOW_SHAKES = 2,
	NPK_FLOW_SPOKE = 4,
	NPK_FLOW_HELD = 8,
	NPK_FLOW_ASTRAY = 16,
	NPK_FLOW_ISN = 32,
	NPK_FLOW_MOVED = 64,
	NPK_FLOW_CONV = 128,
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
 * @tail: the rest of an IPv6 key; see NPK_FLOW_CONV
 * @first_ns: earliest packet
 * @next_seq: TCP sequence number behind the highest seen, with NPK_FLOW_SEQ
 * @next_seq_at: when it was seen, npk_flow_clock()
 * @retransmitted: see struct npk_rec
 * @out_of_order: likewise
 * @zero_windows: likewise
 * @dmac: destination MAC address of the first packet
 * @smac: source MAC address of the first packet
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

	u8 dmac[6];
	u8 smac[6];
	u32 mpls[NPK_MPLS_MAX];
	struct npk_syn syn;
	u32 server_delay_us;
	u32 client_delay_us;
	u32 appl_delay_us;
	u32 rtt;
	u32 isn;
};

NPK_STATIC_ASSERT(offsetof(struct npk_flow, tail) == NPK_CACHE_LINE);
NPK_STATIC_ASSERT(offsetof(struct npk_flow, dmac) == 2 * NPK_CACHE_LINE);
NPK_STATIC_ASSERT(sizeof(struct npk_flow) == 3 * NPK_CACHE_LINE);

/**
 * npk_flow_key_is() - is this the flow of that key
 * @flow: entry in use
 * @w: words of the key; of IPv4 the first NPK_KEY_WORDS4 count
 * @is_ip6: it is one of IPv6
 *
 * Return: true when every part of the key is equal.
 */
static __always_inline bool npk_flow_key_is(const struct npk_flow *flow,
					    const struct npk_words *w, bool is_ip6)
{
	if ((flow->head[0] ^ w->transport) | (flow->head[1] ^ w->link) |
	    (flow->head[2] ^ w->label) | (flow->head[3] ^ w->addr0))
		return false;
	if (likely(!is_ip6))
		return true;
	return !((flow->tail[0] ^ w->addr1) | (flow->tail[1] ^ w->addr2) |
		 (flow->tail[2] ^ w->addr3));
}

/**
 * npk_flow_words() - words of an entry's key
 * @flow: entry in use
 *
 * Return: the words.
 */
static __always_inline struct npk_words npk_flow_words(const struct npk_flow *flow)
{
	return (struct npk_words){
		.transport = flow->head[0],
		.link = flow->head[1],
		.label = flow->head[2],
		.addr0 = flow->head[3],
		.addr1 = flow->state & NPK_FLOW_CONV ? 0 : flow->tail[0],
		.addr2 = flow->tail[1],
		.addr3 = flow->tail[2],
	};
}

/**
 * npk_flow_key() - key of an entry
 * @flow: entry in use
 * @key: out
 */
static inline void npk_flow_key(const struct npk_flow *flow, struct npk_key *key)
{
	key->words = npk_flow_words(flow);
}

/* Protocol and IP version of an entry. */
static __always_inline u8 npk_flow_proto(const struct npk_flow *flow)
{
	return ((const u8 *)flow->head)[offsetof(struct npk_key, proto)];
}

static __always_inline bool npk_flow_is_ip6(const struct npk_flow *flow)
{
	return ((const u8 *)flow->head)[offsetof(struct npk_key, ip_version)] == 6;
}

/* npk_flow_conv() when it has to be worked out. */
u64 npk_flow_conv_of(const struct npk_flow *flow, const struct npk_secret *secret);

/**
 * npk_flow_conv() - hash of an entry's conversation
 * @flow: entry in use
 * @secret: as for npk_key_conv()
 *
 * Return: hash, as of npk_key_conv().
 */
static __always_inline u64 npk_flow_conv(const struct npk_flow *flow,
					 const struct npk_secret *secret)
{
	if (likely(flow->state & NPK_FLOW_CONV))
		return flow->tail[0];
	return npk_flow_conv_of(flow, secret);
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

/* Lengths are kept in 16 bits. */
#define NPK_LEN_MAX	0xffffU

static __always_inline u16 npk_cap_len(u32 len)
{
	return len < NPK_LEN_MAX ? len : NPK_LEN_MAX;
}

static __always_inline void npk_flow_clear(struct npk_flow *flow)
{
	flow->packets = 0;
	flow->octets = 0;
	flow->tcp_flags = 0;
	flow->retransmitted = 0;
	flow->out_of_order = 0;
	flow->zero_windows = 0;
	flow->fragments = 0;
	memset(&flow->syn, 0, sizeof(flow->syn));
	flow->server_delay_us = 0;
	flow->client_delay_us = 0;
	flow->appl_delay_us = 0;
}

static __always_inline void npk_flow_set_key(struct npk_flow *flow, const struct npk_words *w)
{
	flow->head[0] = w->transport;
	flow->head[1] = w->link;
	flow->head[2] = w->label;
	flow->head[3] = w->addr0;
	flow->tail[0] = w->addr1;
	flow->tail[1] = w->addr2;
	flow->tail[2] = w->addr3;
}

/* Both at once: they stand side by side in the frame's header as well. */
static __always_inline void npk_flow_set_macs(struct npk_flow *flow, const u8 *frame)
{
	NPK_STATIC_ASSERT(offsetof(struct npk_flow, smac) == offsetof(struct npk_flow, dmac) + 6);
	memcpy((u8 *)flow + offsetof(struct npk_flow, dmac), frame, 12);
}

/**
 * npk_flow_resume() - begin the next record of a flow that was split
 * @flow: entry after npk_flow_split()
 * @pkt: parsed packet, the first of the record
 */
static __always_inline void npk_flow_resume(struct npk_flow *flow, const struct npk_pkt *pkt)
{
	flow->last_ns = pkt->now_ns;
	flow->min_ttl = pkt->ttl;
	flow->max_ttl = pkt->ttl;
	flow->min_len = NPK_LEN_MAX;
	flow->max_len = 0;
	flow->first_ns = pkt->now_ns;
	flow->flow_label = pkt->flow_label;
	flow->tcp_flags_first = pkt->tcp_flags;
	flow->nr_mpls = pkt->nr_mpls < NPK_MPLS_MAX ? pkt->nr_mpls : NPK_MPLS_MAX;
	npk_flow_set_macs(flow, pkt->data);
	if (unlikely(flow->nr_mpls))
		memcpy(flow->mpls, pkt->mpls, sizeof(flow->mpls));
}

/**
 * npk_flow_start() - make an entry the flow of this packet, nothing accounted
 * @flow: entry; whatever it held is gone, but where in the table it is
 * @pkt: parsed packet, its first
 *
 * Context: Any; the caller holds the table's lock. Never sleeps.
 */
static __always_inline void npk_flow_start(struct npk_flow *flow, const struct npk_pkt *pkt)
{
	npk_flow_set_key(flow, &pkt->key.words);
	flow->state &= NPK_FLOW_MOVED;
	flow->rtt = 0;
	npk_flow_clear(flow);
	npk_flow_resume(flow, pkt);
}

/**
 * npk_flow_first() - make an entry the flow of this UDP packet, and account it
 * @flow: entry just after npk_table_occupy(); whatever else it held is gone
 * @p: plain frame of UDP over IPv4, the flow's first
 * @now_ns: its time
 * @conv: hash of its conversation
 *
 * npk_flow_start() and npk_flow_account() in one, without a struct npk_pkt.
 *
 * Context: Any; the caller holds the table's lock. Never sleeps.
 */
static __always_inline void npk_flow_first(struct npk_flow *flow, const struct npk_plain *p,
					   u64 now_ns, u64 conv)
{
	npk_flow_set_key(flow, &p->words);
	npk_flow_clear(flow);
	flow->tail[0] = conv;
	flow->state |= NPK_FLOW_CONV | NPK_FLOW_SPOKE;
	flow->packets = 1;
	flow->octets = p->ip_len;
	flow->last_ns = now_ns;
	flow->first_ns = now_ns;
	flow->min_ttl = p->ttl;
	flow->max_ttl = p->ttl;
	flow->min_len = p->ip_len;
	flow->max_len = p->ip_len;
	flow->flow_label = 0;
	flow->tcp_flags_first = 0;
	flow->nr_mpls = 0;
	flow->rtt = 0;
	npk_flow_set_macs(flow, p->frame);
}

/**
 * npk_flow_split() - the record was made, the flow goes on
 * @flow: entry in use
 *
 * What belongs to the flow and not to its record stays: TCP's sequence, how far
 * the conversation is.
 */
static __always_inline void npk_flow_split(struct npk_flow *flow)
{
	flow->state &= ~NPK_FLOW_HELD;
	npk_flow_clear(flow);
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
