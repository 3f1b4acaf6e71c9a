/* SPDX-License-Identifier: GPL-2.0-only */
/* Standard output, whose reader may be slow or have stopped reading. */
#ifndef PROBE_PRINTER_H
#define PROBE_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** PRINTER_ROOM - octets that may wait before printer_room() says no */
#define PRINTER_ROOM	65536

/** PRINTER_STOP_MS - how long the reader is waited for after a signal to stop */
#define PRINTER_STOP_MS	2000

/** PRINTER_LOOK_MS - a signal is looked for this often while the reader is waited for */
#define PRINTER_LOOK_MS	100

/**
 * struct printer - whole rows on their way to standard output
 * @out: stream to print them to, after printer_room() said yes; NULL: not open
 * @fd: to the thread that writes them, or -1; writable when it takes more
 * @err: why nothing can be written any more, negative errno, or 0
 * @heading: lines printed before the first row
 * @rows: printed, but for those that are known to be lost
 * @written: of these, when printer_push() was last called
 * @len: octets of @wait
 * @wait: what the thread did not take yet, with space for what @out buffers
 */
struct printer {
	FILE *out;
	int fd;
	int err;
	uint64_t heading;
	uint64_t rows;
	uint64_t written;
	size_t len;
	char wait[PRINTER_ROOM + 4 * BUFSIZ];
};

/**
 * printer_open() - begin; there can be one
 * @p: zeroed
 *
 * Its thread is made now, with the rights and signals of now.
 *
 * Return: 0 or -errno.
 */
int printer_open(struct printer *p);

/**
 * printer_room() - may a record be printed
 * @p: open
 *
 * Never waits.  After an error there is room, for nobody is to wait.
 *
 * Return: true when it may.
 */
bool printer_room(struct printer *p);

/**
 * printer_push() - hand on what was printed
 * @p: open
 *
 * Never waits; what cannot be handed on now is kept.
 *
 * Return: 0, or the -errno with which standard output failed.
 */
int printer_push(struct printer *p);

/**
 * printer_wait() - wait for room
 * @p: open
 * @timeout_ms: at most so long
 */
void printer_wait(const struct printer *p, int timeout_ms);

/**
 * printer_done() - no more is printed: has it all been written, or failed
 * @p: open
 * @timeout_ms: wait at most so long
 *
 * Return: true when it has; what failed is in @err then.
 */
bool printer_done(struct printer *p, int timeout_ms);

/**
 * printer_waiting() - rows on their way
 * @p: open
 *
 * Return: how many were printed, but not written when printer_push() was last called.
 */
static inline uint64_t printer_waiting(const struct printer *p)
{
	return p->rows - p->written;
}

/**
 * printer_stop() - write no more than what is being written
 * @p: open
 *
 * So that how much was written is known, but for one piece.
 */
void printer_stop(struct printer *p);

/**
 * printer_report() - say on stderr what was not written when printer_push() was last called
 * @p: open
 * @who: speaks
 * @flows: how many there were to print
 *
 * Return: true when all were.
 */
bool printer_report(struct printer *p, const char *who, uint64_t flows);

/**
 * printer_close() - let go of it, waiting for nothing
 * @p: zeroed or open
 */
void printer_close(struct printer *p);

#endif /* PROBE_PRINTER_H */
