#!/usr/bin/python3
"""The status line on a real terminal (tmux's): one row at any width, also while the width changes; and none of it where
it does not belong."""
import os
import re

from harness import client, process, sound, tap
from harness.daemon import Daemon
from harness.terminal import Terminal


class Scene:
    pass


class Tmux:
    """A program on a terminal whose width can be changed; rows() is what stands on it."""

    def __init__(self, argv, env):
        self.socket = os.path.join(process.folder(), "t")
        self.server = process.Child(["tmux", "-f", "/dev/null", "-S", self.socket, "-D"], "tmux", env=env)
        process.wait_until(lambda: os.path.exists(self.socket), "tmux's socket")
        self("new-session", "-d", "-x", "120", "-y", "24", *argv)
        self("set-option", "-g", "window-size", "manual")
        self("set-option", "-g", "remain-on-exit", "on")

    def __call__(self, *words):
        code, out, err = process.run(["tmux", "-S", self.socket, *words])
        if code:
            raise RuntimeError(f"tmux {words}: {err}")
        return out

    def resize(self, columns):
        self("resize-window", "-x", str(columns), "-y", "24")

    def rows(self, joined=False):
        """The rows that are not empty; with `joined`, those that the terminal has broken in two are one again."""
        out = self("capture-pane", "-p", "-S", "-200", *(["-J"] if joined else []))
        return [row.rstrip() for row in out.split("\n") if row.strip()]

    def wait_for_last(self, pattern):
        def look():
            rows = self.rows()
            return rows if rows and re.match(pattern, rows[-1]) else None

        return process.wait_until(look, f"the last row to be like {pattern!r}")


def setup():
    s = Scene()
    s.daemon = Daemon()
    s.link = s.daemon.room(title="Caffè 日本")
    s.anna = client.speak(s.daemon.invite("speaker"), "anna", sound.keep(sound.babble("en", 10), "voice"), "--loop")
    s.daemon.wait_in_mix("anna")
    s.key = f"{process.folder()}/key"
    s.argv = [process.program("salotto"), "listen", s.link, "--handle", "dora", "--identity", s.key, "--output",
              f"{process.folder()}/heard.wav"]
    s.env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": process.folder(), "TERM": "xterm"}
    return s


def resize_through(s, t):
    """What is wrong after some change of width, or None."""
    t.wait_for_last(r"piazza \| anna speaks \| .*q: leave")
    for columns in (60, 25, 9, 2, 1, 12, 40, 7, 120):
        t.resize(columns)
        if columns > 2:
            t.wait_for_last("piazza"[: columns - 2] + (".*…$" if columns < 70 else ""))
        if columns > 30:
            rows = t.rows(joined=True)
            if not rows[-2].startswith("in piazza (Caffè 日本)"):
                return f"at {columns} columns the message is not above it: {rows}"
            if not all(re.fullmatch("1[0-9]{2}", row) for row in rows[:-2]):
                return f"at {columns} columns something is left behind: {rows}"
    return None


@tap.check("it is one row at any width, and leaves nothing behind when the width changes")
def _(s):
    # A client that a busy machine keeps waiting sees two changes as one, and cannot know where the first has left it.
    for _ in range(4):
        # Below other things, as on any terminal in use: tmux loses a cursor above empty rows when it breaks lines.
        t = Tmux(["sh", "-c", 'seq 100 130; exec "$@"', "sh", *s.argv], s.env)
        wrong = resize_through(s, t)
        t("send-keys", "q")
        process.wait_until(lambda: "dora" not in s.daemon.who(), "dora to have left")
        rows = t.rows(joined=True)
        t("kill-server")
        t.server.wait()
        tap.true(not any("piazza |" in row for row in rows), f"it is gone at the end: {rows}")
        if wrong is None:
            return
        tap.diag(f"once more: {wrong}")
    tap.fail(wrong)


def on_terminal(s, argv=None, **env):
    t = Terminal(argv or s.argv, {**s.env, **env})
    t.wait_for("in piazza")
    process.wait_until(lambda: "dora" in s.daemon.who(), "dora to be there")
    return t


def leave(s, t):
    t.type(b"q")
    process.wait_until(t.ended, "dora to leave")
    process.wait_until(lambda: "dora" not in s.daemon.who(), "dora to have left")
    tap.equal(t.code, 0, "exit code")


@tap.check("NO_COLOR is obeyed, and TERM=dumb gets neither colours nor a status line")
def _(s):
    argv = [s.argv[0], "speak", s.daemon.invite("speaker"), *s.argv[3:]]
    argv += ["--input", sound.keep(sound.silence(30), "silence")]
    coloured = re.compile(r"\x1b\[[0-9;]+m")
    t = on_terminal(s, argv)
    t.wait_for("you: \x1b\\[31m")
    leave(s, t)
    t = on_terminal(s, argv, NO_COLOR="1")
    t.wait_for("you: (LIVE|on stage)")
    leave(s, t)
    tap.true(not coloured.search(t.text), f"no colours with NO_COLOR: {t.text!r}")
    t = on_terminal(s, argv, TERM="dumb")
    t.wait_for("may be heard now")
    leave(s, t)
    tap.true("\x1b" not in t.text and "piazza |" not in t.text, f"nothing but messages: {t.text!r}")


@tap.check("it is there whatever the locale, or none")
def _(s):
    for locale in ("C", "xx_YY.ISO-8859-1", ""):
        t = on_terminal(s, LANG=locale, LC_ALL=locale)
        t.wait_for(r"in piazza \(Caffè 日本\)")
        t.wait_for(r"piazza \| anna speaks")
        leave(s, t)


@tap.check("pipes get messages alone")
def _(s):
    code, out, err = process.run(s.argv + ["--seconds", "1"], env=s.env)
    tap.equal(code, 0, f"exit code {err}")
    tap.equal(out, "", "standard output")
    tap.true("\x1b" not in err and "\r" not in err and " | " not in err, f"no status line: {err!r}")
    tap.true("in piazza" in err, f"the message is there: {err!r}")


tap.main(setup)
