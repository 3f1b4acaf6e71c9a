/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libnpk verifier: nFlow v1 and nflow9 datagrams in, verdicts and flow records out.
 *
 * Datagrams may be hostile.  A verifier has memory of fixed size, allocated by
 * npk_verify_new(): inflated datagrams have at most 65535 octets, those of nFlow v1 1500, and
 * of templates and streams the ones not used for longest are forgotten.  With a key, what
 * datagrams without the right digest say never touches what it knows of those that have it;
 * without one nothing is proven, and all streams are equal.
 *
 * A recording has the right digests too, and where it comes from proves nothing.  Digests are
 * remembered, of the datagrams sent last some 16,000 at least: one that comes again, from
 * whatever address or port, is said to be replayed.  What was sent before the verifier was there
 * is told by @window_s of struct npk_verify_opts alone; without it such a datagram is valid once,
 * but with a key changes nothing that is known of a stream whose newest datagram was sent later,
 * and takes no such stream's place: of streams that a key proves, those whose newest datagram was
 * sent first are forgotten.
 */
#ifndef NPK_VERIFY_H
#define NPK_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nprobe_k.h>

#ifdef __cplusplus
extern "C" {
#endif

struct npk_verify;

/**
 * enum npk_verdict - what a datagram is worth
 * @NPK_VERDICT_VALID: the digest is that of the key; nFlow v1 without a key: undamaged
 * @NPK_VERDICT_BAD_DIGEST: it is not, or it is of a kind that cannot be checked
 * @NPK_VERDICT_UNSIGNED: NetFlow v9 without a digest
 * @NPK_VERDICT_MALFORMED: neither nFlow v1 nor NetFlow v9, or broken
 * @NPK_VERDICT_STALE: the digest is right, but it was not sent when it came
 * @NPK_VERDICT_REPLAYED: the digest is right, but it came before
 * @__NPK_VERDICT_MAX: number of verdicts
 */
enum npk_verdict {
	NPK_VERDICT_VALID,
	NPK_VERDICT_BAD_DIGEST,
	NPK_VERDICT_UNSIGNED,
	NPK_VERDICT_MALFORMED,
	NPK_VERDICT_STALE,
	NPK_VERDICT_REPLAYED,
	__NPK_VERDICT_MAX,
};

/**
 * struct npk_verified - what was found out about a datagram
 * @verdict: enum npk_verdict
 * @version: of its header: 24 or 9; malformed: what stands there
 * @compressed: it was a zlib or gzip stream
 * @gap: the sequence number is not the one that was to come: datagrams are missing,
 *	out of order, or, when they are not signed, repeated
 * @source_id: of its header
 * @sequence: of its header
 * @unix_s: of its header: when it was sent, seconds since 1970
 * @flows: flow records given to the callback
 * @unknown_sets: v9: data sets whose template has not been seen, so not decoded
 */
struct npk_verified {
	enum npk_verdict verdict;
	uint16_t version;
	bool compressed;
	bool gap;
	uint32_t source_id;
	uint32_t sequence;
	uint32_t unix_s;
	uint32_t flows;
	uint32_t unknown_sets;
};

/**
 * struct npk_verify_opts - settings
 * @key: key of the digests, copied; NULL: none
 * @key_len: octets of it
 * @window_s: seconds between when a datagram with the right digest was sent and when it came,
 *	more make it stale; 0: any time is right
 * @flow: called for every flow of a datagram that is valid or unsigned: times are
 *	nanoseconds since 1970, what the datagram does not say is 0 or "none"
 * @arg: for @flow
 */
struct npk_verify_opts {
	const void *key;
	size_t key_len;
	uint32_t window_s;
	void (*flow)(void *arg, const struct npk_verified *about, const struct npk_rec *rec);
	void *arg;
};

/**
 * struct npk_verify_from - an exporter, which with its source ids has streams of its own
 * @addr: IPv6 address, IPv4 mapped into it, or any other mark
 * @port: UDP port
 */
struct npk_verify_from {
	uint8_t addr[16];
	uint16_t port;
};

/**
 * npk_verify_new() - make a verifier
 * @opts: settings, copied
 * @out: the verifier; the caller frees it with npk_verify_free()
 *
 * Return: 0 or -ENOMEM.
 */
int npk_verify_new(const struct npk_verify_opts *opts, struct npk_verify **out);

/**
 * npk_verify_free() - free a verifier
 * @v: verifier or NULL
 */
void npk_verify_free(struct npk_verify *v);

/**
 * npk_verify_datagram() - check and decode one datagram
 * @v: verifier
 * @from: who sent it
 * @when_s: when it came, seconds since 1970; for @window_s of the options
 * @data: its octets
 * @len: how many
 * @out: what was found out
 *
 * The digest, the time and whether it is the first time are checked before anything is believed
 * or given to the callback.
 */
void npk_verify_datagram(struct npk_verify *v, const struct npk_verify_from *from, int64_t when_s,
			 const uint8_t *data, size_t len, struct npk_verified *out);

/**
 * npk_verdict_name() - a verdict in words
 * @verdict: enum npk_verdict
 *
 * Return: static string: "valid", "bad digest", "unsigned", "malformed", "stale", "replayed".
 */
const char *npk_verdict_name(enum npk_verdict verdict);

#ifdef __cplusplus
}
#endif

#endif /* NPK_VERIFY_H */
