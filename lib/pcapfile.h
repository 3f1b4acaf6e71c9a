/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The frames of a plain capture file, in large reads and without a copy of each.
 *
 * libpcap opens the file and judges its header.  Whatever is not the common form
 * (pcapng, old versions, other magic numbers), or is odd in any way (cut short,
 * lengths that cannot be), is left to libpcap, which knows what to make of it.
 */
#ifndef NPK_LIB_PCAPFILE_H
#define NPK_LIB_PCAPFILE_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct npk_pcapfile - a file being read
 * @fd: its descriptor, libpcap's; read without moving its position
 * @buf: what was read, NULL while the file is libpcap's
 * @at: next frame's header in @buf
 * @end: octets in @buf
 * @offset: of the first octet behind @buf in the file
 * @longest: octets a frame may have
 * @fraction_ns: nanoseconds in a unit of a time's fraction
 * @swapped: numbers are of the other byte order
 */
struct npk_pcapfile {
	int fd;
	uint8_t *buf;
	size_t at;
	size_t end;
	uint64_t offset;
	uint32_t longest;
	uint32_t fraction_ns;
	bool swapped;
};

/**
 * npk_pcapfile_open() - read a file that libpcap has opened
 * @f: zeroed
 * @pcap: libpcap's handle of a regular file
 *
 * Return: true when it is of the common form and can be read here.
 */
bool npk_pcapfile_open(struct npk_pcapfile *f, pcap_t *pcap);

/**
 * npk_pcapfile_rewind() - start again with the first frame
 * @f: open file
 */
void npk_pcapfile_rewind(struct npk_pcapfile *f);

/**
 * npk_pcapfile_next() - the next of the frames that were read
 * @f: open file
 * @h: out: as from libpcap with nanosecond precision
 * @data: out: its octets, valid until npk_pcapfile_read()
 *
 * Return: 1 with a frame, 0 when more has to be read, -EBADMSG when what follows is odd.
 */
int npk_pcapfile_next(struct npk_pcapfile *f, struct pcap_pkthdr *h, const u_char **data);

/**
 * npk_pcapfile_read() - read on
 * @f: open file, after npk_pcapfile_next() returned 0
 *
 * Return: 1 with more octets, 0 at the end of the file, -EBADMSG when it ends inside a
 * frame, another -errno when it cannot be read.
 */
int npk_pcapfile_read(struct npk_pcapfile *f);

/**
 * npk_pcapfile_close() - free everything; the descriptor stays libpcap's
 * @f: file, open or not
 */
void npk_pcapfile_close(struct npk_pcapfile *f);

#endif /* NPK_LIB_PCAPFILE_H */
