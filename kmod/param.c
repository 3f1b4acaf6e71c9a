// SPDX-License-Identifier: GPL-2.0-only
/* Module parameters: checked all at once, one sentence for the first bad one. */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "npk.h"

#define TIMEOUT_MAX_S	86400
#define FLOWS_MAX	(1ULL << 40)
#define RING_SLOTS_MAX	(1U << 22)
/* The default table: a part of memory, but not without bound. */
#define TABLE_RAM_SHIFT	6
#define TABLE_MAX	(256UL << 20)

char *npk_param_devices;
module_param_named(devices, npk_param_devices, charp, 0444);
MODULE_PARM_DESC(devices, "devices to meter, separated by commas; they may appear later");

static char *hook = "ingress";
module_param(hook, charp, 0444);
MODULE_PARM_DESC(hook, "where: ingress (default), tap, or rx (cheapest, exclusive)");

static bool passive;
module_param(passive, bool, 0444);
MODULE_PARM_DESC(passive, "mirror port: packets go no further; implies promisc");

static bool promisc;
module_param(promisc, bool, 0444);
MODULE_PARM_DESC(promisc, "switch promiscuous mode on");

static bool force;
module_param(force, bool, 0444);
MODULE_PARM_DESC(force, "passive even on a device with an address, a route or a master");

static unsigned long flows;
module_param(flows, ulong, 0444);
MODULE_PARM_DESC(flows, "flows the table holds, all CPUs together (default: memory/64)");

static char *cpus;
module_param(cpus, charp, 0444);
MODULE_PARM_DESC(cpus, "CPUs with a table of their own, a list (default: those online)");

static unsigned int active = 60;
module_param(active, uint, 0444);
MODULE_PARM_DESC(active, "active timeout, seconds");

static unsigned int idle = 15;
module_param(idle, uint, 0444);
MODULE_PARM_DESC(idle, "idle timeout, seconds");

static char *key;
module_param(key, charp, 0444);
MODULE_PARM_DESC(key, "what the flow key leaves out: tos,vlan,mpls,ifindex");

static char *frag = "join";
module_param(frag, charp, 0444);
MODULE_PARM_DESC(frag, "later fragments: join the flow of their first (default), or zero: ports 0");

static unsigned int ring_slots = 8192;
module_param(ring_slots, uint, 0444);
MODULE_PARM_DESC(ring_slots, "records in one ring, a power of two");

static const char *const hook_names[] = {
	[NPK_HOOK_INGRESS] = "ingress",
	[NPK_HOOK_TAP] = "tap",
	[NPK_HOOK_RX] = "rx",
};

/**
 * npk_hook_name() - name of a hook as the parameter spells it
 * @h: hook
 *
 * Return: static string.
 */
const char *npk_hook_name(enum npk_hook h)
{
	return hook_names[h];
}

static int bad(const char *name, const char *value, const char *why)
{
	pr_err("%s=%s: %s\n", name, value, why);
	return -EINVAL;
}

static int parse_hook(struct npk_config *cfg)
{
	int i = match_string(hook_names, ARRAY_SIZE(hook_names), hook);

	if (i < 0)
		return bad("hook", hook, "not one of ingress, tap, rx");
	cfg->hook = i;
	cfg->passive = passive;
	cfg->promisc = promisc || passive;
	cfg->force = force;
	if (passive && i == NPK_HOOK_TAP)
		return bad("hook", hook, "passive=1 is possible with ingress and rx only");
	return 0;
}

static int parse_key(struct npk_config *cfg)
{
	static const char *const names[] = { "tos", "vlan", "mpls", "ifindex" };
	char copy[64], *rest = copy, *word;
	int i;

	if (!key || !*key)
		return 0;
	if (strscpy(copy, key, sizeof(copy)) < 0)
		return bad("key", key, "too long");
	while ((word = strsep(&rest, ","))) {
		i = match_string(names, ARRAY_SIZE(names), word);
		if (i < 0)
			return bad("key", key, "not a list of tos, vlan, mpls, ifindex");
		cfg->leave_out |= 1U << i;	/* enum npk_key_part, in this order */
	}
	return 0;
}

static int parse_timeouts(struct npk_config *cfg)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", active);
	if (active < 1 || active > TIMEOUT_MAX_S)
		return bad("active", text, "not from 1 to 86400 seconds");
	snprintf(text, sizeof(text), "%u", idle);
	if (idle < 1 || idle > TIMEOUT_MAX_S)
		return bad("idle", text, "not from 1 to 86400 seconds");
	cfg->limits.active_ns = active * NPK_NSEC_PER_SEC;
	cfg->limits.idle_ns = idle * NPK_NSEC_PER_SEC;
	return 0;
}

/* Whether there is memory for them is seen when all of it is known: shard.c. */
static int parse_flows(struct npk_config *cfg)
{
	u64 ram = (u64)totalram_pages() << PAGE_SHIFT;
	char text[24];

	cfg->flows = flows;
	if (!flows)
		cfg->flows = div64_u64(min_t(u64, ram >> TABLE_RAM_SHIFT, TABLE_MAX),
				       sizeof(struct npk_bucket)) * NPK_WAYS;
	snprintf(text, sizeof(text), "%lu", flows);
	return cfg->flows > FLOWS_MAX ? bad("flows", text, "not from 1 to 1099511627776") : 0;
}

static int parse_cpus(struct cpumask *mask)
{
	if (!cpus || !*cpus) {
		cpumask_copy(mask, cpu_online_mask);
		return 0;
	}
	if (cpulist_parse(cpus, mask) || cpumask_empty(mask))
		return bad("cpus", cpus, "not a list of CPUs like 0-3,8");
	if (!cpumask_subset(mask, cpu_possible_mask))
		return bad("cpus", cpus, "names a CPU this machine cannot have");
	return 0;
}

static int parse_ring(struct npk_config *cfg)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", ring_slots);
	if (ring_slots < 64 || ring_slots > RING_SLOTS_MAX || !is_power_of_2(ring_slots))
		return bad("ring_slots", text, "not a power of two from 64 to 4194304");
	cfg->ring_slots = ring_slots;
	return 0;
}

static int parse_frag(struct npk_config *cfg)
{
	if (strcmp(frag, "join") && strcmp(frag, "zero"))
		return bad("frag", frag, "neither join nor zero");
	cfg->frag_zero = !strcmp(frag, "zero");
	return 0;
}

static int parse_devices(void)
{
	const char *name = npk_param_devices;
	size_t len;

	for (; name && *name; name += len + (name[len] == ',')) {
		len = strcspn(name, ",");
		if (!len || len >= IFNAMSIZ)
			return bad("devices", npk_param_devices, "not a list of device names");
		if (name[len] == ',' && !name[len + 1])
			return bad("devices", npk_param_devices, "ends with a comma");
	}
	return 0;
}

/**
 * npk_param_parse() - check every parameter
 * @cfg: out
 * @mask: out: CPUs that get a shard
 *
 * Return: 0, or -EINVAL after one sentence in the log.
 */
int npk_param_parse(struct npk_config *cfg, struct cpumask *mask)
{
	int err = parse_hook(cfg);

	if (!err)
		err = parse_key(cfg);
	if (!err)
		err = parse_timeouts(cfg);
	if (!err)
		err = parse_flows(cfg);
	if (!err)
		err = parse_ring(cfg);
	if (!err)
		err = parse_frag(cfg);
	if (!err)
		err = parse_devices();
	return err ? err : parse_cpus(mask);
}
