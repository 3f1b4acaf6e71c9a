// SPDX-License-Identifier: GPL-2.0-only
/* NetFlow v9 datagrams: the golden ones, and every other through a small decoder of RFC 3954. */
#include "test.h"
#include "stream.h"

#include <errno.h>
#include <arpa/inet.h>

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

#define HEADER		20
#define SET_HEADER	4

/* sysUptime 3600000 ms at 1700000000.000 */
static const struct npk_clock golden_clock = {
	.now_ns = 5000 * SEC,
	.offset_ns = (int64_t)((NOW_S - 5000) * SEC),
	.boot_ns = 1400 * SEC,
};

static const struct npk_enc_opts default_opts = {
	.version = NPK_ENC_NF9,
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
		.tcp_flags = 0x1b, .min_len = 40, .max_len = 70000,
		.min_ttl = 63, .max_ttl = 64,
		.smac = { 2, 0, 0, 0, 0, 1 }, .dmac = { 2, 0, 0, 0, 0, 2 },
	};
}

static struct npk_rec flow6(void)
{
	return (struct npk_rec){
		.first_ns = 4998 * SEC, .last_ns = 4998 * SEC + 400 * MS,
		.packets = 2, .octets = 156,
		.saddr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
		.daddr = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 },
		.sport = htons(53000), .dport = htons(53), .proto = 17,
		.ip_version = 6, .end_reason = NPK_END_IDLE,
		.in_if = 70000, .vlan = 42, .vlan2 = NPK_VLAN_NONE,
		.min_len = 70, .max_len = 86, .min_ttl = 64, .max_ttl = 64,
		.flow_label = 0x12345,
	};
}

/* One template as the decoder learned it. */
struct layout {
	uint16_t id;
	uint16_t nr;
	uint16_t record_len;
	uint16_t type[NPK_PLAN_FIELDS];
	uint16_t len[NPK_PLAN_FIELDS];
};

/* What a collector makes of a stream. */
struct decoder {
	struct layout layouts[2];
	uint32_t next_sequence;
	/* the latest datagram */
	unsigned int templates;
	size_t nr[2];
	const uint8_t *data[2];
};

static struct layout *layout_of(struct decoder *d, uint16_t id)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (d->layouts[i].id == id)
			return &d->layouts[i];
	}
	for (i = 0; i < 2; i++) {
		if (!d->layouts[i].id)
			return &d->layouts[i];
	}
	fail();
	return NULL;
}

static void learn(struct decoder *d, const uint8_t *p, size_t len)
{
	while (len >= 4) {
		struct layout *l = layout_of(d, (uint16_t)be(p, 2));
		unsigned int i;

		l->id = (uint16_t)be(p, 2);
		assert_true(l->id >= 256);
		l->nr = (uint16_t)be(p + 2, 2);
		assert_in_range(l->nr, 1, NPK_PLAN_FIELDS);
		l->record_len = 0;
		assert_true(len >= 4 + 4 * (size_t)l->nr);
		for (i = 0; i < l->nr; i++) {
			l->type[i] = (uint16_t)be(p + 4 + 4 * i, 2);
			l->len[i] = (uint16_t)be(p + 6 + 4 * i, 2);
			l->record_len = (uint16_t)(l->record_len + l->len[i]);
		}
		p += 4 + 4 * l->nr;
		len -= 4 + 4 * (size_t)l->nr;
		d->templates++;
	}
	assert_int_equal(len, 0);
}

static void read_data(struct decoder *d, uint16_t id, const uint8_t *p, size_t len)
{
	const struct layout *l = layout_of(d, id);
	size_t i = (size_t)(l - d->layouts);

	assert_int_equal(l->id, id);
	assert_null(d->data[i]);			/* one set of each family */
	d->data[i] = p;
	d->nr[i] = len / l->record_len;
	assert_int_not_equal(d->nr[i], 0);
	assert_true(len % l->record_len <= 3);
	for (p += d->nr[i] * l->record_len, len %= l->record_len; len; len--, p++)
		assert_int_equal(*p, 0);
}

static void decode(struct decoder *d, const uint8_t *p, size_t len)
{
	uint64_t count = be(p + 2, 2);
	size_t off = HEADER;

	assert_int_equal(be(p, 2), 9);
	assert_int_equal(be(p + 12, 4), d->next_sequence);
	d->next_sequence++;
	d->templates = 0;
	memset(d->data, 0, sizeof(d->data));
	memset(d->nr, 0, sizeof(d->nr));
	while (off < len) {
		uint16_t id = (uint16_t)be(p + off, 2);
		size_t set_len = be(p + off + 2, 2);

		assert_true(set_len > SET_HEADER && set_len % 4 == 0 && off + set_len <= len);
		if (id)
			read_data(d, id, p + off + SET_HEADER, set_len - SET_HEADER);
		else
			learn(d, p + off + SET_HEADER, set_len - SET_HEADER);
		off += set_len;
	}
	assert_int_equal(count, d->templates + d->nr[0] + d->nr[1]);
}

/* A field of a record of the latest datagram; family 0 is IPv4. */
static const uint8_t *field(const struct decoder *d, unsigned int family, size_t record,
			    uint16_t type)
{
	const struct layout *l = &d->layouts[family];
	const uint8_t *p = d->data[family] + record * l->record_len;
	unsigned int i;

	assert_true(record < d->nr[family]);
	for (i = 0; i < l->nr; i++) {
		if (l->type[i] == type)
			return p;
		p += l->len[i];
	}
	fail_msg("no field %u", type);
	return NULL;
}

/* A datagram on the heap, of max_payload octets, so that ASan guards its end. */
struct gram {
	uint8_t *data;
	size_t len;
	size_t taken;
};

static struct gram encode(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr,
			  const struct npk_clock *clock, struct decoder *d)
{
	size_t room = npk_enc_room(enc, recs, nr, clock);
	struct gram g = { .data = malloc(enc->opts.max_payload) };
	uint32_t sequence = enc->sequence;

	assert_non_null(g.data);
	assert_int_equal(npk_enc_datagram(enc, recs, nr, clock, g.data, &g.len, &g.taken), 0);
	assert_int_equal(g.taken, room);
	assert_true(g.len <= enc->opts.max_payload && g.len % 4 == 0);
	if (g.len) {
		decode(d, g.data, g.len);
		assert_int_equal(g.taken, d->nr[0] + d->nr[1]);
	}
	assert_int_equal(enc->sequence, sequence + (g.len > 0));
	return g;
}

/* One record through a fresh stream; the caller frees g->data. */
static struct gram encode_fresh(const struct npk_rec *rec, const struct npk_clock *clock,
				struct decoder *d)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct gram g;

	memset(d, 0, sizeof(*d));
	g = encode(enc, &rec, 1, clock, d);
	assert_int_equal(g.taken, 1);
	npk_enc_free(enc);
	return g;
}

/* A published datagram, whole: template 258 with 32-bit counters, and one record. */
static void test_golden_ipv6(void **state)
{
	static const uint8_t want[] = {
		0x00, 0x09, 0x00, 0x02, 0x00, 0x36, 0xf2, 0x68, 0x65, 0x53, 0xf1, 0x01,
		0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x38,
		0x01, 0x02, 0x00, 0x0c, 0x00, 0x1b, 0x00, 0x10, 0x00, 0x1c, 0x00, 0x10,
		0x00, 0x07, 0x00, 0x02, 0x00, 0x0b, 0x00, 0x02, 0x00, 0x04, 0x00, 0x01,
		0x00, 0x06, 0x00, 0x01, 0x00, 0x05, 0x00, 0x01, 0x00, 0x1f, 0x00, 0x03,
		0x00, 0x01, 0x00, 0x04, 0x00, 0x02, 0x00, 0x04, 0x00, 0x16, 0x00, 0x04,
		0x00, 0x15, 0x00, 0x04, 0x01, 0x02, 0x00, 0x40, 0x20, 0x01, 0x0d, 0xb8,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
		0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x02, 0xcf, 0x08, 0x00, 0x35, 0x11, 0x00, 0x00, 0x01,
		0x23, 0x45, 0x00, 0x00, 0x00, 0x9c, 0x00, 0x00, 0x00, 0x02, 0x00, 0x36,
		0xe6, 0xb0, 0x00, 0x36, 0xe8, 0x40, 0x00, 0x00,
	};
	static const struct npk_field fields[] = {
		NPK_FIELD(IPV6_SRC_ADDR), NPK_FIELD(IPV6_DST_ADDR), NPK_FIELD(L4_SRC_PORT),
		NPK_FIELD(L4_DST_PORT), NPK_FIELD(PROTOCOL), NPK_FIELD(TCP_FLAGS),
		NPK_FIELD(SRC_TOS), NPK_FIELD(IPV6_FLOW_LABEL), NPK_FIELD_LEN(IN_BYTES, 4),
		NPK_FIELD_LEN(IN_PKTS, 4), NPK_FIELD(FIRST_SWITCHED), NPK_FIELD(LAST_SWITCHED),
	};
	const struct npk_enc_template templates[] = {
		[NPK_ENC_IPV6] = { .fields = fields, .nr_fields = NR(fields), .id = 258 },
	};
	const struct npk_rec rec = flow6(), ipv4 = flow4(), *recs = &rec;
	struct decoder d = { .next_sequence = 8 };
	struct npk_clock clock = golden_clock;
	struct npk_enc *enc;
	struct gram g;

	(void)state;
	clock.now_ns += SEC;
	assert_int_equal(npk_enc_new_templates(&default_opts, templates, &enc), 0);
	assert_string_equal(npk_enc_exportable(enc, &ipv4), "no_ipv4_template");
	enc->sequence = 8;
	g = encode(enc, &recs, 1, &clock, &d);
	assert_int_equal(g.len, sizeof(want));
	assert_memory_equal(g.data, want, sizeof(want));
	free(g.data);
	npk_enc_free(enc);
}

/*
 * Another published datagram has options sets too, which are not sent yet: equal
 * are its header but for the count, its template set and its data set of flows.
 */
static void test_golden_ipv4(void **state)
{
	static const uint8_t header[] = {
		0x00, 0x09, 0x00, 0x02, 0x00, 0x36, 0xee, 0x80, 0x65, 0x53, 0xf1, 0x00,
		0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x01,
	};
	static const uint8_t template_set[] = {
		0x00, 0x00, 0x00, 0x40, 0x01, 0x00, 0x00, 0x0e, 0x00, 0x08, 0x00, 0x04,
		0x00, 0x0c, 0x00, 0x04, 0x00, 0x07, 0x00, 0x02, 0x00, 0x0b, 0x00, 0x02,
		0x00, 0x04, 0x00, 0x01, 0x00, 0x06, 0x00, 0x01, 0x00, 0x05, 0x00, 0x01,
		0x00, 0x3d, 0x00, 0x01, 0x00, 0x01, 0x00, 0x08, 0x00, 0x02, 0x00, 0x08,
		0x00, 0x16, 0x00, 0x04, 0x00, 0x15, 0x00, 0x04, 0x00, 0x0a, 0x00, 0x04,
		0x00, 0x0e, 0x00, 0x04,
	};
	static const uint8_t data_set[] = {
		0x01, 0x00, 0x00, 0x34, 0xc0, 0x00, 0x02, 0x01, 0xc6, 0x33, 0x64, 0x02,
		0xc0, 0x00, 0x01, 0xbb, 0x06, 0x1b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x13, 0x88, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a,
		0x00, 0x36, 0xc7, 0x70, 0x00, 0x36, 0xea, 0x98, 0x00, 0x00, 0x00, 0x03,
		0x00, 0x00, 0x00, 0x04,
	};
	static const struct npk_field fields[] = {
		NPK_FIELD(IPV4_SRC_ADDR), NPK_FIELD(IPV4_DST_ADDR), NPK_FIELD(L4_SRC_PORT),
		NPK_FIELD(L4_DST_PORT), NPK_FIELD(PROTOCOL), NPK_FIELD(TCP_FLAGS),
		NPK_FIELD(SRC_TOS), NPK_FIELD(DIRECTION), NPK_FIELD(IN_BYTES), NPK_FIELD(IN_PKTS),
		NPK_FIELD(FIRST_SWITCHED), NPK_FIELD(LAST_SWITCHED), NPK_FIELD(INPUT_SNMP),
		NPK_FIELD(OUTPUT_SNMP),
	};
	const struct npk_enc_template templates[__NPK_ENC_FAMILY_MAX] = {
		[NPK_ENC_IPV4] = { .fields = fields, .nr_fields = NR(fields), .id = 256 },
	};
	const struct npk_rec rec = flow4(), ipv6 = flow6(), *recs = &rec;
	struct decoder d = { .next_sequence = 7 };
	struct npk_enc *enc;
	struct gram g;

	(void)state;
	assert_int_equal(npk_enc_new_templates(&default_opts, templates, &enc), 0);
	assert_string_equal(npk_enc_exportable(enc, &ipv6), "no_ipv6_template");
	enc->sequence = 7;
	g = encode(enc, &recs, 1, &golden_clock, &d);
	assert_int_equal(g.len, sizeof(header) + sizeof(template_set) + sizeof(data_set));
	assert_memory_equal(g.data, header, sizeof(header));
	assert_memory_equal(g.data + HEADER, template_set, sizeof(template_set));
	assert_memory_equal(g.data + HEADER + sizeof(template_set), data_set, sizeof(data_set));
	free(g.data);
	npk_enc_free(enc);
}

static void check_template(const struct layout *l, uint16_t id, const uint16_t (*want)[2],
			   size_t nr)
{
	size_t i;

	assert_int_equal(l->id, id);
	assert_int_equal(l->nr, nr);
	for (i = 0; i < nr; i++) {
		assert_int_equal(l->type[i], want[i][0]);
		assert_int_equal(l->len[i], want[i][1]);
	}
}

static void test_default_templates(void **state)
{
	static const uint16_t ipv4[][2] = {
		{ 8, 4 }, { 12, 4 }, { 7, 2 }, { 11, 2 }, { 4, 1 }, { 6, 1 }, { 5, 1 }, { 61, 1 },
		{ 1, 8 }, { 2, 8 }, { 22, 4 }, { 21, 4 }, { 10, 4 }, { 14, 4 }, { 32, 2 },
		{ 58, 2 }, { 56, 6 }, { 80, 6 }, { 52, 1 }, { 53, 1 }, { 60, 1 }, { 25, 2 },
		{ 26, 2 }, { 136, 1 },
	};
	static const uint16_t ipv6[][2] = {
		{ 27, 16 }, { 28, 16 }, { 7, 2 }, { 11, 2 }, { 4, 1 }, { 6, 1 }, { 5, 1 },
		{ 61, 1 }, { 1, 8 }, { 2, 8 }, { 22, 4 }, { 21, 4 }, { 10, 4 }, { 14, 4 },
		{ 139, 2 }, { 178, 1 }, { 179, 1 }, { 31, 3 }, { 58, 2 }, { 56, 6 }, { 80, 6 },
		{ 52, 1 }, { 53, 1 }, { 60, 1 }, { 25, 2 }, { 26, 2 }, { 136, 1 },
	};
	const struct npk_rec rec = flow4();
	struct decoder d;
	struct gram g = encode_fresh(&rec, &golden_clock, &d);

	(void)state;
	assert_int_equal(d.templates, 2);
	check_template(&d.layouts[0], 256, ipv4, NR(ipv4));
	check_template(&d.layouts[1], 257, ipv6, NR(ipv6));
	free(g.data);
}

static void test_record_ipv4(void **state)
{
	struct npk_rec rec = flow4();
	struct decoder d;
	struct gram g;

	(void)state;
	rec.proto = 1;
	rec.sport = 0;
	rec.dport = htons(0x0800);
	rec.octets = UINT64_C(1) << 40;
	rec.dir = NPK_DIR_EGRESS;
	g = encode_fresh(&rec, &golden_clock, &d);
	assert_memory_equal(field(&d, 0, 0, 8), "\xc0\x00\x02\x01", 4);
	assert_memory_equal(field(&d, 0, 0, 12), "\xc6\x33\x64\x02", 4);
	assert_int_equal(be(field(&d, 0, 0, 7), 2), 0);
	assert_int_equal(be(field(&d, 0, 0, 11), 2), 0x0800);
	assert_int_equal(be(field(&d, 0, 0, 32), 2), 0x0800);
	assert_true(be(field(&d, 0, 0, 1), 8) == UINT64_C(1) << 40);
	assert_int_equal(be(field(&d, 0, 0, 2), 8), 10);
	assert_int_equal(be(field(&d, 0, 0, 58), 2), 0);
	assert_int_equal(be(field(&d, 0, 0, 26), 2), 65535);
	assert_int_equal(be(field(&d, 0, 0, 25), 2), 40);
	assert_int_equal(*field(&d, 0, 0, 61), 1);
	assert_int_equal(*field(&d, 0, 0, 60), 4);
	assert_int_equal(*field(&d, 0, 0, 52), 63);
	assert_int_equal(*field(&d, 0, 0, 53), 64);
	assert_int_equal(*field(&d, 0, 0, 136), NPK_END_FLOW);
	assert_memory_equal(field(&d, 0, 0, 56), rec.smac, 6);
	assert_memory_equal(field(&d, 0, 0, 80), rec.dmac, 6);
	free(g.data);
}

static void test_record_ipv6(void **state)
{
	struct npk_rec rec = flow6();
	struct decoder d;
	struct gram g;

	(void)state;
	rec.proto = 58;
	rec.dport = htons(0x8701);
	g = encode_fresh(&rec, &golden_clock, &d);
	assert_memory_equal(field(&d, 1, 0, 27), rec.saddr, 16);
	assert_memory_equal(field(&d, 1, 0, 28), rec.daddr, 16);
	assert_int_equal(be(field(&d, 1, 0, 139), 2), 0x8701);
	assert_int_equal(*field(&d, 1, 0, 178), 0x87);
	assert_int_equal(*field(&d, 1, 0, 179), 0x01);
	assert_int_equal(be(field(&d, 1, 0, 31), 3), 0x12345);
	assert_int_equal(be(field(&d, 1, 0, 10), 4), 70000);
	assert_int_equal(be(field(&d, 1, 0, 58), 2), 42);
	free(g.data);
}

/* Start of a flow as a collector computes it, from 64-bit arithmetic without wraps. */
static int64_t collector_ms(const struct gram *g, const uint8_t *time)
{
	int64_t boot_ms = (int64_t)be(g->data + 8, 4) * 1000 - (int64_t)be(g->data + 4, 4);

	return boot_ms + (int64_t)be(time, 4);
}

static int64_t real_ms(const struct npk_clock *clock, uint64_t t_ns)
{
	return (int64_t)((t_ns + (uint64_t)clock->offset_ns) / MS);
}

/* Whole seconds in the header, and yet times exact to the millisecond, from the first one on. */
static void test_times_exact(void **state)
{
	struct npk_rec rec = flow4();
	uint64_t rng = 9;
	unsigned int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		struct npk_clock clock = golden_clock;
		uint64_t up_ns = test_random(&rng) % (i < 500 ? 1200 * MS : 40000 * SEC);
		struct decoder d;
		struct gram g;

		clock.now_ns += test_random(&rng) % (2 * SEC);
		clock.offset_ns += (int64_t)(test_random(&rng) % (2 * SEC));
		clock.boot_ns = clock.now_ns - up_ns;
		rec.last_ns = clock.now_ns - up_ns / 3;
		rec.first_ns = clock.now_ns - up_ns / 2;
		g = encode_fresh(&rec, &clock, &d);
		assert_true(collector_ms(&g, field(&d, 0, 0, 22)) == real_ms(&clock, rec.first_ns));
		assert_true(collector_ms(&g, field(&d, 0, 0, 21)) == real_ms(&clock, rec.last_ns));
		/* The header's second is the present one, or the next just after boot. */
		assert_in_range(be(g.data + 8, 4), real_ms(&clock, clock.now_ns) / 1000,
				real_ms(&clock, clock.now_ns) / 1000 + (up_ns < SEC));
		free(g.data);
	}
}

static void test_uptime_wrap(void **state)
{
	struct npk_clock clock = { .boot_ns = 7 * SEC, .offset_ns = (int64_t)(NOW_S * SEC) };
	uint64_t wrap_ns = clock.boot_ns + (UINT64_C(1) << 32) * MS;
	struct npk_rec rec = flow4();
	struct decoder d;
	struct gram g;

	(void)state;
	/* 1704294974.296 + 0.500; sysUptime is two days again, what went before lies behind it */
	clock.now_ns = wrap_ns + 500 * MS;
	rec.first_ns = wrap_ns - 2 * SEC;
	rec.last_ns = wrap_ns + 100 * MS;
	g = encode_fresh(&rec, &clock, &d);
	assert_int_equal(be(g.data + 8, 4), 1704294974);
	assert_int_equal(be(g.data + 4, 4), 172800000 + 500 - 796);
	assert_int_equal(be(field(&d, 0, 0, 22), 4), 172800000 - 2000);
	assert_int_equal(be(field(&d, 0, 0, 21), 4), 172800000 + 100);
	assert_true(collector_ms(&g, field(&d, 0, 0, 22)) == real_ms(&clock, rec.first_ns));
	assert_true(collector_ms(&g, field(&d, 0, 0, 21)) == real_ms(&clock, rec.last_ns));
	free(g.data);
	/* The last millisecond before: across the wrap to the flow's last packet, as it is. */
	clock.now_ns = wrap_ns - 1 * MS;
	g = encode_fresh(&rec, &clock, &d);
	assert_int_equal(be(g.data + 4, 4), UINT32_MAX - 295);
	assert_true(collector_ms(&g, field(&d, 0, 0, 22)) == real_ms(&clock, rec.first_ns));
	free(g.data);
}

/* Unlike in v5, a time a little later than the header's is sent as it is; as is one before boot. */
static void test_times_not_clamped(void **state)
{
	struct npk_rec rec = flow4();
	struct npk_clock clock = golden_clock;
	struct decoder d;
	struct gram g;

	(void)state;
	rec.last_ns = clock.now_ns + 3 * MS;
	clock.boot_ns = rec.first_ns + 5 * MS;
	g = encode_fresh(&rec, &clock, &d);
	assert_int_equal(be(g.data + 4, 4), 9995);
	assert_int_equal(be(field(&d, 0, 0, 22), 4), UINT32_MAX - 5 + 1);
	assert_int_equal(be(field(&d, 0, 0, 21), 4), 9998);
	free(g.data);
}

static void test_wall_clock_step(void **state)
{
	struct npk_clock clock = golden_clock;
	const struct npk_rec rec = flow4();
	struct decoder d;
	struct gram a, b;

	(void)state;
	a = encode_fresh(&rec, &clock, &d);
	clock.offset_ns -= (int64_t)(86400 * SEC + 123 * MS);
	b = encode_fresh(&rec, &clock, &d);
	assert_int_equal(be(b.data + 8, 4), NOW_S - 86401);
	/* Only the header's two clocks differ: First and Last are the same. */
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data + 12, b.data + 12, a.len - 12);
	assert_true(collector_ms(&b, field(&d, 0, 0, 22)) == real_ms(&clock, rec.first_ns));
	free(a.data);
	free(b.data);
}

/* Send one record; returns whether the templates came along. */
static bool templates_in_next(struct npk_enc *enc, uint64_t now_ns, struct decoder *d)
{
	struct npk_clock clock = golden_clock;
	const struct npk_rec rec = flow4(), *recs = &rec;
	struct gram g;

	clock.now_ns = now_ns;
	g = encode(enc, &recs, 1, &clock, d);
	assert_int_equal(g.taken, 1);
	free(g.data);
	assert_true(d->templates == 0 || d->templates == 2);
	return d->templates;
}

/* Another stream in the place of one: its templates first, the sequence goes on. */
static void test_continue(void **state)
{
	struct npk_enc *one = new_enc(&default_opts), *two = new_enc(&default_opts);
	const struct npk_rec rec = flow4(), *recs = &rec;
	struct decoder d = { 0 };
	struct gram g;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(templates_in_next(one, golden_clock.now_ns, &d), i == 0);
	npk_enc_continue(two, one);
	g = encode(two, &recs, 1, &golden_clock, &d);
	assert_int_equal(d.templates, 2);
	assert_int_equal(g.data[15], 3);
	free(g.data);
	npk_enc_free(one);
	npk_enc_free(two);
}

static void test_templates_by_count(void **state)
{
	struct npk_enc_opts opts = default_opts;
	struct decoder d = { 0 };
	struct npk_enc *enc;
	unsigned int i;

	(void)state;
	opts.template_datagrams = 5;
	enc = new_enc(&opts);
	for (i = 0; i < 23; i++)
		assert_int_equal(templates_in_next(enc, golden_clock.now_ns, &d), i % 5 == 0);
	npk_enc_resend_templates(enc);
	assert_true(templates_in_next(enc, golden_clock.now_ns, &d));
	for (i = 1; i < 5; i++)
		assert_false(templates_in_next(enc, golden_clock.now_ns, &d));
	assert_true(templates_in_next(enc, golden_clock.now_ns, &d));
	npk_enc_free(enc);
}

static void test_templates_by_time(void **state)
{
	struct npk_enc_opts opts = default_opts;
	uint64_t t = golden_clock.now_ns;
	struct decoder d = { 0 };
	struct npk_enc *enc;

	(void)state;
	opts.template_ms = 30000;
	enc = new_enc(&opts);
	assert_true(templates_in_next(enc, t, &d));
	assert_false(templates_in_next(enc, t + 30 * SEC - 1, &d));
	assert_true(templates_in_next(enc, t + 30 * SEC, &d));
	assert_false(templates_in_next(enc, t + 59 * SEC, &d));
	assert_false(templates_in_next(enc, t + 1 * SEC, &d));	/* the clock steps back a little */
	assert_true(templates_in_next(enc, t - 3600 * SEC, &d));	/* a capture starts again */
	assert_false(templates_in_next(enc, t - 3600 * SEC + 29 * SEC, &d));
	assert_true(templates_in_next(enc, t - 3600 * SEC + 30 * SEC, &d));
	npk_enc_free(enc);
}

static void test_templates_once(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct decoder d = { 0 };
	unsigned int i;

	(void)state;
	assert_true(templates_in_next(enc, golden_clock.now_ns, &d));
	for (i = 0; i < 100; i++)
		assert_false(templates_in_next(enc, golden_clock.now_ns + i * 3600 * SEC, &d));
	npk_enc_free(enc);
}

static void test_templates_alone(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct decoder d = { 0 };
	struct gram g;

	(void)state;
	g = encode(enc, NULL, 0, &golden_clock, &d);
	assert_int_equal(d.templates, 2);
	assert_int_equal(g.taken, 0);
	free(g.data);
	g = encode(enc, NULL, 0, &golden_clock, &d);
	assert_int_equal(g.len, 0);
	free(g.data);
	npk_enc_free(enc);
}

/* The route got another MTU: the stream goes on in datagrams of another size. */
static void test_size_changes(void **state)
{
	static const size_t sizes[] = { 1472, 600, 8972, 512, 1472 };
	struct npk_rec rec = flow4();
	const struct npk_rec *recs[200];
	struct npk_enc *enc = new_enc(&default_opts);
	struct decoder d = { 0 };
	struct gram g;
	size_t i;

	(void)state;
	for (i = 0; i < NR(recs); i++)
		recs[i] = &rec;
	for (i = 0; i < NR(sizes); i++) {
		assert_int_equal(npk_enc_set_max_payload(enc, sizes[i]), 0);
		g = encode(enc, recs, NR(recs), &golden_clock, &d);
		assert_true(g.len > sizes[i] - d.layouts[0].record_len - 4 && g.len <= sizes[i]);
		free(g.data);
	}
	assert_int_equal(npk_enc_set_max_payload(enc, NPK_ENC_MIN_DATAGRAM - 1), -EINVAL);
	assert_int_equal(npk_enc_set_max_payload(enc, NPK_ENC_MAX_DATAGRAM + 1), -EINVAL);
	assert_int_equal(enc->opts.max_payload, 1472);
	npk_enc_free(enc);
}

/* The templates alone need more than the smallest datagram has. */
static void test_size_too_small(void **state)
{
	struct npk_field fields[NPK_PLAN_FIELDS];
	struct npk_enc_template templates[] = {
		{ fields, NR(fields), 256 }, { fields, NR(fields), 257 },
	};
	const size_t need = HEADER + SET_HEADER + 2 * (4 + 4 * NR(fields));
	struct npk_enc_opts opts = default_opts;
	struct npk_enc *enc;
	size_t i;

	(void)state;
	for (i = 0; i < NR(fields); i++)
		fields[i] = (struct npk_field)NPK_FIELD(IN_BYTES);
	assert_true(need > NPK_ENC_MIN_DATAGRAM);
	opts.max_payload = need;
	assert_int_equal(npk_enc_new_templates(&opts, templates, &enc), 0);
	assert_int_equal(npk_enc_set_max_payload(enc, need - 1), -EMSGSIZE);
	assert_int_equal(enc->opts.max_payload, need);
	npk_enc_free(enc);
	opts.max_payload = need - 1;
	assert_int_equal(npk_enc_new_templates(&opts, templates, &enc), -EMSGSIZE);
}

/* Records of both families in turn: two sets, each in the order offered. */
static void test_sets_keep_order(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct decoder d = { 0 };
	struct npk_rec storage[8];
	const struct npk_rec *recs[8];
	struct gram g;
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++) {
		storage[i] = i % 3 ? flow4() : flow6();
		storage[i].packets = 100 + i;
		recs[i] = &storage[i];
	}
	g = encode(enc, recs, 8, &golden_clock, &d);
	assert_int_equal(g.taken, 8);
	assert_int_equal(d.nr[0], 5);
	assert_int_equal(d.nr[1], 3);
	assert_true(d.data[0] < d.data[1]);
	for (i = 0; i < 8; i++)
		assert_int_equal(be(field(&d, !(i % 3), i % 3 ? i - i / 3 - 1 : i / 3, 2), 8),
				 100 + i);
	free(g.data);
	npk_enc_free(enc);
}

/* Octets of a datagram with these records, as RFC 3954 has it. */
static size_t datagram_len(size_t templates, size_t record4, size_t nr4, size_t record6, size_t nr6)
{
	size_t len = HEADER + templates;

	if (nr4)
		len += (SET_HEADER + nr4 * record4 + 3) / 4 * 4;
	if (nr6)
		len += (SET_HEADER + nr6 * record6 + 3) / 4 * 4;
	return len;
}

/* Any mix: room and datagram agree (see encode()), and one more would not have fitted. */
static void test_random_mix(void **state)
{
	struct npk_rec v4 = flow4(), v6 = flow6();
	uint64_t rng = 90;
	unsigned int round;

	(void)state;
	for (round = 0; round < 400; round++) {
		struct npk_enc_opts opts = default_opts;
		const struct npk_rec *recs[200];
		struct decoder d = { 0 };
		struct npk_enc *enc;
		size_t i, sent = 0;
		uint64_t bias = test_random(&rng) % 101;

		opts.max_payload = NPK_ENC_MIN_DATAGRAM + test_random(&rng) % 1500;
		opts.template_datagrams = (uint32_t)(test_random(&rng) % 4);
		enc = new_enc(&opts);
		for (i = 0; i < NR(recs); i++)
			recs[i] = test_random(&rng) % 100 < bias ? &v4 : &v6;
		while (sent < NR(recs)) {
			struct gram g = encode(enc, recs + sent, NR(recs) - sent, &golden_clock,
					       &d);
			size_t templates = d.templates ? enc->templates_len : 0;
			size_t r4 = d.layouts[0].record_len, r6 = d.layouts[1].record_len;
			bool next4;

			assert_int_equal(g.len, datagram_len(templates, r4, d.nr[0], r6, d.nr[1]));
			assert_int_not_equal(g.taken, 0);
			sent += g.taken;
			next4 = sent < NR(recs) && recs[sent] == &v4;
			if (sent < NR(recs))
				assert_true(datagram_len(templates, r4, d.nr[0] + next4, r6,
							 d.nr[1] + !next4) > opts.max_payload);
			free(g.data);
		}
		npk_enc_free(enc);
	}
}

static void test_largest_datagram(void **state)
{
	struct npk_enc_opts opts = default_opts;
	const struct npk_rec rec = flow4();
	const struct npk_rec *recs[1000];
	struct decoder d = { 0 };
	struct npk_enc *enc;
	struct gram g;
	size_t i;

	(void)state;
	opts.max_payload = NPK_ENC_MAX_DATAGRAM;
	enc = new_enc(&opts);
	for (i = 0; i < NR(recs); i++)
		recs[i] = &rec;
	g = encode(enc, recs, NR(recs), &golden_clock, &d);
	assert_in_range(g.len, NPK_ENC_MAX_DATAGRAM - d.layouts[0].record_len - 3,
			NPK_ENC_MAX_DATAGRAM);
	free(g.data);
	npk_enc_free(enc);
}

static void test_not_exportable(void **state)
{
	struct npk_enc *enc = new_enc(&default_opts);
	struct npk_rec good = flow6(), bad = flow4();
	const struct npk_rec *recs[] = { &good, &bad, &good };
	uint8_t buf[1472], untouched[1472];
	size_t len = 77, taken = 77;

	(void)state;
	memset(buf, 0xaa, sizeof(buf));
	memcpy(untouched, buf, sizeof(buf));
	assert_null(npk_enc_exportable(enc, &good));
	assert_null(npk_enc_exportable(enc, &bad));
	bad.ip_version = 5;
	assert_string_equal(npk_enc_exportable(enc, &bad), "bad_ip_version");
	assert_int_equal(npk_enc_room(enc, recs, 3, &golden_clock), 1);
	assert_int_equal(npk_enc_datagram(enc, recs, 3, &golden_clock, buf, &len, &taken), -EINVAL);
	assert_int_equal(len, 0);
	assert_int_equal(taken, 0);
	assert_memory_equal(buf, untouched, sizeof(buf));
	assert_int_equal(enc->sequence, 0);
	assert_true(enc->resend);
	bad.ip_version = 4;
	bad.octets = 0;
	assert_string_equal(npk_enc_exportable(enc, &bad), "empty_record");
	npk_enc_free(enc);
}

static void test_options(void **state)
{
	struct npk_enc_opts opts = default_opts;
	const struct npk_rec rec = flow6(), *recs = &rec;
	struct decoder d = { .next_sequence = UINT32_MAX };
	struct npk_enc *enc;
	struct gram g;

	(void)state;
	opts.source_id = 0x89abcdef;
	opts.template_id = 65534;
	opts.max_payload = NPK_ENC_MIN_DATAGRAM;
	enc = new_enc(&opts);
	enc->sequence = UINT32_MAX;
	g = encode(enc, &recs, 1, &golden_clock, &d);
	assert_int_equal(g.taken, 1);
	assert_int_equal(be(g.data + 16, 4), 0x89abcdef);
	assert_int_equal(d.layouts[0].id, 65534);
	assert_int_equal(d.layouts[1].id, 65535);
	assert_int_equal(enc->sequence, 0);
	free(g.data);
	npk_enc_free(enc);

	opts.template_id = 65535;
	assert_int_equal(npk_enc_new(&opts, &enc), -EINVAL);
	opts.template_id = 255;
	assert_int_equal(npk_enc_new(&opts, &enc), -EINVAL);
	assert_null(enc);
	opts.template_id = 256;
	opts.max_payload = NPK_ENC_MIN_DATAGRAM - 1;
	assert_int_equal(npk_enc_new(&opts, &enc), -EINVAL);
}

static void test_bad_templates(void **state)
{
	static const struct npk_field mac[] = { NPK_FIELD(IN_SRC_MAC) };
	static const struct npk_field shorter_than_padding[] = { NPK_FIELD(MPLS_LABEL_1) };
	static const struct npk_field bad_len[] = { NPK_FIELD_LEN(IN_SRC_MAC, 5) };
	static const struct npk_ie foreign_ie = {
		.pen = 9, .id = 1, .size = 8, .len = 8, .max_len = 8,
	};
	static const struct npk_field foreign[] = { { .ie = &foreign_ie } };
	struct npk_field many[NPK_PLAN_FIELDS];
	struct npk_enc_template t[__NPK_ENC_FAMILY_MAX] = {
		[NPK_ENC_IPV4] = { .fields = mac, .nr_fields = 1, .id = 300 },
	};
	struct npk_enc_opts opts = default_opts;
	struct npk_enc *enc;
	size_t i;

	(void)state;
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), 0);
	npk_enc_free(enc);
	t[NPK_ENC_IPV6] = t[NPK_ENC_IPV4];		/* the same id twice */
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), -EINVAL);
	t[NPK_ENC_IPV6].id = 301;
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), 0);
	npk_enc_free(enc);
	t[NPK_ENC_IPV6].fields = shorter_than_padding;
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), -EINVAL);
	t[NPK_ENC_IPV6].fields = bad_len;
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), -EINVAL);
	t[NPK_ENC_IPV6].fields = foreign;
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), -EINVAL);
	assert_null(enc);

	for (i = 0; i < NR(many); i++)
		many[i] = (struct npk_field)NPK_FIELD(IPV4_SRC_ADDR);
	t[NPK_ENC_IPV4].fields = t[NPK_ENC_IPV6].fields = many;
	t[NPK_ENC_IPV4].nr_fields = t[NPK_ENC_IPV6].nr_fields = NR(many);
	opts.max_payload = 20 + 4 + 2 * (4 + 4 * NR(many));
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), 0);
	npk_enc_free(enc);
	opts.max_payload--;
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), -EMSGSIZE);
	t[NPK_ENC_IPV4].nr_fields = t[NPK_ENC_IPV6].nr_fields = 0;
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), -EINVAL);
	t[NPK_ENC_IPV6].nr_fields = NPK_PLAN_FIELDS + 1;
	assert_int_equal(npk_enc_new_templates(&opts, t, &enc), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_ipv6),
		cmocka_unit_test(test_golden_ipv4),
		cmocka_unit_test(test_default_templates),
		cmocka_unit_test(test_record_ipv4),
		cmocka_unit_test(test_record_ipv6),
		cmocka_unit_test(test_times_exact),
		cmocka_unit_test(test_uptime_wrap),
		cmocka_unit_test(test_times_not_clamped),
		cmocka_unit_test(test_wall_clock_step),
		cmocka_unit_test(test_templates_by_count),
		cmocka_unit_test(test_continue),
		cmocka_unit_test(test_templates_by_time),
		cmocka_unit_test(test_templates_once),
		cmocka_unit_test(test_templates_alone),
		cmocka_unit_test(test_size_changes),
		cmocka_unit_test(test_size_too_small),
		cmocka_unit_test(test_sets_keep_order),
		cmocka_unit_test(test_random_mix),
		cmocka_unit_test(test_largest_datagram),
		cmocka_unit_test(test_not_exportable),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
