#!/usr/bin/python3
"""What `make install` puts where, and that systemd understands it."""
import os
import re
import stat

from harness import process, tap


class Scene:
    pass


def make(*options):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    code, out, err = process.run(["make", "install", f"BUILD={process.BUILD}", *options], patience=200, env=env)
    if code:
        raise RuntimeError(f"make install {options}: {out} {err}")


def setup():
    s = Scene()
    s.staged = process.folder()
    make(f"DESTDIR={s.staged}", "PREFIX=/usr")
    s.real = process.folder()
    make(f"PREFIX={s.real}/usr", f"SYSCONFDIR={s.real}/etc")
    return s


@tap.check("make install lays programs, unit, user, folders and configuration under DESTDIR and PREFIX")
def _(s):
    found = {os.path.relpath(os.path.join(d, f), s.staged) for d, _, files in os.walk(s.staged) for f in files}
    for path in (
        "usr/bin/salottod",
        "usr/bin/salotto",
        "usr/bin/salottoctl",
        "usr/lib/systemd/system/salottod.service",
        "usr/lib/sysusers.d/salotto.conf",
        "usr/lib/tmpfiles.d/salotto.conf",
        "etc/salotto/salottod.conf",
        "usr/share/man/man1/salotto.1",
        "usr/share/man/man1/salottoctl.1",
        "usr/share/man/man5/salottod.conf.5",
        "usr/share/man/man7/salotto.7",
        "usr/share/man/man8/salottod.8",
        "usr/share/bash-completion/completions/salotto",
        "usr/share/bash-completion/completions/salottod",
        "usr/share/bash-completion/completions/salottoctl",
        "usr/share/zsh/vendor-completions/_salotto",
    ):
        tap.true(path in found, f"{path} is there")
    tap.true(os.stat(f"{s.staged}/usr/bin/salottod").st_mode & stat.S_IXOTH, "salottod is executable")


@tap.check("the unit names the program and the configuration where they were installed")
def _(s):
    with open(f"{s.staged}/usr/lib/systemd/system/salottod.service") as f:
        text = f.read()
    tap.true("ExecStart=/usr/bin/salottod --config /etc/salotto/salottod.conf" in text, "ExecStart")
    tap.true(not re.search("@[A-Z]+@", text), "nothing is left to fill in")
    for line in ("Type=notify", "Restart=on-failure", "User=salotto"):
        tap.true(line in text, line)


@tap.check("systemd-analyze verify finds nothing wrong with the unit")
def _(s):
    unit = f"{s.real}/usr/lib/systemd/system/salottod.service"
    code, out, err = process.run(["systemd-analyze", "verify", "--man=no", unit])
    ours = [line for line in (out + err).splitlines() if "salotto" in line]
    tap.equal((code, ours), (0, []), "exit code and complaints")


@tap.check("systemd understands user and folders")
def _(s):
    for argv in (
        ["systemd-sysusers", "--dry-run", f"{s.real}/usr/lib/sysusers.d/salotto.conf"],
        ["systemd-tmpfiles", "--cat-config", f"{s.real}/usr/lib/tmpfiles.d/salotto.conf"],
    ):
        code, out, err = process.run(argv)
        tap.equal(code, 0, f"exit code of {argv[0]} ({out.strip()} {err.strip()})")


@tap.check("the installed configuration is kept when it is installed again")
def _(s):
    path = f"{s.real}/etc/salotto/salottod.conf"
    with open(path, "a") as f:
        f.write("# mine\n")
    make(f"PREFIX={s.real}/usr", f"SYSCONFDIR={s.real}/etc")
    with open(path) as f:
        tap.true(f.read().endswith("# mine\n"), "my line is still there")


@tap.check("the installed programs say their version and their help")
def _(s):
    for name in ("salottod", "salotto", "salottoctl"):
        for option in ("--version", "--help"):
            code, out, err = process.run([f"{s.real}/usr/bin/{name}", option])
            tap.equal(code, 0, f"exit code of {name} {option} ({err.strip()})")
            tap.true(out.strip(), f"{name} {option} prints something")


tap.main(setup)
