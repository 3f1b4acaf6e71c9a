// SPDX-License-Identifier: GPL-2.0-only
/*
 * cliff CASE [SLOTS]: what one packet costs when the traffic is against the flow table.
 * Prints the packets measured and the nanoseconds of processor time they took; callgrind
 * counts the instructions of measured().  tests/bench/cliff.sh says what the cases are.
 */
#include "bench.h"

#include "tests/unit/flood.h"

#define SLOTS		1048576U
#define ESTABLISHED	100		/* slots for each of them */
#define BETWEEN		10
#define BATCH		65536U

static uint64_t total_ns;
static uint64_t packets;

/* Out of line, so that its instructions can be told from those of the preparations. */
static noinline void measured(struct flood *f, const uint32_t *addr, uint32_t nr)
{
	uint64_t start = bench_cpu_ns();
	uint32_t i;

	for (i = 0; i < nr; i++)
		flood_send(f, addr[i]);
	total_ns += bench_cpu_ns() - start;
	packets += nr;
}

static struct flood *make(uint32_t slots, uint32_t nr)
{
	struct flood *f = flood_make(npk_table_buckets(slots), nr);

	if (!f)
		bench_die(1, "no memory for a table of %u flows", slots);
	return f;
}

static void finish(struct flood *f, bool in_one)
{
	bool ok = npk_meter_expire_all(&f->m, ~0U) && flood_is_exact(f);

	if (!ok || (in_one && flood_in_one(f) != f->nr))
		bench_die(1, "wrong counts, or made room: %u of %u established in one record",
			  flood_in_one(f), f->nr);
	flood_free(f);
}

/* Addresses in a row, from number @first. */
static void in_a_row(uint32_t *addr, uint32_t first, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		addr[i] = FLOOD_OTHERS + first + i;
}

static void fill(struct flood *f, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		flood_send(f, FLOOD_OTHERS + i);
}

/* New flows in a table of which @percent is in use; above 100: a flood goes on. */
static void new_flows(uint32_t slots, uint32_t percent)
{
	struct flood *f = make(slots, 0);
	uint32_t addr[BATCH], first = (uint32_t)((uint64_t)slots * percent / 100);

	fill(f, first);
	in_a_row(addr, first, slots / 50 < BATCH ? slots / 50 : BATCH);
	measured(f, addr, slots / 50 < BATCH ? slots / 50 : BATCH);
	finish(f, false);
}

/* Some of the flows in the table, anywhere in it. */
static void pick(const struct flood *f, uint32_t *addr, uint32_t nr)
{
	const struct npk_table *t = &f->m.table;
	const struct npk_bucket *b;
	struct npk_rec rec;
	uint64_t x = 1;
	uint32_t way, n = 0;

	while (n < nr) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		b = npk_table_bucket(t, npk_table_index(t, (uint32_t)(x >> 32)));
		way = (uint32_t)(x >> 20) % NPK_WAYS;
		if (!b->sig[way])
			continue;
		npk_record_fill(&rec, &b->flow[way], 0, 0, 0);
		addr[n++] = flood_addr(&rec);
	}
}

static void hits(uint32_t slots, uint32_t percent)
{
	struct flood *f = make(slots, 0);
	uint32_t addr[BATCH];

	fill(f, (uint32_t)((uint64_t)slots * percent / 100));
	pick(f, addr, BATCH);
	measured(f, addr, BATCH);
	finish(f, false);
}

/*
 * Ten times as many flows as there are slots, of @each packets, while established flows go on.
 * All is measured, the packets of the established flows and the reaper too.
 */
static void flood(uint32_t slots, uint32_t each)
{
	struct flood *f = make(slots, slots / ESTABLISHED);
	uint32_t addr[BATCH], next = 0, i, n = 0;
	uint64_t sent = 0, all = 10ULL * slots;

	for (i = 0; i < 2 * f->nr; i++)
		flood_established(f, i % f->nr);
	while (sent < all) {
		for (n = 0; n < BATCH && sent < all; n++) {
			if (!(n % (BETWEEN + 1))) {
				addr[n] = FLOOD_ESTABLISHED + next++ % f->nr;
				f->sent[addr[n] - FLOOD_ESTABLISHED]++;
			} else {
				addr[n] = FLOOD_OTHERS + (uint32_t)(sent++ / each);
			}
		}
		measured(f, addr, n);
	}
	finish(f, true);
}

/* Flows that all aim at one place, each a new one: more of them than fit. */
static void aimed(uint32_t slots, enum flood_aim aim, uint32_t nr)
{
	struct flood *f = make(slots, 0);
	uint32_t *addr = calloc(nr, sizeof(*addr)), i;

	if (!addr)
		exit(1);
	flood_find(f, aim, addr, nr);
	for (i = 0; i < 2; i++)		/* the second time is when all is full */
		measured(f, addr, nr);
	total_ns = 0;
	packets = 0;
	for (i = 0; i < 20; i++)
		measured(f, addr, nr);
	free(addr);
	finish(f, false);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint32_t slots = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : SLOTS;
	uint32_t percent;

	if (sscanf(what, "new-%u", &percent) == 1)
		new_flows(slots, percent);
	else if (sscanf(what, "hit-%u", &percent) == 1)
		hits(slots, percent);
	else if (!strcmp(what, "flood"))
		flood(slots, 1);
	else if (!strcmp(what, "pairs"))
		flood(slots, 2);
	else if (!strcmp(what, "one-home"))
		aimed(1024 * NPK_WAYS, FLOOD_HOME, 3000);
	else if (!strcmp(what, "one-bucket"))
		aimed(64 * NPK_WAYS, FLOOD_BOTH, 1000);
	else if (!strcmp(what, "one-signature"))
		aimed(NPK_WAYS, FLOOD_SIGNATURE, 60);
	else
		return 2;
	printf("%llu %llu\n", (unsigned long long)packets, (unsigned long long)total_ns);
	return 0;
}
