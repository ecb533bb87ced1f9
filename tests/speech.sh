#!/bin/sh
# Recorded speech for the tests, from Debian's asterisk-core-sounds packages: three people (English, French, Spanish),
# 40 s each, as 48 kHz mono WAV, levelled so that the RMS over the frames with speech in them is -23 dBFS.
# usage: tests/speech.sh FOLDER      makes FOLDER/{en,fr,es}.wav, and FOLDER/done last
set -eu

folder=${1:?usage: tests/speech.sh FOLDER}
sounds=/usr/share/asterisk/sounds
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for language in en fr es; do
    for name in demo-instruct demo-echotest; do
        set -- "$sounds/$language"_*/"$name.g722"
        if [ ! -f "$1" ]; then
            echo "speech.sh: $1 is missing: install asterisk-core-sounds-$language-g722 (make deps)" >&2
            exit 1
        fi
        # G.722 at 64 kbit/s: 8000 bytes are a second
        cat "$1" >>"$work/$language.g722"
    done
    head -c 320000 "$work/$language.g722" >"$work/cut.g722"
    ffmpeg -nostdin -v error -y -f g722 -i "$work/cut.g722" -ar 48000 -ac 1 -f s16le "$work/$language.raw"
done

/usr/bin/python3 - "$work" "$folder" <<'PYTHON'
import sys, wave
import numpy as np

work, folder = sys.argv[1:]
for language in ("en", "fr", "es"):
    pcm = np.fromfile(f"{work}/{language}.raw", dtype="<i2")[: 40 * 48000].astype(float) / 32768
    if len(pcm) < 39 * 48000:
        sys.exit(f"speech.sh: only {len(pcm) / 48000:.1f} s of {language} were decoded")
    frames = pcm[: len(pcm) // 960 * 960].reshape(-1, 960)
    power = (frames**2).mean(axis=1)
    active = power[power > power.max() * 1e-3]  # within 30 dB of the loudest frame
    pcm *= 10 ** (-23 / 20) / np.sqrt(active.mean())
    if np.abs(pcm).max() >= 1:
        sys.exit(f"speech.sh: {language} clips at this level")
    with wave.open(f"{folder}/{language}.wav", "wb") as out:
        out.setparams((1, 2, 48000, 0, "NONE", None))
        out.writeframes(np.round(pcm * 32767).astype("<i2").tobytes())
PYTHON
touch "$folder/done"
