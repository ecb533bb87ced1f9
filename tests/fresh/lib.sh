# Sourced by fresh.sh and systemd.sh: a new Debian 12, kept in build/fresh for the next run.
# Nothing that is mounted or started outlives the scripts: both happens in namespaces that end with them.

work=$(pwd)/build/fresh

say()
{
    echo "# $*"
}

# The mirror that this machine has its own packages from.
mirror()
{
    apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' 'Created-By: Packages' |
        head -n 1
}

# Debian 12 as debootstrap makes it, with make and git, in $work/base.
base()
{
    [ "$(id -u)" = 0 ] || {
        echo 'making a fresh system takes root: debootstrap, chroot and mounts' >&2
        exit 1
    }
    [ ! -d "$work/base" ] || return 0
    say 'debootstrap makes Debian 12 with make and git'
    mkdir -p "$work"
    rm -rf --one-file-system "$work/base.new"
    debootstrap --variant=minbase --include=make,git bookworm "$work/base.new" "$(mirror)" \
        >"$work/debootstrap.log" 2>&1 || {
        tail -n 20 "$work/debootstrap.log" >&2
        exit 1
    }
    rm -f "$work/base.new"/var/cache/apt/archives/*.deb
    mv "$work/base.new" "$work/base"
}

# copy FOLDER: a fresh copy of the base
copy()
{
    rm -rf --one-file-system "${work:?}/$1"
    cp -a --reflink=auto "$work/base" "$work/$1"
}

# apart [UNSHARE OPTION]... COMMAND...: runs it with mounts and processes of its own, which end with it and with us
apart()
{
    setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child "$@"
}

# inside FOLDER COMMAND...: runs it in there as root, with proc, sys and dev, and a cache of packages that stays. Ends
# all that it started.
inside()
{
    folder=$work/$1 archives=$work/archives-$1
    shift
    mkdir -p "$archives/partial"
    apart sh -euc '
        folder=$1 archives=$2
        shift 2
        mount --bind "$folder" "$folder"
        mount -t proc proc "$folder/proc"
        mount --rbind /sys "$folder/sys"
        mount --rbind /dev "$folder/dev"
        mount --bind "$archives" "$folder/var/cache/apt/archives"
        exec chroot "$folder" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    ' sh "$folder" "$archives" "$@"
}
