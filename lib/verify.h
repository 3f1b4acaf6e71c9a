/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside of the verifier: what its two formats share. */
#ifndef NPK_LIB_VERIFY_H
#define NPK_LIB_VERIFY_H

#include <zlib.h>

#include <npk/verify.h>

#include "decode.h"
#include "digest.h"
#include "replay.h"

/** NPK_VERIFY_FIELDS - fields a template may have; longer ones are not remembered */
#define NPK_VERIFY_FIELDS	128

/** NPK_VERIFY_TEMPLATES - templates a stream may have */
#define NPK_VERIFY_TEMPLATES	16

/** NPK_VERIFY_STREAMS - streams that are proven by a key, and as many that are not */
#define NPK_VERIFY_STREAMS	64

/** NPK_VERIFY_INFLATED - octets of an inflated datagram */
#define NPK_VERIFY_INFLATED	65535

/**
 * struct npk_verify_field - field of a template
 * @ie: position of the element in npk_ie_table; __NPK_IE_MAX: none of ours
 * @len: octets
 */
struct npk_verify_field {
	uint16_t ie;
	uint16_t len;
};

/**
 * struct npk_verify_template - a template as it was learned
 * @id: template id, 0: unused
 * @used: step of the stream that learned or used it last
 * @options: its records are no flows
 * @nr_fields: entries of @fields in use, 0 with @options
 * @record_len: octets of a record
 * @fields: fields in the order of the wire
 */
struct npk_verify_template {
	uint16_t id;
	bool options;
	uint16_t nr_fields;
	uint64_t used;
	uint32_t record_len;
	struct npk_verify_field fields[NPK_VERIFY_FIELDS];
};

/**
 * struct npk_verify_stream - what is known of one exporter's stream
 * @from: exporter
 * @version: of the header
 * @source_id: of the header
 * @rank: 0: unused; the stream with the lowest makes room.  When its newest datagram was sent
 *	where a key proves that, else the number of the datagram that used it last
 * @next: sequence number to come
 * @steps: counts templates learned and used
 * @templates: v9's
 */
struct npk_verify_stream {
	struct npk_verify_from from;
	uint16_t version;
	uint32_t source_id;
	uint64_t rank;
	uint32_t next;
	uint64_t steps;
	struct npk_verify_template templates[NPK_VERIFY_TEMPLATES];
};

/**
 * struct npk_verify - a verifier
 * @opts: settings; the key is in @key
 * @key: key
 * @z: for inflating
 * @datagrams: seen so far
 * @streams: of datagrams that a key proves, and of others
 * @passing: stream of a datagram that leaves nothing behind
 * @replay: digests of datagrams that were valid
 * @inflated: inflated datagram
 */
struct npk_verify {
	struct npk_verify_opts opts;
	struct npk_key_pair key;
	z_stream z;
	uint64_t datagrams;
	struct npk_verify_stream streams[2][NPK_VERIFY_STREAMS];
	struct npk_verify_stream passing;
	struct npk_replay replay;
	uint8_t inflated[NPK_VERIFY_INFLATED];
};

/**
 * struct npk_verify_datagram - one datagram on its way
 * @v: verifier
 * @from: who sent it
 * @when_s: when it came
 * @data: its octets, inflated
 * @len: how many
 * @out: verdict and counts
 */
struct npk_verify_datagram {
	struct npk_verify *v;
	const struct npk_verify_from *from;
	int64_t when_s;
	const uint8_t *data;
	size_t len;
	struct npk_verified *out;
};

/**
 * npk_verify_fresh() - judge a datagram with the right digest: is it sent now, for the first time?
 * @d: datagram
 * @digest: its digest
 *
 * Return: the verdict.
 */
enum npk_verdict npk_verify_fresh(const struct npk_verify_datagram *d, const uint8_t *digest);

/**
 * npk_verify_stream() - the stream of a datagram, and its place in it
 * @d: datagram with its verdict
 * @step: how much the sequence number grows with it
 *
 * What a recording says from whatever port changes no stream that a key proves: a datagram
 * older than the newest of its stream, and one of a new stream that is older than all there
 * are, are read by a stream of their own that is forgotten.
 *
 * Return: the stream, until the next call.
 */
struct npk_verify_stream *npk_verify_stream(const struct npk_verify_datagram *d, uint32_t step);

/**
 * npk_verify_flow() - hand over a decoded record
 * @d: datagram
 * @rec: record; without addresses it is no flow
 */
void npk_verify_flow(const struct npk_verify_datagram *d, const struct npk_rec *rec);

/* The formats: set the verdict, give flows to the callback. */
void npk_verify_nflow(const struct npk_verify_datagram *d);
void npk_verify_nf9(const struct npk_verify_datagram *d);

#endif /* NPK_LIB_VERIFY_H */
