#!/bin/sh
# The catalogues of other languages know every text that the programs say: nothing is untranslated, nothing is only
# guessed (fuzzy), and the template is what the sources say. TAP.
set -u
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/report.sh

set -- etc/po/*.po
echo "1..$((1 + 2 * $#))"

sh etc/po/gather.sh "$work/now.pot"
report 'etc/po/salotto.pot has the texts of the sources (`make po` gathers them)' \
    "$(diff etc/po/salotto.pot "$work/now.pot" 2>&1)"
for po; do
    report "$po is well-formed, its formats fit, and it has all texts of the template" \
        "$({ msgfmt --check -o "$work/out.mo" "$po" && msgcmp --use-untranslated --use-fuzzy "$po" etc/po/salotto.pot; } 2>&1)"
    report "$po translates every text for sure" \
        "$(LC_ALL=C msgfmt --statistics -o "$work/out.mo" "$po" 2>&1 | grep -E 'untranslated|fuzzy')"
done
exit $failed
