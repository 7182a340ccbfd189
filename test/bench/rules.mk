# How `make bench` builds the benchmark and runs it; a part of the Makefile at the top.
#
# Every source here is a program, but for count_allocations.cc, which stands in each of the servers.

BENCH_SOURCES := $(filter-out %/count_allocations.cc,$(wildcard test/bench/*.cc))
BENCH         := $(BENCH_SOURCES:test/bench/%.cc=$(BUILD)/bench/%)
BENCH_SERVERS := $(filter %_server $(BUILD)/bench/eddy_%,$(BENCH))

$(BENCH_SERVERS): $(call objects,test/bench/count_allocations.cc)
$(filter $(BUILD)/bench/eddy_% %/micro,$(BENCH)): $(LIBRARY)
$(filter %/micro,$(BENCH)): BENCH_LIBS = $(shell pkg-config --libs benchmark)
$(BENCH): $(BUILD)/bench/%: $(BUILD)/obj/test/bench/%.o
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(LINK) $(filter %.o %.a,$^) $(BENCH_LIBS) $(PACKAGE_LIBS) -o $@

.PHONY: bench bench-programs
bench: deps deps-bench
	@$(MAKE) bench-programs
	@test/bench/run --build $(BUILD)/bench $(ARGS)

bench-programs: $(BENCH)
	@:
