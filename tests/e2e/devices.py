#!/usr/bin/python3
"""Sound devices are real: PulseAudio's null sinks stand for a loudspeaker and a microphone, PortAudio reaches them
through ALSA. What `salotto listen` plays is recorded from the monitor, and `salotto speak` captures from one."""
import glob
import json
import os
import time

import numpy as np
from harness import client, ears, process, sound, tap
from harness.daemon import Daemon
from harness.sound import RATE

ALSA = """
pcm.!default { type pulse }
ctl.!default { type pulse }
"""
SINKS = ("ear", "mouth")


class Scene:
    pass


class Pulse:
    """A PulseAudio daemon of one's own with two null sinks: `ear` to play to, `mouth` whose monitor is the microphone."""

    def __init__(self):
        self.folder = process.folder()
        config = os.path.join(self.folder, "asound.conf")
        with open("/usr/share/alsa/alsa.conf") as f:
            text = f.read()
        with open(config, "w") as f:
            f.write(text + ALSA)
        socket = os.path.join(self.folder, "s")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PULSE", "XDG", "DBUS", "ALSA"))}
        self.env.update(HOME=self.folder, XDG_RUNTIME_DIR=self.folder, PULSE_RUNTIME_PATH=self.folder, TMPDIR=self.folder)
        argv = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-target=stderr"]
        for name in SINKS:
            argv += ["-L", f"module-null-sink sink_name={name} rate=48000 channels=1"]
        argv += ["-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
        self.child = process.Child(argv, "pulseaudio", env=self.env)
        process.wait_until(lambda: os.path.exists(socket), "PulseAudio's socket")
        self.env.update(
            PULSE_SERVER=f"unix:{socket}", PULSE_SINK="ear", PULSE_SOURCE="mouth.monitor", ALSA_CONFIG_PATH=config
        )

    def record(self):
        """Records what is played to `ear`; stop() gives it."""
        path = os.path.join(self.folder, f"record-{time.monotonic_ns()}.raw")
        child = process.Child(
            ["parec", "--device=ear.monitor", "--format=s16le", "--rate=48000", "--channels=1", path],
            "parec",
            env=self.env,
        )

        def stop():
            child.signal(2)
            child.wait()
            return np.fromfile(path, dtype="<i2").astype(float) / 32768

        process.wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 0, "the first recorded samples")
        return stop

    def play(self, path):
        """Plays a file into the microphone."""
        return process.Child(["paplay", "--device=mouth", path], "paplay", env=self.env)


def setup():
    s = Scene()
    s.pulse = Pulse()
    s.daemon = Daemon()
    s.link = s.daemon.room()
    return s


@tap.check("`salotto devices` lists the devices, and nothing of ALSA's or JACK's chatter")
def _(s):
    code, out, err = process.run([process.program("salotto"), "devices"], env=s.pulse.env)
    tap.equal(code, 0, "exit code")
    tap.true("default" in out, f"`default` is listed: {out!r}")
    for word in ("ALSA lib", "jack server", "JackShm", "Cannot connect"):
        tap.true(word not in out + err, f"no {word!r}")


@tap.check("a shell is offered the devices for --device, and nothing of the chatter either")
def _(s):
    argv = [process.program("salotto"), "--complete", "listen", "x", "--device"]
    for begin in ("", "pul"):
        # It says nothing after two seconds, which a busy machine may take.
        code, out, err = process.wait_until(
            lambda: next((r for r in [process.run([*argv, begin], env=s.pulse.env)] if r[1]), None), "devices"
        )
        tap.equal((code, err), (0, ""), "exit code and standard error")
        names = [line.split("\t")[0] for line in out.splitlines()]
        tap.true("pulse" in names and all(n.startswith(begin) for n in names), f"offered for {begin!r}: {names}")


@tap.check("what `salotto listen` plays is what was said")
def _(s):
    voice = sound.voice("en")[: 12 * RATE]
    anna = client.speak(s.daemon.invite("speaker"), "anna", sound.keep(voice, "anna"), "--loop").joined()
    dora = client.listen(s.link, "dora", "--tier", "standard", output=None, env=s.pulse.env).joined()
    s.daemon.wait_in_mix("anna")
    time.sleep(1)
    for _ in range(3):  # again when a busy machine has torn holes into it
        stop = s.pulse.record()
        time.sleep(16)
        heard = stop()
        tap.true(dora.child.is_running(), f"dora still listens {dora.err()}")
        tap.true(len(heard) > 14 * RATE, f"{len(heard) / RATE:.1f} s were recorded")
        # 12 s are repeated and 16 recorded, so either the first 6 or the last 6 are there whole.
        halves = (ears.hear(voice[a * RATE : (a + 6) * RATE], heard) for a in (0, 6))
        _, likeness, level = max(halves, key=lambda h: h[1])
        if likeness > 0.6 and abs(level) < 3:
            break
    tap.more(likeness, 0.6, "likeness of the voice to what came out of the loudspeaker")
    tap.near(level, 0, 3, "dB: the voice out of the loudspeaker")
    tap.true("ALSA lib" not in dora.err(), "no chatter of ALSA's")
    dora.leave()
    anna.leave()


def speak_once(s, voice):
    """What a listener hears of a voice that is played into bruno's microphone."""
    emil = client.listen(s.link, "emil", "--tier", "standard").joined()
    bruno = client.Client(
        "speak", s.daemon.invite("speaker"), "bruno", output=None, env=s.pulse.env
    ).joined()
    time.sleep(1)
    tap.true(bruno.child.is_running(), f"bruno speaks {bruno.err()}")
    s.pulse.play(sound.keep(voice, "bruno")).wait()
    time.sleep(1)
    bruno.leave()
    emil.leave()
    return emil.wav()


@tap.check("`salotto speak` without --input captures the microphone")
def _(s):
    voice = sound.voice("fr")[: 10 * RATE]
    # PulseAudio and the client are both without real-time priority here: a busy machine tears holes into what they pass
    # on. So each piece is looked for by itself, and the play is repeated when most have a hole.
    for _ in range(4):
        heard = speak_once(s, voice)
        pieces = [voice[a : a + 3 * RATE // 2] for a in range(0, 9 * RATE, 3 * RATE // 2)]
        likeness = np.median([ears.locate(p, heard)[1] for p in pieces if sound.rms_db(p) > -35])
        if likeness > 0.6:
            break
        tap.diag(f"once more: likeness {likeness:.2f}, {sound.rms_db(heard):.1f} dBFS, {len(heard) / RATE:.1f} s")
    tap.more(likeness, 0.6, "likeness of the voice to what the listener heard")


@tap.check("`salotto test` records, sends, measures and plays back")
def _(s):
    voice = sound.voice("en")[RATE : 13 * RATE]
    mouth = s.pulse.play(sound.keep(voice, "said"))
    stop = s.pulse.record()
    folder = process.folder()
    argv = [process.program("salotto"), "test", s.link, "--json", "--identity", f"{folder}/key"]
    code, out, err = process.run(argv, env=s.pulse.env)
    heard = stop()
    tap.equal(code, 0, f"exit code {err}")
    found = json.loads(out)
    tap.true(found["came_back"] and found["delay_ms"] is not None, f"it came back, and is recognised: {found}")
    tap.more(found["said"]["speaking_s"], 2, "s of speech were recorded")
    # What was played is five seconds of what was said, whichever they were.
    likeness = max(ears.hear(voice[a : a + 3 * RATE], heard)[1] for a in range(0, 9 * RATE, RATE))
    tap.more(likeness, 0.6, "likeness of what was played to what was said")
    mouth.wait()


@tap.check("without a sound device `salotto listen` says so and names --output")
def _(s):
    if glob.glob("/dev/snd/pcm*"):
        tap.skip("this machine has one")
    env = {k: v for k, v in s.pulse.env.items() if not k.startswith(("PULSE", "ALSA"))}
    c = client.listen(s.link, "fritz", output=None, env=env)
    tap.equal(c.wait(), 7, "exit code")
    tap.true("--output" in c.err(), f"it names --output: {c.err()!r}")
    tap.true("ALSA lib" not in c.err(), "no chatter of ALSA's")


@tap.check("a device that is not there is named, with those that are")
def _(s):
    c = client.listen(s.link, "fritz", "--device", "gramophone", output=None, env=s.pulse.env)
    tap.equal(c.wait(), 7, "exit code")
    tap.true("gramophone" in c.err(), f"it names the device: {c.err()!r}")


@tap.check("a sound system that hangs is given up, and named; exit code 7")
def _(s):
    path = f"{process.folder()}/fifo"  # ALSA waits for somebody to write its configuration into it
    os.mkfifo(path)
    code, out, err = process.run([process.program("salotto"), "devices"], env=dict(s.pulse.env, ALSA_CONFIG_PATH=path))
    tap.equal(code, 7, f"exit code ({err.strip()})")
    tap.true("the sound system does not answer" in err, f"it says so: {err!r}")


tap.main(setup)
