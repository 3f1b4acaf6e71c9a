#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# packages.sh: what building and testing take from the distribution.
#
#   packages.sh host                   install what building and testing on this host need (root)
#   packages.sh tools NAME...          unpack packages into the cache: nothing is installed, nothing started
#   packages.sh tool PROGRAM ARG...    run a program out of the cache, or the host's own
#   packages.sh kernel-headers         unpack the headers of this suite's kernel into the cache
#   packages.sh kernel-headers --path  the same, then print the folder for make -C
#   packages.sh kernel-headers --renew unpack them anew: the suite may have a newer kernel by now
#
# The cache is ~/.cache/nprobe-k of the user who called sudo (or $NPK_CACHE), and its files belong to that user.
# "tools" and "kernel-headers" need root only when the host has no package index yet.
# Sourced, the file defines the functions only; the useful one is tool().

# What "make" and the tests need; the compiler's sanitizer runtime is added by host_packages().
# python3 and not python3-minimal: the tests use decimal, ipaddress and http.server.
NPK_HOST_PACKAGES=(gcc make libc6-dev libpcap-dev zlib1g-dev nettle-dev libcmocka-dev clang sparse python3 iproute2 ethtool iputils-ping curl)

# apt's own download user cannot write into the folders used here; a dead mirror is to be noticed soon.
NPK_APT=(-qq -o APT::Sandbox::User=root -o Acquire::Retries=1 -o Acquire::http::Timeout=20
	-o Acquire::https::Timeout=20)

NPK_MIN_DISK_MB=1500
NPK_MIN_MEM_MB=512

say() { printf 'packages: %s\n' "$*" >&2; }
die() { printf 'packages: %s\n' "$*" >&2; exit 1; }

# ---------------------------------------------------------------- what must hold before anything is downloaded

need_distribution() {
	local prog
	for prog in apt-get apt-cache dpkg dpkg-query; do
		command -v "$prog" >/dev/null ||
			die "this works on Debian and Ubuntu only: there is no $prog here; install the packages by hand (${NPK_HOST_PACKAGES[*]}) and use make"
	done
}

need_root() {
	[ "$(id -u)" -eq 0 ] || die "$1 needs root; run: sudo make run"
}

# Free disk below every folder given (the nearest one that exists) and memory of the machine.
need_room() {
	local dir free mem
	for dir in "$@"; do
		while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
		free=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
		[ "$free" -ge "$NPK_MIN_DISK_MB" ] ||
			die "too little free disk: $dir has $free MB, $NPK_MIN_DISK_MB MB are needed"
	done
	mem=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
	[ "$mem" -ge "$NPK_MIN_MEM_MB" ] ||
		die "too little memory: $mem MB are available, $NPK_MIN_MEM_MB MB are needed"
}

# ---------------------------------------------------------------- the invoking user and the cache

cache_root() {
	local home=$HOME
	if [ -n "${NPK_CACHE:-}" ]; then
		echo "$NPK_CACHE"
		return
	fi
	if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ]; then
		home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
	fi
	[ -d "$home" ] || die "no home folder for the cache: '$home' does not exist"
	echo "$home/.cache/nprobe-k"
}

# Files made as root on behalf of a user belong to that user.
give_to_user() {
	if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_UID:-}" ]; then
		chown -hR "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@"
	fi
}

# mkdir -p whose new folders belong to the invoking user.
make_dir() {
	local dir=$1 first=
	while [ ! -d "$dir" ]; do
		first=$dir
		dir=$(dirname "$dir")
	done
	[ -z "$first" ] && return
	mkdir -p "$1" || die "cannot make the folder $1"
	give_to_user "$first"
}

# Suite and architecture: programs unpacked for one must not be run on another.
platform() {
	local id version
	id=$(. /etc/os-release && echo "${ID:-linux}")
	version=$(. /etc/os-release && echo "${VERSION_ID:-${VERSION_CODENAME:-unstable}}")
	echo "$id-$version-$(dpkg --print-architecture)"
}

# ---------------------------------------------------------------- apt

# The version that would be installed, empty when there is none.
candidate() {
	apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([^(]\)/\1/p'
}

known() {
	[ -n "$(candidate "$1")" ]
}

update_index() {
	local log
	[ "$(id -u)" -eq 0 ] || die "the package index is missing or out of date; run: sudo apt-get update"
	say "fetching the package index"
	# A third party's broken repository must not stop us: what counts is whether our packages are known afterwards.
	log=$(apt-get "${NPK_APT[@]}" update 2>&1) || say "apt-get update failed"
	[ -z "$log" ] || say "apt-get update says: $(sed -n 1p <<<"$log")"
	NPK_UPDATED=1
}

# need_known PACKAGE...: each has a version that can be installed, after an update if need be.
need_known() {
	local pkg
	for pkg in "$@"; do
		known "$pkg" && continue
		[ -n "${NPK_UPDATED:-}" ] || update_index
		known "$pkg" ||
			die "the package $pkg is not to be had: no network, or no package source has it (apt-get update; apt-cache policy $pkg)"
	done
}

# closure PACKAGE...: one line "name version" for everything that installing them here would install or upgrade.
closure() {
	local plan
	plan=$(apt-get -s -qq --no-install-recommends install "$@" 2>&1) ||
		die "apt-get cannot work out what $* needs: $(grep -m1 '^E:' <<<"$plan" || echo "run: apt-get -s install $*")"
	awk '$1 == "Inst" { for (i = 3; i <= NF; i++) if ($i ~ /^\(/) { print $2, substr($i, 2); next } }' <<<"$plan"
}

# announce WHAT, lines "name version" on stdin: says what is taken and how much it is, once.
announce() {
	local what=$1 list sizes
	list=$(cat)
	[ "$list" != "${NPK_ANNOUNCED:-}" ] || return 0
	NPK_ANNOUNCED=$list
	sizes=$(tr ' ' '=' <<<"$list" | xargs apt-cache show 2>/dev/null | awk '
		/^Package: / { pkg = $2 }
		/^Size: / && !(pkg in size) { size[pkg] = $2; down += $2 }
		/^Installed-Size: / && !(pkg in disk) { disk[pkg] = $2; kib += $2 }
		END { printf "%.1f MB to download, %.1f MB on disk", down / 1e6, kib * 1024 / 1e6 }')
	say "$what: $(wc -l <<<"$list") packages, $sizes"
	cut -d' ' -f1 <<<"$list" | paste -sd' ' | fold -s -w 100 | sed 's/^/packages:   /' >&2
}

# fetch_debs DIR, lines "name version" on stdin. Only apt's own checks of what it fetched are relied on.
fetch_debs() {
	local -a want
	mapfile -t want < <(tr ' ' '=')
	[ ${#want[@]} -gt 0 ] || return 0
	(cd "$1" && apt-get "${NPK_APT[@]}" download "${want[@]}") >"$1/log" 2>&1
}

# ---------------------------------------------------------------- host

# The list above and the runtime of clang's sanitizers, which lives in a package named after clang's version.
host_packages() {
	local versioned
	printf '%s\n' "${NPK_HOST_PACKAGES[@]}"
	versioned=$(apt-cache depends --important clang | sed -n 's/^ *Depends: clang-\([0-9][0-9.]*\)$/\1/p' | sed -n 1p)
	if known "libclang-rt-$versioned-dev"; then
		echo "libclang-rt-$versioned-dev"
	else
		echo "libclang-common-$versioned-dev" # before clang 14 the runtime was here
	fi
}

# installed NAME...: all of them, without asking the index. 0 when nothing is missing.
installed() {
	local pkg
	for pkg in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$pkg" 2>/dev/null)" = installed ] || return 1
	done
}

# A package with a service would start it: none of ours has one, so one that does is a surprise to stop at.
refuse_services() {
	local deb unit
	for deb in "$1"/*.deb; do
		unit=$(dpkg-deb --fsys-tarfile "$deb" | tar -t |
			awk '/lib\/systemd\/system\/.*\.(service|socket|timer|path)$|etc\/init\.d\/./ && !n++')
		[ -z "$unit" ] || die "refusing to install $(basename "$deb"): it brings a service ($unit)"
	done
}

# install_host DEBDIR PACKAGE...: returns 1 only when the download failed with an index that may be old.
install_host() {
	local dir=$1
	shift
	local -a apt=(apt-get "${NPK_APT[@]}" -y --no-install-recommends --no-remove
		-o "Dir::Cache::archives=$dir" -o Dpkg::Use-Pty=0)
	mkdir -p "$dir/partial"
	say "downloading"
	if ! "${apt[@]}" --download-only install "$@" >"$dir/log" 2>&1; then
		[ -z "${NPK_UPDATED:-}" ] || die "downloading failed: $(grep -m1 '^E:' "$dir/log"); is there a network?"
		return 1
	fi
	refuse_services "$dir"
	say "installing"
	"${apt[@]}" install "$@" >"$dir/log" 2>&1 || die "installing failed: $(grep -m1 '^E:' "$dir/log")"
}

cmd_host() {
	local list dir
	local -a want
	export DEBIAN_FRONTEND=noninteractive
	need_distribution
	if known clang && mapfile -t want < <(host_packages) && installed "${want[@]}"; then
		say "nothing is missing on this host"
		return
	fi
	need_root "installing packages"
	need_room / /var/cache/apt
	need_known clang
	mapfile -t want < <(host_packages)
	need_known "${want[@]}"
	dir=$(mktemp -d)
	# shellcheck disable=SC2064 # the folder's name is fixed now
	trap "rm -rf '$dir'" EXIT
	while :; do
		list=$(closure "${want[@]}")
		announce "to be installed on this host" <<<"$list"
		install_host "$dir" "${want[@]}" && break
		update_index # the index named files that are gone: once more with a fresh one
	done
	say "installed in $SECONDS s"
}

# ---------------------------------------------------------------- tools in the cache

set_tools() {
	local cache
	cache=$(cache_root) || exit 1
	NPK_TOOLS=$cache/tools/$(platform)
}

# Every folder of shared libraries of an unpacked tree, joined with colons.
library_path() {
	local dir path=
	for dir in "$1"/usr/lib/*-linux-* "$1"/lib/*-linux-* "$1"/usr/lib "$1"/lib; do
		[ ! -d "$dir" ] || path+=${path:+:}$dir
	done
	echo "$path"
}

# lacks_library PROGRAM; LD_LIBRARY_PATH as it will be run. A script lacks nothing.
lacks_library() {
	[[ $(ldd "$1" 2>&1) == *"not found"* ]]
}

# programs_run TREE: all its programs find their libraries. Asked on every use, because the host may have changed.
programs_run() {
	local libs prog
	libs=$(library_path "$1")
	for prog in "$1"/usr/bin/* "$1"/usr/sbin/* "$1"/bin/* "$1"/sbin/*; do
		[ -f "$prog" ] || continue
		! LD_LIBRARY_PATH=$libs lacks_library "$prog" || return 1
	done
}

# present NAME: usable already, because the host has the package or the cache does.
present() {
	installed "$1" || { [ -f "$NPK_TOOLS/$1/.packages" ] && programs_run "$NPK_TOOLS/$1"; }
}

absent() {
	local name
	for name in "$@"; do present "$name" || echo "$name"; done
}

# unpack_debs TREE DEBDIR, lines "name version" on stdin; TREE/.packages says what is in it.
unpack_debs() {
	local pkg version deb
	rm -rf "$1"
	mkdir -p "$1"
	while read -r pkg version; do
		for deb in "$2/${pkg%%:*}"_*.deb; do
			dpkg -x "$deb" "$1" || die "cannot unpack $(basename "$deb") into $1"
		done
		echo "$pkg $version" >>"$1/.packages"
	done
}

# put_in_place NEW FINAL: the finished tree appears in one step.
put_in_place() {
	give_to_user "$1"
	rm -rf "$2"
	mv "$1" "$2"
}

# fill_cache DIR FUNCTION ARG...: calls FUNCTION DEBDIR ARG... under the cache's lock; once more, with a fresh
# index, when it returns 1, because the index then named files that are gone.
fill_cache() {
	local dir=$1 debs
	shift
	debs=$(mktemp -d)
	# shellcheck disable=SC2064 # the names are fixed now
	trap "rm -rf '$debs' '$dir/.new.$$'" EXIT
	until "$1" "$debs" "${@:2}"; do
		[ -z "${NPK_UPDATED:-}" ] ||
			die "downloading failed: $(grep -m1 '^E:' "$debs/log" || echo "see apt-get download"); is there a network?"
		update_index
		rm -f "$debs"/*
	done
}

# lock_cache DIR: one run at a time fills the cache; the lock goes with the process.
lock_cache() {
	need_room "$1" "${TMPDIR:-/tmp}"
	make_dir "$1"
	exec 9>"$1/.lock"
	give_to_user "$1/.lock"
	flock -n 9 && return
	say "another run is filling the cache, waiting"
	flock -w 600 9 || die "another run has held $1/.lock for 10 minutes"
}

# get_tools DEBDIR NAME...: one attempt; returns 1 only when the download failed.
get_tools() {
	local debs=$1 all name part
	shift
	all=$(closure "$@") || exit 1
	# A newer C library cannot be used with the host's own loader.
	! grep -q '^libc6 ' <<<"$all" || die "the host's C library is too old for $*; run: sudo apt-get upgrade"
	announce "not installed, only unpacked into $NPK_TOOLS" <<<"$all"
	say "downloading"
	fetch_debs "$debs" <<<"$all" || return 1
	say "unpacking"
	for name in "$@"; do
		part=$(closure "$name") || exit 1
		unpack_debs "$NPK_TOOLS/.new.$$" "$debs" <<<"$part"
		programs_run "$NPK_TOOLS/.new.$$" || die "$name was unpacked but its programs do not find their libraries"
		put_in_place "$NPK_TOOLS/.new.$$" "$NPK_TOOLS/$name"
	done
}

cmd_tools() {
	local -a missing
	[ $# -gt 0 ] || die "tools: name the packages"
	need_distribution
	set_tools
	mapfile -t missing < <(absent "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	lock_cache "$NPK_TOOLS"
	mapfile -t missing < <(absent "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	need_known "${missing[@]}"
	fill_cache "$NPK_TOOLS" get_tools "${missing[@]}"
	say "ready in $SECONDS s: ${missing[*]}"
}

# tool_cmd PROGRAM: sets TOOL to the words that run it, out of the cache or else the host's own.
# TZ=UTC because nfdump prints local time.
tool_cmd() {
	local prog=$1 path root=
	[ -n "${NPK_TOOLS:-}" ] || set_tools
	for path in "$NPK_TOOLS"/*/{usr/bin,usr/sbin,bin,sbin}/"$prog"; do
		[ ! -x "$path" ] || { root=${path#"$NPK_TOOLS"/} && root=$NPK_TOOLS/${root%%/*} && break; }
	done
	if [ -z "$root" ]; then
		path=$(command -v "$prog") || die "the program $prog is neither in $NPK_TOOLS nor on this host"
		TOOL=(env TZ=UTC "$path")
		return
	fi
	TOOL=(env TZ=UTC "LD_LIBRARY_PATH=$(library_path "$root")" "PATH=$root/usr/bin:$root/usr/sbin:$PATH")
	if [ -d "$root/usr/share/wireshark" ]; then
		TOOL+=("WIRESHARK_DATA_DIR=$root/usr/share/wireshark"
			"WIRESHARK_PLUGIN_DIR=$(echo "$root"/usr/lib/*/wireshark/plugins)")
	fi
	TOOL+=("$path")
}

tool() {
	tool_cmd "$1"
	"${TOOL[@]}" "${@:2}"
}

# ---------------------------------------------------------------- headers of the suite's kernel

# The metapackage that follows the suite's kernel is named differently on each family and architecture.
headers_meta() {
	local name
	for name in "linux-headers-$(dpkg --print-architecture)" linux-headers-generic linux-headers-armmp linux-headers-686; do
		known "$name" && echo "$name" && return
	done
	die "this suite has no kernel headers package (linux-headers-$(dpkg --print-architecture))"
}

# Lines "name version": the headers and kbuild, whether the host has them or not; the compiler is the host's.
headers_list() {
	local pkg
	apt-cache depends --important --recurse "$1" | grep -E '^linux-(headers|kbuild)-' | grep -vxF "$1" | sort -u |
		while read -r pkg; do
			echo "$pkg $(candidate "$pkg")"
		done
}

# Inside the tree: scripts/ and tools/ are relative links already, the Makefile names the common part by its path
# on an installed system. It becomes relative to itself, so that the tree works wherever it lies.
fix_headers() {
	local config kdir
	config=$(find "$1/usr/src" -maxdepth 2 -name .config | sed -n 1p)
	[ -n "$config" ] || die "the kernel headers have no .config: $(cut -d' ' -f1 "$1/.packages" | paste -sd' ')"
	kdir=$(dirname "$config")
	if [ ! -L "$kdir/Makefile" ]; then
		# shellcheck disable=SC2016 # make expands it
		sed -i 's#^include /usr/src/#include $(dir $(lastword $(MAKEFILE_LIST)))../#' "$kdir/Makefile"
	fi
	echo "${kdir#"$1"/}" >"$1/.kdir"
}

# objtool and friends are run by every compilation: without their libraries the headers are of no use.
headers_usable() {
	local prog
	[ -f "$1/.kdir" ] && [ -f "$1/$(cat "$1/.kdir")/Makefile" ] || return 1
	for prog in "$1/$(cat "$1/.kdir")"/{scripts/basic/fixdep,scripts/mod/modpost,tools/objtool/objtool}; do
		! { [ -x "$prog" ] && lacks_library "$prog"; } || return 1
	done
}

get_headers() {
	local debs=$1 final=$2 tmp=${2%/*}/.new.$$ meta list
	meta=$(headers_meta) || exit 1
	list=$(headers_list "$meta") || exit 1
	announce "not installed, only unpacked into $final" <<<"$list"
	say "downloading"
	fetch_debs "$debs" <<<"$list" || return 1
	say "unpacking"
	unpack_debs "$tmp" "$debs" <<<"$list"
	fix_headers "$tmp"
	headers_usable "$tmp" || die "the tools of the kernel headers do not find their libraries (libelf?); run: $0 host"
	put_in_place "$tmp" "$final"
}

cmd_kernel_headers() {
	local root
	need_distribution
	root=$(cache_root) || exit 1
	root=$root/kernel-headers/$(platform)
	if [ "${1:-}" = --renew ] || ! headers_usable "$root"; then
		lock_cache "${root%/*}"
		if [ "${1:-}" = --renew ] || ! headers_usable "$root"; then
			need_known gcc
			fill_cache "${root%/*}" get_headers "$root"
			say "ready in $SECONDS s: kernel headers"
		fi
	fi
	[ "${1:-}" != --path ] || echo "$root/$(cat "$root/.kdir")"
}

# ----------------------------------------------------------------

main() {
	set -euo pipefail
	umask 022
	export LC_ALL=C
	case ${1:-} in
	host) cmd_host ;;
	tools) cmd_tools "${@:2}" ;;
	tool)
		[ $# -ge 2 ] || die "tool: name the program"
		tool_cmd "$2"
		exec "${TOOL[@]}" "${@:3}"
		;;
	kernel-headers) cmd_kernel_headers "${@:2}" ;;
	*)
		sed -n 's/^# \{0,1\}//; 3,11p' "${BASH_SOURCE[0]}" >&2
		exit 2
		;;
	esac
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	main "$@"
fi
