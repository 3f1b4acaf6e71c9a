// SPDX-License-Identifier: GPL-2.0-only
/* Delays between the packets of both directions of a conversation. */
#include "test.h"

#include "segment.h"
#include "shard.h"

#define T0	(1000 * S)

/**
 * struct talk - two sides and who listens
 * @convs: conversations
 * @m: meters; the second one, if there is one, gets what the server sends
 * @k: their records
 * @v6: over IPv6
 */
struct talk {
	struct npk_convs *convs;
	struct npk_meter *m[2];
	struct sink k[2];
	bool v6;
};

static int make_talk(void **state, unsigned int nr_meters, bool v6)
{
	struct talk *t = calloc(1, sizeof(*t));
	unsigned int i;

	assert_non_null(t);
	t->v6 = v6;
	t->convs = aligned_alloc(NPK_CACHE_LINE, sizeof(*t->convs));
	assert_non_null(t->convs);
	memset(t->convs, 0, sizeof(*t->convs));
	npk_convs_init(t->convs);
	for (i = 0; i < nr_meters; i++) {
		t->m[i] = make_meter(4, &t->k[i]);
		t->m[i]->convs = t->convs;
		t->m[i]->limits.idle_ns = 10000 * S;
		t->m[i]->limits.active_ns = 10000 * S;
	}
	*state = t;
	return 0;
}

static int one_meter(void **state)
{
	return make_talk(state, 1, false);
}

static int two_meters(void **state)
{
	return make_talk(state, 2, false);
}

static int two_meters_ip6(void **state)
{
	return make_talk(state, 2, true);
}

static int free_talk(void **state)
{
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 2 && t->m[i]; i++)
		free_meter(t->m[i]);
	free(t->convs);
	free(t);
	return 0;
}

static void hear(struct talk *t, bool back, struct npk_pkt *pkt)
{
	npk_meter_packet(t->m[back && t->m[1]], pkt);
}

static void say(struct talk *t, uint64_t now_ns, const struct segment *s)
{
	struct segment copy = *s;
	struct npk_pkt pkt;
	struct frame f;

	copy.v6 = t->v6;
	pkt = segment_pkt(&f, &copy, now_ns);
	hear(t, s->back, &pkt);
}

#define SAY(t, now_ns, ...)	say(t, now_ns, &(struct segment){ __VA_ARGS__ })

/* The flow of a side. */
static const struct npk_flow *flow_of(const struct talk *t, bool back)
{
	const struct npk_meter *m = t->m[back && t->m[1]];
	const struct npk_bucket *b;
	uint32_t i, way;
	struct npk_key key;

	for (i = 0; i < m->table.nr_buckets; i++) {
		b = npk_table_bucket(&m->table, i);
		for (way = 0; way < NPK_WAYS; way++) {
			npk_flow_key(&b->flow[way], &key);
			if (b->sig[way] &&
			    be16_to_cpu(key.sport) == (back ? SEG_SERVER : SEG_CLIENT))
				return &b->flow[way];
		}
	}
	fail_msg("the flow is not in the table");
	return NULL;
}

/* Conversations in the table. */
static unsigned int nr_convs(const struct talk *t)
{
	const struct npk_conv *e = &t->convs->bucket[0][0];
	unsigned int i, n = 0;

	for (i = 0; i < NPK_CONV_BUCKETS * NPK_CONV_WAYS; i++)
		n += e[i].id != 0;
	return n;
}

static void assert_delays(const struct talk *t, bool back, uint32_t server, uint32_t client,
			  uint32_t appl)
{
	const struct npk_flow *flow = flow_of(t, back);

	assert_int_equal(flow->server_delay_us, server);
	assert_int_equal(flow->client_delay_us, client);
	assert_int_equal(flow->appl_delay_us, appl);
}

/* 20 ms to the server and back, 30 ms to the client and back. */
static void shake(struct talk *t)
{
	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 101, .ack = 501);
}

static void ask(struct talk *t, uint64_t now_ns)
{
	SAY(t, now_ns, .flags = ACK | PSH, .seq = 101, .ack = 501, .payload = 40);
}

static void answer(struct talk *t, uint64_t now_ns)
{
	SAY(t, now_ns, .back = true, .flags = ACK, .seq = 501, .ack = 141, .payload = 900);
}

static void test_delays_are_in_the_right_records(void **state)
{
	struct talk *t = *state;
	const struct npk_rec *client, *server;

	shake(t);
	ask(t, T0 + 60 * MS);
	answer(t, T0 + 67 * MS + 999);
	assert_true(npk_meter_expire_all(t->m[0], 4));
	assert_true(!t->m[1] || npk_meter_expire_all(t->m[1], 4));
	client = sink_record(&t->k[0], SEG_CLIENT, 0);
	server = sink_record(&t->k[t->m[1] != NULL], SEG_SERVER, 0);
	assert_int_equal(client->server_delay_us, 0);
	assert_int_equal(client->client_delay_us, 30000);
	assert_int_equal(client->appl_delay_us, 0);
	assert_int_equal(server->server_delay_us, 20000);
	assert_int_equal(server->client_delay_us, 0);
	assert_int_equal(server->appl_delay_us, 7000);
}

static void test_nothing_without_a_table(void **state)
{
	struct talk *t = *state;

	t->m[0]->convs = NULL;
	shake(t);
	ask(t, T0 + 60 * MS);
	answer(t, T0 + 67 * MS);
	assert_delays(t, false, 0, 0, 0);
	assert_delays(t, true, 0, 0, 0);
}

/* The round trip is known to the side that shook hands, to the other from its first data on. */
static void test_round_trip(void **state)
{
	struct talk *t = *state;

	shake(t);
	assert_int_equal(flow_of(t, false)->rtt, npk_flow_clock(50000 * US));
	assert_int_equal(flow_of(t, true)->rtt, npk_flow_clock(0 * US));
	ask(t, T0 + 60 * MS);
	answer(t, T0 + 70 * MS);
	assert_int_equal(flow_of(t, false)->rtt, npk_flow_clock(50000 * US));
	assert_int_equal(flow_of(t, true)->rtt, npk_flow_clock(50000 * US));
}

static void test_syn_again(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + S, .flags = SYN, .seq = 100);
	SAY(t, T0 + 3 * S, .flags = SYN, .seq = 100);
	SAY(t, T0 + 3 * S + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 3 * S + 50 * MS, .flags = ACK, .seq = 101, .ack = 501);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
	assert_int_equal(flow_of(t, false)->retransmitted, 2);
}

/* The SYN+ACK was lost behind the observer. */
static void test_syn_again_after_syn_ack(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + 10 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	assert_delays(t, true, 10000, 0, 0);
	SAY(t, T0 + S, .flags = SYN, .seq = 100);
	SAY(t, T0 + S + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + S + 50 * MS, .flags = ACK, .seq = 101, .ack = 501);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
	assert_int_equal(flow_of(t, false)->rtt, npk_flow_clock(50000 * US));
}

static void test_syn_ack_again(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + S, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + S + 30 * MS, .flags = ACK, .seq = 101, .ack = 501);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
	assert_int_equal(flow_of(t, false)->rtt, npk_flow_clock(50000 * US));
	/* once more, after the acknowledgement: changes nothing */
	SAY(t, T0 + 2 * S, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 2 * S + 5 * MS, .flags = ACK, .seq = 101, .ack = 501);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
	ask(t, T0 + 3 * S);
	answer(t, T0 + 3 * S + 8 * MS);
	assert_delays(t, true, 20000, 0, 8000);
}

/* Both sides chose the same number: what one acknowledges is no sign of the other's step. */
static void test_same_initial_numbers(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 100, .ack = 101);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 101, .ack = 101);
	SAY(t, T0 + S, .back = true, .flags = SYN | ACK, .seq = 100, .ack = 101);
	SAY(t, T0 + 2 * S, .flags = ACK, .seq = 101, .ack = 101);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
}

/* Another SYN+ACK, with another sequence number: that one has to be acknowledged. */
static void test_syn_ack_of_another_sequence(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 40 * MS, .back = true, .flags = SYN | ACK, .seq = 900, .ack = 101);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 101, .ack = 901);
	assert_delays(t, false, 0, 10000, 0);
}

static void test_wrong_acknowledgement_of_syn(void **state)
{
	static const uint32_t wrong[] = { 100, 102, 0, 0xffffffff };
	struct talk *t = *state;
	unsigned int i;

	SAY(t, T0, .flags = SYN, .seq = 100);
	for (i = 0; i < 4; i++)
		SAY(t, T0 + i * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = wrong[i]);
	assert_delays(t, true, 0, 0, 0);
	/* it does not spoil what comes of the real one */
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 101, .ack = 501);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
}

static void test_wrong_acknowledgement_of_syn_ack(void **state)
{
	static const uint32_t wrong[] = { 500, 502, 0 };
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		SAY(t, T0, .flags = SYN, .seq = 100);
		SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
		SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 101, .ack = wrong[i]);
		assert_delays(t, false, 0, 0, 0);
		/* the first packet after the SYN decides */
		SAY(t, T0 + 60 * MS, .flags = ACK, .seq = 101, .ack = 501);
		assert_delays(t, false, 0, 0, 0);
	}
	ask(t, T0 + 70 * MS);
	answer(t, T0 + 80 * MS);
	assert_delays(t, true, 20000, 0, 0);
	assert_int_equal(flow_of(t, false)->rtt, npk_flow_clock(0 * US));
}

/* Sequence numbers that wrap between SYN and acknowledgement. */
static void test_sequence_wraps(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 0xffffffff);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 0xffffffff, .ack = 0);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 0, .ack = 0);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
}

/* TCP fast open: the server may have taken the data of the SYN, or not. */
static void test_syn_with_data(void **state)
{
	static const uint32_t right[] = { 101, 401 }, wrong[] = { 100, 402 };
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		SAY(t, T0, .flags = SYN, .seq = 100, .payload = 300);
		SAY(t, T0 + MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = wrong[i]);
		assert_delays(t, true, i * 20000, 0, 0);
		SAY(t, T0 + (20 + i) * MS, .back = true, .flags = SYN | ACK, .seq = 500,
		    .ack = right[i]);
		SAY(t, T0 + 50 * MS, .flags = ACK, .seq = right[i], .ack = 501);
		assert_delays(t, true, 20000 + i * 1000, 0, 0);
		assert_delays(t, false, 0, 30000 - i * 1000, 0);
		SAY(t, T0 + 60 * MS, .flags = RST, .seq = right[i]);
	}
}

/* Data of a SYN are not the first data, nor those of a SYN+ACK. */
static void test_data_of_syn_are_no_request(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100, .payload = 300);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 401,
	    .payload = 9);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 401, .ack = 501);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
	SAY(t, T0 + 60 * MS, .flags = ACK, .seq = 401, .ack = 510, .payload = 5);
	SAY(t, T0 + 75 * MS, .back = true, .flags = ACK, .seq = 510, .ack = 406, .payload = 9);
	assert_delays(t, true, 20000, 0, 15000);
}

/* The server answers the data of the SYN before its SYN+ACK is acknowledged. */
static void test_answer_before_the_acknowledgement(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100, .payload = 300);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 401);
	SAY(t, T0 + 21 * MS, .back = true, .flags = ACK, .seq = 501, .ack = 401, .payload = 9);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 401, .ack = 501);
	SAY(t, T0 + 60 * MS, .flags = ACK, .seq = 401, .ack = 510, .payload = 5);
	SAY(t, T0 + 70 * MS, .back = true, .flags = ACK, .seq = 510, .ack = 406, .payload = 9);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
}

static void test_reset(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .back = true, .flags = RST | ACK, .ack = 101);
	assert_delays(t, true, 0, 0, 0);
	assert_delays(t, false, 0, 0, 0);
}

/* What follows the SYN, but acknowledges nothing: a reset, or a segment without ACK. */
static void test_no_acknowledgement(void **state)
{
	static const uint16_t flags[] = { RST | ACK, RST, 0, FIN };
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		SAY(t, T0, .flags = SYN, .seq = 100);
		SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
		SAY(t, T0 + 50 * MS, .flags = flags[i], .seq = 101, .ack = 501);
		assert_delays(t, false, 0, 0, 0);
	}
	assert_int_equal(flow_of(t, true)->server_delay_us, 20000);
}

static void test_acknowledgement_with_data(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 101, .ack = 501, .payload = 40);
	answer(t, T0 + 90 * MS);
	assert_delays(t, false, 0, 30000, 0);
	assert_delays(t, true, 20000, 0, 40000);
	assert_int_equal(nr_convs(t), 0);
}

static void test_first_data_count(void **state)
{
	struct talk *t = *state;

	shake(t);
	assert_int_equal(nr_convs(t), 1);
	ask(t, T0 + 60 * MS);
	SAY(t, T0 + 70 * MS, .flags = ACK, .seq = 141, .ack = 501, .payload = 40);
	SAY(t, T0 + 75 * MS, .back = true, .flags = ACK, .seq = 501, .ack = 181); /* no data */
	assert_delays(t, true, 20000, 0, 0);
	answer(t, T0 + 100 * MS);
	assert_int_equal(nr_convs(t), 0);	/* nothing is left to be measured */
	assert_delays(t, true, 20000, 0, 40000);
	SAY(t, T0 + 110 * MS, .back = true, .flags = ACK, .seq = 1401, .ack = 181, .payload = 9);
	SAY(t, T0 + 200 * MS, .flags = ACK, .seq = 181, .ack = 1410, .payload = 40);
	SAY(t, T0 + 201 * MS, .back = true, .flags = ACK, .seq = 1410, .ack = 221, .payload = 9);
	assert_delays(t, true, 20000, 0, 40000);
	assert_delays(t, false, 0, 30000, 0);
	assert_int_equal(nr_convs(t), 0);
}

static void test_server_speaks_first(void **state)
{
	struct talk *t = *state;

	shake(t);
	answer(t, T0 + 60 * MS);
	ask(t, T0 + 70 * MS);
	SAY(t, T0 + 80 * MS, .back = true, .flags = ACK, .seq = 1401, .ack = 141, .payload = 9);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
	assert_int_equal(nr_convs(t), 0);
}

static void test_answer_after_a_minute(void **state)
{
	struct talk *t = *state;
	uint64_t over;

	for (over = 0; over < 2; over++) {
		shake(t);
		ask(t, T0 + S);
		answer(t, T0 + S + 60 * S + over);
		assert_delays(t, true, 20000, 0, over ? 0 : 60000000);
		assert_int_equal(nr_convs(t), 0);
		assert_true(npk_meter_expire_all(t->m[0], 4));
		assert_true(!t->m[1] || npk_meter_expire_all(t->m[1], 4));
	}
}

/* The conversation began before the observer. */
static void test_no_handshake(void **state)
{
	struct talk *t = *state;

	ask(t, T0);
	answer(t, T0 + MS);
	SAY(t, T0 + 2 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 3 * MS, .flags = ACK, .seq = 101, .ack = 501);
	assert_delays(t, true, 0, 0, 0);
	assert_delays(t, false, 0, 0, 0);
	assert_int_equal(nr_convs(t), 0);
}

/* A SYN+ACK by the one who sent the SYN: whoever that is, it is no answer. */
static void test_syn_ack_of_the_same_side(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .flags = SYN | ACK, .seq = 100, .ack = 101);
	assert_delays(t, false, 0, 0, 0);
	SAY(t, T0 + 30 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	assert_delays(t, true, 30000, 0, 0);
	SAY(t, T0 + 40 * MS, .flags = SYN | ACK, .seq = 100, .ack = 501);
	SAY(t, T0 + 70 * MS, .flags = ACK, .seq = 101, .ack = 501);
	assert_delays(t, true, 30000, 0, 0);
	assert_delays(t, false, 0, 40000, 0);
}

/* The SYN+ACK's own side acknowledges: that is no answer either. */
static void test_acknowledgement_of_the_same_side(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .back = true, .flags = SYN, .seq = 7);	/* both open at once */
	SAY(t, T0 + MS, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 50 * MS, .back = true, .flags = ACK, .seq = 501, .ack = 501);
	assert_delays(t, true, 19000, 0, 0);
	assert_delays(t, false, 0, 0, 0);
}

/* Both open at once: an acknowledgement of a SYN that is no SYN+ACK completes nothing. */
static void test_both_open(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .back = true, .flags = SYN, .seq = 7);
	SAY(t, T0 + MS, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .back = true, .flags = ACK, .seq = 8, .ack = 101);
	assert_delays(t, true, 0, 0, 0);
	assert_delays(t, false, 0, 0, 0);
}

/* The client's flow ended in between: the first data still count. */
static void test_flow_ends_before_the_answer(void **state)
{
	struct talk *t = *state;

	shake(t);
	ask(t, T0 + 60 * MS);
	assert_true(npk_meter_expire_all(t->m[0], 4));
	SAY(t, T0 + 5 * S, .flags = ACK, .seq = 141, .ack = 501, .payload = 40);
	answer(t, T0 + 6 * S + 60 * MS);
	assert_int_equal(flow_of(t, true)->appl_delay_us, 6000000);
}

/* The entry made room for others: the flows are left alone from then on. */
static void test_entry_is_gone(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	memset(t->convs->bucket, 0, sizeof(t->convs->bucket));
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 101, .ack = 501);
	answer(t, T0 + 60 * MS);
	assert_delays(t, true, 0, 0, 0);
	assert_delays(t, false, 0, 0, 0);
	assert_int_equal(nr_convs(t), 0);
	assert_int_equal(flow_of(t, false)->state, NPK_FLOW_SEQ | NPK_FLOW_ISN | NPK_FLOW_SPOKE);
	assert_int_equal(flow_of(t, true)->state, NPK_FLOW_SEQ | NPK_FLOW_ISN | NPK_FLOW_SPOKE);
}

/* The same ports again, without an end that was seen. */
static void test_second_connection_on_the_same_flows(void **state)
{
	struct talk *t = *state;

	shake(t);
	ask(t, T0 + 60 * MS);
	answer(t, T0 + 67 * MS);
	SAY(t, T0 + S, .flags = SYN, .seq = 10000);
	assert_int_equal(flow_of(t, false)->rtt, npk_flow_clock(0 * US));
	SAY(t, T0 + S + 2 * MS, .back = true, .flags = SYN | ACK, .seq = 20000, .ack = 10001);
	SAY(t, T0 + S + 5 * MS, .flags = ACK, .seq = 10001, .ack = 20001);
	SAY(t, T0 + S + 6 * MS, .flags = ACK, .seq = 10001, .ack = 20001, .payload = 1);
	SAY(t, T0 + S + 10 * MS, .back = true, .flags = ACK, .seq = 20001, .ack = 10002,
	    .payload = 1);
	assert_delays(t, true, 2000, 0, 4000);
	assert_delays(t, false, 0, 3000, 0);
	assert_int_equal(flow_of(t, false)->rtt, npk_flow_clock(5000 * US));
	assert_int_equal(flow_of(t, true)->rtt, npk_flow_clock(5000 * US));
}

/* 0 says "not measured": what was measured is at least 1, and at most 2^32 - 1. */
static void test_range_of_delays(void **state)
{
	static const uint64_t ns[] = { 0, 999, 1000, 1999, 2000, 60 * S, 60 * S + 1, 9000 * S };
	static const uint32_t us[] = { 1, 1, 1, 1, 2, 60000000, 0, 0 };
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		SAY(t, T0, .flags = SYN, .seq = 100);
		SAY(t, T0 + ns[i], .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
		assert_delays(t, true, us[i], 0, 0);
	}
	/* a clock that went back */
	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 - S, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 - 2 * S, .flags = ACK, .seq = 101, .ack = 501);
	ask(t, T0 - 3 * S);
	answer(t, T0 - 4 * S);
	assert_delays(t, true, 1, 0, 1);
	assert_delays(t, false, 0, 1, 0);
}

static void test_split_does_not_measure_again(void **state)
{
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 2 && t->m[i]; i++)
		t->m[i]->limits.active_ns = 60 * S;
	shake(t);
	ask(t, T0 + 60 * MS);
	answer(t, T0 + 70 * MS);
	for (i = 0; i < 2 && t->m[i]; i++)
		sweep_until(t->m[i], T0 + S, T0 + 80 * S);
	assert_int_equal(flow_of(t, false)->packets, 0);
	assert_delays(t, true, 0, 0, 0);
	assert_delays(t, false, 0, 0, 0);
	SAY(t, T0 + 80 * S, .flags = ACK, .seq = 141, .ack = 1401);
	SAY(t, T0 + 80 * S, .flags = ACK, .seq = 141, .ack = 1401, .payload = 40);
	SAY(t, T0 + 81 * S, .back = true, .flags = ACK, .seq = 1401, .ack = 181, .payload = 9);
	assert_delays(t, true, 0, 0, 0);
	assert_delays(t, false, 0, 0, 0);
	assert_int_equal(nr_convs(t), 0);
	assert_int_equal(flow_of(t, false)->rtt, npk_flow_clock(50000 * US));
	assert_int_equal(flow_of(t, true)->rtt, npk_flow_clock(50000 * US));
}

/* Request in one record, answer in the next: the answer's record has the delay. */
static void test_split_in_the_middle(void **state)
{
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 2 && t->m[i]; i++)
		t->m[i]->limits.active_ns = 20 * S;
	SAY(t, T0, .flags = SYN, .seq = 100);
	for (i = 0; i < 2 && t->m[i]; i++)
		sweep_until(t->m[i], T0, T0 + 30 * S);
	assert_int_equal(flow_of(t, false)->packets, 0);
	SAY(t, T0 + 30 * S, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	SAY(t, T0 + 31 * S, .flags = ACK, .seq = 101, .ack = 501);
	assert_delays(t, false, 0, 1000000, 0);
	ask(t, T0 + 32 * S);
	for (i = 0; i < 2 && t->m[i]; i++)
		sweep_until(t->m[i], T0 + 32 * S, T0 + 58 * S);
	assert_int_equal(flow_of(t, true)->packets, 0);
	SAY(t, T0 + 59 * S, .flags = ACK, .seq = 141, .ack = 501, .payload = 40);
	answer(t, T0 + 60 * S);
	assert_delays(t, true, 0, 0, 28000000);
	assert_delays(t, false, 0, 0, 0);
}

/* Many packets in one count as one request, and as one answer. */
static void test_merged(void **state)
{
	const struct segment request = { .flags = ACK, .seq = 101, .ack = 501, .payload = 4000 };
	const struct segment reply = { .back = true, .flags = ACK, .seq = 501, .ack = 4101,
				       .payload = 3000 };
	struct talk *t = *state;
	struct npk_pkt pkt;
	struct frame f;

	shake(t);
	pkt = segment_pkt(&f, &request, T0 + 60 * MS);
	pkt.gso_size = 1000;
	pkt.segs = 4;
	hear(t, false, &pkt);
	pkt = segment_pkt(&f, &reply, T0 + 90 * MS);
	pkt.gso_size = 1000;
	pkt.segs = 3;
	hear(t, true, &pkt);
	assert_delays(t, true, 20000, 0, 30000);
	assert_int_equal(flow_of(t, true)->packets, 4);
}

/* A datagram of a side; the first octets of @l4 are ports, or ICMP type and code. */
static void datagram(struct talk *t, uint64_t now_ns, bool back, uint8_t proto, uint32_t l4)
{
	struct npk_pkt pkt;
	struct frame f;

	put_eth(&f, t->v6 ? 0x86dd : 0x0800);
	if (t->v6)
		put_ip6(&f, proto, 8);
	else
		put_ip4(&f, proto, 8);
	if (back)
		swap_octets(f.data + (t->v6 ? 22 : 26), f.data + (t->v6 ? 38 : 30), t->v6 ? 16 : 4);
	put32(&f, l4);
	put32(&f, 0);
	pkt = frame_pkt(&f, now_ns);
	hear(t, back, &pkt);
}

#define QUERY	((uint32_t)SEG_CLIENT << 16 | SEG_SERVER)
#define REPLY	((uint32_t)SEG_SERVER << 16 | SEG_CLIENT)

static void test_udp(void **state)
{
	struct talk *t = *state;

	datagram(t, T0, false, NPK_PROTO_UDP, QUERY);
	datagram(t, T0 + 2 * MS, false, NPK_PROTO_UDP, QUERY);	/* the first one counts */
	assert_int_equal(nr_convs(t), 1);
	datagram(t, T0 + 5 * MS, true, NPK_PROTO_UDP, REPLY);
	assert_int_equal(nr_convs(t), 0);
	assert_delays(t, true, 0, 0, 5000);
	datagram(t, T0 + 6 * MS, true, NPK_PROTO_UDP, REPLY);
	datagram(t, T0 + S, false, NPK_PROTO_UDP, QUERY);
	datagram(t, T0 + S + MS, true, NPK_PROTO_UDP, REPLY);
	assert_delays(t, true, 0, 0, 5000);
	assert_delays(t, false, 0, 0, 0);
	assert_int_equal(nr_convs(t), 0);
}

static void test_udp_after_a_minute(void **state)
{
	struct talk *t = *state;

	datagram(t, T0, false, NPK_PROTO_UDP, QUERY);
	datagram(t, T0 + 60 * S + 1, true, NPK_PROTO_UDP, REPLY);
	assert_delays(t, true, 0, 0, 0);
	datagram(t, T0 + 61 * S, false, NPK_PROTO_UDP, QUERY);
	datagram(t, T0 + 62 * S, true, NPK_PROTO_UDP, REPLY);
	assert_delays(t, true, 0, 0, 0);
}

/* One flow ended, another began, the answer's went on: nothing is answered twice. */
static void test_udp_asks_again(void **state)
{
	struct talk *t = *state;

	datagram(t, T0, false, NPK_PROTO_UDP, QUERY);
	assert_true(npk_meter_expire_all(t->m[0], 4));
	datagram(t, T0 + 10 * S, false, NPK_PROTO_UDP, QUERY);
	assert_int_equal(nr_convs(t), 1);
	datagram(t, T0 + 10 * S + 3 * MS, true, NPK_PROTO_UDP, REPLY);
	assert_delays(t, true, 0, 0, 3000);
}

/* A flow that was split goes on: it does not ask again, and answers no other question. */
static void test_udp_split(void **state)
{
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 2 && t->m[i]; i++)
		t->m[i]->limits.active_ns = 20 * S;
	datagram(t, T0, false, NPK_PROTO_UDP, QUERY);
	datagram(t, T0 + 5 * MS, true, NPK_PROTO_UDP, REPLY);
	for (i = 0; i < 2 && t->m[i]; i++)
		sweep_until(t->m[i], T0 + S, T0 + 30 * S);
	assert_int_equal(flow_of(t, false)->packets, 0);
	assert_int_equal(flow_of(t, true)->packets, 0);
	datagram(t, T0 + 31 * S, false, NPK_PROTO_UDP, QUERY);
	assert_int_equal(nr_convs(t), 0);
	datagram(t, T0 + 32 * S, true, NPK_PROTO_UDP, REPLY);
	assert_int_equal(nr_convs(t), 0);
	assert_delays(t, true, 0, 0, 0);
	assert_delays(t, false, 0, 0, 0);
}

/* The records of ICMP have no source port: the answer's is the one with a delay. */
static void test_icmp(void **state)
{
	struct talk *t = *state;
	uint8_t proto = t->v6 ? NPK_PROTO_ICMP6 : NPK_PROTO_ICMP;
	uint16_t echo = t->v6 ? 128 : 8, reply = t->v6 ? 129 : 0;
	uint32_t i, delays = 0;
	const struct npk_rec *rec;

	datagram(t, T0, false, proto, (uint32_t)echo << 24);
	datagram(t, T0 + 4 * MS, true, proto, (uint32_t)reply << 24);
	for (i = 0; i < 2 && t->m[i]; i++)
		assert_true(npk_meter_expire_all(t->m[i], 4));
	for (i = 0; i < 2; i++) {
		rec = t->m[1] ? &t->k[i].rec[0] : &t->k[0].rec[i];
		if (be16_to_cpu(rec->dport) == reply * 256)
			assert_int_equal(rec->appl_delay_us, 4000);
		else
			assert_int_equal(rec->appl_delay_us, 0);
		delays += rec->appl_delay_us;
	}
	assert_int_equal(delays, 4000);
}

static struct npk_pkt side_pkt(bool back, uint64_t now_ns)
{
	struct npk_pkt pkt = { .now_ns = now_ns };

	pkt.key.ip_version = 4;
	pkt.key.proto = NPK_PROTO_UDP;
	pkt.key.addr[back ? 4 : 0] = 1;
	return pkt;
}

/* The packet's side of a conversation with a hash of our choice. */
static struct npk_conv_id conv_id(const struct npk_pkt *pkt, uint64_t hash)
{
	struct npk_secret secret = {};
	struct npk_conv_id id = npk_key_conv(&pkt->key, &secret);

	id.hash = hash;
	return id;
}

static void start_conv(struct npk_convs *c, uint64_t id, uint64_t now_ns)
{
	struct npk_pkt pkt = side_pkt(false, now_ns);
	struct npk_flow flow = {};

	npk_convs_follow(c, &flow, &pkt, conv_id(&pkt, id), 60 * S);
	assert_true(flow.state & NPK_FLOW_SPOKE);
}

static uint32_t end_conv(struct npk_convs *c, uint64_t id, uint64_t now_ns)
{
	struct npk_pkt pkt = side_pkt(true, now_ns);
	struct npk_flow flow = {};

	npk_convs_follow(c, &flow, &pkt, conv_id(&pkt, id), 60 * S);
	return flow.appl_delay_us;
}

/* Found by review: an error was the answer to a ping, and the peer's ping one to an error. */
static void test_icmp_errors_do_not_answer(void **state)
{
	struct talk *t = *state;
	uint8_t proto = t->v6 ? NPK_PROTO_ICMP6 : NPK_PROTO_ICMP;
	uint16_t echo = t->v6 ? 128 : 8, reply = t->v6 ? 129 : 0, unreachable = t->v6 ? 1 : 3;
	uint32_t i, n, delays = 0;

	datagram(t, T0, true, proto, (uint32_t)unreachable << 24);
	assert_int_equal(nr_convs(t), 0);
	datagram(t, T0 + S, false, proto, (uint32_t)echo << 24);
	datagram(t, T0 + S + 2 * MS, true, proto, (uint32_t)unreachable << 24 | 1 << 16);
	assert_int_equal(nr_convs(t), 1);
	datagram(t, T0 + S + 4 * MS, true, proto, (uint32_t)reply << 24);
	assert_int_equal(nr_convs(t), 0);
	for (i = 0; i < 2 && t->m[i]; i++) {
		assert_true(npk_meter_expire_all(t->m[i], 4));
		for (n = 0; n < t->k[i].nr; n++)
			delays += t->k[i].rec[n].appl_delay_us;
	}
	assert_int_equal(delays, 4000);
}

/* Found by review: a later flow of a side that had answered long ago "answered" again. */
static void test_udp_answer_within_the_idle_timeout(void **state)
{
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 2 && t->m[i]; i++)
		t->m[i]->limits.idle_ns = 15 * S;
	datagram(t, T0, false, NPK_PROTO_UDP, QUERY);
	datagram(t, T0 + 15 * S + 1, true, NPK_PROTO_UDP, REPLY);
	assert_delays(t, true, 0, 0, 0);
}

/* Found by review: the acknowledgement of a SYN+ACK with data (RFC 7413) was not known. */
static void test_syn_ack_with_data(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101,
	    .payload = 9);
	SAY(t, T0 + 50 * MS, .flags = ACK, .seq = 101, .ack = 510);
	assert_delays(t, true, 20000, 0, 0);
	assert_delays(t, false, 0, 30000, 0);
}

/* Found by review: a scan with datagrams pushed every handshake out. */
static void test_scan_leaves_handshakes_alone(void **state)
{
	struct talk *t = *state;
	struct npk_pkt syn = side_pkt(false, T0);
	struct npk_flow flow = {};
	uint64_t i;

	syn.has_tcp = true;
	syn.tcp_flags = SYN;
	assert_false(npk_convs_follow(t->convs, &flow, &syn, conv_id(&syn, 1ULL << 33), 60 * S));
	for (i = 2; i < 100; i++)
		start_conv(t->convs, i << 33, T0 + i * MS);
	assert_int_equal(nr_convs(t), 4);
	assert_int_equal(t->convs->bucket[0][3].shaken + t->convs->bucket[0][2].shaken +
			 t->convs->bucket[0][1].shaken + t->convs->bucket[0][0].shaken, 1);
	/* four more: one of them has to make room for another of them, and that is said */
	for (i = 100; i < 103; i++)
		assert_false(npk_convs_follow(t->convs, &flow, &syn, conv_id(&syn, i << 33),
					      60 * S));
	assert_true(npk_convs_follow(t->convs, &flow, &syn, conv_id(&syn, i << 33), 60 * S));
	/* a minute later they are as good as anything */
	start_conv(t->convs, 200ULL << 33, T0 + 62 * S);
	assert_int_equal(nr_convs(t), 4);
}

static void test_other_protocols(void **state)
{
	static const uint8_t proto[] = { NPK_PROTO_SCTP, NPK_PROTO_UDPLITE, NPK_PROTO_DCCP };
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		datagram(t, T0, false, proto[i], QUERY);
		datagram(t, T0 + MS, true, proto[i], REPLY);
		assert_delays(t, true, 0, 0, 0);
		assert_int_equal(nr_convs(t), 0);
	}
}

/* Fragments of TCP are not followed. */
static void test_fragments_of_tcp(void **state)
{
	struct talk *t = *state;

	SAY(t, T0, .flags = SYN, .seq = 100, .ip_frag = 0x2000);
	assert_int_equal(nr_convs(t), 0);
	SAY(t, T0 + 20 * MS, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	assert_delays(t, true, 0, 0, 0);
}

static void to_self(struct talk *t, uint64_t now_ns, const struct segment *s, uint16_t port)
{
	struct npk_pkt pkt = {};
	struct frame f;

	put_segment(&f, s);
	memcpy(f.data + 26, "\x7f\0\0\1\x7f\0\0\1", 8);
	if (port)
		memcpy(f.data + 34, (uint8_t[]){ port >> 8, port, port >> 8, port }, 4);
	pkt = frame_pkt(&f, now_ns);
	pkt.wire_len += s->payload;
	hear(t, s->back, &pkt);
}

#define TO_SELF(t, now_ns, port, ...) \
	to_self(t, now_ns, &(struct segment){ __VA_ARGS__ }, port)

/* Both sides have the same address: the ports tell them apart. */
static void test_one_address(void **state)
{
	struct talk *t = *state;

	TO_SELF(t, T0, 0, .flags = SYN, .seq = 100);
	TO_SELF(t, T0 + 20 * MS, 0, .back = true, .flags = SYN | ACK, .seq = 500, .ack = 101);
	TO_SELF(t, T0 + 50 * MS, 0, .flags = ACK, .seq = 101, .ack = 501);
	TO_SELF(t, T0 + 60 * MS, 0, .flags = ACK, .seq = 101, .ack = 501, .payload = 40);
	TO_SELF(t, T0 + 70 * MS, 0, .back = true, .flags = ACK, .seq = 501, .ack = 141,
		.payload = 40);
	assert_delays(t, true, 20000, 0, 10000);
	assert_delays(t, false, 0, 30000, 0);
}

/* One socket connected to itself (both open at once): one flow, no delays. */
static void test_nothing_tells_them_apart(void **state)
{
	struct talk *t = *state;

	TO_SELF(t, T0, SEG_CLIENT, .flags = SYN, .seq = 100);
	TO_SELF(t, T0 + MS, SEG_CLIENT, .flags = SYN | ACK, .seq = 100, .ack = 101);
	TO_SELF(t, T0 + 2 * MS, SEG_CLIENT, .flags = ACK, .seq = 101, .ack = 101);
	TO_SELF(t, T0 + 3 * MS, SEG_CLIENT, .flags = ACK, .seq = 101, .ack = 101, .payload = 5);
	TO_SELF(t, T0 + 4 * MS, SEG_CLIENT, .flags = ACK, .seq = 106, .ack = 106, .payload = 5);
	assert_delays(t, false, 0, 0, 0);
}

/* Which packets have to be looked at: few. */
static void test_what_matters(void **state)
{
	struct npk_flow flow = {};
	struct npk_pkt pkt = { .has_tcp = true, .tcp_flags = ACK };

	(void)state;
	pkt.key.proto = NPK_PROTO_TCP;
	assert_false(npk_conv_matters(&flow, &pkt));
	flow.state = NPK_FLOW_SHAKES;
	assert_true(npk_conv_matters(&flow, &pkt));
	flow.state = NPK_FLOW_SEQ | NPK_FLOW_HELD;
	pkt.payload = 1;
	assert_true(npk_conv_matters(&flow, &pkt));
	flow.state = NPK_FLOW_SPOKE;
	assert_false(npk_conv_matters(&flow, &pkt));
	pkt.tcp_flags = SYN;
	assert_true(npk_conv_matters(&flow, &pkt));
	pkt.has_tcp = false;	/* a fragment */
	flow.state = 0;
	assert_false(npk_conv_matters(&flow, &pkt));
	pkt.key.proto = NPK_PROTO_UDP;
	assert_true(npk_conv_matters(&flow, &pkt));
	flow.state = NPK_FLOW_SPOKE;
	assert_false(npk_conv_matters(&flow, &pkt));
}

/* Only bits 20 to 32 of the hash choose the bucket. */
static uint64_t id_in_one_bucket(unsigned int i)
{
	return 0x5a5ULL << 20 | (uint64_t)(i + 1) << 33 | 1;
}

/* Without a handshake any other makes room, but never two, nor the newest. */
static void test_one_makes_room(void **state)
{
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 4; i++)
		start_conv(t->convs, id_in_one_bucket(i), T0);
	for (i = 0; i < 4; i++)
		assert_true(t->convs->bucket[0x5a5][i].id);
	for (i = 4; i < 20; i++) {
		start_conv(t->convs, id_in_one_bucket(i), T0 + i * MS);
		assert_int_equal(nr_convs(t), 4);
	}
	assert_int_equal(end_conv(t->convs, id_in_one_bucket(19), T0 + 20 * MS), 1000);
	assert_int_equal(nr_convs(t), 3);
}

/* Of handshakes the oldest makes room. */
static void test_oldest_handshake_makes_room(void **state)
{
	struct npk_conv_id id;
	static const unsigned int at[] = { 3, 1, 4, 2, 5, 6 };	/* tenths of a second */
	struct talk *t = *state;
	struct npk_flow flow = {};
	struct npk_pkt syn;
	unsigned int i, n, found = 0;

	for (i = 0; i < 6; i++) {
		syn = side_pkt(false, T0 + at[i] * 100 * MS);
		syn.has_tcp = true;
		syn.tcp_flags = SYN;
		id = conv_id(&syn, id_in_one_bucket(i));
		assert_int_equal(npk_convs_follow(t->convs, &flow, &syn, id, S), i >= 4);
	}
	assert_int_equal(nr_convs(t), 4);
	for (i = 0; i < 6; i++) {
		for (n = 0; n < 4; n++)
			found |= (t->convs->bucket[0x5a5][n].id == id_in_one_bucket(i)) << i;
	}
	assert_int_equal(found, 1 << 0 | 1 << 2 | 1 << 4 | 1 << 5);	/* not 0.1 and 0.2 s */
}

/* One that is there already pushes none out; a neighbour in another bucket neither. */
static void test_again_in_a_full_bucket(void **state)
{
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 16; i++)
		start_conv(t->convs, (uint64_t)(i % 4 + 1) << 33, T0 + i * S);
	for (i = 0; i < 8; i++)
		start_conv(t->convs, (uint64_t)(i + 1) << 20 | 1, T0 + 16 * S);
	assert_int_equal(nr_convs(t), 12);
	for (i = 0; i < 4; i++)
		assert_int_equal(end_conv(t->convs, (uint64_t)(i + 1) << 33, T0 + 16 * S),
				 (4 - i) * 1000000);
}

/* An entry that is done with makes room before any other, however young it is. */
static void test_free_entry_before_the_oldest(void **state)
{
	struct talk *t = *state;
	unsigned int i;

	for (i = 0; i < 4; i++)
		start_conv(t->convs, (uint64_t)(i + 1) << 33, T0 + i * S);
	assert_int_equal(end_conv(t->convs, 4ULL << 33, T0 + 4 * S), 1000000);
	start_conv(t->convs, 5ULL << 33, T0 + 5 * S);
	assert_int_equal(nr_convs(t), 4);
	for (i = 0; i < 3; i++)
		assert_int_equal(end_conv(t->convs, (uint64_t)(i + 1) << 33, T0 + 6 * S),
				 (6 - i) * 1000000);
	assert_int_equal(end_conv(t->convs, 5ULL << 33, T0 + 6 * S), 1000000);
}

/* A hash of 0 is as good as any other. */
static void test_hash_of_zero(void **state)
{
	struct talk *t = *state;

	start_conv(t->convs, 0, T0);
	assert_int_equal(nr_convs(t), 1);
	assert_int_equal(end_conv(t->convs, 0, T0 + 8 * MS), 8000);
	assert_int_equal(nr_convs(t), 0);
}

static void test_sides(void **state)
{
	static const uint8_t proto[] = { NPK_PROTO_TCP, NPK_PROTO_UDP, NPK_PROTO_SCTP,
					 NPK_PROTO_ICMP };
	struct npk_secret secret = {};
	struct npk_key key = {}, back;
	unsigned int i, j, alen, ones = 0;
	uint64_t seed = 9;
	uint8_t side;

	(void)state;
	for (i = 0; i < 4000; i++) {
		key.ip_version = i & 1 ? 6 : 4;
		alen = i & 1 ? 16 : 4;
		key.proto = proto[i / 2 % 4];
		memset(key.addr, 0, sizeof(key.addr));
		for (j = 0; j < 2 * alen; j++)
			key.addr[j] = (uint8_t)(test_random(&seed) >> 32);
		if (i % 3 == 0 && key.proto != NPK_PROTO_ICMP)	/* one address, two ports */
			memcpy(key.addr + alen, key.addr, alen);
		else if (i % 3 == 1)	/* addresses differ in the last octet only */
			memcpy(key.addr + alen, key.addr, alen - 1);
		key.addr[alen] ^= key.proto == NPK_PROTO_ICMP;
		key.sport = (uint16_t)test_random(&seed);
		key.dport = (uint16_t)(key.sport + 1 + i);
		back = key;
		swap_octets(back.addr, back.addr + alen, alen);
		back.sport = key.dport;
		back.dport = key.sport;
		if (!memcmp(back.addr, key.addr, alen) && key.sport == key.dport)
			continue;
		side = npk_key_conv(&key, &secret).side;
		assert_true(side <= 1);
		assert_int_equal(side ^ npk_key_conv(&back, &secret).side, 1);
		ones += side;
	}
	assert_in_range(ones, 1000, 3000);
}

#define TALK(test, make)	cmocka_unit_test_setup_teardown(test, make, free_talk)
#define EVERY(test)		TALK(test, one_meter), TALK(test, two_meters), \
				TALK(test, two_meters_ip6)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVERY(test_delays_are_in_the_right_records),
		TALK(test_nothing_without_a_table, one_meter),
		EVERY(test_round_trip),
		EVERY(test_syn_again),
		EVERY(test_syn_again_after_syn_ack),
		EVERY(test_syn_ack_again),
		EVERY(test_same_initial_numbers),
		EVERY(test_syn_ack_of_another_sequence),
		EVERY(test_wrong_acknowledgement_of_syn),
		EVERY(test_wrong_acknowledgement_of_syn_ack),
		EVERY(test_sequence_wraps),
		EVERY(test_syn_with_data),
		EVERY(test_data_of_syn_are_no_request),
		EVERY(test_answer_before_the_acknowledgement),
		EVERY(test_reset),
		EVERY(test_no_acknowledgement),
		EVERY(test_acknowledgement_with_data),
		EVERY(test_first_data_count),
		EVERY(test_server_speaks_first),
		EVERY(test_answer_after_a_minute),
		EVERY(test_no_handshake),
		EVERY(test_syn_ack_of_the_same_side),
		EVERY(test_acknowledgement_of_the_same_side),
		EVERY(test_both_open),
		EVERY(test_flow_ends_before_the_answer),
		EVERY(test_entry_is_gone),
		EVERY(test_second_connection_on_the_same_flows),
		EVERY(test_range_of_delays),
		EVERY(test_split_does_not_measure_again),
		EVERY(test_split_in_the_middle),
		TALK(test_merged, one_meter),
		TALK(test_merged, two_meters),
		EVERY(test_udp),
		EVERY(test_udp_after_a_minute),
		EVERY(test_udp_asks_again),
		EVERY(test_udp_split),
		EVERY(test_icmp),
		EVERY(test_icmp_errors_do_not_answer),
		EVERY(test_udp_answer_within_the_idle_timeout),
		EVERY(test_syn_ack_with_data),
		TALK(test_scan_leaves_handshakes_alone, one_meter),
		EVERY(test_other_protocols),
		TALK(test_fragments_of_tcp, one_meter),
		TALK(test_one_address, one_meter),
		TALK(test_one_address, two_meters),
		TALK(test_nothing_tells_them_apart, one_meter),
		cmocka_unit_test(test_what_matters),
		TALK(test_one_makes_room, one_meter),
		TALK(test_oldest_handshake_makes_room, one_meter),
		TALK(test_again_in_a_full_bucket, one_meter),
		TALK(test_free_entry_before_the_oldest, one_meter),
		TALK(test_hash_of_zero, one_meter),
		cmocka_unit_test(test_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
