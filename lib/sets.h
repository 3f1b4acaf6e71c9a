/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Datagrams of templates and data sets: what NetFlow v9 and IPFIX share.
 *
 * A datagram is: header, template set when due and how packets were sampled, data
 * set of IPv4, data set of IPv6; or in formats that keep it apart, a header and
 * sampling.  Records are taken from the front of what is offered, so the order changes
 * only between the two sets of one datagram.
 */
#ifndef NPK_LIB_SETS_H
#define NPK_LIB_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "enc.h"

#define NPK_SETS_HEADER_LEN	4	/* RFC 3954 section 5.3, RFC 7011 section 3.3.2 */
#define NPK_SETS_FIRST_ID	256	/* lower set ids are reserved: 5.2, 3.3.2 */

/**
 * struct npk_sets_layout - what one datagram will hold
 * @templates: the templates are in it
 * @announces: how packets were sampled is in it
 * @process: it is about the exporting process, see npk_sets_rules.apart
 * @taken: records, the sum of @nr
 * @nr: records by family
 * @nr_templates: template records, of options too
 * @nr_records: data records, of options too
 * @bad: stopped at a record that is not exportable
 */
struct npk_sets_layout {
	bool templates;
	bool announces;
	bool process;
	size_t taken;
	size_t nr[__NPK_ENC_FAMILY_MAX];
	size_t nr_templates;
	size_t nr_records;
	bool bad;
};

/**
 * struct npk_sets_rules - what a format does in its own way
 * @header_len: octets of its header
 * @template_set: id of the set that holds templates
 * @full_len: numbers get as many octets as they can need, not those usual in v9
 * @defaults: the default template, of both families
 * @nr_defaults: fields of it
 * @put_spec: append the specifier of a field; -EINVAL when the format has none for it
 * @options_set: id of the set that holds an options template
 * @options_scope: the scope of options: the exporter, by its source id
 * @put_options_counts: append how many fields there are in an options template with
 *	this scope and @nr_fields others
 * @put_header: write the header of a datagram of @len octets
 * @counted: how much the sequence number grows with this datagram
 * @apart: options data are kept away from flow records, because they count in the sequence
 *	of IPFIX (RFC 7011 section 3.1) and nfcapd does not count them.  Sampling, which has to be
 *	in the domain of the flow records, has a datagram of its own before the first of them, and
 *	again when all options data are asked for; where it says something, before all templates.
 *	All else is about the exporting process and goes in domain 0, which is what that section
 *	has it for.
 * @reserved: is this id none for flow records; NULL: none is
 * @trailer_len: octets @finish appends; NULL: none
 * @finish: complete the datagram; returns the octets to send, at most max_payload.
 *	NULL: it is complete
 */
struct npk_sets_rules {
	size_t header_len;
	uint16_t template_set;
	bool full_len;
	const struct npk_field *defaults;
	size_t nr_defaults;
	int (*put_spec)(struct npk_buf *b, const struct npk_field *field);
	uint16_t options_set;
	uint16_t options_scope;
	void (*put_options_counts)(struct npk_buf *b, uint16_t nr_fields);
	void (*put_header)(struct npk_buf *b, const struct npk_enc *enc,
			   const struct npk_times *times, const struct npk_sets_layout *l,
			   size_t len);
	uint32_t (*counted)(const struct npk_sets_layout *l);
	bool apart;
	bool (*reserved)(uint16_t id);
	size_t (*trailer_len)(const struct npk_enc *enc);
	size_t (*finish)(struct npk_enc *enc, struct npk_buf *b);
};

/**
 * npk_sets_in_domain_0() - does a datagram count in domain 0, which is not the flow records'
 * @enc: encoder
 * @process: npk_sets_layout.process
 *
 * Return: true when npk_enc_options.sequence counts, false when npk_enc.sequence does.
 */
static inline bool npk_sets_in_domain_0(const struct npk_enc *enc, bool process)
{
	return process && enc->opts.source_id;
}

/**
 * npk_sets_begin() - leave room for the header of a datagram
 * @enc: encoder
 * @b: out: where sets are to be appended
 * @buf: max_payload octets
 */
void npk_sets_begin(const struct npk_enc *enc, struct npk_buf *b, uint8_t *buf);

/**
 * npk_sets_trailer_len() - octets that npk_sets_end() may append
 * @enc: encoder
 *
 * Return: how many.
 */
static inline size_t npk_sets_trailer_len(const struct npk_enc *enc)
{
	const struct npk_sets_rules *rules = enc->format->sets;

	return rules->trailer_len ? rules->trailer_len(enc) : 0;
}

/**
 * npk_sets_end() - complete a datagram
 * @enc: encoder; its sequence number advances
 * @b: as of npk_sets_begin(), with all sets
 * @times: the clock reading of the datagram
 * @l: what it holds
 *
 * Return: octets to send.
 */
size_t npk_sets_end(struct npk_enc *enc, struct npk_buf *b, const struct npk_times *times,
		    const struct npk_sets_layout *l);

/**
 * npk_sets_continue() - have ids that a collector does not mistake for others
 * @enc: encoder that has encoded nothing yet
 * @before: the stream that it goes on
 *
 * RFC 7011 section 8: an id does not change its meaning from one datagram to the next,
 * for the one with the template may be lost.  With other fields than before there are
 * other ids, two further on; with the same fields the ids stay.
 */
void npk_sets_continue(struct npk_enc *enc, const struct npk_enc *before);

/* The members of struct npk_enc_format for a format with npk_enc_format.sets. */
int npk_sets_init(struct npk_enc *enc, const struct npk_enc_template *templates);
const char *npk_sets_exportable(const struct npk_enc *enc, const struct npk_rec *rec);
size_t npk_sets_room(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		     const struct npk_clock *clock);
int npk_sets_datagram(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		      const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken);

#endif /* NPK_LIB_SETS_H */
