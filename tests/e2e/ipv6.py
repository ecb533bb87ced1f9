#!/usr/bin/python3
"""Speech over IPv6, heard over IPv4, in one room."""
import socket
import time

from harness import client, ears, sound, tap
from harness.daemon import Daemon, at_host
from harness.sound import RATE


class Scene:
    pass


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def setup():
    s = Scene()
    s.ipv6 = has_ipv6()
    if not s.ipv6:
        return s
    s.daemon = Daemon()
    link = s.daemon.room()
    s.voice = sound.voice("es")[: 6 * RATE]
    s.listeners = [
        client.listen(at_host(link, host), name, "--tier", "standard").joined()
        for host, name in (("[::1]", "sei"), ("127.0.0.1", "quattro"), ("localhost", "nome"))
    ]
    speaker = client.speak(
        at_host(s.daemon.invite("speaker"), "[::1]"), "anna", sound.keep(s.voice, "anna")
    ).joined()
    time.sleep(8)
    speaker.leave()
    for c in s.listeners:
        c.leave()
    return s


@tap.check("who comes over IPv6, over IPv4 and by name hears who speaks over IPv6")
def _(s):
    if not s.ipv6:
        tap.skip("this machine has no IPv6")
    for c in s.listeners:
        _, likeness, _ = ears.hear(s.voice[RATE : 5 * RATE], c.wav())
        tap.more(likeness, 0.6, f"likeness as {c.handle} hears it")


tap.main(setup)
