// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clockms.h"
#include "export.h"
#include "print.h"

/* a collector that nothing went out to for so long is not waited for */
#define STUCK_MS	300
/* how long one that is full may hold others up where nothing may stay behind */
#define GRACE_MS	100
/* how long windows are taken one after the other before main() has its turn */
#define ROUND_MS	100
/* how long everything is waited for once the daemon was told to stop */
#define STOP_MS		PRINTER_STOP_MS
/*
 * A full collector is looked after this often: its socket becomes writable when half of
 * what waits has gone, but takes datagrams sooner.
 */
#define RETRY_MS	5

int export_open(struct export *x, const struct opts *o)
{
	unsigned int i;
	int code = -1;

	memset(x, 0, sizeof(*x));
	x->o = o;
	exporter_open(&x->exporter);
	if (interfaces_set(&x->interfaces, &o->ifaces, NPK_WINDOW)) {
		fputs("nprobe-k: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	for (i = 0; i < o->nr_collectors && code < 0; i++) {
		code = collector_new(o->collectors[i], o, &x->exporter.names, NULL,
				     &x->collectors[i]);
		x->nr_collectors += code < 0;
	}
	return code;
}

int export_begin(struct export *x)
{
	int err;

	if (x->o->print == PRINT_NONE)
		return -1;
	err = printer_open(&x->printer);
	if (err) {
		fprintf(stderr, "nprobe-k: standard output: %s\n", strerror(-err));
		return EXIT_FAILED;
	}
	print_header(&x->printer, x->o->print);
	return -1;
}

void export_close(struct export *x)
{
	unsigned int i;

	printer_close(&x->printer);
	for (i = 0; i < x->nr_collectors; i++)
		collector_free(x->collectors[i]);
	interfaces_close(&x->interfaces);
	exporter_close(&x->exporter);
	memset(x, 0, sizeof(*x));
}

void export_resend_templates(struct export *x)
{
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		npk_enc_resend_templates(x->collectors[i]->enc);
		npk_enc_resend_options(x->collectors[i]->enc);
	}
}

static void give_out(struct export *x, const struct npk_rec *rec, uint64_t now_ms)
{
	unsigned int i;

	if (!x->nr_collectors)
		return;
	if (x->o->mirror) {
		for (i = 0; i < x->nr_collectors; i++)
			collector_add(x->collectors[i], rec, x->read, now_ms);
		return;
	}
	i = (unsigned int)((rec->conv_hash >> 32) * x->nr_collectors >> 32);
	collector_add(x->collectors[i], rec, x->read, now_ms);
}

static bool prints(const struct export *x)
{
	return x->o->print != PRINT_NONE;
}

/* What the module keeps is for who comes next; from elsewhere there is no other chance. */
static bool keeps_records(const struct export *x)
{
	return x->o->kmod && !x->nr_collectors;
}

/*
 * To the source go all released records; but where nobody else gets them, not those whose
 * rows are still to be written: who kills the daemon, or does not read what it prints,
 * finds them in the module's ring.
 */
static void give_back(struct export *x, struct npk_source *src)
{
	uint64_t upto = x->released, written;

	if (prints(x) && keeps_records(x)) {
		if (x->printer.err)
			return;
		written = x->read - printer_waiting(&x->printer);
		upto = written < upto ? written : upto;
	}
	if (upto <= x->given)
		return;
	npk_source_release(src, (size_t)(upto - x->given));
	x->given = upto;
}

/* Records that no collector waits for any more, oldest first; returns how many. */
static size_t release(struct export *x, struct npk_source *src)
{
	uint64_t upto = x->read;
	unsigned int i;
	size_t n;

	for (i = 0; i < x->nr_collectors; i++) {
		const struct collector *c = x->collectors[i];

		if (collector_pending(c) && collector_oldest(c) < upto)
			upto = collector_oldest(c);
	}
	n = (size_t)(upto - x->released);
	x->released = upto;
	give_back(x, src);
	return n;
}

static bool some_full(const struct export *x)
{
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		if (x->collectors[i]->full)
			return true;
	}
	return false;
}

/* Nobody could go on: waiting delays no collector that takes its datagrams. */
static bool all_full(const struct export *x)
{
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		if (!x->collectors[i]->full)
			return false;
	}
	return true;
}

/* One that could not keep up before is not waited for again and again. */
static bool some_behind(const struct export *x)
{
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		if (x->collectors[i]->behind)
			return true;
	}
	return false;
}

/* What waits for its datagram to fill has to go when it came by then. */
static uint64_t linger_end_ms(const struct export *x, uint64_t now_ms, bool all)
{
	return all ? UINT64_MAX : now_ms - x->o->linger_s * 1000ULL;
}

static bool is_stuck(const struct collector *c, uint64_t now_ms)
{
	return c->stalled_ms && now_ms - c->stalled_ms >= STUCK_MS;
}

/*
 * Send what is due.  A collector that the system takes nothing for keeps its records
 * no longer than others theirs, or those could not be released; one that is stuck not
 * even when it is the only one, or the source could not go on.
 */
static void send_due(struct export *x, const struct npk_clock *clock, bool all)
{
	uint64_t now_ms = monotonic_ms(), came_by_ms = linger_end_ms(x, now_ms, all);
	struct collector *c;
	unsigned int i;
	bool alone;

	for (i = 0; i < x->nr_collectors; i++)
		collector_send(x->collectors[i], clock, came_by_ms);
	if (!some_full(x))
		return;
	alone = all_full(x);
	for (i = 0; i < x->nr_collectors; i++) {
		c = x->collectors[i];
		if (c->full && collector_pending(c) && collector_wait_ms(c) < 0 &&
		    (!alone || is_stuck(c, now_ms)) &&
		    collector_oldest_ms(c) + STUCK_MS < linger_end_ms(x, now_ms, false))
			collector_give_up(c, clock, x->read);
	}
}

/* All records that are held back may have failed up to this one. */
static void give_up(struct export *x, const struct npk_clock *clock, uint64_t before)
{
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		struct collector *c = x->collectors[i];

		if (collector_pending(c) && collector_oldest(c) < before)
			collector_give_up(c, clock, before);
	}
}

/* The signals are blocked: main() reads them once this has returned. */
static bool told_to_stop(void)
{
	sigset_t set;

	return !sigpending(&set) && (sigismember(&set, SIGTERM) || sigismember(&set, SIGINT));
}

static bool stop_is_over(const struct export *x, uint64_t now_ms)
{
	return x->stop_ms && now_ms >= x->stop_ms;
}

/* Wait a little for a full collector; false when there is none worth waiting for. */
static bool wait_for_room(const struct export *x, uint64_t now_ms)
{
	struct pollfd fds[NPK_COLLECTORS_MAX];
	int timeout = RETRY_MS, ms, nr = 0;
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		const struct collector *c = x->collectors[i];

		if (!c->full || is_stuck(c, now_ms))
			continue;
		ms = collector_wait_ms(c);
		fds[nr++] = (struct pollfd){ ms < 0 ? c->peer.udp.fd : -1, POLLOUT, 0 };
		if (ms >= 0 && ms < timeout)
			timeout = ms;
	}
	return nr && poll(fds, (nfds_t)nr, timeout) >= 0;
}

void export_stop(struct export *x)
{
	if (!x->stop_ms)
		x->stop_ms = monotonic_ms() + STOP_MS;
}

/*
 * Nothing moves, for a full collector holds the oldest records.  It is waited for
 * while nobody else is delayed by that; where all has to go, a little longer.
 */
static void unstick(struct export *x, const struct npk_clock *clock, bool all, uint64_t since_ms)
{
	uint64_t now_ms = monotonic_ms();
	bool grace = all && !some_behind(x) && now_ms - since_ms < GRACE_MS;
	bool may_wait = all_full(x) || grace;

	if (told_to_stop())
		export_stop(x);
	if (stop_is_over(x, now_ms))
		may_wait = false;
	if (may_wait && wait_for_room(x, now_ms))
		return;
	give_up(x, clock, all ? x->read : x->released + NPK_WINDOW / 2);
}

/*
 * Standard output takes no more.  Without collectors its reader has all the time it
 * wants, and with them as much as one of them would have.
 */
static bool reader_is_lost(struct export *x, uint64_t now_ms)
{
	if (!x->held_ms)
		x->held_ms = now_ms;
	if (stop_is_over(x, now_ms))
		return !keeps_records(x);
	return x->nr_collectors && now_ms - x->held_ms >= STUCK_MS;
}

/* Said once; how many they are, at the end. */
static void say_unprinted(struct export *x, const char *why)
{
	if (!x->unprinted && x->nr_collectors)
		fprintf(stderr, "nprobe-k: standard output: %s; flows go on to collectors\n", why);
	x->unprinted = true;
}

/* False when the record has to wait, for the reader of the ones before it or the next one. */
static bool print(struct export *x, const struct npk_rec *rec, const struct npk_clock *clock,
		  uint64_t now_ms)
{
	bool room = printer_room(&x->printer);

	if (x->printer.err)
		return !keeps_records(x);
	if (room) {
		print_record(&x->printer, x->o->print, rec, clock);
		x->held_ms = 0;
		return true;
	}
	if (!x->behind && !reader_is_lost(x, now_ms))
		return false;
	say_unprinted(x, "nobody reads it");
	x->behind = true;
	return true;
}

/* Take the records the source shows; returns how many it does. */
static size_t take(struct export *x, struct npk_source *src, const struct npk_clock *clock)
{
	const struct npk_rec *recs[NPK_WINDOW], *rec;
	size_t i = (size_t)(x->read - x->given);
	size_t n = npk_source_peek(src, recs, NPK_WINDOW);
	uint64_t now_ms = monotonic_ms();

	interfaces_look(&x->interfaces, now_ms);
	x->behind = x->behind && !printer_push(&x->printer) && printer_waiting(&x->printer);
	/* a window full of records that only their rows keep here */
	x->held = i >= NPK_WINDOW && export_unwritten(x);
	for (; i < n; i++) {
		rec = interfaces_apply(&x->interfaces, recs[i], x->read);
		x->held = prints(x) && !print(x, rec, clock, now_ms);
		if (x->held)
			break;
		interfaces_name(&x->interfaces, recs[i], rec, &x->exporter.names);
		give_out(x, rec, now_ms);
		x->read++;
	}
	return n;
}

/* Send what is due, give back what nobody needs; how many records that were. */
static size_t send_taken(struct export *x, struct npk_source *src, const struct npk_clock *clock,
			 bool all)
{
	send_due(x, clock, all);
	exporter_run(&x->exporter, src, clock, x->collectors, x->nr_collectors, false);
	return release(x, src);
}

/* Are there more windows for this round; @n records were in the last one. */
static bool goes_on(const struct export *x, size_t n, bool all, uint64_t since_ms)
{
	/* neither that nor a source that is never read empty keeps signals and reports waiting */
	if (x->held)
		return false;
	if (n == NPK_WINDOW && (all || monotonic_ms() - since_ms < ROUND_MS))
		return true;
	return all && x->released < x->read;
}

static void run_windows(struct export *x, struct npk_source *src, bool all)
{
	uint64_t since_ms = monotonic_ms();
	struct npk_clock clock;
	size_t n, moved;
	bool hurry;

	do {
		npk_source_clock(src, &clock);
		n = take(x, src, &clock);
		/* a full window must move on, whatever it waits for */
		hurry = all || n == NPK_WINDOW;
		moved = send_taken(x, src, &clock, hurry);
		if (!moved && x->released < x->read && hurry) {
			unstick(x, &clock, all, since_ms);
			release(x, src);
		}
	} while (goes_on(x, n, all, since_ms));
}

int export_push(struct export *x)
{
	int err = prints(x) ? printer_push(&x->printer) : 0;

	if (!err)
		return -1;
	say_unprinted(x, strerror(-err));
	return x->nr_collectors ? -1 : EXIT_FAILED;
}

int export_run(struct export *x, struct npk_source *src, bool all)
{
	run_windows(x, src, all);
	return export_push(x);
}

bool export_held(const struct export *x)
{
	return x->held && !x->printer.err &&
	       !(stop_is_over(x, monotonic_ms()) && keeps_records(x));
}

void export_flush(struct export *x, struct npk_source *src)
{
	uint64_t since_ms = monotonic_ms();
	struct npk_clock clock;

	do {
		npk_source_clock(src, &clock);
		if (!send_taken(x, src, &clock, true) && x->released < x->read) {
			unstick(x, &clock, true, since_ms);
			release(x, src);
		}
	} while (x->released < x->read);
}

/* The reader of standard output has its time, but not after a signal. */
static int finish_printing(struct export *x, struct npk_source *src)
{
	while (!printer_done(&x->printer, PRINTER_LOOK_MS)) {
		if (told_to_stop())
			export_stop(x);
		if (stop_is_over(x, monotonic_ms()))
			break;
	}
	/* what is given back is what is said to be written */
	printer_stop(&x->printer);
	if (src)
		give_back(x, src);
	return printer_report(&x->printer, "nprobe-k", x->read) ? -1 : EXIT_FAILED;
}

int export_finish(struct export *x, struct npk_source *src)
{
	struct npk_clock clock;

	if (src) {
		npk_source_clock(src, &clock);
		exporter_run(&x->exporter, src, &clock, x->collectors, x->nr_collectors, true);
	}
	return prints(x) ? finish_printing(x, src) : -1;
}

int export_wait_ms(const struct export *x)
{
	uint64_t now = monotonic_ms(), due;
	int wait = -1, paced;
	unsigned int i;

	for (i = 0; i < x->nr_collectors; i++) {
		const struct collector *c = x->collectors[i];

		if (!collector_pending(c))
			continue;
		due = collector_oldest_ms(c) + x->o->linger_s * 1000ULL;
		if (c->full) {
			paced = collector_wait_ms(c);
			due = now + (paced < 0 ? RETRY_MS : (uint64_t)paced);
		}
		due = due > now ? due - now : 0;
		if (wait < 0 || (int)due < wait)
			wait = (int)due;
	}
	return wait;
}
