#!/usr/bin/python3
"""The daemon's life: what it starts, when it ends it, and what it says meanwhile."""
import os
import re
import stat
import time

from harness import client, ears, process, sound, tap
from harness.daemon import Daemon
from harness.sound import RATE


class Scene:
    pass


def config(text):
    path = f"{process.folder()}/salottod.conf"
    with open(path, "w") as f:
        f.write(text)
    return path


def setup():
    s = Scene()
    s.daemon = Daemon("--config", config("port = 1\ngrace_s = 1\npublic_host = talk.example\n"))
    return s


@tap.check("a flag goes before the file, the file before the default")
def _(s):
    tap.true(s.daemon.port != 1, "--port 0 went before port = 1")
    s.daemon.ctl("room", "create", "piazza")
    tap.true(s.daemon.ctl("link", "piazza").startswith("salotto://talk.example:"), "public_host of the file is in links")


@tap.check("the state folder holds database, key and socket, for their owner alone")
def _(s):
    def mode(name):
        return oct(stat.S_IMODE(os.stat(f"{s.daemon.state}/{name}").st_mode))

    tap.equal((mode("server.key"), mode("control.sock")), ("0o600", "0o660"), "modes of key and socket")
    tap.true(mode("salotto.db") in ("0o600", "0o640"), f"mode of the database: {mode('salotto.db')}")


@tap.check("its threads carry names")
def _(s):
    threads = s.daemon.threads()
    for name in ("udp-in", "net", "storage", "outlet-0"):
        tap.true(name in threads, f"{name} is among {sorted(threads)}")


@tap.check("a room's thread starts when the first comes, and ends when the last has left and the grace is over")
def _(s):
    tap.true("room:piazza" not in s.daemon.threads(), "no thread for an empty room")
    c = client.listen(s.daemon.link(), "dora").joined()
    tap.true("room:piazza" in s.daemon.threads(), "the thread is there")
    c.leave()
    process.wait_until(lambda: "room:piazza" not in s.daemon.threads(), "the thread to end")
    client.listen(s.daemon.link(), "dora", identity=c.identity).joined().leave()


@tap.check("several rooms at once do not hear each other")
def _(s):
    voices, listeners, speakers = {}, {}, []
    for room, language in (("corte", "en"), ("loggia", "fr")):
        s.daemon.room(room)
        voices[room] = sound.voice(language)[: 6 * RATE]
        listeners[room] = client.listen(s.daemon.link(room), f"ear-{room}", "--tier", "standard").joined()
        path = sound.keep(voices[room], room)
        speakers.append(client.speak(s.daemon.invite("speaker", room=room), f"voice-{room}", path, "--loop").joined())
    tap.true({"room:corte", "room:loggia"} <= set(s.daemon.threads()), "each has a thread")
    for room in voices:
        s.daemon.wait_in_mix(f"voice-{room}", room)
    time.sleep(8)
    for c in (*speakers, *listeners.values()):
        c.leave()
    for room, other in (("corte", "loggia"), ("loggia", "corte")):
        heard = listeners[room].wav()
        _, likeness, _ = ears.hear(voices[room], heard)
        tap.more(likeness, 0.6, f"likeness of {room}'s voice in {room}")
        tap.less(ears.likeness(voices[other], heard[2 * RATE :]), 0.2, f"likeness of {other}'s voice in {room}")


@tap.check("`--seconds` counts to the tenth of a second")
def _(s):
    c = client.listen(s.daemon.link(), "emil", "--seconds", "3")
    tap.equal(c.wait(), 0, "exit code")
    tap.near(len(c.wav()) / RATE, 3, 0.1, "s of recording")


@tap.check("SIGTERM stops it within a second, everyone having been told")
def _(s):
    path = sound.keep(sound.babble("es", 10), "voice")
    speaker = s.speaker = client.speak(s.daemon.invite("speaker"), "anna", path, "--loop").joined()
    s.link = s.daemon.link()
    listener = client.listen(s.daemon.link(), "fritz").joined()
    s.daemon.wait_in_mix("anna")
    began = time.monotonic()
    tap.equal(s.daemon.stop(), 0, "exit code")
    tap.less(time.monotonic() - began, 1, "s to stop")
    for c in (speaker, listener):
        tap.equal(c.event("sent_away")["reason"], "stopping", f"what {c.handle} was told")
        tap.equal(c.wait(), 5, f"exit code of {c.handle}'s program")


@tap.check("its log is for the journal: a priority on each line, and key=value fields")
def _(s):
    lines = s.daemon.child.err().splitlines()
    tap.true(len(lines) >= 5, f"{len(lines)} lines")
    for line in lines:
        tap.true(re.match(r"<[0-7]>\w", line), f"a priority, then text: {line!r}")
    tap.true(any("room=corte" in line for line in lines), "rooms are named as room=NAME")


@tap.check("no token, key or address gets into the log")
def _(s):
    log = s.daemon.child.err()
    tap.true("token" not in log and "127.0.0.1" not in log, "neither tokens nor addresses")
    with open(f"{s.daemon.state}/server.key", "rb") as f:
        key = f.read()
    tap.true(key.hex() not in log, "not the server's key")


@tap.check("started again, it is the same server with the same rooms and people")
def _(s):
    s.daemon.start()
    tap.equal(s.daemon.link(), s.link, "the link")
    rooms = {r["room"] for r in s.daemon.ctl.json("room", "list")}
    tap.equal(rooms, {"piazza", "corte", "loggia"}, "rooms")
    c = client.listen(s.daemon.link(), "anna", identity=s.speaker.identity).joined()
    tap.equal(s.daemon.who()["anna"]["role"], "speaker", "anna's role")
    c.leave()


@tap.check("it ends at SIGINT as well")
def _(s):
    s.daemon.child.signal(2)
    tap.equal(s.daemon.child.wait(), 0, "exit code")


tap.main(setup)
