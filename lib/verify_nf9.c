// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* NetFlow v9 datagrams, and the digest at the end of those of nflow9. */
#include <string.h>

#include "buf.h"
#include "nf9.h"
#include "template.h"
#include "verify.h"

#define SET_HEADER_LEN		NPK_SETS_HEADER_LEN
#define SPEC_LEN		4
#define TEMPLATE_LEN		4	/* id, number of fields */
#define OPTIONS_LEN		6	/* id, octets of scope fields, octets of option fields */
/* in the trailer: its key id and what follows differ */
#define TRAILER_FIXED		(NFLOW9_TRAILER_LEN - NPK_SHA256_LEN - 3)

/**
 * struct set - a set of a datagram
 * @id: its id
 * @p: behind its header
 * @len: octets at @p
 */
struct set {
	uint16_t id;
	const uint8_t *p;
	size_t len;
};

/**
 * struct spec - a template record, flows' or options'
 * @id: template id
 * @options: it is an options template
 * @fields: field specifiers, scopes first
 * @nr_fields: how many
 */
struct spec {
	uint16_t id;
	bool options;
	const uint8_t *fields;
	size_t nr_fields;
};

/* The set at @at, which moves behind it. */
static bool next_set(const struct npk_verify_datagram *d, size_t *at, struct set *set)
{
	size_t left = d->len - *at, len;

	if (left < SET_HEADER_LEN)
		return false;
	len = npk_get_be16(d->data + *at + 2);
	if (len < SET_HEADER_LEN || len > left)
		return false;
	set->id = npk_get_be16(d->data + *at);
	set->p = d->data + *at + SET_HEADER_LEN;
	set->len = len - SET_HEADER_LEN;
	*at += len;
	return true;
}

/*
 * The template at the front of what is left of a set of them: 1 with a template, 0
 * at the end or at padding, -1 when it is cut short or cannot be one.
 */
static int next_spec(struct set *set, struct spec *t)
{
	size_t head = set->id == NF9_OPTIONS_SET ? OPTIONS_LEN : TEMPLATE_LEN, octets;

	if (set->len < SPEC_LEN || !npk_get_be16(set->p))
		return 0;
	if (set->len < head || npk_get_be16(set->p) < NPK_SETS_FIRST_ID)
		return -1;
	t->id = npk_get_be16(set->p);
	t->options = set->id == NF9_OPTIONS_SET;
	octets = npk_get_be16(set->p + 2);
	octets = t->options ? octets + npk_get_be16(set->p + 4) : octets * SPEC_LEN;
	if (octets % SPEC_LEN || octets > set->len - head)
		return -1;
	t->fields = set->p + head;
	t->nr_fields = octets / SPEC_LEN;
	set->p += head + octets;
	set->len -= head + octets;
	return 1;
}

static bool is_template_set(const struct set *set)
{
	return set->id == NF9_TEMPLATE_SET || set->id == NF9_OPTIONS_SET;
}

/* Sets end where the datagram does; @last and @before: where the last two begin. */
static bool well_formed(const struct npk_verify_datagram *d, size_t *last, size_t *before)
{
	size_t at = NF9_HEADER_LEN;
	struct spec spec;
	struct set set;
	int more;

	*last = *before = 0;
	while (at < d->len) {
		*before = *last;
		*last = at;
		if (!next_set(d, &at, &set))
			return false;
		more = is_template_set(&set);
		while (more > 0)
			more = next_spec(&set, &spec);
		if (more < 0)
			return false;
	}
	return true;
}

/*
 * Does the datagram end with an options template of a digest's id and a set of it?  Flow
 * records of other exporters may have these ids.  @last and @before: where the two begin.
 */
static bool claims_digest(const struct npk_verify_datagram *d, size_t last, size_t before)
{
	unsigned int id = last ? npk_get_be16(d->data + last) : 0;

	if (!before || (id != NFLOW9_DIGEST_TEMPLATE && id != NFLOW9_MD5_TEMPLATE))
		return false;
	return npk_get_be16(d->data + before) == NF9_OPTIONS_SET &&
	       last - before >= SET_HEADER_LEN + OPTIONS_LEN &&
	       npk_get_be16(d->data + before + SET_HEADER_LEN) == id;
}

static enum npk_verdict judge(const struct npk_verify_datagram *d, size_t last, size_t before)
{
	uint8_t want[NPK_SHA256_LEN];
	const uint8_t *digest;

	if (!claims_digest(d, last, before))
		return NPK_VERDICT_UNSIGNED;
	if (d->len - before != NFLOW9_TRAILER_LEN ||
	    memcmp(d->data + before, npk_nflow9_trailer, TRAILER_FIXED))
		return NPK_VERDICT_BAD_DIGEST;
	digest = d->data + d->len - NPK_SHA256_LEN;	/* in the trailer */
	npk_digest_sha256(&d->v->key, d->data, d->len, want);
	if (!d->v->opts.key_len || !npk_digest_same(digest, want, sizeof(want)))
		return NPK_VERDICT_BAD_DIGEST;
	return npk_verify_fresh(d, digest);
}

static struct npk_verify_template *find(struct npk_verify_stream *s, uint16_t id)
{
	unsigned int i;

	for (i = 0; i < NPK_VERIFY_TEMPLATES; i++) {
		if (s->templates[i].id != id)
			continue;
		s->templates[i].used = ++s->steps;
		return &s->templates[i];
	}
	return NULL;
}

static struct npk_verify_template *least_used(struct npk_verify_stream *s)
{
	struct npk_verify_template *least = s->templates;
	unsigned int i;

	for (i = 1; i < NPK_VERIFY_TEMPLATES; i++) {
		if (s->templates[i].used < least->used)
			least = &s->templates[i];
	}
	return least;
}

/* In the place of the same id, else of the one not used for longest. */
static void learn(struct npk_verify_stream *s, const struct spec *spec)
{
	struct npk_verify_template *t = find(s, spec->id);
	size_t i;

	if (!t)
		t = least_used(s);
	memset(t, 0, sizeof(*t));
	if (!spec->options && spec->nr_fields > NPK_VERIFY_FIELDS)
		return;
	t->id = spec->id;
	t->used = ++s->steps;
	t->options = spec->options;
	if (t->options)
		return;
	for (i = 0; i < spec->nr_fields; i++) {
		const uint8_t *p = spec->fields + i * SPEC_LEN;
		const struct npk_ie *ie = npk_ie_by_v9_type(npk_get_be16(p));
		uint16_t len = npk_get_be16(p + 2);

		if (!len)	/* nothing, that costs time for every record */
			continue;
		t->fields[t->nr_fields++] = (struct npk_verify_field){
			(uint16_t)(ie ? ie - npk_ie_table : __NPK_IE_MAX), len };
		t->record_len += len;
	}
}

static void decode(const struct npk_verify_datagram *d, const struct npk_verify_template *t,
		   const uint8_t *p)
{
	const struct npk_decode_clock clock = {
		.unix_ms = (int64_t)npk_get_be32(d->data + 8) * NPK_MS_PER_S,
		.uptime_ms = npk_get_be32(d->data + 4),
	};
	struct npk_rec rec;
	unsigned int i;

	npk_decode_init(&rec);
	for (i = 0; i < t->nr_fields; i++) {
		if (t->fields[i].ie < __NPK_IE_MAX)
			npk_decode_field(&rec, &npk_ie_table[t->fields[i].ie], &clock, p,
					 t->fields[i].len);
		p += t->fields[i].len;
	}
	npk_verify_flow(d, &rec);
}

static void read_data(const struct npk_verify_datagram *d, struct npk_verify_stream *s,
		      const struct set *set)
{
	const struct npk_verify_template *t = find(s, set->id);
	const uint8_t *p = set->p;
	size_t left = set->len;

	if (!t) {
		d->out->unknown_sets++;
		return;
	}
	/* options, or not to be told from padding */
	if (t->record_len < NPK_TEMPLATE_MIN_RECORD)
		return;
	for (; left >= t->record_len; left -= t->record_len, p += t->record_len)
		decode(d, t, p);
}

void npk_verify_nf9(const struct npk_verify_datagram *d)
{
	size_t at = NF9_HEADER_LEN, last, before;
	struct npk_verify_stream *s;
	struct spec spec;
	struct set set;

	if (d->len < NF9_HEADER_LEN || !well_formed(d, &last, &before))
		return;
	d->out->unix_s = npk_get_be32(d->data + 8);
	d->out->sequence = npk_get_be32(d->data + 12);
	d->out->source_id = npk_get_be32(d->data + 16);
	d->out->verdict = judge(d, last, before);
	if (d->out->verdict != NPK_VERDICT_VALID && d->out->verdict != NPK_VERDICT_UNSIGNED)
		return;
	s = npk_verify_stream(d, 1);
	while (next_set(d, &at, &set)) {
		if (set.id >= NPK_SETS_FIRST_ID)
			read_data(d, s, &set);
		while (is_template_set(&set) && next_spec(&set, &spec) > 0)
			learn(s, &spec);
	}
}
