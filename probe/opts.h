/* SPDX-License-Identifier: GPL-2.0-only */
/* Command line and configuration file of nprobe-k. */
#ifndef PROBE_OPTS_H
#define PROBE_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <npk/sampling.h>

#include "key.h"
#include "interfaces.h"

/** NPK_COLLECTORS_MAX - collectors one daemon exports to */
#define NPK_COLLECTORS_MAX	32

/* Exit codes; 0 is success. */
#define EXIT_FAILED	1
#define EXIT_USAGE	2

enum print_format { PRINT_NONE, PRINT_CSV, PRINT_JSON };

/**
 * struct opts - what the user asked for
 * @input: -i as given
 * @collectors: -n, split at commas
 * @nr_collectors: how many
 * @no_collector: -n none
 * @sender: -q, SOURCE of collectors without one of their own
 * @mirror: -a, every collector gets every record
 * @version: -V
 * @active_s: -t, seconds
 * @idle_s: -d, seconds
 * @linger_s: -l, seconds a datagram may wait
 * @fields_text: -T
 * @skip_unknown: --skip-unknown
 * @fields: the template that @fields_text describes, NULL = the default
 * @template_id: -U
 * @template_datagrams: -o
 * @template_s: seconds between templates
 * @options_s: seconds between options data, 0 = none
 * @engine: -E, type << 8 | id, or the v9 source id
 * @engine_given: -E was, 0 may be meant
 * @nflow_key: --nflow-key
 * @nflow_key_text: as it was given, or NULL
 * @nflow_plain: --nflow-plain
 * @nflow9_zlib: --nflow9-zlib
 * @mtu: --mtu, 0 = that of the route
 * @delay_ms: -e, milliseconds after every @delay_datagrams
 * @delay_datagrams: -B
 * @flows: -M, slots of the flow table of live: and pcap:, 0 = default
 * @ifaces: -u, -Q, --if-map, --vlanid-as-iface-idx
 * @leave_out: --key
 * @frag_zero: --frag zero
 * @filter: -f
 * @sampling: -S and --sample-mode: how the packets in the records were chosen
 * @sampled_before: -S @N: they come so, the source is to meter them all
 * @flow_interval: -S N:1:M: of so many conversations the flows of one are sent
 * @print: --print
 * @stats_file: --stats-json
 * @verbose: -b
 * @keep_privileges: --dont-drop-privileges
 * @kmod: the source is the kernel module
 * @discard: --discard-backlog
 * @flush: --flush-on-exit
 * @config: --config
 */
struct opts {
	char *input;
	char *collectors[NPK_COLLECTORS_MAX];
	unsigned int nr_collectors;
	bool no_collector;
	char *sender;
	bool mirror;
	unsigned int version;
	unsigned int active_s;
	unsigned int idle_s;
	unsigned int linger_s;
	char *fields_text;
	bool skip_unknown;
	struct npk_template *fields;
	unsigned int template_id;
	unsigned int template_datagrams;
	unsigned int template_s;
	unsigned int options_s;
	uint32_t engine;
	bool engine_given;
	struct key nflow_key;
	char *nflow_key_text;
	bool nflow_plain;
	bool nflow9_zlib;
	unsigned int mtu;
	unsigned int delay_ms;
	unsigned int delay_datagrams;
	unsigned int flows;
	struct iface_rules ifaces;
	char *leave_out;
	bool frag_zero;
	char *filter;
	struct npk_sampling sampling;
	bool sampled_before;
	unsigned int flow_interval;
	enum print_format print;
	char *stats_file;
	unsigned int verbose;
	bool keep_privileges;
	bool kmod;
	bool discard;
	bool flush;
	char *config;
};

/**
 * opts_parse() - read the command line and the file --config names
 * @o: out; opts_free() it
 * @argc: as main()'s
 * @argv: as main()'s
 * @now: the options in force, which this is to replace; NULL at the start
 *
 * The command line wins over the file; both are checked in full.  Says what is
 * wrong in one sentence on stderr.
 *
 * Return: -1 to go on, else the code to exit with (0 after --help, --version and --check-config).
 */
int opts_parse(struct opts *o, int argc, char **argv, const struct opts *now);

/**
 * opts_clear_collectors() - forget what -n named
 * @o: options
 */
void opts_clear_collectors(struct opts *o);

/**
 * opts_free() - free what opts_parse() allocated
 * @o: options
 */
void opts_free(struct opts *o);

#endif /* PROBE_OPTS_H */
