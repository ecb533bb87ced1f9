#!/bin/sh
# Gathers the texts that the programs say into a gettext template (`make pot`).
# usage: etc/po/gather.sh FILE
#
# Besides _() and its like, every message and mend of an error is one, and what some functions of ours make of one.
# xgettext takes one argument of a call only, so it looks twice. No line numbers and no date, so that the template changes only when a text does.
set -eu

out=$1
texts=$(mktemp)
trap 'rm -f "$texts"' EXIT

gather()
{
    find mixer net storage tools etc/po -name '*.[ch]' | LC_ALL=C sort |
        xgettext --files-from=- --output="$texts" --language=C --from-code=UTF-8 --no-wrap --add-location=file \
            --package-name=Salotto --copyright-holder='the authors of Salotto' --keyword "$@"
}

gather --keyword=_ --keyword=N_ --keyword=ERR_TEXT --keyword=language_plural:1,2 \
    --keyword=err_set:4 --keyword=err_mend:2 --keyword=CONTROL_DIE:4 --keyword=complain:3 --keyword=say:3 \
    --keyword=stay_say:2 --keyword=stay_progress:2 --keyword=status_line_say:2 --keyword=status_line_progress:2 \
    --keyword=hint:3 --keyword=add:2 --keyword=mend:2 --keyword=query_begin:3 --keyword=db_exec:3 --keyword=db_fail:3 --keyword=run:3 \
    --flag=_:1:pass-c-format --flag=N_:1:pass-c-format --flag=ERR_TEXT:1:pass-c-format \
    --flag=language_plural:1:pass-c-format --flag=language_plural:2:pass-c-format --flag=err_set:4:c-format \
    --flag=err_mend:2:c-format --flag=CONTROL_DIE:4:c-format --flag=complain:3:c-format --flag=say:3:c-format \
    --flag=mend:2:c-format --flag=stay_say:2:c-format --flag=stay_progress:2:c-format \
    --flag=status_line_say:2:c-format --flag=status_line_progress:2:c-format --flag=add:2:c-format
gather --keyword=err_set:3 --keyword=CONTROL_DIE:3 --join-existing
# The header of a template says nothing that a translation could use.
sed -e '/^"POT-Creation-Date:/d' -e '/^# SOME DESCRIPTIVE/,/^# FIRST AUTHOR/d' "$texts" >"$out"
