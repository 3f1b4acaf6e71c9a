/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of options: what the command line, the file and the help know. */
#ifndef PROBE_OPTION_H
#define PROBE_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "opts.h"

/** OPTIONS_MAX - rows the table may have */
#define OPTIONS_MAX	128

struct parse;

/**
 * struct option_def - one option
 * @letter: nProbe's letter, or 0
 * @name: long name
 * @arg: name of the argument in the help, NULL when it takes none
 * @help: one line
 * @set: reads the value (value.h) into struct opts; -1 to go on, else the exit code
 * @offset: member of struct opts, for @set
 * @min: smallest number, for @set
 * @max: largest number, for @set
 * @parameter: the module's parameter that says it there, "" when nothing does; NULL
 *	when the option has a meaning with the module
 */
struct option_def {
	char letter;
	const char *name;
	const char *arg;
	const char *help;
	int (*set)(struct parse *p, const struct option_def *d, const char *value);
	size_t offset;
	unsigned int min;
	unsigned int max;
	const char *parameter;
};

/**
 * struct refused_def - an option of nProbe that we lack
 * @letter: its letter, or 0
 * @name: its long name
 */
struct refused_def {
	char letter;
	const char *name;
};

/**
 * struct parse - state while options are read
 * @o: where they go
 * @file: configuration file that is being read, NULL: the command line
 * @line: of that file
 * @now: what the daemon runs with, and goes on with if something is wrong; NULL at the start
 * @own_collectors: -n was seen in the present place
 * @config: file named by --config
 * @noted: -G or -g was seen
 * @check: --check-config was seen
 * @key_file: where --nflow-key was seen last, as @file
 * @key_line: likewise
 * @given: by row of the table: the option was seen
 */
struct parse {
	struct opts *o;
	const char *file;
	unsigned int line;
	const struct opts *now;
	bool own_collectors;
	char *config;
	bool noted;
	bool check;
	const char *key_file;
	unsigned int key_line;
	bool given[OPTIONS_MAX];
};

extern const struct option_def option_table[];
extern const size_t nr_options;
extern const struct refused_def refused_table[];
extern const size_t nr_refused;

/**
 * option_find() - a row by its name
 * @name: long name or letter
 * @len: its length
 *
 * Return: the row, or NULL.
 */
const struct option_def *option_find(const char *name, size_t len);

/**
 * option_title() - how messages call an option
 * @d: row
 *
 * Return: "-t (lifetime-timeout)" or "--mtu", valid until the next call.
 */
const char *option_title(const struct option_def *d);

/**
 * option_apply() - note that an option was given and read its value
 * @p: state
 * @d: row
 * @value: as written, NULL for an option without
 *
 * Return: -1 to go on, else the code to exit with.
 */
int option_apply(struct parse *p, const struct option_def *d, const char *value);

/**
 * option_unknown() - say that there is no such option, or that it is one we lack
 * @p: state
 * @dashes: as the user typed them before the name, "" in a file without them
 * @name: name
 * @len: its length
 *
 * Return: EXIT_USAGE.
 */
int option_unknown(const struct parse *p, const char *dashes, const char *name, size_t len);

/**
 * option_wrong() - say on stderr where what is wrong
 * @p: state
 * @fmt: as printf()'s, without a full stop
 *
 * Return: EXIT_USAGE.
 */
int option_wrong(const struct parse *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* PROBE_OPTION_H */
