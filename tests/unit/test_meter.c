// SPDX-License-Identifier: GPL-2.0-only
/* The whole core: packets in, records out, sums and times checked. */
#include "test.h"

#include "frame.h"
#include "shard.h"

#define NR_KEYS	SINK_PORTS

static void test_record_of_a_flow(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;

	(void)state;
	m = make_meter(4, &k);
	put_eth(&f, 0x8100);
	put32(&f, 0x00050800);
	put_ip4(&f, NPK_PROTO_TCP, 20);
	put_tcp(&f, 1000, 80, NPK_TCP_SYN);
	pkt = frame_pkt(&f, 100 * S);
	npk_meter_packet(m, &pkt);
	f.data[14 + 4 + 8] = 60;	/* another TTL */
	f.data[14 + 4 + 20 + 13] = 0x18;
	pkt = frame_pkt(&f, 101 * S);
	npk_meter_packet(m, &pkt);
	pkt = frame_pkt(&f, 99 * S);	/* captures are not sorted */
	npk_meter_packet(m, &pkt);
	assert_true(npk_meter_expire_all(m, 4));
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.packets, 3);
	assert_int_equal(k.last.octets, 120);
	assert_int_equal(k.last.first_ns, 99 * S);
	assert_int_equal(k.last.last_ns, 101 * S);
	assert_int_equal(k.last.tcp_flags, 0x1a);
	assert_int_equal(k.last.tcp_flags_first, NPK_TCP_SYN);
	assert_int_equal(k.last.min_ttl, 60);
	assert_int_equal(k.last.max_ttl, 64);
	assert_int_equal(k.last.min_len, 40);
	assert_int_equal(k.last.max_len, 40);
	assert_int_equal(k.last.vlan, 5);
	assert_int_equal(k.last.in_if, 7);
	assert_int_equal(k.last.end_reason, NPK_END_FORCED);
	assert_memory_equal(k.last.smac, "\x02\0\0\0\0\x01", 6);
	assert_memory_equal(k.last.dmac, "\x02\0\0\0\0\x02", 6);
	check_sums(m, &k);
	free_meter(m);
}

/* Due flows leave within a quarter of the idle timeout, not before their time. */
static void test_idle_is_on_time(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(100, &k);
	sweep(m, 100 * S);
	send_udp(m, 1, 100 * S);
	sweep_until(m, 100 * S, 115 * S - 10 * MS);
	assert_int_equal(k.nr, 0);
	sweep_until(m, 115 * S, 115 * S + 15 * S / 4);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.end_reason, NPK_END_IDLE);
	assert_int_equal(m->table.nr_flows, 0);
	check_sums(m, &k);
	free_meter(m);
}

static void test_active_splits(void **state)
{
	struct npk_meter *m;
	struct sink k;
	uint64_t t;

	(void)state;
	m = make_meter(100, &k);
	for (t = 100 * S; t < 300 * S; t += 100 * MS) {
		send_udp(m, 1, t);
		sweep(m, t);
	}
	assert_in_range(k.nr, 3, 3);
	assert_int_equal(k.reasons[NPK_END_ACTIVE], 3);
	assert_true(k.last.last_ns - k.last.first_ns <= 64 * S);
	npk_meter_expire_all(m, 100);
	assert_int_equal(k.sum.packets, 2000);
	check_sums(m, &k);
	free_meter(m);
}

static void test_fin_ends_after_two_seconds(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(100, &k);
	sweep(m, 100 * S);
	send_tcp(m, 1, 0x10, 100 * S);
	send_tcp(m, 1, 0x11, 101 * S);
	send_tcp(m, 1, 0x10, 102 * S);	/* silence starts again */
	sweep_until(m, 100 * S, 104 * S - 10 * MS);
	assert_int_equal(k.nr, 0);
	sweep_until(m, 104 * S, 104 * S + 15 * S / 4);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.end_reason, NPK_END_FLOW);
	assert_int_equal(k.last.packets, 3);
	free_meter(m);
}

/* The other direction's FIN does not end this one. */
static void test_own_fin_only(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;

	(void)state;
	m = make_meter(100, &k);
	send_tcp(m, 1, 0x10, 100 * S);
	put_eth(&f, 0x0800);
	put_ip4(&f, NPK_PROTO_TCP, 20);
	put_tcp(&f, 80, 1, 0x11);
	pkt = frame_pkt(&f, 100 * S);
	npk_meter_packet(m, &pkt);
	sweep_until(m, 100 * S, 110 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(be16_to_cpu(k.last.sport), 80);
	free_meter(m);
}

static void test_syn_after_end_starts_anew(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(100, &k);
	send_tcp(m, 1, NPK_TCP_SYN, 100 * S);
	send_tcp(m, 1, NPK_TCP_SYN, 100 * S + MS);	/* again: the same flow */
	send_tcp(m, 1, NPK_TCP_RST, 100 * S + 2 * MS);
	assert_int_equal(k.nr, 0);
	send_tcp(m, 1, NPK_TCP_SYN, 100 * S + 3 * MS);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.packets, 3);
	assert_int_equal(k.last.end_reason, NPK_END_FLOW);
	assert_int_equal(m->table.nr_flows, 1);
	npk_meter_expire_all(m, 100);
	assert_int_equal(k.last.packets, 1);
	assert_int_equal(k.last.tcp_flags, NPK_TCP_SYN);
	check_sums(m, &k);
	free_meter(m);
}

/* A packet after the idle timeout never joins the old record, swept or not. */
static void test_late_packet_starts_anew(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(100, &k);
	send_udp(m, 1, 100 * S);
	send_udp(m, 1, 115 * S - 1);
	send_udp(m, 1, 130 * S - 1);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.packets, 2);
	assert_int_equal(k.last.end_reason, NPK_END_IDLE);
	check_sums(m, &k);
	free_meter(m);
}

/* Without room the record waits in the table and goes on counting. */
static void test_no_room_keeps_accounting(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(100, &k);
	k.room = 0;
	send_udp(m, 1, 100 * S);
	send_udp(m, 1, 200 * S);
	sweep(m, 230 * S);
	assert_int_equal(k.nr, 0);
	assert_false(npk_meter_expire_all(m, 100));
	check_sums(m, &k);
	k.room = 1;
	sweep_until(m, 230 * S, 235 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.packets, 2);
	check_sums(m, &k);
	free_meter(m);
}

static void test_new_flow_is_never_refused(void **state)
{
	struct npk_meter *m;
	struct sink k;
	uint16_t i;

	(void)state;
	m = make_meter(1, &k);
	k.room = 0;	/* must be taken all the same */
	for (i = 0; i < 1000; i++)
		send_udp(m, i, 100 * S + i * MS);
	assert_int_equal(m->table.nr_flows, NPK_WAYS);
	assert_int_equal(k.nr, 1000 - NPK_WAYS);
	assert_int_equal(k.reasons[NPK_END_RESOURCES], 1000 - NPK_WAYS);
	assert_int_equal(m->count.early, 1000 - NPK_WAYS);
	check_sums(m, &k);
	free_meter(m);
}

/* A gap of half an hour: deadlines seem to lie ahead modulo their 15 bits. */
static void test_clock_jump_expires_all(void **state)
{
	uint64_t jump[] = { 20 * 60, 1100, 1200, 1800, 2199, 2200, 86400 };
	struct npk_meter *m;
	struct sink k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(jump) / sizeof(jump[0]); i++) {
		m = make_meter(100, &k);
		sweep(m, 100 * S);
		send_udp(m, 1, 100 * S);
		send_udp(m, 2, 100 * S);
		sweep(m, (100 + jump[i]) * S);
		assert_int_equal(k.nr, 2);
		free_meter(m);
	}
}

/* Timeouts longer than a deadline can lie ahead. */
static void test_long_timeouts(void **state)
{
	struct npk_meter *m;
	struct sink k;
	uint64_t t;

	(void)state;
	m = make_meter(10, &k);
	m->limits.idle_ns = 7200 * S;
	m->limits.active_ns = 86400 * S;
	send_udp(m, 1, 100 * S);
	for (t = 100; t < 100 + 7200; t += 5)
		sweep(m, t * S);
	assert_int_equal(k.nr, 0);
	for (; t < 100 + 7200 + 1800; t += 5)
		sweep(m, t * S);
	assert_int_equal(k.nr, 1);
	free_meter(m);
}

/* A small budget falls behind and catches up; nothing is forgotten. */
static void test_budgeted_sweep(void **state)
{
	struct npk_meter *m;
	struct sink k;
	uint16_t i;

	(void)state;
	m = make_meter(64, &k);
	sweep(m, 100 * S);
	for (i = 0; i < 500; i++)
		send_udp(m, i, 100 * S);
	assert_in_range(npk_meter_sweep(m, 120 * S, 200), 200, 200 + 2 * NPK_WAYS);
	assert_true(k.nr < 500);
	for (i = 0; i < 6; i++)
		npk_meter_sweep(m, 120 * S, 200);
	assert_int_equal(k.nr, 500);
	assert_int_equal(k.reasons[NPK_END_IDLE], 500);
	check_sums(m, &k);
	free_meter(m);
}

/* A day of silence between packets costs as little as a second of it. */
static void test_sparse_traffic_is_cheap(void **state)
{
	struct npk_meter *m;
	struct sink k;
	uint32_t i, looked = 0;

	(void)state;
	m = make_meter(60000, &k);
	for (i = 0; i < 1000; i++) {
		send_udp(m, (uint16_t)i, (100 + i * 5) * S);
		looked += npk_meter_sweep(m, (100 + i * 5) * S, 60000);
	}
	assert_true(k.nr > 990);
	assert_true(looked < 20000);	/* 60 million buckets were passed */
	check_sums(m, &k);
	free_meter(m);
}

static void test_fragments_are_counted(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;

	(void)state;
	m = make_meter(4, &k);
	put_eth(&f, 0x0800);
	put_ip4_frag(&f, NPK_PROTO_UDP, 8, 0x2001);
	put_udp(&f, 1, 2);
	pkt = frame_pkt(&f, 1);
	npk_meter_packet(m, &pkt);
	npk_meter_packet(m, &pkt);
	npk_meter_expire_all(m, 4);
	assert_int_equal(k.last.fragments, 2);
	assert_int_equal(m->count.note[NPK_NOTE_FRAGMENT], 2);
	free_meter(m);
}

/* Random traffic over time: every packet is in exactly one record. */
static void run_random(uint32_t nr_buckets, uint32_t nr_keys, uint64_t step_ns, uint64_t seed)
{
	static struct npk_tally sent[NR_KEYS];
	struct npk_meter *m;
	struct sink k;
	uint64_t now = 1000 * S, r;
	uint16_t port;
	uint32_t i;

	memset(sent, 0, sizeof(sent));
	m = make_meter(nr_buckets, &k);
	for (i = 0; i < 100000; i++) {
		r = test_random(&seed);
		port = (uint16_t)(r % nr_keys);
		now += (r >> 32) % step_ns;
		k.room = r >> 20 & 7 ? ~0ULL : 0;
		if (r & 1ULL << 62) {
			send_udp(m, port, now - (r >> 24 & 3) * MS);
			sent[port].octets += 28;
		} else {
			send_tcp(m, port, 1 << (r >> 40 & 7), now);
			sent[port].octets += 40;
		}
		sent[port].packets++;
		npk_meter_sweep(m, now, 8);
		if (i % 20000 == 0)
			check_sums(m, &k);
	}
	k.room = ~0ULL;
	while (!npk_meter_expire_all(m, 3))
		;
	check_sums(m, &k);
	assert_int_equal(m->count.live.packets, 0);
	for (i = 0; i < nr_keys; i++) {
		assert_int_equal(k.key[i].packets, sent[i].packets);
		assert_int_equal(k.key[i].octets, sent[i].octets);
	}
	free_meter(m);
}

static void test_every_packet_in_one_record(void **state)
{
	(void)state;
	run_random(1, 50, 20 * MS, 1);
	run_random(3, 200, 2 * MS, 2);
	run_random(200, NR_KEYS, 10 * MS, 3);
	run_random(1000, NR_KEYS, 200 * MS, 4);
}

/* A flush closes what there was, not what comes later; a device's own, its own. */
static void test_flush(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(50, &k);
	sweep(m, 100 * S);
	send_udp(m, 1, 100 * S);
	send_udp(m, 2, 100 * S);
	npk_meter_flush(m, 101 * S, 8);		/* frames are of device 7 */
	sweep(m, 101 * S);
	assert_int_equal(k.nr, 0);
	npk_meter_flush(m, 102 * S, 7);
	send_udp(m, 3, 102 * S + 1);
	while (npk_meter_sweep(m, 102 * S + 2, 10) >= 10)
		;
	assert_int_equal(k.nr, 2);
	assert_int_equal(k.reasons[NPK_END_FORCED], 2);
	assert_int_equal(m->table.nr_flows, 1);
	check_sums(m, &k);
	free_meter(m);
}

/* Ten flows of each of the devices 1 and 2, from source port 10 and 20 on. */
static void send_of_two_devices(struct npk_meter *m, uint64_t now_ns)
{
	struct npk_pkt pkt;
	struct frame f;
	uint16_t i;

	for (i = 10; i < 30; i++) {
		frame_udp4(&f, i, 53);
		pkt = frame_pkt(&f, now_ns);
		pkt.ifindex = i / 10;
		npk_meter_packet(m, &pkt);
	}
}

/* A flush of another device while one is under way takes all; after it, its own. */
static void test_flush_after_flush(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(50, &k);
	npk_meter_flush(m, 100 * S, 1);		/* of nothing: over with the next sweep */
	sweep(m, 100 * S);
	send_of_two_devices(m, 100 * S);
	npk_meter_flush(m, 100 * S, 2);
	sweep(m, 100 * S + 1);
	assert_int_equal(k.nr, 10);
	assert_int_equal(k.last.in_if, 2);
	send_of_two_devices(m, 100 * S + 1);
	npk_meter_flush(m, 100 * S + 1, 1);	/* the round of the other one is over */
	sweep(m, 100 * S + 2);
	assert_int_equal(k.nr, 20);
	assert_int_equal(k.last.in_if, 1);
	send_of_two_devices(m, 100 * S + 3);
	npk_meter_flush(m, 100 * S + 3, 1);
	sweep(m, 100 * S + 4);
	assert_int_equal(k.nr, 30);
	npk_meter_flush(m, 100 * S + 4, 1);
	npk_meter_flush(m, 100 * S + 4, 2);
	sweep(m, 100 * S + 5);
	assert_int_equal(k.nr, 40);
	send_of_two_devices(m, 100 * S + 6);
	npk_meter_flush(m, 100 * S + 6, 1);
	npk_meter_flush(m, 100 * S + 6, 2);
	sweep(m, 100 * S + 7);
	assert_int_equal(k.nr, 60);
	assert_int_equal(k.reasons[NPK_END_FORCED], 60);
	check_sums(m, &k);
	free_meter(m);
}

/* A round in which every flow is looked at for another reason is no flush. */
static void test_flush_after_clock_jump(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(50, &k);
	sweep(m, 100 * S);
	send_udp(m, 1, 100 * S);
	send_of_two_devices(m, 3000 * S);
	npk_meter_sweep(m, 3000 * S, 1);
	npk_meter_flush(m, 3000 * S, 2);
	sweep(m, 3000 * S + 1);
	assert_int_equal(k.reasons[NPK_END_FORCED], 10);
	assert_int_equal(npk_meter_flows(m), 10);
	check_sums(m, &k);
	free_meter(m);
}

/* Without room a flushed flow waits, and leaves as soon as there is some. */
static void test_flush_without_room(void **state)
{
	struct npk_meter *m;
	struct sink k;

	(void)state;
	m = make_meter(50, &k);
	sweep(m, 100 * S);
	send_udp(m, 1, 100 * S);
	k.room = 0;
	npk_meter_flush(m, 100 * S, 0);
	sweep(m, 100 * S + 1);
	assert_int_equal(k.nr, 0);
	k.room = 1;
	sweep_until(m, 100 * S, 104 * S);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.reasons[NPK_END_FORCED], 1);
	free_meter(m);
}

static void test_key_leaves_out(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;
	uint16_t vlan;

	(void)state;
	m = make_meter(50, &k);
	m->leave_out = NPK_KEY_TOS | NPK_KEY_VLAN | NPK_KEY_IFINDEX;
	for (vlan = 1; vlan <= 3; vlan++) {
		put_eth(&f, 0x8100);
		put16(&f, vlan);
		put16(&f, 0x0800);
		put_ip4(&f, NPK_PROTO_UDP, 8);
		put_udp(&f, 1, 2);
		f.data[19] = (uint8_t)vlan;
		pkt = frame_pkt(&f, S);
		pkt.ifindex = vlan;
		npk_meter_packet(m, &pkt);
	}
	npk_meter_expire_all(m, 50);
	assert_int_equal(k.nr, 1);
	assert_int_equal(k.last.packets, 3);
	assert_int_equal(k.last.vlan, NPK_VLAN_NONE);
	assert_int_equal(k.last.in_if, 0);
	assert_int_equal(k.last.tos, 0);
	free_meter(m);
}

static void test_filtered_frames(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;

	(void)state;
	m = make_meter(1, &k);
	frame_udp4(&f, 1, 2);
	pkt = frame_pkt(&f, 1);
	npk_meter_ignore(m, &pkt, NPK_IGN_FILTER);
	assert_int_equal(m->count.ignored[NPK_IGN_FILTER], 1);
	check_sums(m, &k);
	free_meter(m);
}

/* What could not be read has packets and octets; what nobody wanted to read is not among it. */
static void test_unparsed(void **state)
{
	struct npk_meter *m;
	struct npk_pkt pkt;
	struct frame f;
	struct sink k;

	(void)state;
	m = make_meter(1, &k);
	frame_udp4(&f, 1, 2);
	f.data[14] = 0x55;		/* version 5 */
	pkt = frame_pkt(&f, 1);
	npk_meter_packet(m, &pkt);
	assert_int_equal(m->count.ignored[NPK_IGN_BAD_VERSION], 1);
	assert_int_equal(m->count.unparsed.packets, 1);
	assert_int_equal(m->count.unparsed.octets, f.len - 14);
	f.data[12] = 0x08;
	f.data[13] = 0x06;		/* ARP */
	pkt = frame_pkt(&f, 1);
	npk_meter_packet(m, &pkt);
	assert_int_equal(m->count.ignored[NPK_IGN_NOT_IP], 1);
	npk_meter_ignore(m, &pkt, NPK_IGN_FILTER);
	npk_meter_ignore(m, &(struct npk_pkt){ .segs = 2 }, NPK_IGN_L2_TRUNCATED);
	assert_int_equal(m->count.unparsed.packets, 3);
	assert_int_equal(m->count.unparsed.octets, f.len - 14);
	check_sums(m, &k);
	free_meter(m);
}

/* A record is written over whatever was there, every octet of it. */
static void test_record_leaks_nothing(void **state)
{
	struct npk_rec a, b;
	struct npk_flow flow;
	struct npk_pkt pkt;
	struct frame f;

	(void)state;
	memset(&flow, 0, sizeof(flow));
	frame_udp4(&f, 1, 2);
	pkt = frame_pkt(&f, 1);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	npk_flow_start(&flow, &pkt);
	npk_flow_account(&flow, &pkt);
	memset(&a, 0x55, sizeof(a));
	memset(&b, 0xaa, sizeof(b));
	npk_record_fill(&a, &flow, NPK_END_IDLE, 1, 2);
	npk_record_fill(&b, &flow, NPK_END_IDLE, 1, 2);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(a.conv_hash, 1);
	assert_int_equal(a.seq, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_of_a_flow),
		cmocka_unit_test(test_idle_is_on_time),
		cmocka_unit_test(test_active_splits),
		cmocka_unit_test(test_fin_ends_after_two_seconds),
		cmocka_unit_test(test_own_fin_only),
		cmocka_unit_test(test_syn_after_end_starts_anew),
		cmocka_unit_test(test_late_packet_starts_anew),
		cmocka_unit_test(test_no_room_keeps_accounting),
		cmocka_unit_test(test_new_flow_is_never_refused),
		cmocka_unit_test(test_clock_jump_expires_all),
		cmocka_unit_test(test_long_timeouts),
		cmocka_unit_test(test_budgeted_sweep),
		cmocka_unit_test(test_sparse_traffic_is_cheap),
		cmocka_unit_test(test_fragments_are_counted),
		cmocka_unit_test(test_every_packet_in_one_record),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_flush_after_flush),
		cmocka_unit_test(test_flush_after_clock_jump),
		cmocka_unit_test(test_flush_without_room),
		cmocka_unit_test(test_key_leaves_out),
		cmocka_unit_test(test_filtered_frames),
		cmocka_unit_test(test_unparsed),
		cmocka_unit_test(test_record_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
