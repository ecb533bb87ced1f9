"""Keys, ciphers and the Noise handshake of net/PROTOCOL.md, on libsodium's primitives through ctypes."""
import ctypes
import ctypes.util
import hashlib
import hmac
import os
import struct

_sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
if _sodium.sodium_init() < 0:
    raise RuntimeError("libsodium does not start")
_ull = ctypes.c_ulonglong


def _nonce(counter):
    return bytes(4) + struct.pack("<Q", counter)


def aead_seal(key, counter, text, data):
    out = ctypes.create_string_buffer(len(text) + 16)
    _sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        out, None, text, _ull(len(text)), data, _ull(len(data)), None, _nonce(counter), key
    )
    return out.raw


def aead_open(key, counter, sealed, data):
    """None when it is not authentic."""
    if len(sealed) < 16:
        return None
    out = ctypes.create_string_buffer(max(len(sealed) - 16, 1))
    bad = _sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
        out, None, None, sealed, _ull(len(sealed)), data, _ull(len(data)), _nonce(counter), key
    )
    return None if bad else out.raw[: len(sealed) - 16]


def chacha20(key, counter, text):
    out = ctypes.create_string_buffer(max(len(text), 1))
    _sodium.crypto_stream_chacha20_ietf_xor_ic(out, text, _ull(len(text)), _nonce(counter), ctypes.c_uint32(0), key)
    return out.raw[: len(text)]


def siphash(key, text):
    out = ctypes.create_string_buffer(8)
    _sodium.crypto_shorthash(out, text, _ull(len(text)), key)
    return out.raw


def x25519(private, public):
    out = ctypes.create_string_buffer(32)
    if _sodium.crypto_scalarmult_curve25519(out, private, public):
        raise RuntimeError("a degenerate public key")
    return out.raw


def x25519_public(private):
    out = ctypes.create_string_buffer(32)
    _sodium.crypto_scalarmult_curve25519_base(out, private)
    return out.raw


def x25519_of(ed25519_public):
    out = ctypes.create_string_buffer(32)
    if _sodium.crypto_sign_ed25519_pk_to_curve25519(out, ed25519_public):
        raise RuntimeError("no Ed25519 key")
    return out.raw


def hkdf_expand(prk, info, length):
    """HKDF-Expand of RFC 5869; one block is enough."""
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()[:length]


class Identity:
    def __init__(self):
        public, secret, private = (ctypes.create_string_buffer(n) for n in (32, 64, 32))
        _sodium.crypto_sign_seed_keypair(public, secret, os.urandom(32))
        _sodium.crypto_sign_ed25519_sk_to_curve25519(private, secret)
        self.public, self.noise_private = public.raw, private.raw


class Handshake:
    """Noise_IK_25519_ChaChaPoly_SHA256, the initiator's side (Noise revision 34)."""

    def __init__(self, me, server_key, prologue):
        self.me = me
        self.rs = x25519_of(server_key)
        self.h = self.ck = b"Noise_IK_25519_ChaChaPoly_SHA256"
        self.k, self.n = None, 0
        self.mix_hash(prologue)
        self.mix_hash(self.rs)

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key(self, ikm):
        self.ck, self.k = self.hkdf(ikm)
        self.n = 0

    def hkdf(self, ikm):
        prk = hmac.new(self.ck, ikm, hashlib.sha256).digest()
        one = hmac.new(prk, b"\x01", hashlib.sha256).digest()
        return one, hmac.new(prk, one + b"\x02", hashlib.sha256).digest()

    def seal(self, text):
        sealed = aead_seal(self.k, self.n, text, self.h)
        self.n += 1
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed):
        text = aead_open(self.k, self.n, sealed, self.h)
        if text is None:
            raise RuntimeError("the handshake does not decrypt")
        self.n += 1
        self.mix_hash(sealed)
        return text

    def message_1(self):
        self.e = os.urandom(32)
        public = x25519_public(self.e)
        self.mix_hash(public)
        self.mix_key(x25519(self.e, self.rs))
        static = self.seal(x25519_public(self.me.noise_private))
        self.mix_key(x25519(self.me.noise_private, self.rs))
        return public + static + self.seal(self.me.public)

    def message_2(self, message):
        re_ = message[:32]
        self.mix_hash(re_)
        self.mix_key(x25519(self.e, re_))
        self.mix_key(x25519(self.me.noise_private, re_))
        if self.open(message[32:]) != b"":
            raise RuntimeError("the payload of message 2 is not empty")

    def finish(self):
        """(key up, key down of the control channel, media keys by name)"""
        up, down = self.hkdf(b"")
        prk = hmac.new(self.ck, self.h, hashlib.sha256).digest()
        media = {name: hkdf_expand(prk, b"salotto " + name.encode(), 16 if name == "tag" else 32)
                 for name in ("up", "down", "own", "tag")}
        return up, down, media
