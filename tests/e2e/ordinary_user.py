#!/usr/bin/python3
"""As an ordinary user, whom file modes and owners stop: state folders, key files, configurations and sockets that are
somebody else's, or are not what they should be."""
import os
import shutil
import signal
import socket
import stat

from harness import process, tap
from harness.daemon import Daemon

UID = GID = 65534  # nobody
ROOT = os.getuid() == 0


class Scene:
    def __init__(self):
        self.folder = process.folder()
        os.chmod(self.folder, 0o755)
        self.bin = os.path.join(self.folder, "bin")  # the tree itself may be closed to others
        os.mkdir(self.bin)
        for name in ("salottod", "salottoctl", "salotto"):
            shutil.copy(process.program(name), self.bin)
        self.home = self.own("home")
        self.env = dict(os.environ, HOME=self.home, XDG_CONFIG_HOME=self.home)

    def own(self, name, mode=0o700):
        """A folder of the ordinary user's."""
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        if ROOT:
            os.chown(path, UID, GID)
        os.chmod(path, mode)
        return path

    def others(self, name, mode=0o700):
        """A folder of somebody else's: of root's."""
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        os.chmod(path, mode)
        return path

    def give(self, path, mode=None):
        if ROOT:
            os.chown(path, UID, GID, follow_symlinks=False)
        if mode is not None:
            os.chmod(path, mode)
        return path

    def argv(self, name, *words):
        drop = ["setpriv", f"--reuid={UID}", f"--regid={GID}", "--clear-groups"] if ROOT else []
        return [*drop, os.path.join(self.bin, name), *words]

    def run(self, name, *words):
        return process.run(self.argv(name, *words), env=self.env)

    def refused(self, code, argv, *words):
        got, out, err = self.run(*argv)
        tap.equal(got, code, f"exit code of {argv} ({err.strip()})")
        tap.true("ready" not in out, "it is not ready")
        for word in words:
            tap.true(word in err, f"{argv} says {word!r}: {err!r}")
        lines = [l for l in err.splitlines() if not l.startswith("<5>made a new server key")]
        tap.true(len(lines) <= 2, f"in a line or two: {err!r}")

    def refused_state(self, state, *words, code=8):
        self.refused(code, ["salottod", "--state", state, "--port", "0", "--http-port", "0"], *words)

    def works(self, state, **more):
        """A daemon on that folder starts and makes a room; its log."""
        child = process.Child(self.argv("salottod", "--state", state, "--port", "0", "--http-port", "0"), env=self.env)
        child.wait_for(lambda: any(l.startswith("ready ") for l in child.lines), "its line `ready`")
        code, _, err = self.run("salottoctl", "--state", state, "room", "list")
        tap.equal(code, 0, f"exit code of `room list` ({err.strip()})")
        child.signal(signal.SIGTERM)
        tap.equal(child.wait(), 0, "exit code")
        return child.err()


def only_root(s):
    if not ROOT:
        tap.skip("only root can make files that are somebody else's")


@tap.check("it needs no rights: salottod, salottoctl and salotto work for anybody, in folders of their own")
def _(s):
    s.works(s.own("state"))
    code, out, err = s.run("salotto", "id")
    tap.equal(code, 0, f"exit code of `salotto id` ({err.strip()})")
    tap.true(s.home in out, f"the key lies in their home: {out!r}")


@tap.check("a state folder of another user is refused, with whose it is; exit code 8")
def _(s):
    only_root(s)
    for name, mode in (("closed", 0o700), ("readable", 0o755), ("sticky", 0o1755)):
        state = s.others(name, mode)
        s.refused_state(state, state, "Permission denied", f"user 0's with mode {mode:04o}", f"user {UID}")
    s.refused_state(f"{s.folder}/closed/below", f"{s.folder}/closed/below", "Permission denied")
    s.refused_state(f"{s.folder}/readable/below", f"{s.folder}/readable/below", "Permission denied")
    tap.equal([os.listdir(f"{s.folder}/{n}") for n in ("closed", "readable", "sticky")], [[], [], []], "what was left there")


@tap.check("so is one that its owner closed to themself")
def _(s):
    for mode in (0o000, 0o500, 0o600):
        state = s.own(f"mode-{mode:o}", mode)
        s.refused_state(state, state, "Permission denied", f"mode {mode:04o}")


@tap.check("one in which anybody may exchange files is taken, with a warning that says what to do")
def _(s):
    state = s.own("open", 0o777)
    tap.true(f"<4>anybody may exchange the files in the state folder {state}; chmod o-w" in s.works(state), "the warning")
    tap.true("anybody" not in s.works(s.own("group", 0o770)), "no warning for a folder of a group")


@tap.check("a symbolic link to a folder is as good as the folder; one to nowhere, a file and a device are named")
def _(s):
    state = s.own("behind")
    link = f"{s.folder}/link"
    os.symlink(state, link)
    s.works(link)
    tap.true({"salotto.db", "server.key"} <= set(os.listdir(state)), f"what is behind the link: {os.listdir(state)}")
    dangling = f"{s.home}/dangling"
    os.symlink(f"{s.home}/nowhere", dangling)
    s.refused_state(dangling, dangling, "No such file or directory")
    loop = f"{s.home}/loop"
    os.symlink(loop, loop)
    s.refused_state(loop, loop)
    for path in ("/dev/null", "/etc/passwd"):
        s.refused_state(path, path, "is not a folder")
    s.refused_state("/dev/null/below", "/dev/null/below", "Not a directory")
    s.refused_state("/proc/below", "/proc/below")


@tap.check("a path that is too long for a socket is refused before anything is made in it; exit code 2")
def _(s):
    deep = f"{s.home}/" + "x" * 150
    s.refused_state(deep, "socket", "shorter", "xxx", code=2)
    s.refused_state("", "is no folder", code=2)
    tap.true(not os.path.exists(deep), "no folder was made")


@tap.check("a key or database in it that is somebody else's, or not what it should be, is named; exit code 8")
def _(s):
    good = s.own("good")
    s.works(good)

    def changed(name, file, change):
        state = s.own(name)
        for each in ("salotto.db", "server.key"):
            shutil.copy2(f"{good}/{each}", state)
            s.give(f"{state}/{each}")
        change(f"{state}/{file}")
        return state

    def become_folder(path):
        os.unlink(path)
        os.mkdir(path)
        s.give(path)

    def become_pipe(path):
        os.unlink(path)
        os.mkfifo(path, 0o600)
        s.give(path)

    for name, file, change, words in (
        ("key-open", "server.key", lambda p: os.chmod(p, 0o644), ("others may read it", "chmod 600")),
        ("key-empty", "server.key", lambda p: os.truncate(p, 0), ("not a key file", "backup")),
        ("key-long", "server.key", lambda p: os.truncate(p, 64), ("not a key file", "backup")),
        ("key-folder", "server.key", become_folder, ("not a key file, but a folder",)),
        ("key-pipe", "server.key", become_pipe, ("not a key file, but a device or a pipe",)),
        ("key-shut", "server.key", lambda p: os.chmod(p, 0o000), ("Permission denied", "run this as the user")),
        ("db-folder", "salotto.db", become_folder, ("folder", "move it away")),
        ("db-pipe", "salotto.db", become_pipe, ("not a regular file",)),
        ("db-shut", "salotto.db", lambda p: os.chmod(p, 0o000), ("not writable", "give the file and its folder to")),
        ("db-read-only", "salotto.db", lambda p: os.chmod(p, 0o400), ("not writable", "give the file and its folder to")),
    ):
        s.refused_state(changed(name, file, change), f"{name}/{file}", *words)
    if ROOT:
        for file in ("server.key", "salotto.db"):
            state = changed(f"{file}-roots", file, lambda p: os.chown(p, 0, 0))
            s.refused_state(state, f"{state}/{file}")


@tap.check("what lies where the socket should be is left alone, unless it is a socket that nobody answers")
def _(s):
    state = s.own("socket")
    path = f"{state}/control.sock"
    with open(path, "w") as f:
        f.write("mine")
    s.refused_state(state, path, "is no socket", "move it away")
    with open(path) as f:
        tap.equal(f.read(), "mine", "what is in the file")
    os.unlink(path)
    os.mkdir(path)
    s.refused_state(state, path, "is no socket")
    os.rmdir(path)
    os.symlink("/etc/passwd", path)
    s.refused_state(state, path, "is no socket")
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as stale:  # as kill -9 leaves it
        stale.bind(path)
    s.give(path)
    s.works(state)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()
        s.give(path, 0o777)
        s.refused_state(state, path, "listens on", code=12)
        tap.true(stat.S_ISSOCK(os.stat(path).st_mode), "the other's socket is still there")


@tap.check("a socket that one may not open is named as such by salottoctl; exit code 4")
def _(s):
    only_root(s)
    daemon = Daemon()
    os.chmod(daemon.state, 0o755)
    s.refused(4, ["salottoctl", "--state", daemon.state, "room", "list"], f"{daemon.state}/control.sock", "you may not use")
    os.chmod(daemon.state, 0o700)
    s.refused(4, ["salottoctl", "--state", daemon.state, "room", "list"], f"{daemon.state}/control.sock", "you may not use")
    daemon.stop()


@tap.check("a configuration that one may not read is named; exit code 2")
def _(s):
    path = f"{s.home}/salottod.conf"
    with open(path, "w") as f:
        f.write("port = 1\n")
    s.give(path, 0o000)
    s.refused(2, ["salottod", "--config", path, "--check-config"], path, "Permission denied")


@tap.check("an identity that is somebody else's, open to others, or none is named, by both clients; exit code 8")
def _(s):
    link = "salotto://127.0.0.1:1/piazza"
    s.run("salotto", "id", "--identity", f"{s.home}/good")

    def made(name, data, mode, mine=True):
        path = f"{s.home}/{name}"
        with open(path, "wb") as f:
            f.write(data)
        if mine:
            s.give(path)
        os.chmod(path, mode)
        return path

    key = open(f"{s.home}/good", "rb").read() if ROOT or os.access(f"{s.home}/good", os.R_OK) else os.urandom(32)
    cases = [
        (made("open", key, 0o644), ("others may read it", "chmod 600")),
        (made("empty", b"", 0o600), ("not a key file",)),
        (made("garbage", os.urandom(500), 0o600), ("not a key file",)),
        (made("shut", key, 0o000), ("Permission denied", "run this as the user")),
        (s.home, ("a folder",)),
        ("/nowhere/key", ("/nowhere", "Permission denied")),
    ]
    if ROOT:
        cases.append((made("roots", key, 0o600, mine=False), ("Permission denied", "run this as the user")))
    for path, words in cases:
        for argv in (["salotto", "id", "--identity", path],
                     ["salotto", "listen", link, "--identity", path, "--output", f"{s.home}/x.wav"],
                     ["salottoctl", "--server", link, "--identity", path, "who", "piazza"]):
            s.refused(8, argv, *words)


@tap.check("a recording where one may not write is named; exit code 7")
def _(s):
    only_root(s)
    folder = s.others("roots-sound", 0o755)
    for ending in ("wav", "opus"):
        path = f"{folder}/x.{ending}"
        s.refused(7, ["salotto", "listen", "salotto://127.0.0.1:1/piazza", "--output", path], path, "Permission denied")


tap.main(Scene)
