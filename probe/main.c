// SPDX-License-Identifier: GPL-2.0-only
/* nprobe-k: reads flow records from a source and exports them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <npk/npk.h>

#include "clockms.h"
#include "export.h"
#include "opts.h"
#include "privileges.h"
#include "reload.h"
#include "settings.h"
#include "standard.h"
#include "stats.h"

#define STATS_MS		10000
#define PROGRESS_MS		1000
/* expiry is looked after this often when no packet comes */
#define TICK_MS			100
/* how long a row may take to be written before it is looked after */
#define WRITE_MS		10
/* between two tries to join a module that is away */
#define RETRY_MS		500

/**
 * struct probe - the daemon
 * @o: options
 * @argc: main()'s, for reading the options again
 * @argv: likewise
 * @hung_up: SIGHUP came
 * @reload: options that are to come
 * @src: where records come from
 * @x: where they go
 * @signals: signalfd for SIGINT, SIGTERM and SIGHUP
 * @stats: file of --stats-json, or -1
 * @stats_ms: when the counters were last written
 * @progress_ms: when progress was last shown
 * @progress: show it: standard error is a terminal, the source a file
 */
struct probe {
	struct opts o;
	int argc;
	char **argv;
	bool hung_up;
	struct reload reload;
	struct npk_source *src;
	struct export x;
	int signals;
	int stats;
	uint64_t stats_ms;
	uint64_t progress_ms;
	bool progress;
};

static int say_errno(const char *what)
{
	fprintf(stderr, "nprobe-k: %s: %s\n", what, strerror(errno));
	return EXIT_FAILED;
}

static int open_source(struct probe *p)
{
	struct npk_source_opts so;

	settings_source(&p->o, &so);
	return npk_source_open(&so, &p->src);
}

static int source_failed(const struct probe *p, int err)
{
	fprintf(stderr, "nprobe-k: %s\n", p->src ? npk_source_error(p->src) : strerror(-err));
	return err == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

static void say_backlog(const struct probe *p)
{
	uint64_t records, age_ns;

	npk_source_backlog(p->src, &records, &age_ns);
	if (records && p->o.verbose)
		fprintf(stderr, "nprobe-k: %llu records wait%s, the oldest for %.1f s\n",
			(unsigned long long)records, p->o.discard ? " and are dropped" : "",
			(double)age_ns / NS_PER_S);
}

static int open_signals(struct probe *p)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return say_errno("sigprocmask");
	p->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return p->signals < 0 ? say_errno("signalfd") : -1;
}

/* A pipe that nobody reads is not waited for. */
static int open_stats(const char *name)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK;

	return name ? open(name, flags, 0644) : -1;
}

/* Counters that cannot be written are no reason to stop metering: said once. */
static void write_stats(struct probe *p)
{
	int err = p->stats >= 0 ? stats_json(p->stats, p->src, &p->x) : 0;

	if (!err)
		return;
	errno = -err;
	say_errno(p->o.stats_file);
	close(p->stats);
	p->stats = -1;
}

/* It may come later; but it may be a slip of the pen. */
static void note_missing(const struct iface_rules *r)
{
	unsigned int i;

	for (i = 0; i < r->nr_names; i++) {
		if (!if_nametoindex(r->names[i].name))
			fprintf(stderr, "nprobe-k: note: --if-map: there is no device %s yet\n",
				r->names[i].name);
	}
}

/* Said now, when it can still be mended, and not when somebody sends the signal. */
static void note_unreadable(const struct opts *o)
{
	if (!o->config || !access(o->config, R_OK))
		return;
	fprintf(stderr, "nprobe-k: note: SIGHUP will change nothing: user %u cannot read %s: %s\n",
		(unsigned int)geteuid(), o->config, strerror(errno));
}

static int start(struct probe *p)
{
	int err = open_source(p);
	int code = err ? source_failed(p, err) : -1;

	if (code < 0)
		code = export_open(&p->x, &p->o);
	if (code < 0) {
		p->stats = open_stats(p->o.stats_file);
		if (p->stats < 0 && p->o.stats_file)
			code = say_errno(p->o.stats_file);
	}
	/* until here nothing is under way: signals end the program as ever */
	if (code < 0)
		code = open_signals(p);
	if (code < 0 && !p->o.keep_privileges)
		code = privileges_drop(p->o.kmod);
	if (code < 0)
		code = export_begin(&p->x);
	if (code >= 0)
		return code;
	note_missing(&p->o.ifaces);
	note_unreadable(&p->o);
	p->stats_ms = monotonic_ms();
	p->progress_ms = p->stats_ms;
	p->progress = p->o.verbose && npk_source_fd(p->src) < 0 && isatty(STDERR_FILENO);
	if (p->o.verbose && npk_source_fd(p->src) >= 0)
		fprintf(stderr, "nprobe-k: metering %s, stop with Ctrl-C\n", p->o.input);
	say_backlog(p);
	write_stats(p);
	return -1;
}

/* The merged packets of a network offload cannot be told apart here. */
static void warn_merged(struct probe *p)
{
	static bool warned;
	struct npk_source_stats s;

	npk_source_stats(p->src, &s);
	if (warned || !s.merged)
		return;
	warned = true;
	fprintf(stderr, "nprobe-k: %s delivers packets longer than its MTU: %s\n", p->o.input,
		"an offload merged them, and each counts as one (ethtool -K DEV gro off tso off)");
}

static void report(struct probe *p)
{
	uint64_t now = monotonic_ms();
	struct npk_source_stats s;

	if (p->progress && now - p->progress_ms >= PROGRESS_MS) {
		p->progress_ms = now;
		npk_source_stats(p->src, &s);
		fprintf(stderr, "\rnprobe-k: %llu frames, %llu flows closed",
			(unsigned long long)s.frames, (unsigned long long)s.records);
	}
	if (now - p->stats_ms < STATS_MS)
		return;
	p->stats_ms = now;
	warn_merged(p);
	if (p->o.verbose > 1)
		stats_line(stderr, p->src, &p->x);
	write_stats(p);
}

/* The file named now, if it is another one than before. */
static bool open_next_stats(struct probe *p, int *fd)
{
	const char *name = p->reload.next.stats_file;

	*fd = p->stats;
	if (name && p->o.stats_file && !strcmp(name, p->o.stats_file))
		return true;
	*fd = open_stats(name);
	if (*fd >= 0 || !name)
		return true;
	fprintf(stderr, "nprobe-k: %s: %s; nothing was changed\n", name, strerror(errno));
	reload_forget(&p->reload);
	return false;
}

static void change_options(struct probe *p)
{
	int stats;

	if (!open_next_stats(p, &stats))
		return;
	if (!reload_finish(&p->reload, &p->o, &p->x)) {
		if (stats != p->stats)
			close(stats);
		return;
	}
	if (stats != p->stats && p->stats >= 0)
		close(p->stats);
	p->stats = stats;
	note_missing(&p->o.ifaces);
	if (p->src)		/* the module's timeouts are its own */
		npk_source_set_timeouts(p->src, p->o.idle_s * NS_PER_S, p->o.active_s * NS_PER_S);
	if (p->o.verbose && p->o.config)
		fprintf(stderr, "nprobe-k: %s was read again\n", p->o.config);
}

/* Options that were read again take effect, once there is nothing to wait for. */
static void reload(struct probe *p)
{
	bool ready = reload_ready(&p->reload);

	/* templates wait for nothing, and what was read by the old options goes out by them */
	if (p->src && (ready || p->hung_up))
		export_flush(&p->x, p->src);
	p->hung_up = false;
	if (ready)
		change_options(p);
}

/* True when told to stop. */
static bool take_signals(struct probe *p)
{
	struct signalfd_siginfo s;
	bool stop = false;

	while (read(p->signals, &s, sizeof(s)) == sizeof(s)) {
		p->hung_up |= s.ssi_signo == SIGHUP;
		stop |= s.ssi_signo != SIGHUP;
	}
	if (p->hung_up && !stop) {
		export_resend_templates(&p->x);
		reload_begin(&p->reload, &p->o, &p->x, p->argc, p->argv);
	}
	return stop;
}

/* Sleep until there is input, or room for output, or so long; true when told to stop. */
static bool sleep_until(struct probe *p, int input, int output, int timeout_ms)
{
	struct pollfd fds[3] = {
		{ .fd = p->signals, .events = POLLIN },
		{ .fd = input, .events = POLLIN },
		{ .fd = output, .events = POLLOUT },
	};

	poll(fds, 3, timeout_ms);
	return (fds[0].revents & POLLIN) && take_signals(p);
}

static int tick_ms(const struct probe *p)
{
	int due = export_wait_ms(&p->x);

	return due >= 0 && due < TICK_MS ? due : TICK_MS;
}

/* Meanwhile a device goes on being metered, if @input is its descriptor. */
static bool wait_for_reader(struct probe *p, int input)
{
	int tick = tick_ms(p);

	/* what cannot be given back yet may be input all the time, and need not lack room */
	if (export_unwritten(&p->x))
		return sleep_until(p, -1, p->x.printer.len < PRINTER_ROOM ? -1 : p->x.printer.fd,
				   tick < WRITE_MS ? tick : WRITE_MS);
	return sleep_until(p, input, p->x.printer.fd, tick);
}

/* Records that cannot be printed yet can wait in the module. */
static bool wait_for_input(struct probe *p, bool busy)
{
	int input = npk_source_fd(p->src);

	if (p->x.held || export_unwritten(&p->x))
		return wait_for_reader(p, p->o.kmod ? -1 : input);
	return sleep_until(p, input, -1, busy ? 0 : tick_ms(p));
}

/* Everything goes out now; who prints waits for the reader, but signals and counters do not. */
static int send_all(struct probe *p)
{
	int code;

	while ((code = export_run(&p->x, p->src, true)) < 0 && export_held(&p->x)) {
		report(p);
		if (wait_for_reader(p, -1))
			export_stop(&p->x);
		reload(p);
	}
	return code;
}

/*
 * The module was shut down and all its records are sent: let go of it, so that
 * it can be unloaded, and join again when it is back.  -1 joined again, else the
 * code to exit with; a signal ends the wait with success.
 */
static int wait_for_module(struct probe *p)
{
	int err, code;

	if (p->o.verbose)
		fputs("nprobe-k: the module ended its stream; waiting for it to return\n", stderr);
	for (;;) {
		npk_source_close(p->src);
		p->src = NULL;
		if (sleep_until(p, -1, -1, RETRY_MS)) {
			export_stop(&p->x);
			return 0;
		}
		reload(p);
		code = export_push(&p->x);
		if (code >= 0)
			return code;
		err = open_source(p);
		if (!err)
			break;
		if (err != -ENODEV && err != -EBUSY && err != -EACCES) {
			code = source_failed(p, err);
			npk_source_close(p->src);	/* half open: nothing to be finished */
			p->src = NULL;
			return code;
		}
	}
	if (p->o.verbose)
		fputs("nprobe-k: the module is back\n", stderr);
	say_backlog(p);
	return -1;
}

/* Until the source ends, a signal comes, or something fails. */
static int run(struct probe *p)
{
	int work, code;

	for (;;) {
		work = npk_source_work(p->src);
		code = work == NPK_WORK_SEND ? send_all(p) : export_run(&p->x, p->src, false);
		if (code >= 0)
			return code;
		report(p);
		if (work == -ENODATA && p->o.kmod) {
			code = send_all(p);
			if (code < 0 && !p->x.stop_ms)
				code = wait_for_module(p);
			if (code >= 0 || p->x.stop_ms)
				return code;
			continue;
		}
		if (work == -ENODATA)
			return -1;
		if (work < 0) {
			fprintf(stderr, "nprobe-k: %s\n", npk_source_error(p->src));
			return EXIT_FAILED;
		}
		if (p->x.stop_ms || wait_for_input(p, work)) {
			export_stop(&p->x);
			return -1;
		}
		reload(p);
	}
}

/* Close every flow and send what is left. */
static int send_rest(struct probe *p)
{
	int more, code;

	do {
		more = npk_source_expire_all(p->src);
		code = send_all(p);
		/* what the module goes on making is for who comes next */
	} while (more && code < 0 && (!p->o.kmod || p->o.flush));
	return code;
}

/* What failed before is not repeated. */
static int finish(struct probe *p)
{
	int code = p->src ? send_rest(p) : -1, last = export_finish(&p->x, p->src);

	if (code < 0)
		code = last;
	if (!p->src)	/* the module is away */
		return code;
	if (p->progress)
		fputs("\r\033[K", stderr);
	write_stats(p);
	warn_merged(p);
	if (p->o.verbose)
		stats_line(stderr, p->src, &p->x);
	return code;
}

static void stop(struct probe *p)
{
	export_close(&p->x);
	npk_source_close(p->src);
	if (p->stats >= 0)
		close(p->stats);
	if (p->signals >= 0)
		close(p->signals);
	reload_forget(&p->reload);
	opts_free(&p->o);
}

int main(int argc, char **argv)
{
	struct probe p = { .argc = argc, .argv = argv, .signals = -1, .stats = -1 };
	int code, last;

	standard_files_keep();
	signal(SIGPIPE, SIG_IGN);	/* a closed pipe is an error like any other */
	code = opts_parse(&p.o, argc, argv, NULL);

	if (code < 0)
		code = start(&p);
	if (code < 0) {
		code = run(&p);
		last = finish(&p);
		if (code <= 0)
			code = last;
	}
	stop(&p);
	return code < 0 ? 0 : code;
}
