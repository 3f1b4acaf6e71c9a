// SPDX-License-Identifier: GPL-2.0-only
/* What a SYN says about the system that sent it. */
#include "test.h"

#include "kmod/core/tcp.h"
#include "segment.h"

/* The layout of up to eight options, the first in the lowest bits. */
#define LAYOUT(...)	layout((const uint8_t[8]){ __VA_ARGS__ })

#define NOP	NPK_SYN_OPT_NOP
#define MSS	NPK_SYN_OPT_MSS
#define WS	NPK_SYN_OPT_WSCALE
#define SOK	NPK_SYN_OPT_SACK_OK
#define SACK	NPK_SYN_OPT_SACK
#define TS	NPK_SYN_OPT_TIMESTAMP
#define EOL	NPK_SYN_OPT_EOL
#define OTHER	NPK_SYN_OPT_OTHER

static uint32_t layout(const uint8_t *option)
{
	uint32_t i, v = 0;

	for (i = 0; i < 8; i++)
		v |= (uint32_t)option[i] << 4 * i;
	return v;
}

/* Every octet that was not written shows: it differs between the two. */
static struct npk_syn read_pkt(struct npk_pkt *pkt)
{
	struct npk_syn a, b;

	assert_int_equal(npk_parse(pkt), NPK_IGN_NONE);
	assert_true(pkt->has_tcp);
	memset(&a, 0x55, sizeof(a));
	memset(&b, 0xaa, sizeof(b));
	npk_syn_read(&a, pkt);
	npk_syn_read(&b, pkt);
	assert_memory_equal(&a, &b, sizeof(a));
	return a;
}

/* From a copy of exactly the right size, so that ASan sees any overrun. */
static struct npk_syn read_frame(const struct frame *f, const struct npk_pkt *pkt)
{
	struct npk_pkt copy = *pkt;
	uint8_t *data = malloc(f->len);
	struct npk_syn syn;

	assert_non_null(data);
	memcpy(data, f->data, f->len);
	copy.data = data;
	syn = read_pkt(&copy);
	free(data);
	return syn;
}

static struct npk_syn read_syn(const struct segment *s)
{
	struct npk_pkt pkt;
	struct frame f;

	pkt = segment_pkt(&f, s, 1);
	return read_frame(&f, &pkt);
}

#define READ(...)	read_syn(&(struct segment){ __VA_ARGS__ })

/* IPv4 with DF, an identification and nothing that is unusual. */
#define PLAIN		.ip_frag = 0x4000, .flags = SYN, .seq = 1
#define DF_ID		(NPK_QUIRK_DF | NPK_QUIRK_ID_PLUS)

static void test_linux(void **state)
{
	struct npk_syn syn = READ(PLAIN, .window = 64240, OPTIONS(OPT_LINUX));

	(void)state;
	assert_int_equal(syn.options, LAYOUT(MSS, SOK, TS, NOP, WS));
	assert_int_equal(syn.window, 64240);
	assert_int_equal(syn.mss, 1460);
	assert_int_equal(syn.wscale, 7);
	assert_int_equal(syn.quirks, DF_ID);
	assert_int_equal(syn.ttl, 64);
	assert_int_equal(syn.ip_options, 0);
	assert_int_equal(syn.tcp_len, 40);
	assert_int_equal(syn.eol_pad, 0);
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_MSS | NPK_SYN_WSCALE);
}

static void test_windows(void **state)
{
	struct npk_syn syn = READ(PLAIN, .window = 8192, OPTIONS(OPT_WINDOWS));

	(void)state;
	assert_int_equal(syn.options, LAYOUT(MSS, NOP, WS, NOP, NOP, SOK));
	assert_int_equal(syn.window, 8192);
	assert_int_equal(syn.mss, 1460);
	assert_int_equal(syn.wscale, 8);
	assert_int_equal(syn.quirks, DF_ID);
	assert_int_equal(syn.tcp_len, 32);
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_MSS | NPK_SYN_WSCALE);
}

static void test_macos(void **state)
{
	struct npk_syn syn = READ(PLAIN, .window = 65535, OPTIONS(OPT_MACOS));

	(void)state;
	assert_int_equal(syn.options, LAYOUT(MSS, NOP, WS, NOP, NOP, TS, SOK, EOL));
	assert_int_equal(syn.wscale, 6);
	assert_int_equal(syn.quirks, DF_ID);
	assert_int_equal(syn.tcp_len, 44);
	assert_int_equal(syn.eol_pad, 1);
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_MSS | NPK_SYN_WSCALE);
}

static void test_no_options(void **state)
{
	struct npk_syn syn = READ(PLAIN);

	(void)state;
	assert_int_equal(syn.options, 0);
	assert_int_equal(syn.mss, 0);
	assert_int_equal(syn.wscale, 0);
	assert_int_equal(syn.tcp_len, 20);
	assert_int_equal(syn.flags, NPK_SYN_SEEN);
	assert_int_equal(syn.quirks, DF_ID);
}

static void test_syn_ack(void **state)
{
	struct npk_syn syn = READ(.ip_frag = 0x4000, .flags = SYN | ACK, .seq = 1, .ack = 2,
				  OPTIONS(OPT_LINUX));

	(void)state;
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_ACK | NPK_SYN_MSS | NPK_SYN_WSCALE);
	assert_int_equal(syn.quirks, DF_ID);
}

static void test_ip6(void **state)
{
	struct npk_syn syn = READ(.v6 = true, .flags = SYN, .seq = 1, OPTIONS(OPT_LINUX));
	struct npk_pkt pkt;
	struct frame f;

	(void)state;	/* the frames' traffic class is 0xaa, their label 0x12345 */
	assert_int_equal(syn.quirks, NPK_QUIRK_ECN | NPK_QUIRK_FLOW);
	assert_int_equal(syn.ttl, 63);
	assert_int_equal(syn.ip_options, 0);
	assert_int_equal(syn.options, LAYOUT(MSS, SOK, TS, NOP, WS));
	pkt = segment_pkt(&f, &(struct segment){ .v6 = true, .flags = SYN, .seq = 1 }, 1);
	memcpy(f.data + 14, "\x6f\xc0\0\0", 4);	/* a class without ECN, no label */
	syn = read_frame(&f, &pkt);
	assert_int_equal(syn.quirks, 0);
	memcpy(f.data + 14, "\x60\x10\0\0", 4);	/* the lower bit of ECN alone */
	syn = read_frame(&f, &pkt);
	assert_int_equal(syn.quirks, NPK_QUIRK_ECN);
	memcpy(f.data + 14, "\x60\x08\0\1", 4);
	syn = read_frame(&f, &pkt);
	assert_int_equal(syn.quirks, NPK_QUIRK_FLOW);
}

static void test_data(void **state)
{
	struct npk_syn syn = READ(PLAIN, .payload = 1);

	(void)state;
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_PAYLOAD);
	assert_int_equal(syn.tcp_len, 21);
	syn = READ(PLAIN, .payload = 234, OPTIONS(OPT_LINUX));
	assert_int_equal(syn.tcp_len, 255);
	syn = READ(PLAIN, .payload = 214, OPTIONS(OPT_LINUX));
	assert_int_equal(syn.tcp_len, 254);
	syn = READ(PLAIN, .payload = 216, OPTIONS(OPT_LINUX));
	assert_int_equal(syn.tcp_len, 255);
	syn = READ(PLAIN, .payload = 1400);
	assert_int_equal(syn.tcp_len, 255);
}

static uint32_t quirks_ip4(uint16_t id, uint16_t frag, uint8_t tos)
{
	struct npk_pkt pkt;
	struct frame f;

	pkt = segment_pkt(&f, &(struct segment){ .flags = SYN, .seq = 1, .ip_frag = frag }, 1);
	f.data[15] = tos;
	f.data[18] = (uint8_t)(id >> 8);
	f.data[19] = (uint8_t)id;
	return read_frame(&f, &pkt).quirks;
}

static void test_quirks_of_ip4(void **state)
{
	(void)state;
	assert_int_equal(quirks_ip4(1, 0, 0), 0);
	assert_int_equal(quirks_ip4(0x100, 0, 0), 0);
	assert_int_equal(quirks_ip4(0, 0, 0), NPK_QUIRK_ID_MINUS);
	assert_int_equal(quirks_ip4(0, 0x4000, 0), NPK_QUIRK_DF);
	assert_int_equal(quirks_ip4(1, 0x4000, 0), NPK_QUIRK_DF | NPK_QUIRK_ID_PLUS);
	assert_int_equal(quirks_ip4(0x100, 0x4000, 0), NPK_QUIRK_DF | NPK_QUIRK_ID_PLUS);
	assert_int_equal(quirks_ip4(1, 0x8000, 0), NPK_QUIRK_ZERO_PLUS);
	assert_int_equal(quirks_ip4(0, 0xc000, 0), NPK_QUIRK_ZERO_PLUS | NPK_QUIRK_DF);
	assert_int_equal(quirks_ip4(1, 0, 1), NPK_QUIRK_ECN);
	assert_int_equal(quirks_ip4(1, 0, 2), NPK_QUIRK_ECN);
	assert_int_equal(quirks_ip4(1, 0, 0xfc), 0);
}

static void test_quirks_of_tcp(void **state)
{
	static const struct {
		struct segment s;
		uint32_t quirks;
	} tests[] = {
		{ { .flags = SYN, .seq = 1 }, 0 },
		{ { .flags = SYN | 0x40, .seq = 1 }, NPK_QUIRK_ECN },
		{ { .flags = SYN | 0x80, .seq = 1 }, NPK_QUIRK_ECN },
		{ { .flags = SYN | 0x100, .seq = 1 }, NPK_QUIRK_ECN },
		{ { .flags = SYN | 0x200, .seq = 1 }, 0 },
		{ { .flags = SYN | 0x400, .seq = 1 }, 0 },
		{ { .flags = SYN | 0x800, .seq = 1 }, 0 },
		{ { .flags = SYN, .seq = 0 }, NPK_QUIRK_SEQ_MINUS },
		{ { .flags = SYN, .seq = 0x80000000 }, 0 },
		{ { .flags = SYN, .seq = 1, .ack = 1 }, NPK_QUIRK_ACK_PLUS },
		{ { .flags = SYN | ACK, .seq = 1, .ack = 1 }, 0 },
		{ { .flags = SYN | ACK, .seq = 1, .ack = 0 }, NPK_QUIRK_ACK_MINUS },
		{ { .flags = SYN, .seq = 1, .urgent = 1 }, NPK_QUIRK_UPTR_PLUS },
		{ { .flags = SYN, .seq = 1, .urgent = 0x100 }, NPK_QUIRK_UPTR_PLUS },
		{ { .flags = SYN | NPK_TCP_URG, .seq = 1 }, NPK_QUIRK_URGF_PLUS },
		{ { .flags = SYN | NPK_TCP_URG, .seq = 1, .urgent = 1 }, NPK_QUIRK_URGF_PLUS },
		{ { .flags = SYN | PSH, .seq = 1 }, NPK_QUIRK_PUSHF_PLUS },
		{ { .flags = SYN | FIN, .seq = 1 }, 0 },
		{ { .flags = 0xfea, .seq = 0, .ack = 1 },
		  NPK_QUIRK_ECN | NPK_QUIRK_SEQ_MINUS | NPK_QUIRK_ACK_PLUS |
		  NPK_QUIRK_URGF_PLUS | NPK_QUIRK_PUSHF_PLUS },
	};
	unsigned int i;

	(void)state;	/* IPv4 without DF and with an identification: no quirk of its own */
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		assert_int_equal(read_syn(&tests[i].s).quirks, tests[i].quirks);
}

#define TIMESTAMP(a, b)	"\x01\x01\x08\x0a" a b

static void test_quirks_of_options(void **state)
{
	(void)state;
	assert_int_equal(READ(PLAIN, OPTIONS(TIMESTAMP("\0\0\0\1", "\0\0\0\0"))).quirks, DF_ID);
	assert_int_equal(READ(PLAIN, OPTIONS(TIMESTAMP("\1\0\0\0", "\0\0\0\0"))).quirks, DF_ID);
	assert_int_equal(READ(PLAIN, OPTIONS(TIMESTAMP("\0\0\0\0", "\0\0\0\0"))).quirks,
			 DF_ID | NPK_QUIRK_TS1_MINUS);
	assert_int_equal(READ(PLAIN, OPTIONS(TIMESTAMP("\0\0\0\1", "\0\0\0\1"))).quirks,
			 DF_ID | NPK_QUIRK_TS2_PLUS);
	assert_int_equal(READ(PLAIN, OPTIONS(TIMESTAMP("\0\0\0\1", "\1\0\0\0"))).quirks,
			 DF_ID | NPK_QUIRK_TS2_PLUS);
	/* a SYN+ACK echoes the peer's */
	assert_int_equal(READ(.flags = SYN | ACK, .seq = 1, .ack = 1,
			      OPTIONS(TIMESTAMP("\0\0\0\1", "\0\0\0\1"))).quirks, 0);
	assert_int_equal(READ(PLAIN, OPTIONS("\x03\x03\x0e\x01")).quirks, DF_ID);
	assert_int_equal(READ(PLAIN, OPTIONS("\x03\x03\x0f\x01")).quirks, DF_ID | NPK_QUIRK_EXWS);
	assert_int_equal(READ(PLAIN, OPTIONS("\x03\x03\xff\x01")).wscale, 255);
}

static void test_end_of_list(void **state)
{
	struct npk_syn syn = READ(PLAIN, OPTIONS("\0\0\0\0\0\0\0\0"));

	(void)state;
	assert_int_equal(syn.options, LAYOUT(EOL));
	assert_int_equal(syn.eol_pad, 7);
	assert_int_equal(syn.quirks, DF_ID);
	syn = READ(PLAIN, OPTIONS("\x01\x01\x01\0"));
	assert_int_equal(syn.options, LAYOUT(NOP, NOP, NOP, EOL));
	assert_int_equal(syn.eol_pad, 0);
	assert_int_equal(syn.quirks, DF_ID);
	syn = READ(PLAIN, OPTIONS("\x02\x04\x02\x18\0\x03\x03\x07"));
	assert_int_equal(syn.options, LAYOUT(MSS, EOL));	/* not the one behind */
	assert_int_equal(syn.eol_pad, 3);
	assert_int_equal(syn.quirks, DF_ID | NPK_QUIRK_OPT_PLUS);
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_MSS);
	syn = READ(PLAIN, OPTIONS("\0\0\0\0\0\0\0\x01"));	/* the very last one */
	assert_int_equal(syn.quirks, DF_ID | NPK_QUIRK_OPT_PLUS);
	syn = READ(PLAIN, OPTIONS("\0\x01\0\0"));		/* the first one behind it */
	assert_int_equal(syn.quirks, DF_ID | NPK_QUIRK_OPT_PLUS);
	/* payload is not behind the options */
	syn = READ(PLAIN, OPTIONS("\0\0\0\0"), .payload = 4);
	assert_int_equal(syn.quirks, DF_ID);
}

/* Options as they may not be: what can be read of them, and that they are bad. */
static void test_bad_options(void **state)
{
	static const struct {
		const char *opt;
		uint32_t layout;
		uint32_t flags;
	} tests[] = {
		/* length 0 and 1: the list ends */
		{ "\x01\xfe\x00\x01", NOP, NPK_SYN_BAD },
		{ "\x01\xfe\x01\x01", NOP, NPK_SYN_BAD },
		{ "\x02\x00\x05\xb4", 0, NPK_SYN_BAD },
		/* beyond the end, by one and by many */
		{ "\x01\xfe\x04\x01", NOP, NPK_SYN_BAD },
		{ "\x01\xfe\xff\x01", NOP, NPK_SYN_BAD },
		{ "\x01\x02\x04\x05", NOP, NPK_SYN_BAD },
		/* a kind without a length */
		{ "\x01\x01\x01\x02", NOP | NOP << 4 | NOP << 8, NPK_SYN_BAD },
		{ "\x01\x01\x01\xfe", NOP | NOP << 4 | NOP << 8, NPK_SYN_BAD },
		/* lengths up to the end are right, of kinds that are not known */
		{ "\x01\xfe\x03\x01", NOP | OTHER << 4, 0 },
		{ "\x1e\x04\x00\x00", OTHER, 0 },
		{ "\xfe\x02\x01\x01", OTHER | NOP << 4 | NOP << 8, 0 },
		{ "\x07\x04\x00\x00", OTHER, 0 },
		{ "\x09\x04\x00\x00", OTHER, 0 },
		{ "\x06\x02\x01\x01", OTHER | NOP << 4 | NOP << 8, 0 },
		/* known kinds of a wrong length */
		{ "\x02\x03\x05\x01", MSS | NOP << 4, NPK_SYN_BAD },
		{ "\x02\x02\x01\x01", MSS | NOP << 4 | NOP << 8, NPK_SYN_BAD },
		{ "\x03\x02\x01\x01", WS | NOP << 4 | NOP << 8, NPK_SYN_BAD },
		{ "\x03\x04\x01\x01", WS, NPK_SYN_BAD },
		{ "\x04\x03\x01\x01", SOK | NOP << 4, NPK_SYN_BAD },
		{ "\x08\x04\x01\x01", TS, NPK_SYN_BAD },
		/* what a SYN has no use for, of any length */
		{ "\x05\x02\x01\x01", SACK | NOP << 4 | NOP << 8, 0 },
		{ "\x05\x04\x01\x01", SACK, 0 },
	};
	struct npk_syn syn;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		syn = READ(PLAIN, .opt = tests[i].opt, .opt_len = 4);
		assert_int_equal(syn.options, tests[i].layout);
		assert_int_equal(syn.flags, NPK_SYN_SEEN | tests[i].flags);
		assert_int_equal(syn.mss, 0);
		assert_int_equal(syn.wscale, 0);
		assert_int_equal(syn.quirks, DF_ID);
	}
}

/* Whatever follows a bad length is not believed. */
static void test_nothing_behind_bad_options(void **state)
{
	struct npk_syn syn = READ(PLAIN, OPTIONS("\3\3\2\xfe\1\2\4\5\xb4\1\1\1"));

	(void)state;
	assert_int_equal(syn.options, LAYOUT(WS));
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_WSCALE | NPK_SYN_BAD);
	/* a wrong length of a known kind is a length all the same */
	syn = READ(PLAIN, OPTIONS("\x02\x06\x05\xb4\x02\x04\x02\x04\x02\x18\x01\x01"));
	assert_int_equal(syn.options, LAYOUT(MSS, MSS, NOP, NOP));
	assert_int_equal(syn.mss, 0x218);
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_MSS | NPK_SYN_BAD);
}

static void test_timestamp_of_another_length(void **state)
{
	struct npk_syn syn = READ(PLAIN, OPTIONS("\x08\x0c\0\0\0\0\0\0\0\1\0\0"));

	(void)state;
	assert_int_equal(syn.options, LAYOUT(TS));
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_BAD);
	assert_int_equal(syn.quirks, DF_ID);
}

/* The order of eight is kept; what comes behind is read all the same. */
static void test_many_options(void **state)
{
	struct npk_syn syn = READ(PLAIN, OPTIONS("\1\1\1\1\1\1\1\1"));

	(void)state;
	assert_int_equal(syn.options, 0x11111111);
	assert_int_equal(syn.flags, NPK_SYN_SEEN);
	syn = READ(PLAIN, OPTIONS("\1\1\1\1\1\1\1\1\2\4\1\0"));
	assert_int_equal(syn.options, 0x11111111);
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_MORE | NPK_SYN_MSS);
	assert_int_equal(syn.mss, 256);
	syn = READ(PLAIN, OPTIONS("\1\1\1\1\1\1\1\1\1\0\0\1"));
	assert_int_equal(syn.options, 0x11111111);
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_MORE);
	assert_int_equal(syn.eol_pad, 2);
	assert_int_equal(syn.quirks, DF_ID | NPK_QUIRK_OPT_PLUS);
	syn = READ(PLAIN, OPTIONS("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
				  "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"));
	assert_int_equal(syn.options, 0x11111111);
	assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_MORE);
	assert_int_equal(syn.tcp_len, 60);
	syn = READ(PLAIN, OPTIONS("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
				  "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\2\4\5\xb4"));
	assert_int_equal(syn.mss, 1460);	/* the last four of forty octets */
}

static void test_ip4_options(void **state)
{
	struct npk_syn syn;
	struct npk_pkt pkt;
	struct frame f;
	uint32_t i;

	(void)state;
	for (i = 0; i <= 40; i += 4) {
		put_eth(&f, 0x0800);
		put_ip4_frag(&f, NPK_PROTO_TCP, (uint16_t)(i + 20 + 4), 0x4000);
		f.data[14] = (uint8_t)(0x45 + i / 4);
		memset(f.data + f.len, 1, i);
		f.len += i;
		put_tcp(&f, 1, 2, SYN);
		f.data[f.len - 8] = 0x60;
		put32(&f, 0x020405b4);
		pkt = frame_pkt(&f, 1);
		syn = read_frame(&f, &pkt);
		assert_int_equal(syn.ip_options, i);
		assert_int_equal(syn.mss, 1460);
		assert_int_equal(syn.quirks, DF_ID | NPK_QUIRK_ACK_PLUS);
	}
}

/* The key need not have the type of service: the header has it. */
static void test_key_without_tos(void **state)
{
	struct npk_pkt pkt;
	struct npk_syn syn;
	struct frame f;

	(void)state;
	pkt = segment_pkt(&f, &(struct segment){ PLAIN }, 1);
	f.data[15] = 3;
	assert_int_equal(npk_parse(&pkt), NPK_IGN_NONE);
	npk_key_leave_out(&pkt.key, NPK_KEY_TOS);
	npk_syn_read(&syn, &pkt);
	assert_int_equal(syn.quirks, DF_ID | NPK_QUIRK_ECN);
}

/* Captured up to any octet: options are there in full, or bad and not read. */
static void test_options_cut_by_the_capture(void **state)
{
	struct npk_syn syn;
	struct npk_pkt pkt;
	struct frame f;
	uint32_t len;

	(void)state;
	for (len = 16; len <= 40; len++) {
		pkt = segment_pkt(&f, &(struct segment){ PLAIN, .urgent = 1, .payload = 8,
				  OPTIONS(OPT_LINUX) }, 1);
		f.len = 34 + len;
		pkt.linear = pkt.captured = f.len;
		syn = read_frame(&f, &pkt);
		if (len < 40) {
			assert_int_equal(syn.options, 0);
			assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_PAYLOAD | NPK_SYN_BAD);
		} else {
			assert_int_equal(syn.options, LAYOUT(MSS, SOK, TS, NOP, WS));
		}
		assert_int_equal(syn.quirks, DF_ID | (len < 20 ? 0 : NPK_QUIRK_UPTR_PLUS));
		assert_int_equal(syn.tcp_len, 48);
		assert_int_equal(syn.ttl, 64);
	}
}

/* The IP packet ends within the options, and padding follows: that is no option. */
static void test_options_cut_by_the_length(void **state)
{
	struct npk_syn syn;
	struct npk_pkt pkt;
	struct frame f;
	uint32_t len;

	(void)state;
	for (len = 20; len <= 40; len++) {
		pkt = segment_pkt(&f, &(struct segment){ PLAIN, OPTIONS(OPT_LINUX) }, 1);
		f.data[17] = (uint8_t)(20 + len);
		syn = read_frame(&f, &pkt);
		if (len < 40) {
			assert_int_equal(syn.options, 0);
			assert_int_equal(syn.flags, NPK_SYN_SEEN | NPK_SYN_BAD);
		} else {
			assert_int_equal(syn.options, LAYOUT(MSS, SOK, TS, NOP, WS));
		}
	}
}

/* The IP packet ends before the urgent pointer: padding is none. */
static void test_urgent_pointer_cut_by_the_length(void **state)
{
	struct npk_pkt pkt;
	struct frame f;
	uint32_t len;

	(void)state;
	for (len = 16; len <= 20; len++) {
		pkt = segment_pkt(&f, &(struct segment){ PLAIN, .urgent = 0xabcd }, 1);
		f.data[17] = (uint8_t)(20 + len);
		assert_int_equal(read_frame(&f, &pkt).quirks,
				 DF_ID | (len < 20 ? 0 : NPK_QUIRK_UPTR_PLUS));
	}
}

static bool pull_copy(const struct npk_pkt *pkt, u32 off, u32 len, u8 *buf)
{
	assert_true(len <= NPK_PULL_MAX && off + len <= pkt->captured);
	memcpy(buf, (const uint8_t *)pkt->priv + off, len);
	return true;
}

/* Wherever the linear part ends, the result is the same. */
static void test_pull(void **state)
{
	struct npk_syn syn, whole;
	struct npk_pkt pkt;
	uint8_t *linear;
	struct frame f;
	uint32_t v6, len;

	(void)state;
	for (v6 = 0; v6 < 2; v6++) {
		pkt = segment_pkt(&f, &(struct segment){ PLAIN, .v6 = v6, .urgent = 5,
				  OPTIONS("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
					  "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\2\4\5\xb4") }, 1);
		whole = read_pkt(&pkt);
		assert_int_equal(whole.mss, 1460);
		for (len = 14; len < f.len; len++) {
			pkt = frame_pkt(&f, 1);
			linear = malloc(len);
			assert_non_null(linear);
			memcpy(linear, f.data, len);
			pkt.data = linear;
			pkt.linear = len;
			pkt.pull = pull_copy;
			pkt.priv = f.data;
			syn = read_pkt(&pkt);
			assert_memory_equal(&syn, &whole, sizeof(syn));
			free(linear);
		}
	}
}

/* Random options: ASan is silent, and what is read is consistent. */
static void test_noise(void **state)
{
	uint64_t seed = 7, r;
	struct npk_syn syn;
	uint8_t opt[40];
	uint32_t i, j, len;

	(void)state;
	for (i = 0; i < 100000; i++) {
		r = test_random(&seed);
		len = r % 11 * 4;
		for (j = 0; j < len; j++)
			opt[j] = (uint8_t)(test_random(&seed) >> 40) & (r & 256 ? 0xff : 0x0b);
		syn = READ(PLAIN, .opt = (const char *)opt, .opt_len = len);
		assert_true(syn.eol_pad < 40);
		assert_true(syn.flags & NPK_SYN_SEEN);
		assert_true(syn.flags & NPK_SYN_MSS || !syn.mss);
		assert_true(syn.flags & NPK_SYN_WSCALE || !syn.wscale);
		assert_true(!(syn.flags & NPK_SYN_MORE) || syn.options >> 28);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linux),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_macos),
		cmocka_unit_test(test_no_options),
		cmocka_unit_test(test_syn_ack),
		cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_quirks_of_ip4),
		cmocka_unit_test(test_quirks_of_tcp),
		cmocka_unit_test(test_quirks_of_options),
		cmocka_unit_test(test_end_of_list),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_nothing_behind_bad_options),
		cmocka_unit_test(test_timestamp_of_another_length),
		cmocka_unit_test(test_many_options),
		cmocka_unit_test(test_ip4_options),
		cmocka_unit_test(test_key_without_tos),
		cmocka_unit_test(test_options_cut_by_the_capture),
		cmocka_unit_test(test_options_cut_by_the_length),
		cmocka_unit_test(test_urgent_pointer_cut_by_the_length),
		cmocka_unit_test(test_pull),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
