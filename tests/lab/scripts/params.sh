# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# params.sh: a bad parameter: insmod fails, one clear sentence in the log, nothing left behind.
. /lab/lib.sh
. /lab/module.sh

# refused SENTENCE PARAMETER...
refused() {
	_sentence=$1
	shift
	log_mark
	must_fail "insmod $*" insmod /lib/nprobe_k.ko "$@"
	# insmod tries two system calls, between which the available memory changes; the kernel itself speaks of taint
	same "sentences for $*" "$(log_since | sed -n 's/[0-9]* MiB.*/N MiB/; s/.*\(nprobe_k: .*\)/\1/p' |
		grep -vE 'taint' | sort -u | wc -l)" 1
	said "$_sentence"
	gone || fail "$*: something is left behind"
}

refused "hook=egress: not one of ingress, tap, rx" hook=egress
refused "hook=tap: passive=1 is possible with ingress and rx only" hook=tap passive=1
refused "active=0: not from 1 to 86400 seconds" active=0
refused "idle=90000: not from 1 to 86400 seconds" idle=90000
refused "key=port: not a list of tos, vlan, mpls, ifindex" key=port
refused "key=vlan,,tos: not a list" key=vlan,,tos
refused "frag=all: neither join nor zero" frag=all
refused "ring_slots=1000: not a power of two" ring_slots=1000
refused "cpus=a-b: not a list of CPUs" cpus=a-b
refused "cpus=900: not a list of CPUs" cpus=900
refused "flows=99999999999999: not from 1 to 1099511627776" flows=99999999999999
refused "flows=90000000000: needs " flows=90000000000
refused "devices=a,,b: not a list of device names" devices=a,,b
refused "devices=a-name-that-is-too-long: not a list of device names" devices=a-name-that-is-too-long
refused "devices=eth0,: ends with a comma" devices=eth0,

# What does not fit into this machine (1024 MB, two processors) is refused before a page of it is taken.
available_mib() {
	awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo
}

# figures: of the sentence about memory: needed, available, what would fit
figures() {
	log_since | sed -n 's/.*needs \([0-9]*\) MiB, \([0-9]*\) MiB are available, enough for \([0-9]*\)$/\1 \2 \3/p' | tail -1
}

near() {
	[ "$2" -ge "$(($3 - $3 / 20))" ] && [ "$2" -le "$(($3 + $3 / 20))" ] || fail "$1: is $2, should be about $3"
	echo "ok: $1: $2"
}

before=$(available_mib)
refused "flows=5500000: needs " flows=5500000
set -- $(figures)
near "MiB that 5500000 flows need" "$1" $((5500000 * 197 / 1048576))
near "MiB available" "$2" "$before"
near "MiB available afterwards" "$(available_mib)" "$before"
fits=$3
refused "ring_slots=4194304: 2 rings need 1" ring_slots=4194304
before=$(available_mib)
# four fifths: KASAN keeps an eighth more of what is allocated
ok "insmod of four fifths of what would fit" insmod /lib/nprobe_k.ko flows=$((fits / 5 * 4))
taken=$((before - $(available_mib)))
needed=$((fits / 5 * 4 / 1000 * 196 / 1049))
[ "$taken" -ge $((needed - needed / 50)) ] && [ "$taken" -le $((needed + needed / 6)) ] ||
	fail "$taken MiB were taken for flows that need $needed"
echo "ok: $taken MiB were taken for flows that need $needed"
ok "rmmod" rmmod nprobe_k

log_mark
load flows=1000 key=tos,vlan cpus=1 hook=rx ring_slots=64 active=5 idle=2
said "version 0.1 loaded: 1000 flows in 1 tables"
same "key.tos" "$(counter $NPK/config key.tos)" 0
same "key.mpls" "$(counter $NPK/config key.mpls)" 1
same "shards" "$(counter $NPK/config shards)" 1
same "flows file" "$(stat -c %a $NPK/flows)" 400
same "stats file" "$(stat -c %a $NPK/stats)" 444
same "device node" "$(stat -c %a /dev/nprobe_k)" 660
ok "rmmod" rmmod nprobe_k
gone || fail "something is left behind"
