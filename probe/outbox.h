/* SPDX-License-Identifier: GPL-2.0-only */
/* Datagrams that are encoded and go out together. */
#ifndef PROBE_OUTBOX_H
#define PROBE_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <npk/enc.h>

/** OUTBOX_DATAGRAMS - most datagrams at a time */
#define OUTBOX_DATAGRAMS	64

/** OUTBOX_OCTETS - and their payload, together; a single one may be as large as UDP's */
#define OUTBOX_OCTETS		98304

/**
 * struct outbox - datagrams in the order of their sequence
 * @msg: for sendmmsg(), those from @head on wait
 * @iov: their payload, in @data
 * @records: flow records that end in each
 * @head: the first one that waits
 * @nr: behind the last one
 * @len: octets of @data in use
 * @data: payload, one after the other
 */
struct outbox {
	struct mmsghdr msg[OUTBOX_DATAGRAMS];
	struct iovec iov[OUTBOX_DATAGRAMS];
	uint32_t records[OUTBOX_DATAGRAMS];
	unsigned int head;
	unsigned int nr;
	size_t len;
	uint8_t data[OUTBOX_OCTETS];
};

/**
 * outbox_waiting() - how many datagrams wait
 * @b: outbox
 *
 * Return: number.
 */
static inline unsigned int outbox_waiting(const struct outbox *b)
{
	return b->nr - b->head;
}

/**
 * outbox_next() - where the next datagram is to be written
 * @b: outbox
 * @size: its largest size
 *
 * Return: room for @size octets, or NULL: what waits has to go first.
 */
static inline uint8_t *outbox_next(struct outbox *b, size_t size)
{
	if (b->head == b->nr)
		b->head = b->nr = b->len = 0;
	if (b->nr == OUTBOX_DATAGRAMS || size > sizeof(b->data) - b->len)
		return NULL;
	return b->data + b->len;
}

/**
 * outbox_put() - the datagram was written where outbox_next() said
 * @b: outbox
 * @len: its octets
 * @records: flow records that end in it
 */
static inline void outbox_put(struct outbox *b, size_t len, size_t records)
{
	b->iov[b->nr] = (struct iovec){ .iov_base = b->data + b->len, .iov_len = len };
	b->msg[b->nr] = (struct mmsghdr){
		.msg_hdr = { .msg_iov = &b->iov[b->nr], .msg_iovlen = 1 },
	};
	b->records[b->nr++] = (uint32_t)records;
	b->len += len;
}

_Static_assert(OUTBOX_OCTETS >= NPK_ENC_MAX_DATAGRAM, "no room for one datagram");

#endif /* PROBE_OUTBOX_H */
