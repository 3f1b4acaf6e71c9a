// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NetFlow v5: fixed records, IPv4 only.  There is no RFC; the layout is the one
 * every collector reads, source before destination in AS numbers and masks.
 *
 * What the format cannot hold:
 * - IPv6: not exportable.
 * - Counters of more than 32 bits: the record is sent as several with the same
 *   key and times, equal shares of both counters, sums exact.  The shares may
 *   lie in several datagrams; the encoder remembers how far it got.
 * - TCP flags beyond eight: the low octet.
 * - ifIndex beyond 16 bits: 0, unknown; a part of it would name another device.
 * - Next hop, AS numbers, prefix lengths: 0, unknown to a passive probe.
 */
#include <errno.h>
#include <string.h>

#include "buf.h"
#include "enc.h"

#define NF5_HEADER_LEN	24
#define NF5_RECORD_LEN	48
#define NF5_MAX_RECORDS	30

/**
 * struct nf5_layout - what one datagram will hold
 * @parts: v5 records, at most NF5_MAX_RECORDS
 * @taken: records of ours whose last part is among them
 * @bad: stopped at a record that is not exportable
 */
struct nf5_layout {
	size_t parts;
	size_t taken;
	bool bad;
};

static uint64_t div_up(uint64_t total, uint64_t unit)
{
	return total / unit + (total % unit != 0);
}

/* How many v5 records it takes for counters that fit 32 bits each. */
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
 * more than 4 GiB per packet, which no IPv4 packet can be), each gets one.
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
static uint64_t parts_done(const struct npk_enc_split *split, const struct npk_rec *rec)
{
	if (!split->done || split->first_ns != rec->first_ns || split->packets != rec->packets ||
	    split->octets != rec->octets)
		return 0;
	return split->done;
}

static int nf5_init(struct npk_enc *enc, const struct npk_enc_template *templates)
{
	(void)templates;
	return enc->opts.sampling.interval > NPK_ENC_NF5_MAX_SAMPLING ? -EINVAL : 0;
}

static const char *nf5_exportable(const struct npk_enc *enc, const struct npk_rec *rec)
{
	(void)enc;
	return rec->ip_version == 4 ? NULL : "ipv6_in_v5";
}

static void nf5_plan(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		     struct nf5_layout *l)
{
	size_t max = (enc->opts.max_payload - NF5_HEADER_LEN) / NF5_RECORD_LEN;
	uint64_t left;

	if (max > NF5_MAX_RECORDS)
		max = NF5_MAX_RECORDS;
	*l = (struct nf5_layout){ 0 };
	while (l->taken < nr_recs && l->parts < max) {
		const struct npk_rec *rec = recs[l->taken];

		if (npk_enc_exportable(enc, rec)) {
			l->bad = true;
			return;
		}
		left = nr_parts(rec);
		if (!l->taken)
			left -= parts_done(&enc->split, rec);
		if (left > max - l->parts) {
			l->parts = max;
			return;
		}
		l->parts += (size_t)left;
		l->taken++;
	}
}

static size_t nf5_room(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		       const struct npk_clock *clock)
{
	struct nf5_layout l;

	(void)clock;
	nf5_plan(enc, recs, nr_recs, &l);
	return l.taken;
}

/* Mode in the upper two bits, 1 of every N, 2 at random; 0 when every packet counts. */
static uint16_t sampling_field(const struct npk_sampling *s)
{
	if (s->interval <= 1)
		return 0;
	return (uint16_t)((s->random ? 2 : 1) << 14 | s->interval);
}

static void put_header(struct npk_buf *b, const struct npk_enc *enc, const struct npk_times *times,
		       size_t parts)
{
	uint64_t secs = (uint64_t)npk_floor_div(times->now_ns, NPK_NS_PER_S);

	npk_buf_u16(b, NPK_ENC_NF5);
	npk_buf_u16(b, (uint16_t)parts);
	npk_buf_u32(b, npk_times_uptime(times, times->now_ms));
	npk_buf_u32(b, (uint32_t)secs);
	npk_buf_u32(b, (uint32_t)((uint64_t)times->now_ns - secs * NPK_NS_PER_S));
	npk_buf_u32(b, enc->sequence);
	npk_buf_u8(b, (uint8_t)(enc->opts.source_id >> 8));	/* engine type */
	npk_buf_u8(b, (uint8_t)enc->opts.source_id);		/* engine id */
	npk_buf_u16(b, sampling_field(&enc->opts.sampling));
}

static uint16_t ifindex16(uint32_t ifindex)
{
	return ifindex > UINT16_MAX ? 0 : (uint16_t)ifindex;
}

static void put_record(struct npk_buf *b, const struct npk_rec *rec, const struct npk_times *times,
		       uint32_t packets, uint32_t octets)
{
	int64_t last = npk_times_real_ms(times, rec->last_ns);
	int64_t first = npk_times_real_ms(times, rec->first_ns);

	/* Collectors take Last - sysUptime as unsigned: later than now is 49 days ago. */
	if (last > times->now_ms)
		last = times->now_ms;
	if (first > last)
		first = last;

	npk_buf_bytes(b, rec->saddr, 4);
	npk_buf_bytes(b, rec->daddr, 4);
	npk_buf_u32(b, 0);				/* next hop */
	npk_buf_u16(b, ifindex16(rec->in_if));
	npk_buf_u16(b, ifindex16(rec->out_if));
	npk_buf_u32(b, packets);
	npk_buf_u32(b, octets);
	npk_buf_u32(b, npk_times_uptime(times, first));
	npk_buf_u32(b, npk_times_uptime(times, last));
	npk_buf_bytes(b, &rec->sport, 2);
	npk_buf_bytes(b, &rec->dport, 2);		/* ICMP: type * 256 + code, as in ours */
	npk_buf_u8(b, 0);				/* pad1 */
	npk_buf_u8(b, (uint8_t)rec->tcp_flags);
	npk_buf_u8(b, rec->proto);
	npk_buf_u8(b, rec->tos);
	npk_buf_zero(b, 8);				/* AS numbers, masks, pad2 */
}

/* Write the next parts of a record, at most @max; returns how many there were. */
static size_t put_parts(struct npk_enc *enc, struct npk_buf *b, const struct npk_rec *rec,
			const struct npk_times *times, size_t max)
{
	uint64_t parts = nr_parts(rec);
	uint64_t done = parts_done(&enc->split, rec);
	size_t n;

	for (n = 0; n < max && done < parts; n++, done++)
		put_record(b, rec, times, share(rec->packets, parts, done),
			   share(rec->octets, parts, done));
	enc->split = (struct npk_enc_split){ 0 };
	if (done < parts) {
		enc->split.done = done;
		enc->split.first_ns = rec->first_ns;
		enc->split.packets = rec->packets;
		enc->split.octets = rec->octets;
	}
	return n;
}

static int nf5_datagram(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
			const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken)
{
	struct npk_times times;
	struct nf5_layout l;
	struct npk_buf b;
	size_t i, n;

	nf5_plan(enc, recs, nr_recs, &l);
	if (l.bad)
		return -EINVAL;
	if (!l.parts)
		return 0;

	npk_times_init(&times, clock);
	npk_buf_init(&b, buf, enc->opts.max_payload);
	put_header(&b, enc, &times, l.parts);
	for (i = 0, n = 0; n < l.parts; i++)
		n += put_parts(enc, &b, recs[i], &times, l.parts - n);
	enc->sequence += (uint32_t)l.parts;
	*len = b.len;
	*taken = l.taken;
	return 0;
}

const struct npk_enc_format npk_enc_nf5 = {
	.init = nf5_init,
	.exportable = nf5_exportable,
	.room = nf5_room,
	.datagram = nf5_datagram,
};
