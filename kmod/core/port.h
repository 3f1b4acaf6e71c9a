/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only place where the kernel build and the user-space build of the core
 * differ: integer types, unaligned loads, the wide multiply, locks, annotations.
 * The core uses nothing else from its surroundings: no allocation, no clock,
 * no random, no log, no global.
 */
#ifndef NPK_CORE_PORT_H
#define NPK_CORE_PORT_H

#ifdef __KERNEL__

#include <asm/byteorder.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/math64.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

/* Of what several meters share; taken in softirq only, nothing nests inside. */
struct npk_lock {
	spinlock_t spin;
};

#define npk_lock_init(lock)	spin_lock_init(&(lock)->spin)
#define npk_lock(lock)		spin_lock(&(lock)->spin)
#define npk_unlock(lock)	spin_unlock(&(lock)->spin)

#else /* user space */

#include <asm/byteorder.h>
#include <assert.h>
#include <endian.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/cdefs.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

/* In user space nothing of a meter is shared between threads. */
struct npk_lock { };

#define npk_lock_init(lock)	((void)(lock))
#define npk_lock(lock)		((void)(lock))
#define npk_unlock(lock)	((void)(lock))

#define noinline		__attribute_noinline__
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define be16_to_cpu(x)		be16toh(x)
#define cpu_to_be16(x)		htobe16(x)

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

#endif /* __KERNEL__ */

#include "../../include/uapi/nprobe_k.h"

/* For a variable that is written before it is read: kernels clear all others, per packet. */
#if __has_attribute(uninitialized)
#define NPK_UNINITIALIZED	__attribute__((uninitialized))
#else
#define NPK_UNINITIALIZED
#endif

#define NPK_STATIC_ASSERT(expr)	static_assert(expr, #expr)
#define NPK_NSEC_PER_SEC	1000000000ULL
#define NPK_CACHE_LINE		64

/* Headers start at any address: every load from a packet goes through these. */
static inline u16 npk_load_be16(const u8 *p)
{
	return (u16)((u16)p[0] << 8 | p[1]);
}

static inline u32 npk_load_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/* As memory has them. */
static __always_inline u32 npk_load_u32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static __always_inline u64 npk_load_u64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/**
 * npk_word() - a 64-bit word of what stands in memory one behind the other
 * @first: four octets as loaded from memory
 * @o4: the octet behind them, and so on
 * @o5: likewise
 * @o6: likewise
 * @o7: likewise
 *
 * Put together in a register: an eight-octet load from what was stored in smaller
 * pieces would wait for the stores.
 *
 * Return: the word.
 */
static __always_inline u64 npk_word(u32 first, u8 o4, u8 o5, u8 o6, u8 o7)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return (u64)first << 32 | (u32)o4 << 24 | (u32)o5 << 16 | (u32)o6 << 8 | o7;
#else
	return (u64)o7 << 56 | (u64)o6 << 48 | (u64)o5 << 40 | (u64)o4 << 32 | first;
#endif
}

/* The same of a 32-bit and two 16-bit numbers. */
static __always_inline u64 npk_word_of(u32 first, u16 second, u16 third)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return (u64)first << 32 | (u32)second << 16 | third;
#else
	return (u64)third << 48 | (u64)second << 32 | first;
#endif
}

/* What npk_word() was given first. */
static __always_inline u32 npk_word_first(u64 word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return word >> 32;
#else
	return word;
#endif
}

/**
 * npk_lane_index() - which of four 16-bit lanes in memory a bit belongs to
 * @bit: bit number, from the least significant, of a 64-bit word loaded whole
 *
 * Return: 0..3 in order of addresses.
 */
static __always_inline u32 npk_lane_index(u32 bit)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return 3 - (bit >> 4);
#else
	return bit >> 4;
#endif
}

/*
 * Where the processor compares eight lanes in one instruction: those of sixteen that
 * are equal to @value, as bits.  The kernel has no such registers to spare.
 */
#if !defined(__KERNEL__) && defined(__SSE2__)
#define NPK_LANES_AT_ONCE	true
static __always_inline u32 npk_lanes_at_once(const u16 *lane, u16 value)
{
	__m128i all = _mm_set1_epi16((short)value);
	__m128i low = _mm_cmpeq_epi16(_mm_load_si128((const __m128i *)lane), all);
	__m128i high = _mm_cmpeq_epi16(_mm_load_si128((const __m128i *)(lane + 8)), all);

	return (u32)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}
#else
#define NPK_LANES_AT_ONCE	false
static __always_inline u32 npk_lanes_at_once(const u16 *lane, u16 value)
{
	return 0;
}
#endif

/* The lane that has the highest address of the four, all bits set. */
static __always_inline u64 npk_last_lane(void)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return 0xffffULL;
#else
	return 0xffffULL << 48;
#endif
}

/* The product in four parts, for machines without a 128-bit integer. */
static inline u64 npk_mul_fold_parts(u64 a, u64 b)
{
	u64 lo = (u64)(u32)a * (u32)b;
	u64 m1 = (a >> 32) * (u32)b + (lo >> 32);
	u64 m2 = (u64)(u32)a * (b >> 32) + (u32)m1;

	return ((m2 << 32) | (u32)lo) ^ ((a >> 32) * (b >> 32) + (m1 >> 32) + (m2 >> 32));
}

/**
 * npk_mul_fold() - 64x64 bit product, high half XOR low half
 * @a: factor
 * @b: factor
 *
 * Return: the folded product.
 */
static __always_inline u64 npk_mul_fold(u64 a, u64 b)
{
#ifdef __SIZEOF_INT128__
	__uint128_t p = (__uint128_t)a * b;

	return (u64)p ^ (u64)(p >> 64);
#else
	return npk_mul_fold_parts(a, b);
#endif
}

#endif /* NPK_CORE_PORT_H */
