#!/bin/sh
# What systemd.sh runs in the container, as root: the life of the package from its installation to its purge. TAP.
# Files: /fresh/old.deb, /fresh/new.deb.
set -u
exec 2>&1

n=0

# check SENTENCE FUNCTION: what the function says is shown when it fails
check()
{
    n=$((n + 1))
    if ("$2") >/tmp/said 2>&1; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        sed 's/^/# /' /tmp/said
        journalctl --no-pager -n 25 -u salottod | sed 's/^/# /'
    fi
}

# has TEXT: standard input has it
has()
{
    cat >/tmp/has
    grep -q -e "$1" /tmp/has || { echo "no '$1' in:"; cat /tmp/has; return 1; }
}

# eventually COMMAND...: within a minute
eventually()
{
    for _ in $(seq 300); do
        ! "$@" || return 0
        sleep 0.2
    done
    echo "not within a minute: $*"
    return 1
}

not()
{
    ! "$@" || { echo "not so: not $*"; return 1; }
}

pid()
{
    systemctl show -p MainPID --value salottod
}

active()
{
    [ "$(systemctl is-active salottod)" = "${1-active}" ]
}

# drop_in [LINE]...: the service's drop-in, or none
drop_in()
{
    mkdir -p /etc/systemd/system/salottod.service.d
    rm -f /etc/systemd/system/salottod.service.d/test.conf
    [ $# = 0 ] || printf '%s\n' '[Service]' "$@" >/etc/systemd/system/salottod.service.d/test.conf
    systemctl daemon-reload
}

# listen NAME [LINK]: somebody comes into the room, and stays
listen()
{
    salotto listen "${2-$(salottoctl link piazza)}" --json --handle "$1" --identity "/root/$1.key" \
        --output "/root/$1.wav" >"/root/$1.log" 2>&1 &
    echo $! >"/root/$1.pid"
    eventually grep -q '"joined"' "/root/$1.log"
}

echo 1..21

installs()
{
    dpkg -i /fresh/old.deb && active && systemctl is-enabled salottod
}
check 'dpkg -i installs the package, and the service runs and is enabled' installs

creates()
{
    salottoctl room create piazza --title 'Open Friday' && salottoctl room list | has piazza
}
check 'salottoctl room create works right after, with no file edited' creates

group()
{
    useradd --create-home --groups salotto gina && useradd --create-home otto &&
        setpriv --reuid gina --regid gina --init-groups salottoctl room create corte &&
        not setpriv --reuid otto --regid otto --init-groups salottoctl room list
}
check 'members of the group salotto are operators, others are not' group

folders()
{
    [ "$(stat -c '%U:%G %a' /var/lib/salotto)" = 'salotto:salotto 750' ] &&
        [ "$(stat -c '%U:%G %a' /run/salotto)" = 'salotto:salotto 750' ] &&
        [ "$(stat -c '%U:%G %a' /run/salotto/control.sock)" = 'salotto:salotto 660' ] &&
        [ "$(stat -c '%U %a' /var/lib/salotto/server.key)" = 'salotto 600' ] || {
        ls -la /var/lib/salotto /run/salotto
        return 1
    }
}
check 'its folders, key and socket belong to salotto, with the modes they should have' folders

# A wrapper holds the start up: with a service that only has to run, systemd would take it for active at once.
ready()
{
    start='salottod --config /etc/salotto/salottod.conf'
    drop_in ExecStart= "ExecStart=/bin/sh -c 'until [ -e /run/salotto/go ]; do sleep 0.1; done; exec $start'"
    systemctl stop salottod && systemctl start --no-block salottod && eventually test -d /run/salotto &&
        sleep 1 && active activating && touch /run/salotto/go && eventually active && salottoctl room list | has piazza
    status=$?
    drop_in
    systemctl restart salottod
    return $status
}
check 'the service is active when the daemon says that it is ready, and not before' ready

status()
{
    listen dora && eventually sh -c 'systemctl status --no-pager salottod | grep -q "1 room, 1 person"'
}
check 'systemctl status counts rooms and people' status

# It may well find something to mend; that the sandbox keeps it from looking would be a fault.
doctor()
{
    salottoctl doctor >/tmp/doctor 2>&1
    has '' </tmp/doctor && cat /tmp/doctor >/fresh/doctor && not grep -i 'not permitted\|permission denied' /tmp/doctor
}
check 'salottoctl doctor can look at all it wants to within the sandbox' doctor

# Within the very mount namespace of the daemon, as its user.
as_daemon()
{
    nsenter --target "$(pid)" --mount setpriv --reuid salotto --regid salotto --clear-groups --no-new-privs "$@"
}

sandbox_reads()
{
    echo secret >/home/gina/diary && chmod -R a+rX /home/gina &&
        as_daemon grep -q max_people /etc/salotto/salottod.conf &&
        not as_daemon cat /home/gina/diary &&
        not as_daemon ls /home/gina &&
        not as_daemon ls /root &&
        echo secret >/tmp/secret && chmod a+r /tmp/secret && not as_daemon cat /tmp/secret
}
check 'the daemon sees nothing of /home, /root and /tmp' sandbox_reads

# Everything there is to write on, tried as root too: no folder but its own two is writable, whoever asks.
sandbox_writes()
{
    for folder in / /etc /etc/salotto /usr /usr/bin /var /var/lib /var/log /opt /srv; do
        not as_daemon touch "$folder/probe" || return 1
        not nsenter --target "$(pid)" --mount touch "$folder/probe" || return 1
    done
    as_daemon touch /var/lib/salotto/probe && as_daemon touch /run/salotto/probe &&
        rm /var/lib/salotto/probe /run/salotto/probe
}
check 'nothing but its own folders can be written there, by its user or by root' sandbox_writes

sandbox_status()
{
    grep -E '^(CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' "/proc/$(pid)/status" | tr -d '\t' | tr '\n' ' ' |
        has 'CapPrm:0* CapEff:0* CapBnd:0* CapAmb:0* NoNewPrivs:1 Seccomp:2' &&
        [ "$(stat -c %U "/proc/$(pid)")" = salotto ]
}
check 'it runs as salotto, without capabilities, and under a filter of system calls' sandbox_status

reloads()
{
    before=$(pid)
    sed -i 's/^# public_host = .*/public_host = talk.example/' /etc/salotto/salottod.conf &&
        systemctl reload salottod &&
        eventually sh -c 'salottoctl link piazza | grep -q talk.example' && [ "$(pid)" = "$before" ] &&
        kill -0 "$(cat /root/dora.pid)"
}
check 'systemctl reload takes a changed configuration over, under the people in the room' reloads

reload_refuses()
{
    before=$(pid)
    cp /etc/salotto/salottod.conf /root/good.conf && echo 'prot = 1' >>/etc/salotto/salottod.conf
    not systemctl reload salottod
    status=$?
    cp /root/good.conf /etc/salotto/salottod.conf
    [ $status = 0 ] && active && [ "$(pid)" = "$before" ] && salottoctl link piazza | has talk.example &&
        journalctl --no-pager -u salottod | has "unknown key 'prot'"
}
check 'systemctl reload fails when the file has a fault, and the service goes on with the old one' reload_refuses

# The link, by the address in figures whatever the public host is.
link()
{
    salottoctl link piazza | sed 's,//[^/]*/,//127.0.0.1/,'
}

watchdog()
{
    before=$(pid)
    kill -STOP "$before" && eventually sh -c '[ "$(systemctl show -p MainPID --value salottod)" != '"$before"' ]' &&
        eventually active && [ "$(pid)" != "$before" ] && journalctl --no-pager -u salottod | has 'Watchdog timeout' &&
        salottoctl room list | has piazza
}
check 'a daemon whose main loop is stopped is started anew by the watchdog' watchdog

stops()
{
    listen anna "$(link)" &&
        salottoctl promote piazza anna --to moderator &&
        systemctl stop salottod && active inactive &&
        eventually grep -q '"stopping"' /root/anna.log && not test -e /run/salotto &&
        journalctl --no-pager -u salottod | has stopped && not test -e /var/lib/salotto/salotto.db-wal
}
check 'systemctl stop tells everyone, and the database is closed' stops

# anna_moderates: she comes in, and is what she was made
anna_moderates()
{
    listen anna "$(link)" && salottoctl --json who piazza | tr -d ' \n' | has '"handle":"anna"[^}]*"role":"moderator"'
}

restarts()
{
    systemctl start salottod && anna_moderates
}
check 'started again, roles are as they were' restarts

restores()
{
    salottoctl backup /root/friday.backup && salottoctl demote piazza anna && salottoctl room create loggia &&
        systemctl stop salottod && salottod --restore /root/friday.backup && systemctl start salottod &&
        anna_moderates && salottoctl room list | has piazza && not has loggia </tmp/has
}
check 'a backup made while it runs is restored: roles and rooms are as they were then' restores

credential()
{
    before=$(link) && install -m 600 /var/lib/salotto/server.key /etc/salotto/server.key &&
        drop_in LoadCredential=server.key:/etc/salotto/server.key && mv /var/lib/salotto/server.key /root/server.key &&
        systemctl restart salottod && [ "$(link)" = "$before" ] && not test -e /var/lib/salotto/server.key
    status=$?
    [ ! -e /root/server.key ] || mv /root/server.key /var/lib/salotto/server.key
    rm -f /etc/salotto/server.key
    drop_in
    systemctl restart salottod
    [ $status = 0 ] && [ "$(link)" = "$before" ]
}
check 'the key may be a credential of the service: the links stay the same without the file' credential

encrypted()
{
    key=/var/lib/salotto/server.key
    before=$(link) &&
        systemd-creds encrypt --with-key=host --name=server.key $key /etc/salotto/server.key.cred &&
        drop_in LoadCredentialEncrypted=server.key:/etc/salotto/server.key.cred &&
        mv $key /root/server.key && systemctl restart salottod && [ "$(link)" = "$before" ]
    status=$?
    [ ! -e /root/server.key ] || mv /root/server.key /var/lib/salotto/server.key
    rm -f /etc/salotto/server.key.cred
    drop_in
    systemctl restart salottod
    return $status
}
check 'and that credential may be encrypted' encrypted

upgrades()
{
    before=$(pid) && old=$(dpkg-query -W -f '${Version}' salotto) && dpkg --force-confold -i /fresh/new.deb && active &&
        [ "$(pid)" != "$before" ] && [ "$(dpkg-query -W -f '${Version}' salotto)" != "$old" ] &&
        grep -q talk.example /etc/salotto/salottod.conf && anna_moderates
}
check 'an upgrade restarts the service, and keeps configuration, rooms and roles' upgrades

removes()
{
    dpkg -r salotto && not active && not command -v salottod && test -s /var/lib/salotto/salotto.db &&
        test -s /var/lib/salotto/server.key && grep -q talk.example /etc/salotto/salottod.conf &&
        dpkg -i /fresh/new.deb && active && anna_moderates
}
check 'removed, it keeps state and configuration; installed again, rooms and roles are there' removes

purges()
{
    dpkg -P salotto && not active &&
        find / -xdev -name '*salott*' -not -path '/var/log/*' -not -path '/tmp/*' >/tmp/left &&
        [ ! -s /tmp/left ] || { cat /tmp/left; return 1; }
}
rm -rf /etc/systemd/system/salottod.service.d
check 'purged, nothing of it is left but its user' purges

echo '# done'
