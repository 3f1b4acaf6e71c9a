// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include <npk/npk.h>

#include "help.h"
#include "option.h"

void help_print(void)
{
	const struct option_def *d;

	printf("nprobe-k " NPK_VERSION
	       ": meters network flows and exports them to NetFlow collectors.\n\n"
	       "Usage: nprobe-k -i SOURCE [-n HOST[:PORT],...] [options]\n\n");
	for (d = option_table; d < option_table + nr_options; d++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%s --%s%s%s", d->letter ? '-' : ' ',
			 d->letter ? d->letter : ' ', d->letter ? "," : " ", d->name,
			 d->arg ? " " : "", d->arg ? d->arg : "");
		printf("  %-38s %s\n", left, d->help);
	}
	printf("\nExamples:\n"
	       "  nprobe-k -n 192.0.2.1:2055                    the module's flows\n"
	       "  nprobe-k -i live:eth0 --print csv             eth0, on the screen\n"
	       "  nprobe-k -i live:eth0 -n 192.0.2.1:2055       eth0, to a collector\n"
	       "  nprobe-k -i trace.pcap -V 5 -n 192.0.2.1      a capture file, NetFlow v5\n\n"
	       "Exit code: 0 success, 1 failure, 2 wrong use.\n");
}
