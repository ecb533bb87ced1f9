#!/usr/bin/python3
"""`salotto` on a terminal: a plain status line, and keys to mute, to raise the hand, and to leave."""
import json

from harness import process, sound, tap
from harness.daemon import Daemon
from harness.terminal import Terminal


class Scene:
    pass


def start(s, verb, link, handle, *options):
    folder = process.folder()
    argv = [process.program("salotto"), verb, link, "--handle", handle, "--identity", f"{folder}/key"]
    return Terminal(argv + ["--output", f"{folder}/heard.wav", *options])


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.link = s.daemon.room(title="Open Friday")
    s.voice = sound.keep(sound.babble("en", 10), "voice")
    s.dora = start(s, "listen", s.link, "dora")
    s.anna = start(s, "speak", s.daemon.invite("speaker"), "anna", "--input", s.voice, "--loop")
    process.wait_until(lambda: {"dora", "anna"} <= set(s.daemon.who()), "both to be there")
    s.daemon.wait_in_mix("anna")
    return s


def until(s, handle, member, value):
    process.wait_until(lambda: s.daemon.who()[handle][member] == value, f"{handle} to be {member}={value}")


@tap.check("the status line names the room and who speaks")
def _(s):
    s.dora.wait_for("piazza")
    s.dora.wait_for("anna")


@tap.check("`h` raises the hand and lowers it")
def _(s):
    s.dora.type(b"h")
    until(s, "dora", "hand", True)
    s.dora.type(b"h")
    until(s, "dora", "hand", False)


@tap.check("`m` mutes oneself, and the room parks; `m` again unmutes")
def _(s):
    s.anna.type(b"m")
    until(s, "anna", "muted", True)
    tap.true(not s.daemon.who()["anna"]["muted_by_moderator"], "it is her own mute")
    process.wait_until(lambda: s.daemon.stats()["parked_now"], "the room to park")
    s.anna.type(b"m")
    until(s, "anna", "muted", False)
    process.wait_until(lambda: not s.daemon.stats()["parked_now"], "the room to wake")


@tap.check("a moderator's mute is not lifted by `m`")
def _(s):
    s.daemon.ctl("mute", "piazza", "anna")
    s.anna.wait_for("muted you")
    s.anna.type(b"m")
    s.anna.type(b"m")
    tap.true(s.daemon.who()["anna"]["muted_by_moderator"], "anna is muted by the moderator")
    process.wait_until(lambda: s.daemon.stats()["parked_now"], "the room to be parked")
    s.daemon.ctl("unmute", "piazza", "anna")


@tap.check("`q` leaves, with exit code 0 and the terminal as it was")
def _(s):
    for each, handle in ((s.dora, "dora"), (s.anna, "anna")):
        each.type(b"q")
        process.wait_until(each.ended, f"{handle} to leave")
        tap.equal(each.code, 0, "exit code")
        process.wait_until(lambda: handle not in s.daemon.who(), f"{handle} to have left the roster")
        tap.true("\x1b[?1049" not in each.text, "no full-screen tricks")


@tap.check("Ctrl-C leaves as well")
def _(s):
    emil = start(s, "listen", s.link, "emil")
    process.wait_until(lambda: "emil" in s.daemon.who(), "emil to be there")
    emil.type(b"\x03")
    process.wait_until(emil.ended, "emil to leave")
    process.wait_until(lambda: "emil" not in s.daemon.who(), "emil to have left the roster")


@tap.check("Ctrl-C at the question whether a server is trusted interrupts; exit code 11")
def _(s):
    home = process.folder()
    env = {"PATH": "/usr/bin:/bin", "HOME": home, "TERM": "xterm", "LANG": "C.UTF-8"}
    argv = [process.program("salotto"), "listen", s.link.split("?")[0], "--output", f"{home}/x.wav"]
    t = Terminal(argv, env)
    t.wait_for("yes/no")
    t.type(b"\x03")
    process.wait_until(t.ended, "the question to end")
    tap.equal(t.code, 11, f"exit code:\n{t.text}")


@tap.check("an unknown server is asked about, and remembered once it was trusted")
def _(s):
    plain = s.link.split("?")[0]
    home = process.folder()
    env = {"PATH": "/usr/bin:/bin", "HOME": home, "TERM": "xterm", "LANG": "C.UTF-8"}
    argv = [process.program("salotto"), "listen", plain, "--handle", "fritz", "--output", f"{home}/x.wav", "--seconds", "1"]
    first = Terminal(argv, env)
    first.wait_for("SHA256:")
    # The words that it shows are those by which whoever runs the server knows its key.
    spoken = first.wait_for(r"spoken: ((?:[bdflmrst][aiou][bdflmrst][aiou] ?){10})").group(1).strip()
    code, out, _ = process.run([process.program("salotto"), "id", s.link, "--json"])
    tap.equal((code, json.loads(out)["spoken"]), (0, spoken), "`salotto id LINK` of the operator's link")
    first.type(b"yes\n")
    process.wait_until(first.ended, "the stay to end")
    tap.equal(first.code, 0, f"exit code:\n{first.text}")
    second = Terminal(argv, env)
    process.wait_until(second.ended, "the second stay to end")
    tap.equal(second.code, 0, f"exit code:\n{second.text}")
    tap.true("SHA256:" not in second.text, "nothing is asked again")


tap.main(setup)
