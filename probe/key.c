// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "key.h"
#include "opts.h"

static int take(struct key *key, const char *text, size_t len, const char **why)
{
	*why = len ? "the key is longer than 256 octets" : "the key is empty";
	if (!len || len > KEY_MAX)
		return EXIT_USAGE;
	memcpy(key->octets, text, len);
	key->len = len;
	return -1;
}

/* The first line, so that the end of the line an editor adds is no part of it. */
static int read_file(struct key *key, const char *name, const char **why)
{
	char line[KEY_MAX + 2];	/* one octet too many is to be noticed */
	FILE *f = fopen(name, "re");
	size_t len;
	int code;

	if (!f || (len = fread(line, 1, sizeof(line) - 1, f), ferror(f))) {
		*why = strerror(errno);
		if (f)
			fclose(f);
		return EXIT_FAILED;
	}
	fclose(f);
	line[len] = '\0';
	code = take(key, line, strcspn(line, "\r\n"), why);
	explicit_bzero(line, sizeof(line));
	return code;
}

int key_read(struct key *key, const char *value, const char **why)
{
	if (*value == '@')
		return read_file(key, value + 1, why);
	return take(key, value, strlen(value), why);
}
