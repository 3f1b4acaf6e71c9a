// SPDX-License-Identifier: GPL-2.0-only
/* Templates made of names: what is found, what is not, and what each IP version gets. */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "lib/template.h"

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

/* Parse a template all of whose names are known. */
static struct npk_template *parse(const char *text)
{
	struct npk_template *t;
	char *unknown;

	assert_int_equal(npk_template_parse(text, &unknown, &t), 0);
	assert_null(unknown);
	return t;
}

/* Numbers of the fields of a family, in order, "8 12 1". */
static const char *family(const struct npk_template *t, enum npk_enc_family f)
{
	struct npk_field fields[NPK_PLAN_FIELDS];
	size_t i, nr = npk_template_family(t->fields, t->nr_fields, f, fields);
	static char text[512];
	int len = 0;

	text[0] = '\0';
	for (i = 0; i < nr; i++)
		len += sprintf(text + len, "%s%u", i ? " " : "", fields[i].ie->id);
	return text;
}

static void check(const char *text, const char *ipv4, const char *ipv6)
{
	struct npk_template *t = parse(text);

	assert_string_equal(family(t, NPK_ENC_IPV4), ipv4);
	assert_string_equal(family(t, NPK_ENC_IPV6), ipv6);
	npk_template_free(t);
}

static void test_names(void **state)
{
	(void)state;
	check("%IN_BYTES %IN_PKTS", "1 2", "1 2");
	check("%octetDeltaCount %packetDeltaCount", "1 2", "1 2");
	check("  %IN_PKTS\t%IN_BYTES\n", "2 1", "2 1");
	check("%IN_PKTS%PROTOCOL%IN_BYTES", "2 4 1", "2 4 1");
	/* a second time under whatever name */
	check("%IN_BYTES %PROTOCOL %octetDeltaCount %SRC_TO_DST_BYTES %IN_BYTES", "1 4", "1 4");
	check("%MIN_PKT_LNGTH %MIN_IP_PKT_LEN %FRAGMENTS", "25 80", "25 80");
}

/* Addresses change with the IP version, all else is there or not. */
static void test_families(void **state)
{
	(void)state;
	check("%IPV4_SRC_ADDR %IN_BYTES %IPV4_DST_ADDR", "8 1 12", "27 1 28");
	check("%sourceIPv6Address %IN_BYTES %destinationIPv6Address", "8 1 12", "27 1 28");
	check("%IPV6_SRC_ADDR %IN_BYTES %IPV4_SRC_ADDR", "1 8", "27 1");
	check("%IPV4_SRC_ADDR %IPV6_DST_ADDR", "8 12", "27 28");
	check("%ICMP_TYPE %IN_PKTS %ICMP_IPV4_TYPE %ICMP_IPV4_CODE", "32 2 176 177", "2");
	check("%ICMP_IPV6_TYPE_CODE %IN_PKTS %ICMP_IPV6_TYPE %ICMP_IPV6_CODE %IPV6_FLOW_LABEL",
	      "2", "139 2 178 179 31");
}

static void check_unknown(const char *text, const char *want, int want_err)
{
	struct npk_template *t;
	char *unknown;

	assert_int_equal(npk_template_parse(text, &unknown, &t), want_err);
	assert_string_equal(unknown, want);
	assert_true(!t == (want_err != 0));
	free(unknown);
	npk_template_free(t);
}

static void test_unknown(void **state)
{
	(void)state;
	check_unknown("%OUT_BYTES %IN_BYTES %L7_PROTO%X %IN_PKTS", "%OUT_BYTES, %L7_PROTO, %X", 0);
	check_unknown("IN_BYTES %IN_PKTS", "IN_BYTES", 0);
	check_unknown("%in_bytes %IN_PKTS", "%in_bytes", 0);
	check_unknown("%IN_BYTE %IN_BYTESS % %% %IN_PKTS", "%IN_BYTE, %IN_BYTESS, %, %, %", 0);
	check_unknown("%OUT_BYTES @NTOPNG@", "%OUT_BYTES, @NTOPNG@", -ENOENT);
	check_unknown("%L7_PROTO %PROTOCOL", "%L7_PROTO", -ERANGE);
}

static void test_too_little(void **state)
{
	static const struct { const char *text; int err; } bad[] = {
		{ "", -ENOENT }, { " \t", -ENOENT }, { "%PROTOCOL", -ERANGE },
		{ "%L4_SRC_PORT %PROTOCOL", -ERANGE },
		/* enough in one version only */
		{ "%ICMP_TYPE %ICMP_IPV4_TYPE %PROTOCOL", -ERANGE },
		{ "%IPV6_FLOW_LABEL %PROTOCOL", -ERANGE },
	};
	struct npk_template *t;
	char *unknown;
	size_t i;

	(void)state;
	for (i = 0; i < NR(bad); i++) {
		assert_int_equal(npk_template_parse(bad[i].text, &unknown, &t), bad[i].err);
		assert_null(unknown);
		assert_null(t);
	}
	npk_template_free(parse("%L4_SRC_PORT %L4_DST_PORT"));
}

/* Every field by each of its names, and all of them in one template that can be sent. */
static void test_every_field(void **state)
{
	struct npk_template_field f;
	struct npk_enc_opts opts = { .template_id = 256, .max_payload = 1472 };
	static char all[4096];
	struct npk_template *t;
	struct npk_enc *enc;
	char name[64];
	size_t i, len = 0;

	(void)state;
	for (i = 0; !npk_template_field(i, &f); i++) {
		assert_ptr_equal(npk_ie_by_name(f.name, strlen(f.name)),
				 npk_ie_by_id(f.pen, f.id));
		assert_ptr_equal(npk_ie_by_name(f.ipfix_name, strlen(f.ipfix_name)),
				 npk_ie_by_id(f.pen, f.id));
		assert_true(f.v9_type && f.v9_len && f.ipfix_len >= f.v9_len && *f.text);
		snprintf(name, sizeof(name), "%%%s %%IN_BYTES", f.ipfix_name);
		npk_template_free(parse(name));
		len += (size_t)sprintf(all + len, "%%%s", f.name);
	}
	assert_true(i > __NPK_IE_MAX);
	assert_int_equal(npk_template_field(i + 1, &f), -ENOENT);
	t = parse(all);
	assert_int_equal(t->nr_fields, __NPK_IE_MAX);
	opts.fields = t;
	for (opts.version = NPK_ENC_NF9; opts.version <= NPK_ENC_IPFIX; opts.version++) {
		opts.max_payload = 1472;
		assert_int_equal(npk_enc_new(&opts, &enc), 0);
		npk_enc_free(enc);
		opts.max_payload = 512;
		/* the templates fit alone where a field is specified in four octets */
		assert_int_equal(npk_enc_new(&opts, &enc),
				 opts.version == NPK_ENC_NF9 ? 0 : -EMSGSIZE);
		npk_enc_free(enc);
	}
	npk_template_free(t);
}

/* The encoder sends what was asked for, and does not need the template afterwards. */
static void test_encoder(void **state)
{
	static const uint8_t want[] = {
		0x00, 0x00, 0x00, 0x20, 0x01, 0x00, 0x00, 0x02, 0x00, 0x08, 0x00, 0x04, 0x00, 0x02,
		0x00, 0x08, 0x01, 0x01, 0x00, 0x03, 0x00, 0x1b, 0x00, 0x10, 0x00, 0x1f, 0x00, 0x03,
		0x00, 0x02, 0x00, 0x08,
	};
	struct npk_template *t = parse("%IPV4_SRC_ADDR %IPV6_FLOW_LABEL %IN_PKTS");
	const struct npk_enc_opts opts = {
		.version = NPK_ENC_NF9, .template_id = 256, .max_payload = 1472, .fields = t,
	};
	const struct npk_clock clock = { .now_ns = 1 };
	struct npk_enc *enc;
	size_t len, taken;
	uint8_t buf[1472];

	(void)state;
	assert_int_equal(npk_enc_new(&opts, &enc), 0);
	npk_template_free(t);
	assert_int_equal(npk_enc_datagram(enc, NULL, 0, &clock, buf, &len, &taken), 0);
	assert_int_equal(len, 20 + sizeof(want));
	assert_memory_equal(buf + 20, want, sizeof(want));
	npk_enc_free(enc);
}

/* The first datagram of IPFIX says how packets were sampled, the second has the templates. */
static size_t encode_templates(struct npk_enc *enc, uint8_t *buf)
{
	const struct npk_clock clock = { .now_ns = 1 };
	size_t len, taken;

	assert_int_equal(npk_enc_datagram(enc, NULL, 0, &clock, buf, &len, &taken), 0);
	assert_int_equal(buf[17], 3);
	assert_int_equal(npk_enc_datagram(enc, NULL, 0, &clock, buf, &len, &taken), 0);
	assert_int_equal(buf[17], 2);
	return len;
}

/* Ids that a stream with these fields announces when it goes on after another one. */
static struct npk_enc *go_on(struct npk_enc *before, const char *text, uint16_t first_id,
			     uint16_t ipv4, uint16_t ipv6)
{
	struct npk_template *t = parse(text);
	const struct npk_enc_opts opts = {
		.version = NPK_ENC_IPFIX, .template_id = first_id, .max_payload = 1472,
		.fields = t, .options_ms = 1000,
	};
	uint8_t fresh[1472], buf[1472];
	size_t fresh_len, len;
	struct npk_enc *enc;

	assert_int_equal(npk_enc_new(&opts, &enc), 0);
	fresh_len = encode_templates(enc, fresh);
	npk_enc_free(enc);
	assert_int_equal(npk_enc_new(&opts, &enc), 0);
	npk_template_free(t);
	if (before)
		npk_enc_continue(enc, before);
	npk_enc_free(before);
	len = encode_templates(enc, buf);
	assert_int_equal(buf[20] << 8 | buf[21], ipv4);
	assert_int_equal(enc->sets[NPK_ENC_IPV4].id, ipv4);
	assert_int_equal(enc->sets[NPK_ENC_IPV6].id, ipv6);
	/* but for the ids nothing has changed */
	assert_int_equal(len, fresh_len);
	return enc;
}

/* A collector that misses the new templates must not read records by the old ones. */
static void test_other_fields_other_ids(void **state)
{
	static const char a[] = "%IPV4_SRC_ADDR %IN_PKTS", b[] = "%IPV4_SRC_ADDR %IN_BYTES";
	struct npk_enc *enc = go_on(NULL, a, 256, 256, 257);

	(void)state;
	enc = go_on(enc, a, 256, 256, 257);
	enc = go_on(enc, b, 256, 258, 259);
	enc = go_on(enc, b, 256, 258, 259);	/* other settings, the same fields */
	enc = go_on(enc, a, 256, 260, 261);	/* who missed b has not forgotten 256 */
	enc = go_on(enc, b, 256, 262, 263);
	enc = go_on(enc, a, 261, 265, 266);	/* 261, 262 and 263, 264 would not do */
	enc = go_on(enc, a, 300, 300, 301);	/* the user's wish */
	enc = go_on(enc, a, 400, 406, 407);	/* 400 to 404 were options data's */
	enc = go_on(enc, a, 65534, 65534, 65535);
	enc = go_on(enc, b, 65534, 256, 257);
	npk_enc_free(enc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_too_little),
		cmocka_unit_test(test_every_field),
		cmocka_unit_test(test_encoder),
		cmocka_unit_test(test_other_fields_other_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
