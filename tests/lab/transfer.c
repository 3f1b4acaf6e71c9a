// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traffic whose packets are known exactly.  What was sent and what the kernel says
 * about it is printed as "name value" pairs on one line.
 *
 *   transfer tcp-serve PORT OCTETS TIMES           reads OCTETS, closes first
 *   transfer tcp-send ADDRESS PORT OCTETS SPORT
 *   transfer udp-serve PORT DATAGRAMS
 *   transfer udp-send ADDRESS PORT SPORT DATAGRAMS SIZE LAST segment|single
 *   transfer paced ADDRESS PORT SPORT DATAGRAMS MS one every MS, and when: before and after
 *   transfer clocks                                monotonic and real time, nanoseconds
 *   transfer stamp                                 lines, the monotonic clock in front of each
 *   transfer ipv4-max DEVICE SIZE                  what ip calls gso_ipv4_max_size and gro_...
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST		40	/* datagrams between two pauses: less than a veth queues */
#define PAUSE_US	3000
#define SEGMENTS_MAX	40
#define WAIT_MS		20000
#define CLOSED		7	/* TCP_CLOSE of the kernel */

/* since Linux 6.3; the headers here may be older */
#define GSO_IPV4_MAX_SIZE 63
#define GRO_IPV4_MAX_SIZE 64

static char block[1 << 18];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end) {
		fprintf(stderr, "transfer: \"%s\" is not a number\n", text);
		exit(2);
	}
	return n;
}

static void set_option(int fd, int level, int name, int value, const char *what)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		die(what);
}

/* IPv4 addresses too, as ::ffff:a.b.c.d would be: one family each, as the flows have. */
static socklen_t make_address(struct sockaddr_storage *out, const char *address, unsigned long port)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1) {
		fprintf(stderr, "transfer: \"%s\" is not an address\n", address);
		exit(2);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)port);
	return sizeof(*six);
}

static int bound_socket(int family, int type, unsigned long port)
{
	struct sockaddr_storage any;
	socklen_t len = make_address(&any, family == AF_INET ? "0.0.0.0" : "::", port);
	int fd = socket(family, type, 0);

	if (fd < 0)
		die("socket");
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
	if (bind(fd, (struct sockaddr *)&any, len))
		die("bind");
	return fd;
}

static int connected_socket(int type, const char *address, unsigned long port,
			    unsigned long sport)
{
	struct sockaddr_storage to;
	socklen_t len = make_address(&to, address, port);
	int fd = bound_socket(to.ss_family, type, sport);

	if (connect(fd, (struct sockaddr *)&to, len))
		die("connect");
	return fd;
}

/* After both FINs and their ACKs: nothing is sent any more. */
static void print_tcp(int fd, unsigned long octets)
{
	struct tcp_info info;
	socklen_t len;
	int ms;

	for (ms = 0; ms < WAIT_MS; ms += 5) {
		len = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
			die("TCP_INFO");
		if (info.tcpi_state == CLOSED)
			break;
		usleep(5000);
	}
	if (info.tcpi_state != CLOSED) {
		fprintf(stderr, "transfer: the connection does not end\n");
		exit(1);
	}
	printf("octets %lu mss %u segs_out %u segs_in %u ", octets, info.tcpi_snd_mss,
	       info.tcpi_segs_out, info.tcpi_segs_in);
	printf("retransmitted %u retransmitted_octets %llu\n", info.tcpi_total_retrans,
	       (unsigned long long)info.tcpi_bytes_retrans);
	fflush(stdout);
}

static unsigned long read_some(int fd, unsigned long wanted)
{
	unsigned long got = 0;

	while (got < wanted) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0)
			die("read");
		if (!n)
			break;
		got += (unsigned long)n;
	}
	return got;
}

static void tcp_serve(unsigned long port, unsigned long octets, unsigned long times)
{
	int fd = bound_socket(AF_INET6, SOCK_STREAM, port);

	if (listen(fd, 5))
		die("listen");
	while (times--) {
		int c = accept(fd, NULL, NULL);
		unsigned long got;

		if (c < 0)
			die("accept");
		got = read_some(c, octets);
		shutdown(c, SHUT_WR);
		got += read_some(c, 1);
		print_tcp(c, got);
		close(c);
	}
}

static void tcp_send(const char *address, unsigned long port, unsigned long octets,
		     unsigned long sport)
{
	int fd = connected_socket(SOCK_STREAM, address, port, sport);
	unsigned long sent = 0;

	while (sent < octets) {
		unsigned long left = octets - sent;
		ssize_t n = write(fd, block, left < sizeof(block) ? left : sizeof(block));

		if (n < 0)
			die("write");
		sent += (unsigned long)n;
	}
	read_some(fd, 1);
	shutdown(fd, SHUT_WR);
	print_tcp(fd, sent);
	close(fd);
}

/* Until all are there, or none came for two seconds. */
static void udp_serve(unsigned long port, unsigned long datagrams)
{
	int fd = bound_socket(AF_INET6, SOCK_DGRAM, port);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned long got = 0, octets = 0;
	int patience = 20000;

	set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20, "SO_RCVBUFFORCE");
	while (got < datagrams && poll(&p, 1, patience) == 1) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0)
			die("read");
		got++;
		octets += (unsigned long)n;
		patience = 2000;
	}
	printf("datagrams %lu octets %lu\n", got, octets);
}

/* As many of equal size as one call may carry; only the last of all may be shorter. */
static unsigned long send_once(int fd, unsigned long left, unsigned long size, unsigned long last,
			       unsigned long *octets)
{
	unsigned long n = left < SEGMENTS_MAX ? left : SEGMENTS_MAX;
	unsigned long len = n * size;

	if (n == left)
		len -= size - last;
	if (send(fd, block, len, 0) != (ssize_t)len)
		die("send");
	*octets += len;
	return n;
}

static void udp_send(char **argv)
{
	unsigned long datagrams = number(argv[3]), size = number(argv[4]), last = number(argv[5]);
	int fd = connected_socket(SOCK_DGRAM, argv[0], number(argv[1]), number(argv[2]));
	int segment = !strcmp(argv[6], "segment");
	unsigned long sent = 0, octets = 0, len;

	set_option(fd, SOL_SOCKET, SO_SNDBUF, 8 << 20, "SO_SNDBUF");
	if (segment)
		set_option(fd, IPPROTO_UDP, UDP_SEGMENT, (int)size, "UDP_SEGMENT");
	while (sent < datagrams) {
		if (segment) {
			sent += send_once(fd, datagrams - sent, size, last, &octets);
			usleep(PAUSE_US);
			continue;
		}
		len = sent + 1 == datagrams ? last : size;
		if (send(fd, block, len, 0) != (ssize_t)len)
			die("send");
		octets += len;
		if (++sent % BURST == 0)
			usleep(PAUSE_US);
	}
	printf("datagrams %lu octets %lu size %lu last %lu\n", sent, octets, size, last);
}

static unsigned long long clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (unsigned long long)t.tv_sec * 1000000000ULL + (unsigned long long)t.tv_nsec;
}

/* One line a datagram: the monotonic clock before and after it was sent. */
static void paced(char **argv)
{
	unsigned long datagrams = number(argv[3]), ms = number(argv[4]), i;
	int fd = connected_socket(SOCK_DGRAM, argv[0], number(argv[1]), number(argv[2]));
	unsigned long long next = clock_ns(CLOCK_MONOTONIC), before;
	struct timespec until;

	for (i = 0; i < datagrams; i++) {
		until.tv_sec = (time_t)(next / 1000000000ULL);
		until.tv_nsec = (long)(next % 1000000000ULL);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		before = clock_ns(CLOCK_MONOTONIC);
		if (send(fd, block, 100, 0) != 100)
			die("send");
		printf("%llu %llu\n", before, clock_ns(CLOCK_MONOTONIC));
		next += ms * 1000000ULL;
	}
}

static void stamp(void)
{
	while (fgets(block, sizeof(block), stdin)) {
		printf("%llu,%s", clock_ns(CLOCK_MONOTONIC), block);
		fflush(stdout);
	}
}

struct link_message {
	struct nlmsghdr head;
	struct ifinfomsg link;
	char attributes[16384];
};

static void add_u32(struct link_message *m, unsigned short type, uint32_t value)
{
	struct rtattr *a = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(sizeof(value));
	memcpy(RTA_DATA(a), &value, sizeof(value));
	m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + RTA_LENGTH(sizeof(value));
}

static void ask(int fd, struct link_message *m, unsigned short type, unsigned short flags)
{
	m->head.nlmsg_type = type;
	m->head.nlmsg_flags = NLM_F_REQUEST | flags;
	if (send(fd, m, m->head.nlmsg_len, 0) < 0 || recv(fd, m, sizeof(*m), 0) < 0)
		die("netlink");
	if (m->head.nlmsg_type == NLMSG_ERROR) {
		errno = -((struct nlmsgerr *)NLMSG_DATA(&m->head))->error;
		if (errno)
			die("netlink");
	}
}

/* The kernel ignores attributes it does not know, so they are read again. */
static void ipv4_max(const char *device, uint32_t size)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), len, seen = 0;
	static struct link_message m;
	struct ifinfomsg link = { .ifi_index = (int)if_nametoindex(device) };
	struct rtattr *a;

	m.link = link;
	m.head.nlmsg_len = NLMSG_LENGTH(sizeof(m.link));
	add_u32(&m, GSO_IPV4_MAX_SIZE, size);
	add_u32(&m, GRO_IPV4_MAX_SIZE, size);
	ask(fd, &m, RTM_SETLINK, NLM_F_ACK);
	m.link = link;
	m.head.nlmsg_len = NLMSG_LENGTH(sizeof(m.link));
	ask(fd, &m, RTM_GETLINK, 0);
	len = (int)(m.head.nlmsg_len - NLMSG_LENGTH(sizeof(m.link)));
	for (a = IFLA_RTA(&m.link); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if (a->rta_type == GSO_IPV4_MAX_SIZE || a->rta_type == GRO_IPV4_MAX_SIZE)
			seen += *(uint32_t *)RTA_DATA(a) == size;
	}
	if (seen == 2)
		return;
	fprintf(stderr, "transfer: this kernel has no BIG TCP for IPv4\n");
	exit(1);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "tcp-serve") && argc == 5) {
		tcp_serve(number(argv[2]), number(argv[3]), number(argv[4]));
	} else if (!strcmp(what, "tcp-send") && argc == 6) {
		tcp_send(argv[2], number(argv[3]), number(argv[4]), number(argv[5]));
	} else if (!strcmp(what, "udp-serve") && argc == 4) {
		udp_serve(number(argv[2]), number(argv[3]));
	} else if (!strcmp(what, "udp-send") && argc == 9) {
		udp_send(argv + 2);
	} else if (!strcmp(what, "paced") && argc == 7) {
		paced(argv + 2);
	} else if (!strcmp(what, "clocks") && argc == 2) {
		printf("%llu %llu\n", clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_REALTIME));
	} else if (!strcmp(what, "stamp") && argc == 2) {
		stamp();
	} else if (!strcmp(what, "ipv4-max") && argc == 4) {
		ipv4_max(argv[2], (uint32_t)number(argv[3]));
	} else {
		fputs("transfer: wrong use, see transfer.c\n", stderr);
		return 2;
	}
	return 0;
}
