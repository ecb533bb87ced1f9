#!/usr/bin/python3
"""A whole scenario with the real-time trap: it aborts the daemon when a room's thread allocates, waits for a lock, or
touches a file, the log or a socket during a tick."""
import os
import time

from harness import client, process, sound, tap
from harness.daemon import Daemon
from harness.peer import Peer


class Scene:
    pass


def setup():
    s = Scene()
    s.trap = os.path.join(process.BUILD, "tests", "rt_trap.so")
    if not os.path.exists(s.trap):
        raise RuntimeError(f"{s.trap} is missing: make test-programs")
    s.daemon = Daemon(env=dict(os.environ, LD_PRELOAD=s.trap))
    return s


@tap.check("the trap is in the daemon")
def _(s):
    with open(f"/proc/{s.daemon.pid}/maps") as f:
        tap.true("rt_trap.so" in f.read(), "rt_trap.so is mapped")


@tap.check("a scenario of coming, speaking, moderating, changing tiers and leaving springs no trap")
def _(s):
    link = s.daemon.room()
    ctl = s.daemon.ctl
    files = {who: sound.keep(sound.babble(l, 10), who) for who, l in (("anna", "en"), ("bruno", "fr"), ("carla", "es"))}
    dora = client.listen(link, "dora", "--tier", "standard").joined()
    emil = client.listen(link, "emil", "--tier", "low").joined()
    anna = client.speak(s.daemon.invite("speaker"), "anna", files["anna"], "--loop").joined()
    bruno = client.speak(s.daemon.invite("speaker"), "bruno", files["bruno"], "--loop").joined()
    carla = client.speak(link, "carla", files["carla"], "--loop").joined()
    s.daemon.wait_in_mix("bruno")
    ctl("promote", "piazza", "carla")
    s.daemon.wait_in_mix("carla")
    ctl("gain", "piazza", "anna", "12")
    ctl("gain", "piazza", "bruno", "12")
    ctl("mute", "piazza", "carla")
    ctl("unmute", "piazza", "carla")
    time.sleep(1)
    ctl("mute", "piazza", "--all")
    process.wait_until(lambda: s.daemon.stats()["parked_now"], "the room to park")
    for who in ("anna", "bruno"):
        ctl("unmute", "piazza", who)
    process.wait_until(lambda: not s.daemon.stats()["parked_now"], "the room to wake")
    odd = Peer(s.daemon.invite("speaker")).join("odd", mic="open")
    odd.say([bytes([n]) * n for n in range(1, 80)])  # no Opus, or a strange kind of it
    odd.close()
    ctl("demote", "piazza", "carla")
    ctl("kick", "piazza", "emil")
    tap.equal(emil.wait(), 9, "exit code of who was kicked")
    ctl("ban", "piazza", "bruno")
    tap.equal(bruno.wait(), 9, "exit code of who was banned")
    anna.leave()
    carla.leave()
    ctl("room", "end", "piazza")
    tap.equal(dora.wait(), 9, "exit code of who was there to the end")
    tap.true(s.daemon.child.is_running(), "the daemon lives")


@tap.check("the daemon stops as it should, having said nothing of a trap")
def _(s):
    tap.equal(s.daemon.stop(), 0, "exit code")
    tap.true("rt_trap" not in s.daemon.child.err(), "its log names no trap")


tap.main(setup)
