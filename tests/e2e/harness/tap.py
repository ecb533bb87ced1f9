"""Sentences as tests: TAP out, in the order in which they stand in the script.

    @tap.check("a mute is heard by everyone")
    def _(s):
        tap.less(level, -60, "dBFS after the mute")

    tap.main(setup)

setup() returns what is handed to each check. When it fails, all checks fail with its reason. A script is cut off
after `limit` seconds, so that nothing waits for ever.
"""
import signal
import sys
import traceback

from . import process

_checks = []


class Failure(Exception):
    pass


class Skip(Exception):
    pass


class CutOff(Exception):
    pass


def check(sentence):
    def add(function):
        _checks.append((sentence, function))
        return function

    return add


def diag(text):
    for line in str(text).splitlines():
        print("#", line, flush=True)


def fail(why):
    raise Failure(why)


def skip(why):
    raise Skip(why)


def true(value, what):
    if not value:
        raise Failure(f"not so: {what}")


def equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: {got!r}, and {wanted!r} was expected")


def less(got, limit, what):
    if not got < limit:
        raise Failure(f"{got:.4g} {what}: must be below {limit:g}")
    diag(f"{got:.4g} {what} (below {limit:g})")


def more(got, limit, what):
    if not got > limit:
        raise Failure(f"{got:.4g} {what}: must be above {limit:g}")
    diag(f"{got:.4g} {what} (above {limit:g})")


def near(got, wanted, tolerance, what):
    if not abs(got - wanted) <= tolerance:
        raise Failure(f"{got:.4g} {what}: must be {wanted:g} ± {tolerance:g}")
    diag(f"{got:.4g} {what} ({wanted:g} ± {tolerance:g})")


def _cut_off(_signal, _frame):
    raise CutOff("the script's own time limit has passed")


def main(setup=lambda: None, limit=600):
    signal.signal(signal.SIGALRM, _cut_off)
    signal.alarm(limit)
    print(f"1..{len(_checks)}", flush=True)
    failed = 0
    unclean = []
    world = broken = None
    try:
        try:
            world = setup()
        except Exception as e:  # no check can be made then
            broken = e
            diag("".join(traceback.format_exception(e)))
        for n, (sentence, function) in enumerate(_checks, 1):
            try:
                if broken:
                    raise Failure(f"not tried: {broken}")
                function(world)
                print(f"ok {n} - {sentence}", flush=True)
            except Skip as s:
                print(f"ok {n} - {sentence} # SKIP {s}", flush=True)
            except Exception as e:
                failed += 1
                print(f"not ok {n} - {sentence}", flush=True)
                diag(e if isinstance(e, Failure) else "".join(traceback.format_exception(e)))
                if isinstance(e, CutOff):
                    broken = e
        unclean = process.stop_all()
        if unclean:
            diag("\n".join(["not clean at the end:", *unclean]))
        if failed or unclean:
            diag(process.logs(60 if unclean else 15))
    finally:
        signal.alarm(0)
        process.end_all()
    sys.exit(1 if failed or unclean else 0)
