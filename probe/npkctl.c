// SPDX-License-Identifier: GPL-2.0-only
/* npkctl: what is done with nprobe-k beside running it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <npk/npk.h>

#include "cmd.h"
#include "opts.h"
#include "standard.h"

static const struct cmd *const cmds[] = { &cmd_verify };

#define NR_CMDS	(sizeof(cmds) / sizeof(cmds[0]))

static void print_help(void)
{
	size_t i;

	puts("npkctl " NPK_VERSION ": tools for nprobe-k.\n\nUsage: npkctl COMMAND [options]\n");
	for (i = 0; i < NR_CMDS; i++)
		printf("  %-10s %s\n", cmds[i]->name, cmds[i]->help);
	puts("\nnpkctl COMMAND --help says more.\n\n"
	     "Exit code: 0 success, 1 failure, 2 wrong use.");
}

int main(int argc, char **argv)
{
	size_t i;

	standard_files_keep();
	signal(SIGPIPE, SIG_IGN);	/* a closed pipe is an error like any other */
	if (argc < 2) {
		fputs("npkctl: no command (see npkctl --help)\n", stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help();
		return 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-v")) {
		printf("npkctl %s\n", npk_version());
		return 0;
	}
	for (i = 0; i < NR_CMDS; i++) {
		if (!strcmp(argv[1], cmds[i]->name))
			return cmds[i]->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "npkctl: unknown command \"%s\" (see npkctl --help)\n", argv[1]);
	return EXIT_USAGE;
}
