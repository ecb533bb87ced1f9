#!/usr/bin/python3
"""Out of file descriptors: who is in stays undisturbed, the operator gets in, whoever finds no place is told, nothing
spins, and places that become free are taken again."""
import os
import re
import socket
import time

from harness import client, process, sound, tap
from harness.ctl import Ctl
from harness.daemon import Daemon

LIMIT = 128
OWN = 64  # kept for the daemon itself and the operator


def under(soft, hard):
    return ["prlimit", f"--nofile={soft}:{hard}"]


class Scene:
    def __init__(self):
        self.daemon = Daemon(under=under(LIMIT, LIMIT))
        self.daemon.room()
        path = sound.keep(sound.babble("en", 20), "anna")
        self.anna = client.speak(self.daemon.invite("speaker"), "anna", path, "--loop").joined()
        self.dora = client.listen(self.daemon.link(), "dora", "--tier", "standard").joined()
        self.daemon.wait_in_mix("anna")


def cpu_s(daemon):
    """Processor time of the threads that accept connections and hear of them."""
    total = 0
    for name, tid in daemon.threads().items():
        if name in ("net", "salottod"):
            with open(f"/proc/{daemon.pid}/task/{tid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def told(s):
    """What the log says of it, line by line."""
    return [l for l in s.daemon.child.err().splitlines() if "no more people can come in" in l]


def rests(s, what):
    """Looks at the daemon for two seconds in which it has nothing to accept."""
    began, used = time.monotonic(), cpu_s(s.daemon)
    time.sleep(2)
    tap.less((cpu_s(s.daemon) - used) / (time.monotonic() - began), 0.1, f"of a core, {what}")


@tap.check("beyond what the descriptors carry, people are turned away at once, and the log says what to raise")
def _(s):
    s.crowd = [socket.create_connection(("127.0.0.1", s.daemon.port), process.PATIENCE_S) for _ in range(LIMIT)]
    process.wait_until(lambda: told(s), "a line in the log")
    line = told(s)[0]
    tap.true(f"limit={LIMIT}" in line and "LimitNOFILE" in line and line.startswith("<4>"), f"what it says: {line}")
    tap.less(files(s.daemon.pid), LIMIT - 16, "descriptors in use")
    ended = client.listen(s.daemon.link(), "nina")
    tap.equal(ended.wait(), 5, f"exit code of who finds no place ({ended.err().strip()})")
    tap.true("may be full" in ended.err(), f"they are told: {ended.err()!r}")


@tap.check("the operator gets in when the house is full")
def _(s):
    tap.equal(set(s.daemon.who()), {"anna", "dora"}, "who is there")
    s.daemon.ctl("gain", "piazza", "anna", "-1")
    s.daemon.ctl("room", "create", "loggia")


@tap.check("meanwhile nothing spins, and the log is not flooded")
def _(s):
    rests(s, "with the house full")
    tap.equal(len(told(s)), 1, "lines in the log")


@tap.check("a place that becomes free is taken")
def _(s):
    for each in s.crowd:
        each.close()
    process.wait_until(lambda: files(s.daemon.pid) < OWN, "the crowd to be gone")
    client.listen(s.daemon.link(), "nina").joined().leave()


@tap.check("when truly none is left, newcomers wait without anything spinning, and are served when one is")
def _(s):
    crowd = []
    for _ in range(LIMIT):
        local = socket.socket(socket.AF_UNIX)
        local.settimeout(process.PATIENCE_S)
        local.connect(f"{s.daemon.state}/control.sock")
        crowd.append(local)
        if files(s.daemon.pid) >= LIMIT:
            break
    process.wait_until(lambda: files(s.daemon.pid) == LIMIT, "every descriptor to be in use")
    waiting = process.Child([process.program("salottoctl"), "--state", s.daemon.state, "who", "piazza"])
    rests(s, "with no descriptor left")
    tap.true(waiting.is_running(), "who came last waits")
    tap.true(s.anna.child.is_running() and s.dora.child.is_running(), "who was in is still there")
    for each in crowd:
        each.close()
    tap.equal(waiting.wait(), 0, f"exit code of who waited ({waiting.err()})")
    tap.true(any("anna" in line for line in waiting.lines), f"they are answered: {waiting.lines}")
    client.listen(s.daemon.link(), "olga").joined().leave()
    tap.equal(len(told(s)), 1, "lines in the log, in less than a minute")


@tap.check("who was in has lost nothing by all that")
def _(s):
    s.dora.leave()
    s.anna.leave()
    stream = s.dora.all("stats")[0]["streams"]["standard"]
    tap.equal(stream["received"], stream["highest"] - stream["first"] + 1, "packets of the stream that came")
    tap.more(stream["received"], 200, "of them")
    tap.equal(s.daemon.stop(), 0, "exit code of the daemon")


@tap.check("a limit that is too low for any work is named with the mend; exit code 1")
def _(s):
    home = process.folder()
    env = dict(os.environ, HOME=home, XDG_CONFIG_HOME=home)
    link = "salotto://127.0.0.1:1/piazza"
    for limit in range(8, 13):
        for argv in (
            ["salottod", "--state", f"{home}/state", "--port", "0"],
            ["salottoctl", "--state", home, "room", "list"],
            ["salottoctl", "--server", link, "room", "list"],
            ["salotto", "listen", link, "--output", f"{home}/x.wav"],
            ["salotto", "id"],
            ["salotto", "devices"],
        ):
            code, out, err = process.run([*under(limit, limit), process.program(argv[0]), *argv[1:]], env=env)
            tap.equal(code, 1, f"exit code of {argv} with {limit} ({err.strip()})")
            tap.true(f"no more than {limit} files" in err and re.search(r"ulimit -n \d+", err), f"it says so: {err!r}")
            tap.true(len(err.splitlines()) <= 2 and not out, f"and no library says more: {out!r} {err!r}")
    tap.equal(os.listdir(home), [], "what they left behind")


@tap.check("a soft limit is raised as far as the hard one lets, so it keeps nobody out")
def _(s):
    daemon = Daemon(under=under(12, 512))
    link = daemon.room()
    crowd = [socket.create_connection(("127.0.0.1", daemon.port), process.PATIENCE_S) for _ in range(200)]
    code, out, err = process.run([*under(8, 64), process.program("salottoctl"), "--state", daemon.state, "room", "list"])
    tap.true(code == 0 and "piazza" in out, f"salottoctl with 8 is answered: {code} {err!r}")
    c = client.listen(link, "dora").joined()
    process.wait_until(lambda: files(daemon.pid) > 200, "all to be in")
    tap.equal(Ctl(daemon.state).json("stats", "piazza")["listeners"]["low"], 1, "listeners")
    c.leave()
    for each in crowd:
        each.close()
    tap.true("no more people" not in daemon.child.err(), "nobody was turned away")


tap.main(Scene)
