#!/usr/bin/python3
"""Who is kicked or banned hears nothing from the answer on; who is banned does not come back."""
import time

from harness import client, process, sound, tap
from harness.daemon import Daemon
from harness.relay import Relay


class Scene:
    pass


def through(relay, daemon, link):
    return link.replace(f":{daemon.port}/", f":{relay.port}/")


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.link = s.daemon.room()
    path = sound.keep(sound.babble("fr", 20), "anna")
    s.speaker = client.speak(s.daemon.invite("speaker"), "anna", path, "--loop").joined()
    s.stays = client.listen(s.link, "dora", "--tier", "standard", packets=True).joined()
    s.relays = {name: Relay(s.daemon.port) for name in ("kurt", "berta")}
    s.away = {
        name: client.listen(through(relay, s.daemon, s.link), name, "--tier", "standard", packets=True).joined()
        for name, relay in s.relays.items()
    }
    for c in (s.stays, *s.away.values()):
        process.wait_until(lambda c=c: c.packet_bytes() > 20000, f"a second of sound at {c.handle}")
    operator = s.daemon.operator()
    s.answered = {}
    s.answers = {}
    for name, act in (("kurt", "kick"), ("berta", "ban")):
        s.answers[name] = operator(act, "piazza", name, "--why", "noise")
        s.answered[name] = time.time()
    time.sleep(2)
    return s


def none_after(s, name):
    down = s.relays[name].down
    tap.true(len(down) > 50, f"{len(down)} datagrams went to {name} before")
    late = [1000 * (at - s.answered[name]) for at, _, _ in down if at > s.answered[name]]
    tap.equal(late, [], "datagrams after the answer (ms)")


@tap.check("whoever is kicked receives no datagram after the answer")
def _(s):
    none_after(s, "kurt")


@tap.check("whoever is banned receives no datagram after the answer")
def _(s):
    none_after(s, "berta")


@tap.check("their programs say why, by whom, and end with a code of their own")
def _(s):
    for name, reason in (("kurt", "kicked"), ("berta", "banned")):
        tap.equal(s.away[name].wait(), 9, f"exit code of {name}'s program")
        event = s.away[name].event("sent_away")
        tap.equal((event["reason"], event["why"]), (reason, "noise"), "reason and why")
        tap.true("noise" in s.away[name].err() or "noise" in str(event), "the reason is told")


@tap.check("those who stay hear on without losing a packet, under a new key")
def _(s):
    mark = s.stays.packet_bytes()
    process.wait_until(lambda: s.stays.packet_bytes() > mark + 20000, "more sound")
    packets = s.stays.packets()
    numbers = [p["number"] for p in packets if p["type"] == packets[-1]["type"]]
    holes = [n for n in range(numbers[0], numbers[-1]) if n not in set(numbers)]
    tap.equal(holes, [], "packet numbers missing")
    tap.true(len({p["epoch"] for p in packets}) >= 2, "the epoch has changed")


@tap.check("neither is in the roster any more")
def _(s):
    who = s.daemon.who()
    tap.true("dora" in who and "kurt" not in who and "berta" not in who, f"only who stays is there: {sorted(who)}")


@tap.check("the kicked may come back")
def _(s):
    again = client.listen(s.link, "kurt", identity=s.away["kurt"].identity).joined()
    again.leave()


def refused(s):
    again = client.listen(s.link, "berta", identity=s.away["berta"].identity)
    tap.equal(again.wait(), 4, "exit code")
    tap.true("ban" in again.err().lower(), f"it says why: {again.err()!r}")
    tap.equal(again.all("joined"), [], "events of joining")


@tap.check("the banned may not, and are told so")
def _(s):
    refused(s)


@tap.check("nor under another name")
def _(s):
    again = client.listen(s.link, "charlotte", identity=s.away["berta"].identity)
    tap.equal(again.wait(), 4, "exit code")


@tap.check("nor after a restart of the daemon")
def _(s):
    for c in (s.stays, s.speaker):
        c.leave()
    tap.equal(s.daemon.stop(), 0, "exit code of the daemon")
    s.daemon.start()
    refused(s)


@tap.check("until they are unbanned")
def _(s):
    s.daemon.ctl("unban", "piazza", "berta")
    client.listen(s.link, "berta", identity=s.away["berta"].identity).joined().leave()


@tap.check("when the room ends, all are sent away, and nobody can come in")
def _(s):
    c = client.listen(s.link, "dora", identity=s.stays.identity).joined()
    s.daemon.ctl("room", "end", "piazza")
    tap.equal(c.wait(), 9, "exit code")
    tap.equal(c.event("sent_away")["reason"], "ended", "the reason")
    tap.equal(client.listen(s.link, "dora", identity=s.stays.identity).wait(), 3, "exit code of a later try")


@tap.check("a room of that name opened again keeps its bans")
def _(s):
    s.daemon.ctl("room", "create", "piazza")
    c = client.listen(s.link, "dora", identity=s.stays.identity).joined()
    s.daemon.ctl("ban", "piazza", "dora")
    tap.equal(c.wait(), 9, "exit code")
    s.daemon.ctl("room", "end", "piazza")
    s.daemon.ctl("room", "create", "piazza")
    tap.equal(client.listen(s.link, "dora", identity=s.stays.identity).wait(), 4, "exit code")


@tap.check("what was done is in the room's log: who, to whom, when and why")
def _(s):
    log = s.daemon.ctl("log", "piazza")
    for word in ("kurt", "berta", "kick", "ban", "unban", "noise"):
        tap.true(word in log, f"{word!r} is in the log:\n{log}")


tap.main(setup)
