# Static analysis. What each tool is told to leave out stands, with the reason,
# in .clang-tidy (and those of tests and fuzz) and in run.sh.
#: make analyze         clang-tidy, cppcheck, gcc -fanalyzer and scan-build
.PHONY: analyze
CHECKS += tests/stack.sh
analyze: $(BUILD)/examples/page.h
	@sh tests/setup.sh gcc clang-tidy-19 cppcheck scan-build-19
	@JOBS=$(JOBS) sh tests/analyze/run.sh
