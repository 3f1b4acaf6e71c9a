/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keyed digests of nFlow datagrams, made by nettle. */
#ifndef NPK_LIB_DIGEST_H
#define NPK_LIB_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/hmac.h>

/** NPK_MD5_LEN - octets of an MD5 digest, and of the slot the key is put into */
#define NPK_MD5_LEN	16

/** NPK_SHA256_LEN - octets of an HMAC-SHA-256 digest */
#define NPK_SHA256_LEN	32

/**
 * struct npk_key_pair - a key in both forms
 * @padded: nFlow v1: cut at 16 octets, spaces behind a shorter one
 * @hmac: nflow9: HMAC-SHA-256 with the whole key, ready for a datagram
 */
struct npk_key_pair {
	uint8_t padded[NPK_MD5_LEN];
	struct hmac_sha256_ctx hmac;
};

/**
 * npk_digest_key() - prepare a key
 * @pair: out
 * @key: octets, not kept
 * @len: how many; 0: no key, sixteen spaces
 */
void npk_digest_key(struct npk_key_pair *pair, const void *key, size_t len);

/**
 * npk_digest_md5() - digest of an nFlow v1 message
 * @pair: key; takes the place of the octets at @slot
 * @data: message
 * @len: octets of it
 * @slot: offset of NPK_MD5_LEN octets in it
 * @digest: out
 */
void npk_digest_md5(const struct npk_key_pair *pair, const uint8_t *data, size_t len, size_t slot,
		    uint8_t digest[NPK_MD5_LEN]);

/**
 * npk_digest_sha256() - digest of an nflow9 datagram
 * @pair: key
 * @data: datagram; its last NPK_SHA256_LEN octets count as zero
 * @len: octets of it with them
 * @digest: out
 */
void npk_digest_sha256(struct npk_key_pair *pair, const uint8_t *data, size_t len,
		       uint8_t digest[NPK_SHA256_LEN]);

/**
 * npk_digest_same() - compare digests in a time that does not depend on them
 * @a: one
 * @b: other
 * @len: octets of each
 *
 * Return: true when they are equal.
 */
bool npk_digest_same(const uint8_t *a, const uint8_t *b, size_t len);

#endif /* NPK_LIB_DIGEST_H */
