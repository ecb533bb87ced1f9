#!/usr/bin/python3
"""Tab in an interactive bash and zsh: commands, options, rooms and people, asked from a real daemon."""
import json
import os
import re
import shutil
import signal
import socket
import struct
import threading

from harness import client, process, tap
from harness.daemon import Daemon
from harness.terminal import Terminal

BASH = r"""
PS1='ready> ' HISTFILE=
bind 'set enable-bracketed-paste off' 'set bell-style none' 'set completion-query-items 0' 'set page-completions off'
__dump() { printf '%s\0' "$READLINE_LINE" >>"$DUMP"; echo '<taken>'; READLINE_LINE= READLINE_POINT=0; }
bind -x '"\C-xd": __dump'
"""
BASH_HERE = ". etc/completion/salotto.bash\n"
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
ZSH = r"""
PS1='ready> ' HISTFILE= LISTMAX=1000
unsetopt zle_bracketed_paste beep prompt_sp prompt_cr 2>/dev/null
unset zle_bracketed_paste
autoload -Uz compinit && compinit -u -d "$DUMP.compdump"
__dump() { printf '%s\0' "$BUFFER" >>"$DUMP"; BUFFER=; zle -I; echo '<taken>'; }
zle -N __dump
bindkey -e
bindkey '\C-xd' __dump
setopt no_auto_menu
"""
ZSH_HERE = "fpath=($PWD/etc/completion $fpath)\n"


TRIES = 10


class Shell:
    """An interactive shell with our completion: ours of the source tree, or what `first` in its rc file makes it find.
    line() is what stands on the command line after the keys."""

    def __init__(self, name, first=None, **more):
        self.name = name
        first = first or (BASH_HERE if name == "bash" else ZSH_HERE)
        self.home = process.folder()
        self.dump = os.path.join(self.home, "lines")
        rc = os.path.join(self.home, ".bashrc" if name == "bash" else ".zshrc")
        with open(rc, "w") as f:
            f.write(first + (BASH if name == "bash" else ZSH))
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("BASH", "ZSH", "ZDOTDIR", "XDG", "INPUTRC"))}
        path = f"{process.BUILD}/bin:{os.environ['PATH']}"
        env = dict(keep, HOME=self.home, ZDOTDIR=self.home, DUMP=self.dump, PATH=path, TERM="dumb", LC_ALL="C.UTF-8")
        env.update(more)
        argv = ["bash", "--noprofile", "--rcfile", rc, "-i"] if name == "bash" else ["zsh", "-o", "no_global_rcs", "-i"]
        self.terminal = Terminal(argv, env=env)
        self.terminal.wait_for("ready> ")
        self.count = 0
        self.said = ""

    def line(self, keys):
        """Types, waits until the shell has taken all of it, and returns the line, which is empty again afterwards."""
        before = len(self.terminal.text)
        self.terminal.type(keys.encode() + b"\x18d")
        self.count += 1

        def taken():
            if self.terminal.ended():
                raise RuntimeError(f"{self.name} ended:\n{self.terminal.text}")
            return self.terminal.text.count("<taken>") == self.count

        process.wait_until(taken, f"{self.name} to take {keys!r}", pause=0.01)
        self.said = self.terminal.text[before:]
        with open(self.dump) as f:
            return f.read().split("\0")[self.count - 1]

    def completed(self, keys, line):
        """line(keys), tried again while nothing is completed at all: a program says nothing after two seconds, which a
        busy machine may take."""
        typed = keys.replace("\t", "")
        tries = 1
        got = self.line(keys)
        while got == typed != line and tries < TRIES:
            tries += 1
            got = self.line(keys)
        if tries > 1:
            tap.diag(f"{tries} tries of {keys!r}")
        return got

    def offers(self, keys, wanted):
        """The words that are listed for the keys and Tab (twice in bash), until `wanted` are among them, or for good."""
        for _ in range(TRIES):
            self.line(keys + ("\t\t" if self.name == "bash" else "\t"))
            offered = set(self.said.split()) - set(keys.split())
            if wanted <= offered:
                break
        return offered


class Scene:
    pass


class Liar:
    """A daemon that offers what no daemon should."""

    def __init__(self, words):
        self.folder = process.folder()
        self.words = words
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.folder, "control.sock"))
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            with self.listener.accept()[0] as s, s.makefile("rb") as f:
                (length, _) = struct.unpack(">HB", f.read(3))
                request = json.loads(f.read(length - 1))
                answer = {"id": request["id"], "ok": True, "data": [[w, "a\tlie\n\x1b[31m"] for w in self.words]}
                text = json.dumps(answer).encode()
                s.sendall(struct.pack(">HB", len(text) + 1, 1) + text)
                f.read()


def setup():
    s = Scene()
    s.shells = [Shell("bash"), Shell("zsh")]
    s.daemon = Daemon()
    s.state = s.daemon.state
    s.link = s.daemon.room("piazza", title='Open "Friday" $(x) it\'s `y`')
    s.daemon.room("teatro")
    s.daemon.room("forum")
    s.daemon.ctl("room", "end", "forum")
    s.people = [client.listen(s.link, handle).joined() for handle in ("anna", "bruno", "brigitta")]
    s.daemon.ctl("promote", "piazza", "anna")
    s.ctl = f"salottoctl --state {s.state}"
    return s


def both(s, keys, line, what):
    for shell in s.shells:
        tap.equal(shell.completed(keys, line), line, f"{what} in {shell.name}")


@tap.check("Tab completes commands, also those of two words")
def _(s):
    both(s, f"{s.ctl} unm\t", f"{s.ctl} unmute ", "unm")
    both(s, f"{s.ctl} roo\tcr\t", f"{s.ctl} room create ", "roo, cr")
    both(s, f"{s.ctl} help inv\t", f"{s.ctl} help invite ", "help inv")
    for shell in s.shells:
        wanted = {"mute", "promote", "who", "room"}
        offered = shell.offers(f"{s.ctl} ", wanted)
        tap.true(wanted <= offered, f"commands are listed by {shell.name}: {offered}")
        tap.true("complete" not in offered, "the shell's own command is not")


@tap.check("Tab completes rooms that there are")
def _(s):
    both(s, f"{s.ctl} who pi\t", f"{s.ctl} who piazza ", "pi")
    for shell in s.shells:
        wanted = {"piazza", "teatro"}
        offered = shell.offers(f"{s.ctl} who ", wanted)
        tap.true(wanted <= offered and "forum" not in offered, f"rooms in {shell.name}: {offered}")


@tap.check("Tab completes a file of one's own where a command writes one")
def _(s):
    both(s, f"{s.ctl} backup /etc/passw\t", f"{s.ctl} backup /etc/passwd", "/etc/passw")


@tap.check("Tab offers room create the rooms that have ended")
def _(s):
    both(s, f"{s.ctl} room create \t", f"{s.ctl} room create forum ", "the only one")


@tap.check("Tab completes handles of those who are there")
def _(s):
    both(s, f"{s.ctl} mute piazza an\t", f"{s.ctl} mute piazza anna ", "an")
    both(s, f"{s.ctl} mute piazza bri\t", f"{s.ctl} mute piazza brigitta ", "bri")
    both(s, f"{s.ctl} kick piazza b\t", f"{s.ctl} kick piazza br", "what bruno and brigitta have in common")
    for shell in s.shells:
        wanted = {"bruno", "brigitta"}
        offered = shell.offers(f"{s.ctl} mute piazza br", wanted)
        tap.true(wanted <= offered and "anna" not in offered, f"people in {shell.name}: {offered}")


@tap.check("Tab offers unban those who are banned")
def _(s):
    s.daemon.ctl("ban", "piazza", "bruno")
    both(s, f"{s.ctl} unban piazza \t", f"{s.ctl} unban piazza bruno ", "the only one")
    both(s, f"{s.ctl} kick piazza bru\t", f"{s.ctl} kick piazza bru", "who is not there")


@tap.check("Tab completes options and their values, in both ways of writing them")
def _(s):
    both(s, f"{s.ctl} mute piazza --all --ma\t", f"{s.ctl} mute piazza --all --may-unmute ", "--ma")
    both(s, f"{s.ctl} mute piazza anna --al\t", f"{s.ctl} mute piazza anna --al", "--all beside a person")
    both(s, f"{s.ctl} promote piazza anna --to mo\t", f"{s.ctl} promote piazza anna --to moderator ", "--to mo")
    both(s, f"{s.ctl} promote piazza anna --to=mo\t", f"{s.ctl} promote piazza anna --to=moderator ", "--to=mo")
    both(s, f"{s.ctl} who piazza --js\t", f"{s.ctl} who piazza --json ", "an option of salottoctl itself")
    both(s, "salottoctl --ser\t", "salottoctl --server ", "an option before any command")
    both(s, "salottod --check\t", "salottod --check-config ", "salottod")
    both(s, "salotto listen x --ti\tst\t", "salotto listen x --tier standard ", "salotto")
    both(s, "salotto sp\t", "salotto speak ", "a command of salotto")


@tap.check("Tab knows words by what they say, however they are quoted, and goes by the cursor")
def _(s):
    both(s, f"{s.ctl} promote 'piazza' \"anna\" --why 'a = b: c' --t\t",
         f"{s.ctl} promote 'piazza' \"anna\" --why 'a = b: c' --to ", "quoted words before")
    both(s, f"{s.ctl} who te\\a\t", f"{s.ctl} who teatro ", "an escaped letter")
    for shell in s.shells:
        for _ in range(TRIES):
            line = shell.line(f"{s.ctl} who pi --json" + "\x02" * len(" --json") + "\t")
            if "pi " not in line:
                break
        tap.equal(line.split(), f"{s.ctl} who piazza --json".split(), f"a word in the middle in {shell.name}")


@tap.check("Tab completes files and folders where a file or a folder is asked for")
def _(s):
    for shell in s.shells:
        folder = os.path.join(shell.home, "far away")
        os.mkdir(folder)
        with open(os.path.join(folder, "my talk.wav"), "w"):
            pass
        start = f"{shell.home}/far\\ away/my"
        for keys, line in (
            (f"salotto speak x --input {start}", f"salotto speak x --input {start}\\ talk.wav "),
            (f"salotto speak x --input={start}", f"salotto speak x --input={start}\\ talk.wav "),
            (f"{s.ctl} backup {start}", f"{s.ctl} backup {start}\\ talk.wav "),
            (f"salottod --state {shell.home}/fa", f"salottod --state {shell.home}/far\\ away/"),
            (f"salottod --state {start}", f"salottod --state {start}"),  # a file is no folder
        ):
            tap.equal(shell.completed(keys + "\t", line), line, f"after {keys!r} in {shell.name}")


@tap.check("Tab asks a server afar, and leaves nothing behind: no key, no known server, no invite spent")
def _(s):
    invite = s.daemon.invite("moderator")
    for shell in s.shells:
        config = os.path.join(shell.home, ".config/salotto")
        ask = f"salottoctl --accept-new --server '{invite}' who pi"
        tap.equal(shell.line(ask + "\t"), ask, f"without an identity there is nobody to ask for {shell.name}")
        tap.true(not os.path.exists(config), "and none is made")
        os.makedirs(config)
        shutil.copy(s.people[0].identity, os.path.join(config, "identity"))
        tap.equal(shell.completed(ask + "\t", ask + "azza "), ask + "azza ", f"with one in {shell.name}")
        keyless = re.sub(r"\?.*", "", s.link)
        ask = f"salottoctl --accept-new --server {keyless} who pi"
        tap.equal(shell.line(ask + "\t"), ask, f"an unknown server in {shell.name}")
        tap.equal(os.listdir(config), ["identity"], "files there")
    bea = client.listen(invite, "bea").joined()
    tap.equal(s.daemon.who()["bea"]["role"], "moderator", "the role that the invite still gave")
    tap.equal(bea.leave(), 0, "exit code")


@tap.check("names from a server that lies are quoted, and control characters never reach the line")
def _(s):
    trap = os.path.join(process.folder(), "sprung")
    liar = Liar([f"x$(touch {trap})`touch {trap}`;touch {trap} '\"\\ :~", "x\x1b[31m", "x\nnext", "x\x7f"])
    for shell in s.shells:
        ctl = f"salottoctl --state {liar.folder} who "
        line = shell.completed(f"{ctl}x\t", None)
        tap.true(line.startswith(f"{ctl}x"), f"the line of {shell.name}: {line!r}")
        # The shell itself says what the line means.
        code, out, err = process.run([shell.name, "-c", f"printf '%s' {line[len(ctl):]}"])
        tap.equal((code, out, err), (0, liar.words[0], ""), f"the word that {shell.name} would run with")
    tap.true(not os.path.exists(trap), "nothing was run")


@tap.check("without a daemon Tab is silent, and with one that hangs it does not hang")
def _(s):
    for shell in s.shells:
        line = f"salottoctl --state {shell.home} who pi"
        tap.equal(shell.line(line + "\t"), line, f"{shell.name} without a daemon")
        tap.true("salottoctl:" not in shell.said and "no salottod" not in shell.said, f"{shell.name}: {shell.said!r}")
    os.kill(s.daemon.pid, signal.SIGSTOP)
    try:
        for shell in s.shells:
            line = f"{s.ctl} who pi"
            tap.equal(shell.line(line + "\t"), line, f"{shell.name} with a daemon that hangs")
            tap.true("salottoctl:" not in shell.said, f"{shell.name} says nothing: {shell.said!r}")
    finally:
        os.kill(s.daemon.pid, signal.SIGCONT)


@tap.check("installed, it is found by bash-completion and zsh, also behind sudo")
def _(s):
    prefix = f"{process.folder()}/usr"
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    make = ["make", "install", f"BUILD={process.BUILD}", f"PREFIX={prefix}", f"SYSCONFDIR={prefix}/etc"]
    code, out, err = process.run(make, patience=200, env=env)
    tap.equal(code, 0, f"exit code of make install ({err})")
    shells = [Shell("zsh", f"fpath=({prefix}/share/zsh/site-functions $fpath)\n")]
    if os.path.exists(BASH_COMPLETION):
        shells.append(Shell("bash", f". {BASH_COMPLETION}\n", XDG_DATA_DIRS=f"{prefix}/share:/usr/share"))
    else:
        tap.diag("the package bash-completion is not here to be tried with")
    for shell in shells:
        for keys, line in (
            (f"{s.ctl} who pi", f"{s.ctl} who piazza "),
            (f"sudo {s.ctl} who pi", f"sudo {s.ctl} who piazza "),
            (f"true; {prefix}/bin/{s.ctl} who pi", f"true; {prefix}/bin/{s.ctl} who piazza "),
            ("salottod --che", "salottod --check-config "),
            ("salotto li", "salotto listen "),
        ):
            tap.equal(shell.completed(keys + "\t", line), line, f"after {keys!r} in {shell.name}")


@tap.check("where more than 500 would do none is offered, since a shell would take a part for all")
def _(s):
    operator = s.daemon.operator()
    for number in operator.send_all(*(("room", "create", f"hall-{n}") for n in range(501))):
        tap.true(operator.answer(number)["ok"], "one more room")
    both(s, f"{s.ctl} who ha\t", f"{s.ctl} who ha", "501 rooms")
    both(s, f"{s.ctl} who hall-500\t", f"{s.ctl} who hall-500 ", "one of them")
    both(s, f"{s.ctl} who pi\t", f"{s.ctl} who piazza ", "another one")


tap.main(setup)
