// SPDX-License-Identifier: GPL-2.0-only
/* The devices to meter: they appear, are renamed, go down, and are removed. */
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/route.h>

#include "compat.h"
#include "npk.h"

#if IS_ENABLED(CONFIG_IPV6)
/* The link-local address that every device gets by itself does not count. */
static bool has_address6(const struct net_device *dev)
{
	const struct inet6_dev *in6 = __in6_dev_get(dev);
	const struct inet6_ifaddr *ifa;
	bool found = false;

	if (!in6)
		return false;
	rcu_read_lock();
	list_for_each_entry_rcu(ifa, &in6->addr_list, if_list)
		found |= !(ipv6_addr_type(&ifa->addr) & IPV6_ADDR_LINKLOCAL);
	rcu_read_unlock();
	return found;
}
#else
static bool has_address6(const struct net_device *dev)
{
	return false;
}
#endif

static bool has_address(const struct net_device *dev)
{
	const struct in_device *in4 = __in_dev_get_rtnl(dev);

	return (in4 && in4->ifa_list) || has_address6(dev);
}

/* Does traffic to anywhere leave through this device? */
static bool has_default_route(const struct net_device *dev)
{
	struct flowi4 fl4 = { .daddr = htonl(0x08080808) };
	struct rtable *rt = ip_route_output_key(&init_net, &fl4);
	bool found;

	if (IS_ERR(rt))
		return false;
	found = rt->dst.dev == dev;
	ip_rt_put(rt);
	return found;
}

/* Consuming every packet of a device that is in use would cut the operator off. */
static const char *in_use(struct net_device *dev)
{
	if (netdev_master_upper_dev_get(dev))
		return "a master";
	if (has_address(dev))
		return "an address";
	if (has_default_route(dev))
		return "a route";
	return NULL;
}

static int check_device(struct net_device *dev)
{
	const char *what;

	if (dev->type != ARPHRD_ETHER && dev->type != ARPHRD_LOOPBACK) {
		pr_err("%s: not attached: not an Ethernet device\n", dev->name);
		return -EINVAL;
	}
	if (!npk.cfg.passive || npk.cfg.force)
		return 0;
	what = in_use(dev);
	if (!what)
		return 0;
	pr_err("%s: not attached: passive=1 would cut off a device with %s (force=1)\n",
	       dev->name, what);
	return -EBUSY;
}

/* Packets are metered twice when both a device and one above it are. */
static void warn_stacked(struct net_device *dev)
{
	struct npk_dev *d;

	list_for_each_entry(d, &npk.devices, list) {
		if (!d->dev || d->dev == dev)
			continue;
		if (netdev_has_upper_dev(d->dev, dev) || netdev_has_upper_dev(dev, d->dev))
			pr_warn("%s and %s are stacked: packets will be counted twice\n", dev->name,
				d->dev->name);
	}
}

static void attach(struct npk_dev *d, struct net_device *dev)
{
	int err = check_device(dev);

	if (err)
		return;
	err = npk_hook_attach(d, dev);
	if (err) {
		pr_err("%s: not attached: error %d\n", dev->name, -err);
		return;
	}
	if (npk.cfg.promisc && !dev_set_promiscuity(dev, 1))
		d->promisc = true;
	dev_get_stats(dev, &d->base);
	d->softnet_drops = npk_softnet_drops();
	pr_info("%s: attached, hook %s%s%s, received packets only%s\n", dev->name,
		npk_hook_name(npk.cfg.hook), npk.cfg.passive ? ", passive" : "",
		d->promisc ? ", promiscuous" : "",
		npk.cfg.hook == NPK_HOOK_RX ? "; it cannot join a bridge or bond now" : "");
	warn_stacked(dev);
}

static void detach(struct npk_dev *d, const char *why)
{
	int ifindex = d->dev->ifindex;

	pr_info("%s: detached: %s\n", d->dev->name, why);
	if (d->promisc)
		dev_set_promiscuity(d->dev, -1);
	d->promisc = false;
	npk_hook_detach(d);
	if (!(npk.cfg.leave_out & NPK_KEY_IFINDEX))
		npk_shards_flush(ifindex);
}

static struct npk_dev *find_attached(const struct net_device *dev)
{
	struct npk_dev *d;

	list_for_each_entry(d, &npk.devices, list) {
		if (d->dev == dev)
			return d;
	}
	return NULL;
}

/* A device with a name we wait for is there now. */
static void appeared(struct net_device *dev)
{
	struct npk_dev *d;

	if (READ_ONCE(npk.stopping) || find_attached(dev))
		return;
	list_for_each_entry(d, &npk.devices, list) {
		if (!d->dev && !strcmp(d->name, dev->name)) {
			attach(d, dev);
			return;
		}
	}
}

static int event(struct notifier_block *nb, unsigned long what, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct npk_dev *d;

	if (!net_eq(dev_net(dev), &init_net))
		return NOTIFY_DONE;
	d = find_attached(dev);
	switch (what) {
	case NETDEV_REGISTER:
	case NETDEV_CHANGENAME:
		if (d)
			pr_info("%s: %s was renamed, still attached\n", dev->name, d->name);
		else
			appeared(dev);
		break;
	case NETDEV_UNREGISTER:	/* removed, or moved to another namespace */
		if (d)
			detach(d, "the device was removed");
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = event };

static int add_names(void)
{
	const char *name = npk_param_devices;
	struct npk_dev *d;
	size_t len;

	INIT_LIST_HEAD(&npk.devices);
	for (; name && *name; name += len + (name[len] == ',')) {
		len = strcspn(name, ",");
		d = kzalloc(sizeof(*d), GFP_KERNEL);
		if (!d)
			return -ENOMEM;
		memcpy(d->name, name, len);	/* checked: below IFNAMSIZ */
		list_add_tail(&d->list, &npk.devices);
	}
	return 0;
}

static void free_names(void)
{
	struct npk_dev *d, *next;

	list_for_each_entry_safe(d, next, &npk.devices, list) {
		list_del(&d->list);
		kfree(d);
	}
}

/**
 * npk_devices_start() - attach to the devices that are there, wait for the others
 *
 * Context: Process, at load. Sleeps.
 * Return: 0 or -errno.
 */
int npk_devices_start(void)
{
	struct npk_dev *d;
	int err = add_names();

	if (!err)	/* calls event() for every device there is */
		err = register_netdevice_notifier(&notifier);
	if (err) {
		free_names();
		return err;
	}
	rtnl_lock();
	list_for_each_entry(d, &npk.devices, list) {
		if (!d->dev && !__dev_get_by_name(&init_net, d->name))
			pr_info("%s: no such device yet, waiting for it\n", d->name);
	}
	rtnl_unlock();
	return 0;
}

/**
 * npk_devices_detach_all() - stop metering for good
 * @why: for the log
 *
 * Context: Process. Sleeps; takes rtnl.
 */
void npk_devices_detach_all(const char *why)
{
	struct npk_dev *d;

	rtnl_lock();
	WRITE_ONCE(npk.stopping, true);
	list_for_each_entry(d, &npk.devices, list) {
		if (d->dev)
			detach(d, why);
	}
	rtnl_unlock();
}

/**
 * npk_devices_stop() - undo npk_devices_start()
 *
 * Context: Process. Sleeps; takes rtnl.
 */
void npk_devices_stop(void)
{
	npk_devices_detach_all("the module is unloaded");
	unregister_netdevice_notifier(&notifier);
	free_names();
}
