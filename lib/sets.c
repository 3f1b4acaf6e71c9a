// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "options.h"
#include "template.h"

/* Octets of a data set with its padding, 0 without records. */
static size_t set_len(const struct npk_enc_set *set, size_t nr)
{
	size_t len = NPK_SETS_HEADER_LEN + nr * set->plan.record_len;

	return nr ? len + (-len & 3) : 0;
}

const char *npk_sets_exportable(const struct npk_enc *enc, const struct npk_rec *rec)
{
	if (enc->sets[npk_enc_family(rec)].plan.nr_fields)
		return NULL;
	return rec->ip_version == 4 ? "no_ipv4_template" : "no_ipv6_template";
}

/* Of the templates of flow records alone. */
static size_t templates_len(const struct npk_enc *enc)
{
	return enc->templates_len - enc->announcement_len;
}

/* Octets around the data sets. */
static size_t fixed_len(const struct npk_enc *enc, const struct npk_sets_layout *l)
{
	return enc->format->sets->header_len + (l->templates ? templates_len(enc) : 0) +
	       (l->announces ? enc->announcement_len : 0) + npk_sets_trailer_len(enc);
}

/* What the datagram begins with; true when that is all. */
static bool plan_templates(const struct npk_enc *enc, size_t nr_recs, const struct npk_clock *clock,
			   struct npk_sets_layout *l)
{
	bool samples = enc->opts.sampling.interval > 1;

	l->templates = npk_enc_templates_due(enc, nr_recs, clock);
	if (!enc->format->sets->apart) {
		l->announces = l->templates && enc->announcement_len;
		return false;
	}
	l->announces = enc->announcement_len &&
		       (enc->announce || (samples && l->templates && !enc->announced));
	l->templates = l->templates && !l->announces;
	return l->announces;
}

static void plan(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		 const struct npk_clock *clock, struct npk_sets_layout *l)
{
	size_t len[__NPK_ENC_FAMILY_MAX] = { 0 };
	size_t fixed;

	*l = (struct npk_sets_layout){ 0 };
	if (plan_templates(enc, nr_recs, clock, l))
		nr_recs = 0;
	fixed = fixed_len(enc, l);
	for (; l->taken < nr_recs; l->taken++) {
		const struct npk_rec *rec = recs[l->taken];
		enum npk_enc_family f = npk_enc_family(rec);
		size_t grown;

		if (npk_enc_exportable(enc, rec)) {
			l->bad = true;
			break;
		}
		grown = set_len(&enc->sets[f], l->nr[f] + 1);
		if (fixed + grown + len[!f] > enc->opts.max_payload)
			break;
		len[f] = grown;
		l->nr[f]++;
	}
	/* the announcement is a template and a record of it */
	l->nr_templates = (l->templates ? enc->nr_templates : 0) + l->announces;
	l->nr_records = l->taken + l->announces;
}

size_t npk_sets_room(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		     const struct npk_clock *clock)
{
	struct npk_sets_layout l;

	plan(enc, recs, nr_recs, clock, &l);
	return l.taken;
}

static void put_data_set(struct npk_buf *b, const struct npk_enc *enc, enum npk_enc_family f,
			 const struct npk_rec *const *recs, const struct npk_sets_layout *l,
			 const struct npk_times *times)
{
	const struct npk_enc_set *set = &enc->sets[f];
	uint8_t *out;
	size_t i;

	if (!l->nr[f])
		return;
	npk_buf_u16(b, set->id);
	npk_buf_u16(b, (uint16_t)set_len(set, l->nr[f]));
	for (i = 0; i < l->taken; i++) {
		if (npk_enc_family(recs[i]) != f)
			continue;
		out = npk_buf_claim(b, set->plan.record_len);
		if (out)
			npk_plan_encode(&set->plan, recs[i], times, out);
	}
	npk_buf_zero(b, -(NPK_SETS_HEADER_LEN + l->nr[f] * set->plan.record_len) & 3);
}

void npk_sets_begin(const struct npk_enc *enc, struct npk_buf *b, uint8_t *buf)
{
	npk_buf_init(b, buf, enc->opts.max_payload);
	npk_buf_claim(b, enc->format->sets->header_len);
}

static uint32_t *sequence_of(struct npk_enc *enc, bool process)
{
	return npk_sets_in_domain_0(enc, process) ? &enc->options.sequence : &enc->sequence;
}

size_t npk_sets_end(struct npk_enc *enc, struct npk_buf *b, const struct npk_times *times,
		    const struct npk_sets_layout *l)
{
	const struct npk_sets_rules *rules = enc->format->sets;
	struct npk_buf header;

	npk_buf_init(&header, b->data, rules->header_len);
	rules->put_header(&header, enc, times, l, b->len);
	*sequence_of(enc, l->process) += rules->counted(l);
	return rules->finish ? rules->finish(enc, b) : b->len;
}

int npk_sets_datagram(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		      const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken)
{
	struct npk_sets_layout l;
	struct npk_times times;
	struct npk_buf b;

	plan(enc, recs, nr_recs, clock, &l);
	if (l.bad)
		return -EINVAL;
	if (!l.templates && !l.announces && !l.taken)
		return 0;

	npk_times_init(&times, clock);
	npk_sets_begin(enc, &b, buf);
	if (l.templates)
		npk_buf_bytes(&b, enc->templates, templates_len(enc));
	if (l.announces)
		npk_buf_bytes(&b, enc->templates + templates_len(enc), enc->announcement_len);
	put_data_set(&b, enc, NPK_ENC_IPV4, recs, &l, &times);
	put_data_set(&b, enc, NPK_ENC_IPV6, recs, &l, &times);

	if (l.templates || l.taken)
		npk_enc_templates_account(enc, clock, l.templates, nr_recs && !l.taken);
	enc->announced = l.announces;
	enc->announce = enc->announce && !l.announces;
	*len = npk_sets_end(enc, &b, &times, &l);
	*taken = l.taken;
	return 0;
}

/* One template record, RFC 3954 section 5.2, RFC 7011 section 3.4.1. */
static int put_template(struct npk_buf *b, const struct npk_enc *enc, const struct npk_enc_set *set)
{
	unsigned int i;
	int err;

	npk_buf_u16(b, set->id);
	npk_buf_u16(b, set->plan.nr_fields);
	for (i = 0; i < set->plan.nr_fields; i++) {
		err = enc->format->sets->put_spec(b, &set->plan.fields[i]);
		if (err)
			return err;
	}
	return 0;
}

static int compile_template(struct npk_enc *enc, enum npk_enc_family f,
			    const struct npk_enc_template *t)
{
	struct npk_enc_set *set = &enc->sets[f];
	struct npk_field fields[NPK_PLAN_FIELDS];
	size_t i;
	int err;

	if (!t->nr_fields)
		return 0;
	if (t->id < NPK_SETS_FIRST_ID)
		return -EINVAL;
	if (t->nr_fields > NPK_PLAN_FIELDS)
		return -E2BIG;
	for (i = 0; i < t->nr_fields; i++) {
		fields[i] = t->fields[i];
		if (!fields[i].len && enc->format->sets->full_len)
			fields[i].len = npk_ie_full_len(fields[i].ie);
	}
	err = npk_plan_init(&set->plan, fields, t->nr_fields);
	if (err)
		return err;
	if (set->plan.record_len < NPK_TEMPLATE_MIN_RECORD)
		return -EINVAL;
	set->plan.if_name = enc->opts.if_name;
	set->plan.if_name_arg = enc->opts.if_name_arg;
	set->id = t->id;
	return 0;
}

/* The template set that is sent when due. */
static int build_template_set(struct npk_enc *enc, const struct npk_enc *before)
{
	uint8_t *set_header;
	struct npk_buf b;
	unsigned int f;
	int err;

	npk_buf_init(&b, enc->templates, sizeof(enc->templates));
	set_header = npk_buf_claim(&b, NPK_SETS_HEADER_LEN);
	enc->nr_templates = 0;
	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		if (!enc->sets[f].id)
			continue;
		err = put_template(&b, enc, &enc->sets[f]);
		if (err)
			return err;
		enc->nr_templates++;
	}
	npk_put_be16(set_header, enc->format->sets->template_set);
	npk_put_be16(set_header + 2, (uint16_t)b.len);
	npk_options_init(enc, before);
	enc->announcement_len = b.len;
	npk_options_announce(enc, &b);
	enc->announcement_len = b.len - enc->announcement_len;
	enc->templates_len = b.len;
	return 0;
}

static int build_templates(struct npk_enc *enc, const struct npk_enc_template *templates)
{
	unsigned int f;
	int err;

	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		err = compile_template(enc, f, &templates[f]);
		if (err)
			return err;
	}
	/* neither has one, or both the same */
	if (enc->sets[NPK_ENC_IPV4].id == enc->sets[NPK_ENC_IPV6].id)
		return -EINVAL;
	return build_template_set(enc, NULL);
}

/* From the template of both families that the user gave, or the format's own. */
static int build_families(struct npk_enc *enc)
{
	const struct npk_sets_rules *rules = enc->format->sets;
	const struct npk_template *t = enc->opts.fields;
	struct npk_field fields[__NPK_ENC_FAMILY_MAX][NPK_PLAN_FIELDS];
	struct npk_enc_template templates[__NPK_ENC_FAMILY_MAX];
	unsigned int f;

	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		templates[f].fields = fields[f];
		templates[f].nr_fields = npk_template_family(t ? t->fields : rules->defaults,
							     t ? t->nr_fields : rules->nr_defaults,
							     f, fields[f]);
		templates[f].id = (uint16_t)(enc->opts.template_id + f);
	}
	return build_templates(enc, templates);
}

int npk_sets_init(struct npk_enc *enc, const struct npk_enc_template *templates)
{
	unsigned int f;
	size_t need;
	int err;

	err = templates ? build_templates(enc, templates) : build_families(enc);
	if (err)
		return err;
	/* where they do not fit together, the templates go alone */
	enc->min_payload = fixed_len(enc, &(struct npk_sets_layout){
		.templates = true, .announces = !enc->format->sets->apart,
	});
	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		need = fixed_len(enc, &(struct npk_sets_layout){ 0 }) + set_len(&enc->sets[f], 1);
		if (need > enc->min_payload)
			enc->min_payload = need;
	}
	return enc->min_payload > enc->opts.max_payload ? -EMSGSIZE : 0;
}

static bool same_fields(const struct npk_plan *a, const struct npk_plan *b)
{
	unsigned int i;

	for (i = 0; i < a->nr_fields && i < b->nr_fields; i++) {
		if (a->fields[i].ie != b->fields[i].ie || a->fields[i].len != b->fields[i].len)
			return false;
	}
	return a->nr_fields == b->nr_fields;
}

/* One of our ids is one of theirs. */
static bool ids_meet(const struct npk_enc_set *ours, const struct npk_enc_set *theirs)
{
	unsigned int f, g;

	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		for (g = 0; g < __NPK_ENC_FAMILY_MAX; g++) {
			if (ours[f].id && ours[f].id == theirs[g].id)
				return true;
		}
	}
	return false;
}

/* Not for flow records: the format's own, or the former options data's. */
static bool ids_taken(const struct npk_enc *enc, const struct npk_enc *before)
{
	const struct npk_sets_rules *rules = enc->format->sets;
	unsigned int f;

	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		if ((rules->reserved && rules->reserved(enc->sets[f].id)) ||
		    npk_options_has_id(before, enc->sets[f].id))
			return true;
	}
	return false;
}

/* The next ids, from the first one on again behind the last. */
static void next_ids(struct npk_enc_set *sets)
{
	unsigned int f;

	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		if (!sets[f].id)
			continue;
		sets[f].id = (uint16_t)(sets[f].id + __NPK_ENC_FAMILY_MAX);
		if (sets[f].id < NPK_SETS_FIRST_ID)
			sets[f].id = (uint16_t)(sets[f].id + NPK_SETS_FIRST_ID);
	}
}

void npk_sets_continue(struct npk_enc *enc, const struct npk_enc *before)
{
	bool same = enc->opts.template_id == before->opts.template_id;
	unsigned int f;

	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++)
		same = same && same_fields(&enc->sets[f].plan, &before->sets[f].plan);
	/* on from the latest ids, not from the first: those before them are in use as well */
	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		if (enc->opts.template_id == before->opts.template_id && enc->sets[f].id &&
		    before->sets[f].id)
			enc->sets[f].id = before->sets[f].id;
	}
	while (!same && (ids_meet(enc->sets, before->sets) || ids_taken(enc, before)))
		next_ids(enc->sets);
	build_template_set(enc, before);
	/* domain 0 is the same, whatever source ids the flow records have */
	if (enc->format->sets->apart)
		*sequence_of(enc, true) = npk_sets_in_domain_0(before, true) ?
						  before->options.sequence : before->sequence;
}
