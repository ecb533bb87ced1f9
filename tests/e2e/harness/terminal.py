"""A terminal, and somebody typing at it."""
import os
import pty
import re
import select
import signal
import threading

from . import process

_OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "BUILD")


class Terminal:
    """A program on a terminal of its own. What it prints is in .text; type() is the keyboard."""

    def __init__(self, argv, env=None):
        self.text = ""
        environment = {k: v for k, v in (env or os.environ).items() if k not in _OF_MAKE}
        environment.setdefault("TERM", "xterm")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as on a terminal, wherever the test itself was started
            os.chdir(process.REPO)
            os.execvpe(argv[0], argv, environment)
        self.code = None
        self.hung_up = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while not self.hung_up:
            # A terminal that somebody reads is not gone when it is closed.
            if not select.select([self.fd], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                break
            if not data:
                break
            self.text += data.decode("utf-8", "replace").replace("\r", "")

    def type(self, keys):
        os.write(self.fd, keys)

    def ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                self.thread.join(2)  # what it said last may still be on its way
        return self.code is not None

    def wait_for(self, pattern, patience=process.PATIENCE_S):
        def look():
            over = self.ended()
            match = re.search(pattern, self.text)
            if not match and over:
                raise RuntimeError(f"it ended with {self.code} before {pattern!r}:\n{self.text}")
            return match

        return process.wait_until(look, pattern, patience)

    def hang_up(self):
        """As when its window is closed, or the line breaks."""
        self.hung_up = True
        self.thread.join()
        os.close(self.fd)

    def close(self):
        """As when its window is closed: the kernel sends SIGHUP."""
        if not self.ended():
            os.kill(self.pid, signal.SIGHUP)
        os.close(self.fd)
