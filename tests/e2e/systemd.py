#!/usr/bin/python3
"""What systemd is told: that the daemon is ready, who is here, that it lives, and that it stops.

The watchdog must be fed while all is well, and never while main or a room's thread stands still. How long that lasts is
measured by what the other threads did meanwhile, so a slow machine proves the same.
"""
import signal

from harness import client, process, sound, tap
from harness.daemon import Daemon
from harness.freeze import frozen
from harness.notify import Manager

WATCHDOG_S = 2.0  # it is fed four times in that
HANGS = "the room's thread hangs"


class Scene:
    pass


def setup():
    s = Scene()
    s.manager = Manager()
    s.daemon = Daemon(env=s.manager.env(WATCHDOG_S))
    s.link = s.daemon.room()
    return s


def is_fed(s):
    """Five times more."""
    s.manager.wait("WATCHDOG=1", s.manager.count("WATCHDOG=1") + 4)


def hear(s, seconds):
    """Waits until the listener has heard so much more; each packet is 60 ms of the room's time."""
    enough = len(s.listener.packets()) + int(seconds / 0.06)
    process.wait_until(lambda: len(s.listener.packets()) >= enough, "the room to sound on")


def hangs(s):
    return s.daemon.child.err().count(HANGS)


@tap.check("it is ready once it accepts, and nobody is here")
def _(s):
    tap.true("STATUS=nobody is here" in s.manager.wait("READY=1"), "the status says so")


@tap.check("the watchdog is fed while no room is live")
def _(s):
    is_fed(s)


@tap.check("the status line counts rooms and people")
def _(s):
    s.listener = client.listen(s.link, "dora", packets=True).joined()
    s.manager.wait("STATUS=1 room, 1 person")
    s.daemon.room("corte")
    client.listen(s.daemon.link("corte"), "emil").joined()
    s.manager.wait("STATUS=2 rooms, 2 people")


@tap.check("the watchdog is fed while rooms sleep in which nobody speaks")
def _(s):
    process.wait_until(lambda: s.daemon.stats()["parked_now"], "the room to park")
    is_fed(s)
    tap.equal(hangs(s), 0, "rooms that were taken to hang")


@tap.check("the watchdog is fed while people speak")
def _(s):
    path = sound.keep(sound.babble("en", 10), "anna")
    client.speak(s.daemon.invite("speaker"), "anna", path, "--loop").joined()
    s.daemon.wait_in_mix("anna")
    is_fed(s)


@tap.check("it is not fed while main stands still, though the rooms sound on")
def _(s):
    with frozen(s.daemon.pid):
        hear(s, WATCHDOG_S / 2)  # what was sent before has come by then
        fed = s.manager.count("WATCHDOG=1")
        hear(s, 2 * WATCHDOG_S)
        tap.equal(s.manager.count("WATCHDOG=1") - fed, 0, f"times fed in {2 * WATCHDOG_S:g} s of sound")
    is_fed(s)


@tap.check("it is not fed while one room's thread stands still, though main and the other room are well")
def _(s):
    with frozen(s.daemon.threads()["room:piazza"]):
        process.wait_until(lambda: hangs(s) > 1, "main to notice")
        fed, noticed = s.manager.count("WATCHDOG=1"), hangs(s)
        process.wait_until(lambda: hangs(s) >= noticed + 5, "main to look five times more")
        tap.true(s.daemon.stats("corte")["parked_now"], "main answers, and the other room sleeps")
        tap.equal(s.manager.count("WATCHDOG=1") - fed, 0, "times fed in five looks")
    is_fed(s)
    tap.true("room=piazza" in s.daemon.child.err(), "the log names the room")
    tap.true("room=corte" not in [l for l in s.daemon.child.err().splitlines() if HANGS in l], "and no other")


@tap.check("it says that it stops, and to how many")
def _(s):
    s.daemon.child.signal(signal.SIGTERM)
    said = s.manager.wait("STOPPING=1")
    tap.true("STATUS=2 rooms, 3 people: being told that it stops" in said, f"{said}")
    tap.equal(s.daemon.child.wait(), 0, "exit code")


tap.main(setup)
