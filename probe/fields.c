// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npk/enc.h>

#include "fields.h"

#define TITLE	"-T (flow-templ)"

static int refused(struct parse *p, int err, const char *unknown)
{
	if (err == -ENOMEM)
		return option_wrong(p, "out of memory"), EXIT_FAILED;
	if (unknown && !p->o->skip_unknown)
		return option_wrong(p, TITLE ": unknown fields: %s (see --list-fields; "
				    "--skip-unknown leaves them out)", unknown);
	if (err == -ENOENT)
		return option_wrong(p, TITLE ": no field is left");
	return option_wrong(p, TITLE ": too few fields: a record has at least four octets, "
			    "in both IP versions");
}

int fields_parse(struct parse *p)
{
	struct opts *o = p->o;
	char *unknown;
	int err, code = -1;

	if (!o->fields_text)
		return -1;
	if (o->version == NPK_ENC_NF5 || o->version == NPK_ENC_NFLOW)
		return option_wrong(p, TITLE ": only v9, IPFIX and nflow9 have templates");
	err = npk_template_parse(o->fields_text, &unknown, &o->fields);
	if (err || (unknown && !o->skip_unknown))
		code = refused(p, err, unknown);
	else if (unknown)
		fprintf(stderr, "nprobe-k: note: " TITLE ": left out, unknown: %s\n", unknown);
	free(unknown);
	return code;
}

void fields_list(void)
{
	struct npk_template_field f;
	size_t i;

	printf("%-27s %-31s %5s %5s %7s %7s %10s  %s\n", "name", "IPFIX name", "id", "PEN",
	       "v9 type", "v9 len", "IPFIX len", "what it is");
	for (i = 0; !npk_template_field(i, &f); i++)
		printf("%%%-26s %%%-30s %5u %5u %7u %7u %10u  %s\n", f.name, f.ipfix_name, f.id,
		       f.pen, f.v9_type, f.v9_len, f.ipfix_len, f.text);
}
