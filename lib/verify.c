// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What does not depend on the format: inflating, streams, sequence numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <npk/enc.h>

#include "buf.h"
#include "nflow.h"
#include "verify.h"

/* zlib and gzip, whichever the header says; the window is the usual one */
#define INFLATE_BITS	(32 + 15)

int npk_verify_new(const struct npk_verify_opts *opts, struct npk_verify **out)
{
	struct npk_verify *v = calloc(1, sizeof(*v));

	*out = NULL;
	if (!v)
		return -ENOMEM;
	if (inflateInit2(&v->z, INFLATE_BITS) != Z_OK) {
		free(v);
		return -ENOMEM;
	}
	v->opts = *opts;
	npk_digest_key(&v->key, opts->key, opts->key_len);
	v->opts.key = NULL;
	*out = v;
	return 0;
}

void npk_verify_free(struct npk_verify *v)
{
	if (!v)
		return;
	inflateEnd(&v->z);
	explicit_bzero(&v->key, sizeof(v->key));
	free(v);
}

const char *npk_verdict_name(enum npk_verdict verdict)
{
	static const char *const name[__NPK_VERDICT_MAX] = {
		[NPK_VERDICT_VALID] = "valid",
		[NPK_VERDICT_BAD_DIGEST] = "bad digest",
		[NPK_VERDICT_UNSIGNED] = "unsigned",
		[NPK_VERDICT_MALFORMED] = "malformed",
	};

	return name[verdict];
}

/* Neither version number of an export format begins like a zlib or gzip stream. */
static bool is_compressed(const uint8_t *data, size_t len)
{
	unsigned int head;

	if (len < 2)
		return false;
	head = npk_get_be16(data);
	return head == 0x1f8b || (data[0] == 0x78 && head % 31 == 0);
}

/*
 * All of the stream and nothing behind it, or it is none of ours.  Anybody may send what is
 * to be inflated, so it goes on beyond the longest nFlow message for v9 alone.
 */
static bool inflate_all(struct npk_verify_datagram *d)
{
	z_stream *z = &d->v->z;
	int end;

	if (inflateReset(z) != Z_OK)
		return false;
	z->next_in = (uint8_t *)d->data;
	z->avail_in = (uInt)d->len;
	z->next_out = d->v->inflated;
	z->avail_out = NFLOW_INFLATED_MAX;
	end = inflate(z, Z_SYNC_FLUSH);
	if (end == Z_OK && !z->avail_out && npk_get_be16(d->v->inflated) == NPK_ENC_NF9) {
		z->avail_out = sizeof(d->v->inflated) - NFLOW_INFLATED_MAX;
		end = inflate(z, Z_FINISH);
	}
	if (end != Z_STREAM_END || z->avail_in)
		return false;
	d->data = d->v->inflated;
	d->len = z->total_out;
	return true;
}

static bool same_stream(const struct npk_verify_stream *s, const struct npk_verify_datagram *d)
{
	return s->used && s->version == d->out->version && s->source_id == d->out->source_id &&
	       s->from.port == d->from->port &&
	       !memcmp(s->from.addr, d->from->addr, sizeof(s->from.addr));
}

struct npk_verify_stream *npk_verify_stream(const struct npk_verify_datagram *d, uint32_t step)
{
	struct npk_verify_stream *all = d->v->streams[d->out->verdict != NPK_VERDICT_VALID];
	struct npk_verify_stream *s, *oldest = all;

	for (s = all; s < all + NPK_VERIFY_STREAMS && !same_stream(s, d); s++) {
		if (s->used < oldest->used)
			oldest = s;
	}
	if (s == all + NPK_VERIFY_STREAMS) {
		s = oldest;
		memset(s, 0, sizeof(*s));
		s->from = *d->from;
		s->version = d->out->version;
		s->source_id = d->out->source_id;
	} else {
		d->out->gap = d->out->sequence != s->next;
	}
	s->used = d->v->datagrams;
	s->next = d->out->sequence + step;
	return s;
}

void npk_verify_flow(const struct npk_verify_datagram *d, const struct npk_rec *rec)
{
	if (!rec->ip_version)
		return;
	d->out->flows++;
	if (d->v->opts.flow)
		d->v->opts.flow(d->v->opts.arg, d->out, rec);
}

void npk_verify_datagram(struct npk_verify *v, const struct npk_verify_from *from,
			 const uint8_t *data, size_t len, struct npk_verified *out)
{
	struct npk_verify_datagram d = { v, from, data, len, out };

	*out = (struct npk_verified){ .verdict = NPK_VERDICT_MALFORMED };
	v->datagrams++;
	out->compressed = is_compressed(data, len);
	if (out->compressed && (len > UINT16_MAX || !inflate_all(&d)))
		return;
	if (d.len < 2)
		return;
	out->version = npk_get_be16(d.data);
	if (out->version == NPK_ENC_NFLOW)
		npk_verify_nflow(&d);
	else if (out->version == NPK_ENC_NF9)
		npk_verify_nf9(&d);
}
