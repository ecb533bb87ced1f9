#!/usr/bin/python3
"""SIGTERM amid requests: the daemon ends within a second, what it answered is written, and everyone is told."""
import contextlib
import os
import signal
import sqlite3
import statistics
import threading
import time

from harness import ogg, process, sound, tap
from harness.daemon import Daemon, at_host
from harness.peer import Peer

DELAYS_MS = (0, 2, 7, 20)
SANITIZED = os.path.basename(process.BUILD) in ("asan", "tsan")
USUAL_S = 3 if SANITIZED else 1  # what stopping takes as a rule
EVER_S = 20 if SANITIZED else 5  # and what it may take when the machine is busy with other things
FADERS = (-3, -6, -9, -12)


class Scene:
    def __init__(self):
        path = sound.keep(sound.babble("en", 10), "words")
        out = path.replace(".wav", ".opus")
        code, _, err = process.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-c:a", "libopus", "-b:a", "24k", out]
        )
        if code:
            raise RuntimeError(err)
        self.opus = ogg.opus(out)
        self.daemon = Daemon()
        self.link = self.daemon.room()
        self.invite = self.daemon.invite("speaker", "--uses", "1000")
        self.round = 0
        self.took_s = []
        self.answered = 0

    def query(self, text, *values):
        with contextlib.closing(sqlite3.connect(os.path.join(self.daemon.state, "salotto.db"))) as db:
            return db.execute(text, values).fetchall()

    def member(self, handle):
        """(role, muted, fader) as the database has them."""
        found = self.query(
            "SELECT m.role, m.muted, m.gain_db FROM membership m JOIN person p ON p.id = m.person WHERE p.handle = ?",
            handle)
        return found[0] if found else (0, 0, 0.0)


class Round:
    """A fresh start of the daemon, and three in the room: anna and bruno on stage, anna speaking; dora listens."""

    def __init__(self, s):
        s.round += 1
        self.s = s
        if not s.daemon.child.is_running():
            s.daemon.start()
        self.names = {n: f"{n}-{s.round}" for n in ("anna", "bruno", "dora", "late")}
        self.operator = s.daemon.operator()
        self.anna, self.bruno, self.dora = (
            Peer(at_host(link, "127.0.0.1", s.daemon.port)).join(self.names[n], "standard", mic="open")
            for n, link in (("anna", s.invite), ("bruno", s.invite), ("dora", s.link))
        )
        self.late = Peer(at_host(s.invite, "127.0.0.1", s.daemon.port))
        self.enough = threading.Event()
        self.voice = threading.Thread(target=self.anna.say, args=(s.opus,), kwargs={"stop": self.enough}, daemon=True)
        self.voice.start()
        s.daemon.wait_in_mix(self.names["anna"])

    def terminate(self, delay_ms):
        """SIGTERM after that time, and all that must then be so."""
        s, child = self.s, self.s.daemon.child
        time.sleep(delay_ms / 1000)
        began = time.monotonic()
        child.signal(signal.SIGTERM)
        tap.equal(child.wait(), 0, f"exit code ({delay_ms} ms after the request)")
        s.took_s.append(time.monotonic() - began)
        tap.true(s.took_s[-1] < EVER_S, f"it ended in {s.took_s[-1]:.2f} s")
        said = child.err()
        tap.true("Sanitizer" not in said and "runtime error:" not in said, f"no sanitizer has found anything:\n{said}")
        left = sorted(os.listdir(s.daemon.state))
        tap.equal(left, ["salotto.db", "salotto.db-lock", "server.key"], "what is left in the state folder")
        self.enough.set()
        self.voice.join()
        for peer in (self.anna, self.bruno, self.dora, self.late):
            peer.event("closed")
            tap.equal(len(set(peer.answered)), len(peer.answered), "requests answered, each once")
        tap.equal(s.query("PRAGMA integrity_check"), [("ok",)], "PRAGMA integrity_check")

    def told(self, *peers):
        """What each was sent away for."""
        return [[e["reason"] for e in p.events if e.get("event") == "sent_away"] for p in peers]

    def answers(self, ids):
        """Those of the operator's requests that were answered, all of them well: by id."""
        found = dict(self.operator.answers)
        with contextlib.suppress(ConnectionError):
            while True:
                a = self.operator.receive()
                tap.true(a["id"] not in found, f"one answer to request {a['id']}")
                found[a["id"]] = a
        for a in found.values():
            tap.true(a["ok"], f"a good answer: {a}")
        self.s.answered += len([n for n in ids if n in found])
        return [n in found for n in ids]

    def end(self):
        for peer in (self.anna, self.bruno, self.dora, self.late):
            peer.close()
        self.operator.close()

    # --- the requests, and what is true once they are answered

    def send_gain(self):
        return self.operator.send_all(*(("gain", "piazza", self.names["anna"], str(db)) for db in FADERS))

    def check_gain(self, answered):
        least = max((n for n, a in enumerate(answered) if a), default=-1)
        fader = self.s.member(self.names["anna"])[2]
        n = FADERS.index(fader) if fader in FADERS else -1
        tap.true(n >= least, f"the fader is {fader} where {FADERS[least]} was answered")

    def send_mute(self):
        return self.operator.send_all(*(("mute", "piazza", self.names[n]) for n in ("anna", "bruno", "dora")))

    def check_mute(self, answered):
        for n, a in zip(("anna", "bruno", "dora"), answered):
            tap.true(not a or self.s.member(self.names[n])[1], f"{n}, of whom it was answered, is muted")

    def send_promote(self):
        return self.operator.send_all(
            ("promote", "piazza", self.names["dora"]), ("promote", "piazza", self.names["bruno"], "--to", "host")
        )

    def check_promote(self, answered):
        for n, a, role in zip(("dora", "bruno"), answered, (1, 3)):
            tap.true(not a or self.s.member(self.names[n])[0] == role, f"{n}, of whom it was answered, has the role")

    def send_kick(self):
        return self.operator.send_all(*(("kick", "piazza", self.names[n]) for n in ("bruno", "dora")))

    def check_kick(self, answered):
        for n, a, reasons in zip(("bruno", "dora"), answered, self.told(self.bruno, self.dora)):
            logged = self.s.query(
                "SELECT 1 FROM audit a JOIN person p ON p.id = a.target WHERE a.act = 'kick' AND p.handle = ?",
                self.names[n])
            tap.true(not a or (logged and reasons == ["kicked"]), f"{n}, of whom it was answered, is out ({reasons})")

    def send_join(self):
        late = {"do": "join", "room": "piazza", "handle": self.names["late"], "token": self.late.token, "mic": "open"}
        self.join = self.late.ask(late)[0]
        return []

    def check_join(self, _answered):
        answer = self.late.answers.get(self.join)
        if not answer:
            return
        self.s.answered += 1
        reasons = self.told(self.late)[0]
        if answer["ok"]:
            tap.equal(answer["you"]["role"], "speaker", "as what the one who came late is let in")
            tap.equal(self.s.member(self.names["late"])[0], 1, "role in the database")
            tap.equal(reasons, ["stopping"], "what the one who came late is told")
        else:
            tap.equal(answer["code"], 5, f"the code of {answer}")

    def send_tune(self):
        self.tunes = self.dora.ask(
            *({"do": "command", "argv": ["tune", "piazza", t]} for t in ("low", "standard", "low", "standard", "low"))
        )
        return []

    def check_tune(self, _answered):
        for n in self.tunes:
            answer = self.dora.answers.get(n)
            tap.true(not answer or answer["ok"], f"a good answer, or none: {answer}")
            self.s.answered += bool(answer)


KINDS = ("gain", "mute", "promote", "kick", "join", "tune")


@contextlib.contextmanager
def held(s, hold_ms):
    """From here until that long after the block nothing can be written, so what is asked for meanwhile is under way."""
    db = sqlite3.connect(os.path.join(s.daemon.state, "salotto.db"), isolation_level=None, check_same_thread=False)
    db.execute("BEGIN IMMEDIATE")

    def release():
        db.execute("ROLLBACK")
        db.close()

    timer = threading.Timer(hold_ms / 1000, release)
    try:
        yield
    finally:
        timer.start()


def one_round(s, kinds, delay_ms, hold_ms=None):
    r = Round(s)
    with held(s, hold_ms) if hold_ms is not None else contextlib.nullcontext():
        ids = {k: getattr(r, f"send_{k}")() for k in kinds}
        if hold_ms is not None:  # the daemon has taken up all of it
            r.operator("who", "piazza")
            r.late.request(do="subscribe", channel="audience")
    r.terminate(delay_ms)
    answered = r.answers(sum(ids.values(), []))
    if hold_ms is not None:
        tap.true(all(answered) and r.join in r.late.answers, f"all is answered: {answered}, {r.late.answers}")
    for k in kinds:
        getattr(r, f"check_{k}")(answered[: len(ids[k])])
        answered = answered[len(ids[k]) :]
    reasons = r.told(r.anna, r.bruno, r.dora)
    wanted = [["stopping"], ["kicked"]] if "kick" in kinds else [["stopping"]]
    tap.true(reasons[0] == ["stopping"] and all(x in wanted for x in reasons), f"what people are told: {reasons}")
    r.end()


def add(kind):
    @tap.check(f"ended amid a request to {kind}, it has written what it answered, and told everyone")
    def _(s):
        for delay_ms in DELAYS_MS:
            one_round(s, (kind,), delay_ms)


for kind in KINDS:
    add(kind)


@tap.check("ended amid many requests of all kinds, too")
def _(s):
    for delay_ms in (0, 1, 5):
        one_round(s, KINDS, delay_ms)


@tap.check("what is under way when it is told to end is carried out, written and answered")
def _(s):
    for hold_ms in (20, 100, 400):
        one_round(s, KINDS, 0, hold_ms)


@tap.check("it ends within a second, and the requests were indeed amid it")
def _(s):
    tap.diag("seconds: " + " ".join(f"{t:.2f}" for t in sorted(s.took_s)))
    tap.less(statistics.median(s.took_s), USUAL_S, "s to stop, the median")
    tap.true(s.answered > len(s.took_s), f"{s.answered} requests were answered in {len(s.took_s)} rounds")


tap.main(Scene)
