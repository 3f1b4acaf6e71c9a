/* SPDX-License-Identifier: GPL-2.0-only */
/* The UDP payload of a captured frame. */
#ifndef PROBE_UDPFRAME_H
#define PROBE_UDPFRAME_H

#include <stdbool.h>

#include "datagrams.h"

/**
 * udpframe_knows() - can frames of a link type be read
 * @link: DLT_ number of libpcap
 *
 * Return: true for Ethernet, Linux "any", BSD loopback and raw IP.
 */
bool udpframe_knows(int link);

/**
 * udpframe_payload() - find the payload
 * @link: link type
 * @p: frame
 * @len: octets captured
 * @d: out: points into the frame; shorter than it was sent where the capture is
 *
 * Return: false when the frame is no UDP datagram, or a fragment of one.
 */
bool udpframe_payload(int link, const uint8_t *p, size_t len, struct datagram *d);

/**
 * udpframe_map_ipv4() - an IPv4 address as an IPv6 one
 * @out: 16 octets
 * @addr: 4 octets
 */
void udpframe_map_ipv4(uint8_t *out, const uint8_t *addr);

#endif /* PROBE_UDPFRAME_H */
