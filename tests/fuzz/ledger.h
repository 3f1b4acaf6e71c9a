/* SPDX-License-Identifier: GPL-2.0-only */
/* What was sent with each key and is not in a record yet: a naive oracle of the meter. */
#ifndef TESTS_FUZZ_LEDGER_H
#define TESTS_FUZZ_LEDGER_H

#include "tests/fuzz/input.h"

#define LEDGER_LEN	1024	/* twice the packets of one input, so never full */
#define LEDGER_LEN_CAP	0xffffU	/* longest length a record can say */

/**
 * struct ledger_line - one key; the names are those of struct npk_rec
 * @used: the line is in use
 */
struct ledger_line {
	struct npk_key key;
	u64 packets;
	u64 octets;
	u64 first_ns;
	u64 last_ns;
	u32 min_len;
	u32 max_len;
	u32 fragments;
	u32 flow_label;
	u16 tcp_flags;
	u16 tcp_flags_first;
	u8 min_ttl;
	u8 max_ttl;
	bool used;
};

/**
 * struct ledger - all keys of a run
 * @line: by hash of the key, the next free one after a collision
 * @nr: lines in use
 * @which: they
 */
struct ledger {
	struct ledger_line line[LEDGER_LEN];
	u32 nr;
	u16 which[LEDGER_LEN];
};

static inline void ledger_clear(struct ledger *l)
{
	for (; l->nr; l->nr--)
		memset(&l->line[l->which[l->nr - 1]], 0, sizeof(l->line[0]));
}

/* The line of a key; made when there is none. */
static inline struct ledger_line *ledger_line(struct ledger *l, const struct npk_key *key)
{
	u64 word[NPK_KEY_WORDS6], h = 0;
	u32 i;

	memcpy(word, &key->words, sizeof(word));
	for (i = 0; i < NPK_KEY_WORDS6; i++)
		h = (h ^ word[i]) * 0x9e3779b97f4a7c15ULL;
	for (i = (u32)(h >> 48) % LEDGER_LEN; l->line[i].used; i = (i + 1) % LEDGER_LEN) {
		if (!memcmp(&l->line[i].key, key, sizeof(*key)))
			return &l->line[i];
	}
	HOLDS(l->nr < LEDGER_LEN / 2);
	l->which[l->nr++] = (u16)i;
	l->line[i].used = true;
	l->line[i].key = *key;
	return &l->line[i];
}

static inline u32 ledger_least(u64 a, u64 b)
{
	return (u32)(a < b ? a : b);
}

/* A packet as npk_parse() left it. */
static inline void ledger_add(struct ledger *l, const struct npk_pkt *pkt)
{
	struct ledger_line *line = ledger_line(l, &pkt->key);
	u32 longest = ledger_least(pkt->max_len, LEDGER_LEN_CAP);

	if (!line->packets) {
		line->first_ns = pkt->now_ns;
		line->last_ns = pkt->now_ns;
		line->min_len = LEDGER_LEN_CAP;
		line->min_ttl = pkt->ttl;
		line->max_ttl = pkt->ttl;
		line->flow_label = pkt->flow_label;
		line->tcp_flags_first = pkt->tcp_flags;
	}
	line->packets += pkt->segs;
	line->octets += pkt->octets;
	line->fragments += !!(pkt->notes & 1U << NPK_NOTE_FRAGMENT);
	line->tcp_flags |= pkt->tcp_flags;
	line->first_ns = line->first_ns < pkt->now_ns ? line->first_ns : pkt->now_ns;
	line->last_ns = line->last_ns > pkt->now_ns ? line->last_ns : pkt->now_ns;
	line->min_ttl = (u8)ledger_least(line->min_ttl, pkt->ttl);
	line->max_ttl = line->max_ttl > pkt->ttl ? line->max_ttl : pkt->ttl;
	line->min_len = ledger_least(line->min_len, pkt->min_len);
	line->max_len = line->max_len > longest ? line->max_len : longest;
}

/* A record says what was sent with its key since the one before, no more and no less. */
static inline void ledger_settle(struct ledger *l, const struct npk_key *key,
				 const struct npk_rec *rec)
{
	struct ledger_line *line = ledger_line(l, key);

	HOLDS(rec->packets == line->packets);
	HOLDS(rec->octets == line->octets);
	HOLDS(rec->first_ns == line->first_ns);
	HOLDS(rec->last_ns == line->last_ns);
	HOLDS(rec->min_len == line->min_len);
	HOLDS(rec->max_len == line->max_len);
	HOLDS(rec->min_ttl == line->min_ttl);
	HOLDS(rec->max_ttl == line->max_ttl);
	HOLDS(rec->fragments == line->fragments);
	HOLDS(rec->flow_label == line->flow_label);
	HOLDS(rec->tcp_flags == line->tcp_flags);
	HOLDS(rec->tcp_flags_first == line->tcp_flags_first);
	memset(&line->packets, 0, offsetof(struct ledger_line, used) -
				  offsetof(struct ledger_line, packets));
}

static inline void ledger_check_settled(const struct ledger *l)
{
	u32 i;

	for (i = 0; i < l->nr; i++)
		HOLDS(!l->line[l->which[i]].packets && !l->line[l->which[i]].octets);
}

#endif /* TESTS_FUZZ_LEDGER_H */
