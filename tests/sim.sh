#!/bin/sh
# Some worlds of the simulation (tests/sim/README.md).
exec "${BUILD:-build}/tests/sim/sim" 1 1000
