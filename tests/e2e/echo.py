#!/usr/bin/python3
"""`salotto test`: a person hears themself, from a room of their own that nobody else knows of."""
import glob
import json
import os
import time

import numpy as np
from harness import ears, process, relay, sound, tap
from harness.daemon import Daemon, at_host
from harness.peer import Denied, Identity, Peer
from harness.sound import RATE

ROOMS = 16
LIMIT_S = 60


class Scene:
    pass


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.link = s.daemon.room()
    s.voice = sound.voice("en")[RATE : 6 * RATE]
    s.path = sound.keep(s.voice, "voice")
    # Somebody who stays for as long as it lets them.
    s.loiterer = Peer(s.link)
    s.loiterer.echo()
    s.loiterer_came = time.monotonic()
    return s


def test(link, *options, env=None, identity=None):
    folder = process.folder()
    output = f"{folder}/heard.wav"
    argv = [process.program("salotto"), "test", link, "--identity", identity or f"{folder}/key"]
    argv += [] if "--output" in options else ["--output", output]
    code, out, err = process.run(argv + list(options), env=env)
    return code, out, err, output


@tap.check("what was said comes back whole, with its level, its loss and its delay")
def _(s):
    code, out, err, output = test(s.link, "--input", s.path, "--json")
    tap.equal(code, 0, f"exit code {err}")
    found = json.loads(out)
    tap.true(found["came_back"], f"it came back: {found}")
    tap.equal(found["way_there"]["lost"], 0, "packets lost on the way there")
    tap.equal(found["way_back"]["lost"], 0, "packets lost on the way back")
    tap.more(found["way_there"]["packets"], 200, "packets were said")
    tap.less(found["round_trip_ms"], 1000, "ms there and back")
    heard = sound.read(output)
    _, likeness, level = ears.hear(s.voice, heard)
    tap.more(likeness, 0.6, "likeness of what was said to what was heard")
    tap.near(level, 0, 3, "dB: the voice as it came back")
    # A jitter buffer moves on a busy machine, so each second of it may have a delay of its own.
    delays = [(ears.locate(s.voice[a : a + RATE], heard[a:])[0]) / RATE * 1000 for a in range(0, 5 * RATE, RATE)]
    tap.diag(f"delays by our own ears: {[round(d) for d in delays]} ms")
    tap.more(found["delay_ms"], min(delays) - 2, "ms of delay, by its own word")
    tap.less(found["delay_ms"], max(delays) + 2, "ms of delay, by its own word")
    tap.near(found["said"]["peak_dbfs"], sound.db(np.max(np.abs(s.voice))), 0.2, "dBFS peak of what was said")


@tap.check("it speaks to people in sentences, and in local time with its zone")
def _(s):
    env = {**os.environ, "TZ": "Europe/Rome"}
    code, out, err, _ = test(s.link, "--input", s.path, "--tier", "low", env=env)
    tap.equal(code, 0, f"exit code {err}")
    for word in (r"you said", r"you heard", r"none lost", r"round trip", r"mouth to ear", "All is well."):
        tap.true(word in out, f"{word!r} is in {out!r}")
    tap.true(" CET" in out or " CEST" in out, f"the zone is in {out!r}")
    tap.true("\033" not in out + err, "no colours in a pipe")


@tap.check("what the network loses is told, for each way")
def _(s):
    sound_types = {"up": (4,), "down": tuple(range(8, 16))}
    seen = {"up": 0, "down": 0}

    def loses(way, datagram):  # each tenth packet of speech, each fifth of a stream
        if datagram[0] not in sound_types[way]:
            return False
        seen[way] += 1
        return seen[way] % (10 if way == "up" else 5) == 3

    r = relay.Relay(s.daemon.port, loses=loses)
    code, out, err, _ = test(at_host(s.link, "127.0.0.1", r.port), "--input", s.path, "--json")
    r.close()
    tap.equal(code, 0, f"exit code {err}")
    found = json.loads(out)
    tap.near(found["way_there"]["lost_percent"], 10, 3, "% lost on the way there")
    tap.near(found["way_back"]["lost_percent"], 20, 3, "% lost on the way back")


@tap.check("nobody sees it: not in the room, not in the list of rooms, not in the log")
def _(s):
    ctl = s.daemon.ctl
    tap.equal(s.daemon.who(), {}, "who is in the room")
    tap.equal([r["room"] for r in ctl.json("room", "list")], ["piazza"], "rooms")
    code, _, err = ctl.try_("who", "echo")
    tap.equal(code, 3, f"`who echo` {err}")
    code, _, err = ctl.try_("room", "create", "echo")
    tap.equal(code, 2, f"`room create echo` {err}")
    tap.equal([e["act"] for e in ctl.json("log", "piazza")], ["room create"], "acts in the log")
    nosy = Peer(s.link)
    nosy.room = "echo"
    try:
        nosy.enter("nosy")
        tap.fail("somebody came into an echo room")
    except Denied as d:
        tap.equal(d.answer["code"], 3, "code of joining `echo`")
    nosy.close()


@tap.check("one key has one: a second test takes the place of the first")
def _(s):
    me = Identity()
    first, second = Peer(s.link, me), Peer(s.link, me)
    first.echo()
    second.echo()
    e = first.event("sent_away")
    tap.equal(e["reason"], "replaced", "reason")
    first.close()
    second.close()


@tap.check("there are sixteen at the most, and the next one is told so")
def _(s):
    peers = []
    try:
        while len(peers) < ROOMS + 1:
            p = Peer(s.link)
            peers.append(p)
            p.echo()
        tap.fail(f"{len(peers)} people test at once")
    except Denied as d:
        tap.equal(len(peers), ROOMS, "with the loiterer and the one who is refused")
        tap.equal(d.answer["code"], 4, "code")
        tap.true("minute" in d.answer["mend"], f"the mend {d.answer['mend']!r}")
    code, _, err, _ = test(s.link, "--input", s.path)
    tap.equal(code, 4, f"exit code of one more {err}")
    for p in peers:
        p.close()

    def free():
        p = Peer(s.link)
        try:
            p.echo()
            return True
        except Denied:
            return False
        finally:
            p.close()

    process.wait_until(free, "a place when they have left")


@tap.check("a room of one's own takes no commands of another's")
def _(s):
    p = Peer(s.link)
    a = p.echo()
    tap.equal(a["room"]["name"], "echo", "its name")
    tap.equal(a["you"]["role"], "speaker", "one's role in it")
    tap.equal(len(a["stage"]), 1, "people on its stage")
    for words in (["quiet", "echo", "on"], ["invite", "echo", "--role", "speaker"], ["kick", "echo", "you"]):
        try:
            p.request(do="command", argv=words)
            tap.fail(f"{words} was carried out")
        except Denied as d:
            tap.equal(d.answer["code"], 3, f"code of {words}")
    p.close()


@tap.check("silence and missing devices are named, with the way round them; exit code 7")
def _(s):
    silence = sound.keep(np.zeros(2 * RATE), "silence")
    code, _, err, _ = test(s.link, "--input", silence)
    tap.equal(code, 7, f"exit code {err}")
    tap.true("there is no sound in" in err, f"it says so: {err!r}")
    if glob.glob("/dev/snd/pcm*"):
        return
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PULSE", "ALSA", "XDG"))}
    env["HOME"] = process.folder()
    code, _, err, _ = test(s.link, env=env)
    tap.equal(code, 7, f"exit code {err}")
    tap.true("--input" in err, f"it names --input: {err!r}")


@tap.check("a server that is not there is unreachable; a link needs no room")
def _(s):
    code, _, err, _ = test(at_host(s.link, "127.0.0.1", 1), "--input", s.path)
    tap.equal(code, 5, f"exit code {err}")
    code, _, err, _ = test(s.link.replace("/piazza?", "/?"), "--input", s.path)
    tap.equal(code, 0, f"exit code {err}")


@tap.check("a minute is the most that it lasts")
def _(s):
    left = LIMIT_S - (time.monotonic() - s.loiterer_came)
    tap.true(s.loiterer.answer["ok"], "the loiterer was let in")
    process.wait_until(
        lambda: any(e["event"] == "sent_away" for e in s.loiterer.events), "the end", patience=max(left, 0) + 30
    )
    e = s.loiterer.event("sent_away")
    tap.equal(e["reason"], "ended", "reason")
    tap.more(time.monotonic() - s.loiterer_came, LIMIT_S - 1, "s after coming in")
    process.wait_until(lambda: "room:echo" not in s.daemon.threads(), "the room's thread to end")


tap.main(setup)
