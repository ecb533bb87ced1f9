"""Packets of an Ogg file (RFC 3533), enough to look at what an Ogg/Opus file holds."""
import struct


def packets(path):
    """All packets of the file's one stream, in order, the two headers of Opus (RFC 7845) among them."""
    with open(path, "rb") as f:
        data = f.read()
    found = []
    rest = b""
    at = 0
    while at < len(data):
        if data[at : at + 4] != b"OggS":
            raise RuntimeError(f"{path}: no page at byte {at}")
        count = data[at + 26]
        table = data[at + 27 : at + 27 + count]
        at += 27 + count
        for size in table:
            rest += data[at : at + size]
            at += size
            if size < 255:
                found.append(rest)
                rest = b""
    return found


def opus(path):
    """The Opus packets alone."""
    all_ = packets(path)
    if not all_ or not all_[0].startswith(b"OpusHead") or not all_[1].startswith(b"OpusTags"):
        raise RuntimeError(f"{path} is no Ogg/Opus file")
    return all_[2:]


def pre_skip(path):
    return struct.unpack_from("<H", packets(path)[0], 10)[0]
