#!/usr/bin/python3
"""A disk that is full, or read only: who asks for what must be written is told so, sound and roles go on, nothing is
lost that was answered well, and room on the disk is all it takes to go on."""
import os
import shutil
import sqlite3
import subprocess
import wave

from harness import client, mounts, process, sound, tap
from harness.daemon import Daemon
from harness.peer import Denied, Peer

MAY = mounts.own()
DAEMON, CTL = process.program("salottod"), process.program("salottoctl")


class Scene:
    def __init__(self):
        self.daemon = self.anna = self.dora = self.disk = None


def check(sentence):
    def add(function):
        @tap.check(sentence)
        def _(s):
            if not MAY:
                tap.skip("mount namespaces are not allowed here")
            function(s)

        return function

    return add


def refused_start(state, *words):
    code, out, err = process.run([DAEMON, "--state", state, "--port", "0", "--http-port", "0"])
    tap.equal(code, 8, f"exit code ({err.strip()})")
    tap.true("ready" not in out, "it is not ready")
    for word in words:
        tap.true(word in err, f"it says {word!r}: {err!r}")


@check("salottod does not start on a full disk, and says so; exit code 8")
def _(s):
    disk = mounts.small(1024)
    filling = mounts.fill(disk)
    refused_start(f"{disk}/state", f"{disk}/state", "No space left on device")
    refused_start(disk, f"{disk}/server.key", "free some space")
    tap.equal(sorted(os.listdir(disk)), ["filling", "state"], "what it left behind")
    os.truncate(filling, os.path.getsize(filling) - 8192)  # the key has room, the database has not
    refused_start(disk, f"{disk}/salotto.db", "free some space")
    os.unlink(filling)
    daemon = Daemon(state=disk)
    daemon.room()
    tap.equal(daemon.stop(), 0, "with room on the disk, it starts; exit code")


@check("with a daemon at work, what must be written is refused with the mend; exit code 8")
def _(s):
    s.disk = mounts.small(1024)
    s.daemon = Daemon(state=s.disk)
    s.daemon.room()
    s.anna = client.speak(
        s.daemon.invite("speaker"), "anna", sound.keep(sound.babble("en", 20), "anna"), "--loop").joined()
    s.dora = client.listen(s.daemon.link(), "dora", "--tier", "standard").joined()
    s.known = Peer(s.daemon.link()).join("karl", "standard")
    s.known.close()
    s.daemon.ctl("gain", "piazza", "anna", "-1")  # answered well: not to be lost
    s.daemon.wait_in_mix("anna")
    s.filling = mounts.fill(s.disk)
    for words in (
        ["room", "create", "loggia"],
        ["promote", "piazza", "dora"],
        ["invite", "piazza", "--role", "speaker"],
        ["gain", "piazza", "anna", "-2"],
        ["room", "create", "corte", "--title", "x" * 100],
    ):
        code, out, err = s.daemon.ctl.try_(*words)
        tap.equal(code, 8, f"exit code of {words} ({err.strip()})")
        tap.true("disk is full" in err and "free some space" in err and s.disk in err, f"the answer to {words}: {err!r}")
        tap.true(not out, f"nothing on standard output: {out!r}")


@check("what needs no writing is answered as ever")
def _(s):
    tap.equal(set(s.daemon.who()), {"anna", "dora"}, "who is there")
    tap.equal([r["room"] for r in s.daemon.ctl.json("room", "list")], ["piazza"], "rooms")
    tap.true(s.daemon.ctl.json("log", "piazza"), "the log can be read")
    s.daemon.link()
    s.daemon.stats()


@check("who is known comes in; who is not is told why; exit code 8")
def _(s):
    back = Peer(s.daemon.link(), s.known.me).join("karl", "standard")
    back.close()
    c = client.listen(s.daemon.link(), "nina")
    tap.equal(c.wait(), 8, f"exit code ({c.err().strip()})")
    tap.true("disk is full" in c.err(), f"they are told why: {c.err()!r}")


@check("a mute holds at once, and its answer says that it is not written")
def _(s):
    code, _, err = s.daemon.ctl.try_("mute", "piazza", "anna")
    tap.equal(code, 8, f"exit code ({err.strip()})")
    tap.true("it holds while the room is live" in err, f"it says so: {err!r}")
    tap.true(s.daemon.who()["anna"]["muted_by_moderator"], "anna is muted")


@check("with room on the disk all works again without a restart, and sound was never disturbed")
def _(s):
    os.unlink(s.filling)
    s.daemon.ctl("unmute", "piazza", "anna")
    tap.true(not s.daemon.who()["anna"]["muted_by_moderator"], "anna may be heard again")
    s.daemon.ctl("promote", "piazza", "dora")
    s.daemon.ctl("room", "create", "loggia")
    client.listen(s.daemon.link(), "nina").joined().leave()
    tap.true(s.anna.child.is_running() and s.dora.child.is_running(), "speaker and listener are still there")
    s.dora.leave()
    stream = s.dora.all("stats")[0]["streams"]["standard"]
    tap.equal(stream["received"], stream["highest"] - stream["first"] + 1, "packets of the stream that came")
    tap.more(stream["received"], 40, "of them")


@check("nothing is lost that was answered well, and nothing kept that was not")
def _(s):
    s.anna.leave()
    tap.equal(s.daemon.stop(), 0, "exit code")
    with sqlite3.connect(f"{s.disk}/salotto.db") as db:
        tap.equal(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "PRAGMA integrity_check")
        rows = dict((h, (r, g)) for h, r, g in db.execute(
            "SELECT p.handle, m.role, m.gain_db FROM membership m JOIN person p ON p.id = m.person"))
        rooms = [n for n, in db.execute("SELECT name FROM room ORDER BY id")]
    db.close()
    tap.equal(rows, {"anna": (1, -1.0), "dora": (1, 0.0)}, "roles and faders in the database")
    tap.equal(rooms, ["piazza", "loggia"], "rooms in the database")
    s.daemon.start()
    tap.equal(s.daemon.stop(), 0, "exit code, started again")


@check("a disk that the daemon fills by itself is the same: full, told, and mended by room")
def _(s):
    disk = mounts.small(1024)
    reserve = f"{disk}/reserve"
    with open(reserve, "wb") as f:
        f.write(b"x" * 300_000)
    daemon = Daemon(state=disk)
    daemon.room()
    operator = daemon.operator()
    made = []
    for n in range(2000):
        answer = operator.answer(operator.send("room", "create", f"room-{n}", "--title", "x" * 120))
        if not answer["ok"]:
            break
        made.append(f"room-{n}")
    tap.true(not answer["ok"] and answer["code"] == 8 and "free some space" in answer["mend"], f"it is told: {answer}")
    tap.diag(f"{len(made)} rooms were made")
    os.unlink(reserve)
    operator("room", "create", "loggia")
    operator.close()
    daemon.kill()  # without a word, as when the power fails
    daemon.start()
    there = {r["room"] for r in daemon.ctl.json("room", "list")}
    tap.equal(there, {"piazza", "loggia", *made}, "rooms, after a kill -9")
    daemon.stop()


@check("a recording on a full disk ends with the file named, and holds all that the disk took; exit code 7")
def _(s):
    daemon = s.daemon
    daemon.start()
    source = sound.babble("es", 20)
    anna = client.speak(daemon.invite("speaker"), "anna", sound.keep(source, "anna"), "--loop",
                        identity=s.anna.identity).joined()
    daemon.wait_in_mix("anna")
    for ending, size in (("wav", 256), ("opus", 24)):
        disk = mounts.small(size)
        path = f"{disk}/heard.{ending}"
        c = client.listen(daemon.link(), f"ear-{ending}", "--tier", "standard", "--output", path, output=None)
        tap.equal(c.wait(), 7, f"exit code of .{ending} ({c.err().strip()})")
        tap.true(path in c.err() and "No space left" in c.err() and "free some space" in c.err(), f"it says: {c.err()!r}")
        bytes_there = os.path.getsize(path)
        if ending == "wav":
            with wave.open(path, "rb") as f:
                tap.equal(f.getnframes(), (bytes_there - 44) // 2, "frames that the header tells")
            tap.more(bytes_there, (size - 8) * 1024, "bytes of sound")
            tap.more(sound.quietest_db(sound.read(path)[sound.RATE:], 9600), -50, "dBFS in the softest 200 ms")
        else:
            tap.more(bytes_there, (size - 12) * 1024, "bytes of packets")
            code, out, err = process.run(
                ["ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "s16le", "-ac", "1", "-y", f"{process.folder()}/out"])
            tap.equal((code, err), (0, ""), "what ffmpeg says of the file")
    for ending in ("wav", "opus"):  # from the first byte on
        disk = mounts.small(16)
        mounts.fill(disk)
        path = f"{disk}/heard.{ending}"
        c = client.listen(daemon.link(), f"ear-{ending}2", "--seconds", "3", "--output", path, output=None)
        tap.equal(c.wait(), 7, f"exit code of .{ending} ({c.err().strip()})")
        tap.true(path in c.err(), f"it names the file: {c.err()!r}")
    packets = client.listen(daemon.link(), "ear-3", "--tier", "standard", "--packets", f"{disk}/packets")
    tap.equal(packets.wait(), 7, f"exit code of --packets ({packets.err().strip()})")
    anna.leave()


@check("an answer that standard output does not take; exit code 1, and it says that the command was done")
def _(s):
    with open("/dev/full", "w") as full:
        p = subprocess.run([CTL, "--state", s.disk, "room", "create", "corte"], stdout=full, stderr=subprocess.PIPE, text=True)
    tap.equal(p.returncode, 1, f"exit code ({p.stderr})")
    tap.true("standard output: No space left" in p.stderr and "was done" in p.stderr, f"it says so: {p.stderr!r}")
    tap.true("corte" in [r["room"] for r in s.daemon.ctl.json("room", "list")], "it was done")
    s.daemon.stop()


@check("a state folder, or only the database, that is read only is named with the mend; exit code 8")
def _(s):
    folder = process.folder()
    daemon = Daemon(state=folder)
    daemon.room()
    daemon.stop()
    copy = shutil.copytree(folder, f"{process.folder()}/copy")
    fresh = process.folder()
    mounts.read_only(folder)
    mounts.read_only(fresh)
    mounts.read_only(f"{copy}/salotto.db")
    refused_start(folder, folder, "Read-only file system", "mount its file system for writing")
    refused_start(fresh, fresh, "Read-only file system")
    refused_start(f"{fresh}/below", f"{fresh}/below", "Read-only file system")
    refused_start(copy, f"{copy}/salotto.db", "read-only file system", "mount it for writing")


tap.main(Scene)
