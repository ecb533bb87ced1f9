#!/usr/bin/python3
"""The manual pages and the help texts: well formed, complete, and of one mind with the programs."""
import glob
import os
import re

from harness import process, tap
from harness.daemon import Daemon

PAGES = sorted(glob.glob(f"{process.BUILD}/man/*.[0-9]"))
# Style notes of other systems: our pages name the version, and refer to each other before they are installed.
NOT_OURS = ("referenced manual not found", "operating system explicitly specified")
# Where each program's parser has its options.
PARSERS = {
    "salottod": ("tools/salottod/main.c", r'\{"([a-z-]+)", (?:no|required)_argument'),
    "salotto": ("tools/salotto/args.c", r'"--([a-z-]+)"'),
    "salottoctl": ("tools/salottoctl/args.c", r'"--([a-z-]+)"'),
}
PAGE_OF = {"salottod": "salottod.8", "salotto": "salotto.1", "salottoctl": "salottoctl.1"}


class Scene:
    pass


def setup():
    s = Scene()
    s.ctl = Daemon().ctl
    s.commands = s.ctl.json("help")
    return s


def read(path):
    with open(os.path.join(process.REPO, path)) as f:
        return f.read()


def rendered(page):
    """As a reader sees it, without overstriking, all blanks alike."""
    code, out, err = process.run(["mandoc", "-T", "ascii", "-O", "width=200", f"{process.BUILD}/man/{page}"])
    tap.equal(code, 0, f"exit code of mandoc on {page} ({err})")
    return re.sub(r"\s+", " ", re.sub(".\b", "", out))


def output(*argv, language=None):
    env = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_MESSAGES")}
    env.update(LANGUAGE=language or "en", LANG=f"{language or 'en'}.UTF-8")
    code, out, err = process.run([process.program(argv[0]), *argv[1:]], env=env)
    tap.equal(code, 0, f"exit code of {' '.join(argv)} ({err})")
    return out


@tap.check("mandoc finds nothing to complain of in any page")
def _(s):
    names = [os.path.basename(p) for p in PAGES]
    tap.equal(names, ["salotto.1", "salotto.7", "salottoctl.1", "salottod.8", "salottod.conf.5"], "pages")
    for page in PAGES:
        code, out, err = process.run(["mandoc", "-T", "lint", page])
        tap.true(code <= 2, f"mandoc ran on {page} ({err})")
        found = [line for line in out.splitlines() if not any(n in line for n in NOT_OURS)]
        tap.equal(found, [], f"complaints about {page}")
        with open(page) as f:
            tap.true(not re.search("@[A-Z_]+@", f.read()), f"nothing is left to fill in in {page}")


@tap.check("the pages refer to each other by names and sections that there are")
def _(s):
    for page in PAGES:
        with open(page) as f:
            for name, section in re.findall(r"^\.Xr (salotto\S*) (\d)", f.read(), re.M):
                tap.true(f"{process.BUILD}/man/{name}.{section}" in PAGES, f"{name}({section}), named by {page}")


@tap.check("every page says what its readers look for")
def _(s):
    for page in PAGES:
        with open(page) as f:
            sections = re.findall(r"^\.Sh (.*)", f.read(), re.M)
        tap.equal(len(set(sections)), len(sections), f"sections of {page}, each once")
        wanted = ["NAME", "DESCRIPTION", "EXAMPLES", "SEE ALSO"]
        if page.endswith((".1", ".8")):
            wanted += ["SYNOPSIS", "ENVIRONMENT", "FILES", "EXIT STATUS"]
        tap.equal(set(wanted) - set(sections), set(), f"sections missing in {page}")


@tap.check("every command stands in salottoctl(1), with its usage, what it does and an example")
def _(s):
    page = rendered("salottoctl.1")
    with open(f"{process.BUILD}/man/salottoctl.1") as f:
        entries = re.findall(r"^\.It Ic ([a-z -]+?)(?: [A-Z]|$)", f.read(), re.M)
    tap.equal(sorted(entries), sorted(c["name"] for c in s.commands), "commands in the page")
    for c in s.commands:
        usage = c["usage"].replace("|", " | ")
        tap.true(usage in page, f"usage: {usage}")
        help_ = re.sub(r"\s+", " ", c["help"])
        tap.true(help_[0].upper() + help_[1:] + "." in page, f"what {c['name']} does: {help_}")
        tap.true(c["example"] in page, f"example: {c['example']}")
    tap.true("complete" not in entries, "what is hidden from help is hidden here")


@tap.check("help COMMAND explains every word and option in a line, and shows an example")
def _(s):
    for c in s.commands:
        text = s.ctl("help", *c["name"].split())
        tap.true(text.startswith(c["usage"] + "\n"), f"usage first:\n{text}")
        words = re.findall(r"--[a-z-]+|[A-Z]{2,}|up\|down|on\|off", c["usage"].replace("[--", "--"))
        values = set(re.findall(r"--[a-z-]+ ([A-Z]+)", c["usage"]))
        for word in set(words) - (values - {"ROOM", "PERSON"}):
            tap.true(re.search(rf"^    \[?{re.escape(word)}\]?( [A-Z]+)?  +\S", text, re.M), f"{word} in:\n{text}")
        tap.true(re.search(rf"^    example: .*{re.escape(c['example'])}$", text, re.M), f"example in:\n{text}")
        tap.true(all(len(line) <= 100 for line in text.splitlines()), f"lines of at most 100 columns:\n{text}")
        tap.equal(s.ctl(*c["name"].split(), "--help"), text, f"{c['name']} --help")


@tap.check("help on the first of two words lists the commands that begin with it")
def _(s):
    told = s.ctl("help", "room")
    for command in ("create", "list", "show", "end"):
        tap.true(re.search(rf"^room {command}", told, re.M), f"room {command} in:\n{told}")
    tap.true("mute" not in told, f"no other command in:\n{told}")
    code, out, err = s.ctl.try_("help", "roo")
    tap.true(code == 2 and "roo" in err, f"half a word is none: {err}")


def explained(program, *before, language=None):
    """The options that the help text explains, as completion offers them."""
    return set(re.findall(r"^--([a-z-]+)", output(program, "--complete", *before, "--", language=language), re.M))


@tap.check("every option of every program stands in its help and in its page, and is one")
def _(s):
    for program, (source, pattern) in PARSERS.items():
        parsed = set(re.findall(pattern, read(source)))
        tap.more(len(parsed), 5, f"options in the parser of {program}")
        page = re.findall(r"^\.It Fl -([a-z-]+)", read(f"etc/man/{PAGE_OF[program]}"), re.M)
        tap.equal(sorted(page), sorted(parsed), f"options in the page of {program}")
        if program == "salotto":
            told = {"help", "version"}.union(*(explained(program, c) for c in ("listen", "speak", "devices", "id")))
            tap.equal(explained(program, "id"), {"identity", "json"}, "options in the help of salotto id")
        else:
            told = explained(program)
        tap.equal(told, parsed, f"options in the help of {program}")


@tap.check("every command of salotto stands in its help and in its page")
def _(s):
    told = set(re.findall(r"^([a-z]+)\t", output("salotto", "--complete", ""), re.M))
    page = set(re.findall(r"^\.It Ic ([a-z]{2,})", read("etc/man/salotto.1"), re.M))
    tap.equal(page, told, "commands in the page")
    for command in told - {"help"}:
        text = output("salotto", "help", command)
        tap.true(text.startswith(f"usage: salotto {command}") and "\nexample" in text, f"help on {command}:\n{text}")


@tap.check("in every language the help explains the same options and commands")
def _(s):
    for path in glob.glob(os.path.join(process.REPO, "etc/po/*.po")):
        language = os.path.basename(path)[: -len(".po")]
        for line in (["salottod"], ["salottoctl"], *(["salotto", c] for c in ("listen", "speak", "devices", "id"))):
            tap.equal(explained(*line, language=language), explained(*line), f"options of {line} in {language}")
        said = [output("salotto", "--complete", "", language=wish) for wish in (language, None)]
        tap.equal(*([line.split("\t")[0] for line in text.splitlines()] for text in said), f"commands in {language}")
        if said[0] == said[1]:
            tap.diag(f"the help of salotto is not translated into {language} yet")


@tap.check("every key of the configuration stands in salottod.conf(5) and in the file, with its default")
def _(s):
    path = os.path.join(process.folder(), "c.conf")
    with open(path, "w") as f:
        f.write("zzzzzzzz = 1\n")
    code, out, err = process.run([process.program("salottod"), "--config", path, "--check-config"])
    keys = set(re.search(r"the keys are ([a-z_, ]+)", err).group(1).split(", "))
    file = dict(re.findall(r"^# ([a-z_]+) = (.*)$", read("etc/salottod.conf"), re.M))
    tap.equal(set(file), keys, "keys in the file")
    entry = r"^\.It Ic (\S+)\n(?:(?!\.It).*\n)*?Default:\n\.Li (\S+)$"
    page = dict(re.findall(entry, read("etc/man/salottod.conf.5"), re.M))
    tap.equal(page, file, "keys and defaults in the page")


@tap.check("exit codes in pages and help texts are the same, and there are such")
def _(s):
    codes = set(re.findall(r"ERR_[A-Z_]+ = (\d+)", read("mixer/err.h")))
    for program, page in PAGE_OF.items():
        text = read(f"etc/man/{page}")
        told = re.findall(r"^\.It (\d+)$", text[text.index(".Sh EXIT STATUS") :], re.M)
        tap.true(set(told) <= codes and len(told) == len(set(told)), f"codes in {page}: {told}")
        if program != "salottod":
            help_ = output(program, "help" if program == "salotto" else "--help")
            said = re.findall(r"\b(\d+) [a-z]", help_[help_.index("Exit codes:") :].split("commands:")[0])
            tap.equal(told, said, f"codes of {program}, in page and help")


@tap.check("the version in the pages is the programs'")
def _(s):
    version = output("salottod", "--version").split()[1]
    for page in PAGES:
        with open(page) as f:
            tap.true(f'.Os "Salotto {version}"' in f.read(), f"{version} in {page}")


tap.main(setup)
