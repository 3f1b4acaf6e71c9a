// SPDX-License-Identifier: GPL-2.0-only
/* npkctl verify: check the digests of nFlow v1 and nflow9 datagrams, show what is in them. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npk/verify.h>

#include "clockms.h"
#include "cmd.h"
#include "datagrams.h"
#include "key.h"
#include "opts.h"
#include "print.h"
#include "printer.h"

#define WINDOW_MAX	31536000	/* a year */

/**
 * struct verify - one run
 * @key: --key
 * @print: --print
 * @printer: standard output
 * @filter: --bpf-filter
 * @window_s: --window, 0: any time is right
 * @source: where datagrams come from
 * @datagrams: how many came
 * @by_verdict: of these, by verdict
 * @gaps: of these, out of sequence
 * @untold: v9: data sets without a template
 * @flows: that were believed
 * @packets: in them
 * @octets: in them
 */
struct verify {
	struct key key;
	enum print_format print;
	struct printer printer;
	const char *filter;
	unsigned long window_s;
	const char *source;
	uint64_t datagrams;
	uint64_t by_verdict[__NPK_VERDICT_MAX];
	uint64_t gaps;
	uint64_t untold;
	uint64_t flows;
	uint64_t packets;
	uint64_t octets;
};

static int wrong(const char *what, const char *why)
{
	fprintf(stderr, "npkctl verify: %s: %s\n", what, why);
	return EXIT_USAGE;
}

static void print_help(void)
{
	puts("npkctl verify checks digests of nFlow and nflow9 datagrams and shows the flows.\n\n"
	     "Usage: npkctl verify [options] pcap:FILE | FILE.pcap | udp://[ADDRESS]:PORT\n\n"
	     "  --key KEY|@FILE         the key they are signed with, or the first line of FILE:\n"
	     "                          only flows of datagrams signed with it count then\n"
	     "  --print csv|json        print the flows on standard output\n"
	     "  --window SECONDS        when a datagram came, or was captured, may be so far from\n"
	     "                          when it says that it was sent; others are stale, and\n"
	     "                          their flows are not shown\n"
	     "  --bpf-filter EXPRESSION tcpdump expression: only these frames of the file\n"
	     "  -h, --help              print this\n\n"
	     "NetFlow v9 is read too, as unsigned.  udp:// listens until Ctrl-C.\n\n"
	     "Exit code: 0 when there were datagrams, each valid, in sequence and decoded;\n"
	     "1 otherwise and on failure; 2 wrong use.");
}

static int set_key(struct verify *v, const char *value)
{
	const char *why;
	int code = key_read(&v->key, value, false, &why);

	if (code >= 0)
		wrong(*value == '@' && value[1] ? value + 1 : "--key", why);
	return code;
}

static int set_print(struct verify *v, const char *value)
{
	if (strcmp(value, "csv") && strcmp(value, "json"))
		return wrong(value, "--print takes csv or json");
	v->print = *value == 'c' ? PRINT_CSV : PRINT_JSON;
	return -1;
}

static int set_window(struct verify *v, const char *value)
{
	char *end;

	v->window_s = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || v->window_s < 1 || v->window_s > WINDOW_MAX)
		return wrong(value, "--window takes a number from 1 to 31536000");
	return -1;
}

/* getopt_long() is behind a long option then, but may be inside of letters. */
static int bad_option(const char *arg)
{
	const char letter[] = { '-', (char)optopt, '\0' };

	if (optopt && !strncmp(arg, "--", 2))
		return wrong(arg, "takes no value");
	return wrong(optopt ? letter : arg, "unknown option (see npkctl verify --help)");
}

static int apply(struct verify *v, int option, char **argv)
{
	switch (option) {
	case 'k':
		return set_key(v, optarg);
	case 'p':
		return set_print(v, optarg);
	case 'f':
		v->filter = optarg;
		return -1;
	case 'w':
		return set_window(v, optarg);
	case 'h':
		print_help();
		return 0;
	case ':':
		return wrong(argv[optind - 1], "needs a value");
	default:
		return bad_option(argv[optind - 1]);
	}
}

static int parse(struct verify *v, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "print", required_argument, NULL, 'p' },
		{ "window", required_argument, NULL, 'w' },
		{ "bpf-filter", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int option, code = -1;

	opterr = 0;
	while (code < 0 && (option = getopt_long(argc, argv, ":h", longs, NULL)) >= 0)
		code = apply(v, option, argv);
	if (code >= 0)
		return code;
	if (optind == argc)
		return wrong("no source", "pcap:FILE, FILE.pcap or udp://[ADDRESS]:PORT");
	if (optind + 1 < argc)
		return wrong(argv[optind + 1], "unexpected argument");
	v->source = argv[optind];
	return -1;
}

/* The reader of standard output has its time, but not after a signal. */
static void print_flow(struct verify *v, const struct npk_rec *rec)
{
	static const struct npk_clock unix_time;

	while (!printer_room(&v->printer)) {
		if (datagrams_stopped())
			return;
		printer_wait(&v->printer, PRINTER_LOOK_MS);
	}
	print_record(&v->printer, v->print, rec, &unix_time);
}

/* Who gave a key does not want to see flows that anybody may have sent. */
static void take_flow(void *arg, const struct npk_verified *about, const struct npk_rec *rec)
{
	struct verify *v = arg;

	if (v->key.len && about->verdict != NPK_VERDICT_VALID)
		return;
	v->flows++;
	v->packets += rec->packets;
	v->octets += rec->octets;
	if (v->print != PRINT_NONE)
		print_flow(v, rec);
}

static bool all_good(const struct verify *v)
{
	return v->datagrams && v->by_verdict[NPK_VERDICT_VALID] == v->datagrams && !v->gaps &&
	       !v->untold;
}

static void say(const struct verify *v)
{
	unsigned int i;

	fprintf(stderr, "npkctl: %llu datagrams:", (unsigned long long)v->datagrams);
	for (i = 0; i < __NPK_VERDICT_MAX; i++)
		fprintf(stderr, "%s %llu %s", i ? "," : "", (unsigned long long)v->by_verdict[i],
			npk_verdict_name(i));
	fprintf(stderr, "; %llu sequence gaps, %llu sets without template; ",
		(unsigned long long)v->gaps, (unsigned long long)v->untold);
	fprintf(stderr, "%llu flows, %llu packets, %llu octets\n", (unsigned long long)v->flows,
		(unsigned long long)v->packets, (unsigned long long)v->octets);
	if (v->by_verdict[NPK_VERDICT_BAD_DIGEST] && !v->key.len)
		fputs("npkctl: no --key was given\n", stderr);
}

static bool begin_printing(struct verify *v)
{
	int err = v->print == PRINT_NONE ? 0 : printer_open(&v->printer);

	if (err)
		fprintf(stderr, "npkctl: standard output: %s\n", strerror(-err));
	else if (v->print != PRINT_NONE)
		print_header(&v->printer, v->print);
	return !err;
}

/* Wait until all is written, after a signal a little; true when it was. */
static bool finish_printing(struct verify *v)
{
	uint64_t stop_ms = 0;

	if (v->print == PRINT_NONE)
		return true;
	while (!printer_done(&v->printer, PRINTER_LOOK_MS)) {
		if (!stop_ms && datagrams_stopped())
			stop_ms = monotonic_ms() + PRINTER_STOP_MS;
		if (stop_ms && monotonic_ms() >= stop_ms)
			break;
	}
	printer_stop(&v->printer);
	return printer_report(&v->printer, "npkctl", v->flows);
}

/* What is printed is there while the next datagram is waited for, not when it comes. */
static bool output_failed(struct verify *v, struct datagrams *g)
{
	if (v->print == PRINT_NONE)
		return false;
	while (!printer_push(&v->printer) && v->printer.len &&
	       datagrams_quiet(g, v->printer.fd))
		;
	return v->printer.err;
}

static int run(struct verify *v, struct npk_verify *verifier, struct datagrams *g)
{
	struct npk_verified found;
	struct datagram d;
	bool printed;
	int code = EXIT_FAILED;

	if (!begin_printing(v))
		return EXIT_FAILED;
	while (!output_failed(v, g) && datagrams_next(g, &d, &code)) {
		npk_verify_datagram(verifier, &d.from, d.when_s, d.data, d.len, &found);
		v->datagrams++;
		v->by_verdict[found.verdict]++;
		v->gaps += found.gap;
		v->untold += found.unknown_sets;
	}
	printed = finish_printing(v);
	say(v);
	if (!printed || !all_good(v))
		return EXIT_FAILED;
	return code;
}

static int verify(struct verify *v, struct datagrams *g)
{
	const struct npk_verify_opts opts = {
		.key = v->key.octets, .key_len = v->key.len,
		.window_s = (uint32_t)v->window_s, .flow = take_flow, .arg = v,
	};
	struct npk_verify *verifier;
	int code;

	if (npk_verify_new(&opts, &verifier)) {
		fputs("npkctl: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	code = datagrams_open(g, v->source, v->filter);
	if (code < 0)
		code = run(v, verifier, g);
	datagrams_close(g);
	printer_close(&v->printer);
	npk_verify_free(verifier);
	return code;
}

static int verify_main(int argc, char **argv)
{
	static struct datagrams g;
	static struct verify v;
	int code = parse(&v, argc, argv);

	if (code < 0)
		code = verify(&v, &g);
	explicit_bzero(&v.key, sizeof(v.key));
	return code;
}

const struct cmd cmd_verify = {
	.name = "verify",
	.help = "check and print nFlow, nflow9 and NetFlow v9 datagrams",
	.run = verify_main,
};
