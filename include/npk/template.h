/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libnpk templates: which fields the records of NetFlow v9 and IPFIX have. */
#ifndef NPK_TEMPLATE_H
#define NPK_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct npk_template;

/**
 * npk_template_parse() - make a template of names
 * @text: names of fields, each after a "%": NetFlow v9's and nProbe's
 *	("%IPV4_SRC_ADDR") or those of the IANA registry ("%sourceIPv4Address"), with
 *	or without space between them; a field that is named again counts once
 * @unknown: out: the names that are no field's, as written, with ", " between
 *	them; NULL when there is none.  The caller frees it.
 * @out: the template of the others; the caller frees it with npk_template_free()
 *
 * One template serves both IP versions.  Of an address, records of the other version
 * get their own in the same place, unless the template names that one too.  Every
 * other field that a version cannot fill is left out of its records.
 *
 * Return: 0; -ENOENT when no field is left; -ERANGE when the records of an IP version
 * would have fewer than four octets; -ENOMEM.  @unknown is good in every case.
 */
int npk_template_parse(const char *text, char **unknown, struct npk_template **out);

/**
 * npk_template_free() - end a template
 * @t: template or NULL
 */
void npk_template_free(struct npk_template *t);

/**
 * struct npk_template_field - a field that a template can have
 * @name: NetFlow v9's or nProbe's name
 * @ipfix_name: name in the IANA registry; the same as @name outside of it
 * @text: what it is, one line
 * @pen: private enterprise number, 0 = IANA
 * @id: number of the element
 * @v9_type: type in NetFlow v9
 * @v9_len: octets in NetFlow v9
 * @ipfix_len: octets in IPFIX
 */
struct npk_template_field {
	const char *name;
	const char *ipfix_name;
	const char *text;
	uint32_t pen;
	uint16_t id;
	uint16_t v9_type;
	uint16_t v9_len;
	uint16_t ipfix_len;
};

/**
 * npk_template_field() - one of the fields there are
 * @i: which one, from 0; second names of fields come last
 * @out: the field; its strings are static
 *
 * Return: 0, or -ENOENT behind the last one.
 */
int npk_template_field(size_t i, struct npk_template_field *out);

#ifdef __cplusplus
}
#endif

#endif /* NPK_TEMPLATE_H */
