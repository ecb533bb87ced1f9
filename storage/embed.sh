#!/bin/sh
# Writes the migrations named on the command line to standard output as one C array (storage/schema.h).
# They must be numbered 001-, 002- … without a gap, as a database's user_version counts them.
set -eu
export LC_ALL=C

n=0
for file in "$@"; do
    n=$((n + 1))
    case ${file##*/} in
    "$(printf '%03d-' "$n")"*.sql) ;;
    *)
        echo "$0: $file should be number $n of the migrations" >&2
        exit 1
        ;;
    esac
done

echo '/* Made by storage/embed.sh. */'
echo '#include "storage/schema.h"'
echo
echo 'const char *const schema_sql[] = {'
for file in "$@"; do
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/    "/' -e 's/$/\\n"/' "$file"
    echo '    ,'
done
echo '};'
echo
echo "const unsigned schema_sql_count = $n;"
