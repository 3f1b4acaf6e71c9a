/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libnpk: flow records from a source.
 *
 * Functions return 0 or a negative errno; they never print, exit or set errno.
 * Where a sentence helps more than a number, npk_source_error() has it.
 * A source is used by one thread at a time.
 */
#ifndef NPK_NPK_H
#define NPK_NPK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <npk/clock.h>
#include <npk/sampling.h>
#include <nprobe_k.h>

#ifdef __cplusplus
extern "C" {
#endif

/** NPK_VERSION - version of this header */
#define NPK_VERSION	"0.1"

struct npk_source;

/**
 * struct npk_source_opts - how to open a source
 * @name: "kmod[:GROUP[/MEMBER]]", "live:DEV" or "pcap:FILE"
 * @filter: tcpdump expression or NULL; what it rejects is counted as ignored
 *	(files), or never reaches the meter (live: the kernel filters)
 * @idle_ns: idle timeout, nanoseconds, 0 = default (15 s)
 * @active_ns: active timeout, nanoseconds, 0 = default (60 s)
 * @flows: flow table slots, 0 = default
 * @leave_out: what the flow key leaves out: a list of tos, vlan, mpls, or NULL
 * @frag_zero: later fragments are a flow with ports 0 instead of joining their first
 * @sampling: which frames are metered, of those that @filter lets through
 * @discard: kmod: drop the records that wait, counted as lost
 * @flush: kmod: npk_source_expire_all() closes the module's flows
 *
 * @filter, the timeouts, @flows, @leave_out, @frag_zero and @sampling are for live: and
 * pcap:; the module has its own.
 */
struct npk_source_opts {
	const char *name;
	const char *filter;
	uint64_t idle_ns;
	uint64_t active_ns;
	uint64_t flows;
	const char *leave_out;
	bool frag_zero;
	struct npk_sampling sampling;
	bool discard;
	bool flush;
};

/**
 * struct npk_count - packets on the wire and their IP octets
 * @packets: packets
 * @octets: octets
 */
struct npk_count {
	uint64_t packets;
	uint64_t octets;
};

/**
 * struct npk_named - one counter with its name
 * @name: static string, lower case with underscores
 * @packets: value
 */
struct npk_named {
	const char *name;
	uint64_t packets;
};

/** NPK_NAMED_MAX - room for the counters of one kind in struct npk_source_stats */
#define NPK_NAMED_MAX	32

/**
 * struct npk_source_stats - what a source saw and what became of it
 * @frames: frames delivered to the meter; a merged one counts once
 * @seen: packets seen; sum of @ignored and @accounted, always
 * @unparsed: of @ignored, packets that could not be read, nobody's choice; their octets are
 *	those of the frames behind the Ethernet header
 * @accounted: packets that entered the flow table; @live + @published + @lost, always
 * @live: in flows that are still open
 * @published: in records that were made, read or not
 * @lost: in records that had to be made and found no room (kmod only)
 * @records: records made
 * @lost_records: records that found no room
 * @early: of these, closed early because a bucket was full
 * @flows: open flows
 * @slots: slots of the flow table
 * @merged: frames longer than the device's MTU: several packets that a network
 *	offload had merged, counted as one (live sources only)
 * @dropped: frames lost before the meter, as far as the source is told
 * @active_ns: active timeout, nanoseconds; 0: not known
 * @idle_ns: idle timeout, likewise
 * @nr_ignored: entries of @ignored in use
 * @ignored: by reason; the reasons exclude each other
 * @nr_notes: entries of @notes in use
 * @notes: remarks on accounted packets, outside of all sums
 */
struct npk_source_stats {
	uint64_t frames;
	uint64_t seen;
	struct npk_count unparsed;
	struct npk_count accounted;
	struct npk_count live;
	struct npk_count published;
	struct npk_count lost;
	uint64_t records;
	uint64_t lost_records;
	uint64_t early;
	uint64_t flows;
	uint64_t slots;
	uint64_t merged;
	uint64_t dropped;
	uint64_t active_ns;
	uint64_t idle_ns;
	unsigned int nr_ignored;
	struct npk_named ignored[NPK_NAMED_MAX];
	unsigned int nr_notes;
	struct npk_named notes[NPK_NAMED_MAX];
};

/**
 * npk_source_open() - open a source by name
 * @opts: what to open
 * @out: the source, also after most errors, so that npk_source_error() can be
 *	asked; NULL only after -ENOMEM.  The caller frees it with npk_source_close().
 *
 * Return: 0; -EINVAL bad name or filter; -ENOENT no such file, -ENODEV no such
 * device; -EACCES
 * no permission; -EPROTONOSUPPORT not Ethernet; -EBADMSG not a capture file;
 * -ENOMEM; other negative errno values of the system.
 */
int npk_source_open(const struct npk_source_opts *opts, struct npk_source **out);

/**
 * npk_source_check() - could a source have these settings
 * @opts: settings
 * @out: as for npk_source_open(), for the sentence alone; to be closed
 *
 * Opens nothing: neither the device nor the file needs to exist.  Host names in a
 * filter are looked up.
 *
 * Return: 0; -EINVAL bad name, filter or key; -ENOMEM.
 */
int npk_source_check(const struct npk_source_opts *opts, struct npk_source **out);

/**
 * npk_source_set_timeouts() - other timeouts from now on
 * @src: source
 * @idle_ns: idle timeout, nanoseconds, 0 = default (15 s)
 * @active_ns: active timeout, nanoseconds, 0 = default (60 s)
 *
 * A flow that is open now is looked at when the old timeouts say so, and from then
 * on by the new ones.
 *
 * Return: 0; -EOPNOTSUPP: the source does not decide (kmod).
 */
int npk_source_set_timeouts(struct npk_source *src, uint64_t idle_ns, uint64_t active_ns);

/**
 * npk_source_close() - close a source; unread records are gone
 * @src: source or NULL
 */
void npk_source_close(struct npk_source *src);

/**
 * npk_source_error() - the last error of a source in one sentence
 * @src: source
 *
 * Return: text that names the thing that failed, without a full stop; owned by
 * the source, valid until its next call.
 */
const char *npk_source_error(const struct npk_source *src);

/**
 * npk_source_fd() - descriptor to poll for input
 * @src: source
 *
 * Return: a descriptor, or -1 when the source never blocks (regular files).
 */
int npk_source_fd(const struct npk_source *src);

/**
 * enum npk_work - what npk_source_work() wants next
 * @NPK_WORK_WAIT: to be called when there is input, or after a while
 * @NPK_WORK_MORE: to be called again at once
 * @NPK_WORK_SEND: all records to be sent before the next call: the clock of a file
 *	is about to jump, and export formats say times relative to it
 */
enum npk_work {
	NPK_WORK_WAIT = 0,
	NPK_WORK_MORE = 1,
	NPK_WORK_SEND = 2,
};

/**
 * npk_source_work() - meter what has arrived, close what is due
 * @src: source
 *
 * Does a bounded amount of work and does not block.  A source whose record
 * queue is full leaves its input where it is.
 *
 * Return: enum npk_work; -ENODATA at the end of a file or when the module was shut
 * down and every record was released; other negative errno on failure.
 */
int npk_source_work(struct npk_source *src);

/**
 * npk_source_expire_all() - close every open flow now (end reason "forced")
 * @src: source, not to be worked on any more
 *
 * A live source first meters what arrived before the first call, and may take a
 * tenth of a second for it, a second under load.  The module's flows stay open for the next reader
 * unless npk_source_opts.flush was set; from then on only records are shown that
 * were in its rings at the latest call.
 *
 * Return: 1 when the record queue filled up before all were closed: read and
 * call again; 0 when no flow is open.
 */
int npk_source_expire_all(struct npk_source *src);

/**
 * npk_source_peek() - look at the unread records, oldest first
 * @src: source
 * @recs: array for pointers to records; they stay valid until npk_source_release()
 * @max: entries of @recs
 *
 * Return: number of pointers stored.
 */
size_t npk_source_peek(struct npk_source *src, const struct npk_rec **recs, size_t max);

/**
 * npk_source_release() - give back the oldest records
 * @src: source
 * @nr_recs: how many; at most what npk_source_peek() returned
 *
 * To be called after the records were sent: what was not released is delivered
 * again to a reader that comes back.
 */
void npk_source_release(struct npk_source *src, size_t nr_recs);

/**
 * npk_source_clock() - the clock of the record times
 * @src: source
 * @clock: out: the source's present time (for a file that of its latest frame),
 *	read together with the wall clock
 */
void npk_source_clock(const struct npk_source *src, struct npk_clock *clock);

/**
 * npk_source_stats() - read the counters
 * @src: source
 * @stats: out
 */
void npk_source_stats(const struct npk_source *src, struct npk_source_stats *stats);

/**
 * npk_source_backlog() - records that waited when the source was opened
 * @src: source
 * @records: out: how many, 0 for sources that keep none
 * @age_ns: out: how long ago the oldest of them saw its last packet, nanoseconds
 */
void npk_source_backlog(const struct npk_source *src, uint64_t *records, uint64_t *age_ns);

/**
 * npk_version() - version of the library
 *
 * Return: static string, "0.1".
 */
const char *npk_version(void);

#ifdef __cplusplus
}
#endif

#endif /* NPK_NPK_H */
