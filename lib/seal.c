// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seal.h"

int npk_seal_new(const struct npk_enc_opts *opts, struct npk_seal **out)
{
	/* max_payload may grow */
	size_t room = opts->compress ? NPK_ENC_MAX_DATAGRAM : 0;
	struct npk_seal *seal = calloc(1, sizeof(*seal) + room);

	*out = NULL;
	if (!seal)
		return -ENOMEM;
	if (opts->compress && deflateInit(&seal->z, Z_DEFAULT_COMPRESSION) != Z_OK) {
		free(seal);
		return -ENOMEM;
	}
	seal->compress = opts->compress;
	npk_digest_key(&seal->key, opts->key, opts->key_len);
	*out = seal;
	return 0;
}

void npk_seal_free(struct npk_seal *seal)
{
	if (!seal)
		return;
	if (seal->compress)
		deflateEnd(&seal->z);
	explicit_bzero(&seal->key, sizeof(seal->key));
	free(seal);
}

size_t npk_seal_compress(struct npk_seal *seal, uint8_t *data, size_t len, size_t max)
{
	z_stream *z = &seal->z;
	size_t packed;

	if (!seal->compress || deflateReset(z) != Z_OK)
		return len;
	z->next_in = data;
	z->avail_in = (uInt)len;
	z->next_out = seal->work;
	z->avail_out = (uInt)max;
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return len;
	packed = z->total_out;
	memcpy(data, seal->work, packed);
	return packed;
}
