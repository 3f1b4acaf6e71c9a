/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The reader's side of a member's rings, wherever they are mapped.  The protocol
 * is in nprobe_k.h, the barriers in docs/abi.md.
 */
#ifndef NPK_LIB_RINGS_H
#define NPK_LIB_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nprobe_k.h>

/** NPK_RINGS_WINDOW - records looked at and not yet released, all rings together; a power of two */
#define NPK_RINGS_WINDOW	65536

/**
 * struct npk_ring_map - one mapped ring
 * @prod: the producer's page
 * @cons: our page
 * @data: records, rec_size apart
 * @looked: records looked at
 * @tail: records released
 * @end: records that will be looked at, once the rings are @limited
 */
struct npk_ring_map {
	const struct npk_prod *prod;
	struct npk_cons *cons;
	const uint8_t *data;
	uint64_t looked;
	uint64_t tail;
	uint64_t end;
};

/**
 * struct npk_rings - rings read as one stream
 * @ring: @nr of them
 * @nr: rings
 * @slots: records a ring holds, a power of two
 * @rec_size: octets from one record to the next
 * @order: ring of every record looked at, in the order in which they are shown
 * @shown: entries ever put into @order
 * @released: entries done with
 * @limited: what is put into a ring behind its end is for another reader
 */
struct npk_rings {
	struct npk_ring_map *ring;
	uint32_t nr;
	uint32_t slots;
	uint32_t rec_size;
	uint16_t order[NPK_RINGS_WINDOW];
	uint64_t shown;
	uint64_t released;
	bool limited;
};

/**
 * npk_ring_begin() - start where the reader before us ended
 * @r: ring, its memory mapped
 */
void npk_ring_begin(struct npk_ring_map *r);

/**
 * npk_rings_limit() - from now on show what is in the rings now, and no more
 * @r: rings; once more for what came since
 */
void npk_rings_limit(struct npk_rings *r);

/**
 * npk_rings_look() - take in the names of new records, ring after ring
 * @r: rings
 */
void npk_rings_look(struct npk_rings *r);

/**
 * npk_rings_peek() - records looked at and not released
 * @r: rings
 * @recs: out: them, in the order of the stream
 * @max: entries of @recs
 *
 * Return: how many.
 */
size_t npk_rings_peek(const struct npk_rings *r, const struct npk_rec **recs, size_t max);

/**
 * npk_rings_release() - the first records are done with: their slots are the producer's again
 * @r: rings
 * @nr_recs: how many, at most what npk_rings_peek() showed
 */
void npk_rings_release(struct npk_rings *r, size_t nr_recs);

#endif /* NPK_LIB_RINGS_H */
