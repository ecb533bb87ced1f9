#!/bin/sh
# Makes sure of the Debian packages that Salotto needs: `deps.sh run` of those to build and run it, `deps.sh check` of
# those for the tests too, `deps.sh deb` of those for the Debian package, `deps.sh fresh` of those for trying it all on
# a fresh system, `deps.sh analyze` and `deps.sh cover` of those for these. Says what it installs before it does, and
# nothing at all when everything is there.
set -eu

run='gcc libc6-dev make pkg-config libopus-dev libevent-dev libsodium-dev libjansson-dev libsqlite3-dev libinih-dev
    libsystemd-dev portaudio19-dev libsndfile1-dev libogg-dev espeak-ng gettext'
check='clang clang-format libclang-rt-14-dev libcmocka-dev perl python3 python3-numpy ffmpeg opus-tools
    asterisk-core-sounds-en-g722 asterisk-core-sounds-fr-g722 asterisk-core-sounds-es-g722
    pulseaudio pulseaudio-utils libasound2-plugins systemd locales bash zsh mandoc libfaketime tmux'
deb='build-essential debhelper lintian'
fresh='debootstrap systemd-container'
analyze='clang-tidy cppcheck'
cover='gcovr'

case ${1-} in
run) wanted=$run ;;
check) wanted="$run $check" ;;
deb) wanted="$run $deb" ;;
fresh) wanted="$run $deb $fresh" ;;
analyze) wanted="$run $check $analyze" ;;
cover) wanted="$run $check $cover" ;;
*)
    echo 'usage: etc/deps.sh run|check|deb|fresh|analyze|cover' >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "deps.sh: this is not Debian: make sure yourself of what these packages hold:" $wanted >&2
    exit 0
fi

there=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' $wanted 2>/dev/null || true)"
missing=
for p in $wanted; do
    case $there in
    *" installed:$p "*) ;;
    *) missing="$missing $p" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "deps.sh: packages are missing, and neither root nor sudo is here to install them. As root, type:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

apt()
{
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
}

install_missing()
{
    apt install -y --no-install-recommends $missing
}

echo "Installing with apt-get${as_root:+ (through sudo)}:$missing"
# The package lists may be empty or old: then fetch them, once.
if ! apt-get install -qq --simulate --no-install-recommends $missing >/dev/null 2>&1 || ! install_missing; then
    apt update
    install_missing
fi
