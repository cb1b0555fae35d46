# Abstract interpretation of the parsers: no input whatever makes them read or
# write where they may not, use what was never set, or overflow.
#: make prove           Frama-C's Eva over the parsers of lib/protocol (2 minutes)
.PHONY: prove
prove:
	@sh tests/setup.sh frama-c
	@JOBS=$(JOBS) sh tests/prove/run.sh
