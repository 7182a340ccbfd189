# How `make bench` builds the benchmark and runs it; a part of the Makefile at the top.
#
# A source here is a program, and so is one in peers/ whose library is installed; what is in load/
# makes one together, and so does what is in micro/. count_allocations.cc stands in a twin of each
# server: counting costs time, and the servers whose time is measured go without.

BENCH_ASIO  := $(if $(wildcard /usr/include/asio.hpp /usr/local/include/asio.hpp),yes)
BENCH_PEERS := $(if $(BENCH_ASIO),asio_callbacks asio_stackless asio_awaitable) \
               $(shell pkg-config --exists libuv 2>/dev/null && echo libuv_server) \
               $(shell pkg-config --exists libevent 2>/dev/null && echo libevent_server)
BENCH_SOURCES := $(filter-out %/count_allocations.cc,$(wildcard test/bench/*.cc)) \
                 $(BENCH_PEERS:%=test/bench/peers/%.cc)

# The program of a source, and the counted twin of a program.
bench_program = $(patsubst %.cc,$(BUILD)/bench/%,$(notdir $(1)))
bench_counted = $(patsubst $(BUILD)/bench/%,$(BUILD)/bench/counted/%,$(1))

BENCH_LOAD    := $(BUILD)/bench/load
BENCH_MICRO   := $(BUILD)/bench/micro
BENCH_OURS    := $(filter $(BUILD)/bench/eddy_%,$(call bench_program,$(BENCH_SOURCES)))
BENCH         := $(call bench_program,$(BENCH_SOURCES)) $(BENCH_LOAD) $(BENCH_MICRO)
BENCH_COUNTED := $(call bench_counted,$(filter-out %/raw_rpc $(BENCH_LOAD) $(BENCH_MICRO),$(BENCH)))

# Objects stand before the library that they need, or the linker does not look there for them.
define bench_rule
$(call bench_program,$(1)): $(call objects,$(1))
$(call bench_counted,$(call bench_program,$(1))): \
  $(call objects,$(1) test/bench/count_allocations.cc)
endef
$(foreach source,$(BENCH_SOURCES),$(eval $(call bench_rule,$(source))))
$(BENCH_LOAD): $(call objects,$(wildcard test/bench/load/*.cc)) test/bench/load
$(BENCH_MICRO): $(call objects,$(wildcard test/bench/micro/*.cc)) test/bench/micro
$(BENCH_OURS) $(call bench_counted,$(BENCH_OURS)) $(BENCH_MICRO): $(LIBRARY)

# Headers of other people's are not ours to warn of.
$(call objects,test/bench/peers/libuv_server.cc): \
  PEER_FLAGS = $(patsubst -I%,-isystem%,$(shell pkg-config --cflags libuv))
$(call objects,test/bench/peers/libevent_server.cc): \
  PEER_FLAGS = $(patsubst -I%,-isystem%,$(shell pkg-config --cflags libevent))
$(call objects,$(wildcard test/bench/peers/asio_*.cc)): \
  PEER_FLAGS = -DASIO_STANDALONE -DASIO_NO_DEPRECATED $(ASIO_CLANG)
# asio 1.22 looks for another sign of coroutines than clang gives with g++'s library.
ASIO_CLANG := $(if $(filter clang,$(MODE)),-DASIO_HAS_CO_AWAIT=1 -DASIO_HAS_STD_COROUTINE=1)
$(BUILD)/obj/test/bench/peers/%.o: CPPFLAGS += $(PEER_FLAGS)
$(BUILD)/obj/test/bench/micro/%.o: CPPFLAGS += $(ASIO_CLANG)

$(BENCH_MICRO): BENCH_LIBS = $(shell pkg-config --libs benchmark) $(foreach library,libuv libevent,\
                              $(shell pkg-config --silence-errors --libs $(library)))
$(filter %/libuv_server,$(BENCH) $(BENCH_COUNTED)): BENCH_LIBS = $(shell pkg-config --libs libuv)
$(filter %/libevent_server,$(BENCH) $(BENCH_COUNTED)): \
  BENCH_LIBS = $(shell pkg-config --libs libevent)

$(BENCH) $(BENCH_COUNTED):
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(LINK) $(filter %.o %.a,$^) $(BENCH_LIBS) $(PACKAGE_LIBS) -o $@

.PHONY: bench bench-quick bench-programs
bench bench-quick: deps-bench
	@$(MAKE) bench-programs
	@CXX=$(CXX) test/bench/run --build $(BUILD) $(RUN_BENCH) $(ARGS)
bench: RUN_BENCH = --publish
bench-quick: RUN_BENCH = --quick

# Calls and requests are made to the demos themselves.
bench-programs: $(BENCH) $(BENCH_COUNTED) $(BUILD)/demo/telnet_rpc $(BUILD)/demo/snow
	@:
