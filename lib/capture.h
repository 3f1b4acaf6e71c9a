/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames from libpcap through the flow core into a queue of records. */
#ifndef NPK_LIB_CAPTURE_H
#define NPK_LIB_CAPTURE_H

#include <pcap/pcap.h>

#include "batch.h"
#include "sample.h"
#include "source.h"

/** NPK_BATCH - frames taken in one go, at most; what they evict has room in the queue */
#define NPK_BATCH	256

/**
 * struct npk_capture - a source over libpcap
 * @src: base, first member
 * @arg: device or file, for messages
 * @pcap: libpcap's handle
 * @filter: compiled filter, in use when @filtered
 * @filtered: frames have to pass @filter here
 * @sample: which of the frames that passed are metered
 * @not_sampled: frames that are not; each is a packet, for merged ones cannot be told
 * @meter: one shard of the flow core
 * @pkt: frames that were taken and not metered yet, the first @nr_pkts of them
 * @nr_pkts: see @pkt
 * @taken_ns: latest time of these
 * @ifindex: device, 0 for files
 * @max_len: longest frame the device's MTU allows, 0 = not checked
 * @merged: frames longer than that
 * @boot_ns: see struct npk_clock
 * @queue: @queue_len records
 * @queue_len: power of two
 * @head: records queued so far
 * @tail: records released so far
 * @published: packets and octets in records
 * @huge_at: so many flows in the table make huge pages worth while
 */
struct npk_capture {
	struct npk_source src;
	char *arg;
	pcap_t *pcap;
	struct bpf_program filter;
	bool filtered;
	struct npk_sample sample;
	uint64_t not_sampled;
	struct npk_meter meter;
	struct npk_pkt pkt[NPK_BATCH_PACKETS];
	uint32_t nr_pkts;
	uint64_t taken_ns;
	uint32_t ifindex;
	uint32_t max_len;
	uint64_t merged;
	uint64_t boot_ns;
	struct npk_rec *queue;
	size_t queue_len;
	uint64_t head;
	uint64_t tail;
	struct npk_tally published;
	uint64_t huge_at;
};

/**
 * npk_capture_new() - everything but the libpcap handle
 * @ops: kind of source
 * @size: octets to allocate: a struct npk_capture and what the kind adds behind it
 * @arg: device or file
 * @opts: options
 * @out: the capture; with an error sentence on failure, NULL only on -ENOMEM
 *
 * Return: 0 or -errno.
 */
int npk_capture_new(const struct npk_source_ops *ops, size_t size, const char *arg,
		    const struct npk_source_opts *opts, struct npk_capture **out);

/**
 * npk_capture_compile() - compile the filter expression for the open handle
 * @c: capture with its handle
 * @expression: tcpdump expression or NULL
 *
 * Return: 0, or -EINVAL with an error sentence.
 */
int npk_capture_compile(struct npk_capture *c, const char *expression);

/**
 * npk_capture_check_link() - refuse what is not Ethernet
 * @c: capture with its handle
 *
 * Return: 0, or -EPROTONOSUPPORT with an error sentence.
 */
int npk_capture_check_link(struct npk_capture *c);

/**
 * npk_capture_wants() - is a frame to be metered; counts those that are not
 * @c: capture
 * @h: libpcap's header
 * @data: @h->caplen octets
 *
 * Return: true for npk_capture_frame().
 */
bool npk_capture_wants(struct npk_capture *c, const struct pcap_pkthdr *h, const u_char *data);

/**
 * npk_capture_frame() - take one frame that npk_capture_wants()
 * @c: capture with room for a record, see npk_capture_ready()
 * @h: libpcap's header, nanosecond precision
 * @data: @h->caplen octets, to stay until npk_capture_meter()
 * @ns: its time on the record clock
 */
void npk_capture_frame(struct npk_capture *c, const struct pcap_pkthdr *h, const u_char *data,
		       uint64_t ns);

/**
 * npk_capture_meter() - meter the frames that were taken
 * @c: capture
 */
void npk_capture_meter(struct npk_capture *c);

/**
 * npk_capture_header_ns() - time in libpcap's header
 * @h: header, nanosecond precision
 *
 * Return: nanoseconds since 1970.
 */
static inline uint64_t npk_capture_header_ns(const struct pcap_pkthdr *h)
{
	/* a file's 32 unsigned bits of seconds come sign-extended (after 2038) */
	uint64_t seconds = h->ts.tv_sec < 0 ? (uint32_t)h->ts.tv_sec : (uint64_t)h->ts.tv_sec;

	/* with nanosecond precision tv_usec holds nanoseconds */
	return seconds * NPK_NSEC_PER_SEC + (uint64_t)h->ts.tv_usec;
}

/**
 * npk_capture_ready() - may a batch be metered without losing a record
 * @c: capture
 *
 * Return: true when the queue has room for what NPK_BATCH frames can evict.
 */
bool npk_capture_ready(struct npk_capture *c);

/**
 * npk_capture_failed() - keep libpcap's error
 * @c: capture
 *
 * Return: -EIO.
 */
int npk_capture_failed(struct npk_capture *c);

/* Members of struct npk_source_ops that all captures share. */
int npk_capture_check(const struct npk_source_ops *ops, const char *arg,
		      const struct npk_source_opts *opts, struct npk_source **out);
void npk_capture_set_timeouts(struct npk_source *src, uint64_t idle_ns, uint64_t active_ns);
void npk_capture_close(struct npk_source *src);
int npk_capture_expire_all(struct npk_source *src);
size_t npk_capture_peek(struct npk_source *src, const struct npk_rec **recs, size_t max);
void npk_capture_release(struct npk_source *src, size_t nr_recs);
void npk_capture_stats(const struct npk_source *src, struct npk_source_stats *stats);

#endif /* NPK_LIB_CAPTURE_H */
