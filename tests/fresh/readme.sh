#!/bin/sh
# What fresh.sh runs on the new system: the README's two commands, as somebody who has just checked the tree out. TAP.
set -u
cd /root/salotto

# show LOG: the end of what a command said
show()
{
    tail -n 60 "$1" | sed 's/^/# /'
}

failed=0
echo 1..3

if make check >/root/check.log 2>&1; then
    echo "ok 1 - make check passes: $(tail -n 2 /root/check.log | head -n 1)"
else
    failed=1
    echo 'not ok 1 - make check passes'
    grep -E '^not ok|^Failed|\(Wstat' /root/check.log | sed 's/^/# /'
    show /root/check.log
fi

make run PORT=0 HTTP_PORT=0 >/root/run.log 2>&1 </dev/null &
run=$!
link=
for _ in $(seq 600); do
    link=$(sed -n "s/.*salotto listen '\(.*\)'.*/\1/p" /root/run.log)
    [ -z "$link" ] && kill -0 $run 2>/dev/null || break
    sleep 0.5
done
if [ -n "$link" ]; then
    echo 'ok 2 - make run opens the room and prints the link'
else
    failed=1
    echo 'not ok 2 - make run opens the room and prints the link'
    show /root/run.log
fi

# Speech is there when it is louder on the whole than -50 dBFS (RMS of the samples behind the header).
loudness()
{
    python3 -c '
import math, sys, wave
import numpy
with wave.open(sys.argv[1]) as w:
    x = numpy.frombuffer(w.readframes(w.getnframes()), "<i2") / 32768
print(len(x) / 48000, 20 * math.log10(max(1e-9, math.sqrt(float(numpy.mean(x * x))))))' "$1"
}

heard=/root/heard.wav
if [ -n "$link" ] &&
    timeout 60 build/bin/salotto listen "$link" --output $heard --seconds 10 >/root/listen.log 2>&1 &&
    loudness $heard >/root/loudness && awk '{ exit !($1 > 9.5 && $2 > -50) }' /root/loudness; then
    echo "ok 3 - salotto listen hears it: $(awk '{ printf "%.1f s at %.1f dBFS", $1, $2 }' /root/loudness)"
else
    failed=1
    echo 'not ok 3 - salotto listen hears it'
    show /root/listen.log
    show /root/loudness
fi
kill $run 2>/dev/null
wait $run 2>/dev/null
exit $failed
