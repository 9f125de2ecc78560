# phase2sim. On Debian 12 `make run` and `make test` do all the set-up themselves; see README.md.
# Everything that is built goes to $B; every variable may be overridden: make CC=clang B=build/clang
CC       ?= cc
CXX      ?= c++
CFLAGS   ?= -O2 -g
CXXFLAGS ?= -O2 -g
LDFLAGS  ?=
WERROR   ?=
B        ?= build

RUN_PACKAGES  = gcc g++ libc6-dev pkg-config libns3-dev libgsl-dev libsqlite3-dev libxml2-dev nettle-dev libgmp-dev \
                libjansson-dev libpcap-dev
TEST_PACKAGES = $(RUN_PACKAGES) libcunit1-dev libxml2-utils tshark python3-scapy python3-cryptography

WARN      = -Wall -Wextra -Wshadow -Wconversion $(WERROR)
INCLUDE   = -Imodel -Ibindings -Iscenarios -Ianalysis -Ianalysis/explain -Itests
XML      := $(shell pkg-config --cflags libxml-2.0 2>/dev/null)
C_FLAGS   = -std=c11 -D_POSIX_C_SOURCE=200809L $(WARN) $(INCLUDE) $(XML) $(CFLAGS)
CXX_FLAGS = -std=c++17 $(WARN) $(INCLUDE) $(CXXFLAGS)
NS3_LIBS  = -lns3-virtual-net-device -lns3-internet -lns3-traffic-control -lns3-network -lns3-core
C_LIBS    = -lxml2 -ljansson -lhogweed -lnettle -lgmp -lm
MAIN_LIBS = -lsqlite3 -lgsl -lgslcblas -lpcap $(C_LIBS)

model    = $(wildcard model/*.c)
bindings = $(wildcard bindings/*.c bindings/*.cc)
scenario = $(filter-out %-main.c,$(wildcard scenarios/*.c))
analysis = $(filter-out %-main.c,$(wildcard analysis/*.c analysis/explain/*.c))
sim      = $(wildcard tests/sim/*.c)
tests    = $(patsubst %.c,$B/%,$(wildcard tests/test_*.c))
benches  = $(patsubst %.c,$B/%,$(wildcard tests/bench/bench_*.c))
tools    = $(patsubst %.c,$B/%,$(wildcard tests/tools/*.c))
fuzzers  = $(patsubst %.c,$B/%,$(wildcard tests/fuzz/fuzz_*.c))
examples = $(addprefix $B/bindings/examples/,two-gateways-c two-gateways-cc by-hand-c)
obj      = $(addprefix $B/,$(addsuffix .o,$(basename $(1))))

archives = $B/libanalysis.a $B/libscenario.a $B/libphase2-ns3.a $B/libphase2.a
GROUP    = -Wl,--start-group $(archives) -Wl,--end-group

all: $B/phase2sim $B/phase2sim-worker

# --- what a person types ---
run: setup
	+$(MAKE) -j$$(nproc) all
	$B/phase2sim run scenarios/rekey-pfs.xml

test: setup-test
	+$(MAKE) -j$$(nproc) check

setup:
	@sh tests/setup.sh $(RUN_PACKAGES)
setup-test:
	@sh tests/setup.sh $(TEST_PACKAGES)

check: all $(tests) $(tools) $(examples)
	B=$B sh tests/run.sh $(tests) $(wildcard tests/test_*.sh)

# Everything compiled, nothing run: for warnings.
objects: all $(tests) $(tools) $(benches) $(examples)

bench: all $(benches)
	for bench in $(benches); do echo "== $$bench"; $$bench || exit 1; done

# FUZZ_SECONDS for each; what they find, and inputs that reach new places, stay in $B/fuzz.
FUZZ_SECONDS ?= 300
SANITIZE      = -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz:
	@sh tests/setup.sh $(TEST_PACKAGES) clang libclang-rt-14-dev
	+$(MAKE) build-fuzzers B=$B/fuzz CC=clang CFLAGS="-O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link"
	sh tests/fuzz/run.sh $(FUZZ_SECONDS) $B/fuzz $(patsubst $B/%,$B/fuzz/%,$(fuzzers))
build-fuzzers: $(fuzzers)

# HOSTILE datagrams and as many packets, none of which may do harm.
HOSTILE ?= 10000000
hostile: $B/tests/test_hostile_isakmp $B/tests/test_hostile
	P2_HOSTILE=$(HOSTILE) $B/tests/test_hostile_isakmp
	P2_HOSTILE=$(HOSTILE) $B/tests/test_hostile

# The tests in C and the worker under valgrind.
valgrind:
	@sh tests/setup.sh $(TEST_PACKAGES) valgrind
	+$(MAKE) -j$$(nproc) all $(tests)
	B=$B sh tests/valgrind.sh $(tests)

# How much of model/ its own tests reach; tests/coverage/unreached.txt has what they do not, and why. Tests of
# anything else would only cost time.
others = allocations attack attack_report calibrate causes classes cpu dissect explain explain_% failure_text fate \
         frames keyring keys ns3c ns3c_% out_of_memory_program phase2_% reassembly record report scenario \
         scenario_% statistics store summary traffic units workers
reaching = $(filter-out $(addprefix $B/tests/test_,$(others)),$(tests))
coverage:
	+$(MAKE) build-coverage B=$B/coverage CFLAGS="-O0 -g" CXXFLAGS=-O0 COVERAGE=--coverage LDFLAGS=--coverage
	B=$B/coverage sh tests/coverage/measure.sh $(patsubst $B/%,$B/coverage/%,$(reaching))
build-coverage: $(reaching)
$(call obj,$(model)): MEASURE = $(COVERAGE)

SOURCES = $(wildcard */*.[ch] */*.cc analysis/*/*.[ch] tests/*/*.[ch] bindings/examples/*)
format:
	clang-format -i $(SOURCES)
format-check:
	clang-format --dry-run --Werror $(SOURCES)

# What .clang-tidy says, over everything in C; two at a time.
TIDY = $(wildcard model/*.c bindings/*.c bindings/examples/*.c scenarios/*.c analysis/*.c analysis/explain/*.c \
         tests/*.c tests/*/*.c)
tidy:
	@sh tests/setup.sh $(TEST_PACKAGES) clang-tidy
	printf '%s\n' $(TIDY) | xargs -P 2 -n 8 sh -c 'clang-tidy --quiet "$$@" -- $(C_FLAGS) 2>/dev/null' sh

clean:
	rm -rf $B

# --- how it is made ---
$B/phase2sim: $(call obj,analysis/phase2sim-main.c) $(archives)
	$(CC) $(LDFLAGS) -o $@ $< $(GROUP) $(MAIN_LIBS)
$B/phase2sim-worker: $(call obj,scenarios/worker-main.c) $(archives)
	$(CXX) $(LDFLAGS) -o $@ $< $(GROUP) $(NS3_LIBS) $(C_LIBS)

$B/libphase2.a: $(call obj,$(model))
$B/libphase2-ns3.a: $(call obj,$(bindings))
$B/libscenario.a: $(call obj,$(scenario))
$B/libanalysis.a: $(call obj,$(analysis))
$B/%.a:
	rm -f $@ && ar rcs $@ $^

# The test of weak keys stands between the derivation of keys and those who use them.
$B/tests/test_weak_keys: WRAP = -Wl,--wrap=p2_keymat_derive,--wrap=p2_keymat_skeyids
# The corpus test brings a Diffie-Hellman of its own, which stands before the library's.
$B/tests/test_corpus: $(call obj,$(wildcard tests/corpus/*.c))
# Our own allocations go through this test's functions, which let each fail in turn.
$B/tests/test_out_of_memory_program: WRAP = $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc free strdup \
    open_memstream fmemopen fopen opendir)
comma := ,
$B/tests/%: $B/tests/%.o $(call obj,$(sim)) $(archives)
	$(CXX) $(LDFLAGS) $(WRAP) -o $@ $(filter %.o,$^) $(GROUP) -Wl,--as-needed $(NS3_LIBS) $(MAIN_LIBS) -lcunit
$B/tests/fuzz/fuzz_explain: $(call obj,$(filter-out tests/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c)))
$B/tests/fuzz/fuzz_isakmp $B/tests/fuzz/fuzz_sealed: $B/tests/sim/duel.o
$B/tests/fuzz/fuzz_esp: $B/tests/sim/direct.o
$B/tests/fuzz/fuzz_%: $B/tests/fuzz/fuzz_%.o $B/libanalysis.a $B/libscenario.a $B/libphase2.a
	$(CC) $(SANITIZE) -fsanitize=fuzzer -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(MAIN_LIBS) -lcunit
$B/bindings/examples/%-c: $B/bindings/examples/%.o $(archives)
	$(CXX) $(LDFLAGS) -o $@ $< $(GROUP) $(NS3_LIBS) $(C_LIBS)
$B/bindings/examples/%-cc: $B/bindings/examples/%-cc.o $(archives)
	$(CXX) $(LDFLAGS) -o $@ $< $(GROUP) -lns3-point-to-point $(NS3_LIBS) $(C_LIBS)

$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(MEASURE) -MMD -MP -c $< -o $@
$B/%-cc.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXX_FLAGS) -MMD -MP -c $< -o $@
$B/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXX_FLAGS) -MMD -MP -c $< -o $@

include scenarios/schema.mk
include bindings/install.mk
-include $(shell find $B -name '*.d' 2>/dev/null)
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all run test setup setup-test check objects bench fuzz build-fuzzers hostile valgrind coverage build-coverage \
        install uninstall format format-check tidy clean
