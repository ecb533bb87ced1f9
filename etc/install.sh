#!/bin/sh
# Puts files where they belong, or takes exactly those away again.
# usage: etc/install.sh install|uninstall KIND:FROM:TO...    environment: DESTDIR, BINDIR, SYSCONFDIR
# KIND is a mode; or `fill`, a text in which @BINDIR@ and @SYSCONFDIR@ are to be filled in; or `conf`, which is never
# overwritten, and taken away only as it came; or `link`, a symbolic link TO that leads to FROM.
set -eu

DESTDIR=${DESTDIR-}
verb=$1
shift

put()
{
    mkdir -p "$(dirname "$to")"
    case $kind in
    fill)
        sed -e "s,@BINDIR@,$BINDIR,g" -e "s,@SYSCONFDIR@,$SYSCONFDIR,g" "$from" >"$to"
        chmod 644 "$to"
        ;;
    conf)
        [ ! -e "$to" ] || return 0
        install -m 644 "$from" "$to"
        ;;
    link) ln -sfn "$from" "$to" ;;
    *) install -m "$kind" "$from" "$to" ;;
    esac
    echo "$to"
}

take()
{
    [ -e "$to" ] || [ -L "$to" ] || return 0
    if [ "$kind" = conf ] && ! cmp -s "$from" "$to"; then
        echo "kept, since it was changed: $to"
        return 0
    fi
    rm -f "$to"
    echo "removed $to"
    # Folders of our own name go when they are empty; the others are everybody's.
    folder=$(dirname "$to")
    while case ${folder#"$DESTDIR"} in */salotto | */salotto/*) ;; *) false ;; esac && rmdir "$folder" 2>/dev/null; do
        folder=$(dirname "$folder")
    done
}

for piece; do
    kind=${piece%%:*}
    from=${piece#*:}
    to=$DESTDIR${from#*:}
    from=${from%%:*}
    case $verb in
    install) put ;;
    uninstall) take ;;
    esac
done
