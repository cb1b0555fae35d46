# All that crosses threads, under ThreadSanitizer: look-ups, tasks, stops,
# prepared messages, entropy, and loops that go while others still know them.
#: make tsan            the tests of what crosses threads, under ThreadSanitizer
.PHONY: tsan tsan-tests
TSAN_TESTS := $(addprefix $(BUILD)/tests/,$(addprefix unit/test_,entropy prepared random resolve \
                wake way)) $(patsubst %.c,$(BUILD)/%,$(wildcard tests/net/test_*.c))
TSAN_PLAIN := $(BUILD)/tests/stress/threads
tsan:
	@sh tests/setup.sh cmocka
	@$(PARALLEL) BUILD=$(BUILD)/tsan CFLAGS='-O1 -g -fsanitize=thread' tsan-tests
tsan-tests: export TSAN_OPTIONS = halt_on_error=1
tsan-tests: $(TSAN_TESTS) $(TSAN_PLAIN)
	@$(TSAN_PLAIN)
	@TIMEOUT=300 sh tests/run.sh $(TSAN_TESTS)
