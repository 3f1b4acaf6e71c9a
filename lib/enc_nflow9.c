// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * nflow9: NetFlow v9 that carries all a record has, and with a key a digest.
 *
 * Any collector of v9 reads it, signed or not: it skips the private fields, and the
 * trailer is an options record of a template it has no use for.  Compressed it is for
 * the verifier only.
 */
#include <errno.h>

#include "nf9.h"
#include "seal.h"

static const struct npk_field defaults[] = {
	NPK_FIELD(IPV4_SRC_ADDR), NPK_FIELD(IPV4_DST_ADDR),
	NPK_FIELD(L4_SRC_PORT), NPK_FIELD(L4_DST_PORT),
	NPK_FIELD(PROTOCOL), NPK_FIELD(TCP_FLAGS), NPK_FIELD(SRC_TOS), NPK_FIELD(DIRECTION),
	NPK_FIELD(IN_BYTES), NPK_FIELD(IN_PKTS),
	NPK_FIELD(FIRST_SWITCHED), NPK_FIELD(LAST_SWITCHED),
	NPK_FIELD(INPUT_SNMP), NPK_FIELD(OUTPUT_SNMP),
	NPK_FIELD(ICMP_TYPE),
	NPK_FIELD(ICMP_IPV6_TYPE_CODE), NPK_FIELD(ICMP_IPV6_TYPE), NPK_FIELD(ICMP_IPV6_CODE),
	NPK_FIELD(IPV6_FLOW_LABEL),
	NPK_FIELD(SRC_VLAN), NPK_FIELD(DOT1Q_CUSTOMER_SRC_VLAN),
	NPK_FIELD(MPLS_LABEL_1), NPK_FIELD(MPLS_LABEL_2), NPK_FIELD(MPLS_LABEL_3),
	NPK_FIELD(MPLS_LABEL_4),
	NPK_FIELD(IN_SRC_MAC), NPK_FIELD(IN_DST_MAC),
	NPK_FIELD(MIN_TTL), NPK_FIELD(MAX_TTL), NPK_FIELD(IP_PROTOCOL_VERSION),
	NPK_FIELD(MIN_IP_PKT_LEN), NPK_FIELD(MAX_IP_PKT_LEN),
	NPK_FIELD(FLOW_END_REASON), NPK_FIELD(SRC_FRAGMENTS),
	NPK_FIELD(CLIENT_NW_LATENCY_MS), NPK_FIELD(SERVER_NW_LATENCY_MS),
	NPK_FIELD(APPL_LATENCY_MS),
	NPK_FIELD(RETRANSMITTED_IN_PKTS), NPK_FIELD(OOORDER_IN_PKTS),
	NPK_FIELD(FINGERPRINT),
};

#define BE16(v)	(uint8_t)((v) >> 8), (uint8_t)(v)
#define SPEC(type, len)	BE16(type), BE16(len)

#define ALGORITHM	65401
#define KEY_ID		65402
#define DIGEST		65403

/* values of ALGORITHM and KEY_ID; there is one key */
#define HMAC_SHA_256	3
#define THE_KEY		1

const uint8_t npk_nflow9_trailer[NFLOW9_TRAILER_LEN] = {
	/* options template: octets of the scope and of the options, RFC 3954 section 6.1 */
	BE16(NF9_OPTIONS_SET), BE16(NFLOW9_DATA_AT),
	BE16(NFLOW9_DIGEST_TEMPLATE), BE16(4), BE16(12),
	SPEC(NF9_SCOPE_SYSTEM, 4), SPEC(ALGORITHM, 1), SPEC(KEY_ID, 3),
	SPEC(DIGEST, NPK_SHA256_LEN),
	0, 0,
	/* its one record */
	BE16(NFLOW9_DIGEST_TEMPLATE), BE16(NFLOW9_TRAILER_LEN - NFLOW9_DATA_AT),
	0, 0, 0, 0, HMAC_SHA_256, 0, BE16(THE_KEY),
};

static size_t trailer_len(const struct npk_enc *enc)
{
	return enc->opts.key_len ? NFLOW9_TRAILER_LEN : 0;
}

static void sign(struct npk_enc *enc, struct npk_buf *b)
{
	uint8_t *count = b->data + 2;
	size_t at = b->len + NFLOW9_TRAILER_LEN - NPK_SHA256_LEN;

	npk_put_be16(count, (uint16_t)((count[0] << 8 | count[1]) + 2));
	npk_buf_bytes(b, npk_nflow9_trailer, sizeof(npk_nflow9_trailer));
	if (!b->overflow)
		npk_digest_sha256(&enc->seal->key, b->data, b->len, b->data + at);
}

static size_t finish(struct npk_enc *enc, struct npk_buf *b)
{
	if (enc->opts.key_len)
		sign(enc, b);
	return npk_seal_compress(enc->seal, b->data, b->len, b->len - 1);
}

static bool reserved(uint16_t id)
{
	return id == NFLOW9_DIGEST_TEMPLATE || id == NFLOW9_MD5_TEMPLATE;
}

static int nflow9_init(struct npk_enc *enc, const struct npk_enc_template *templates)
{
	int err = npk_sets_init(enc, templates);

	if (reserved(enc->sets[NPK_ENC_IPV4].id) || reserved(enc->sets[NPK_ENC_IPV6].id))
		err = -EINVAL;
	return err ? err : npk_seal_new(&enc->opts, &enc->seal);
}

static const struct npk_sets_rules rules = {
	NF9_RULES,
	.defaults = defaults,
	.nr_defaults = sizeof(defaults) / sizeof(defaults[0]),
	.reserved = reserved,
	.trailer_len = trailer_len,
	.finish = finish,
};

const struct npk_enc_format npk_enc_nflow9 = {
	.init = nflow9_init,
	.exportable = npk_sets_exportable,
	.room = npk_sets_room,
	.datagram = npk_sets_datagram,
	.sets = &rules,
};
