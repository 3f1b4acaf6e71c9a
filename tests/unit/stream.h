/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of export streams share: units of time, numbers off the wire, a new encoder. */
#ifndef TESTS_UNIT_STREAM_H
#define TESTS_UNIT_STREAM_H

#include "lib/enc.h"

#define SEC		UINT64_C(1000000000)
#define MS		UINT64_C(1000000)
#define NOW_S		UINT64_C(1700000000)	/* 2023-11-14 22:13:20 UTC */

/* A number of @len octets, big endian. */
static inline uint64_t be(const uint8_t *p, unsigned int len)
{
	uint64_t v = 0;

	while (len--)
		v = v << 8 | *p++;
	return v;
}

/* The key stays the caller's: the encoder keeps none of it. */
static inline struct npk_enc *new_enc(const struct npk_enc_opts *opts)
{
	struct npk_enc *enc;

	assert_int_equal(npk_enc_new(opts, &enc), 0);
	assert_null(enc->opts.key);
	return enc;
}

#endif /* TESTS_UNIT_STREAM_H */
