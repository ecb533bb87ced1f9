#!/usr/bin/python3
"""Sound is encoded once for each tier and once for each active talker, however many listen."""
import time

from harness import client, process, sound, tap
from harness.daemon import Daemon
from harness.peer import Peer

SECONDS = 6


class Scene:
    pass


def difference(before, after):
    return {
        "ticks": after["ticks"] - before["ticks"],
        "personal": after["personal_encodes"] - before["personal_encodes"],
        "shared": {t: n - before["shared_encodes"].get(t, 0) for t, n in after["shared_encodes"].items()},
    }


def measure(s):
    before = s.daemon.stats()
    time.sleep(SECONDS)
    after = s.daemon.stats()
    return difference(before, after), after


def crowd(s, first, count):
    """Half of them on each tier."""
    return [Peer(s.link).join(f"guest-{n}", "low" if n % 2 else "standard") for n in range(first, first + count)]


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.link = s.daemon.room()
    path = sound.keep(sound.babble("es", 20), "anna")
    s.speaker = client.speak(
        s.daemon.invite("speaker"), "anna", path, "--loop", "--tier", "standard"
    ).joined()
    s.quiet = client.speak(
        s.daemon.invite("speaker"), "bruno", sound.keep(sound.silence(20), "bruno"), "--loop"
    ).joined()
    s.peers = crowd(s, 0, 2)
    s.daemon.wait_in_mix("anna")
    time.sleep(3)
    s.with_2, s.stats_2 = measure(s)
    s.peers += crowd(s, 2, 98)
    time.sleep(1)
    s.with_100, s.stats_100 = measure(s)
    return s


def as_designed(counts):
    ticks = counts["ticks"]
    tap.diag(counts)
    tap.true(ticks > 50 * SECONDS * 0.9, f"the room has ticked ({ticks} times in {SECONDS} s)")
    # The two snapshots may fall on either side of the tick that completes a frame.
    tap.near(counts["shared"]["standard"], ticks, 1, "shared encodes of `standard`, one a tick")
    tap.near(counts["shared"]["low"], ticks / 3, 1, "shared encodes of `low`, one each three ticks")
    tap.near(counts["personal"], ticks, 1, "personal encodes, for one active talker on `standard`")


@tap.check("with 2 listeners: one encode for each frame of each tier, and one for each frame of the active talker")
def _(s):
    as_designed(s.with_2)


@tap.check("with 100 listeners: the same")
def _(s):
    listeners = s.stats_100["listeners"]
    tap.true(sum(listeners.values()) >= 100, f"a hundred are tuned in: {listeners}")
    as_designed(s.with_100)


@tap.check("a speaker who is silent costs no encode of their own")
def _(s):
    tap.true(s.daemon.who()["bruno"]["speaking"] is False, "bruno is silent")
    tap.near(s.with_2["personal"] / s.with_2["ticks"], 1, 0.01, "personal encodes a tick")


@tap.check("a tier that nobody hears any more is not encoded")
def _(s):
    for n, p in enumerate(s.peers):
        if n % 2:
            p.close()
    s.daemon.operator()("kick", "piazza", "bruno")

    def gone():
        counts = s.daemon.stats()["listeners"]
        return counts.get("low", 0) == 0

    process.wait_until(gone, "the last listener on `low` to be gone")
    time.sleep(0.2)
    counts, _ = measure(s)
    tap.equal(counts["shared"].get("low", 0), 0, "shared encodes of `low`")
    tap.near(counts["shared"]["standard"], counts["ticks"], 1, "shared encodes of `standard`")


@tap.check("nothing was dropped and no tick was skipped")
def _(s):
    stats = s.daemon.stats()
    tap.diag({k: stats.get(k) for k in ("ticks", "late_ticks", "skipped_ticks", "drops")})
    tap.equal(stats.get("skipped_ticks", 0), 0, "skipped ticks")


tap.main(setup)
