#!/usr/bin/python3
"""`make run` as a newcomer types it in a terminal, until `salotto listen` has heard the room; then Ctrl-C."""
import os
import re
import signal
import socket

from harness import process, sound, tap
from harness.terminal import Terminal


class Scene:
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("", 0))
        return s.getsockname()[1]


def ours(state):
    """Processes whose command line or environment names this state folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            with open(f"/proc/{pid}/environ", "rb") as f:
                environment = f.read()
        except OSError:
            continue
        if int(pid) != os.getpid() and (state.encode() in b" ".join(words) or b"STATE=" + state.encode() in environment):
            found.append(f"{pid} {b' '.join(words).decode('utf-8', 'replace')}")
    return found


def setup():
    s = Scene()
    s.state = f"{process.folder()}/state"
    s.argv = ["make", "run", f"STATE={s.state}", f"PORT={free_port()}", f"HTTP_PORT={free_port()}"]
    if process.BUILD != f"{process.REPO}/build":
        s.argv.append(f"BUILD={process.BUILD}")
    s.terminal = Terminal(s.argv)
    return s


@tap.check("make run opens a room and prints three lines to try: listen, see who is there, mute")
def _(s):
    s.terminal.wait_for(r"Ctrl-C ends all of it", patience=150)
    s.listen = re.search(r"listen: +(.*)", s.terminal.text).group(1)
    s.who = re.search(r"see who is there: +(.*)", s.terminal.text).group(1)
    s.mute = re.search(r"mute one: +(.*)", s.terminal.text).group(1)
    tap.diag(s.terminal.text)


def typed(line, more=""):
    home = process.folder()
    env = {**os.environ, **dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), home)}
    return process.run(["sh", "-c", f"{line} {more}"], patience=60, env=env)


@tap.check("the line to see who is there shows three speakers, after a while talking")
def _(s):
    def speaking():
        code, out, err = typed(s.who)
        tap.equal(code, 0, f"exit code ({err})")
        return all(name in out for name in ("anna", "bruno", "carla")) and out

    out = process.wait_until(speaking, "the three speakers in `who`", pause=0.5)
    tap.diag(out)


@tap.check("the line to listen plays the room")
def _(s):
    path = f"{process.folder()}/heard.wav"
    code, out, err = typed(s.listen, f"--output {path} --seconds 8 --handle newcomer")
    tap.equal(code, 0, f"exit code ({err})")
    heard = sound.read(path)
    tap.near(len(heard) / sound.RATE, 8, 0.5, "s were recorded")
    tap.more(sound.loudest_db(heard, 4800), -40, "dBFS in the loudest 100 ms")


@tap.check("the line to mute mutes")
def _(s):
    code, out, err = typed(s.mute)
    tap.equal(code, 0, f"exit code ({err})")
    code, out, _ = typed(s.who)
    line = next(l for l in out.splitlines() if "bruno" in l)
    tap.true("mute" in line or "moderator" in line, f"bruno is shown muted: {line!r}")


@tap.check("a second make run beside it fails with a clear error")
def _(s):
    argv = [a for a in s.argv if not a.startswith("STATE=")] + [f"STATE={process.folder()}/other"]
    second = Terminal(argv)
    process.wait_until(second.ended, "the second make run to end", patience=60)
    tap.true(second.code != 0, "it fails")
    port = next(a for a in s.argv if a.startswith("PORT=")).split("=")[1]
    tap.true(port in second.text, f"it names the port:\n{second.text}")
    same = Terminal([a for a in s.argv if "PORT" not in a] + [f"PORT={free_port()}", f"HTTP_PORT={free_port()}"])
    process.wait_until(same.ended, "the make run on the same state to end", patience=60)
    tap.true(same.code != 0 and s.state in same.text, f"it names the state folder:\n{same.text}")
    tap.true(not s.terminal.ended(), "the first goes on")


@tap.check("Ctrl-C ends all of it: exit code 0, no process left")
def _(s):
    tap.true(ours(s.state), "there were processes")
    s.terminal.type(b"\x03")
    process.wait_until(s.terminal.ended, "make run to end")
    tap.equal(s.terminal.code, 0, f"exit code:\n{s.terminal.text[-500:]}")
    tap.true("Error" not in s.terminal.text and "Interrupt" not in s.terminal.text, "make has nothing to complain of")
    tap.equal(ours(s.state), [], "processes left")


@tap.check("killed outright, it leaves no process either")
def _(s):
    again = Terminal(s.argv)
    again.wait_for(r"Ctrl-C ends all of it", patience=60)
    os.kill(again.pid, signal.SIGKILL)
    os.close(again.fd)
    process.wait_until(again.ended, "make to end")
    process.wait_until(lambda: not ours(s.state), "its processes to end")


tap.main(setup)
