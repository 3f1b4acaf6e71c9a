// SPDX-License-Identifier: GPL-2.0-only
/*
 * rusage FILE CPU PROGRAM ARG...: run a program on one processor and write what it used
 *
 * FILE gets one line: seconds of CPU (user and system, of all its processes), the largest resident
 * set of one of them in octets, its exit code.  A small program because the memory a process had
 * before exec() counts as its own: that of a shell or an interpreter would hide a small one's.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "rusage: %s: %s\n", what, strerror(errno));
	return 1;
}

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void run(char **argv, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setaffinity(0, sizeof(set), &set))
		_exit(fail("sched_setaffinity"));
	execvp(argv[0], argv);
	_exit(fail(argv[0]));
}

int main(int argc, char **argv)
{
	struct rusage u, most = {};
	double cpu_s = 0;
	int status, code = -1;
	pid_t child, pid;
	FILE *out;

	if (argc < 4) {
		fputs("usage: rusage FILE CPU PROGRAM ARG...\n", stderr);
		return 2;
	}
	/* what the program leaves behind is waited for, too */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	child = fork();
	if (child < 0)
		return fail("fork");
	if (!child)
		run(argv + 3, atoi(argv[2]));
	while ((pid = wait4(-1, &status, 0, &u)) > 0) {
		if (pid == child)
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		cpu_s += seconds(&u.ru_utime) + seconds(&u.ru_stime);
		if (u.ru_maxrss > most.ru_maxrss)
			most.ru_maxrss = u.ru_maxrss;
	}
	out = fopen(argv[1], "w");
	if (!out)
		return fail(argv[1]);
	fprintf(out, "%.6f %ld %d\n", cpu_s, most.ru_maxrss * 1024, code);
	return fclose(out) ? fail(argv[1]) : 0;
}
