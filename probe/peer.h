/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end: a collector's name, addresses and socket, kept up to date. */
#ifndef PROBE_PEER_H
#define PROBE_PEER_H

#include "address.h"
#include "lookup.h"
#include "opts.h"
#include "udp.h"

/**
 * struct peer - the other end
 * @name: as the user wrote it, the caller's
 * @address: the same, taken apart
 * @mtu: largest IP packet, 0 = the route's
 * @udp: socket, without one while there is no way to the collector
 * @list: addresses of the host
 * @lookup: question for newer ones, NULL while none is on its way
 * @lookup_ms: when to ask next
 * @unasked: that there was no thread to ask was said
 * @broken: the socket failed and is to be replaced
 * @reopen_ms: not before then
 * @trouble: datagrams are known to be lost
 * @quiet_ms: since when they are sent without another error, 0 = none was sent yet
 * @said: this trouble was said
 * @said_ms: when trouble was last said, 0 = never
 * @errors: what was heard about datagrams sent
 * @reopened: sockets made after the first
 */
struct peer {
	const char *name;
	struct address address;
	unsigned int mtu;
	struct udp udp;
	struct addrinfo *list;
	struct lookup *lookup;
	uint64_t lookup_ms;
	bool unasked;
	bool broken;
	uint64_t reopen_ms;
	bool trouble;
	uint64_t quiet_ms;
	bool said;
	uint64_t said_ms;
	struct udp_errors errors;
	uint64_t reopened;
};

/**
 * peer_open() - look the name up and make the socket
 * @p: out; peer_close() it, also after an error
 * @name: of the collector, kept
 * @o: sender and MTU
 * @list: addresses of the name, taken over; NULL: to be looked up
 * @now_ms: monotonic milliseconds
 *
 * Says on stderr what is wrong, naming the collector.  That there is no way to it
 * at present is no error: that may change.
 *
 * Return: -1 to go on, else the code to exit with.
 */
int peer_open(struct peer *p, const char *name, const struct opts *o, struct addrinfo *list,
	      uint64_t now_ms);

/**
 * peer_close() - free everything
 * @p: peer, zeroed or opened
 */
void peer_close(struct peer *p);

/**
 * peer_keep() - collect errors, follow the name, replace a broken socket
 * @p: peer
 * @now_ms: monotonic milliseconds
 *
 * Never waits.
 *
 * Return: true when there is a new socket: a new session with the collector.
 */
bool peer_keep(struct peer *p, uint64_t now_ms);

/**
 * peer_failed() - a datagram could not be sent
 * @p: peer
 * @err: -errno
 * @now_ms: monotonic milliseconds
 */
void peer_failed(struct peer *p, int err, uint64_t now_ms);

/**
 * peer_sent() - the system took datagrams
 * @p: peer
 * @now_ms: monotonic milliseconds
 */
static inline void peer_sent(struct peer *p, uint64_t now_ms)
{
	if (p->trouble && !p->quiet_ms)
		p->quiet_ms = now_ms;
}

/**
 * peer_heard() - was it something about datagrams sent before
 * @p: peer
 * @now_ms: monotonic milliseconds
 *
 * Return: true when errors were collected.
 */
bool peer_heard(struct peer *p, uint64_t now_ms);

/**
 * peer_payload() - how large a datagram may be at present
 * @p: peer
 *
 * Return: octets of UDP payload, 0 = not known.
 */
static inline size_t peer_payload(const struct peer *p)
{
	return udp_payload(&p->udp, p->mtu);
}

#endif /* PROBE_PEER_H */
