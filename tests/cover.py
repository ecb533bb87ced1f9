#!/usr/bin/python3
"""What of each folder the tests have run: a table of lines and branches, the same line by line as HTML, and exit code 1
when too few lines of a library were run.

usage: tests/cover.py BUILD     a build with --coverage, whose programs have run
"""
import json
import os
import subprocess
import sys

FOLDERS = ("mixer", "net", "storage", "tools")
LEAST = {"mixer": 85, "net": 85, "storage": 85}  # percent of lines


def measure(build):
    """One object for each source, as gcovr counts it."""
    html = os.path.join(build, "html")
    os.makedirs(html, exist_ok=True)
    summary = os.path.join(build, "summary.json")
    argv = ["gcovr", "--root", ".", "--object-directory", build, "-j", str(os.cpu_count() or 1)]
    for folder in FOLDERS:
        argv += ["--filter", folder + "/"]
    argv += ["--json-summary", summary, "--html-details", os.path.join(html, "index.html"), build]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    with open(summary) as f:
        return json.load(f)["files"]


def percent(part, whole):
    return 100 * part / whole if whole else 100.0


def main(build):
    folders = {}
    for f in measure(build):
        sums = folders.setdefault(os.path.dirname(f["filename"]), [0, 0, 0, 0])
        for i, name in enumerate(("line_covered", "line_total", "branch_covered", "branch_total")):
            sums[i] += f[name]
    print(f"{'folder':<20} {'lines':>6} {'run':>7} {'branches':>9} {'run':>7}")
    for folder, (lines, of_lines, branches, of_branches) in sorted(folders.items()):
        print(f"{folder:<20} {of_lines:>6} {percent(lines, of_lines):>6.1f}% {of_branches:>9}"
              f" {percent(branches, of_branches):>6.1f}%")
    print(f"line by line: {build}/html/index.html")
    short = [f for f, least in LEAST.items() if percent(*folders.get(f, (0, 1))[:2]) < least]
    for folder in short:
        print(f"cover: fewer than {LEAST[folder]} % of the lines of {folder}/ are run by the tests", file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
