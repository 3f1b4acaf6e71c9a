// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "conv.h"

/* ICMP and ICMPv6 types of queries and their answers, RFC 792, RFC 4443 */
#define ICMP_ECHO_REPLY		0
#define ICMP_ECHO		8
#define ICMP_TIMESTAMP		13
#define ICMP_TIMESTAMP_REPLY	14
#define ICMP6_ECHO		128
#define ICMP6_ECHO_REPLY	129

/* May it make room?  What has a handshake stays for a minute. */
static __always_inline bool is_expendable(const struct npk_conv *e, u64 now_ns)
{
	/* what lies ahead of now, but for the skew, is of another time: ages ago */
	return !e->shaken || now_ns + NPK_CONV_SKEW_NS - e->since_ns > NPK_CONV_ANSWER_NS;
}

/* None is free: one that is expendable, any of them, or else the oldest. */
static noinline struct npk_conv *make_room(struct npk_conv *bucket, u64 id, u64 now_ns)
{
	struct npk_conv *e, *oldest = bucket;
	u32 i;

	for (i = 0; i < NPK_CONV_WAYS; i++) {
		e = &bucket[(npk_conv_first(id) + i) % NPK_CONV_WAYS];
		if (likely(is_expendable(e, now_ns)))
			return e;
		if (e->since_ns < oldest->since_ns)
			oldest = e;
	}
	return oldest;
}

/* Where an entry can be made: a free one if there is one. */
static __always_inline struct npk_conv *find_room(struct npk_conv *bucket, u64 id, u64 now_ns)
{
	struct npk_conv *room = npk_conv_room(bucket, id);

	return room ? room : make_room(bucket, id, now_ns);
}

static void forget(struct npk_conv *e)
{
	memset(e, 0, sizeof(*e));
}

/*
 * Time since the step before, 0 when that was too long ago or lies ahead.  What is
 * shorter than a microsecond is one: 0 says "not measured".
 */
static u32 delay_us(const struct npk_conv *e, u64 now_ns, u64 limit_ns)
{
	s64 ns = now_ns - e->since_ns;

	if (ns > (s64)limit_ns || ns < -(s64)NPK_CONV_SKEW_NS)
		return 0;
	return ns > 1000 ? div64_u64(ns, 1000) : 1;
}

static void go_to(struct npk_conv *e, enum npk_conv_step step, u64 now_ns, u8 side)
{
	e->step = step;
	e->side = side;
	e->since_ns = now_ns;
}

/* Data in a SYN or SYN+ACK may be acknowledged with it or not, RFC 7413. */
static u16 slack(const struct npk_pkt *pkt)
{
	return pkt->payload < 0xffff ? pkt->payload : 0xffff;
}

static void syn(struct npk_conv *e, u64 id, struct npk_flow *flow, const struct npk_pkt *pkt,
		u8 side)
{
	flow->state |= NPK_FLOW_SHAKES;
	flow->state &= ~NPK_FLOW_SPOKE;
	flow->rtt = 0;
	e->id = id;
	e->shaken = true;
	e->rtt_us = 0;
	e->ack = pkt->seq + 1;
	e->slack = slack(pkt);
	go_to(e, NPK_CONV_SYN, pkt->now_ns, side);
}

static void syn_ack(struct npk_conv *e, struct npk_flow *flow, const struct npk_pkt *pkt, u8 side)
{
	bool answer = e->side != side;

	if (e->step == NPK_CONV_SYN && answer && pkt->ack - e->ack <= e->slack) {
		flow->server_delay_us = delay_us(e, pkt->now_ns, NPK_CONV_ANSWER_NS);
		e->rtt_us = flow->server_delay_us;
	} else if (e->step != NPK_CONV_SYN_ACK || answer) {
		return;
	}
	flow->state &= ~NPK_FLOW_SPOKE;
	go_to(e, NPK_CONV_SYN_ACK, pkt->now_ns, side);
	e->ack = pkt->seq + 1;
	e->slack = slack(pkt);
}

/* What follows a SYN in the same direction: the acknowledgement, or nothing of use. */
static void shaken(struct npk_conv *e, struct npk_flow *flow, const struct npk_pkt *pkt, u8 side)
{
	flow->state &= ~NPK_FLOW_SHAKES;
	if (e->step != NPK_CONV_SYN_ACK || e->side == side ||
	    !(pkt->tcp_flags & NPK_TCP_ACK) || pkt->tcp_flags & NPK_TCP_RST ||
	    pkt->ack - e->ack > e->slack)
		return;
	flow->client_delay_us = delay_us(e, pkt->now_ns, NPK_CONV_ANSWER_NS);
	e->rtt_us += flow->client_delay_us;
	flow->rtt = npk_flow_clock(e->rtt_us * 1000ULL);
	go_to(e, NPK_CONV_OPEN, pkt->now_ns, side);
}

/* First data of a direction; @e is open or asked. */
static void data(struct npk_conv *e, struct npk_flow *flow, u64 now_ns, u8 side, u64 limit_ns)
{
	flow->state |= NPK_FLOW_SPOKE;
	flow->rtt = npk_flow_clock(e->rtt_us * 1000ULL);
	if (e->side == side) {
		if (e->step == NPK_CONV_OPEN)
			go_to(e, NPK_CONV_ASKED, now_ns, side);
		return;
	}
	if (e->step == NPK_CONV_ASKED)
		flow->appl_delay_us = delay_us(e, now_ns, limit_ns);
	forget(e);	/* nothing more to measure */
}

/* Is this entry of a conversation that may still be measured? */
static bool is_lost(const struct npk_conv *room, u64 now_ns)
{
	return room->id && !is_expendable(room, now_ns);
}

static bool follow_tcp(struct npk_conv *bucket, struct npk_flow *flow, const struct npk_pkt *pkt,
		       u64 id, u8 side)
{
	u16 flags = pkt->tcp_flags & (NPK_TCP_SYN | NPK_TCP_ACK);
	struct npk_conv *e = npk_conv_find(bucket, id);
	bool lost = false;

	if (flags == NPK_TCP_SYN) {
		if (!e) {
			e = find_room(bucket, id, pkt->now_ns);
			lost = is_lost(e, pkt->now_ns);
		}
		syn(e, id, flow, pkt, side);
		return lost;
	}
	if (!e) {
		flow->state &= ~NPK_FLOW_SHAKES;
		flow->state |= NPK_FLOW_SPOKE;
		return false;
	}
	if (flags & NPK_TCP_SYN) {
		syn_ack(e, flow, pkt, side);
		return false;
	}
	if (flow->state & NPK_FLOW_SHAKES)
		shaken(e, flow, pkt, side);
	if (pkt->payload && !(flow->state & NPK_FLOW_SPOKE)) {
		if (e->step == NPK_CONV_OPEN || e->step == NPK_CONV_ASKED)
			data(e, flow, pkt->now_ns, side, NPK_CONV_ANSWER_NS);
		else
			flow->state |= NPK_FLOW_SPOKE;
	}
	return false;
}

/* Of ICMP only queries ask and only their answers answer; of UDP everything does both. */
static bool can_ask(const struct npk_key *key)
{
	u8 type = be16_to_cpu(key->dport) >> 8;

	if (key->proto == NPK_PROTO_ICMP)
		return type == ICMP_ECHO || type == ICMP_TIMESTAMP;
	return key->proto != NPK_PROTO_ICMP6 || type == ICMP6_ECHO;
}

static bool can_answer(const struct npk_key *key)
{
	u8 type = be16_to_cpu(key->dport) >> 8;

	if (key->proto == NPK_PROTO_ICMP)
		return type == ICMP_ECHO_REPLY || type == ICMP_TIMESTAMP_REPLY;
	return key->proto != NPK_PROTO_ICMP6 || type == ICMP6_ECHO_REPLY;
}

/* Without a handshake: whoever is seen first asks. */
static bool follow_datagram(struct npk_conv *bucket, struct npk_flow *flow, u64 now_ns, u64 id,
			    u8 side, u64 limit_ns, bool asks, bool answers)
{
	struct npk_conv *e = npk_conv_find(bucket, id);
	bool lost = false;

	flow->state |= NPK_FLOW_SPOKE;
	if (e && e->side != side && answers) {
		data(e, flow, now_ns, side, limit_ns);
		return false;
	}
	if (!asks)
		return false;
	if (!e) {
		e = find_room(bucket, id, now_ns);
		lost = is_lost(e, now_ns);
	}
	npk_conv_ask(e, id, now_ns, side);
	return lost;
}

static u64 limit_of(u64 idle_ns)
{
	return idle_ns < NPK_CONV_ANSWER_NS ? idle_ns : NPK_CONV_ANSWER_NS;
}

bool npk_convs_follow(struct npk_convs *c, struct npk_flow *flow, const struct npk_pkt *pkt,
		      struct npk_conv_id conv, u64 idle_ns)
{
	u64 id = conv.hash | 1;
	u32 i = npk_conv_bucket(id);
	struct npk_lock *lock = npk_stripes_of(&c->stripes, i);
	bool lost;

	npk_lock(lock);
	if (pkt->has_tcp)
		lost = follow_tcp(c->bucket[i], flow, pkt, id, conv.side);
	else
		lost = follow_datagram(c->bucket[i], flow, pkt->now_ns, id, conv.side,
				       limit_of(idle_ns), can_ask(&pkt->key),
				       can_answer(&pkt->key));
	npk_unlock(lock);
	return lost;
}

bool npk_conv_udp(struct npk_conv *bucket, struct npk_flow *flow, u64 now_ns, u64 id, u8 side,
		  u64 idle_ns)
{
	return follow_datagram(bucket, flow, now_ns, id, side, limit_of(idle_ns), true, true);
}
