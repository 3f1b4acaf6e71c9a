/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Templates of both IP versions. */
#ifndef NPK_LIB_TEMPLATE_H
#define NPK_LIB_TEMPLATE_H

#include <npk/template.h>

#include "enc.h"

/** NPK_TEMPLATE_MIN_RECORD - shorter is not told from padding, RFC 3954 section 5.3 */
#define NPK_TEMPLATE_MIN_RECORD	4

/**
 * struct npk_template - fields of records of both IP versions
 * @nr_fields: how many
 * @fields: in the order of the wire
 */
struct npk_template {
	size_t nr_fields;
	struct npk_field fields[NPK_PLAN_FIELDS];
};

/**
 * npk_template_family() - the fields that records of one family fill
 * @fields: fields of both families
 * @nr_fields: at most NPK_PLAN_FIELDS
 * @family: which one
 * @out: room for NPK_PLAN_FIELDS fields
 *
 * See npk_template_parse() for what becomes of the other family's.
 *
 * Return: fields in @out.
 */
size_t npk_template_family(const struct npk_field *fields, size_t nr_fields,
			   enum npk_enc_family family, struct npk_field *out);

#endif /* NPK_LIB_TEMPLATE_H */
