"""The network between clients and the daemon. A relay has one port for TCP and UDP, as the daemon has; a link that
names it leads through it, and it sees (and keeps, with the kernel's time of arrival) every datagram and every byte."""
import select
import socket
import struct
import threading
import time

_SO_TIMESTAMPNS = 35


class Relay:
    def __init__(self, port, host="127.0.0.1", loses=lambda way, datagram: False):
        self.server = (host, port)
        self.up = []  # (time.time() of arrival, address of the client, datagram)
        self.down = []
        self.tcp_bytes = bytearray()
        self.connections = 0
        self.blocked = False  # True: datagrams vanish
        self.loses = loses  # of a datagram ("up" or "down", its bytes): does it vanish?
        for _ in range(50):
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self.listener.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.udp.close()
                self.listener.close()
        self.listener.listen(64)
        self._stamp(self.udp)
        self._ways = {}  # address of a client → our socket toward the server
        self._clients = {}  # that socket → address
        self._pairs = {}  # TCP socket → the other end's
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _stamp(s):
        s.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.setblocking(False)

    def close(self):
        self._stop.send(b"x")
        self._thread.join(5)

    def down_to(self, address):
        return [(t, d) for t, a, d in list(self.down) if a == address]

    @staticmethod
    def _receive(s):
        data, extra, _flags, address = s.recvmsg(65536, 256)
        at = time.time()
        for level, kind, value in extra:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(value) >= 16:
                seconds, nanoseconds = struct.unpack("qq", value[:16])
                at = seconds + nanoseconds / 1e9
        return at, data, address

    def _run(self):
        poll = select.poll()
        sockets = {}

        def watch(s):
            sockets[s.fileno()] = s
            poll.register(s, select.POLLIN)

        def forget(s):
            if sockets.pop(s.fileno(), None):
                poll.unregister(s)
                s.close()

        for s in (self.udp, self.listener, self._stopped):
            watch(s)
        while True:
            for fd, _ in poll.poll():
                s = sockets.get(fd)
                if s is None:
                    continue
                if s is self._stopped:
                    for each in list(sockets.values()):
                        forget(each)
                    return
                try:
                    if s is self.udp:
                        at, data, client = self._receive(s)
                        self.up.append((at, client, data))
                        way = self._ways.get(client)
                        if way is None:
                            way = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                            way.connect(self.server)
                            self._stamp(way)
                            self._ways[client] = way
                            self._clients[way] = client
                            watch(way)
                        if not self.blocked and not self.loses("up", data):
                            way.send(data)
                    elif s is self.listener:
                        client, _ = s.accept()
                        server = socket.create_connection(self.server)
                        self.connections += 1
                        self._pairs[client] = server
                        self._pairs[server] = client
                        watch(client)
                        watch(server)
                    elif s in self._clients:
                        at, data, _ = self._receive(s)
                        self.down.append((at, self._clients[s], data))
                        if not self.blocked and not self.loses("down", data):
                            self.udp.sendto(data, self._clients[s])
                    else:
                        other = self._pairs[s]
                        data = s.recv(65536)
                        if data:
                            self.tcp_bytes += data
                            other.sendall(data)
                        else:
                            self._pairs.pop(s, None)
                            self._pairs.pop(other, None)
                            forget(s)
                            forget(other)
                except (BlockingIOError, ConnectionRefusedError):
                    pass
                except OSError:
                    if s in self._pairs:
                        other = self._pairs.pop(s)
                        self._pairs.pop(other, None)
                        forget(s)
                        forget(other)
