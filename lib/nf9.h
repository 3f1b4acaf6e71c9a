/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* NetFlow v9 on the wire, RFC 3954: what its encoder, nflow9's and the verifier share. */
#ifndef NPK_LIB_NF9_H
#define NPK_LIB_NF9_H

#include "sets.h"

#define NF9_HEADER_LEN		20	/* RFC 3954 section 5.1 */
#define NF9_TEMPLATE_SET	0	/* section 5.2, FlowSet id */
#define NF9_OPTIONS_SET		1	/* section 6.1, FlowSet id */
#define NF9_SCOPE_SYSTEM	1	/* section 6.1 */

/*
 * nflow9 signed: the datagram ends with an options template and an options record of
 * it, whose last octets are an HMAC-SHA-256 of the datagram with zeros in their place.
 */
#define NFLOW9_TRAILER_LEN	72
#define NFLOW9_DATA_AT		28	/* in the trailer: the options data set */

/* Ids of the digest's template: of 32 octets, and of the 16 that nprobe-k does not make. */
#define NFLOW9_DIGEST_TEMPLATE	0xff02
#define NFLOW9_MD5_TEMPLATE	0xff01

/** npk_nflow9_trailer - a trailer with zeros for the digest */
extern const uint8_t npk_nflow9_trailer[NFLOW9_TRAILER_LEN];

/* Members of struct npk_sets_rules, of which v9 and nflow9 have these in common. */
int npk_nf9_put_spec(struct npk_buf *b, const struct npk_field *field);
void npk_nf9_put_options_counts(struct npk_buf *b, uint16_t nr_fields);
void npk_nf9_put_header(struct npk_buf *b, const struct npk_enc *enc,
			const struct npk_times *times, const struct npk_sets_layout *l,
			size_t len);
uint32_t npk_nf9_counted(const struct npk_sets_layout *l);

#define NF9_RULES						\
	.header_len = NF9_HEADER_LEN,				\
	.template_set = NF9_TEMPLATE_SET,			\
	.options_set = NF9_OPTIONS_SET,				\
	.options_scope = NF9_SCOPE_SYSTEM,			\
	.put_options_counts = npk_nf9_put_options_counts,	\
	.put_spec = npk_nf9_put_spec,				\
	.put_header = npk_nf9_put_header,			\
	.counted = npk_nf9_counted

#endif /* NPK_LIB_NF9_H */
