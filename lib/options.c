// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* Ids of the options templates; the others where flow records have one of the former. */
#define FIRST_ID	400
#define FIRST_ID_STEP	100

/* The exporter, as a whole: its source id is the scope's value in both formats. */
#define SCOPE_LEN	4

/* A step of the wall clock by less than this is slewing. */
#define STEP_MS		1000

enum kind { SAMPLING, STATISTICS, BOOT, METERING, INTERFACE, __KIND_MAX };

struct spec {
	uint16_t id;
	uint16_t len;
};

struct layout {
	const struct spec *fields;
	uint16_t nr_fields;
	uint16_t record_len;
};

/*
 * samplingInterval, and nothing beside it: collectors that know it together with
 * others do not agree on their meaning.
 */
static const struct spec sampling[] = { { 34, 4 } };

/*
 * exported octets, messages, flow records; ignored packets and octets; flows, packets and
 * octets not sent
 */
static const struct spec statistics[] = {
	{ 40, 8 }, { 41, 8 }, { 42, 8 }, { 164, 8 }, { 165, 8 }, { 166, 8 },
	{ 167, 8 }, { 168, 8 },
};

/* systemInitTimeMilliseconds */
static const struct spec boot[] = { { 160, 8 } };

/* samplingAlgorithm; flowActiveTimeout, flowIdleTimeout, seconds */
static const struct spec metering[] = { { 35, 1 }, { 36, 2 }, { 37, 2 } };

/* ingressInterface, interfaceName, interfaceDescription */
static const struct spec interface[] = {
	{ 10, 4 }, { 82, NPK_ENC_NAME_LEN }, { 83, NPK_ENC_DESCRIPTION_LEN },
};

#define LAYOUT(fields, len) { fields, sizeof(fields) / sizeof((fields)[0]), SCOPE_LEN + (len) }

static const struct layout layouts[__KIND_MAX] = {
	[SAMPLING] = LAYOUT(sampling, 4),
	[STATISTICS] = LAYOUT(statistics, 8 * 8),
	[BOOT] = LAYOUT(boot, 8),
	[METERING] = LAYOUT(metering, 1 + 2 + 2),
	[INTERFACE] = LAYOUT(interface, 4 + NPK_ENC_NAME_LEN + NPK_ENC_DESCRIPTION_LEN),
};

static uint16_t template_id(const struct npk_enc *enc, enum kind kind)
{
	return (uint16_t)(enc->options.first_id + kind);
}

static size_t padded(size_t len)
{
	return len + (-len & 3);
}

/* Octets of a set with an options template: three numbers, the scope and the fields. */
static size_t template_len(enum kind kind)
{
	return padded(NPK_SETS_HEADER_LEN + 6 + 4 * (1 + (size_t)layouts[kind].nr_fields));
}

/* Octets of a set with one record. */
static size_t data_len(enum kind kind)
{
	return padded(NPK_SETS_HEADER_LEN + layouts[kind].record_len);
}

/* A set with one options template; the two formats count its fields differently. */
static void put_template(struct npk_buf *b, const struct npk_enc *enc, enum kind kind)
{
	const struct npk_sets_rules *rules = enc->format->sets;
	const struct layout *l = &layouts[kind];
	size_t i;

	npk_buf_u16(b, rules->options_set);
	npk_buf_u16(b, (uint16_t)template_len(kind));
	npk_buf_u16(b, template_id(enc, kind));
	rules->put_options_counts(b, l->nr_fields);
	npk_buf_u16(b, rules->options_scope);
	npk_buf_u16(b, SCOPE_LEN);
	for (i = 0; i < l->nr_fields; i++) {
		npk_buf_u16(b, l->fields[i].id);
		npk_buf_u16(b, l->fields[i].len);
	}
	npk_buf_align4(b);
}

/* The head of a set with one record, up to its scope; the caller adds fields and padding. */
static void put_head(struct npk_buf *b, const struct npk_enc *enc, enum kind kind)
{
	npk_buf_u16(b, template_id(enc, kind));
	npk_buf_u16(b, (uint16_t)data_len(kind));
	npk_buf_u32(b, enc->opts.source_id);
}

static bool has_options(const struct npk_enc *enc)
{
	return enc->format->sets && enc->opts.options_ms;
}

bool npk_options_has_id(const struct npk_enc *enc, uint16_t id)
{
	return (unsigned int)id - enc->options.first_id < __KIND_MAX;
}

static bool meets_flows(const struct npk_enc *enc, const struct npk_enc *flows)
{
	unsigned int f;

	for (f = 0; flows && f < __NPK_ENC_FAMILY_MAX; f++) {
		if (npk_options_has_id(enc, flows->sets[f].id))
			return true;
	}
	return false;
}

void npk_options_init(struct npk_enc *enc, const struct npk_enc *before)
{
	enc->options.first_id = FIRST_ID;
	while (meets_flows(enc, enc) || meets_flows(enc, before))
		enc->options.first_id += FIRST_ID_STEP;
	enc->options.due = true;
}

void npk_options_announce(struct npk_enc *enc, struct npk_buf *b)
{
	uint32_t interval = enc->opts.sampling.interval;

	if (!has_options(enc) && interval <= 1)
		return;
	put_template(b, enc, SAMPLING);
	put_head(b, enc, SAMPLING);
	npk_buf_u32(b, interval ? interval : 1);
}

static void put_statistics(struct npk_buf *b, const struct npk_enc *enc,
			   const struct npk_enc_exporter *x)
{
	const uint64_t values[] = {
		x->octets, x->datagrams, x->flows, x->ignored_packets, x->ignored_octets,
		x->not_sent_flows, x->not_sent_packets, x->not_sent_octets,
	};
	size_t i;

	put_head(b, enc, STATISTICS);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		npk_buf_u64(b, values[i]);
}

static void put_boot(struct npk_buf *b, const struct npk_enc *enc, int64_t boot_ms)
{
	put_head(b, enc, BOOT);
	npk_buf_u64(b, boot_ms < 0 ? 0 : (uint64_t)boot_ms);
}

static uint16_t seconds(uint32_t s)
{
	return s > UINT16_MAX ? UINT16_MAX : (uint16_t)s;
}

/* The algorithm of systematic sampling is 1, also where one of one is chosen; of random 2. */
static void put_metering(struct npk_buf *b, const struct npk_enc *enc,
			 const struct npk_enc_exporter *x)
{
	const struct npk_sampling *s = &enc->opts.sampling;

	put_head(b, enc, METERING);
	npk_buf_u8(b, s->random && s->interval > 1 ? 2 : 1);
	npk_buf_u16(b, seconds(x->active_s));
	npk_buf_u16(b, seconds(x->idle_s));
	npk_buf_align4(b);
}

/* Strings of fixed length end with a zero at least: some readers take it for granted. */
static void put_text(struct npk_buf *b, const char *text, size_t len)
{
	size_t n = strnlen(text, len - 1);

	npk_buf_bytes(b, text, n);
	npk_buf_zero(b, len - n);
}

static void put_interface(struct npk_buf *b, const struct npk_enc *enc,
			  const struct npk_enc_interface *i)
{
	put_head(b, enc, INTERFACE);
	npk_buf_u32(b, i->index);
	put_text(b, i->name, NPK_ENC_NAME_LEN);
	put_text(b, i->description, NPK_ENC_DESCRIPTION_LEN);
}

/* All but interfaces. */
static void put_general(struct npk_buf *b, const struct npk_enc *enc,
			const struct npk_enc_exporter *x, const struct npk_times *times,
			struct npk_sets_layout *l)
{
	put_template(b, enc, STATISTICS);
	put_statistics(b, enc, x);
	put_template(b, enc, BOOT);
	put_boot(b, enc, times->boot_ms);
	l->nr_templates += 2;
	l->nr_records += 2;
	if (x->active_s && x->idle_s) {
		put_template(b, enc, METERING);
		put_metering(b, enc, x);
		l->nr_templates++;
		l->nr_records++;
	}
}

/* Each in a set of its own: nfdump would misread a second one. */
static void put_interfaces(struct npk_buf *b, struct npk_enc *enc, const struct npk_enc_exporter *x,
			   struct npk_sets_layout *l)
{
	size_t len = data_len(INTERFACE), max = enc->opts.max_payload - npk_sets_trailer_len(enc);
	size_t *nr = &enc->options.nr_interfaces;

	if (*nr >= x->nr_interfaces || b->len + template_len(INTERFACE) + len > max)
		return;
	put_template(b, enc, INTERFACE);
	l->nr_templates++;
	for (; *nr < x->nr_interfaces && b->len + len <= max; ++*nr) {
		put_interface(b, enc, &x->interfaces[*nr]);
		l->nr_records++;
	}
}

static bool general_due(const struct npk_enc *enc, const struct npk_clock *clock)
{
	int64_t age_ns = (int64_t)(clock->now_ns - enc->options.sent_ns), moved_ms;
	struct npk_times times;

	if (enc->options.due)
		return true;
	npk_times_init(&times, clock);
	moved_ms = times.boot_ms - enc->options.boot_ms;
	/* a capture's clock may step back: a little is no reason */
	return llabs(age_ns) >= (int64_t)enc->opts.options_ms * NPK_NS_PER_MS ||
	       llabs(moved_ms) >= STEP_MS;
}

void npk_enc_resend_options(struct npk_enc *enc)
{
	enc->options.due = true;
	enc->announce = true;
}

bool npk_enc_options_due(const struct npk_enc *enc, size_t nr_interfaces,
			 const struct npk_clock *clock)
{
	if (!has_options(enc) || enc->resend)
		return false;
	return enc->options.nr_interfaces < nr_interfaces || general_due(enc, clock);
}

size_t npk_enc_options(struct npk_enc *enc, const struct npk_enc_exporter *x,
		       const struct npk_clock *clock, uint8_t *buf)
{
	struct npk_sets_layout l = { 0 };
	struct npk_times times;
	struct npk_buf b;

	if (!npk_enc_options_due(enc, x->nr_interfaces, clock))
		return 0;
	l.process = enc->format->sets->apart;
	npk_times_init(&times, clock);
	npk_sets_begin(enc, &b, buf);
	if (general_due(enc, clock)) {
		put_general(&b, enc, x, &times, &l);
		enc->options = (struct npk_enc_options){
			.first_id = enc->options.first_id,
			.sequence = enc->options.sequence,
			.sent_ns = clock->now_ns,
			.boot_ms = times.boot_ms,
		};
	}
	put_interfaces(&b, enc, x, &l);
	return npk_sets_end(enc, &b, &times, &l);
}
