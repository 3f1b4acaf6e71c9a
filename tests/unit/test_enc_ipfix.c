// SPDX-License-Identifier: GPL-2.0-only
/* IPFIX messages: golden octets, lengths, what the sequence counts; the rest is v9's test. */
#include "test.h"
#include "stream.h"

#include <errno.h>
#include <arpa/inet.h>

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

#define HEADER		16
#define SET_HEADER	4

static const struct npk_clock golden_clock = {
	.now_ns = 5000 * SEC + 999 * MS,
	.offset_ns = (int64_t)((NOW_S - 5000) * SEC),
	.boot_ns = 1400 * SEC,
};

static const struct npk_enc_opts default_opts = {
	.version = NPK_ENC_IPFIX,
	.source_id = 1,
	.template_id = 256,
	.max_payload = 1472,
};

static struct npk_rec flow4(void)
{
	return (struct npk_rec){
		.first_ns = 4990 * SEC, .last_ns = 4999 * SEC,
		.packets = 10, .octets = 5000,
		.saddr = { 192, 0, 2, 1 }, .daddr = { 198, 51, 100, 2 },
		.sport = htons(49152), .dport = htons(443), .proto = 6,
		.ip_version = 4, .end_reason = NPK_END_FLOW,
		.in_if = 3, .out_if = 4,
		.vlan = NPK_VLAN_NONE, .vlan2 = NPK_VLAN_NONE,
		.tcp_flags = 0x1b, .client_delay_us = 46000,
	};
}

static struct npk_rec flow6(void)
{
	struct npk_rec rec = flow4();

	rec.ip_version = 6;
	return rec;
}

/**
 * struct message - one message, taken apart down to its sets
 * @data: on the heap, of max_payload octets, so that ASan guards its end
 * @len: octets
 * @taken: records
 * @nr_sets: sets
 * @set: where they start
 */
struct message {
	uint8_t *data;
	size_t len;
	size_t taken;
	size_t nr_sets;
	const uint8_t *set[4];
};

static struct message encode(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr)
{
	size_t room = npk_enc_room(enc, recs, nr, &golden_clock), at = HEADER;
	struct message m = { .data = malloc(enc->opts.max_payload) };
	uint32_t sequence = enc->sequence;

	assert_non_null(m.data);
	assert_int_equal(npk_enc_datagram(enc, recs, nr, &golden_clock, m.data, &m.len, &m.taken),
			 0);
	assert_int_equal(m.taken, room);
	assert_int_equal(enc->sequence, sequence + m.taken);
	if (!m.len)
		return m;
	assert_int_equal(be(m.data, 2), 10);
	assert_int_equal(be(m.data + 2, 2), m.len);
	assert_int_equal(be(m.data + 4, 4), NOW_S);
	assert_int_equal(be(m.data + 8, 4), sequence);
	while (at < m.len) {
		assert_true(m.nr_sets < NR(m.set));
		m.set[m.nr_sets++] = m.data + at;
		at += be(m.data + at + 2, 2);
		assert_int_equal(at % 4, 0);
	}
	assert_int_equal(at, m.len);
	return m;
}

/* A published message has options sets too: equal are template set and data set of flows. */
static void test_golden(void **state)
{
	static const uint8_t template_set[] = {
		0x00, 0x02, 0x00, 0x3c, 0x01, 0x00, 0x00, 0x0d, 0x00, 0x08, 0x00, 0x04,
		0x00, 0x0c, 0x00, 0x04, 0x00, 0x07, 0x00, 0x02, 0x00, 0x0b, 0x00, 0x02,
		0x00, 0x04, 0x00, 0x01, 0x00, 0x06, 0x00, 0x02, 0x00, 0x88, 0x00, 0x01,
		0x00, 0x01, 0x00, 0x08, 0x00, 0x02, 0x00, 0x08, 0x00, 0x98, 0x00, 0x08,
		0x00, 0x99, 0x00, 0x08, 0x00, 0x0a, 0x00, 0x04, 0x00, 0x0e, 0x00, 0x04,
	};
	static const uint8_t data_set[] = {
		0x01, 0x00, 0x00, 0x3c, 0xc0, 0x00, 0x02, 0x01, 0xc6, 0x33, 0x64, 0x02,
		0xc0, 0x00, 0x01, 0xbb, 0x06, 0x00, 0x1b, 0x03, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x13, 0x88, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a,
		0x00, 0x00, 0x01, 0x8b, 0xcf, 0xe5, 0x40, 0xf0, 0x00, 0x00, 0x01, 0x8b,
		0xcf, 0xe5, 0x64, 0x18, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x04,
	};
	static const struct npk_field fields[] = {
		NPK_FIELD(IPV4_SRC_ADDR), NPK_FIELD(IPV4_DST_ADDR), NPK_FIELD(L4_SRC_PORT),
		NPK_FIELD(L4_DST_PORT), NPK_FIELD(PROTOCOL), NPK_FIELD(TCP_FLAGS),
		NPK_FIELD(FLOW_END_REASON), NPK_FIELD(IN_BYTES), NPK_FIELD(IN_PKTS),
		NPK_FIELD(FLOW_START_MILLISECONDS), NPK_FIELD(FLOW_END_MILLISECONDS),
		NPK_FIELD(INPUT_SNMP), NPK_FIELD(OUTPUT_SNMP),
	};
	const struct npk_enc_template templates[__NPK_ENC_FAMILY_MAX] = {
		[NPK_ENC_IPV4] = { .fields = fields, .nr_fields = NR(fields), .id = 256 },
	};
	const struct npk_rec rec = flow4(), ipv6 = flow6(), *recs = &rec;
	struct npk_enc *enc;
	struct message m;

	(void)state;
	assert_int_equal(npk_enc_new_templates(&default_opts, templates, &enc), 0);
	assert_string_equal(npk_enc_exportable(enc, &ipv6), "no_ipv6_template");
	enc->sequence = 41;
	m = encode(enc, &recs, 1);
	assert_int_equal(be(m.data + 12, 4), 1);
	assert_int_equal(m.nr_sets, 2);
	assert_int_equal(m.len, HEADER + sizeof(template_set) + sizeof(data_set));
	assert_memory_equal(m.set[0], template_set, sizeof(template_set));
	assert_memory_equal(m.set[1], data_set, sizeof(data_set));
	free(m.data);
	npk_enc_free(enc);
}

/* An enterprise's element, as in a published template: eight octets of specifier. */
static void test_enterprise(void **state)
{
	static const uint8_t want[] = {
		0x00, 0x02, 0x00, 0x18, 0x01, 0x02, 0x00, 0x03, 0x00, 0x08, 0x00, 0x04, 0x00, 0x0c,
		0x00, 0x04, 0x80, 0x7b, 0x00, 0x04, 0x00, 0x00, 0x8b, 0x30, 0x01, 0x02, 0x00, 0x10,
		0xc0, 0x00, 0x02, 0x01, 0xc6, 0x33, 0x64, 0x02, 0x00, 0x00, 0x00, 0x17,
	};
	static const struct npk_field fields[] = {
		NPK_FIELD(IPV4_SRC_ADDR), NPK_FIELD(IPV4_DST_ADDR), NPK_FIELD(CLIENT_NW_LATENCY_MS),
	};
	const struct npk_enc_template templates[__NPK_ENC_FAMILY_MAX] = {
		[NPK_ENC_IPV4] = { .fields = fields, .nr_fields = NR(fields), .id = 258 },
	};
	const struct npk_rec rec = flow4(), *recs = &rec;
	struct npk_enc *enc;
	struct message m;

	(void)state;
	assert_int_equal(npk_enc_new_templates(&default_opts, templates, &enc), 0);
	m = encode(enc, &recs, 1);
	assert_int_equal(m.len, HEADER + sizeof(want));
	assert_memory_equal(m.data + HEADER, want, sizeof(want));
	free(m.data);
	npk_enc_free(enc);
}

/**
 * struct want - what a message with one flow record on offer is to hold
 * @taken: records
 * @nr_sets: sets
 * @grows: how much the sequence grows
 */
struct want {
	size_t taken;
	size_t nr_sets;
	uint32_t grows;
};

static void check_sets(struct npk_enc *enc, const struct want *want, size_t nr)
{
	const struct npk_rec flow = flow4(), *rec = &flow;
	const struct npk_clock clock = golden_clock;
	uint8_t data[1472];
	size_t i;

	for (i = 0; i < nr; i++) {
		uint32_t sequence = enc->sequence;
		size_t len, taken, at, sets = 0;

		assert_int_equal(npk_enc_datagram(enc, &rec, 1, &clock, data, &len, &taken), 0);
		for (at = HEADER; at < len; at += be(data + at + 2, 2))
			sets++;
		assert_int_equal(be(data + 8, 4), sequence);
		assert_int_equal(be(data + 12, 4), enc->opts.source_id);
		assert_int_equal(taken, want[i].taken);
		assert_int_equal(sets, want[i].nr_sets);
		assert_int_equal(enc->sequence - sequence, want[i].grows);
	}
}

/*
 * nfcapd does not count options records in the sequence.  So the one of sampling goes before
 * the first flow, and then only where it says something or a collector may have started anew.
 */
static void test_sampling_apart(void **state)
{
	static const struct want all[] = {
		{ 0, 2, 1 }, { 1, 2, 1 }, { 1, 1, 1 }, { 1, 2, 1 }, { 1, 1, 1 },
	}, some[] = {
		{ 0, 2, 1 }, { 1, 2, 1 }, { 1, 1, 1 }, { 0, 2, 1 }, { 1, 2, 1 }, { 1, 1, 1 },
	};
	struct npk_enc_opts opts = default_opts;
	struct npk_enc *enc;

	(void)state;
	opts.options_ms = 60000;
	opts.template_datagrams = 2;
	enc = new_enc(&opts);
	check_sets(enc, all, NR(all));
	/* to one that is away each datagram has the templates, and could be the first it hears */
	npk_enc_resend_templates(enc);
	check_sets(enc, all + 1, 1);
	npk_enc_resend_templates(enc);
	check_sets(enc, all + 1, 1);
	npk_enc_resend_options(enc);
	check_sets(enc, all, 1);
	check_sets(enc, all + 2, 1);
	npk_enc_free(enc);
	opts.sampling.interval = 10;
	enc = new_enc(&opts);
	check_sets(enc, some, NR(some));
	npk_enc_resend_templates(enc);
	check_sets(enc, some, 2);
	npk_enc_resend_templates(enc);
	check_sets(enc, some, 2);
	npk_enc_free(enc);
}

/* Templates are no data records: a message of them alone does not move the sequence. */
static void test_sequence(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	const struct npk_rec v4 = flow4(), v6 = flow6();
	const struct npk_rec *recs[] = { &v4, &v6, &v4 };
	struct message m = encode(enc, NULL, 0);

	(void)state;
	assert_int_equal(m.nr_sets, 1);
	assert_int_equal(be(m.set[0], 2), 2);
	assert_int_equal(enc->sequence, 0);
	free(m.data);
	m = encode(enc, recs, 3);
	assert_int_equal(m.nr_sets, 2);
	assert_int_equal(be(m.set[0], 2), 256);
	assert_int_equal(be(m.set[1], 2), 257);
	assert_int_equal(enc->sequence, 3);
	free(m.data);
	npk_enc_resend_templates(enc);
	m = encode(enc, recs, 2);
	assert_int_equal(m.nr_sets, 3);
	assert_int_equal(enc->sequence, 5);
	free(m.data);
	m = encode(enc, NULL, 0);
	assert_int_equal(m.len, 0);
	free(m.data);
	npk_enc_free(enc);
}

/* Element, length and enterprise of every field of the default templates. */
static void test_default_templates(void **state)
{
	static const uint16_t v4[][2] = {
		{ 8, 4 }, { 12, 4 }, { 32, 2 }, { 7, 2 }, { 11, 2 }, { 4, 1 }, { 6, 2 }, { 5, 1 },
		{ 61, 1 }, { 1, 8 }, { 2, 8 }, { 152, 8 }, { 153, 8 }, { 10, 4 }, { 14, 4 },
		{ 58, 2 }, { 56, 6 }, { 80, 6 }, { 52, 1 }, { 53, 1 }, { 60, 1 }, { 25, 4 },
		{ 26, 4 }, { 136, 1 }, { 0x8000 + 123, 4 }, { 0x8000 + 124, 4 },
		{ 0x8000 + 125, 4 }, { 0x8000 + 109, 4 }, { 0x8000 + 111, 4 },
	};
	static const uint16_t v6[][2] = {
		{ 27, 16 }, { 28, 16 }, { 139, 2 }, { 178, 1 }, { 179, 1 }, { 7, 2 }, { 11, 2 },
		{ 4, 1 }, { 6, 2 }, { 5, 1 }, { 61, 1 }, { 1, 8 }, { 2, 8 }, { 152, 8 }, { 153, 8 },
		{ 10, 4 }, { 14, 4 }, { 31, 4 }, { 58, 2 }, { 56, 6 }, { 80, 6 },
		{ 52, 1 }, { 53, 1 }, { 60, 1 }, { 25, 4 }, { 26, 4 }, { 136, 1 },
		{ 0x8000 + 123, 4 }, { 0x8000 + 124, 4 }, { 0x8000 + 125, 4 },
		{ 0x8000 + 109, 4 }, { 0x8000 + 111, 4 },
	};
	struct npk_enc_opts opts = default_opts;
	const uint8_t *p, *end;
	struct npk_enc *enc;
	struct message m;
	unsigned int f;
	size_t i;

	(void)state;
	opts.max_payload = NPK_ENC_MIN_DATAGRAM;	/* with a record they fit the smallest */
	enc = new_enc(&opts);
	m = encode(enc, NULL, 0);
	p = m.set[0] + SET_HEADER;
	for (f = 0; f < 2; f++) {
		assert_int_equal(be(p, 2), 256 + f);
		assert_int_equal(be(p + 2, 2), f ? NR(v6) : NR(v4));
		p += 4;
		for (i = 0; i < (f ? NR(v6) : NR(v4)); i++, p += 4) {
			const uint16_t *want = f ? v6[i] : v4[i];

			assert_int_equal(be(p, 2), want[0]);
			assert_int_equal(be(p + 2, 2), want[1]);
			if (!(want[0] & 0x8000))
				continue;
			assert_int_equal(be(p + 4, 4), 35632);
			p += 4;
		}
	}
	end = m.data + m.len;
	assert_ptr_equal(p, end);
	free(m.data);
	npk_enc_free(enc);
}

/* Any mix and any room: full, never more than full (see encode()), padded with zeros. */
static void test_random_mix(void **state)
{
	const struct npk_rec v4 = flow4(), v6 = flow6();
	uint64_t rng = 10;
	unsigned int round;

	(void)state;
	for (round = 0; round < 200; round++) {
		struct npk_enc_opts opts = default_opts;
		const struct npk_rec *recs[100];
		size_t i, sent = 0, most;
		struct npk_enc *enc;

		opts.max_payload = NPK_ENC_MIN_DATAGRAM + test_random(&rng) % 1500;
		opts.template_datagrams = (uint32_t)(test_random(&rng) % 4);
		enc = new_enc(&opts);
		most = enc->sets[NPK_ENC_IPV6].plan.record_len + SET_HEADER + 3u + 3u;
		for (i = 0; i < NR(recs); i++)
			recs[i] = test_random(&rng) % 2 ? &v4 : &v6;
		while (sent < NR(recs)) {
			struct message m = encode(enc, recs + sent, NR(recs) - sent);

			assert_int_not_equal(m.taken, 0);
			assert_true(m.len <= opts.max_payload);
			sent += m.taken;
			assert_true(sent == NR(recs) || m.len + most > opts.max_payload);
			free(m.data);
		}
		assert_int_equal(enc->sequence, NR(recs));
		npk_enc_free(enc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_enterprise),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_sampling_apart),
		cmocka_unit_test(test_default_templates),
		cmocka_unit_test(test_random_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
