#!/usr/bin/python3
"""A clock that is set, by years, forward and back, while people talk: invites and the log go by it, and nothing else
does. Only the programs' own clock: libfaketime gives each the time that a file says."""
import datetime
import glob
import os
import time

from harness import client, process, sound, tap
from harness.ctl import Ctl
from harness.daemon import Daemon

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
TRUE_SLEEP = os.path.join(process.BUILD, "tests", "true_sleep.so")
YEAR_S = 365 * 24 * 3600


class Clock:
    """A clock that programs started under .env go by; set() sets it."""

    def __init__(self, now="+0"):
        self.path = os.path.join(process.folder(), "clock")
        self.set(now)
        self.env = dict(os.environ, LD_PRELOAD=f"{TRUE_SLEEP} {LIBRARY}", FAKETIME_TIMESTAMP_FILE=self.path, FAKETIME_NO_CACHE="1",
                        DONT_FAKE_MONOTONIC="1")

    def set(self, now):
        with open(self.path + ".new", "w") as f:
            f.write(now + "\n")
        os.rename(self.path + ".new", self.path)


class Scene:
    def __init__(self):
        if not able():
            return
        self.clock = Clock()
        self.daemon = Daemon(env=self.clock.env)
        self.daemon.room()
        path = sound.keep(sound.babble("en", 20), "anna")
        self.anna = client.speak(self.daemon.invite("speaker"), "anna", path, "--loop").joined()
        self.dora = client.listen(self.daemon.link(), "dora", "--tier", "standard").joined()
        self.daemon.wait_in_mix("anna")

    def newest(self):
        """What the log says of the last act, and how far its clock was from ours then, in years."""
        row = self.daemon.ctl.json("log", "piazza", "--limit", "1")[0]
        return row, (row["at_ms"] / 1000 - time.time()) / YEAR_S


def able():
    return LIBRARY and not any(sanitizer in os.path.basename(process.BUILD) for sanitizer in ("asan", "tsan"))


def check(sentence):
    def add(function):
        @tap.check(sentence)
        def _(s):
            if not able():
                tap.skip("libfaketime is not there" if not LIBRARY else "sanitizers and libfaketime do not go together")
            function(s)

        return function

    return add


@check("the log tells what the clock says, and its order is that of the acts")
def _(s):
    for now, years in (("+0", 0), ("+3y", 3), ("-3y", -3), ("+0", 0)):
        s.clock.set(now)
        s.daemon.ctl("gain", "piazza", "anna", str(-abs(years)), "--why", f"at {now}")
        row, off = s.newest()
        tap.near(off, years, 0.05, "years off, says the log")
        tap.equal(row["why"], f"at {now}", "the newest row's reason")
    rows = s.daemon.ctl.json("log", "piazza")
    numbers = [r["number"] for r in rows]
    tap.true(numbers in (sorted(numbers), sorted(numbers, reverse=True)), f"numbers of the rows: {numbers}")
    s.daemon.ctl("check")


@check("an invite that has expired by the clock is refused, and is good again when the clock was wrong")
def _(s):
    invite = s.daemon.invite("listener", "--expires", "1h", "--uses", "9")
    forever = s.daemon.invite("listener", "--uses", "9")
    client.listen(invite, "emil").joined().leave()
    s.clock.set("+3y")
    late = client.listen(invite, "fritz")
    tap.equal(late.wait(), 4, f"exit code in three years ({late.err().strip()})")
    tap.true("invite" in late.err(), f"they are told why: {late.err()!r}")
    client.listen(forever, "fritz").joined().leave()
    s.clock.set("-3y")
    old = s.daemon.invite("listener", "--expires", "1h")
    client.listen(forever, "gerda").joined().leave()
    s.clock.set("+0")
    tap.equal(client.listen(old, "hans").wait(), 4, "exit code for an invite of three years ago")
    client.listen(invite, "hans").joined().leave()


@check("a ban holds, whatever the clock says")
def _(s):
    ugo = client.listen(s.daemon.link(), "ugo").joined()
    s.daemon.ctl("ban", "piazza", "ugo", "--why", "spam")
    tap.equal(ugo.wait(), 9, "exit code of who is banned")
    for now in ("+3y", "-3y", "+0"):
        s.clock.set(now)
        back = client.listen(s.daemon.link(), "ugo", identity=ugo.identity)
        tap.equal(back.wait(), 4, f"exit code at {now} ({back.err().strip()})")


@check("what is measured in seconds is not measured by that clock")
def _(s):
    own = Clock()
    began = time.monotonic()
    short = client.listen(s.daemon.link(), "karl", "--seconds", "3", env=own.env)
    waiting = client.speak(s.daemon.link(), "lena", sound.keep(sound.noise(1, -40))).joined()
    process.wait_until(lambda: s.daemon.ctl.json("hands", "piazza"), "a hand")
    for now in ("+3y", "-3y", "+40y", "+0"):
        s.clock.set(now)
        own.set(now)
        hand = s.daemon.ctl.json("hands", "piazza")[0]
        tap.true(0 <= hand["since_s"] <= time.monotonic() - began + 1, f"a hand is up for {hand['since_s']} s at {now}")
        tap.equal(s.daemon.who()["anna"]["role"], "speaker", "anna's role")
        time.sleep(0.5)
    tap.equal(short.wait(), 0, f"exit code of `--seconds 3` ({short.err().strip()})")
    tap.near(len(short.wav()) / sound.RATE, 3, 0.1, "s of recording")
    waiting.leave()


@check("sound was never disturbed, and nobody was lost")
def _(s):
    s.clock.set("+3y")
    before = s.daemon.stats()["ticks"]
    process.wait_until(lambda: s.daemon.stats()["ticks"] > before + 50, "ticks in three years")
    s.clock.set("-3y")
    before = s.daemon.stats()["ticks"]
    process.wait_until(lambda: s.daemon.stats()["ticks"] > before + 50, "ticks three years ago")
    tap.true(s.anna.child.is_running() and s.dora.child.is_running(), "speaker and listener are still there")
    s.dora.leave()
    s.anna.leave()
    stream = s.dora.all("stats")[0]["streams"]["standard"]
    tap.equal(stream["received"], stream["highest"] - stream["first"] + 1, "packets of the stream that came")
    heard = s.dora.wav()[sound.RATE :]
    tap.more(sound.quietest_db(heard, sound.RATE // 2), -50, "dBFS in the softest half second")
    tap.equal(s.daemon.stop(), 0, "exit code of the daemon, three years ago")


@check("a machine without a clock of its own starts it in 1970, one that is far off in another century")
def _(s):
    for now in ("@1970-01-01 00:00:10", "@2038-01-19 03:14:05", "@2106-02-07 06:28:10", "@2200-01-01 00:00:00"):
        s.clock.set(now)
        s.daemon.start()
        s.daemon.ctl("gain", "piazza", "anna", "-5")
        row, _ = s.newest()
        at = datetime.datetime.fromtimestamp(row["at_ms"] / 1000, datetime.timezone.utc)
        tap.equal(at.strftime("%Y-%m-%d"), now[1:11], "the day of the newest act")
        tap.true(now[1:11] in s.daemon.ctl("log", "piazza", "--limit", "1"), "and so it is shown")
        client.listen(s.daemon.link(), "emil2", "--seconds", "0.2", env=Clock(now).env).wait()
        tap.equal(s.daemon.stop(), 0, f"exit code at {now}")
    s.clock.set("+0")
    s.daemon.start()
    Ctl(s.daemon.state)("check")


tap.main(Scene)
