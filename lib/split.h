/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records whose counters need more than 32 bits, for formats that have no more:
 * several parts with the same key and times, equal shares of both counters, sums
 * exact.  The parts may lie in several datagrams; the stream remembers how far
 * it got.
 */
#ifndef NPK_LIB_SPLIT_H
#define NPK_LIB_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <npk/enc.h>

#include "buf.h"
#include "ie.h"

/**
 * struct npk_split - a record of which some parts have been sent
 * @done: parts written so far, 0: no record is under way
 * @first_ns: of that record; with the next members the mark to know it by
 * @packets: of that record
 * @octets: of that record
 */
struct npk_split {
	uint64_t done;
	uint64_t first_ns;
	uint64_t packets;
	uint64_t octets;
};

/**
 * struct npk_part - one part of a record
 * @packets: its share, 1 to 2^32 - 1
 * @octets: likewise
 */
struct npk_part {
	uint32_t packets;
	uint32_t octets;
};

/**
 * npk_split_next() - the next part of a record
 * @split: state of the stream; advances
 * @rec: record, not empty; where it is the one under way, its next part
 * @part: out
 *
 * Return: true when more parts follow.
 */
bool npk_split_next(struct npk_split *split, const struct npk_rec *rec, struct npk_part *part);

/**
 * struct npk_split_room - what a datagram can hold
 * @parts: most parts
 * @octets: for all of them
 * @len: octets of one part of a record
 */
struct npk_split_room {
	size_t parts;
	size_t octets;
	size_t (*len)(const struct npk_rec *rec);
};

/**
 * struct npk_split_plan - what one datagram will hold
 * @parts: parts
 * @taken: records whose last part is among them
 * @bad: stopped at a record that is not exportable
 */
struct npk_split_plan {
	size_t parts;
	size_t taken;
	bool bad;
};

/**
 * npk_split_plan() - fill a datagram with parts
 * @enc: encoder, says what is exportable
 * @split: state of the stream
 * @recs: records
 * @nr_recs: how many
 * @room: of the datagram
 *
 * Return: what fits.
 */
struct npk_split_plan npk_split_plan(const struct npk_enc *enc, const struct npk_split *split,
				     const struct npk_rec *const *recs, size_t nr_recs,
				     const struct npk_split_room *room);

/**
 * npk_split_put_header() - what the headers of these formats begin with
 * @b: the datagram
 * @enc: encoder
 * @times: the clock reading of the datagram
 * @parts: records it will hold
 *
 * Version, records, sysUptime in ms, seconds and nanoseconds since 1970, sequence number.
 */
void npk_split_put_header(struct npk_buf *b, const struct npk_enc *enc,
			  const struct npk_times *times, size_t parts);

/**
 * npk_split_put() - write the records of a datagram
 * @b: the datagram
 * @split: state of the stream; advances
 * @recs: records
 * @parts: as npk_split_plan() said of these records
 * @times: the clock reading of the datagram
 * @put: writes one part
 *
 * Inline, for then @put is too.
 */
static inline void npk_split_put(struct npk_buf *b, struct npk_split *split,
				 const struct npk_rec *const *recs, size_t parts,
				 const struct npk_times *times,
				 void (*put)(struct npk_buf *b, const struct npk_rec *rec,
					     const struct npk_times *times,
					     const struct npk_part *part))
{
	struct npk_part part;

	while (parts--) {
		const struct npk_rec *rec = *recs;

		if (!npk_split_next(split, rec, &part))
			recs++;
		put(b, rec, times, &part);
	}
}

#endif /* NPK_LIB_SPLIT_H */
