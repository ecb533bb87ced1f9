#!/bin/sh
# Both commands of the README on a new Debian 12 that holds only make and git: `make check` whole, then `make run` until
# somebody has heard the room. TAP. What is built stays in build/fresh/tree for a look at what went wrong; the next run
# makes it anew.
set -eu
cd "$(dirname "$0")/../.."
. tests/fresh/lib.sh

base
copy tree
mkdir "$work/tree/root/salotto"
git archive HEAD | tar -x -C "$work/tree/root/salotto"
cp tests/fresh/readme.sh "$work/tree/root/readme.sh"
say 'make check takes its time: the log is build/fresh/tree/root/check.log'
inside tree sh /root/readme.sh
