#!/usr/bin/python3
"""Acts that cross each other: the later one holds, and the room and the database agree on what came of it.

Where the order of things matters, another connection keeps the database from being written for a moment, so that all
that is sent meanwhile is under way together, however fast or slow the machine is.
"""
import base64
import contextlib
import os
import re
import sqlite3
import time

from harness import client, process, tap
from harness.daemon import Daemon
from harness.noise import Identity
from harness.peer import Denied, Peer

HELD_MAX_S = 1.5  # the daemon waits 2 s for the database, then gives up
ROLES = ("listener", "speaker", "moderator", "host")


class Slow(Exception):
    """The database was held for too long to tell anything from it."""


class Scene:
    def __init__(self):
        path = os.path.join(process.folder(), "salottod.conf")
        with open(path, "w") as f:
            f.write("grace_s = 3600\nmax_people = 40\n")
        self.daemon = Daemon("--config", path)
        self.link = self.daemon.room()
        self.operator = self.daemon.operator()
        self.names = 0
        self.peers = []

    # --- people

    def name(self, stem):
        """A handle that nobody has had yet."""
        self.names += 1
        return f"{stem}-{self.names}"

    def connect(self, link=None, me=None):
        peer = Peer(link or self.link, me)
        self.peers.append(peer)
        return peer

    def enter(self, stem, link=None, me=None, **members):
        """Someone who is in the room from then on."""
        peer = self.connect(link, me)
        return peer.enter(self.name(stem), **members)

    def absent(self, stem, *acts, room="piazza"):
        """(handle, identity) of someone who was here once, after the acts of moderation on them."""
        me = Identity()
        peer = self.enter(stem, me=me, link=self.daemon.link(room))
        handle = peer.answer["you"]["handle"]
        self.gone(peer, room)
        for act, *words in acts:
            self.operator(act, room, handle, *words)
        return handle, me

    def gone(self, peer, room="piazza"):
        handle = peer.answer["you"]["handle"]
        peer.close()
        process.wait_until(lambda: handle not in self.who(room), f"{handle} to be gone", pause=0.01)

    # --- what is known of them

    def who(self, room="piazza"):
        """As `who --json` tells it. Two of one handle are a fault."""
        people = self.operator("who", room)["data"]
        handles = [p["handle"] for p in people]
        tap.equal(sorted(set(handles)), sorted(handles), "the handles in the roster")
        return {p["handle"]: p for p in people}

    def strips(self, room="piazza"):
        return {s["handle"]: s["strip"] for s in self.operator("stats", room)["data"]["strips"]}

    def query(self, text, *values):
        with contextlib.closing(sqlite3.connect(f"file:{self.daemon.state}/salotto.db?mode=ro", uri=True)) as db:
            return db.execute(text, values).fetchall()

    def recorded(self, handle, room="piazza"):
        """Role, mute and fader as the database has them."""
        found = self.query(
            "SELECT m.role, m.muted, m.gain_db FROM membership m JOIN person p ON p.id = m.person"
            " JOIN room r ON r.id = m.room WHERE p.handle = ? AND r.name = ?", handle, room)
        role, muted, gain_db = found[0] if found else (0, 0, 0.0)
        return ROLES[role], bool(muted), gain_db

    def is_banned(self, handle, room="piazza"):
        return bool(self.query(
            "SELECT 1 FROM ban b JOIN person p ON p.id = b.person JOIN room r ON r.id = b.room"
            " WHERE p.handle = ? AND r.name = ?", handle, room))

    def agree(self, room="piazza"):
        """The room and the database say the same of everyone present."""
        for handle, p in self.who(room).items():
            live = (p["role"], p["muted_by_moderator"], p["gain_db"])
            tap.equal(live, self.recorded(handle, room), f"{handle} in the room (and in the database)")
            tap.true(not self.is_banned(handle, room), f"{handle}, who is present, is not banned")

    def standing(self, handle, role, muted=False, room="piazza"):
        """That of someone present; the database agrees."""
        p = self.who(room)[handle]
        tap.equal((p["role"], p["muted_by_moderator"]), (role, muted), f"{handle}: role, muted by a moderator")
        self.agree(room)
        return p

    # --- acts under way together

    @contextlib.contextmanager
    def held(self):
        """As long as this lasts nothing can be written: what is sent meanwhile is all under way together."""
        began = time.monotonic()
        db = sqlite3.connect(os.path.join(self.daemon.state, "salotto.db"), isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        try:
            self.operator.send("room", "list")  # waits for the database, and all that follows waits behind it
            yield
        finally:
            db.execute("ROLLBACK")
            db.close()
            if time.monotonic() - began > HELD_MAX_S:
                raise Slow()

    def taken(self, peer=None):
        """Waits until the daemon has taken up all that was sent before (by the peer, or else by the operator)."""
        if peer:
            peer.request(do="subscribe", channel="audience")
        else:
            self.operator("who", "piazza")

    def do(self, *commands):
        """Sends the operator's commands in one write; the answers."""
        return self.answers(self.operator.send_all(*commands))

    def answers(self, ids):
        return [self.operator.answer(n) for n in ids]

    def written(self, peer=None):
        """Waits until all is written that was asked for before, and what came of it is carried out."""
        if peer:
            peer.request(do="command", argv=["room", "list"])
        self.operator("room", "list")


def crossing(sentence):
    """A check that is made again when the machine was too slow for it."""

    def add(function):
        @tap.check(sentence)
        def _(s):
            for _ in range(5):
                try:
                    for peer in s.peers:
                        peer.close()
                    s.peers.clear()
                    process.wait_until(lambda: not s.who(), "the room to be empty", pause=0.02)
                    function(s)
                    s.agree()
                    return
                except Slow:
                    tap.diag("once more: the machine was slow")
            tap.skip("the machine is too slow to hold the database for a moment only")

        return function

    return add


def good(answers):
    for a in answers:
        tap.true(a["ok"], f"a good answer: {a}")


def refused(answer, code, *words):
    tap.equal((answer["ok"], answer.get("code")), (False, code), f"ok and code of {answer}")
    for word in words:
        tap.true(word in answer["error"], f"{answer['error']!r} names {word!r}")


def join(peer, handle, **members):
    return {"do": "join", "room": peer.room, "handle": handle, "tier": "low", **members}


def command(*argv, **members):
    return {"do": "command", "argv": list(argv), **members}


# --- roles


@crossing("promoted and demoted at once, a listener stays one")
def _(s):
    anna = s.enter("anna").answer["you"]["handle"]
    with s.held():
        ids = s.operator.send_all(("promote", "piazza", anna), ("demote", "piazza", anna))
        s.taken()
    good(s.answers(ids))
    s.standing(anna, "listener")
    tap.equal(s.strips(), {}, "strips")


@crossing("promoted further and demoted at once, a speaker becomes a listener")
def _(s):
    anna = s.enter("anna").answer["you"]["handle"]
    s.operator("promote", "piazza", anna)
    with s.held():
        ids = s.operator.send_all(("promote", "piazza", anna, "--to", "moderator"), ("demote", "piazza", anna))
        s.taken()
        tap.equal(s.who()[anna]["role"], "listener", "role before anything is written")
    good(s.answers(ids))
    s.standing(anna, "listener")


@crossing("a demotion that takes less than a promotion under way leaves what is left of it")
def _(s):
    anna = s.enter("anna").answer["you"]["handle"]
    with s.held():
        ids = s.operator.send_all(
            ("promote", "piazza", anna, "--to", "moderator"), ("demote", "piazza", anna, "--to", "speaker")
        )
        s.taken()
    good(s.answers(ids))
    s.standing(anna, "speaker")
    tap.true(anna in s.strips(), "they have a strip")
    with s.held():
        ids = s.operator.send_all(("demote", "piazza", anna), ("promote", "piazza", anna))
        s.taken()
    good(s.answers(ids))
    s.standing(anna, "speaker")
    tap.true(anna in s.strips(), "they have a strip again")


@crossing("a demotion that finds nothing to take says so, and takes nothing of a promotion under way")
def _(s):
    anna = s.enter("anna").answer["you"]["handle"]
    with s.held():
        ids = s.operator.send_all(("promote", "piazza", anna), ("demote", "piazza", anna, "--to", "speaker"))
        s.taken()
    one, two = s.answers(ids)
    good([one])
    refused(two, 2, anna, "speaker")
    s.standing(anna, "speaker")
    tap.true(anna in s.strips(), "they have a strip")


@crossing("a moderator's demotion is no way around a promotion to moderator under way")
def _(s):
    mario = s.enter("mario")
    anna = s.enter("anna").answer["you"]["handle"]
    s.operator("promote", "piazza", mario.answer["you"]["handle"], "--to", "moderator")
    with s.held():
        ids = s.operator.send_all(("promote", "piazza", anna, "--to", "moderator"))
        s.taken()
        number = mario.ask(command("demote", "piazza", anna))[0]
        s.taken(mario)
    good(s.answers(ids))
    refused(mario.answer_to(number), 4, anna)
    s.standing(anna, "moderator")


@crossing("promote never lowers, in whatever order two of them are written")
def _(s):
    for roles in (("moderator", "speaker"), ("speaker", "moderator")):
        anna = s.enter("anna").answer["you"]["handle"]
        with s.held():
            ids = s.operator.send_all(*(("promote", "piazza", anna, "--to", r) for r in roles))
            s.taken()
        answers = s.answers(ids)
        good(answers[:1])
        if roles[0] == "moderator":
            refused(answers[1], 2, anna, "moderator")
        s.standing(anna, "moderator")


@crossing("who leaves while acts on them are under way is known by what came of these")
def _(s):
    peer = s.enter("anna")
    anna = peer.answer["you"]["handle"]
    s.operator("promote", "piazza", anna)
    with s.held():
        ids = s.operator.send_all(("promote", "piazza", anna, "--to", "moderator"), ("demote", "piazza", anna))
        s.taken()
        peer.request(do="leave")
    good(s.answers(ids))
    refused(s.do(("demote", "piazza", anna))[0], 2, "listener")
    good(s.do(("promote", "piazza", anna)))
    tap.equal(s.recorded(anna)[0], "speaker", "role in the database")


# --- mutes


@crossing("promoted and muted at once, someone is on stage and muted")
def _(s):
    anna = s.enter("anna", mic="open").answer["you"]["handle"]
    with s.held():
        ids = s.operator.send_all(
            ("promote", "piazza", anna), ("mute", "piazza", anna), ("gain", "piazza", anna, "-6")
        )
        s.taken()
    good(s.answers(ids))
    p = s.standing(anna, "speaker", muted=True)
    tap.true(p["muted"], "muted")
    tap.equal(p["gain_db"], -6, "fader")
    tap.true(anna in s.strips(), "they have a strip")


@crossing("unmuted and muted at once, someone ends muted")
def _(s):
    anna = s.enter("anna", mic="open").answer["you"]["handle"]
    s.operator("promote", "piazza", anna)
    s.operator("mute", "piazza", anna)
    for unmute in (("unmute", "piazza", anna), ("unmute", "piazza", "--all")):
        with s.held():
            ids = s.operator.send_all(unmute, ("mute", "piazza", anna))
            s.taken()
        good(s.answers(ids))
        s.standing(anna, "speaker", muted=True)
        with s.held():
            ids = s.operator.send_all(("mute", "piazza", anna), unmute)
            s.taken()
        good(s.answers(ids))
        s.standing(anna, "speaker", muted=False)
        s.operator("mute", "piazza", anna)


@crossing("someone absent who is unmuted and muted at once comes back muted")
def _(s):
    s.enter("dora")
    for acts in ((), (("mute",),), (("promote",), ("mute",))):
        for unmute in ("--all", None):
            anna, me = s.absent("anna", *acts)
            with s.held():
                ids = s.operator.send_all(("unmute", "piazza", unmute or anna), ("mute", "piazza", anna))
                s.taken()
            good(s.answers(ids))
            tap.true(s.recorded(anna)[1], "muted in the database")
            s.connect(me=me).enter(anna, mic="open")
            s.standing(anna, "speaker" if acts and acts[0] == ("promote",) else "listener", muted=True)


@crossing("a moderator's mute is not washed away by invites that the muted person shows")
def _(s):
    for before, after in ((40, 0), (20, 20)):
        anna = s.enter("anna", s.daemon.invite("speaker"), mic="open")
        handle = anna.answer["you"]["handle"]
        show = command("link", "piazza", token=anna.token)
        with s.held():
            shown = anna.ask(*[show] * before)
            s.taken(anna)
            muted = s.operator.send("mute", "piazza", handle)
            s.taken()
            shown += anna.ask(*[show] * after)
            s.taken(anna)
        good(anna.answer_to(n) for n in shown)
        good([s.operator.answer(muted)])
        s.standing(handle, "speaker", muted=True)
        refused(anna.answer_to(anna.ask(command("quiet", "piazza", "off"))[0]), 4)
        s.standing(handle, "speaker", muted=True)


@crossing("an invite that is shown again gives back no role that was taken")
def _(s):
    me = Identity()
    anna = s.enter("anna", s.daemon.invite("speaker"), me)
    handle, token = anna.answer["you"]["handle"], anna.token
    with s.held():
        ids = s.operator.send_all(("demote", "piazza", handle))
        s.taken()
        shown = anna.ask(*[command("link", "piazza", token=token)] * 5)
        s.taken(anna)
    good(s.answers(ids))
    good(anna.answer_to(n) for n in shown)
    s.standing(handle, "listener")
    s.gone(anna)
    again = s.connect(me=me).enter(handle, token=token)
    tap.equal(again.answer["you"]["role"], "listener", "role after showing the invite at the door")
    s.standing(handle, "listener")


# --- the door


@crossing("a join and a leave in one segment are answered once each, and nobody is seated")
def _(s):
    for held in (True, False):
        anna = s.connect()
        handle = s.name("anna")
        with s.held() if held else contextlib.nullcontext():
            ids = anna.ask(join(anna, handle), {"do": "leave"}, join(anna, handle))
            s.taken(anna)
        joined, left, again = (anna.answer_to(n) for n in ids)
        s.written(anna)
        good([left])
        tap.equal(joined["ok"], False, "whether the join has come about")
        refused(again, 2, "joined")
        tap.true(handle not in s.who(), "nobody is seated")
        tap.equal(sorted(n for n in anna.answered if n in ids), ids, "answers")


@crossing("whoever leaves before the join is answered is told so once")
def _(s):
    for _ in range(10):
        anna = s.connect()
        handle = s.name("anna")
        one = anna.ask(join(anna, handle))[0]
        s.operator("room", "list")
        two = anna.ask({"do": "leave"})[0]
        good([anna.answer_to(two)])
        anna.answer_to(one)
        s.written(anna)
        process.wait_until(lambda: handle not in s.who(), f"{handle} to be gone", pause=0.01)
        tap.equal(sorted(n for n in anna.answered if n in (one, two)), [one, two], "answers")


@crossing("banned, unbanned and joining at once, someone is in the room or not, as they were told")
def _(s):
    s.enter("dora")
    for first in ("ban", "join"):
        anna, me = s.absent("anna")
        peer = s.connect(me=me)
        with s.held():
            if first == "join":
                number = peer.ask(join(peer, anna))[0]
                s.taken(peer)
            ids = s.operator.send_all(("ban", "piazza", anna), ("unban", "piazza", anna))
            s.taken()
            if first == "ban":
                number = peer.ask(join(peer, anna))[0]
                s.taken(peer)
        good(s.answers(ids))
        answer = peer.answer_to(number)
        s.written()
        sent_away = any(e.get("event") == "sent_away" for e in peer.events)
        tap.equal(anna in s.who(), answer["ok"] and not sent_away, "whether they are in the room")
        tap.true(not s.is_banned(anna), "not banned in the database")
        s.connect(me=me).enter(anna)
        s.agree()


@crossing("unbanned and banned at once, someone stays out")
def _(s):
    s.enter("dora")
    anna, me = s.absent("anna", ("ban",))
    with s.held():
        ids = s.operator.send_all(("unban", "piazza", anna), ("ban", "piazza", anna))
        s.taken()
    good(s.answers(ids))
    tap.true(s.is_banned(anna), "banned in the database")
    peer = s.connect(me=me)
    refused(peer.answer_to(peer.ask(join(peer, anna))[0]), 4, "banned")


@crossing("promoted and banned at once, someone is out and has no role")
def _(s):
    for present in (True, False):
        anna, me = s.absent("anna")
        if present:
            s.connect(me=me).enter(anna)
        for first in ("promote", "ban"):
            with s.held():
                ids = s.operator.send_all(*((w, "piazza", anna) for w in sorted(("promote", "ban"), key=first.__ne__)))
                s.taken()
            s.answers(ids)
            tap.true(s.is_banned(anna) and anna not in s.who(), "banned")
            tap.equal(s.recorded(anna)[0], "listener", "role in the database")
            s.operator("unban", "piazza", anna)
            s.connect(me=me).enter(anna)
            s.standing(anna, "listener")


@crossing("muted, levelled or demoted while they join, someone comes in with what came of it, whichever is first")
def _(s):
    s.enter("dora")
    for first in ("join", "act"):
        for act, before, after in (
            (("mute",), (), ("listener", True, 0)),
            (("mute",), (("promote",),), ("speaker", True, 0)),
            (("gain", "-9"), (("promote",),), ("speaker", False, -9)),
            (("demote",), (("promote",),), ("listener", False, 0)),
        ):
            anna, me = s.absent("anna", *before)
            peer = s.connect(me=me)
            with s.held():
                if first == "join":
                    number = peer.ask(join(peer, anna, mic="open"))[0]
                    s.taken(peer)
                ids = s.operator.send_all((act[0], "piazza", anna, *act[1:]))
                s.taken()
                if first == "act":
                    number = peer.ask(join(peer, anna, mic="open"))[0]
                    s.taken(peer)
            good(s.answers(ids) + [peer.answer_to(number)])
            p = s.who()[anna]
            tap.equal((p["role"], p["muted_by_moderator"], p["gain_db"]), after, f"{act} ({first} first)")
            tap.equal(anna in s.strips(), after[0] == "speaker", f"on stage after {act} ({first} first)")
            s.agree()


@crossing("muted while they come with an invite, someone has its role and the mute")
def _(s):
    s.enter("dora")
    for act in ("mute", "gain"):
        anna, me = s.absent("anna")
        peer = s.connect(s.daemon.invite("speaker"), me)
        words = (act, "piazza", anna, *(["-9"] if act == "gain" else []))
        with s.held():
            first = s.operator.send(*words)  # is looked up while the join is under way
            s.taken()
            number = peer.ask(join(peer, anna, token=peer.token))[0]
            s.taken(peer)
        good([s.operator.answer(first), peer.answer_to(number)])
        s.standing(anna, "speaker", muted=act == "mute")
        tap.true(anna in s.strips(), "they have a strip")


@crossing("banned or kicked while they join, nobody is left in the room")
def _(s):
    s.enter("dora")
    for first in ("join", "ban"):
        anna, me = s.absent("anna", ("promote",))
        peer = s.connect(me=me)
        with s.held():
            if first == "join":
                number = peer.ask(join(peer, anna))[0]
                s.taken(peer)
            ids = s.operator.send_all(("ban", "piazza", anna))
            s.taken()
            if first == "ban":
                number = peer.ask(join(peer, anna))[0]
                s.taken(peer)
        good(s.answers(ids))
        tap.true(anna not in s.who() and s.is_banned(anna), "banned and gone")
        tap.true(anna not in s.strips(), "no strip is left")
        if first == "ban":
            refused(peer.answer_to(number), 4, "banned")
        else:
            tap.equal(peer.answer_to(number)["ok"], False, "whether the join has come about")


@crossing("whoever is sent away before the join is answered has an answer first, then is told why")
def _(s):
    s.enter("dora")
    for act, code in (("ban", 9), ("kick", 9), ("join", 10)):
        anna, me = s.absent("anna")
        peer, other = s.connect(me=me), s.connect(me=me)
        with s.held():
            number = peer.ask(join(peer, anna))[0]
            s.taken(peer)
            if act == "join":
                other.ask(join(other, anna))
                s.taken(other)
            else:  # is looked up right behind the join
                ids = s.operator.send_all((act, "piazza", anna))
                s.taken()
        if act != "join":
            good(s.answers(ids))
        answer = peer.answer_to(number)
        if not answer["ok"]:  # else the threads knew their seat before the act came to it
            refused(answer, code)
        reason = {"ban": "banned", "kick": "kicked", "join": "replaced"}[act]
        tap.equal(peer.event("sent_away")["reason"], reason, "what they are told")
        s.written()
        tap.equal(anna in s.who(), act == "join", "whether they are there")
        s.agree()


@crossing("unbanned and demoted at once, someone may come back")
def _(s):
    s.enter("dora")
    anna, me = s.absent("anna", ("ban",))
    with s.held():
        ids = s.operator.send_all(("unban", "piazza", anna), ("demote", "piazza", anna))
        s.taken()
    good(s.answers(ids[:1]))
    s.connect(me=me).enter(anna)
    s.standing(anna, "listener")


@crossing("someone who joins while the room ends is not left in it")
def _(s):
    for first in ("join", "end"):
        room = s.name("sala")
        link = s.daemon.room(room)
        s.enter("dora", link)
        peer = s.connect(link)
        with s.held():
            if first == "join":
                number = peer.ask(join(peer, s.name("anna")))[0]
                s.taken(peer)
            ids = s.operator.send_all(("room", "end", room))
            s.taken()
            if first == "end":
                number = peer.ask(join(peer, s.name("anna")))[0]
                s.taken(peer)
        good(s.answers(ids))
        if first == "join":
            tap.equal(peer.event("sent_away")["reason"], "ended", "what they are told")
        else:
            refused(peer.answer_to(number), 3)
        tap.equal(s.who(room), {}, "people in the room")


# --- keys


def key_of(peer):
    return peer.answer["epoch"]["key"]


@crossing("banning somebody alone in the room changes its key for whoever comes next")
def _(s):
    anna = s.enter("anna")
    s.operator("ban", "piazza", anna.answer["you"]["handle"])
    tap.true(key_of(s.enter("berta")) != key_of(anna), "another key")


@crossing("banning somebody who has just left changes the key for whoever comes next")
def _(s):
    anna = s.enter("anna")
    same = s.enter("carla")
    tap.equal(key_of(same), key_of(anna), "the key of two who come one after the other")
    for peer in (anna, same):
        s.gone(peer)
    s.operator("ban", "piazza", anna.answer["you"]["handle"])
    tap.true(key_of(s.enter("berta")) != key_of(anna), "another key")


@crossing("banning somebody who has just left changes the key of those who stay, too")
def _(s):
    dora = s.enter("dora")
    anna = s.enter("anna")
    s.gone(anna)
    s.operator("ban", "piazza", anna.answer["you"]["handle"])
    event = dora.event("epoch")
    tap.true(event["serial"] > anna.answer["epoch"]["serial"] and event["key"] != key_of(anna), "another key")
    process.wait_until(lambda: key_of(s.enter("berta")) == event["key"], "the new key to be in use", pause=0.2)


@crossing("a key is not in use before all who hear have it, whoever comes in meanwhile")
def _(s):
    anna, dora = s.enter("anna"), s.enter("dora")  # who does not acknowledge any
    s.operator("kick", "piazza", anna.answer["you"]["handle"])
    event = dora.event("epoch")
    began = time.monotonic()
    berta = s.connect().join(s.name("berta"))
    berta.request(do="command", argv=["link", "piazza"])
    process.wait_until(lambda: event["serial"] in berta.epochs, "berta to have the key", pause=0.005)
    s.written()
    carla = s.enter("carla")
    if time.monotonic() - began > 0.4:
        raise Slow()
    tap.true(key_of(carla) != event["key"], "the key of before is in use")


# --- who is who


@crossing("a handle that equals the first letters of a present person's key diverts no act")
def _(s):
    while True:
        me = Identity()
        prefix = base64.urlsafe_b64encode(me.public).decode()[:4]
        if re.fullmatch("[a-z][a-z0-9]{3}", prefix) and not s.query("SELECT 1 FROM person WHERE handle = ?", prefix):
            break
    anna = s.enter("anna", me=me, mic="open").answer["you"]["handle"]
    s.operator("promote", "piazza", prefix)
    s.standing(anna, "speaker")
    other = s.connect().enter(prefix)
    s.gone(other)
    for act in ("mute", "ban"):
        s.operator(act, "piazza", prefix)
        p = s.standing(anna, "speaker")
        tap.true(not p["muted"], "the one on stage is not muted")
    tap.true(s.is_banned(prefix), "the other one is banned")


@crossing("who takes a new handle in another room frees the old one, and the roster tells them apart")
def _(s):
    link = s.daemon.link("cortile")
    me = Identity()
    first = s.enter("anna", me=me)
    handle = first.answer["you"]["handle"]
    s.operator("promote", "piazza", handle)
    renamed = s.name("carla")
    peer, other = s.connect(link, me), s.connect()
    with s.held():
        one = peer.ask(join(peer, renamed))[0]
        s.taken(peer)
        two = other.ask(join(other, handle))[0]
        s.taken(other)
    good([peer.answer_to(one), other.answer_to(two)])
    s.standing(renamed, "speaker")
    s.standing(handle, "listener")
    tap.true(renamed in s.who("cortile"), "they are there under the new handle")
    s.operator("mute", "piazza", handle)
    s.standing(renamed, "speaker", muted=False)
    s.standing(handle, "listener", muted=True)


@crossing("the same key joining twice at once is seated once, and the first is told")
def _(s):
    me = Identity()
    handle = s.name("anna")
    one, two = s.connect(me=me), s.connect(me=me)
    with s.held():
        one.ask(join(one, handle))
        s.taken(one)
        number = two.ask(join(two, handle))[0]
        s.taken(two)
    good([two.answer_to(number)])
    tap.equal(one.event("sent_away")["reason"], "replaced", "what the first is told")
    one.event("closed")
    tap.equal(list(s.who()), [handle], "the roster")
    good([two.answer_to(two.ask(command("hand", "piazza", "up"))[0])])
    s.agree()


@crossing("the client that is replaced ends with a code of its own, and the other stays in the room once")
def _(s):
    handle = s.name("anna")
    first = client.listen(s.link, handle).joined()
    second = client.listen(s.link, handle, identity=first.identity).joined()
    tap.equal(first.wait(), 10, "exit code of the first")
    tap.equal(first.event("sent_away")["reason"], "replaced", "what it is told")
    tap.equal(list(s.who()), [handle], "the roster")
    second.leave()


# --- microphones and places


@crossing("a hand raised and lowered again leaves the microphone muted for a promotion")
def _(s):
    for words, muted in ((("up", "down"), True), (("up",), False), ((), True)):
        anna = s.enter("anna", mic="muted")
        handle = anna.answer["you"]["handle"]
        ids = anna.ask(*(command("hand", "piazza", w) for w in words))
        good(anna.answer_to(n) for n in ids)
        s.operator("promote", "piazza", handle)
        event = anna.event("role")
        tap.equal((event["role"], event["muted"]), ("speaker", muted), f"role and mute after hand {words}")
        tap.equal(s.who()[handle]["muted"], muted, f"mute after hand {words}")


@crossing("who is a speaker already and comes to listen joins muted")
def _(s):
    for mic, muted in (("muted", True), ("open", False), (None, True)):
        handle, me = s.absent("anna", ("promote",))
        peer = s.connect(me=me).enter(handle, **({"mic": mic} if mic else {}))
        you = peer.answer["you"]
        tap.equal((you["role"], you["muted"], you["muted_by_moderator"]), ("speaker", muted, False), f"with mic {mic}")
        tap.equal(s.who()[handle]["muted"], muted, f"mute in the roster, with mic {mic}")


@crossing("of 33 speakers the last has no place on the stage until another leaves it")
def _(s):
    link = s.daemon.invite("speaker", "--uses", "33")
    on_stage = [s.enter("voice", link) for _ in range(32)]
    last = s.enter("late", link)
    handle = last.answer["you"]["handle"]
    tap.equal((last.answer["you"]["role"], last.answer["you"]["strip"]), ("speaker", None), "the 33rd: role, place")
    tap.equal(len(s.strips()), 32, "people on stage")
    s.agree()
    on_stage[7].request(do="leave")
    event = last.event("role")
    tap.equal((event["role"], event["muted"]), ("speaker", True), "what the 33rd is told: role, mute")
    tap.equal(s.strips()[handle], event["strip"], "the place of the 33rd")
    s.agree()

    # One place for two who are promoted at once: whoever gets it later finds the microphone as they left it.
    s.gone(on_stage[8])
    two = [s.enter("guest", mic="muted") for _ in range(2)]
    handles = [p.answer["you"]["handle"] for p in two]
    with s.held():
        ids = s.operator.send_all(*(("promote", "piazza", h) for h in handles))
        s.taken()
    good(s.answers(ids))
    process.wait_until(lambda: handles[0] in s.strips(), "the first to have the place of who left", pause=0.01)
    tap.true(handles[1] not in s.strips(), "the second has none")
    on_stage[9].request(do="leave")
    event = two[1].event("role", lambda e: e["strip"] is not None)
    tap.true(event["muted"], "they are told of a muted microphone")
    for h in handles:
        tap.true(s.standing(h, "speaker")["muted"], f"the microphone of {h} is muted")


@crossing("whom a full room turns away has the role of the invite all the same")
def _(s):
    crowd = [s.enter("guest") for _ in range(40)]
    me = Identity()
    peer = s.connect(s.daemon.invite("speaker"), me)
    handle = s.name("anna")
    number = peer.ask(join(peer, handle, token=peer.token))[0]
    refused(peer.answer_to(number), 4, "full")
    tap.equal(s.recorded(handle)[0], "speaker", "role in the database")
    refused(s.do(("promote", "piazza", handle))[0], 2, handle, "speaker")
    s.gone(crowd[0])
    tap.equal(s.connect(me=me).enter(handle).answer["you"]["role"], "speaker", "role once there is room")
    s.agree()
    try:
        s.connect().enter(s.name("berta"))
        tap.fail("one too many came in")
    except Denied:
        pass


@crossing("after all that the daemon stops as ever, and its database is sound")
def _(s):
    tap.equal(s.daemon.stop(), 0, "exit code")
    tap.equal(s.query("PRAGMA integrity_check"), [("ok",)], "PRAGMA integrity_check")
    tap.equal(s.query("PRAGMA foreign_key_check"), [], "PRAGMA foreign_key_check")
    s.daemon.start()
    s.operator = s.daemon.operator()


def setup():
    s = Scene()
    s.daemon.room("cortile")
    return s


tap.main(setup)
