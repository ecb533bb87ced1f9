#!/bin/sh
# The demo of `make run`: salottod in the foreground, the room `piazza`, and three speakers in conversation whose speech
# espeak-ng makes once. Ctrl-C ends all of it.
# environment: BUILD (build), STATE (state), PORT (7256), HTTP_PORT (8080)
set -eu

BUILD=${BUILD:-build}
STATE=${STATE:-state}
bin=$BUILD/bin
speech=$BUILD/demo
work=$(mktemp -d)
daemon=
speakers=

finish()
{
    status=$?
    trap '' INT TERM HUP
    for pid in $speakers; do
        kill "$pid" 2>/dev/null || true
    done
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    wait || true
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'echo; exit 0' INT TERM HUP

# child COMMAND...: runs it so that it never outlives this script, even when that is killed.
child()
{
    exec setpriv --pdeathsig TERM "$@"
}

ctl()
{
    "$bin/salottoctl" --state "$STATE" "$@"
}

# --- the conversation: one raw track a speaker (16 bit, mono, espeak-ng's 22,050 Hz), laid out on one clock

rate=22050
clock=0 # samples: where the last sentence ended

# say TRACK PAUSE_MS VOICE PITCH LOUDNESS TEXT: a negative pause talks over the end of the sentence before
say()
{
    espeak-ng -v "$3" -p "$4" -a "$5" -s 160 -w "$work/say.wav" "$6"
    clock=$((clock + $2 * rate / 1000))
    truncate -s $((clock * 2)) "$work/$1.raw"
    tail -c +45 "$work/say.wav" >>"$work/$1.raw" # the sound begins after the 44 bytes of the header
    clock=$(($(stat -c %s "$work/$1.raw") / 2))
}

anna() { say anna "$1" en-us+f3 55 120 "$2"; }
bruno() { say bruno "$1" en-gb+m3 30 60 "$2"; }
carla() { say carla "$1" en-gb-scotland+f5 75 100 "$2"; }

conversation()
{
    anna 500 'Good evening, and welcome to the piazza. I am Anna, and this is our open Friday.'
    bruno 400 'Good evening, everyone. Bruno speaking, from far away from my microphone, as always.'
    carla -900 'Hello! Carla here. You are rather quiet, Bruno, but I can hear you.'
    anna 600 'The three of us talk, and whoever listens gets one single mix of us.'
    bruno 300 'So my kitchen radio needs no more than fifty kilobits a second?'
    carla -600 'Less! On the low tier it is twenty, and it sounds like this.'
    anna 1500 'A moderator may mute any of us. Type the third line, and Bruno falls silent.'
    bruno -1200 'Oh no, please not me again. It is always me.'
    carla 400 'Then I will go on alone, and talk about the weather until somebody lets you back in.'
    anna 300 'And if nobody says anything at all, the room goes to sleep. Like this.'
    clock=$((clock + 4 * rate))
}

# le WIDTH NUMBER: little-endian bytes, as escapes for printf's %b
le()
{
    n=$2
    for _ in $(seq "$1"); do
        printf '\\0%03o' $((n % 256))
        n=$((n / 256))
    done
}

wav_header() # BYTES of sound
{
    format="$(le 2 1)$(le 2 1)$(le 4 $rate)$(le 4 $((rate * 2)))$(le 2 2)$(le 2 16)" # PCM, one channel
    printf '%b' "RIFF$(le 4 $(($1 + 36)))WAVEfmt $(le 4 16)${format}data$(le 4 "$1")"
}

# All tracks get the same length, so that they stay in step however often they are repeated.
make_speech()
{
    echo 'Making the speakers'\'' speech with espeak-ng ...'
    conversation
    mkdir -p "$speech"
    for who in anna bruno carla; do
        truncate -s $((clock * 2)) "$work/$who.raw"
        { wav_header $((clock * 2)) && cat "$work/$who.raw"; } >"$work/$who.wav"
        mv "$work/$who.wav" "$speech/$who.wav"
    done
}

# --- the house

start_daemon()
{
    mkdir -p "$STATE"
    child "$bin/salottod" --state "$STATE" --port "${PORT:-7256}" --http-port "${HTTP_PORT:-8080}" >"$work/ready" &
    daemon=$!
    until grep -q '^ready ' "$work/ready"; do
        if ! kill -0 "$daemon" 2>/dev/null; then
            status=0
            wait "$daemon" || status=$?
            daemon=
            [ "$status" != 12 ] || echo 'Beside another one, try: make run STATE=state2 PORT=7266 HTTP_PORT=8090' >&2
            exit "$status"
        fi
        sleep 0.1
    done
    cat "$work/ready"
}

open_room()
{
    ctl room create piazza --title 'Open Friday' >"$work/create" 2>&1 || ctl room show piazza >/dev/null 2>&1 || {
        cat "$work/create" >&2
        exit 1
    }
}

# They hear the room, but the machine's loudspeaker is for whoever tries `listen`.
start_speakers()
{
    invite=$(ctl invite piazza --role speaker --uses 3 --expires 1h)
    mkdir -p "$STATE/demo"
    for who in anna bruno carla; do
        child "$bin/salotto" speak "$invite" --input "$speech/$who.wav" --loop --handle "$who" \
            --identity "$STATE/demo/$who.key" --output - </dev/null 2>"$STATE/demo/$who.log" >/dev/null &
        speakers="$speakers $!"
    done
    for pid in $speakers; do
        if ! kill -0 "$pid" 2>/dev/null; then
            tail -n 3 "$STATE"/demo/*.log >&2
            exit 1
        fi
    done
}

[ -f "$speech/carla.wav" ] && [ "$speech/carla.wav" -nt etc/demo.sh ] || make_speech
start_daemon
open_room
start_speakers
cat <<END

Three people talk in the room \`piazza\`. In another terminal, try:

  listen:           $bin/salotto listen '$(ctl link piazza)'
  see who is there: $bin/salottoctl --state $STATE who piazza
  mute one:         $bin/salottoctl --state $STATE mute piazza bruno --why "kitchen noise"

Ctrl-C ends all of it.
END
status=0
wait "$daemon" || status=$?
daemon=
exit "$status"
