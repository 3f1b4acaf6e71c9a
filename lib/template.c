// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "template.h"

#define SPACE	" \t\r\n"

/* The address that stands for this one in records of the other family, or NULL. */
static const struct npk_ie *counterpart(const struct npk_ie *ie)
{
	switch ((enum npk_ie_index)(ie - npk_ie_table)) {
	case NPK_IE_AT_IPV4_SRC_ADDR:
		return &npk_ie_table[NPK_IE_AT_IPV6_SRC_ADDR];
	case NPK_IE_AT_IPV4_DST_ADDR:
		return &npk_ie_table[NPK_IE_AT_IPV6_DST_ADDR];
	case NPK_IE_AT_IPV6_SRC_ADDR:
		return &npk_ie_table[NPK_IE_AT_IPV4_SRC_ADDR];
	case NPK_IE_AT_IPV6_DST_ADDR:
		return &npk_ie_table[NPK_IE_AT_IPV4_DST_ADDR];
	default:
		return NULL;
	}
}

static bool has(const struct npk_field *fields, size_t nr_fields, const struct npk_ie *ie)
{
	while (nr_fields--) {
		if (fields[nr_fields].ie == ie)
			return true;
	}
	return false;
}

size_t npk_template_family(const struct npk_field *fields, size_t nr_fields,
			   enum npk_enc_family family, struct npk_field *out)
{
	unsigned int version = family == NPK_ENC_IPV6 ? 6 : 4, only;
	size_t i, nr = 0;

	for (i = 0; i < nr_fields; i++) {
		struct npk_field field = fields[i];

		only = npk_ie_ip_version(field.ie);
		if (only && only != version) {
			field = (struct npk_field){ .ie = counterpart(field.ie) };
			if (!field.ie || has(fields, nr_fields, field.ie))
				continue;
		}
		out[nr++] = field;
	}
	return nr;
}

/* Add the name at @name to the list; @len includes its "%". */
static int add_unknown(char **list, const char *name, size_t len)
{
	size_t old = *list ? strlen(*list) : 0, comma = old ? 2 : 0;
	char *longer = realloc(*list, old + comma + len + 1);

	if (!longer)
		return -ENOMEM;
	memcpy(longer + old, ", ", comma);
	memcpy(longer + old + comma, name, len);
	longer[old + comma + len] = '\0';
	*list = longer;
	return 0;
}

/* One name of @len octets, with its "%". */
static int add_name(struct npk_template *t, char **unknown, const char *name, size_t len)
{
	const struct npk_ie *ie = NULL;

	if (*name == '%')
		ie = npk_ie_by_name(name + 1, len - 1);
	if (!ie)
		return add_unknown(unknown, name, len);
	/* the table has no more elements than a template may: there is room */
	if (!has(t->fields, t->nr_fields, ie))
		t->fields[t->nr_fields++].ie = ie;
	return 0;
}

static int check_lengths(const struct npk_template *t)
{
	struct npk_field fields[NPK_PLAN_FIELDS];
	size_t i, nr, len;
	unsigned int f;

	if (!t->nr_fields)
		return -ENOENT;
	for (f = 0; f < __NPK_ENC_FAMILY_MAX; f++) {
		nr = npk_template_family(t->fields, t->nr_fields, f, fields);
		for (i = 0, len = 0; i < nr; i++)
			len += fields[i].ie->len;
		if (len < NPK_TEMPLATE_MIN_RECORD)
			return -ERANGE;
	}
	return 0;
}

int npk_template_parse(const char *text, char **unknown, struct npk_template **out)
{
	struct npk_template *t = calloc(1, sizeof(*t));
	int err = t ? 0 : -ENOMEM;
	size_t len;

	*out = NULL;
	*unknown = NULL;
	for (text += strspn(text, SPACE); *text && !err; text += strspn(text, SPACE)) {
		len = 1 + strcspn(text + 1, "%" SPACE);
		err = add_name(t, unknown, text, len);
		text += len;
	}
	if (!err)
		err = check_lengths(t);
	if (!err)
		*out = t;
	else
		free(t);
	return err;
}

void npk_template_free(struct npk_template *t)
{
	free(t);
}

int npk_template_field(size_t i, struct npk_template_field *out)
{
	const struct npk_ie *ie;

	if (i < __NPK_IE_MAX) {
		ie = &npk_ie_table[i];
		out->name = ie->name;
		out->text = ie->text;
	} else if (i - __NPK_IE_MAX < __NPK_IE_ALIAS_MAX) {
		ie = &npk_ie_table[npk_ie_aliases[i - __NPK_IE_MAX].at];
		out->name = npk_ie_aliases[i - __NPK_IE_MAX].name;
		out->text = npk_ie_aliases[i - __NPK_IE_MAX].text;
	} else {
		return -ENOENT;
	}
	out->ipfix_name = ie->ipfix_name;
	out->pen = ie->pen;
	out->id = ie->id;
	out->v9_type = npk_ie_v9_type(ie);
	out->v9_len = ie->len;
	out->ipfix_len = npk_ie_full_len(ie);
	return 0;
}
