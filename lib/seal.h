/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What nFlow and nflow9 do to a finished datagram: keyed digest, compression. */
#ifndef NPK_LIB_SEAL_H
#define NPK_LIB_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zlib.h>

#include <npk/enc.h>

#include "digest.h"

/**
 * struct npk_seal - of one stream
 * @key: key of the digests
 * @compress: @z is in use
 * @z: compressor; its memory is allocated once
 * @work: the compressed datagram in the making
 */
struct npk_seal {
	struct npk_key_pair key;
	bool compress;
	z_stream z;
	uint8_t work[];
};

/**
 * npk_seal_new() - prepare a stream
 * @opts: key and compress are used, nothing is kept
 * @out: the caller frees it with npk_seal_free()
 *
 * Return: 0 or -ENOMEM.
 */
int npk_seal_new(const struct npk_enc_opts *opts, struct npk_seal **out);

/**
 * npk_seal_free() - free it, the key is overwritten
 * @seal: or NULL
 */
void npk_seal_free(struct npk_seal *seal);

/**
 * npk_seal_compress() - make a zlib stream (RFC 1950) of a datagram
 * @seal: of the stream; nothing happens when it does not compress
 * @data: datagram, replaced; left as it is when the result would be more than @max octets
 * @len: octets of it
 * @max: at most max_payload
 *
 * Return: octets at @data now.
 */
size_t npk_seal_compress(struct npk_seal *seal, uint8_t *data, size_t len, size_t max);

#endif /* NPK_LIB_SEAL_H */
