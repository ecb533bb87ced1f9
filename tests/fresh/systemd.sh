#!/bin/sh
# The Debian package on a new Debian 12 with systemd as init, in a container without a network: installed, watched over,
# reloaded, sandboxed, upgraded, removed, purged. TAP; what the container said lies in build/fresh/booted.log.
set -eu
cd "$(dirname "$0")/../.."
. tests/fresh/lib.sh

version=$(sed -n 's/.*SALOTTO_VERSION "\(.*\)"/\1/p' tools/version.h)
arch=$(dpkg --print-architecture)
rm -rf "$work/share" "$work/newer"
mkdir -p "$work/share"
cp tests/fresh/package.sh "$work/share/package.sh"

# Two packages: the one that `make deb` has built, and the same as a later version.
cp "build/deb/salotto_${version}_$arch.deb" "$work/share/old.deb"
dpkg-deb --raw-extract "$work/share/old.deb" "$work/newer"
sed -i "s/^Version: .*/&+1/" "$work/newer/DEBIAN/control"
dpkg-deb --build --root-owner-group "$work/newer" "$work/share/new.deb" >/dev/null
rm -rf "$work/newer"

base
copy booted
say 'systemd, dbus and what the package depends on'
cp "$work/share/old.deb" "$work/booted/root/old.deb"
inside booted sh -euc '
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends systemd-sysv dbus
    apt-get -qq satisfy -y --no-install-recommends "$(dpkg-deb -f /root/old.deb Depends)"
' >"$work/packages.log" 2>&1 || {
    tail -n 20 "$work/packages.log" >&2
    exit 1
}

# The container runs the tests once it has booted, and powers off.
unit=$work/booted/etc/systemd/system
mkdir -p "$unit/multi-user.target.wants"
cat >"$unit/package-test.service" <<'END'
[Unit]
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/sh /fresh/package.sh
StandardOutput=append:/fresh/tap
StandardError=append:/fresh/err
[Install]
WantedBy=multi-user.target
END
ln -s ../package-test.service "$unit/multi-user.target.wants/package-test.service"
: >"$work/share/tap"
say 'booting'
apart --mount-proc timeout --signal=KILL 900 systemd-nspawn --register=no --keep-unit --private-network \
    --machine=salotto-fresh --directory="$work/booted" --bind="$work/share:/fresh" --boot \
    </dev/null >"$work/booted.log" 2>&1 || say "the container ended with $?"
cat "$work/share/tap"
if ! grep -q '^# done' "$work/share/tap" || grep -q '^not ok' "$work/share/tap"; then
    sed 's/^/# /' "$work/share/err" | tail -n 30
    exit 1
fi
