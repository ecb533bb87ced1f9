#!/usr/bin/python3
"""Words that play with terminals, break lines, are no UTF-8, or are ten megabytes long, wherever a word may stand: on
the command lines, in the configuration, on the sockets, in the database. And numbers that are none."""
import json
import os
import resource
import socket
import sqlite3
import struct

from harness import client, process, tap
from harness.daemon import Daemon

DAEMON, CLIENT, CTL = (process.program(n) for n in ("salottod", "salotto", "salottoctl"))
ESCAPE, RTL, C1, BROKEN = b"\x1b[31mred", "a\u202eb".encode(), "a\u009b2Jb".encode(), b"a\xff\xc3b"
WORDS = (ESCAPE, b"two\nlines\r", RTL, C1, BROKEN)
LONG = b"x" * 120_000  # a single argument holds 128 KiB at most
LINK = "salotto://localhost:1/piazza"


class Scene:
    def __init__(self):
        self.daemon = Daemon()
        self.link = self.daemon.room()
        self.folder = process.folder()
        self.home = dict(os.environ, HOME=self.folder, XDG_CONFIG_HOME=self.folder)


def is_plain(text, what):
    """Nothing in it that a terminal obeys, no line turned around, nothing that is no UTF-8."""
    bad = [c for c in text if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 or c in "\u202e\ufffd"]
    tap.true(not bad, f"{what} is plain text: {text[:300]!r}")


def answered(s, argv, codes, *words, env=None, stdin=None):
    """It ends by itself with one of these codes and a message of few lines that says these words."""
    shown = b" ".join(a if isinstance(a, bytes) else a.encode() for a in argv)[:160]
    code, out, err = process.run(argv, env=env or s.home, stdin=stdin)
    tap.true(code in codes, f"{shown} ends with one of {codes}, not {code}: {err[:300]!r}")
    is_plain(out, f"the output of {shown}")
    is_plain(err, f"the message of {shown}")
    tap.true(0 < len(err) < 800 and len(err.splitlines()) <= 4, f"{shown} is answered in few lines: {err[:900]!r}")
    for word in words:
        tap.true(word in err, f"the answer to {shown} says {word!r}: {err[:900]!r}")
    return err


@tap.check("in the client's arguments they are answered plainly")
def _(s):
    for w in (*WORDS, LONG):
        for argv, codes in (
            ([w], (2,)),
            (["listen", w], (2,)),
            (["listen", b"salotto://" + w + b"/piazza"], (2,)),
            (["listen", b"salotto://localhost/" + w], (2,)),
            (["listen", b"salotto://localhost:" + w + b"/piazza"], (2,)),
            (["listen", b"salotto://localhost/piazza?k=" + w], (2,)),
            (["listen", b"salotto://localhost/piazza?token=" + w], (2,)),
            (["listen", LINK, b"--" + w], (2,)),
            (["listen", LINK, "--handle", w], (2,)),
            (["listen", LINK, "--tier", w], (2,)),
            (["listen", LINK, "--seconds", w], (2,)),
            (["listen", LINK, "--device", w], (7,)),
            (["listen", LINK, "--output", w], (2,)),
            (["listen", LINK, "--output", b"/nowhere/" + w + b".wav"], (7,)),
            (["listen", LINK, "--output", b"/nowhere/" + w + b".opus"], (7,)),
            (["listen", LINK, "--packets", b"/nowhere/" + w], (7,)),
            (["listen", LINK, "--identity", b"/dev/null/" + w], (2, 8)),
            (["speak", LINK, "--input", b"/nowhere/" + w], (7,)),
            (["id", "--identity", b"/dev/null/" + w], (2, 8)),
        ):
            answered(s, [CLIENT, *argv], codes)


@tap.check("in salottoctl's too, its own and the daemon's")
def _(s):
    state = ["--state", s.daemon.state]
    for w in (*WORDS, LONG):
        for argv, codes in (
            (["--state", w, "help"], (2, 5)),
            (["--server", w, "help"], (2,)),
            (["--server", LINK, "--identity", b"/dev/null/" + w, "help"], (2, 8)),
            ([b"--" + w], (2,)),
            ([*state, w], (2,)),
            ([*state, "room", w], (2,)),
            ([*state, "room", "create", w], (2,)),
            ([*state, "room", "end", w], (2, 3)),
            ([*state, "room", "create", "loggia", b"--" + w], (2,)),
            ([*state, "room", "create", "loggia", "--title", w], (2,)),
            ([*state, "who", w], (2, 3)),
            ([*state, "mute", "piazza", w], (2, 3)),
            ([*state, "gain", "piazza", "anna", w], (2,)),
            ([*state, "promote", "piazza", "anna", "--to", w], (2,)),
            ([*state, "kick", "piazza", "anna", "--why", w], (2,)),
            ([*state, "invite", "piazza", "--role", "speaker", "--expires", w], (2,)),
            ([*state, "invite", "piazza", "--role", "speaker", "--uses", w], (2,)),
            ([*state, "log", "piazza", "--limit", w], (2,)),
            ([*state, "help", w], (2, 3)),
        ):
            answered(s, [CTL, *argv], codes)
    answered(s, [CTL, "--state", "", "help"], (2,), "''")
    tap.equal([r["room"] for r in s.daemon.ctl.json("room", "list")], ["piazza"], "rooms that there are now")


@tap.check("and in the server's")
def _(s):
    for w in (*WORDS, LONG):
        for argv, codes in (
            ([w], (2,)),
            ([b"--" + w], (2,)),
            (["--config", b"/nowhere/" + w], (2,)),
            (["--state", b"/dev/null/" + w], (2, 8)),
            (["--state", s.folder, "--port", w], (2,)),
            (["--state", s.folder, "--http-port", w], (2,)),
        ):
            answered(s, [DAEMON, *argv], codes)


@tap.check("a message about a long word still says what is wrong with it")
def _(s):
    answered(s, [CLIENT, "listen", LINK, "--seconds", LONG], (2,), "'xxx", "x' is no number of seconds")
    answered(s, [CLIENT, "listen", LINK, "--output", b"/tmp/" + LONG + b".wav"], (7,), "cannot write /tmp/xxx", "too long")
    answered(s, [DAEMON, LONG], (2,), "unexpected word 'xxx", "xxx'")


@tap.check("as many arguments as the kernel hands over are too long a command; exit code 2")
def _(s):
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    most = [LONG] * (45 if hard == resource.RLIM_INFINITY else 12)  # 5.4 MB: a quarter of the stack, 6 MiB at most
    resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))
    try:
        for words in ([b"mute", *most], [b"kick", b"piazza", b"anna", b"--why", *most], [b"x"] * 100_000):
            answered(s, [CTL, "--state", s.daemon.state, *words], (2,))
        answered(s, [CLIENT, "listen", *most], (2,))
        answered(s, [DAEMON, *most], (2,))
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))


def memory_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(next(l for l in f if l.startswith("VmRSS")).split()[1])


@tap.check("ten megabytes on the operator's socket end that connection, and are not kept")
def _(s):
    before = memory_kb(s.daemon.pid)
    for kind in (1, 2):  # a whole text in a frame is bounded by the frame's length; parts add up
        for body in (b"x", b"[", b'"', b"\0"):
            local = socket.socket(socket.AF_UNIX)
            local.settimeout(process.PATIENCE_S)
            local.connect(f"{s.daemon.state}/control.sock")
            frame = struct.pack(">HB", 60001, kind) + body * 60000
            try:
                for _ in range(170):
                    local.sendall(frame)
                closed = False
            except (BrokenPipeError, ConnectionResetError):
                closed = True
            tap.true(closed or kind == 1, "the connection was ended")
            local.close()
    s.daemon.ctl("room", "list")
    if "asan" not in process.BUILD and "tsan" not in process.BUILD:
        tap.less(memory_kb(s.daemon.pid) - before, 24 * 1024, "KiB more than before")


@tap.check("a configuration file of hostile words, or of ten megabytes, is named with its line; exit code 2")
def _(s):
    path = f"{s.folder}/salottod.conf"
    for text, words in (
        *((w, ()) for w in WORDS),
        *((b"public_host = " + w + b"\n", ()) for w in WORDS),
        *((b"port = 1\n" + w + b" = 1\n", ()) for w in (ESCAPE, RTL, C1, BROKEN)),
        *((b"[" + w + b"]\nport = 1\n", ()) for w in (ESCAPE, RTL, C1, BROKEN)),
        (b"port = 9\0\n", (f"{path}:1", "NUL")),
        (b"port = 9\nx" * 1_000_000, (f"{path}:2",)),
        (b"# all is well\npublic_host = " + b"x" * 10_000_000, (f"{path}:2", "too long")),
        (b"port = 1\nport = 2\n", (f"{path}:2", "line 1")),
    ):
        with open(path, "wb") as f:
            f.write(text)
        answered(s, [DAEMON, "--config", path, "--check-config"], (2,), path, *words)
    with open(path, "wb") as f:
        f.write(b"\xef\xbb\xbf# " + b"x" * 10_000_000 + b"\r\n  grace_s = 7\r\n\r\n")
    code, out, err = process.run([DAEMON, "--config", path, "--check-config"])
    tap.equal((code, out, err), (0, f"{path} is right\n", ""), "a byte order mark, CRLF and a long comment are no faults")
    answered(s, [DAEMON, "--config", s.folder, "--check-config"], (2,), s.folder)
    answered(s, [DAEMON, "--config", "/dev/zero", "--check-config"], (2,), "/dev/zero:1")


@tap.check("numbers that are none are refused by name; exit code 2")
def _(s):
    for n in ("-1", "0", "nan", "inf", "-inf", "1e309", "0x10", "", " 5", "5s", "1,5", "99999999999999999999", "1e-400", "--"):
        answered(s, [CLIENT, "listen", LINK, "--seconds", n], (2,), f"'{n}'")
    for n in ("-1", "65536", "0x10", "", "1e3", " 7", "7256 ", "99999999999999999999", "-0", "nan"):
        answered(s, [DAEMON, "--state", s.folder, "--port", n], (2,), "--port", f"'{n}'")
        answered(s, [DAEMON, "--state", s.folder, "--http-port", n], (2,), "--http-port", f"'{n}'")
    for n in ("-1", "0", "1e3", "0x10", "99999999999999999999", "nan", ""):
        answered(s, [CTL, "--state", s.daemon.state, "log", "piazza", "--limit", n], (2,), f"'{n}'")
        answered(s, [CTL, "--state", s.daemon.state, "invite", "piazza", "--role", "speaker", "--uses", n], (2,), f"'{n}'")
    for n in ("nan", "inf", "0x5", "1e9", "12.5", "-61", ""):
        answered(s, [CTL, "--state", s.daemon.state, "gain", "piazza", "anna", n], (2,), f"'{n}'")
    for n in ("-1h", "0h", "h", "1w", "1e3s", "99999999999999999999d", ""):
        answered(s, [CTL, "--state", s.daemon.state, "invite", "piazza", "--role", "speaker", "--expires", n], (2,), f"'{n}'")


@tap.check("whatever the locale, the time zone and the environment, programs do their work")
def _(s):
    s.daemon.ctl("room", "create", "caffe", "--title", "Caffè Perù")
    for env in (
        {"LANG": "xx_YY"},
        {"LC_ALL": "POSIX"},
        {"LC_ALL": "xx_YY.UTF-8", "LOCPATH": "/nowhere"},
        {"TZ": "Nowhere/At_All"},
        {"TZ": ":" + "x" * 5000},
        {"TZ": "\x1b[31m", "COLUMNS": "-1", "TERM": "\x1b"},
        {"HOME": "", "USER": "", "LOGNAME": "\x1b[31m", "XDG_CONFIG_HOME": "\x1b"},
        {},
    ):
        code, out, err = process.run([CTL, "--state", s.daemon.state, "room", "list"], env=env)
        tap.true(code == 0 and "Caffè Perù" in out, f"`room list` under {env}: {code} {out!r} {err!r}")
        code, out, err = process.run([CTL, "--state", s.daemon.state, "log", "caffe"], env=env)
        tap.true(code == 0 and "room create" in out, f"`log` under {env}: {code} {out!r} {err!r}")
        is_plain(out, "the log")
        key = f"{s.folder}/key"
        code, out, err = process.run([CLIENT, "id", "--identity", key], env=env)
        tap.true(code == 0 and key in out, f"`id` under {env}: {code} {out!r} {err!r}")
        argv = [CLIENT, "listen", s.link, "--seconds", "0.1", "--output", f"{s.folder}/x.wav", "--identity", key]
        code, out, err = process.run(argv, env=env)
        tap.equal(code, 0, f"exit code of `listen` under {env} ({err.strip()})")
        other = Daemon(env=env)
        tap.equal(other.stop(), 0, f"exit code of salottod under {env}")


@tap.check("what somebody wrote into the database by hand reaches nobody's terminal, and stops nobody")
def _(s):
    dora = client.listen(s.daemon.link(), "dora").joined()
    dora.leave()
    s.daemon.ctl("ban", "piazza", "dora", "--why", "spam")
    s.daemon.stop()
    with sqlite3.connect(f"{s.daemon.state}/salotto.db") as db:
        tables = {r[0] for r in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        tap.true({"room", "person", "ban", "audit"} <= tables, f"the tables are as this test knows them: {tables}")
        for n, w in enumerate(WORDS):
            db.execute(
                "INSERT INTO room (name, title, policy, created_ms) SELECT ?, CAST(? AS TEXT), policy, ? FROM room "
                "WHERE name = 'piazza'", (f"room-{n}", w, 2**62))
        db.execute("UPDATE ban SET why = CAST(? AS TEXT)", (BROKEN + ESCAPE,))
    db.close()
    s.daemon.start()
    shown = s.daemon.ctl("room", "list")
    is_plain(shown, "`room list`")
    tap.true(all(f"room-{n}" in shown for n in range(len(WORDS))), f"every room is listed: {shown!r}")
    for n in range(len(WORDS)):
        is_plain(s.daemon.ctl("room", "show", f"room-{n}"), "`room show`")
        is_plain(json.dumps(s.daemon.ctl.json("room", "show", f"room-{n}"), ensure_ascii=False), "`room show --json`")
        c = client.listen(s.daemon.link(f"room-{n}"), "dora", identity=dora.identity).joined()
        is_plain(c.event("joined")["room"]["title"], "the title that the client is told")
        c.leave()
    back = client.listen(s.daemon.link(), "dora", identity=dora.identity)
    tap.equal(back.wait(), 4, f"exit code of who is banned ({back.err()})")
    is_plain(back.err(), "what they are told")
    tap.true("banned" in back.err(), f"they are told so: {back.err()!r}")
    is_plain(s.daemon.child.err(), "the daemon's log")


tap.main(Scene)
