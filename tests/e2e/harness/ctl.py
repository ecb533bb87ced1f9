"""salottoctl as people type it, and the operator's socket spoken directly where a test needs exact times."""
import json
import socket
import struct

from . import process


class Refused(Exception):
    def __init__(self, argv, code, out, err):
        super().__init__(f"salottoctl {' '.join(argv)} ended with {code}: {err.strip() or out.strip()}")
        self.code = code
        self.out = out
        self.err = err


class Ctl:
    """salottoctl on a daemon's state folder, or (server=LINK, identity=FILE) from afar."""

    def __init__(self, state=None, server=None, identity=None):
        self.where = ["--state", state] if state else ["--server", server]
        if identity:
            self.where += ["--identity", identity]

    def try_(self, *words):
        """(exit code, standard output, standard error), whatever comes of it."""
        return process.run([process.program("salottoctl"), *self.where, *words])

    def __call__(self, *words):
        """Standard output; raises Refused when it fails."""
        code, out, err = self.try_(*words)
        if code:
            raise Refused(words, code, out, err)
        return out

    def json(self, *words):
        out = self("--json", *words)
        try:
            return json.loads(out)
        except ValueError:
            raise RuntimeError(f"salottoctl --json {' '.join(words)} printed no JSON: {out!r}") from None


class Operator:
    """The unix socket: u16 length, a kind byte, JSON (net/PROTOCOL.md, 2.3)."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(process.PATIENCE_S)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.last = 0
        self.answers = {}  # those that came while another was waited for

    def send(self, *words):
        """Sends a command without waiting; returns its id."""
        return self.send_all(words)[0]

    def send_all(self, *commands):
        """Sends commands in one write without waiting; returns their ids."""
        frames, ids = b"", []
        for words in commands:
            self.last += 1
            text = json.dumps({"id": self.last, "do": "command", "argv": list(words)}).encode()
            frames += struct.pack(">HB", len(text) + 1, 1) + text
            ids.append(self.last)
        self.socket.sendall(frames)
        return ids

    def receive(self):
        text = b""
        while True:
            head = self.file.read(3)
            if len(head) < 3:
                raise ConnectionError("the daemon closed the operator's socket")
            length, kind = struct.unpack(">HB", head)
            part = self.file.read(length - 1)
            if len(part) < length - 1:
                raise ConnectionError("the daemon closed the operator's socket")
            text += part
            if kind == 1:
                return json.loads(text)

    def answer(self, number):
        while number not in self.answers:
            a = self.receive()
            if "progress" not in a:
                self.answers[a.get("id")] = a
        return self.answers.pop(number)

    def __call__(self, *words):
        """The answer, which must be a good one."""
        a = self.answer(self.send(*words))
        if not a["ok"]:
            raise RuntimeError(f"{' '.join(words)}: {a}")
        return a

    def close(self):
        self.file.close()
        self.socket.close()
