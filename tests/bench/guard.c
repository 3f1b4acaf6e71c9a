// SPDX-License-Identifier: GPL-2.0-only
/*
 * guard CASE: the core does CASE's work within measured(), for guard.sh to count its instructions.
 * The secret is fixed, so that every flow has its place and a count is the same each time.
 */
#include "shard.h"

#include "kmod/core/record.h"
#include "lib/batch.h"

#define FLOWS	4096

static struct npk_meter m;
static struct npk_pkt pkt[FLOWS];
static struct frame frame[FLOWS];

static bool take(void *ctx, const struct npk_flow *flow, u8 reason, bool must)
{
	static struct npk_rec rec;

	npk_record_fill(&rec, flow, reason, npk_flow_conv(flow, &m.table.secret), 0);
	return true;
}

/* The flow's number is in the addresses; frames of one case differ in nothing else. */
static void make_frame(struct frame *f, const char *what, uint32_t flow)
{
	bool ip6 = !strncmp(what, "ip6", 3), tcp = strstr(what, "tcp"), syn = strstr(what, "syn");

	put_eth(f, ip6 ? 0x86dd : 0x0800);
	if (strstr(what, "tagged")) {
		f->len -= 2;
		put32(f, 0x81000005);
		put16(f, 0x0800);
	}
	if (ip6)
		put_ip6(f, tcp ? NPK_PROTO_TCP : NPK_PROTO_UDP, tcp ? 20 : 18);
	else
		put_ip4(f, tcp ? NPK_PROTO_TCP : NPK_PROTO_UDP, tcp ? 20 : 18);
	memcpy(f->data + f->len - 4, &flow, sizeof(flow));
	if (tcp)
		put_tcp(f, 1000, 80, syn ? NPK_TCP_SYN : NPK_TCP_ACK);
	else
		put_udp(f, 1000, 53);
	while (f->len < (ip6 ? 72 : 64))
		put8(f, 0);
}

static noinline void measured(uint32_t from, uint32_t to, uint64_t now_ns)
{
	for (; from < to; from++) {
		pkt[from].now_ns = now_ns + from;
		npk_meter_packet(&m, &pkt[from]);
	}
}

static noinline void measured_batches(uint64_t now_ns)
{
	uint32_t i;

	for (i = 0; i < FLOWS; i++)
		pkt[i].now_ns = now_ns + i;
	for (i = 0; i < FLOWS; i += NPK_BATCH_PACKETS)
		npk_meter_packets(&m, &pkt[i], NPK_BATCH_PACKETS);
}

/* The same, not counted. */
static noinline void warm(uint64_t now_ns)
{
	uint32_t i;

	for (i = 0; i < FLOWS; i++) {
		pkt[i].now_ns = now_ns + i;
		npk_meter_packet(&m, &pkt[i]);
	}
}

static noinline void measured_sweep(uint64_t now_ns)
{
	npk_meter_sweep(&m, now_ns, NPK_SWEEP_ALL);
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";
	uint64_t seed = 1;
	uint32_t i, rounds = 1;

	shard_meter(&m, 2 * FLOWS, take, NULL);
	for (i = 0; i < NPK_KEY_WORDS6 + 1; i++)
		m.table.secret.word[i] = bench_random(&seed);
	for (i = 0; i < FLOWS; i++) {
		make_frame(&frame[i], what, i);
		pkt[i] = frame_pkt(&frame[i], 0);
	}
	for (; rounds < 3 && (strstr(what, "live") || strstr(what, "batch")); rounds++)
		warm(rounds * NPK_NSEC_PER_SEC);
	if (strstr(what, "batch")) {
		measured_batches(rounds * NPK_NSEC_PER_SEC);
	} else if (strstr(what, "new") || strstr(what, "live")) {
		measured(0, FLOWS, rounds * NPK_NSEC_PER_SEC);
	} else if (strstr(what, "record")) {
		warm(NPK_NSEC_PER_SEC);
		measured_sweep(2 * TIMEOUT_NS);
		if (m.table.nr_flows)
			bench_die(1, "flows are left");
	} else {
		bench_die(2, "usage: guard CASE");
	}
	if (m.count.accounted.packets != rounds * FLOWS)
		bench_die(1, "packets are missing");
	printf("%u\n", FLOWS);
	return 0;
}
