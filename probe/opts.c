// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npk/npk.h>

#include "opts.h"

enum kind {
	FLAG, NUMBER, TEXT, INPUT, COLLECTORS, VERSION, ENGINE, FRAG, PRINT, NOTED, CONFIG,
	HELP, SHOW_VERSION,
};

/* Values of options that have no letter. */
enum { LONG_ONLY = 256 };

/**
 * struct option_def - one option
 * @letter: nProbe's letter, or 0
 * @name: long name
 * @arg: name of the argument in the help, NULL when it takes none
 * @help: one line
 * @kind: how to read the argument
 * @offset: member of struct opts
 * @min: smallest number
 * @max: largest number
 * @parameter: the module's parameter that says it there, "" when nothing does; NULL
 *	when the option has a meaning with the module
 */
struct option_def {
	char letter;
	const char *name;
	const char *arg;
	const char *help;
	enum kind kind;
	size_t offset;
	unsigned int min;
	unsigned int max;
	const char *parameter;
};

#define AT(member) offsetof(struct opts, member)
#define DAY 86400

static const struct option_def defs[] = {
	{ 'i', "interface", "SOURCE",
	  "kmod[:GROUP[/MEMBER]] (default), live:DEV, pcap:FILE or FILE.pcap",
	  INPUT },
	{ 'n', "collector", "HOST[:PORT],...",
	  "where to send (127.0.0.1:2055; none with --print); several: split by conversation",
	  COLLECTORS },
	{ 'a', "all-collectors", NULL, "every collector gets every flow", FLAG, AT(mirror) },
	{ 'V', "flow-version", "5|9", "NetFlow version (9)", VERSION },
	{ 't', "lifetime-timeout", "SECONDS", "active timeout (60)", NUMBER, AT(active_s), 1, DAY,
	  "active" },
	{ 'd', "idle-timeout", "SECONDS", "idle timeout (15)", NUMBER, AT(idle_s), 1, DAY,
	  "idle" },
	{ 'l', "queue-timeout", "SECONDS", "longest wait of a flow for its datagram to fill (1)",
	  NUMBER, AT(linger_s), 1, 3600 },
	{ 'f', "bpf-filter", "EXPRESSION", "tcpdump expression: meter only these packets", TEXT,
	  AT(filter), 0, 0, "" },
	{ 'M', "max-num-flows", "N", "flow table slots of live: and pcap: (524288)", NUMBER,
	  AT(flows), 1, 60000000, "flows" },
	{ 0, "key", "LIST", "leave out of the flow key: tos,vlan,mpls or some of them", TEXT,
	  AT(leave_out), 0, 0, "key" },
	{ 0, "frag", "join|zero",
	  "later fragments join the flow of their first (join), or are one with ports 0", FRAG,
	  0, 0, 0, "frag" },
	{ 'E', "netflow-engine", "ID|TYPE:ID", "v9 source id, v5 engine (0)", ENGINE },
	{ 'U', "flow-templ-id", "ID", "first v9 template id (256)", NUMBER, AT(template_id), 256,
	  65534 },
	{ 'o', "flows-intra-templ", "DATAGRAMS", "send templates every so many datagrams (20)",
	  NUMBER, AT(template_datagrams), 1, 1000000 },
	{ 0, "template-seconds", "SECONDS", "and every so many seconds (30)", NUMBER,
	  AT(template_s), 1, DAY },
	{ 0, "mtu", "OCTETS", "largest IP packet to send (the route's, at most 1500)", NUMBER,
	  AT(mtu), 576, 65535 },
	{ 0, "print", "csv|json", "print the flows on standard output", PRINT },
	{ 0, "stats-json", "FILE", "write counters to FILE, every 10 seconds and at the end", TEXT,
	  AT(stats_file) },
	{ 0, "config", "FILE", "read options from FILE: one a line, name=value or -x=value",
	  CONFIG },
	{ 0, "discard-backlog", NULL, "kmod: drop the records that wait in the ring", FLAG,
	  AT(discard) },
	{ 0, "flush-on-exit", NULL, "kmod: close the module's flows at the end", FLAG, AT(flush) },
	{ 0, "dont-drop-privileges", NULL, "stay root", FLAG, AT(keep_privileges) },
	{ 'b', "verbose", "0|1|2", "messages: none, start and end (1), every 10 seconds too",
	  NUMBER, AT(verbose), 0, 2 },
	{ 'G', "daemon-mode", NULL, "accepted and ignored: a service manager runs it", NOTED },
	{ 'g', "pid-file", "FILE", "accepted and ignored, likewise", NOTED },
	{ 'v', "version", NULL, "print the version", SHOW_VERSION },
	{ 'h', "help", NULL, "print this", HELP },
};

#define NR_DEFS (sizeof(defs) / sizeof(defs[0]))

/**
 * struct refused_def - an option of nProbe that we lack
 * @letter: its letter
 * @name: its long name
 */
struct refused_def {
	char letter;
	const char *name;
};

/* Refused by name, so that none means something else. */
static const struct refused_def refused[] = {
	{ 'A', "as-list" }, { 'B', "packet-count" }, { 'C', "flow-lock" },
	{ 'D', "dump-format" }, { 'F', "dump-frequency" }, { 'I', "syslog" },
	{ 'L', "local-networks" }, { 'N', "biflows-export-policy" }, { 'O', "num-threads" },
	{ 'P', "dump-path" }, { 'Q', "out-iface-idx" }, { 'R', "payload-length" },
	{ 'S', "sample-rate" }, { 'T', "flow-templ" }, { 'W', "no-ipv6" }, { 'Z', "cluster-id" },
	{ 'c', "no-local-collection" }, { 'e', "flow-delay" }, { 'k', "user" },
	{ 'm', "min-num-flows" }, { 'p', "aggregation" }, { 'q', "sender-address" },
	{ 'r', "local-traffic-direction" }, { 's', "snaplen" }, { 'u', "in-iface-idx" },
	{ 'w', "hash-size" }, { 'z', "min-flow-size" }, { '0', "option-0" },
	{ '1', "if-networks" }, { '2', "count" }, { '3', "collector-port" },
	{ '4', "cpu-affinity" }, { '5', "tunnel" }, { '6', "no-promisc" },
	{ '7', "smart-udp-frags" }, { '8', "ipsec-auth-data-len" }, { '9', "dump-stats" },
};

#define NR_REFUSED (sizeof(refused) / sizeof(refused[0]))

/**
 * struct parse - state while options are read
 * @o: where they go
 * @where: "" for the command line, "FILE:LINE: " for a file
 * @own_collectors: -n was seen in the present place
 * @config: file named by --config
 * @noted: -G or -g was seen
 * @given: by position in defs: the option was seen
 */
struct parse {
	struct opts *o;
	char where[300];
	bool own_collectors;
	char *config;
	bool noted;
	bool given[NR_DEFS];
};

static int wrong(const struct parse *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int wrong(const struct parse *p, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "nprobe-k: %s", p->where);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

/* "-t (lifetime-timeout)" or "--mtu" */
static const char *title(const struct option_def *d)
{
	static char text[64];

	if (d->letter)
		snprintf(text, sizeof(text), "-%c (%s)", d->letter, d->name);
	else
		snprintf(text, sizeof(text), "--%s", d->name);
	return text;
}

static bool to_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return !*end && !errno && *out <= max;
}

static int replace(char **where, const char *value)
{
	free(*where);
	*where = strdup(value);
	if (*where)
		return -1;
	fputs("nprobe-k: out of memory\n", stderr);
	return EXIT_FAILED;
}

static int set_number(struct parse *p, const struct option_def *d, const char *value)
{
	unsigned long n;

	if (!to_number(value, d->max, &n) || n < d->min)
		return wrong(p, "%s: \"%s\" is not a number from %u to %u", title(d), value, d->min,
			     d->max);
	*(unsigned int *)((char *)p->o + d->offset) = (unsigned int)n;
	return -1;
}

static int set_engine(struct parse *p, const struct option_def *d, const char *value)
{
	const char *colon = strchr(value, ':');
	unsigned long type = 0, id;
	char text[8] = "";

	if (colon && (size_t)(colon - value) < sizeof(text))
		memcpy(text, value, (size_t)(colon - value));
	if (colon ? !to_number(text, 255, &type) || !to_number(colon + 1, 255, &id) :
		    !to_number(value, UINT32_MAX, &id))
		return wrong(p, "%s: \"%s\" is neither ID nor TYPE:ID (TYPE and ID from 0 to 255)",
			     title(d), value);
	p->o->engine = (uint32_t)(type << 8 | id);
	return -1;
}

static void clear_collectors(struct opts *o)
{
	while (o->nr_collectors)
		free(o->collectors[--o->nr_collectors]);
	o->no_collector = false;
}

static int add_collector(struct parse *p, const struct option_def *d, const char *name, size_t len)
{
	struct opts *o = p->o;

	if (!len)
		return wrong(p, "%s: an empty name in the list", title(d));
	if (len == 4 && !memcmp(name, "none", 4)) {
		o->no_collector = true;
		return -1;
	}
	if (o->nr_collectors == NPK_COLLECTORS_MAX)
		return wrong(p, "%s: more than %u collectors", title(d), NPK_COLLECTORS_MAX);
	o->collectors[o->nr_collectors] = strndup(name, len);
	if (!o->collectors[o->nr_collectors]) {
		fputs("nprobe-k: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	o->nr_collectors++;
	return -1;
}

static int set_collectors(struct parse *p, const struct option_def *d, const char *value)
{
	const char *comma;
	int code = -1;

	if (!p->own_collectors)		/* the command line replaces the file's list */
		clear_collectors(p->o);
	p->own_collectors = true;
	for (; code < 0; value = comma + 1) {
		comma = strchrnul(value, ',');
		code = add_collector(p, d, value, (size_t)(comma - value));
		if (!*comma)
			break;
	}
	return code;
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && !strcmp(text + n - m, suffix);
}

static int set_input(struct parse *p, const struct option_def *d, const char *value)
{
	char *text = NULL;
	int code;

	p->o->kmod = !strcmp(value, "kmod") || !strncmp(value, "kmod:", 5);
	if (p->o->kmod)
		return replace(&p->o->input, value);
	if (!strncmp(value, "live:", 5) || !strncmp(value, "pcap:", 5))
		return replace(&p->o->input, value);
	if (!has_suffix(value, ".pcap") && !has_suffix(value, ".pcapng"))
		return wrong(p, "%s: \"%s\" is none of kmod, live:DEV, pcap:FILE, FILE.pcap",
			     title(d), value);
	if (asprintf(&text, "pcap:%s", value) < 0)
		text = NULL;
	code = text ? replace(&p->o->input, text) : EXIT_FAILED;
	free(text);
	return code;
}

static int set_version(struct parse *p, const struct option_def *d, const char *value)
{
	if (strcmp(value, "5") && strcmp(value, "9"))
		return wrong(p, "%s: \"%s\" is neither 5 nor 9", title(d), value);
	p->o->version = (unsigned int)(*value - '0');
	return -1;
}

static int set_frag(struct parse *p, const struct option_def *d, const char *value)
{
	if (strcmp(value, "join") && strcmp(value, "zero"))
		return wrong(p, "%s: \"%s\" is neither join nor zero", title(d), value);
	p->o->frag_zero = *value == 'z';
	return -1;
}

static int set_print(struct parse *p, const struct option_def *d, const char *value)
{
	if (!strcmp(value, "csv"))
		p->o->print = PRINT_CSV;
	else if (!strcmp(value, "json"))
		p->o->print = PRINT_JSON;
	else
		return wrong(p, "%s: \"%s\" is neither csv nor json", title(d), value);
	return -1;
}

static void print_help(void)
{
	size_t i;

	printf("nprobe-k " NPK_VERSION
	       ": meters network flows and exports them to NetFlow collectors.\n\n"
	       "Usage: nprobe-k -i SOURCE [-n HOST[:PORT],...] [options]\n\n");
	for (i = 0; i < NR_DEFS; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%s --%s%s%s", defs[i].letter ? '-' : ' ',
			 defs[i].letter ? defs[i].letter : ' ', defs[i].letter ? "," : " ",
			 defs[i].name, defs[i].arg ? " " : "", defs[i].arg ? defs[i].arg : "");
		printf("  %-38s %s\n", left, defs[i].help);
	}
	printf("\nExamples:\n"
	       "  nprobe-k -n 192.0.2.1:2055                    the module's flows\n"
	       "  nprobe-k -i live:eth0 --print csv             eth0, on the screen\n"
	       "  nprobe-k -i live:eth0 -n 192.0.2.1:2055       eth0, to a collector\n"
	       "  nprobe-k -i trace.pcap -V 5 -n 192.0.2.1      a capture file, NetFlow v5\n\n"
	       "Exit code: 0 success, 1 failure, 2 wrong use.\n");
}

static int apply(struct parse *p, const struct option_def *d, const char *value)
{
	p->given[d - defs] = true;
	switch (d->kind) {
	case FLAG:
		*(bool *)((char *)p->o + d->offset) = true;
		return -1;
	case NUMBER:
		return set_number(p, d, value);
	case TEXT:
		return replace((char **)((char *)p->o + d->offset), value);
	case INPUT:
		return set_input(p, d, value);
	case COLLECTORS:
		return set_collectors(p, d, value);
	case VERSION:
		return set_version(p, d, value);
	case ENGINE:
		return set_engine(p, d, value);
	case FRAG:
		return set_frag(p, d, value);
	case PRINT:
		return set_print(p, d, value);
	case NOTED:
		p->noted = true;
		return -1;
	case HELP:
		print_help();
		return 0;
	case SHOW_VERSION:
		printf("nprobe-k %s\n", npk_version());
		return 0;
	case CONFIG:
		if (*p->where)
			return wrong(p, "%s inside a configuration file", title(d));
		return replace(&p->config, value);
	}
	return EXIT_USAGE;
}

static const struct option_def *find_def(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < NR_DEFS; i++) {
		if (strlen(defs[i].name) == len && !memcmp(defs[i].name, name, len))
			return &defs[i];
		if (len == 1 && defs[i].letter == *name)
			return &defs[i];
	}
	return NULL;
}

/* @dashes as the user typed it, "" in a file without them. */
static int unknown(const struct parse *p, const char *dashes, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < NR_REFUSED; i++) {
		if ((len == 1 && refused[i].letter == *name) ||
		    (len == strlen(refused[i].name) && !memcmp(refused[i].name, name, len)))
			return wrong(p, "option -%c (nProbe's --%s) is not supported by nprobe-k",
				     refused[i].letter, refused[i].name);
	}
	return wrong(p, "unknown option %s%.*s (see nprobe-k --help)", dashes, (int)len, name);
}

/* "-x=value", "-x value", "--name=value", "name=value", "name value", or a flag */
static int parse_line(struct parse *p, char *line)
{
	size_t dashes = strspn(line, "-");
	char *name = line + dashes;
	size_t len = strcspn(name, "= \t");
	char *value = name + len;
	const struct option_def *d = find_def(name, len);

	value += strspn(value, " \t");
	if (*value == '=')
		value += 1 + strspn(value + 1, " \t");
	if (!d)
		return unknown(p, dashes == 1 ? "-" : dashes ? "--" : "", name, len);
	if (d->arg && !*value)
		return wrong(p, "%s needs a value", title(d));
	if (!d->arg && *value)
		return wrong(p, "%s takes no value", title(d));
	return apply(p, d, value);
}

static int parse_stream(struct parse *p, FILE *f, const char *name)
{
	char *line = NULL, *text;
	unsigned int nr = 0;
	size_t size = 0;
	ssize_t len;
	int code = -1;

	while (code < 0 && (len = getline(&line, &size, f)) >= 0) {
		nr++;
		while (len && isspace((unsigned char)line[len - 1]))
			line[--len] = '\0';
		text = line + strspn(line, " \t");
		if (!*text || *text == '#')
			continue;
		snprintf(p->where, sizeof(p->where), "%s:%u: ", name, nr);
		code = parse_line(p, text);
	}
	free(line);
	p->where[0] = '\0';
	return code;
}

static int parse_file(struct parse *p, const char *name)
{
	FILE *f = fopen(name, "r");
	int code;

	if (!f) {
		fprintf(stderr, "nprobe-k: configuration file %s: %s\n", name, strerror(errno));
		return EXIT_FAILED;
	}
	p->own_collectors = false;
	code = parse_stream(p, f, name);
	if (code < 0 && ferror(f)) {
		fprintf(stderr, "nprobe-k: configuration file %s: %s\n", name, strerror(errno));
		code = EXIT_FAILED;
	}
	fclose(f);
	return code;
}

static void fill_getopt(char *letters, struct option *longs)
{
	size_t i;

	*letters++ = ':';
	for (i = 0; i < NR_DEFS; i++) {
		longs[i].name = defs[i].name;
		longs[i].has_arg = defs[i].arg ? required_argument : no_argument;
		longs[i].flag = NULL;
		longs[i].val = LONG_ONLY + (int)i;
		if (!defs[i].letter)
			continue;
		*letters++ = defs[i].letter;
		if (defs[i].arg)
			*letters++ = ':';
	}
	*letters = '\0';
	/* so that none of these is taken for the beginning of one of ours */
	for (i = 0; i < NR_REFUSED; i++)
		longs[NR_DEFS + i] = (struct option){ refused[i].name, optional_argument, NULL,
						      LONG_ONLY + (int)(NR_DEFS + i) };
	memset(&longs[NR_DEFS + NR_REFUSED], 0, sizeof(*longs));
}

static const struct option_def *def_of(int c)
{
	char letter = (char)c;

	return c >= LONG_ONLY ? &defs[c - LONG_ONLY] : find_def(&letter, 1);
}

/* What getopt did not know: its name is in the argument it stopped at. */
static int bad_option(const struct parse *p, int c, char **argv)
{
	const char *arg = argv[optind - 1];
	char letter = (char)optopt;

	if (c == ':')
		return wrong(p, "%s needs a value", title(def_of(optopt)));
	if (optopt >= LONG_ONLY)
		return wrong(p, "%s takes no value", title(def_of(optopt)));
	if (optopt)
		return unknown(p, "-", &letter, 1);
	return unknown(p, "--", arg + 2, strcspn(arg + 2, "="));
}

static int parse_argv(struct parse *p, int argc, char **argv)
{
	char letters[2 * NR_DEFS + 2];
	struct option longs[NR_DEFS + NR_REFUSED + 1];
	int c, code = -1;

	fill_getopt(letters, longs);
	p->own_collectors = false;
	opterr = 0;
	optind = 0;
	while (code < 0 && (c = getopt_long(argc, argv, letters, longs, NULL)) >= 0) {
		if (c == '?' || c == ':')
			return bad_option(p, c, argv);
		if (c >= LONG_ONLY + (int)NR_DEFS)
			return unknown(p, "--", &refused[c - LONG_ONLY - (int)NR_DEFS].letter, 1);
		code = apply(p, def_of(c), optarg);
	}
	if (code < 0 && optind < argc)
		return wrong(p, "unexpected argument \"%s\" (see nprobe-k --help)", argv[optind]);
	return code;
}

static void set_defaults(struct opts *o)
{
	*o = (struct opts){
		.version = 9,
		.active_s = 60,
		.idle_s = 15,
		.linger_s = 1,
		.template_id = 256,
		.template_datagrams = 20,
		.template_s = 30,
		.verbose = 1,
	};
}

/* What the module decides cannot be said here. */
static int check_kmod(const struct parse *p)
{
	size_t i;

	for (i = 0; i < NR_DEFS; i++) {
		if (!p->given[i] || !defs[i].parameter)
			continue;
		if (!*defs[i].parameter)
			return wrong(p, "%s: not with the kernel module", title(&defs[i]));
		return wrong(p, "%s: a setting of the module: its parameter %s=", title(&defs[i]),
			     defs[i].parameter);
	}
	return -1;
}

static int check(struct parse *p)
{
	struct opts *o = p->o;

	if (p->noted)
		fputs("nprobe-k: note: -G and -g are ignored, a service manager runs the daemon\n",
		      stderr);
	if (!o->input) {
		o->kmod = true;
		if (replace(&o->input, "kmod") >= 0)
			return EXIT_FAILED;
	}
	if (o->kmod && check_kmod(p) >= 0)
		return EXIT_USAGE;
	if (o->version == 5 && o->engine > 0xffff)
		return wrong(p, "-E (netflow-engine): %u does not fit NetFlow v5 (at most 65535)",
			     o->engine);
	if (!o->nr_collectors && !o->no_collector && o->print == PRINT_NONE) {
		o->collectors[0] = strdup("127.0.0.1:2055");
		if (!o->collectors[0])
			return EXIT_FAILED;
		o->nr_collectors = 1;
	}
	if (!o->nr_collectors && o->print == PRINT_NONE && !o->stats_file)
		return wrong(p, "-n none: nowhere to send the flows; add --print csv");
	return -1;
}

int opts_parse(struct opts *o, int argc, char **argv)
{
	struct parse p = { .o = o };
	int code;

	set_defaults(o);
	code = parse_argv(&p, argc, argv);
	if (code < 0 && p.config) {
		char *config = p.config;

		/* again from the file up, so that the command line has the last word */
		p.config = NULL;
		opts_free(o);
		set_defaults(o);
		code = parse_file(&p, config);
		if (code < 0)
			code = parse_argv(&p, argc, argv);
		free(config);
	}
	free(p.config);
	return code < 0 ? check(&p) : code;
}

void opts_free(struct opts *o)
{
	clear_collectors(o);
	free(o->input);
	free(o->filter);
	free(o->stats_file);
	free(o->leave_out);
	o->leave_out = NULL;
	o->input = NULL;
	o->filter = NULL;
	o->stats_file = NULL;
}
