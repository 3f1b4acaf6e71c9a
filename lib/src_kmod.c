// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Source "kmod[:GROUP[/MEMBER]]": the rings of the kernel module; how they are
 * read is in rings.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kmod/core/parse.h"
#include "clockns.h"
#include "rings.h"
#include "source.h"

#define DEVICE		"/dev/nprobe_k"
#define PROC		"/proc/net/nprobe_k/"
/* after a flush: quiet for so long means that all flows are out */
#define QUIET_MS	300
#define FLUSH_MAX_MS	3000

/**
 * struct src_kmod - a member of a group
 * @src: base, first member
 * @fd: joined file, or -1
 * @join: what was joined, and the backlog found
 * @info: the module's first page, copied
 * @rings: @info.nr_rings of them
 * @ended: the module ended the stream
 * @flush: close all flows at the end
 * @flush_ms: when that was asked for, monotonic, or 0
 * @quiet_ms: when the last record came after it
 */
struct src_kmod {
	struct npk_source src;
	int fd;
	struct npk_join join;
	struct npk_info info;
	struct npk_rings rings;
	bool ended;
	bool flush;
	uint64_t flush_ms;
	uint64_t quiet_ms;
};

static struct src_kmod *to_kmod(const struct npk_source *src)
{
	return (struct src_kmod *)src;
}

static size_t data_size(const struct npk_info *info)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return ((size_t)info->slots * info->rec_size + page - 1) & ~(page - 1);
}

static void *map(struct src_kmod *k, uint32_t ring, enum npk_region region, size_t size)
{
	int prot = region == NPK_REGION_CONS ? PROT_READ | PROT_WRITE : PROT_READ;
	void *p = mmap(NULL, size, prot, MAP_SHARED, k->fd, (off_t)NPK_MMAP_OFFSET(ring, region));

	return p == MAP_FAILED ? NULL : p;
}

/* "GROUP[/MEMBER]" or nothing */
static int parse_arg(struct src_kmod *k, const char *arg)
{
	const char *slash = strchrnul(arg, '/');
	char *end = NULL;

	if (!*arg) {
		strcpy(k->join.group, "default");
		return 0;
	}
	if (slash == arg || (size_t)(slash - arg) >= sizeof(k->join.group))
		return npk_source_fail(&k->src, -EINVAL, "kmod:%s: not GROUP or GROUP/MEMBER", arg);
	memcpy(k->join.group, arg, (size_t)(slash - arg));
	if (!*slash)
		return 0;
	k->join.member = (uint32_t)strtoul(slash + 1, &end, 10);
	if (end == slash + 1 || *end || slash[1] == '-' || slash[1] == '+')
		return npk_source_fail(&k->src, -EINVAL, "kmod:%s: not GROUP or GROUP/MEMBER", arg);
	return 0;
}

static int open_device(struct src_kmod *k)
{
	k->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (k->fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		return npk_source_fail(&k->src, -ENODEV,
				       "kmod: the module is not loaded (no " DEVICE ")");
	return npk_source_fail(&k->src, -errno, DEVICE ": %s", strerror(errno));
}

static int join(struct src_kmod *k)
{
	if (!ioctl(k->fd, NPK_IOC_JOIN, &k->join))
		return 0;
	if (errno == ENOENT)
		return npk_source_fail(&k->src, -ENOENT,
				       "kmod: the module has no group %s with a member %u",
				       k->join.group, k->join.member);
	if (errno == EBUSY)
		return npk_source_fail(&k->src, -EBUSY,
				       "kmod: group %s, member %u has a reader already",
				       k->join.group, k->join.member);
	return npk_source_fail(&k->src, -errno, DEVICE ": cannot join: %s", strerror(errno));
}

static int map_info(struct src_kmod *k)
{
	const struct npk_info *info = map(k, 0, NPK_REGION_INFO, (size_t)sysconf(_SC_PAGESIZE));

	if (!info)
		return npk_source_fail(&k->src, -errno, DEVICE ": mmap: %s", strerror(errno));
	k->info = *info;
	munmap((void *)info, (size_t)sysconf(_SC_PAGESIZE));
	if (k->info.magic != NPK_INFO_MAGIC || k->info.abi_major != NPK_ABI_MAJOR ||
	    k->info.rec_size < sizeof(struct npk_rec))
		return npk_source_fail(&k->src, -EPROTO,
				       "kmod: the module speaks ABI %u.%u, this library %u.%u",
				       k->info.abi_major, k->info.abi_minor, NPK_ABI_MAJOR,
				       NPK_ABI_MINOR);
	k->rings.ring = calloc(k->info.nr_rings, sizeof(*k->rings.ring));
	if (!k->rings.ring)
		return -ENOMEM;
	k->rings.nr = k->info.nr_rings;
	k->rings.slots = k->info.slots;
	k->rings.rec_size = k->info.rec_size;
	return 0;
}

static int map_ring(struct src_kmod *k, uint32_t i)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct npk_ring_map *r = &k->rings.ring[i];

	r->prod = map(k, i, NPK_REGION_PROD, page);
	r->cons = r->prod ? map(k, i, NPK_REGION_CONS, page) : NULL;
	r->data = r->cons ? map(k, i, NPK_REGION_DATA, data_size(&k->info)) : NULL;
	if (!r->data)
		return npk_source_fail(&k->src, -errno, DEVICE ": mmap: %s", strerror(errno));
	npk_ring_begin(r);
	return 0;
}

static int set_up(struct src_kmod *k)
{
	uint32_t i;
	int err = open_device(k);

	if (!err)
		err = join(k);
	if (!err)
		err = map_info(k);
	for (i = 0; !err && i < k->info.nr_rings; i++)
		err = map_ring(k, i);
	return err;
}

static int make(const char *arg, const struct npk_source_opts *opts, struct src_kmod **out)
{
	struct src_kmod *k = calloc(1, sizeof(*k));

	*out = k;
	if (!k)
		return -ENOMEM;
	k->src.ops = &npk_src_kmod;
	k->fd = -1;
	k->flush = opts->flush;
	if (opts->discard)
		k->join.flags = NPK_JOIN_DISCARD;
	return parse_arg(k, *arg == ':' ? arg + 1 : arg);
}

static int src_kmod_check(const struct npk_source_ops *ops, const char *arg,
			  const struct npk_source_opts *opts, struct npk_source **out)
{
	struct src_kmod *k;
	int err = make(arg, opts, &k);

	(void)ops;
	*out = k ? &k->src : NULL;
	return err;
}

static int src_kmod_open(const char *arg, const struct npk_source_opts *opts,
			 struct npk_source **out)
{
	struct src_kmod *k;
	int err = make(arg, opts, &k);

	*out = k ? &k->src : NULL;
	return err ? err : set_up(k);
}

static void src_kmod_close(struct npk_source *src)
{
	struct src_kmod *k = to_kmod(src);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint32_t i;

	for (i = 0; i < k->rings.nr; i++) {
		struct npk_ring_map *r = &k->rings.ring[i];

		if (r->prod)
			munmap((void *)r->prod, page);
		if (r->cons)
			munmap(r->cons, page);
		if (r->data)
			munmap((void *)r->data, data_size(&k->info));
	}
	free(k->rings.ring);
	if (k->fd >= 0)
		close(k->fd);
	free(k);
}

static int src_kmod_fd(const struct npk_source *src)
{
	return to_kmod(src)->fd;
}

static int src_kmod_work(struct npk_source *src)
{
	struct src_kmod *k = to_kmod(src);
	struct pollfd p = { .fd = k->fd, .events = POLLIN };
	uint64_t before = k->rings.shown;

	npk_rings_look(&k->rings);
	if (k->rings.shown == k->rings.released && poll(&p, 1, 0) == 1 && p.revents & POLLHUP)
		k->ended = true;
	if (k->ended)
		return -ENODATA;
	return k->rings.shown != before ? NPK_WORK_MORE : NPK_WORK_WAIT;
}

static size_t src_kmod_peek(struct npk_source *src, const struct npk_rec **recs, size_t max)
{
	struct src_kmod *k = to_kmod(src);

	npk_rings_look(&k->rings);
	return npk_rings_peek(&k->rings, recs, max);
}

static void src_kmod_release(struct npk_source *src, size_t nr_recs)
{
	npk_rings_release(&to_kmod(src)->rings, nr_recs);
}

/*
 * The module's flows stay for whoever joins next, unless a flush was asked for:
 * then records are taken until no more come.
 */
static int src_kmod_expire_all(struct npk_source *src)
{
	struct src_kmod *k = to_kmod(src);
	uint64_t before = k->rings.shown, now = npk_clock_ns(CLOCK_MONOTONIC) / 1000000;

	npk_rings_limit(&k->rings);	/* or a module that is fast enough were never read empty */
	npk_rings_look(&k->rings);
	if (!k->flush || k->ended)
		return k->rings.shown != before;
	if (!k->flush_ms) {
		if (ioctl(k->fd, NPK_IOC_FLUSH))
			return 0;
		k->flush_ms = now;
		k->quiet_ms = now;
	}
	if (k->rings.shown != before)
		k->quiet_ms = now;
	else
		usleep(10000);
	return now - k->quiet_ms < QUIET_MS && now - k->flush_ms < FLUSH_MAX_MS;
}

static void src_kmod_clock(const struct npk_source *src, struct npk_clock *clock)
{
	(void)src;
	*clock = npk_clock_now();
}

static void src_kmod_backlog(const struct npk_source *src, uint64_t *records, uint64_t *age_ns)
{
	const struct src_kmod *k = to_kmod(src);
	struct npk_clock clock;

	src_kmod_clock(src, &clock);
	*records = k->join.backlog;
	*age_ns = k->join.backlog ? clock.now_ns - k->join.oldest_ns : 0;
}

/* A counter of the own group, "lost.default.packets", without its name; only these have one. */
static const char *without_group(const struct src_kmod *k, const char *name, char *out, size_t size)
{
	const char *dot = strchr(name, '.');
	size_t len = strlen(k->join.group);

	if (strncmp(name, "published.", 10) && strncmp(name, "lost.", 5))
		return name;
	if (strncmp(dot + 1, k->join.group, len) || dot[1 + len] != '.')
		return name;
	snprintf(out, size, "%.*s%s", (int)(dot - name), name, dot + 1 + len);
	return out;
}

/* One "name value" line of the module's counters. */
static void take_stat(struct npk_source_stats *s, const char *name, uint64_t value)
{
	const struct { const char *name; uint64_t *where; } plain[] = {
		{ "frames", &s->frames },
		{ "seen.packets", &s->seen },
		{ "unparsed.packets", &s->unparsed.packets },
		{ "unparsed.octets", &s->unparsed.octets },
		{ "accounted.packets", &s->accounted.packets },
		{ "accounted.octets", &s->accounted.octets },
		{ "live.packets", &s->live.packets },
		{ "live.octets", &s->live.octets },
		{ "published.packets", &s->published.packets },
		{ "published.octets", &s->published.octets },
		{ "published.records", &s->records },
		{ "lost.packets", &s->lost.packets },
		{ "lost.octets", &s->lost.octets },
		{ "lost.records", &s->lost_records },
		{ "early.flows", &s->early },
		{ "flows", &s->flows },
		{ "slots", &s->slots },
	};
	unsigned int i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (!strcmp(name, plain[i].name))
			*plain[i].where = value;
	}
	for (i = 0; i < s->nr_ignored; i++) {
		char full[64];

		snprintf(full, sizeof(full), "ignored.%s.packets", s->ignored[i].name);
		if (!strcmp(name, full))
			s->ignored[i].packets = value;
	}
}

/* And of its settings. */
static void take_setting(struct npk_source_stats *s, const char *name, uint64_t value)
{
	if (!strcmp(name, "active"))
		s->active_ns = value * NPK_NSEC_PER_SEC;
	if (!strcmp(name, "idle"))
		s->idle_ns = value * NPK_NSEC_PER_SEC;
}

/* The lines whose value is a number. */
static void take_file(const struct src_kmod *k, const char *path, struct npk_source_stats *stats,
		      void (*take)(struct npk_source_stats *s, const char *name, uint64_t value))
{
	FILE *f = fopen(path, "r");
	char line[128], name[64], plain[64];
	unsigned long long value;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %llu", name, &value) == 2)
			take(stats, without_group(k, name, plain, sizeof(plain)), value);
	}
	if (f)
		fclose(f);
}

static void src_kmod_stats(const struct npk_source *src, struct npk_source_stats *stats)
{
	unsigned int i;

	for (i = 1; i < __NPK_IGN_MAX; i++)
		stats->ignored[stats->nr_ignored++].name = npk_ignored_name(i);
	take_file(to_kmod(src), PROC "stats", stats, take_stat);
	take_file(to_kmod(src), PROC "config", stats, take_setting);
}

const struct npk_source_ops npk_src_kmod = {
	.prefix = "kmod",
	.open = src_kmod_open,
	.check = src_kmod_check,
	.close = src_kmod_close,
	.fd = src_kmod_fd,
	.work = src_kmod_work,
	.expire_all = src_kmod_expire_all,
	.peek = src_kmod_peek,
	.release = src_kmod_release,
	.clock = src_kmod_clock,
	.stats = src_kmod_stats,
	.backlog = src_kmod_backlog,
};
