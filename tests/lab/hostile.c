// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader that does everything wrong.  What the module must refuse is checked
 * here; what it must survive is checked by the script that runs this.
 *
 *   hostile refusals            every wrong call fails, with the right error
 *   hostile garbage SECONDS     nonsense positions, as fast as possible
 *   hostile fork                children that inherit the mapping and die
 *   hostile shutdown            stop metering, end the stream
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <nprobe_k.h>

static int bad;

static void expect(bool ok, const char *what)
{
	if (ok)
		return;
	printf("FAILED: %s (%s)\n", what, strerror(errno));
	bad = 1;
}

static int open_device(void)
{
	int fd = open("/dev/nprobe_k", O_RDWR);

	if (fd < 0) {
		perror("/dev/nprobe_k");
		exit(1);
	}
	return fd;
}

static int join(int fd, const char *group, uint32_t member, uint32_t flags)
{
	struct npk_join j = { .member = member, .flags = flags };

	memcpy(j.group, group, strlen(group));
	return ioctl(fd, NPK_IOC_JOIN, &j) ? -errno : 0;
}

static void *map(int fd, size_t size, int prot, int flags, unsigned long long offset)
{
	return mmap(NULL, size, prot, flags, fd, (off_t)offset);
}

static void expect_no_map(int fd, size_t size, int prot, int flags, unsigned long long offset,
			  int err, const char *what)
{
	void *p = map(fd, size, prot, flags, offset);

	expect(p == MAP_FAILED && errno == err, what);
	if (p != MAP_FAILED)
		munmap(p, size);
}

static struct npk_info *map_info(int fd)
{
	struct npk_info *info = map(fd, 4096, PROT_READ, MAP_SHARED,
				    NPK_MMAP_OFFSET(0, NPK_REGION_INFO));

	if (info == MAP_FAILED) {
		perror("mmap info");
		exit(1);
	}
	return info;
}

static size_t data_size(const struct npk_info *info)
{
	return ((size_t)info->slots * info->rec_size + 4095) & ~4095UL;
}

static void refuse_maps(int fd, const struct npk_info *info)
{
	const int rw = PROT_READ | PROT_WRITE;
	size_t data = data_size(info);
	void *p;

	expect_no_map(fd, 4096, rw, MAP_SHARED, NPK_MMAP_OFFSET(0, 0), EACCES, "writable info");
	expect_no_map(fd, 4096, rw, MAP_SHARED, NPK_MMAP_OFFSET(0, 1), EACCES, "writable prod");
	expect_no_map(fd, data, rw, MAP_SHARED, NPK_MMAP_OFFSET(0, 3), EACCES, "writable data");
	expect_no_map(fd, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, NPK_MMAP_OFFSET(0, 1), EACCES,
		      "executable prod");
	expect_no_map(fd, 4096, rw | PROT_EXEC, MAP_SHARED, NPK_MMAP_OFFSET(0, 2), EACCES,
		      "executable cons");
	expect_no_map(fd, 4096, rw, MAP_PRIVATE, NPK_MMAP_OFFSET(0, 2), EACCES, "private cons");
	expect_no_map(fd, 4096, PROT_READ, MAP_PRIVATE, NPK_MMAP_OFFSET(0, 1), EACCES,
		      "private prod");
	expect_no_map(fd, 8192, PROT_READ, MAP_SHARED, NPK_MMAP_OFFSET(0, 1), EINVAL, "long prod");
	expect_no_map(fd, data - 4096, PROT_READ, MAP_SHARED, NPK_MMAP_OFFSET(0, 3), EINVAL,
		      "short data");
	expect_no_map(fd, data + 4096, PROT_READ, MAP_SHARED, NPK_MMAP_OFFSET(0, 3), EINVAL,
		      "long data");
	expect_no_map(fd, 4096, PROT_READ, MAP_SHARED, NPK_MMAP_OFFSET(1, 0), EINVAL,
		      "info of ring 1");
	expect_no_map(fd, 4096, PROT_READ, MAP_SHARED, NPK_MMAP_OFFSET(info->nr_rings, 1), EINVAL,
		      "ring that is not there");
	expect_no_map(fd, 4096, PROT_READ, MAP_SHARED, NPK_MMAP_OFFSET(0, 1) + 4096, EINVAL,
		      "offset inside a region");
	expect_no_map(fd, 4096, PROT_READ, MAP_SHARED, 0x7ffffffff000ULL, EINVAL, "wild offset");
	p = map(fd, 4096, PROT_READ, MAP_SHARED, NPK_MMAP_OFFSET(0, 1));
	expect(p != MAP_FAILED, "readable prod");
	expect(mprotect(p, 4096, rw) && errno == EACCES, "mprotect makes prod writable");
	expect(mremap(p, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED, "mremap makes prod longer");
	munmap(p, 4096);
}

static int refusals(void)
{
	struct npk_join j = { .group = "default" };
	struct pollfd p = { .events = POLLIN };
	int fd = open_device(), other = open_device();
	char byte;

	expect_no_map(fd, 4096, PROT_READ, MAP_SHARED, 0, ENXIO, "mmap before joining");
	p.fd = fd;
	expect(poll(&p, 1, 0) == 1 && p.revents & POLLERR, "poll before joining");
	expect(join(fd, "nobody", 0, 0) == -ENOENT, "unknown group");
	expect(join(fd, "default", 1, 0) == -ENOENT, "unknown member");
	expect(join(fd, "default", 0xffffffff, 0) == -ENOENT, "wild member");
	expect(join(fd, "default", 0, 0x80) == -EINVAL, "unknown flag");
	memset(j.group, 'x', sizeof(j.group));
	expect(ioctl(fd, NPK_IOC_JOIN, &j) && errno == EINVAL, "group without an end");
	memset(&j, 0, sizeof(j));
	strcpy(j.group, "default");
	j._resv = 1;
	expect(ioctl(fd, NPK_IOC_JOIN, &j) && errno == EINVAL, "reserved field set");
	j._resv = 0;
	j.watermark = 0xffffffff;
	expect(ioctl(fd, NPK_IOC_JOIN, &j) && errno == EINVAL, "wild watermark");
	expect(ioctl(fd, NPK_IOC_JOIN, (void *)8) && errno == EFAULT, "wild pointer");
	expect(ioctl(fd, 0xbdff, 0) && errno == ENOTTY, "unknown ioctl");
	expect(read(fd, &byte, 1) < 0 && errno == EINVAL, "read");
	expect(write(fd, "x", 1) < 0 && errno == EINVAL, "write");
	expect(!join(fd, "default", 0, 0), "join");
	expect(join(fd, "default", 0, 0) == -EBUSY, "join twice");
	expect(join(other, "default", 0, 0) == -EBUSY, "join a taken place");
	refuse_maps(fd, map_info(fd));
	close(other);
	close(fd);
	return bad;
}

static struct npk_cons **map_cons(int fd, const struct npk_info *info)
{
	struct npk_cons **cons = calloc(info->nr_rings, sizeof(*cons));
	uint32_t i;

	for (i = 0; i < info->nr_rings; i++) {
		cons[i] = map(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			      NPK_MMAP_OFFSET(i, NPK_REGION_CONS));
		if (cons[i] == MAP_FAILED) {
			perror("mmap cons");
			exit(1);
		}
	}
	return cons;
}

static int garbage(int seconds)
{
	int fd = open_device();
	struct npk_cons **cons;
	const struct npk_info *info;
	time_t end = time(NULL) + seconds;
	uint64_t n = 0;
	uint32_t i;

	expect(!join(fd, "default", 0, 0), "join");
	info = map_info(fd);
	cons = map_cons(fd, info);
	while (time(NULL) < end) {
		for (i = 0; i < info->nr_rings; i++) {
			uint64_t wild = (uint64_t)random() << 33 ^ (uint64_t)random() << 8;

			/* wild, slightly wrong, and the whole page */
			__atomic_store_n(&cons[i]->tail, n % 3 ? wild : cons[i]->tail + n % 7,
					 __ATOMIC_RELEASE);
			if (n % 1000 == 0)
				memset(cons[i], (int)n, 4096);
		}
		n++;
	}
	printf("%llu rounds of nonsense\n", (unsigned long long)n);
	return bad;
}

static int die_in_children(void)
{
	int fd = open_device(), i, status;
	struct npk_cons **cons;
	const struct npk_info *info;
	pid_t pid;

	expect(!join(fd, "default", 0, 0), "join");
	info = map_info(fd);
	cons = map_cons(fd, info);
	for (i = 0; i < 50; i++) {
		pid = fork();
		if (!pid) {
			cons[0]->tail = (uint64_t)random();
			raise(i % 2 ? SIGKILL : SIGSEGV);
		}
		waitpid(pid, &status, 0);
	}
	expect(map_info(fd)->magic == NPK_INFO_MAGIC, "the parent is still a member");
	return bad;
}

static int shut_down(void)
{
	expect(!ioctl(open_device(), NPK_IOC_SHUTDOWN), "shutdown");
	return bad;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int seconds = argc > 2 ? atoi(argv[2]) : 1;

	if (!strcmp(mode, "refusals"))
		return refusals();
	if (!strcmp(mode, "garbage"))
		return garbage(seconds);
	if (!strcmp(mode, "fork"))
		return die_in_children();
	if (!strcmp(mode, "shutdown"))
		return shut_down();
	fprintf(stderr, "usage: hostile refusals | garbage SECONDS | fork | shutdown\n");
	return 2;
}
