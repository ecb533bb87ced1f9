"""Is this voice in that recording: when, how loud, and how surely?

Listening is done between 200 and 3400 Hz, where codecs keep the waveform, at 8 kHz, and with 6 dB an octave of emphasis,
so that the fundamental does not outweigh all else. A voice's level is taken from the best linear filter (least squares,
a few ms long) that makes it into the recording: codecs bend the waveform a little, and the noise that they add is not
counted. A machine under load loses packets and shifts what follows, so longer passages are looked at second by second.
"""
import numpy as np

from .sound import RATE, db, rms_db

_RATE = 8000
_STEP = RATE // _RATE
_TAPS = 32  # 4 ms


def _fast(n):
    """The next length from n on that is quick to transform, and a multiple of _STEP."""
    return min(f << (-(-n // f) - 1).bit_length() for f in (6, 18, 30, 90))


def _weighted(pcm, size):
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    return np.fft.rfft(pcm, size) * np.where((frequency > 200) & (frequency < 3400), frequency / 1000, 0)


def _weighted_at_full_rate(pcm):
    size = _fast(len(pcm))
    return np.fft.irfft(_weighted(pcm, size), size)[: len(pcm)]


def band(pcm):
    """The part that is listened to, at 8 kHz."""
    size = _fast(len(pcm))
    kept = _weighted(pcm, size)[: size // _STEP // 2 + 1]
    return np.fft.irfft(kept, size // _STEP)[: len(pcm) // _STEP] / _STEP


def _correlate(x, y):
    """r[d] = Σ y[n + d] x[n] for d in 0 .. len(y) - len(x)."""
    size = 1 << (len(x) + len(y)).bit_length()
    r = np.fft.irfft(np.fft.rfft(y, size) * np.conj(np.fft.rfft(x, size)), size)
    return r[: len(y) - len(x) + 1]


def _energies(y, n):
    total = np.concatenate(([0], np.cumsum(y * y)))
    return total[n:] - total[:-n]


def locate(piece, recording):
    """Where the piece of a voice lies in the recording, and how alike they are there (0..1): (sample, likeness)."""
    x, y = band(piece), band(recording)
    if len(y) < len(x):
        raise RuntimeError("the recording is shorter than what is looked for in it")
    energy = np.sqrt(np.maximum(_energies(y, len(x)), 1e-9) * (x @ x))
    coarse = int(np.argmax(_correlate(x, y) / energy)) * _STEP
    # To the sample: the same, around there, at the full rate.
    first = max(0, coarse - _STEP)
    last = min(len(recording) - len(piece), coarse + _STEP)
    x = _weighted_at_full_rate(piece)
    around = recording[first : last + len(piece)]
    y = _weighted_at_full_rate(around)
    found = [x @ y[d : d + len(x)] / np.sqrt((x @ x) * max(y[d : d + len(x)] @ y[d : d + len(x)], 1e-9))
             for d in range(last - first + 1)]
    best = int(np.argmax(found))
    return first + best, float(found[best])


def hear(passage, recording):
    """A passage of several seconds, found and then listened to second by second where there is speech in it. Where it
    lies, and the medians of likeness and of level in decibels relative to the passage: (sample, likeness, level)."""
    at, _ = locate(passage, recording)
    likenesses, levels = [], []
    slack = RATE // 4
    for start in range(0, len(passage) - RATE + 1, RATE):
        piece = passage[start : start + RATE]
        first = max(0, at + start - slack)
        around = recording[first : at + start + RATE + slack]
        if rms_db(piece) < -35 or len(around) < RATE:
            continue
        d, alike = locate(piece, around)
        likenesses.append(alike)
        levels.append(level_db([piece], around[d : d + RATE])[0])
    return at, float(np.median(likenesses)), float(np.median(levels))


def align(voice, recording, start, samples, shift, slack=RATE // 2):
    """The piece of the voice that is heard in recording[start : start + samples], and how it lies: recording[n] is
    voice[n - shift]. `shift` is known to within `slack`."""
    a = start - shift
    at, _ = locate(voice[a : a + samples], recording[start - slack : start + samples + slack])
    fine = at - slack
    return voice[a - fine : a - fine + samples], shift + fine


def likeness(voice, recording):
    """How alike the whole recording is to the piece of the voice that fits it best: near 0 when the voice is not in it,
    whatever it says."""
    y = band(recording)
    x = np.concatenate((np.zeros(len(y)), band(voice), np.zeros(len(y))))
    energy = np.sqrt(np.maximum(_energies(x, len(y)), (y @ y) * 1e-2) * (y @ y))
    return float((_correlate(y, x) / energy).max())


def _fit(recording, sources):
    """Least squares: the filters that make the sources [(signal, taps)] into the recording, all as long as it.
    The delayed copies of a signal are taken around the end, so that all their products are a few correlations, which
    FFTs make a hundred times faster than the matrix of the copies would be."""
    n = len(recording)
    spectra = [np.fft.rfft(signal) for signal, _ in sources]
    delays = [np.arange(taps) - taps // 2 for _, taps in sources]
    target = np.fft.rfft(recording)
    gram = np.block(
        [
            [
                np.fft.irfft(np.conj(spectra[s]) * spectra[t], n)[(delays[s][:, None] - delays[t][None, :]) % n]
                for t in range(len(sources))
            ]
            for s in range(len(sources))
        ]
    )
    wanted = np.concatenate([np.fft.irfft(np.conj(f) * target, n)[d % n] for f, d in zip(spectra, delays)])
    gram[np.diag_indices_from(gram)] += 1e-6 * gram.diagonal().mean() + 1e-12
    weights = np.linalg.solve(gram, wanted)
    filters = np.split(weights, np.cumsum([taps for _, taps in sources])[:-1])
    return filters, recording - sum(_apply(signal, f) for (signal, _), f in zip(sources, filters))


def _apply(signal, taps):
    impulse = np.zeros(len(signal))
    impulse[(np.arange(len(taps)) - len(taps) // 2) % len(signal)] = taps
    return np.fft.irfft(np.fft.rfft(signal) * np.fft.rfft(impulse), len(signal))


def level_db(pieces, recording):
    """How loud each of the aligned pieces is in the recording, relative to the piece itself."""
    sources = [(band(p), _TAPS) for p in pieces]
    filters, _ = _fit(band(recording), sources)
    return [
        db(np.sqrt(np.mean(_apply(x, f) ** 2) / np.mean(x * x))) for (x, _), f in zip(sources, filters)
    ]


def leak(own, others, heard, own_recording):
    """How much (1: all of it) of a voice as a listener heard it (`own` in `heard`) is in its speaker's recording, while
    `others` speak too; all aligned."""
    y = band(heard)
    x = band(own)
    rest = [(band(o), _TAPS) for o in others]
    filters, _ = _fit(y, [(x, _TAPS)] + rest)
    as_heard = _apply(x, filters[0])
    amounts, _ = _fit(band(own_recording), [(as_heard, 1)] + rest)
    return float(amounts[0][0])
