// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "option.h"
#include "value.h"

#define AT(member) offsetof(struct opts, member)
#define DAY 86400

const struct option_def option_table[] = {
	{ 'i', "interface", "SOURCE",
	  "kmod[:GROUP[/MEMBER]] (default), live:DEV, pcap:FILE or FILE.pcap",
	  value_input },
	{ 'n', "collector", "HOST[:PORT][@SOURCE][%DEV],...",
	  "where to send (127.0.0.1:2055; none with --print); several: split by conversation",
	  value_collectors },
	{ 'q', "sender-address", "SOURCE[:PORT]", "address to send from, for names without @SOURCE",
	  value_sender, AT(sender) },
	{ 'a', "all-collectors", NULL, "every collector gets every flow", value_flag, AT(mirror) },
	{ 'V', "flow-version", "5|9|10|nflow|nflow9",
	  "NetFlow v5, v9 (default), IPFIX, nFlow v1, or v9 with all fields",
	  value_version },
	{ 't', "lifetime-timeout", "SECONDS", "active timeout (60)", value_number, AT(active_s), 1,
	  DAY, "active" },
	{ 'd', "idle-timeout", "SECONDS", "idle timeout (15)", value_number, AT(idle_s), 1, DAY,
	  "idle" },
	{ 'l', "queue-timeout", "SECONDS", "longest wait of a flow for its datagram to fill (1)",
	  value_number, AT(linger_s), 1, 3600 },
	{ 'f', "bpf-filter", "EXPRESSION", "tcpdump expression: meter only these packets",
	  value_text, AT(filter), 0, 0, "" },
	{ 'S', "sample-rate", "[@]N[:1[:M]]",
	  "meter one packet of N; @N: they come so; M: send the flows of one conversation of M",
	  value_sample },
	{ 0, "sample-mode", "systematic|random",
	  "which of N packets -S chooses: always the same one (systematic), or any",
	  value_sample_mode },
	{ 'M', "max-num-flows", "N", "flow table slots of live: and pcap: (524288)", value_number,
	  AT(flows), 1, 60000000, "flows" },
	{ 0, "key", "LIST", "leave out of the flow key: tos,vlan,mpls or some of them", value_text,
	  AT(leave_out), 0, 0, "key" },
	{ 0, "frag", "join|zero",
	  "later fragments join the flow of their first (join), or are one with ports 0",
	  value_frag, 0, 0, 0, "frag" },
	{ 'E', "netflow-engine", "ID|TYPE:ID", "v5 engine, v9 source id (0), IPFIX domain (1)",
	  value_engine },
	{ 'u', "in-iface-idx", "N|-1",
	  "input interface index of every flow; -1: from its source MAC", value_iface,
	  AT(ifaces.in) },
	{ 'Q', "out-iface-idx", "N|-1",
	  "output interface index, likewise; -1: its destination MAC", value_iface,
	  AT(ifaces.out) },
	{ 0, "if-map", "DEV=N,...", "interface index to export for each of these devices",
	  value_if_map },
	{ 0, "vlanid-as-iface-idx", "MODE",
	  "VLAN id as interface indices: inner, outer; single, double (see man page)",
	  value_vlan_iface },
	{ 'T', "flow-templ", "FIELDS",
	  "fields of v9 and IPFIX: \"%IPV4_SRC_ADDR %IPV4_DST_ADDR %IN_BYTES ...\"", value_text,
	  AT(fields_text) },
	{ 0, "list-fields", NULL, "print the fields that -T knows", value_list_fields },
	{ 0, "skip-unknown", NULL, "leave out what -T does not know, instead of refusing it",
	  value_flag, AT(skip_unknown) },
	{ 'U', "flow-templ-id", "ID", "first template id (256)", value_number, AT(template_id),
	  256, 65534 },
	{ 'o', "flows-intra-templ", "DATAGRAMS", "send templates every so many datagrams (20)",
	  value_number, AT(template_datagrams), 1, 1000000 },
	{ 0, "template-seconds", "SECONDS", "and every so many seconds (30)", value_number,
	  AT(template_s), 1, DAY },
	{ 0, "options-seconds", "SECONDS",
	  "send options data (counters, interface names) so often (60), 0: never",
	  value_number, AT(options_s), 0, DAY },
	{ 0, "nflow-key", "KEY|@FILE",
	  "nflow, nflow9: sign with this key, or the first line of FILE", value_key },
	{ 0, "nflow-plain", NULL, "nflow: no compression", value_flag, AT(nflow_plain) },
	{ 0, "nflow9-zlib", NULL, "nflow9: compression; only npkctl verify reads it then",
	  value_flag, AT(nflow9_zlib) },
	{ 0, "mtu", "OCTETS", "largest IP packet to send (the route's, at most 9000)",
	  value_number, AT(mtu), 576, 65535 },
	{ 'e', "flow-delay", "MILLISECONDS", "pause after every datagram (0), or every -B of them",
	  value_number, AT(delay_ms), 0, 60000 },
	{ 'B', "count-delay", "DATAGRAMS", "so many go out before the pause of -e (1)",
	  value_number, AT(delay_datagrams), 1, 1000000 },
	{ 0, "print", "csv|json", "print the flows on standard output", value_print },
	{ 0, "stats-json", "FILE", "write counters to FILE, every 10 seconds and at the end",
	  value_text, AT(stats_file) },
	{ 0, "config", "FILE", "read options from FILE: one a line, name=value or -x=value",
	  value_config },
	{ 0, "check-config", NULL, "check the options and the file of --config, or FILE, and end",
	  value_check_config },
	{ 0, "discard-backlog", NULL, "kmod: drop the records that wait in the ring", value_flag,
	  AT(discard) },
	{ 0, "flush-on-exit", NULL, "kmod: close the module's flows at the end", value_flag,
	  AT(flush) },
	{ 0, "dont-drop-privileges", NULL, "stay root", value_flag, AT(keep_privileges) },
	{ 'b', "verbose", "0|1|2", "messages: none, start and end (1), every 10 seconds too",
	  value_number, AT(verbose), 0, 2 },
	{ 'G', "daemon-mode", NULL, "accepted and ignored: a service manager runs it",
	  value_noted },
	{ 'g', "pid-file", "FILE", "accepted and ignored, likewise", value_noted },
	{ 'v', "version", NULL, "print the version", value_show_version },
	{ 'h', "help", NULL, "print this", value_help },
};

const size_t nr_options = sizeof(option_table) / sizeof(option_table[0]);

_Static_assert(sizeof(option_table) / sizeof(option_table[0]) <= OPTIONS_MAX, "OPTIONS_MAX");

const struct option_def *option_find(const char *name, size_t len)
{
	const struct option_def *d;

	for (d = option_table; d < option_table + nr_options; d++) {
		if (strlen(d->name) == len && !memcmp(d->name, name, len))
			return d;
		if (len == 1 && d->letter == *name)
			return d;
	}
	return NULL;
}

const char *option_title(const struct option_def *d)
{
	static char text[64];

	if (d->letter)
		snprintf(text, sizeof(text), "-%c (%s)", d->letter, d->name);
	else
		snprintf(text, sizeof(text), "--%s", d->name);
	return text;
}

int option_apply(struct parse *p, const struct option_def *d, const char *value)
{
	p->given[d - option_table] = true;
	return d->set(p, d, value);
}

static int refuse(const struct parse *p, const struct refused_def *r)
{
	if (!r->letter)
		return option_wrong(p, "option --%s of nProbe is not supported by nprobe-k",
				    r->name);
	return option_wrong(p, "option -%c (nProbe's --%s) is not supported by nprobe-k",
			    r->letter, r->name);
}

int option_unknown(const struct parse *p, const char *dashes, const char *name, size_t len)
{
	const struct refused_def *r;

	for (r = refused_table; r < refused_table + nr_refused; r++) {
		if ((len == 1 && r->letter == *name) ||
		    (len == strlen(r->name) && !memcmp(r->name, name, len)))
			return refuse(p, r);
	}
	return option_wrong(p, "unknown option %s%.*s (see nprobe-k --help)", dashes, (int)len,
			    name);
}

int option_wrong(const struct parse *p, const char *fmt, ...)
{
	va_list ap;

	fputs("nprobe-k: ", stderr);
	if (p->file)
		fprintf(stderr, "%s:%u: ", p->file, p->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(p->now ? "; nothing was changed\n" : "\n", stderr);
	return EXIT_USAGE;
}
