/* SPDX-License-Identifier: GPL-2.0-only */
/* A counter that never goes back, over one that begins anew with the module. */
#ifndef PROBE_GROWING_H
#define PROBE_GROWING_H

#include <stdint.h>

/**
 * struct growing - a counter that goes on where another began anew
 * @last: what that one was
 * @base: to be added to what it is
 */
struct growing {
	uint64_t last;
	uint64_t base;
};

/**
 * growing_add() - take a reading
 * @g: counter, zeroed at first
 * @value: what the other one is; 0: it begins anew or cannot be read at present, which
 *	the next reading will tell
 *
 * Return: the sum over all beginnings.
 */
static inline uint64_t growing_add(struct growing *g, uint64_t value)
{
	if (value && value < g->last)
		g->base += g->last;
	if (value)
		g->last = value;
	return g->base + g->last;
}

#endif /* PROBE_GROWING_H */
