// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * NetFlow v5: fixed records, IPv4 only.  There is no RFC; the layout is the one
 * every collector reads, source before destination in AS numbers and masks.
 *
 * What the format cannot hold:
 * - IPv6: not exportable.
 * - Counters of more than 32 bits: the record is sent in parts, see split.h.
 * - TCP flags beyond eight: the low octet.
 * - ifIndex beyond 16 bits: 0, unknown; a part of it would name another device.
 * - Next hop, AS numbers, prefix lengths: 0, unknown to a passive probe.
 */
#include <errno.h>

#include "buf.h"
#include "enc.h"

#define NF5_HEADER_LEN	24
#define NF5_RECORD_LEN	48
#define NF5_MAX_RECORDS	30

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

static size_t nf5_len(const struct npk_rec *rec)
{
	(void)rec;
	return NF5_RECORD_LEN;
}

static struct npk_split_plan nf5_plan(const struct npk_enc *enc, const struct npk_rec *const *recs,
				      size_t nr_recs)
{
	const struct npk_split_room room = {
		.parts = NF5_MAX_RECORDS,
		.octets = enc->opts.max_payload - NF5_HEADER_LEN,
		.len = nf5_len,
	};

	return npk_split_plan(enc, &enc->split, recs, nr_recs, &room);
}

static size_t nf5_room(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		       const struct npk_clock *clock)
{
	(void)clock;
	return nf5_plan(enc, recs, nr_recs).taken;
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
	npk_split_put_header(b, enc, times, parts);
	npk_buf_u8(b, (uint8_t)(enc->opts.source_id >> 8));	/* engine type */
	npk_buf_u8(b, (uint8_t)enc->opts.source_id);		/* engine id */
	npk_buf_u16(b, sampling_field(&enc->opts.sampling));
}

static uint16_t ifindex16(uint32_t ifindex)
{
	return ifindex > UINT16_MAX ? 0 : (uint16_t)ifindex;
}

static void put_record(struct npk_buf *b, const struct npk_rec *rec, const struct npk_times *times,
		       const struct npk_part *part)
{
	uint32_t first, last;

	npk_times_span(times, rec, &first, &last);
	npk_buf_bytes(b, rec->saddr, 4);
	npk_buf_bytes(b, rec->daddr, 4);
	npk_buf_u32(b, 0);				/* next hop */
	npk_buf_u16(b, ifindex16(rec->in_if));
	npk_buf_u16(b, ifindex16(rec->out_if));
	npk_buf_u32(b, part->packets);
	npk_buf_u32(b, part->octets);
	npk_buf_u32(b, first);
	npk_buf_u32(b, last);
	npk_buf_bytes(b, &rec->sport, 2);
	npk_buf_bytes(b, &rec->dport, 2);		/* ICMP: type * 256 + code, as in ours */
	npk_buf_u8(b, 0);				/* pad1 */
	npk_buf_u8(b, (uint8_t)rec->tcp_flags);
	npk_buf_u8(b, rec->proto);
	npk_buf_u8(b, rec->tos);
	npk_buf_zero(b, 8);				/* AS numbers, masks, pad2 */
}

static int nf5_datagram(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
			const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken)
{
	struct npk_split_plan plan = nf5_plan(enc, recs, nr_recs);
	struct npk_times times;
	struct npk_buf b;

	if (plan.bad)
		return -EINVAL;
	if (!plan.parts)
		return 0;

	npk_times_init(&times, clock);
	npk_buf_init(&b, buf, enc->opts.max_payload);
	put_header(&b, enc, &times, plan.parts);
	npk_split_put(&b, &enc->split, recs, plan.parts, &times, put_record);
	enc->sequence += (uint32_t)plan.parts;
	*len = b.len;
	*taken = plan.taken;
	return 0;
}

const struct npk_enc_format npk_enc_nf5 = {
	.init = nf5_init,
	.exportable = nf5_exportable,
	.room = nf5_room,
	.datagram = nf5_datagram,
};
