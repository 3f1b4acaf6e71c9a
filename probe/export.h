/* SPDX-License-Identifier: GPL-2.0-only */
/* From a source's records to the collectors and the screen, with accounting. */
#ifndef PROBE_EXPORT_H
#define PROBE_EXPORT_H

#include <npk/npk.h>

#include "collector.h"
#include "exporter.h"
#include "interfaces.h"
#include "opts.h"
#include "printer.h"

/**
 * struct totals - accounting over all destinations
 * @read: records given to destinations, once per collector when mirrored
 * @sent: handed to the system; where there is no collector, written to standard output
 * @failed: in datagrams the system refused; or not printed
 * @not_exportable: the format cannot carry them
 * @waiting: for their datagram to fill, or for the reader of standard output
 * @datagrams: sent
 * @lost: what was heard about datagrams sent that are lost
 *
 * read = sent + failed + not_exportable + waiting.
 */
struct totals {
	uint64_t read;
	uint64_t sent;
	uint64_t failed;
	uint64_t not_exportable;
	uint64_t waiting;
	uint64_t datagrams;
	struct udp_errors lost;
};

/**
 * struct export - all destinations of one daemon
 * @o: options
 * @interfaces: rules for interface indices
 * @exporter: options data
 * @collectors: @nr_collectors of them
 * @nr_collectors: how many
 * @former: what collectors did that a reload took away
 * @read: records taken from the source
 * @printer: standard output
 * @held: the next record waits for its reader
 * @held_ms: since when, 0 = none does
 * @behind: the reader is not waited for: it took nothing for too long, and has not
 *	caught up since
 * @unprinted: some records are not printed: that was said, the collectors go on
 *	getting their flows
 * @released: records no collector waits for
 * @given: of these, given back to the source
 * @stop_ms: the daemon is told to stop: nobody is waited for after that
 */
struct export {
	const struct opts *o;
	struct interfaces interfaces;
	struct exporter exporter;
	struct collector *collectors[NPK_COLLECTORS_MAX];
	unsigned int nr_collectors;
	struct totals former;
	uint64_t read;
	struct printer printer;
	bool held;
	uint64_t held_ms;
	bool behind;
	bool unprinted;
	uint64_t released;
	uint64_t given;
	uint64_t stop_ms;
};

/**
 * export_unwritten() - is there a record that only its row keeps from being given back
 * @x: open
 *
 * Return: true for records of the module alone.
 */
static inline bool export_unwritten(const struct export *x)
{
	return x->given < x->released;
}

/**
 * export_open() - open every collector
 * @x: out; export_close() it, also after an error
 * @o: options; kept
 *
 * Return: -1 to go on, else the code to exit with.
 */
int export_open(struct export *x, const struct opts *o);

/**
 * export_begin() - the rights and signals are as they will be
 * @x: opened
 *
 * Return: -1 to go on, else the code to exit with.
 */
int export_begin(struct export *x);

/**
 * export_close() - free everything
 * @x: opened
 */
void export_close(struct export *x);

/**
 * export_resend_templates() - every collector gets the templates and options data at once
 * @x: destinations
 */
void export_resend_templates(struct export *x);

/**
 * export_run() - take the source's records and send what is due
 * @x: destinations
 * @src: source; records are released when every destination is done with them
 * @all: nothing waits for its datagram to fill; to be called again while export_held()
 *
 * Return: -1 to go on, else the code to exit with (standard output failed, and
 * there is no collector).
 */
int export_run(struct export *x, struct npk_source *src, bool all);

/**
 * export_held() - do records wait for the reader of standard output
 * @x: destinations
 *
 * Return: true when they do, and it makes sense to wait with them.
 */
bool export_held(const struct export *x);

/**
 * export_flush() - send what was taken, nothing waits for its datagram to fill
 * @x: destinations
 * @src: source; no record is taken
 */
void export_flush(struct export *x, struct npk_source *src);

/**
 * export_push() - hand on what was printed
 * @x: destinations
 *
 * Return: as export_run().
 */
int export_push(struct export *x);

/**
 * export_finish() - all records were sent: wait until they are written, say the counters once more
 * @x: destinations
 * @src: source, or NULL: the module is away
 *
 * Return: -1 to go on, else the code to exit with.
 */
int export_finish(struct export *x, struct npk_source *src);

/**
 * export_stop() - the daemon was told to stop
 * @x: destinations
 *
 * What collectors do not take within two seconds has failed.
 */
void export_stop(struct export *x);

/**
 * export_wait_ms() - when export_run() has something to send by itself
 * @x: destinations
 *
 * Return: milliseconds from now, or -1 when nothing waits.
 */
int export_wait_ms(const struct export *x);

#endif /* PROBE_EXPORT_H */
