/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which frames are metered: one of every so many. */
#ifndef NPK_LIB_SAMPLE_H
#define NPK_LIB_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include <npk/sampling.h>

/**
 * struct npk_sample - a sampler
 * @interval: frames of a group, of which one is taken; 0 and 1: every frame is
 * @random: which one is drawn anew for each group; else it is the middle one, so that
 *	an estimate of the whole is never off by more than half an interval
 * @left: frames of the present group still to come
 * @take_at: the frame is taken when so many are left, the frame itself included
 * @state: of the random numbers
 *
 * Both are RFC 5475's: systematic count-based (5.1), and n-out-of-N with n = 1
 * (5.2.1), where one frame of each group has the same chance.
 */
struct npk_sample {
	uint32_t interval;
	bool random;
	uint32_t left;
	uint32_t take_at;
	uint64_t state;
};

/**
 * npk_sample_init() - start before the first frame
 * @s: sampler
 * @sampling: how
 * @seed: of the random numbers; the same seed takes the same frames
 */
void npk_sample_init(struct npk_sample *s, const struct npk_sampling *sampling, uint64_t seed);

/**
 * npk_sample_begin() - begin the next group of frames
 * @s: sampler
 */
void npk_sample_begin(struct npk_sample *s);

/**
 * npk_sample_takes() - decide on the next frame
 * @s: sampler
 *
 * Return: true when the frame is to be metered.
 */
static inline bool npk_sample_takes(struct npk_sample *s)
{
	if (s->interval <= 1)
		return true;
	if (!s->left)
		npk_sample_begin(s);
	return s->left-- == s->take_at;
}

#endif /* NPK_LIB_SAMPLE_H */
