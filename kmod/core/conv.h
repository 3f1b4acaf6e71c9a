/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Conversations on their way from the first packet to the first answer: what it
 * takes to measure delays between packets of opposite directions.
 *
 * One table for all meters, because the directions of a conversation may be
 * received by different CPUs and on different devices.  It is bounded: an entry
 * without a handshake makes room, or the oldest.  A flow touches it a few times in
 * its life: SYN, SYN+ACK, the acknowledgement, and the first data of each direction.
 */
#ifndef NPK_CORE_CONV_H
#define NPK_CORE_CONV_H

#include "flow.h"
#include "stripe.h"

/** NPK_CONV_ANSWER_NS - an answer that takes longer is no answer */
#define NPK_CONV_ANSWER_NS	(60 * NPK_NSEC_PER_SEC)

/** NPK_CONV_SKEW_NS - clocks of CPUs, and captures, may be so much apart */
#define NPK_CONV_SKEW_NS	NPK_NSEC_PER_SEC

/** NPK_CONV_WAYS - entries in a bucket */
#define NPK_CONV_WAYS		4

/** NPK_CONV_BUCKETS - buckets, a power of two: 32768 conversations, 1 MiB */
#define NPK_CONV_BUCKETS	8192

/**
 * enum npk_conv_step - how far a conversation is
 * @NPK_CONV_SYN: TCP: a SYN was seen
 * @NPK_CONV_SYN_ACK: its SYN+ACK too
 * @NPK_CONV_OPEN: and that one's acknowledgement
 * @NPK_CONV_ASKED: the first data of the side that opened it; without a
 *	handshake (UDP, ICMP): the first packet
 */
enum npk_conv_step {
	NPK_CONV_SYN,
	NPK_CONV_SYN_ACK,
	NPK_CONV_OPEN,
	NPK_CONV_ASKED,
};

/**
 * struct npk_conv - one conversation
 * @id: npk_key_conv()'s hash, 0 = the entry is free
 * @since_ns: when it got to @step
 * @ack: acknowledgement number that leads to the next step
 * @rtt_us: round trips of the handshake so far
 * @slack: @ack may be up to this much more (data in a SYN)
 * @step: enum npk_conv_step
 * @side: who sent the packet that led to @step: npk_key_conv()'s side
 * @shaken: TCP: kept in favour of what has no handshake
 * @_pad: keeps it at 32 octets
 */
struct npk_conv {
	u64 id;
	u64 since_ns;
	u32 ack;
	u32 rtt_us;
	u16 slack;
	u8 step;
	u8 side;
	u8 shaken;
	u8 _pad[3];
};

NPK_STATIC_ASSERT(sizeof(struct npk_conv) == 32);

/**
 * struct npk_convs - the table
 * @stripes: locks
 * @bucket: npk_convs.bucket[NPK_CONV_BUCKETS][NPK_CONV_WAYS]
 *
 * Memory is the caller's: zeroed, then npk_convs_init().
 */
struct npk_convs {
	struct npk_stripes stripes;
	struct npk_conv bucket[NPK_CONV_BUCKETS][NPK_CONV_WAYS];
};

/**
 * npk_convs_init() - make zeroed memory an empty table
 * @c: zeroed
 */
static inline void npk_convs_init(struct npk_convs *c)
{
	npk_stripes_init(&c->stripes);
}

/**
 * npk_conv_matters() - can this packet complete a delay or start one
 * @flow: its flow
 * @pkt: parsed packet
 *
 * Return: true when npk_convs_follow() has to see it; false for nearly all.
 */
static __always_inline bool npk_conv_matters(const struct npk_flow *flow,
					     const struct npk_pkt *pkt)
{
	u8 proto = pkt->key.proto;

	if (pkt->has_tcp)
		return pkt->tcp_flags & NPK_TCP_SYN || flow->state & NPK_FLOW_SHAKES ||
		       (pkt->payload && !(flow->state & NPK_FLOW_SPOKE));
	/* the first packet of a record: an entry's first line is enough to see that it is not */
	return flow->packets == pkt->segs && pkt->fragment != NPK_FRAG_LATER &&
	       (proto == NPK_PROTO_UDP || proto == NPK_PROTO_ICMP || proto == NPK_PROTO_ICMP6) &&
	       !(flow->state & NPK_FLOW_SPOKE);
}

/**
 * npk_convs_follow() - store the delay that a packet completes in its flow
 * @c: table
 * @flow: flow of the packet
 * @pkt: parsed packet for which npk_conv_matters()
 * @conv: npk_key_conv() of its key
 * @idle_ns: idle timeout: an answer without a handshake that takes longer may be one
 *	to something else
 *
 * SYN to SYN+ACK: server delay of the flow of the SYN+ACK.  SYN+ACK to the
 * acknowledgement: client delay of that one's flow.  First data of the side that
 * opened the conversation to the first data of the other: application delay of the
 * latter; for UDP from the first packet to the first answer, for ICMP from a query
 * to its answer.  A
 * retransmitted SYN or SYN+ACK starts the measurement anew; a handshake that was
 * not seen from its start, and a server that speaks first, give none.
 *
 * Context: Any in which the caller may take a stripe's lock. Never sleeps.
 * Return: true when another conversation under way had to make room.
 */
bool npk_convs_follow(struct npk_convs *c, struct npk_flow *flow, const struct npk_pkt *pkt,
		      struct npk_conv_id conv, u64 idle_ns);

static __always_inline u32 npk_conv_bucket(u64 id)
{
	return (u32)(id >> 20) & (NPK_CONV_BUCKETS - 1);
}

/* The entry with that id; 0: a free one. NULL: there is none. */
static __always_inline struct npk_conv *npk_conv_find(struct npk_conv *bucket, u64 id)
{
	NPK_STATIC_ASSERT(NPK_CONV_WAYS == 4);
	return bucket[0].id == id ? &bucket[0] : bucket[1].id == id ? &bucket[1] :
	       bucket[2].id == id ? &bucket[2] : bucket[3].id == id ? &bucket[3] : NULL;
}

/* The entry of a full bucket that is the first to make room for that id; the others follow it. */
static __always_inline u32 npk_conv_first(u64 id)
{
	return (u32)(id >> 40) % NPK_CONV_WAYS;
}

/* Room that costs nobody anything: a free entry, or the first in line if it has no handshake. */
static __always_inline struct npk_conv *npk_conv_room(struct npk_conv *bucket, u64 id)
{
	struct npk_conv *room = npk_conv_find(bucket, 0);

	if (room)
		return room;
	room = &bucket[npk_conv_first(id)];
	return likely(!room->shaken) ? room : NULL;
}

/* A conversation without a handshake begins. */
static __always_inline void npk_conv_ask(struct npk_conv *e, u64 id, u64 now_ns, u8 side)
{
	*e = (struct npk_conv){ .id = id, .since_ns = now_ns, .step = NPK_CONV_ASKED,
				.side = side };
}

/* The first UDP packet of a flow; the bucket's lock is held. */
bool npk_conv_udp(struct npk_conv *bucket, struct npk_flow *flow, u64 now_ns, u64 id, u8 side,
		  u64 idle_ns);

/**
 * npk_convs_udp() - npk_convs_follow() for the first UDP packet of a flow that is NPK_FLOW_SPOKE
 * @c: table
 * @flow: as for npk_convs_follow()
 * @conv: likewise
 * @now_ns: time of the packet
 * @idle_ns: as for npk_convs_follow()
 *
 * Context: As npk_convs_follow().
 * Return: likewise.
 */
static __always_inline bool npk_convs_udp(struct npk_convs *c, struct npk_flow *flow,
					  struct npk_conv_id conv, u64 now_ns, u64 idle_ns)
{
	u64 id = conv.hash | 1;
	u32 i = npk_conv_bucket(id);
	struct npk_lock *lock = npk_stripes_of(&c->stripes, i);
	struct npk_conv *bucket = c->bucket[i], *room;
	bool lost = false;

	npk_lock(lock);
	room = npk_conv_room(bucket, id);
	if (likely(room && !npk_conv_find(bucket, id)))
		npk_conv_ask(room, id, now_ns, conv.side);
	else
		lost = npk_conv_udp(bucket, flow, now_ns, id, conv.side, idle_ns);
	npk_unlock(lock);
	return lost;
}

#endif /* NPK_CORE_CONV_H */
