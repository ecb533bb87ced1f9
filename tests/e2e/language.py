#!/usr/bin/python3
"""The programs speak the reader's language; what programs and the log read stays the same."""
import datetime
import json
import os
import shutil
import subprocess

from harness import client, process, sound, tap
from harness.ctl import Ctl
from harness.daemon import Daemon
from harness.terminal import Terminal

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("LC_") and k not in ("LANG", "LANGUAGE")}


class Scene:
    pass


def italian(**variables):
    return {**CLEAN, **(variables or {"LANG": "it_IT.UTF-8"})}


def setup():
    s = Scene()
    s.daemon = Daemon(env={**CLEAN, "LANG": "C.UTF-8"})
    s.link = s.daemon.room(title="Venerdì aperto")
    s.voice = sound.keep(sound.babble("en", 10), "voice")
    for handle in ("anna", "bruno"):
        client.speak(s.daemon.invite("speaker"), handle, s.voice, "--loop").joined()
    process.wait_until(lambda: {"anna", "bruno"} <= set(s.daemon.who()), "both to be there")
    return s


def ctl(s, *words, env=None):
    """(exit code, standard output, standard error)"""
    argv = [process.program("salottoctl"), "--state", s.daemon.state, *words]
    return process.run(argv, env=env or italian())


def says(s, words, code, *texts, env=None):
    got, out, err = ctl(s, *words, env=env)
    tap.equal(got, code, f"exit code of {words}, which said {out!r} {err!r}")
    for text in texts:
        tap.true(text in out + err, f"{words} says {text!r}: {out!r} {err!r}")


@tap.check("the daemon answers in the caller's language, though its own locale is English")
def _(s):
    says(s, ("mute", "piazza", "anna"), 0, "anna è silenziato in piazza finché un moderatore non gli ridà voce")
    says(s, ("who", "piazza"), 0, "nome", "relatore", "silenziato da un moderatore")
    says(s, ("unmute", "piazza", "anna"), 0, "anna si può sentire in piazza")
    says(s, ("room", "show", "piazza"), 0, "aperta a tutti", "sul palco")
    says(s, ("help", "mute"), 0, "silenzia un relatore", "esempio: salottoctl mute piazza bruno")


@tap.check("errors come with their mend, from the command table and from the database")
def _(s):
    says(s, ("muet", "piazza"), 2, "non c'è nessun comando 'muet'", "forse intendevi 'mute'?")
    says(s, ("mute", "piazza", "--al"), 2, "opzione '--al' sconosciuta", "forse intendevi '--all'?")
    says(s, ("who", "piaza"), 3, "non c'è nessuna stanza piaza", "forse intendevi 'piazza'?")
    says(s, ("mute", "piazza", "ana"), 3, "non c'è nessuno che si chiami ana", "forse intendevi 'anna'?")


@tap.check("plural forms follow the number")
def _(s):
    says(s, ("mute", "piazza", "--all"), 0, "2 persone in piazza sono silenziate")
    s.daemon.ctl("unmute", "piazza", "bruno")
    says(s, ("unmute", "piazza", "--all"), 0, "1 persona in piazza non è più silenziata")
    says(s, ("unmute", "piazza", "--all"), 0, "0 persone in piazza non sono più silenziate")


@tap.check("an Italian and an English caller at the same time are each answered in their own language")
def _(s):
    operator = s.daemon.operator()
    lines = [("it", "non c'è nessuna stanza"), ("en", "there is no room"), ("xx", "there is no room"),
             ("../it", "there is no room"), (7, "there is no room"), ("it_IT.UTF-8", "non c'è nessuna stanza")]
    frames, wanted = b"", {}
    for n in range(600):
        lang, text = lines[n % len(lines)]
        # Half of them are answered by main, half by the thread of the database.
        argv = ["who", f"nessuna{n}"] if n % 2 else ["mute", "piazza"]
        request = json.dumps({"id": n + 1, "do": "command", "lang": lang, "argv": argv}).encode()
        frames += (len(request) + 1).to_bytes(2, "big") + b"\x01" + request
        wanted[n + 1] = text if n % 2 else "manca PERSON" if text.startswith("non") else "PERSON is missing"
    operator.socket.sendall(frames)
    for _each in wanted:
        answer = operator.receive()
        tap.true(wanted[answer["id"]] in answer["error"], f"{wanted[answer['id']]!r} in {answer}")
    operator.close()


@tap.check("a moderator from afar is answered in their language as well")
def _(s):
    env = italian(LANG="it_CH.UTF-8", HOME=process.folder())
    argv = [process.program("salottoctl"), "--server", s.link, "mute", "piazza", "anna"]
    code, _out, err = process.run(argv, env=env)
    tap.equal(code, 4, "exit code")
    tap.true("un ascoltatore non può usare 'mute'" in err, f"{err!r}")


@tap.check("JSON is the same in every language")
def _(s):
    for words in (("room", "show", "piazza"), ("help",), ("log", "piazza"), ("room", "list"), ("check",)):
        _code, here, _err = ctl(s, "--json", *words)
        _code, there, _err = ctl(s, "--json", *words, env=CLEAN)
        tap.equal(here, there, f"what `{' '.join(words)}` says as JSON")
    who = json.loads(ctl(s, "--json", "who", "piazza")[1])
    tap.equal(sorted((p["handle"], p["role"]) for p in who), [("anna", "speaker"), ("bruno", "speaker")], "who")
    tap.true("." in ctl(s, "gain", "piazza", "anna", "-3.5")[1].split("dB")[0], "numbers have a point")


@tap.check("moments are shown in the reader's own time zone, by its name, and are the same in JSON")
def _(s):
    rome = "CET-1CEST,M3.5.0,M10.5.0/3"
    entry = json.loads(ctl(s, "--json", "log", "piazza", "--limit", "1", env={**CLEAN, "TZ": rome})[1])[0]
    moment = datetime.datetime.fromtimestamp(entry["at_ms"] // 1000, datetime.timezone.utc)
    for zone, name, hours in (("UTC0", "UTC", 0), ("<+0530>-5:30", "+0530", 5.5), ("JST-9", "JST", 9)):
        local = (moment + datetime.timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S ") + name
        says(s, ("log", "piazza", "--limit", "1"), 0, local, env={**CLEAN, "TZ": zone})
    says(s, ("room", "show", "piazza"), 0, " CE", env={**CLEAN, "TZ": rome})


@tap.check("LANGUAGE, LC_ALL, LC_MESSAGES and LANG count as with gettext")
def _(s):
    for variables, italian_it_is in (
        ({"LANG": "it_IT.UTF-8"}, True),
        ({"LANG": "it_IT"}, True),
        ({"LC_MESSAGES": "it_IT.UTF-8", "LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "C.UTF-8", "LANG": "it_IT.UTF-8"}, False),
        ({"LANGUAGE": "it", "LANG": "C.UTF-8"}, True),
        ({"LANGUAGE": "fr:it", "LANG": "en_US.UTF-8"}, True),
        ({"LANGUAGE": "en:it", "LANG": "it_IT.UTF-8"}, False),
        ({"LANGUAGE": "it", "LANG": "C"}, False),
        ({"LANG": "fr_FR.UTF-8"}, False),
        ({"LANG": "nonsense"}, False),
        ({}, False),
    ):
        text = "non c'è nessuna stanza nix" if italian_it_is else "there is no room nix"
        says(s, ("who", "nix"), 3, text, env={**CLEAN, **variables})


@tap.check("under a real Italian locale numbers, JSON and letters stay right")
def _(s):
    folder = process.folder()
    made = subprocess.run(["localedef", "-i", "it_IT", "-f", "UTF-8", f"{folder}/it_IT.UTF-8"], capture_output=True)
    tap.true(os.path.exists(f"{folder}/it_IT.UTF-8"), f"localedef: {made.stderr!r}")
    env = italian(LANG="it_IT.UTF-8", LOCPATH=folder)
    says(s, ("room", "show", "piazza"), 0, "Venerdì aperto", "aperta a tutti", env=env)
    says(s, ("gain", "piazza", "anna", "-3.5"), 0, "anna è a -3.5 dB in piazza", env=env)
    code, out, _err = ctl(s, "--json", "gain", "piazza", "anna", "-2.5", env=env)
    tap.equal((code, json.loads(out)["gain_db"]), (0, -2.5), "the fader in JSON")
    shutil.rmtree(folder)


@tap.check("the client speaks it, on the terminal and in errors; with --json it does not")
def _(s):
    folder = process.folder()
    env = italian(LANG="it_IT.UTF-8", HOME=folder, XDG_CONFIG_HOME=folder, TERM="xterm")
    code, _out, err = process.run([process.program("salotto"), "lisen"], env=env)
    tap.equal(code, 2, "exit code")
    tap.true("non c'è nessun comando 'lisen'" in err and "forse intendevi 'listen'?" in err, f"{err!r}")
    argv = [process.program("salotto"), "listen", s.link, "--handle", "dora", "--identity", f"{folder}/key"]
    argv += ["--output", f"{folder}/heard.wav"]
    t = Terminal(argv, env=env)
    t.wait_for(r"in piazza \(Venerdì aperto\) come dora, ascoltatore")
    t.wait_for(r"in ascolto \| tu: ascoltatore")
    s.daemon.ctl("kick", "piazza", "dora", "--why", "prova")
    t.wait_for("operator ti ha espulso da piazza: prova")
    process.wait_until(t.ended, "the client to end")
    tap.equal(t.code, 9, "exit code")
    s.daemon.ctl("ban", "piazza", "dora")
    code, _out, err = process.run(argv, env=env)
    tap.true(code == 4 and "sei stato bandito da piazza" in err, f"{code} {err!r}")
    code, out, _err = process.run([*argv, "--json"], env=env)
    closed = json.loads(out.splitlines()[-1])
    tap.equal((closed["code"], closed["error"]), (4, "you are banned from piazza"), "the event `closed`")


@tap.check("salottod's own command line and start speak it, too, and name the system's reasons")
def _(s):
    for options, code, text in (
        (["--prot", "5"], 2, "forse intendevi '--port'?"),
        (["--port", "x"], 2, "--port non può essere 'x'"),
        (["--config", "/nowhere/x.conf"], 2, "/nowhere/x.conf: file o cartella inesistente"),
        (["--state", s.daemon.state], 12, "un altro salottod usa la cartella di stato"),
    ):
        got, _out, err = process.run([process.program("salottod"), *options], env=italian())
        tap.equal(got, code, f"exit code of {options}, which said {err!r}")
        tap.true(text in err, f"{text!r} in {err!r}")
    _code, out, _err = process.run([process.program("salottod"), "--help"], env=italian())
    tap.true("Il server di stanze audio dal vivo" in out, "its help")


@tap.check("a daemon with an Italian locale logs in English, and serves the English in English")
def _(s):
    other = Daemon(env=italian())
    other.room("corte")
    tap.true("there is no room nix" in Ctl(other.state).try_("who", "nix")[2], "an English caller")
    client.listen(other.link("corte"), "dora").joined()
    process.wait_until(lambda: "room opened room=corte" in other.child.err(), "the log to tell of the room")
    other.stop()
    log = other.child.err()
    tap.true("stopped" in log and "ready port=" in log, f"the log: {log}")


@tap.check("the question before an act on many people is asked and answered in Italian")
def _(s):
    t = Terminal([process.program("salottoctl"), "--state", s.daemon.state, "mute", "piazza", "--all"], env=italian())
    t.wait_for(r"Questo silenzia 2 persone in piazza\. Procedo\? \[s/N\] ")
    t.type("sì\n".encode())
    process.wait_until(t.ended, "salottoctl to end")
    tap.equal(t.code, 0, "exit code")
    tap.true(all(p["muted_by_moderator"] for p in s.daemon.who().values()), "they are muted")


tap.main(setup)
