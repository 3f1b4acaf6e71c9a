// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pcapfile.h"

#define MAGIC_US	0xa1b2c3d4U
#define MAGIC_NS	0xa1b23c4dU
#define FILE_HEADER	24
#define FRAME_HEADER	16
/* longest frame a file of Ethernet may have, libpcap's MAXIMUM_SNAPLEN */
#define LONGEST		262144
/* fits a second-level cache together with what the frames touch */
#define BUFFER		(2 * LONGEST)

static uint32_t get32(const struct npk_pcapfile *f, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return f->swapped ? __builtin_bswap32(v) : v;
}

bool npk_pcapfile_open(struct npk_pcapfile *f, pcap_t *pcap)
{
	uint8_t head[FILE_HEADER];
	uint32_t magic;
	int longest = pcap_snapshot(pcap);

	f->fd = fileno(pcap_file(pcap));
	f->swapped = pcap_is_swapped(pcap);
	if (pcap_major_version(pcap) != 2 || pcap_minor_version(pcap) != 4 ||
	    longest <= 0 || longest > LONGEST ||
	    pread(f->fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return false;
	magic = get32(f, head);
	if (magic != MAGIC_US && magic != MAGIC_NS)
		return false;
	f->fraction_ns = magic == MAGIC_US ? 1000 : 1;
	f->longest = (uint32_t)longest;
	f->buf = malloc(BUFFER);
	if (!f->buf)
		return false;
	npk_pcapfile_rewind(f);
	return true;
}

void npk_pcapfile_rewind(struct npk_pcapfile *f)
{
	f->at = 0;
	f->end = 0;
	f->offset = FILE_HEADER;
}

int npk_pcapfile_read(struct npk_pcapfile *f)
{
	ssize_t n;

	f->end -= f->at;
	memmove(f->buf, f->buf + f->at, f->end);
	f->at = 0;
	do {
		n = pread(f->fd, f->buf + f->end, BUFFER - f->end, (off_t)f->offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return f->end ? -EBADMSG : 0;
	f->end += (size_t)n;
	f->offset += (uint64_t)n;
	return 1;
}

int npk_pcapfile_next(struct npk_pcapfile *f, struct pcap_pkthdr *h, const u_char **data)
{
	const uint8_t *p = f->buf + f->at;
	size_t left = f->end - f->at;

	if (left < FRAME_HEADER)
		return 0;
	h->ts.tv_sec = get32(f, p);
	h->ts.tv_usec = (suseconds_t)get32(f, p + 4) * f->fraction_ns;
	h->caplen = get32(f, p + 8);
	h->len = get32(f, p + 12);
	if (h->caplen > f->longest || h->ts.tv_usec >= 1000000000)
		return -EBADMSG;
	if (left - FRAME_HEADER < h->caplen)
		return 0;
	*data = p + FRAME_HEADER;
	f->at += FRAME_HEADER + (size_t)h->caplen;
	return 1;
}

void npk_pcapfile_close(struct npk_pcapfile *f)
{
	free(f->buf);
	f->buf = NULL;
}
