// SPDX-License-Identifier: GPL-2.0-only
/* Flows that outlive their records, and how late records are made. */
#include "test.h"

#include "frame.h"
#include "shard.h"

#define T0	(1000 * S)

/* A packet every second from @from_ns on, with a sweep after it, until @to_ns. */
static void chatter(struct npk_meter *m, uint64_t from_ns, uint64_t to_ns)
{
	for (; from_ns < to_ns; from_ns += S) {
		send_udp(m, 1, from_ns);
		sweep(m, from_ns);
	}
}

/* A meter with a flow of port 1 that was split: packets at T0 to T0 + 59 s. */
static struct npk_meter *make_split(struct sink *k)
{
	struct npk_meter *m = make_meter(4, k);

	sweep(m, T0);
	chatter(m, T0, T0 + 60 * S);
	assert_int_equal(k->nr, 0);
	sweep_until(m, T0 + 60 * S, T0 + 64 * S);
	assert_int_equal(k->nr, 1);
	assert_int_equal(k->last.end_reason, NPK_END_ACTIVE);
	assert_int_equal(k->last.packets, 60);
	return m;
}

static uint64_t sum_of_late(const struct npk_meter *m)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < NPK_LATE_CLASSES; i++)
		sum += m->count.late[i];
	return sum;
}

static void test_split_flow_stays(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_split(&k);
	assert_int_equal(m->table.nr_flows, 1);
	assert_int_equal(npk_meter_flows(m), 0);
	assert_int_equal(m->count.split, 1);
	assert_int_equal(m->count.live.packets, 0);
	assert_int_equal(m->count.live.octets, 0);
	assert_int_equal(k.last.first_ns, T0);
	assert_int_equal(k.last.last_ns, T0 + 59 * S);
	assert_int_equal(k.last.octets, 60 * 28);
	check_sums(m, &k);
	free_meter(m);
}

static void test_split_flow_goes_on(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_split(&k);
	send_udp(m, 1, T0 + 65 * S);
	assert_int_equal(npk_meter_flows(m), 1);
	assert_int_equal(m->table.nr_flows, 1);
	assert_int_equal(m->count.split, 0);
	check_sums(m, &k);
	/* the active timeout counts from the record's own first packet */
	chatter(m, T0 + 66 * S, T0 + 125 * S);
	assert_int_equal(k.nr, 1);
	sweep_until(m, T0 + 125 * S, T0 + 129 * S);
	assert_int_equal(k.nr, 2);
	assert_int_equal(k.last.end_reason, NPK_END_ACTIVE);
	assert_int_equal(k.last.first_ns, T0 + 65 * S);
	assert_int_equal(k.last.last_ns, T0 + 124 * S);
	assert_int_equal(k.last.packets, 60);
	assert_int_equal(m->count.split, 1);
	send_udp(m, 1, T0 + 130 * S);
	sweep_until(m, T0 + 130 * S, T0 + 150 * S);
	assert_int_equal(k.nr, 3);
	assert_int_equal(k.last.end_reason, NPK_END_IDLE);
	assert_int_equal(k.last.packets, 1);
	assert_int_equal(k.sum.packets, 121);
	assert_int_equal(m->table.nr_flows, 0);
	check_sums(m, &k);
	free_meter(m);
}

/* Silence of the idle timeout since its last packet: it goes, without a record. */
static void test_split_flow_idles_out(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_split(&k);
	k.room = 0;	/* none is needed */
	sweep_until(m, T0 + 64 * S, T0 + 74 * S - 10 * MS);
	assert_int_equal(m->table.nr_flows, 1);
	sweep_until(m, T0 + 74 * S, T0 + 74 * S + 15 * S / 4);
	assert_int_equal(m->table.nr_flows, 0);
	assert_int_equal(m->count.split, 0);
	assert_int_equal(npk_meter_flows(m), 0);
	assert_int_equal(k.nr, 1);
	assert_int_equal(m->count.held, 0);
	assert_int_equal(sum_of_late(m), 1);	/* that of the active timeout */
	check_sums(m, &k);
	free_meter(m);
}

/* A packet after the idle timeout, before a sweep: another flow at the same place. */
static void test_packet_after_a_split_flow_idled(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_split(&k);
	send_udp(m, 1, T0 + 74 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(m->count.split, 0);
	assert_int_equal(m->table.nr_flows, 1);
	assert_int_equal(npk_meter_flows(m), 1);
	check_sums(m, &k);
	sweep_until(m, T0 + 74 * S, T0 + 95 * S);
	assert_int_equal(k.nr, 2);
	assert_int_equal(k.last.packets, 1);
	assert_int_equal(k.last.first_ns, T0 + 74 * S);
	check_sums(m, &k);
	free_meter(m);
}

/* One bucket full of flows that were split: they make room, and nothing is early. */
static void test_split_flows_make_room(void **state)
{
	struct npk_meter *m;
	struct sink k;
	uint16_t i;

	(void)state;
	m = make_meter(1, &k);
	m->limits.active_ns = 5 * S;
	sweep(m, T0);
	for (i = 0; i < NPK_WAYS; i++)
		send_udp(m, i, T0);
	sweep_until(m, T0, T0 + 7 * S);
	assert_int_equal(k.nr, NPK_WAYS);
	assert_int_equal(m->count.split, NPK_WAYS);
	assert_int_equal(npk_meter_flows(m), 0);
	for (i = 0; i < NPK_WAYS; i++) {
		send_udp(m, 100 + i, T0 + 7 * S);	/* twice: no longer the least useful */
		send_udp(m, 100 + i, T0 + 7 * S);
		assert_int_equal(m->count.split, NPK_WAYS - 1 - i);
		assert_int_equal(npk_meter_flows(m), i + 1);
		check_sums(m, &k);
	}
	assert_int_equal(m->count.early, 0);
	assert_int_equal(k.nr, NPK_WAYS);
	send_udp(m, 200, T0 + 7 * S);
	assert_int_equal(m->count.early, 1);
	assert_int_equal(k.nr, NPK_WAYS + 1);
	assert_int_equal(k.last.end_reason, NPK_END_RESOURCES);
	check_sums(m, &k);
	free_meter(m);
}

/* Found by review: busy flows that were split stayed, and live ones left early. */
static void test_busy_split_flows_make_room(void **state)
{
	struct npk_meter *m;
	struct sink k;
	uint16_t i;

	(void)state;
	m = make_meter(1, &k);
	m->limits.active_ns = 5 * S;
	sweep(m, T0);
	for (i = 0; i < NPK_WAYS - 1; i++) {
		send_udp(m, i, T0);
		send_udp(m, i, T0);
	}
	sweep_until(m, T0, T0 + 7 * S);
	assert_int_equal(m->count.split, NPK_WAYS - 1);
	send_udp(m, 100, T0 + 7 * S);
	send_udp(m, 100, T0 + 7 * S);
	for (i = 1; i < NPK_WAYS; i++) {
		send_udp(m, 100 + i, T0 + 7 * S);
		send_udp(m, 100 + i, T0 + 7 * S);
	}
	assert_int_equal(m->count.early, 0);
	assert_int_equal(m->count.split, 0);
	assert_int_equal(npk_meter_flows(m), NPK_WAYS);
	check_sums(m, &k);
	free_meter(m);
}

/* Found by review: a FIN just before the active timeout ends the flow, it does not split it. */
static void test_end_just_before_active(void **state)
{
	struct npk_meter *m;
	struct sink k;
	unsigned int i;

	(void)state;
	m = make_meter(1, &k);
	m->limits.active_ns = 10 * S;
	sweep(m, T0);
	for (i = 0; i < 10; i++)
		send_tcp(m, 1, NPK_TCP_ACK, T0 + i * S);
	send_tcp(m, 1, NPK_TCP_FIN | NPK_TCP_ACK, T0 + 9500 * MS);
	sweep_until(m, T0 + 9500 * MS, T0 + 20 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.end_reason, NPK_END_FLOW);
	assert_int_equal(m->table.nr_flows, 0);
	free_meter(m);
}

static void test_flush_of_a_split_flow(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_split(&k);
	k.room = 0;
	npk_meter_flush(m, T0 + 64 * S, 0);
	sweep(m, T0 + 64 * S);
	assert_int_equal(m->table.nr_flows, 0);
	assert_int_equal(m->count.split, 0);
	assert_int_equal(k.nr, 1);
	check_sums(m, &k);
	free_meter(m);
}

static void test_expire_all_of_a_split_flow(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_split(&k);
	send_udp(m, 2, T0 + 64 * S);
	assert_true(npk_meter_expire_all(m, 8));
	assert_int_equal(m->table.nr_flows, 0);
	assert_int_equal(m->count.split, 0);
	assert_int_equal(k.nr, 2);	/* that of the other flow */
	assert_int_equal(be16_to_cpu(k.last.sport), 2);
	check_sums(m, &k);
	free_meter(m);
	m = make_split(&k);
	k.room = 0;
	assert_true(npk_meter_expire_all(m, 8));
	assert_int_equal(k.nr, 1);
	check_sums(m, &k);
	free_meter(m);
}

/* A SYN on a flow that was split begins its next record, whatever ended before. */
static void test_syn_on_a_split_flow(void **state)
{
	static const uint16_t end[] = { NPK_TCP_ACK, NPK_TCP_FIN | NPK_TCP_ACK, NPK_TCP_RST };
	struct npk_meter *m;
	struct sink k;
	unsigned int i;
	uint64_t t;

	(void)state;
	for (i = 0; i < 3; i++) {
		m = make_meter(4, &k);
		sweep(m, T0);
		for (t = T0; t < T0 + 59 * S; t += S) {
			send_tcp(m, 1, NPK_TCP_ACK, t);
			sweep(m, t);
		}
		send_tcp(m, 1, end[i], T0 + 59 * S);	/* due before the two seconds are over */
		sweep_until(m, T0 + 59 * S, T0 + 64 * S);
		assert_int_equal(k.nr, 1);
		assert_int_equal(k.last.packets, 60);
		assert_int_equal(k.last.tcp_flags, end[i] | NPK_TCP_ACK);
		send_tcp(m, 1, NPK_TCP_SYN, T0 + 64 * S);
		assert_int_equal(k.nr, 1);
		assert_int_equal(m->table.nr_flows, 1);
		assert_int_equal(npk_meter_flows(m), 1);
		check_sums(m, &k);
		assert_true(npk_meter_expire_all(m, 8));
		assert_int_equal(k.nr, 2);
		assert_int_equal(k.last.packets, 1);
		assert_int_equal(k.last.tcp_flags, NPK_TCP_SYN);
		assert_int_equal(k.last.tcp_flags_first, NPK_TCP_SYN);
		assert_int_equal(k.last.syn.flags, NPK_SYN_SEEN);
		check_sums(m, &k);
		free_meter(m);
	}
}

/* Numbers known from the record before: what was sent again is known as such. */
static void test_sequence_survives_the_split(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;
	unsigned int i;

	(void)state;
	m = make_meter(4, &k);
	m->limits.active_ns = 5 * S;
	sweep(m, T0);
	for (i = 0; i < 2; i++) {
		put_eth(&f, 0x0800);
		put_ip4(&f, NPK_PROTO_TCP, 20 + 100);
		put_tcp(&f, 1, 2, NPK_TCP_ACK);
		f.len += 100;
		pkt = frame_pkt(&f, T0 + i * 10 * S);
		npk_meter_packet(m, &pkt);
		sweep_until(m, T0 + i * 10 * S, T0 + (8 + i * 10) * S);
	}
	assert_int_equal(k.nr, 2);
	assert_int_equal(k.rec[0].retransmitted, 0);
	assert_int_equal(k.rec[1].retransmitted, 1);
	free_meter(m);
}

/* Without room at its time the record goes on, and the flow is split when there is some. */
static void test_split_waits_for_room(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(4, &k);
	k.room = 0;
	sweep(m, T0);
	chatter(m, T0, T0 + 100 * S);
	assert_int_equal(k.nr, 0);
	assert_int_equal(m->count.split, 0);
	assert_int_equal(npk_meter_flows(m), 1);
	k.room = 1;
	sweep_until(m, T0 + 100 * S, T0 + 104 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.packets, 100);
	assert_int_equal(k.last.end_reason, NPK_END_ACTIVE);
	assert_int_equal(m->count.split, 1);
	assert_int_equal(m->count.held, 1);
	assert_int_equal(sum_of_late(m), 0);
	check_sums(m, &k);
	/* the next record had to wait for nothing */
	k.room = ~0ULL;
	send_udp(m, 1, T0 + 105 * S);
	sweep_until(m, T0 + 105 * S, T0 + 125 * S);
	assert_int_equal(k.nr, 2);
	assert_int_equal(m->count.held, 1);
	assert_int_equal(sum_of_late(m), 1);
	free_meter(m);
}

/* A SYN after the end says that it was the end, whichever timeout would have come first. */
static void test_reason_of_a_restart(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(4, &k);
	m->limits.active_ns = 5 * S;
	send_tcp(m, 1, NPK_TCP_ACK, T0);
	send_tcp(m, 1, NPK_TCP_FIN, T0 + 4 * S);
	send_tcp(m, 1, NPK_TCP_SYN, T0 + 5 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.end_reason, NPK_END_FLOW);
	assert_int_equal(m->count.split, 0);
	check_sums(m, &k);
	free_meter(m);
}

/* What began anew is a flow with one packet, and the least useful in a full bucket. */
static void test_restarted_flow_is_new(void **state)
{
	struct npk_meter *m;
	struct sink k;
	uint16_t i;

	(void)state;
	m = make_meter(1, &k);
	send_tcp(m, 1, NPK_TCP_ACK, T0);
	send_tcp(m, 1, NPK_TCP_RST, T0);
	for (i = 2; i <= NPK_WAYS; i++) {
		send_udp(m, i, T0);
		send_udp(m, i, T0);
	}
	send_tcp(m, 1, NPK_TCP_SYN, T0 + S);
	assert_int_equal(k.nr, 1);
	send_udp(m, 100, T0 + S);
	assert_int_equal(k.nr, 2);
	assert_int_equal(k.last.proto, NPK_PROTO_TCP);
	assert_int_equal(k.last.tcp_flags, NPK_TCP_SYN);
	assert_int_equal(m->count.early, 1);
	free_meter(m);
}

/* An idle timeout shorter than the silence after a FIN is the one that counts. */
static void test_end_and_short_idle(void **state)
{
	static const uint64_t idle[] = { 2 * S, 2 * S - 1 };
	static const uint8_t reason[] = { NPK_END_FLOW, NPK_END_IDLE };
	struct npk_meter *m;
	struct sink k;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		m = make_meter(1, &k);
		m->limits.idle_ns = idle[i];
		sweep(m, T0);
		send_tcp(m, 1, NPK_TCP_FIN, T0);
		sweep_until(m, T0, T0 + 3 * S);
		assert_int_equal(k.nr, 1);
		assert_int_equal(k.last.end_reason, reason[i]);
		free_meter(m);
	}
}

/* The idle timeout is the shorter one: what is due for both reasons leaves the table. */
static void test_idle_before_active(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(4, &k);
	m->limits.active_ns = 15 * S;
	sweep(m, T0);
	send_udp(m, 1, T0);
	sweep_until(m, T0, T0 + 19 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.end_reason, NPK_END_IDLE);
	assert_int_equal(m->table.nr_flows, 0);
	assert_int_equal(m->count.split, 0);
	free_meter(m);
}

static void test_late_classes(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(npk_late_class(0), 0);
	assert_int_equal(npk_late_class(MS - 1), 0);
	for (i = 0; i < NPK_LATE_CLASSES - 1; i++) {	/* class i: below 2^i ms */
		assert_int_equal(npk_late_class((MS << i) - 1), i);
		assert_int_equal(npk_late_class(MS << i), i + 1);
	}
	for (; i < 40; i++)
		assert_int_equal(npk_late_class(MS << i), NPK_LATE_CLASSES - 1);
	assert_int_equal(npk_late_class(~0ULL), NPK_LATE_CLASSES - 1);
}

/* How late a sweep was: class and maximum. */
static void test_late_sweep(void **state)
{
	static const uint64_t late[] = { 200 * MS, 1000 * MS, 300 * MS, 20 * S, 4 * S };
	static const unsigned int class[] = { 8, 10, 9, 15, 12 };
	static const uint64_t max[] = { 200 * MS, 1000 * MS, 1000 * MS, 20 * S, 20 * S };
	uint64_t t = T0;
	struct npk_meter *m;
	struct sink k;
	unsigned int i;

	(void)state;
	m = make_meter(1, &k);
	for (i = 0; i < 5; i++) {
		sweep(m, t);
		send_udp(m, 1, t);
		sweep(m, t + 12 * S);
		assert_int_equal(k.nr, i);
		sweep(m, t + 15 * S + late[i]);
		assert_int_equal(k.nr, i + 1);
		assert_int_equal(m->count.late[class[i]], 1);
		assert_int_equal(m->count.late_max_ns, max[i]);
		assert_int_equal(sum_of_late(m), i + 1);
		t += 100 * S;
	}
	assert_int_equal(m->count.held, 0);
	free_meter(m);
}

/* Swept as often as it asks for, no record is later than a quarter of its timeout. */
static void test_late_by_a_quarter_at_most(void **state)
{
	static const unsigned int idle[] = { 1, 2, 3, 4, 5, 15, 60 };
	uint64_t t, next, end, seed = 7;
	struct npk_meter *m;
	struct sink k;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		m = make_meter(64, &k);
		m->limits.idle_ns = idle[i] * S;
		t = T0;
		next = T0;
		sweep(m, t);
		for (end = t + 100 * idle[i] * S; t < end; t += test_random(&seed) % (40 * MS)) {
			for (; next <= t; next += npk_meter_step_ns(m))
				npk_meter_sweep(m, next, NPK_SWEEP_ALL);
			send_udp(m, (uint16_t)(test_random(&seed) % 400), t);
		}
		assert_true(sum_of_late(m) > 0);
		assert_in_range(m->count.late_max_ns, 0, idle[i] * S / 4);
		free_meter(m);
	}
}

/* So little done in each call that a round takes longer than deadlines can be told apart. */
static void test_late_by_a_round_of_any_length(void **state)
{
	struct npk_meter *m;
	struct sink k;
	uint64_t t;
	unsigned int i;

	(void)state;
	m = make_meter(300, &k);
	for (i = 0; i < 2000; i++)
		send_udp(m, (uint16_t)i, T0);
	for (t = T0; m->table.nr_flows && t < T0 + 1000 * S; t += S)
		npk_meter_sweep(m, t, 1);	/* 300 s a round */
	assert_int_equal(k.nr, 2000);
	assert_in_range(m->count.late_max_ns, 0, 310 * S);
	free_meter(m);
}

/* The active timeout and a FIN have times of their own. */
static void test_late_for_other_reasons(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(1, &k);
	m->limits.active_ns = 5 * S;
	sweep(m, T0);
	send_udp(m, 1, T0);
	sweep(m, T0 + 6 * S);
	assert_int_equal(k.reasons[NPK_END_ACTIVE], 1);
	assert_int_equal(m->count.late_max_ns, S);
	send_tcp(m, 1, NPK_TCP_FIN, T0 + 6 * S);
	sweep(m, T0 + 10 * S);
	assert_int_equal(k.reasons[NPK_END_FLOW], 1);
	assert_int_equal(m->count.late_max_ns, 2 * S);
	assert_int_equal(m->count.late[10], 1);
	assert_int_equal(m->count.late[11], 1);
	assert_int_equal(sum_of_late(m), 2);
	free_meter(m);
}

/* A packet that finds its flow's record over makes it, and may be late, or early. */
static void test_late_restart(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(1, &k);
	send_udp(m, 1, T0);
	send_udp(m, 1, T0 + 17 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(m->count.late[11], 1);
	assert_int_equal(m->count.late_max_ns, 2 * S);
	send_tcp(m, 1, NPK_TCP_RST, T0 + 17 * S);
	send_tcp(m, 1, NPK_TCP_SYN, T0 + 18 * S);	/* before its two seconds were over */
	assert_int_equal(k.nr, 2);
	assert_int_equal(k.last.end_reason, NPK_END_FLOW);
	assert_int_equal(m->count.late[0], 1);
	assert_int_equal(m->count.late_max_ns, 2 * S);
	assert_int_equal(sum_of_late(m), 2);
	free_meter(m);
}

static void test_held(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(1, &k);
	sweep(m, T0);
	send_udp(m, 1, T0);
	send_udp(m, 2, T0);
	send_udp(m, 3, T0 + 14 * S);
	k.room = 0;
	sweep_until(m, T0 + 14 * S, T0 + 18 * S);
	assert_int_equal(k.nr, 0);
	assert_int_equal(m->count.held, 0);	/* counted when they are gone */
	k.room = ~0ULL;
	sweep_until(m, T0 + 18 * S, T0 + 28 * S);
	assert_int_equal(k.nr, 2);
	assert_int_equal(m->count.held, 2);
	assert_int_equal(sum_of_late(m), 0);
	assert_int_equal(m->count.late_max_ns, 0);
	sweep_until(m, T0 + 28 * S, T0 + 33 * S);
	assert_int_equal(k.nr, 3);		/* was not due without room */
	assert_int_equal(m->count.held, 2);
	assert_int_equal(sum_of_late(m), 1);
	check_sums(m, &k);
	free_meter(m);
}

/* While a flow of its device waits for room a flush goes on, and another device's joins it. */
static void test_flush_held_up(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(50, &k);
	send_udp(m, 7, T0);
	k.room = 0;
	npk_meter_flush(m, T0 + S, 7);
	sweep(m, T0 + S);
	assert_int_equal(k.nr, 0);
	assert_true(m->flush_left > 0);	/* it is not over */
	npk_meter_flush(m, T0 + S, 8);	/* so this one means all */
	k.room = ~0ULL;
	sweep(m, T0 + 2 * S);
	assert_int_equal(k.nr, 1);
	free_meter(m);
}

/* Held, then over because of a packet: the record that it began waits for nothing. */
static void test_held_then_restarted(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(1, &k);
	k.room = 0;
	send_udp(m, 1, T0);
	send_udp(m, 1, T0 + 16 * S);	/* goes on in the record it has */
	assert_int_equal(k.nr, 0);
	k.room = ~0ULL;
	send_udp(m, 1, T0 + 32 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.packets, 2);
	assert_int_equal(m->count.held, 1);
	assert_int_equal(sum_of_late(m), 0);
	send_udp(m, 1, T0 + 48 * S);
	assert_int_equal(k.nr, 2);
	assert_int_equal(m->count.held, 1);
	assert_int_equal(sum_of_late(m), 1);
	check_sums(m, &k);
	free_meter(m);
}

/* What is closed by force had no time to be late for. */
static void test_forced_is_not_late(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(1, &k);
	sweep(m, T0);
	send_udp(m, 1, T0);
	send_udp(m, 2, T0);
	npk_meter_flush(m, T0, 0);
	sweep(m, T0 + S);
	assert_int_equal(k.nr, 2);
	send_udp(m, 1, T0 + S);
	assert_true(npk_meter_expire_all(m, 1));
	assert_int_equal(k.nr, 3);
	assert_int_equal(k.reasons[NPK_END_FORCED], 3);
	assert_int_equal(sum_of_late(m), 0);
	assert_int_equal(m->count.held, 0);
	assert_int_equal(m->count.late_max_ns, 0);
	free_meter(m);
}

/* Packets merged although they differ in size: the caller knows the extremes. */
static void test_merged_by_fragments(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;

	(void)state;
	m = make_meter(1, &k);
	put_eth(&f, 0x0800);
	put_ip4(&f, NPK_PROTO_SCTP, 12 + 2400);
	put_udp(&f, 1, 2);	/* ports, and what the meter does not read */
	put32(&f, 0);
	pkt = frame_pkt(&f, T0);
	pkt.wire_len = 14 + 20 + 12 + 2400;
	pkt.segs = 3;
	pkt.gso_size = NPK_GSO_BY_FRAGS;
	pkt.gso_min = 100;
	pkt.gso_max = 1400;
	npk_meter_packet(m, &pkt);
	assert_true(npk_meter_expire_all(m, 1));
	assert_int_equal(k.last.packets, 3);
	assert_int_equal(k.last.octets, 3 * 32 + 2400);
	assert_int_equal(k.last.min_len, 32 + 100);
	assert_int_equal(k.last.max_len, 32 + 1400);
	assert_int_equal(m->count.note[NPK_NOTE_MERGED], 3);
	/* a single one is as long as it is */
	pkt.segs = 1;
	pkt.now_ns++;
	npk_meter_packet(m, &pkt);
	assert_true(npk_meter_expire_all(m, 1));
	assert_int_equal(k.last.min_len, 32 + 2400);
	assert_int_equal(k.last.max_len, 32 + 2400);
	free_meter(m);
}

/* Lowest and highest, and counters that end where their type does. */
static void test_extremes(void **state)
{
	static const uint8_t ttl[] = { 64, 200, 3, 100 };
	static const uint32_t len[] = { 1000, 70000, 400, 65534 };
	struct npk_flow flow;
	struct npk_pkt pkt;
	struct frame f;
	unsigned int i;

	(void)state;
	frame_udp4(&f, 1, 2);
	pkt = frame_pkt(&f, T0);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	for (i = 0; i < 4; i++) {
		pkt.ttl = ttl[i];
		pkt.min_len = pkt.max_len = pkt.octets = len[i];
		if (!i)
			npk_flow_start(&flow, &pkt);
		npk_flow_account(&flow, &pkt);
	}
	assert_int_equal(flow.min_ttl, 3);
	assert_int_equal(flow.max_ttl, 200);
	assert_int_equal(flow.min_len, 400);
	assert_int_equal(flow.max_len, 65535);
	assert_int_equal(flow.octets, 136934);
	assert_int_equal(flow.fragments, 0);
	pkt.notes = 1 << NPK_NOTE_FRAGMENT;
	flow.fragments = ~0U - 1;
	npk_flow_account(&flow, &pkt);
	npk_flow_account(&flow, &pkt);
	assert_int_equal(flow.fragments, ~0U);
	pkt.min_len = pkt.max_len = 70000;	/* no packet but such */
	npk_flow_start(&flow, &pkt);
	npk_flow_account(&flow, &pkt);
	assert_int_equal(flow.min_len, 65535);
	assert_int_equal(flow.max_len, 65535);
}

/* Random packets, room, timeouts and sweeps: sums are right at every step. */
static void test_random_splits(void **state)
{
	uint64_t now = T0, seed = 11, r, sent = 0;
	struct npk_meter *m;
	struct sink k;
	unsigned int i;

	(void)state;
	m = make_meter(2, &k);
	m->limits.idle_ns = 2 * S;
	m->limits.active_ns = 3 * S;
	for (i = 0; i < 20000; i++) {
		r = test_random(&seed);
		now += r >> 34 & 0x3ffffff;	/* 34 ms on average */
		k.room = r & 3 ? ~0ULL : 0;
		if (r & 0x30) {
			send_udp(m, (uint16_t)(r >> 8 & 31), now);
			sent++;
		}
		npk_meter_sweep(m, now, 1);
		check_sums(m, &k);
		if (!(r >> 16 & 0xfff))
			npk_meter_flush(m, now, 0);
	}
	assert_true(k.reasons[NPK_END_ACTIVE] > 100);
	assert_true(k.reasons[NPK_END_IDLE] > 100);
	assert_true(k.reasons[NPK_END_RESOURCES] > 10);
	k.room = ~0ULL;
	assert_true(npk_meter_expire_all(m, 4));
	check_sums(m, &k);
	assert_int_equal(k.sum.packets, sent);
	assert_int_equal(m->count.split, 0);
	free_meter(m);
}

/* Found by review: a flow restarted by a merged packet was the first to make room. */
static void test_restart_by_a_merged_packet(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;
	uint32_t way;

	(void)state;
	m = make_meter(1, &k);
	send_udp(m, 1, T0);
	frame_udp4(&f, 1, 53);
	pkt = frame_pkt(&f, T0 + 20 * S);
	pkt.segs = 3;
	pkt.gso_size = 1;
	npk_meter_packet(m, &pkt);
	assert_int_equal(k.nr, 1);
	for (way = 0; !m->table.seg[0]->sig[way]; way++)
		;
	assert_true(m->table.seg[0]->due[way] & NPK_DUE_REPEATED);
	free_meter(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_flow_stays),
		cmocka_unit_test(test_split_flow_goes_on),
		cmocka_unit_test(test_split_flow_idles_out),
		cmocka_unit_test(test_packet_after_a_split_flow_idled),
		cmocka_unit_test(test_split_flows_make_room),
		cmocka_unit_test(test_busy_split_flows_make_room),
		cmocka_unit_test(test_end_just_before_active),
		cmocka_unit_test(test_flush_of_a_split_flow),
		cmocka_unit_test(test_expire_all_of_a_split_flow),
		cmocka_unit_test(test_syn_on_a_split_flow),
		cmocka_unit_test(test_sequence_survives_the_split),
		cmocka_unit_test(test_split_waits_for_room),
		cmocka_unit_test(test_reason_of_a_restart),
		cmocka_unit_test(test_restarted_flow_is_new),
		cmocka_unit_test(test_end_and_short_idle),
		cmocka_unit_test(test_idle_before_active),
		cmocka_unit_test(test_late_classes),
		cmocka_unit_test(test_late_sweep),
		cmocka_unit_test(test_late_by_a_quarter_at_most),
		cmocka_unit_test(test_late_by_a_round_of_any_length),
		cmocka_unit_test(test_late_for_other_reasons),
		cmocka_unit_test(test_late_restart),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_flush_held_up),
		cmocka_unit_test(test_held_then_restarted),
		cmocka_unit_test(test_forced_is_not_late),
		cmocka_unit_test(test_merged_by_fragments),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_random_splits),
		cmocka_unit_test(test_restart_by_a_merged_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
