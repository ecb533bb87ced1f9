"""Children that never outlive a test, and folders that never outlive it either.

Every child leads a process group and dies with us even when we are killed; end_all() runs at every other exit.
"""
import atexit
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

REPO = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BUILD = os.path.join(REPO, os.environ.get("BUILD", "build"))
SPEECH = os.path.join(REPO, "build", "speech")
PATIENCE_S = 30.0  # how long any event may take: generous, so that only a fault exceeds it

_SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:")
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_children = []
_folders = []
_endings = []


def program(name):
    return os.path.join(BUILD, "bin", name)


def folder():
    """A folder for this test alone. Short, since it will hold a unix socket (108 bytes)."""
    path = tempfile.mkdtemp(prefix="salotto-", dir="/tmp")
    _folders.append(path)
    return path


def _in_child():
    os.setsid()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A running program. Its standard error is kept in a file, its output is read by on_line or kept as text."""

    def __init__(self, argv, name=None, env=None, stdin=subprocess.DEVNULL, on_line=None, stdout=subprocess.PIPE):
        self.name = name or os.path.basename(argv[0])
        self.argv = argv
        self.err_path = os.path.join(folder(), "err")
        self.lines = []
        self.changed = threading.Condition()
        self._on_line = on_line
        with open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                argv, stdin=stdin, stdout=stdout, stderr=err, cwd=REPO, env=env, preexec_fn=_in_child
            )
        self.pid = self.process.pid
        _children.append(self)
        self._reader = None
        if stdout == subprocess.PIPE:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()

    def _read(self):
        for raw in self.process.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            with self.changed:
                self.lines.append(line)
                if self._on_line:
                    self._on_line(line)
                self.changed.notify_all()
        with self.changed:
            self._reader = None
            self.changed.notify_all()

    def wait_for(self, condition, what, patience=PATIENCE_S):
        """Waits until condition() is true (looked at after each line of output), and returns what it gave."""
        deadline = time.monotonic() + patience
        with self.changed:
            while True:
                value = condition()
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{self.name}: waited {patience:g} s for {what}")
                if self._reader is None and self.process.poll() is not None:
                    raise RuntimeError(f"{self.name} ended with {self.process.returncode} before {what}: {self.err()}")
                self.changed.wait(min(left, 0.2))

    def is_running(self):
        return self.process.poll() is None

    def err(self):
        with open(self.err_path, errors="replace") as f:
            return f.read()

    def signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, patience=PATIENCE_S):
        """Its exit code, once it has ended by itself and its output is read."""
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name}: still running after {patience:g} s") from None
        reader = self._reader
        if reader:
            reader.join(patience)
        return code

    def kill(self):
        if self.process.poll() is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


def run(argv, patience=PATIENCE_S, env=None, stdin=None):
    """Runs a program to its end: (exit code, standard output, standard error)."""
    p = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPO,
        env=env,
        preexec_fn=_in_child,
    )
    try:
        out, err = p.communicate(stdin, timeout=patience)
    except BaseException as e:
        os.killpg(p.pid, signal.SIGKILL)
        out, err = p.communicate()
        if isinstance(e, subprocess.TimeoutExpired):
            raise TimeoutError(f"{argv} did not end within {patience:g} s: {out!r} {err!r}") from None
        raise
    return p.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def wait_until(condition, what, patience=PATIENCE_S, pause=0.05):
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience:g} s for {what}")
        time.sleep(pause)


def logs(lines=15):
    """The last lines of what each child said on standard error, for a failed test."""
    text = []
    for c in _children:
        said = c.err().splitlines() if os.path.exists(c.err_path) else []
        state = "running" if c.is_running() else f"ended with {c.process.returncode}"
        text.append(f"--- {c.name} ({state})")
        text += said[-lines:]
    return "\n".join(text)


def stop_all():
    """Ends the children as a person would, and returns what sanitizers have said in them."""
    for c in reversed(_children):
        c.signal(signal.SIGTERM)
    found = []
    for c in reversed(_children):
        try:
            c.wait(10)
        except TimeoutError as e:
            found.append(str(e))
        found += [f"{c.name}: {line}" for line in c.err().splitlines() if _SANITIZER.search(line)]
    return found


def at_end(function):
    """It is called when all children have ended, and the folders still are."""
    _endings.append(function)


def end_all():
    """Ends what still runs by force, and removes the folders."""
    for c in reversed(_children):
        try:
            c.kill()
        except OSError as e:
            print("#", c.name, e, file=sys.stderr)
    while _endings:
        _endings.pop()()
    for path in _folders:
        shutil.rmtree(path, ignore_errors=True)
    _children.clear()
    _folders.clear()


def _on_signal(number, _frame):
    end_all()
    os._exit(128 + number)


atexit.register(end_all)
signal.signal(signal.SIGTERM, _on_signal)
signal.signal(signal.SIGINT, _on_signal)
