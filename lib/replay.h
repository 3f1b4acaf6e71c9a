/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memory of digests: which datagrams were seen before, wherever they came from. */
#ifndef NPK_LIB_REPLAY_H
#define NPK_LIB_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

/** NPK_REPLAY_SETS - sets of digests, a power of two */
#define NPK_REPLAY_SETS		4096

/** NPK_REPLAY_WAYS - digests of a set */
#define NPK_REPLAY_WAYS		16

/**
 * struct npk_replay_set - digests that share some bits
 * @digest: first octets of each
 * @sent: when its datagram was sent, seconds since 1970, plus one; 0: unused
 */
struct npk_replay_set {
	uint64_t digest[NPK_REPLAY_WAYS];
	uint64_t sent[NPK_REPLAY_WAYS];
};

/**
 * struct npk_replay - all of them
 * @sets: by the last bits of the digest
 */
struct npk_replay {
	struct npk_replay_set sets[NPK_REPLAY_SETS];
};

/**
 * npk_replay_seen() - was this digest here before?  It is remembered from now on.
 * @replay: memory, all zero at first
 * @digest: a digest that is right, at least eight octets
 * @unix_s: when its datagram was sent
 *
 * In a full set what was sent first is forgotten, and that may be the new one: so a long
 * recording does not push out what is sent today.
 *
 * Return: true when it was.
 */
bool npk_replay_seen(struct npk_replay *replay, const uint8_t *digest, uint32_t unix_s);

#endif /* NPK_LIB_REPLAY_H */
