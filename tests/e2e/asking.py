#!/usr/bin/python3
"""salottoctl asks before an act on many people: on a terminal, and nowhere else."""
import os
import signal
import socket

from harness import client, process, sound, tap
from harness.daemon import Daemon
from harness.terminal import Terminal


class Scene:
    pass


def setup():
    s = Scene()
    s.daemon = Daemon()
    link = s.daemon.room()
    s.voice = sound.keep(sound.babble("en", 10), "voice")
    for handle in ("anna", "bruno"):
        client.speak(s.daemon.invite("speaker"), handle, s.voice, "--loop").joined()
    client.listen(link, "dora").joined()
    s.daemon.ctl("promote", "piazza", "dora", "--to", "moderator")
    process.wait_until(lambda: s.daemon.who()["dora"]["role"] == "moderator", "dora to be a moderator")
    return s


def typed(s, *words, env=None):
    """salottoctl as somebody types it on a terminal."""
    environment = dict(env or os.environ, TERM="xterm")
    return Terminal([process.program("salottoctl"), "--state", s.daemon.state, *words], env=environment)


def end(t):
    process.wait_until(t.ended, "salottoctl to end")
    return t.code


def muted(s):
    return sorted(h for h, p in s.daemon.who().items() if p["muted_by_moderator"])


@tap.check("`mute --all` says how many people it would mute, and does nothing without a yes")
def _(s):
    for no in (b"\n", b"n\n", b"no\n", b"yess\n", b"\x04", b"\x03"):
        t = typed(s, "mute", "piazza", "--all")
        t.wait_for(r"This mutes 3 people in piazza\. Go on\? \[y/N\] ")
        t.type(no)
        tap.equal(end(t), 11, f"exit code after {no}")
        t.wait_for("nothing was done")
        tap.equal(muted(s), [], "who is muted")


@tap.check("with a yes it is done")
def _(s):
    t = typed(s, "mute", "piazza", "--all", "--why", "a break")
    t.wait_for(r"\[y/N\] ")
    t.type(b" Y \n")
    tap.equal(end(t), 0, "exit code")
    t.wait_for("3 people in piazza are muted until a moderator lifts it")
    tap.equal(muted(s), ["anna", "bruno", "dora"], "who is muted")


@tap.check("`unmute --all` counts whom it would reach in the database")
def _(s):
    t = typed(s, "unmute", "piazza", "--all")
    t.wait_for(r"This unmutes 3 people in piazza\. Go on\?")
    t.type(b"no\n")
    tap.equal(end(t), 11, "exit code")
    tap.equal(muted(s), ["anna", "bruno", "dora"], "who is muted")
    t = typed(s, "unmute", "piazza", "--all")
    t.wait_for(r"\[y/N\] ")
    t.type(b"yes\n")
    tap.equal(end(t), 0, "exit code")
    tap.equal(muted(s), [], "who is muted")


@tap.check("--yes skips the question, and so does --json")
def _(s):
    for words in (("--yes", "mute"), ("mute", "--yes"), ("--json", "unmute")):
        words = [w for w in words if w != "--yes"] + ["piazza", "--all"] + (["--yes"] if "--yes" in words else [])
        t = typed(s, *words)
        tap.equal(end(t), 0, f"exit code of {words}")
        tap.true("Go on?" not in t.text, "no question")


@tap.check("where nobody is reached there is no question")
def _(s):
    s.daemon.ctl("unmute", "piazza", "--all")
    t = typed(s, "unmute", "piazza", "--all")
    tap.equal(end(t), 0, "exit code")
    tap.true("Go on?" not in t.text, "no question")


@tap.check("without a terminal on standard input the act is done at once, as in a script")
def _(s):
    tap.true("3 people" in s.daemon.ctl("mute", "piazza", "--all"), "done from a script")
    shell = f"exec '{process.program('salottoctl')}' --state '{s.daemon.state}' unmute piazza --all </dev/null"
    t = Terminal(["sh", "-c", shell])
    tap.equal(end(t), 0, "exit code")
    tap.true("Go on?" not in t.text, "no question")
    tap.equal(muted(s), [], "who is muted")


@tap.check("an act on one person is not asked about")
def _(s):
    for act in ("mute", "unmute"):
        t = typed(s, act, "piazza", "anna")
        tap.equal(end(t), 0, "exit code")
        tap.true("Go on?" not in t.text, "no question")


@tap.check("the question is seen when standard output goes elsewhere")
def _(s):
    out = f"{process.folder()}/out"
    shell = f"exec '{process.program('salottoctl')}' --state '{s.daemon.state}' mute piazza --all >'{out}' 2>&1"
    t = Terminal(["sh", "-c", shell])
    t.wait_for(r"This mutes 3 people in piazza")
    t.type(b"n\n")
    tap.equal(end(t), 11, "exit code")
    with open(out) as f:
        tap.equal(f.read(), "salottoctl: nothing was done\n", "standard output and error")


@tap.check("a terminal that goes away means no")
def _(s):
    t = typed(s, "mute", "piazza", "--all")
    t.wait_for(r"\[y/N\] ")
    os.kill(t.pid, signal.SIGHUP)
    tap.true(end(t) != 0, "not done")
    tap.equal(muted(s), [], "who is muted")


@tap.check("`room end` with people in it asks, and an empty room ends without")
def _(s):
    t = typed(s, "room", "end", "piazza")
    t.wait_for(r"This sends 3 people away and closes piazza\. Go on\?")
    t.type(b"n\n")
    tap.equal(end(t), 11, "exit code")
    tap.equal(sorted(s.daemon.who()), ["anna", "bruno", "dora"], "who is still there")
    s.daemon.room("vuota")
    t = typed(s, "room", "end", "vuota")
    tap.equal(end(t), 0, "exit code")
    t = typed(s, "room", "end", "piazza")
    t.wait_for(r"\[y/N\] ")
    t.type(b"y\n")
    tap.equal(end(t), 0, "exit code")
    tap.equal(len(s.daemon.ctl.json("room", "list")), 0, "rooms left")


@tap.check("who waits longer than a second is told for whom, on the terminal alone, and the line is gone afterwards")
def _(s):
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, and says nothing
    argv = [process.program("salottoctl"), "--server", f"salotto://127.0.0.1:{silent.getsockname()[1]}/piazza", "who"]
    argv += ["piazza", "--identity", f"{process.folder()}/key"]
    t = Terminal(argv)
    connection, _address = silent.accept()
    t.wait_for("asking 127.0.0.1 …")
    connection.close()
    tap.equal(end(t), 5, "exit code")
    t.wait_for("salottoctl: ")
    shown = t.text[t.text.index("asking") :].split("\n")[0]
    tap.true("salottoctl: 127.0.0.1" in shown, f"the error stands where the line was: {shown!r}")
    silent.close()


tap.main(setup)
