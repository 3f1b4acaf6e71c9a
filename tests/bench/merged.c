// SPDX-License-Identifier: GPL-2.0-only
/*
 * merged DEVICE FRAMES: has a tap device receive TCP segments merged into frames of 45, as GRO
 * or a guest's segmentation offload merges them. Twice as many frames as said are sent; of the
 * second half it prints the nanoseconds each segment took.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SEGMENTS	45
#define MSS		1448
#define HEADERS		(14 + 20 + 20)
#define FRAME		(HEADERS + SEGMENTS * MSS)

static struct {
	struct virtio_net_hdr vnet;
	uint8_t frame[FRAME];
} __attribute__((packed)) out;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR);

	if (fd < 0)
		die("/dev/net/tun");
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &ifr))
		die(name);
	return fd;
}

static void put16(uint32_t off, uint16_t v)
{
	v = htons(v);
	memcpy(out.frame + off, &v, sizeof(v));
}

/* Sum of the IP header, RFC 1071: a wrong one would be dropped early. */
static uint16_t ip_sum(void)
{
	uint32_t i, sum = 0;

	for (i = 14; i < 34; i += 2)
		sum += out.frame[i] << 8 | out.frame[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

static void make_frame(const uint8_t *mac)
{
	static const uint8_t ip[] = { 0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1,
				      10, 1, 0, 1 };

	out.vnet = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = HEADERS,
		.gso_size = MSS,
		.csum_start = 34,
		.csum_offset = 16,
	};
	memcpy(out.frame, mac, 6);
	out.frame[6] = 2;
	put16(12, 0x0800);
	memcpy(out.frame + 14, ip, sizeof(ip));
	put16(16, FRAME - 14);
	put16(24, ip_sum());
	put16(34, 4000);
	put16(36, 80);
	put16(46, 0x5010);
	put16(48, 1000);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* In order, so that nothing is sent again. */
static void send_frames(int fd, uint32_t from, uint32_t n)
{
	uint32_t i, seq;

	for (i = from; i < from + n; i++) {
		seq = htonl(1 + i * SEGMENTS * MSS);
		memcpy(out.frame + 38, &seq, sizeof(seq));
		if (write(fd, &out, sizeof(out)) != sizeof(out))
			die("write");
	}
}

int main(int argc, char **argv)
{
	uint32_t frames = argc == 3 ? atoi(argv[2]) : 0;
	struct ifreq ifr = {};
	uint64_t begin;
	int fd;

	if (!frames) {
		fprintf(stderr, "usage: merged DEVICE FRAMES\n");
		return 2;
	}
	fd = open_tap(argv[1]);
	strncpy(ifr.ifr_name, argv[1], IFNAMSIZ - 1);
	if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCGIFHWADDR, &ifr))
		die("SIOCGIFHWADDR");
	make_frame((uint8_t *)ifr.ifr_hwaddr.sa_data);
	send_frames(fd, 0, frames);
	begin = now_ns();
	send_frames(fd, frames, frames);
	printf("%.2f\n", (double)(now_ns() - begin) / frames / SEGMENTS);
	return 0;
}
