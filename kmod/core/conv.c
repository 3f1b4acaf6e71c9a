// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "conv.h"

static struct npk_conv *find(struct npk_conv *bucket, u64 id)
{
	u32 i;

	for (i = 0; i < NPK_CONV_WAYS; i++) {
		if (bucket[i].id == id)
			return &bucket[i];
	}
	return NULL;
}

/* A free entry, else the oldest. */
static struct npk_conv *claim(struct npk_conv *bucket)
{
	struct npk_conv *e = bucket;
	u32 i;

	for (i = 0; i < NPK_CONV_WAYS; i++) {
		if (!bucket[i].id)
			return &bucket[i];
		if ((s64)(bucket[i].since_ns - e->since_ns) < 0)
			e = &bucket[i];
	}
	return e;
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

static void go_to(struct npk_conv *e, enum npk_conv_step step, const struct npk_pkt *pkt)
{
	e->step = step;
	e->side = npk_key_side(&pkt->key);
	e->since_ns = pkt->now_ns;
}

static struct npk_conv *start(struct npk_conv *bucket, u64 id, enum npk_conv_step step,
			      const struct npk_pkt *pkt)
{
	struct npk_conv *e = find(bucket, id);

	if (!e)
		e = claim(bucket);
	e->id = id;
	e->rtt_us = 0;
	go_to(e, step, pkt);
	return e;
}

static void syn(struct npk_conv *bucket, struct npk_flow *flow, const struct npk_pkt *pkt, u64 id)
{
	struct npk_conv *e = start(bucket, id, NPK_CONV_SYN, pkt);

	flow->state |= NPK_FLOW_SHAKES;
	flow->state &= ~NPK_FLOW_SPOKE;
	flow->rtt_us = 0;
	e->ack = pkt->seq + 1;
	e->slack = pkt->payload < 0xffff ? pkt->payload : 0xffff;	/* RFC 7413 */
}

static void syn_ack(struct npk_conv *e, struct npk_flow *flow, const struct npk_pkt *pkt)
{
	bool answer = e->side != npk_key_side(&pkt->key);

	if (e->step == NPK_CONV_SYN && answer && pkt->ack - e->ack <= e->slack) {
		flow->server_delay_us = delay_us(e->since_ns, pkt->now_ns);
		e->rtt_us = flow->server_delay_us;
	} else if (e->step != NPK_CONV_SYN_ACK || answer) {
		return;
	}
	flow->state &= ~NPK_FLOW_SPOKE;
	go_to(e, NPK_CONV_SYN_ACK, pkt);
	e->ack = pkt->seq + 1;
}

/* What follows a SYN in the same direction: the acknowledgement, or nothing of use. */
static void shaken(struct npk_conv *e, struct npk_flow *flow, const struct npk_pkt *pkt)
{
	flow->state &= ~NPK_FLOW_SHAKES;
	if (e->step != NPK_CONV_SYN_ACK || e->side == npk_key_side(&pkt->key) ||
	    !(pkt->tcp_flags & NPK_TCP_ACK) || pkt->tcp_flags & NPK_TCP_RST || pkt->ack != e->ack)
		return;
	flow->client_delay_us = delay_us(e->since_ns, pkt->now_ns);
	e->rtt_us += flow->client_delay_us;
	flow->rtt_us = e->rtt_us;
	go_to(e, NPK_CONV_OPEN, pkt);
}

/* First data of a direction; @e is open or asked. */
static void data(struct npk_conv *e, struct npk_flow *flow, const struct npk_pkt *pkt)
{
	bool opener = e->side == npk_key_side(&pkt->key);

	flow->state |= NPK_FLOW_SPOKE;
	flow->rtt_us = e->rtt_us;
	if (opener) {
		if (e->step == NPK_CONV_OPEN)
			go_to(e, NPK_CONV_ASKED, pkt);
		return;
	}
	if (e->step == NPK_CONV_ASKED &&
	    (s64)(pkt->now_ns - e->since_ns) <= (s64)NPK_CONV_ANSWER_NS)
		flow->appl_delay_us = delay_us(e->since_ns, pkt->now_ns);
	e->id = 0;	/* nothing more to measure */
}

static void follow_tcp(struct npk_conv *bucket, struct npk_flow *flow, const struct npk_pkt *pkt,
		       u64 id)
{
	u16 flags = pkt->tcp_flags & (NPK_TCP_SYN | NPK_TCP_ACK);
	struct npk_conv *e;

	if (flags == NPK_TCP_SYN) {
		syn(bucket, flow, pkt, id);
		return;
	}
	e = find(bucket, id);
	if (!e) {
		flow->state &= ~NPK_FLOW_SHAKES;
		flow->state |= NPK_FLOW_SPOKE;
		return;
	}
	if (flags & NPK_TCP_SYN) {
		syn_ack(e, flow, pkt);
		return;
	}
	if (flow->state & NPK_FLOW_SHAKES)
		shaken(e, flow, pkt);
	if (pkt->payload && !(flow->state & NPK_FLOW_SPOKE)) {
		if (e->step == NPK_CONV_OPEN || e->step == NPK_CONV_ASKED)
			data(e, flow, pkt);
		else
			flow->state |= NPK_FLOW_SPOKE;
	}
}

/* Without a handshake: whoever is seen first asks. */
static void follow_datagram(struct npk_conv *bucket, struct npk_flow *flow,
			    const struct npk_pkt *pkt, u64 id)
{
	struct npk_conv *e = find(bucket, id);

	if (e && e->side != npk_key_side(&pkt->key)) {
		data(e, flow, pkt);
		return;
	}
	flow->state |= NPK_FLOW_SPOKE;
	start(bucket, id, NPK_CONV_ASKED, pkt);
}

void npk_convs_follow(struct npk_convs *c, struct npk_flow *flow, const struct npk_pkt *pkt,
		      u64 id)
{
	u64 nonzero = id ? id : 1;
	u32 i = (u32)(nonzero >> 20) & (NPK_CONV_BUCKETS - 1);
	npk_lock_t *lock = npk_stripes_of(&c->stripes, i);

	npk_lock(lock);
	if (pkt->has_tcp)
		follow_tcp(c->bucket[i], flow, pkt, nonzero);
	else
		follow_datagram(c->bucket[i], flow, pkt, nonzero);
	npk_unlock(lock);
}
