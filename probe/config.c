// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

/* A longer line is no configuration; it must not fill the memory either. */
#define LINE_OCTETS	65536

/* Without the quotes around it, if there are any. */
static int unquote(const struct parse *p, const struct option_def *d, char **value)
{
	char quote = **value, *end;

	if (quote != '"' && quote != '\'')
		return -1;
	end = strchr(*value + 1, quote);
	if (!end || end[1])
		return option_wrong(p, "%s: text %s the quotes", option_title(d),
				    end ? "behind" : "without the end of");
	*end = '\0';
	++*value;
	return -1;
}

/* "-x=value", "-x value", "--name=value", "name=value", "name value", or a flag */
static int parse_line(struct parse *p, char *line)
{
	size_t dashes = strspn(line, "-");
	char *name = line + dashes;
	size_t len = strcspn(name, "= \t");
	char *value = name + len;
	const struct option_def *d = option_find(name, len);
	int code;

	value += strspn(value, " \t");
	if (*value == '=')
		value += 1 + strspn(value + 1, " \t");
	if (!d)
		return option_unknown(p, dashes == 1 ? "-" : dashes ? "--" : "", name, len);
	if (d->arg && !*value)
		return option_wrong(p, "%s needs a value", option_title(d));
	if (!d->arg && *value)
		return option_wrong(p, "%s takes no value", option_title(d));
	code = unquote(p, d, &value);
	return code < 0 ? option_apply(p, d, value) : code;
}

/* One line of @len octets and its end. */
static int read_line(struct parse *p, char *line, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";	/* some editors begin a file so */
	char *text = line;

	if (len >= LINE_OCTETS)
		return option_wrong(p, "longer than %u octets", LINE_OCTETS - 1);
	if (strlen(line) != len)
		return option_wrong(p, "a NUL character");
	while (len && isspace((unsigned char)line[len - 1]))
		line[--len] = '\0';
	if (p->line == 1 && !strncmp(line, mark, strlen(mark)))
		text += strlen(mark);
	text += strspn(text, " \t");
	return *text && *text != '#' ? parse_line(p, text) : -1;
}

/* Up to the end of the line or of the room; -1 at the end of the file. */
static ssize_t get_line(char *line, FILE *f)
{
	size_t n = 0;
	int c = 0;

	while (n < LINE_OCTETS && c != '\n' && (c = getc_unlocked(f)) != EOF)
		line[n++] = (char)c;
	line[n] = '\0';
	return n ? (ssize_t)n : -1;
}

static int read_lines(struct parse *p, FILE *f)
{
	char *line = malloc(LINE_OCTETS + 1);
	ssize_t len;
	int code = -1;

	if (!line) {
		fputs("nprobe-k: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	while (code < 0 && (len = get_line(line, f)) >= 0) {
		p->line++;
		code = read_line(p, line, (size_t)len);
	}
	free(line);
	return code;
}

static int failed(const struct parse *p, const char *name, const char *why)
{
	option_wrong(p, "configuration file %s: %s", name, why);
	return EXIT_FAILED;
}

/* A pipe can be read at the start, but it says nothing a second time. */
static FILE *open_file(const struct parse *p, const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | (p->now ? O_NONBLOCK : 0));
	struct stat st;
	FILE *f;

	if (fd < 0) {
		failed(p, name, strerror(errno));
		return NULL;
	}
	if (p->now && (fstat(fd, &st) || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))) {
		failed(p, name, "a pipe cannot be read again");
		close(fd);
		return NULL;
	}
	f = fdopen(fd, "r");
	if (!f) {
		failed(p, name, strerror(errno));
		close(fd);
	}
	return f;
}

int config_read(struct parse *p, const char *name)
{
	FILE *f = open_file(p, name);
	int code, err;

	if (!f)
		return EXIT_FAILED;
	p->file = name;
	p->line = 0;
	p->own_collectors = false;
	errno = 0;
	code = read_lines(p, f);
	err = ferror(f) ? errno : 0;
	p->file = NULL;
	fclose(f);
	return code < 0 && err ? failed(p, name, strerror(err)) : code;
}
