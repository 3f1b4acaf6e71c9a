// SPDX-License-Identifier: GPL-2.0-only
/* TCP headers as the parser reports them, and the order of segments. */
#include "test.h"

#include "segment.h"
#include "shard.h"

#define T0	(1024ULL * 1000000000)	/* a multiple of the 1024 ns that times are kept in */
#define TICK	1024ULL
#define MISS	(NPK_TCP_OVERTAKEN_NS / TICK * TICK)	/* from here on: sent again */

/* A copy of exactly the right size, so that ASan sees any overrun. */
static void parse(struct npk_pkt *pkt)
{
	uint8_t *copy = malloc(pkt->linear);

	assert_non_null(copy);
	memcpy(copy, pkt->data, pkt->linear);
	pkt->data = copy;
	assert_int_equal(npk_parse(pkt), NPK_IGN_NONE);
}

static struct npk_pkt parse_segment(const struct segment *s, uint64_t now_ns)
{
	struct npk_pkt pkt;
	struct frame f;

	pkt = segment_pkt(&f, s, now_ns);
	parse(&pkt);
	free((void *)pkt.data);
	pkt.data = NULL;
	return pkt;
}

/* Segments that check_goes_on() compared. */
static unsigned int short_ways;

static void assert_counts(const struct npk_flow *flow, uint32_t retransmitted,
			  uint32_t out_of_order, uint32_t zero_windows)
{
	assert_int_equal(flow->retransmitted, retransmitted);
	assert_int_equal(flow->out_of_order, out_of_order);
	assert_int_equal(flow->zero_windows, zero_windows);
}

/* Where the short way takes a segment, it does what the long one did to @flow. */
static void check_goes_on(struct npk_flow before, const struct npk_flow *flow,
			  const struct npk_pkt *pkt)
{
	struct npk_plain plain;

	if (!npk_plain_pkt(&plain, pkt))
		return;
	before.state |= NPK_FLOW_SPOKE;
	if (!npk_tcp_goes_on(&before, &plain, pkt->now_ns))
		return;
	short_ways++;
	assert_counts(flow, before.retransmitted, before.out_of_order, before.zero_windows);
	assert_int_equal(before.next_seq, flow->next_seq);
	assert_int_equal(before.next_seq_at, flow->next_seq_at);
	assert_int_equal(before.state, flow->state | NPK_FLOW_SPOKE);
	assert_int_equal(before.tcp_flags, flow->tcp_flags);
}

/* Account a segment to the flow, which begins with it when it has none. */
static void feed(struct npk_flow *flow, uint64_t now_ns, const struct segment *s, uint32_t segs)
{
	struct npk_flow before;
	struct npk_pkt pkt;
	struct frame f;

	pkt = segment_pkt(&f, s, now_ns);
	if (segs > 1) {
		pkt.segs = segs;
		pkt.gso_size = s->payload / segs;
	}
	parse(&pkt);
	assert_true(pkt.has_tcp);
	if (!flow->last_ns)
		npk_flow_start(flow, &pkt);
	else if (!flow->packets)
		npk_flow_resume(flow, &pkt);
	before = *flow;
	npk_flow_account(flow, &pkt);
	npk_tcp_account(flow, &pkt);
	check_goes_on(before, flow, &pkt);
	free((void *)pkt.data);
}

#define FEED(flow, now_ns, ...)	feed(flow, now_ns, &(struct segment){ __VA_ARGS__ }, 1)
#define FEED_MERGED(flow, now_ns, segs, ...) \
	feed(flow, now_ns, &(struct segment){ __VA_ARGS__ }, segs)

/* A flow whose highest sequence number is 11000, seen at T0. */
static void begin(struct npk_flow *flow)
{
	memset(flow, 0, sizeof(*flow));
	FEED(flow, T0 - S, .flags = ACK, .seq = 9000, .payload = 1000);
	FEED(flow, T0, .flags = ACK, .seq = 10000, .payload = 1000);
	assert_int_equal(flow->next_seq, 11000);
	assert_counts(flow, 0, 0, 0);
}

static void test_in_order(void **state)
{
	struct npk_flow flow = {};
	unsigned int i;

	(void)state;
	FEED(&flow, T0, .flags = SYN, .seq = 99);
	FEED(&flow, T0, .flags = ACK, .seq = 100);
	for (i = 0; i < 100; i++)
		FEED(&flow, T0 + i, .flags = ACK, .seq = 100 + i * 500, .payload = 500);
	FEED(&flow, T0, .flags = FIN | ACK, .seq = 50100, .payload = 10);
	FEED(&flow, T0, .flags = ACK, .seq = 50111);
	assert_int_equal(flow.next_seq, 50111);
	assert_counts(&flow, 0, 0, 0);
}

/* A hole is not counted, only what comes to fill it. */
static void test_hole(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0 + 1, .flags = ACK, .seq = 12000, .payload = 1000);
	assert_counts(&flow, 0, 0, 0);
	FEED(&flow, T0 + 2, .flags = ACK, .seq = 11000, .payload = 500);
	assert_counts(&flow, 0, 1, 0);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 11500, .payload = 500);
	assert_counts(&flow, 1, 1, 0);
	assert_int_equal(flow.next_seq, 13000);
}

static void test_wrap(void **state)
{
	struct npk_flow flow = {};

	(void)state;
	FEED(&flow, T0, .flags = ACK, .seq = 0xfffffe00, .payload = 256);
	FEED(&flow, T0, .flags = ACK, .seq = 0xffffff00, .payload = 256);
	assert_int_equal(flow.next_seq, 0);
	FEED(&flow, T0, .flags = ACK, .seq = 0, .payload = 256);
	FEED(&flow, T0, .flags = ACK, .seq = 256, .payload = 256);
	assert_counts(&flow, 0, 0, 0);
	FEED(&flow, T0 + 1, .flags = ACK, .seq = 0xffffff00, .payload = 256);
	assert_counts(&flow, 0, 1, 0);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 0xffffff00, .payload = 512);
	assert_counts(&flow, 1, 1, 0);
	assert_int_equal(flow.next_seq, 512);
}

/* A SYN right before the wrap: its end is 0. */
static void test_wrap_at_syn(void **state)
{
	struct npk_flow flow = {};

	(void)state;
	FEED(&flow, T0, .flags = SYN, .seq = 0xffffffff);
	FEED(&flow, T0, .flags = ACK, .seq = 0, .payload = 10);
	assert_counts(&flow, 0, 0, 0);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 0, .payload = 10);
	assert_counts(&flow, 1, 0, 0);
}

/* How long after the segment that passed it: 3 ms as they are kept, 3.072 ms. */
static void test_three_milliseconds(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0, .flags = ACK, .seq = 9000, .payload = 1000);
	assert_counts(&flow, 0, 1, 0);
	FEED(&flow, T0 + MISS - 1, .flags = ACK, .seq = 9000, .payload = 1000);
	assert_counts(&flow, 0, 2, 0);
	FEED(&flow, T0 + MISS, .flags = ACK, .seq = 9000, .payload = 1000);
	assert_counts(&flow, 1, 2, 0);
	FEED(&flow, T0 + 3600 * S, .flags = ACK, .seq = 9000, .payload = 1000);
	assert_counts(&flow, 2, 2, 0);
}

/* Found by review: a segment stamped before the one that passed it was "sent again". */
static void test_earlier_time_is_overtaken(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0 - MS, .flags = ACK, .seq = 9000, .payload = 1000);
	assert_counts(&flow, 0, 1, 0);
}

/* Found by review: ten merged segments of which one was sent again counted as ten. */
static void test_merged_partly_sent_again(void **state)
{
	struct npk_pkt pkt;
	struct npk_flow flow;
	struct frame f;

	(void)state;
	begin(&flow);
	pkt = segment_pkt(&f, &(struct segment){ .flags = ACK, .seq = 10000, .payload = 10 },
			  T0 + S);
	parse(&pkt);
	pkt.payload = 10000;
	pkt.segs = 10;
	pkt.gso_size = 1000;
	npk_tcp_account(&flow, &pkt);
	assert_counts(&flow, 1, 0, 0);
	assert_int_equal(flow.next_seq, 20000);
	pkt.seq = 17500;
	pkt.payload = 2500;
	pkt.segs = 3;
	npk_tcp_account(&flow, &pkt);
	assert_counts(&flow, 4, 0, 0);
	free((void *)pkt.data);
}

/* Found by review: one segment from nowhere made all that followed "sent again". */
static void test_one_stray_segment(void **state)
{
	static const struct segment stray[] = {
		{ .flags = NPK_TCP_RST, .seq = 11500 },
		{ .flags = NPK_TCP_RST | ACK, .seq = 0x60000000 },
		{ .flags = ACK, .seq = 0x60000000, .payload = 1 },
		{ .flags = ACK, .seq = 0xa0000000, .payload = 100 },
	};
	struct npk_flow flow;
	unsigned int i, n;

	(void)state;
	for (i = 0; i < 4; i++) {
		begin(&flow);
		feed(&flow, T0 + S, &stray[i], 1);
		for (n = 0; n < 5; n++)
			FEED(&flow, T0 + 2 * S, .flags = ACK, .seq = 11000 + n * 100,
			     .payload = 100);
		assert_counts(&flow, 0, 0, 0);
		assert_int_equal(flow.next_seq, 11500);
	}
	/* two in a row is where the flow is now */
	begin(&flow);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 0x60000000, .payload = 100);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 0x60000064, .payload = 100);
	FEED(&flow, T0 + 2 * S, .flags = ACK, .seq = 0x60000064, .payload = 100);
	assert_counts(&flow, 1, 0, 0);
}

/* Found by review: the SYN again after data took the sequence back. */
static void test_syn_again_after_data(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0, .flags = SYN, .seq = 99);
	FEED(&flow, T0, .flags = ACK, .seq = 100, .payload = 1000);
	FEED(&flow, T0 + S, .flags = SYN, .seq = 99);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 100, .payload = 1000);
	assert_counts(&flow, 2, 0, 0);
	assert_int_equal(flow.next_seq, 1100);
}

/* The time counts from the segment with the highest number, not from any other. */
static void test_time_of_the_highest(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0 + MISS - 1, .flags = ACK, .seq = 9000, .payload = 100);
	FEED(&flow, T0 + MISS, .flags = ACK, .seq = 11000);
	FEED(&flow, T0 + MISS, .flags = ACK, .seq = 9100, .payload = 100);
	assert_counts(&flow, 1, 1, 0);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 11000, .payload = 1);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 9100, .payload = 100);
	assert_counts(&flow, 1, 2, 0);
}

static void test_round_trip_known(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	flow.rtt = 50000;
	FEED(&flow, T0 + 50000 * TICK - 1, .flags = ACK, .seq = 9000, .payload = 500);
	assert_counts(&flow, 0, 1, 0);
	FEED(&flow, T0 + 50000 * TICK, .flags = ACK, .seq = 9000, .payload = 500);
	assert_counts(&flow, 1, 1, 0);
	flow.rtt = 1;	/* less than 3 ms: what is known counts */
	FEED(&flow, T0, .flags = ACK, .seq = 9000, .payload = 500);
	assert_counts(&flow, 1, 2, 0);
	FEED(&flow, T0 + TICK, .flags = ACK, .seq = 9000, .payload = 500);
	assert_counts(&flow, 2, 2, 0);
}

/* What ends where the highest ended was not overtaken by it: it is the same again. */
static void test_same_end(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0 + 1, .flags = ACK, .seq = 10000, .payload = 1000);
	assert_counts(&flow, 1, 0, 0);
	FEED(&flow, T0 + 2, .flags = ACK, .seq = 10500, .payload = 500);
	assert_counts(&flow, 2, 0, 0);
	FEED(&flow, T0 + 3, .flags = ACK, .seq = 10500, .payload = 499);
	assert_counts(&flow, 2, 1, 0);
}

static void test_partial_overlap(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 10500, .payload = 1000);
	assert_counts(&flow, 1, 0, 0);
	assert_int_equal(flow.next_seq, 11500);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 11499, .payload = 501);
	assert_counts(&flow, 1, 0, 0);	/* from the octet before on: as after a probe */
	assert_int_equal(flow.next_seq, 12000);
	FEED(&flow, T0 + S + 2 * MS, .flags = ACK, .seq = 11998, .payload = 502);
	assert_counts(&flow, 1, 1, 0);	/* quick, and with a new end */
	assert_int_equal(flow.next_seq, 12500);
	/* it advanced the time as well */
	FEED(&flow, T0 + S + 2 * MS + MISS - TICK, .flags = ACK, .seq = 9000, .payload = 100);
	assert_counts(&flow, 1, 2, 0);
}

static void test_keep_alive(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0 + 10 * S, .flags = ACK, .seq = 10999);
	FEED(&flow, T0 + 20 * S, .flags = ACK, .seq = 10999, .payload = 1);
	assert_counts(&flow, 0, 0, 0);
	FEED(&flow, T0 + 30 * S, .flags = ACK, .seq = 10998, .payload = 1);
	assert_counts(&flow, 1, 0, 0);
	FEED(&flow, T0 + 40 * S, .flags = ACK, .seq = 10998, .payload = 2);
	assert_counts(&flow, 2, 0, 0);
	assert_int_equal(flow.next_seq, 11000);
}

/* A window probe is an octet that counts; the segment after it begins with it again. */
static void test_after_a_window_probe(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 11000, .payload = 1);
	FEED(&flow, T0 + 2 * S, .flags = ACK, .seq = 11000, .payload = 1);
	FEED(&flow, T0 + 3 * S, .flags = ACK, .seq = 11000, .payload = 1000);
	assert_counts(&flow, 0, 0, 0);
	assert_int_equal(flow.next_seq, 12000);
	FEED(&flow, T0 + 4 * S, .flags = ACK, .seq = 11000, .payload = 1000);
	assert_counts(&flow, 1, 0, 0);
}

static void test_fin(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED(&flow, T0, .flags = FIN | ACK, .seq = 11000);
	assert_counts(&flow, 0, 0, 0);
	assert_int_equal(flow.next_seq, 11001);
	FEED(&flow, T0 + MS, .flags = FIN | ACK, .seq = 11000);
	assert_counts(&flow, 1, 0, 0);		/* no keep-alive, though one octet before */
	FEED(&flow, T0 + S, .flags = FIN | ACK, .seq = 10500, .payload = 500);
	assert_counts(&flow, 2, 0, 0);
	FEED(&flow, T0 + S, .flags = ACK, .seq = 11001);
	assert_counts(&flow, 2, 0, 0);
}

/* Segments without data, SYN or FIN take no room among the numbers. */
static void test_nothing_to_pass(void **state)
{
	static const uint16_t flags[] = { ACK, RST, RST | ACK, ACK | PSH, 0 };
	struct npk_flow flow;
	unsigned int i;

	(void)state;
	begin(&flow);
	for (i = 0; i < 5; i++) {
		FEED(&flow, T0, .flags = flags[i], .seq = 9000);
		FEED(&flow, T0 + S, .flags = flags[i], .seq = 9000);
		FEED(&flow, T0 + S, .flags = flags[i], .seq = 10999);
		FEED(&flow, T0 + S, .flags = flags[i], .seq = 11000);
	}
	assert_counts(&flow, 0, 0, 0);
	assert_int_equal(flow.next_seq, 11000);
	assert_int_equal(flow.packets, 22);
}

static void test_zero_window(void **state)
{
	static const uint16_t counted[] = { ACK, ACK | PSH, 0 };
	static const uint16_t not_counted[] = { RST, RST | ACK, FIN | ACK, SYN, SYN | ACK };
	struct npk_flow flow = {};
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)		/* the first packet as well */
		FEED(&flow, T0, .shut = true, .flags = counted[i], .seq = 100);
	assert_counts(&flow, 0, 0, 3);
	FEED(&flow, T0, .window = 1, .flags = ACK, .seq = 100);
	for (i = 0; i < 5; i++)
		FEED(&flow, T0, .shut = true, .flags = not_counted[i], .seq = 100);
	assert_int_equal(flow.zero_windows, 3);
}

static void test_syn(void **state)
{
	struct npk_flow flow = {};

	(void)state;
	FEED(&flow, T0, .flags = SYN, .seq = 100);
	assert_int_equal(flow.next_seq, 101);
	FEED(&flow, T0 + 1, .flags = SYN, .seq = 100);	/* quick or not: the same again */
	assert_counts(&flow, 1, 0, 0);
	FEED(&flow, T0 + S, .flags = SYN, .seq = 100);
	assert_counts(&flow, 2, 0, 0);
	FEED(&flow, T0 + 2 * S, .flags = SYN, .seq = 50);	/* another one, before or behind */
	assert_int_equal(flow.next_seq, 51);
	FEED(&flow, T0 + 2 * S, .flags = SYN, .seq = 5000);
	assert_int_equal(flow.next_seq, 5001);
	assert_counts(&flow, 2, 0, 0);
	FEED(&flow, T0 + 2 * S, .flags = ACK, .seq = 5001, .payload = 10);
	assert_counts(&flow, 2, 0, 0);
	FEED(&flow, T0 + 3 * S, .flags = SYN, .seq = 100, .payload = 9);
	assert_int_equal(flow.next_seq, 110);
	/* the time of the SYN counts */
	FEED(&flow, T0 + 3 * S + 1, .flags = ACK, .seq = 101, .payload = 8);
	assert_counts(&flow, 2, 1, 0);
}

/* The first SYN of a record is kept, later ones are not. */
static void test_first_syn_is_kept(void **state)
{
	struct npk_flow flow = {};

	(void)state;
	FEED(&flow, T0, .flags = ACK, .seq = 100);
	assert_int_equal(flow.syn.flags, 0);
	FEED(&flow, T0, .flags = SYN, .window = 5000, .seq = 100);
	FEED(&flow, T0, .flags = SYN, .window = 6000, .seq = 100);
	FEED(&flow, T0, .flags = SYN | ACK, .window = 7000, .seq = 100);
	assert_int_equal(flow.syn.flags, NPK_SYN_SEEN);
	assert_int_equal(flow.syn.window, 5000);
	npk_flow_split(&flow);
	assert_int_equal(flow.syn.flags, 0);
	assert_int_equal(flow.syn.window, 0);
	FEED(&flow, T0, .flags = SYN | ACK, .window = 8000, .seq = 100);
	assert_int_equal(flow.syn.flags, NPK_SYN_SEEN | NPK_SYN_ACK);
	assert_int_equal(flow.syn.window, 8000);
}

/* Counters begin anew with the record, sequence numbers do not. */
static void test_split(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	flow.rtt = 70000;
	flow.state |= NPK_FLOW_SPOKE | NPK_FLOW_SHAKES | NPK_FLOW_HELD;
	FEED(&flow, T0 + 1, .shut = true, .flags = ACK, .seq = 9000, .payload = 1000);
	FEED(&flow, T0 + S, .flags = FIN | ACK, .seq = 9000, .payload = 1000);
	assert_counts(&flow, 1, 1, 1);
	flow.server_delay_us = 1;
	flow.client_delay_us = 2;
	flow.appl_delay_us = 3;
	flow.fragments = 4;
	npk_flow_split(&flow);
	assert_counts(&flow, 0, 0, 0);
	assert_int_equal(flow.packets, 0);
	assert_int_equal(flow.octets, 0);
	assert_int_equal(flow.tcp_flags, 0);
	assert_int_equal(flow.fragments, 0);
	assert_int_equal(flow.server_delay_us, 0);
	assert_int_equal(flow.client_delay_us, 0);
	assert_int_equal(flow.appl_delay_us, 0);
	assert_int_equal(flow.rtt, 70000);
	assert_int_equal(flow.state, NPK_FLOW_SEQ | NPK_FLOW_SPOKE | NPK_FLOW_SHAKES);
	FEED(&flow, T0 + 40 * MS, .flags = ACK, .seq = 9000, .payload = 500);
	assert_counts(&flow, 0, 1, 0);	/* within the round trip, behind the highest */
	FEED(&flow, T0 + S, .flags = ACK, .seq = 9000, .payload = 500);
	assert_counts(&flow, 1, 1, 0);
	assert_int_equal(flow.tcp_flags_first, ACK);
	assert_int_equal(flow.packets, 2);
	assert_int_equal(flow.first_ns, T0 + 40 * MS);
	assert_int_equal(flow.last_ns, T0 + S);
}

/* What a record takes from its first packet is that of its own, not of the flow's. */
static void test_resume_takes_from_the_packet(void **state)
{
	struct npk_flow flow = {};
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	FEED(&flow, T0, .v6 = true, .flags = SYN, .seq = 1, .payload = 1000);
	npk_flow_split(&flow);
	pkt = segment_pkt(&f, &(struct segment){ .v6 = true, .flags = ACK | PSH, .seq = 1002 },
			  T0 + S);
	memset(f.data, 0x11, 6);
	memset(f.data + 6, 0x22, 6);
	f.data[17] = 0x99;
	f.data[21] = 5;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	pkt.nr_mpls = 6;
	pkt.mpls[3] = 77;
	npk_flow_resume(&flow, &pkt);
	npk_flow_account(&flow, &pkt);
	assert_int_equal(flow.first_ns, T0 + S);
	assert_int_equal(flow.last_ns, T0 + S);
	assert_int_equal(flow.tcp_flags, ACK | PSH);
	assert_int_equal(flow.tcp_flags_first, ACK | PSH);
	assert_int_equal(flow.min_len, 60);
	assert_int_equal(flow.max_len, 60);
	assert_int_equal(flow.min_ttl, 5);
	assert_int_equal(flow.max_ttl, 5);
	assert_int_equal(flow.flow_label, 0x12399);
	assert_int_equal(flow.nr_mpls, NPK_MPLS_MAX);
	assert_int_equal(flow.mpls[3], 77);
	assert_memory_equal(flow.dmac, "\x11\x11\x11\x11\x11\x11", 6);
	assert_memory_equal(flow.smac, "\x22\x22\x22\x22\x22\x22", 6);
}

/* A flow that is started again knows nothing of what was there, but where it lives. */
static void test_start_forgets(void **state)
{
	struct npk_flow flow;
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	memset(&flow, 0xff, sizeof(flow));
	flow.first_ns = T0 - S;
	flow.last_ns = T0 + S;	/* a clock that went back */
	pkt = segment_pkt(&f, &(struct segment){ .flags = ACK, .seq = 9 }, T0);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	npk_flow_start(&flow, &pkt);
	assert_int_equal(flow.state, NPK_FLOW_MOVED);
	assert_int_equal(flow.rtt, 0);
	assert_int_equal(flow.packets | flow.octets | flow.fragments | flow.tcp_flags, 0);
	assert_int_equal(flow.server_delay_us | flow.client_delay_us | flow.appl_delay_us, 0);
	assert_memory_equal(&flow.syn, &(struct npk_syn){}, sizeof(flow.syn));
	assert_counts(&flow, 0, 0, 0);
	npk_flow_account(&flow, &pkt);
	npk_tcp_account(&flow, &pkt);
	assert_int_equal(flow.next_seq, 9);
	assert_int_equal(flow.first_ns, T0);
	assert_int_equal(flow.last_ns, T0);
	assert_counts(&flow, 0, 0, 0);
	npk_flow_split(&flow);
	pkt.now_ns = T0 - S;
	npk_flow_resume(&flow, &pkt);
	npk_flow_account(&flow, &pkt);
	assert_int_equal(flow.first_ns, T0 - S);
	assert_int_equal(flow.last_ns, T0 - S);
}

/* Merged packets count as what they were made of, their data as a whole. */
static void test_merged(void **state)
{
	struct npk_flow flow;

	(void)state;
	begin(&flow);
	FEED_MERGED(&flow, T0 + S, 10, .flags = ACK, .seq = 11000, .payload = 14480);
	assert_int_equal(flow.next_seq, 25480);
	assert_counts(&flow, 0, 0, 0);
	FEED_MERGED(&flow, T0 + S + 1, 4, .flags = ACK, .seq = 11000, .payload = 5792);
	assert_counts(&flow, 0, 4, 0);
	FEED_MERGED(&flow, T0 + 2 * S, 3, .flags = ACK, .seq = 11000, .payload = 4344);
	assert_counts(&flow, 3, 4, 0);
	FEED_MERGED(&flow, T0 + 2 * S, 2, .shut = true, .flags = ACK, .seq = 25480,
		    .payload = 2000);
	assert_counts(&flow, 3, 4, 2);
	assert_int_equal(flow.packets, 2 + 10 + 4 + 3 + 2);
}

/* Through the meter: neither fragments nor headers that are cut are followed. */
static void test_what_is_not_followed(void **state)
{
	static const struct segment again = { .flags = ACK, .seq = 9000, .payload = 100 };
	struct npk_meter *m;
	struct segment s = { .flags = ACK, .seq = 10000, .payload = 1000 };
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;

	(void)state;
	m = make_meter(4, &k);
	pkt = segment_pkt(&f, &s, T0);
	npk_meter_packet(m, &pkt);
	s = again;
	s.shut = true;
	s.ip_frag = 0x2000;
	pkt = segment_pkt(&f, &s, T0 + 2 * S);
	npk_meter_packet(m, &pkt);
	s.ip_frag = 0;
	pkt = segment_pkt(&f, &s, T0 + 2 * S);
	pkt.linear = pkt.captured = 14 + 20 + 15;
	npk_meter_packet(m, &pkt);
	pkt = segment_pkt(&f, &s, T0 + 2 * S);
	f.data[14 + 20 + 12] = 0x40;
	npk_meter_packet(m, &pkt);
	pkt = segment_pkt(&f, &again, T0 + 2 * S);
	npk_meter_packet(m, &pkt);
	assert_true(npk_meter_expire_all(m, 4));
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.packets, 5);
	assert_int_equal(k.last.retransmitted, 1);	/* the last one */
	assert_int_equal(k.last.out_of_order, 0);
	assert_int_equal(k.last.zero_windows, 0);
	free_meter(m);
}

/* Into the record. */
static void test_record(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;
	unsigned int i;

	(void)state;
	m = make_meter(4, &k);
	for (i = 0; i < 6; i++) {
		pkt = segment_pkt(&f, &(struct segment){ .flags = i ? ACK : SYN, .seq = 99 + !!i,
				  .shut = i == 5, .payload = i ? 1000 - i : 0, .window = 77 },
				  T0 + (i / 3) * S);
		npk_meter_packet(m, &pkt);
	}
	assert_true(npk_meter_expire_all(m, 4));
	assert_int_equal(k.last.out_of_order, 1);
	assert_int_equal(k.last.retransmitted, 3);
	assert_int_equal(k.last.zero_windows, 1);
	assert_int_equal(k.last.syn.flags, NPK_SYN_SEEN);
	assert_int_equal(k.last.syn.window, 77);
	free_meter(m);
}

static void test_parse_tcp(void **state)
{
	struct npk_pkt pkt;

	(void)state;
	pkt = parse_segment(&(struct segment){ .flags = ACK | 0xe00, .seq = 0x89abcdef,
			    .ack = 0xfedcba98, .window = 0x9f01, .payload = 333,
			    OPTIONS(OPT_WINDOWS) }, T0);
	assert_true(pkt.has_tcp);
	assert_int_equal(pkt.seq, 0x89abcdef);
	assert_int_equal(pkt.ack, 0xfedcba98);
	assert_int_equal(pkt.window, 0x9f01);
	assert_int_equal(pkt.payload, 333);
	assert_int_equal(pkt.tcp_hlen, 32);
	assert_int_equal(pkt.l4_off, 34);
	assert_int_equal(pkt.tcp_flags, 0xe10);
	assert_int_equal(pkt.fragment, NPK_FRAG_NONE);
	pkt = parse_segment(&(struct segment){ .v6 = true, .flags = ACK, .seq = 1, .payload = 7,
			    OPTIONS(OPT_LINUX) }, T0);
	assert_true(pkt.has_tcp);
	assert_int_equal(pkt.payload, 7);
	assert_int_equal(pkt.tcp_hlen, 40);
	assert_int_equal(pkt.l4_off, 54);
}

/* Extension headers, VLAN tags and padding are no payload. */
static void test_parse_payload(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x8100);
	put32(&f, 0x000586dd);
	put_ip6(&f, 0, 8 + 16 + 8 + 20 + 50);
	put(&f, "\x3c\x00\x01\x04\0\0\0\0", 8);		/* hop-by-hop, then destination */
	put(&f, "\x2c\x01\x01\x0c\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	put(&f, "\x06\0\0\0\0\0\0\x09", 8);		/* an atomic fragment */
	put_tcp(&f, 1, 2, ACK);
	f.len += 50;
	pkt = frame_pkt(&f, T0);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_true(pkt.has_tcp);
	assert_int_equal(pkt.payload, 50);
	assert_int_equal(pkt.seq, 1000);
	assert_int_equal(pkt.ack, 2000);
	assert_int_equal(pkt.window, 65535);
	assert_int_equal(pkt.l4_off, 18 + 40 + 32);

	frame_tcp4(&f, 1, 2, ACK);	/* to the shortest frame of Ethernet */
	memset(f.data + f.len, 0xff, 6);
	f.len += 6;
	pkt = frame_pkt(&f, T0);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.payload, 0);

	put_segment(&f, &(struct segment){ .flags = ACK, .payload = 100 });
	f.len += 40;	/* the others were lost on the way */
	pkt = frame_pkt(&f, T0);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.payload, 40);
}

/* IPv4 options in front, and none of them is payload. */
static void test_parse_behind_ip4_options(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	put_eth(&f, 0x0800);
	put_ip4(&f, NPK_PROTO_TCP, 8 + 20 + 3);
	f.data[14] = 0x47;
	put32(&f, 0x94040000);
	put32(&f, 0x01010101);
	put_tcp(&f, 1, 2, ACK);
	f.len += 3;
	pkt = frame_pkt(&f, T0);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.payload, 3);
	assert_int_equal(pkt.l4_off, 14 + 28);
}

/* The IP packet ends within the options, or at any octet before. */
static void test_payload_is_never_negative(void **state)
{
	struct npk_pkt pkt;
	struct frame f;
	uint32_t len;

	(void)state;
	for (len = 0; len <= 40; len++) {
		put_segment(&f, &(struct segment){ .flags = ACK, .seq = 5, OPTIONS(OPT_LINUX) });
		f.data[17] = (uint8_t)(20 + len);
		pkt = frame_pkt(&f, T0);
		parse(&pkt);
		assert_int_equal(pkt.has_tcp, len >= 16);
		assert_int_equal(pkt.tcp_flags, len >= 14 ? ACK : 0);
		assert_int_equal(pkt.notes, len < 14 ? 1 << NPK_NOTE_L4_TRUNCATED : 0);
		if (pkt.has_tcp) {
			assert_int_equal(pkt.payload, 0);
			assert_int_equal(pkt.tcp_hlen, 40);
		}
		free((void *)pkt.data);
	}
}

/* The capture cut the frame at any octet: what is left of the header decides. */
static void test_header_cut_by_the_capture(void **state)
{
	struct npk_pkt pkt;
	struct frame f;
	uint32_t len;

	(void)state;
	for (len = 0; len <= 40; len++) {
		pkt = segment_pkt(&f, &(struct segment){ .flags = ACK, .seq = 5, .payload = 9,
				  OPTIONS(OPT_LINUX) }, T0);
		pkt.linear = pkt.captured = 34 + len;
		parse(&pkt);
		assert_int_equal(pkt.has_tcp, len >= 16);
		if (pkt.has_tcp)
			assert_int_equal(pkt.payload, 9);
		free((void *)pkt.data);
	}
}

/* Results of the packet before are not those of the next. */
static void test_parse_starts_anew(void **state)
{
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	pkt = segment_pkt(&f, &(struct segment){ .flags = ACK, .seq = 5, .ip_frag = 0x2000 }, T0);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.fragment, NPK_FRAG_FIRST);
	assert_int_equal(pkt.frag_id, 0x1234);
	assert_false(pkt.has_tcp);
	assert_int_equal(pkt.tcp_flags, ACK);
	put_segment(&f, &(struct segment){ .flags = ACK, .seq = 5 });
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_int_equal(pkt.fragment, NPK_FRAG_NONE);
	assert_true(pkt.has_tcp);
	frame_udp4(&f, 1, 2);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	assert_false(pkt.has_tcp);
}

int main(void)
{
	int i;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_wrap_at_syn),
		cmocka_unit_test(test_three_milliseconds),
		cmocka_unit_test(test_earlier_time_is_overtaken),
		cmocka_unit_test(test_merged_partly_sent_again),
		cmocka_unit_test(test_one_stray_segment),
		cmocka_unit_test(test_syn_again_after_data),
		cmocka_unit_test(test_time_of_the_highest),
		cmocka_unit_test(test_round_trip_known),
		cmocka_unit_test(test_same_end),
		cmocka_unit_test(test_partial_overlap),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_after_a_window_probe),
		cmocka_unit_test(test_fin),
		cmocka_unit_test(test_nothing_to_pass),
		cmocka_unit_test(test_zero_window),
		cmocka_unit_test(test_syn),
		cmocka_unit_test(test_first_syn_is_kept),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_resume_takes_from_the_packet),
		cmocka_unit_test(test_start_forgets),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_what_is_not_followed),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_parse_tcp),
		cmocka_unit_test(test_parse_payload),
		cmocka_unit_test(test_parse_behind_ip4_options),
		cmocka_unit_test(test_payload_is_never_negative),
		cmocka_unit_test(test_header_cut_by_the_capture),
		cmocka_unit_test(test_parse_starts_anew),
	};

	i = cmocka_run_group_tests(tests, NULL, NULL);
	printf("%u segments went the short way\n", short_ways);
	return i || short_ways < 100;
}
