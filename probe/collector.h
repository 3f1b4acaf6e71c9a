/* SPDX-License-Identifier: GPL-2.0-only */
/* One collector: its address, socket, export stream and accounting. */
#ifndef PROBE_COLLECTOR_H
#define PROBE_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <npk/enc.h>

#include "opts.h"

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
 * struct collector - one destination; read = sent + failed + @not_exportable + @nr_pending
 * @name: as the user wrote it
 * @fd: connected, non-blocking UDP socket
 * @enc: export stream
 * @buf: one datagram, @buf_size octets
 * @buf_size: octets of UDP payload a datagram may have
 * @flow_interval: of so many conversations one is sent
 * @pending: records waiting for their datagram to fill, oldest first
 * @nr: number of each in the order of reading, for releasing them
 * @since_ms: when each came, monotonic milliseconds
 * @nr_pending: how many
 * @read: records given to this collector
 * @sent: records in datagrams the system took
 * @failed: records in datagrams it refused
 * @not_exportable: by reason; unused entries have no name
 * @datagrams: sent
 * @octets: UDP payload sent
 * @refused: times the collector's host said that nothing listens
 * @complained: a failure was reported; further ones are only counted
 */
struct collector {
	char *name;
	int fd;
	struct npk_enc *enc;
	uint8_t *buf;
	size_t buf_size;
	uint32_t flow_interval;
	const struct npk_rec *pending[NPK_WINDOW];
	uint64_t nr[NPK_WINDOW];
	uint64_t since_ms[NPK_WINDOW];
	size_t nr_pending;
	uint64_t read;
	uint64_t sent;
	uint64_t failed;
	struct reason_count not_exportable[NPK_REASONS_MAX];
	uint64_t datagrams;
	uint64_t octets;
	uint64_t refused;
	bool complained;
};

/**
 * collector_open() - resolve the name, connect, start the stream
 * @c: out; collector_close() it, also after an error
 * @name: [udp://]HOST[:PORT] or [udp://][V6][:PORT]
 * @o: format and limits
 *
 * Says on stderr what is wrong, naming the collector.
 *
 * Return: -1 to go on, else the code to exit with.
 */
int collector_open(struct collector *c, const char *name, const struct opts *o);

/**
 * collector_close() - free everything
 * @c: collector, zeroed or opened
 */
void collector_close(struct collector *c);

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
 */
void collector_send(struct collector *c, const struct npk_clock *clock, uint64_t came_by_ms);

/**
 * collector_templates() - send templates alone, if they are due and nothing waits
 * @c: collector
 * @clock: clock of the records, now
 */
void collector_templates(struct collector *c, const struct npk_clock *clock);

#endif /* PROBE_COLLECTOR_H */
