/* SPDX-License-Identifier: GPL-2.0-only */
/* -T: which fields the records have. */
#ifndef PROBE_FIELDS_H
#define PROBE_FIELDS_H

#include <npk/template.h>

#include "option.h"

/**
 * fields_parse() - make the template that -T describes
 * @p: all options were read; sets opts.fields, which the caller frees
 *
 * Says which names are no field's.
 *
 * Return: -1 to go on, else the code to exit with.
 */
int fields_parse(struct parse *p);

/**
 * fields_list() - print every field there is, one a line
 */
void fields_list(void);

#endif /* PROBE_FIELDS_H */
