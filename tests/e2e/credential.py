#!/usr/bin/python3
"""The server's key as a credential that systemd hands over, in place of the file in the state folder."""
import os

from harness import process, tap
from harness.daemon import Daemon


class Scene:
    def __init__(self):
        self.folder = process.folder()
        self.key = os.path.join(self.folder, "server.key")
        self.put(bytes(range(32)), 0o440)  # as an access list for the service's user looks

    def put(self, content, mode):
        with open(self.key, "wb") as f:
            f.write(content)
        os.chmod(self.key, mode)

    def env(self):
        return dict(os.environ, CREDENTIALS_DIRECTORY=self.folder)

    def try_(self):
        argv = [process.program("salottod"), "--state", process.folder(), "--port", "0", "--http-port", "0"]
        return process.run(argv, env=self.env())


def pinned(daemon):
    return daemon.link().split("k=")[1]


@tap.check("a server.key among the credentials is the server's key, and none is made in the state folder")
def _(s):
    s.daemon = Daemon(env=s.env())
    s.daemon.room()
    s.pinned = pinned(s.daemon)
    other = Daemon(env=s.env())
    other.room()
    tap.equal(pinned(other), s.pinned, "the key in the links of another daemon with that credential")
    tap.true("server.key" not in os.listdir(s.daemon.state), "no such file")


@tap.check("the state folder is taken nevertheless")
def _(s):
    code, _, err = process.run([process.program("salottod"), "--state", s.daemon.state, "--port", "0"])
    tap.equal(code, 12, f"exit code of a second daemon ({err.strip()})")


@tap.check("without it the state folder's own key counts again")
def _(s):
    s.daemon.stop()
    s.daemon.env = dict(os.environ, CREDENTIALS_DIRECTORY=process.folder())
    s.daemon.start()
    tap.true(pinned(s.daemon) != s.pinned, "another key is in the links")
    tap.true("server.key" in os.listdir(s.daemon.state), "the file is there")


@tap.check("one that is no key, or that everybody may read, is refused with its name")
def _(s):
    for content, mode in ((b"short", 0o400), (bytes(32), 0o444)):
        s.put(content, mode)
        code, _, err = s.try_()
        tap.equal(code, 8, f"exit code ({err.strip()})")
        tap.true(s.key in err, f"the path is named: {err.strip()}")


tap.main(Scene)
