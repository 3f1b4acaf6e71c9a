// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader: a NetFlow v9 collector that only checks and counts, as fast as it can.
 *
 * Prints the port of 127.0.0.1 it listens on, takes every datagram until standard input
 * ends, then prints one line: flow records, datagrams, gaps in the sequence, datagrams its
 * socket had no room for, and nanoseconds from the first datagram with records to the last.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define ROOM		(512 << 20)
#define BATCH		64
#define DATAGRAM	9000
#define HEADER_LEN	20
#define FIRST_DATA	256

/**
 * struct stream - what was read
 * @record_len: by template id, from FIRST_DATA on: octets of a record, 0 = not of flows
 * @records: flow records
 * @datagrams: datagrams
 * @gaps: sequence numbers that do not follow the one before
 * @next: sequence number
 * @first_ns: when the first records came
 * @last_ns: and the last
 */
struct stream {
	uint32_t record_len[65536 - FIRST_DATA];
	uint64_t records;
	uint64_t datagrams;
	uint64_t gaps;
	uint32_t next;
	uint64_t first_ns;
	uint64_t last_ns;
};

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static void learn(struct stream *s, const uint8_t *p, const uint8_t *end)
{
	uint32_t id, fields, len;

	while (end - p >= 4) {
		id = get16(p);
		len = 0;
		for (fields = get16(p + 2), p += 4; fields; fields--, p += 4)
			len += get16(p + 2);
		if (id >= FIRST_DATA)
			s->record_len[id - FIRST_DATA] = len;
	}
}

static uint64_t take(struct stream *s, const uint8_t *p, const uint8_t *end)
{
	uint64_t records = 0;
	uint32_t id, len, each;

	if (end - p < HEADER_LEN || get16(p) != 9)
		bench_die(1, "reader: not NetFlow v9");
	s->gaps += s->datagrams && get32(p + 12) != s->next;
	s->next = get32(p + 12) + 1;
	s->datagrams++;
	for (p += HEADER_LEN; end - p >= 4; p += len) {
		id = get16(p);
		len = get16(p + 2);
		if (len < 4 || len > end - p)
			bench_die(1, "reader: a set of %u octets", len);
		if (!id)
			learn(s, p + 4, p + len);
		if (id < FIRST_DATA)
			continue;
		each = s->record_len[id - FIRST_DATA];
		if (each)	/* options data have a template of another kind */
			records += (len - 4) / each;
	}
	return records;
}

static void receive(struct stream *s, int fd)
{
	static uint8_t data[BATCH][DATAGRAM];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	uint64_t records = 0;
	int i, n;

	for (i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ data[i], DATAGRAM };
		msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	n = recvmmsg(fd, msg, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		records += take(s, data[i], data[i] + msg[i].msg_len);
	if (!records)
		return;
	s->last_ns = bench_clock(CLOCK_MONOTONIC);
	if (!s->records)
		s->first_ns = s->last_ns;
	s->records += records;
}

static int listen_at(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = ROOM;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(fd, (void *)&a, sizeof(a)) || getsockname(fd, (void *)&a, &len))
		bench_die(1, "reader: %s", strerror(errno));
	printf("%u\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int main(void)
{
	static struct stream s;
	struct pollfd fds[2] = { { .fd = listen_at(), .events = POLLIN }, { 0, POLLIN, 0 } };
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);
	bool ended = false;

	bench_pin(1);
	while (poll(fds, ended ? 1 : 2, ended ? 200 : -1) > 0) {
		if (fds[0].revents)
			receive(&s, fds[0].fd);
		else
			ended = true;
	}
	if (getsockopt(fds[0].fd, SOL_SOCKET, SO_MEMINFO, info, &len))
		bench_die(1, "reader: %s", strerror(errno));
	printf("%llu %llu %llu %u %llu\n", (unsigned long long)s.records,
	       (unsigned long long)s.datagrams, (unsigned long long)s.gaps, info[SK_MEMINFO_DROPS],
	       (unsigned long long)(s.last_ns - s.first_ns));
	return 0;
}
