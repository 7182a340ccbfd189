# eddy: how it is built, tested and installed. `make help` lists what can be asked for.
#
# Sources are found by wildcard, so a new file needs no line here:
#   loop/ stream/ server/ proto/*.cc         the library
#   demo/NAME.cc                             a program; demo/support/*.cc serve every one of them
#   test/ROOM/*_test.cc                      one test program a room; test/support/*.cc serve all

VERSION := 0.1.0
SONAME  := libeddy.so.0

# How to compile: `make MODE=asan test`. The modes live side by side under build/.
MODE  ?= release
BUILD := build$(if $(filter-out release,$(MODE)),/$(MODE))

FLAGS_release := -O2 -g
FLAGS_debug   := -O0 -g -D_GLIBCXX_ASSERTIONS
FLAGS_asan    := -O1 -g -D_GLIBCXX_ASSERTIONS -fno-omit-frame-pointer \
                 -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan    := -O1 -g -fsanitize=thread
FLAGS_clang   := -O1 -g
ifndef FLAGS_$(MODE)
$(error MODE is one of release, debug, asan, tsan, clang)
endif

ifeq ($(MODE),clang)
CXX := clang++
endif
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion $(if $(STRICT),-Werror)

# The libraries that eddy stands on. Only its .cc files know them.
PACKAGES      := spdlog re2 openssl
PACKAGE_FLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PACKAGE_LIBS   = $(shell pkg-config --libs $(PACKAGES))
TEST_LIBS      = $(shell pkg-config --libs gmock_main)
FOUND          = $(or $(PACKAGE_FLAGS),$(error $(PACKAGES) not found: `make deps` installs them))

# CXXFLAGS, CPPFLAGS and LDFLAGS are the user's, and come last.
COMPILE = $(CXX) -std=c++20 -pthread $(FLAGS_$(MODE)) $(WARNINGS) -Ibuild/include -MMD -MP \
          $(FOUND) $(CPPFLAGS) $(CXXFLAGS)
LINK    = $(CXX) -pthread $(FLAGS_$(MODE)) $(CXXFLAGS) -Wl,--as-needed $(LDFLAGS)

# Every core builds, unless JOBS says otherwise.
ifeq ($(MAKELEVEL),0)
JOBS      ?= $(shell nproc)
MAKEFLAGS += --no-print-directory --no-builtin-rules -j$(JOBS)
endif

# `make V=1` shows whole commands.
Q   := $(if $(V),,@)
say  = @printf '  %-5s %s\n'

# --- What there is to build ----------------------------------------------------------------------

ROOMS := loop stream server proto

SOURCES      := $(wildcard $(ROOMS:=/*.cc))
DEMO_SOURCES := $(wildcard demo/*.cc)
DEMO_SUPPORT := $(wildcard demo/support/*.cc)
TEST_SUPPORT := $(wildcard test/support/*.cc)
TESTED_ROOMS := $(foreach room,$(ROOMS) demo,$(if $(wildcard test/$(room)/*_test.cc),$(room)))

objects = $(1:%.cc=$(BUILD)/obj/%.o)

LIBRARY := $(BUILD)/libeddy.a
SHARED  := $(BUILD)/libeddy.so
DEMOS   := $(DEMO_SOURCES:demo/%.cc=$(BUILD)/demo/%)
TESTS   := $(TESTED_ROOMS:%=$(BUILD)/test/%)

.DELETE_ON_ERROR:

.PHONY: all
all: $(LIBRARY) $(SHARED) $(DEMOS)

# Guests write <eddy/loop/io_loop.h>, as they would after an installation.
DOORS := $(ROOMS:%=build/include/eddy/%)
$(DOORS):
	@mkdir -p $(@D) && ln -sfn ../../../$(@F) $@

$(BUILD)/obj/%.o: %.cc Makefile | $(DOORS)
	@mkdir -p $(@D)
	$(say) CXX $<
	$(Q)$(COMPILE) -c $< -o $@

# The shared library has objects of its own: position-independent code makes thread_local dear, and
# who links statically should not pay for it.
$(BUILD)/pic/%.o: %.cc Makefile | $(DOORS)
	@mkdir -p $(@D)
	$(say) PIC $<
	$(Q)$(COMPILE) -fPIC -c $< -o $@

# A folder is newer when a file has come or gone: what is made of all its files is then made again.
$(LIBRARY): $(call objects,$(SOURCES)) $(ROOMS)
$(BUILD)/obj/demo/support.a: $(call objects,$(DEMO_SUPPORT)) $(wildcard demo/support)
$(LIBRARY) $(BUILD)/obj/demo/support.a:
	@mkdir -p $(@D) && rm -f $@
	$(say) AR $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

$(SHARED).$(VERSION): $(SOURCES:%.cc=$(BUILD)/pic/%.o) $(ROOMS)
	$(say) LINK $@
	$(Q)$(LINK) -shared -Wl,-soname,$(SONAME) -Wl,-z,defs $(filter %.o,$^) $(PACKAGE_LIBS) -o $@

$(SHARED): $(SHARED).$(VERSION)
	@ln -sf $(<F) $(@D)/$(SONAME) && ln -sf $(SONAME) $@

$(DEMOS): $(BUILD)/demo/%: $(BUILD)/obj/demo/%.o $(BUILD)/obj/demo/support.a $(LIBRARY)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(LINK) $^ $(PACKAGE_LIBS) -o $@

test_sources = $(wildcard test/$(1)/*_test.cc) $(TEST_SUPPORT)
.SECONDEXPANSION:
$(TESTS): $(BUILD)/test/%: $$(call objects,$$(call test_sources,$$*)) test/$$* \
          $(BUILD)/obj/demo/support.a $(LIBRARY)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(LINK) $(filter %.o %.a,$^) $(TEST_LIBS) $(PACKAGE_LIBS) -o $@

.PHONY: test-programs
test-programs: $(DEMOS) $(TESTS)
	@:

# Rooms of test/ that build in a way of their own.
include $(wildcard test/*/rules.mk)

-include $(shell find $(BUILD)/obj $(BUILD)/pic build/headers -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf build

# --- What it needs -------------------------------------------------------------------------------

.PHONY: deps deps-check deps-bench
deps:
	@test/tools/deps build
deps-check:
	@test/tools/deps build check
deps-bench:
	@test/tools/deps build bench

# --- Running it ----------------------------------------------------------------------------------

# These start make once more, so that it looks for the libraries after `deps` has brought them.
.PHONY: demo telnet_rpc test
demo: deps
	@$(MAKE) telnet_rpc
	@$(BUILD)/demo/telnet_rpc $(ARGS)

telnet_rpc: $(BUILD)/demo/telnet_rpc
	@:

test: deps
	@$(MAKE) test-programs
	@$(TEST_ENVIRONMENT) test/tools/run_tests $(RUN_TESTS) $(TESTS)

RUN_TESTS = $(if $(FILTER),--filter='$(FILTER)')

# g++ 12's thread sanitizer cannot start where the kernel shuffles addresses too widely.
TEST_ENVIRONMENT = EDDY_DEMO_DIR=$(abspath $(BUILD)/demo) \
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
  UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
  $(if $(filter tsan,$(MODE)),$(shell setarch -R true 2>/dev/null && echo setarch -R))

# --- Checking it ---------------------------------------------------------------------------------

# The quick ones first: who broke a rule should not wait for the sanitizers to hear of it.
.PHONY: check
check: deps-check
	$(call step,layers format-check docs-check headers)
	$(call step,test-programs MODE=clang STRICT=1)
	$(call step,tidy)
	$(call step,fuzz)
	$(call step,test MODE=asan STRICT=1)
	$(call step,test MODE=tsan STRICT=1)
	$(call step,valgrind STRICT=1)
	$(call step,install-test STRICT=1)
	@echo 'all checks passed'

step = +@echo '== make $(1)' && $(MAKE) $(1)

.PHONY: layers trail docs-check tidy format format-check
layers:
	@test/tools/layers

trail:
	@test/tools/trail

docs-check: | $(DOORS)
	@test/tools/trail >/dev/null
	@test/tools/docs_check $(CXX) -std=c++20 $(WARNINGS) -Werror -Ibuild/include

tidy: | $(DOORS)
	@test/tools/tidy -std=c++20 -Ibuild/include $(FOUND)

FORMATTED = $(sort $(shell find $(ROOMS) demo test -name '*.h' -o -name '*.cc'))
format:
	clang-format -i $(FORMATTED)
format-check:
	@clang-format --dry-run -Werror $(FORMATTED)

# Each header compiles alone, with both compilers, and the library's without the libraries behind
# it. What ends in _inline.h is the second half of another header.
HEADERS := $(filter-out %_inline.h,$(wildcard $(ROOMS:=/*.h) demo/support/*.h test/support/*.h))
ALONE   := $(HEADERS:%=build/headers/%.alone)

.PHONY: headers
headers: $(ALONE)
$(ALONE): build/headers/%.alone: % Makefile | $(DOORS)
	@mkdir -p $(@D)
	$(say) ALONE $<
	$(Q)for compiler in g++ clang++; do \
	  $$compiler -std=c++20 $(WARNINGS) -Werror -Ibuild/include -MMD -MP -MT $@ -MF $@.d \
	    -fsyntax-only -include $< -x c++ /dev/null || exit 1; \
	done
	@touch $@

# Deadlines that a program cannot keep when it runs fifty times slower say nothing about memory;
# valgrind's allocator takes the place of those that some tests bring; a fork ends with its leaks.
VALGRIND_FILTER ?= -*DeathTest.*:*Slow*:Scarcity.*:PoolTest.*:ForeignRoomTest.*:IOStreamCost.*:*Fork*.*
.PHONY: valgrind
valgrind: RUN_TESTS = --under=test/tools/under_valgrind --filter='$(VALGRIND_FILTER)'
valgrind: $(DEMOS) $(TESTS)
	@$(TEST_ENVIRONMENT) test/tools/run_tests $(RUN_TESTS) $(filter-out %/demo,$(TESTS))

# --- Installing it -------------------------------------------------------------------------------

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include

# What the templates of eddy.pc and of the CMake package leave open.
FILL_IN = sed -e 's|@VERSION@|$(VERSION)|' -e 's|@SONAME@|$(SONAME)|' -e 's|@PREFIX@|$(PREFIX)|' \
  -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
  -e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' \
  -e 's|@INCLUDE_FROM_LIB@|$(shell realpath -m --relative-to=$(LIBDIR) $(INCLUDEDIR))|' \
  -e 's|@PACKAGES@|$(PACKAGES)|' -e 's|@PACKAGE_LIBS@|$(strip $(PACKAGE_LIBS))|'

.PHONY: install uninstall install-test
install: $(LIBRARY) $(SHARED)
	install -d $(addprefix $(DESTDIR),$(LIBDIR)/pkgconfig $(LIBDIR)/cmake/eddy \
	  $(ROOMS:%=$(INCLUDEDIR)/eddy/%))
	install -m 644 $(LIBRARY) $(SHARED).$(VERSION) $(DESTDIR)$(LIBDIR)
	cp -P $(SHARED) $(BUILD)/$(SONAME) $(DESTDIR)$(LIBDIR)
	for room in $(ROOMS); do \
	  install -m 644 $$room/*.h $(DESTDIR)$(INCLUDEDIR)/eddy/$$room || exit 1; \
	done
	$(FILL_IN) test/install/eddy.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/eddy.pc
	for file in eddy-config.cmake eddy-config-version.cmake; do \
	  $(FILL_IN) test/install/$$file.in >$(DESTDIR)$(LIBDIR)/cmake/eddy/$$file || exit 1; \
	done
	if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

uninstall:
	rm -rf $(addprefix $(DESTDIR),$(INCLUDEDIR)/eddy $(LIBDIR)/cmake/eddy)
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libeddy.a pkgconfig/eddy.pc \
	  libeddy.so $(SONAME) libeddy.so.$(VERSION))

install-test: $(LIBRARY) $(SHARED)
	+@test/tools/install_test

# --- Help ----------------------------------------------------------------------------------------

define HELP
  make              the library, static and shared, and the demos, under build/
  make demo         run the telnet RPC server; ARGS='--port 0'
  make test         build and run every test; of some rooms TESTED_ROOMS='loop stream', of some
                    names FILTER='IOLoop.*'
  make check        all of it: layers, headers, documents, format, both compilers, clang-tidy,
                    fuzzing, sanitizers, valgrind, an installation
  make layers       who includes whom             make headers      each header alone
  make docs-check   the READMEs against the code  make trail        the trail of one byte
  make tidy         clang-tidy on what changed; TIDY=all for everything
  make format       rewrite with clang-format     make format-check only look
  make fuzz         whatever may come, FUZZ_SECONDS=60 long
  make valgrind     the tests under valgrind      make install-test a consumer of an installation
  make bench        what a line costs, beside a server written by hand and other libraries, and a
                    request, beside other web servers; ten minutes, or ARGS='--only http';
                    bench-quick takes under two, and is noisier
  make test-browser the page of the demo snow in a headless Chromium, which it installs
  make deps         install what building and testing need; deps-check and deps-bench likewise
  make install      PREFIX=/usr/local DESTDIR= LIBDIR= INCLUDEDIR=; make uninstall
  make clean

  MODE=debug, asan, tsan or clang builds and tests beside the release, under build/MODE.
  V=1 shows whole commands, STRICT=1 makes warnings errors, JOBS=1 does one thing at a time.
endef

.PHONY: help
help:
	$(info $(HELP))
	@:
