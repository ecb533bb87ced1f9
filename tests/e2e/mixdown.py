#!/usr/bin/python3
"""The mixer runs without network, thread or clock: sound files in, what a listener hears out, faster than real time."""
import os
import re
import subprocess
import time

import numpy as np

from harness import process, sound, tap

MIXDOWN = os.path.join(process.BUILD, "tests", "lab", "mixdown")


class Scene:
    pass


def mixdown(*argv, env=None):
    return subprocess.run(
        [MIXDOWN, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, env=env
    )


def tone(hz, seconds, dbfs):
    t = np.arange(int(seconds * sound.RATE)) / sound.RATE
    return np.sin(2 * np.pi * hz * t) * 10 ** (dbfs / 20) * np.sqrt(2)


def level_db(pcm, hz):
    """Of a tone in pcm, dBFS RMS."""
    t = np.arange(len(pcm)) / sound.RATE
    return sound.db(np.abs(np.mean(pcm * np.exp(-2j * np.pi * hz * t))) * np.sqrt(2))


def setup():
    s = Scene()
    s.folder = process.folder()
    s.out = os.path.join(s.folder, "mix.wav")
    s.anna = sound.keep(tone(440, 6, -20), "anna")
    s.bruno = sound.keep(tone(1000, 4, -20), "bruno")
    return s


@tap.check("two files become one mix: each voice from its time on, at its fader's level, silence after them")
def _(s):
    began = time.monotonic()
    done = mixdown("--output", s.out, "--seconds", "12", s.anna, f"{s.bruno}@2:-6")
    took = time.monotonic() - began
    tap.equal((done.returncode, done.stderr), (0, ""), "exit code and errors")
    mix = sound.read(s.out)
    tap.equal(len(mix), 12 * sound.RATE, "samples")
    tap.diag(done.stdout)
    tap.less(took, 12, "s for 12 s of sound")
    tap.near(level_db(mix[1 * sound.RATE : 2 * sound.RATE], 440), -20, 1, "dBFS of anna alone")
    tap.less(level_db(mix[1 * sound.RATE : 2 * sound.RATE], 1000), -60, "dBFS of bruno before his time")
    tap.near(level_db(mix[3 * sound.RATE : 5 * sound.RATE], 440), -20, 1, "dBFS of anna with bruno")
    tap.near(level_db(mix[3 * sound.RATE : 5 * sound.RATE], 1000), -26, 1, "dBFS of bruno, his fader at -6")
    tap.less(sound.loudest_db(mix[10 * sound.RATE :]), -90, "dBFS in the parked room")


@tap.check("a bad network is heard through: loss is repaired from FEC, the rest concealed")
def _(s):
    trace = os.path.join(s.folder, "loss.txt")
    with open(trace, "w", encoding="utf-8") as f:
        f.write("# each tenth packet is lost\n")
        for n in range(300):
            f.write(f"{n} {n * 20} {'lost' if n % 10 == 7 else n * 20 + 40}\n")
    done = mixdown("--trace", trace, "--output", s.out, os.path.join(process.SPEECH, "en.wav"), "--seconds", "6")
    tap.equal(done.returncode, 0, "exit code")
    row = [line.split() for line in done.stdout.splitlines() if line.endswith("en.wav")][0]
    lost, received, recovered = int(row[1]), int(row[2]), int(row[4])
    tap.diag(done.stdout)
    tap.more(lost, 20, "packets lost by the trace")
    tap.more(recovered, lost * 0.7, "of them recovered")
    tap.more(received, 200, "packets received")


@tap.check("its ticks neither allocate, wait nor do I/O")
def _(s):
    if re.search("asan|tsan", process.BUILD):
        tap.skip("a sanitizer allocates on its own")
    env = dict(os.environ, LD_PRELOAD=os.path.join(process.BUILD, "tests", "rt_trap.so"))
    done = mixdown("--tier", "low", s.anna, f"{s.bruno}@12", env=env)
    tap.equal((done.returncode, done.stderr), (0, ""), "exit code and errors")


@tap.check("mistakes are named, with what mends them")
def _(s):
    broken = os.path.join(s.folder, "broken.txt")
    with open(broken, "w", encoding="utf-8") as f:
        f.write("0 0 40\n2 40 80\n")
    for argv, code, words in [
        ([], 2, "nobody speaks"),
        (["--help-me"], 2, "no option --help-me"),
        (["--seconds", "soon", s.anna], 2, "'soon'"),
        (["--tier", "music", s.anna], 2, "no tier 'music'"),
        ([f"{s.anna}:loud"], 2, "':loud' has no number"),
        (["--trace", broken, s.anna], 2, "broken.txt:2: the packet's number"),
        (["--trace", "nowhere.txt", s.anna], 7, "nowhere.txt"),
        (["nobody.wav"], 7, "nobody.wav"),
        ([broken], 7, "broken.txt"),
        (["--output", "/nowhere/mix.wav", s.anna], 7, "/nowhere/mix.wav"),
    ]:
        done = mixdown(*argv)
        tap.equal(done.returncode, code, f"exit code of mixdown {' '.join(argv)}")
        tap.true(words in done.stderr, f"'{words}' stands in: {done.stderr}")
        tap.equal(done.stdout, "", "standard output")


@tap.check("--help teaches")
def _(s):
    done = mixdown("--help")
    tap.equal(done.returncode, 0, "exit code")
    for word in ["--output", "--tier", "--seconds", "--trace", "examples:"]:
        tap.true(word in done.stdout, f"{word} is explained")


tap.main(setup)
