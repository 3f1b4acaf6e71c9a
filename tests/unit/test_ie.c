// SPDX-License-Identifier: GPL-2.0-only
/* lib/ie.c: the table against the registry's rules, every element's octets, templates. */
#include "test.h"
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <arpa/inet.h>

#include "lib/ie.h"

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

/* The source's clock started 5000 s before it. */
static const struct npk_clock at_5000s = {
	.now_ns = 5000 * SEC + 250 * MS,
	.offset_ns = (int64_t)((NOW_S - 5000) * SEC),
	.boot_ns = 1400 * SEC + 250 * MS,
};

static const struct npk_ie *by_name(const char *name)
{
	return npk_ie_by_name(name, strlen(name));
}

static struct npk_rec icmp_rec(uint8_t version, uint8_t proto)
{
	struct npk_rec rec = {
		.first_ns = 4990 * SEC + 250 * MS + 123456,
		.last_ns = 4999 * SEC + 251 * MS + 345678,
		.packets = UINT64_C(0x0102030405060708),
		.octets = UINT64_C(0x1112131415161718),
		.sport = htons(0x2122),
		.dport = htons(0x0304),
		.proto = proto,
		.tos = 0xb8,
		.ip_version = version,
		.end_reason = NPK_END_FLOW,
		.in_if = 0x31323334,
		.out_if = 0x41424344,
		.vlan = 0x0123,
		.vlan2 = 0x0456,
		.mpls = { 0x12345abc, 0x2345619d, 0x34567dff, 0 },
		.tcp_flags = 0x0f1b,
		.min_len = 40,
		.max_len = 0x00051234,
		.min_ttl = 63,
		.max_ttl = 64,
		.dir = NPK_DIR_EGRESS,
		.nr_mpls = 3,
		.smac = { 0x02, 0, 0, 0, 0, 0x01 },
		.dmac = { 0x02, 0, 0, 0, 0, 0x02 },
		.fragments = 0x00020001,
		.flow_label = 0xabcde,
		.server_delay_us = 0xffffffff, .client_delay_us = 46999, .appl_delay_us = 2500,
		.retransmitted = 0x51525354, .out_of_order = 0x61626364,
		.syn = {
			.window = 0x7172, .mss = 1460, .wscale = 7,
			.flags = NPK_SYN_SEEN | NPK_SYN_MSS | NPK_SYN_WSCALE,
		},
	};

	memcpy(rec.saddr, "\xc0\x00\x02\x01" "s2345678901", version == 4 ? 4 : 16);
	memcpy(rec.daddr, "\xc6\x33\x64\x02" "d2345678901", version == 4 ? 4 : 16);
	return rec;
}

/* What the lookup of names answers: "index NUMBER ARG", cut at 15 octets by the encoder. */
static const char *if_name(void *arg, uint32_t index)
{
	static char name[64];

	assert_int_not_equal(index, 0);
	snprintf(name, sizeof(name), "%s %u", (const char *)arg, index);
	return name;
}

static char if_name_arg[16] = "index";

/* Encode one field; the result is on the heap, of exactly its length. */
static uint8_t *encode(const struct npk_ie *ie, uint16_t len, const struct npk_rec *rec,
		       const struct npk_clock *clock)
{
	const struct npk_field field = { .ie = ie, .len = len };
	struct npk_times times;
	struct npk_plan plan;
	uint8_t *out;

	assert_int_equal(npk_plan_init(&plan, &field, 1), 0);
	plan.if_name = if_name;
	plan.if_name_arg = if_name_arg;
	assert_int_equal(plan.record_len, len ? len : ie->len);
	out = malloc(plan.record_len);
	assert_non_null(out);
	npk_times_init(&times, clock);
	npk_plan_encode(&plan, rec, &times, out);
	return out;
}

static void check(const char *name, uint16_t len, const struct npk_rec *rec,
		  const struct npk_clock *clock, const char *want, size_t want_len)
{
	const struct npk_ie *ie = by_name(name);
	uint8_t *got;

	assert_non_null(ie);
	got = encode(ie, len, rec, clock);
	assert_int_equal(len ? len : ie->len, want_len);
	if (memcmp(got, want, want_len))
		print_error("%s differs\n", name);
	assert_memory_equal(got, want, want_len);
	free(got);
}

/* A string literal with its length, for octets that may be zero. */
#define OCTETS(s)	(s), sizeof(s) - 1

static void test_table(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < __NPK_IE_MAX; i++) {
		const struct npk_ie *ie = &npk_ie_table[i];

		assert_true(ie->id > 0 && ie->id < 0x8000);
		assert_true(ie->len >= 1 && ie->len <= ie->max_len);
		assert_true(ie->offset + ie->size <= sizeof(struct npk_rec));
		assert_true(ie->kind < __NPK_IE_KIND_MAX);
		assert_true(strlen(ie->text) > 0);
		if (ie->kind <= NPK_IE_FLAGS)
			assert_true(ie->max_len <= 8);
		else
			assert_int_equal(ie->len, ie->max_len);
		for (j = 0; j < i; j++) {
			const struct npk_ie *other = &npk_ie_table[j];

			assert_false(ie->id == other->id && ie->pen == other->pen);
			assert_string_not_equal(ie->name, other->name);
			assert_string_not_equal(ie->ipfix_name, other->ipfix_name);
			assert_int_not_equal(npk_ie_v9_type(ie), npk_ie_v9_type(other));
		}
	}
}

static void test_lookup(void **state)
{
	const struct npk_ie other = { .pen = 9, .id = 1 };
	size_t i;

	(void)state;
	for (i = 0; i < __NPK_IE_MAX; i++) {
		const struct npk_ie *ie = &npk_ie_table[i];

		assert_ptr_equal(by_name(ie->name), ie);
		assert_ptr_equal(by_name(ie->ipfix_name), ie);
		assert_ptr_equal(npk_ie_by_id(ie->pen, ie->id), ie);
	}
	assert_int_equal(by_name("IPV4_SRC_ADDR")->id, 8);
	assert_int_equal(by_name("sourceIPv4Address")->id, 8);
	assert_int_equal(by_name("MIN_PKT_LNGTH")->id, 25);
	assert_int_equal(by_name("MAX_PKT_LNGTH")->id, 26);
	assert_null(by_name(""));
	assert_null(by_name("IPV4_SRC_ADD"));
	assert_null(by_name("ipv4_src_addr"));
	assert_null(npk_ie_by_name("IPV4_SRC_ADDR", 12));
	assert_null(npk_ie_by_name("IPV4_SRC_ADDR\0", 14));
	assert_int_equal(npk_ie_by_name("IPV4_SRC_ADDR %IN_BYTES", 13)->id, 8);
	assert_null(npk_ie_by_id(0, 0));
	assert_null(npk_ie_by_id(1, 8));
	assert_int_equal(npk_ie_v9_type(by_name("IN_BYTES")), 1);
	assert_int_equal(npk_ie_v9_type(by_name("SRC_FRAGMENTS")), 57552);
	assert_int_equal(npk_ie_v9_type(&other), 0);
}

/* What each element must be on the wire for icmp_rec(4, 1) at at_5000s. */
static const struct {
	const char *name;
	const char *want;
	size_t len;
} ipv4_icmp[] = {
	{ "IPV4_SRC_ADDR", OCTETS("\xc0\x00\x02\x01") },
	{ "IPV4_DST_ADDR", OCTETS("\xc6\x33\x64\x02") },
	{ "IPV6_SRC_ADDR", OCTETS("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
	{ "IPV6_DST_ADDR", OCTETS("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
	{ "L4_SRC_PORT", OCTETS("\x21\x22") },
	{ "L4_DST_PORT", OCTETS("\x03\x04") },
	{ "PROTOCOL", OCTETS("\x01") },
	{ "SRC_TOS", OCTETS("\xb8") },
	{ "IP_PROTOCOL_VERSION", OCTETS("\x04") },
	{ "DIRECTION", OCTETS("\x01") },
	{ "INPUT_SNMP", OCTETS("\x31\x32\x33\x34") },
	{ "OUTPUT_SNMP", OCTETS("\x41\x42\x43\x44") },
	{ "SRC_VLAN", OCTETS("\x01\x23") },
	{ "DOT1Q_SRC_VLAN", OCTETS("\x01\x23") },
	{ "DOT1Q_CUSTOMER_SRC_VLAN", OCTETS("\x04\x56") },
	{ "IN_BYTES", OCTETS("\x11\x12\x13\x14\x15\x16\x17\x18") },
	{ "IN_PKTS", OCTETS("\x01\x02\x03\x04\x05\x06\x07\x08") },
	/* 3590000 and 3599001 ms after boot: 0x0036c770, 0x0036ea99 */
	{ "FIRST_SWITCHED", OCTETS("\x00\x36\xc7\x70") },
	{ "LAST_SWITCHED", OCTETS("\x00\x36\xea\x99") },
	/* 1699999990.250123456 and 1699999999.251345678 */
	{ "FLOW_START_SEC", OCTETS("\x65\x53\xf0\xf6") },
	{ "FLOW_END_SEC", OCTETS("\x65\x53\xf0\xff") },
	{ "FLOW_START_MILLISECONDS", OCTETS("\x00\x00\x01\x8b\xcf\xe5\x41\xea") },
	{ "FLOW_END_MILLISECONDS", OCTETS("\x00\x00\x01\x8b\xcf\xe5\x65\x13") },
	/* 3908988790 = 0xe8fe6f76 s since 1900; 0.250123456 * 2^32 = 0x40081740, rounded up */
	{ "FLOW_START_MICROSECONDS", OCTETS("\xe8\xfe\x6f\x76\x40\x08\x10\x00") },
	{ "FLOW_END_MICROSECONDS", OCTETS("\xe8\xfe\x6f\x7f\x40\x58\x28\x00") },
	{ "FLOW_START_NANOSECONDS", OCTETS("\xe8\xfe\x6f\x76\x40\x08\x17\x40") },
	{ "FLOW_END_NANOSECONDS", OCTETS("\xe8\xfe\x6f\x7f\x40\x58\x30\xbc") },
	{ "FLOW_DURATION_MILLISECONDS", OCTETS("\x00\x00\x23\x29") },		/* 9001 */
	{ "FLOW_DURATION_MICROSECONDS", OCTETS("\x00\x89\x59\x06") },		/* 9001222 */
	{ "TCP_FLAGS", OCTETS("\x1b") },
	{ "MIN_IP_PKT_LEN", OCTETS("\x00\x28") },
	{ "MAX_IP_PKT_LEN", OCTETS("\xff\xff") },
	{ "MIN_TTL", OCTETS("\x3f") },
	{ "MAX_TTL", OCTETS("\x40") },
	{ "IPV6_FLOW_LABEL", OCTETS("\x0a\xbc\xde") },
	{ "ICMP_TYPE", OCTETS("\x03\x04") },
	{ "ICMP_IPV6_TYPE_CODE", OCTETS("\x00\x00") },
	{ "ICMP_IPV4_TYPE", OCTETS("\x03") },
	{ "ICMP_IPV4_CODE", OCTETS("\x04") },
	{ "ICMP_IPV6_TYPE", OCTETS("\x00") },
	{ "ICMP_IPV6_CODE", OCTETS("\x00") },
	{ "IN_SRC_MAC", OCTETS("\x02\0\0\0\0\x01") },
	{ "IN_DST_MAC", OCTETS("\x02\0\0\0\0\x02") },
	{ "FLOW_END_REASON", OCTETS("\x03") },
	{ "MPLS_LABEL_1", OCTETS("\x12\x34\x5a") },
	{ "MPLS_LABEL_2", OCTETS("\x23\x45\x61") },
	{ "MPLS_LABEL_3", OCTETS("\x34\x56\x7d") },
	{ "MPLS_LABEL_4", OCTETS("\x00\x00\x00") },
	{ "SRC_FRAGMENTS", OCTETS("\xff\xff") },
	{ "INTERFACE_NAME", OCTETS("index 825373492\0") },
	{ "TCP_WINDOW_SIZE", OCTETS("\x71\x72") },
	{ "LONGEST_FLOW_PKT", OCTETS("\xff\xff") },
	{ "SHORTEST_FLOW_PKT", OCTETS("\x00\x28") },
	{ "RETRANSMITTED_IN_PKTS", OCTETS("\x51\x52\x53\x54") },
	{ "OOORDER_IN_PKTS", OCTETS("\x61\x62\x63\x64") },
	{ "CLIENT_NW_LATENCY_MS", OCTETS("\x00\x00\x00\x17") },	/* 23.4995 */
	{ "SERVER_NW_LATENCY_MS", OCTETS("\x00\x20\xc4\x9c") },	/* 2147483.6475 */
	{ "APPL_LATENCY_MS", OCTETS("\x00\x00\x00\x03") },		/* 2.5 */
	{ "DURATION_IN", OCTETS("\x00\x00\x23\x29") },
	{ "TCP_WIN_MSS_IN", OCTETS("\x05\xb4") },
	{ "TCP_WIN_SCALE_IN", OCTETS("\x07") },
	{ "FINGERPRINT", OCTETS("717205B401070000S00\0") },
};

static void test_every_element(void **state)
{
	const struct npk_rec rec = icmp_rec(4, 1);
	size_t i, j;

	(void)state;
	assert_int_equal(NR(ipv4_icmp), __NPK_IE_MAX);
	for (i = 0; i < NR(ipv4_icmp); i++) {
		check(ipv4_icmp[i].name, 0, &rec, &at_5000s, ipv4_icmp[i].want, ipv4_icmp[i].len);
		for (j = 0; j < i; j++)
			assert_string_not_equal(ipv4_icmp[i].name, ipv4_icmp[j].name);
	}
}

static void test_ipv6_elements(void **state)
{
	const struct npk_rec rec = icmp_rec(6, 58);

	(void)state;
	check("IPV4_SRC_ADDR", 0, &rec, &at_5000s, OCTETS("\0\0\0\0"));
	check("IPV4_DST_ADDR", 0, &rec, &at_5000s, OCTETS("\0\0\0\0"));
	check("IPV6_SRC_ADDR", 0, &rec, &at_5000s, OCTETS("\xc0\x00\x02\x01s2345678901\0"));
	check("IPV6_DST_ADDR", 0, &rec, &at_5000s, OCTETS("\xc6\x33\x64\x02" "d2345678901\0"));
	check("IP_PROTOCOL_VERSION", 0, &rec, &at_5000s, OCTETS("\x06"));
	check("ICMP_TYPE", 0, &rec, &at_5000s, OCTETS("\0\0"));
	check("ICMP_IPV4_TYPE", 0, &rec, &at_5000s, OCTETS("\0"));
	check("ICMP_IPV4_CODE", 0, &rec, &at_5000s, OCTETS("\0"));
	check("ICMP_IPV6_TYPE_CODE", 0, &rec, &at_5000s, OCTETS("\x03\x04"));
	check("ICMP_IPV6_TYPE", 0, &rec, &at_5000s, OCTETS("\x03"));
	check("ICMP_IPV6_CODE", 0, &rec, &at_5000s, OCTETS("\x04"));
}

/* Fixed length: cut, or filled with zeros; none is made up. */
static void test_if_name(void **state)
{
	const struct npk_field field = NPK_FIELD(INTERFACE_NAME);
	struct npk_rec rec = icmp_rec(4, 6);
	struct npk_plan plan = { .if_name = NULL };
	struct npk_times times;
	uint8_t got[16];

	(void)state;
	strcpy(if_name_arg, "a long name");
	check("INTERFACE_NAME", 0, &rec, &at_5000s, OCTETS("a long name 825\0"));
	strcpy(if_name_arg, "index");
	rec.in_if = 0;
	check("INTERFACE_NAME", 0, &rec, &at_5000s, OCTETS("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	rec.in_if = 7;
	check("INTERFACE_NAME", 0, &rec, &at_5000s, OCTETS("index 7\0\0\0\0\0\0\0\0\0"));
	/* nobody to ask */
	assert_int_equal(npk_plan_init(&plan, &field, 1), 0);
	npk_times_init(&times, &at_5000s);
	memset(got, 0xff, sizeof(got));
	npk_plan_encode(&plan, &rec, &times, got);
	assert_memory_equal(got, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void test_vlan(void **state)
{
	struct npk_rec rec = icmp_rec(4, 6);

	(void)state;
	rec.vlan = NPK_VLAN_NONE;
	rec.vlan2 = NPK_VLAN_NONE;
	check("SRC_VLAN", 0, &rec, &at_5000s, OCTETS("\0\0"));
	check("DOT1Q_SRC_VLAN", 0, &rec, &at_5000s, OCTETS("\0\0"));
	check("DOT1Q_CUSTOMER_SRC_VLAN", 0, &rec, &at_5000s, OCTETS("\0\0"));
	rec.vlan = 4095;
	check("SRC_VLAN", 0, &rec, &at_5000s, OCTETS("\x0f\xff"));
}

/* Another length than the usual: quantities saturate, names of things do not. */
static void test_lengths(void **state)
{
	struct npk_rec rec = icmp_rec(4, 6);

	(void)state;
	check("IN_BYTES", 4, &rec, &at_5000s, OCTETS("\xff\xff\xff\xff"));
	check("MAX_IP_PKT_LEN", 3, &rec, &at_5000s, OCTETS("\x05\x12\x34"));
	check("MAX_IP_PKT_LEN", 8, &rec, &at_5000s, OCTETS("\0\0\0\0\x00\x05\x12\x34"));
	check("INPUT_SNMP", 2, &rec, &at_5000s, OCTETS("\0\0"));
	check("IPV6_FLOW_LABEL", 4, &rec, &at_5000s, OCTETS("\x00\x0a\xbc\xde"));
	check("TCP_FLAGS", 2, &rec, &at_5000s, OCTETS("\x0f\x1b"));
	check("SRC_FRAGMENTS", 4, &rec, &at_5000s, OCTETS("\x00\x02\x00\x01"));
	rec.octets = UINT32_MAX;
	check("IN_BYTES", 4, &rec, &at_5000s, OCTETS("\xff\xff\xff\xff"));
	rec.octets = 5000;
	check("IN_BYTES", 4, &rec, &at_5000s, OCTETS("\x00\x00\x13\x88"));
	check("IN_BYTES", 3, &rec, &at_5000s, OCTETS("\x00\x13\x88"));
	check("IN_BYTES", 1, &rec, &at_5000s, OCTETS("\xff"));
	rec.in_if = 65535;
	check("INPUT_SNMP", 2, &rec, &at_5000s, OCTETS("\xff\xff"));
	rec.max_len = 65535;
	check("MAX_IP_PKT_LEN", 2, &rec, &at_5000s, OCTETS("\xff\xff"));
	rec.max_len = 65534;
	check("MAX_IP_PKT_LEN", 2, &rec, &at_5000s, OCTETS("\xff\xfe"));
}

/* IPFIX's lengths: nothing that a record can hold is lost. */
static void test_full_lengths(void **state)
{
	static const struct { const char *name; uint16_t len; } want[] = {
		{ "TCP_FLAGS", 2 }, { "MAX_IP_PKT_LEN", 4 }, { "IPV6_FLOW_LABEL", 4 },
		{ "SRC_FRAGMENTS", 4 }, { "IN_BYTES", 8 }, { "MPLS_LABEL_1", 3 },
		{ "FLOW_START_MILLISECONDS", 8 }, { "PROTOCOL", 1 }, { "SRC_VLAN", 2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NR(want); i++)
		assert_int_equal(npk_ie_full_len(by_name(want[i].name)), want[i].len);
	for (i = 0; i < __NPK_IE_MAX; i++) {
		const struct npk_ie *ie = &npk_ie_table[i];

		assert_in_range(npk_ie_full_len(ie), ie->len, ie->max_len);
		if (ie->kind <= NPK_IE_FLAGS)
			assert_true(npk_ie_full_len(ie) >= ie->size ||
				    npk_ie_full_len(ie) == ie->max_len);
	}
}

/* Which elements one IP version alone can fill. */
static void test_ip_versions(void **state)
{
	static const char *const names[] = {
		"IPV4_SRC_ADDR", "IPV4_DST_ADDR", "ICMP_TYPE", "ICMP_IPV4_TYPE", "ICMP_IPV4_CODE",
		"IPV6_SRC_ADDR", "IPV6_DST_ADDR", "ICMP_IPV6_TYPE_CODE", "ICMP_IPV6_TYPE",
		"ICMP_IPV6_CODE", "IPV6_FLOW_LABEL",
	};
	size_t i, bound = 0;

	(void)state;
	for (i = 0; i < NR(names); i++)
		assert_int_equal(npk_ie_ip_version(by_name(names[i])), i < 5 ? 4 : 6);
	for (i = 0; i < __NPK_IE_MAX; i++)
		bound += npk_ie_ip_version(&npk_ie_table[i]) != 0;
	assert_int_equal(bound, NR(names));
}

static void test_times(void **state)
{
	struct npk_clock clock = at_5000s;
	struct npk_rec rec = icmp_rec(4, 6);

	(void)state;
	/* Before boot: modulo 2^32. */
	rec.first_ns = clock.boot_ns - 5 * MS;
	check("FIRST_SWITCHED", 0, &rec, &clock, OCTETS("\xff\xff\xff\xfb"));
	/* 2^32 ms after boot. */
	rec.last_ns = clock.boot_ns + ((UINT64_C(1) << 32) + 7) * MS;
	check("LAST_SWITCHED", 0, &rec, &clock, OCTETS("\x00\x00\x00\x07"));
	check("FLOW_DURATION_MILLISECONDS", 0, &rec, &clock, OCTETS("\xff\xff\xff\xff"));
	check("FLOW_DURATION_MICROSECONDS", 0, &rec, &clock, OCTETS("\xff\xff\xff\xff"));
	rec.last_ns = rec.first_ns - 1;
	check("FLOW_DURATION_MICROSECONDS", 0, &rec, &clock, OCTETS("\0\0\0\0"));
	/* A wall clock that was never set: 10 s before 1970. */
	clock.offset_ns = -(int64_t)(5000 * SEC);
	rec.first_ns = 4990 * SEC;
	rec.last_ns = 4991 * SEC;
	check("FLOW_START_SEC", 0, &rec, &clock, OCTETS("\0\0\0\0"));
	check("FLOW_START_MILLISECONDS", 0, &rec, &clock, OCTETS("\0\0\0\0\0\0\0\0"));
	check("FLOW_START_NANOSECONDS", 0, &rec, &clock, OCTETS("\0\0\0\0\0\0\0\0"));
	check("FLOW_DURATION_MILLISECONDS", 0, &rec, &clock, OCTETS("\x00\x00\x03\xe8"));
	check("FIRST_SWITCHED", 0, &rec, &clock, OCTETS("\x00\x36\xc6\x76"));
}

/* A reader that cuts the fraction to whole units gets the time back. */
static void test_ntp_back(void **state)
{
	static const uint64_t fractions[] = { 0, 1, 999, 1000, 499999999, 999999000, 999999999 };
	struct npk_rec rec = icmp_rec(4, 6);
	size_t i, j;

	(void)state;
	for (i = 0; i < NR(fractions); i++) {
		uint64_t us = 0, ns = 0;
		uint8_t *got;

		rec.first_ns = at_5000s.now_ns / SEC * SEC + fractions[i];
		got = encode(by_name("FLOW_START_MICROSECONDS"), 0, &rec, &at_5000s);
		for (j = 4; j < 8; j++)
			us = us << 8 | got[j];
		free(got);
		got = encode(by_name("FLOW_START_NANOSECONDS"), 0, &rec, &at_5000s);
		for (j = 4; j < 8; j++)
			ns = ns << 8 | got[j];
		free(got);
		assert_int_equal(us & 0x7ff, 0);
		assert_int_equal((us * 1000000) >> 32, fractions[i] / 1000);
		assert_int_equal((ns * SEC) >> 32, fractions[i]);
	}
}

/* boot and times are cut to milliseconds since 1970, then subtracted. */
static void test_times_round_as_wall_clock(void **state)
{
	const struct npk_clock clock = {
		.now_ns = 10 * SEC, .offset_ns = 1700000000600000, .boot_ns = 400000,
	};
	struct npk_rec rec = icmp_rec(4, 6);

	(void)state;
	/* boot is at .001, 1.3 ms later is at .0019: 0 ms, not 1. */
	rec.first_ns = 400000 + 900000;
	check("FIRST_SWITCHED", 0, &rec, &clock, OCTETS("\0\0\0\0"));
	rec.first_ns = 400000 + 1000000;
	check("FIRST_SWITCHED", 0, &rec, &clock, OCTETS("\0\0\0\x01"));
}

static void test_floor_div(void **state)
{
	(void)state;
	assert_int_equal(npk_floor_div(7, 2), 3);
	assert_int_equal(npk_floor_div(-7, 2), -4);
	assert_int_equal(npk_floor_div(-8, 2), -4);
	assert_int_equal(npk_floor_div(-1, 1000000), -1);
	assert_int_equal(npk_floor_div(0, 3), 0);
}

static void test_plan(void **state)
{
	const struct npk_field fields[] = {
		NPK_FIELD(IN_SRC_MAC), NPK_FIELD_LEN(IN_BYTES, 3), NPK_FIELD(MPLS_LABEL_1),
		NPK_FIELD(PROTOCOL),
	};
	const struct npk_rec rec = icmp_rec(4, 6);
	struct npk_times times;
	struct npk_plan plan;
	uint8_t got[14] = { 0 };

	(void)state;
	npk_times_init(&times, &at_5000s);
	assert_int_equal(npk_plan_init(&plan, fields, NR(fields)), 0);
	assert_int_equal(plan.nr_fields, 4);
	assert_int_equal(plan.record_len, 13);
	assert_int_equal(plan.fields[0].len, 6);
	assert_int_equal(plan.fields[1].len, 3);
	npk_plan_encode(&plan, &rec, &times, got);
	assert_memory_equal(got, "\x02\0\0\0\0\x01\xff\xff\xff\x12\x34\x5a\x06\0", 14);
}

static void test_plan_refuses(void **state)
{
	static const struct npk_field bad[] = {
		NPK_FIELD_LEN(IPV4_SRC_ADDR, 3), NPK_FIELD_LEN(IPV4_SRC_ADDR, 16),
		NPK_FIELD_LEN(FIRST_SWITCHED, 8), NPK_FIELD_LEN(FLOW_START_MILLISECONDS, 4),
		NPK_FIELD_LEN(IN_SRC_MAC, 8), NPK_FIELD_LEN(MPLS_LABEL_1, 4),
		NPK_FIELD_LEN(IN_BYTES, 9), NPK_FIELD_LEN(TCP_FLAGS, 3),
		NPK_FIELD_LEN(PROTOCOL, 2), NPK_FIELD_LEN(IN_PKTS, 256),
		NPK_FIELD_LEN(IN_PKTS, 65535),
	};
	struct npk_field many[NPK_PLAN_FIELDS + 1];
	struct npk_plan plan;
	size_t i;

	(void)state;
	for (i = 0; i < NR(bad); i++)
		assert_int_equal(npk_plan_init(&plan, &bad[i], 1), -EINVAL);
	assert_int_equal(npk_plan_init(&plan, bad, 0), -EINVAL);
	for (i = 0; i < NR(many); i++)
		many[i] = (struct npk_field)NPK_FIELD(IPV6_SRC_ADDR);
	assert_int_equal(npk_plan_init(&plan, many, NPK_PLAN_FIELDS), 0);
	assert_int_equal(plan.record_len, NPK_PLAN_FIELDS * 16);
	assert_int_equal(npk_plan_init(&plan, many, NPK_PLAN_FIELDS + 1), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_every_element),
		cmocka_unit_test(test_ipv6_elements),
		cmocka_unit_test(test_if_name),
		cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_full_lengths),
		cmocka_unit_test(test_ip_versions),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ntp_back),
		cmocka_unit_test(test_times_round_as_wall_clock),
		cmocka_unit_test(test_floor_div),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_plan_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
