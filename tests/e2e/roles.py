#!/usr/bin/python3
"""Who may speak is decided by roles, on the server: promotion, demotion, and moderators from afar."""
import time

from harness import client, ogg, process, sound, tap
from harness.ctl import Ctl
from harness.daemon import Daemon
from harness.peer import Peer
from harness.relay import Relay
from harness.sound import RATE

TEN_TICKS = 10 * 960


class Scene:
    pass


def opus_of(path):
    out = path.replace(".wav", ".opus")
    code, _, err = process.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-c:a", "libopus", "-b:a", "24k", out]
    )
    if code:
        raise RuntimeError(err)
    return ogg.opus(out)


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.link = s.daemon.room()
    s.words = sound.keep(sound.babble("fr", 20), "words")
    s.listener = client.listen(s.link, "dora", "--tier", "standard").joined()
    return s


@tap.check("a listener's packets never reach the mix")
def _(s):
    peer = Peer(s.link).join("lurker")
    before = s.daemon.stats()["drops"]
    peer.say(opus_of(s.words)[:100])
    after = s.daemon.stats()
    tap.equal(s.daemon.who()["lurker"]["role"], "listener", "role")
    tap.equal([x for x in after["strips"] if x["handle"] == "lurker"], [], "strips of the listener")
    dropped = sum(after["drops"].values()) - sum(before.values())
    tap.true(dropped >= 100, f"its packets were dropped and counted ({dropped})")
    tap.true(after["parked_now"] or not after["ticks"], "the room stays parked")
    peer.close()


@tap.check("a datagram that is sent again, or was changed on the way, is dropped")
def _(s):
    peer = Peer(s.daemon.invite("speaker")).join("parrot", mic="open")
    before = s.daemon.stats()["drops"]
    opus = opus_of(s.words)
    datagrams = [peer.speech(n, 960 * n, opus[n]) for n in range(50)]
    for d in datagrams:
        peer.send_raw(d)
    for d in datagrams:
        peer.send_raw(d)
    for n in range(50, 100):
        d = peer.speech(n, 960 * n, opus[n])
        peer.send_raw(d[:-1] + bytes([d[-1] ^ 1]))
    process.wait_until(
        lambda: sum(s.daemon.stats()["drops"].values()) - sum(before.values()) >= 100, "100 datagrams to be dropped"
    )
    after = s.daemon.stats()["drops"]
    tap.diag({k: n - before.get(k, 0) for k, n in after.items() if n != before.get(k, 0)})
    tap.true(after["udp_replayed"] - before["udp_replayed"] >= 50, "50 were replays")
    tap.true(after["udp_forged"] - before["udp_forged"] >= 50, "50 were forged")
    peer.close()


@tap.check("whoever speaks with a plain link waits as a listener with a raised hand")
def _(s):
    s.relay = Relay(s.daemon.port)
    link = s.link.replace(f":{s.daemon.port}/", f":{s.relay.port}/")
    talk = sound.keep(sound.babble("es", 20), "talk")
    s.background = client.speak(s.daemon.invite("speaker"), "bruno", talk, "--loop").joined()
    s.anna = client.speak(link, "anna", s.words, "--loop", "--tier", "standard").joined()
    tap.equal(s.daemon.who()["anna"]["role"], "listener", "role")
    process.wait_until(lambda: s.daemon.who()["anna"]["hand"], "anna's hand")
    tap.true("anna" in s.daemon.ctl("hands", "piazza"), "`hands` shows it")


@tap.check("promoted, they are in the mix within ten ticks of their first packet, without reconnecting")
def _(s):
    time.sleep(2)  # of the others' sound, to find a gap in
    s.promoted = s.daemon.operator()("promote", "piazza", "anna")["data"]["at_sample"]
    s.anna.event("role", lambda e: e["role"] == "speaker")
    strip = s.daemon.wait_in_mix("anna")
    tap.less(strip["first_out"] - strip["first_in"], TEN_TICKS + 1, "samples from the first packet to the mix")
    tap.true(s.anna.child.is_running(), "the same program is running")
    tap.equal(s.relay.connections, 1, "connections made")
    tap.equal(len(s.anna.all("joined")), 1, "times joined")


@tap.check("promoted, they are heard")
def _(s):
    time.sleep(3)
    tap.true(s.daemon.who()["anna"]["speaking"], "anna is speaking")


@tap.check("demoted, they are not heard any more, and are told")
def _(s):
    s.demoted = s.daemon.operator()("demote", "piazza", "anna")["data"]["at_sample"]
    s.anna.event("role", lambda e: e["role"] == "listener")
    tap.equal(s.daemon.who()["anna"]["role"], "listener", "role")
    tap.equal(s.daemon.strip("anna"), None, "strip")
    time.sleep(1.5)  # of the other's sound, to find a gap in
    s.daemon.ctl("kick", "piazza", "bruno")
    quiet = process.wait_until(lambda: s.daemon.stats()["parked_now"], "the room to park, since nobody is left to be heard")
    tap.true(quiet, "parked")


def softest_around(listener, positions):
    """The level of the softest 20 ms in the second before and after each position."""
    heard = listener.wav()
    middles = [listener.sample_of(p) for p in positions]
    return [sound.quietest_db(heard[m - RATE : m + RATE]) for m in middles]


def promote_once_more(s, n):
    """Another listener goes up and down; what they heard around both."""
    talk = sound.keep(sound.babble("es", 20), "talk")
    background = client.speak(s.daemon.invite("speaker"), f"bruno-{n}", talk, "--loop").joined()
    anna = client.speak(s.link, f"anna-{n}", s.words, "--loop", "--tier", "standard").joined()
    s.daemon.wait_in_mix(f"bruno-{n}")
    time.sleep(2)
    promoted = s.daemon.operator()("promote", "piazza", f"anna-{n}")["data"]["at_sample"]
    s.daemon.wait_in_mix(f"anna-{n}")
    time.sleep(3)
    demoted = s.daemon.operator()("demote", "piazza", f"anna-{n}")["data"]["at_sample"]
    anna.event("role", lambda e: e["role"] == "listener")
    time.sleep(1.5)
    anna.leave()
    background.leave()
    return softest_around(anna, (promoted, demoted))


@tap.check("there was no gap in what they heard, through promotion and demotion")
def _(s):
    s.anna.leave()
    softest = softest_around(s.anna, (s.promoted, s.demoted))
    for n in range(3):  # a client that the machine has kept waiting has a gap for that reason
        if min(softest) > -50:
            break
        tap.diag(f"once more: {softest} dBFS")
        softest = promote_once_more(s, n)
    tap.more(min(softest), -50, "dBFS in the softest 20 ms around promotion and demotion")


@tap.check("a moderator from afar, who came by invite, mutes and promotes")
def _(s):
    s.mario = client.listen(s.daemon.invite("moderator"), "mario").joined()
    tap.equal(s.daemon.who()["mario"]["role"], "moderator", "role")
    s.afar = Ctl(server=s.link, identity=s.mario.identity)
    s.bruno = client.listen(s.link, "carlo").joined()
    s.afar("promote", "piazza", "carlo")
    tap.equal(s.daemon.who()["carlo"]["role"], "speaker", "role")
    s.afar("mute", "piazza", "carlo", "--why", "too early")
    tap.true(s.daemon.who()["carlo"]["muted_by_moderator"], "carlo is muted")
    tap.true("carlo" in s.afar("who", "piazza"), "who works from afar")


@tap.check("a moderator may not make moderators, nor act on their equals")
def _(s):
    maria = client.listen(s.daemon.invite("moderator"), "maria").joined()
    for words in (("promote", "piazza", "carlo", "--to", "moderator"), ("kick", "piazza", "maria")):
        code, _, err = s.afar.try_(*words)
        tap.equal(code, 4, f"exit code of {words}")
        tap.true(err.strip(), "it says why")
    maria.leave()
    process.wait_until(lambda: "maria" not in s.daemon.who(), "maria to have left")


@tap.check("a listener who tries is refused with exit code 4, and nothing changes")
def _(s):
    before = s.daemon.who()
    listener = Ctl(server=s.link, identity=s.listener.identity)
    for words in (
        ("mute", "piazza", "carlo"),
        ("unmute", "piazza", "carlo"),
        ("promote", "piazza", "dora"),
        ("kick", "piazza", "carlo"),
        ("ban", "piazza", "carlo"),
        ("gain", "piazza", "carlo", "6"),
        ("invite", "piazza", "--role", "moderator"),
        ("room", "end", "piazza"),
        ("room", "create", "mine"),
    ):
        code, out, err = listener.try_(*words)
        tap.equal(code, 4, f"exit code of {' '.join(words)} ({out.strip()} {err.strip()})")
    after = s.daemon.who()
    for who in (before, after):
        for person in who.values():
            person.pop("delay_ms", None)
    tap.equal(after, before, "the roster after the attempts")


@tap.check("the operator demotes whom a moderator promoted; absent people can be promoted too")
def _(s):
    s.daemon.ctl("demote", "piazza", "carlo")
    tap.equal(s.daemon.who()["carlo"]["role"], "listener", "role")
    s.bruno.leave()
    process.wait_until(lambda: "carlo" not in s.daemon.who(), "carlo to have left")
    s.daemon.ctl("promote", "piazza", "carlo")
    client.listen(s.link, "carlo", identity=s.bruno.identity).joined()
    tap.equal(s.daemon.who()["carlo"]["role"], "speaker", "role after the return")


@tap.check("persons are named by handle or by an unambiguous prefix of their key")
def _(s):
    key = s.daemon.who()["carlo"]["key"]
    s.daemon.ctl("demote", "piazza", key[:10])
    tap.equal(s.daemon.who()["carlo"]["role"], "listener", "role")
    code, _, err = s.daemon.ctl.try_("demote", "piazza", "karlo")
    tap.equal(code, 3, "exit code for somebody unknown")
    tap.true("karlo" in err, f"it names who was not found: {err!r}")


@tap.check("the same key elsewhere replaces the old session, whose program ends with a code of its own")
def _(s):
    again = client.listen(s.link, "dora", identity=s.listener.identity).joined()
    tap.equal(s.listener.wait(), 10, "exit code of the first")
    tap.equal(len([h for h in s.daemon.who() if h == "dora"]), 1, "dora in the roster")
    again.leave()


tap.main(setup)
