// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/version.h>

#include "digest.h"

/* nettle 4 left the length argument out: it is always the whole digest. */
#if NETTLE_VERSION_MAJOR < 4
#define DIGEST(name, ctx, out)	name##_digest(ctx, sizeof(out), out)
#else
#define DIGEST(name, ctx, out)	name##_digest(ctx, out)
#endif

void npk_digest_key(struct npk_key_pair *pair, const void *key, size_t len)
{
	memset(pair->padded, ' ', sizeof(pair->padded));
	if (len)
		memcpy(pair->padded, key, len < NPK_MD5_LEN ? len : NPK_MD5_LEN);
	hmac_sha256_set_key(&pair->hmac, len, len ? key : "");
}

void npk_digest_md5(const struct npk_key_pair *pair, const uint8_t *data, size_t len, size_t slot,
		    uint8_t digest[NPK_MD5_LEN])
{
	uint8_t out[NPK_MD5_LEN];
	struct md5_ctx ctx;

	md5_init(&ctx);
	md5_update(&ctx, slot, data);
	md5_update(&ctx, NPK_MD5_LEN, pair->padded);
	md5_update(&ctx, len - slot - NPK_MD5_LEN, data + slot + NPK_MD5_LEN);
	DIGEST(md5, &ctx, out);
	memcpy(digest, out, sizeof(out));
}

void npk_digest_sha256(struct npk_key_pair *pair, const uint8_t *data, size_t len,
		       uint8_t digest[NPK_SHA256_LEN])
{
	static const uint8_t zero[NPK_SHA256_LEN];
	uint8_t out[NPK_SHA256_LEN];

	hmac_sha256_update(&pair->hmac, len - NPK_SHA256_LEN, data);
	hmac_sha256_update(&pair->hmac, sizeof(zero), zero);
	DIGEST(hmac_sha256, &pair->hmac, out);
	memcpy(digest, out, sizeof(out));
}

bool npk_digest_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	return memeql_sec(a, b, len);
}
