#!/bin/sh
# All C is laid out as .clang-format says. TAP.
set -u
cd "$(dirname "$0")/.."

echo 1..1
offenders=$(find mixer net storage tools tests -name '*.[ch]' | sort | xargs -r clang-format -n 2>&1 |
    sed -n 's/^\([^:]*:[0-9]*\):.*/\1/p' | sort -u)
if [ -z "$offenders" ]; then
    echo 'ok 1 - all C is laid out as .clang-format says'
else
    echo 'not ok 1 - all C is laid out as .clang-format says'
    echo "$offenders" | sed 's/^/# `make format` would change /'
    exit 1
fi
