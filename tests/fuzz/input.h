/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the octets a fuzz target is given to frames as the core gets them.
 *
 * A frame's octets lie in memory of exactly their length, so that ASan sees a
 * read beyond them.  tests/fuzz/seeds.py writes what is read here.
 */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdio.h>
#include <stdlib.h>

#include "kmod/core/parse.h"

#define FRAME_MAX	4096	/* longer ones are cut */

/* What a shape says, bits of its first octet. */
#define SHAPE_PULL	0x01	/* linear part shorter than the frame, pull() for the rest */
#define SHAPE_TAG	0x02	/* the device took a tag out */
#define SHAPE_GSO	0x04	/* merged */
#define SHAPE_CUT	0x08	/* longer on the wire */
#define SHAPE_LONG	0x10	/* ... by 16 times the number given */
#define SHAPE_FAIL	0x20	/* pull() fails from a certain call on */

/* Says what does not hold; libFuzzer keeps the input. */
#define HOLDS(expr)							\
	do {								\
		if (!(expr)) {						\
			fprintf(stderr, "%s:%d: does not hold: %s\n",	\
				__FILE__, __LINE__, #expr);		\
			abort();					\
		}							\
	} while (0)

/**
 * struct input - octets that are left
 * @data: next octet
 * @len: how many
 */
struct input {
	const uint8_t *data;
	size_t len;
};

static inline uint8_t next8(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->data++;
}

static inline uint16_t next16(struct input *in)
{
	uint16_t low = next8(in);

	return (uint16_t)(low | next8(in) << 8);
}

/**
 * struct shape - how a frame is handed to the core
 * @flags: SHAPE_ bits, which of the others count
 * @linear: octets in the linear part, modulo what there are
 * @more: octets it was longer on the wire
 * @tci: tag outside the frame
 * @gso_size: as in struct npk_pkt
 * @segs: likewise
 * @gso_hdr_len: likewise
 * @fail: calls of pull() that succeed
 * @gso_min: as in struct npk_pkt
 * @gso_max: likewise
 */
struct shape {
	uint8_t flags;
	uint16_t linear;
	uint16_t more;
	uint16_t tci;
	uint16_t gso_size;
	uint16_t segs;
	uint8_t gso_hdr_len;
	uint8_t fail;
	uint16_t gso_min;
	uint16_t gso_max;
};

static inline struct shape next_shape(struct input *in)
{
	struct shape s = {};

	s.flags = next8(in);
	s.linear = next16(in);
	s.more = next16(in);
	s.tci = next16(in);
	s.gso_size = next16(in);
	s.segs = next16(in);
	s.gso_hdr_len = next8(in);
	s.fail = next8(in);
	s.gso_min = next16(in);
	s.gso_max = next16(in);
	return s;
}

/**
 * struct frame - a frame in memory of its own
 * @pkt: as the core gets it; pkt.priv is this frame
 * @linear: octets of the linear part
 * @whole: all octets; the same memory when there is no pull()
 * @len: how many
 * @pulls: calls of pull() that may still succeed
 * @pull_failed: one did not
 */
struct frame {
	struct npk_pkt pkt;
	uint8_t *linear;
	uint8_t *whole;
	uint32_t len;
	uint32_t pulls;
	bool pull_failed;
};

/* The octets, in a block that ends where they end. */
static inline uint8_t *exactly(const uint8_t *data, uint32_t len)
{
	uint8_t *p = malloc(len);

	HOLDS(p);
	if (len)
		memcpy(p, data, len);
	return p;
}

static inline bool frame_pull(const struct npk_pkt *pkt, u32 off, u32 len, u8 *buf)
{
	struct frame *f = (struct frame *)pkt->priv;

	HOLDS(len && len <= NPK_PULL_MAX);
	HOLDS(off <= f->len && len <= f->len - off);
	if (!f->pulls) {
		f->pull_failed = true;
		return false;
	}
	f->pulls--;
	memcpy(buf, f->whole + off, len);
	return true;
}

static inline void frame_shape(struct frame *f, const struct shape *s)
{
	struct npk_pkt *pkt = &f->pkt;

	if (s->flags & SHAPE_CUT)
		pkt->wire_len += s->flags & SHAPE_LONG ? s->more * 16U : s->more;
	if (s->flags & SHAPE_TAG) {
		pkt->has_tag = true;
		pkt->vlan_tci = s->tci;
	}
	if (s->flags & SHAPE_GSO && s->gso_size) {
		pkt->gso_size = s->gso_size;
		pkt->segs = s->segs;
		pkt->gso_hdr_len = s->gso_hdr_len;
		pkt->gso_min = s->gso_min < s->gso_max ? s->gso_min : s->gso_max;
		pkt->gso_max = s->gso_min < s->gso_max ? s->gso_max : s->gso_min;
	}
	if (s->flags & SHAPE_PULL) {
		pkt->linear = s->linear % (f->len + 1);
		pkt->pull = frame_pull;
		f->linear = exactly(f->whole, pkt->linear);
		pkt->data = f->linear;
	}
}

/**
 * frame_init() - a frame of these octets
 * @f: out
 * @s: how it is handed over
 * @data: octets
 * @len: how many
 */
static inline void frame_init(struct frame *f, const struct shape *s, const uint8_t *data,
			      size_t len)
{
	memset(f, 0, sizeof(*f));
	f->len = len < FRAME_MAX ? (uint32_t)len : FRAME_MAX;
	f->whole = exactly(data, f->len);
	f->linear = f->whole;
	f->pulls = s->flags & SHAPE_FAIL ? s->fail : ~0U;
	f->pkt.data = f->whole;
	f->pkt.linear = f->len;
	f->pkt.captured = f->len;
	f->pkt.wire_len = f->len;
	f->pkt.priv = f;
	f->pkt.now_ns = NPK_NSEC_PER_SEC;
	f->pkt.ifindex = 1;
	f->pkt.segs = 1;
	frame_shape(f, s);
}

static inline void frame_free(struct frame *f)
{
	if (f->linear != f->whole)
		free(f->linear);
	free(f->whole);
}

/* What libFuzzer calls, or tests/fuzz/replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* TESTS_FUZZ_INPUT_H */
