// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: hostile datagrams through the verifier.
 *
 * Input: for each datagram an octet of SEAL_ bits, its length, its octets.  With SEAL_SIGN the
 * right digest is put in, so that what comes behind it is reached.
 *
 * Beside memory errors it finds datagrams with the right digest that are said to have a bad
 * one, or to be valid twice or out of time, records that are none, results that depend on what
 * was in memory, and results of valid datagrams that depend on any other.
 */
#include <npk/verify.h>

#include "lib/buf.h"
#include "lib/nf9.h"
#include "lib/nflow.h"
#include "lib/seal.h"
#include "lib/verify.h"
#include "tests/fuzz/input.h"

#define SEAL_SIGN	0x01	/* nFlow v1: the digest; v9: a trailer */
#define SEAL_COMPRESS	0x02
#define SEAL_PORT	0xf4	/* where from */
#define SEAL_STALE	0x08	/* comes at a time when nothing is fresh */

#define STALE_S		(INT64_C(1) << 33)

#define LEN_MAX		65535

/**
 * struct told - what a verifier gave to its callback
 * @flows: how many
 * @mix: of all octets of the records
 */
struct told {
	uint64_t flows;
	uint64_t mix;
};

static void take(void *arg, const struct npk_verified *about, const struct npk_rec *rec)
{
	const uint8_t *p = (const uint8_t *)rec;
	struct told *t = arg;
	size_t i;

	HOLDS(about->verdict == NPK_VERDICT_VALID || about->verdict == NPK_VERDICT_UNSIGNED);
	HOLDS(rec->ip_version);
	HOLDS(rec->nr_mpls <= NPK_MPLS_MAX);
	t->flows++;
	for (i = 0; i < sizeof(*rec); i++)
		t->mix = (t->mix ^ p[i]) * UINT64_C(0x100000001b3);
}

static struct npk_verify *new_verify(struct told *told)
{
	const struct npk_verify_opts opts = {
		.key = "secret", .key_len = 6, .window_s = UINT32_MAX,
		.flow = take, .arg = told,
	};
	struct npk_verify *v;

	HOLDS(!npk_verify_new(&opts, &v));
	return v;
}

/* As new: what is in use, because all of it is large.  @fill: what datagrams are inflated over. */
static void clear(struct npk_verify *v, int fill)
{
	struct npk_verify_stream *s;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		for (s = v->streams[i]; s < v->streams[i] + NPK_VERIFY_STREAMS && s->rank; s++)
			memset(s, 0, sizeof(*s));
	}
	for (i = 0; i < NPK_REPLAY_SETS; i++) {
		if (v->replay.sets[i].sent[0])
			memset(&v->replay.sets[i], 0, sizeof(v->replay.sets[i]));
	}
	v->datagrams = 0;
	memset(&v->passing, fill, sizeof(v->passing));
	memset(v->inflated, fill, sizeof(v->inflated));
}

/* A set that goes beyond the end would take the trailer for a part of itself. */
static bool sets_end(const uint8_t *data, size_t len)
{
	size_t at = NF9_HEADER_LEN, n;

	for (; at < len; at += n) {
		n = len - at < 4 ? 0 : npk_get_be16(data + at + 2);
		if (n < 4 || n > len - at)
			return false;
	}
	return at == len;
}

/* Put the right digest in, where there is a place for it; @data has room for a trailer. */
static bool sign(struct npk_seal *seal, uint8_t *data, size_t *len)
{
	unsigned int version = *len < 2 ? 0 : npk_get_be16(data);

	if (version == NPK_ENC_NFLOW && *len >= NFLOW_HEADER_LEN) {
		npk_digest_md5(&seal->key, data, *len, NFLOW_DIGEST_AT, data + NFLOW_DIGEST_AT);
		return true;
	}
	if (version != NPK_ENC_NF9 || !sets_end(data, *len))
		return false;
	memcpy(data + *len, npk_nflow9_trailer, NFLOW9_TRAILER_LEN);
	*len += NFLOW9_TRAILER_LEN;
	npk_digest_sha256(&seal->key, data, *len, data + *len - NPK_SHA256_LEN);
	return true;
}

/* The next datagram, in memory of exactly its length; @flags: what was done to it. */
static uint8_t *next_datagram(struct input *in, struct npk_seal *seal, unsigned int *flags,
			      size_t *len)
{
	static uint8_t work[NPK_ENC_MAX_DATAGRAM];
	size_t n = next16(in);

	n = n < in->len ? n : in->len;
	if (n > sizeof(work) - NFLOW9_TRAILER_LEN)
		n = sizeof(work) - NFLOW9_TRAILER_LEN;
	if (n)
		memcpy(work, in->data, n);
	in->data += n;
	in->len -= n;
	if (*flags & SEAL_SIGN && !sign(seal, work, &n))
		*flags &= ~(unsigned int)SEAL_SIGN;
	if (*flags & SEAL_COMPRESS)
		n = npk_seal_compress(seal, work, n, sizeof(work));
	*len = n;
	return exactly(work, (uint32_t)n);
}

static void check(const struct npk_verified *a, const struct npk_verified *b, unsigned int flags)
{
	HOLDS(!memcmp(a, b, sizeof(*a)));
	HOLDS((unsigned int)a->verdict < __NPK_VERDICT_MAX);
	HOLDS(a->flows <= LEN_MAX);
	HOLDS(a->verdict == NPK_VERDICT_VALID || a->verdict == NPK_VERDICT_UNSIGNED ||
	      (!a->flows && !a->gap && !a->unknown_sets));
	HOLDS((a->verdict == NPK_VERDICT_STALE) <= !!(flags & SEAL_STALE));
	if (flags & SEAL_STALE)
		HOLDS(a->verdict != NPK_VERDICT_VALID && a->verdict != NPK_VERDICT_REPLAYED);
	if (flags & SEAL_SIGN)
		HOLDS(a->verdict != NPK_VERDICT_BAD_DIGEST && a->verdict != NPK_VERDICT_UNSIGNED);
}

/**
 * struct trial - verifiers side by side
 * @v: one, and what it told
 * @w: another with other octets in memory that is to be written first
 * @proven: a third, for what is valid, after which it is replayed
 */
struct trial {
	struct npk_verify *v, *w, *proven;
	struct told told_v, told_w, told_proven;
};

static void run(struct trial *t, const uint8_t *data, size_t len, unsigned int flags)
{
	const struct npk_verify_from from = { .port = flags & SEAL_PORT };
	int64_t when_s = flags & SEAL_STALE ? STALE_S : 0;
	struct npk_verified one, other;

	memset(&one, 0, sizeof(one));
	memset(&other, 0, sizeof(other));
	npk_verify_datagram(t->v, &from, when_s, data, len, &one);
	npk_verify_datagram(t->w, &from, when_s, data, len, &other);
	check(&one, &other, flags);
	if (one.verdict != NPK_VERDICT_VALID)
		return;
	memset(&other, 0, sizeof(other));
	npk_verify_datagram(t->proven, &from, when_s, data, len, &other);
	HOLDS(!memcmp(&one, &other, sizeof(one)));
	npk_verify_datagram(t->v, &from, when_s, data, len, &other);
	HOLDS(other.verdict == NPK_VERDICT_REPLAYED && !other.flows);
	npk_verify_datagram(t->w, &from, when_s, data, len, &other);
}

/* Made once: that takes longer than an input does. */
static void start(struct trial *t)
{
	if (!t->v) {
		t->v = new_verify(&t->told_v);
		t->w = new_verify(&t->told_w);
		t->proven = new_verify(&t->told_proven);
	}
	clear(t->v, 0);
	clear(t->w, 0xa5);
	clear(t->proven, 0);
	t->told_v = t->told_w = t->told_proven = (struct told){};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct npk_enc_opts opts = { .key = "secret", .key_len = 6, .compress = true };
	struct input in = { data, size };
	static struct npk_seal *seal;
	static struct trial t;
	unsigned int flags;
	uint8_t *datagram;
	size_t len;

	HOLDS(seal || !npk_seal_new(&opts, &seal));
	start(&t);
	while (in.len) {
		flags = next8(&in);
		datagram = next_datagram(&in, seal, &flags, &len);
		run(&t, datagram, len, flags);
		free(datagram);
	}
	HOLDS(!memcmp(&t.told_v, &t.told_w, sizeof(t.told_v)));
	HOLDS(t.told_proven.flows <= t.told_v.flows);
	return 0;
}
