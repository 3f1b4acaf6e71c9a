// SPDX-License-Identifier: GPL-2.0-only
/* Options data: golden octets, and every other datagram through a small decoder. */
#include "test.h"
#include "stream.h"

#include <arpa/inet.h>

#define NR(array)	(sizeof(array) / sizeof((array)[0]))
#define IDS		5
#define MAX_FIELDS	9

/* sysUptime 3600000 ms at 1700000000.000 */
static const struct npk_clock now = {
	.now_ns = 5000 * SEC,
	.offset_ns = (int64_t)((NOW_S - 5000) * SEC),
	.boot_ns = 1400 * SEC,
};

static const struct npk_enc_opts opts9 = {
	.version = NPK_ENC_NF9,
	.source_id = 1,
	.template_id = 256,
	.options_ms = 60000,
	.max_payload = 1472,
};

static const struct npk_enc_exporter exporter = {
	.octets = 0x0102030405060708, .datagrams = 2, .flows = 3, .ignored_packets = 4,
	.ignored_octets = 8,
	.not_sent_flows = 5, .not_sent_packets = 6, .not_sent_octets = 7,
	.active_s = 60, .idle_s = 15,
};

/**
 * struct seen - what a collector makes of one datagram
 * @first_id: of the options templates
 * @version: 9 or 10
 * @nr_fields: by template, scope included; 0: not in this datagram
 * @id: fields of each
 * @len: their lengths
 * @nr_data: records of each
 * @data: the first of them
 * @last: the last of them
 */
struct seen {
	uint16_t first_id;
	unsigned int version;
	unsigned int nr_fields[IDS];
	uint16_t id[IDS][MAX_FIELDS];
	uint16_t len[IDS][MAX_FIELDS];
	unsigned int nr_data[IDS];
	const uint8_t *data[IDS];
	const uint8_t *last[IDS];
};

static void read_template(struct seen *s, const uint8_t *p, size_t set_len)
{
	unsigned int t = (unsigned int)be(p + 4, 2) - s->first_id, i;
	uint16_t a = (uint16_t)be(p + 6, 2), b = (uint16_t)be(p + 8, 2);

	assert_true(t < IDS);
	assert_int_equal(s->nr_fields[t], 0);
	if (s->version == 9) {
		assert_int_equal(a, 4);
		assert_int_equal(b % 4, 0);
		s->nr_fields[t] = 1 + b / 4;
	} else {
		assert_int_equal(b, 1);
		s->nr_fields[t] = a;
	}
	assert_in_range(s->nr_fields[t], 2, MAX_FIELDS);
	for (p += 10, i = 0; i < s->nr_fields[t]; i++, p += 4) {
		s->id[t][i] = (uint16_t)be(p, 2);
		s->len[t][i] = (uint16_t)be(p + 2, 2);
	}
	assert_int_equal(set_len, (10 + 4 * s->nr_fields[t] + 3) / 4 * 4);
	assert_int_equal(s->id[t][0], s->version == 9 ? 1 : 149);
	assert_int_equal(s->len[t][0], 4);
}

static void read_data(struct seen *s, const uint8_t *p, size_t set_len)
{
	unsigned int t = (unsigned int)be(p, 2) - s->first_id, i, record_len = 0;

	assert_true(t < IDS && s->nr_fields[t]);
	for (i = 0; i < s->nr_fields[t]; i++)
		record_len += s->len[t][i];
	assert_int_equal(set_len, (4 + record_len + 3) / 4 * 4);	/* nfdump reads one */
	s->last[t] = p + 4;
	if (!s->nr_data[t]++)
		s->data[t] = p + 4;
}

/* Header, every set, and that the header counts them. */
static void decode(struct seen *s, const uint8_t *p, size_t len, uint32_t sequence,
		   uint16_t first_id)
{
	size_t at = be(p, 2) == 9 ? 20 : 16;
	unsigned int templates = 0, records = 0;

	*s = (struct seen){ .first_id = first_id, .version = (unsigned int)be(p, 2) };
	while (at < len) {
		size_t set_len = be(p + at + 2, 2);
		uint16_t set = (uint16_t)be(p + at, 2);

		assert_true(set_len > 4 && set_len % 4 == 0 && at + set_len <= len);
		if (set >= 256) {
			read_data(s, p + at, set_len);
			records++;
		} else {
			assert_int_equal(set, s->version == 9 ? 1 : 3);
			read_template(s, p + at, set_len);
			templates++;
		}
		at += set_len;
	}
	assert_int_equal(at, len);
	if (s->version == 9)
		assert_int_equal(be(p + 2, 2), templates + records);
	else
		assert_int_equal(be(p + 2, 2), len);
	assert_int_equal(be(p + (s->version == 9 ? 12 : 8), 4), sequence);
}

static const uint8_t *field(const struct seen *s, unsigned int t, const uint8_t *record,
			    uint16_t id)
{
	unsigned int i;

	assert_non_null(record);
	for (i = 0; i < s->nr_fields[t]; i++) {
		if (s->id[t][i] == id)
			return record;
		record += s->len[t][i];
	}
	fail_msg("no field %u", id);
	return NULL;
}

static uint64_t value(const struct seen *s, uint16_t id)
{
	unsigned int t, i;

	for (t = 0; t < IDS; t++) {
		for (i = 0; i < s->nr_fields[t]; i++) {
			if (s->id[t][i] == id)
				return be(field(s, t, s->data[t], id), s->len[t][i]);
		}
	}
	fail_msg("no field %u", id);
	return 0;
}

/* Send the templates. */
static void send_templates(struct npk_enc *enc)
{
	size_t len, taken;
	uint8_t *data = malloc(enc->opts.max_payload);

	assert_non_null(data);
	assert_false(npk_enc_options_due(enc, 1, &now));
	do {
		assert_int_equal(npk_enc_datagram(enc, NULL, 0, &now, data, &len, &taken), 0);
	} while (len);
	free(data);
}

/* A stream whose templates were sent. */
static struct npk_enc *started(const struct npk_enc_opts *opts)
{
	struct npk_enc *enc = new_enc(opts);

	send_templates(enc);
	return enc;
}

/* Options data of IPFIX have domain 0, and count in its sequence. */
static uint32_t *sequence_of(struct npk_enc *enc)
{
	if (enc->opts.version == NPK_ENC_IPFIX && enc->opts.source_id)
		return &enc->options.sequence;
	return &enc->sequence;
}

/* One datagram of options data on the heap, decoded; the caller frees it. */
static uint8_t *encode(struct npk_enc *enc, const struct npk_enc_exporter *x,
		       const struct npk_clock *clock, struct seen *s)
{
	bool due = npk_enc_options_due(enc, x->nr_interfaces, clock);
	uint32_t sequence = *sequence_of(enc);
	uint8_t *data = malloc(enc->opts.max_payload);
	unsigned int t, records = 0;
	size_t len;

	assert_non_null(data);
	len = npk_enc_options(enc, x, clock, data);
	assert_int_equal(len > 0, due);
	if (!len) {
		free(data);
		assert_int_equal(*sequence_of(enc), sequence);
		return NULL;
	}
	assert_true(len <= enc->opts.max_payload);
	decode(s, data, len, sequence, 400);
	for (t = 0; t < IDS; t++)
		records += s->nr_data[t];
	assert_int_equal(*sequence_of(enc), sequence + (s->version == 9 ? 1 : records));
	return data;
}

/* The first datagram ends with how packets were sampled. */
static void check_sampling(const struct npk_enc_opts *opts, const uint8_t *want, size_t want_len)
{
	struct npk_enc *enc = new_enc(opts);
	uint8_t data[1472];
	size_t len, taken;

	assert_int_equal(npk_enc_datagram(enc, NULL, 0, &now, data, &len, &taken), 0);
	assert_true(len > want_len);
	assert_memory_equal(data + len - want_len, want, want_len);
	if (opts->version == NPK_ENC_NF9)	/* two templates, that of sampling, its record */
		assert_int_equal(be(data + 2, 2), 4);
	assert_int_equal(enc->sequence, 1);
	npk_enc_free(enc);
}

static void test_golden_sampling(void **state)
{
	static const uint8_t nf9[] = {
		0x00, 0x01, 0x00, 0x14, 0x01, 0x90, 0x00, 0x04, 0x00, 0x04, 0x00, 0x01,
		0x00, 0x04, 0x00, 0x22, 0x00, 0x04, 0x00, 0x00, 0x01, 0x90, 0x00, 0x0c,
		0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x64,
	};
	static const uint8_t ipfix[] = {
		0x00, 0x03, 0x00, 0x14, 0x01, 0x90, 0x00, 0x02, 0x00, 0x01, 0x00, 0x95,
		0x00, 0x04, 0x00, 0x22, 0x00, 0x04, 0x00, 0x00, 0x01, 0x90, 0x00, 0x0c,
		0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01,
	};
	struct npk_enc_opts opts = opts9;

	(void)state;
	opts.sampling.interval = 100;
	opts.options_ms = 0;		/* announced all the same */
	check_sampling(&opts, nf9, sizeof(nf9));
	opts = opts9;			/* every packet: that is announced, too */
	opts.version = NPK_ENC_IPFIX;
	check_sampling(&opts, ipfix, sizeof(ipfix));
}

static void check_golden(enum npk_enc_version version, const uint8_t *want, size_t want_len)
{
	struct npk_enc_opts opts = opts9;
	struct npk_enc *enc;
	struct seen s;
	uint8_t *data;

	opts.version = version;
	enc = started(&opts);
	*sequence_of(enc) = 7;
	data = encode(enc, &exporter, &now, &s);
	assert_memory_equal(data, want, want_len);
	free(data);
	npk_enc_free(enc);
}

/* Statistics, boot time, how it is metered; of IPFIX what differs from v9. */
static void test_golden(void **state)
{
	static const uint8_t nf9[] = {
		0x00, 0x09, 0x00, 0x06, 0x00, 0x36, 0xee, 0x80, 0x65, 0x53, 0xf1, 0x00,
		0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x01,
		0x00, 0x01, 0x00, 0x30, 0x01, 0x91, 0x00, 0x04, 0x00, 0x20, 0x00, 0x01,
		0x00, 0x04, 0x00, 0x28, 0x00, 0x08, 0x00, 0x29, 0x00, 0x08, 0x00, 0x2a,
		0x00, 0x08, 0x00, 0xa4, 0x00, 0x08, 0x00, 0xa5, 0x00, 0x08, 0x00, 0xa6,
		0x00, 0x08, 0x00, 0xa7, 0x00, 0x08, 0x00, 0xa8, 0x00, 0x08, 0x00, 0x00,
		0x01, 0x91, 0x00, 0x48, 0x00, 0x00, 0x00, 0x01, 0x01, 0x02, 0x03, 0x04,
		0x05, 0x06, 0x07, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07,
		0x00, 0x01, 0x00, 0x14, 0x01, 0x92, 0x00, 0x04, 0x00, 0x04, 0x00, 0x01,
		0x00, 0x04, 0x00, 0xa0, 0x00, 0x08, 0x00, 0x00,
		0x01, 0x92, 0x00, 0x10, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x01, 0x8b,
		0xcf, 0xae, 0x79, 0x80,
		0x00, 0x01, 0x00, 0x1c, 0x01, 0x93, 0x00, 0x04, 0x00, 0x0c, 0x00, 0x01,
		0x00, 0x04, 0x00, 0x23, 0x00, 0x01, 0x00, 0x24, 0x00, 0x02, 0x00, 0x25,
		0x00, 0x02, 0x00, 0x00,
		0x01, 0x93, 0x00, 0x10, 0x00, 0x00, 0x00, 0x01, 0x01, 0x00, 0x3c, 0x00,
		0x0f, 0x00, 0x00, 0x00,
	};
	static const uint8_t ipfix[] = {
		0x00, 0x0a, 0x00, 0xd8, 0x65, 0x53, 0xf1, 0x00, 0x00, 0x00, 0x00, 0x07,
		0x00, 0x00, 0x00, 0x00,
		0x00, 0x03, 0x00, 0x30, 0x01, 0x91, 0x00, 0x09, 0x00, 0x01, 0x00, 0x95,
		0x00, 0x04, 0x00, 0x28, 0x00, 0x08,
	};

	(void)state;
	check_golden(NPK_ENC_NF9, nf9, sizeof(nf9));
	check_golden(NPK_ENC_IPFIX, ipfix, sizeof(ipfix));
}

/* IPFIX: nothing but sampling counts among flow records, unless they have domain 0 themselves. */
static void test_domain_0(void **state)
{
	struct npk_enc_opts opts = opts9;
	struct npk_enc *enc;
	uint32_t flows;
	struct seen s;
	uint8_t *data;

	(void)state;
	opts.version = NPK_ENC_IPFIX;
	for (opts.source_id = 0; opts.source_id < 2; opts.source_id++) {
		enc = started(&opts);
		flows = enc->sequence;
		data = encode(enc, &exporter, &now, &s);
		assert_non_null(data);
		assert_int_equal(be(data + 12, 4), 0);
		assert_int_equal(be(s.data[1], 4), opts.source_id);
		assert_int_equal(enc->sequence, flows + (opts.source_id ? 0 : 3));
		free(data);
		npk_enc_free(enc);
	}
}

/* Whatever domain the flow records have, and had: the sequence of domain 0 goes on. */
static void test_domain_0_goes_on(void **state)
{
	static const uint32_t ids[] = { 1, 2, 0, 3, 3, 0, 0 };
	struct npk_enc_opts opts = opts9;
	struct npk_enc *enc = NULL, *next;
	uint32_t want = 0;
	struct seen s;
	size_t i;

	(void)state;
	opts.version = NPK_ENC_IPFIX;
	for (i = 0; i < NR(ids); i++) {
		opts.source_id = ids[i];
		next = new_enc(&opts);
		if (enc)
			npk_enc_continue(next, enc);
		npk_enc_free(enc);
		enc = next;
		assert_int_equal(*sequence_of(enc), want);
		send_templates(enc);
		free(encode(enc, &exporter, &now, &s));
		want += ids[i] ? 3 : 4;		/* in domain 0 sampling is, too */
		assert_int_equal(*sequence_of(enc), want);
	}
	npk_enc_free(enc);
}

/* The algorithm, where there is one; timeouts only where they are known. */
static void test_metering(void **state)
{
	struct npk_enc_exporter x = exporter;
	struct npk_enc_opts opts = opts9;
	struct npk_enc *enc;
	struct seen s;
	uint8_t *data;

	(void)state;
	opts.sampling = (struct npk_sampling){ 10, true };
	x.active_s = 86400;
	enc = started(&opts);
	data = encode(enc, &x, &now, &s);
	assert_int_equal(value(&s, 35), 2);
	assert_int_equal(value(&s, 36), 65535);
	assert_int_equal(value(&s, 37), 15);
	free(data);
	npk_enc_free(enc);
	x.active_s = 0;
	enc = started(&opts);
	free(encode(enc, &x, &now, &s));
	assert_int_equal(s.nr_fields[3], 0);
	assert_int_equal(s.nr_data[1], 1);
	npk_enc_free(enc);
}

static void check_none(struct npk_enc *enc, const struct npk_clock *clock)
{
	struct seen s;

	assert_null(encode(enc, &exporter, clock, &s));
}

static void check_all(struct npk_enc *enc, const struct npk_clock *clock)
{
	struct seen s;
	uint8_t *data = encode(enc, &exporter, clock, &s);

	assert_non_null(data);
	assert_int_equal(value(&s, 42), 3);
	free(data);
	check_none(enc, clock);
}

/* At the start, every minute, when asked for; not because a capture is a little unsorted. */
static void test_timer(void **state)
{
	struct npk_enc *enc = started(&opts9);
	struct npk_clock clock = now;

	(void)state;
	check_all(enc, &clock);
	clock.now_ns += 60 * SEC - 1;
	check_none(enc, &clock);
	clock.now_ns++;
	check_all(enc, &clock);
	clock.now_ns -= 10 * SEC;
	check_none(enc, &clock);
	clock.now_ns -= 50 * SEC;
	check_all(enc, &clock);
	npk_enc_resend_options(enc);
	check_all(enc, &clock);
	npk_enc_free(enc);
}

/* The boot time, as the header of v9 and the record say it. */
static void check_boot(struct npk_enc *enc, const struct npk_clock *clock, int64_t boot_ms)
{
	struct seen s;
	uint8_t *data = encode(enc, &exporter, clock, &s);

	assert_non_null(data);
	assert_true(value(&s, 160) == (uint64_t)boot_ms);
	assert_true((int64_t)(be(data + 8, 4) * 1000 - be(data + 4, 4)) == boot_ms);
	free(data);
}

/* A step of the wall clock moves the boot time: said at once; slewing waits its turn. */
static void test_clock_step(void **state)
{
	struct npk_enc *enc = started(&opts9);
	struct npk_clock clock = now;
	int64_t boot_ms = (int64_t)(NOW_S - 3600) * 1000;

	(void)state;
	check_boot(enc, &clock, boot_ms);
	clock.offset_ns += 999 * (int64_t)MS;
	check_none(enc, &clock);
	clock.offset_ns += (int64_t)MS;
	check_boot(enc, &clock, boot_ms + 1000);
	clock.now_ns += SEC;
	clock.offset_ns -= (int64_t)(7200 * SEC);
	check_boot(enc, &clock, boot_ms + 1000 - 7200 * 1000);
	check_none(enc, &clock);
	/* where sysUptime goes back to two days, the boot time does it no less */
	clock.now_ns = clock.boot_ns + (UINT64_C(1) << 32) * MS - MS;
	free(encode(enc, &exporter, &clock, &(struct seen){ 0 }));
	clock.now_ns += MS;
	check_boot(enc, &clock,
		   boot_ms + 1000 - 7200 * 1000 + (INT64_C(1) << 32) - 2 * 86400 * 1000);
	npk_enc_free(enc);
}

#define IFACES 50

static void name_interfaces(struct npk_enc_interface *list)
{
	unsigned int i;

	for (i = 0; i < IFACES; i++) {
		list[i].index = 70000 + i;
		snprintf(list[i].name, sizeof(list[i].name), "eth%u", i);
		memset(list[i].description, 'd', sizeof(list[i].description));
	}
}

/* All interfaces, each once, whatever fits a datagram; then those that are new. */
static void check_interfaces(enum npk_enc_version version, size_t max_payload, size_t datagrams)
{
	struct npk_enc_interface list[IFACES];
	struct npk_enc_exporter x = exporter;
	struct npk_enc_opts opts = opts9;
	unsigned int i, n, done = 0;
	struct npk_enc *enc;
	struct seen s;
	uint8_t *data;

	opts.version = version;
	opts.max_payload = max_payload;
	enc = started(&opts);
	name_interfaces(list);
	x.interfaces = list;
	x.nr_interfaces = IFACES - 1;
	for (n = 0; (data = encode(enc, &x, &now, &s)); n++) {
		assert_int_equal(s.nr_fields[1], n ? 0 : 9);
		assert_int_equal(be(field(&s, 4, s.data[4], 10), 4), 70000 + done);
		done += s.nr_data[4];
		assert_int_equal(be(field(&s, 4, s.last[4], 10), 4), 70000 + done - 1);
		free(data);
	}
	assert_int_equal(done, IFACES - 1);
	assert_int_equal(n, datagrams);
	x.nr_interfaces = IFACES;
	data = encode(enc, &x, &now, &s);
	assert_non_null(data);
	assert_int_equal(s.nr_fields[1], 0);
	assert_int_equal(s.nr_data[4], 1);
	assert_string_equal((const char *)field(&s, 4, s.data[4], 82), "eth49");
	for (i = 0; i < 64; i++)	/* the end is a zero in any case */
		assert_int_equal(field(&s, 4, s.data[4], 83)[i], i < 63 ? 'd' : 0);
	free(data);
	npk_enc_free(enc);
}

static void test_interfaces(void **state)
{
	(void)state;
	check_interfaces(NPK_ENC_NF9, 512, 11);
	check_interfaces(NPK_ENC_IPFIX, 512, 11);
	check_interfaces(NPK_ENC_NF9, 1472, 4);
	check_interfaces(NPK_ENC_IPFIX, 65507, 1);
}

/* Where a digest ends each datagram there is room for it. */
static void test_trailer(void **state)
{
	struct npk_enc_interface list[IFACES];
	struct npk_enc_exporter x = exporter;
	struct npk_enc_opts opts = opts9;
	struct npk_enc *enc;
	uint8_t data[512];
	unsigned int n = 0;
	size_t len;

	(void)state;
	opts.version = NPK_ENC_NFLOW9;
	opts.max_payload = sizeof(data);
	opts.key = "secret";
	opts.key_len = 6;
	enc = started(&opts);
	name_interfaces(list);
	x.interfaces = list;
	x.nr_interfaces = IFACES;
	while ((len = npk_enc_options(enc, &x, &now, data))) {
		assert_true(len <= sizeof(data));
		assert_int_equal(be(data + len - 72, 2), 1);
		assert_int_equal(be(data + len - 44, 2), 0xff02);
		n++;
	}
	assert_int_equal(enc->options.nr_interfaces, IFACES);
	assert_int_equal(n, 13);
	npk_enc_free(enc);
}

/* No id is that of a template of flow records. */
static void test_ids(void **state)
{
	struct npk_enc_opts opts = opts9;
	unsigned int id;

	(void)state;
	for (id = 390; id < 410; id++) {
		struct npk_enc *enc;
		uint8_t data[1472];
		struct seen s;
		size_t len;
		bool clash = id >= 399 && id <= 404;

		opts.template_id = (uint16_t)id;
		enc = started(&opts);
		len = npk_enc_options(enc, &exporter, &now, data);
		decode(&s, data, len, 1, clash ? 500 : 400);
		npk_enc_free(enc);
	}
}

static void test_none(void **state)
{
	static const enum npk_enc_version without[] = { NPK_ENC_NF5, NPK_ENC_NFLOW };
	struct npk_enc_opts opts = opts9;
	struct npk_enc *enc;
	unsigned int i;

	(void)state;
	for (i = 0; i < NR(without); i++) {
		opts.version = without[i];
		enc = started(&opts);
		check_none(enc, &now);
		npk_enc_free(enc);
	}
	opts = opts9;
	opts.options_ms = 0;
	enc = started(&opts);
	check_none(enc, &now);
	npk_enc_free(enc);
}

/* The smallest datagram has room for templates, what they announce, and a record. */
static void test_smallest(void **state)
{
	struct npk_rec rec = { .ip_version = 6, .packets = 1, .octets = 40 }, *recs = &rec;
	struct npk_enc_opts opts = opts9;
	struct npk_enc *enc;
	uint8_t data[512];
	size_t len, taken;
	unsigned int v;

	(void)state;
	opts.max_payload = sizeof(data);
	for (v = 9; v <= 10; v++) {
		opts.version = v;
		enc = new_enc(&opts);
		do {
			assert_int_equal(npk_enc_datagram(enc, (const struct npk_rec **)&recs, 1,
							  &now, data, &len, &taken), 0);
			assert_true(len);
		} while (!taken);
		npk_enc_free(enc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_sampling),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_domain_0),
		cmocka_unit_test(test_domain_0_goes_on),
		cmocka_unit_test(test_metering),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_clock_step),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_trailer),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_smallest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
