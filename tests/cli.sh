#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cli.sh: what the daemon says when it is used wrongly, and how it ends.
#
# Wrong use exits 2, failure 1; both say one sentence on standard error that names
# the thing, and nothing on standard output.

set -euo pipefail
export LC_ALL=C
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROBE=${NPROBE_K:-$TOP/build/nprobe-k}
SPEAKER='nprobe-k: '
W=$(mktemp -d)
chmod 755 "$W"
trap 'rm -rf "$W"' EXIT
checks=0
bad=0

complain() {
    echo "FAILED: $1"
    sed 's/^/    /' "$W/out" "$W/err"
    bad=$((bad + 1))
}

# must_fail CODE WORD ARG...
must_fail() {
    local want=$1 word=$2 code=0
    shift 2
    checks=$((checks + 1))
    "$PROBE" "$@" >"$W/out" 2>"$W/err" </dev/null || code=$?
    [ "$code" -eq "$want" ] || complain "$*: exit code $code, not $want"
    [ "$(wc -l <"$W/err")" -eq 1 ] || complain "$*: not one sentence"
    grep -q "^$SPEAKER" "$W/err" || complain "$*: does not say who speaks"
    grep -qF -- "$word" "$W/err" || complain "$*: does not name \"$word\""
    [ ! -s "$W/out" ] || complain "$*: something on standard output"
}

# must_work WORD ARG...: exit code 0 and WORD in the output
must_work() {
    local word=$1
    shift
    checks=$((checks + 1))
    "$PROBE" "$@" >"$W/out" 2>"$W/err" </dev/null || complain "$*: exit code $?"
    grep -qF -- "$word" "$W/out" "$W/err" || complain "$*: \"$word\" is missing"
}

# Three UDP packets of one flow and an ARP request, written here byte by byte.
make_captures() {
    python3 - "$W" <<'PY'
import struct, sys
w = sys.argv[1]
udp = bytes.fromhex("020000000002020000000001080045000020000100004011000" "0c0000201c6336402303900350" "00c0000deadbeef")
arp = bytes.fromhex("ffffffffffff0200000000010806") + bytes(28)
head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
frames = b"".join(struct.pack("<IIII", 1700000000 + i, 500000, len(f), len(f)) + f for i, f in enumerate([udp, arp, udp, udp]))
open(w + "/good.pcap", "wb").write(head + frames)
open(w + "/cut.pcap", "wb").write(head + frames[:-10])
open(w + "/raw.pcap", "wb").write(head[:20] + struct.pack("<I", 101) + frames)
open(w + "/text.pcap", "w").write("this is no capture\n")
open(w + "/empty.pcap", "w").close()
PY
}

wrong_use() {
    must_fail 2 "--no-such-option" --no-such-option
    must_fail 2 "-x" -x
    must_fail 2 "stray" -i "$W/good.pcap" stray
    must_fail 2 "-t (lifetime-timeout)" -t
    must_fail 2 "\"abc\" is not a number" -i "$W/good.pcap" -t abc
    must_fail 2 "from 1 to 86400" -i "$W/good.pcap" -d 0
    must_fail 2 "from 1 to 86400" -i "$W/good.pcap" -d -5
    must_fail 2 "99999999999999999999" -i "$W/good.pcap" -d 99999999999999999999
    must_fail 2 "from 576 to 65535" -i "$W/good.pcap" --mtu 100
    must_fail 2 "\"7\" is none of 5|9|10|nflow|nflow9" -i "$W/good.pcap" -V 7
    must_fail 2 "--nflow-key: only with -V nflow" -i "$W/good.pcap" --nflow-key secret
    must_fail 2 "--nflow-plain: only with -V nflow" -i "$W/good.pcap" -V 9 --nflow-plain
    must_fail 2 "--nflow-plain: only with -V nflow" -i "$W/good.pcap" -V nflow9 --nflow-plain
    must_fail 2 "--nflow9-zlib: only with -V nflow9" -i "$W/good.pcap" -V nflow --nflow9-zlib
    must_fail 2 "-U (flow-templ-id): 65281 to 65282" -i "$W/good.pcap" -V nflow9 -U 65280
    must_fail 2 "70000 does not fit nFlow" -i "$W/good.pcap" -V nflow -S 70000
    must_fail 2 "--nflow-key: the key is empty" -i "$W/good.pcap" -V nflow --nflow-key ""
    must_fail 2 "longer than 256 octets" -i "$W/good.pcap" -V nflow --nflow-key "$(printf 'x%.0s' {1..257})"
    printf "\nsecret\n" >"$W/key"
    must_fail 2 "--nflow-key: $W/key: the key is empty" -i "$W/good.pcap" -V nflow --nflow-key "@$W/key"
    must_fail 2 "--nflow-key: no FILE after the @" -i "$W/good.pcap" -V nflow --nflow-key @
    printf -- '-V=nflow9\nnflow-key=@%s\n' "$W/key" >"$W/signed.conf"
    must_fail 2 "signed.conf:2: --nflow-key: $W/key: the key is empty" --config "$W/signed.conf" -i "$W/good.pcap"
    # found by review: the file's name had been freed, and other options were put in its place
    cp "$W/signed.conf" "$W/signed-with-another-and-longer-name.conf"
    must_fail 2 "$W/signed.conf:2: --nflow-key: $W/key: the key is empty" \
        --config "$W/signed-with-another-and-longer-name.conf" -i "pcap:$W/good.pcap" --config "$W/signed.conf"
    must_fail 2 "xml" -i "$W/good.pcap" --print xml
    must_fail 2 "-E" -i "$W/good.pcap" -E 1:2:3
    must_fail 2 "-u (in-iface-idx): \"-2\" is neither -1" -i "$W/good.pcap" -u -2
    must_fail 2 "4294967296" -i "$W/good.pcap" -Q 4294967296
    must_fail 2 "indices up to 65535" -i "$W/good.pcap" -V 5 -Q 65536
    must_fail 2 "--if-map: 70000 does not fit" -i live:lo -V 5 --if-map eth0=1,eth1=70000
    must_fail 2 "\"dual\" is none of inner, outer" -i "$W/good.pcap" --vlanid-as-iface-idx dual
    must_fail 2 "--if-map: a capture file names no devices" -i "$W/good.pcap" --if-map eth0=1
    must_fail 2 "\"eth0\" is not DEV=NUMBER" -i live:lo --if-map eth0
    must_fail 2 "\"\" is not DEV=NUMBER" -i live:lo --if-map eth0=1,
    must_fail 2 "\"a-name-of-16-char=1\" is not DEV=NUMBER" -i live:lo --if-map a-name-of-16-char=1
    must_fail 2 "does not fit NetFlow v5" -i "$W/good.pcap" -V 5 -E 70000
    local rate
    for rate in 0 x @ "" 10: 10:1:0 10:1:1:1 -5 " 5" 4294967296; do
        must_fail 2 "-S (sample-rate): \"$rate\" is not [@]N[:1[:M]]" -i "$W/good.pcap" -S "$rate"
    done
    must_fail 2 "collects no flows" -i "$W/good.pcap" --sample-rate 10:2
    must_fail 2 "16384 does not fit NetFlow v5" -i "$W/good.pcap" -V 5 -S 16384
    must_fail 2 "65536 does not fit nFlow" -i "$W/good.pcap" -V nflow -S 65536
    must_fail 2 "-S (sample-rate): not with the kernel module" -i kmod -S 10
    must_fail 2 "from 0 to 86400" -i "$W/good.pcap" --options-seconds 86401
    must_fail 2 "\"hash\" is neither systematic nor random" -i "$W/good.pcap" --sample-mode hash
    must_fail 2 "takes no value" -i "$W/good.pcap" --help=me
    must_fail 2 "none of kmod, live:DEV" -i eth0
    must_fail 2 "-t (lifetime-timeout): a setting of the module" -i kmod -t 5
    must_fail 2 "-d (idle-timeout): a setting of the module" -d 5
    must_fail 2 "--frag: a setting of the module: its parameter frag=" -i kmod --frag zero
    must_fail 2 "--key: a setting of the module: its parameter key=" --key tos
    must_fail 2 "-f (bpf-filter): not with the kernel module" -f udp
    must_fail 2 "\"all\" is neither join nor zero" -i "$W/good.pcap" --print csv --frag all
    must_fail 2 "\"ifindex\" is none of tos, vlan, mpls" -i "$W/good.pcap" --print csv --key tos,ifindex
    must_fail 2 "\"\" is none of tos, vlan, mpls" -i "$W/good.pcap" --print csv --key tos,,vlan
    must_fail 2 "key \"tos,\": \"\" is none of tos, vlan, mpls" -i "$W/good.pcap" --print csv --key tos,
    must_work "192.0.2.1" -i "$W/good.pcap" --print csv --key tos,vlan,mpls --frag zero
    must_fail 2 "-f (bpf-filter): not with the kernel module" -i kmod:default -f udp
    must_fail 2 "kmod:/1: not GROUP or GROUP/MEMBER" -i kmod:/1
    must_fail 2 "not GROUP or GROUP/MEMBER" -i kmod:default/x
    must_fail 2 "after the colon" -i live:
    must_fail 2 "prt" -i "$W/good.pcap" -f "udp prt 53"
    must_fail 2 "nowhere to send" -i "$W/good.pcap" -n none
    must_fail 2 "tcp://192.0.2.1" -i "$W/good.pcap" -n tcp://192.0.2.1
    must_fail 2 "2001:db8::1" -i "$W/good.pcap" -n 2001:db8::1:2055
    must_fail 2 "127.0.0.1:99999" -i "$W/good.pcap" -n 127.0.0.1:99999
    must_fail 2 "-n (collector): \"h%\": no DEV" -i "$W/good.pcap" -n 127.0.0.1,h%
    must_fail 2 "\"h@example.net\": the SOURCE after the @ is not an address" -i "$W/good.pcap" -n h@example.net
    must_fail 2 "-q (sender-address): \"example.net\": the SOURCE" -i "$W/good.pcap" -q example.net
    must_fail 2 "-e (flow-delay): \"-1\" is not a number" -i "$W/good.pcap" -e -1
    must_fail 2 "-B (count-delay): \"0\" is not a number" -i "$W/good.pcap" -B 0
    local port
    for port in 0 65536 000053 0000000053 -1 +53 " 53" 5e3; do
        must_fail 2 "\"127.0.0.1:$port\": the port is not a number from 1 to 65535" -i "$W/good.pcap" -n "127.0.0.1:$port"
    done
    must_fail 2 "-n (collector): \"2055\": a number alone is no address" -i "$W/good.pcap" -n 2055
    must_fail 2 "-n (collector): \"2055:2055\": a number alone is no address" -i "$W/good.pcap" -n 127.0.0.1,2055:2055
    must_fail 2 "-n (collector): \"127.0.0.1@5000\": a number alone is no address" -i "$W/good.pcap" -n 127.0.0.1@5000
    must_fail 2 "-q (sender-address): \"5000\": a number alone" -i "$W/good.pcap" -q 5000
    must_fail 2 "-n (collector): none, and yet \"127.0.0.1\"" -i "$W/good.pcap" -n none -n 127.0.0.1 --print csv
    must_fail 2 "-n (collector): none, and yet \"127.0.0.1\"" -i "$W/good.pcap" -n 127.0.0.1,none --print csv
    must_fail 2 "--stats-json: the name of the file is empty" -i "$W/good.pcap" --stats-json ""
    must_fail 2 "--config: the name of the file is empty" --config ""
    must_fail 2 "an empty name" -i "$W/good.pcap" -n 127.0.0.1,,127.0.0.2
}

templates() {
    must_fail 2 "unknown fields: %OUT_BYTES, %L7_PROTO, name (see" -i "$W/good.pcap" \
        -T "%IN_BYTES %OUT_BYTES%L7_PROTO name"
    must_fail 2 "-T (flow-templ): no field is left" -i "$W/good.pcap" -T " "
    must_fail 2 "-T (flow-templ): too few fields" -i "$W/good.pcap" -T "%PROTOCOL"
    must_fail 2 "-T (flow-templ): only v9, IPFIX and nflow9 have templates" -i "$W/good.pcap" -V 5 -T "%IN_BYTES"
    must_fail 1 "do not fit its datagrams of 548 octets" -i "$W/good.pcap" --mtu 576 -V 10 -n 127.0.0.1:9 -T \
        "$("$PROBE" --list-fields | awk 'NR > 1 { printf "%s ", $1 }')"
    must_work "left out, unknown: %OUT_BYTES, %L7_PROTO" -i "$W/good.pcap" --print csv --skip-unknown \
        -T "%IN_BYTES %OUT_BYTES %IN_PKTS %L7_PROTO"
    [ "$(grep -c L7_PROTO "$W/err")" -eq 1 ] || complain "--skip-unknown says it more than once"
    printf -- '-i=%s\n-n=127.0.0.1:9\n-T=%%IPV4_SRC_ADDR %%OUT_BYTES\n' "$W/good.pcap" >"$W/fields.conf"
    must_fail 2 "unknown fields: %OUT_BYTES (see" --config "$W/fields.conf"
}

# The table of docs/formats.md is what --list-fields prints.
documented_fields() {
    local n='([0-9]+) +'
    must_work "%sourceIPv6Address" --list-fields
    sed -nE "s/^(%[^ ]+) +(%[^ ]+) +$n$n$n$n([0-9]+)  (.*)$/| \\1 | \\2 | \\3 | \\4 | \\5 | \\6 | \\7 | \\8 |/p" "$W/out" >"$W/rows"
    [ "$(wc -l <"$W/rows")" -eq "$(($(wc -l <"$W/out") - 1))" ] || complain "--list-fields: a line has another form"
    grep '^| %' "$TOP/docs/formats.md" | diff "$W/rows" - >"$W/out" || complain "docs/formats.md is not what --list-fields prints"
}

# The table of docs/from-nprobe.md: "same" is in the help, all else is refused by its name,
# whatever follows; and nothing is refused that the table does not say.
nprobe_options() {
    local names kind name refused
    "$PROBE" --help >"$W/help"
    while IFS='|' read -r _ names kind _; do
        for name in $(grep -oE '`-[^`]+' <<<"$names" | tr -d '`'); do
            if [[ $kind == ' same '* ]]; then
                checks=$((checks + 1))
                grep -qE -- "^ .*[ ,]$name([ ,]|\$)" "$W/help" || { echo "FAILED: $name is not in --help"; bad=$((bad + 1)); }
            elif [[ $name == --* ]]; then
                must_fail 2 "$name" "$name"
                grep -qE "nProbe('s --| )" "$W/err" || complain "$name is not said to be nProbe's"
                echo "$name"
            else
                must_fail 2 "$name (nProbe's --" -i "$W/good.pcap" "$name" 1
            fi >>"$W/refused"
        done
    done < <(grep '^| `-' "$TOP/docs/from-nprobe.md")
    grep -q FAILED "$W/refused" && grep -A9 FAILED "$W/refused"
    refused=$(sed -n 's/^\t{ .*, "\(.*\)" },$/--\1/p' "$TOP/probe/refused.c" | sort)
    checks=$((checks + 1))
    [ "$refused" = "$(grep '^--' "$W/refused" | sort)" ] ||
        { echo "FAILED: refused.c and docs/from-nprobe.md differ:"; diff <(echo "$refused") <(grep '^--' "$W/refused" | sort); bad=$((bad + 1)); } || :
    must_fail 2 "unknown option -k" -k
}

# Both ways: what --help says is the heading of a paragraph of the man page, arguments included.
man_options() {
    checks=$((checks + 1))
    "$PROBE" --help | sed -n 's/^  \(-.,\|   \) --/\1 --/p' | sed 's/^ *//; s/^\(\(-., \)\?--[^ ]*\( [^ ]\+\)\?\)  *.*/\1/' | sort >"$W/help"
    awk '/^.SH OPTIONS/ { on = 1 } /^.SH CONF/ { on = 0 } on && was == ".TP" { gsub(/\\-/, "-"); sub(/^.B /, ""); print } { was = $0 }' \
        "$TOP/docs/man/nprobe-k.8" | sort >"$W/page"
    [ -s "$W/help" ] || complain "no options in --help"
    diff "$W/help" "$W/page" >"$W/out" || complain "--help and nprobe-k(8) differ"
    "$(dirname "$PROBE")/npkctl" verify --help | grep -oE -- '^ .*--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -v -- --help | sort >"$W/help"
    sed -n '/^.SH OPTIONS/,/^.SH EXIT/s/^\.BI\? \(\\-\\-[^ ]*\).*/\1/p' "$TOP/docs/man/npkctl.8" | sed 's/\\-/-/g' | sort >"$W/page"
    checks=$((checks + 1))
    [ -s "$W/help" ] && diff "$W/help" "$W/page" >"$W/out" || complain "npkctl verify --help and npkctl(8) differ"
}

# The example of libnpk(3) compiles and meters a file.
man_example() {
    checks=$((checks + 1))
    sed -n '/^.SH EXAMPLES/,/^.EE/p' "$TOP/docs/man/libnpk.3" | sed '1,/^.EX/d; /^.EE/d; s/\\-/-/g; s/\\e/\\/g' >"$W/example.c"
    "${CC:-cc}" -Wall -Wextra -Werror -I"$TOP/include" -I"$TOP/include/uapi" -o "$W/example" "$W/example.c" -L"$TOP/build" \
        -Wl,-rpath,"$TOP/build" -lnpk >"$W/out" 2>"$W/err" || complain "the example of libnpk(3) does not compile"
    [ "$("$W/example" "pcap:$W/good.pcap")" = "192.0.2.1 96" ] || complain "the example of libnpk(3)"
}

failures() {
    [ -e /dev/nprobe_k ] || must_fail 1 "the module is not loaded" -n 127.0.0.1
    must_fail 1 "$W/none.pcap" -i "$W/none.pcap" --print csv
    must_fail 1 "$W: Is a directory" -i "pcap:$W" --print csv
    must_fail 1 "$W/text.pcap: not a capture file" -i "$W/text.pcap" --print csv
    must_fail 1 "$W/empty.pcap: not a capture file" -i "$W/empty.pcap" --print csv
    must_fail 1 "$W/cut.pcap: truncated" -i "$W/cut.pcap" --print csv
    must_fail 1 "$W/raw.pcap: link type Raw IP is not Ethernet" -i "$W/raw.pcap" --print csv
    must_fail 1 "no-such-host.invalid" -i "$W/good.pcap" -n no-such-host.invalid
    must_fail 1 "127.0.0.1@192.0.2.77\": 192.0.2.77: Cannot assign" -i "$W/good.pcap" -n 127.0.0.1@192.0.2.77
    must_fail 1 "\": 192.0.2.77: Cannot assign" -i "$W/good.pcap" -n 127.0.0.1 -q 192.0.2.77:9
    must_fail 1 "\": ::1: Address family not supported" -i "$W/good.pcap" -n 127.0.0.1@[::1]
    must_fail 1 "\": no-such-dev: No such device" -i "$W/good.pcap" -n 127.0.0.1%no-such-dev
    must_fail 1 "no-such-dev" -i live:no-such-dev --print csv
    must_fail 1 "$W/none/stats" -i "$W/good.pcap" --print csv --stats-json "$W/none/stats"
    mkfifo "$W/unread"
    must_fail 1 "$W/unread" -i "$W/good.pcap" --print csv --stats-json "$W/unread"
    must_fail 1 "$W/none.conf" --config "$W/none.conf"
    must_fail 1 "--nflow-key: $W/none: No such file" -i "$W/good.pcap" -V nflow --nflow-key "@$W/none"
}

# As a user without rights, if this one can become nobody.
no_permission() {
    local probe=$PROBE
    [ "$(id -u)" -eq 0 ] || { must_fail 1 "no permission to capture" -i live:lo --print csv; return; }
    cp "$PROBE" "$W/nprobe-k"
    cat >"$W/as-nobody" <<EOS
#!/bin/sh
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$W/nprobe-k" "\$@"
EOS
    chmod 755 "$W/as-nobody" "$W/nprobe-k"
    cp "$W/good.pcap" "$W/secret.pcap"
    chmod 600 "$W/secret.pcap"
    PROBE=$W/as-nobody
    must_fail 1 "no permission to capture" -i live:lo --print csv
    must_fail 1 "secret.pcap: Permission denied" -i "$W/secret.pcap" --print csv
    PROBE=$probe
}

config_file() {
    printf '# a comment\n\n-i=%s\n  --print = csv\nidle-timeout 20\n-V=5\n-n=none\n' "$W/good.pcap" >"$W/good.conf"
    must_work "192.0.2.1,198.51.100.2,17,12345,53,3,96," --config "$W/good.conf"
    must_work '"dport":53' --config "$W/good.conf" --print json
    printf -- '-i=%s\n-n=192.0.2.9:1\n' "$W/good.pcap" >"$W/list.conf"
    must_work "3,96" --config "$W/list.conf" -n none --print csv
    printf 'idle-timeout=abc\n' >"$W/bad.conf"
    must_fail 2 "$W/bad.conf:1: -d (idle-timeout)" --config "$W/bad.conf"
    printf '\nno-such=1\n' >"$W/bad.conf"
    must_fail 2 "$W/bad.conf:2: unknown option no-such" --config "$W/bad.conf"
    printf 'idle-timeout\n' >"$W/bad.conf"
    must_fail 2 "needs a value" --config "$W/bad.conf"
    printf 'all-collectors=1\n' >"$W/bad.conf"
    must_fail 2 "takes no value" --config "$W/bad.conf"
    printf -- '-R=48\n' >"$W/bad.conf"
    must_fail 2 "bad.conf:1: option -R (nProbe's --exec-cmd-dump)" --config "$W/bad.conf"
    printf 'collector=127.0.0.1\ncollector=h@\n' >"$W/bad.conf"
    must_fail 2 "bad.conf:2: -n (collector): \"h@\": no SOURCE" --config "$W/bad.conf"
    local name
    for name in config=x check-config list-fields help -v; do
        printf '%s\n' "$name" >"$W/bad.conf"
        must_fail 2 "bad.conf:1: -" --config "$W/bad.conf"
        must_fail 2 "inside a configuration file" --config "$W/bad.conf"
    done
}

# bad_line SENTENCE LINE: the second line of a file, printf's escapes in it
bad_line() {
    # shellcheck disable=SC2059
    printf "# a comment\n$2\n-t=5\n" >"$W/bad.conf"
    must_fail 2 "$W/bad.conf:2: $1" --check-config "$W/bad.conf"
    must_fail 2 "$W/bad.conf:2: $1" --config "$W/bad.conf" -n 127.0.0.1
}

config_lines() {
    bad_line "a NUL character" '-i=pcap:a\0b.pcap'
    bad_line "a NUL character" '\0'
    bad_line "longer than 65535 octets" "-f=$(printf '%065532d' 0)"
    bad_line "-f (bpf-filter): text without the end of the quotes" '-f="udp'
    bad_line "-f (bpf-filter): text behind the quotes" "-f='udp' or tcp"
    bad_line "-f (bpf-filter) needs a value" '-f='
    bad_line "option -H (nProbe's --zmq)" 'zmq = tcp://*:5556'
    bad_line "option --kafka of nProbe is not supported" '--kafka="localhost;topic"'
    bad_line "unknown option --kafkaesque" '--kafkaesque'
    bad_line "unknown option " '= 5'
    bad_line "option -A (nProbe's --as-list)" '-A=as.txt'
    bad_line "-a (all-collectors) takes no value" '-a=yes'
    # as long as can be, as an editor of Windows writes it, quotes of both kinds, nProbe's flags
    printf '\xef\xbb\xbf# first\r\n-f="udp port 53 or %065512d"\r\n\t--print = '"'csv'"'\r\n-a=\r\n-i=%s' 0 "$W/good.pcap" >"$W/odd.conf"
    must_work "odd.conf: ok" --check-config "$W/odd.conf"
    must_work ",3,96," --config <(printf -- '-i=%s\n--print=csv\n' "$W/good.pcap")
    printf '\xef\xbb\xbf-f="udp port 53"\r\n\t--print = '"'csv'"'\r\n-a=\r\n-i=%s' "$W/good.pcap" >"$W/odd.conf"
    must_work "192.0.2.1,198.51.100.2,17,12345,53,3,96," --config "$W/odd.conf"
}

# Neither device nor file nor collector is opened; everything else is checked.
check_config() {
    printf -- '-i=live:no-such-dev\n-n=no-such-host.invalid:2055\n--stats-json=/none/stats\n-f=udp\n' >"$W/c.conf"
    must_work "$W/c.conf: ok" --check-config "$W/c.conf"
    must_work "$W/c.conf: ok" --config "$W/c.conf" --check-config
    [ ! -s "$W/err" ] || complain "--check-config: something on standard error"
    must_work "$W/c.conf: ok" -i "$W/none.pcap" --check-config "$W/c.conf"
    must_work "$W/c.conf: ok" --check-config "$W/c.conf" -i kmod:default/3 --bpf-filter=udp -i pcap:x -G
    must_fail 2 "\"udp prt 53\"" --check-config "$W/c.conf" -f "udp prt 53"
    must_fail 2 "\"x\" is none of tos, vlan, mpls" --check-config "$W/c.conf" --key x
    must_fail 2 "-f (bpf-filter): not with the kernel module" --check-config "$W/c.conf" -i kmod
    printf -- '-i=kmod:/1\n' >"$W/k.conf"
    must_fail 2 "kmod:/1: not GROUP or GROUP/MEMBER" --check-config "$W/k.conf"
    must_fail 2 "which file" --check-config
    must_fail 2 "takes no value" "--check-config=$W/c.conf"
    must_fail 2 "unexpected argument \"more\"" --check-config "$W/c.conf" more
    must_fail 1 "$W/none.conf: No such file" --check-config "$W/none.conf"
    must_fail 1 "$W: Is a directory" --check-config "$W"
    mkdir "$W/$(printf '%0250d' 0)"
    printf 'y\n' >"$W/$(printf '%0250d' 0)/$(printf '%0250d' 1)"
    must_fail 2 "1:1: unknown option y" --config "$W/$(printf '%0250d' 0)/$(printf '%0250d' 1)"
}

success() {
    must_work "Usage: nprobe-k" --help
    must_work "Exit code" -h
    must_work "nprobe-k 0." --version
    must_work "192.0.2.1,198.51.100.2,17,12345,53,3,96," -i "$W/good.pcap" --print csv
    must_work "flows: 1 read, 1 printed" -i "pcap:$W/good.pcap" --print csv
    must_work "1700000000.500000000,1700000003.500000000" -i "$W/good.pcap" --print csv -n none
    must_work "ignored" -i "$W/good.pcap" --print csv -G -g "$W/pid"
    must_work '"filter":1' -i "$W/good.pcap" -n none -f udp --stats-json /dev/stdout -b 0
    must_work "1 read, 1 counted only" -i "$W/good.pcap" -n none --stats-json /dev/null
    must_work '"not_sampled":2' -i "$W/good.pcap" -n none -f udp -S 2 --stats-json /dev/stdout -b 0
    must_work '2 not sampled' -i "$W/good.pcap" -n none -S 2 --stats-json /dev/null
    must_work "192.0.2.1,198.51.100.2,17,12345,53,3,96," -i "$W/good.pcap" --print csv -S @100
    must_work '"flow_not_sampled":1' -i "$W/good.pcap" -n 127.0.0.1:9 -S 1:1:4294967295 --stats-json /dev/stdout
    must_work '"not_exportable":0' -i "$W/good.pcap" -n 127.0.0.1:9 -V 5 --stats-json /dev/stdout
    must_work "sent in 1 datagrams" -i "$W/good.pcap" -n 127.0.0.1:9 -V 5
    printf 'secret\n' >"$W/key"
    must_work "sent in 1 datagrams" -i "$W/good.pcap" -n 127.0.0.1:9 -V nflow --nflow-key "@$W/key" --nflow-plain
    must_work "1 sent in" -i "$W/good.pcap" -n 127.0.0.1:9 -V nflow9 --nflow-key "@$W/key" --nflow9-zlib
    printf -- '-V=nflow9\n' >"$W/signed.conf"
    must_work "1 sent in" --config "$W/signed.conf" -i "$W/good.pcap" -n 127.0.0.1:9 --nflow-key @<(echo secret)
}

# Counters on a pipe that closes early are no reason to hang or crash.
broken_pipe() {
    local code=0
    checks=$((checks + 1))
    { "$PROBE" -i "$W/good.pcap" --print csv 2>"$W/err" || code=$?; echo "$code" >"$W/code"; } | true
    code=$(cat "$W/code")
    [ "$code" -eq 0 ] || [ "$code" -eq 1 ] || complain "closed pipe: exit code $code"
}

full_disk() {
    [ -w /dev/full ] || return 0
    local code=0
    checks=$((checks + 1))
    : >"$W/out"
    "$PROBE" -i "$W/good.pcap" --print csv -b 0 >/dev/full 2>"$W/err" || code=$?
    [ "$code" -eq 1 ] && [ "$(grep -c 'standard output: No space left' "$W/err")" -eq 1 ] || complain "full disk: exit code $code"
    code=0
    "$TOP/build/npkctl" verify --print csv "$W/good.pcap" >/dev/full 2>"$W/err" || code=$?
    [ "$code" -eq 1 ] && [ "$(grep -c 'standard output: No space left' "$W/err")" -eq 1 ] || complain "full disk, npkctl: exit code $code"
}

# A signal ends a daemon that waits for a pipe, within five seconds.
silent_pipe() {
    local code=0
    checks=$((checks + 1))
    : >"$W/err"
    { cat "$W/good.pcap"; sleep 8; } | { timeout -s TERM -k 5 1 "$PROBE" -i pcap:/dev/stdin --print csv >"$W/out" 2>"$W/err" || code=$?
        echo "$code" >"$W/code"; } &
    wait "$!" || :
    [ "$(cat "$W/code")" -eq 124 ] || complain "silent pipe: exit code $(cat "$W/code")"
    grep -q '17,12345,53,3,96,' "$W/out" || complain "silent pipe: the flow is missing"
}

# Messages never go into a socket that took the place of standard error.
closed_files() {
    local code=0
    checks=$((checks + 1))
    "$PROBE" -i "$W/good.pcap" -n none --stats-json "$W/stats" <&- >&- 2>&- || code=$?
    [ "$code" -eq 0 ] && [ "$(head -c 1 "$W/stats")" = "{" ] || complain "closed files: exit code $code"
}

# The same questions to npkctl.
control_tool() {
    local PROBE=$TOP/build/npkctl SPEAKER=npkctl port
    must_fail 2 "no command"
    must_fail 2 "unknown command \"status\"" status
    must_work "verify" --help
    must_work "npkctl 0." --version
    must_work "Usage: npkctl verify" verify --help
    must_fail 2 "no source" verify
    must_fail 2 "unexpected argument" verify "$W/good.pcap" other
    must_fail 2 "--no-such: unknown option" verify --no-such "$W/good.pcap"
    must_fail 2 "-x: unknown option" verify -xy "$W/good.pcap"
    must_fail 2 "--help=me: takes no value" verify --help=me
    must_fail 2 "--key: needs a value" verify --key
    for port in 65536 000053 -1 +53 " 53" 5e3 ""; do must_fail 2 "udp://:$port: not udp://" verify "udp://:$port"; done
    must_fail 2 "the key is empty" verify --key "" "$W/good.pcap"
    must_fail 2 "--key: no FILE after the @" verify --key @ "$W/good.pcap"
    must_fail 1 "$W/none: No such file" verify --key "@$W/none" "$W/good.pcap"
    must_fail 2 "xml" verify --print xml "$W/good.pcap"
    must_fail 2 "0: --window takes" verify --window 0 "$W/good.pcap"
    must_fail 2 "1m: --window takes" verify --window 1m "$W/good.pcap"
    must_fail 2 "eth0: none of pcap:FILE" verify eth0
    must_fail 2 "udp://127.0.0.1: not udp://" verify udp://127.0.0.1
    must_fail 2 "udp://:99999: not udp://" verify udp://:99999
    must_fail 1 "udp://192.0.2.1:2055: Cannot assign" verify udp://192.0.2.1:2055
    must_fail 2 "udp prt" verify --bpf-filter "udp prt 1" "$W/good.pcap"
    must_fail 2 "--bpf-filter is for files" verify --bpf-filter udp udp://127.0.0.1:0
    must_fail 1 "pcap:$W/none.pcap: No such file" verify "pcap:$W/none.pcap"
    must_fail 1 "$W/text.pcap: " verify "$W/text.pcap"
    must_fail 1 "npkctl: 0 datagrams: 0 valid" verify --bpf-filter arp "$W/good.pcap"
    must_fail 1 "npkctl: 3 datagrams: 0 valid, 0 bad digest, 0 unsigned, 3 malformed" verify "$W/good.pcap"
}

make_captures
wrong_use
templates
documented_fields
nprobe_options
man_options
man_example
failures
no_permission
config_file
config_lines
check_config
success
control_tool
broken_pipe
full_disk
silent_pipe
closed_files
echo "$checks checks, $bad failed"
[ "$bad" -eq 0 ]
