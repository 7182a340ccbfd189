# How `make bench` builds the benchmark and runs it; a part of the Makefile at the top.
#
# Every source here is a program, but for count_allocations.cc, which stands in a twin of each
# server: counting costs time, and the servers whose time is measured go without; and but for
# micro_*.cc, which are one program with micro.cc.

MICRO_SOURCES := $(wildcard test/bench/micro_*.cc)
BENCH_SOURCES := $(filter-out %/count_allocations.cc $(MICRO_SOURCES),$(wildcard test/bench/*.cc))
BENCH         := $(BENCH_SOURCES:test/bench/%.cc=$(BUILD)/bench/%)
BENCH_COUNTED := $(patsubst $(BUILD)/bench/%,$(BUILD)/bench/counted/%,\
                   $(filter %_server $(BUILD)/bench/eddy_%,$(BENCH)))

# Objects stand before the library that they need, or the linker does not look there for them.
$(BENCH): $(BUILD)/bench/%: $(BUILD)/obj/test/bench/%.o
$(BENCH_COUNTED): $(BUILD)/bench/counted/%: $(BUILD)/obj/test/bench/%.o \
                  $(call objects,test/bench/count_allocations.cc)
$(filter %/micro,$(BENCH)): $(call objects,$(MICRO_SOURCES))
$(filter %/micro $(BUILD)/bench/eddy_%,$(BENCH)): $(LIBRARY)
$(filter $(BUILD)/bench/counted/eddy_%,$(BENCH_COUNTED)): $(LIBRARY)
$(filter %/micro,$(BENCH)): BENCH_LIBS = $(foreach library,benchmark libuv libevent,\
                                  $(shell pkg-config --libs $(library) 2>/dev/null))
$(BENCH) $(BENCH_COUNTED):
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(LINK) $(filter %.o %.a,$^) $(BENCH_LIBS) $(PACKAGE_LIBS) -o $@

.PHONY: bench bench-programs
bench: deps deps-bench
	@$(MAKE) bench-programs
	@test/bench/run --build $(BUILD)/bench $(ARGS)

bench-programs: $(BENCH) $(BENCH_COUNTED)
	@:
