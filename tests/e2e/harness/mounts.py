"""File systems that are small, or read only, seen by this test and its children alone: in a mount namespace."""
import ctypes
import errno
import os
import subprocess

from . import process

_NEWNS, _NEWUSER = 0x00020000, 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


def own():
    """From here on what is mounted concerns nobody else. False where that is not allowed. Before any thread starts."""
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_NEWNS | (_NEWUSER if user else 0)) != 0:
        return False
    if user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as f:
                f.write(text)
    _mount("--make-rprivate", "/")
    return True


def _mount(*words):
    subprocess.run(["mount", *words], check=True)


def small(kib):
    """A folder on a disk of that size."""
    path = os.path.join(process.folder(), "disk")
    os.mkdir(path)
    _mount("-t", "tmpfs", "-o", f"size={kib}k,mode=700", "salotto-test", path)
    process.at_end(lambda: subprocess.run(["umount", "--lazy", path], check=True))
    return path


def read_only(path):
    """Makes a folder or a file read only to whoever opens it from now on."""
    _mount("--bind", path, path)
    _mount("-o", "remount,bind,ro", path)
    process.at_end(lambda: subprocess.run(["umount", "--lazy", path], check=True))


def fill(folder):
    """Takes what is left of the disk, to the last byte. Returns the file that holds it."""
    path = os.path.join(folder, "filling")
    with open(path, "wb", buffering=0) as f:
        size = 65536
        while size:
            try:
                f.write(b"x" * size)
            except OSError as e:
                if e.errno != errno.ENOSPC:
                    raise
                size //= 2
    return path
