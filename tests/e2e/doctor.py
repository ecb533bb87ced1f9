#!/usr/bin/python3
"""salottoctl doctor: what it says of a real daemon on this machine, and that nobody waits for it."""
import json
import os
import resource
import socket
import sqlite3
import time

from harness import process, tap
from harness.daemon import Daemon

PARTS = ["clock", "open files", "locked memory", "priority", "real time", "socket buffers", "ports", "links", "disk",
         "database", "backup"]


class Scene:
    pass


def setup():
    s = Scene()
    s.folder = process.folder()
    s.daemon = Daemon()
    s.daemon.room()
    return s


def doctor(daemon):
    """(exit code, what → (state, found, mend))"""
    code, out, err = daemon.ctl.try_("--json", "doctor")
    tap.equal(err, "", "standard error")
    found = json.loads(out)
    return code, {f["what"]: (f["state"], f["found"], f["mend"]) for f in found}


@tap.check("it looks at eleven things, and each has a state and words")
def _(s):
    code, found = doctor(s.daemon)
    tap.equal(list(found), PARTS, "what it looks at")
    for what, (state, words, _mend) in found.items():
        tap.true(state in ("ok", "note", "warning", "fault"), f"state of {what}: {state}")
        tap.true(words, f"words about {what}")
    worst = any(state == "fault" for state, _words, _mend in found.values())
    tap.equal(code, 1 if worst else 0, "exit code")


@tap.check("links that name localhost are warned of, with the key to set")
def _(s):
    _code, found = doctor(s.daemon)
    state, words, mend = found["links"]
    tap.equal(state, "warning", "state")
    tap.true("this machine only" in words and "public_host" in mend, f"{words!r}, {mend!r}")


@tap.check("the last backup is known from the log")
def _(s):
    _code, found = doctor(s.daemon)
    tap.equal(found["backup"][0], "warning", "state before the first one")
    tap.true("salottoctl backup" in found["backup"][2], "its mend")
    s.daemon.ctl("backup", os.path.join(s.folder, "friday"))
    _code, found = doctor(s.daemon)
    tap.equal(found["backup"][0], "ok", "state after it")


@tap.check("limits of the running daemon are held against the people expected")
def _(s):
    before = resource.prlimit(s.daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(s.daemon.pid, resource.RLIMIT_NOFILE, (200, before[1]))
    resource.prlimit(s.daemon.pid, resource.RLIMIT_MEMLOCK, (65536, 65536))
    _code, found = doctor(s.daemon)
    resource.prlimit(s.daemon.pid, resource.RLIMIT_NOFILE, before)
    tap.equal(found["open files"][0], "warning", "state of open files")
    tap.true("about 136 people" in found["open files"][1], found["open files"][1])
    tap.true("ulimit -n" in found["open files"][2], found["open files"][2])
    tap.equal(found["locked memory"][0], "note", "state of locked memory")


@tap.check("people read lines, a mend below what needs one, and none of it is cut")
def _(s):
    out = s.daemon.ctl("doctor")
    tap.true(any(l.startswith("warning  links") for l in out.splitlines()), out)
    tap.true("> write public_host = NAME into the file of --config, with a name that people can reach" in out, out)


@tap.check("a log from the future is a fault, and the exit code is 1")
def _(s):
    s.daemon.stop()
    db = sqlite3.connect(os.path.join(s.daemon.state, "salotto.db"))
    with db:
        last = db.execute("SELECT max(number) FROM audit").fetchone()[0]
        db.execute(
            "INSERT INTO audit SELECT number + 1, ?, act, room, actor, target, detail, personal, hash FROM audit"
            " WHERE number = ?",
            (int((time.time() + 86400) * 1000), last),
        )
    db.close()
    s.daemon.start()
    code, found = doctor(s.daemon)
    tap.equal(code, 1, "exit code")
    tap.equal(found["clock"][0], "fault", "state of the clock")
    tap.true("set back" in found["clock"][1] and found["clock"][2], f"{found['clock']}")


@tap.check("while it waits for somebody who says nothing, commands are answered")
def _(s):
    config = os.path.join(s.folder, "salottod.conf")
    with open(config, "w") as f:
        f.write("listen = 127.0.0.1\npublic_host = 127.0.0.9\n")
    s.daemon.stop()
    other = Daemon("--config", config)
    silent = socket.create_server(("127.0.0.9", other.port))
    operator = other.operator()
    slow = operator.send("doctor")
    tap.true("progress" in operator.receive(), "it has begun")
    quick = operator.send_all(*[("room", "create", f"r{n}") for n in range(5)])
    order = []
    while len(order) < 6:
        a = operator.receive()
        if "progress" not in a:
            order.append(a["id"])
    tap.equal(order, [*quick, slow], "the order of the answers")
    operator.close()
    silent.close()
    _code, found = doctor(other)
    tap.equal(found["links"][0], "warning", "state of links")
    s.other = other


@tap.check("whoever waits for it no longer does not keep the daemon from stopping at once")
def _(s):
    silent = socket.create_server(("127.0.0.9", s.other.port))
    operator = s.other.operator()
    operator.send("doctor")
    tap.true("progress" in operator.receive(), "it has begun")
    operator.close()
    tap.equal(s.other.stop(), 0, "exit code")
    silent.close()


@tap.check("without a daemon it says how to start one")
def _(s):
    code, _out, err = s.other.ctl.try_("doctor")
    tap.equal(code, 5, "exit code")
    tap.true("no salottod answers" in err and "start it" in err, err)


tap.main(setup)
