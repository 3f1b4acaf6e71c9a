/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP datagrams out of a capture file, or as they arrive. */
#ifndef PROBE_DATAGRAMS_H
#define PROBE_DATAGRAMS_H

#include <pcap/pcap.h>
#include <stdbool.h>

#include <npk/verify.h>

/**
 * struct datagram - one
 * @from: who sent it
 * @when_s: when it came, or was captured, seconds since 1970
 * @data: UDP payload, valid until the next one
 * @len: octets of it
 */
struct datagram {
	struct npk_verify_from from;
	int64_t when_s;
	const uint8_t *data;
	size_t len;
};

/**
 * struct datagrams - where they come from
 * @name: as the user wrote it
 * @pcap: capture file, or NULL
 * @fd: socket, or -1
 * @buf: for the socket
 */
struct datagrams {
	const char *name;
	pcap_t *pcap;
	int fd;
	uint8_t buf[65536];
};

/**
 * datagrams_open() - open a source; SIGINT and SIGTERM end it from then on
 * @g: out; datagrams_close() it, also after an error
 * @name: pcap:FILE, FILE.pcap, FILE.pcapng or udp://[ADDRESS]:PORT; kept
 * @filter: tcpdump expression for files, or NULL
 *
 * Says on stderr what is wrong.
 *
 * Return: -1 to go on, else the code to exit with.
 */
int datagrams_open(struct datagrams *g, const char *name, const char *filter);

/**
 * datagrams_next() - the next one
 * @g: source
 * @d: out
 * @code: out: at the end 0, or the code to exit with after an error that was said
 *
 * What is no UDP datagram, or a fragment of one, is passed over.
 *
 * Return: true with a datagram.
 */
bool datagrams_next(struct datagrams *g, struct datagram *d, int *code);

/**
 * datagrams_quiet() - wait for the next one, or for room to write
 * @g: source
 * @output: descriptor
 *
 * Return: true when there may be room and there is no datagram yet; always false for a file.
 */
bool datagrams_quiet(const struct datagrams *g, int output);

/**
 * datagrams_stopped() - was the program told to stop
 *
 * Return: true when it was.
 */
bool datagrams_stopped(void);

/**
 * datagrams_close() - free everything
 * @g: source
 */
void datagrams_close(struct datagrams *g);

#endif /* PROBE_DATAGRAMS_H */
