/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that the meters of all CPUs share: buckets, and fewer locks than buckets.
 *
 * Lock order: a meter's own lock, then one stripe; never two stripes.
 */
#ifndef NPK_CORE_STRIPE_H
#define NPK_CORE_STRIPE_H

#include "port.h"

/** NPK_STRIPES - locks of a shared table, a power of two */
#define NPK_STRIPES	64

/**
 * struct npk_stripe - one lock, in a cache line of its own
 * @lock: protects every bucket whose number is the stripe's modulo NPK_STRIPES
 */
struct npk_stripe {
	_Alignas(NPK_CACHE_LINE) struct npk_lock lock;
};

/**
 * struct npk_stripes - the locks of one table
 * @stripe: the locks
 */
struct npk_stripes {
	struct npk_stripe stripe[NPK_STRIPES];
};

static inline void npk_stripes_init(struct npk_stripes *s)
{
	u32 i;

	for (i = 0; i < NPK_STRIPES; i++)
		npk_lock_init(&s->stripe[i].lock);
}

/**
 * npk_stripes_of() - lock of a bucket
 * @s: the table's locks
 * @bucket: number of the bucket
 *
 * Return: the lock.
 */
static __always_inline struct npk_lock *npk_stripes_of(struct npk_stripes *s, u32 bucket)
{
	return &s->stripe[bucket % NPK_STRIPES].lock;
}

#endif /* NPK_CORE_STRIPE_H */
