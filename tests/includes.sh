#!/bin/sh
# The include rules of the house (ARCHITECTURE.md): each folder includes only what lies below it. TAP.
set -u
cd "$(dirname "$0")/.."

. tests/report.sh

# quoted FOLDER: every #include "..." in its sources as file:line:path
quoted()
{
    find "$1" -name '*.[ch]' 2>/dev/null | sort | xargs -r grep -Hn '^[ \t]*#[ \t]*include[ \t]*"' |
        sed 's/^\([^:]*:[0-9]*\):[^"]*"\([^"]*\)".*/\1:\2/'
}

# only FOLDER REGEX NAME: all of its quoted includes match
only()
{
    report "$3" "$(quoted "$1" | grep -Ev ":($2)\$" || true)"
}

# never FOLDER REGEX NAME: none of its system includes match
never()
{
    report "$3" "$(find "$1" -name '*.[ch]' 2>/dev/null | sort |
        xargs -r grep -HnE "^[ \t]*#[ \t]*include[ \t]*<($2)" || true)"
}

system='sys/socket|netinet/|arpa/|netdb|event2/|sqlite3|jansson|sodium|ini\.h|portaudio|sndfile|ogg/|systemd/'

echo 1..11
only mixer 'mixer/[a-z_]+\.h' 'mixer/ includes nothing of ours but mixer/'
never mixer "$system" 'mixer/ knows no sockets, no SQL, no JSON and no keys'
only net 'net/[a-z_]+\.h|mixer/(packet|ring|tape|err|waker|rt)\.h' \
    'net/ includes of mixer/ only packet, ring, tape, err, waker and rt'
never net 'sqlite3|ini\.h|portaudio|sndfile|systemd/|opus/' 'net/ knows no SQL, no devices and no codec'
only storage 'storage/[a-z_]+\.h|mixer/(ring|err|waker)\.h' 'storage/ includes of mixer/ only ring, err and waker'
never storage 'sys/socket|netinet/|event2/|jansson|opus|portaudio|systemd/' 'storage/ knows no sockets and no sound'
only tools/salottod '(mixer|net|storage|tools/salottod)/[a-z_]+\.h|tools/[a-z_]+\.h' 'salottod composes the three libraries'
only tools/salotto '(mixer|net|tools/salotto)/[a-z_]+\.h|tools/[a-z_]+\.h' 'salotto includes net/ and mixer/, and no storage/'
never tools/salotto 'sqlite3|ini\.h|systemd/' 'salotto knows no database and no configuration'
only tools/salottoctl 'net/[a-z_]+\.h|mixer/err\.h|tools/[a-z_]+\.h|tools/salottoctl/[a-z_]+\.h' 'salottoctl includes net/ only'
only tools/manual 'tools/salottod/(args|command)\.h|tools/version\.h' 'the manual knows of the daemon its command table only'
exit $failed
