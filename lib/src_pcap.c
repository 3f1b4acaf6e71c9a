// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Source "pcap:FILE": a capture file, metered by its own clock. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "capture.h"
#include "pcapfile.h"

/* sysUptime of the first frame: not 0, which some collectors take for "none" */
#define UPTIME_AT_START_NS	(60 * NPK_NSEC_PER_SEC)
/* expiry is looked after this often, by the time of the frames */
#define SWEEP_STEP_NS		50000000LL
/* records wait for no longer than this, by the time of the frames */
#define SEND_WITHIN_NS		(600 * (int64_t)NPK_NSEC_PER_SEC)

/**
 * struct src_pcap - a file
 * @c: base, first member
 * @file: reads the file when it is of the common form; else libpcap does
 * @own: header of the frame from @file
 * @header: of the frame that waits for the clock to jump, or NULL
 * @data: its octets
 * @fd: a pipe's descriptor, to be polled; -1 for regular files
 * @waiting_ns: time of the frames when the oldest unsent record was made
 */
struct src_pcap {
	struct npk_capture c;
	struct npk_pcapfile file;
	struct pcap_pkthdr own;
	struct pcap_pkthdr *header;
	const u_char *data;
	int fd;
	uint64_t waiting_ns;
};

/**
 * struct survey - what a first pass over a file finds
 * @frames: complete frames
 * @earliest_ns: earliest frame, nanoseconds since 1970
 */
struct survey {
	uint64_t frames;
	uint64_t earliest_ns;
};

static void survey_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct survey *s = (struct survey *)user;
	uint64_t ns = npk_capture_header_ns(h);

	(void)data;
	if (!s->frames++ || ns < s->earliest_ns)
		s->earliest_ns = ns;
}

static int open_file(struct npk_capture *c, FILE **file, bool *regular)
{
	struct stat st;
	int err;

	*file = fopen(c->arg, "rb");
	if (!*file)
		return npk_source_fail(&c->src, -errno, "pcap:%s: %s", c->arg, strerror(errno));
	err = fstat(fileno(*file), &st) ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
	if (err) {
		fclose(*file);
		return npk_source_fail(&c->src, -err, "pcap:%s: %s", c->arg, strerror(err));
	}
	*regular = S_ISREG(st.st_mode);
	if (!*regular)		/* what stdio holds back, poll() does not see */
		setvbuf(*file, NULL, _IONBF, 0);
	return 0;
}

static int open_pcap(struct npk_capture *c, FILE *file)
{
	char err[PCAP_ERRBUF_SIZE] = "";

	c->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, err);
	if (!c->pcap) {
		fclose(file);
		return npk_source_fail(&c->src, -EBADMSG, "pcap:%s: not a capture file (%s)",
				       c->arg, err);
	}
	return npk_capture_check_link(c);
}

/* False when the file is not of the common form, or odd: libpcap says what it is. */
static bool survey_quickly(struct src_pcap *p, struct survey *s)
{
	struct pcap_pkthdr h;
	const u_char *data;
	int n;

	if (!npk_pcapfile_open(&p->file, p->c.pcap))
		return false;
	do {
		while ((n = npk_pcapfile_next(&p->file, &h, &data)) > 0)
			survey_frame((u_char *)s, &h, data);
	} while (!n && (n = npk_pcapfile_read(&p->file)) > 0);
	if (n < 0)
		npk_pcapfile_close(&p->file);
	else
		npk_pcapfile_rewind(&p->file);
	return !n;
}

/* Leaves no handle: it is to be opened again. */
static int survey_by_libpcap(struct npk_capture *c, struct survey *s)
{
	int n;

	do {
		n = pcap_dispatch(c->pcap, -1, survey_frame, (u_char *)s);
	} while (n > 0);
	if (n < 0)
		return npk_source_fail(&c->src, -EBADMSG,
				       "pcap:%s: %s after %llu complete frames", c->arg,
				       pcap_geterr(c->pcap), (unsigned long long)s->frames);
	pcap_close(c->pcap);
	c->pcap = NULL;
	return 0;
}

/*
 * A file that was cut short is refused before anything is exported, and the
 * earliest frame, which need not be the first, is where its clock begins.
 */
static int survey_file(struct src_pcap *p)
{
	struct npk_capture *c = &p->c;
	struct survey s = {};
	int err = 0;

	if (!survey_quickly(p, &s)) {
		s = (struct survey){};
		err = survey_by_libpcap(c, &s);
	}
	c->boot_ns = s.earliest_ns > UPTIME_AT_START_NS ? s.earliest_ns - UPTIME_AT_START_NS : 0;
	c->meter.now_ns = s.earliest_ns;
	c->meter.swept_ns = s.earliest_ns;
	return err;
}

static int open_once(struct npk_capture *c, bool *regular)
{
	FILE *file;
	int err = open_file(c, &file, regular);

	return err ? err : open_pcap(c, file);
}

static int open_surveyed(struct npk_capture *c)
{
	struct src_pcap *p = (struct src_pcap *)c;
	bool regular;
	int err = open_once(c, &regular);

	if (err)
		return err;
	if (!regular) {		/* a pipe is read once, as it comes */
		p->fd = fileno(pcap_file(c->pcap));
		return 0;
	}
	err = survey_file(p);
	return err || c->pcap ? err : open_once(c, &regular);
}

static int src_pcap_open(const char *arg, const struct npk_source_opts *opts,
			 struct npk_source **out)
{
	struct npk_capture *c;
	int err = npk_capture_new(&npk_src_pcap, sizeof(struct src_pcap), arg, opts, &c);

	*out = c ? &c->src : NULL;
	if (c)
		((struct src_pcap *)c)->fd = -1;
	if (err)
		return err;
	err = open_surveyed(c);
	return err ? err : npk_capture_compile(c, opts->filter);
}

static int src_pcap_fd(const struct npk_source *src)
{
	return ((const struct src_pcap *)src)->fd;
}

/* A pipe may have nothing to say for a while; a file never blocks. */
static bool would_block(const struct src_pcap *p)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };

	return p->fd >= 0 && !poll(&pfd, 1, 0);
}

/*
 * A frame after a gap in which every flow ended: close them first, with the
 * time at which the last one was due, so that what is exported is no further
 * from the present than a format can say (2^32 ms).  A frame from further back
 * in time than the idle timeout ends all flows as well.  True when the clock
 * may go to @ns, which is when no record waits to be sent.
 */
static bool bridge_gap(struct src_pcap *p, uint64_t ns)
{
	struct npk_meter *m = &p->c.meter;

	if (!m->table.nr_flows)
		return p->c.head == p->c.tail;
	if (ns > m->now_ns)
		npk_meter_sweep(m, m->now_ns + m->limits.idle_ns + NPK_TICK_SLACK_NS,
				NPK_SWEEP_ALL);
	else
		npk_meter_expire_all(m, m->table.nr_buckets);
	return false;
}

static bool is_gap(const struct npk_capture *c, uint64_t ns)
{
	uint64_t idle = c->meter.limits.idle_ns, now = c->meter.now_ns;

	if (c->nr_pkts && c->taken_ns > now)
		now = c->taken_ns;
	return ns > now + idle * 5 / 4 || ns + idle < now;
}

/* Have records waited for so long, by the time of the frames, that they must go? */
static bool must_send(struct src_pcap *p, uint64_t ns)
{
	if (p->c.head == p->c.tail)
		p->waiting_ns = ns;
	return (int64_t)(ns - p->waiting_ns) > SEND_WITHIN_NS;
}

/* One frame: 1 done, 0 it waits until the records were sent. */
static int meter_frame(struct src_pcap *p)
{
	struct npk_meter *m = &p->c.meter;
	uint64_t ns = npk_capture_header_ns(p->header);

	if (is_gap(&p->c, ns)) {
		npk_capture_meter(&p->c);
		if (!bridge_gap(p, ns))
			return 0;
		m->now_ns = ns;
		m->swept_ns = ns;
		p->waiting_ns = ns;
	}
	if (must_send(p, ns))
		return 0;
	if (npk_capture_wants(&p->c, p->header, p->data))
		npk_capture_frame(&p->c, p->header, p->data, ns);
	p->header = NULL;
	if ((int64_t)(ns - m->swept_ns) >= SWEEP_STEP_NS) {
		npk_capture_meter(&p->c);
		npk_meter_sweep(m, ns, NPK_SWEEP_ALL);
	}
	return 1;
}

/* The next frame becomes the one that waits: 1, 0 when there was none, -errno at the end. */
static int next_by_libpcap(struct src_pcap *p)
{
	int n;

	npk_capture_meter(&p->c);	/* libpcap has one frame at a time */
	if (would_block(p))
		return 0;
	n = pcap_next_ex(p->c.pcap, &p->header, &p->data);
	if (n != 1)
		p->header = NULL;
	return n == PCAP_ERROR_BREAK ? -ENODATA : n < 0 ? npk_capture_failed(&p->c) : n;
}

static int next_frame(struct src_pcap *p)
{
	int n;

	if (!p->file.buf)
		return next_by_libpcap(p);
	while (!(n = npk_pcapfile_next(&p->file, &p->own, &p->data))) {
		npk_capture_meter(&p->c);
		n = npk_pcapfile_read(&p->file);
		if (n <= 0)
			break;
	}
	if (n < 0 && n != -EBADMSG)
		return npk_source_fail(&p->c.src, n, "pcap:%s: %s", p->c.arg, strerror(-n));
	if (n < 0)	/* the survey found no such thing */
		return npk_source_fail(&p->c.src, -EIO, "pcap:%s: changed while it was read",
				       p->c.arg);
	if (!n)
		return -ENODATA;
	p->header = &p->own;
	return 1;
}

static int take_frames(struct src_pcap *p)
{
	unsigned int i;
	int n;

	for (i = 0; i < NPK_BATCH; i++) {
		n = p->header ? 1 : next_frame(p);
		if (n <= 0)
			return n ? n : NPK_WORK_WAIT;
		if (!meter_frame(p))
			return NPK_WORK_SEND;
	}
	return NPK_WORK_MORE;
}

static int src_pcap_work(struct npk_source *src)
{
	struct src_pcap *p = (struct src_pcap *)src;
	int work;

	if (!npk_capture_ready(&p->c))
		return NPK_WORK_MORE;
	work = take_frames(p);
	npk_capture_meter(&p->c);
	return work;
}

static void src_pcap_close(struct npk_source *src)
{
	npk_pcapfile_close(&((struct src_pcap *)src)->file);
	npk_capture_close(src);
}

static void src_pcap_clock(const struct npk_source *src, struct npk_clock *clock)
{
	const struct npk_capture *c = (const struct npk_capture *)src;

	clock->now_ns = c->meter.now_ns;
	clock->offset_ns = 0;
	clock->boot_ns = c->boot_ns;
}

const struct npk_source_ops npk_src_pcap = {
	.prefix = "pcap:",
	.open = src_pcap_open,
	.check = npk_capture_check,
	.set_timeouts = npk_capture_set_timeouts,
	.close = src_pcap_close,
	.fd = src_pcap_fd,
	.work = src_pcap_work,
	.expire_all = npk_capture_expire_all,
	.peek = npk_capture_peek,
	.release = npk_capture_release,
	.clock = src_pcap_clock,
	.stats = npk_capture_stats,
};
