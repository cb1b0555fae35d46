#!/bin/sh
# Some worlds of the simulation (tests/sim/README.md), in which peers break off
# in every phase. /* REQ CRASH-10 */
exec "${BUILD:-build}/tests/sim/sim" 1 500
