// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "conv.h"

/*
 * The conversation's entry, or NULL and in @room where one can be made: a free
 * entry, which has time 0, or else the oldest.
 */
static __always_inline struct npk_conv *find(struct npk_conv *bucket, u64 id,
					     struct npk_conv **room)
{
	struct npk_conv *oldest = bucket;
	u32 i;

	for (i = 0; i < NPK_CONV_WAYS; i++) {
		if (bucket[i].id == id)
			return &bucket[i];
		if (bucket[i].since_ns < oldest->since_ns)
			oldest = &bucket[i];
	}
	*room = oldest;
	return NULL;
}

static void forget(struct npk_conv *e)
{
	e->id = 0;
	e->since_ns = 0;
}

/* Never 0, which says "not measured": what is shorter than a microsecond is one. */
static u32 delay_us(u64 since_ns, u64 now_ns)
{
	s64 ns = now_ns - since_ns;
	u64 us = ns > 0 ? div64_u64(ns, 1000) : 0;

	if (!us)
		return 1;
	return us < 0xffffffffU ? us : 0xffffffffU;
}

static void go_to(struct npk_conv *e, enum npk_conv_step step, const struct npk_pkt *pkt, u8 side)
{
	e->step = step;
	e->side = side;
	e->since_ns = pkt->now_ns;
}

static void syn(struct npk_conv *e, u64 id, struct npk_flow *flow, const struct npk_pkt *pkt,
		u8 side)
{
	flow->state |= NPK_FLOW_SHAKES;
	flow->state &= ~NPK_FLOW_SPOKE;
	flow->rtt_us = 0;
	e->id = id;
	e->rtt_us = 0;
	e->ack = pkt->seq + 1;
	e->slack = pkt->payload < 0xffff ? pkt->payload : 0xffff;	/* RFC 7413 */
	go_to(e, NPK_CONV_SYN, pkt, side);
}

static void syn_ack(struct npk_conv *e, struct npk_flow *flow, const struct npk_pkt *pkt, u8 side)
{
	bool answer = e->side != side;

	if (e->step == NPK_CONV_SYN && answer && pkt->ack - e->ack <= e->slack) {
		flow->server_delay_us = delay_us(e->since_ns, pkt->now_ns);
		e->rtt_us = flow->server_delay_us;
	} else if (e->step != NPK_CONV_SYN_ACK || answer) {
		return;
	}
	flow->state &= ~NPK_FLOW_SPOKE;
	go_to(e, NPK_CONV_SYN_ACK, pkt, side);
	e->ack = pkt->seq + 1;
}

/* What follows a SYN in the same direction: the acknowledgement, or nothing of use. */
static void shaken(struct npk_conv *e, struct npk_flow *flow, const struct npk_pkt *pkt, u8 side)
{
	flow->state &= ~NPK_FLOW_SHAKES;
	if (e->step != NPK_CONV_SYN_ACK || e->side == side ||
	    !(pkt->tcp_flags & NPK_TCP_ACK) || pkt->tcp_flags & NPK_TCP_RST || pkt->ack != e->ack)
		return;
	flow->client_delay_us = delay_us(e->since_ns, pkt->now_ns);
	e->rtt_us += flow->client_delay_us;
	flow->rtt_us = e->rtt_us;
	go_to(e, NPK_CONV_OPEN, pkt, side);
}

/* First data of a direction; @e is open or asked. */
static void data(struct npk_conv *e, struct npk_flow *flow, const struct npk_pkt *pkt, u8 side)
{
	flow->state |= NPK_FLOW_SPOKE;
	flow->rtt_us = e->rtt_us;
	if (e->side == side) {
		if (e->step == NPK_CONV_OPEN)
			go_to(e, NPK_CONV_ASKED, pkt, side);
		return;
	}
	if (e->step == NPK_CONV_ASKED &&
	    (s64)(pkt->now_ns - e->since_ns) <= (s64)NPK_CONV_ANSWER_NS)
		flow->appl_delay_us = delay_us(e->since_ns, pkt->now_ns);
	forget(e);	/* nothing more to measure */
}

static void follow_tcp(struct npk_conv *bucket, struct npk_flow *flow, const struct npk_pkt *pkt,
		       u64 id, u8 side)
{
	u16 flags = pkt->tcp_flags & (NPK_TCP_SYN | NPK_TCP_ACK);
	struct npk_conv *room, *e = find(bucket, id, &room);

	if (flags == NPK_TCP_SYN) {
		syn(e ? e : room, id, flow, pkt, side);
		return;
	}
	if (!e) {
		flow->state &= ~NPK_FLOW_SHAKES;
		flow->state |= NPK_FLOW_SPOKE;
		return;
	}
	if (flags & NPK_TCP_SYN) {
		syn_ack(e, flow, pkt, side);
		return;
	}
	if (flow->state & NPK_FLOW_SHAKES)
		shaken(e, flow, pkt, side);
	if (pkt->payload && !(flow->state & NPK_FLOW_SPOKE)) {
		if (e->step == NPK_CONV_OPEN || e->step == NPK_CONV_ASKED)
			data(e, flow, pkt, side);
		else
			flow->state |= NPK_FLOW_SPOKE;
	}
}

/* Without a handshake: whoever is seen first asks. */
static void follow_datagram(struct npk_conv *bucket, struct npk_flow *flow,
			    const struct npk_pkt *pkt, u64 id, u8 side)
{
	struct npk_conv *room, *e = find(bucket, id, &room);

	if (e && e->side != side) {
		data(e, flow, pkt, side);
		return;
	}
	flow->state |= NPK_FLOW_SPOKE;
	if (!e)
		e = room;
	e->id = id;
	e->rtt_us = 0;
	go_to(e, NPK_CONV_ASKED, pkt, side);
}

void npk_convs_follow(struct npk_convs *c, struct npk_flow *flow, const struct npk_pkt *pkt,
		      u64 id)
{
	u64 nonzero = id ? id : 1;
	u32 i = (u32)(nonzero >> 20) & (NPK_CONV_BUCKETS - 1);
	npk_lock_t *lock = npk_stripes_of(&c->stripes, i);
	u8 side = npk_key_side(&pkt->key);

	npk_lock(lock);
	if (pkt->has_tcp)
		follow_tcp(c->bucket[i], flow, pkt, nonzero, side);
	else
		follow_datagram(c->bucket[i], flow, pkt, nonzero, side);
	npk_unlock(lock);
}
