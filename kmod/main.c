// SPDX-License-Identifier: GPL-2.0-only
/* nprobe_k: start and end of the module, nothing else. */
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "npk.h"

struct npk npk;

/* What unloading loses: records nobody read, flows that found no room. */
static void say_unread(void)
{
	u64 records = 0, flows = 0;
	u32 i, m;

	for (m = 0; m < npk.nr_members; m++)
		records += npk_member_unread(m);
	for (i = 0; i < npk.nr_shards; i++)
		flows += npk_meter_flows(&npk.shards[i].meter);
	if (records || flows)
		pr_warn("unloaded with %llu records unread and %llu flows open: they are lost\n",
			records, flows);
	else
		pr_info("unloaded, every record was read\n");
}

static int __init create_state(void)
{
	cpumask_var_t cpus;
	int err;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	err = npk_param_parse(&npk.cfg, cpus);
	if (err)
		goto free_cpus;
	mutex_init(&npk.join_lock);
	npk.nr_shards = cpumask_weight(cpus);	/* goes into the info pages */
	err = npk_groups_create();
	if (!err)
		err = npk_shards_create(cpus);
	if (err) {
		npk_shards_destroy();
		npk_groups_destroy();
	}
free_cpus:
	free_cpumask_var(cpus);
	return err;
}

static int __init npk_init(void)
{
	int err = create_state();

	if (err)
		return err;
	err = npk_reap_start();
	if (err)
		goto destroy_state;
	err = npk_proc_start();
	if (err)
		goto stop_reap;
	err = npk_chardev_start();
	if (err)
		goto stop_proc;
	err = npk_devices_start();
	if (err)
		goto stop_chardev;
	pr_info("version %s loaded: %llu flows in %u tables, %llu MB, hook %s\n",
		NPK_MODULE_VERSION, npk.cfg.flows, npk.nr_shards,
		(u64)npk.nr_shards * npk.shards[0].meter.table.nr_buckets *
			sizeof(struct npk_bucket) >> 20, npk_hook_name(npk.cfg.hook));
	return 0;

stop_chardev:
	npk_chardev_stop();
stop_proc:
	npk_proc_stop();
stop_reap:
	npk_reap_stop();
destroy_state:
	npk_shards_destroy();
	npk_groups_destroy();
	pr_err("not loaded: error %d\n", -err);
	return err;
}

static void __exit npk_exit(void)
{
	npk_devices_stop();
	npk_chardev_stop();
	npk_proc_stop();
	npk_reap_stop();
	say_unread();
	npk_shards_destroy();
	npk_groups_destroy();
}

module_init(npk_init);
module_exit(npk_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Flow metering in the receive path: pass flows, not packets");
MODULE_VERSION(NPK_MODULE_VERSION);
