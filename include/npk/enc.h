/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libnpk encoders: flow records in, export datagrams out.
 *
 * An encoder is pure: no socket, no clock, no file, no allocation after
 * npk_enc_new().  The caller owns time: the clock is handed over with every
 * datagram, at the moment of sending, because that is what the headers carry.
 */
#ifndef NPK_ENC_H
#define NPK_ENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <npk/clock.h>
#include <npk/template.h>
#include <npk/sampling.h>
#include <nprobe_k.h>

#ifdef __cplusplus
extern "C" {
#endif

/** NPK_ENC_MAX_DATAGRAM - largest UDP payload an encoder will fill */
#define NPK_ENC_MAX_DATAGRAM	65507

/** NPK_ENC_MIN_DATAGRAM - smallest max_payload accepted: templates, or a record */
#define NPK_ENC_MIN_DATAGRAM	512

/** NPK_ENC_NF5_MAX_SAMPLING - largest sampling interval NetFlow v5 can announce */
#define NPK_ENC_NF5_MAX_SAMPLING	16383

struct npk_enc;

/**
 * enum npk_enc_version - export format
 * @NPK_ENC_NF5: NetFlow v5
 * @NPK_ENC_NF9: NetFlow v9, RFC 3954
 * @NPK_ENC_IPFIX: IPFIX, RFC 7011
 * @NPK_ENC_NFLOW: nFlow v1
 * @NPK_ENC_NFLOW9: NetFlow v9 with all a record has; signed when there is a key.  The
 *	version on the wire is 9
 */
enum npk_enc_version {
	NPK_ENC_NF5 = 5,
	NPK_ENC_NF9 = 9,
	NPK_ENC_IPFIX = 10,
	NPK_ENC_NFLOW = 24,
	NPK_ENC_NFLOW9 = 25,
};

/**
 * struct npk_enc_opts - settings of one export stream
 * @version: format
 * @source_id: v9 source id, IPFIX observation domain of flow records (options data but for
 *	sampling have domain 0); v5 carries bits 8..15 as engine type, 0..7 as engine id
 * @template_id: v9, IPFIX: first template id, 256 or more; the stream uses this one
 *	(IPv4) and the next (IPv6)
 * @fields: v9, IPFIX: fields of the records, NULL = the default; not kept
 * @if_name: name of the interface with this index, "" or NULL when it has none; asked
 *	while datagrams are encoded, for the field INTERFACE_NAME, which has room for 15
 *	octets.  NULL: no interface has a name
 * @if_name_arg: first argument of @if_name
 * @template_datagrams: v9, IPFIX: datagrams from one sending of the templates to the
 *	next, 0 = not by count
 * @template_ms: v9, IPFIX: milliseconds from one sending of the templates to the next,
 *	0 = not by time
 * @options_ms: v9, IPFIX: milliseconds from one sending of the options data to the
 *	next, 0 = none but sampling, and that only when @sampling is
 * @max_payload: octets of UDP payload to fill, NPK_ENC_MIN_DATAGRAM up to
 *	NPK_ENC_MAX_DATAGRAM; v5 stops at 30 records, nFlow also at 1400 octets before
 *	compression
 * @sampling: how the packets in the records were sampled; v5 has room for an interval
 *	of NPK_ENC_NF5_MAX_SAMPLING, nFlow for one of 65535
 * @key: nFlow, nflow9: key of the digest in every datagram, copied; NULL: none
 * @key_len: octets of it; nFlow uses the first 16
 * @compress: nFlow, nflow9: datagrams are zlib streams
 */
struct npk_enc_opts {
	enum npk_enc_version version;
	uint32_t source_id;
	uint16_t template_id;
	const struct npk_template *fields;
	const char *(*if_name)(void *arg, uint32_t index);
	void *if_name_arg;
	uint32_t template_datagrams;
	uint32_t template_ms;
	uint32_t options_ms;
	size_t max_payload;
	struct npk_sampling sampling;
	const void *key;
	size_t key_len;
	bool compress;
};

/**
 * npk_enc_new() - start an export stream
 * @opts: settings, copied
 * @out: the encoder; the caller frees it with npk_enc_free()
 *
 * Return: 0, -EINVAL for a setting out of range, -EMSGSIZE when the templates, or one
 * record do not fit max_payload, -ENOMEM.
 */
int npk_enc_new(const struct npk_enc_opts *opts, struct npk_enc **out);

/**
 * npk_enc_free() - end a stream
 * @enc: encoder or NULL
 */
void npk_enc_free(struct npk_enc *enc);

/**
 * npk_enc_exportable() - can the format carry this record
 * @enc: encoder
 * @rec: record
 *
 * Return: NULL when it can, else the reason as a short static string fit for a
 * counter's name: "ipv6_in_v5", "bad_ip_version", "empty_record" (no packets or no
 * octets), "no_ipv4_template", "no_ipv6_template".
 */
const char *npk_enc_exportable(const struct npk_enc *enc, const struct npk_rec *rec);

/**
 * npk_enc_room() - how many of these records fill the next datagram
 * @enc: encoder
 * @recs: exportable records
 * @nr_recs: how many there are
 * @clock: now, as for npk_enc_datagram(): decides whether templates are due
 *
 * Return: number of records npk_enc_datagram() would take from the front; less
 * than @nr_recs means that the datagram would not wait for more.
 */
size_t npk_enc_room(const struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		    const struct npk_clock *clock);

/**
 * npk_enc_datagram() - encode one datagram
 * @enc: encoder; its sequence numbers and template timers advance
 * @recs: @nr_recs pointers to exportable records, not kept
 * @nr_recs: records offered; 0 is allowed and gives a datagram of templates
 *	alone if they are due, else nothing
 * @clock: the moment of sending; all times in the datagram are derived from this
 *	one reading, so durations do not change when the wall clock is stepped
 * @buf: at least max_payload octets
 * @len: out: octets written, 0 when there was nothing to say
 * @taken: out: records consumed from the front of @recs; 0 with @len above 0 when
 *	one record fills more than a datagram, the templates fill it, or it says how
 *	packets were sampled: offer what was not taken first again
 *
 * Templates go first, in the same datagram, whenever they are due; how packets were
 * sampled goes with them, in IPFIX in a datagram before them.  A record
 * whose counters do not fit the format's fields is split over several records
 * with equal sums (v5, nFlow); such a record counts once in @taken.
 *
 * Return: 0, or -EINVAL when the datagram would hold a record that is not
 * exportable (nothing is written).
 */
int npk_enc_datagram(struct npk_enc *enc, const struct npk_rec *const *recs, size_t nr_recs,
		     const struct npk_clock *clock, uint8_t *buf, size_t *len, size_t *taken);

/**
 * npk_enc_set_max_payload() - datagrams may have another size from now on
 * @enc: encoder
 * @max_payload: as in struct npk_enc_opts
 *
 * Return: 0; -EINVAL for a size out of range, -EMSGSIZE when the templates, or one
 * record, do not fit: nothing is changed then.
 */
int npk_enc_set_max_payload(struct npk_enc *enc, size_t max_payload);

/**
 * npk_enc_continue() - go on with the sequence of another stream
 * @enc: encoder that has encoded nothing yet
 * @before: the stream whose place it takes: same version
 *
 * For other settings in mid-stream: the collector sees no gap, and templates are sent at once.
 * With another source_id the flow records begin a new sequence; that of domain 0 goes on.
 * Templates of other fields than before have other ids than before, so that whoever misses
 * the former does not read records by the latter.
 */
void npk_enc_continue(struct npk_enc *enc, const struct npk_enc *before);

/** NPK_ENC_NAME_LEN - octets of an interface's name in options data */
#define NPK_ENC_NAME_LEN	16

/** NPK_ENC_DESCRIPTION_LEN - octets of its description */
#define NPK_ENC_DESCRIPTION_LEN	64

/**
 * struct npk_enc_interface - the name of an interface
 * @index: as in records
 * @name: UTF-8, shorter than its array
 * @description: likewise
 */
struct npk_enc_interface {
	uint32_t index;
	char name[NPK_ENC_NAME_LEN];
	char description[NPK_ENC_DESCRIPTION_LEN];
};

/**
 * struct npk_enc_exporter - what options data say of the exporter; counters never go back
 * @octets: UDP payload sent in this stream (exportedOctetTotalCount, 40)
 * @datagrams: sent (exportedMessageTotalCount, 41)
 * @flows: flow records sent (exportedFlowRecordTotalCount, 42)
 * @ignored_packets: packets that were not metered although they should have been
 *	(ignoredPacketTotalCount, 164)
 * @ignored_octets: octets of them, as far as they are known (ignoredOctetTotalCount, 165)
 * @not_sent_flows: flow records that were made and not sent (notSentFlowTotalCount, 166)
 * @not_sent_packets: packets in them (notSentPacketTotalCount, 167)
 * @not_sent_octets: octets in them (notSentOctetTotalCount, 168)
 * @active_s: active timeout, seconds (flowActiveTimeout, 36); 0: not known
 * @idle_s: idle timeout, seconds (flowIdleTimeout, 37); 0: not known
 * @interfaces: those in the records, in the order in which they were met
 * @nr_interfaces: how many
 */
struct npk_enc_exporter {
	uint64_t octets;
	uint64_t datagrams;
	uint64_t flows;
	uint64_t ignored_packets;
	uint64_t ignored_octets;
	uint64_t not_sent_flows;
	uint64_t not_sent_packets;
	uint64_t not_sent_octets;
	uint32_t active_s;
	uint32_t idle_s;
	const struct npk_enc_interface *interfaces;
	size_t nr_interfaces;
};

/**
 * npk_enc_options_due() - is there a datagram of options data to be sent
 * @enc: encoder
 * @nr_interfaces: interfaces known by now
 * @clock: now
 *
 * All is due at the start, after options_ms, after npk_enc_resend_options(), and when
 * the wall clock was stepped, for then the boot time is another one; the names of
 * interfaces not met before at once.  Nothing is while templates are to be resent: what
 * a collector hears first are those.
 *
 * Return: true when npk_enc_options() has something to say; never for v5 and nFlow.
 */
bool npk_enc_options_due(const struct npk_enc *enc, size_t nr_interfaces,
			 const struct npk_clock *clock);

/**
 * npk_enc_options() - encode one datagram of options data, if it is due
 * @enc: encoder; its sequence number advances
 * @exporter: present values
 * @clock: the moment of sending
 * @buf: at least max_payload octets
 *
 * What does not fit into the datagram stays due, so that the caller sets the pace.
 *
 * Return: octets written, 0 when nothing is due.
 */
size_t npk_enc_options(struct npk_enc *enc, const struct npk_enc_exporter *exporter,
		       const struct npk_clock *clock, uint8_t *buf);

/**
 * npk_enc_resend_options() - make all options data due at once, sampling too
 * @enc: encoder
 */
void npk_enc_resend_options(struct npk_enc *enc);

/**
 * npk_enc_resend_templates() - make templates due at once
 * @enc: encoder
 *
 * For a collector that was away.
 */
void npk_enc_resend_templates(struct npk_enc *enc);

#ifdef __cplusplus
}
#endif

#endif /* NPK_ENC_H */
