"""An independent client, written from net/PROTOCOL.md alone.

It does what an honest client would not: speak without being on stage, send a datagram twice, forge one. And a hundred
of them cost less than a hundred programs.
"""
import base64
import json
import re
import select
import socket
import struct
import threading
import time

from . import process
from .noise import Handshake, Identity, aead_open, aead_seal, chacha20, hkdf_expand, siphash


class Denied(Exception):
    def __init__(self, answer):
        super().__init__(answer.get("error"))
        self.answer = answer


class Peer:
    """One connection. Its thread answers challenges and epoch keys, sends keep-alives and, with keep=True, opens and
    keeps what streams down."""

    def __init__(self, link, me=None, keep=False):
        match = re.fullmatch(r"salotto://\[?([^]/]*?)\]?:(\d+)/([a-z0-9-]*)\?k=([\w-]+)(?:&token=([\w-]+))?", link)
        self.host, port, self.room, key, self.token = match.groups()
        self.port = int(port)
        self.server_key = base64.urlsafe_b64decode(key + "=")
        self.me = me or Identity()
        self.keep = keep
        self.events, self.streams, self.reports = [], [], []
        self.last_id, self.answers = 0, {}
        self.answered = []  # the ids, in the order of the answers
        self.epochs = {}
        self.counter = 0
        self.udp = None
        self.changed = threading.Condition()
        self.tcp = socket.create_connection((self.host, self.port), process.PATIENCE_S)
        self.tcp.settimeout(process.PATIENCE_S)
        self._shake_hands()
        self.tcp.settimeout(None)
        self.parts = b""
        self._lock = threading.Lock()
        self._closing = False
        threading.Thread(target=self._read_control, daemon=True).start()

    # --- control

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.tcp.recv(n - len(data))
            if not more:
                raise ConnectionError("the server closed the control connection")
            data += more
        return data

    def _shake_hands(self):
        hello = self._exactly(42)
        if hello[:8] != b"SALOTTO\0" or not hello[8] <= 1 <= hello[9]:
            raise RuntimeError(f"no hello of Salotto, version 1: {hello!r}")
        if hello[10:] != self.server_key:
            raise RuntimeError("another server's key")
        mine = b"salotto\0\x01"
        noise = Handshake(self.me, self.server_key, hello + mine)
        first = noise.message_1()
        self.tcp.sendall(mine + struct.pack(">H", len(first)) + first)
        noise.message_2(self._exactly(struct.unpack(">H", self._exactly(2))[0]))
        self.key_up, self.key_down, self.media = noise.finish()
        self.n_up = self.n_down = 0

    def send(self, *requests):
        """In one write."""
        with self._lock:
            frames = b""
            for request in requests:
                sealed = aead_seal(self.key_up, self.n_up, b"\x01" + json.dumps(request).encode(), b"")
                self.n_up += 1
                frames += struct.pack(">H", len(sealed)) + sealed
            self.tcp.sendall(frames)

    def ask(self, *requests):
        """Sends requests (dicts without id) in one write and does not wait; returns their ids."""
        ids = range(self.last_id + 1, self.last_id + 1 + len(requests))
        self.last_id += len(requests)
        self.send(*({"id": n, **r} for n, r in zip(ids, requests)))
        return list(ids)

    def answer_to(self, number):
        def look():
            if number not in self.answers and {"event": "closed"} in self.events:
                raise ConnectionError(f"the server closed the connection before the answer to request {number}")
            return self.answers.get(number)

        return self.wait_for(look, f"the answer to request {number}")

    def request(self, **members):
        """Sends a request and waits for its answer; raises Denied when it is not a good one."""
        answer = self.answer_to(self.ask(members)[0])
        if not answer.get("ok"):
            raise Denied(answer)
        return answer

    def wait_for(self, condition, what, patience=process.PATIENCE_S):
        deadline = time.monotonic() + patience
        with self.changed:
            while not (value := condition()):
                left = deadline - time.monotonic()
                if left <= 0 or self._closing:
                    raise TimeoutError(f"waited for {what}")
                self.changed.wait(min(left, 0.5))
            return value

    def event(self, name, where=lambda e: True):
        return self.wait_for(
            lambda: next((e for e in self.events if e.get("event") == name and where(e)), None), f"the event `{name}`"
        )

    def _read_control(self):
        try:
            while True:
                sealed = self._exactly(struct.unpack(">H", self._exactly(2))[0])
                text = aead_open(self.key_down, self.n_down, sealed, b"")
                self.n_down += 1
                if text is None:
                    raise RuntimeError("a control frame does not decrypt")
                if text[0] in (1, 2):
                    self.parts += text[1:]
                if text[0] != 1:
                    continue
                message, self.parts = json.loads(self.parts), b""
                with self.changed:
                    if "event" in message:
                        self.events.append(message)
                        if message["event"] == "epoch":
                            self.epochs[message["serial"]] = bytes.fromhex(message["key"])
                    else:
                        self.answers[message["id"]] = message
                        self.answered.append(message["id"])
                    self.changed.notify_all()
        except (OSError, RuntimeError):
            with self.changed:
                self.events.append({"event": "closed"})
                self.changed.notify_all()

    # --- media

    def enter(self, handle, tier="standard", **members):
        """Joins without media."""
        if self.token:
            members.setdefault("token", self.token)
        return self._came_in(self.request(do="join", room=self.room, handle=handle, tier=tier, **members))

    def echo(self, tier="standard"):
        """Into an echo room of one's own, without media. Returns the answer."""
        return self._came_in(self.request(do="echo", tier=tier)).answer

    def _came_in(self, a):
        self.session = a["session"]
        self.answer = a
        self.epochs[a["epoch"]["serial"]] = bytes.fromhex(a["epoch"]["key"])
        self.next_number = {}
        self.position = a["position"]
        return self

    def join(self, handle, tier="standard", **members):
        """Joins, and proves its address."""
        self.enter(handle, tier, **members)
        self.proven = False
        self.udp = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect((self.host, self.port))
        threading.Thread(target=self._run_media, daemon=True).start()
        self.wait_for(lambda: self.proven, "an answered keep-alive")
        return self

    def up(self, kind, text):
        """One datagram of ours, sealed but not sent."""
        with self._lock:
            header = struct.pack(">BII", kind, self.session, self.counter)
            sealed = header + aead_seal(self.media["up"], self.counter, text, header)
            self.counter += 1
        return sealed

    def send_raw(self, datagram):
        try:
            self.udp.send(datagram)
        except OSError:
            pass

    def speech(self, sequence, timestamp, opus, voice=True):
        return self.up(4, struct.pack(">BHI", 1 if voice else 0, sequence & 0xFFFF, timestamp & 0xFFFFFFFF) + opus)

    def say(self, packets, voice=True, sequence=0, timestamp=0, stop=None):
        """Sends Opus packets of 20 ms in real time, in this thread, until they or `stop` (an event) end them."""
        began = time.monotonic()
        for n, opus in enumerate(packets):
            if stop is not None and stop.is_set():
                break
            self.send_raw(self.speech(sequence + n, timestamp + 960 * n, opus, voice))
            time.sleep(max(0, began + (n + 1) * 0.02 - time.monotonic()))

    def keep_alive(self):
        self.send_raw(self.up(5, struct.pack(">BI", 1, int(time.monotonic() * 1000) & 0xFFFFFFFF) + bytes(37)))

    def _run_media(self):
        alive_at = 0.0
        while not self._closing:
            now = time.monotonic()
            if now >= alive_at:
                self.keep_alive()
                alive_at = now + (4 if self.proven else 0.5)
            if not select.select([self.udp], [], [], min(0.5, max(alive_at - now, 0.01)))[0]:
                continue
            try:
                datagram = self.udp.recv(2048)
            except OSError:
                continue
            if datagram[0] == 6:
                self._message(datagram)
            elif self.keep:
                self._stream(datagram)

    def _message(self, datagram):
        (counter,) = struct.unpack_from(">I", datagram, 1)
        text = aead_open(self.media["down"], counter, datagram[5:], datagram[:5])
        if text is None:
            return
        if text[0] == 1:
            self.send_raw(self.up(5, b"\x02" + text[1:17]))
            self.keep_alive()
        elif text[0] == 2:
            serial = struct.unpack_from(">Q", text, 1)[0]
            self.epochs[serial] = text[9:41]
            self.send_raw(self.up(5, b"\x03" + text[1:9]))
        elif text[0] == 3:
            _stamp, flags, position, count = struct.unpack_from(">IBQB", text, 1)
            with self.changed:
                for n in range(count):
                    stream, number = struct.unpack_from(">BQ", text, 15 + 9 * n)
                    self.next_number.setdefault(stream, number)
                self.parked, self.position, self.proven = bool(flags & 1), position, True
                self.changed.notify_all()
        elif text[0] == 4:
            self.reports.append(struct.unpack_from(">IIIIHH", text, 1))

    def _stream(self, datagram):
        kind, epoch8, low = struct.unpack_from(">BBI", datagram)
        stream = kind - 8
        near = self.next_number.get(stream, low)
        number = near + ((low - near + (1 << 31)) % (1 << 32)) - (1 << 31)
        serial = 0 if stream == 7 else next((s for s in self.epochs if s & 0xFF == epoch8), None)
        if serial is None:
            return
        cipher, tag = datagram[6:-8], datagram[-8:]
        authentic = siphash(self.media["tag"], struct.pack(">BQQ", kind, serial, number) + cipher) == tag
        base = self.media["own"] if stream == 7 else self.epochs[serial]
        text = chacha20(hkdf_expand(base, b"salotto stream" + bytes([stream]), 32), number, cipher)
        talkers = text[0] & 7
        with self.changed:
            self.next_number[stream] = number + 1
            self.streams.append(
                {"at": time.monotonic(), "stream": stream, "number": number, "serial": serial, "authentic": authentic,
                 "flags": text[0], "position": struct.unpack_from(">H", text, 1)[0],
                 "talkers": list(text[3 : 3 + talkers]), "opus": text[3 + talkers :], "bytes": len(datagram)}
            )
            self.changed.notify_all()

    def close(self):
        self._closing = True
        try:
            self.tcp.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.tcp.close()
