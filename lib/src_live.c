// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Source "live:DEV": packets of a device through libpcap, both directions, for
 * hosts without the module.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "clockns.h"

/* headers only: tags, labels, a long chain of IPv6 extension headers */
#define SNAPLEN		512
#define BUFFER_OCTETS	(64 << 20)
/* libpcap hands a partly filled block over after so long */
#define BLOCK_MS	50
/* Ethernet header and three tags above the device's MTU */
#define L2_MAX		(14 + 3 * 4)

/* what arrived before the end is waited for so long, and no longer than that */
#define LAST_FRAMES_NS	(2 * BLOCK_MS * 1000000ULL)
#define LAST_FRAMES_MAX_NS NPK_NSEC_PER_SEC

/**
 * struct src_live - a device
 * @c: base, first member
 * @offset_ns: wall clock minus the record clock, as of the present batch
 * @batch_ns: record clock at the start of the present batch
 * @frame: octets of the frames that were taken and not metered yet: libpcap's own are gone
 *	when the kernel has the block back
 * @ended_ns: when npk_source_expire_all() was first called, or 0
 */
struct src_live {
	struct npk_capture c;
	int64_t offset_ns;
	uint64_t batch_ns;
	uint8_t frame[NPK_BATCH_PACKETS][SNAPLEN];
	uint64_t ended_ns;
};

static int activate_failed(struct npk_capture *c, int status)
{
	const char *why = pcap_geterr(c->pcap);

	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return npk_source_fail(&c->src, -ENODEV, "live:%s: no such device", c->arg);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return npk_source_fail(&c->src, -EACCES,
				       "live:%s: no permission to capture (needs root)", c->arg);
	case PCAP_ERROR_IFACE_NOT_UP:
		return npk_source_fail(&c->src, -ENETDOWN, "live:%s: the device is down", c->arg);
	}
	return npk_source_fail(&c->src, -EIO, "live:%s: %s", c->arg,
			       *why ? why : pcap_statustostr(status));
}

static int activate(struct npk_capture *c)
{
	char err[PCAP_ERRBUF_SIZE] = "";
	int status;

	c->pcap = pcap_create(c->arg, err);
	if (!c->pcap)
		return npk_source_fail(&c->src, -EIO, "live:%s: %s", c->arg, err);
	pcap_set_snaplen(c->pcap, SNAPLEN);
	pcap_set_promisc(c->pcap, 1);
	pcap_set_timeout(c->pcap, BLOCK_MS);
	pcap_set_buffer_size(c->pcap, BUFFER_OCTETS);
	pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
	status = pcap_activate(c->pcap);
	if (status < 0)
		return activate_failed(c, status);
	if (pcap_get_tstamp_precision(c->pcap) != PCAP_TSTAMP_PRECISION_NANO)
		return npk_source_fail(&c->src, -EIO, "live:%s: no nanosecond time stamps", c->arg);
	if (pcap_setnonblock(c->pcap, 1, err))
		return npk_source_fail(&c->src, -EIO, "live:%s: %s", c->arg, err);
	return npk_capture_check_link(c);
}

/* Longest frame that can be a single packet; longer ones were merged. */
static uint32_t device_max_len(const char *device)
{
	struct ifreq ifr = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t len = 0;

	if (fd < 0)
		return 0;
	strncpy(ifr.ifr_name, device, sizeof(ifr.ifr_name) - 1);
	if (!ioctl(fd, SIOCGIFMTU, &ifr))
		len = (uint32_t)ifr.ifr_mtu + L2_MAX;
	close(fd);
	return len;
}

/* The kernel runs the filter: what it rejects is not copied, and not counted. */
static int set_filter(struct npk_capture *c, const char *expression)
{
	int err = npk_capture_compile(c, expression);

	if (err || !c->filtered)
		return err;
	if (pcap_setfilter(c->pcap, &c->filter))
		return npk_source_fail(&c->src, -EIO, "live:%s: filter: %s", c->arg,
				       pcap_geterr(c->pcap));
	c->filtered = false;
	return 0;
}

static int src_live_open(const char *arg, const struct npk_source_opts *opts,
			 struct npk_source **out)
{
	struct npk_capture *c;
	int err = npk_capture_new(&npk_src_live, sizeof(struct src_live), arg, opts, &c);

	*out = c ? &c->src : NULL;
	if (err)
		return err;
	err = activate(c);
	if (err)
		return err;
	c->ifindex = if_nametoindex(arg);
	c->max_len = device_max_len(arg);
	c->meter.now_ns = npk_clock_ns(CLOCK_MONOTONIC);
	c->meter.swept_ns = c->meter.now_ns;
	return set_filter(c, opts->filter);
}

static int src_live_fd(const struct npk_source *src)
{
	return pcap_get_selectable_fd(((const struct npk_capture *)src)->pcap);
}

static void src_live_clock(const struct npk_source *src, struct npk_clock *clock)
{
	(void)src;
	*clock = npk_clock_now();	/* counts from the start of the system */
}

/* A frame's time is wall clock and becomes monotonic. */
static void take_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct src_live *l = (struct src_live *)user;
	uint64_t ns = npk_capture_header_ns(h) - (uint64_t)l->offset_ns;
	uint8_t *copy = l->frame[l->c.nr_pkts];
	struct pcap_pkthdr head = *h;

	if (!npk_capture_wants(&l->c, h, data))
		return;
	if (head.caplen > SNAPLEN)
		head.caplen = SNAPLEN;
	memcpy(copy, data, head.caplen);
	/* a wall clock stepped in between must not put a frame into the future */
	npk_capture_frame(&l->c, &head, copy, ns > l->batch_ns ? l->batch_ns : ns);
}

/* One batch; its frames' times are converted with the offset of now. */
static int dispatch(struct src_live *l)
{
	struct npk_clock clock;
	int n;

	src_live_clock(&l->c.src, &clock);
	l->offset_ns = clock.offset_ns;
	l->batch_ns = clock.now_ns;
	n = pcap_dispatch(l->c.pcap, NPK_BATCH, take_frame, (u_char *)l);
	npk_capture_meter(&l->c);
	return n;
}

static int src_live_work(struct npk_source *src)
{
	struct npk_capture *c = (struct npk_capture *)src;
	int n = npk_capture_ready(c) ? dispatch((struct src_live *)src) : 1;

	if (n < 0)
		return npk_capture_failed(c);
	npk_meter_sweep(&c->meter, npk_clock_ns(CLOCK_MONOTONIC), NPK_SWEEP_ALL);
	return n ? NPK_WORK_MORE : NPK_WORK_WAIT;
}

/*
 * Frames that arrived before the end may still be in a block that the kernel
 * has not handed over.  True when they are all metered.
 */
static bool take_last_frames(struct src_live *l)
{
	struct pollfd p = { .fd = pcap_get_selectable_fd(l->c.pcap), .events = POLLIN };
	uint64_t past;
	int n;

	if (!l->ended_ns)
		l->ended_ns = npk_clock_ns(CLOCK_MONOTONIC);
	do {
		if (!npk_capture_ready(&l->c))
			return false;
		n = dispatch(l);
		if (!n)
			poll(&p, 1, BLOCK_MS / 5);
		past = npk_clock_ns(CLOCK_MONOTONIC) - l->ended_ns;
	} while (n >= 0 && past < (n ? LAST_FRAMES_MAX_NS : LAST_FRAMES_NS));
	return true;
}

static int src_live_expire_all(struct npk_source *src)
{
	return take_last_frames((struct src_live *)src) ? npk_capture_expire_all(src) : 1;
}

static void src_live_stats(const struct npk_source *src, struct npk_source_stats *stats)
{
	const struct npk_capture *c = (const struct npk_capture *)src;
	struct pcap_stat ps;

	npk_capture_stats(src, stats);
	if (!pcap_stats(c->pcap, &ps))
		stats->dropped = (uint64_t)ps.ps_drop + ps.ps_ifdrop;
}

const struct npk_source_ops npk_src_live = {
	.prefix = "live:",
	.open = src_live_open,
	.check = npk_capture_check,
	.set_timeouts = npk_capture_set_timeouts,
	.close = npk_capture_close,
	.fd = src_live_fd,
	.work = src_live_work,
	.expire_all = src_live_expire_all,
	.peek = npk_capture_peek,
	.release = npk_capture_release,
	.clock = src_live_clock,
	.stats = src_live_stats,
};
