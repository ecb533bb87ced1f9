#!/bin/sh
# seeds.sh FOLDER - lays inputs that pass the first checks where the fuzzers begin: FOLDER/NAME/seed-N
set -eu

folder=$1
n=0

# seed NAME FORMAT: one input, written as printf(1) reads it.
seed() {
    n=$((n + 1))
    mkdir -p "$folder/$1"
    # shellcheck disable=SC2059
    printf "$2" >"$folder/$1/seed-$n"
}

# repeat COUNT ESCAPE
repeat() {
    i=0
    while [ "$i" -lt "$1" ]; do
        printf '%s' "$2"
        i=$((i + 1))
    done
}

key=AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA
seed link "localhost"
seed link "live.example.org:7300/piazza?k=$key"
seed link "[2001:db8::1]:7300/piazza?k=$key&token=abc_DEF-123"
seed link "[::1]/r?token=abc&k=$key"
seed link "127.0.0.1/room-1?new=1&token=x"

# Eight bytes of position, then a plaintext: a stream's with two talkers, one's own with its flags, a long one, speech.
seed wire '\0\0\0\222\174\0\0\0\002\070\200\0\003\170\1\2\3\4'
seed wire '\0\0\0\222\174\0\0\0\301\377\377\007\377\203\1\2\3\4'
seed wire "\\0\\0\\0\\0\\0\\0\\0\\0\\007\\0\\0\\0\\1\\2\\3\\4\\5\\6$(repeat 1275 '\170')"
seed wire '\0\0\0\0\0\0\0\0\001\022\064\0\016\246\0\170\1\2\3\4'

# One byte for the reader, one for the pieces; then frames, or the hello and a message of the right length.
seed control '\0\0\0\003\1{}\0\2\2{\0\2\1}\0\2\11x'
seed control '\0\3\0\2\2{\0\3\2""\0\2\1}'
seed control '\0\0\0\0\0\003\1{}'
seed control "\\1\\0salotto\\0\\1\\0\\200$(repeat 128 '\1')"
seed control "\\2\\0SALOTTO\\0\\1\\1\\003\\241\\007\\277\\363\\316\\020\\276\\035\\160\\335\\030\\347\\113\\300\\231\\147\\344\\326\\060\\233\\245\\015\\137\\035\\334\\206\\144\\022\\125\\061\\270\\0\\060$(repeat 48 '\1')"

# Which message, how much longer and shorter, and the mask: none, so that it opens.
for message in 0 1 2; do
    seed noise "\\$message\\0\\0\\0"
done
