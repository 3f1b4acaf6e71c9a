/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How packets are sampled, as sources do it and export formats announce it. */
#ifndef NPK_SAMPLING_H
#define NPK_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct npk_sampling - one frame of so many
 * @interval: frames for each one that is metered; 0 and 1: every frame is
 * @random: of each @interval frames one at random, else always the same one
 *
 * Counters of records are those of the frames that were metered; who reads them
 * multiplies by @interval.
 */
struct npk_sampling {
	uint32_t interval;
	bool random;
};

#endif /* NPK_SAMPLING_H */
