"""salotto listen and speak, and the events that they tell with --json."""
import json
import os
import signal
import struct

from . import process, sound


class Client:
    """One running `salotto`. After it has ended: .wav() is what an ear would have heard, .packets() what came. With
    output=None it plays on a sound device."""

    def __init__(self, verb, link, handle, *options, output="wav", packets=False, identity=None, env=None):
        self.handle = handle
        self.folder = process.folder()
        self.identity = identity or os.path.join(self.folder, "key")
        self.events = []
        argv = [process.program("salotto"), verb, link, "--json", "--handle", handle, "--identity", self.identity]
        self.output = os.path.join(self.folder, f"heard.{output}") if output else None
        if self.output:
            argv += ["--output", self.output]
        self.packets_path = os.path.join(self.folder, "packets") if packets else None
        if packets:
            argv += ["--packets", self.packets_path]
        # Also sound libraries keep their files there.
        home = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), self.folder)
        environment = dict(env or {**os.environ, **home}, HOME=self.folder, XDG_CONFIG_HOME=self.folder)
        self.child = process.Child(argv + list(options), f"{verb} {handle}", env=environment, on_line=self._on_line)

    def _on_line(self, line):
        try:
            self.events.append(json.loads(line))
        except ValueError:
            self.events.append({"event": "no JSON", "line": line})

    def event(self, name, where=lambda e: True, patience=process.PATIENCE_S, after=0):
        """The first event of that name (from number `after` on) for which where() holds, awaited."""
        return self.child.wait_for(
            lambda: next((e for e in self.events[after:] if e.get("event") == name and where(e)), None),
            f"the event `{name}`",
            patience,
        )

    def joined(self):
        self.event("joined")
        return self

    def all(self, name):
        return [e for e in list(self.events) if e.get("event") == name]

    def leave(self):
        """Ends it as Ctrl-C does, and waits until its files are complete. Returns its exit code."""
        self.child.signal(signal.SIGINT)
        return self.child.wait()

    def wait(self, patience=process.PATIENCE_S):
        return self.child.wait(patience)

    def err(self):
        return self.child.err()

    def wav(self):
        return sound.read(self.output)

    def sample_of(self, position):
        """Where in the WAV a stream position lies."""
        marks = self.all("position")
        if not marks:
            raise RuntimeError(f"{self.handle} told no position")
        before = [m for m in marks if m["position"] <= position] or marks[:1]
        mark = before[-1]
        return int(mark["wav_sample"] + position - mark["position"])

    def position_of(self, sample):
        """Which stream position lies at that sample of the WAV."""
        marks = self.all("position")
        before = [m for m in marks if m["wav_sample"] <= sample] or marks[:1]
        return int(before[-1]["position"] + sample - before[-1]["wav_sample"])

    def packets(self):
        """The stream datagrams received, in order: dicts of type, epoch, number, ciphertext, tag."""
        with open(self.packets_path, "rb") as f:
            data = f.read()
        found = []
        at = 0
        while at + 2 <= len(data):
            (length,) = struct.unpack_from(">H", data, at)
            datagram = data[at + 2 : at + 2 + length]
            at += 2 + length
            if len(datagram) < 14:
                continue
            kind, epoch, number = struct.unpack_from(">BBI", datagram)
            found.append(
                {"type": kind, "epoch": epoch, "number": number, "ciphertext": datagram[6:-8], "tag": datagram[-8:]}
            )
        return found

    def packet_bytes(self):
        return os.path.getsize(self.packets_path) if os.path.exists(self.packets_path) else 0


def listen(link, handle, *options, **named):
    return Client("listen", link, handle, *options, **named)


def speak(link, handle, path, *options, **named):
    return Client("speak", link, handle, "--input", path, *options, **named)
