# The fuzz harness (fuzz/README.md). Under any compiler a target runs over its
# corpus (part of "make test"); with clang it looks for more, T seconds each.
#: make fuzz            the fuzz targets, in build/fuzz (clang, ASan and UBSan)
#: make fuzz-smoke      each of them for T seconds; ONLY=NAME... for some
#: make fuzz-msan       those of lib/protocol under MemorySanitizer, the same way
#: make fuzz-afl        the targets for AFL++, and each of them for a moment

FUZZ       := $(patsubst fuzz/fuzz_%.c,%,$(wildcard fuzz/fuzz_*.c))
FUZZ_SHARE := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out fuzz/fuzz_% fuzz/replay.c,\
                $(wildcard fuzz/*.c)))
ONLY       ?= $(FUZZ)
CLANG      ?= clang
T          ?= 20
SANITIZERS ?= address,undefined
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
.PHONY: fuzz fuzz-smoke fuzz-msan fuzz-afl fuzz-built

CHECKS += tests/fuzz.sh
check: $(FUZZ:%=$(BUILD)/fuzz/replay_%)

$(BUILD)/obj/fuzz/%.o: fuzz/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CC) $(LANG_C) -Ilib $(DEPS) $(CFLAGS) -c -o $@ $<
$(BUILD)/fuzz/replay_%: $(BUILD)/obj/fuzz/fuzz_%.o $(BUILD)/obj/fuzz/replay.o $(FUZZ_SHARE) \
    $(BUILD)/libcaws.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# With the main function of libFuzzer, or of what takes its place. In a build
# folder of its own, as it is another compiler with other flags.
$(BUILD)/fuzz/fuzz_%: $(BUILD)/obj/fuzz/fuzz_%.o $(FUZZ_SHARE) $(BUILD)/libcaws.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^
fuzz-built: $(FUZZ:%=$(BUILD)/fuzz/fuzz_%)

fuzz:
	@sh tests/setup.sh $(CLANG)
	@sh tests/setup.sh libfuzzer
	@$(PARALLEL) BUILD=$(BUILD)/fuzz/libfuzzer CC=$(CLANG) \
	  CFLAGS='$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,$(SANITIZERS)' fuzz-built
fuzz-smoke: fuzz
	@T=$(T) sh fuzz/run.sh $(BUILD)/fuzz/libfuzzer/fuzz $(ONLY)

fuzz-msan:
	@sh tests/setup.sh clang-19
	@$(PARALLEL) BUILD=$(BUILD)/fuzz/msan CC=clang-19 \
	  CFLAGS='$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,memory -fsanitize-memory-track-origins' \
	  fuzz-built
	@T=$(T) sh fuzz/run.sh $(BUILD)/fuzz/msan/fuzz $(ONLY)

fuzz-afl:
	@sh tests/setup.sh clang afl-clang-fast
	@AFL_QUIET=1 $(PARALLEL) BUILD=$(BUILD)/fuzz/afl CC=afl-clang-fast CFLAGS='-O1 -g' fuzz-built
	@T=$(T) sh fuzz/afl.sh $(BUILD)/fuzz/afl/fuzz $(ONLY)
