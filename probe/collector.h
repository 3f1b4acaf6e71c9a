/* SPDX-License-Identifier: GPL-2.0-only */
/* One collector: its export stream, the records that wait for it, and accounting. */
#ifndef PROBE_COLLECTOR_H
#define PROBE_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <npk/enc.h>
#include <npk/npk.h>

#include "ifnames.h"
#include "opts.h"
#include "outbox.h"
#include "peer.h"

/** NPK_WINDOW - records held back at most, all collectors together */
#define NPK_WINDOW		4096

/** NPK_REASONS_MAX - different reasons why a record is not exportable */
#define NPK_REASONS_MAX		8

/**
 * struct reason_count - records not exportable for one reason
 * @reason: static string, as of npk_enc_exportable()
 * @records: how many
 */
struct reason_count {
	const char *reason;
	uint64_t records;
};

/**
 * struct pending - records that wait, in the order of reading
 * @rec: them, from @first on; twice the window, so that they seldom have to be moved
 * @nr: number of each, for releasing them
 * @since_ms: when each came, monotonic milliseconds
 * @first: the oldest
 * @end: behind the youngest
 */
struct pending {
	const struct npk_rec *rec[2 * NPK_WINDOW];
	uint64_t nr[2 * NPK_WINDOW];
	uint64_t since_ms[2 * NPK_WINDOW];
	size_t first;
	size_t end;
};

/**
 * struct pace - nProbe's -e and -B: so many datagrams, then a pause
 * @delay_ms: the pause, 0 = none
 * @datagrams: before it
 * @began_ms: when the present lot began
 * @sent: datagrams of it
 */
struct pace {
	unsigned int delay_ms;
	unsigned int datagrams;
	uint64_t began_ms;
	unsigned int sent;
};

/**
 * struct collector - one destination; read = sent + failed + @not_exportable + waiting
 * @name: as the user wrote it
 * @peer: the way to it
 * @names: of interfaces, the caller's
 * @enc: export stream
 * @next: the one that is to take its place, or NULL
 * @payload: octets of UDP payload a datagram may have
 * @flow_interval: of so many conversations one is sent
 * @pending: records that were not sent yet
 * @encoded: so many of them, the oldest, are in @out
 * @out: datagrams that were not sent yet
 * @full: the system takes no datagram at present
 * @behind: records were given up, and not all that are due went out since
 * @stalled_ms: since when it took none, 0 = it does
 * @pace: when the next one may go
 * @read: records given to this collector
 * @sent: records in datagrams the system took
 * @failed: records in datagrams it refused, or that were given up
 * @not_exportable: by reason; unused entries have no name
 * @not_sent: packets and octets in the records that are @failed or @not_exportable
 * @datagrams: sent
 * @octets: UDP payload sent
 */
struct collector {
	char *name;
	struct peer peer;
	struct ifnames *names;
	struct npk_enc *enc;
	struct npk_enc *next;
	size_t payload;
	uint32_t flow_interval;
	struct pending pending;
	size_t encoded;
	struct outbox out;
	bool full;
	bool behind;
	uint64_t stalled_ms;
	struct pace pace;
	uint64_t read;
	uint64_t sent;
	uint64_t failed;
	struct reason_count not_exportable[NPK_REASONS_MAX];
	struct npk_count not_sent;
	uint64_t datagrams;
	uint64_t octets;
};

/**
 * collector_new() - resolve the name, connect, start the stream
 * @name: [udp://]HOST[:PORT][@SOURCE][%DEV]
 * @o: format and limits
 * @names: of interfaces, for records; they last as long as the collector
 * @list: addresses of the name, taken over, also with an error; NULL: to be looked up
 * @out: out: the collector, to be freed with collector_free()
 *
 * Says on stderr what is wrong, naming the collector.
 *
 * Return: -1 to go on, else the code to exit with.
 */
int collector_new(const char *name, const struct opts *o, struct ifnames *names,
		  struct addrinfo *list, struct collector **out);

/**
 * collector_free() - free everything
 * @c: collector or NULL
 */
void collector_free(struct collector *c);

/**
 * collector_prepare() - make ready for other options, without an effect as yet
 * @c: collector
 * @now: those in force
 * @next: the others, of the same name and sender
 *
 * A stream whose settings stay goes on.  One whose format and source id stay goes on
 * with its sequence.  Says on stderr what is wrong.
 *
 * Return: -1 to go on, else the code to exit with; to be followed by
 * collector_change() or collector_stay().
 */
int collector_prepare(struct collector *c, const struct opts *now, const struct opts *next);

/**
 * collector_change() - from now on the options it was prepared for
 * @c: collector with no pending records
 * @next: the options
 */
void collector_change(struct collector *c, const struct opts *next);

/**
 * collector_stay() - not after all
 * @c: collector
 */
void collector_stay(struct collector *c);

/**
 * collector_add() - give a record to this collector
 * @c: collector with fewer than NPK_WINDOW pending records
 * @rec: record; stays valid until it is sent
 * @nr: its number in the order of reading
 * @now_ms: monotonic milliseconds
 */
void collector_add(struct collector *c, const struct npk_rec *rec, uint64_t nr, uint64_t now_ms);

/**
 * collector_send() - send what is due: full datagrams, and what came long ago
 * @c: collector
 * @clock: clock of the records, now
 * @came_by_ms: records that came by then are sent in a datagram that is not full;
 *	UINT64_MAX = all of them
 *
 * Templates that are due go alone when there is no record.  Never waits: what the
 * system does not take stays, and @c is full.
 */
void collector_send(struct collector *c, const struct npk_clock *clock, uint64_t came_by_ms);

/**
 * collector_options() - send one datagram of options data, if there is one to be sent
 * @c: collector; nothing happens while it is full
 * @x: what to say, but for the counters of the collector
 * @clock: clock of the records, now
 */
void collector_options(struct collector *c, const struct npk_enc_exporter *x,
		       const struct npk_clock *clock);

/**
 * collector_not_exportable() - records that were not exportable, for whatever reason
 * @c: collector
 *
 * Return: number.
 */
uint64_t collector_not_exportable(const struct collector *c);

/**
 * collector_give_up() - records wait no longer, they have failed
 * @c: collector
 * @clock: clock of the records, now
 * @before: number of the first record that may go on waiting; those that are in a
 *	datagram together with a given up one do not
 *
 * The sequence goes on as if they had been sent: the collector sees that they are missing.
 */
void collector_give_up(struct collector *c, const struct npk_clock *clock, uint64_t before);

/**
 * collector_wait_ms() - when a full collector may take datagrams again
 * @c: collector
 *
 * Return: milliseconds from now; -1: when its socket is writable.
 */
int collector_wait_ms(const struct collector *c);

/**
 * collector_pending() - records that wait
 * @c: collector
 *
 * Return: number.
 */
static inline size_t collector_pending(const struct collector *c)
{
	return c->pending.end - c->pending.first;
}

/**
 * collector_oldest() - the record that waits for longest
 * @c: collector with pending records
 *
 * Return: its number in the order of reading.
 */
static inline uint64_t collector_oldest(const struct collector *c)
{
	return c->pending.nr[c->pending.first];
}

/**
 * collector_oldest_ms() - when that came
 * @c: collector with pending records
 *
 * Return: monotonic milliseconds.
 */
static inline uint64_t collector_oldest_ms(const struct collector *c)
{
	return c->pending.since_ms[c->pending.first];
}

#endif /* PROBE_COLLECTOR_H */
