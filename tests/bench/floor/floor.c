// SPDX-License-Identifier: GPL-2.0-only
/*
 * What metering cannot cost less than: an rx_handler that drops every frame of a device at
 * once (the floor of passive mode), and, in the log, what one reading of the clock costs here.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/timekeeping.h>

#define READINGS 200000

static char *device = "";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "whose frames to drop");

static struct net_device *dev;

static rx_handler_result_t drop(struct sk_buff **pskb)
{
	consume_skb(*pskb);
	return RX_HANDLER_CONSUMED;
}

static void say_clock(void)
{
	const u64 begin = ktime_get_mono_fast_ns();
	u64 end = begin;
	int i;

	for (i = 0; i < READINGS; i++)
		end = ktime_get_mono_fast_ns();
	pr_info("floor: clock %llu ps\n", div_u64((end - begin) * 1000, READINGS));
}

static int __init floor_init(void)
{
	int err;

	say_clock();
	dev = dev_get_by_name(&init_net, device);
	if (!dev)
		return -ENODEV;
	rtnl_lock();
	err = netdev_rx_handler_register(dev, drop, NULL);
	rtnl_unlock();
	if (err)
		dev_put(dev);
	return err;
}

static void __exit floor_exit(void)
{
	rtnl_lock();
	netdev_rx_handler_unregister(dev);
	rtnl_unlock();
	dev_put(dev);
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_DESCRIPTION("the least a metered packet can cost");
MODULE_LICENSE("GPL");
