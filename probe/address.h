/* SPDX-License-Identifier: GPL-2.0-only */
/* How a user names a collector, taken apart: nothing is looked up or opened here. */
#ifndef PROBE_ADDRESS_H
#define PROBE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/** ADDRESS_MAX - longest name of a collector, with its end */
#define ADDRESS_MAX	512

/**
 * struct address - [udp://]HOST[:PORT][@SOURCE[:PORT]][%DEV]; not to be copied
 * @host: name or address; an IPv6 address without its brackets, with its %SCOPE
 * @port: its port, a number
 * @source: address to send from, NULL = the system's choice
 * @source_port: port to send from, NULL = likewise
 * @device: network device or VRF to send by, NULL = the route's
 * @numeric: @host is an address, there is nothing to look up
 * @text: what the others point into
 */
struct address {
	const char *host;
	const char *port;
	const char *source;
	const char *source_port;
	const char *device;
	bool numeric;
	char text[ADDRESS_MAX];
};

/**
 * address_parse() - take the name of a collector apart
 * @a: out
 * @name: as the user wrote it
 * @sender: SOURCE[:PORT] of a name that has no @SOURCE, or NULL
 *
 * Return: NULL, or what is wrong with it.
 */
const char *address_parse(struct address *a, const char *name, const char *sender);

#endif /* PROBE_ADDRESS_H */
