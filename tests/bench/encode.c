// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records into datagrams in memory, by every encoder: records per second of CPU of one core.
 * As the daemon does it: windows of records, datagrams of 1472 octets, default templates.
 */
#include <arpa/inet.h>

#include <npk/enc.h>

#include "bench.h"

#define WINDOW		4096
#define PAYLOAD		1472
#define ROUNDS		15
/* of CPU time for each round */
#define ROUND_NS	100000000

/**
 * struct subject - what is measured
 * @name: of the result
 * @version: format
 * @ipv6: the records are IPv6
 * @compress: zlib
 */
struct subject {
	const char *name;
	enum npk_enc_version version;
	bool ipv6;
	bool compress;
};

static const struct subject subjects[] = {
	{ "export.encode.v5", NPK_ENC_NF5, false, false },
	{ "export.encode.v9", NPK_ENC_NF9, false, false },
	{ "export.encode.v9-ipv6", NPK_ENC_NF9, true, false },
	{ "export.encode.ipfix", NPK_ENC_IPFIX, false, false },
	{ "export.encode.nflow-plain", NPK_ENC_NFLOW, false, false },
	{ "export.encode.nflow", NPK_ENC_NFLOW, false, true },
	{ "export.encode.nflow9", NPK_ENC_NFLOW9, false, false },
};

static struct npk_rec rec[WINDOW];
static const struct npk_rec *window[WINDOW];
static uint8_t datagram[NPK_ENC_MAX_DATAGRAM];
static const struct npk_clock now = {
	.now_ns = 1000000000000, .offset_ns = 1700000000000000000, .boot_ns = 0,
};

/* Half TCP, half UDP; a second of packets a flow. */
static void make_records(bool ipv6)
{
	uint64_t random = 1;
	uint32_t i;

	for (i = 0; i < WINDOW; i++) {
		struct npk_rec *r = &rec[i];
		uint64_t x = bench_random(&random), y = bench_random(&random);

		*r = (struct npk_rec){
			.conv_hash = x, .ip_version = ipv6 ? 6 : 4, .proto = x & 1 ? 6 : 17,
			.tcp_flags = x & 1 ? 0x1b : 0, .packets = 1 + (x >> 8) % 1000,
			.octets = 40 + (y >> 8) % 1000000, .in_if = 3, .out_if = 4,
			.first_ns = now.now_ns - 2000000000 + (x >> 40),
			.last_ns = now.now_ns - 1000000000 + (y >> 40),
			.sport = htons((uint16_t)x), .dport = htons(443), .vlan = NPK_VLAN_NONE,
			.vlan2 = NPK_VLAN_NONE, .min_ttl = 57, .max_ttl = 64, .min_len = 40,
			.max_len = 1500, .end_reason = 1 + x % 3,
		};
		memcpy(r->saddr, &x, sizeof(x));
		memcpy(r->daddr, &y, sizeof(y));
		memcpy(r->smac, &x, sizeof(r->smac));
		memcpy(r->dmac, &y, sizeof(r->dmac));
		window[i] = r;
	}
}

/* The window once; the octets are asked for so that none of it is in vain. */
static uint64_t encode_window(struct npk_enc *enc)
{
	size_t done = 0, len, taken;
	uint64_t octets = 0;

	while (done < WINDOW) {
		if (npk_enc_datagram(enc, window + done, WINDOW - done, &now, datagram, &len,
				     &taken) || !len)
			bench_die(1, "record %zu was not encoded", done);
		done += taken;
		octets += len;
	}
	return octets;
}

static void measure(const struct subject *s)
{
	struct npk_enc_opts opts = {
		.version = s->version, .template_id = 256, .template_datagrams = 20,
		.max_payload = PAYLOAD, .sampling.interval = 1, .compress = s->compress,
		.key = (const uint8_t *)"secret", .key_len = 6,
	};
	double rates[ROUNDS];
	struct npk_enc *enc;
	uint64_t octets = 0;
	int i;

	make_records(s->ipv6);
	if (npk_enc_new(&opts, &enc))
		bench_die(1, "%s: no encoder", s->name);
	encode_window(enc);
	for (i = 0; i < ROUNDS; i++) {
		uint64_t began = bench_cpu_ns(), ns, records = 0;

		do {
			octets += encode_window(enc);
			records += WINDOW;
			ns = bench_cpu_ns() - began;
		} while (ns < ROUND_NS);
		rates[i] = (double)records * 1e9 / (double)ns;
	}
	npk_enc_free(enc);
	if (!octets)
		bench_die(1, "%s: nothing was encoded", s->name);
	bench_print(s->name, "", "records/s", rates, ROUNDS);
}

int main(int argc, char **argv)
{
	size_t i;

	bench_pin(0);
	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		if (argc < 2 || !strcmp(argv[1], subjects[i].name))
			measure(&subjects[i]);
	}
	return 0;
}
