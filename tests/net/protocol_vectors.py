#!/usr/bin/env python3
"""Recomputes the vectors of net/PROTOCOL.md from its text alone.

A second opinion on the paper: nothing here is shared with the C sources, and every input is read from section 4. The
primitives are written from their standards (RFC 7748, RFC 8032, RFC 8439, RFC 5869, and SipHash by Aumasson and
Bernstein), as slow and as short as Python allows.
"""
import hashlib
import hmac
import pathlib
import re
import struct

PAPER = pathlib.Path(__file__).resolve().parents[2] / "net" / "PROTOCOL.md"
P = 2**255 - 19


def rotl(x, n, bits):
    return (x << n | x >> (bits - n)) & (1 << bits) - 1


def chacha20(key, nonce, data, counter):
    out = bytearray()
    for at in range(0, len(data), 64):
        start = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter + at // 64) + nonce))
        x = start[:]
        for i in range(80):
            a, b, c, d = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15),
                          (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))[i % 8]
            for p, q, r, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[p] = x[p] + x[q] & 0xffffffff
                x[r] = rotl(x[r] ^ x[p], n, 32)
        block = struct.pack("<16I", *(u + v & 0xffffffff for u, v in zip(x, start)))
        out += bytes(u ^ v for u, v in zip(data[at:at + 64], block))
    return bytes(out)


def aead(key, counter, ad, plain):
    nonce = bytes(4) + struct.pack("<Q", counter)
    one_time, cipher = chacha20(key, nonce, bytes(32), 0), chacha20(key, nonce, plain, 1)
    pad = lambda b: b + bytes(-len(b) % 16)
    text = pad(ad) + pad(cipher) + struct.pack("<QQ", len(ad), len(cipher))
    r = int.from_bytes(one_time[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    total = 0
    for at in range(0, len(text), 16):
        total = (total + int.from_bytes(text[at:at + 16] + b"\1", "little")) * r % (2**130 - 5)
    return cipher + (total + int.from_bytes(one_time[16:], "little") & 2**128 - 1).to_bytes(16, "little")


def siphash24(key, data):
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def rounds(count):
        for _ in range(count):
            for a, c, m, n in ((0, 2, 13, 16), (2, 0, 17, 21)):
                v[a], v[c] = v[a] + v[1] & 2**64 - 1, v[c] + v[3] & 2**64 - 1
                v[1], v[3], v[a] = rotl(v[1], m, 64) ^ v[a], rotl(v[3], n, 64) ^ v[c], rotl(v[a], 32, 64)

    words = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) & 255])
    for (m,) in struct.iter_unpack("<Q", words):
        v[3] ^= m
        rounds(2)
        v[0] ^= m
    v[2] ^= 0xff
    rounds(4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(prk, info, n):
    out = block = b""
    while len(out) < n:
        block = mac(prk, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:n]


def x25519(k, u):
    scalar = int.from_bytes(k, "little") & (1 << 254) - 8 | 1 << 254
    x1, x2, z2, x3, z3, swap = int.from_bytes(u, "little") % 2**255, 1, 0, int.from_bytes(u, "little") % 2**255, 1, 0
    for t in reversed(range(255)):
        bit = scalar >> t & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a, c * b, a * a, b * b
        x3, z3, e = (da + cb)**2 % P, x1 * (da - cb)**2 % P, aa - bb
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def x25519_private(seed):
    k = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little") & (1 << 254) - 8 | 1 << 254
    return k.to_bytes(32, "little")


def x25519_public(ed25519):
    y = int.from_bytes(ed25519, "little") & 2**255 - 1
    return ((1 + y) * pow(1 - y, P - 2, P) % P).to_bytes(32, "little")


class Symmetric:
    """Noise revision 34, section 5.2."""

    def __init__(self, name, prologue):
        self.ck = self.h = name
        self.mix_hash(prologue)

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key(self, secret):
        both = expand(mac(self.ck, secret), b"", 64)
        self.ck, self.key, self.n = both[:32], both[32:], 0

    def seal(self, plain):
        out = aead(self.key, self.n, self.h, plain)
        self.n += 1
        self.mix_hash(out)
        return out


def read_paper():
    """The `name = hex` lines of section 4; a line of hex alone continues the one above."""
    values, name = {}, None
    for line in PAPER.read_text().split("\n## 4.")[1].splitlines():
        if match := re.fullmatch(r"    ([a-z0-9 _]+?) += ([0-9a-f]+)", line):
            name = match[1]
            assert name not in values, f"{name} stands twice"
            values[name] = match[2]
        elif (match := re.fullmatch(r" {5,}([0-9a-f]+)", line)) and name:
            values[name] += match[1]
        else:
            name = None
    return {k: bytes.fromhex(v) for k, v in values.items()}


def compute(v):
    """All that section 4 shows, from its inputs."""
    out = {}
    for who in ("server", "client"):
        out[f"{who} x25519 private"] = x25519_private(v[f"{who} seed"])
        out[f"{who} x25519 public"] = x25519_public(v[f"{who} ed25519 public"])
        assert x25519(out[f"{who} x25519 private"], b"\t" + bytes(31)) == out[f"{who} x25519 public"]
    s, s_pub = out["server x25519 private"], out["server x25519 public"]
    c, c_pub = out["client x25519 private"], out["client x25519 public"]
    base = b"\t" + bytes(31)
    e, re_ = v["client ephemeral"], v["server ephemeral"]
    e_pub, re_pub = x25519(e, base), x25519(re_, base)

    out["server hello"] = b"SALOTTO\0" + bytes([1, 1]) + v["server ed25519 public"]
    out["client hello"] = b"salotto\0" + bytes([1])
    n = Symmetric(b"Noise_IK_25519_ChaChaPoly_SHA256", out["server hello"] + out["client hello"])
    n.mix_hash(s_pub)
    n.mix_hash(e_pub)
    n.mix_key(x25519(e, s_pub))
    message = e_pub + n.seal(c_pub)
    n.mix_key(x25519(c, s_pub))
    message += n.seal(v["client ed25519 public"])
    out["frame 1"] = struct.pack(">H", len(message)) + message
    n.mix_hash(re_pub)
    n.mix_key(x25519(re_, e_pub))
    n.mix_key(x25519(re_, c_pub))
    message = re_pub + n.seal(b"")
    out["frame 2"] = struct.pack(">H", len(message)) + message
    out["ck"], out["h"] = n.ck, n.h
    to_server = expand(mac(n.ck, b""), b"", 64)[:32]
    message = aead(to_server, 0, b"", v["frame 3 plaintext"])
    out["frame 3"] = struct.pack(">H", len(message)) + message

    prk = mac(v["ck"], v["h"])
    for name, length in (("up", 32), ("down", 32), ("own", 32), ("tag", 16)):
        out[f"k_{name}"] = expand(prk, b"salotto " + name.encode(), length)

    for name, kind, counter in (("keepalive", 5, 0), ("speech", 4, 2)):
        header = struct.pack(">BII", kind, 7, counter)
        out[f"{name} datagram"] = header + aead(v["k_up"], counter, header, v[f"{name} plaintext"])
    header = struct.pack(">BI", 6, 1)
    out["answer datagram"] = header + aead(v["k_down"], 1, header, v["answer plaintext"])

    for name, key, stream, epoch, number in (("stream", v["epoch key"], 2, 0x0102, 0x100000003),
                                             ("own", v["k_own"], 7, 0, 7)):
        out[f"{name} key"] = expand(key, b"salotto stream" + bytes([stream]), 32)
        cipher = chacha20(out[f"{name} key"], bytes(4) + struct.pack("<Q", number), v[f"{name} plaintext"], 0)
        out[f"{name} tag input"] = struct.pack(">BQQ", 8 + stream, epoch, number) + cipher
        out[f"{name} tag"] = siphash24(v["k_tag"], out[f"{name} tag input"])
        out[f"{name} datagram"] = struct.pack(">BBI", 8 + stream, epoch & 255, number & 0xffffffff) + cipher \
            + out[f"{name} tag"]
    return out


def main():
    # The paper of SipHash, appendix A.
    assert siphash24(bytes(range(16)), bytes(range(15))) == bytes.fromhex("e545be4961ca29a1")
    paper = read_paper()
    computed = compute(paper)
    print(f"1..{len(computed)}")
    failed = 0
    for i, (name, value) in enumerate(computed.items(), 1):
        good = paper.get(name) == value
        failed += not good
        print(f"{'ok' if good else 'not ok'} {i} - the paper's {name} follows from its inputs")
        if not good:
            print(f"# computed {value.hex()}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
