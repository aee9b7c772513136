#!/usr/bin/python3
"""scripts.py ROOT: programs in bash pass shellcheck, and stop at the first failing command."""
import re
import subprocess

import tree

SHEBANG = re.compile(r"^#!.*\b(?:ba)?sh$")
PLACE = re.compile(r"^(.+?):(\d+):\d+: \w+: (.*)$")
PLACES = ("dev", ".ci", "tools", "tests", "bench", "examples")


def scripts(root):
    for place in PLACES:
        top = root / place
        for path in [top] if top.is_file() else tree.walk(top):
            text = tree.text_of(path)
            first = text.split("\n", 1)[0] if text else ""
            if SHEBANG.match(first):
                yield path, text


def main():
    root = tree.root_from_arguments()
    findings = tree.Findings(root)
    for path, text in scripts(root):
        if "bash" in text.split("\n", 1)[0] and not re.search(r"^set -euo pipefail$", text, re.MULTILINE):
            findings.add(path, 1, "does not stop at failures", "set -euo pipefail")
        run = subprocess.run([tree.tool("shellcheck"), "-x", "-f", "gcc", str(path)], check=False, cwd=root,
                             capture_output=True, text=True)
        for line in run.stdout.splitlines():
            if place := PLACE.match(line):
                findings.add(place[1], int(place[2]), place[3])
    findings.finish()


if __name__ == "__main__":
    main()
