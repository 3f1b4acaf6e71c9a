// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "sample.h"

/* SplitMix64: a counter of odd steps, stirred. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/*
 * A number below @n, each as likely as any other: the upper half of 32 random bits times
 * @n.  Some upper halves have one product more than others, because 2^32 is no multiple
 * of @n; without the 2^32 mod @n lowest lower halves, which are drawn again, all have as many.
 */
static uint32_t random_below(uint64_t *state, uint32_t n)
{
	uint32_t surplus = (0 - n) % n;
	uint64_t product;

	do {
		product = (next_random(state) >> 32) * n;
	} while ((uint32_t)product < surplus);
	return (uint32_t)(product >> 32);
}

void npk_sample_init(struct npk_sample *s, const struct npk_sampling *sampling, uint64_t seed)
{
	*s = (struct npk_sample){
		.interval = sampling->interval,
		.random = sampling->random,
		.state = seed,
	};
}

void npk_sample_begin(struct npk_sample *s)
{
	s->left = s->interval;
	s->take_at = s->interval - (s->random ? random_below(&s->state, s->interval) :
						s->interval / 2);
}
