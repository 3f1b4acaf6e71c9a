// SPDX-License-Identifier: GPL-2.0-only
/* Source pcap:FILE over files made here, and the errors of both sources. */
#include "test.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <sys/stat.h>
#include <unistd.h>

#include <npk/npk.h>

#include "frame.h"

static char path[64];

static int make_path(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/npk-test-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	return close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static pcap_dumper_t *start_file(pcap_t **p, int link)
{
	pcap_dumper_t *d;

	*p = pcap_open_dead_with_tstamp_precision(link, 65535, PCAP_TSTAMP_PRECISION_NANO);
	assert_non_null(*p);
	d = pcap_dump_open(*p, path);
	assert_non_null(d);
	return d;
}

static void add_frame(pcap_dumper_t *d, const struct frame *f, uint64_t ns)
{
	struct pcap_pkthdr h = { .caplen = f->len, .len = f->len };

	h.ts.tv_sec = (time_t)(ns / NPK_NSEC_PER_SEC);
	h.ts.tv_usec = (suseconds_t)(ns % NPK_NSEC_PER_SEC);
	pcap_dump((u_char *)d, &h, f->data);
}

static void end_file(pcap_t *p, pcap_dumper_t *d)
{
	pcap_dump_close(d);
	pcap_close(p);
}

static int open_sampled(const char *filter, struct npk_sampling sampling, struct npk_source **src)
{
	struct npk_source_opts o = { .filter = filter, .sampling = sampling };
	char name[80];

	snprintf(name, sizeof(name), "pcap:%s", path);
	o.name = name;
	return npk_source_open(&o, src);
}

static int open_source(const char *filter, struct npk_source **src)
{
	return open_sampled(filter, (struct npk_sampling){ 0 }, src);
}

/* Read everything; returns the number of records and the packets in them. */
static size_t drain(struct npk_source *src, uint64_t *packets)
{
	const struct npk_rec *recs[1000];
	size_t n, i, nr = 0;
	int work, more = 1;

	*packets = 0;
	do {
		work = npk_source_work(src);
		assert_true(work > 0 || work == -ENODATA);
		if (work == -ENODATA)
			more = npk_source_expire_all(src);
		while ((n = npk_source_peek(src, recs, 1000))) {
			for (i = 0; i < n; i++) {
				assert_int_equal(recs[i]->seq, nr + i);
				*packets += recs[i]->packets;
			}
			npk_source_release(src, n);
			nr += n;
		}
	} while (work > 0 || more);
	return nr;
}

static void check_stats(struct npk_source *src, uint64_t frames)
{
	struct npk_source_stats s;
	uint64_t ignored = 0;
	unsigned int i;

	npk_source_stats(src, &s);
	for (i = 0; i < s.nr_ignored; i++)
		ignored += s.ignored[i].packets;
	assert_int_equal(s.frames, frames);
	assert_int_equal(s.seen, ignored + s.accounted.packets);
	assert_int_equal(s.accounted.packets, s.live.packets + s.published.packets);
	assert_int_equal(s.accounted.octets, s.live.octets + s.published.octets);
}

static void test_file(void **state)
{
	const struct npk_rec *rec;
	struct npk_source *src;
	struct npk_clock clock;
	pcap_dumper_t *d;
	struct frame f;
	pcap_t *p;

	(void)state;
	d = start_file(&p, DLT_EN10MB);
	frame_udp4(&f, 1, 2);
	add_frame(d, &f, 1700000005123456789);
	add_frame(d, &f, 1700000001000000001);	/* not sorted */
	put_eth(&f, 0x0806);
	add_frame(d, &f, 1700000006000000000);
	end_file(p, d);

	assert_int_equal(open_source(NULL, &src), 0);
	assert_int_equal(npk_source_fd(src), -1);
	assert_int_equal(npk_source_work(src), -ENODATA);
	assert_int_equal(npk_source_peek(src, &rec, 1), 0);
	assert_int_equal(npk_source_expire_all(src), 0);
	assert_int_equal(npk_source_peek(src, &rec, 1), 1);
	assert_int_equal(rec->packets, 2);
	assert_true(rec->first_ns == 1700000001000000001);
	assert_true(rec->last_ns == 1700000005123456789);
	assert_int_equal(rec->end_reason, NPK_END_FORCED);
	npk_source_clock(src, &clock);
	assert_true(clock.now_ns == 1700000006000000000);
	assert_int_equal(clock.offset_ns, 0);
	assert_true(clock.boot_ns < 1700000001000000001);
	npk_source_release(src, 1);
	assert_int_equal(npk_source_peek(src, &rec, 1), 0);
	check_stats(src, 3);
	npk_source_close(src);
}

/* More flows than the record queue holds: the rest wait, none is lost. */
static void test_queue_is_smaller(void **state)
{
	struct npk_source *src;
	pcap_dumper_t *d;
	uint64_t packets;
	struct frame f;
	unsigned int i;
	pcap_t *p;

	(void)state;
	d = start_file(&p, DLT_EN10MB);
	for (i = 0; i < 60000; i++) {
		frame_udp4(&f, (uint16_t)i, 2);
		add_frame(d, &f, NPK_NSEC_PER_SEC + i * 1000);
	}
	frame_udp4(&f, 7, 7);
	add_frame(d, &f, 1000 * NPK_NSEC_PER_SEC);	/* all the others are idle now */
	end_file(p, d);
	assert_int_equal(open_source(NULL, &src), 0);
	assert_int_equal(drain(src, &packets), 60001);
	assert_int_equal(packets, 60001);
	check_stats(src, 60001);
	npk_source_close(src);
}

/*
 * Collectors take times relative to the datagram's, modulo 49.7 days: what ended
 * before a gap of years is delivered with the clock of then.
 */
static void check_jump(uint64_t first_s, uint64_t second_s, uint64_t sent_s)
{
	const struct npk_rec *recs[10];
	struct npk_source *src;
	struct npk_clock clock;
	pcap_dumper_t *d;
	struct frame f;
	pcap_t *p;

	d = start_file(&p, DLT_EN10MB);
	frame_udp4(&f, 1, 2);
	add_frame(d, &f, first_s * NPK_NSEC_PER_SEC);
	frame_udp4(&f, 3, 4);
	add_frame(d, &f, first_s * NPK_NSEC_PER_SEC);
	add_frame(d, &f, second_s * NPK_NSEC_PER_SEC);
	end_file(p, d);
	assert_int_equal(open_source(NULL, &src), 0);
	assert_int_equal(npk_source_work(src), NPK_WORK_SEND);
	assert_int_equal(npk_source_peek(src, recs, 10), 2);
	npk_source_clock(src, &clock);
	assert_true(clock.now_ns / NPK_NSEC_PER_SEC == sent_s);
	npk_source_release(src, 2);
	assert_int_equal(npk_source_work(src), -ENODATA);
	assert_int_equal(npk_source_peek(src, recs, 10), 0);
	npk_source_clock(src, &clock);
	assert_true(clock.now_ns == second_s * NPK_NSEC_PER_SEC);
	assert_int_equal(npk_source_expire_all(src), 0);
	assert_int_equal(npk_source_peek(src, recs, 10), 1);
	assert_int_equal(recs[0]->packets, 1);
	check_stats(src, 3);
	npk_source_close(src);
}

static void test_gap_of_years_in_a_file(void **state)
{
	(void)state;
	check_jump(952109346, 1128727435, 952109346 + 15);
}

static void test_file_that_goes_back_years(void **state)
{
	(void)state;
	check_jump(1128727435, 952109346, 1128727435);
}

static void add_arp(pcap_dumper_t *d, uint64_t ns)
{
	struct frame f;

	put_eth(&f, 0x0806);
	put32(&f, 0);
	add_frame(d, &f, ns);
}

/* Work until the source wants its records sent; the clock it then shows. */
static uint64_t work_until_send(struct npk_source *src)
{
	struct npk_clock clock;
	int work;

	do {
		work = npk_source_work(src);
	} while (work == NPK_WORK_MORE);
	assert_int_equal(work, NPK_WORK_SEND);
	npk_source_clock(src, &clock);
	return clock.now_ns / NPK_NSEC_PER_SEC;
}

/* A record that was closed before a gap is still to be sent before the gap. */
static void check_closed_before_jump(uint64_t to_s)
{
	const uint64_t t = 1700000000;
	const struct npk_rec *rec;
	struct npk_source *src;
	pcap_dumper_t *d;
	struct frame f;
	unsigned int i;
	pcap_t *p;

	d = start_file(&p, DLT_EN10MB);
	frame_udp4(&f, 1, 2);
	add_frame(d, &f, t * NPK_NSEC_PER_SEC);
	for (i = 1; i < 60; i++)
		add_arp(d, (t + i) * NPK_NSEC_PER_SEC);
	add_frame(d, &f, to_s * NPK_NSEC_PER_SEC);
	end_file(p, d);
	assert_int_equal(open_source(NULL, &src), 0);
	assert_in_range(work_until_send(src), t, t + 120);
	assert_int_equal(npk_source_peek(src, &rec, 1), 1);
	assert_int_equal(rec->end_reason, NPK_END_IDLE);
	npk_source_release(src, 1);
	assert_int_equal(npk_source_work(src), -ENODATA);
	npk_source_close(src);
}

static void test_closed_record_before_a_jump(void **state)
{
	(void)state;
	check_closed_before_jump(1700000000 + 60 * 86400);
	check_closed_before_jump(1700000000 - 10 * 86400);
}

/* Frames 10 s apart: no gap, but years may pass before a datagram fills. */
static void test_records_do_not_wait_for_long(void **state)
{
	const uint64_t t = 1700000000;
	struct npk_source *src;
	pcap_dumper_t *d;
	struct frame f;
	unsigned int i;
	pcap_t *p;

	(void)state;
	d = start_file(&p, DLT_EN10MB);
	frame_udp4(&f, 1, 2);
	add_frame(d, &f, t * NPK_NSEC_PER_SEC);
	for (i = 1; i < 1000; i++)
		add_arp(d, (t + i * 10) * NPK_NSEC_PER_SEC);
	end_file(p, d);
	assert_int_equal(open_source(NULL, &src), 0);
	assert_in_range(work_until_send(src), t, t + 1000);
	npk_source_close(src);
}

/* One frame ahead of the rest: timeouts go on working behind it. */
static void test_one_frame_ahead_of_time(void **state)
{
	const uint64_t t = 1700000000;
	struct npk_source *src;
	pcap_dumper_t *d;
	uint64_t packets;
	struct frame f;
	unsigned int i;
	pcap_t *p;

	(void)state;
	d = start_file(&p, DLT_EN10MB);
	add_arp(d, (t + 3000) * NPK_NSEC_PER_SEC);
	frame_udp4(&f, 1, 2);
	for (i = 0; i < 600; i++)
		add_frame(d, &f, (t + i) * NPK_NSEC_PER_SEC);
	end_file(p, d);
	assert_int_equal(open_source(NULL, &src), 0);
	assert_in_range(drain(src, &packets), 9, 11);	/* split every minute */
	assert_int_equal(packets, 600);
	npk_source_close(src);
}

/* 32 bits of seconds are unsigned: 2040 is not 2176 or 1903. */
static void test_after_2038(void **state)
{
	const struct npk_rec *rec;
	struct npk_source *src;
	pcap_dumper_t *d;
	struct frame f;
	pcap_t *p;

	(void)state;
	d = start_file(&p, DLT_EN10MB);
	frame_udp4(&f, 1, 2);
	add_frame(d, &f, 2208988800 * NPK_NSEC_PER_SEC);
	end_file(p, d);
	assert_int_equal(open_source(NULL, &src), 0);
	assert_int_equal(npk_source_work(src), -ENODATA);
	assert_int_equal(npk_source_expire_all(src), 0);
	assert_int_equal(npk_source_peek(src, &rec, 1), 1);
	assert_true(rec->first_ns == 2208988800 * NPK_NSEC_PER_SEC);
	npk_source_close(src);
}

static void test_filter(void **state)
{
	struct npk_source_stats s;
	struct npk_source *src;
	pcap_dumper_t *d;
	uint64_t packets;
	struct frame f;
	unsigned int i;
	pcap_t *p;

	(void)state;
	d = start_file(&p, DLT_EN10MB);
	for (i = 0; i < 10; i++) {
		frame_udp4(&f, (uint16_t)(i % 2 ? 53 : 123), 2);
		add_frame(d, &f, NPK_NSEC_PER_SEC);
	}
	end_file(p, d);
	assert_int_equal(open_source("udp port 53", &src), 0);
	assert_int_equal(drain(src, &packets), 1);
	assert_int_equal(packets, 5);
	npk_source_stats(src, &s);
	assert_int_equal(s.seen, 10);
	check_stats(src, 10);
	npk_source_close(src);

	assert_int_equal(open_source("udp prt 53", &src), -EINVAL);
	assert_non_null(strstr(npk_source_error(src), "udp prt 53"));
	npk_source_close(src);
}

static void assert_refused(int want, const char *word)
{
	struct npk_source *src;

	assert_int_equal(open_source(NULL, &src), want);
	assert_non_null(src);
	assert_non_null(strstr(npk_source_error(src), path));
	assert_non_null(strstr(npk_source_error(src), word));
	npk_source_close(src);
}

static uint64_t ignored_as(struct npk_source *src, const char *name)
{
	struct npk_source_stats s;
	unsigned int i;

	npk_source_stats(src, &s);
	for (i = 0; i < s.nr_ignored; i++) {
		if (!strcmp(s.ignored[i].name, name))
			return s.ignored[i].packets;
	}
	fail_msg("nothing is ignored as %s", name);
	return 0;
}

/* Frame i is of flow i, every fourth is ARP; @ns apart. */
static void make_numbered(unsigned int nr, uint64_t ns)
{
	pcap_dumper_t *d;
	struct frame f;
	unsigned int i;
	pcap_t *p;

	d = start_file(&p, DLT_EN10MB);
	for (i = 0; i < nr; i++) {
		frame_udp4(&f, (uint16_t)i, (uint16_t)(i % 2));
		if (i % 4 == 3)
			put_eth(&f, 0x0806);
		add_frame(d, &f, NPK_NSEC_PER_SEC + i * ns);
	}
	end_file(p, d);
}

/* One of ten frames, IP or not; the middle one of the ten, or of each ten any. */
static void check_sampled(uint64_t ns, bool random)
{
	const struct npk_rec *recs[100];
	struct npk_sampling sampling = { 10, random };
	struct npk_source *src;
	size_t n, i;

	make_numbered(995, ns);
	assert_int_equal(open_sampled(NULL, sampling, &src), 0);
	while (npk_source_work(src) != -ENODATA)
		;
	assert_int_equal(npk_source_expire_all(src), 0);
	n = npk_source_peek(src, recs, 100);
	assert_in_range(n + ignored_as(src, "not_ip"), 99, 100);
	assert_int_equal(n + ignored_as(src, "not_ip") + ignored_as(src, "not_sampled"), 995);
	for (i = 0; i < n && !random; i++)
		assert_int_equal(ntohs(recs[i]->sport) % 10, 5);
	check_stats(src, 995);
	npk_source_close(src);
}

static void test_sampling(void **state)
{
	(void)state;
	check_sampled(1000, false);
	check_sampled(1000, true);
}

/* Where no frame that is taken moves the clock, others do. */
static void test_sampling_and_time(void **state)
{
	struct npk_sampling sampling = { 10, false };
	struct npk_source *src;
	struct npk_clock clock;
	uint64_t packets;

	(void)state;
	make_numbered(995, NPK_NSEC_PER_SEC);
	assert_int_equal(open_sampled(NULL, sampling, &src), 0);
	/* frames 15 and 35 and so on are ARP */
	assert_int_equal(drain(src, &packets), 50);
	assert_int_equal(packets, 50);
	npk_source_clock(src, &clock);
	assert_true(clock.now_ns == 995 * NPK_NSEC_PER_SEC);
	check_stats(src, 995);
	npk_source_close(src);
}

/* Of the frames that pass the filter. */
static void test_sampling_behind_a_filter(void **state)
{
	struct npk_sampling sampling = { 10, false };
	struct npk_source *src;
	uint64_t packets;

	(void)state;
	make_numbered(400, 1000);
	assert_int_equal(open_sampled("udp dst port 0", sampling, &src), 0);
	assert_int_equal(drain(src, &packets), 20);
	assert_int_equal(packets, 20);
	assert_int_equal(ignored_as(src, "filter"), 200);
	assert_int_equal(ignored_as(src, "not_sampled"), 180);
	check_stats(src, 400);
	npk_source_close(src);
}

static void test_refused_files(void **state)
{
	pcap_dumper_t *d;
	struct frame f;
	struct stat st;
	pcap_t *p;

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	assert_refused(-EBADMSG, "not a capture file");
	d = start_file(&p, DLT_RAW);
	end_file(p, d);
	assert_refused(-EPROTONOSUPPORT, "not Ethernet");
	d = start_file(&p, DLT_EN10MB);
	frame_udp4(&f, 1, 2);
	add_frame(d, &f, 1);
	add_frame(d, &f, 2);
	end_file(p, d);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 5), 0);
	assert_refused(-EBADMSG, "after 1 complete frames");
	assert_int_equal(unlink(path), 0);
	assert_refused(-ENOENT, strerror(ENOENT));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(-EISDIR, strerror(EISDIR));
	assert_int_equal(rmdir(path), 0);
	make_path(NULL);
}

static void test_capture_without_frames(void **state)
{
	struct npk_source *src;
	pcap_dumper_t *d;
	uint64_t packets;
	pcap_t *p;

	(void)state;
	d = start_file(&p, DLT_EN10MB);
	end_file(p, d);
	assert_int_equal(open_source(NULL, &src), 0);
	assert_int_equal(drain(src, &packets), 0);
	npk_source_close(src);
}

static void assert_bad_name(const char *name, int want)
{
	struct npk_source_opts o = { .name = name };
	struct npk_source *src;

	assert_int_equal(npk_source_open(&o, &src), want);
	assert_non_null(src);
	assert_true(strlen(npk_source_error(src)) > 10);
	npk_source_close(src);
}

static void test_bad_names(void **state)
{
	struct npk_source_opts o = { .name = "live:no-such-dev0" };
	struct npk_source *src;
	int err;

	(void)state;
	assert_bad_name("nothing", -EINVAL);
	assert_bad_name("", -EINVAL);
	assert_bad_name("pcap:", -EINVAL);
	assert_bad_name("live:", -EINVAL);
	/* who may not capture is told that, whether or not the device exists */
	err = npk_source_open(&o, &src);
	assert_true(err == -ENODEV || err == -EACCES);
	assert_non_null(strstr(npk_source_error(src), "no-such-dev0"));
	npk_source_close(src);
	npk_source_close(NULL);
}

/* What --check-config asks: neither the device nor the file is there. */
static void test_check_opens_nothing(void **state)
{
	static const struct {
		struct npk_source_opts o;
		int want;
	} cases[] = {
		{ { .name = "live:no-such-dev0", .filter = "udp port 53" }, 0 },
		{ { .name = "pcap:/no/such/file", .leave_out = "tos,mpls" }, 0 },
		{ { .name = "kmod:default/3" }, 0 },
		{ { .name = "kmod:default/x" }, -EINVAL },
		{ { .name = "live:" }, -EINVAL },
		{ { .name = "nothing" }, -EINVAL },
		{ { .name = "pcap:x", .filter = "udp prt 53" }, -EINVAL },
		{ { .name = "live:x", .leave_out = "tos,ports" }, -EINVAL },
	};
	struct npk_source *src;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(npk_source_check(&cases[i].o, &src), cases[i].want);
		assert_non_null(src);
		assert_true(!cases[i].want || strlen(npk_source_error(src)) > 10);
		npk_source_close(src);
	}
}

static void test_table_too_large(void **state)
{
	struct npk_source_opts o = { .name = "pcap:/dev/null", .flows = 1ULL << 40 };
	struct npk_source *src;

	(void)state;
	assert_int_equal(npk_source_open(&o, &src), -EINVAL);
	npk_source_close(src);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_queue_is_smaller),
		cmocka_unit_test(test_gap_of_years_in_a_file),
		cmocka_unit_test(test_file_that_goes_back_years),
		cmocka_unit_test(test_closed_record_before_a_jump),
		cmocka_unit_test(test_records_do_not_wait_for_long),
		cmocka_unit_test(test_one_frame_ahead_of_time),
		cmocka_unit_test(test_after_2038),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_sampling),
		cmocka_unit_test(test_sampling_and_time),
		cmocka_unit_test(test_sampling_behind_a_filter),
		cmocka_unit_test(test_refused_files),
		cmocka_unit_test(test_capture_without_frames),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_check_opens_nothing),
		cmocka_unit_test(test_table_too_large),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
