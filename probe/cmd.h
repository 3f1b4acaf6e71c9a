/* SPDX-License-Identifier: GPL-2.0-only */
/* Subcommands of npkctl. */
#ifndef PROBE_CMD_H
#define PROBE_CMD_H

/**
 * struct cmd - a subcommand
 * @name: its name
 * @help: one line
 * @run: argv[0] is the name; returns the code to exit with
 */
struct cmd {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv);
};

extern const struct cmd cmd_verify;

#endif /* PROBE_CMD_H */
