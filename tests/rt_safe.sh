#!/bin/sh
# rt_safe.sh - do the mixer's RT_SAFE functions call only what the tick may call?
#
# A function is RT_SAFE when the comment above it, in a header or in its .c file, begins with that word (mixer/rt.h). It
# may call RT_SAFE functions of ours and what is allowed below; a static function that it calls is held to the same,
# and so on down. The compiler itself says who calls whom (gcc's -fcallgraph-info, unoptimised, so that no call has
# been inlined away). Calls through pointers can't be followed and are refused.
#
# Prints TAP, a line for each function; fails when one does what it may not. Loops are for the reader to bound.

set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Neither allocates, waits, nor does I/O. NAME, or NAME@FILE for what only that file may call. libopus works on the
# stack and the state that it is given; clock_gettime() does not enter the kernel for the clocks that we read.
allowed='
memcpy memmove memset memcmp
fabs fabsf sqrt sqrtf exp expf exp2 exp2f pow powf log logf log2 log2f log10 log10f sin sinf cos cosf tan tanf tanhf
floor floorf ceil ceilf round roundf lrint lrintf lround lroundf fmin fminf fmax fmaxf fmod fmodf
opus_decode_float opus_decoder_ctl opus_decoder_init opus_decoder_get_size
opus_encode_float opus_encoder_ctl opus_encoder_init opus_encoder_get_size
opus_packet_parse opus_packet_get_samples_per_frame opus_packet_get_nb_channels opus_packet_get_nb_frames
opus_packet_get_nb_samples opus_packet_get_bandwidth
clock_gettime __errno_location
syscall@mixer/waker.c eventfd_write@mixer/waker.c
'

# marks FOLDER: the RT_SAFE functions that its files name, those of static ones as FILE:NAME, as gcc writes them.
marks() {
    for file in "$1"/*.[ch]; do
        awk -v file="$file" '
            /^\/\* RT_SAFE[^A-Za-z0-9_]/ { marked = 1; comment = 1 }
            comment { if (/\*\//) comment = 0; next }
            /^$/ || /^\/\*/ || /^[{}]/ { marked = 0 }
            marked && /^[A-Za-z_]/ && match($0, /[A-Za-z_][A-Za-z0-9_]*\(/) {
                name = substr($0, RSTART, RLENGTH - 1)
                print (/^static / && file ~ /\.c$/ ? file ":" name : name)
            }' "$file"
    done | sort -u
}

# check FOLDER: a line "ok|bad|absent NAME [why]" for each of them.
check() {
    rm -rf "$tmp/graph"
    mkdir "$tmp/graph"
    for file in "$1"/*.c; do
        # shellcheck disable=SC2046 # pkg-config prints words
        gcc -std=gnu11 -D_GNU_SOURCE -I. -O0 $(pkg-config --cflags opus) -fcallgraph-info -c \
            -o "$tmp/graph/$(basename "$file" .c).o" "$file"
    done
    marks "$1" >"$tmp/marks"
    awk -v allowed="$allowed" '
        function field(name,   rest) {
            if (!match($0, name ": \"[^\"]*\""))
                return ""
            rest = substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
            return rest
        }
        function may_call(callee, place,   file) {
            file = place
            sub(/:.*/, "", file)
            return (callee in allow) || ((callee "@" file) in allow)
        }
        # What is wrong with the function, looking through the static ones that it calls; "" when nothing is.
        function fault(root,   queue, head, tail, seen, i, callee, why) {
            queue[tail++] = root
            seen[root] = 1
            while (head < tail) {
                why = queue[head++]
                for (i = 0; i < calls[why]; i++) {
                    callee = call[why, i]
                    if (callee ~ /:/) {
                        if (!(callee in seen))
                            queue[tail++] = callee
                        seen[callee] = 1
                    } else if (callee == "__indirect_call") {
                        return "calls through a pointer at " place[why, i]
                    } else if (callee in defined) {
                        if (!(callee in mark))
                            return "calls " callee "(), which is not RT_SAFE, at " place[why, i]
                    } else if (!may_call(callee, place[why, i])) {
                        return "calls " callee "() at " place[why, i]
                    }
                }
            }
            return ""
        }
        BEGIN { n = split(allowed, word); for (i = 1; i <= n; i++) allow[word[i]] = 1 }
        FILENAME ~ /\/marks$/ { mark[$0] = 1; order[marks++] = $0; next }
        /^node:/ && !/shape : ellipse/ {
            name = field("title")
            defined[name] = 1
            # An inline function of a header has a node in each file that includes it, under that file'"'"'s name.
            if (sub(/^.*:/, "", name) && $0 ~ /\.h:[0-9]/)
                inline[name] = field("title")
        }
        /^edge:/ {
            caller = field("sourcename")
            place[caller, calls[caller] + 0] = field("label")
            call[caller, calls[caller]++] = field("targetname")
        }
        END {
            for (m = 0; m < marks; m++) {
                name = order[m]
                title = name in defined ? name : name in inline ? inline[name] : ""
                if (title == "")
                    print "absent", name
                else if ((why = fault(title)) != "")
                    print "bad", name, why
                else
                    print "ok", name
            }
        }' "$tmp/marks" "$tmp"/graph/*.ci
}

# First on a sample whose faults are known: a check that can't fail proves nothing.
mkdir "$tmp/sample"
cat >"$tmp/sample/sample.h" <<'END'
#include <stdlib.h>
#include <string.h>
/* RT_SAFE. Both are. */
int clean(int n);
int also_clean(int n);

/* RT_SAFE. They are not. */
int allocates(int n);
int allocates_below(int n);
int calls_other(int n);
int calls_pointer(int (*f)(int));

int other(int n);
END
cat >"$tmp/sample/sample.c" <<'END'
#include "sample.h"
static int twice(int n)
{
    return 2 * n;
}
static int hidden(int n)
{
    return malloc((size_t)twice(n)) != NULL;
}
/* RT_SAFE. Says so itself. */
static int marked(int n)
{
    return other(n);
}
int clean(int n)
{
    memset(&n, 0, sizeof n);
    return twice(also_clean(n));
}
int also_clean(int n)
{
    return n > 0 ? clean(n - 1) : 0;
}
int allocates(int n)
{
    return malloc((size_t)n) != NULL;
}
int allocates_below(int n)
{
    return hidden(n);
}
int calls_other(int n)
{
    return other(n);
}
int calls_pointer(int (*f)(int))
{
    return f(1);
}
int other(int n)
{
    return hidden(n) + marked(n);
}
END
cat >"$tmp/wanted" <<END
ok also_clean
ok clean
bad allocates calls malloc()
bad allocates_below calls malloc()
bad calls_other calls other(), which is not RT_SAFE
bad calls_pointer calls through a pointer
bad $tmp/sample/sample.c:marked calls other(), which is not RT_SAFE
END
check "$tmp/sample" | sed 's/,* at [^ ]*$//' | sort >"$tmp/found"
sort "$tmp/wanted" >"$tmp/wanted.sorted"
check mixer >"$tmp/report"

failed=0
echo "1..$(($(wc -l <"$tmp/report") + 1))"
if cmp -s "$tmp/wanted.sorted" "$tmp/found"; then
    echo "ok 1 - the check finds what a sample hides"
else
    echo "not ok 1 - the check finds what a sample hides"
    diff "$tmp/wanted.sorted" "$tmp/found" | sed 's/^/# /' || true
    failed=1
fi
number=1
while read -r verdict name why; do
    number=$((number + 1))
    case $verdict in
    ok) echo "ok $number - $name calls only what the tick may" ;;
    absent) echo "ok $number - $name calls only what the tick may # SKIP not defined" ;;
    *)
        echo "not ok $number - $name calls only what the tick may"
        echo "# $name $why"
        failed=1
        ;;
    esac
done <"$tmp/report"
exit $failed
