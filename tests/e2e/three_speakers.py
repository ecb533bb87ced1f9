#!/usr/bin/python3
"""Three people speak, others listen: everyone hears what they should, at the level they should, and nobody else can."""
import time

import numpy as np
from harness import client, ears, ogg, sound, tap
from harness.daemon import Daemon
from harness.relay import Relay
from harness.sound import RATE

NAMES = ("anna", "bruno", "carla")
LANGUAGES = ("en", "fr", "es")
ALONE = ((2, 6), (7.5, 11.5), (13, 17))  # when each speaks alone, in seconds of their file
TOGETHER = (18.5, 50)
LOUDER_AT = 29  # the moderator turns all three up, so that the limiter has to work
SECONDS = 52
WINDOW = 2  # seconds: what is looked at together, so that a packet lost to a busy machine spoils only little


class Scene:
    pass


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.daemon.room()
    s.relay = Relay(s.daemon.port)

    def through_relay(link):
        return link.replace(f":{s.daemon.port}/", f":{s.relay.port}/")

    link = through_relay(s.daemon.link())
    s.dora = client.listen(link, "dora", "--tier", "standard", packets=True)
    s.emil = client.listen(link, "emil", "--tier", "standard", packets=True)
    s.fritz = client.listen(link, "fritz", "--tier", "standard", output="opus")
    s.gerda = client.listen(link, "gerda", "--tier", "low")
    for c in (s.dora, s.emil, s.fritz, s.gerda):
        c.joined()
    invite = through_relay(s.daemon.invite("speaker", "--uses", "3"))
    s.voices = [
        sound.turns(sound.voice(language), (alone, TOGETHER), SECONDS) for language, alone in zip(LANGUAGES, ALONE)
    ]
    files = [sound.keep(voice, name) for voice, name in zip(s.voices, NAMES)]
    s.speakers = [
        client.speak(invite, name, path, "--tier", "standard", "--seconds", "70") for name, path in zip(NAMES, files)
    ]
    for c in s.speakers:
        c.joined()
    began = time.monotonic()
    time.sleep(LOUDER_AT)
    operator = s.daemon.operator()
    s.louder = max(operator("gain", "piazza", name, "12")["data"]["at_sample"] for name in NAMES)
    time.sleep(max(0, began + SECONDS + 1 - time.monotonic()))
    everyone = [s.dora, s.emil, s.fritz, s.gerda, *s.speakers]
    for c in everyone:
        c.leave()
    s.heard = s.dora.wav()
    s.low = s.gerda.wav()
    s.shifts = [shift_of(voice, alone, s.heard) for voice, alone in zip(s.voices, ALONE)]
    return s


def span(a, b):
    return slice(int(a * RATE), int(b * RATE))


def shift_of(voice, alone, recording):
    """How far the voice's file is shifted in the recording, found where it speaks alone."""
    at, _ = ears.locate(voice[span(*alone)], recording)
    return at - int(alone[0] * RATE)


def windows(first, last, seconds=WINDOW):
    """Starts of windows of that length in recorded samples."""
    return range(first, last - seconds * RATE, seconds * RATE)


def aligned(s, start, seconds=WINDOW):
    return [ears.align(v, s.heard, start, seconds * RATE, shift)[0] for v, shift in zip(s.voices, s.shifts)]


def together(s):
    """Windows of the first listener's recording in which all three speak: before, and after they were turned up."""
    louder = s.dora.sample_of(s.louder)
    first = max(s.shifts) + int(TOGETHER[0] * RATE) + RATE
    last = min(s.shifts) + int(TOGETHER[1] * RATE) - RATE // 2
    return windows(first, louder - RATE // 2), windows(louder + RATE, last)[:6]


@tap.check("each listener hears each speaker at the level at which they speak")
def _(s):
    for c, recording in ((s.dora, s.heard), (s.emil, s.emil.wav()), (s.gerda, s.low)):
        for name, voice, alone in zip(NAMES, s.voices, ALONE):
            _, likeness, level = ears.hear(voice[span(*alone)], recording)
            tap.more(likeness, 0.6, f"likeness of {name} as {c.handle} hears them")
            tap.near(level, 0, 2.5, f"dB: {name} as {c.handle} hears them")


@tap.check("while one speaks alone, nothing of the others is heard")
def _(s):
    for c, recording in ((s.dora, s.heard), (s.gerda, s.low)):
        for name, voice, alone in zip(NAMES, s.voices, ALONE):
            at, _ = ears.locate(voice[span(*alone)], recording)
            alone_heard = recording[at + RATE // 4 : at + int((alone[1] - alone[0]) * RATE) - RATE // 4]
            for other, voice_of_other in zip(NAMES, s.voices):
                if other != name:
                    likeness = ears.likeness(voice_of_other, alone_heard)
                    tap.less(likeness, 0.2, f"likeness of what {c.handle} hears to {other}, while {name} speaks")


@tap.check("when three speak at once, each is heard at their level")
def _(s):
    before, _ = together(s)
    levels = [ears.level_db(aligned(s, start), s.heard[start : start + WINDOW * RATE]) for start in before]
    tap.true(len(levels) >= 3, "there are windows in which all three speak")
    for name, level in zip(NAMES, np.median(levels, axis=0)):
        tap.near(level, 0, 3, f"dB: {name} among the three")


def rejection(s, number, starts):
    """How far a speaker's voice is down in their own ears, in decibels below a listener's, over all windows."""
    c = s.speakers[number]
    recording = c.wav()
    found = []
    for start in starts:
        position = s.dora.position_of(start)
        own_start = c.sample_of(position)
        pieces = aligned(s, start)
        own = pieces.pop(number)
        heard, own_heard = s.heard[start : start + WINDOW * RATE], recording[own_start : own_start + WINDOW * RATE]
        found.append(ears.leak(own, pieces, heard, own_heard))
    # A leak is the same in all windows, what the fit makes of the others' noise is not.
    return -sound.db(abs(np.median(found)))


@tap.check("a speaker does not hear themself: their voice is at least 40 dB down among the others'")
def _(s):
    before, _ = together(s)
    for number, name in enumerate(NAMES):
        tap.more(rejection(s, number, before), 40, f"dB: {name} in their own ears, below a listener's")


@tap.check("nor with the limiter at work")
def _(s):
    _, after = together(s)
    tap.true(len(after) >= 5, "there are windows in which the limiter works")
    levels = np.median(
        [ears.level_db(aligned(s, start), s.heard[start : start + WINDOW * RATE]) for start in after], axis=0
    )
    tap.less(max(levels), 11.5, "dB: the loudest of three turned up by 12 dB, so that the limiter is at work")
    tap.more(min(levels), 3, "dB: the softest of them")
    for number, name in enumerate(NAMES):
        tap.more(rejection(s, number, after), 40, f"dB: {name} in their own ears, below a listener's")


@tap.check("a speaker who speaks alone hears silence")
def _(s):
    for c, alone, shift in zip(s.speakers, ALONE, s.shifts):
        start = c.sample_of(s.dora.position_of(shift + int(alone[0] * RATE)))
        recording = c.wav()[start : start + int((alone[1] - alone[0]) * RATE)]
        tap.less(sound.loudest_db(recording), -60, f"dBFS in {c.handle}'s ears while they speak alone")


@tap.check("a speaker hears the others at their level, also while speaking")
def _(s):
    before, _ = together(s)
    for number, c in enumerate(s.speakers):
        recording = c.wav()
        levels = []
        for start in before:
            pieces = aligned(s, start)
            pieces.pop(number)
            own_start = c.sample_of(s.dora.position_of(start))
            levels.append(ears.level_db(pieces, recording[own_start : own_start + WINDOW * RATE]))
        for level in np.median(levels, axis=0):
            tap.near(level, 0, 3, f"dB: another in {c.handle}'s ears")


@tap.check("when nobody speaks, it is silent")
def _(s):
    start = max(s.shifts) + int((ALONE[2][1] + 0.4) * RATE)
    end = min(s.shifts) + int((TOGETHER[0] - 0.05) * RATE)
    tap.less(sound.loudest_db(s.heard[start:end]), -60, "dBFS between two who speak")


@tap.check("loud speech is limited, never clipped")
def _(s):
    # What a busy machine makes a client conceal may overshoot. That is not the mix, and not the same at both ears.
    peaks = []
    for c, recording in ((s.dora, s.heard), (s.emil, s.emil.wav())):
        loud = np.abs(recording[c.sample_of(s.louder) :])
        at = int(np.argmax(loud))
        tap.diag(f"{c.handle}: {loud[at]:.3f} at {at / RATE:.2f} s, {c.all('stats')[-1]['concealed']} concealed")
        peaks.append(loud[at])
    tap.less(min(peaks), 0.999, "of full scale in the loudest sample")


@tap.check("two listeners on one tier receive byte-identical ciphertext, under a tag of their own")
def _(s):
    def by_number(c):
        return {(p["type"], p["epoch"], p["number"]): p for p in c.packets()}

    one, two = by_number(s.dora), by_number(s.emil)
    both = one.keys() & two.keys()
    tap.true(len(both) > 1000, f"both received the same packets (they share {len(both)})")
    tap.true(all(one[k]["ciphertext"] == two[k]["ciphertext"] for k in both), "the ciphertexts are the same")
    tap.true(all(one[k]["tag"] != two[k]["tag"] for k in both), "the tags differ")


@tap.check("a capture of the wire holds no Opus packet in clear")
def _(s):
    known = [p for p in ogg.opus(s.fritz.output) if len(p) >= 24]
    tap.true(len(known) > 500, f"{len(known)} Opus packets that were heard are known")
    pieces = {p[at : at + 8] for p in known for at in (1, 8, 16)}
    captured = [d for _, _, d in s.relay.down + s.relay.up]
    tap.true(len(captured) > 5000, f"{len(captured)} datagrams were captured")
    hits = sum(1 for d in captured for at in range(len(d) - 7) if d[at : at + 8] in pieces)
    tap.equal(hits, 0, "pieces of Opus packets found in datagrams")


@tap.check("what is sealed looks random")
def _(s):
    for direction, header, tail in ((s.relay.up, 9, 16), (s.relay.down, 6, 8)):
        data = b"".join({d[header:-tail] for _, _, d in direction if len(d) > 60})  # each ciphertext once
        counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
        expected = len(data) / 256
        # Chi-square with 255 degrees of freedom: mean 255, standard deviation 22.6.
        tap.less(((counts - expected) ** 2 / expected).sum(), 400, f"chi-square of {len(data)} bytes")


@tap.check("names and words of the control connection are not in clear either")
def _(s):
    for word in (b"piazza", b"anna", b"handle", b"speaking"):
        tap.true(word not in s.relay.tcp_bytes, f"{word.decode()} is not seen on the wire")


tap.main(setup)
