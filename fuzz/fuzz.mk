# The fuzz harness. Under any compiler a target runs over its corpus (part of
# "make test"); with clang it looks for more, T seconds each.
#: make fuzz [T=60]     the fuzz harness, T seconds a target

FUZZ  := $(patsubst fuzz/fuzz_%.c,%,$(wildcard fuzz/fuzz_*.c))
CLANG ?= clang
T     ?= 60
.PHONY: fuzz

CHECKS += tests/fuzz.sh
check: $(FUZZ:%=$(BUILD)/fuzz/replay_%)

$(BUILD)/obj/fuzz/%.o: fuzz/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CC) $(LANG_C) $(DEPS) $(CFLAGS) -c -o $@ $<
$(BUILD)/fuzz/replay_%: $(BUILD)/obj/fuzz/fuzz_%.o $(BUILD)/obj/fuzz/replay.o $(BUILD)/libcaws.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(BUILD)/fuzz/fuzz_%: fuzz/fuzz_%.c $(LIB_FILES) $(HEADERS)
	@mkdir -p $(@D)
	$(SAY) $(CLANG) $(LANG_C) -Ilib -O1 -g -fsanitize=fuzzer,address,undefined -o $@ $< \
	  $(filter %.c,$(LIB_FILES))
fuzz:
	@sh tests/setup.sh $(CLANG) libfuzzer
	@$(PARALLEL) $(FUZZ:%=$(BUILD)/fuzz/fuzz_%)
	@T=$(T) sh fuzz/run.sh $(FUZZ)
