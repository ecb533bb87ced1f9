#!/usr/bin/python3
"""Backup, check and restore: what a daemon knows comes back on another machine, and damage is found and mended."""
import os
import random
import re
import signal
import sqlite3
import stat
import time

from harness import process, tap
from harness.daemon import Daemon
from harness.noise import Identity
from harness.peer import Denied, Peer

BIG_ROWS = 60000  # about 20 MB: reading it takes longer than a command does


class Scene:
    pass


def setup():
    s = Scene()
    s.folder = process.folder()
    s.daemon = Daemon()
    s.link = s.daemon.room()
    s.anna, s.berta, s.carla = Identity(), Identity(), Identity()
    for handle, me in (("anna", s.anna), ("berta", s.berta), ("carla", s.carla)):
        Peer(s.link, me).enter(handle).close()
    s.daemon.ctl("promote", "piazza", "anna", "--to", "moderator")
    s.daemon.ctl("ban", "piazza", "berta", "--why", "spam")
    s.invite = s.daemon.invite("speaker")
    return s


def path(s, name):
    return os.path.join(s.folder, name)


def query(file, sql):
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def grow(database):
    """Makes a database large that no daemon uses: people who never had a role."""
    db = sqlite3.connect(database)
    with db:
        db.executemany(
            "INSERT INTO person (key, handle, since_ms) VALUES (?, ?, 1)",
            ((random.randbytes(32), f"guest-{n}-{'x' * 18}") for n in range(BIG_ROWS)),
        )
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def restore(file, state):
    return process.run([process.program("salottod"), "--restore", file, "--state", state])


def leftovers(folder):
    return [f for f in os.listdir(folder) if f.endswith(".tmp") or f.startswith("restor")]


@tap.check("a backup is one SQLite file, for whoever made it alone, with all that is known and the server's key")
def _(s):
    s.backup = path(s, "friday")
    out = s.daemon.ctl("backup", s.backup)
    tap.true("server's key is in it" in out, f"the warning in {out!r}")
    tap.equal(os.listdir(s.folder), ["friday"], "files")
    tap.equal(stat.S_IMODE(os.stat(s.backup).st_mode), 0o600, "its mode")
    tap.equal(query(s.backup, "PRAGMA integrity_check"), [("ok",)], "integrity")
    tap.equal(query(s.backup, "SELECT handle FROM person ORDER BY handle"), [("anna",), ("berta",), ("carla",)], "people")
    with open(os.path.join(s.daemon.state, "server.key"), "rb") as f:
        tap.equal(query(s.backup, "SELECT server_key FROM backup_info"), [(f.read(),)], "the key")
    tap.equal(os.listdir(s.folder), ["friday"], "files after sqlite3 has read it")
    tap.equal(leftovers(s.daemon.state), [], "what is left in the state folder")


@tap.check("--json tells of it, and --without-key leaves the key out")
def _(s):
    told = s.daemon.ctl.json("backup", path(s, "keyless"), "--without-key")
    tap.equal((told["file"], told["has_key"], told["people"]), (path(s, "keyless"), False, 3), "the answer")
    tap.equal(told["bytes"], os.path.getsize(path(s, "keyless")), "its size")
    tap.equal(query(path(s, "keyless"), "SELECT server_key FROM backup_info"), [(None,)], "the key")


@tap.check("a file that is there is replaced only with --force")
def _(s):
    with open(path(s, "precious"), "w") as f:
        f.write("precious")
    code, _out, err = s.daemon.ctl.try_("backup", path(s, "precious"))
    tap.equal(code, 2, "exit code")
    tap.true("precious is there already" in err and "--force" in err, f"the message {err!r}")
    with open(path(s, "precious")) as f:
        tap.equal(f.read(), "precious", "its content")
    s.daemon.ctl("backup", "--force", path(s, "precious"))
    tap.equal(query(path(s, "precious"), "SELECT count(*) FROM room"), [(1,)], "rooms in it")


@tap.check("what can't be written is named, and nothing is left of it")
def _(s):
    before = sorted(os.listdir(s.folder))
    code, _out, err = s.daemon.ctl.try_("backup", path(s, "nowhere/friday"))
    tap.equal(code, 8, "exit code without the folder")
    tap.true("nowhere/friday" in err and "make its folder" in err, f"the message {err!r}")
    code, _out, err = process.run(
        ["/usr/bin/prlimit", "--fsize=20000", process.program("salottoctl"), "--state", s.daemon.state, "backup",
         path(s, "too-large")]
    )
    tap.equal(code, 8, "exit code where it does not fit")
    tap.true("too-large cannot be written" in err, f"the message {err!r}")
    code, _out, err = s.daemon.ctl.try_("backup", s.folder)
    tap.equal(code, 2, "exit code for a folder")
    tap.equal(sorted(os.listdir(s.folder)), before, "files")


@tap.check("nobody makes a backup from afar")
def _(s):
    identity = path(s, "identity")
    code, _out, err = process.run(
        [process.program("salottoctl"), "--server", s.link, "--identity", identity, "backup", path(s, "stolen")]
    )
    tap.equal(code, 4, f"exit code ({err.strip()})")
    tap.true(not os.path.exists(path(s, "stolen")), "no file was made")


@tap.check("a Ctrl-C while the daemon does not answer leaves nothing")
def _(s):
    os.kill(s.daemon.pid, signal.SIGSTOP)
    try:
        child = process.Child(
            [process.program("salottoctl"), "--state", s.daemon.state, "backup", path(s, "interrupted")]
        )
        process.wait_until(lambda: waits_for_an_answer(child.pid), "its connection")
        child.signal(signal.SIGINT)
        tap.equal(child.wait(), 11, "exit code")
    finally:
        os.kill(s.daemon.pid, signal.SIGCONT)
    tap.equal([f for f in os.listdir(s.folder) if f.startswith("interrupted")], [], "files")
    s.daemon.ctl("room", "list")


def waits_for_an_answer(pid):
    """It minds SIGINT, and after that it has made its connection."""
    try:
        with open(f"/proc/{pid}/status") as f:
            minds = int(re.search(r"SigCgt:\s*([0-9a-f]+)", f.read()).group(1), 16) >> (signal.SIGINT - 1) & 1
        return minds and any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:") for fd in os.listdir(f"/proc/{pid}/fd"))
    except FileNotFoundError:
        return False


@tap.check("a sound database passes the check")
def _(s):
    told = s.daemon.ctl.json("check")
    tap.equal([t["ok"] for t in told], [True, True, True], "the three parts")
    out = s.daemon.ctl("check")
    tap.true("is sound" in out, f"its words {out!r}")


@tap.check("while a daemon runs, --restore is refused with the way to stop it")
def _(s):
    code, _out, err = restore(s.backup, s.daemon.state)
    tap.equal(code, 12, "exit code")
    tap.true("systemctl stop salottod" in err, f"the message {err!r}")
    s.daemon.ctl("room", "list")


@tap.check("on another machine links, roles, bans and invites are as they were")
def _(s):
    tap.equal(s.daemon.stop(), 0, "exit code of the old machine's daemon")
    state = os.path.join(process.folder(), "new")
    code, out, err = restore(s.backup, state)
    tap.equal(code, 0, f"exit code ({err.strip()})")
    tap.true("people 3" in out and "SHA256:" in out, f"the report {out!r}")
    s.other = Daemon(state=state, port=s.daemon.port)
    tap.equal(Peer(s.link, s.anna).enter("anna").answer["you"]["role"], "moderator", "role of anna")
    try:
        Peer(s.link, s.berta).enter("berta")
        raise tap.Failure("berta came in although she is banned")
    except Denied as e:
        tap.equal(e.answer["code"], 4, "code of the refusal")
    tap.equal(Peer(s.invite, s.carla).enter("carla").answer["you"]["role"], "speaker", "role by the invite")
    tap.equal(s.other.ctl.json("check")[2]["ok"], True, "is the log whole, with the restore in it")
    tap.equal(query(os.path.join(state, "salotto.db"), "SELECT count(*) FROM audit WHERE act = 'restore'"), [(1,)],
              "entries about the restore")


@tap.check("restored by root, all of it belongs to the owner of the state folder, and nothing is followed out of it")
def _(s):
    if os.geteuid() != 0:
        raise tap.Skip("only root can become somebody else")
    state = process.folder()
    os.chown(state, 65534, 65534)
    precious = path(s, "precious")
    with open(precious, "w") as f:
        f.write("precious")
    for name in ("salotto.db", "server.key"):
        os.symlink(precious, os.path.join(state, name))
    code, _out, err = restore(s.backup, state)
    tap.equal(code, 0, f"exit code ({err.strip()})")
    for name in ("salotto.db", "salotto.db-lock", "server.key"):
        info = os.lstat(os.path.join(state, name))
        tap.equal((info.st_uid, info.st_gid, stat.S_IFMT(info.st_mode)), (65534, 65534, stat.S_IFREG), f"whose {name} is")
    with open(precious) as f:
        tap.equal(f.read(), "precious", "what the links led to")
    tap.equal(os.stat(precious).st_uid, 0, "whose it is")


@tap.check("behind a backup and a check of a large database other commands are answered first")
def _(s):
    s.other.stop()
    grow(os.path.join(s.other.state, "salotto.db"))
    s.other.start()
    operator = s.other.operator()
    slow = operator.send_all(("backup", path(s, "large")), ("check",))
    quick = operator.send_all(*[("room", "create", f"r{n}") for n in range(5)])
    order = []
    while len(order) < 7:
        a = operator.receive()
        if "progress" not in a:
            tap.true(a["ok"], f"answer {a}")
            order.append(a["id"])
    operator.close()
    tap.equal(sorted(order[:5]), sorted(quick), "the first answers")
    tap.equal(sorted(order[5:]), sorted(slow), "the last answers")


@tap.check("a backup of it that is wanted twice at a time is made twice, and whole")
def _(s):
    many = [
        process.Child([process.program("salottoctl"), "--state", s.other.state, "backup", path(s, f"large-{n}")])
        for n in range(2)
    ]
    for n, child in enumerate(many):
        tap.equal(child.wait(), 0, f"exit code ({child.err()})")
        tap.equal(query(path(s, f"large-{n}"), "PRAGMA quick_check"), [("ok",)], "integrity")
        tap.equal(query(path(s, f"large-{n}"), "SELECT count(*) FROM person"), [(BIG_ROWS + 3,)], "people")
    tap.equal(leftovers(s.other.state), [], "what is left in the state folder")


@tap.check("SIGTERM amid a backup ends both, and leaves nothing half made")
def _(s):
    operator = s.other.operator()
    operator.send("backup", path(s, "cut-off"))
    tap.true("progress" in operator.receive(), "it has begun")
    began = time.monotonic()
    tap.equal(s.other.stop(), 0, "exit code")
    tap.diag(f"stopped after {time.monotonic() - began:.1f} s")
    operator.close()
    tap.equal(leftovers(s.other.state), [], "what is left in the state folder")
    tap.true(not os.path.exists(path(s, "cut-off")), "no file was made")
    s.other.start()


@tap.check("a changed log is found, and what mends it is said")
def _(s):
    code, out, _err = damaged(s, change_log)
    tap.equal(code, 8, "exit code")
    tap.true(re.search(r"log +NOT OK", out), f"the table {out!r}")
    tap.true("audit row 2" in out, "the row is named")


@tap.check("a damaged page is found while rooms are live, and named with the command that restores")
def _(s):
    code, out, _err = damaged(s, spoil_page)
    tap.equal(code, 8, "exit code")
    tap.true(re.search(r"pages and indexes +NOT OK", out), f"the table {out!r}")
    tap.true("salottod --restore" in out, "the mend")


@tap.check("then the next start is refused, and the mend it names brings everything back")
def _(s):
    state = s.other.state
    s.other.kill()
    code, _out, err = process.run([process.program("salottod"), "--state", state, "--port", "0", "--http-port", "0"])
    tap.equal(code, 8, "exit code")
    match = re.search(r"salottod (--restore FILE --state \S+)", err)
    tap.true("is damaged" in err and match, f"the message {err!r}")
    words = match.group(1).rstrip(";").replace("FILE", path(s, "large-0")).split()
    code, out, err = process.run([process.program("salottod"), *words])
    tap.equal(code, 0, f"exit code of the restore ({err.strip()})")
    kept = re.search(r"kept: (\S+)", out).group(1)
    tap.true(os.path.exists(kept), f"{kept} is kept")
    s.other.start()
    tap.equal(Peer(s.link, s.anna).enter("anna").answer["you"]["role"], "moderator", "role of anna")
    tap.equal([t["ok"] for t in s.other.ctl.json("check")], [True, True, True], "the check")


def damaged(s, how):
    """Has `how` spoil the database of a daemon, and checks it."""
    s.other.stop()
    database = os.path.join(s.other.state, "salotto.db")
    with open(database, "rb") as f:
        sound = f.read()
    if how is change_log:
        how(database)
    s.other.start()
    if how is spoil_page:
        how(database)
    try:
        return s.other.ctl.try_("check")
    finally:
        if how is change_log:
            s.other.stop()
            with open(database, "wb") as f:
                f.write(sound)
            s.other.start()


def change_log(database):
    db = sqlite3.connect(database)
    with db:
        (trigger,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'audit_never_changes'").fetchone()
        db.execute("DROP TRIGGER audit_never_changes")
        db.execute("UPDATE audit SET at_ms = at_ms + 1 WHERE number = 2")
        db.execute(trigger)
    db.close()


def spoil_page(database):
    with open(database, "r+b") as f:
        f.seek(os.path.getsize(database) // 2 // 4096 * 4096)
        f.write(b"\xa5" * 4096)


tap.main(setup)
