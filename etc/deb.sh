#!/bin/sh
# Builds the Debian package from this tree in build/deb, and looks it over with lintian, which must find no error. The
# version is that of tools/version.h and the changelog that of CHANGELOG.md.
set -eu
cd "$(dirname "$0")/.."

version=$(sed -n 's/.*SALOTTO_VERSION "\(.*\)"/\1/p' tools/version.h)
out=build/deb
tree=$out/salotto-$version
maintainer=$(sed -n 's/^Maintainer: //p' etc/debian/control)
# The time of the last commit, where there is one, so that the same tree makes the same package.
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}

# changelog: what CHANGELOG.md says of the newest version, in Debian's form
changelog()
{
    printf 'salotto (%s) unstable; urgency=medium\n\n' "$version"
    awk '/^## / { n++ }
        n == 1 && /^- / { if (item) print item; item = $0 }
        n == 1 && /^  / { $1 = $1; item = item " " $0 }
        END { print item }' CHANGELOG.md | fold -s -w 74 | sed -e 's/ *$//' -e 's/^/    /' -e 's/^    - /  * /'
    printf '\n -- %s  %s\n' "$maintainer" "$(LC_ALL=C date -u -R -d "@$time")"
}

rm -rf "$tree"
mkdir -p "$tree"
tar -c --exclude-vcs --exclude=./build --exclude=./state . | tar -x -C "$tree"
cp -R etc/debian "$tree/debian"
cp etc/salottod.sysusers "$tree/debian/salotto.sysusers"
changelog >"$tree/debian/changelog"

unset MAKEFLAGS MAKELEVEL MFLAGS
(cd "$tree" && dpkg-buildpackage --build=binary --no-sign -j"$(nproc)") >"$out/log" 2>&1 || {
    tail -n 40 "$out/log" >&2
    exit 1
}
rm -rf "$tree"
lintian --fail-on error "$out/salotto_${version}_$(dpkg --print-architecture).changes"
echo "$out/salotto_${version}_$(dpkg --print-architecture).deb"
