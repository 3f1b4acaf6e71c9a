// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <npk/enc.h>
#include <npk/npk.h>

#include "address.h"
#include "fields.h"
#include "help.h"
#include "value.h"

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

int value_flag(struct parse *p, const struct option_def *d, const char *value)
{
	(void)value;
	*(bool *)((char *)p->o + d->offset) = true;
	return -1;
}

/* A name of a file, that is; other texts may be empty. */
static int check_name(const struct parse *p, const struct option_def *d, const char *value)
{
	if (*value || strcmp(d->arg, "FILE"))
		return -1;
	return option_wrong(p, "%s: the name of the file is empty", option_title(d));
}

int value_text(struct parse *p, const struct option_def *d, const char *value)
{
	int code = check_name(p, d, value);

	return code < 0 ? replace((char **)((char *)p->o + d->offset), value) : code;
}

int value_number(struct parse *p, const struct option_def *d, const char *value)
{
	unsigned long n;

	if (!to_number(value, d->max, &n) || n < d->min)
		return option_wrong(p, "%s: \"%s\" is not a number from %u to %u",
				    option_title(d), value, d->min, d->max);
	*(unsigned int *)((char *)p->o + d->offset) = (unsigned int)n;
	return -1;
}

int value_engine(struct parse *p, const struct option_def *d, const char *value)
{
	const char *colon = strchr(value, ':');
	unsigned long type = 0, id;
	char text[8] = "";

	if (colon && (size_t)(colon - value) < sizeof(text))
		memcpy(text, value, (size_t)(colon - value));
	if (colon ? !to_number(text, 255, &type) || !to_number(colon + 1, 255, &id) :
		    !to_number(value, UINT32_MAX, &id))
		return option_wrong(
			p, "%s: \"%s\" is neither ID nor TYPE:ID (TYPE and ID from 0 to 255)",
			option_title(d), value);
	p->o->engine = (uint32_t)(type << 8 | id);
	p->o->engine_given = true;
	return -1;
}

int value_sender(struct parse *p, const struct option_def *d, const char *value)
{
	struct address a;
	const char *why = address_parse(&a, "any", value);

	if (why)
		return option_wrong(p, "%s: \"%s\": %s", option_title(d), value, why);
	return value_text(p, d, value);
}

static int add_collector(struct parse *p, const struct option_def *d, const char *name, size_t len)
{
	struct opts *o = p->o;
	struct address a;
	const char *why;

	if (!len)
		return option_wrong(p, "%s: an empty name in the list", option_title(d));
	if (len == 4 && !memcmp(name, "none", 4)) {
		o->no_collector = true;
		return -1;
	}
	if (o->nr_collectors == NPK_COLLECTORS_MAX)
		return option_wrong(p, "%s: more than %u collectors", option_title(d),
				    NPK_COLLECTORS_MAX);
	o->collectors[o->nr_collectors] = strndup(name, len);
	if (!o->collectors[o->nr_collectors]) {
		fputs("nprobe-k: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	why = address_parse(&a, o->collectors[o->nr_collectors++], NULL);
	if (why)
		return option_wrong(p, "%s: \"%.*s\": %s", option_title(d), (int)len, name, why);
	return -1;
}

int value_collectors(struct parse *p, const struct option_def *d, const char *value)
{
	const char *comma;
	int code = -1;

	if (!p->own_collectors)		/* the command line replaces the file's list */
		opts_clear_collectors(p->o);
	p->own_collectors = true;
	for (; code < 0; value = comma + 1) {
		comma = strchrnul(value, ',');
		code = add_collector(p, d, value, (size_t)(comma - value));
		if (!*comma)
			break;
	}
	if (code < 0 && p->o->no_collector && p->o->nr_collectors)
		return option_wrong(p, "%s: none, and yet \"%s\"", option_title(d),
				    p->o->collectors[0]);
	return code;
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && !strcmp(text + n - m, suffix);
}

int value_input(struct parse *p, const struct option_def *d, const char *value)
{
	char *text = NULL;
	int code;

	p->o->kmod = !strcmp(value, "kmod") || !strncmp(value, "kmod:", 5);
	if (p->o->kmod)
		return replace(&p->o->input, value);
	if (!strncmp(value, "live:", 5) || !strncmp(value, "pcap:", 5))
		return replace(&p->o->input, value);
	if (!has_suffix(value, ".pcap") && !has_suffix(value, ".pcapng"))
		return option_wrong(p, "%s: \"%s\" is none of kmod, live:DEV, pcap:FILE, FILE.pcap",
				    option_title(d), value);
	if (asprintf(&text, "pcap:%s", value) < 0)
		text = NULL;
	code = text ? replace(&p->o->input, text) : EXIT_FAILED;
	free(text);
	return code;
}

int value_version(struct parse *p, const struct option_def *d, const char *value)
{
	static const struct { const char *name; unsigned int version; } names[] = {
		{ "5", 5 }, { "9", 9 }, { "10", 10 }, { "nflow", NPK_ENC_NFLOW },
		{ "nflow9", NPK_ENC_NFLOW9 },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(value, names[i].name)) {
			p->o->version = names[i].version;
			return -1;
		}
	}
	return option_wrong(p, "%s: \"%s\" is none of %s", option_title(d), value, d->arg);
}

/*
 * The key in force, if it is from there and cannot be had again: a pipe was read, or a
 * file that root alone can read, before privileges were given up.
 */
static bool have_key(const struct parse *p)
{
	const struct opts *now = p->now;
	const char *text = p->o->nflow_key_text;

	if (!now || !now->nflow_key_text || strcmp(now->nflow_key_text, text) || *text != '@')
		return false;
	if (!now->nflow_key.once && (!access(text + 1, R_OK) || errno != EACCES))
		return false;
	p->o->nflow_key = now->nflow_key;
	return true;
}

/* A pipe can be read once, but options are read twice when there is a file of them. */
int value_key(struct parse *p, const struct option_def *d, const char *value)
{
	(void)d;
	p->key_file = p->file;
	p->key_line = p->line;
	return replace(&p->o->nflow_key_text, value);
}

int value_read_key(struct parse *p)
{
	const char *text = p->o->nflow_key_text, *name, *why;
	int code = !text || have_key(p) ? -1 : key_read(&p->o->nflow_key, text, p->now, &why);

	if (code < 0)
		return code;
	name = *text == '@' ? text + 1 : "";
	p->file = p->key_file;
	p->line = p->key_line;
	option_wrong(p, "--nflow-key: %s%s%s", name, *name ? ": " : "", why);
	return code;
}

int value_iface(struct parse *p, const struct option_def *d, const char *value)
{
	int64_t *index = (int64_t *)((char *)p->o + d->offset);
	unsigned long n;

	if (!strcmp(value, "-1"))
		*index = IFACE_MAC;
	else if (to_number(value, UINT32_MAX, &n))
		*index = (int64_t)n;
	else
		return option_wrong(p, "%s: \"%s\" is neither -1 nor a number from 0 to %u",
				    option_title(d), value, UINT32_MAX);
	return -1;
}

/* One DEV=N of @len octets. */
static bool if_map_entry(struct iface_name *entry, const char *text, size_t len)
{
	const char *equals = memrchr(text, '=', len);
	char number[12] = "";
	unsigned long n;
	size_t name, digits;

	if (!equals)
		return false;
	name = (size_t)(equals - text);
	digits = len - name - 1;
	if (!name || name >= sizeof(entry->name) || digits >= sizeof(number))
		return false;
	memcpy(number, equals + 1, digits);
	if (!to_number(number, UINT32_MAX, &n))
		return false;
	memset(entry->name, 0, sizeof(entry->name));
	memcpy(entry->name, text, name);
	entry->index = (uint32_t)n;
	return true;
}

int value_if_map(struct parse *p, const struct option_def *d, const char *value)
{
	struct iface_rules *r = &p->o->ifaces;
	size_t len;

	for (r->nr_names = 0;; value += len + 1) {
		len = strcspn(value, ",");
		if (r->nr_names == INTERFACES_MAX)
			return option_wrong(p, "%s: more than %u devices", option_title(d),
					    INTERFACES_MAX);
		if (!if_map_entry(&r->names[r->nr_names], value, len))
			return option_wrong(p, "%s: \"%.*s\" is not DEV=NUMBER", option_title(d),
					    (int)len, value);
		r->nr_names++;
		if (!value[len])
			return -1;
	}
}

int value_vlan_iface(struct parse *p, const struct option_def *d, const char *value)
{
	static const char *const names[] = {
		[IFACE_VLAN_INNER] = "inner", [IFACE_VLAN_OUTER] = "outer",
		[IFACE_VLAN_SINGLE] = "single", [IFACE_VLAN_DOUBLE] = "double",
	};
	unsigned int i;

	for (i = IFACE_VLAN_INNER; i <= IFACE_VLAN_DOUBLE; i++) {
		if (strcmp(value, names[i]))
			continue;
		p->o->ifaces.vlan = (enum iface_vlan)i;
		return -1;
	}
	return option_wrong(p, "%s: \"%s\" is none of inner, outer, single, double",
			    option_title(d), value);
}

int value_frag(struct parse *p, const struct option_def *d, const char *value)
{
	if (strcmp(value, "join") && strcmp(value, "zero"))
		return option_wrong(p, "%s: \"%s\" is neither join nor zero", option_title(d),
				    value);
	p->o->frag_zero = *value == 'z';
	return -1;
}

/* "N:N:N", the last two may be missing. */
static bool to_rates(const char *text, unsigned int rate[3])
{
	unsigned long n;
	char *end;
	size_t i;

	for (i = 0; i < 3; i++, text = end + 1) {
		n = strtoul(text, &end, 10);
		if (!isdigit((unsigned char)*text) || !n || n > UINT32_MAX)
			return false;
		rate[i] = (unsigned int)n;
		if (*end != ':')
			return !*end;
	}
	return false;
}

int value_sample(struct parse *p, const struct option_def *d, const char *value)
{
	unsigned int rate[3] = { 1, 1, 1 };

	if (!to_rates(value + (*value == '@'), rate))
		return option_wrong(p, "%s: \"%s\" is not [@]N[:1[:M]], numbers from 1 to %u",
				    option_title(d), value, UINT32_MAX);
	if (rate[1] != 1)
		return option_wrong(p, "%s: \"%s\": nprobe-k collects no flows, their rate is 1",
				    option_title(d), value);
	p->o->sampled_before = *value == '@';
	p->o->sampling.interval = rate[0];
	p->o->flow_interval = rate[2];
	return -1;
}

int value_sample_mode(struct parse *p, const struct option_def *d, const char *value)
{
	if (strcmp(value, "systematic") && strcmp(value, "random"))
		return option_wrong(p, "%s: \"%s\" is neither systematic nor random",
				    option_title(d), value);
	p->o->sampling.random = *value == 'r';
	return -1;
}

int value_print(struct parse *p, const struct option_def *d, const char *value)
{
	if (!strcmp(value, "csv"))
		p->o->print = PRINT_CSV;
	else if (!strcmp(value, "json"))
		p->o->print = PRINT_JSON;
	else
		return option_wrong(p, "%s: \"%s\" is neither csv nor json", option_title(d),
				    value);
	return -1;
}

/* What is said once, before everything else. */
static int not_in_file(const struct parse *p, const struct option_def *d)
{
	return p->file ? option_wrong(p, "%s inside a configuration file", option_title(d)) : -1;
}

int value_config(struct parse *p, const struct option_def *d, const char *value)
{
	int code = not_in_file(p, d);

	if (code < 0)
		code = check_name(p, d, value);
	return code < 0 ? replace(&p->config, value) : code;
}

int value_check_config(struct parse *p, const struct option_def *d, const char *value)
{
	(void)value;
	p->check = true;
	return not_in_file(p, d);
}

int value_noted(struct parse *p, const struct option_def *d, const char *value)
{
	(void)d;
	(void)value;
	p->noted = true;
	return -1;
}

int value_show_version(struct parse *p, const struct option_def *d, const char *value)
{
	int code = not_in_file(p, d);

	(void)value;
	if (code >= 0)
		return code;
	printf("nprobe-k %s\n", npk_version());
	return 0;
}

int value_list_fields(struct parse *p, const struct option_def *d, const char *value)
{
	int code = not_in_file(p, d);

	(void)value;
	if (code >= 0)
		return code;
	fields_list();
	return 0;
}

int value_help(struct parse *p, const struct option_def *d, const char *value)
{
	int code = not_in_file(p, d);

	(void)value;
	if (code >= 0)
		return code;
	help_print();
	return 0;
}
