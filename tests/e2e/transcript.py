#!/usr/bin/python3
"""The evening that README.md shows is the one that happens when its commands are typed.

Three people type it here: the operator on the server, anna with an invite, dora with the link. `make transcript` writes
what comes of it into README.md, between two marks; as a test the script compares. What differs from one evening to the
next is shown as what it stands for: KEY, TOKEN, no port, and a clock that begins at nine.
"""
import datetime
import difflib
import os
import re
import shlex
import sys

import numpy as np
from harness import process, sound, tap
from harness.daemon import Daemon

README = os.path.join(process.REPO, "README.md")
MARKS = ("<!-- What follows is written by `make transcript`. -->\n", "<!-- Up to here. -->\n")
HOST = "talk.example"
NINE = datetime.datetime(2026, 3, 6, 21, 0, 0)
WHEN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class Evening:
    def __init__(self):
        self.folder = process.folder()
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("LC_") and k not in ("LANGUAGE", "COLUMNS")},
            **dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), self.folder),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        config = self.keep("salottod.conf", f"public_host = {HOST}\n".encode())
        self.daemon = Daemon("--config", config, env=self.env)
        self.typed = {"salottoctl": [process.program("salottoctl"), "--state", self.daemon.state]}
        self.typed["talk.wav"] = [sound.keep(np.tile(sound.voice("en"), 3), "talk")]

    def keep(self, name, content):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
            f.write(content)
        return path

    def shown(self, text):
        """What the README shows of an output."""
        text = re.sub(rf"{HOST}:\d+", HOST, text)
        text = re.sub(r"\bk=[\w-]+", "k=KEY", text)
        text = re.sub(r"\btoken=[\w-]+", "token=TOKEN", text)
        minutes = iter(range(0, 600, 4))
        text = WHEN.sub(lambda _: str(NINE + datetime.timedelta(minutes=next(minutes))), text)
        return "".join(line.rstrip() + "\n" for line in text.splitlines())

    def operator(self, line, until=lambda out: True):
        """Types a line on the server, again until its output is as awaited: (what the README shows, the output)."""
        words = [w for word in shlex.split(line) for w in self.typed.get(word, [word])]

        def type_it():
            code, out, err = process.run(words, env=self.env)
            if code or err:
                raise RuntimeError(f"{line}: {code}: {err}")
            return (out,) if until(out) else None

        (out,) = process.wait_until(type_it, f"what `{line}` is to say", pause=0.2)
        return f"$ {line}\n{self.shown(out)}", out.strip()

    def person(self, name, line, *more):
        """The person's terminal, in which the line was typed."""
        words = [w for word in shlex.split(line) for w in self.typed.get(word, [word])]
        seed = self.keep(f"{name}.key", (name * 32).encode()[:32])
        words[0] = process.program(words[0])
        return process.Child([*words, *more, "--identity", seed], name, env=self.env)

    def link(self, real):
        """A link as it is typed in the README, after which it stands for the real one."""
        shown = self.shown(real).strip()
        self.typed[shown] = [real.replace(f"{HOST}:{self.daemon.port}", f"127.0.0.1:{self.daemon.port}")]
        return f"'{shown}'"


def block(*typed):
    return "```console\n" + "".join(typed) + "```\n"


def evening():
    """The whole of it as Markdown, and who has to end how."""
    e = Evening()
    server = [e.operator('salottoctl room create piazza --title "Open Friday"')[0]]
    text, out = e.operator("salottoctl link piazza")
    server.append(text)
    link = e.link(out)
    text, out = e.operator("salottoctl invite piazza --role speaker")
    server.append(text)
    invite = e.link(out)

    listen = f"salotto listen {link} --handle dora"
    speak = f"salotto speak {invite} --handle anna --input talk.wav"
    dora = e.person("dora", listen, "--output", os.path.join(e.folder, "dora.wav"))
    process.wait_until(lambda: "in piazza" in dora.err(), "dora to be in")
    anna = e.person("anna", speak, "--output", os.path.join(e.folder, "anna.wav"))

    server.append(e.operator("salottoctl who piazza", lambda out: "speaking" in out)[0])
    server.append(e.operator('salottoctl mute piazza anna --why "echo"')[0])
    server.append(e.operator("salottoctl who piazza")[0])
    server.append(e.operator("salottoctl unmute piazza anna")[0])
    server.append(e.operator('salottoctl room end piazza --why "thank you all"')[0])
    ends = {person.name: person.wait() for person in (dora, anna)}
    server.append(e.operator("salottoctl log piazza")[0])

    def terminal(line, person):
        return block(f"$ {line}\n", e.shown(person.err()))

    text = "\n".join(
        (
            "On the server, somebody opens a room:\n",
            block(*server),
            "Meanwhile dora listens, with the link that everybody has:\n",
            terminal(listen, dora),
            "And anna speaks, with the invite that she was sent (here from a sound file):\n",
            terminal(speak, anna),
        )
    )
    return text, ends


def parts():
    """README.md: what stands before the marks, between them, and behind."""
    with open(README) as f:
        before, rest = f.read().split(MARKS[0])
    between, behind = rest.split(MARKS[1])
    return before + MARKS[0], between, MARKS[1] + behind


@tap.check("the evening that README.md shows is the one that happens")
def _(s):
    text, ends = evening()
    tap.equal(ends, {"dora": 9, "anna": 9}, "exit codes: the room ended")
    _, between, _ = parts()
    difference = difflib.unified_diff(between.splitlines(), text.splitlines(), "README.md", "now", lineterm="")
    tap.equal("\n".join(difference), "", "what `make transcript` would change")


if sys.argv[1:] == ["--write"]:
    happened = evening()[0]
    start, _, end = parts()
    with open(README, "w") as f:
        f.write(start + happened + end)
else:
    tap.main()
