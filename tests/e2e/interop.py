#!/usr/bin/python3
"""What `salotto` writes, other programs read; what they write, it reads."""
import os
import time

from harness import client, ears, process, sound, tap
from harness.daemon import Daemon
from harness.sound import RATE


class Scene:
    pass


def ffmpeg(*options):
    return process.run(["ffmpeg", "-nostdin", "-hide_banner", "-v", "warning", "-y", *options], patience=60)


def setup():
    s = Scene()
    s.daemon = Daemon()
    link = s.daemon.room()
    s.voice = sound.voice("fr")[: 8 * RATE]
    folder = process.folder()
    wav = sound.write(f"{folder}/voice.wav", s.voice)
    s.inputs = {}
    for name, options in (("flac", ["-ar", "44100"]), ("ogg", ["-c:a", "libvorbis", "-ac", "2"]), ("opus", []), ("wav", ["-ar", "16000"])):
        out = f"{folder}/in.{name}"
        code, _, err = ffmpeg("-i", wav, *options, out)
        if code:
            raise RuntimeError(err)
        s.inputs[name] = out
    s.low = client.listen(link, "dora", output="opus").joined()
    s.standard = client.listen(link, "emil", "--tier", "standard", output="opus").joined()
    s.wav = client.listen(link, "fritz", "--tier", "standard", output="wav").joined()
    for name, path in s.inputs.items():
        speaker = client.speak(s.daemon.invite("speaker"), f"in-{name}", path)
        time.sleep(10)
        speaker.leave()
    for c in (s.low, s.standard, s.wav):
        c.leave()
    return s


@tap.check("`--output X.opus` is an Ogg/Opus file that opusinfo finds nothing wrong with")
def _(s):
    for c in (s.low, s.standard):
        code, out, err = process.run(["opusinfo", c.output])
        tap.diag(out)
        tap.equal(code, 0, "exit code")
        tap.true("WARNING" not in (out + err).upper(), f"no warnings: {out} {err}")


@tap.check("ffmpeg decodes it without a warning")
def _(s):
    for c in (s.low, s.standard):
        c.decoded = c.output + ".wav"
        code, _, err = ffmpeg("-i", c.output, "-ar", "48000", "-ac", "1", c.decoded)
        tap.equal((code, err.strip()), (0, ""), "exit code and warnings")


def first_and_last(s, recording):
    """Where the voice of the first and of the last speaker lies."""
    piece = s.voice[RATE : 6 * RATE]
    early, late = int(len(recording) * 0.3), int(len(recording) * 0.7)
    return ears.locate(piece, recording[:early])[0], late + ears.locate(piece, recording[late:])[0]


@tap.check("gaps are kept in it: the last voice is as far from the first as in the WAV of the same stay")
def _(s):
    first, last = first_and_last(s, s.wav.wav())
    for c in (s.low, s.standard):
        in_opus = first_and_last(s, sound.read(c.decoded))
        tap.near((in_opus[1] - in_opus[0] - (last - first)) / RATE, 0, 0.1, f"s of difference at {c.handle}")


@tap.check("one can read a FLAC at 44.1 kHz, a stereo Ogg/Vorbis, an Ogg/Opus and a WAV at 16 kHz to a room")
def _(s):
    heard = s.wav.wav()
    for n, name in enumerate(s.inputs):
        lap = len(heard) // len(s.inputs)
        _, likeness, _ = ears.hear(s.voice[RATE : 6 * RATE], heard[max(0, n * lap - RATE) : (n + 1) * lap + RATE])
        tap.more(likeness, 0.6, f"likeness of the voice read from {name}")


@tap.check("`--output -` writes a WAV to standard output, and nothing else")
def _(s):
    argv = [process.program("salotto"), "listen", s.daemon.link(), "--output", "-", "--seconds", "2", "--handle", "gerda"]
    argv += ["--identity", f"{process.folder()}/key"]
    out = f"{process.folder()}/out.wav"
    with open(out, "wb") as f:
        c = process.Child(argv, "listen gerda", stdout=f)
        tap.equal(c.wait(), 0, f"exit code ({c.err()})")
    code, _, err = ffmpeg("-i", out, "-f", "null", "-")
    tap.equal(code, 0, "exit code of ffmpeg")
    with open(out, "rb") as f:
        tap.equal(f.read(4), b"RIFF", "the first bytes")
    tap.near((os.path.getsize(out) - 44) / 2 / RATE, 2, 0.1, "s of sound")


@tap.check("`--input -` speaks what comes by standard input")
def _(s):
    listener = client.listen(s.daemon.link(), "hugo", "--tier", "standard").joined()
    argv = [process.program("salotto"), "speak", s.daemon.invite("speaker"), "--input", "-", "--handle", "ida"]
    argv += ["--identity", f"{process.folder()}/key"]
    with open(s.inputs["wav"], "rb") as f:
        speaker = process.Child(argv, "speak ida", stdin=f)
        time.sleep(10)
        speaker.signal(2)
        speaker.wait()
    listener.leave()
    _, likeness, _ = ears.hear(s.voice[RATE : 6 * RATE], listener.wav())
    tap.more(likeness, 0.6, "likeness of the voice")


tap.main(setup)
