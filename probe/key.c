// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Nothing is waited for, not even for somebody to write into a pipe, when not at the start. */
static FILE *open_file(struct key *key, const char *name, bool again, const char **why)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | (again ? O_NONBLOCK : 0));
	struct stat st;
	FILE *f;

	*why = *name ? strerror(errno) : "no FILE after the @";
	if (fd < 0)
		return NULL;
	key->once = fstat(fd, &st) || !S_ISREG(st.st_mode);
	f = key->once && again ? NULL : fdopen(fd, "r");
	*why = key->once && again ? "only a regular file can be read again" : strerror(errno);
	if (!f)
		close(fd);
	return f;
}

/* The first line, so that the end of the line an editor adds is no part of it. */
static int read_file(struct key *key, const char *name, bool again, const char **why)
{
	char line[KEY_MAX + 2];	/* one octet too many is to be noticed */
	FILE *f = open_file(key, name, again, why);
	size_t len;
	int code;

	if (!f)
		return *name ? EXIT_FAILED : EXIT_USAGE;
	len = fread(line, 1, sizeof(line) - 1, f);
	*why = strerror(errno);
	code = ferror(f) ? EXIT_FAILED : -1;
	fclose(f);
	line[len] = '\0';
	if (code < 0)
		code = take(key, line, strcspn(line, "\r\n"), why);
	explicit_bzero(line, sizeof(line));
	return code;
}

int key_read(struct key *key, const char *value, bool again, const char **why)
{
	if (*value == '@')
		return read_file(key, value + 1, again, why);
	key->once = false;
	return take(key, value, strlen(value), why);
}
