# Mutation: do the tests notice when lib/protocol is wrong?
#: make mutate [MUTANTS=1000 SEED=1] the tests against mutants of lib/protocol

MUTANTS ?= 1000
.PHONY: mutate
mutate: export LANG_C := $(filter-out -W%,$(LANG_C))
mutate: export CMOCKA := $(CMOCKA)
mutate:
	@sh tests/setup.sh cmocka python3
	@JOBS=$(JOBS) python3 -B tests/mutate/mutate.py $(MUTANTS) $(or $(SEED),1)
