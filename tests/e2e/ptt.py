#!/usr/bin/python3
"""`salotto speak --ptt`: space opens the microphone, held or tapped, on terminals that tell when keys are let go and on
those that only repeat them."""
import os
import re
import signal
import termios
import threading
import time

from harness import process, sound, tap
from harness.daemon import Daemon
from harness.terminal import Terminal

ASK, BEGIN, END = "\x1b[?u", "\x1b[>11u", "\x1b[<u"
PRESS, REPEAT, RELEASE = b"\x1b[32;1:1u", b"\x1b[32;1:2u", b"\x1b[32;1:3u"


class Scene:
    pass


def start(s, handle, *options, link=None):
    folder = process.folder()
    argv = [process.program("salotto"), "speak", link or s.daemon.invite("speaker"), "--handle", handle, "--identity",
            f"{folder}/key", "--output", f"{folder}/heard.wav", "--input", s.voice, "--loop", "--ptt", *options]
    t = Terminal(argv, {**os.environ, "TERM": "xterm-256color"})
    t.before = termios.tcgetattr(t.fd)
    t.handle = handle
    process.wait_until(lambda: handle in s.daemon.who(), f"{handle} to be there")
    t.wait_for(re.escape(ASK))
    return t


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.link = s.daemon.room()
    s.voice = sound.keep(sound.babble("en", 10), "voice")
    s.anna = start(s, "anna")
    return s


def muted(s, handle):
    return s.daemon.who()[handle]["muted"]


def until(s, handle, value):
    process.wait_until(lambda: muted(s, handle) == value, f"{handle} to be muted={value}")


def is_restored(t):
    """Is the terminal in the mode in which it was?"""
    process.wait_until(lambda: termios.tcgetattr(t.fd)[3] == t.before[3], "the terminal as it was")


def quit(s, t):
    t.type(b"q")
    process.wait_until(t.ended, f"{t.handle} to leave")
    tap.equal(t.code, 0, "exit code")
    is_restored(t)


@tap.check("one begins muted, and the status line says what space does")
def _(s):
    s.anna.wait_for("hold space to be heard")
    s.anna.wait_for("you: .{0,5}muted.{0,5} . space: hold")
    tap.true(muted(s, "anna"), "anna is muted")
    tap.true(not s.daemon.who()["anna"]["muted_by_moderator"], "by herself")
    process.wait_until(lambda: s.daemon.stats()["parked_now"], "the room to be parked")


@tap.check("a tap opens the microphone, and the next tap closes it")
def _(s):
    s.anna.type(b" ")
    until(s, "anna", False)
    s.anna.wait_for("LIVE|playing")
    s.daemon.wait_in_mix("anna")
    s.anna.wait_for("space: mute")
    time.sleep(1.5)  # past any key's repeat
    tap.true(not muted(s, "anna"), "it stays open")
    s.anna.type(b" ")
    until(s, "anna", True)
    process.wait_until(lambda: s.daemon.stats()["parked_now"], "the room to park")


class Held(threading.Thread):
    """A key that is held on a terminal that repeats it. `steady` says afterwards whether this machine kept time."""

    def __init__(self, terminal):
        super().__init__(daemon=True)
        self.terminal, self.steady, self.up = terminal, True, threading.Event()
        self.start()

    def run(self):
        self.terminal.type(b" ")
        time.sleep(0.4)
        last = time.monotonic()
        while not self.up.wait(0.04):
            self.steady &= time.monotonic() - last < 0.15
            last = time.monotonic()
            self.terminal.type(b" ")

    def let_go(self):
        self.up.set()
        self.join()


@tap.check("a key that repeats is held: open for as long, and closed after the last repeat")
def _(s):
    for attempt in range(10):
        time.sleep(1.5)  # past what came before
        key = Held(s.anna)
        s.anna.wait_for("let go of space")
        until(s, "anna", False)
        time.sleep(1)
        was_open = not muted(s, "anna")
        key.let_go()
        try:
            process.wait_until(lambda: muted(s, "anna"), "anna to be muted", patience=5)
            is_closed = True
        except TimeoutError:
            is_closed = False
        if was_open and is_closed:
            return
        if key.steady:
            tap.fail(f"open while it was held: {was_open}, closed after that: {is_closed}")
        if not is_closed:
            s.anna.type(b"m")
            until(s, "anna", True)
    tap.skip("this machine never kept time for as long as it takes")


@tap.check("`m` works as well, and space after it")
def _(s):
    time.sleep(1.5)
    s.anna.type(b"m")
    until(s, "anna", False)
    s.anna.type(b" ")
    until(s, "anna", True)


@tap.check("a moderator's mute is not lifted by it, and what was open is closed afterwards")
def _(s):
    time.sleep(1.5)
    s.anna.type(b" ")
    until(s, "anna", False)
    s.daemon.ctl("mute", "piazza", "anna")
    s.anna.wait_for("muted you")
    s.anna.type(b" ")
    s.anna.wait_for("only a moderator can lift that")
    s.daemon.ctl("unmute", "piazza", "anna")
    process.wait_until(lambda: not s.daemon.who()["anna"]["muted_by_moderator"], "the mute to be lifted")
    until(s, "anna", True)
    s.anna.type(b" ")
    until(s, "anna", False)
    quit(s, s.anna)
    tap.true(BEGIN not in s.anna.text, "no reports were asked for from a terminal that did not answer")


@tap.check("where the terminal tells of releases, they are used: held is open, let go is closed")
def _(s):
    s.bruno = start(s, "bruno")
    s.bruno.type(b"\x1b[?0u")
    s.bruno.wait_for(re.escape(BEGIN))
    tap.true(muted(s, "bruno"), "bruno begins muted")
    s.bruno.type(PRESS)
    until(s, "bruno", False)
    s.bruno.wait_for("let go of space")
    time.sleep(2)  # no repeat comes, and none is needed
    tap.true(not muted(s, "bruno"), "it stays open")
    s.bruno.type(RELEASE)
    until(s, "bruno", True)


@tap.check("there, too, a tap toggles")
def _(s):
    s.bruno.type(PRESS + RELEASE)
    until(s, "bruno", False)
    time.sleep(1)
    tap.true(not muted(s, "bruno"), "it stays open")
    s.bruno.type(PRESS + RELEASE)
    until(s, "bruno", True)


@tap.check("Ctrl-C leaves also where it comes as a key, and the terminal is as it was")
def _(s):
    s.bruno.type(b"\x1b[99;5u")
    process.wait_until(s.bruno.ended, "bruno to leave")
    tap.equal(s.bruno.code, 0, "exit code")
    is_restored(s.bruno)
    tap.true(s.bruno.text.count(END) == s.bruno.text.count(BEGIN) == 1, "reports were ended")


@tap.check("Ctrl-Z gives the terminal back, and fg takes it again")
def _(s):
    t = start(s, "carla")
    t.type(b"\x1b[?0u")
    t.wait_for(re.escape(BEGIN))
    # The test stands for the shell: a stopped child without one is continued by a signal.
    t.type(b"\x1b[122;5u")
    t.wait_for(re.escape(END))
    is_restored(t)
    os.kill(t.pid, signal.SIGCONT)
    process.wait_until(lambda: t.text.count(BEGIN) == 2, "reports to be asked for again")
    quit(s, t)


@tap.check("killed by any signal that can be caught, it gives the terminal back and leaves the room")
def _(s):
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        t = start(s, f"dora-{number}")
        os.kill(t.pid, number)
        process.wait_until(t.ended, f"{t.handle} to end")
        tap.equal(t.code, 0, f"exit code after signal {number}")
        is_restored(t)
        process.wait_until(lambda: t.handle not in s.daemon.who(), f"{t.handle} to have left")


@tap.check("a terminal that goes away ends it, and the room is told")
def _(s):
    t = start(s, "emil")
    os.close(t.fd)  # the kernel hangs it up
    process.wait_until(t.ended, "emil to end")
    tap.equal(t.code, 0, "exit code")
    process.wait_until(lambda: "emil" not in s.daemon.who(), "emil to have left")


@tap.check("a listener who waits hears why space does nothing yet, and once promoted begins muted")
def _(s):
    t = start(s, "fritz", link=s.link)
    t.wait_for("your hand is raised")
    t.type(b" ")
    t.wait_for("once you are on stage")
    s.daemon.ctl("promote", "piazza", "fritz")
    t.wait_for("hold space to be heard")
    tap.true(muted(s, "fritz"), "fritz is muted")
    t.type(b" ")
    until(s, "fritz", False)
    quit(s, t)


@tap.check("without a terminal --ptt is refused; exit code 2")
def _(s):
    code, _, err = process.run([process.program("salotto"), "speak", s.link, "--ptt", "--input", s.voice, "--output",
                                f"{process.folder()}/x.wav", "--identity", f"{process.folder()}/key"])
    tap.equal(code, 2, f"exit code {err}")
    tap.true("--ptt" in err, f"it is named: {err!r}")


tap.main(setup)
