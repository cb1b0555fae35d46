# What messages cost: servers, kernels, many connections, and the budget that
# "make test" holds exact figures to.
#: make bench           caws beside a floor and other libraries (ROUNDS=9, QUICK=1, WORK=word)
#: make bench-kernels   masking and UTF-8 beside memcpy; instructions per frame
#: make bench-scale     200000 connections, broadcasts to more and more (PAIRS=10, QUICK=1)

BENCH       := $(BUILD)/tests/bench
BENCH_SHARE := $(addprefix $(BUILD)/obj/tests/bench/,server.o load.o table.o)
BENCH_PEERS := $(BENCH)/lws $(if $(QUICK),,$(BENCH)/beast)
ROUNDS      ?= $(if $(QUICK),1,9)
# What a table says of where it comes from.
bench_from   = BENCH_FLAGS='$(CFLAGS)' BENCH_COMMAND='make $@$(if $(QUICK), QUICK=1)'

# Exact figures, which "make test" compares with tests/bench/budget.tsv.
CHECKS += tests/budget.sh $(if $(filter portable,$(SIMD)),,tests/budget_frames.sh)
check: $(BENCH)/budget $(BENCH)/frames

.PHONY: bench bench-built bench-kernels bench-scale

$(BENCH)/control: $(BUILD)/obj/tests/bench/control.o
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
$(BENCH)/bench $(BENCH)/kernels $(BENCH)/scale: $(BENCH_SHARE)
$(BENCH)/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libcaws.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(filter %.o,$^) $(BUILD)/libcaws.a

# Peers: where their package is not there, neither are they, and nothing fails.
$(BENCH)/lws: tests/bench/lws.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) -o $@ $< -lwebsockets 2>$@.log || \
	  echo 'without libwebsockets: see $@.log'
$(BENCH)/frames_wslay: tests/bench/frames_wslay.c tests/bench/frames.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CC) $(LANG_C) $(CFLAGS) -o $@ $< -lwslay 2>$@.log || echo 'without wslay: see $@.log'
$(BENCH)/beast: tests/bench/beast.cpp $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CXX) -O2 -pthread -o $@ $< 2>$@.log || echo 'without Boost.Beast: see $@.log'
# Exactly what the lock file says.
$(BENCH)/node_modules: tests/interop/package.json tests/interop/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D) && cd $(@D) && npm ci --no-audit --no-fund --ignore-scripts >npm.log 2>&1 && \
	  touch node_modules || echo 'without ws: see $(@D)/npm.log'

bench-built: $(BENCH)/control $(BENCH)/caws $(BENCH)/bench $(BENCH_PEERS) $(BENCH)/node_modules
bench:
	@sh tests/setup.sh -- valgrind libwebsockets $(if $(QUICK),,c++ beast) node npm
	@$(PARALLEL) bench-built
	@NODE_PATH=$(BENCH)/node_modules $(bench_from) \
	  $(BENCH)/bench -r $(ROUNDS) $(if $(QUICK),-q) $(if $(WORK),-o '$(WORK)')

bench-kernels:
	@sh tests/setup.sh -- valgrind wslay
	@$(PARALLEL) $(BENCH)/kernels $(BENCH)/frames $(BENCH)/frames_wslay
	@{ sh tests/bench/instructions.sh $(BENCH)/frames; echo wslay; \
	   sh tests/bench/instructions.sh $(BENCH)/frames_wslay; } 2>$(BENCH)/valgrind.log | \
	 $(bench_from) $(BENCH)/kernels $(if $(QUICK),-q -r 3)

bench-scale:
	@$(PARALLEL) $(BENCH)/control $(BENCH)/caws $(BENCH)/scale
	@$(bench_from) $(BENCH)/scale $(if $(QUICK),-q) $(if $(PAIRS),-p $(PAIRS))
