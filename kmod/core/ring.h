/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Index algebra of a ring of fixed slots, for both sides.
 *
 * Positions are free-running counts of records, so full and empty differ and
 * the number of slots need only be a power of two.  The producer's position is
 * private to the kernel, what it shows in struct npk_prod is a copy; the
 * consumer's is written by user space and hostile.
 */
#ifndef NPK_CORE_RING_H
#define NPK_CORE_RING_H

#include "port.h"

/**
 * npk_ring_used() - records between the two positions
 * @head: producer's position
 * @tail: consumer's position, any value
 * @slots: slots of the ring
 * @used: out: records, 0 to @slots
 *
 * Return: false when @tail makes no sense (beyond @head or more than @slots
 * behind it).
 */
static inline bool npk_ring_used(u64 head, u64 tail, u32 slots, u32 *used)
{
	if (head - tail > slots)
		return false;
	*used = head - tail;
	return true;
}

/**
 * npk_ring_slot() - slot of a record
 * @pos: number of the record
 * @slots: slots of the ring, a power of two
 *
 * Return: index below @slots, whatever @pos is.
 */
static inline u32 npk_ring_slot(u64 pos, u32 slots)
{
	return pos & (slots - 1);
}

#endif /* NPK_CORE_RING_H */
