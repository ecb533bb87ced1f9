#!/bin/sh
# Runs TAP programs and scripts under prove: a line for each test, the summary last. Sound passes in real time, so most
# scripts wait rather than work, and two run side by side; those that count wake-ups or load the machine run alone.
# usage: tests/prove.sh TEST...    environment: BUILD (build)
set -eu
cd "$(dirname "$0")/.."

BUILD=${BUILD:-build}
export BUILD
# What programs say is compared in English, whoever runs the tests.
export LC_ALL=C.UTF-8
unset LANGUAGE
# And as on a terminal that can do what terminals do, wherever they run.
export TERM=xterm
unset NO_COLOR COLUMNS LINES
export ASAN_OPTIONS="${ASAN_OPTIONS:-abort_on_error=0:detect_stack_use_after_return=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}"

# Through cat: on a terminal prove would keep the lines of tests that run side by side to itself.
status=$(mktemp)
trap 'rm -f "$status"' EXIT
{
    prove --verbose --exec '' --jobs 2 --timer \
        --rules 'seq=tests/e2e/{parking,encode_once,newcomer,kill9}.py' --rules 'par=**' "$@" &&
        echo 0 >"$status" || echo 1 >"$status"
} | cat
exit "$(cat "$status")"
