// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clockms.h"
#include "export.h"
#include "print.h"

int export_open(struct export *x, const struct opts *o)
{
	unsigned int i;
	int code = -1;

	memset(x, 0, sizeof(*x));
	x->o = o;
	if (o->nr_collectors)
		x->collectors = calloc(o->nr_collectors, sizeof(*x->collectors));
	if ((o->nr_collectors && !x->collectors) ||
	    interfaces_set(&x->interfaces, &o->ifaces, NPK_WINDOW)) {
		fputs("nprobe-k: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	for (i = 0; i < o->nr_collectors && code < 0; i++) {
		code = collector_open(&x->collectors[i], o->collectors[i], o);
		x->nr_collectors++;
	}
	return code;
}

void export_close(struct export *x)
{
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++)
		collector_close(&x->collectors[i]);
	free(x->collectors);
	interfaces_close(&x->interfaces);
	memset(x, 0, sizeof(*x));
}

static void give_out(struct export *x, const struct npk_rec *rec, uint64_t now_ms)
{
	unsigned int i;

	if (!x->nr_collectors)
		return;
	if (x->o->mirror) {
		for (i = 0; i < x->nr_collectors; i++)
			collector_add(&x->collectors[i], rec, x->read, now_ms);
		return;
	}
	i = (unsigned int)((rec->conv_hash >> 32) * x->nr_collectors >> 32);
	collector_add(&x->collectors[i], rec, x->read, now_ms);
}

/* Records that no destination waits for any more, oldest first. */
static void release(struct export *x, struct npk_source *src)
{
	uint64_t upto = x->read;
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		if (x->collectors[i].nr_pending && x->collectors[i].nr[0] < upto)
			upto = x->collectors[i].nr[0];
	}
	npk_source_release(src, (size_t)(upto - x->released));
	x->released = upto;
}

static void send_due(struct export *x, const struct npk_clock *clock, bool all)
{
	uint64_t now = monotonic_ms();
	struct collector *c;
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		c = &x->collectors[i];
		collector_send(c, clock, all ? UINT64_MAX : now - x->o->linger_s * 1000ULL);
		collector_templates(c, clock);
	}
}

/* One window of records; returns how many the source showed. */
static size_t run_window(struct export *x, struct npk_source *src, bool all)
{
	const struct npk_rec *recs[NPK_WINDOW], *rec;
	struct npk_clock clock;
	size_t i = (size_t)(x->read - x->released);
	size_t n = npk_source_peek(src, recs, NPK_WINDOW);
	uint64_t now = monotonic_ms();

	npk_source_clock(src, &clock);
	interfaces_look(&x->interfaces, now);
	for (; i < n; i++) {
		rec = interfaces_apply(&x->interfaces, recs[i], x->read);
		if (x->o->print != PRINT_NONE && !x->stdout_failed) {
			print_record(stdout, x->o->print, rec, &clock);
			x->printed++;
		}
		give_out(x, rec, now);
		x->read++;
	}
	/* a full window must move on, whatever it waits for */
	send_due(x, &clock, all || n == NPK_WINDOW);
	release(x, src);
	return n;
}

int export_run(struct export *x, struct npk_source *src, bool all)
{
	while (run_window(x, src, all) == NPK_WINDOW)
		;
	if (x->o->print == PRINT_NONE || x->stdout_failed)
		return -1;
	if (!fflush(stdout) && !ferror(stdout))
		return -1;
	fprintf(stderr, "nprobe-k: standard output: %s\n", strerror(errno));
	x->stdout_failed = true;
	return x->nr_collectors ? -1 : EXIT_FAILED;
}

int export_wait_ms(const struct export *x)
{
	uint64_t now = monotonic_ms(), due;
	int wait = -1;
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		if (!x->collectors[i].nr_pending)
			continue;
		due = x->collectors[i].since_ms[0] + x->o->linger_s * 1000ULL;
		due = due > now ? due - now : 0;
		if (wait < 0 || (int)due < wait)
			wait = (int)due;
	}
	return wait;
}
