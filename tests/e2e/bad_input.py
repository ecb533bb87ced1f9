#!/usr/bin/python3
"""Every mistake is answered: what was wrong, what mends it, and an exit code that tells scripts the kind. Nothing that
comes from outside takes anything down."""
import os
import random
import re
import socket
import time

from harness import client, process, sound, tap
from harness.ctl import Ctl
from harness.daemon import Daemon, at_host
from harness.noise import Identity
from harness.peer import Denied, Peer

DAEMON = process.program("salottod")


class Scene:
    pass


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.link = s.daemon.room()
    return s


def ends_with(c, code, *words):
    """The client ends by itself with that code, and says these words on standard error."""
    tap.equal(c.wait(), code, f"exit code ({c.err().strip()})")
    for word in words:
        tap.true(word in c.err(), f"it says {word!r}: {c.err()!r}")
    tap.true(len(c.err().splitlines()) <= 4, f"it says so in a few lines: {c.err()!r}")


@tap.check("an unknown room is named; exit code 3")
def _(s):
    ends_with(client.listen(s.link.replace("piazza", "pizza"), "dora"), 3, "pizza")


@tap.check("a wrong server key is noticed before anything is told; exit code 6")
def _(s):
    wrong = Daemon()
    other = re.search(r"k=([\w-]+)", wrong.room()).group(1)
    link = re.sub(r"k=[\w-]+", f"k={other}", s.link)
    ends_with(client.listen(link, "dora"), 6, "key")


@tap.check("a server whose key has changed since the last time is refused, as ssh does")
def _(s):
    plain = re.sub(r"\?.*", "", s.link)
    first = client.listen(plain, "dora", "--accept-new").joined()
    first.leave()
    s.daemon.stop()
    os.rename(f"{s.daemon.state}/server.key", f"{s.daemon.state}/server.key.kept")
    s.daemon.start()
    # The client keeps its known servers where its identity and its home are: start one in the same home.
    env = dict(os.environ, HOME=first.folder, XDG_CONFIG_HOME=first.folder)
    argv = [process.program("salotto"), "listen", plain, "--handle", "dora", "--identity", first.identity]
    code, _, err = process.run(argv + ["--output", f"{first.folder}/x.wav", "--seconds", "1"], env=env)
    tap.equal(code, 6, f"exit code ({err.strip()})")
    s.daemon.stop()
    os.rename(f"{s.daemon.state}/server.key.kept", f"{s.daemon.state}/server.key")
    s.daemon.start()
    s.link = s.daemon.link()


@tap.check("without a key in the link, and without --accept-new, an unknown server is not trusted silently")
def _(s):
    c = client.listen(re.sub(r"\?.*", "", s.link), "dora")
    ends_with(c, 6, "SHA256:")


@tap.check("a used invite is refused; exit code 4")
def _(s):
    invite = s.daemon.invite("speaker", "--uses", "1")
    client.listen(invite, "anna").joined().leave()
    ends_with(client.listen(invite, "berta"), 4, "invite")


@tap.check("a used invite still lets in the key that used it")
def _(s):
    invite = s.daemon.invite("speaker", "--uses", "1")
    first = client.listen(invite, "cecilia").joined()
    first.leave()
    client.listen(invite, "cecilia", identity=first.identity).joined().leave()


@tap.check("an expired invite is refused; exit code 4")
def _(s):
    invite = s.daemon.invite("speaker", "--expires", "1s")
    time.sleep(2.1)
    ends_with(client.listen(invite, "diego"), 4, "invite")


@tap.check("an invite that never was is refused; exit code 4")
def _(s):
    ends_with(client.listen(s.link + "&token=" + "A" * 22, "diego"), 4, "invite")


@tap.check("a link that is none is answered with how a link looks; exit code 2")
def _(s):
    for link in ("http://localhost/piazza", "salotto://", "piazza"):
        ends_with(client.listen(link, "dora"), 2, "salotto://")
    ends_with(client.listen("salotto://localhost:99999/piazza", "dora"), 2, "99999")
    ends_with(client.listen("salotto://localhost/Piazza!", "dora"), 2, "Piazza!")
    ends_with(client.listen("salotto://localhost/piazza?k=short", "dora"), 2, "43")


@tap.check("a server that is not there; exit code 5")
def _(s):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ends_with(client.listen(at_host(s.link, "127.0.0.1", port), "dora"), 5, str(port))


@tap.check("something else that answers there is not taken for Salotto; exit code 5")
def _(s):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        c = client.listen(at_host(s.link, "127.0.0.1", other.getsockname()[1]), "dora")
        accepted, _ = other.accept()
        accepted.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" * 3)
        tap.equal(c.wait(), 5, f"exit code ({c.err().strip()})")
        accepted.close()


@tap.check("a sound file that is missing, empty, broken or a folder is named; exit code 7")
def _(s):
    folder = process.folder()
    invite = s.daemon.invite("speaker", "--uses", "9")
    good = sound.write(f"{folder}/good.wav", sound.noise(1, -30))
    with open(good, "rb") as f:
        header = f.read(30)
    for name, data in (("missing.wav", None), ("empty.wav", b""), ("cut.wav", header), ("noise.wav", os.urandom(5000))):
        path = f"{folder}/{name}"
        if data is not None:
            with open(path, "wb") as f:
                f.write(data)
        ends_with(client.speak(invite, "anna", path), 7, name)
    ends_with(client.speak(invite, "anna", folder), 7, folder)


@tap.check("an output that cannot be written is named; exit code 7")
def _(s):
    ends_with(client.listen(s.link, "dora", "--output", "/nowhere/at/all.wav", output=None), 7, "/nowhere/at/all.wav")


@tap.check("an output that would overwrite the input, or the other output, is refused before it does; exit code 2")
def _(s):
    folder = process.folder()
    voice = sound.write(f"{folder}/voice.wav", sound.noise(1, -30))
    os.link(voice, f"{folder}/same.wav")
    before = open(voice, "rb").read()
    for options in (["--output", voice], ["--output", f"{folder}/same.wav"], ["--packets", voice]):
        ends_with(client.speak(s.link, "dora", voice, *options, output=None), 2, options[0], "--input", "would overwrite")
    both = f"{folder}/both.wav"
    open(both, "w").close()
    ends_with(client.listen(s.link, "dora", "--output", both, "--packets", both, output=None), 2, "--packets", "--output")
    tap.equal(open(voice, "rb").read(), before, "what is in the file")


@tap.check("a file that may grow no further ends the recording, not the program; exit code 7")
def _(s):
    path = f"{process.folder()}/x.wav"
    argv = ["prlimit", "--fsize=20000", process.program("salotto"), "listen", s.link, "--handle", "lia", "--identity",
            f"{s.daemon.state}/lia", "--output", path]
    code, _, err = process.run(argv)
    tap.equal(code, 7, f"exit code ({err.strip()})")
    tap.true(path in err and "File too large" in err, f"it says so: {err!r}")
    tap.equal(len(sound.read(path)), (20000 - 44) // 2, "samples in the file")


@tap.check("a bad handle is answered with what a handle may be; exit code 2")
def _(s):
    for handle in ("", "Anna", "a b", "x" * 33, "9lives"):
        tap.equal(client.listen(s.link, handle).wait(), 2, f"exit code for {handle!r}")


@tap.check("a handle that another key holds is refused with a free one; exit code 4")
def _(s):
    first = client.listen(s.link, "gerda").joined()
    second = client.listen(s.link, "gerda")
    ends_with(second, 4, "gerda")
    free = re.search(r"--handle ([a-z0-9-]+)", second.err()).group(1)
    client.listen(s.link, free).joined().leave()
    first.leave()


@tap.check("an unknown option or word is answered with what there is; exit code 2")
def _(s):
    for argv in (["salotto", "listne", s.link], ["salotto", "listen"], ["salotto", "listen", s.link, "--loud"], ["salottod", "--loud"]):
        code, _, err = process.run([process.program(argv[0]), *argv[1:]])
        tap.equal(code, 2, f"exit code of {argv} ({err.strip()})")
        tap.true(err.strip(), "it says something")


@tap.check("a mistyped command is answered with what to type instead; exit code 2")
def _(s):
    for words in (["mut", "piazza", "anna"], ["mute"], ["room", "creat", "x"], ["gain", "piazza", "anna", "loud"]):
        code, out, err = s.daemon.ctl.try_(*words)
        tap.equal(code, 2, f"exit code of {words} ({err.strip()})")
        tap.true(err.strip() and not out.strip(), "the answer is on standard error")
    tap.true("mute" in s.daemon.ctl.try_("mut", "piazza", "anna")[2], "`mute` is offered for `mut`")


@tap.check("a command about a room or a person that does not exist; exit code 3")
def _(s):
    for words in (["who", "pizza"], ["mute", "pizza", "anna"], ["mute", "piazza", "nobody"], ["room", "end", "pizza"]):
        code, _, err = s.daemon.ctl.try_(*words)
        tap.equal(code, 3, f"exit code of {words} ({err.strip()})")


@tap.check("a room's name that cannot be one, or is reserved, is refused; exit code 2")
def _(s):
    for name in ("Piazza", "9", "a b", "metrics", "x" * 33, "../x", "a\x1b[31m"):
        code, _, err = s.daemon.ctl.try_("room", "create", name)
        tap.equal(code, 2, f"exit code for {name!r} ({err.strip()})")
        tap.true("\x1b" not in err, "no escape sequence comes back")


@tap.check("salottoctl without a daemon names the socket; exit code 5")
def _(s):
    folder = process.folder()
    code, _, err = Ctl(folder).try_("room", "list")
    tap.equal(code, 5, "exit code")
    tap.true(folder in err, f"it names where it looked: {err!r}")


def daemon(*options, state=None):
    return process.run([DAEMON, "--state", state or process.folder(), "--http-port", "0", *options])


@tap.check("a port in use is named, with the mend; exit code 12")
def _(s):
    code, out, err = daemon("--port", str(s.daemon.port))
    tap.equal(code, 12, f"exit code ({err.strip()})")
    tap.true(str(s.daemon.port) in err and "--port" in err, f"it names the port and the option: {err!r}")
    tap.true("ready" not in out, "it is not ready")


@tap.check("a second instance on the same state folder is refused; exit code 12")
def _(s):
    code, _, err = daemon("--port", "0", state=s.daemon.state)
    tap.equal(code, 12, f"exit code ({err.strip()})")
    tap.true(s.daemon.state in err, f"it names the folder: {err!r}")
    s.daemon.ctl("room", "list")


def configured(text, *options):
    path = f"{process.folder()}/salottod.conf"
    with open(path, "w") as f:
        f.write(text)
    code, _, err = daemon("--config", path, *(options or ("--check-config",)))
    return path, code, err


@tap.check("an unknown configuration key is named with file and line; exit code 2")
def _(s):
    for options in ((), ("--port", "0")):
        path, code, err = configured("# a comment\ngrace_s = 3\ntiers = 4\n", *options)
        tap.equal(code, 2, f"exit code ({err.strip()})")
        tap.true(f"{path}:3" in err and "tiers" in err, f"file, line and key: {err!r}")


@tap.check("a value that cannot be is named with file, line and key; exit code 2")
def _(s):
    for line in ("port = many", "port = 70000", "grace_s = -1", "max_people = 1e9x"):
        path, code, err = configured(line + "\n")
        tap.equal(code, 2, f"exit code for {line!r} ({err.strip()})")
        tap.true(f"{path}:1" in err and line.split()[0] in err, f"file, line and key: {err!r}")


@tap.check("a configuration file that is not there; exit code 2")
def _(s):
    code, _, err = daemon("--config", "/nowhere/salottod.conf", "--check-config")
    tap.equal(code, 2, f"exit code ({err.strip()})")
    tap.true("/nowhere/salottod.conf" in err, "it names the file")


@tap.check("the configuration that comes with it is good, and holds every key")
def _(s):
    code, _, err = daemon("--config", f"{process.REPO}/etc/salottod.conf", "--check-config")
    tap.equal(code, 0, f"exit code ({err.strip()})")
    with open(f"{process.REPO}/etc/salottod.conf") as f:
        text = f.read()
    for key in ("public_host", "port", "http_port", "listen", "max_people", "grace_s"):
        tap.true(re.search(rf"^[#; ]*{key} *=", text, re.M), f"{key} is there")


@tap.check("a state folder that cannot be written, or a broken database, is named; exit code 8")
def _(s):
    blocked = f"{process.folder()}/file"
    open(blocked, "w").close()
    code, _, err = daemon("--port", "0", state=f"{blocked}/state")
    tap.equal(code, 8, f"exit code ({err.strip()})")
    tap.true(blocked in err, "it names the folder")
    folder = process.folder()
    with open(f"{folder}/salotto.db", "wb") as f:
        f.write(random.Random(1).randbytes(8192))
    code, _, err = daemon("--port", "0", state=folder)
    tap.equal(code, 8, f"exit code ({err.strip()})")
    tap.true("salotto.db" in err, "it names the database")


@tap.check("garbage on every port takes nothing down, and everyone hears on")
def _(s):
    dice = random.Random(4)
    anna = client.speak(
        s.daemon.invite("speaker"), "anton", sound.keep(sound.babble("en", 10), "anton"), "--loop"
    ).joined()
    dora = client.listen(s.link, "dorothea", "--tier", "standard").joined()
    s.daemon.wait_in_mix("anton")
    port = s.daemon.port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for n in range(3000):
            head = bytes([dice.choice((4, 5, 6, 8, 10, 15, dice.randrange(256)))]) + dice.randrange(8).to_bytes(4, "big")
            udp.sendto(head + dice.randbytes(dice.choice((0, 3, 4, 20, 30, 100, 1300))), ("127.0.0.1", port))
            if n % 50 == 0:
                time.sleep(0.01)
    hello = b"salotto\0\x01"
    starts = (b"", b"GET / HTTP/1.1\r\n\r\n", hello, hello + b"\xff\xff", hello + b"\0\0", hello + b"\0\x90", b"\x16\x03\x01")
    held = []
    for n in range(60):
        tcp = socket.create_connection(("127.0.0.1", port), 10)
        try:
            tcp.sendall(dice.choice(starts) + dice.randbytes(dice.choice((0, 1, 48, 96, 144, 5000))))
        except OSError:
            pass
        held.append(tcp)
    for n in range(60):
        local = socket.socket(socket.AF_UNIX)
        local.connect(f"{s.daemon.state}/control.sock")
        try:
            text = dice.choice((b"", b"{", b"[]", b'{"id":1}', b'{"id":"x","do":7}', b'{"id":1,"do":"command","argv":[1,{}]}',
                                b'{"id":1,"do":"command","argv":[]}', b"[" * 20000, b'{"id":1e99,"do":"join"}', b"\xff\xfe"))
            local.sendall(dice.choice(((len(text) + 1).to_bytes(2, "big") + b"\x01" + text, dice.randbytes(300), b"\0\0")))
        except OSError:
            pass
        held.append(local)
    time.sleep(1)
    for each in held:
        each.close()
    tap.true(s.daemon.child.is_running(), "the daemon lives")
    tap.true(anna.child.is_running() and dora.child.is_running(), "speaker and listener are still there")
    time.sleep(1)
    dora.leave()
    anna.leave()
    heard = dora.wav()
    tap.more(sound.quietest_db(heard[-3 * sound.RATE // 2 : -sound.RATE // 4]), -50, "dBFS in the softest 20 ms of the last second")


@tap.check("requests that make no sense are refused one by one, and the connection lives")
def _(s):
    peer = Peer(s.link, Identity())
    for request in (
        {"do": "dance"},
        {"do": "join"},
        {"do": "join", "room": 7, "handle": [], "tier": None},
        {"do": "join", "room": "piazza", "handle": "x" * 5000, "tier": "low"},
        {"do": "join", "room": "piazza", "handle": "ugo", "tier": "ultra"},
        {"do": "leave"},
        {"do": "command"},
        {"do": "command", "argv": "who piazza"},
        {"do": "command", "argv": ["who"] * 500},
        {"do": "command", "argv": ["mute", "piazza", "anna", "--why", "\x1b[2J"]},
    ):
        try:
            peer.request(**request)
            tap.true(request == {"do": "leave"}, f"{str(request)[:60]} is refused")
        except Denied as e:
            tap.true(e.answer["code"] in (2, 3, 4) and e.answer["error"], f"a code and a reason: {e.answer}")
    peer.enter("ugo")
    peer.close()


@tap.check("a full room refuses who comes next, keeps their invite good, and lets them in when there is room; exit code 4")
def _(s):
    path = f"{process.folder()}/salottod.conf"
    with open(path, "w") as f:
        f.write("max_people = 2\n")
    full = Daemon("--config", path)
    link = full.room()
    invite = full.invite("speaker", "--uses", "1")
    anna = client.listen(link, "anna").joined()
    bruno = client.listen(link, "bruno").joined()
    for where in (link, invite):
        carla = client.listen(where, "carla", identity=f"{s.daemon.state}/carla")
        ends_with(carla, 4, "piazza is full", "2 people", "when somebody has left")
    # Who is there already takes no second place.
    again = client.listen(link, "bruno", identity=bruno.identity).joined()
    tap.equal(bruno.wait(), 10, "exit code of the one who was replaced")
    tap.equal(set(full.who()), {"anna", "bruno"}, "who is there")
    tap.true("piazza" in full.ctl("room", "list"), "the operator is no person in the room")
    anna.leave()
    process.wait_until(lambda: set(full.who()) == {"bruno"}, "anna's place")
    carla = client.listen(invite, "carla", identity=carla.identity).joined()
    tap.equal(full.who()["carla"]["role"], "speaker", "the role that the invite gives")
    for each in (carla, again):
        each.leave()
    tap.equal(full.stop(), 0, "exit code")


@tap.check("after all that, it stops as ever, having lost nothing")
def _(s):
    before = {r["room"] for r in s.daemon.ctl.json("room", "list")}
    began = time.monotonic()
    tap.equal(s.daemon.stop(), 0, "exit code")
    tap.less(time.monotonic() - began, 5, "s to stop")
    s.daemon.start()
    tap.equal({r["room"] for r in s.daemon.ctl.json("room", "list")}, before, "rooms")


tap.main(setup)
