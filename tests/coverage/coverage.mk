# What the tests reach of lib/, as clang 19 counts it: lines, branches, and MC/DC
# (each condition of a decision has changed its outcome alone).
#: make coverage        lines, branches and MC/DC of lib/, and what is missing

.PHONY: coverage covered
coverage:
	@sh tests/setup.sh cmocka clang-19
	@$(PARALLEL) BUILD=$(BUILD)/coverage CC=clang-19 CFLAGS='-O1 -g' \
	  LDFLAGS=-fprofile-instr-generate COUNT='-fprofile-instr-generate \
	  -fprofile-update=atomic -fcoverage-mapping -fcoverage-mcdc \
	  -Xclang -fmcdc-max-conditions=12' covered

# Only lib/ counts, so only lib/ is instrumented. What the compiler cannot
# measure it only warns of, whatever -Werror says.
ifdef COUNT
$(LIB_OBJS): tests/coverage/coverage.mk
$(BUILD)/obj/lib/%.o: lib/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CC) $(LANG_C) -Ilib -fPIC $(DEPS) $(CFLAGS) $(COUNT) -c -o $@ $< 2>$@.log; \
	  status=$$?; cat $@.log >&2; ! grep -q 'unsupported MC/DC' $@.log && exit $$status
endif
covered: $(BUILD)/libcaws.so $(TESTS)
	@sh tests/coverage/coverage.sh $(TESTS)
