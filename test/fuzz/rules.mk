# How `make fuzz` builds and runs libFuzzer's programs; a part of the Makefile at the top.
#
# A source here is a program, and corpus/NAME holds what it begins with. What it finds stays in
# build/fuzz, where whoever wants to keep it finds it.

FUZZ         := $(patsubst test/fuzz/%.cc,build/fuzz/%,$(wildcard test/fuzz/*.cc))
FUZZ_SECONDS ?= 60
FUZZ_FLAGS   := -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

# What is looked at is compiled here, so that libFuzzer sees where each input leads.
sources_of = $(foreach part,$(1),proto/http_$(part).cc) $(wildcard proto/http_*.h)
build/fuzz/http_parser: $(call sources_of,parser lines head target framing headers request) \
  stream/socket_address.cc loop/text.cc
build/fuzz/http_fields: $(call sources_of,target conditions access headers request) \
  stream/socket_address.cc $(LIBRARY)

$(FUZZ): build/fuzz/%: test/fuzz/%.cc Makefile test/fuzz/rules.mk | $(DOORS)
	@mkdir -p $(@D)
	$(say) FUZZ $@
	$(Q)clang++ -std=c++20 -pthread $(FUZZ_FLAGS) $(WARNINGS) -Ibuild/include $(FOUND) \
	  $(filter %.cc %.a,$^) $(PACKAGE_LIBS) -o $@

.PHONY: fuzz
fuzz: $(FUZZ:%=%.run)
%.run: %
	@mkdir -p $<.found
	@$< -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -timeout=10 -artifact_prefix=$<. \
	  -print_final_stats=1 $<.found test/fuzz/corpus/$(notdir $<) >$<.log 2>&1 || \
	  { tail -n 50 $<.log; exit 1; }
	@sed -n 's|^stat::number_of_executed_units: *|  FUZZ  $(notdir $<), inputs tried: |p' $<.log
