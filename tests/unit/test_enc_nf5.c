// SPDX-License-Identifier: GPL-2.0-only
/* NetFlow v5 datagrams: the golden one, times, sequence numbers, counters that must be split. */
#include "test.h"
#include "stream.h"

#include <errno.h>
#include <arpa/inet.h>

#define HEADER		24
#define RECORD		48
#define MAX_RECORDS	30

/* sysUptime 3600000 ms at 1700000000.250 */
static const struct npk_clock golden_clock = {
	.now_ns = 5000 * SEC + 250 * MS,
	.offset_ns = (int64_t)((NOW_S - 5000) * SEC),
	.boot_ns = 1400 * SEC + 250 * MS,
};

static const struct npk_enc_opts default_opts = {
	.version = NPK_ENC_NF5,
	.source_id = 0,
	.max_payload = 1472,
};

/* 192.0.2.1:49152 -> 198.51.100.2:443 TCP, 9 s long, ended 1 s before golden_clock */
static const struct npk_rec flow_a = {
	.first_ns = 4990 * SEC + 250 * MS,
	.last_ns = 4999 * SEC + 250 * MS,
	.packets = 10,
	.octets = 5000,
	.saddr = { 192, 0, 2, 1 },
	.daddr = { 198, 51, 100, 2 },
	.proto = 6,
	.ip_version = 4,
	.end_reason = NPK_END_FLOW,
	.in_if = 3,
	.out_if = 4,
	.vlan = NPK_VLAN_NONE,
	.vlan2 = NPK_VLAN_NONE,
	.tcp_flags = 0x1b,
	.min_len = 40,
	.max_len = 1500,
	.min_ttl = 64,
	.max_ttl = 64,
};

static struct npk_rec make_flow(void)
{
	struct npk_rec rec = flow_a;

	rec.sport = htons(49152);
	rec.dport = htons(443);
	return rec;
}

/* A datagram on the heap, of max_payload octets, so that ASan guards its end. */
struct gram {
	uint8_t *data;
	size_t len;
	size_t taken;
};

static struct gram encode(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr,
			  const struct npk_clock *clock)
{
	size_t room = npk_enc_room(enc, recs, nr, clock);
	struct gram g = { .data = malloc(enc->opts.max_payload) };
	uint32_t sequence = enc->sequence;

	assert_non_null(g.data);
	assert_int_equal(npk_enc_datagram(enc, recs, nr, clock, g.data, &g.len, &g.taken), 0);
	assert_int_equal(g.taken, room);
	assert_true(g.len <= enc->opts.max_payload);
	if (g.len) {
		assert_int_equal(be(g.data, 2), 5);
		assert_int_equal(g.len, HEADER + RECORD * be(g.data + 2, 2));
		assert_in_range(be(g.data + 2, 2), 1, MAX_RECORDS);
		assert_int_equal(be(g.data + 16, 4), sequence);
		assert_int_equal(enc->sequence, (uint32_t)(sequence + be(g.data + 2, 2)));
	} else {
		assert_int_equal(g.taken, 0);
		assert_int_equal(enc->sequence, sequence);
	}
	return g;
}

static struct gram encode_one(struct npk_enc *enc, const struct npk_rec *rec,
			      const struct npk_clock *clock)
{
	return encode(enc, &rec, 1, clock);
}

/*
 * A published example, except for next hop, AS numbers and masks: a record has
 * none of them, so the octets 0x20 to 0x23 and 0x40 to 0x45 are zero here.
 */
static void test_golden(void **state)
{
	static const uint8_t want[] = {
		0x00, 0x05, 0x00, 0x01, 0x00, 0x36, 0xee, 0x80, 0x65, 0x53, 0xf1, 0x00,
		0x0e, 0xe6, 0xb2, 0x80, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00, 0x40, 0x64,
		0xc0, 0x00, 0x02, 0x01, 0xc6, 0x33, 0x64, 0x02, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x13, 0x88,
		0x00, 0x36, 0xc7, 0x70, 0x00, 0x36, 0xea, 0x98, 0xc0, 0x00, 0x01, 0xbb,
		0x00, 0x1b, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	const struct npk_rec rec = make_flow();
	struct npk_enc_opts opts = default_opts;
	struct npk_enc *enc;
	struct gram g;

	(void)state;
	opts.sampling.interval = 100;
	enc = new_enc(&opts);
	enc->sequence = 1000;
	g = encode_one(enc, &rec, &golden_clock);
	assert_int_equal(g.taken, 1);
	assert_int_equal(g.len, sizeof(want));
	assert_memory_equal(g.data, want, sizeof(want));
	assert_int_equal(enc->sequence, 1001);
	free(g.data);
	npk_enc_free(enc);
}

static void test_options(void **state)
{
	struct npk_enc_opts opts = default_opts;
	const struct npk_rec rec = make_flow();
	struct npk_enc *enc;
	struct gram g;

	(void)state;
	opts.source_id = 0xffff0207;
	enc = new_enc(&opts);
	g = encode_one(enc, &rec, &golden_clock);
	assert_int_equal(g.data[20], 2);	/* engine type */
	assert_int_equal(g.data[21], 7);	/* engine id */
	assert_int_equal(be(g.data + 22, 2), 0);	/* not sampled */
	free(g.data);
	npk_enc_free(enc);

	opts.max_payload = NPK_ENC_MIN_DATAGRAM - 1;
	assert_int_equal(npk_enc_new(&opts, &enc), -EINVAL);
	assert_null(enc);
	opts.max_payload = NPK_ENC_MAX_DATAGRAM + 1;
	assert_int_equal(npk_enc_new(&opts, &enc), -EINVAL);
	opts = default_opts;
	opts.version = 6;
	assert_int_equal(npk_enc_new(&opts, &enc), -EINVAL);
	assert_null(enc);
	npk_enc_free(NULL);
}

/* Two bits say how, fourteen how many; one of one is no sampling. */
static void test_sampling(void **state)
{
	static const struct {
		struct npk_sampling sampling;
		unsigned int want;
	} cases[] = {
		{ { 0, false }, 0 }, { { 1, false }, 0 }, { { 1, true }, 0 },
		{ { 2, false }, 0x4002 }, { { 10, true }, 0x800a },
		{ { 16383, false }, 0x7fff }, { { 16383, true }, 0xbfff },
	};
	struct npk_enc_opts opts = default_opts;
	const struct npk_rec rec = make_flow();
	struct npk_enc *enc;
	struct gram g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		opts.sampling = cases[i].sampling;
		enc = new_enc(&opts);
		g = encode_one(enc, &rec, &golden_clock);
		assert_int_equal(be(g.data + 22, 2), cases[i].want);
		free(g.data);
		npk_enc_free(enc);
	}
	opts.sampling.interval = NPK_ENC_NF5_MAX_SAMPLING + 1;
	assert_int_equal(npk_enc_new(&opts, &enc), -EINVAL);
	assert_null(enc);
}

static void test_record_fields(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	struct gram g;

	(void)state;
	rec.in_if = 65535;
	rec.out_if = 65537;
	rec.proto = 1;
	rec.sport = 0;
	rec.dport = htons(3 * 256 + 1);
	rec.tcp_flags = 0x0f42;
	rec.tos = 0xb8;
	rec.packets = 1;
	rec.octets = UINT32_MAX;
	g = encode_one(enc, &rec, &golden_clock);
	assert_int_equal(g.len, HEADER + RECORD);
	assert_int_equal(be(g.data + HEADER + 12, 2), 65535);	/* input */
	assert_int_equal(be(g.data + HEADER + 14, 2), 0);		/* output: does not fit */
	assert_int_equal(be(g.data + HEADER + 16, 4), 1);
	assert_int_equal(be(g.data + HEADER + 20, 4), UINT32_MAX);
	assert_int_equal(be(g.data + HEADER + 32, 2), 0);
	assert_int_equal(be(g.data + HEADER + 34, 2), 0x0301);
	assert_int_equal(g.data[HEADER + 37], 0x42);
	assert_int_equal(g.data[HEADER + 38], 1);
	assert_int_equal(g.data[HEADER + 39], 0xb8);
	free(g.data);
	npk_enc_free(enc);
}

static void test_not_exportable(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec good = make_flow(), bad = make_flow();
	const struct npk_rec *recs[] = { &good, &bad, &good };
	uint8_t buf[1472], untouched[1472];
	size_t len = 77, taken = 77;

	(void)state;
	memset(buf, 0xaa, sizeof(buf));
	memcpy(untouched, buf, sizeof(buf));
	assert_null(npk_enc_exportable(enc, &good));
	bad.ip_version = 6;
	assert_string_equal(npk_enc_exportable(enc, &bad), "ipv6_in_v5");
	assert_int_equal(npk_enc_room(enc, recs, 3, &golden_clock), 1);
	assert_int_equal(npk_enc_datagram(enc, recs, 3, &golden_clock, buf, &len, &taken), -EINVAL);
	assert_int_equal(len, 0);
	assert_int_equal(taken, 0);
	assert_memory_equal(buf, untouched, sizeof(buf));
	assert_int_equal(enc->sequence, 0);
	bad.ip_version = 0;
	assert_string_equal(npk_enc_exportable(enc, &bad), "bad_ip_version");
	bad.ip_version = 4;
	bad.packets = 0;
	assert_string_equal(npk_enc_exportable(enc, &bad), "empty_record");
	bad.packets = 1;
	bad.octets = 0;
	assert_string_equal(npk_enc_exportable(enc, &bad), "empty_record");
	npk_enc_free(enc);
}

static void test_nothing_to_say(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct gram g = encode(enc, NULL, 0, &golden_clock);

	(void)state;
	assert_int_equal(g.len, 0);
	npk_enc_resend_templates(enc);
	free(g.data);
	g = encode(enc, NULL, 0, &golden_clock);
	assert_int_equal(g.len, 0);
	free(g.data);
	npk_enc_free(enc);
}

static void test_full_datagrams(void **state)
{
	static const struct {
		size_t payload;
		size_t records;
	} cases[] = {
		{ 512, 10 }, { 1463, 29 }, { 1464, 30 }, { 1472, 30 }, { 1512, 30 },
		{ NPK_ENC_MAX_DATAGRAM, 30 },
	};
	const struct npk_rec rec = make_flow();
	const struct npk_rec *recs[100];
	size_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		recs[i] = &rec;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct npk_enc_opts opts = default_opts;
		struct npk_enc *enc;
		struct gram g;

		opts.max_payload = cases[i].payload;
		enc = new_enc(&opts);
		g = encode(enc, recs, 100, &golden_clock);
		assert_int_equal(g.taken, cases[i].records);
		free(g.data);
		g = encode(enc, recs, cases[i].records, &golden_clock);
		assert_int_equal(g.taken, cases[i].records);
		free(g.data);
		npk_enc_free(enc);
	}
}

/* Start of a flow as a collector computes it: header minus sysUptime plus First. */
static int64_t collector_ms(const uint8_t *gram, unsigned int off)
{
	int64_t header_ms = (int64_t)be(gram + 8, 4) * 1000 + be(gram + 12, 4) / 1000000;

	return header_ms - (uint32_t)(be(gram + 4, 4) - be(gram + off, 4));
}

static int64_t real_ms(const struct npk_clock *clock, uint64_t t_ns)
{
	return (int64_t)((t_ns + (uint64_t)clock->offset_ns) / MS);
}

#define FIRST	(HEADER + 24)
#define LAST	(HEADER + 28)

static void test_times_exact(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	uint64_t rng = 5;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2000; i++) {
		struct npk_clock clock = golden_clock;
		struct gram g;

		clock.now_ns += test_random(&rng) % (2 * SEC);
		clock.offset_ns += (int64_t)(test_random(&rng) % (2 * SEC));
		clock.boot_ns = clock.now_ns - test_random(&rng) % (2000 * SEC);
		rec.last_ns = clock.now_ns - test_random(&rng) % (20 * SEC);
		rec.first_ns = rec.last_ns - test_random(&rng) % (90 * SEC);
		g = encode_one(enc, &rec, &clock);
		assert_true(collector_ms(g.data, FIRST) == real_ms(&clock, rec.first_ns));
		assert_true(collector_ms(g.data, LAST) == real_ms(&clock, rec.last_ns));
		free(g.data);
	}
	npk_enc_free(enc);
}

/* Records that the clock reading has not caught up with. */
static void test_never_later_than_header(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	struct gram g;

	(void)state;
	rec.last_ns = golden_clock.now_ns + 3 * MS;
	g = encode_one(enc, &rec, &golden_clock);
	assert_int_equal(be(g.data + LAST, 4), 3600000);
	assert_int_equal(be(g.data + FIRST, 4), 3590000);
	free(g.data);
	rec.first_ns = golden_clock.now_ns + 2 * MS;
	g = encode_one(enc, &rec, &golden_clock);
	assert_int_equal(be(g.data + LAST, 4), 3600000);
	assert_int_equal(be(g.data + FIRST, 4), 3600000);
	free(g.data);
	npk_enc_free(enc);
}

static void test_before_boot(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	struct npk_clock clock = golden_clock;
	struct gram g;

	(void)state;
	clock.boot_ns = 4995 * SEC;
	g = encode_one(enc, &rec, &clock);
	assert_int_equal(be(g.data + 4, 4), 5250);
	assert_int_equal(be(g.data + FIRST, 4), UINT32_MAX - 4750 + 1);
	assert_int_equal(be(g.data + LAST, 4), 4250);
	assert_true(collector_ms(g.data, FIRST) == real_ms(&clock, rec.first_ns));
	free(g.data);
	npk_enc_free(enc);
}

/* 2^32 ms are 49.7 days: then sysUptime is two days again; flows before or across lie behind it. */
static void test_uptime_wrap(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	struct npk_clock clock = {
		.boot_ns = 7 * SEC, .offset_ns = (int64_t)(NOW_S * SEC),
	};
	uint64_t wrap_ns = clock.boot_ns + (UINT64_C(1) << 32) * MS;
	struct gram g;

	(void)state;
	clock.now_ns = wrap_ns + 500 * MS;
	rec.first_ns = wrap_ns - 2 * SEC;
	rec.last_ns = wrap_ns + 100 * MS;
	g = encode_one(enc, &rec, &clock);
	assert_int_equal(be(g.data + 4, 4), 172800000 + 500);
	assert_int_equal(be(g.data + FIRST, 4), 172800000 - 2000);
	assert_int_equal(be(g.data + LAST, 4), 172800000 + 100);
	assert_true(collector_ms(g.data, FIRST) == real_ms(&clock, rec.first_ns));
	assert_true(collector_ms(g.data, LAST) == real_ms(&clock, rec.last_ns));
	free(g.data);
	/* Round after round: a day less than the first. */
	clock.now_ns = wrap_ns + 2 * ((UINT64_C(1) << 32) - 172800000) * MS + 7 * MS;
	rec.last_ns = clock.now_ns;
	g = encode_one(enc, &rec, &clock);
	assert_int_equal(be(g.data + 4, 4), 172800000 + 7);
	free(g.data);
	/* Later than the header across the wrap is still clamped. */
	clock.now_ns = wrap_ns - 1 * MS;
	g = encode_one(enc, &rec, &clock);
	assert_int_equal(be(g.data + 4, 4), UINT32_MAX);
	assert_int_equal(be(g.data + LAST, 4), UINT32_MAX);
	assert_int_equal(be(g.data + 16, 4), 2);		/* no restart of the sequence */
	free(g.data);
	npk_enc_free(enc);
}

/* The wall clock is stepped between datagrams: durations and uptimes stay. */
static void test_wall_clock_step(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	const struct npk_rec rec = make_flow();
	struct npk_clock clock = golden_clock;
	struct gram a, b;

	(void)state;
	a = encode_one(enc, &rec, &clock);
	clock.offset_ns -= (int64_t)(86400 * SEC + 123 * MS);
	b = encode_one(enc, &rec, &clock);
	assert_int_equal(be(b.data + 8, 4), NOW_S - 86400);
	assert_int_equal(be(b.data + 12, 4), 127 * MS);
	assert_memory_equal(a.data + 4, b.data + 4, 4);
	assert_memory_equal(a.data + FIRST, b.data + FIRST, 8);
	free(a.data);
	free(b.data);
	npk_enc_free(enc);
}

/* No clock makes the header's nanoseconds more than a second. */
static void test_extreme_clocks(void **state)
{
	static const int64_t offsets[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	size_t i;

	(void)state;
	rec.first_ns = 0;
	rec.last_ns = UINT64_MAX;
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		const struct npk_clock clock = { .offset_ns = offsets[i] };
		struct gram g = encode_one(enc, &rec, &clock);

		assert_in_range(be(g.data + 12, 4), 0, SEC - 1);
		assert_int_equal(be(g.data + 4, 4), 0);
		free(g.data);
	}
	npk_enc_free(enc);
}

static void test_sequence_wraps(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	const struct npk_rec rec = make_flow();
	const struct npk_rec *recs[] = { &rec, &rec, &rec };
	struct gram g;

	(void)state;
	enc->sequence = UINT32_MAX - 1;
	g = encode(enc, recs, 3, &golden_clock);
	assert_int_equal(enc->sequence, 1);
	free(g.data);
	npk_enc_free(enc);
}

/* What a collector adds up. */
struct sums {
	uint64_t packets;
	uint64_t octets;
	uint64_t records;
	uint64_t datagrams;
};

static void add_up(struct sums *sums, const struct gram *g)
{
	size_t off;

	for (off = HEADER; off < g->len; off += RECORD) {
		uint32_t packets = be(g->data + off + 16, 4);
		uint32_t octets = be(g->data + off + 20, 4);

		assert_int_not_equal(packets, 0);
		assert_int_not_equal(octets, 0);
		sums->packets += packets;
		sums->octets += octets;
		sums->records++;
	}
	sums->datagrams++;
}

/* Send all records, asking for room each time as the daemon does. */
static struct sums send_all(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr)
{
	struct sums sums = { 0 };
	size_t sent = 0;

	while (sent < nr) {
		struct gram g = encode(enc, recs + sent, nr - sent, &golden_clock);

		assert_int_not_equal(g.len, 0);
		/* Something is left: the datagram must be full. */
		if (sent + g.taken < nr)
			assert_int_equal(be(g.data + 2, 2), MAX_RECORDS);
		add_up(&sums, &g);
		sent += g.taken;
		free(g.data);
	}
	return sums;
}

static void test_split_sums(void **state)
{
	static const struct {
		uint64_t packets;
		uint64_t octets;
		uint64_t records;
	} cases[] = {
		{ 10, UINT32_MAX, 1 },
		{ 10, UINT64_C(1) << 32, 2 },
		{ UINT32_MAX, UINT32_MAX, 1 },
		{ UINT64_C(1) << 32, UINT64_C(64) << 32, 65 },
		{ UINT64_C(5000000000), UINT64_C(300000000000), 70 },
		{ 1000000, UINT64_C(1) << 40, 257 },
		{ 257, UINT64_C(1) << 40, 257 },
		{ UINT64_C(1) << 36, UINT64_C(20) << 36, 321 },
		/* more packets than octets: cannot be, and is still sent */
		{ UINT64_C(1) << 34, UINT64_C(1) << 33, 5 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct npk_enc *enc = new_enc(&default_opts);
		struct npk_rec rec = make_flow();
		const struct npk_rec *recs = &rec;
		struct sums sums;

		rec.packets = cases[i].packets;
		rec.octets = cases[i].octets;
		sums = send_all(enc, &recs, 1);
		assert_true(sums.packets == cases[i].packets);
		assert_true(sums.octets == cases[i].octets);
		assert_true(sums.records == cases[i].records);
		assert_true(enc->sequence == cases[i].records);
		npk_enc_free(enc);
	}
}

/*
 * 2^40 octets in 3 packets: no network can, but if so, the octets are exact and
 * no part has 0 packets, which collectors would drop together with its octets.
 */
static void test_split_fewer_packets_than_parts(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	const struct npk_rec *recs = &rec;
	struct sums sums;

	(void)state;
	rec.packets = 3;
	rec.octets = UINT64_C(1) << 40;
	sums = send_all(enc, &recs, 1);
	assert_true(sums.octets == UINT64_C(1) << 40);
	assert_true(sums.records == 257);
	assert_true(sums.packets == 257);
	npk_enc_free(enc);
}

/* Equal shares, same key and times in every part. */
static void test_split_shares(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	struct gram g;
	size_t i;

	(void)state;
	rec.packets = 10000001;
	rec.octets = UINT64_C(10000000002);
	g = encode_one(enc, &rec, &golden_clock);
	assert_int_equal(g.taken, 1);
	assert_int_equal(be(g.data + 2, 2), 3);
	for (i = 0; i < 3; i++) {
		const uint8_t *r = g.data + HEADER + i * RECORD;

		assert_int_equal(be(r + 16, 4), i < 2 ? 3333334 : 3333333);
		assert_int_equal(be(r + 20, 4), 3333333334);
		assert_memory_equal(r, g.data + HEADER, 16);
		assert_memory_equal(r + 24, g.data + HEADER + 24, RECORD - 24);
	}
	free(g.data);
	npk_enc_free(enc);
}

/* A record in parts after 29 others fills the datagram, goes on in the next, and is taken there. */
static void test_split_over_datagrams(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec small = make_flow(), big = make_flow();
	const struct npk_rec *recs[31];
	struct gram g;
	size_t i;

	(void)state;
	big.packets = 1000000;
	big.octets = UINT64_C(5) << 32;		/* 6 parts */
	for (i = 0; i < 31; i++)
		recs[i] = i == 29 ? &big : &small;
	g = encode(enc, recs, 31, &golden_clock);
	assert_int_equal(g.taken, 29);
	assert_int_equal(be(g.data + 2, 2), 30);
	free(g.data);
	g = encode(enc, recs + 29, 2, &golden_clock);
	assert_int_equal(g.taken, 2);
	assert_int_equal(be(g.data + 2, 2), 6);	/* five parts and the last record */
	free(g.data);
	assert_int_equal(enc->split.done, 0);
	npk_enc_free(enc);
}

/* A record under way that is not offered again leaves no trace in the next one. */
static void test_split_abandoned(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec big = make_flow(), other;
	const struct npk_rec *recs = &other;
	struct sums sums;
	struct gram g;

	(void)state;
	big.packets = 1000000;
	big.octets = UINT64_C(1) << 40;
	g = encode_one(enc, &big, &golden_clock);
	assert_int_equal(g.taken, 0);
	assert_int_equal(g.len, HEADER + MAX_RECORDS * RECORD);
	free(g.data);
	other = big;
	other.octets = UINT64_C(40) << 32;
	sums = send_all(enc, &recs, 1);
	assert_true(sums.octets == UINT64_C(40) << 32);
	assert_true(sums.packets == 1000000);
	npk_enc_free(enc);
}

/* A record whose first parts another stream has sent is gone on with, not begun again. */
static void test_split_goes_on_in_another_stream(void **state)
{
	struct npk_enc *one = new_enc(&default_opts), *two = new_enc(&default_opts);
	struct npk_rec big = make_flow();
	struct sums sums = { 0 };
	struct gram g;

	(void)state;
	big.packets = 1000000;
	big.octets = UINT64_C(40) << 32;	/* 41 parts */
	g = encode_one(one, &big, &golden_clock);
	assert_int_equal(g.taken, 0);
	add_up(&sums, &g);
	free(g.data);
	npk_enc_continue(two, one);
	g = encode_one(two, &big, &golden_clock);
	assert_int_equal(g.taken, 1);
	add_up(&sums, &g);
	free(g.data);
	assert_true(sums.octets == big.octets);
	assert_true(sums.packets == big.packets);
	npk_enc_free(one);
	npk_enc_free(two);
}

/* The largest counters there can be: the first datagram must come at once. */
static void test_split_extreme(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	struct gram g;

	(void)state;
	rec.packets = UINT64_MAX;
	rec.octets = UINT64_MAX;
	g = encode_one(enc, &rec, &golden_clock);
	assert_int_equal(g.taken, 0);
	assert_int_equal(be(g.data + 2, 2), 30);
	assert_int_equal(be(g.data + HEADER + 16, 4), UINT32_MAX);
	assert_int_equal(be(g.data + HEADER + 20, 4), UINT32_MAX);
	free(g.data);
	npk_enc_free(enc);
}

/* encode() compares npk_enc_room() with what is taken, for every datagram. */
static void test_random_mix(void **state)
{
	uint64_t rng = 50;
	unsigned int round;

	(void)state;
	for (round = 0; round < 300; round++) {
		struct npk_enc *enc = new_enc(&default_opts);
		struct npk_rec storage[120];
		const struct npk_rec *recs[120];
		uint64_t packets = 0, octets = 0;
		struct sums sums;
		size_t i, nr = test_random(&rng) % 120 + 1;

		for (i = 0; i < nr; i++) {
			storage[i] = make_flow();
			if (test_random(&rng) % 8 == 0) {
				storage[i].octets = test_random(&rng) >> 24;
				storage[i].octets >>= test_random(&rng) % 20;
				storage[i].octets++;
				storage[i].packets = storage[i].octets / 1000 + 1;
			}
			packets += storage[i].packets;
			octets += storage[i].octets;
			recs[i] = &storage[i];
		}
		sums = send_all(enc, recs, nr);
		assert_true(sums.packets == packets);
		assert_true(sums.octets == octets);
		assert_true((uint32_t)sums.records == enc->sequence);
		assert_true(sums.datagrams == (sums.records + MAX_RECORDS - 1) / MAX_RECORDS);
		npk_enc_free(enc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_sampling),
		cmocka_unit_test(test_record_fields),
		cmocka_unit_test(test_not_exportable),
		cmocka_unit_test(test_nothing_to_say),
		cmocka_unit_test(test_full_datagrams),
		cmocka_unit_test(test_times_exact),
		cmocka_unit_test(test_never_later_than_header),
		cmocka_unit_test(test_before_boot),
		cmocka_unit_test(test_uptime_wrap),
		cmocka_unit_test(test_wall_clock_step),
		cmocka_unit_test(test_extreme_clocks),
		cmocka_unit_test(test_sequence_wraps),
		cmocka_unit_test(test_split_sums),
		cmocka_unit_test(test_split_fewer_packets_than_parts),
		cmocka_unit_test(test_split_shares),
		cmocka_unit_test(test_split_over_datagrams),
		cmocka_unit_test(test_split_goes_on_in_another_stream),
		cmocka_unit_test(test_split_abandoned),
		cmocka_unit_test(test_split_extreme),
		cmocka_unit_test(test_random_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
