// SPDX-License-Identifier: GPL-2.0-only
/* nFlow v1 messages: the golden one, items, limits, digests, compression. */
#include "test.h"
#include "stream.h"
#include "nflow.h"

#include <errno.h>
#include <arpa/inet.h>
#include <zlib.h>

#include "lib/nflow.h"

#define MESSAGE_MAX	1400

/* sysUptime 3600000 ms at 1700000000.250 */
static const struct npk_clock golden_clock = {
	.now_ns = 5000 * SEC + 250 * MS,
	.offset_ns = (int64_t)((NOW_S - 5000) * SEC),
	.boot_ns = 1400 * SEC + 250 * MS,
};

static const struct npk_enc_opts default_opts = {
	.version = NPK_ENC_NFLOW,
	.source_id = 1,
	.max_payload = 1472,
	.sampling = { .interval = 100 },
	.key = "secret",
	.key_len = 6,
	.compress = true,
};

/* 192.0.2.1:49152 -> 198.51.100.2:443 TCP, 9 s long, ended 1 s before golden_clock */
static struct npk_rec make_flow(void)
{
	struct npk_rec rec = {
		.first_ns = 4990 * SEC + 250 * MS,
		.last_ns = 4999 * SEC + 250 * MS,
		.packets = 10,
		.octets = 5000,
		.saddr = { 192, 0, 2, 1 },
		.daddr = { 198, 51, 100, 2 },
		.proto = 6,
		.ip_version = 4,
		.vlan = NPK_VLAN_NONE,
		.vlan2 = NPK_VLAN_NONE,
		.tcp_flags = 0x1b,
	};

	rec.sport = htons(49152);
	rec.dport = htons(443);
	return rec;
}

/* A message as it was before compression. */
struct message {
	uint8_t data[65536];
	size_t len;
	size_t sent;
	size_t taken;
};

static void encode(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr,
		   struct message *m)
{
	size_t room = npk_enc_room(enc, recs, nr, &golden_clock);
	uint8_t *buf = malloc(enc->opts.max_payload);
	uint32_t sequence = enc->sequence;
	uLongf len = sizeof(m->data);

	assert_non_null(buf);
	assert_int_equal(npk_enc_datagram(enc, recs, nr, &golden_clock, buf, &m->sent, &m->taken),
			 0);
	assert_int_equal(m->taken, room);
	assert_in_range(m->sent, 1, enc->opts.max_payload);
	if (enc->opts.compress) {
		assert_int_equal(uncompress(m->data, &len, buf, m->sent), Z_OK);
		assert_int_equal(buf[0], 0x78);
		assert_int_equal(be(buf, 2) % 31, 0);
	} else {
		memcpy(m->data, buf, m->sent);
		len = m->sent;
	}
	m->len = len;
	assert_in_range(m->len, NFLOW_HEADER_LEN, MESSAGE_MAX);
	assert_int_equal(be(m->data, 2), 24);
	assert_int_equal(be(m->data + 16, 4), sequence);
	assert_int_equal(enc->sequence, (uint32_t)(sequence + be(m->data + 2, 2)));
	free(buf);
}

static void test_golden(void **state)
{
	const struct npk_rec rec = make_flow();
	const struct npk_rec *recs = &rec;
	struct npk_enc_opts opts = default_opts;
	struct npk_enc *enc;
	struct message m;
	int plain;

	(void)state;
	for (plain = 0; plain < 2; plain++) {
		opts.compress = !plain;
		enc = new_enc(&opts);
		enc->sequence = 1000;
		encode(enc, &recs, 1, &m);
		assert_int_equal(m.taken, 1);
		assert_int_equal(m.len, sizeof(golden_nflow));
		assert_memory_equal(m.data, golden_nflow, sizeof(golden_nflow));
		npk_enc_free(enc);
	}
}

static void test_no_key(void **state)
{
	static const uint8_t digest[] = { 0x71, 0x66, 0xdf, 0xe1, 0x78, 0x46, 0x73, 0x06,
					  0x6a, 0xc2, 0xae, 0xb7, 0x89, 0x46, 0x2e, 0x53 };
	const struct npk_rec rec = make_flow();
	const struct npk_rec *recs = &rec;
	struct npk_enc_opts opts = default_opts;
	struct npk_enc *enc;
	struct message m;

	(void)state;
	opts.key = NULL;
	opts.key_len = 0;
	enc = new_enc(&opts);
	enc->sequence = 1000;
	encode(enc, &recs, 1, &m);
	assert_memory_equal(m.data, golden_nflow, NFLOW_DIGEST_AT);
	assert_memory_equal(m.data + NFLOW_DIGEST_AT, digest, sizeof(digest));
	npk_enc_free(enc);
}

/* Only the first 16 octets of a key count. */
static void test_long_key(void **state)
{
	const struct npk_rec rec = make_flow();
	const struct npk_rec *recs = &rec;
	struct npk_enc_opts opts = default_opts;
	struct message m[3];
	struct npk_enc *enc;
	int i;

	(void)state;
	opts.key = "0123456789abcdefXYZ";
	for (i = 0; i < 3; i++) {
		opts.key_len = (size_t)17 - (size_t)i;
		enc = new_enc(&opts);
		encode(enc, &recs, 1, &m[i]);
		npk_enc_free(enc);
	}
	assert_memory_equal(m[0].data, m[1].data, m[0].len);
	assert_memory_not_equal(m[0].data, m[2].data, m[0].len);
}

/* The record at @off with the items it must have: type, length, value as octets. */
static void check_items(const struct message *m, size_t off, const char *hex)
{
	size_t len = be(m->data + off, 2);
	char got[1024] = "";
	size_t i;

	assert_true(off + len <= m->len);
	for (i = 2; i < len; i++)
		snprintf(got + 2 * (i - 2), 3, "%02x", m->data[off + i]);
	assert_string_equal(got, hex);
}

#define ADDRESS6 "20010db8000000000000000000000001"

static void test_every_item(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	const struct npk_rec *recs = &rec;
	struct message m;

	(void)state;
	rec.ip_version = 6;
	memcpy(rec.saddr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	memcpy(rec.daddr, rec.saddr, 16);
	rec.tos = 0xb8;
	rec.tcp_flags = 0x11b;
	rec.in_if = 3;
	rec.out_if = 0x10004;
	rec.dir = NPK_DIR_EGRESS;
	rec.flow_label = 0x12345;
	rec.vlan = 0;
	rec.nr_mpls = 2;
	rec.mpls[0] = 0x123450ff;
	rec.mpls[1] = 0xabcdef40;
	rec.fragments = 7;
	rec.server_delay_us = 3000001;
	rec.appl_delay_us = 2;
	encode(enc, &recs, 1, &m);
	check_items(&m, NFLOW_HEADER_LEN,
		    "001b0010" ADDRESS6 "001c0010" ADDRESS6
		    "00070002c000" "000b000201bb" "0004000106" "00050001b8" "000600011b"
		    "0001000400001388" "000200040000000a" "001600040036c770" "001500040036ea98"
		    "000a000400000003" "000e000400010004" "003d000101" "003c000106"
		    "001f0003012345" "005200020000" "00460003123450" "00470003abcdef"
		    "0050000101" "0053000400000001" "005400041dcd66f4"
		    "0055000400000000" "00560004000007d0");
	npk_enc_free(enc);
}

static void test_icmp(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	const struct npk_rec *recs = &rec;
	struct message m;

	(void)state;
	rec.proto = 1;
	rec.sport = 0;
	rec.tcp_flags = 0;
	rec.dport = htons(8 * 256);
	encode(enc, &recs, 1, &m);
	assert_int_equal(m.len, sizeof(golden_nflow) + 8);
	assert_memory_equal(m.data + m.len - 8, "\0\x58\0\4\0\0\1\0", 8);
	rec.dport = htons(40 * 256);	/* no such bit */
	encode(enc, &recs, 1, &m);
	assert_int_equal(m.len, sizeof(golden_nflow));
	npk_enc_free(enc);
}

static void test_limits(void **state)
{
	static const struct {
		size_t payload;
		size_t flows;
	} cases[] = {
		{ 512, 6 }, { 1399, 17 }, { 1472, 17 }, { 9000, 17 },
	};
	struct npk_rec rec = make_flow();
	const struct npk_rec *recs[100];
	struct npk_enc_opts opts = default_opts;
	struct npk_enc *enc;
	struct message m;
	size_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		recs[i] = &rec;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		opts.max_payload = cases[i].payload;
		enc = new_enc(&opts);
		encode(enc, recs, 100, &m);
		assert_int_equal(m.taken, cases[i].flows);
		assert_int_equal(m.len, NFLOW_HEADER_LEN + 77 * cases[i].flows);
		npk_enc_free(enc);
	}
	opts.sampling.interval = 65536;
	assert_int_equal(npk_enc_new(&opts, &enc), -EINVAL);
	opts.sampling.interval = 1;
	enc = new_enc(&opts);
	encode(enc, recs, 1, &m);
	assert_int_equal(be(m.data + 24, 2), 0);	/* every packet */
	npk_enc_free(enc);
}

/* A record of 40 parts: the first message is full of them, the second ends it. */
static void test_split(void **state)
{
	struct npk_rec huge = make_flow(), small = make_flow();
	const struct npk_rec *recs[] = { &huge, &small };
	struct npk_enc *enc = new_enc(&default_opts);
	uint64_t packets = 0, octets = 0;
	size_t parts = 0, off;
	struct message m;

	(void)state;
	huge.octets = UINT64_C(40) * UINT32_MAX;
	huge.packets = 1000003;
	do {
		encode(enc, recs, 2, &m);
		for (off = NFLOW_HEADER_LEN; off < m.len; off += 77) {
			assert_int_equal(be(m.data + off, 2), 77);
			octets += be(m.data + off + 49, 4);
			packets += be(m.data + off + 57, 4);
			parts++;
		}
	} while (m.taken < 2);
	assert_int_equal(parts, 41);
	assert_true(octets == huge.octets + small.octets);
	assert_true(packets == huge.packets + small.packets);
	npk_enc_free(enc);
}

static void test_not_exportable(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec rec = make_flow();
	const struct npk_rec *recs = &rec;
	uint8_t buf[1472];
	size_t len, taken;

	(void)state;
	assert_int_equal(npk_enc_datagram(enc, NULL, 0, &golden_clock, buf, &len, &taken), 0);
	assert_int_equal(len, 0);
	rec.packets = 0;
	assert_string_equal(npk_enc_exportable(enc, &rec), "empty_record");
	assert_int_equal(npk_enc_datagram(enc, &recs, 1, &golden_clock, buf, &len, &taken),
			 -EINVAL);
	assert_int_equal(len, 0);
	npk_enc_free(enc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_long_key),
		cmocka_unit_test(test_every_item),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_not_exportable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
