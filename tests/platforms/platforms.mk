# The library and its tests on other machines, C libraries and compilers: what
# tests/platforms/run.sh has built for one, in a build folder of its own.
#: make platforms       the tests on other machines; PLATFORMS="i686 musl" for some
PLATFORMS ?= gcc-O2 gcc-O0 gcc-Os gcc-lto clang-O2 clang-O0 clang-Os clang-lto \
             musl i686 aarch64 armhf s390x mingw
.PHONY: platforms platform

platforms:
	@sh tests/setup.sh gcc clang # whose version others depend on
	@sh tests/setup.sh -- $$(sh tests/platforms/run.sh --tools $(PLATFORMS))
	@JOBS=$(JOBS) sh tests/platforms/run.sh $(PLATFORMS)

ON_NET := $(patsubst lib/net/%.c,unit/test_%,$(wildcard lib/net/*.c)) unit/test_poller net/test_%
# Without fork, random devices and addresses of POSIX.
POSIX_ONLY := $(patsubst tests/%.c,%,$(shell grep -lE '<(arpa/inet|sys/(random|wait)).h>' \
                tests/*/test_*.c))
# What qemu-user does not do, and does not say so: memory that a forked child
# finds empty (MADV_WIPEONFORK), and the backlog of a socket in TCP_INFO.
NOT_IN_QEMU := unit/test_random unit/test_sys net/test_config
OF_ALL      := $(filter-out $(if $(QEMU),$(NOT_IN_QEMU)),$(TESTS:$(BUILD)/tests/%=%))
OF_PROTOCOL := $(filter-out $(ON_NET) $(POSIX_ONLY),$(OF_ALL))
OF_SOME     := unit/test_sha1 unit/test_base64 unit/test_mask unit/test_utf8 unit/test_frame \
               conformance/test_splits conformance/test_wired conformance/test_attack_frames \
               conformance/test_s10_limits net/test_server net/test_client
PLATFORM    := $(addprefix $(BUILD)/tests/,$(OF_$(SET)))

PLATFORM_SIM := $(if $(wildcard tests/sim/sim.mk),$(BUILD)/tests/sim/sim)

# The programs, each with its arguments, in a list for run.sh.
platform: $(PLATFORM) $(FUZZ:%=$(BUILD)/fuzz/replay_%) $(PLATFORM_SIM)
	@echo $(words $(PLATFORM)) of $(words $(TESTS)) programs >$(BUILD)/share
	@printf '%s\n' $(PLATFORM) >$(BUILD)/programs
	@for name in $(FUZZ); do \
	   echo $(BUILD)/fuzz/replay_$$name fuzz/corpus/$$name; done >>$(BUILD)/programs
	@$(if $(PLATFORM_SIM),echo $(PLATFORM_SIM) 1 300 >>$(BUILD)/programs)
