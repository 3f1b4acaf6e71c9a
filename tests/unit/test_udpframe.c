// SPDX-License-Identifier: GPL-2.0-only
/* UDP payloads of captured frames: every link type, every header cut at every octet, noise. */
#include "test.h"

#include "probe/udpframe.c"	/* not in the library */

#define PAYLOAD	"payload"

/* What is before the IP header. */
static const struct link {
	int type;
	size_t len;
	const char *ipv4;
	const char *ipv6;
} links[] = {
	{ DLT_EN10MB, 14, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0", "\0\0\0\0\0\0\0\0\0\0\0\0\x86\xdd" },
	{ DLT_EN10MB, 18, "\0\0\0\0\0\0\0\0\0\0\0\0\x81\0\0\1\x08\0",
	  "\0\0\0\0\0\0\0\0\0\0\0\0\x88\xa8\0\1\x86\xdd" },
	{ DLT_LINUX_SLL, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0",
	  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x86\xdd" },
	{ DLT_LINUX_SLL2, 20, "\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
	  "\x86\xdd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
	{ DLT_NULL, 4, "\2\0\0\0", "\x1e\0\0\0" },
	{ DLT_LOOP, 4, "\0\0\0\2", "\0\0\0\x1e" },
	{ DLT_RAW, 0, "", "" },
};

#define NR_LINKS	(sizeof(links) / sizeof(links[0]))

/**
 * struct frame - a frame in the making
 * @data: octets
 * @ip: where the IP header begins
 * @len: of all, with three octets of padding
 */
struct frame {
	uint8_t data[256];
	size_t ip;
	size_t len;
};

static void append(struct frame *f, const void *data, size_t len)
{
	memcpy(f->data + f->len, data, len);
	f->len += len;
}

/* Port 258 to 2055; IPv6 with a hop-by-hop header. */
static struct frame make_frame(const struct link *link, bool ipv6)
{
	static const uint8_t v4[20] = { 0x45, 0, 0, 35, 0, 0, 0x40, 0, 64, 17, 0, 0,
					192, 0, 2, 1, 192, 0, 2, 2 };
	static const uint8_t v6[48] = { 0x60, 0, 0, 0, 0, 23, 0, 64, 0x20, 1, [23] = 7,
					[40] = 17, [41] = 0, [42] = 1, [43] = 4 };
	struct frame f = { .ip = link->len };

	append(&f, ipv6 ? link->ipv6 : link->ipv4, link->len);
	append(&f, ipv6 ? v6 : v4, ipv6 ? sizeof(v6) : sizeof(v4));
	append(&f, "\1\2\x08\x07\0\x0f\0\0" PAYLOAD, 8 + strlen(PAYLOAD));
	append(&f, "\0\0\0", 3);
	return f;
}

/* In memory of exactly its length, so that ASan sees a read beyond it. */
static bool read_exactly(int type, const uint8_t *data, size_t len, struct datagram *d,
			 uint8_t *payload)
{
	uint8_t *copy = malloc(len);
	bool found;

	assert_non_null(copy);
	memcpy(copy, data, len);
	found = udpframe_payload(type, copy, len, d);
	if (found) {
		assert_true(d->data >= copy && d->data + d->len <= copy + len);
		memcpy(payload, d->data, d->len);
	}
	free(copy);
	return found;
}

static void test_every_link(void **state)
{
	uint8_t payload[256];
	struct datagram d;
	struct frame f;
	size_t i;
	int ipv6;

	(void)state;
	for (i = 0; i < NR_LINKS; i++) {
		assert_true(udpframe_knows(links[i].type));
		for (ipv6 = 0; ipv6 < 2; ipv6++) {
			f = make_frame(&links[i], ipv6);
			assert_true(read_exactly(links[i].type, f.data, f.len, &d, payload));
			assert_int_equal(d.len, strlen(PAYLOAD));
			assert_memory_equal(payload, PAYLOAD, d.len);
			assert_int_equal(d.from.port, 258);
			if (ipv6)
				assert_memory_equal(d.from.addr, f.data + f.ip + 8, 16);
			else
				assert_memory_equal(d.from.addr,
						    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
		}
	}
	assert_false(udpframe_knows(147));
}

/* Behind the headers what is missing makes the payload shorter. */
static void test_cut(void **state)
{
	size_t i, len, headers;
	uint8_t payload[256];
	struct datagram d;
	struct frame f;
	int ipv6;

	(void)state;
	for (i = 0; i < NR_LINKS; i++) {
		for (ipv6 = 0; ipv6 < 2; ipv6++) {
			f = make_frame(&links[i], ipv6);
			headers = f.len - 3 - strlen(PAYLOAD);
			for (len = 0; len < f.len - 3; len++) {
				assert_int_equal(read_exactly(links[i].type, f.data, len, &d,
							      payload), len >= headers);
				if (len >= headers)
					assert_int_equal(d.len, len - headers);
			}
		}
	}
}

/* One octet of an IPv4 or IPv6 frame changed, so that it is no whole UDP datagram any more. */
static void test_refused(void **state)
{
	static const struct {
		bool ipv6;
		size_t at;
		uint8_t value;
	} cases[] = {
		{ false, 0, 0x55 }, { false, 0, 0x44 }, { false, 3, 19 }, { false, 6, 0x20 },
		{ false, 7, 1 }, { false, 9, 6 }, { false, 25, 7 }, { true, 6, 6 },
		{ true, 6, 44 }, { true, 5, 7 }, { true, 41, 3 }, { true, 40, 50 },
	};
	uint8_t payload[256];
	struct datagram d;
	struct frame f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = make_frame(&links[0], cases[i].ipv6);
		f.data[f.ip + cases[i].at] = cases[i].value;
		assert_false(read_exactly(DLT_EN10MB, f.data, f.len, &d, payload));
	}
	f = make_frame(&links[0], false);
	f.data[13] = 6;		/* ARP */
	assert_false(read_exactly(DLT_EN10MB, f.data, f.len, &d, payload));
}

static void test_noise(void **state)
{
	uint64_t rng = 11;
	uint8_t payload[256];
	struct datagram d;
	unsigned int n, i;

	(void)state;
	for (n = 0; n < 200000; n++) {
		const struct link *link = &links[test_random(&rng) % NR_LINKS];
		struct frame f = make_frame(link, test_random(&rng) & 1);

		for (i = 0; i < 3; i++)
			f.data[test_random(&rng) % f.len] = (uint8_t)test_random(&rng);
		read_exactly(link->type, f.data, test_random(&rng) % (f.len + 1), &d, payload);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_link),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
