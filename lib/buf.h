/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bounded big-endian writer of the encoders, and loads for those who read.
 *
 * Nothing is ever written beyond the end: a write that does not fit is left
 * out whole and marks the buffer, and so is every later one.  The caller looks
 * at the mark once, at the end.
 */
#ifndef NPK_LIB_BUF_H
#define NPK_LIB_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Stores at any address, network byte order; no bounds, for claimed room only. */
static inline void npk_put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void npk_put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline void npk_put_be64(uint8_t *p, uint64_t v)
{
	npk_put_be32(p, (uint32_t)(v >> 32));
	npk_put_be32(p + 4, (uint32_t)v);
}

/**
 * npk_put_be() - store the low octets of a number, most significant first
 * @p: room for @len octets
 * @v: number; what does not fit @len octets is cut off
 * @len: 1 to 8
 */
static inline void npk_put_be(uint8_t *p, uint64_t v, unsigned int len)
{
	switch (len) {
	case 1:
		*p = (uint8_t)v;
		return;
	case 2:
		npk_put_be16(p, (uint16_t)v);
		return;
	case 4:
		npk_put_be32(p, (uint32_t)v);
		return;
	}
	while (len--) {
		p[len] = (uint8_t)v;
		v >>= 8;
	}
}

/**
 * npk_get_be() - load a number, most significant octet first
 * @p: @len octets
 * @len: 0 to 8
 *
 * Return: the number.
 */
static inline uint64_t npk_get_be(const uint8_t *p, unsigned int len)
{
	uint64_t v = 0;

	while (len--)
		v = v << 8 | *p++;
	return v;
}

static inline uint16_t npk_get_be16(const uint8_t *p)
{
	return (uint16_t)npk_get_be(p, 2);
}

static inline uint32_t npk_get_be32(const uint8_t *p)
{
	return (uint32_t)npk_get_be(p, 4);
}

/**
 * struct npk_buf - memory being filled from the front
 * @data: first octet, the caller's
 * @size: octets at @data
 * @len: octets written, never more than @size
 * @overflow: a write did not fit; nothing has been written since
 */
struct npk_buf {
	uint8_t *data;
	size_t size;
	size_t len;
	bool overflow;
};

/**
 * npk_buf_init() - start an empty buffer
 * @b: buffer
 * @data: memory to fill, not kept longer than @b
 * @size: octets at @data
 */
static inline void npk_buf_init(struct npk_buf *b, uint8_t *data, size_t size)
{
	b->data = data;
	b->size = size;
	b->len = 0;
	b->overflow = false;
}

/**
 * npk_buf_claim() - take the next octets, to be written by the caller
 * @b: buffer
 * @len: octets wanted
 *
 * Return: where to write exactly @len octets, or NULL on overflow.
 */
static inline uint8_t *npk_buf_claim(struct npk_buf *b, size_t len)
{
	uint8_t *p;

	if (b->overflow || len > b->size - b->len) {
		b->overflow = true;
		return NULL;
	}
	p = b->data + b->len;
	b->len += len;
	return p;
}

/**
 * npk_buf_u8() - append one octet
 * @b: buffer
 * @v: value
 */
static inline void npk_buf_u8(struct npk_buf *b, uint8_t v)
{
	uint8_t *p = npk_buf_claim(b, 1);

	if (p)
		*p = v;
}

/**
 * npk_buf_u16() - append 16 bits, big-endian
 * @b: buffer
 * @v: value, host order
 */
static inline void npk_buf_u16(struct npk_buf *b, uint16_t v)
{
	uint8_t *p = npk_buf_claim(b, 2);

	if (p)
		npk_put_be16(p, v);
}

/**
 * npk_buf_u32() - append 32 bits, big-endian
 * @b: buffer
 * @v: value, host order
 */
static inline void npk_buf_u32(struct npk_buf *b, uint32_t v)
{
	uint8_t *p = npk_buf_claim(b, 4);

	if (p)
		npk_put_be32(p, v);
}

/**
 * npk_buf_u64() - append 64 bits, big-endian
 * @b: buffer
 * @v: value, host order
 */
static inline void npk_buf_u64(struct npk_buf *b, uint64_t v)
{
	uint8_t *p = npk_buf_claim(b, 8);

	if (p)
		npk_put_be64(p, v);
}

/**
 * npk_buf_bytes() - append octets as they are
 * @b: buffer
 * @src: octets
 * @len: how many, 0 is allowed
 */
static inline void npk_buf_bytes(struct npk_buf *b, const void *src, size_t len)
{
	uint8_t *p = npk_buf_claim(b, len);

	if (p && len)
		memcpy(p, src, len);
}

/**
 * npk_buf_zero() - append zero octets
 * @b: buffer
 * @len: how many, 0 is allowed
 */
static inline void npk_buf_zero(struct npk_buf *b, size_t len)
{
	uint8_t *p = npk_buf_claim(b, len);

	if (p && len)
		memset(p, 0, len);
}

/**
 * npk_buf_align4() - append zero octets up to a multiple of four
 * @b: buffer whose first octet counts as aligned
 */
static inline void npk_buf_align4(struct npk_buf *b)
{
	npk_buf_zero(b, -b->len & 3);
}

#endif /* NPK_LIB_BUF_H */
