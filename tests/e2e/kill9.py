#!/usr/bin/python3
"""kill -9 of the daemon amid commands: what was answered is there afterwards, and the database is sound."""
import random
import sqlite3
import threading

from harness import tap
from harness.daemon import Daemon, at_host
from harness.noise import Identity
from harness.peer import Denied, Peer

KILLS = 20


class Scene:
    pass


def commands(s, number):
    """What one round sends, each with what it promises. Each is made when the one before has been answered."""
    for n in range(400):
        room = f"r{number}-{n}"
        yield ("room", "create", room, "--title", f"Room {n}"), ("room", room)
        if s.role == "listener":
            yield ("promote", "piazza", "anna"), ("role", "speaker")
        else:
            yield ("demote", "piazza", "anna"), ("role", "listener")
        yield ("unban" if s.banned else "ban", "piazza", "berta"), ("banned", not s.banned)
        yield ("invite", room, "--role", "speaker"), ("invite", room)


def setup():
    s = Scene()
    s.daemon = Daemon()
    link = s.daemon.room()
    s.anna, s.berta = Identity(), Identity()
    for handle, me in (("anna", s.anna), ("berta", s.berta)):
        Peer(link, me).enter(handle).close()
    s.random = random.Random(7256)
    s.rooms = set()
    s.role, s.banned = "listener", False
    s.unsure = None
    s.answered = 0
    s.invite_links = []
    return s


def one_round(s, number):
    """Sends commands as fast as they are answered until the daemon is killed, and notes what was promised."""
    operator = s.daemon.operator()
    killer = threading.Timer(s.random.uniform(0.02, 0.4), s.daemon.kill)
    killer.start()
    try:
        for words, (kind, value) in commands(s, number):
            s.unsure = kind  # it may or may not have happened, until it is answered
            answer = operator.answer(operator.send(*words))
            s.unsure = None
            if not answer["ok"]:
                raise RuntimeError(f"{words}: {answer}")
            s.answered += 1
            if kind == "room":
                s.rooms.add(value)
            elif kind == "role":
                s.role = value
            elif kind == "banned":
                s.banned = value
            else:
                s.invite_links.append((answer.get("text") or str(answer.get("data"))).strip())
    except (OSError, ValueError):
        pass
    killer.join()
    s.daemon.child.wait()


def role_of(daemon, me, handle):
    """As what somebody is let in, or "banned"."""
    peer = Peer(daemon.link(), me)
    try:
        return peer.enter(handle).answer["you"]["role"]
    except Denied as e:
        tap.equal(e.answer["code"], 4, "code of the refusal")
        return "banned"
    finally:
        peer.close()


def check_database(s):
    with sqlite3.connect(f"{s.daemon.state}/salotto.db") as db:
        tap.equal(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "PRAGMA integrity_check")
        tap.equal(db.execute("PRAGMA foreign_key_check").fetchall(), [], "PRAGMA foreign_key_check")


@tap.check("what was answered before each of 20 kills is there after it")
def _(s):
    for number in range(KILLS):
        one_round(s, number)
        s.daemon.start()
        there = {r["room"] for r in s.daemon.ctl.json("room", "list")}
        tap.equal(s.rooms - there, set(), f"rooms missing after kill {number + 1}")
        role = role_of(s.daemon, s.anna, "anna")
        banned = role_of(s.daemon, s.berta, "berta") == "banned"
        if s.unsure != "role":
            tap.equal(role, s.role, f"anna's role after kill {number + 1}")
        if s.unsure != "banned":
            tap.equal(banned, s.banned, f"is berta banned after kill {number + 1}")
        s.role, s.banned = role, banned
    tap.diag(f"{s.answered} commands were answered")
    tap.true(s.answered > 3 * KILLS, "the kills fell amid commands")


@tap.check("PRAGMA integrity_check passes, and no row points nowhere")
def _(s):
    check_database(s)


@tap.check("invites that were answered work")
def _(s):
    for n, link in enumerate(s.invite_links[:: max(1, len(s.invite_links) // 5)]):
        peer = Peer(at_host(link, "127.0.0.1", s.daemon.port)).enter(f"guest-{n}")
        tap.equal(peer.answer["you"]["role"], "speaker", "role")
        peer.close()


@tap.check("the audit's chain is whole: nothing of the log is lost")
def _(s):
    log = s.daemon.ctl.json("log", "piazza")
    tap.true(len(log) > KILLS, f"{len(log)} entries")


@tap.check("then it stops as ever")
def _(s):
    tap.equal(s.daemon.stop(), 0, "exit code")
    check_database(s)


tap.main(setup)
