// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "frag.h"

static u64 hash_id(const struct npk_frag_id *id, const struct npk_secret *secret)
{
	const u64 *k = secret->word;
	u64 w[5];

	memcpy(w, id, sizeof(w));
	w[0] = npk_mul_fold(w[0] ^ k[5], w[1] ^ k[6]) ^ npk_mul_fold(w[2] ^ k[0], w[3] ^ k[1]);
	w[0] = npk_mul_fold(w[0] ^ k[4], w[4] ^ k[3]);
	return npk_mul_fold(w[0] ^ k[7], k[2] | 1);	/* fragments differ in few bits */
}

static bool is_fresh(const struct npk_frag *e, u64 now_ns)
{
	s64 age = now_ns - e->seen_ns;

	/* a clock that went back further than that (captures) is of another time */
	return age <= (s64)NPK_FRAG_NS && age >= -(s64)NPK_FRAG_NS;
}

static struct npk_frag *find(struct npk_frag *bucket, const struct npk_frag_id *id)
{
	u32 i;

	for (i = 0; i < NPK_FRAG_WAYS; i++) {
		if (!memcmp(&bucket[i].id, id, sizeof(*id)))
			return &bucket[i];
	}
	return NULL;
}

/* The oldest entry; a free one has time 0, one from far ahead is of another time. */
static struct npk_frag *claim(struct npk_frag *bucket, u64 now_ns)
{
	struct npk_frag *e = bucket;
	u64 age, most = 0;
	u32 i;

	for (i = 0; i < NPK_FRAG_WAYS; i++) {
		if (!bucket[i].id.ip_version)
			return &bucket[i];
		age = now_ns + NPK_FRAG_NS - bucket[i].seen_ns;
		if (age > most) {
			most = age;
			e = &bucket[i];
		}
	}
	return e;
}

static void remember(struct npk_frag *bucket, const struct npk_frag_id *id,
		     const struct npk_pkt *pkt)
{
	struct npk_frag *e = find(bucket, id);

	if (!e)
		e = claim(bucket, pkt->now_ns);
	e->id = *id;
	e->sport = pkt->key.sport;
	e->dport = pkt->key.dport;
	e->seen_ns = pkt->now_ns;
}

static bool recall(struct npk_frag *bucket, const struct npk_frag_id *id, struct npk_pkt *pkt)
{
	const struct npk_frag *e = find(bucket, id);

	if (!e || !is_fresh(e, pkt->now_ns))
		return false;
	pkt->key.sport = e->sport;
	pkt->key.dport = e->dport;
	return true;
}

bool npk_frags_join(struct npk_frags *f, struct npk_pkt *pkt, const struct npk_secret *secret)
{
	struct npk_frag_id id = {
		.ident = pkt->frag_id,
		.proto = pkt->key.proto,
		.ip_version = pkt->key.ip_version,
	};
	bool known = true;
	struct npk_lock *lock;
	u32 i;

	memcpy(id.addr, pkt->key.addr, sizeof(id.addr));
	i = hash_id(&id, secret) & (NPK_FRAG_BUCKETS - 1);
	lock = npk_stripes_of(&f->stripes, i);
	npk_lock(lock);
	if (pkt->fragment == NPK_FRAG_FIRST)
		remember(f->bucket[i], &id, pkt);
	else
		known = recall(f->bucket[i], &id, pkt);
	npk_unlock(lock);
	return !known;
}
