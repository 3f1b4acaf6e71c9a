// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: any records through every encoder, what comes out through the verifier.
 *
 * Beside memory errors it finds datagrams that are too long or not well formed, records
 * that npk_enc_room() promises and npk_enc_datagram() does not take, and flows that are
 * not what went in.
 *
 * Input: a struct stream, then records as they are in memory.
 */
#include <npk/verify.h>

#include "lib/buf.h"
#include "lib/enc.h"
#include "tests/fuzz/input.h"

#define RECORDS_MAX	64
/* that a record has a few hundred parts, not millions */
#define COUNTER_MASK	((UINT64_C(1) << 38) - 1)
#define TIME_MASK	((UINT64_C(1) << 61) - 1)
#define DATAGRAMS_MAX	100000

#define STREAM_SIGN	0x01
#define STREAM_COMPRESS	0x02
#define STREAM_FIELDS	0x04	/* a template of its own */
#define STREAM_OPTIONS	0x08	/* options data */
#define STREAM_RESIZE	0x10	/* datagrams of another size after the first */
#define STREAM_LARGE	0x20	/* of up to 65507 octets */

/**
 * struct stream - what the input says about the stream
 * @version: modulo the number of formats
 * @flags: STREAM_ bits
 * @size: of datagrams, beyond the smallest
 * @fields: elements of a template, eight numbers
 * @interval: of sampling
 * @template_id: of templates
 * @now: clock
 * @offset: clock
 * @boot: clock
 */
struct stream {
	uint8_t version;
	uint8_t flags;
	uint16_t size;
	uint8_t fields[8];
	uint16_t interval;
	uint16_t template_id;
	uint64_t now;
	uint64_t offset;
	uint64_t boot;
};

/* Sums over flows, which do not depend on their order. */
struct sums {
	uint64_t flows;
	uint64_t packets;
	uint64_t octets;
	uint64_t keys;
};

static const enum npk_enc_version versions[] = {
	NPK_ENC_NF5, NPK_ENC_NF9, NPK_ENC_IPFIX, NPK_ENC_NFLOW, NPK_ENC_NFLOW9,
};

static uint64_t next64(struct input *in)
{
	uint64_t v = next16(in);

	v |= (uint64_t)next16(in) << 16;
	v |= (uint64_t)next16(in) << 32;
	return v | (uint64_t)next16(in) << 48;
}

static struct stream next_stream(struct input *in)
{
	struct stream s;
	unsigned int i;

	s.version = next8(in) % (sizeof(versions) / sizeof(versions[0]));
	s.flags = next8(in);
	s.size = next16(in);
	for (i = 0; i < sizeof(s.fields); i++)
		s.fields[i] = next8(in);
	s.interval = next16(in);
	s.template_id = next16(in);
	s.now = next64(in) & TIME_MASK;
	s.offset = next64(in) & TIME_MASK;
	s.boot = next64(in) & TIME_MASK;
	return s;
}

/* Whatever is in a record, but for what every source guarantees. */
static bool next_rec(struct input *in, struct npk_rec *rec)
{
	size_t n = in->len < sizeof(*rec) ? in->len : sizeof(*rec);

	memset(rec, 0, sizeof(*rec));
	memcpy(rec, in->data, n);
	in->data += n;
	in->len -= n;
	rec->packets &= COUNTER_MASK;
	rec->octets &= COUNTER_MASK;
	rec->first_ns &= TIME_MASK;
	rec->last_ns &= TIME_MASK;
	if (rec->ip_version == 4) {
		memset(rec->saddr + 4, 0, 12);
		memset(rec->daddr + 4, 0, 12);
	}
	return n;
}

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t key_of(const struct npk_rec *rec)
{
	uint64_t h = mix(rec->ip_version, rec->saddr, 16);

	h = mix(h, rec->daddr, 16);
	h = mix(h, &rec->sport, 2);
	h = mix(h, &rec->dport, 2);
	return mix(h, &rec->proto, 2);	/* and tos */
}

static uint64_t parts_of(const struct npk_rec *rec, enum npk_enc_version version)
{
	uint64_t most = rec->packets > rec->octets ? rec->packets : rec->octets;

	if (version != NPK_ENC_NF5 && version != NPK_ENC_NFLOW)
		return 1;
	return most / UINT32_MAX + (most % UINT32_MAX != 0);
}

static void expect(struct sums *s, const struct npk_rec *rec, enum npk_enc_version version)
{
	uint64_t parts = parts_of(rec, version);

	s->flows += parts;
	/* no part is without packets or octets */
	s->packets += rec->packets < parts ? parts : rec->packets;
	s->octets += rec->octets < parts ? parts : rec->octets;
	s->keys += key_of(rec) * parts;
}

static void take(void *arg, const struct npk_verified *about, const struct npk_rec *rec)
{
	struct sums *s = arg;

	(void)about;
	s->flows++;
	s->packets += rec->packets;
	s->octets += rec->octets;
	s->keys += key_of(rec);
}

static void read_v5(struct sums *s, const uint8_t *data, size_t len)
{
	size_t count = npk_get_be16(data + 2), at;

	HOLDS(npk_get_be16(data) == 5 && count >= 1 && count <= 30 && len == 24 + 48 * count);
	for (at = 24; at < len; at += 48) {
		struct npk_rec rec = { .ip_version = 4 };

		memcpy(rec.saddr, data + at, 4);
		memcpy(rec.daddr, data + at + 4, 4);
		rec.packets = npk_get_be32(data + at + 16);
		rec.octets = npk_get_be32(data + at + 20);
		memcpy(&rec.sport, data + at + 32, 4);	/* and dport */
		rec.proto = data[at + 38];
		rec.tos = data[at + 39];
		HOLDS(rec.packets && rec.octets);
		HOLDS(npk_get_be32(data + at + 24) <= UINT32_MAX);
		take(s, NULL, &rec);
	}
}

static void walk_ipfix(const uint8_t *data, size_t len)
{
	size_t at = 16, n;

	HOLDS(npk_get_be16(data) == 10 && npk_get_be16(data + 2) == len);
	for (; at < len; at += n) {
		HOLDS(len - at >= 4);
		n = npk_get_be16(data + at + 2);
		HOLDS(n >= 4 && n <= len - at);
	}
}

/* One finished datagram. */
static void read_back(struct npk_verify *v, const struct stream *s, struct sums *sums,
		      const uint8_t *data, size_t len)
{
	static const struct npk_verify_from from;
	bool v1 = versions[s->version] == NPK_ENC_NFLOW;
	struct npk_verified out;

	if (versions[s->version] == NPK_ENC_NF5) {
		read_v5(sums, data, len);
	} else if (versions[s->version] == NPK_ENC_IPFIX) {
		walk_ipfix(data, len);
	} else {
		npk_verify_datagram(v, &from, 0, data, len, &out);
		HOLDS(out.version == (v1 ? 24 : 9));
		HOLDS(!out.gap && !out.unknown_sets);
		HOLDS(out.verdict == (v1 || (s->flags & STREAM_SIGN &&
					     versions[s->version] == NPK_ENC_NFLOW9) ?
				      NPK_VERDICT_VALID : NPK_VERDICT_UNSIGNED));
	}
}

static const char *if_name(void *arg, uint32_t index)
{
	(void)arg;
	return index & 1 ? "a name of more than fifteen octets" : NULL;
}

static struct npk_template *template_of(const struct stream *s)
{
	struct npk_template_field field;
	struct npk_template *t;
	char text[512] = "", *unknown;
	size_t i, len = 0;

	for (i = 0; i < sizeof(s->fields); i++) {
		if (!npk_template_field(s->fields[i] % 128, &field))
			len += (size_t)sprintf(text + len, " %%%s", field.name);
	}
	if (npk_template_parse(text, &unknown, &t))
		t = NULL;
	HOLDS(!unknown);
	return t;
}

static struct npk_enc *new_enc(const struct stream *s)
{
	struct npk_template *fields = s->flags & STREAM_FIELDS ? template_of(s) : NULL;
	const struct npk_enc_opts opts = {
		.version = versions[s->version],
		.source_id = 1,
		.template_id = s->template_id,
		.fields = fields,
		.if_name = if_name,
		.template_datagrams = s->flags >> 6,
		.options_ms = s->flags & STREAM_OPTIONS ? 1000 : 0,
		.max_payload = NPK_ENC_MIN_DATAGRAM + (s->flags & STREAM_LARGE ?
				s->size % (NPK_ENC_MAX_DATAGRAM - NPK_ENC_MIN_DATAGRAM + 1) :
				s->size % 1600),
		.sampling = { .interval = s->interval, .random = s->interval & 1 },
		.key = "key", .key_len = s->flags & STREAM_SIGN ? 3 : 0,
		.compress = s->flags & STREAM_COMPRESS,
	};
	struct npk_enc *enc;

	if (npk_enc_new(&opts, &enc))
		HOLDS(!enc);
	npk_template_free(fields);
	return enc;
}

static void send_options(struct npk_enc *enc, struct npk_verify *v, const struct stream *s,
			 const struct npk_clock *clock, struct sums *sums)
{
	static const struct npk_enc_interface names[3] = {
		{ 1, "eth0", "a description" }, { 2, "eth1", "" }, { 70000, "", "" },
	};
	const struct npk_enc_exporter x = {
		.octets = 1, .flows = UINT64_MAX, .active_s = 60, .idle_s = 15,
		.interfaces = names, .nr_interfaces = 3,
	};
	uint8_t *buf = malloc(enc->opts.max_payload);
	size_t len;
	int n = 0;

	HOLDS(buf);
	while (npk_enc_options_due(enc, 3, clock) && n++ < 10) {
		len = npk_enc_options(enc, &x, clock, buf);
		HOLDS(len <= enc->opts.max_payload);
		if (len)
			read_back(v, s, sums, buf, len);
	}
	free(buf);
}

/* The next datagram; returns the records it took. */
static size_t send_one(struct npk_enc *enc, struct npk_verify *v, const struct stream *s,
		       const struct npk_rec *const *recs, size_t nr, const struct npk_clock *clock,
		       struct sums *sums)
{
	uint8_t *buf = malloc(enc->opts.max_payload);
	size_t room = npk_enc_room(enc, recs, nr, clock), len, taken;

	HOLDS(buf);
	HOLDS(!npk_enc_datagram(enc, recs, nr, clock, buf, &len, &taken));
	HOLDS(taken == room && taken <= nr);
	HOLDS(len && len <= enc->opts.max_payload);
	read_back(v, s, sums, buf, len);
	free(buf);
	return taken;
}

static void run(const struct stream *s, struct npk_enc *enc, const struct npk_rec *const *recs,
		size_t nr)
{
	struct npk_clock clock = { s->now, (int64_t)s->offset, s->boot };
	struct sums want = {}, got = {};
	const struct npk_verify_opts opts = {
		.key = "key", .key_len = s->flags & STREAM_SIGN ? 3 : 0, .flow = take, .arg = &got,
	};
	struct npk_verify *v;
	size_t done = 0, i;
	int n;

	HOLDS(!npk_verify_new(&opts, &v));
	for (i = 0; i < nr; i++)
		expect(&want, recs[i], versions[s->version]);
	for (n = 0; done < nr; n++) {
		HOLDS(n < DATAGRAMS_MAX);
		done += send_one(enc, v, s, recs + done, nr - done, &clock, &got);
		send_options(enc, v, s, &clock, &got);	/* they follow the templates */
		clock.now_ns += 300000000;
		if (s->flags & STREAM_RESIZE)
			npk_enc_set_max_payload(enc, 512 + (s->size + n * 997U) % 9000);
	}
	/* IPFIX is not decoded here, and templates of one's own choice may lack what is summed */
	if (versions[s->version] != NPK_ENC_IPFIX && !enc->opts.fields &&
	    !(s->flags & STREAM_FIELDS && enc->format->sets))
		HOLDS(!memcmp(&want, &got, sizeof(want)));
	npk_verify_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct npk_rec recs[RECORDS_MAX];
	const struct npk_rec *good[RECORDS_MAX];
	struct input in = { data, size };
	struct stream s = next_stream(&in);
	struct npk_enc *enc = new_enc(&s);
	size_t nr = 0, i;

	if (!enc)
		return 0;
	for (i = 0; i < RECORDS_MAX && in.len && next_rec(&in, &recs[i]); i++) {
		if (!npk_enc_exportable(enc, &recs[i]))
			good[nr++] = &recs[i];
	}
	run(&s, enc, good, nr);
	npk_enc_free(enc);
	return 0;
}
