# The simulation: tests/sim/README.md.
#: make sim [SEEDS=1000] a seeded world each, as many as there are seeds
#: make sim SEED=K      one of them, with a trace of its events
#: make sim-planted     bugs put into the library on purpose: each must be found

SIM   := $(BUILD)/tests/sim/sim
SEEDS ?= 1000
.PHONY: sim sim-planted sim-sanitize

CHECKS += tests/sim.sh
check: $(SIM)

SIM_OBJS := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/sim/*.c))
# The public header alone.
$(BUILD)/obj/tests/sim/%.o: tests/sim/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CC) $(LANG_C) $(DEPS) $(CFLAGS) -c -o $@ $<
$(SIM): $(SIM_OBJS) $(BUILD)/libcaws.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

sim:
	@$(PARALLEL) $(SIM)
	@$(if $(SEED),$(SIM) -t $(SEED),sh tests/sim/run.sh $(SIM) $(SEEDS))
sim-planted:
	@$(PARALLEL) $(SIM)
	@CC='$(CC)' FLAGS='$(LANG_C) $(CFLAGS)' sh tests/sim/planted.sh $(SIM_OBJS)
#: make sim-sanitize    the simulation under ASan and UBSan; SEEDS as above
sim-sanitize:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize CFLAGS='$(SANITIZE)' sim
