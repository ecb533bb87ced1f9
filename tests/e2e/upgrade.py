#!/usr/bin/python3
"""A database that this salottod can't use is refused, left alone, and the way out is named."""
import hashlib
import os
import shutil
import sqlite3

from harness import process, tap
from harness.daemon import Daemon
from harness.noise import Identity
from harness.peer import Peer


class Scene:
    pass


def setup():
    s = Scene()
    s.state = process.folder()
    daemon = Daemon(state=s.state)
    Peer(daemon.room(), Identity()).enter("anna").close()
    for n in range(30):
        daemon.ctl("room", "create", f"r{n}", "--title", "x" * 100)
    s.backup = os.path.join(process.folder(), "friday")
    daemon.ctl("backup", s.backup)
    daemon.stop()
    s.database = os.path.join(s.state, "salotto.db")
    s.sound = os.path.join(process.folder(), "sound")
    shutil.copy(s.database, s.sound)
    return s


def run(*options):
    return process.run([process.program("salottod"), *options])


def start(s):
    return run("--state", s.state, "--port", "0", "--http-port", "0")


def digest(file):
    with open(file, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def refused(s, because, mend):
    """Is not started, the file is what it was, and the message says both."""
    before = digest(s.database)
    code, out, err = start(s)
    tap.equal((code, out), (8, ""), f"exit code and output ({err.strip()})")
    tap.true(s.database in err and because in err, f"the message {err!r} names file and cause ({because})")
    tap.true(mend in err, f"the mend in {err!r} ({mend})")
    tap.equal(digest(s.database), before, "the file")


def sql(file, statement):
    db = sqlite3.connect(file)
    with db:
        db.execute(statement)
    db.close()


@tap.check("a database from a newer version is refused and left alone")
def _(s):
    sql(s.database, "PRAGMA user_version = 99")
    refused(s, "newer version (its schema is 99", "install the salottod that wrote it")


@tap.check("with an older copy beside it, that copy is named")
def _(s):
    beside = s.database + ".v1-backup"
    shutil.copy(s.sound, beside)
    refused(s, "newer version", f"salottod --restore {beside}")
    os.unlink(beside)


@tap.check("a backup from a newer version is not restored")
def _(s):
    newer = s.backup + "-newer"
    shutil.copy(s.backup, newer)
    sql(newer, "PRAGMA user_version = 99")
    before = digest(s.database)
    code, _out, err = run("--restore", newer, "--state", s.state)
    tap.equal(code, 8, "exit code")
    tap.true(newer in err and "newer version" in err, err)
    tap.equal(digest(s.database), before, "the database that was there")


@tap.check("cut off, overwritten, or no database at all: each is refused with the command that restores")
def _(s):
    with open(s.sound, "rb") as f:
        sound = f.read()
    for spoilt, because in (
        (sound[:60], "cut off after 60 bytes"),
        (sound[: len(sound) // 2 // 4096 * 4096], s.database),
        (b"\xa5" * 16 + sound[16:], "is not a database"),
        (sound[: 8 * 4096] + b"\xa5" * 8192 + sound[10 * 4096 :], "is damaged"),
        (b"Dear diary, this is no database.\n" * 40, "is not a database"),
    ):
        with open(s.database, "wb") as f:
            f.write(spoilt)
        refused(s, because, f"salottod --restore FILE --state {s.state}")


@tap.check("a database that another program has locked is refused, and how to find that program is said")
def _(s):
    shutil.copy(s.sound, s.database)
    db = sqlite3.connect(s.database, isolation_level=None)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    code, _out, err = start(s)
    db.execute("ROLLBACK")
    db.close()
    tap.equal(code, 8, "exit code")
    tap.true(s.database in err and "locked" in err and "fuser -v" in err, err)


@tap.check("the copy of an upgrade is what the daemon goes on with after a restore by its name alone")
def _(s):
    copy = s.database + ".v1-backup"
    shutil.copy(s.sound, copy)
    with open(s.database, "wb") as f:
        f.write(b"\xa5" * 8192)
    code, out, err = run("--restore", copy, "--state", s.state)
    tap.equal(code, 0, f"exit code ({err.strip()})")
    tap.true("the one that was here stays" in out, f"the report {out!r}")
    tap.true(os.path.exists(copy), "the copy stays")
    daemon = Daemon(state=s.state)
    tap.equal(len(daemon.ctl.json("room", "list")), 31, "rooms")
    tap.equal(daemon.stop(), 0, "exit code of the daemon")


@tap.check("a start without need to upgrade makes no copy")
def _(s):
    before = sorted(f for f in os.listdir(s.state) if "backup" in f)
    Daemon(state=s.state).stop()
    tap.equal(sorted(f for f in os.listdir(s.state) if "backup" in f), before, "copies")


tap.main(setup)
