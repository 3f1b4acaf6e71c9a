/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a SYN says about its sender, as text of fixed length: the FINGERPRINT of nFlow. */
#ifndef NPK_LIB_FINGERPRINT_H
#define NPK_LIB_FINGERPRINT_H

#include <stdint.h>

#include <nprobe_k.h>

/** NPK_FINGERPRINT_LEN - octets of a fingerprint with the NUL at its end */
#define NPK_FINGERPRINT_LEN	20

/**
 * npk_fingerprint() - write the fingerprint of a SYN or SYN+ACK
 * @syn: of a record
 * @out: all zero when the flow had no SYN
 *
 * Window (four hexadecimal digits), MSS (four, "_MSS" without), initial TTL (two: the
 * next power of two, FF at most), window scale (two decimal digits, "WS" without),
 * then a digit each for SACK permitted, a NOP, don't fragment, timestamps, then S for
 * SYN or A for SYN+ACK, and the octets behind the IP header (two hexadecimal digits).
 *
 * Source: nFlow; the columns of etter.passive.os.fp without the colons.
 */
void npk_fingerprint(const struct npk_syn *syn, uint8_t out[NPK_FINGERPRINT_LEN]);

#endif /* NPK_LIB_FINGERPRINT_H */
