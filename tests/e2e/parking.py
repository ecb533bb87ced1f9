#!/usr/bin/python3
"""A room in which nobody speaks costs nothing, and the first syllable wakes it."""
import threading
import time

import numpy as np
from harness import client, ears, ogg, process, sound, tap
from harness.daemon import Daemon
from harness.peer import Peer
from harness.sound import RATE

QUIET_S = 32  # of noise at -70 dBFS, before the speaker says something


class Scene:
    pass


def opus_of(path, seconds=20):
    out = path.replace(".wav", ".opus")
    code, _, err = process.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-t", str(seconds), "-c:a", "libopus", "-b:a", "24k", out]
    )
    if code:
        raise RuntimeError(err)
    return ogg.opus(out)


def setup():
    s = Scene()
    s.daemon = Daemon("--config", config())
    link = s.daemon.room()
    s.listeners = [client.listen(link, name, "--tier", "standard").joined() for name in ("dora", "emil")]
    s.words = sound.voice("en")[: 5 * RATE]
    s.first = int(np.argmax(np.abs(s.words) > 0.02))  # where the first syllable begins
    quiet = np.concatenate((sound.noise(QUIET_S, -70), s.words, sound.silence(1)))
    s.hums = client.speak(s.daemon.invite("speaker"), "anna", sound.keep(quiet, "anna"), "--seconds", "60").joined()
    s.began = time.monotonic()
    talks = sound.keep(sound.babble("fr", 20), "bruno")
    s.muted = client.speak(s.daemon.invite("speaker"), "bruno", talks, "--loop").joined()
    # A third sends noise without pause, though saying that nobody speaks; a fourth speaks however often it is told that
    # it is muted, as no honest client would.
    s.humming = Peer(s.daemon.invite("speaker")).join("dieter", mic="open")
    s.stubborn = Peer(s.daemon.invite("speaker")).join("carla", mic="open")
    for name in ("bruno", "carla"):
        s.daemon.ctl("mute", "piazza", name)
    s.stop = threading.Event()
    hum = opus_of(sound.keep(sound.noise(20, -70), "hum"))
    for peer, packets, voice in ((s.stubborn, opus_of(talks), True), (s.humming, hum, False)):
        said = {"voice": voice, "stop": s.stop}
        threading.Thread(target=peer.say, args=(packets * 10,), kwargs=said, daemon=True).start()
    process.wait_until(lambda: s.daemon.stats()["parked_now"], "the room to park")
    return s


def config():
    """Rooms stay as long as the test takes."""
    path = process.folder() + "/salottod.conf"
    with open(path, "w") as f:
        f.write("grace_s = 60\n")
    return path


@tap.check("with noise at -70 dBFS and a muted speaker who talks, the room's thread makes no context switch in 10 s")
def _(s):
    thread = s.daemon.threads()["room:piazza"]
    before = s.daemon.switches(thread)
    speech = s.daemon.stats()["drops"]
    time.sleep(10)
    after = s.daemon.switches(thread)
    tap.true(time.monotonic() < s.began + QUIET_S - 1, "the quiet part was long enough for this machine")
    tap.equal(after - before, 0, "context switches of room:piazza in 10 s")
    tap.true(s.daemon.stats()["drops"] != speech, "the muted one's packets came, and were dropped and counted")


@tap.check("while the room is parked, listeners know that it is quiet and not that the way is broken")
def _(s):
    for c in s.listeners:
        tap.true(c.child.is_running(), f"{c.handle} is still there")


@tap.check("speech wakes it at once: the first syllable is heard, at its level")
def _(s):
    time.sleep(max(0, s.began + QUIET_S + 7 - time.monotonic()))
    s.stop.set()
    for c in s.listeners:
        c.leave()
        heard = c.wav()
        at, likeness, _ = ears.hear(s.words, heard)
        tap.more(likeness, 0.6, f"likeness of the words as {c.handle} hears them")
        # The words leave the speaker QUIET_S after the file began, and the ear must have them soon.
        start = s.first
        piece = s.words[start : start + int(0.3 * RATE)]
        got = heard[at + start : at + start + len(piece)]
        _, alike = ears.locate(piece, heard[at + start - 2400 : at + start + len(piece) + 2400])
        tap.more(alike, 0.6, "likeness of the first 300 ms")
        tap.near(sound.rms_db(got) - sound.rms_db(piece), 0, 3, "dB: the first 300 ms as heard")


@tap.check("while it was parked, the listeners heard silence")
def _(s):
    for c in s.listeners:
        heard = c.wav()
        at, _ = ears.locate(s.words, heard)
        tap.less(sound.loudest_db(heard[at - 12 * RATE : at - RATE]), -60, f"dBFS in {c.handle}'s ears")


@tap.check("a recording holds the silence too: it is as long as the stay")
def _(s):
    for c in s.listeners:
        tap.more(len(c.wav()) / RATE, QUIET_S, "s were recorded")


tap.main(setup)
