// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npk/enc.h>

#include "config.h"
#include "fields.h"
#include "option.h"
#include "settings.h"
#include "value.h"

/* Values of options that have no letter. */
enum { LONG_ONLY = 256 };

static void fill_getopt(char *letters, struct option *longs)
{
	const struct option_def *d;
	size_t i;

	*letters++ = ':';
	for (i = 0; i < nr_options; i++) {
		d = &option_table[i];
		*longs++ = (struct option){ d->name, d->arg ? required_argument : no_argument,
					    NULL, LONG_ONLY + (int)i };
		if (!d->letter)
			continue;
		*letters++ = d->letter;
		if (d->arg)
			*letters++ = ':';
	}
	*letters = '\0';
	/* so that none of these is taken for the beginning of one of ours */
	for (i = 0; i < nr_refused; i++)
		*longs++ = (struct option){ refused_table[i].name, optional_argument, NULL,
					    LONG_ONLY + (int)(nr_options + i) };
	*longs = (struct option){};
}

static const struct option_def *def_of(int c)
{
	char letter = (char)c;

	return c >= LONG_ONLY ? &option_table[c - LONG_ONLY] : option_find(&letter, 1);
}

/* What getopt did not know: its name is in the argument it stopped at. */
static int bad_option(const struct parse *p, int c, char **argv)
{
	const char *arg = argv[optind - 1];
	char letter = (char)optopt;

	if (c == ':')
		return option_wrong(p, "%s needs a value", option_title(def_of(optopt)));
	if (optopt >= LONG_ONLY)
		return option_wrong(p, "%s takes no value", option_title(def_of(optopt)));
	if (optopt)
		return option_unknown(p, "-", &letter, 1);
	return option_unknown(p, "--", arg + 2, strcspn(arg + 2, "="));
}

static int parse_argv(struct parse *p, int argc, char **argv)
{
	char letters[2 * nr_options + 2];
	struct option longs[nr_options + nr_refused + 1];
	const char *name;
	int c, code = -1, beyond;

	fill_getopt(letters, longs);
	p->own_collectors = false;
	opterr = 0;
	optind = 0;
	while (code < 0 && (c = getopt_long(argc, argv, letters, longs, NULL)) >= 0) {
		if (c == '?' || c == ':')
			return bad_option(p, c, argv);
		beyond = c - LONG_ONLY - (int)nr_options;
		if (beyond >= 0) {
			name = refused_table[beyond].name;
			return option_unknown(p, "--", name, strlen(name));
		}
		code = option_apply(p, def_of(c), optarg);
	}
	if (code < 0 && optind < argc && p->check)
		code = value_config(p, option_find("config", 6), argv[optind++]);
	if (code < 0 && optind < argc)
		return option_wrong(p, "unexpected argument \"%s\" (a file of options: --config)",
				    argv[optind]);
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
		.options_s = 60,
		.sampling.interval = 1,
		.flow_interval = 1,
		.verbose = 1,
		.ifaces = { .in = IFACE_OWN, .out = IFACE_OWN },
		.delay_datagrams = 1,
	};
}

/* What the module decides cannot be said here. */
static int check_kmod(const struct parse *p)
{
	const struct option_def *d;

	for (d = option_table; d < option_table + nr_options; d++) {
		if (!p->given[d - option_table] || !d->parameter)
			continue;
		if (!*d->parameter)
			return option_wrong(p, "%s: not with the kernel module", option_title(d));
		return option_wrong(p, "%s: a setting of the module: its parameter %s=",
				    option_title(d), d->parameter);
	}
	return -1;
}

static int check_sampling(const struct parse *p)
{
	const struct opts *o = p->o;

	if (o->kmod && o->sampling.interval > 1 && !o->sampled_before)
		return option_wrong(p, "-S (sample-rate): not with the kernel module; %s: @%u",
				    "if its packets come sampled", o->sampling.interval);
	if (o->version == NPK_ENC_NF5 && o->sampling.interval > NPK_ENC_NF5_MAX_SAMPLING)
		return option_wrong(p, "-S (sample-rate): %u does not fit NetFlow v5 (at most %u)",
				    o->sampling.interval, NPK_ENC_NF5_MAX_SAMPLING);
	if (o->version == NPK_ENC_NFLOW && o->sampling.interval > UINT16_MAX)
		return option_wrong(p, "-S (sample-rate): %u does not fit nFlow (at most %u)",
				    o->sampling.interval, UINT16_MAX);
	return -1;
}

/* Two ids are those of the digest's templates; the one behind -U is in use as well. */
static int check_nflow(const struct parse *p)
{
	const struct opts *o = p->o;
	bool v1 = o->version == NPK_ENC_NFLOW, v9 = o->version == NPK_ENC_NFLOW9;

	if (o->nflow_key.len && !v1 && !v9)
		return option_wrong(p, "--nflow-key: only with -V nflow or nflow9");
	if (o->nflow_plain && !v1)
		return option_wrong(p, "--nflow-plain: only with -V nflow");
	if (o->nflow9_zlib && !v9)
		return option_wrong(p, "--nflow9-zlib: only with -V nflow9");
	if (v9 && o->template_id >= 65280 && o->template_id <= 65282)
		return option_wrong(p, "-U (flow-templ-id): %u to %u are in use by nflow9", 65281,
				    65282);
	return -1;
}

static int check_v5(const struct parse *p)
{
	const struct iface_rules *r = &p->o->ifaces;
	unsigned int i;

	if (p->o->version != NPK_ENC_NF5)
		return -1;
	if (p->o->engine > 0xffff)
		return option_wrong(
			p, "-E (netflow-engine): %u does not fit NetFlow v5 (at most 65535)",
			p->o->engine);
	if (r->in > 0xffff || r->out > 0xffff)
		return option_wrong(p, "-u, -Q: NetFlow v5 has indices up to 65535 only");
	for (i = 0; i < r->nr_names; i++) {
		if (r->names[i].index > 0xffff)
			return option_wrong(
				p, "--if-map: %u does not fit NetFlow v5 (at most 65535)",
				r->names[i].index);
	}
	return -1;
}

static int check_source(const struct parse *p)
{
	if (p->o->ifaces.nr_names && !strncmp(p->o->input, "pcap:", 5))
		return option_wrong(p, "--if-map: a capture file names no devices (-u, -Q)");
	return p->o->kmod ? check_kmod(p) : -1;
}

static int check_destination(const struct parse *p)
{
	const struct opts *o = p->o;

	if (!o->nr_collectors && o->print == PRINT_NONE && !o->stats_file)
		return option_wrong(p, "-n none: nowhere to send the flows; add --print csv");
	return -1;
}

/* What has no fixed default. */
static int fill_in(struct opts *o)
{
	/* RFC 7011 section 3.1: domain 0 is for what belongs to no domain */
	if (!o->engine_given)
		o->engine = o->version == NPK_ENC_IPFIX;
	if (!o->input) {
		o->kmod = true;
		o->input = strdup("kmod");
	}
	if (!o->nr_collectors && !o->no_collector && o->print == PRINT_NONE) {
		o->collectors[0] = strdup("127.0.0.1:2055");
		o->nr_collectors = o->collectors[0] != NULL;
	}
	if (o->input && (o->nr_collectors || o->no_collector || o->print != PRINT_NONE))
		return -1;
	fputs("nprobe-k: out of memory\n", stderr);
	return EXIT_FAILED;
}

static int check(struct parse *p)
{
	static int (*const checks[])(const struct parse *p) = {
		check_source, check_v5, check_sampling, check_nflow, check_destination,
	};
	size_t i;
	int code;

	if (p->check && !p->config)
		return option_wrong(p, "--check-config: which file?");
	if (p->noted && !p->now && !p->check)
		fputs("nprobe-k: note: -G and -g are ignored, a service manager runs the daemon\n",
		      stderr);
	code = value_read_key(p);
	if (code < 0)
		code = fill_in(p->o);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]) && code < 0; i++)
		code = checks[i](p);
	return code < 0 ? fields_parse(p) : code;
}

int opts_parse(struct opts *o, int argc, char **argv, const struct opts *now)
{
	struct parse p = { .o = o, .now = now };
	char *file = NULL;
	int code;

	set_defaults(o);
	code = parse_argv(&p, argc, argv);
	if (code < 0 && p.config) {
		/* again from the file up, so that the command line has the last word */
		opts_free(o);
		set_defaults(o);
		/* messages name it until the end, and the command line is about to name it anew */
		file = p.config;
		p.config = NULL;
		code = config_read(&p, file);
		if (code < 0)
			code = parse_argv(&p, argc, argv);
	}
	if (code < 0)
		code = check(&p);
	if (code < 0 && (p.check || p.now))
		code = settings_check(&p);
	o->config = p.config;
	free(file);
	if (code >= 0 || !p.check)
		return code;
	printf("%s: ok\n", o->config);
	return 0;
}

void opts_clear_collectors(struct opts *o)
{
	while (o->nr_collectors)
		free(o->collectors[--o->nr_collectors]);
	o->no_collector = false;
}

void opts_free(struct opts *o)
{
	const struct option_def *d;
	char **text;

	opts_clear_collectors(o);
	npk_template_free(o->fields);
	o->fields = NULL;
	free(o->input);
	free(o->config);
	free(o->nflow_key_text);
	o->input = NULL;
	o->config = NULL;
	o->nflow_key_text = NULL;
	for (d = option_table; d < option_table + nr_options; d++) {
		if (d->set != value_text && d->set != value_sender)
			continue;
		text = (char **)((char *)o + d->offset);
		free(*text);
		*text = NULL;
	}
}
