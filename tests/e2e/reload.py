#!/usr/bin/python3
"""SIGHUP: the configuration is read again under the people in the rooms, who hear nothing of it."""
import os
import signal

from harness import client, process, sound, tap
from harness.daemon import Daemon
from harness.notify import Manager
from harness.peer import Denied, Peer

ROUNDS, UNDISTURBED = 12, 3


class Scene:
    def __init__(self):
        self.path = os.path.join(process.folder(), "salottod.conf")
        self.write()
        self.manager = Manager()
        self.daemon = Daemon("--config", self.path, env=self.manager.env())
        self.manager.wait("READY=1")
        self.daemon.ctl("room", "create", "piazza")

    def write(self, host="one.example", people=0, more=""):
        with open(self.path, "w") as f:
            f.write(f"public_host = {host}\nmax_people = {people}\n{more}")

    def reload(self):
        """Sends SIGHUP and waits until all is over; what was logged meanwhile."""
        ready, said = self.manager.count("READY=1"), len(self.daemon.child.err())
        self.daemon.child.signal(signal.SIGHUP)
        self.manager.wait("READY=1", ready)
        return self.daemon.child.err()[said:]


@tap.check("systemd is told when the reload begins, and when it is over")
def _(s):
    s.reload()
    kinds = [m[0] for m in s.manager.messages if m[0] in ("READY=1", "RELOADING=1")]
    tap.equal(kinds, ["READY=1", "RELOADING=1", "READY=1"], "what came, in order")
    began = s.manager.wait("RELOADING=1")
    tap.true(began[1].startswith("MONOTONIC_USEC=") and int(began[1].split("=")[1]) > 0, f"when: {began}")


@tap.check("public_host is in the next link")
def _(s):
    tap.true("one.example" in s.daemon.ctl("link", "piazza"), "the old one before")
    s.write("two.example")
    log = s.reload()
    tap.true("key=public_host from=one.example to=two.example" in log, f"the log says so: {log}")
    tap.true("two.example" in s.daemon.ctl("link", "piazza"), "the new one after")


@tap.check("max_people counts for whoever comes next, and sends nobody away")
def _(s):
    s.anna, s.bruno = Peer(s.daemon.link()).join("anna"), Peer(s.daemon.link()).join("bruno")
    s.write("two.example", 1)
    s.reload()
    tap.equal(sorted(s.daemon.who()), ["anna", "bruno"], "who is there")
    try:
        Peer(s.daemon.link()).join("carla")
        tap.fail("a third came in")
    except Denied as e:
        tap.true("full" in str(e), f"why not: {e}")
    s.write("two.example", 0)
    s.reload()
    Peer(s.daemon.link()).join("carlo").close()


@tap.check("what is bound at the start is refused, and the log names the key and the mend")
def _(s):
    s.write("two.example", 0, "listen = 127.0.0.1\n")
    log = s.reload()
    line = next((l for l in log.splitlines() if "key=listen" in l), "")
    tap.true(line.startswith("<4>") and "needs a restart" in line and "to=127.0.0.1" in line, f"a warning: {log}")
    s.write("two.example")
    tap.true("key=" not in s.reload(), "nothing differs any more")


@tap.check("a file with a fault changes nothing, and the log says where the fault is")
def _(s):
    s.write("three.example", 1, "prot = 9\n")
    log = s.reload()
    tap.true(f"{s.path}:3: unknown key 'prot'" in log and "stays as it was" in log, f"the log: {log}")
    tap.true("two.example" in s.daemon.ctl("link", "piazza"), "the old host is in links")
    os.remove(s.path)
    tap.true("stays as it was" in s.reload(), "no file is a fault, too")
    code, _, _ = process.run([process.program("salottod"), "--config", s.path, "--check-config"])
    tap.equal(code, 2, "exit code of --check-config, which the unit asks first")
    s.write("two.example")


@tap.check("nobody hears it: not a packet is missing, nor a sample concealed")
def _(s):
    """A machine under load may lose a tick by itself, a reload that costs one costs it each time: so there are several
    rounds, and in some of them everything must be whole."""
    path = sound.keep(sound.babble("fr", 10), "voice")
    client.speak(s.daemon.invite("speaker"), "dora", path, "--loop").joined()
    ear = client.listen(s.daemon.link(), "emil", "--tier", "standard", packets=True).joined()
    s.daemon.wait_in_mix("dora")
    whole = 0
    for n in range(ROUNDS):
        begin, before = len(ear.packets()), s.daemon.stats()
        process.wait_until(lambda: len(ear.packets()) > begin + 25, "half a second of sound")
        s.write(f"host-{n}.example")
        log = s.reload()
        tap.true(f"to=host-{n}.example" in log, f"it was read: {log}")
        at = len(ear.packets())
        process.wait_until(lambda: len(ear.packets()) > at + 25, "half a second more")
        after = s.daemon.stats()
        packets = ear.packets()[begin:]
        numbers = [p["number"] for p in packets]
        lost = [after["strips"][0][k] - before["strips"][0][k] for k in ("lost", "concealed")]
        contiguous = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        one_key = len({p["epoch"] for p in packets}) == 1
        whole += contiguous and one_key and lost == [0, 0] and after["skipped_ticks"] == before["skipped_ticks"]
        tap.diag(f"round {n}: {len(numbers)} packets, contiguous: {contiguous}, lost and concealed: {lost}")
        if whole == UNDISTURBED:
            return
    tap.fail(f"only {whole} of {ROUNDS} rounds were whole")


tap.main(Scene)
