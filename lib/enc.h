/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the encoders share: the state of a stream, and the way in for templates. */
#ifndef NPK_LIB_ENC_H
#define NPK_LIB_ENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <npk/enc.h>

#include "ie.h"
#include "split.h"

/**
 * enum npk_enc_family - the templates of a stream, one per IP version
 * @NPK_ENC_IPV4: IPv4 records
 * @NPK_ENC_IPV6: IPv6 records
 * @__NPK_ENC_FAMILY_MAX: number of families
 */
enum npk_enc_family {
	NPK_ENC_IPV4,
	NPK_ENC_IPV6,
	__NPK_ENC_FAMILY_MAX,
};

/**
 * struct npk_enc_template - template of one family
 * @fields: fields in the order of the wire
 * @nr_fields: how many; 0: records of this family are not exportable
 * @id: template id, 256 or more
 */
struct npk_enc_template {
	const struct npk_field *fields;
	size_t nr_fields;
	uint16_t id;
};

/**
 * npk_enc_new_templates() - npk_enc_new() with other templates than the default
 * @opts: settings, copied; template_id is not used
 * @templates: NPK_ENC_IPV4 and NPK_ENC_IPV6, copied; ignored by v5
 * @out: the encoder; the caller frees it with npk_enc_free()
 *
 * Return: as npk_enc_new(); -E2BIG for too many fields; -EMSGSIZE when the
 * templates, or one record, do not fit max_payload.
 */
int npk_enc_new_templates(const struct npk_enc_opts *opts,
			  const struct npk_enc_template templates[__NPK_ENC_FAMILY_MAX],
			  struct npk_enc **out);

/**
 * struct npk_enc_set - one family of a stream
 * @plan: compiled template; without fields when there is none
 * @id: template id, and id of the data sets
 */
struct npk_enc_set {
	struct npk_plan plan;
	uint16_t id;
};

struct npk_enc_format;
struct npk_seal;

struct npk_sets_rules;

/**
 * struct npk_enc_options - v9, IPFIX: state of the options data
 * @first_id: id of the first options template
 * @due: all is to be sent, whatever the time
 * @sequence: next one of domain 0, see npk_sets_rules.apart
 * @sent_ns: when it was last, nanoseconds of the source's clock
 * @boot_ms: boot time as it was sent then
 * @nr_interfaces: of the interfaces there are, those whose names were sent since
 */
struct npk_enc_options {
	uint16_t first_id;
	bool due;
	uint32_t sequence;
	uint64_t sent_ns;
	int64_t boot_ms;
	size_t nr_interfaces;
};

/*
 * A template set: its header, and per template a header and up to eight octets a
 * field; behind it the options template and the record of sampling.
 */
#define NPK_ENC_TEMPLATES_MAX	(4 + __NPK_ENC_FAMILY_MAX * (4 + 8 * NPK_PLAN_FIELDS) + 32)

/**
 * struct npk_enc - an export stream
 * @format: what the version does differently
 * @opts: settings
 * @min_payload: octets of the templates, or of one record if that is more
 * @sequence: next value of the header's field; its unit is the format's
 * @resend: templates are due at once
 * @announce: so is sampling, in formats that keep it apart from the templates
 * @announced: and has just gone, so that what follows can be flow records
 * @records_next: they have just gone alone although there were records
 * @since_templates: datagrams since, and with, the last one with templates
 * @templates_ns: when that was, nanoseconds of the source's clock
 * @templates: the template set and how packets were sampled, ready to be sent
 * @templates_len: octets of it
 * @announcement_len: how many of these, the last ones, say how packets were sampled
 * @nr_templates: templates of flow records in it
 * @options: all other options data
 * @sets: by enum npk_enc_family
 * @split: v5, nFlow: record that is being split
 * @seal: nFlow, nflow9: digest and compression
 */
struct npk_enc {
	const struct npk_enc_format *format;
	struct npk_enc_opts opts;
	size_t min_payload;
	uint32_t sequence;
	bool resend;
	bool announce;
	bool announced;
	bool records_next;
	uint32_t since_templates;
	uint64_t templates_ns;
	uint8_t templates[NPK_ENC_TEMPLATES_MAX];
	size_t templates_len;
	size_t announcement_len;
	uint16_t nr_templates;
	struct npk_enc_options options;
	struct npk_enc_set sets[__NPK_ENC_FAMILY_MAX];
	struct npk_split split;
	struct npk_seal *seal;
};

/**
 * struct npk_enc_format - a version
 * @init: finish npk_enc_new(): check options, compile templates (NULL: the
 *	format's own); 0 or -errno.  NULL: nothing to do.
 * @exportable: see npk_enc_exportable(); the record is not empty and is IPv4 or IPv6
 * @room: see npk_enc_room()
 * @datagram: see npk_enc_datagram(); *len and *taken are 0 on entry
 * @sets: formats with templates: how their sets differ
 */
struct npk_enc_format {
	int (*init)(struct npk_enc *enc, const struct npk_enc_template *templates);
	const char *(*exportable)(const struct npk_enc *enc, const struct npk_rec *rec);
	size_t (*room)(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		       const struct npk_clock *clock);
	int (*datagram)(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
			const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken);
	const struct npk_sets_rules *sets;
};

extern const struct npk_enc_format npk_enc_nf5;
extern const struct npk_enc_format npk_enc_nf9;
extern const struct npk_enc_format npk_enc_ipfix;
extern const struct npk_enc_format npk_enc_nflow;
extern const struct npk_enc_format npk_enc_nflow9;

/**
 * npk_enc_family() - which template a record goes with
 * @rec: IPv4 or IPv6 record
 *
 * Return: the family.
 */
static inline enum npk_enc_family npk_enc_family(const struct npk_rec *rec)
{
	return rec->ip_version == 6 ? NPK_ENC_IPV6 : NPK_ENC_IPV4;
}

/**
 * npk_enc_templates_due() - must this datagram begin with the templates
 * @enc: encoder
 * @nr_recs: records offered; without any only time calls for templates
 * @clock: now
 *
 * Return: true for the first datagram, after npk_enc_resend_templates(), and
 * when one of the two timers has run out.
 */
bool npk_enc_templates_due(const struct npk_enc *enc, size_t nr_recs,
			   const struct npk_clock *clock);

/**
 * npk_enc_templates_account() - advance the template timers by one datagram
 * @enc: encoder
 * @clock: now
 * @sent: the datagram has the templates
 * @alone: and no room for the records that were offered: the next one is theirs, whatever
 *	is due by then
 */
void npk_enc_templates_account(struct npk_enc *enc, const struct npk_clock *clock, bool sent,
			       bool alone);

#endif /* NPK_LIB_ENC_H */
