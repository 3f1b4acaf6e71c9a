/* SPDX-License-Identifier: GPL-2.0-only */
/* The UDP socket to one collector. */
#ifndef PROBE_UDP_H
#define PROBE_UDP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "address.h"

struct addrinfo;

/** UDP_PEER_MAX - room for udp_peer() */
#define UDP_PEER_MAX	80

/**
 * struct udp - a connected, non-blocking socket
 * @fd: the socket, -1 while there is none
 * @family: AF_INET or AF_INET6
 * @peer: where it sends to, valid with @fd
 */
struct udp {
	int fd;
	int family;
	struct sockaddr_storage peer;
};

/**
 * struct udp_errors - what hosts and routers on the way said about datagrams sent
 * @refused: nothing listens at the collector's port
 * @unreachable: the datagram did not get there, for any other reason
 */
struct udp_errors {
	uint64_t refused;
	uint64_t unreachable;
};

/**
 * udp_open() - socket, source, device and connection of a collector
 * @u: out, no socket after an error
 * @a: name with what to bind to
 * @list: addresses of the host; the first that works is taken
 * @what: out: what the error is about: @a's source or device, or NULL for the way there
 *
 * Return: 0 or -errno.
 */
int udp_open(struct udp *u, const struct address *a, const struct addrinfo *list,
	     const char **what);

/**
 * udp_close() - close the socket, if there is one
 * @u: socket
 */
void udp_close(struct udp *u);

/**
 * udp_payload() - how large a datagram may be
 * @u: socket
 * @mtu: largest IP packet, 0 = what the route takes at present
 *
 * Return: octets of UDP payload; 0 when there is no socket to ask.
 */
size_t udp_payload(const struct udp *u, unsigned int mtu);

/**
 * udp_errors() - collect what was said about datagrams sent
 * @u: socket
 * @e: counters to add to
 *
 * Return: how many messages there were.
 */
unsigned int udp_errors(struct udp *u, struct udp_errors *e);

/**
 * udp_is_among() - is the collector's present address one of these
 * @u: socket
 * @list: addresses
 *
 * Return: true when it is.
 */
bool udp_is_among(const struct udp *u, const struct addrinfo *list);

/**
 * udp_peer() - the collector's present address
 * @u: socket
 * @text: UDP_PEER_MAX octets: "192.0.2.1:2055", "[2001:db8::1]:2055", "" without a socket
 */
void udp_peer(const struct udp *u, char text[UDP_PEER_MAX]);

#endif /* PROBE_UDP_H */
