/* SPDX-License-Identifier: GPL-2.0-only */
/* The SYN of a record as a signature of p0f 3. */
#ifndef PROBE_P0F_H
#define PROBE_P0F_H

#include <nprobe_k.h>

/** P0F_MAX - longest signature with its NUL */
#define P0F_MAX	256

/**
 * p0f_signature() - write a record's SYN as p0f does
 * @out: P0F_MAX octets; empty when the flow had no SYN
 * @rec: record
 *
 * ver:ttl+distance:olen:mss:wsize,scale:olayout:quirks:pclass, in the form of the
 * raw_sig of p0f's log.  The window is the number that was sent, where p0f may find a
 * multiple of the MSS in it.  The number of an unknown option is not known ("?"), and "..."
 * stands for what follows the first eight options.
 *
 * Source: p0f 3, README section 5 "Fingerprints".
 */
void p0f_signature(char *out, const struct npk_rec *rec);

#endif /* PROBE_P0F_H */
