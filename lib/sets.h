/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Datagrams of templates and data sets: what NetFlow v9 and IPFIX share.
 *
 * A datagram is: header, template set when due, data set of IPv4, data set of
 * IPv6.  Records are taken from the front of what is offered, so the order
 * changes only between the two sets of one datagram.
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
 * @templates: the templates are due
 * @taken: records, the sum of @nr
 * @nr: records by family
 * @len: octets of the whole datagram
 * @bad: stopped at a record that is not exportable
 */
struct npk_sets_layout {
	bool templates;
	size_t taken;
	size_t nr[__NPK_ENC_FAMILY_MAX];
	size_t len;
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
 * @put_header: append the header
 * @counted: how much the sequence number grows with this datagram
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
	void (*put_header)(struct npk_buf *b, const struct npk_enc *enc,
			   const struct npk_times *times, const struct npk_sets_layout *l);
	uint32_t (*counted)(const struct npk_sets_layout *l);
	size_t (*trailer_len)(const struct npk_enc *enc);
	size_t (*finish)(struct npk_enc *enc, struct npk_buf *b);
};

/* The members of struct npk_enc_format for a format with npk_enc_format.sets. */
int npk_sets_init(struct npk_enc *enc, const struct npk_enc_template *templates);
const char *npk_sets_exportable(const struct npk_enc *enc, const struct npk_rec *rec);
size_t npk_sets_room(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		     const struct npk_clock *clock);
int npk_sets_datagram(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		      const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken);

#endif /* NPK_LIB_SETS_H */
