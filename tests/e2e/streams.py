#!/usr/bin/python3
"""Standard streams that are closed, full, read by nobody, or a terminal that goes away: nothing is written where it
does not belong, nobody stays in a room unseen, the daemon neither dies nor waits."""
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import time

from harness import client, process, sound, tap
from harness.daemon import Daemon
from harness.terminal import Terminal

DAEMON, CLIENT, CTL = (process.program(n) for n in ("salottod", "salotto", "salottoctl"))


class Scene:
    def __init__(self):
        self.daemon = Daemon()
        self.link = self.daemon.room()
        self.folder = process.folder()
        self.env = dict(os.environ, HOME=self.folder, XDG_CONFIG_HOME=self.folder)

    def listening(self, handle):
        return [CLIENT, "listen", self.link, "--handle", handle, "--identity", f"{self.folder}/{handle}",
                "--output", f"{self.folder}/{handle}.wav"]

    def shell(self, script, *argv, patience=process.PATIENCE_S):
        """A line of sh in which "$@" is the command: (exit code, standard output, standard error)."""
        return process.run(["sh", "-c", script, "sh", *argv], env=self.env, patience=patience)

    def gone(self, handle):
        process.wait_until(lambda: handle not in self.daemon.who(), f"the room to know that {handle} has left", 15)


@tap.check("an answer for which standard output is full or closed is not lost silently")
def _(s):
    for argv in ([CTL, "--state", s.daemon.state, "room", "list"], [CTL, "--version"], [CTL, "--help"],
                 [CLIENT, "--version"], [CLIENT, "help"], [CLIENT, "id"], [CLIENT, "id", "--json"], [CLIENT, "devices"],
                 [DAEMON, "--version"], [DAEMON, "--help"], [DAEMON, "--check-config"]):
        for to, why in ((">/dev/full", "No space left on device"), (">&-", "")):
            code, _, err = s.shell(f'"$@" {to}', *argv)
            tap.true(code in (1, 2), f"exit code of {argv[1:]} {to}: {code}")
            tap.true("standard output" in err and why in err, f"it says so: {err!r}")
            tap.true(len(err.splitlines()) <= 2, f"in a line or two: {err!r}")


@tap.check("a reader that has had enough ends nobody's work in a fault")
def _(s):
    for argv in ([CTL, "--help"], [CTL, "--state", s.daemon.state, "help"], [CLIENT, "help"], [DAEMON, "--help"]):
        code, out, err = s.shell('"$@" | head -1', *argv)
        tap.equal((code, len(out.splitlines())), (0, 1), f"exit code and lines of {argv[1:]} | head -1 ({err.strip()})")


@tap.check("every program starts with its standard streams closed, and writes into no file of its own")
def _(s):
    for closed in ("<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"):
        code, out, _ = s.shell(f'"$@" {closed}', CTL, "--state", s.daemon.state, "room", "list")
        tap.equal(code, 2 if ">&-" in closed.replace("2>&-", "") else 0, f"exit code of salottoctl {closed}")
        code, _, err = s.shell(f'"$@" --seconds 0.2 {closed}', *s.listening("dora"))
        tap.equal(code, 0, f"exit code of `listen` {closed} ({err.strip()})")
        tap.equal(len(sound.read(f"{s.folder}/dora.wav")), 9600, f"samples recorded {closed}")


@tap.check("so does salottod: its log and its `ready` go into no file")
def _(s):
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        state = process.folder()
        child = process.Child(["sh", "-c", f'exec "$@" {closed}', "sh", DAEMON, "--state", state, "--port", "0"])
        ctl = [CTL, "--state", state, "room", "create", "piazza"]
        process.wait_until(lambda: os.path.exists(f"{state}/control.sock"), f"a daemon {closed}")
        code, _, err = process.run(ctl)
        tap.equal(code, 0, f"exit code of `room create` ({err.strip()})")
        process.run([CTL, "--state", state, "who", "nowhere"])
        child.signal(signal.SIGTERM)
        tap.equal(child.wait(), 0, f"exit code {closed}")
        with sqlite3.connect(f"{state}/salotto.db") as db:
            tap.equal(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)], f"the database {closed}")
        db.close()
        tap.equal(os.path.getsize(f"{state}/server.key"), 32, "bytes of the key")
        tap.equal(os.path.getsize(f"{state}/salotto.db-lock"), 0, "bytes of the lock")


@tap.check("when nobody reads the events any more, the client leaves; exit code 1")
def _(s):
    read, write = os.pipe()
    c = subprocess.Popen([*s.listening("emil"), "--json"], stdout=write, stderr=subprocess.PIPE, text=True, env=s.env)
    os.close(write)
    with os.fdopen(read) as events:
        tap.equal(json.loads(events.readline())["event"], "joined", "the first event")
    client.listen(s.link, "fritz").joined().leave()
    s.daemon.ctl("promote", "piazza", "emil")  # an event that finds no reader
    _, err = c.communicate(timeout=process.PATIENCE_S)
    tap.equal(c.returncode, 1, f"exit code ({err})")
    tap.true("cannot write the events" in err and "Broken pipe" in err, f"it says so: {err!r}")
    s.gone("emil")


@tap.check("events that find no room on the disk end it the same way")
def _(s):
    code, _, err = s.shell('"$@" --json >/dev/full', *s.listening("gerda"))
    tap.equal(code, 1, f"exit code ({err.strip()})")
    tap.true("cannot write the events" in err and "No space left" in err, f"it says so: {err!r}")
    s.gone("gerda")


@tap.check("sound that nobody reads ends it too; exit code 7")
def _(s):
    argv = [a if not a.endswith(".wav") else "-" for a in s.listening("hans")]
    code, out, err = s.shell('{ "$@"; echo $? >&3; } 3>&1 | head -c 100 >/dev/null', *argv)
    tap.true("cannot write standard output: Broken pipe" in err, f"it says so: {err!r}")
    s.gone("hans")


def on_terminal(s, *options, handle, **named):
    t = Terminal([*s.listening(handle), *options], env=s.env, **named)
    t.wait_for(rf"in piazza as {handle}")
    return t


@tap.check("a terminal that is closed takes its client with it within seconds, and the room knows")
def _(s):
    t = on_terminal(s, handle="ines")
    t.hang_up()  # the kernel tells the client by SIGHUP
    began = time.monotonic()
    process.wait_until(t.ended, "the client to end", 10)
    tap.less(time.monotonic() - began, 10, "s until it ended")
    tap.equal(t.code, 0, "exit code, of a stay without an end of its own")
    s.gone("ines")
    t = on_terminal(s, "--seconds", "600", handle="jan")
    t.hang_up()
    process.wait_until(t.ended, "the client to end", 10)
    tap.equal(t.code, 11, "exit code, of one that was to last")
    s.gone("jan")
    tap.true(len(sound.read(f"{s.folder}/jan.wav")) > 0, "what was recorded is a whole file")


@tap.check("so it is for a client whose terminal's signal goes to somebody else")
def _(s):
    # The shell leads the session and ignores the signal, and its child has it blocked from nobody: what is left is that
    # the terminal answers no more.
    argv = s.listening("karl")
    t = Terminal(["sh", "-c", 'trap "" HUP; "$@"; sleep 60', "sh", "env", "--default-signal=HUP", *argv], env=s.env)
    t.wait_for("in piazza as karl")
    t.hang_up()
    s.gone("karl")
    os.kill(t.pid, signal.SIGKILL)
    process.wait_until(t.ended, "the shell to end", 10)


@tap.check("a terminal that is halted by Ctrl-S halts no sound")
def _(s):
    t = on_terminal(s, handle="mara")
    path = f"{s.folder}/mara.wav"
    t.type(b"\x13")
    for n in range(3):  # words for the terminal, which takes none
        s.daemon.ctl("promote" if n % 2 == 0 else "demote", "piazza", "mara")
    time.sleep(2)  # a status line is due each second
    before = os.path.getsize(path)
    process.wait_until(lambda: os.path.getsize(path) > before + 3 * 96000, "three more seconds of recording")
    tap.true("mara" in s.daemon.who(), "mara is still there")
    t.type(b"\x11")
    s.daemon.ctl("demote", "piazza", "mara")
    t.wait_for(r"lines that the halted terminal did not take: \d+")
    t.type(b"q")
    process.wait_until(t.ended, "the client to end", 10)
    tap.equal(t.code, 0, "exit code")


@tap.check("but nohup is heeded")
def _(s):
    t = Terminal(["sh", "-c", 'nohup "$@" >/dev/null 2>&1 & wait', "sh", *s.listening("lena")], env=s.env)
    process.wait_until(lambda: "lena" in s.daemon.who(), "lena in the room")
    t.hang_up()
    process.wait_until(t.ended, "the shell to end", 10)
    time.sleep(2)
    tap.true("lena" in s.daemon.who(), "lena is still there")
    for pid in (int(n) for n in os.listdir("/proc") if n.isdigit()):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline") as f:
            if f"{s.folder}/lena.wav" in f.read():
                os.kill(pid, signal.SIGINT)
    s.gone("lena")


def with_log():
    """A daemon whose log is a pipe: its process, its state folder, the pipe's end that is read, and a way to fill it."""
    read, write = os.pipe()
    state = process.folder()
    p = subprocess.Popen([DAEMON, "--state", state, "--port", "0"], stdout=subprocess.DEVNULL, stderr=write)
    own = os.open(f"/proc/self/fd/{write}", os.O_WRONLY | os.O_NONBLOCK)  # which does not make the daemon's so
    os.close(write)
    process.wait_until(lambda: os.path.exists(f"{state}/control.sock"), "the daemon")
    return p, state, read, own


def makes_lines(state, n):
    """n times two lines for the log: a room is opened, and closed with nobody left in it."""
    for i in range(n):
        name = f"room-{i}"
        process.run([CTL, "--state", state, "room", "create", name])
        code, link, _ = process.run([CTL, "--state", state, "link", name])
        link = link.strip().replace("localhost", "127.0.0.1")
        c = client.listen(link, "dora", identity=f"{state}/dora").joined()
        process.run([CTL, "--state", state, "room", "end", name])
        c.wait()


@tap.check("a daemon whose log nobody reads any more lives on")
def _(s):
    p, state, read, own = with_log()
    os.close(read)
    os.close(own)
    makes_lines(state, 2)
    code, _, err = process.run([CTL, "--state", state, "room", "list"])
    tap.equal(code, 0, f"exit code of `room list` ({err})")
    p.terminate()
    tap.equal(p.wait(process.PATIENCE_S), 0, "exit code")


@tap.check("a daemon whose log's reader hangs waits for nobody, and tells later how much was lost")
def _(s):
    p, state, read, own = with_log()
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(own, b"x" * 4096)
    makes_lines(state, 3)
    code, _, err = process.run([CTL, "--state", state, "room", "list"])
    tap.equal(code, 0, f"exit code of `room list` ({err})")
    os.close(own)
    os.set_blocking(read, False)
    with contextlib.suppress(BlockingIOError):
        while os.read(read, 65536):
            pass
    makes_lines(state, 1)
    p.terminate()
    tap.equal(p.wait(process.PATIENCE_S), 0, "exit code")
    with os.fdopen(read) as f:
        said = f.read()
    lost = re.search(r"^<4>the log was not read for a while lines_lost=(\d+)$", said, re.M)
    tap.true(lost and int(lost.group(1)) >= 3, f"it tells of the gap: {said[-400:]!r}")


tap.main(Scene)
