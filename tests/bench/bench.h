/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmarks in user space have in common: memory, time, result lines. */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Exit code of what cannot run here. */
#define BENCH_SKIP	77

#define BENCH_HUGE	(2UL << 20)

#define bench_die(code, ...) do {					\
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
		exit(code);						\
	} while (0)

/* Zeroed memory in huge pages, so that a TLB's reach is not what is measured. */
static inline void *bench_map(size_t size)
{
	uintptr_t p;
	void *raw;

	size = (size + BENCH_HUGE - 1) & ~(BENCH_HUGE - 1);
	raw = mmap(NULL, size + BENCH_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	if (raw == MAP_FAILED)
		bench_die(1, "no memory for %zu octets", size);
	p = ((uintptr_t)raw + BENCH_HUGE - 1) & ~(BENCH_HUGE - 1);
	madvise((void *)p, size, MADV_HUGEPAGE);
	return (void *)p;
}

static inline uint64_t bench_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* CPU time of this thread: what other programs take of the machine does not count. */
static inline uint64_t bench_cpu_ns(void)
{
	return bench_clock(CLOCK_THREAD_CPUTIME_ID);
}

static inline void bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die(BENCH_SKIP, "there is no CPU %d to run on", cpu);
}

/* Small and fast (xorshift64*). */
static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Result lines: the median under the name, quartiles as .low and .high; sorts @v. */
static inline void bench_print(const char *name, const char *suffix, const char *unit, double *v,
			       size_t n)
{
	qsort(v, n, sizeof(*v), bench_compare);
	printf("%s%s\t%.3f\t%s\n", name, suffix, v[n / 2], unit);
	printf("%s%s.low\t%.3f\t%s\n", name, suffix, v[n / 4], unit);
	printf("%s%s.high\t%.3f\t%s\n", name, suffix, v[n - 1 - n / 4], unit);
	fflush(stdout);
}

#endif /* TESTS_BENCH_BENCH_H */
