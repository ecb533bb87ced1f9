"""WAV files, and speech laid out on a time line. Sound is a numpy array of floats, mono, 48 kHz."""
import os
import wave

import numpy as np

from . import process

RATE = 48000


def read(path):
    with wave.open(path, "rb") as f:
        if (f.getframerate(), f.getsampwidth()) != (RATE, 2):
            raise RuntimeError(f"{path} is not 48 kHz, 16 bit")
        pcm = np.frombuffer(f.readframes(f.getnframes()), dtype="<i2").astype(float) / 32768
        return pcm.reshape(-1, f.getnchannels()).mean(axis=1)


def write(path, pcm):
    pcm = np.asarray(pcm)
    if len(pcm) and np.abs(pcm).max() >= 1:
        raise RuntimeError(f"{path} would clip")
    with wave.open(path, "wb") as f:
        f.setparams((1, 2, RATE, 0, "NONE", None))
        f.writeframes(np.round(pcm * 32767).astype("<i2").tobytes())
    return path


def keep(pcm, name="voice"):
    """As a file in a folder of this test."""
    return write(os.path.join(process.folder(), f"{name}.wav"), pcm)


def voice(language):
    """40 s of recorded speech, -23 dBFS while speaking."""
    return read(os.path.join(process.SPEECH, f"{language}.wav"))


def babble(language, seconds, voices=6):
    """One person's speech over itself, so that there is never a pause in it; -23 dBFS."""
    source = voice(language)
    total = sum(np.roll(source, k * len(source) // voices) for k in range(voices))
    total = np.resize(total, int(seconds * RATE))
    return total * 10 ** (-23 / 20) / np.sqrt((total**2).mean())


def noise(seconds, dbfs, seed=1):
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE)) * 10 ** (dbfs / 20)


def silence(seconds):
    return np.zeros(int(seconds * RATE))


def turns(source, spans, seconds):
    """`seconds` of silence in which `source` speaks from a to b for each (a, b) of spans, one piece after the other."""
    out = silence(seconds)
    taken = 0
    for a, b in spans:
        n = int((b - a) * RATE)
        piece = source[taken : taken + n].copy()
        ramp = np.linspace(0, 1, 480)
        piece[:480] *= ramp
        piece[-480:] *= ramp[::-1]
        out[int(a * RATE) : int(a * RATE) + n] = piece
        taken += n
    return out


def db(ratio):
    return 20 * np.log10(max(float(ratio), 1e-10))


def rms_db(pcm):
    return db(np.sqrt(np.mean(np.square(pcm)))) if len(pcm) else -200.0


def loudest_db(pcm, window=240):
    """RMS of the loudest window (5 ms unless told otherwise), in dBFS."""
    pcm = np.asarray(pcm)
    n = len(pcm) // window
    if n == 0:
        return rms_db(pcm)
    return db(np.sqrt((pcm[: n * window].reshape(n, window) ** 2).mean(axis=1).max()))


def quietest_db(pcm, window=960):
    pcm = np.asarray(pcm)
    n = len(pcm) // window
    return db(np.sqrt((pcm[: n * window].reshape(n, window) ** 2).mean(axis=1).min()))
