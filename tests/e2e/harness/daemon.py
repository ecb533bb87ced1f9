"""A salottod of one's own: in a folder of its own, on a free port."""
import os
import re
import signal

from . import process
from .ctl import Ctl, Operator


class Daemon:
    """under: words before the command, of a program that becomes it, such as prlimit."""

    def __init__(self, *options, state=None, env=None, port=0, under=()):
        self.state = state or process.folder()
        self.under = list(under)
        self.options = options
        self.env = env
        self.port = port
        self.start()

    def start(self):
        """Starts it (again, on the same state folder) and waits until it accepts."""
        argv = [*self.under, process.program("salottod"), "--state", self.state, "--port", str(self.port), "--http-port", "0"]
        self.child = process.Child(argv + list(self.options), "salottod", env=self.env)
        line = self.child.wait_for(
            lambda: next((l for l in self.child.lines if l.startswith("ready ")), None), "its line `ready`"
        )
        match = re.fullmatch(r"ready port=(\d+) http_port=(\d+)", line)
        if not match:
            raise RuntimeError(f"salottod said {line!r}")
        self.port = int(match.group(1))
        self.ctl = Ctl(self.state)

    @property
    def pid(self):
        return self.child.pid

    def operator(self):
        return Operator(os.path.join(self.state, "control.sock"))

    def stop(self):
        """SIGTERM, and its exit code."""
        self.child.signal(signal.SIGTERM)
        return self.child.wait()

    def kill(self):
        self.child.kill()

    def room(self, name="piazza", title=None):
        """Opens a room and returns its plain link."""
        self.ctl("room", "create", name, *(["--title", title] if title else []))
        return self.link(name)

    def link(self, name="piazza"):
        """With the address in figures, so that no test depends on how `localhost` is resolved."""
        return at_host(self.ctl("link", name).strip(), "127.0.0.1")

    def invite(self, role, *options, room="piazza"):
        return at_host(self.ctl("invite", room, "--role", role, *options).strip(), "127.0.0.1")

    def who(self, room="piazza"):
        return {p["handle"]: p for p in self.ctl.json("who", room)}

    def stats(self, room="piazza"):
        return self.ctl.json("stats", room)

    def strip(self, handle, room="piazza"):
        return next((s for s in self.stats(room)["strips"] if s["handle"] == handle), None)

    def wait_in_mix(self, handle, room="piazza"):
        """Waits until the mix has something of them; their strip."""

        def look():
            strip = self.strip(handle, room)
            return strip if strip and strip["first_out"] >= 0 else None

        return process.wait_until(look, f"the voice of {handle} in the mix")

    def threads(self):
        """name → thread id of the live daemon."""
        found = {}
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{tid}/comm") as f:
                    found[f.read().rstrip("\n")] = int(tid)
            except FileNotFoundError:
                pass
        return found

    def switches(self, tid):
        """Context switches of a thread so far, of its own will and not."""
        with open(f"/proc/{self.pid}/task/{tid}/status") as f:
            status = f.read()
        return sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", status))


def at_host(link, host, port=None):
    """The same link for another address (and port) of the same server."""
    match = re.fullmatch(r"salotto://(\[[^]]*\]|[^/:]*)(?::(\d+))?/(.*)", link)
    if not match:
        raise RuntimeError(f"this is no link: {link!r}")
    return f"salotto://{host}:{port or match.group(2) or 7256}/{match.group(3)}"
