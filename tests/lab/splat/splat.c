// SPDX-License-Identifier: GPL-2.0-only
/*
 * splat.ko: does one thing wrong, named by how=, so that tests/lab/selftest can see whether the lab
 * notices.
 */

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *how = "nothing";
module_param(how, charp, 0);

static DEFINE_SPINLOCK(one);
static DEFINE_SPINLOCK(two);
static volatile int forty = 40;

static void wrong_order(void)
{
	spin_lock(&one);
	spin_lock(&two);
	spin_unlock(&two);
	spin_unlock(&one);
	spin_lock(&two);
	spin_lock(&one);
	spin_unlock(&one);
	spin_unlock(&two);
}

static void beyond(void)
{
	volatile char *p = kmalloc(32, GFP_KERNEL);

	if (p)
		pr_info("splat: %d\n", p[forty]);
	kfree((void *)p);
}

static void asleep(void)
{
	spin_lock(&one);
	msleep(1);
	spin_unlock(&one);
}

static void lose(void)
{
	volatile unsigned long sum = 0;
	int i;

	for (i = 0; i < 10; i++)
		sum += (unsigned long)kmalloc(1000 + i, GFP_KERNEL) & 1;
}

static int __init splat_init(void)
{
	if (!strcmp(how, "warn"))
		WARN_ON(1);
	else if (!strcmp(how, "oops"))
		*(volatile int *)8 = 1;
	else if (!strcmp(how, "order"))
		wrong_order();
	else if (!strcmp(how, "beyond"))
		beyond();
	else if (!strcmp(how, "asleep"))
		asleep();
	else if (!strcmp(how, "shift"))
		pr_info("splat: %d\n", 1 << forty);
	else if (!strcmp(how, "lose"))
		lose();
	else if (strcmp(how, "nothing"))
		return -EINVAL;
	pr_info("splat: did %s\n", how);
	return 0;
}
module_init(splat_init);

static void __exit splat_exit(void)
{
}
module_exit(splat_exit);

MODULE_DESCRIPTION("Does one thing wrong");
MODULE_LICENSE("GPL");
