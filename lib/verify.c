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
		[NPK_VERDICT_STALE] = "stale",
		[NPK_VERDICT_REPLAYED] = "replayed",
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

enum npk_verdict npk_verify_fresh(const struct npk_verify_datagram *d, const uint8_t *digest)
{
	int64_t window_s = d->v->opts.window_s, sent_s = d->out->unix_s;

	/* a capture file may say any time */
	if (window_s && (d->when_s < sent_s - window_s || d->when_s > sent_s + window_s))
		return NPK_VERDICT_STALE;
	if (npk_replay_seen(&d->v->replay, digest, d->out->unix_s))
		return NPK_VERDICT_REPLAYED;
	return NPK_VERDICT_VALID;
}

static bool same_stream(const struct npk_verify_stream *s, const struct npk_verify_datagram *d)
{
	return s->version == d->out->version && s->source_id == d->out->source_id &&
	       s->from.port == d->from->port &&
	       !memcmp(s->from.addr, d->from->addr, sizeof(s->from.addr));
}

/* The stream of the datagram, or the one to make room; *@known: which of the two. */
static struct npk_verify_stream *find_stream(struct npk_verify_stream *all,
					     const struct npk_verify_datagram *d, bool *known)
{
	struct npk_verify_stream *s, *lowest = all;

	*known = false;
	for (s = all; s < all + NPK_VERIFY_STREAMS && s->rank; s++) {
		*known = same_stream(s, d);
		if (*known)
			return s;
		if (s->rank < lowest->rank)
			lowest = s;
	}
	return s < all + NPK_VERIFY_STREAMS ? s : lowest;	/* none is given back */
}

/*
 * Older than what its stream has had?  Within a second, sequence numbers say it.  The very next
 * number is not, for an exporter's clock may be set back.
 */
static bool is_late(const struct npk_verify_stream *s, uint64_t rank, uint32_t sequence)
{
	if (sequence == s->next)
		return false;
	return rank < s->rank || (rank == s->rank && (int32_t)(sequence - s->next) < 0);
}

struct npk_verify_stream *npk_verify_stream(const struct npk_verify_datagram *d, uint32_t step)
{
	bool proven = d->out->verdict == NPK_VERDICT_VALID && d->v->opts.key_len, known;
	uint64_t rank = proven ? (uint64_t)d->out->unix_s + 1 : d->v->datagrams;
	struct npk_verify_stream *passing = &d->v->passing;
	struct npk_verify_stream *s = find_stream(d->v->streams[!proven], d, &known);

	if (known) {
		d->out->gap = d->out->sequence != s->next;
		if (is_late(s, rank, d->out->sequence)) {
			*passing = *s;
			return passing;
		}
	} else {
		if (rank <= s->rank)
			s = passing;
		memset(s, 0, sizeof(*s));
		s->from = *d->from;
		s->version = d->out->version;
		s->source_id = d->out->source_id;
	}
	s->rank = rank;
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

void npk_verify_datagram(struct npk_verify *v, const struct npk_verify_from *from, int64_t when_s,
			 const uint8_t *data, size_t len, struct npk_verified *out)
{
	struct npk_verify_datagram d = { v, from, when_s, data, len, out };

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
