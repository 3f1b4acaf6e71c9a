/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP segments for tests, of two sides of a conversation. */
#ifndef TESTS_UNIT_SEGMENT_H
#define TESTS_UNIT_SEGMENT_H

#include "frame.h"

#define SEG_CLIENT	1000
#define SEG_SERVER	80

#define FIN	NPK_TCP_FIN
#define SYN	NPK_TCP_SYN
#define RST	NPK_TCP_RST
#define PSH	NPK_TCP_PSH
#define ACK	NPK_TCP_ACK

/* Options of the SYNs of usual systems, as they send them. */
#define OPT_LINUX	"\x02\x04\x05\xb4\x04\x02\x08\x0a\x11\x22\x33\x44\0\0\0\0\x01\x03\x03\x07"
#define OPT_WINDOWS	"\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02"
#define OPT_MACOS	"\x02\x04\x05\xb4\x01\x03\x03\x06\x01\x01\x08\x0a\x11\x22\x33\x44\0\0\0\0" \
			"\x04\x02\0\0"

/* A string literal as options. */
#define OPTIONS(s)	.opt = (s), .opt_len = sizeof(s) - 1

/**
 * struct segment - a TCP segment
 * @back: from the server to the client
 * @v6: over IPv6
 * @shut: the window is 0
 * @flags: 12 bits
 * @window: window, 0 = 1000
 * @urgent: urgent pointer
 * @ip_frag: IPv4 flags and offset
 * @seq: sequence number
 * @ack: acknowledgement number
 * @payload: octets of data, on the wire only
 * @opt: options
 * @opt_len: octets of them, a multiple of 4
 */
struct segment {
	bool back;
	bool v6;
	bool shut;
	uint16_t flags;
	uint16_t window;
	uint16_t urgent;
	uint16_t ip_frag;
	uint32_t seq;
	uint32_t ack;
	uint32_t payload;
	const char *opt;
	uint32_t opt_len;
};

static inline void swap_octets(uint8_t *a, uint8_t *b, uint32_t len)
{
	uint8_t tmp[16];

	memcpy(tmp, a, len);
	memcpy(a, b, len);
	memcpy(b, tmp, len);
}

/* Headers of the segment; the IP header is at octet 14. */
static inline void put_segment(struct frame *f, const struct segment *s)
{
	uint32_t hlen = 20 + s->opt_len;
	uint8_t *addr;

	put_eth(f, s->v6 ? 0x86dd : 0x0800);
	addr = f->data + f->len + (s->v6 ? 8 : 12);
	if (s->v6)
		put_ip6(f, NPK_PROTO_TCP, (uint16_t)(hlen + s->payload));
	else
		put_ip4_frag(f, NPK_PROTO_TCP, (uint16_t)(hlen + s->payload), s->ip_frag);
	if (s->back)
		swap_octets(addr, addr + (s->v6 ? 16 : 4), s->v6 ? 16 : 4);
	put16(f, s->back ? SEG_SERVER : SEG_CLIENT);
	put16(f, s->back ? SEG_CLIENT : SEG_SERVER);
	put32(f, s->seq);
	put32(f, s->ack);
	put16(f, (uint16_t)(hlen / 4 << 12 | s->flags));
	put16(f, s->shut ? 0 : s->window ? s->window : 1000);
	put16(f, 0);
	put16(f, s->urgent);
	if (s->opt_len)
		put(f, s->opt, s->opt_len);
}

/* The segment as the meter gets it, its data cut by the capture. */
static inline struct npk_pkt segment_pkt(struct frame *f, const struct segment *s, uint64_t now_ns)
{
	struct npk_pkt pkt;

	put_segment(f, s);
	pkt = frame_pkt(f, now_ns);
	pkt.wire_len += s->payload;
	return pkt;
}

#endif /* TESTS_UNIT_SEGMENT_H */
