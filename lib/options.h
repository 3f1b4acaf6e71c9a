/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Options data of NetFlow v9 (RFC 3954 section 6) and IPFIX (RFC 7011 section 3.4.2):
 * what the exporter says of itself.
 *
 * How packets were sampled goes with the templates of flow records, for a collector
 * needs it to read them.  All else has datagrams of its own, each with the options
 * templates of its records.  Every options template is in a set of its own, because
 * nfdump looks at the first one of a set only.
 */
#ifndef NPK_LIB_OPTIONS_H
#define NPK_LIB_OPTIONS_H

#include "sets.h"

/**
 * npk_options_init() - choose template ids beside those of the stream's flow records
 * @enc: v9 or IPFIX encoder whose sets have their ids
 * @before: the stream it goes on with, whose flow records' ids are not taken either; or NULL
 */
void npk_options_init(struct npk_enc *enc, const struct npk_enc *before);

/**
 * npk_options_has_id() - is a template id one of options data
 * @enc: v9 or IPFIX encoder
 * @id: template id
 *
 * Return: true when it is one of those of @enc's options templates.
 */
bool npk_options_has_id(const struct npk_enc *enc, uint16_t id);

/**
 * npk_options_announce() - append the template and the record of sampling
 * @enc: encoder
 * @b: buffer, aligned to four octets
 */
void npk_options_announce(struct npk_enc *enc, struct npk_buf *b);

#endif /* NPK_LIB_OPTIONS_H */
