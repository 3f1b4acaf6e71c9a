// SPDX-License-Identifier: GPL-2.0-only
/* The receive hooks: from an sk_buff to the flow core.  Never changes the skb. */
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "npk.h"

static bool pull(const struct npk_pkt *pkt, u32 off, u32 len, u8 *buf)
{
	const struct sk_buff *skb = pkt->priv;

	/* offsets count from the MAC header, skb_copy_bits() from skb->data */
	return !skb_copy_bits(skb, (int)off - (int)(skb->data - pkt->data), buf, len);
}

/* IP header to merged payload, where a tunnel's inner packets were merged. */
static u32 tunnel_hdr_len(const struct sk_buff *skb)
{
	const unsigned int type = skb_shinfo(skb)->gso_type;
	int off = skb_inner_transport_offset(skb);
	struct tcphdr tcph;
	const struct tcphdr *th;

	if (!(type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)))
		return off > 0 ? off + sizeof(struct udphdr) : 0;
	th = skb_header_pointer(skb, off, sizeof(tcph), &tcph);
	return th && off > 0 ? off + __tcp_hdrlen(th) : 0;
}

/* Packets of different sizes in one: SCTP before segmentation. */
static noinline void fill_by_frags(struct npk_pkt *pkt, const struct sk_buff *skb)
{
	const struct sk_buff *part;

	skb_walk_frags(skb, part) {
		if (!pkt->gso_max || part->len < pkt->gso_min)
			pkt->gso_min = part->len;
		if (part->len > pkt->gso_max)
			pkt->gso_max = part->len;
	}
}

static void fill_merged(struct npk_pkt *pkt, const struct sk_buff *skb)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);

	pkt->gso_size = sh->gso_size;
	pkt->segs = sh->gso_segs;
	if (pkt->gso_size == NPK_GSO_BY_FRAGS)
		fill_by_frags(pkt, skb);
	if (skb->encapsulation)
		pkt->gso_hdr_len = tunnel_hdr_len(skb);
}

/* Is it plain?  What was merged is not, nor what has no Ethernet header in front of skb->data. */
static __always_inline bool read_plain(struct npk_plain *p, const struct sk_buff *skb,
				       const struct net_device *dev, bool is_ip6)
{
	const u8 *frame = skb_mac_header(skb);
	u32 linear = skb_headlen(skb) + ETH_HLEN, wire_len = skb->len + ETH_HLEN;
	u16 vlan = NPK_VLAN_NONE;

	if (skb_vlan_tag_present(skb))
		vlan = skb_vlan_tag_get(skb) & VLAN_VID_MASK;
	if (unlikely(skb->data - frame != ETH_HLEN) || unlikely(skb_is_gso(skb)))
		return false;
	return is_ip6 ? npk_plain_ip6(p, frame, linear, wire_len, dev->ifindex, vlan) :
			npk_plain_ip4(p, frame, linear, wire_len, dev->ifindex, vlan);
}

/* Any frame; the shard's lock is held. */
static noinline void meter_any(struct npk_shard *s, const struct sk_buff *skb,
			       const struct net_device *dev)
{
	struct npk_pkt pkt = { .segs = 1, .ifindex = dev->ifindex, .pull = pull, .priv = skb };
	u32 mac_len;

	if (unlikely(!skb_mac_header_was_set(skb) || skb_mac_header(skb) + ETH_HLEN > skb->data)) {
		npk_meter_ignore(&s->meter, &pkt, NPK_IGN_L2_TRUNCATED);
		return;
	}
	mac_len = skb->data - skb_mac_header(skb);
	pkt.data = skb_mac_header(skb);
	pkt.linear = skb_headlen(skb) + mac_len;
	pkt.captured = skb->len + mac_len;
	pkt.wire_len = pkt.captured;
	if (skb_vlan_tag_present(skb)) {
		pkt.has_tag = true;
		pkt.vlan_tci = skb_vlan_tag_get(skb);
	}
	if (skb_is_gso(skb))
		fill_merged(&pkt, skb);
	pkt.now_ns = npk_clock_now(&s->clock);
	npk_meter_any(&s->meter, &pkt);
}

static __always_inline bool meter_plain(struct npk_shard *s, const struct sk_buff *skb,
					const struct net_device *dev, bool is_ip6)
{
	struct npk_plain plain NPK_UNINITIALIZED;
	u64 hash, now;
	bool known;

	if (unlikely(!read_plain(&plain, skb, dev, is_ip6)))
		return false;
	hash = npk_words_hash(&plain.words, is_ip6, &s->meter.table.secret);
	npk_table_fetch(&s->meter.table, hash);
	spin_lock(&s->lock);
	now = npk_clock_now(&s->clock);
	if (unlikely(!npk_meter_plain(&s->meter, &plain, hash, now, &known)))
		npk_meter_rest(&s->meter, &plain, hash, known, now);
	spin_unlock(&s->lock);
	return true;
}

static noinline void meter_other(struct npk_shard *s, const struct sk_buff *skb,
				 const struct net_device *dev)
{
	if (meter_plain(s, skb, dev, true))
		return;
	spin_lock(&s->lock);
	meter_any(s, skb, dev);
	spin_unlock(&s->lock);
}

/*
 * Account one received skb.  At every hook skb->data is the network header, and
 * the MAC header stands in front of it.
 *
 * Context: BH disabled (softirq, or a task that injects packets).
 */
static noinline void meter_skb(const struct sk_buff *skb, const struct net_device *dev)
{
	struct npk_shard *s = this_cpu_read(npk_cpu_shard);

	if (unlikely(!meter_plain(s, skb, dev, false)))
		meter_other(s, skb, dev);
}

static unsigned int ingress(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	meter_skb(skb, state->in);
	return NF_ACCEPT;
}

static unsigned int ingress_passive(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	meter_skb(skb, state->in);
	/* not NF_DROP: nothing went wrong, drop monitors shall not say so */
	consume_skb(skb);
	return NF_STOLEN;
}

/* The skb is shared with the other taps: read, and drop our reference. */
static int tap(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt,
	       struct net_device *orig_dev)
{
	meter_skb(skb, dev);
	consume_skb(skb);
	return 0;
}

static rx_handler_result_t rx(struct sk_buff **pskb)
{
	meter_skb(*pskb, (*pskb)->dev);
	return RX_HANDLER_PASS;
}

static rx_handler_result_t rx_passive(struct sk_buff **pskb)
{
	meter_skb(*pskb, (*pskb)->dev);
	consume_skb(*pskb);
	return RX_HANDLER_CONSUMED;
}

static int attach_ingress(struct npk_dev *d)
{
	d->nf_ops = (struct nf_hook_ops){
		.hook = npk.cfg.passive ? ingress_passive : ingress,
		.dev = d->dev,
		.pf = NFPROTO_NETDEV,
		.hooknum = NF_NETDEV_INGRESS,
		.priority = INT_MIN,
	};
	return nf_register_net_hook(&init_net, &d->nf_ops);
}

static int attach_tap(struct npk_dev *d)
{
	d->tap = (struct packet_type){
		.type = cpu_to_be16(ETH_P_ALL),
		.dev = d->dev,
		.func = tap,
		.ignore_outgoing = true,
	};
	dev_add_pack(&d->tap);
	return 0;
}

/* Who has the slot: the master says it best, other users have their flag. */
static const char *rx_owner(struct net_device *dev)
{
	struct net_device *master = netdev_master_upper_dev_get(dev);

	if (master)
		return master->name;
	if (netif_is_macvlan_port(dev))
		return "macvlan";
	return "another rx_handler";
}

static int attach_rx(struct npk_dev *d)
{
	int err = netdev_rx_handler_register(d->dev, npk.cfg.passive ? rx_passive : rx, d);

	if (err == -EBUSY)
		pr_err("%s: hook=rx: the slot is taken by %s\n", d->dev->name, rx_owner(d->dev));
	return err;
}

/**
 * npk_hook_attach() - start metering a device
 * @d: entry that is not attached; @d->dev and the hook's state are set
 * @dev: Ethernet or loopback device of init_net; a reference is taken
 *
 * Context: Process, rtnl held.
 * Return: 0 or -errno.
 */
int npk_hook_attach(struct npk_dev *d, struct net_device *dev)
{
	int err;

	ASSERT_RTNL();
	d->dev = dev;
	dev_hold(dev);
	switch (npk.cfg.hook) {
	case NPK_HOOK_TAP:
		err = attach_tap(d);
		break;
	case NPK_HOOK_RX:
		err = attach_rx(d);
		break;
	default:
		err = attach_ingress(d);
		break;
	}
	if (err) {
		d->dev = NULL;
		dev_put(dev);
	}
	return err;
}

/**
 * npk_hook_detach() - stop metering a device
 * @d: attached entry; @d->dev is NULL and its reference gone afterwards
 *
 * When this returns no hook of ours runs for the device any more.
 *
 * Context: Process, rtnl held. Sleeps.
 */
void npk_hook_detach(struct npk_dev *d)
{
	struct net_device *dev = d->dev;

	ASSERT_RTNL();
	switch (npk.cfg.hook) {
	case NPK_HOOK_TAP:
		dev_remove_pack(&d->tap);	/* waits for running handlers, as below */
		break;
	case NPK_HOOK_RX:
		netdev_rx_handler_unregister(dev);
		break;
	default:
		nf_unregister_net_hook(&init_net, &d->nf_ops);
		synchronize_net();	/* it does not wait */
		break;
	}
	d->dev = NULL;
	dev_put(dev);
}
