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

#endif /* NPK_LIB_SPLIT_H */
