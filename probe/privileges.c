// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opts.h"
#include "privileges.h"

static int failed(void)
{
	fprintf(stderr, "nprobe-k: dropping privileges: %s\n", strerror(errno));
	return EXIT_FAILED;
}

/* Bounding set first, which needs a capability, then all sets. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = {};
	int cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return failed();
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &head, none))
		return failed();
	return -1;
}

static int become(const struct passwd *pw)
{
	if (initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return failed();
	return -1;
}

int privileges_drop(bool reopen)
{
	const struct passwd *pw;

	if (geteuid())
		return -1;
	pw = getpwnam("nprobe-k");
	if (!pw && reopen)
		return drop_capabilities();
	if (!pw)
		pw = getpwnam("nobody");
	if (pw)
		return become(pw);
	fputs("nprobe-k: no user nobody to drop root to (--dont-drop-privileges)\n", stderr);
	return EXIT_FAILED;
}
