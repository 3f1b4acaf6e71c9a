// SPDX-License-Identifier: GPL-2.0-only
/* nflow9: the golden signed datagram, room for the trailer, compression, fingerprints. */
#include "test.h"
#include "stream.h"
#include "nflow.h"

#include <errno.h>
#include <arpa/inet.h>
#include <zlib.h>

#include "lib/fingerprint.h"
#include "lib/nf9.h"
#include "lib/template.h"

/* sysUptime 3600000 ms at 1700000000.000 */
static const struct npk_clock golden_clock = {
	.now_ns = 5000 * SEC,
	.offset_ns = (int64_t)((NOW_S - 5000) * SEC),
	.boot_ns = 1400 * SEC,
};

static const struct npk_enc_opts default_opts = {
	.version = NPK_ENC_NFLOW9,
	.source_id = 1,
	.template_id = 256,
	.max_payload = 1472,
	.key = "secret",
	.key_len = 6,
};

static struct npk_rec make_flow(void)
{
	return (struct npk_rec){
		.first_ns = 4990 * SEC, .last_ns = 4999 * SEC,
		.packets = 3, .octets = 5000,
		.saddr = { 192, 0, 2, 1 }, .daddr = { 198, 51, 100, 2 },
		.sport = htons(49152), .dport = htons(443), .proto = 6,
		.ip_version = 4, .vlan = 42, .vlan2 = NPK_VLAN_NONE, .tcp_flags = 0x1b,
		.client_delay_us = 24000, .server_delay_us = 6000,
	};
}

static const struct npk_field golden_fields[] = {
	NPK_FIELD(IPV4_SRC_ADDR), NPK_FIELD(IPV4_DST_ADDR),
	NPK_FIELD(L4_SRC_PORT), NPK_FIELD(L4_DST_PORT),
	NPK_FIELD(PROTOCOL), NPK_FIELD(TCP_FLAGS), NPK_FIELD(SRC_VLAN),
	NPK_FIELD_LEN(IN_BYTES, 4), NPK_FIELD_LEN(IN_PKTS, 4),
	NPK_FIELD(FIRST_SWITCHED), NPK_FIELD(LAST_SWITCHED),
	NPK_FIELD(CLIENT_NW_LATENCY_MS), NPK_FIELD(SERVER_NW_LATENCY_MS),
};

static struct npk_enc *golden_enc(const struct npk_enc_opts *opts)
{
	const struct npk_enc_template templates[__NPK_ENC_FAMILY_MAX] = {
		[NPK_ENC_IPV4] = {
			golden_fields, sizeof(golden_fields) / sizeof(golden_fields[0]), 300,
		},
	};
	struct npk_enc *enc;

	assert_int_equal(npk_enc_new_templates(opts, templates, &enc), 0);
	enc->sequence = 7;
	return enc;
}

static size_t encode_one(struct npk_enc *enc, const struct npk_rec *rec, uint8_t *buf)
{
	size_t len, taken;

	assert_int_equal(npk_enc_datagram(enc, &rec, 1, &golden_clock, buf, &len, &taken), 0);
	assert_int_equal(taken, 1);
	return len;
}

static void test_golden(void **state)
{
	struct npk_enc *enc = golden_enc(&default_opts);
	struct npk_rec rec = make_flow();
	uint8_t buf[1472];

	(void)state;
	rec.packets = 10;
	assert_int_equal(encode_one(enc, &rec, buf), sizeof(golden_nflow9));
	assert_memory_equal(buf, golden_nflow9, sizeof(golden_nflow9));
	npk_enc_free(enc);
}

/* Without a key there is no trailer, and the header counts none. */
static void test_unsigned(void **state)
{
	struct npk_enc_opts opts = default_opts;
	struct npk_rec rec = make_flow();
	struct npk_enc *enc;
	uint8_t buf[1472];

	(void)state;
	opts.key_len = 0;
	enc = golden_enc(&opts);
	rec.packets = 10;
	assert_int_equal(encode_one(enc, &rec, buf), sizeof(golden_nflow9) - NFLOW9_TRAILER_LEN);
	assert_int_equal(buf[3], 2);
	assert_memory_equal(buf + 4, golden_nflow9 + 4,
			    sizeof(golden_nflow9) - NFLOW9_TRAILER_LEN - 4);
	npk_enc_free(enc);
}

static void test_compressed(void **state)
{
	struct npk_enc_opts opts = default_opts;
	struct npk_rec rec = make_flow();
	uint8_t buf[1472], out[1472];
	uLongf out_len = sizeof(out);
	struct npk_enc *enc;
	size_t len;

	(void)state;
	opts.compress = true;
	enc = golden_enc(&opts);
	rec.packets = 10;
	len = encode_one(enc, &rec, buf);
	assert_true(len < sizeof(golden_nflow9));
	assert_int_equal(uncompress(out, &out_len, buf, len), Z_OK);
	assert_int_equal(out_len, sizeof(golden_nflow9));
	assert_memory_equal(out, golden_nflow9, sizeof(golden_nflow9));
	npk_enc_free(enc);
}

/* The trailer always has room; where a record does not fit beside them, templates go alone. */
static void test_room(void **state)
{
	const struct npk_rec rec = make_flow();
	const struct npk_rec *recs[64];
	struct npk_enc_opts opts = default_opts;
	size_t len, taken, total;
	struct npk_enc *enc;
	uint8_t *buf;
	int i;

	(void)state;
	for (i = 0; i < 64; i++)
		recs[i] = &rec;
	for (opts.max_payload = NPK_ENC_MIN_DATAGRAM; opts.max_payload < 1500; opts.max_payload++) {
		assert_int_equal(npk_enc_new(&opts, &enc), 0);
		buf = malloc(opts.max_payload);
		assert_non_null(buf);
		for (total = 0; total < 64; total += taken) {
			taken = npk_enc_room(enc, recs, 64 - total, &golden_clock);
			assert_int_equal(npk_enc_datagram(enc, recs, 64 - total, &golden_clock,
							  buf, &len, &taken), 0);
			assert_true(len > NF9_HEADER_LEN + NFLOW9_TRAILER_LEN);
			assert_true(len <= opts.max_payload);
			assert_true(taken || buf[NF9_HEADER_LEN + 1] == NF9_TEMPLATE_SET);
			assert_memory_equal(buf + len - NFLOW9_TRAILER_LEN, npk_nflow9_trailer,
					    NFLOW9_TRAILER_LEN - 32);
		}
		free(buf);
		npk_enc_free(enc);
	}
}

/*
 * Found by fuzzing: where templates go alone and are due with every datagram, records
 * have their turn all the same.
 */
static void test_records_have_their_turn(void **state)
{
	const struct npk_rec rec = make_flow();
	const struct npk_rec *recs[] = { &rec, &rec, &rec, &rec, &rec, &rec };
	struct npk_enc_opts opts = default_opts;
	size_t len, taken, total = 0;
	struct npk_enc *enc;
	uint8_t buf[512];
	int n;

	(void)state;
	opts.max_payload = sizeof(buf);
	opts.template_datagrams = 1;
	assert_int_equal(npk_enc_new(&opts, &enc), 0);
	for (n = 0; total < 6; n++, total += taken) {
		assert_in_range(n, 0, 11);
		npk_enc_resend_templates(enc);
		taken = npk_enc_room(enc, recs, 6 - total, &golden_clock);
		assert_int_equal(!!taken, n % 2);
		assert_int_equal(npk_enc_datagram(enc, recs, 6 - total, &golden_clock, buf, &len,
						  &taken), 0);
		assert_int_equal(!!taken, n % 2);
	}
	npk_enc_free(enc);
}

/* The route got a larger MTU: there is memory for what is compressed then. */
static void test_size_grows(void **state)
{
	struct npk_rec rec[64];
	const struct npk_rec *recs[64];
	uint64_t random = 1;
	struct npk_enc_opts opts = default_opts;
	size_t i, j, len, taken, out_len = 8972;
	struct npk_enc *enc;
	uint8_t buf[8972], out[8972];

	(void)state;
	for (i = 0; i < 64; i++) {	/* hard to compress */
		for (j = 0; j < sizeof(rec[i]); j++)
			((uint8_t *)&rec[i])[j] = (uint8_t)test_random(&random);
		rec[i].ip_version = 4;
		rec[i].nr_mpls = 0;
		rec[i].syn = (struct npk_syn){};
		recs[i] = &rec[i];
	}
	opts.max_payload = NPK_ENC_MIN_DATAGRAM;
	opts.compress = true;
	assert_int_equal(npk_enc_new(&opts, &enc), 0);
	assert_int_equal(npk_enc_set_max_payload(enc, sizeof(buf)), 0);
	assert_int_equal(npk_enc_datagram(enc, recs, 64, &golden_clock, buf, &len, &taken), 0);
	assert_true(len > 2 * NPK_ENC_MIN_DATAGRAM && taken > 10);
	assert_int_equal(uncompress(out, &out_len, buf, len), Z_OK);
	npk_enc_free(enc);
}

/* A data set may not be taken for the trailer. */
static void test_template_ids(void **state)
{
	struct npk_enc_opts opts = default_opts;
	struct npk_enc *enc;
	unsigned int id;

	(void)state;
	for (id = 65278; id < 65286; id++) {
		opts.template_id = (uint16_t)id;
		assert_int_equal(npk_enc_new(&opts, &enc),
				 id >= 65280 && id <= 65282 ? -EINVAL : 0);
		npk_enc_free(enc);
	}
}

/* Nor may it be when another stream's fields want other ids. */
static void test_next_template_ids(void **state)
{
	struct npk_enc *one, *two;
	struct npk_enc_opts opts = default_opts;
	struct npk_template *t;
	char *unknown;

	(void)state;
	opts.template_id = 65278;
	assert_int_equal(npk_enc_new(&opts, &one), 0);
	assert_int_equal(npk_template_parse("%IPV4_SRC_ADDR %IN_BYTES", &unknown, &t), 0);
	opts.fields = t;
	assert_int_equal(npk_enc_new(&opts, &two), 0);
	npk_enc_continue(two, one);
	assert_true(two->sets[NPK_ENC_IPV4].id > 65282);
	assert_true(two->sets[NPK_ENC_IPV6].id > 65282);
	npk_enc_free(one);
	npk_enc_free(two);
	npk_template_free(t);
}

static void check_fingerprint(const struct npk_syn *syn, const char *want)
{
	uint8_t got[NPK_FINGERPRINT_LEN];

	npk_fingerprint(syn, got);
	assert_string_equal((const char *)got, want);
}

static void test_fingerprint(void **state)
{
	struct npk_syn syn = {
		.options = NPK_SYN_OPT_MSS | NPK_SYN_OPT_SACK_OK << 4 | NPK_SYN_OPT_TIMESTAMP << 8 |
			   NPK_SYN_OPT_NOP << 12 | NPK_SYN_OPT_WSCALE << 16,
		.window = 64240, .mss = 1460, .wscale = 7, .ttl = 57, .tcp_len = 40,
		.quirks = NPK_QUIRK_DF,
		.flags = NPK_SYN_SEEN | NPK_SYN_MSS | NPK_SYN_WSCALE,
	};

	(void)state;
	check_fingerprint(&syn, "FAF005B440071111S28");
	syn.flags |= NPK_SYN_ACK;
	syn.ttl = 129;
	check_fingerprint(&syn, "FAF005B4FF071111A28");
	syn = (struct npk_syn){ .flags = NPK_SYN_SEEN, .ttl = 64, .tcp_len = 20 };
	check_fingerprint(&syn, "0000_MSS40WS0000S14");
	syn.flags = 0;
	check_fingerprint(&syn, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_records_have_their_turn),
		cmocka_unit_test(test_size_grows),
		cmocka_unit_test(test_template_ids),
		cmocka_unit_test(test_next_template_ids),
		cmocka_unit_test(test_fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
