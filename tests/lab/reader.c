// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least a reader can do: it looks at the packets of every record and moves its
 * position, so that what a record costs beside it is the kernel's.
 *
 *   reader              reads until the stream ends or SIGTERM; says what it read
 *   reader flush        has every flow closed
 *   reader discard      drops what waits, and is gone
 *   reader shutdown     stops metering, ends the stream
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <nprobe_k.h>

#define PAGE	4096UL

/**
 * struct ring - one mapped ring
 * @prod: the module's page
 * @cons: the reader's
 * @data: records
 */
struct ring {
	const struct npk_prod *prod;
	struct npk_cons *cons;
	const uint8_t *data;
};

/**
 * struct seen - what was read
 * @records: records
 * @packets: packets of all of them
 * @most: packets of the one with most
 * @ns: processor time it took to look at them
 */
struct seen {
	uint64_t records;
	uint64_t packets;
	uint64_t most;
	uint64_t ns;
};

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *map(int fd, size_t size, int prot, uint32_t ring, uint32_t region)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED | MAP_POPULATE, fd,
		       (off_t)NPK_MMAP_OFFSET(ring, region));

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static int join(uint32_t flags)
{
	struct npk_join j = { .group = "default", .flags = flags };
	int fd = open("/dev/nprobe_k", O_RDWR);

	if (fd < 0)
		die("/dev/nprobe_k");
	if (ioctl(fd, NPK_IOC_JOIN, &j))
		die("join");
	return fd;
}

static struct ring *map_rings(int fd, const struct npk_info *info)
{
	size_t size = (info->slots * (size_t)info->rec_size + PAGE - 1) & ~(PAGE - 1);
	struct ring *r = calloc(info->nr_rings, sizeof(*r));
	uint32_t i;

	if (!r)
		die("rings");
	for (i = 0; i < info->nr_rings; i++) {
		r[i].prod = map(fd, PAGE, PROT_READ, i, NPK_REGION_PROD);
		r[i].cons = map(fd, PAGE, PROT_READ | PROT_WRITE, i, NPK_REGION_CONS);
		r[i].data = map(fd, size, PROT_READ, i, NPK_REGION_DATA);
	}
	return r;
}

static uint64_t processor_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t))
		die("clock_gettime");
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* All there is in a ring. */
static void take(struct ring *r, const struct npk_info *info, struct seen *s)
{
	uint64_t head = __atomic_load_n(&r->prod->head, __ATOMIC_ACQUIRE);
	uint64_t tail = r->cons->tail;
	const struct npk_rec *rec;

	s->records += head - tail;
	for (; tail != head; tail++) {
		rec = (const void *)(r->data + (tail & (info->slots - 1)) * info->rec_size);
		s->packets += rec->packets;
		if (rec->packets > s->most)
			s->most = rec->packets;
	}
	__atomic_store_n(&r->cons->tail, tail, __ATOMIC_RELEASE);
}

static void drain(void)
{
	struct pollfd p = { .fd = join(0), .events = POLLIN };
	const struct npk_info *info = map(p.fd, PAGE, PROT_READ, 0, NPK_REGION_INFO);
	struct ring *rings = map_rings(p.fd, info);
	struct seen s = {};
	uint64_t began;
	uint32_t i;

	while (!stop && !(p.revents & POLLHUP)) {
		poll(&p, 1, -1);
		began = processor_ns();
		for (i = 0; i < info->nr_rings; i++)
			take(&rings[i], info, &s);
		s.ns += processor_ns() - began;
	}
	printf("reader records %llu packets %llu most %llu ns %llu\n",
	       (unsigned long long)s.records, (unsigned long long)s.packets,
	       (unsigned long long)s.most, (unsigned long long)s.ns);
}

static int command(unsigned long request)
{
	int fd = open("/dev/nprobe_k", O_RDWR);

	return fd < 0 || ioctl(fd, request) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_term };
	const char *what = argc > 1 ? argv[1] : "";

	sigaction(SIGTERM, &sa, NULL);
	if (!strcmp(what, "flush"))
		return command(NPK_IOC_FLUSH);
	if (!strcmp(what, "shutdown"))
		return command(NPK_IOC_SHUTDOWN);
	if (!strcmp(what, "discard"))
		join(NPK_JOIN_DISCARD);
	else
		drain();
	return 0;
}
