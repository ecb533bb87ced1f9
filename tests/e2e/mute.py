#!/usr/bin/python3
"""A moderator's mute takes hold when the answer says, for everyone, and can be lifted."""
import time

from harness import client, sound, tap
from harness.daemon import Daemon
from harness.sound import RATE

MS = RATE // 1000


class Scene:
    pass


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.listener = client.listen(s.daemon.room(), "dora", "--tier", "standard").joined()
    path = sound.keep(sound.babble("en", 30), "anna")
    s.speaker = client.speak(s.daemon.invite("speaker"), "anna", path, "--loop").joined()
    s.daemon.wait_in_mix("anna")
    operator = s.daemon.operator()

    def act(*words):
        return operator(*words)["data"]["at_sample"]

    time.sleep(2)
    s.muted = act("mute", "piazza", "anna", "--why", "a telephone rings")
    s.who_muted = s.daemon.who()["anna"]
    time.sleep(2.5)
    s.unmuted = act("unmute", "piazza", "anna")
    time.sleep(2)
    one, two = operator.send("mute", "piazza", "anna"), operator.send("unmute", "piazza", "anna")
    s.quick = [operator.answer(one), operator.answer(two)]
    s.who_quick = s.daemon.who()["anna"]
    time.sleep(2)
    s.all = operator("mute", "piazza", "--all")
    s.all_text = s.daemon.ctl("mute", "piazza", "--all")
    s.who_all = s.daemon.who()["anna"]
    time.sleep(2)
    s.listener.leave()
    s.speaker.leave()
    s.heard = s.listener.wav()
    return s


def between(s, a, b):
    """What the listener heard from position a to position b."""
    return s.heard[s.listener.sample_of(a) : s.listener.sample_of(b)]


@tap.check("before the mute, the speaker is heard")
def _(s):
    tap.more(sound.quietest_db(between(s, s.muted - RATE, s.muted)), -50, "dBFS in the softest 20 ms")


@tap.check("from 60 ms after the position that the answer names, nothing above -60 dBFS is heard of the muted")
def _(s):
    silent = between(s, s.muted + 60 * MS, s.unmuted)
    tap.more(len(silent) / RATE, 2, "s were looked at")
    tap.less(sound.loudest_db(silent), -60, "dBFS in the loudest 5 ms")


@tap.check("the mute does not take hold before the position that the answer names")
def _(s):
    tap.more(sound.loudest_db(between(s, s.muted - 20 * MS, s.muted)), -50, "dBFS in the last 20 ms before")


@tap.check("who is there shows who is muted, and that it was a moderator")
def _(s):
    tap.equal((s.who_muted["muted_by_moderator"], s.who_quick["muted_by_moderator"]), (True, False), "muted_by_moderator")


@tap.check("everyone is told of it, with the same position")
def _(s):
    event = s.listener.event("muted", lambda e: e["handle"] == "anna" and e["muted_by_moderator"])
    tap.equal(event["at_sample"], s.muted, "at_sample of the event")


@tap.check("after the unmute, the speaker is back")
def _(s):
    back = between(s, s.unmuted + 200 * MS, s.unmuted + RATE)
    tap.more(sound.quietest_db(back), -50, "dBFS in the softest 20 ms")


@tap.check("a mute that is lifted at once ends unmuted")
def _(s):
    tap.true(all(a["ok"] for a in s.quick), "both were carried out")
    at = s.quick[1]["data"]["at_sample"]
    tap.more(sound.quietest_db(between(s, at + 200 * MS, at + RATE)), -50, "dBFS in the softest 20 ms")


@tap.check("`mute --all` mutes, and says that people stay muted")
def _(s):
    tap.true(s.who_all["muted_by_moderator"], "anna is muted by the moderator")
    tap.true("mute" in s.all_text, f"it says what it did: {s.all_text!r}")


tap.main(setup)
