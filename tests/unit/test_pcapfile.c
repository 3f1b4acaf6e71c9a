// SPDX-License-Identifier: GPL-2.0-only
/* The reader of plain capture files gives what libpcap gives, or leaves the file to it. */
#include <errno.h>

#include "test.h"

#include <byteswap.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include "lib/pcapfile.h"

#define MAGIC_US	0xa1b2c3d4U
#define MAGIC_NS	0xa1b23c4dU
/* octets of all frames: several times what is read at once */
#define VOLUME		(3U << 20)

static FILE *file;
static bool swapped;

static void put32(uint32_t v)
{
	v = swapped ? bswap_32(v) : v;
	assert_int_equal(fwrite(&v, sizeof(v), 1, file), 1);
}

static void put_head(uint32_t magic, uint16_t minor, uint32_t snaplen)
{
	uint16_t version[2] = { 2, minor };

	if (swapped) {
		version[0] = bswap_16(2);
		version[1] = bswap_16(minor);
	}
	put32(magic);
	assert_int_equal(fwrite(version, sizeof(version), 1, file), 1);
	put32(0);
	put32(0);
	put32(snaplen);
	put32(DLT_EN10MB);
}

static void put_frame(uint32_t seconds, uint32_t fraction, uint32_t len, uint32_t wire)
{
	put32(seconds);
	put32(fraction);
	put32(len);
	put32(wire);
	while (len--)
		putc((int)(len * 7 + seconds), file);
}

static void start(bool other_order)
{
	swapped = other_order;
	file = tmpfile();
	assert_non_null(file);
}

static pcap_t *open_pcap(void)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *p;

	fflush(file);
	rewind(file);
	p = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, err);
	assert_non_null(p);
	return p;	/* closes the file, too */
}

static int next(struct npk_pcapfile *f, struct pcap_pkthdr *h, const u_char **data)
{
	int n;

	do {
		n = npk_pcapfile_next(f, h, data);
	} while (!n && (n = npk_pcapfile_read(f)) > 0);
	return n;
}

/* Both read the same frames, twice; returns how many, and what the reader says then. */
static unsigned int compare(int *last)
{
	struct npk_pcapfile f = {};
	struct pcap_pkthdr h, *theirs;
	const u_char *data, *their_data;
	pcap_t *p = open_pcap();
	unsigned int n = 0, again = 0;

	assert_true(npk_pcapfile_open(&f, p));
	while ((*last = next(&f, &h, &data)) > 0) {
		assert_int_equal(pcap_next_ex(p, &theirs, &their_data), 1);
		assert_int_equal(h.caplen, theirs->caplen);
		assert_int_equal(h.len, theirs->len);
		assert_int_equal((uint32_t)h.ts.tv_sec, (uint32_t)theirs->ts.tv_sec);
		assert_int_equal(h.ts.tv_usec, theirs->ts.tv_usec);
		assert_memory_equal(data, their_data, h.caplen);
		n++;
	}
	if (!*last)
		assert_int_equal(pcap_next_ex(p, &theirs, &their_data), PCAP_ERROR_BREAK);
	npk_pcapfile_rewind(&f);
	while (next(&f, &h, &data) > 0)
		again++;
	assert_int_equal(n, again);
	npk_pcapfile_close(&f);
	pcap_close(p);
	return n;
}

static void test_as_libpcap(void **state)
{
	uint32_t sizes[] = { 0, 1, 14, 60, 66, 1514, 65535, 262144 };
	uint64_t random = 1;
	unsigned int form, n, volume;
	uint32_t fraction, len;
	int last;

	(void)state;
	for (form = 0; form < 4; form++) {
		start(form & 1);
		put_head(form & 2 ? MAGIC_NS : MAGIC_US, 4, 262144);
		fraction = form & 2 ? 999999999 : 999999;
		for (n = 0, volume = 0; volume < VOLUME; n++, volume += len + 16) {
			len = sizes[test_random(&random) % 8];
			put_frame((uint32_t)(0x7ffffff0 + n), fraction - n, len, len + n);
		}
		assert_int_equal(compare(&last), n);
		assert_int_equal(last, 0);
	}
}

/* Wherever the file ends within its last frame, that is told from a whole one. */
static void test_cut(void **state)
{
	long whole = 24 + 16 + 60;
	long end;
	int last;

	(void)state;
	for (end = whole; end <= whole + 16 + 20; end++) {
		start(false);
		put_head(MAGIC_US, 4, 65535);
		put_frame(1, 2, 60, 60);
		put_frame(2, 3, 20, 20);
		fflush(file);
		assert_int_equal(ftruncate(fileno(file), end), 0);
		assert_int_equal(compare(&last), end == whole + 36 ? 2 : 1);
		assert_int_equal(last, end == whole || end == whole + 36 ? 0 : -EBADMSG);
	}
}

static void odd_frame(uint32_t fraction, uint32_t len)
{
	int last;

	start(false);
	put_head(MAGIC_US, 4, 100);
	put_frame(1, 2, 60, 60);
	put_frame(1, fraction, len, len);
	assert_int_equal(compare(&last), 1);
	assert_int_equal(last, -EBADMSG);
}

static void test_odd_frames(void **state)
{
	(void)state;
	odd_frame(1000000, 60);
	odd_frame(0xffffffff, 60);
	odd_frame(0, 101);
}

static void test_other_forms(void **state)
{
	static const struct {
		uint32_t magic;
		uint16_t minor;
	} forms[] = { { MAGIC_US, 3 }, { 0xa1b2cd34, 4 } };
	struct npk_pcapfile f = {};
	unsigned int i;
	pcap_t *p;

	(void)state;
	for (i = 0; i < 2; i++) {
		start(false);
		put_head(forms[i].magic, forms[i].minor, 65535);
		p = open_pcap();
		assert_false(npk_pcapfile_open(&f, p));
		assert_null(f.buf);
		pcap_close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_libpcap),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_odd_frames),
		cmocka_unit_test(test_other_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
