# caws. "make help" lists what there is to make; lib/ORDER lists the sources.

VERSION := $(shell sed -n 's/.* CAWS_VERSION "\(.*\)"/\1/p' include/caws.h)
SONAME  := libcaws.so.$(firstword $(subst ., ,$(VERSION)))
SOFILE  := libcaws.so.$(VERSION)

BUILD   ?= build
PREFIX  ?= /usr/local
override PREFIX := $(abspath $(PREFIX))
LIBDIR  ?= $(PREFIX)/lib
CFLAGS  ?= -O2
PORT    ?= 1025
JOBS    ?= $(shell nproc)

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla $(if $(WERROR),-Werror)
LANG_C   := -std=c11 -D_GNU_SOURCE -Iinclude $(WARNINGS) \
            $(if $(filter portable,$(SIMD)),-DCAWS_NO_SIMD)
DEPS     := -MMD -MP
SAY       = $(if $(V),,@echo '  $@';)
CMOCKA   = $(shell pkg-config --cflags --libs cmocka 2>/dev/null || echo -lcmocka)

LIB_FILES := $(addprefix lib/,$(shell grep '^[a-z]' lib/ORDER))
LIB_OBJS  := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter %.c,$(LIB_FILES)))
HEADERS   := $(wildcard include/*.h)
LIBS      := $(BUILD)/libcaws.a $(BUILD)/libcaws.so

CAWSCAT      := $(wildcard examples/cawscat_*.c)
EXAMPLES     := $(patsubst %.c,$(BUILD)/%,$(filter-out examples/options.c $(CAWSCAT),\
                  $(wildcard examples/*.c)))
WITH_OPTIONS := $(patsubst %.c,$(BUILD)/%,$(shell grep -ls '"options.h"' examples/*.c))

TESTS   := $(patsubst %.c,$(BUILD)/%,$(wildcard $(addsuffix /test_*.c,\
             tests/unit tests/conformance tests/net)))
SUPPORT := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/support/*.c))
CHECKS  := $(addprefix tests/,order.sh rules.sh symbols.sh ledger.sh headers.sh cpp.sh \
             amalgamation.sh install.sh docs.sh from_ws.sh linear.sh)
# Valgrind sees reads of memory that was never set, which ASan cannot.
MEMCHECK := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/conformance/test_s[0-9]*.c))

export CC CXX AR BUILD
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all run test check sanitize sanitized memcheck stress interop amalgamation \
        install uninstall clean help FORCE

all: $(LIBS) $(EXAMPLES) $(BUILD)/tests/autobahn_client

#: make                 the libraries and examples, in build/
#: make run [PORT=1025] the broadcast server, with a page for people
#: make test            every test (sets up what it needs)
#: make sanitize        the tests under ASan and UBSan, some under valgrind
#: make stress          heavy loads: slow readers, 10,000 conns, 4 GiB, faults, threads
#: make interop         browsers, node and Python against the examples
#: make amalgamation    the library as one file: build/caws.c
#: make install         to PREFIX (/usr/local); also uninstall, DESTDIR, LIBDIR
#: make clean           remove build/
help:
	@sed -n 's/^#: //p' $(filter-out %.d,$(MAKEFILE_LIST))
	@echo 'Variables: CC CFLAGS LDFLAGS AR BUILD; WERROR=1: warnings are errors; V=1: say all;'
	@echo '           SIMD=portable: without AVX2 and NEON.'

# ---- Library and examples ---------------------------------------------------

# Compiled again whenever the compiler or its flags change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(LANG_C) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
	 echo '$(CC) $(LANG_C) $(CFLAGS) $(LDFLAGS)' >$@

# One set of objects for both libraries: calls inside stay direct.
$(BUILD)/obj/lib/%.o: lib/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CC) $(LANG_C) -Ilib -fPIC -fno-semantic-interposition $(DEPS) $(CFLAGS) -c -o $@ $<

$(BUILD)/libcaws.a: $(LIB_OBJS) lib/ORDER
	@rm -f $@
	$(SAY) $(AR) rcs $@ $(LIB_OBJS)

$(BUILD)/$(SOFILE): $(LIB_OBJS) lib/ORDER lib/caws.map
	$(SAY) $(CC) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=lib/caws.map \
	  $(CFLAGS) $(LDFLAGS) -o $@ $(LIB_OBJS)

$(BUILD)/libcaws.so: $(BUILD)/$(SOFILE)
	@ln -sf $(SOFILE) $(BUILD)/$(SONAME)
	@ln -sf $(SONAME) $@

$(BUILD)/obj/examples/%.o: examples/%.c $(BUILD)/flags | $(BUILD)/examples/page.h
	@mkdir -p $(@D)
	$(SAY) $(CC) $(LANG_C) -I$(BUILD)/examples $(DEPS) $(CFLAGS) -c -o $@ $<

$(BUILD)/examples/page.h: examples/page.html
	@mkdir -p $(@D)
	@{ echo 'static const unsigned char page_html[] = {'; \
	   od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g'; echo '};'; \
	   echo 'static const unsigned long page_html_len = sizeof page_html;'; } >$@

$(WITH_OPTIONS): $(BUILD)/obj/examples/options.o
$(BUILD)/examples/cawscat: $(CAWSCAT:%.c=$(BUILD)/obj/%.o)
$(BUILD)/examples/%: $(BUILD)/obj/examples/%.o $(BUILD)/libcaws.a
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(filter %.o,$^) $(BUILD)/libcaws.a

run: $(BUILD)/examples/broadcast_server
	@$< --port $(PORT)

amalgamation: $(BUILD)/caws.c
$(BUILD)/caws.c: $(LIB_FILES) $(HEADERS) lib/ORDER Makefile
	@{ echo '/* caws $(VERSION): all of lib/ in one file, in the order of lib/ORDER. */'; \
	   echo '#ifndef _GNU_SOURCE'; echo '#define _GNU_SOURCE'; echo '#endif'; \
	   for f in $(LIB_FILES); do printf '\n/* ==== %s ==== */\n\n' $$f; \
	     sed '/^# *include "/d; s/<\(caws[a-z_]*\.h\)>/"\1"/' $$f; done; } >$@
	@for h in $(HEADERS); do \
	   sed 's/<\(caws[a-z_]*\.h\)>/"\1"/' $$h >$(BUILD)/$${h##*/}; done

# ---- Tests ------------------------------------------------------------------

$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CC) $(LANG_C) -Ilib -Itests/support $(DEPS) $(CFLAGS) -pthread -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(SUPPORT) $(BUILD)/libcaws.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(filter %.o,$^) $(BUILD)/libcaws.a $(CMOCKA)

# Drives an Autobahn fuzzing server: no cmocka, so that "make" can build it.
$(BUILD)/tests/autobahn_client: $(BUILD)/obj/tests/autobahn_client.o $(BUILD)/libcaws.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# Set-up comes first, then the rest with as many jobs as there are processors.
PARALLEL = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
test:
	@sh tests/setup.sh cmocka -- c++ pkg-config
	@$(PARALLEL) check
check: all amalgamation $(TESTS) $(BUILD)/tests/linear/cost
	@sh tests/run.sh $(TESTS) $(CHECKS)

SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
            -fno-sanitize-recover=all
sanitize:
	@sh tests/setup.sh cmocka valgrind
	@$(PARALLEL) BUILD=$(BUILD)/sanitize CFLAGS='$(SANITIZE)' sanitized
	@$(PARALLEL) BUILD=$(BUILD)/memcheck CFLAGS='-O1 -g' memcheck
sanitized: export ASAN_OPTIONS = detect_leaks=1:detect_stack_use_after_return=1
sanitized: export UBSAN_OPTIONS = print_stacktrace=1
sanitized: $(TESTS)
	@TIMEOUT=300 sh tests/run.sh $(TESTS)
memcheck: $(MEMCHECK)
	@TIMEOUT=300 WRAP='valgrind -q --error-exitcode=9 --leak-check=full' \
	 sh tests/run.sh $(MEMCHECK)

# Plain programs, each with the sanitizer that it is for; one runs twice.
STRESS      := $(patsubst tests/stress/%.c,%,$(wildcard tests/stress/*.c))
STRESS_ASAN := stop faults
STRESS_TSAN := threads
STRESS_BARE := $(filter-out faults threads,$(STRESS))
stress:
	@$(PARALLEL) $(STRESS_BARE:%=$(BUILD)/tests/stress/%)
	@$(PARALLEL) BUILD=$(BUILD)/sanitize CFLAGS='$(SANITIZE)' \
	  $(STRESS_ASAN:%=$(BUILD)/sanitize/tests/stress/%)
	@$(PARALLEL) BUILD=$(BUILD)/tsan CFLAGS='-O1 -g -fsanitize=thread' \
	  $(STRESS_TSAN:%=$(BUILD)/tsan/tests/stress/%)
	@sh tests/stress/run.sh $(STRESS_BARE:%=$(BUILD)/tests/stress/%) \
	  $(STRESS_ASAN:%=$(BUILD)/sanitize/tests/stress/%) \
	  $(STRESS_TSAN:%=$(BUILD)/tsan/tests/stress/%)
$(BUILD)/tests/stress/%: $(BUILD)/obj/tests/stress/%.o $(BUILD)/libcaws.a
	@mkdir -p $(@D)
	$(SAY) $(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(filter %.o,$^) $(BUILD)/libcaws.a

interop: $(EXAMPLES) $(BUILD)/tests/autobahn_client
	@sh tests/interop/run.sh

# ---- Suites that have a makefile of their own -------------------------------

include $(sort $(wildcard fuzz/*.mk tests/*/*.mk))

# ---- Installation -----------------------------------------------------------

DEST_LIB := $(DESTDIR)$(LIBDIR)
DEST_INC := $(DESTDIR)$(PREFIX)/include
install: $(LIBS)
	install -d $(DEST_INC) $(DEST_LIB)/pkgconfig
	install -m 644 $(HEADERS) $(DEST_INC)
	install -m 644 $(BUILD)/libcaws.a $(DEST_LIB)
	install -m 755 $(BUILD)/$(SOFILE) $(DEST_LIB)
	ln -sf $(SOFILE) $(DEST_LIB)/$(SONAME)
	ln -sf $(SONAME) $(DEST_LIB)/libcaws.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' caws.pc.in \
	  >$(DEST_LIB)/pkgconfig/caws.pc

uninstall:
	rm -f $(patsubst include/%,$(DEST_INC)/%,$(HEADERS)) $(DEST_LIB)/pkgconfig/caws.pc \
	  $(addprefix $(DEST_LIB)/,libcaws.a libcaws.so $(SONAME) $(SOFILE))

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
