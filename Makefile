# SPDX-License-Identifier: GPL-2.0-only
# Human targets.  kbuild reads Kbuild, not this file.

CC ?= gcc
PREFIX ?= /usr/local
BUILD := build
DESTDIR ?=

# SAN=1: sanitizers; the tests build a second and third tree that way.
SAN ?=
comma := ,
OPT := $(if $(SAN),-O1 -g -fsanitize=address$(comma)undefined -fno-sanitize-recover=all,-O2 -g)

# V=1 shows the commands.
Q := $(if $(V),,@)

WARN := -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Werror
CORE_WARN := -Wframe-larger-than=1024 -Wno-unused-parameter
CPPFLAGS += -I. -Iinclude -Iinclude/uapi -D_GNU_SOURCE
CFLAGS += -std=gnu11 $(OPT) $(WARN) -fPIC -MMD -MP
LDLIBS := -lpcap -lz -lnettle

CORE := $(wildcard kmod/core/*.c)
LIB := $(wildcard lib/*.c)
# npkctl's own files; the others are the daemon's, of which it takes some
CTL := probe/npkctl.c probe/datagrams.c probe/udpframe.c $(wildcard probe/cmd_*.c)
CTL_SHARED := probe/key.c probe/p0f.c probe/print.c probe/printer.c probe/standard.c
PROBE := $(filter-out $(CTL),$(wildcard probe/*.c))
UNIT := $(wildcard tests/unit/test_*.c)

FUZZ := $(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c))
FUZZ_SAN := -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=address,undefined
FUZZ_LIB := $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(CORE) $(LIB))
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ))
REPLAY_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/replay/%,$(FUZZ))
# seconds of CPU for each target of make fuzz
SECONDS := 900
# steps of make oracle
STEPS := 10000000

LIB_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(CORE) $(LIB))
PROBE_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(PROBE))
CTL_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(CTL) $(CTL_SHARED))
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT))

.DELETE_ON_ERROR:
.PHONY: all run run-live test test-debug test-kernels bench check style install uninstall clean help unit

all: $(BUILD)/libnpk.a $(BUILD)/libnpk.so $(BUILD)/nprobe-k $(BUILD)/npkctl

help:
	@echo 'make              build build/nprobe-k, build/npkctl and build/libnpk.{a,so}'
	@echo 'sudo make run     the kernel module on real traffic, in a guest with this suite'"'"'s kernel'
	@echo 'sudo make run DEV=eth0 [COLLECTOR=host:2055]    the same on a device of this host'
	@echo 'sudo make run-live   without the module, between two network namespaces'
	@echo 'sudo make test    every test; installs what it needs'
	@echo 'sudo make test-debug   the lab tests on a kernel with KASAN, lockdep, kmemleak'
	@echo 'sudo make test-kernels   the module on the kernels of other suites, 5.10 to 7.x'
	@echo 'make check        the tests that need neither root nor network, within a minute'
	@echo 'make bench        what metering costs, beside its peers and beside what is to hold (15 minutes)'
	@echo 'make style        coding style, layering, headers on their own, kernel build of the core'
	@echo 'make fuzz         fuzz parser, meter, encoders, verifier [SECONDS=900] of CPU time each'
	@echo 'make corpus       the kept inputs of the fuzz targets, a few seconds'
	@echo 'make oracle       the flow table against a naive one [STEPS=10000000] [SEED=number]'
	@echo 'make coverage     lines of the core that unit tests and kept inputs reach'
	@echo 'make install      into $$(DESTDIR)$$(PREFIX), default /usr/local; make uninstall'
	@echo 'make clean        remove build/'

$(BUILD)/libnpk.a: $(LIB_OBJ)
	@echo '  AR   $@'; rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/libnpk.so: $(LIB_OBJ) lib/libnpk.map
	@echo '  LD   $@'
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-soname,libnpk.so.0 -Wl,--version-script=lib/libnpk.map \
		-o $@ $(LIB_OBJ) $(LDFLAGS) $(LDLIBS)
	@ln -sf libnpk.so $@.0

$(BUILD)/nprobe-k: $(PROBE_OBJ) $(BUILD)/libnpk.a
$(BUILD)/npkctl: $(CTL_OBJ) $(BUILD)/libnpk.a
$(BUILD)/nprobe-k $(BUILD)/npkctl:
	@echo '  LD   $@'
	$(Q)$(CC) $(CFLAGS) -pthread -o $@ $^ $(LDFLAGS) $(LDLIBS)

$(BUILD)/obj/kmod/core/%.o: CFLAGS += $(CORE_WARN)
$(BUILD)/obj/%.o: %.c
	@echo '  CC   $<'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

unit: $(UNIT_BIN)

.PHONY: replay
replay: $(REPLAY_BIN)

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libnpk.a
	@echo '  LD   $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< $(BUILD)/libnpk.a $(LDFLAGS) $(LDLIBS) -lcmocka

# random records over random templates, for tests/roundtrip/roundtrip.py
$(BUILD)/roundtrip: tests/roundtrip/streams.c $(BUILD)/libnpk.a
	@echo '  LD   $@'
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< $(BUILD)/libnpk.a $(LDFLAGS) $(LDLIBS)

# as the kernel compiles the core: without -fPIC, and no file knows the code of another
BENCH_FLAGS := -std=gnu11 -O2 -g -fno-strict-aliasing -fno-pie -no-pie -pthread
BENCH_SRC := $(CORE) lib/batch.c lib/rings.c
$(BUILD)/bench/%: tests/bench/%.c $(BENCH_SRC) $(wildcard kmod/core/*.h lib/*.h tests/bench/*.h tests/unit/*.h)
	@echo '  LD   $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(BENCH_FLAGS) $(WARN) -Wno-unused-parameter -o $@ $< $(BENCH_SRC) -lm

# what needs the library or nothing of ours
$(BUILD)/bench/encode $(BUILD)/bench/reader: $(BUILD)/bench/%: tests/bench/%.c tests/bench/bench.h $(BUILD)/libnpk.a
	@echo '  LD   $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< $(BUILD)/libnpk.a $(LDFLAGS) $(LDLIBS)

# libFuzzer is clang's; objects of their own, because coverage guides it
$(BUILD)/fuzz/obj/kmod/core/%.o: CFLAGS += $(CORE_WARN)
$(BUILD)/fuzz/obj/tests/fuzz/%.o: CFLAGS += -Wno-unused-parameter
$(BUILD)/fuzz/obj/%.o: %.c
	@echo '  CC   $<'; mkdir -p $(@D)
	$(Q)clang $(CPPFLAGS) $(CFLAGS) $(FUZZ_SAN),fuzzer-no-link -c -o $@ $<

$(FUZZ_BIN): $(BUILD)/fuzz/%: $(BUILD)/fuzz/obj/tests/fuzz/%.o $(FUZZ_LIB)
	@echo '  LD   $@'
	$(Q)clang $(FUZZ_SAN),fuzzer -o $@ $^ $(LDFLAGS) $(LDLIBS)

# the same targets without libFuzzer, for any compiler
$(BUILD)/replay/%: tests/fuzz/%.c tests/fuzz/replay.c $(BUILD)/libnpk.a
	@echo '  LD   $@'; mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< tests/fuzz/replay.c $(BUILD)/libnpk.a $(LDFLAGS) $(LDLIBS)

# DEV and COLLECTOR go on as they were typed
run: export DEV := $(DEV)
run: export COLLECTOR := $(COLLECTOR)
run:
	@tests/demo.sh

run-live:
	@tests/demo.sh live

test:
	@tests/run.sh test

test-debug:
	@tests/run.sh debug

test-kernels:
	@tests/run.sh kernels

check:
	@tests/run.sh check

bench:
	@tests/bench/run.sh

style:
	@tests/run.sh style

.PHONY: fuzz
fuzz: $(FUZZ_BIN)
	@nice -n 10 tests/fuzz/fuzz.py run $(SECONDS)

.PHONY: corpus
corpus: $(FUZZ_BIN)
	@tests/fuzz/fuzz.py replay

.PHONY: oracle
oracle:
	@$(MAKE) -s SAN=1 BUILD=build/gcc-san CC=gcc build/gcc-san/unit/test_table
	@NPK_ORACLE_STEPS=$(STEPS) NPK_ORACLE_SEED=$(SEED) nice -n 10 build/gcc-san/unit/test_table

.PHONY: coverage
coverage:
	@$(MAKE) -s CC=gcc SAN= OPT='-Og -g --coverage' BUILD=build/coverage unit replay
	@tests/coverage.py build/coverage 95

MAN := $(foreach page,$(notdir $(wildcard docs/man/*)),$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(page)))/$(page))

install: all
	install -D -m 755 $(BUILD)/nprobe-k $(DESTDIR)$(PREFIX)/sbin/nprobe-k
	install -D -m 755 $(BUILD)/npkctl $(DESTDIR)$(PREFIX)/sbin/npkctl
	for n in 3 4 8; do install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$$n docs/man/*.$$n; done
	install -D -m 644 $(BUILD)/libnpk.a $(DESTDIR)$(PREFIX)/lib/libnpk.a
	install -D -m 755 $(BUILD)/libnpk.so $(DESTDIR)$(PREFIX)/lib/libnpk.so.0
	ln -sf libnpk.so.0 $(DESTDIR)$(PREFIX)/lib/libnpk.so
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/npk include/npk/*.h
	install -D -m 644 include/uapi/nprobe_k.h $(DESTDIR)$(PREFIX)/include/nprobe_k.h

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/nprobe-k $(DESTDIR)$(PREFIX)/sbin/npkctl
	rm -f $(MAN)
	rm -f $(DESTDIR)$(PREFIX)/include/nprobe_k.h
	rm -f $(DESTDIR)$(PREFIX)/lib/libnpk.a $(DESTDIR)$(PREFIX)/lib/libnpk.so $(DESTDIR)$(PREFIX)/lib/libnpk.so.0
	rm -rf $(DESTDIR)$(PREFIX)/include/npk

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
