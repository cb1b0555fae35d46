# Memory and system calls that fail, one at a time.
#: make faults [FAULTS=100] each allocation and system call fails, in FAULTS % of all trials

FAULTS ?= 100
.PHONY: faults
faults:
	@$(PARALLEL) BUILD=$(BUILD)/sanitize CFLAGS='$(SANITIZE)' \
	  $(BUILD)/sanitize/tests/sim/sim $(BUILD)/sanitize/tests/faults/syscalls
	@BUILD=$(BUILD)/sanitize sh tests/faults/run.sh $(FAULTS)
$(BUILD)/tests/faults/%: $(BUILD)/obj/tests/faults/%.o $(BUILD)/libcaws.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(filter %.o,$^) $(BUILD)/libcaws.a
