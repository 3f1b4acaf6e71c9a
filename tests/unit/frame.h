/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames for tests, put together header by header. */
#ifndef TESTS_UNIT_FRAME_H
#define TESTS_UNIT_FRAME_H

#include "kmod/core/parse.h"

/**
 * struct frame - a frame under construction
 * @data: octets
 * @len: how many
 */
struct frame {
	uint8_t data[4096];
	uint32_t len;
};

static inline void put(struct frame *f, const void *data, uint32_t len)
{
	memcpy(f->data + f->len, data, len);
	f->len += len;
}

static inline void put8(struct frame *f, uint8_t v)
{
	f->data[f->len++] = v;
}

static inline void put16(struct frame *f, uint16_t v)
{
	put8(f, (uint8_t)(v >> 8));
	put8(f, (uint8_t)v);
}

static inline void put32(struct frame *f, uint32_t v)
{
	put16(f, (uint16_t)(v >> 16));
	put16(f, (uint16_t)v);
}

static inline void put_eth(struct frame *f, uint16_t type)
{
	f->len = 0;
	put(f, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
	put16(f, type);
}

/* @payload: octets that will follow; @frag: flags and offset as on the wire */
static inline void put_ip4_frag(struct frame *f, uint8_t proto, uint16_t payload, uint16_t frag)
{
	put8(f, 0x45);
	put8(f, 0x10);
	put16(f, (uint16_t)(20 + payload));
	put16(f, 0x1234);
	put16(f, frag);
	put8(f, 64);
	put8(f, proto);
	put16(f, 0);
	put32(f, 0xc0000201);
	put32(f, 0xc6336402);
}

static inline void put_ip4(struct frame *f, uint8_t proto, uint16_t payload)
{
	put_ip4_frag(f, proto, payload, 0);
}

static inline void put_ip6(struct frame *f, uint8_t next, uint16_t payload)
{
	put32(f, 0x6aa12345);
	put16(f, payload);
	put8(f, next);
	put8(f, 63);
	put(f, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	put(f, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
}

static inline void put_tcp(struct frame *f, uint16_t sport, uint16_t dport, uint16_t flags)
{
	put16(f, sport);
	put16(f, dport);
	put32(f, 1000);
	put32(f, 2000);
	put16(f, (uint16_t)(0x5000 | flags));
	put16(f, 65535);
	put32(f, 0);
}

static inline void put_udp(struct frame *f, uint16_t sport, uint16_t dport)
{
	put16(f, sport);
	put16(f, dport);
	put16(f, 8);
	put16(f, 0);
}

/* A complete UDP packet over IPv4. */
static inline void frame_udp4(struct frame *f, uint16_t sport, uint16_t dport)
{
	put_eth(f, 0x0800);
	put_ip4(f, NPK_PROTO_UDP, 8);
	put_udp(f, sport, dport);
}

static inline void frame_tcp4(struct frame *f, uint16_t sport, uint16_t dport, uint16_t flags)
{
	put_eth(f, 0x0800);
	put_ip4(f, NPK_PROTO_TCP, 20);
	put_tcp(f, sport, dport, flags);
}

/* The frame as the meter gets it. */
static inline struct npk_pkt frame_pkt(const struct frame *f, uint64_t now_ns)
{
	return (struct npk_pkt){
		.data = f->data,
		.linear = f->len,
		.captured = f->len,
		.wire_len = f->len,
		.now_ns = now_ns,
		.ifindex = 7,
		.segs = 1,
	};
}

#endif /* TESTS_UNIT_FRAME_H */
