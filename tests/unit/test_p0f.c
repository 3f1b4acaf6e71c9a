// SPDX-License-Identifier: GPL-2.0-only
/* SYNs as p0f writes them. */
#include "test.h"

#include "kmod/core/tcp.h"
#include "segment.h"

#include "probe/p0f.c"	/* not in the library */

static void assert_signature(const struct npk_rec *rec, const char *expected)
{
	char buf[P0F_MAX + 1];

	memset(buf, '#', sizeof(buf));
	p0f_signature(buf, rec);
	assert_string_equal(buf, expected);
	assert_int_equal(buf[P0F_MAX], '#');
}

static void assert_syn(const struct segment *s, const char *expected)
{
	struct npk_rec rec = {};
	struct npk_pkt pkt;
	struct frame f;

	pkt = segment_pkt(&f, s, 1);
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	npk_syn_read(&rec.syn, &pkt);
	rec.ip_version = pkt.key.ip_version;
	assert_signature(&rec, expected);
}

#define ASSERT_SYN(expected, ...)	assert_syn(&(struct segment){ __VA_ARGS__ }, expected)
#define PLAIN				.ip_frag = 0x4000, .flags = SYN, .seq = 1

static void test_no_syn(void **state)
{
	struct npk_rec rec = {};

	(void)state;
	assert_signature(&rec, "");
	rec.syn.flags = NPK_SYN_ACK | NPK_SYN_MSS;
	assert_signature(&rec, "");
}

static void test_usual_systems(void **state)
{
	(void)state;
	ASSERT_SYN("4:64+0:0:1460:64240,7:mss,sok,ts,nop,ws:df,id+:0",
		   PLAIN, .window = 64240, OPTIONS(OPT_LINUX));
	ASSERT_SYN("4:64+0:0:1460:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0",
		   PLAIN, .window = 8192, OPTIONS(OPT_WINDOWS));
	ASSERT_SYN("4:64+0:0:1460:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0",
		   PLAIN, .window = 65535, OPTIONS(OPT_MACOS));
	ASSERT_SYN("6:63+1:0:1460:64240,7:mss,sok,ts,nop,ws:ecn,flow:0",
		   .v6 = true, .flags = SYN, .seq = 1, .window = 64240, OPTIONS(OPT_LINUX));
	ASSERT_SYN("4:64+0:0:1460:65160,7:mss,sok,ts,nop,ws:df,id+:0", .ip_frag = 0x4000,
		   .flags = SYN | ACK, .seq = 1, .ack = 1, .window = 65160, OPTIONS(OPT_LINUX));
}

static void test_options(void **state)
{
	(void)state;
	ASSERT_SYN("4:64+0:0:0:1000,0::df,id+:0", PLAIN);
	ASSERT_SYN("4:64+0:0:0:1000,0::df,id+:+", PLAIN, .payload = 10);
	ASSERT_SYN("4:64+0:0:0:1000,0:sack,?,nop:df,id+:0", PLAIN, OPTIONS("\5\4\0\0\x1e\3\0\1"));
	ASSERT_SYN("4:64+0:0:0:1000,0:nop,eol+2:df,id+,opt+:0", PLAIN, OPTIONS("\1\0\0\7"));
	ASSERT_SYN("4:64+0:0:0:1000,0:eol+3:df,id+:0", PLAIN, OPTIONS("\0\0\0\0"));
	ASSERT_SYN("4:64+0:0:0:1000,15:ws,eol+0:df,id+,exws:0", PLAIN, OPTIONS("\3\3\x0f\0"));
	ASSERT_SYN("4:64+0:0:0:1000,0:nop,nop,nop,nop,nop,nop,nop,nop:df,id+:0",
		   PLAIN, OPTIONS("\1\1\1\1\1\1\1\1"));
	ASSERT_SYN("4:64+0:0:536:1000,0:nop,nop,nop,nop,nop,nop,nop,nop,...:df,id+:0",
		   PLAIN, OPTIONS("\1\1\1\1\1\1\1\1\2\4\2\x18"));
}

static void test_bad(void **state)
{
	(void)state;
	ASSERT_SYN("4:64+0:0:0:1000,0:nop:df,id+,bad:0", PLAIN, OPTIONS("\1\xfe\0\1"));
	ASSERT_SYN("4:64+0:0:0:1000,0:mss,nop:bad:0", .ip_frag = 0, .flags = SYN, .seq = 1,
		   OPTIONS("\2\3\0\1"));
}

/* Every quirk by its name, alone and then all of them. */
static void test_quirks(void **state)
{
	static const char *const name[] = {
		"df", "id+", "id-", "ecn", "0+", "flow", "seq-", "ack+", "ack-", "uptr+", "urgf+",
		"pushf+", "ts1-", "ts2+", "opt+", "exws",
	};
	static const uint16_t quirk[] = {
		NPK_QUIRK_DF, NPK_QUIRK_ID_PLUS, NPK_QUIRK_ID_MINUS, NPK_QUIRK_ECN,
		NPK_QUIRK_ZERO_PLUS, NPK_QUIRK_FLOW, NPK_QUIRK_SEQ_MINUS, NPK_QUIRK_ACK_PLUS,
		NPK_QUIRK_ACK_MINUS, NPK_QUIRK_UPTR_PLUS, NPK_QUIRK_URGF_PLUS,
		NPK_QUIRK_PUSHF_PLUS, NPK_QUIRK_TS1_MINUS, NPK_QUIRK_TS2_PLUS,
		NPK_QUIRK_OPT_PLUS, NPK_QUIRK_EXWS,
	};
	struct npk_rec rec = { .ip_version = 4 };
	char expected[P0F_MAX];
	unsigned int i;

	(void)state;
	rec.syn.flags = NPK_SYN_SEEN;
	rec.syn.ttl = 64;
	for (i = 0; i < 16; i++) {
		rec.syn.quirks = quirk[i];
		snprintf(expected, sizeof(expected), "4:64+0:0:0:0,0::%s:0", name[i]);
		assert_signature(&rec, expected);
	}
	rec.syn.quirks = 0;
	assert_signature(&rec, "4:64+0:0:0:0,0:::0");
	rec.syn.quirks = 0xffff;
	rec.syn.flags |= NPK_SYN_BAD | NPK_SYN_PAYLOAD;
	assert_signature(&rec, "4:64+0:0:0:0,0::df,id+,id-,ecn,0+,flow,seq-,ack+,ack-,uptr+,"
			 "urgf+,pushf+,ts1-,ts2+,opt+,exws,bad:+");
}

/* How many routers, from the next initial TTL that is usual. */
static void test_distance(void **state)
{
	static const struct {
		uint8_t ttl;
		unsigned int distance;
	} tests[] = {
		{ 1, 31 }, { 31, 1 }, { 32, 0 }, { 33, 31 }, { 63, 1 }, { 64, 0 }, { 100, 28 },
		{ 127, 1 }, { 128, 0 }, { 230, 25 }, { 254, 1 }, { 255, 0 },
	};
	struct npk_rec rec = { .ip_version = 4 };
	char expected[P0F_MAX];
	unsigned int i;

	(void)state;
	rec.syn.flags = NPK_SYN_SEEN;
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		rec.syn.ttl = tests[i].ttl;
		snprintf(expected, sizeof(expected), "4:%u+%u:0:0:0,0:::0", tests[i].ttl,
			 tests[i].distance);
		assert_signature(&rec, expected);
	}
}

static void test_ip_options(void **state)
{
	struct npk_rec rec = { .ip_version = 4 };

	(void)state;
	rec.syn.flags = NPK_SYN_SEEN;
	rec.syn.ttl = 64;
	rec.syn.ip_options = 40;
	rec.syn.mss = 65535;
	rec.syn.window = 65535;
	rec.syn.wscale = 255;
	assert_signature(&rec, "4:64+0:40:65535:65535,255:::0");
}

/* A record from a reader that does not know better: never beyond the room there is. */
static void test_longest(void **state)
{
	char out[P0F_MAX];
	struct npk_rec rec;

	(void)state;
	memset(&rec, 0xff, sizeof(rec));
	rec.syn.options = 0xeeeeeeee;
	memset(out, '#', sizeof(out));
	p0f_signature(out, &rec);
	assert_true(strlen(out) < P0F_MAX);
	assert_string_equal(out + strlen(out) - 2, ":+");
	rec.syn.options = 0x76c9abd7;	/* values that are not used */
	p0f_signature(out, &rec);
	assert_non_null(strstr(out, ":?,?,?,?,?,?,?,?,...:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_syn),
		cmocka_unit_test(test_usual_systems),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_ip_options),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
