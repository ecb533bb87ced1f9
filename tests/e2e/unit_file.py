#!/usr/bin/python3
"""What `make install` puts where and `make uninstall` takes away, and that systemd understands it."""
import json
import os
import re
import stat

from harness import process, tap


class Scene:
    pass


EXPOSURE_MAX = 1.6


def make(*options, target="install"):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    code, out, err = process.run(["make", target, f"BUILD={process.BUILD}", *options], patience=200, env=env)
    if code:
        raise RuntimeError(f"make {target} {options}: {out} {err}")
    return out


def files(folder):
    return {os.path.relpath(os.path.join(d, f), folder) for d, _, names in os.walk(folder) for f in names}


def setup():
    s = Scene()
    s.staged = process.folder()
    make(f"DESTDIR={s.staged}", "PREFIX=/usr")
    s.real = process.folder()
    make(f"PREFIX={s.real}/usr", f"SYSCONFDIR={s.real}/etc")
    return s


@tap.check("make install lays programs, unit, user, folders and configuration under DESTDIR and PREFIX")
def _(s):
    found = files(s.staged)
    for path in (
        "usr/bin/salottod",
        "usr/bin/salotto",
        "usr/bin/salottoctl",
        "usr/lib/systemd/system/salottod.service",
        "usr/lib/sysusers.d/salotto.conf",
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
    for line in ("Type=notify", "WatchdogSec=", "User=salotto", "StateDirectory=salotto", "RuntimeDirectory=salotto"):
        tap.true(line in text, line)


@tap.check("systemd-analyze verify finds nothing wrong with the unit")
def _(s):
    unit = f"{s.real}/usr/lib/systemd/system/salottod.service"
    code, out, err = process.run(["systemd-analyze", "verify", "--man=no", unit])
    ours = [line for line in (out + err).splitlines() if "salotto" in line]
    tap.equal((code, ours), (0, []), "exit code and complaints")


@tap.check("the sandbox leaves little exposed, and the unit says what each of it is for")
def _(s):
    unit = f"{s.real}/usr/lib/systemd/system/salottod.service"
    ask = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    _, out, err = process.run([*ask, "--json=short", unit])
    with open(unit) as f:
        said = "".join(line for line in f if line.startswith("#"))
    for finding in json.loads(out):
        if finding["exposure"]:
            # Such as "RestrictAddressFamilies=~AF_(INET|INET6)" or "RootDirectory=/RootImage=".
            words = re.findall(r"@?[A-Za-z_]{6,}[0-9]?|AF_[A-Z]+", finding["name"].replace("AF_(INET|INET6)", "AF_INET"))
            tap.true(any(w in said for w in words), f"{finding['name']}: named in the unit's comments")
    # Exit code 1 would mean that it is above (the threshold is ten times the figure).
    code, out, err = process.run([*ask, f"--threshold={int(EXPOSURE_MAX * 10)}", unit])
    tap.equal(code, 0, f"exit code at a threshold of {EXPOSURE_MAX} ({out.splitlines()[-1:]} {err})")


@tap.check("systemd understands the user")
def _(s):
    code, out, err = process.run(["systemd-sysusers", "--dry-run", f"{s.real}/usr/lib/sysusers.d/salotto.conf"])
    tap.equal(code, 0, f"exit code of systemd-sysusers ({out.strip()} {err.strip()})")


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


@tap.check("make uninstall takes away all that was installed, and nothing else")
def _(s):
    neighbour = f"{s.staged}/usr/bin/neighbour"
    open(neighbour, "w").close()
    make(f"DESTDIR={s.staged}", "PREFIX=/usr", target="uninstall")
    tap.equal(files(s.staged), {"usr/bin/neighbour"}, "what is left")
    tap.true(not os.path.exists(f"{s.staged}/etc/salotto"), "the configuration's folder is gone")


@tap.check("make uninstall keeps a configuration that was changed, and says so")
def _(s):
    out = make(f"PREFIX={s.real}/usr", f"SYSCONFDIR={s.real}/etc", target="uninstall")
    tap.equal(files(s.real), {"etc/salotto/salottod.conf"}, "what is left")
    tap.true(f"kept, since it was changed: {s.real}/etc/salotto/salottod.conf" in out, f"it says so: {out}")


tap.main(setup)
