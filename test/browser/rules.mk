# How `make test-browser` looks at the demos' pages in a real browser; a part of the Makefile at the
# top. What these tests need is large, so neither `make test` nor `make check` runs them.

.PHONY: test-browser
test-browser:
	@test/tools/deps build browser
	@$(MAKE) $(BUILD)/demo/snow
	@$(TEST_ENVIRONMENT) test/browser/snow_page.py $(BUILD)/demo/snow
