// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

/* "-x=value", "-x value", "--name=value", "name=value", "name value", or a flag */
static int parse_line(struct parse *p, char *line)
{
	size_t dashes = strspn(line, "-");
	char *name = line + dashes;
	size_t len = strcspn(name, "= \t");
	char *value = name + len;
	const struct option_def *d = option_find(name, len);

	value += strspn(value, " \t");
	if (*value == '=')
		value += 1 + strspn(value + 1, " \t");
	if (!d)
		return option_unknown(p, dashes == 1 ? "-" : dashes ? "--" : "", name, len);
	if (d->arg && !*value)
		return option_wrong(p, "%s needs a value", option_title(d));
	if (!d->arg && *value)
		return option_wrong(p, "%s takes no value", option_title(d));
	return option_apply(p, d, value);
}

static int parse_stream(struct parse *p, FILE *f, const char *name)
{
	char *line = NULL, *text;
	unsigned int nr = 0;
	size_t size = 0;
	ssize_t len;
	int code = -1;

	while (code < 0 && (len = getline(&line, &size, f)) >= 0) {
		nr++;
		while (len && isspace((unsigned char)line[len - 1]))
			line[--len] = '\0';
		text = line + strspn(line, " \t");
		if (!*text || *text == '#')
			continue;
		snprintf(p->where, sizeof(p->where), "%s:%u: ", name, nr);
		code = parse_line(p, text);
	}
	free(line);
	p->where[0] = '\0';
	return code;
}

int config_read(struct parse *p, const char *name)
{
	FILE *f = fopen(name, "r");
	int code;

	if (!f) {
		fprintf(stderr, "nprobe-k: configuration file %s: %s\n", name, strerror(errno));
		return EXIT_FAILED;
	}
	p->own_collectors = false;
	code = parse_stream(p, f, name);
	if (code < 0 && ferror(f)) {
		fprintf(stderr, "nprobe-k: configuration file %s: %s\n", name, strerror(errno));
		code = EXIT_FAILED;
	}
	fclose(f);
	return code;
}
