"""systemd's end of sd_notify(3): what a daemon tells the service manager."""
import os
import socket
import threading
import time

from . import process


class Manager:
    """Listens on a socket of its own. `messages` holds what came, each a list of lines."""

    def __init__(self):
        self.path = os.path.join(process.folder(), "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.messages = []
        self.came = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            message = self.socket.recv(4096).decode().splitlines()
            with self.came:
                self.messages.append(message)
                self.came.notify_all()

    def env(self, watchdog_s=None):
        """The environment of a service that it manages."""
        env = dict(os.environ, NOTIFY_SOCKET=self.path)
        if watchdog_s is not None:
            env["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        return env

    def count(self, line):
        with self.came:
            return sum(line in m for m in self.messages)

    def wait(self, line, more_than=0, patience=process.PATIENCE_S):
        """Waits until more than so many messages with that line have come; the newest of them."""
        deadline = time.monotonic() + patience
        with self.came:
            while True:
                found = [m for m in self.messages if line in m]
                if len(found) > more_than:
                    return found[-1]
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"waited {patience:g} s for {line!r}; came: {self.messages[-10:]}")
                self.came.wait(left)
