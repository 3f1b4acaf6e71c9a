// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "enc.h"
#include "split.h"

static uint64_t div_up(uint64_t total, uint64_t unit)
{
	return total / unit + (total % unit != 0);
}

/* How many parts it takes for counters that fit 32 bits each. */
static uint64_t nr_parts(const struct npk_rec *rec)
{
	uint64_t p, o;

	if (!((rec->packets | rec->octets) >> 32))
		return 1;
	p = div_up(rec->packets, UINT32_MAX);
	o = div_up(rec->octets, UINT32_MAX);
	return p > o ? p : o;
}

/**
 * share() - part of a counter that goes into one of several records
 * @total: counter, not 0
 * @parts: number of records
 * @part: which of them, from 0
 *
 * The shares differ by one at most and add up to @total.
 *
 * Where there is less than one for each (a record of fewer packets than parts:
 * more than 4 GiB per packet, which no IP packet can be), each gets one.
 * Collectors throw records of 0 packets away and their octets with them, so
 * this keeps the one sum exact that is the reason for the split.
 *
 * Return: the share, 1 to 2^32 - 1.
 */
static uint32_t share(uint64_t total, uint64_t parts, uint64_t part)
{
	if (total < parts)
		return 1;
	return (uint32_t)(total / parts + (part < total % parts));
}

/* Parts already sent of the record that is offered first. */
static uint64_t parts_done(const struct npk_split *split, const struct npk_rec *rec)
{
	if (!split->done || split->first_ns != rec->first_ns || split->packets != rec->packets ||
	    split->octets != rec->octets)
		return 0;
	return split->done;
}

bool npk_split_next(struct npk_split *split, const struct npk_rec *rec, struct npk_part *part)
{
	uint64_t parts = nr_parts(rec);
	uint64_t done = parts_done(split, rec);

	part->packets = share(rec->packets, parts, done);
	part->octets = share(rec->octets, parts, done);
	*split = (struct npk_split){ 0 };
	if (++done == parts)
		return false;
	split->done = done;
	split->first_ns = rec->first_ns;
	split->packets = rec->packets;
	split->octets = rec->octets;
	return true;
}

struct npk_split_plan npk_split_plan(const struct npk_enc *enc, const struct npk_split *split,
				     const struct npk_rec *const *recs, size_t nr_recs,
				     const struct npk_split_room *room)
{
	struct npk_split_plan plan = { 0 };
	size_t octets = room->octets;

	for (; plan.taken < nr_recs; plan.taken++) {
		const struct npk_rec *rec = recs[plan.taken];
		size_t max = room->parts - plan.parts;
		uint64_t left;
		size_t len;

		if (!max)
			break;
		if (npk_enc_exportable(enc, rec)) {
			plan.bad = true;
			break;
		}
		len = room->len(rec);
		if (max > octets / len)
			max = octets / len;
		left = nr_parts(rec);
		if (!plan.taken)
			left -= parts_done(split, rec);
		if (left > max) {
			plan.parts += max;
			break;
		}
		plan.parts += (size_t)left;
		octets -= (size_t)left * len;
	}
	return plan;
}

void npk_split_put_header(struct npk_buf *b, const struct npk_enc *enc,
			  const struct npk_times *times, size_t parts)
{
	uint64_t secs = (uint64_t)npk_floor_div(times->now_ns, NPK_NS_PER_S);

	npk_buf_u16(b, (uint16_t)enc->opts.version);
	npk_buf_u16(b, (uint16_t)parts);
	npk_buf_u32(b, npk_times_uptime(times, times->now_ms));
	npk_buf_u32(b, (uint32_t)secs);
	npk_buf_u32(b, (uint32_t)((uint64_t)times->now_ns - secs * NPK_NS_PER_S));
	npk_buf_u32(b, enc->sequence);
}
