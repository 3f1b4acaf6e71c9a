// SPDX-License-Identifier: GPL-2.0-only
/* The verifier: golden datagrams, each octet altered or missing, round trips, hostile streams. */
#include "test.h"
#include "stream.h"
#include "nflow.h"

#include <arpa/inet.h>
#include <zlib.h>

#include <npk/enc.h>
#include <npk/verify.h>

#include "lib/buf.h"
#include "lib/nf9.h"
#include "lib/nflow.h"
#include "lib/replay.h"
#include "lib/verify.h"

#define TRAILER		72

static const struct npk_verify_from here = { .addr = { [15] = 1 }, .port = 2055 };

/* What the callback was given. */
static struct npk_rec got[256];
static size_t nr_got;

static void take(void *arg, const struct npk_verified *about, const struct npk_rec *rec)
{
	assert_ptr_equal(arg, got);
	assert_in_range(about->verdict, NPK_VERDICT_VALID, NPK_VERDICT_UNSIGNED);
	assert_int_not_equal(about->verdict, NPK_VERDICT_BAD_DIGEST);
	assert_in_range(nr_got, 0, 255);
	got[nr_got++] = *rec;
}

static struct npk_verify *new_verify(const char *key)
{
	const struct npk_verify_opts opts = {
		.key = key, .key_len = key ? strlen(key) : 0, .flow = take, .arg = got,
	};
	struct npk_verify *v;

	assert_int_equal(npk_verify_new(&opts, &v), 0);
	nr_got = 0;
	return v;
}

/* Out of memory of exactly its length, so that ASan sees a read beyond it. */
static struct npk_verified check(struct npk_verify *v, const uint8_t *data, size_t len)
{
	struct npk_verified out;
	uint8_t *copy = malloc(len);

	assert_non_null(copy);
	memcpy(copy, data, len);
	npk_verify_datagram(v, &here, NOW_S, copy, len, &out);
	free(copy);
	return out;
}

static enum npk_verdict verdict_of(const char *key, const uint8_t *data, size_t len)
{
	struct npk_verify *v = new_verify(key);
	struct npk_verified out = check(v, data, len);

	npk_verify_free(v);
	return out.verdict;
}

static void check_golden_flow(const struct npk_rec *rec)
{
	assert_int_equal(rec->ip_version, 4);
	assert_memory_equal(rec->saddr, "\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(rec->daddr, "\xc6\x33\x64\2\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(ntohs(rec->sport), 49152);
	assert_int_equal(ntohs(rec->dport), 443);
	assert_int_equal(rec->proto, 6);
	assert_int_equal(rec->tcp_flags, 0x1b);
	assert_true(rec->packets == 10 && rec->octets == 5000);
	assert_int_equal(rec->vlan2, NPK_VLAN_NONE);
}

static void test_golden_nflow(void **state)
{
	struct npk_verify *v = new_verify("secret");
	struct npk_verified out = check(v, golden_nflow, sizeof(golden_nflow));

	(void)state;
	assert_int_equal(out.verdict, NPK_VERDICT_VALID);
	assert_int_equal(out.version, 24);
	assert_int_equal(out.source_id, 1);
	assert_int_equal(out.sequence, 1000);
	assert_int_equal(out.unix_s, NOW_S);
	assert_int_equal(out.flows, 1);
	assert_false(out.compressed || out.gap);
	assert_int_equal(nr_got, 1);
	check_golden_flow(got);
	assert_int_equal(got->vlan, NPK_VLAN_NONE);
	assert_true(got->first_ns == (NOW_S - 10) * SEC + 250 * MS);
	assert_true(got->last_ns == (NOW_S - 1) * SEC + 250 * MS);
	npk_verify_free(v);
	assert_int_equal(verdict_of("secret          ", golden_nflow, sizeof(golden_nflow)),
			 NPK_VERDICT_VALID);
	assert_int_equal(verdict_of("secreT", golden_nflow, sizeof(golden_nflow)),
			 NPK_VERDICT_BAD_DIGEST);
	assert_int_equal(verdict_of(NULL, golden_nflow, sizeof(golden_nflow)),
			 NPK_VERDICT_BAD_DIGEST);
}

static void test_golden_nflow9(void **state)
{
	struct npk_verify *v = new_verify("secret");
	struct npk_verified out = check(v, golden_nflow9, sizeof(golden_nflow9));
	uint8_t bare[sizeof(golden_nflow9)];

	(void)state;
	assert_int_equal(out.verdict, NPK_VERDICT_VALID);
	assert_int_equal(out.version, 9);
	assert_int_equal(out.sequence, 7);
	assert_int_equal(out.unix_s, NOW_S);
	assert_int_equal(out.flows, 1);
	assert_int_equal(out.unknown_sets, 0);
	check_golden_flow(got);
	assert_int_equal(got->vlan, 42);
	assert_int_equal(got->client_delay_us, 24000);
	assert_int_equal(got->server_delay_us, 6000);
	assert_true(got->first_ns == (NOW_S - 10) * SEC);
	assert_true(got->last_ns == (NOW_S - 1) * SEC);
	npk_verify_free(v);

	assert_int_equal(verdict_of("other", golden_nflow9, sizeof(golden_nflow9)),
			 NPK_VERDICT_BAD_DIGEST);
	assert_int_equal(verdict_of(NULL, golden_nflow9, sizeof(golden_nflow9)),
			 NPK_VERDICT_BAD_DIGEST);
	memcpy(bare, golden_nflow9, sizeof(bare));
	assert_int_equal(verdict_of("secret", bare, sizeof(bare) - TRAILER), NPK_VERDICT_UNSIGNED);
	assert_int_equal(nr_got, 1);
}

static void test_every_octet_counts(void **state)
{
	static const struct {
		const uint8_t *data;
		size_t len;
	} all[] = {
		{ golden_nflow, sizeof(golden_nflow) }, { golden_nflow9, sizeof(golden_nflow9) },
	};
	uint8_t data[256];
	size_t i, at;
	int bit;

	(void)state;
	for (i = 0; i < 2; i++) {
		for (at = 0; at < all[i].len; at++) {
			memcpy(data, all[i].data, all[i].len);
			assert_int_not_equal(verdict_of("secret", data, at), NPK_VERDICT_VALID);
			for (bit = 0; bit < 8; bit++) {
				data[at] = all[i].data[at] ^ (uint8_t)(1 << bit);
				assert_int_not_equal(verdict_of("secret", data, all[i].len),
						     NPK_VERDICT_VALID);
			}
		}
		data[all[i].len] = 0;
		memcpy(data, all[i].data, all[i].len);
		assert_int_equal(verdict_of("secret", data, all[i].len), NPK_VERDICT_VALID);
		assert_int_not_equal(verdict_of("secret", data, all[i].len + 1),
				     NPK_VERDICT_VALID);
	}
}

/* @bits as for deflateInit2(): 15 zlib, 31 gzip. */
static size_t pack(uint8_t *out, size_t room, const uint8_t *data, size_t len, int bits)
{
	z_stream z = { .next_in = (uint8_t *)data, .avail_in = (uInt)len,
		       .next_out = out, .avail_out = (uInt)room };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static void test_compressed(void **state)
{
	static uint8_t zeros[1 << 20];
	struct npk_verify *v = new_verify("secret");
	struct npk_verified out;
	uint8_t packed[4096], twice[4096];
	size_t len;

	(void)state;
	len = pack(packed, sizeof(packed), golden_nflow9, sizeof(golden_nflow9), 31);
	out = check(v, packed, len);
	assert_int_equal(out.verdict, NPK_VERDICT_VALID);
	assert_true(out.compressed);
	len = pack(packed, sizeof(packed), golden_nflow, sizeof(golden_nflow), 15);
	out = check(v, packed, len);
	assert_int_equal(out.verdict, NPK_VERDICT_VALID);
	assert_int_equal(nr_got, 2);

	packed[len] = 0;	/* something behind the stream */
	assert_int_equal(check(v, packed, len + 1).verdict, NPK_VERDICT_MALFORMED);
	assert_int_equal(check(v, packed, len - 1).verdict, NPK_VERDICT_MALFORMED);
	len = pack(twice, sizeof(twice), packed, len, 15);
	assert_int_equal(check(v, twice, len).verdict, NPK_VERDICT_MALFORMED);
	zeros[1] = 9;
	len = pack(packed, sizeof(packed), zeros, sizeof(zeros), 15);
	assert_int_equal(check(v, packed, len).verdict, NPK_VERDICT_MALFORMED);
	npk_verify_free(v);

	/* as if nothing had been */
	v = new_verify("secret");
	assert_int_equal(check(v, packed, len).verdict, NPK_VERDICT_MALFORMED);
	len = pack(packed, sizeof(packed), golden_nflow, sizeof(golden_nflow), 15);
	assert_int_equal(check(v, packed, len).verdict, NPK_VERDICT_VALID);
	npk_verify_free(v);
}

/* A v1 message of one flow of @len octets, all of them one item, rightly signed. */
static size_t put_message(uint8_t *data, const char *key, size_t len)
{
	struct npk_key_pair pair;
	struct npk_buf b;

	npk_buf_init(&b, data, NFLOW_HEADER_LEN + len);
	npk_buf_u16(&b, 24);
	npk_buf_u16(&b, 1);
	npk_buf_zero(&b, NFLOW_HEADER_LEN - 4);
	npk_buf_u16(&b, (uint16_t)len);
	npk_buf_u16(&b, 87);
	npk_buf_u16(&b, (uint16_t)(len - 6));
	npk_buf_zero(&b, len - 6);
	assert_false(b.overflow);
	npk_digest_key(&pair, key, strlen(key));
	npk_digest_md5(&pair, data, b.len, NFLOW_DIGEST_AT, data + NFLOW_DIGEST_AT);
	return b.len;
}

/* Nobody has to sign what is to be inflated: 1500 octets of nFlow v1, 65535 of v9. */
static void test_bomb(void **state)
{
	static uint8_t data[65536], packed[4096];
	struct npk_verify *v = new_verify("secret");
	size_t len, i;

	(void)state;
	for (i = 1499; i <= 1501; i++) {
		len = put_message(data, "secret", i - NFLOW_HEADER_LEN);
		assert_int_equal(len, i);
		len = pack(packed, sizeof(packed), data, len, 15);
		assert_int_equal(check(v, packed, len).verdict,
				 i > 1500 ? NPK_VERDICT_MALFORMED : NPK_VERDICT_VALID);
	}
	memset(data, 0, sizeof(data));
	for (i = 65534; i <= 65536; i++) {
		npk_put_be16(data, 9);
		npk_put_be16(data + 22, (uint16_t)(i - 20));
		len = pack(packed, sizeof(packed), data, i, 15);
		assert_int_equal(check(v, packed, len).verdict,
				 i > 65535 ? NPK_VERDICT_MALFORMED : NPK_VERDICT_UNSIGNED);
	}
	npk_verify_free(v);
}

static struct npk_rec random_rec(uint64_t *rng, uint64_t now_ns)
{
	struct npk_rec rec = {
		.packets = 1 + (test_random(rng) & 0xffff), .octets = 40 + (test_random(rng) >> 40),
		.ip_version = test_random(rng) & 1 ? 4 : 6, .vlan = NPK_VLAN_NONE,
		.vlan2 = NPK_VLAN_NONE, .tos = (uint8_t)test_random(rng),
		.in_if = (uint32_t)test_random(rng), .dir = test_random(rng) & 1,
		.end_reason = 1 + test_random(rng) % 5, .fragments = test_random(rng) & 1,
		.min_len = 40, .max_len = 1500, .min_ttl = 3, .max_ttl = 64,
		.appl_delay_us = (uint32_t)(test_random(rng) & 0xffff) * 1000,
		.retransmitted = (uint32_t)test_random(rng),
	};
	size_t len = rec.ip_version == 6 ? 16 : 4, i;

	rec.last_ns = now_ns - test_random(rng) % (100 * SEC);
	rec.first_ns = rec.last_ns - test_random(rng) % (100 * SEC);
	for (i = 0; i < len; i++) {
		rec.saddr[i] = (uint8_t)test_random(rng) | 1;
		rec.daddr[i] = (uint8_t)test_random(rng) | 1;
	}
	for (i = 0; i < 6; i++)
		rec.smac[i] = (uint8_t)test_random(rng);
	rec.proto = test_random(rng) & 1 ? 6 : 17;
	rec.tcp_flags = rec.proto == 6 ? test_random(rng) & 0xff : 0;
	rec.sport = (uint16_t)test_random(rng);
	rec.dport = (uint16_t)test_random(rng);
	if (test_random(rng) & 1)
		rec.vlan = 1 + test_random(rng) % 4094;
	if (rec.ip_version == 6)
		rec.flow_label = test_random(rng) & 0xfffff;
	rec.nr_mpls = test_random(rng) % 3;
	for (i = 0; i < rec.nr_mpls; i++)
		rec.mpls[i] = (uint32_t)(test_random(rng) | 0x100) & ~0xffU;
	return rec;
}

/* What nFlow v1 and the default v9 cannot carry is not compared. */
static void check_same(const struct npk_rec *a, struct npk_rec b, enum npk_enc_version version)
{
	struct npk_rec want = *a;

	assert_true(b.first_ns / MS == want.first_ns / MS && b.last_ns / MS == want.last_ns / MS);
	want.first_ns = b.first_ns;
	want.last_ns = b.last_ns;
	if (version == NPK_ENC_NFLOW) {
		memset(want.smac, 0, sizeof(want.smac));
		want.end_reason = 0;
		want.min_len = want.max_len = want.min_ttl = want.max_ttl = 0;
	}
	if (version != NPK_ENC_NFLOW9)
		want.retransmitted = 0;
	if (version == NPK_ENC_NF9) {
		want.appl_delay_us = want.fragments = want.nr_mpls = 0;
		memset(want.mpls, 0, sizeof(want.mpls));
	}
	assert_memory_equal(&want, &b, sizeof(b));
}

static void round_trip(enum npk_enc_version version, bool sign, bool compress)
{
	const struct npk_enc_opts opts = {
		.version = version, .source_id = 77, .template_id = 256, .max_payload = 1472,
		.template_datagrams = 20, .key = "k", .key_len = sign, .compress = compress,
	};
	struct npk_clock clock = { .now_ns = 5000 * SEC, .boot_ns = 4000 * SEC,
				   .offset_ns = (int64_t)((NOW_S - 5000) * SEC) };
	struct npk_verify *v = new_verify(sign ? "k" : NULL);
	size_t total = 0, len, taken, i;
	struct npk_rec recs[32], *order;
	const struct npk_rec *p[32];
	struct npk_verified out;
	struct npk_enc *enc;
	uint64_t rng = 7;
	uint8_t buf[1472];

	assert_int_equal(npk_enc_new(&opts, &enc), 0);
	while (total < 3000) {
		for (i = 0; i < 32; i++) {
			recs[i] = random_rec(&rng, (NOW_S * SEC) - 5 * SEC);
			p[i] = &recs[i];
			recs[i].first_ns -= (NOW_S - 5000) * SEC;
			recs[i].last_ns -= (NOW_S - 5000) * SEC;
		}
		nr_got = 0;
		clock.now_ns += 37 * MS;
		assert_int_equal(npk_enc_datagram(enc, p, 32, &clock, buf, &len, &taken), 0);
		out = check(v, buf, len);
		assert_int_equal(out.verdict, sign || version == NPK_ENC_NFLOW ?
				 NPK_VERDICT_VALID : NPK_VERDICT_UNSIGNED);
		assert_int_equal(out.flows, taken);
		assert_int_equal(out.compressed, compress);
		assert_false(out.gap || out.unknown_sets);
		order = got;	/* v9: IPv4 first */
		for (i = 0; i < 2 * taken; i++) {
			struct npk_rec *rec = &recs[i % taken];
			bool first = i < taken;

			if (version != NPK_ENC_NFLOW && first != (rec->ip_version == 4))
				continue;
			if (version == NPK_ENC_NFLOW && !first)
				continue;
			rec->first_ns += (NOW_S - 5000) * SEC;
			rec->last_ns += (NOW_S - 5000) * SEC;
			check_same(rec, *order++, version);
		}
		total += taken;
	}
	npk_enc_free(enc);
	npk_verify_free(v);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip(NPK_ENC_NFLOW, false, false);
	round_trip(NPK_ENC_NFLOW, true, true);
	round_trip(NPK_ENC_NF9, false, false);
	round_trip(NPK_ENC_NFLOW9, false, false);
	round_trip(NPK_ENC_NFLOW9, true, false);
	round_trip(NPK_ENC_NFLOW9, true, true);
}

/* A v9 header, then sets the caller appends. */
static void start_nf9(struct npk_buf *b, uint8_t *data, size_t size, uint32_t sequence)
{
	npk_buf_init(b, data, size);
	npk_buf_u16(b, 9);
	npk_buf_u16(b, 1);
	npk_buf_u32(b, 3600000);
	npk_buf_u32(b, (uint32_t)NOW_S);
	npk_buf_u32(b, sequence);
	npk_buf_u32(b, 1);
}

/* Templates @id... of one field of @len octets each. */
static void put_templates(struct npk_buf *b, uint16_t id, unsigned int nr, uint16_t type,
			  uint16_t len)
{
	npk_buf_u16(b, 0);
	npk_buf_u16(b, (uint16_t)(4 + 8 * nr));
	while (nr--) {
		npk_buf_u16(b, id++);
		npk_buf_u16(b, 1);
		npk_buf_u16(b, type);
		npk_buf_u16(b, len);
	}
}

static void put_data(struct npk_buf *b, uint16_t id, uint32_t value)
{
	npk_buf_u16(b, id);
	npk_buf_u16(b, 8);
	npk_buf_u32(b, value);
}

/* Sequence numbers: the first is taken as it is, each exporter and source has its own. */
static void test_sequence(void **state)
{
	const struct npk_verify_from other = { .addr = { [15] = 1 }, .port = 2056 };
	struct npk_verify *v = new_verify(NULL);
	static const struct {
		uint32_t sequence;
		bool gap;
	} steps[] = {
		{ 100, false }, { 101, false }, { 103, true }, { 104, false }, { 104, true },
		{ 105, false }, { 0, true }, { 1, false }, { UINT32_MAX, true }, { 0, false },
	};
	struct npk_verified out;
	struct npk_buf b;
	uint8_t data[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		start_nf9(&b, data, sizeof(data), steps[i].sequence);
		out = check(v, data, b.len);
		assert_int_equal(out.verdict, NPK_VERDICT_UNSIGNED);
		assert_int_equal(out.gap, steps[i].gap);
		npk_verify_datagram(v, &other, NOW_S, data, b.len, &out);
		assert_int_equal(out.gap, steps[i].gap);
	}
	npk_verify_free(v);
}

/* What is not signed cannot change how signed datagrams are read. */
static void test_no_poison(void **state)
{
	const struct npk_enc_opts opts = {
		.version = NPK_ENC_NFLOW9, .source_id = 1, .template_id = 256,
		.max_payload = 1472, .key = "k", .key_len = 1,
	};
	const struct npk_clock clock = { .now_ns = 5000 * SEC, .boot_ns = 4000 * SEC,
					 .offset_ns = (int64_t)((NOW_S - 5000) * SEC) };
	struct npk_verify *v = new_verify("k");
	uint64_t rng = 3;
	struct npk_rec rec = random_rec(&rng, 4999 * SEC);
	const struct npk_rec *recs = &rec;
	uint8_t data[1472], evil[64];
	struct npk_verified out;
	struct npk_enc *enc;
	size_t len, taken;
	struct npk_buf b;
	int i;

	(void)state;
	assert_int_equal(npk_enc_new(&opts, &enc), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(npk_enc_datagram(enc, &recs, 1, &clock, data, &len, &taken), 0);
		out = check(v, data, len);
		assert_int_equal(out.verdict, NPK_VERDICT_VALID);
		assert_false(out.gap || out.unknown_sets);
		assert_int_equal(out.flows, 1);
		assert_true(got[nr_got - 1].packets == rec.packets);
		start_nf9(&b, evil, sizeof(evil), 999);
		put_templates(&b, 256, 2, 8, 4);
		assert_int_equal(check(v, evil, b.len).verdict, NPK_VERDICT_UNSIGNED);
	}
	npk_enc_free(enc);
	npk_verify_free(v);
}

/* An exporter's clock, @s seconds after NOW_S. */
static struct npk_clock clock_at(uint64_t s)
{
	return (struct npk_clock){ .now_ns = (5000 + s) * SEC, .boot_ns = 4000 * SEC,
				   .offset_ns = (int64_t)((NOW_S - 5000) * SEC) };
}

/* Datagrams that one exporter signed, sent a second after each other. */
#define RECORDED	200
static struct {
	uint8_t data[1472];
	size_t len;
} recorded[RECORDED];

static void record(enum npk_enc_version version, bool templates_once)
{
	const struct npk_enc_opts opts = {
		.version = version, .source_id = 1, .template_id = 256, .max_payload = 1472,
		.template_datagrams = templates_once ? 0 : 1, .key = "k", .key_len = 1,
	};
	uint64_t rng = 5;
	struct npk_rec rec = random_rec(&rng, 4999 * SEC);
	const struct npk_rec *recs = &rec;
	struct npk_clock clock;
	struct npk_enc *enc;
	size_t taken, i;

	assert_int_equal(npk_enc_new(&opts, &enc), 0);
	for (i = 0; i < RECORDED; i++) {
		clock = clock_at(i);
		assert_int_equal(npk_enc_datagram(enc, &recs, 1, &clock, recorded[i].data,
						  &recorded[i].len, &taken), 0);
	}
	npk_enc_free(enc);
}

static struct npk_verified send_from(struct npk_verify *v, uint16_t port, size_t i, int64_t late_s)
{
	const struct npk_verify_from from = { .addr = { [15] = 1 }, .port = port };
	struct npk_verified out;

	nr_got = 0;
	npk_verify_datagram(v, &from, (int64_t)(NOW_S + i) + late_s, recorded[i].data,
			    recorded[i].len, &out);
	assert_int_equal(out.flows, nr_got);
	assert_int_equal(out.flows, out.verdict == NPK_VERDICT_VALID && !out.unknown_sets);
	return out;
}

static const enum npk_enc_version versions[] = { NPK_ENC_NFLOW, NPK_ENC_NFLOW9 };

/* The same datagram again, from wherever: no flow of it, and nothing changes. */
static void test_replayed(void **state)
{
	struct npk_verified out;
	struct npk_verify *v;
	size_t i, n;

	(void)state;
	for (n = 0; n < 2; n++) {
		v = new_verify("k");
		record(versions[n], true);
		for (i = 0; i < RECORDED; i++) {
			out = send_from(v, 2055, i, 0);
			assert_int_equal(out.verdict, NPK_VERDICT_VALID);
			assert_false(out.gap || out.unknown_sets);
			/* from the same port, and from one of its own */
			assert_int_equal(send_from(v, 2055, i / 2, 0).verdict,
					 NPK_VERDICT_REPLAYED);
			assert_int_equal(send_from(v, (uint16_t)(3000 + i), i, 0).verdict,
					 NPK_VERDICT_REPLAYED);
		}
		npk_verify_free(v);
	}
}

/* A recording of before the verifier was there, from more ports than there is room for streams. */
static void test_replays_evict_nothing(void **state)
{
	enum { FROM = NPK_VERIFY_STREAMS + 40 };
	struct npk_verified out;
	struct npk_verify *v;
	size_t i, n;

	(void)state;
	for (n = 0; n < 2; n++) {
		v = new_verify("k");
		record(versions[n], false);
		/* with the templates; what follows has the same */
		assert_int_equal(send_from(v, 2055, FROM, 0).verdict, NPK_VERDICT_VALID);
		for (i = 0; i < FROM; i++)
			assert_int_equal(send_from(v, (uint16_t)(3000 + i), i, 0).verdict,
					 NPK_VERDICT_VALID);	/* it cannot know */
		out = send_from(v, 2055, FROM + 2, 0);
		assert_int_equal(out.verdict, NPK_VERDICT_VALID);
		assert_true(out.gap);
		out = send_from(v, 2055, FROM + 3, 0);
		assert_false(out.gap);
		npk_verify_free(v);
	}
}

/* A recording from the exporter's own address and port is read, and leaves nothing behind. */
static void test_old_changes_no_stream(void **state)
{
	struct npk_verify *v = new_verify("k");
	uint8_t data[256] = {};
	struct npk_verified out;
	struct npk_key_pair key;
	struct npk_buf b;

	(void)state;
	record(NPK_ENC_NFLOW9, true);
	assert_false(send_from(v, here.port, 0, 0).unknown_sets);
	assert_false(send_from(v, here.port, 1, 0).gap);
	/* the exporter's settings of yesterday: another template with the same id */
	start_nf9(&b, data, sizeof(data), 1);
	npk_put_be32(data + 8, (uint32_t)NOW_S - 86400);
	put_templates(&b, 256, 2, 8, 4);
	npk_buf_bytes(&b, npk_nflow9_trailer, NFLOW9_TRAILER_LEN);
	npk_digest_key(&key, "k", 1);
	npk_digest_sha256(&key, data, b.len, data + b.len - NPK_SHA256_LEN);
	out = check(v, data, b.len);
	assert_int_equal(out.verdict, NPK_VERDICT_VALID);
	assert_true(out.gap);
	out = send_from(v, here.port, 2, 0);
	assert_false(out.gap || out.unknown_sets);
	assert_int_equal(out.flows, 1);
	npk_verify_free(v);
}

/* Found by review: an exporter's clock, or that of a file, is set back; the stream goes on. */
static void test_clock_set_back(void **state)
{
	const struct npk_enc_opts opts = {
		.version = NPK_ENC_NFLOW9, .source_id = 1, .template_id = 256, .max_payload = 1472,
		.template_datagrams = 100, .key = "k", .key_len = 1,
	};
	struct npk_verify *v = new_verify("k");
	uint64_t rng = 5;
	struct npk_rec rec = random_rec(&rng, 4999 * SEC);
	const struct npk_rec *recs = &rec;
	struct npk_clock clock;
	struct npk_verified out;
	struct npk_enc *enc;
	uint8_t data[1472];
	size_t len, taken, i;

	(void)state;
	assert_int_equal(npk_enc_new(&opts, &enc), 0);
	for (i = 0; i < 10; i++) {
		clock = clock_at(i < 5 ? 200 + i : i);
		assert_int_equal(npk_enc_datagram(enc, &recs, 1, &clock, data, &len, &taken), 0);
		if (i == 7)		/* lost */
			continue;
		out = check(v, data, len);
		assert_int_equal(out.verdict, NPK_VERDICT_VALID);
		assert_int_equal(out.flows, 1);
		assert_int_equal(out.gap, i == 8);
	}
	npk_enc_free(enc);
	npk_verify_free(v);
}

/* Outside the window: no flow, and not even remembered. */
static void test_stale(void **state)
{
	const struct npk_verify_opts opts = {
		.key = "k", .key_len = 1, .window_s = 60, .flow = take, .arg = got,
	};
	struct npk_verify *v;
	size_t n;

	(void)state;
	for (n = 0; n < 2; n++) {
		record(versions[n], false);
		assert_int_equal(npk_verify_new(&opts, &v), 0);
		assert_int_equal(send_from(v, 1, 5, 61).verdict, NPK_VERDICT_STALE);
		assert_int_equal(send_from(v, 1, 5, -61).verdict, NPK_VERDICT_STALE);
		assert_int_equal(send_from(v, 1, 5, INT64_MIN).verdict, NPK_VERDICT_STALE);
		assert_int_equal(send_from(v, 1, 5, INT64_MAX - (int64_t)NOW_S - 5).verdict,
				 NPK_VERDICT_STALE);
		assert_int_equal(send_from(v, 1, 5, 60).verdict, NPK_VERDICT_VALID);
		assert_int_equal(send_from(v, 1, 5, 60).verdict, NPK_VERDICT_REPLAYED);
		assert_false(send_from(v, 1, 6, -60).gap);
		npk_verify_free(v);
	}
}

/* A long recording does not make it forget what was sent later. */
static void test_memory_of_digests(void **state)
{
	struct npk_replay *r = calloc(1, sizeof(*r));
	enum { NOW = 1000, OLD = 200000 };
	uint8_t digest[8];
	uint64_t rng = 1;
	size_t i;

	(void)state;
	assert_non_null(r);
	for (i = 0; i < NOW + OLD; i++) {
		npk_put_be64(digest, test_random(&rng));
		assert_false(npk_replay_seen(r, digest, i < NOW ? 2000 : 1000));
	}
	for (i = 0, rng = 1; i < NOW; i++) {
		npk_put_be64(digest, test_random(&rng));
		assert_true(npk_replay_seen(r, digest, 2000));
	}
	/* a set full of what was sent later */
	memset(r, 0, sizeof(*r));
	for (i = 0; i < 3 * NPK_REPLAY_WAYS; i++) {
		npk_put_be64(digest, i * NPK_REPLAY_SETS);
		assert_false(npk_replay_seen(r, digest, i < NPK_REPLAY_WAYS ? 2000 : 1000));
	}
	for (i = 0; i < NPK_REPLAY_WAYS; i++) {
		npk_put_be64(digest, i * NPK_REPLAY_SETS);
		assert_true(npk_replay_seen(r, digest, 2000));
	}
	free(r);
}

/* Found by review: no octet before the datagram is looked at, and none where there is none. */
static void test_shorter_than_digest(void **state)
{
	struct npk_verify *v = new_verify("secret");
	uint8_t data[64];
	struct npk_buf b;
	unsigned int i;

	(void)state;
	for (i = 0; i < 12; i++) {
		start_nf9(&b, data, sizeof(data), i);
		if (i >= 4) {
			npk_buf_u16(&b, 0);
			npk_buf_u16(&b, (uint16_t)i);
			npk_buf_zero(&b, i - 4);
		}
		assert_int_equal(check(v, data, b.len).verdict, NPK_VERDICT_UNSIGNED);
	}
	npk_verify_free(v);
}

/* Found by review: a latency that wrapped, and items whose length says nothing. */
static void test_own_items(void **state)
{
	static const struct {
		uint8_t item[12];
		uint32_t delay;
	} items[] = {
		{ { 0, 85, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7 }, 7000000 },
		{ { 0, 85, 0, 8, 0, 0, 0, 0, 0, 0, 0x10, 0xc7 }, UINT32_MAX },	/* 4295 s */
		{ { 0, 85, 0, 8, 0, 4, 0, 0, 0, 0, 0, 1 }, UINT32_MAX },
		{ { 0, 86, 0, 8, 0xff, 0, 0, 0, 0, 0, 0, 0 }, UINT32_MAX },
		{ { 0, 82, 0, 0, 0, 87, 0, 4, 0, 0, 0, 0 }, 0 },	/* a tag of no octets */
	};
	static const uint8_t address[] = { 0, 8, 0, 4, 10, 0, 0, 1 };
	struct npk_verify *v = new_verify("k");
	struct npk_key_pair key;
	uint8_t data[128];
	struct npk_buf b;
	size_t i;

	(void)state;
	npk_digest_key(&key, "k", 1);
	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		npk_buf_init(&b, data, sizeof(data));
		npk_buf_u16(&b, 24);
		npk_buf_u16(&b, 1);
		npk_buf_zero(&b, NFLOW_HEADER_LEN - 4);
		npk_buf_u16(&b, 2 + 8 + 12);
		npk_buf_bytes(&b, address, sizeof(address));
		npk_buf_bytes(&b, items[i].item, 12);
		npk_digest_md5(&key, data, b.len, NFLOW_DIGEST_AT, data + NFLOW_DIGEST_AT);
		assert_int_equal(check(v, data, b.len).flows, 1);
		assert_int_equal(got[i].appl_delay_us, items[i].delay);
		assert_int_equal(got[i].vlan, NPK_VLAN_NONE);
	}
	npk_verify_free(v);
}

/* Found by fuzzing: flows of a template that has the id of a digest's. */
static void test_ids_of_digests(void **state)
{
	static const uint8_t md5[] = {
		0, 1, 0, 18, 0xff, 1, 0, 4, 0, 4, 0, 1, 0, 4, 0xff, 0x7b, 0, 16,
		0xff, 1, 0, 24, [41] = 0,
	};
	struct npk_verify *v = new_verify("secret");
	struct npk_verified out;
	uint8_t data[128];
	struct npk_buf b;
	unsigned int id;

	(void)state;
	for (id = NFLOW9_MD5_TEMPLATE; id <= NFLOW9_DIGEST_TEMPLATE; id++) {
		start_nf9(&b, data, sizeof(data), id);
		put_templates(&b, (uint16_t)id, 1, 8, 4);
		put_data(&b, (uint16_t)id, 0x0a000001);
		out = check(v, data, b.len);
		assert_int_equal(out.verdict, NPK_VERDICT_UNSIGNED);
		assert_int_equal(out.flows, 1);
	}
	/* one of sixteen octets, which nprobe-k does not make */
	start_nf9(&b, data, sizeof(data), id);
	npk_buf_bytes(&b, md5, sizeof(md5));
	assert_int_equal(check(v, data, b.len).verdict, NPK_VERDICT_BAD_DIGEST);
	npk_verify_free(v);
}

/* Fields without octets: nothing to be told of for each record, and no time to be spent on. */
static void test_empty_fields(void **state)
{
	struct npk_verify *v = new_verify(NULL);
	struct npk_verified out;
	uint8_t data[128];
	struct npk_buf b;
	unsigned int i;

	(void)state;
	start_nf9(&b, data, sizeof(data), 0);
	npk_buf_u16(&b, 0);
	npk_buf_u16(&b, 8 + 4 * 9);
	npk_buf_u16(&b, 256);
	npk_buf_u16(&b, 9);
	for (i = 0; i < 8; i++)
		npk_buf_u32(&b, 12 << 16);
	npk_buf_u32(&b, 4 << 16 | 1);
	put_data(&b, 256, 0x06060606);
	assert_false(b.overflow);
	out = check(v, data, b.len);
	assert_int_equal(out.verdict, NPK_VERDICT_UNSIGNED);
	assert_int_equal(out.flows, 0);	/* records of one octet are not to be told from padding */
	npk_verify_free(v);
}

/* The addresses say which version it is; a field that says another one is not believed. */
static void test_version_by_addresses(void **state)
{
	struct npk_verify *v = new_verify(NULL);
	uint8_t data[128];
	struct npk_buf b;

	(void)state;
	start_nf9(&b, data, sizeof(data), 0);
	npk_buf_u16(&b, 0);
	npk_buf_u16(&b, 8 + 4 * 2);
	npk_buf_u16(&b, 256);
	npk_buf_u16(&b, 2);
	npk_buf_u32(&b, 8 << 16 | 4);
	npk_buf_u32(&b, 60 << 16 | 1);
	npk_buf_u16(&b, 256);
	npk_buf_u16(&b, 4 + 5);
	npk_buf_u32(&b, 0x0a000001);
	npk_buf_u8(&b, 200);
	assert_false(b.overflow);
	assert_int_equal(check(v, data, b.len).flows, 1);
	assert_int_equal(got[0].ip_version, 4);
	npk_verify_free(v);
}

/* More templates than are remembered: the oldest are forgotten, and what is of them is counted. */
static void test_templates(void **state)
{
	struct npk_verify *v = new_verify(NULL);
	struct npk_verified out;
	uint8_t data[2048];
	struct npk_buf b;
	unsigned int i;

	(void)state;
	start_nf9(&b, data, sizeof(data), 0);
	put_templates(&b, 256, NPK_VERIFY_TEMPLATES + 4, 8, 4);
	for (i = 0; i < NPK_VERIFY_TEMPLATES + 4; i++)
		put_data(&b, (uint16_t)(256 + i), 0x0a000001);
	out = check(v, data, b.len);
	assert_int_equal(out.verdict, NPK_VERDICT_UNSIGNED);
	assert_int_equal(out.flows, NPK_VERIFY_TEMPLATES);
	assert_int_equal(out.unknown_sets, 4);

	/* what is used stays: 260 is, and one more that is new makes room of 261 */
	start_nf9(&b, data, sizeof(data), 1);
	put_data(&b, 260, 0x0a000001);
	put_templates(&b, 299, 1, 8, 4);
	put_data(&b, 260, 0x0a000001);
	put_data(&b, 299, 0x0a000001);
	out = check(v, data, b.len);
	assert_int_equal(out.flows, 3);
	assert_int_equal(out.unknown_sets, 0);
	start_nf9(&b, data, sizeof(data), 2);
	put_data(&b, 261, 0x0a000001);
	assert_int_equal(check(v, data, b.len).unknown_sets, 1);

	/* no records in nothing, and none of a template that is too long */
	start_nf9(&b, data, sizeof(data), 3);
	put_templates(&b, 300, 1, 8, 0);
	put_data(&b, 300, 1);
	npk_buf_u16(&b, 0);
	npk_buf_u16(&b, 8 + 4 * (NPK_VERIFY_FIELDS + 1));
	npk_buf_u16(&b, 301);
	npk_buf_u16(&b, NPK_VERIFY_FIELDS + 1);
	for (i = 0; i < NPK_VERIFY_FIELDS + 1; i++)
		npk_buf_u32(&b, 8 << 16 | 4);
	put_data(&b, 301, 1);
	assert_false(b.overflow);
	out = check(v, data, b.len);
	assert_int_equal(out.verdict, NPK_VERDICT_UNSIGNED);
	assert_int_equal(out.flows, 0);
	assert_int_equal(out.unknown_sets, 1);
	npk_verify_free(v);
}

/* Sets and templates that end where they should not. */
static void test_malformed(void **state)
{
	static const uint8_t bad[][12] = {
		{ 0, 0, 0, 3 },					/* shorter than its header */
		{ 1, 0, 0, 13 },				/* longer than the datagram */
		{ 0, 0, 0, 12, 1, 0, 0, 2, 0, 8, 0, 4 },	/* one field of two */
		{ 0, 0, 0, 12, 0, 255, 0, 1, 0, 8, 0, 4 },	/* a reserved id */
		{ 0, 1, 0, 12, 1, 0, 0, 3, 0, 0, 0, 0 },	/* three octets of scope fields */
		{ 0, 1, 0, 8, 1, 0, 0, 0, 1, 0, 0, 4 },		/* no room for the head */
	};
	struct npk_verify *v = new_verify(NULL);
	struct npk_buf b;
	uint8_t data[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start_nf9(&b, data, sizeof(data), 0);
		npk_buf_bytes(&b, bad[i], 12);
		assert_int_equal(check(v, data, b.len).verdict, NPK_VERDICT_MALFORMED);
	}
	assert_int_equal(nr_got, 0);
	assert_string_equal(npk_verdict_name(NPK_VERDICT_MALFORMED), "malformed");
	npk_verify_free(v);
	npk_verify_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_nflow),
		cmocka_unit_test(test_golden_nflow9),
		cmocka_unit_test(test_every_octet_counts),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_no_poison),
		cmocka_unit_test(test_replayed),
		cmocka_unit_test(test_replays_evict_nothing),
		cmocka_unit_test(test_old_changes_no_stream),
		cmocka_unit_test(test_clock_set_back),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_memory_of_digests),
		cmocka_unit_test(test_shorter_than_digest),
		cmocka_unit_test(test_own_items),
		cmocka_unit_test(test_ids_of_digests),
		cmocka_unit_test(test_empty_fields),
		cmocka_unit_test(test_version_by_addresses),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
