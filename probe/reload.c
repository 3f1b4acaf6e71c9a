// SPDX-License-Identifier: GPL-2.0-only
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "reload.h"
#include "stats.h"

/**
 * struct fixed - an option that cannot change while the daemon runs
 * @name: of the option
 * @offset: member of struct opts
 * @size: octets of the member, 0 = text
 */
struct fixed {
	const char *name;
	size_t offset;
	size_t size;
};

#define TEXT(name, member)	{ name, offsetof(struct opts, member), 0 }
#define VALUE(name, member)	{ name, offsetof(struct opts, member), \
				  sizeof(((struct opts *)NULL)->member) }

static const struct fixed fixed[] = {
	TEXT("interface", input),
	TEXT("bpf-filter", filter),
	TEXT("key", leave_out),
	VALUE("frag", frag_zero),
	VALUE("max-num-flows", flows),
	VALUE("sample-rate", sampling.interval),
	VALUE("sample-rate", sampled_before),
	VALUE("sample-mode", sampling.random),
	VALUE("print", print),
	VALUE("discard-backlog", discard),
	VALUE("flush-on-exit", flush),
	VALUE("dont-drop-privileges", keep_privileges),
};

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The value in force stays.  1: it was another, 0: the same, -1: no memory. */
static int keep(const struct fixed *f, struct opts *next, const struct opts *now)
{
	char *a = (char *)next + f->offset;
	const char *b = (const char *)now + f->offset;
	char *text, *have;

	if (f->size) {
		if (!memcmp(a, b, f->size))
			return 0;
		memcpy(a, b, f->size);
		return 1;
	}
	have = *(char *const *)b;
	if (same_text(*(char **)a, have))
		return 0;
	text = have ? strdup(have) : NULL;
	if (have && !text)
		return -1;
	free(*(char **)a);
	*(char **)a = text;
	return 1;
}

static bool keep_fixed(struct opts *next, const struct opts *now)
{
	const char *name, *said = "";
	size_t i;
	int kept;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		name = fixed[i].name;
		kept = keep(&fixed[i], next, now);
		if (kept < 0)
			return false;
		if (!kept || !strcmp(name, said))
			continue;
		said = name;
		fprintf(stderr, "nprobe-k: %s cannot change while the daemon runs\n",
			option_title(option_find(name, strlen(name))));
	}
	if (next->kmod != now->kmod) {	/* they were read for another source */
		next->kmod = now->kmod;
		next->active_s = now->active_s;
		next->idle_s = now->idle_s;
	}
	return true;
}

static bool nothing_changed(const char *what, const char *why)
{
	fprintf(stderr, "nprobe-k: %s: %s; nothing was changed\n", what, why);
	return false;
}

/* The collector in force that goes on under the same name; its place, or -1. */
static int find(const struct export *x, const struct opts *now, const struct opts *next,
		const char *name, const bool *taken)
{
	unsigned int i;

	if (!same_text(now->sender, next->sender))
		return -1;
	for (i = 0; i < x->nr_collectors; i++) {
		if (!taken[i] && !strcmp(x->collectors[i]->name, name))
			return (int)i;
	}
	return -1;
}

/* False when one cannot be asked for without waiting; that is said. */
static bool start_lookups(struct reload *r, const struct opts *now, const struct export *x)
{
	bool taken[NPK_COLLECTORS_MAX] = { false };
	struct address a;
	unsigned int i;

	for (i = 0; i < r->next.nr_collectors; i++) {
		const char *name = r->next.collectors[i];
		int at = find(x, now, &r->next, name, taken);

		if (at >= 0)
			taken[at] = true;
		if (at >= 0 || address_parse(&a, name, r->next.sender) || a.numeric)
			continue;
		r->lookups[i] = lookup_start(&a);
		if (!r->lookups[i])
			return nothing_changed(name, "no thread to look it up");
	}
	return true;
}

void reload_begin(struct reload *r, const struct opts *now, const struct export *x, int argc,
		  char **argv)
{
	bool good;

	reload_forget(r);
	good = opts_parse(&r->next, argc, argv, now) < 0;
	r->pending = true;
	if (good && !keep_fixed(&r->next, now))
		good = nothing_changed("reload", "out of memory");
	if (good && !r->next.nr_collectors != !now->nr_collectors)
		good = nothing_changed("-n (collector)",
				       "from none to some, or back, only at the start");
	if (!good || !start_lookups(r, now, x))
		reload_forget(r);
}

void reload_forget(struct reload *r)
{
	unsigned int i;

	for (i = 0; i < NPK_COLLECTORS_MAX; i++) {
		lookup_forget(r->lookups[i]);
		if (r->lists[i])
			freeaddrinfo(r->lists[i]);
	}
	if (r->pending)
		opts_free(&r->next);
	memset(r, 0, sizeof(*r));
}

bool reload_ready(struct reload *r)
{
	unsigned int i;

	if (!r->pending)
		return false;
	for (i = 0; i < r->next.nr_collectors; i++) {
		if (!r->lookups[i])
			continue;
		if (!lookup_done(r->lookups[i], &r->lists[i]))
			return false;
		r->lookups[i] = NULL;
		if (r->lists[i])
			continue;
		nothing_changed(r->next.collectors[i], "no such host, or no answer");
		reload_forget(r);
		return false;
	}
	return true;
}

/**
 * struct change - the collectors by the new options
 * @collectors: as in the options
 * @nr: how many are there already
 * @taken: by number of those in force: it goes on
 * @fresh: by number of the new ones: it does not go on, it is new
 */
struct change {
	struct collector *collectors[NPK_COLLECTORS_MAX];
	unsigned int nr;
	bool taken[NPK_COLLECTORS_MAX];
	bool fresh[NPK_COLLECTORS_MAX];
};

static int prepare_one(struct change *c, struct reload *r, const struct opts *now,
		       struct export *x)
{
	const char *name = r->next.collectors[c->nr];
	struct collector **out = &c->collectors[c->nr];
	int code, at = find(x, now, &r->next, name, c->taken);

	if (at >= 0) {
		c->taken[at] = true;
		*out = x->collectors[at];
		code = collector_prepare(*out, now, &r->next);
	} else {
		c->fresh[c->nr] = true;
		code = collector_new(name, &r->next, &x->exporter.names, r->lists[c->nr], out);
		r->lists[c->nr] = NULL;
	}
	c->nr += code < 0;
	return code;
}

/* It stays as it is. */
static void undo(struct change *c)
{
	while (c->nr--) {
		if (c->fresh[c->nr])
			collector_free(c->collectors[c->nr]);
		else
			collector_stay(c->collectors[c->nr]);
	}
}

static bool prepare(struct change *c, struct reload *r, const struct opts *now, struct export *x)
{
	while (c->nr < r->next.nr_collectors) {
		if (prepare_one(c, r, now, x) < 0)
			continue;
		undo(c);
		return nothing_changed("reload", "that collector");
	}
	if (!interfaces_set(&x->interfaces, &r->next.ifaces, NPK_WINDOW))
		return true;
	undo(c);
	return nothing_changed("reload", "out of memory");
}

/* Another device may have an index now: names are asked for anew, and sent. */
static void forget_names(struct export *x)
{
	unsigned int i;

	ifnames_close(&x->exporter.names);
	ifnames_open(&x->exporter.names);
	for (i = 0; i < x->nr_collectors; i++)
		npk_enc_resend_options(x->collectors[i]->enc);
}

/* Nothing can fail any more. */
static void change(const struct change *c, const struct opts *now, const struct opts *next,
		   struct export *x)
{
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		if (c->taken[i])
			continue;
		stats_add(&x->former, x->collectors[i]);
		collector_free(x->collectors[i]);
	}
	memcpy(x->collectors, c->collectors, sizeof(x->collectors));
	x->nr_collectors = c->nr;
	for (i = 0; i < c->nr; i++) {
		if (!c->fresh[i])
			collector_change(x->collectors[i], next);
	}
	if (memcmp(&now->ifaces, &next->ifaces, sizeof(now->ifaces)))
		forget_names(x);
}

bool reload_finish(struct reload *r, struct opts *now, struct export *x)
{
	struct change c = {};
	struct opts old = *now;
	bool good = prepare(&c, r, now, x);

	if (good) {
		change(&c, now, &r->next, x);
		*now = r->next;
		r->next = old;
	}
	reload_forget(r);
	return good;
}
