#!/usr/bin/python3
"""format.py [--fix] ROOT: every C file looks as .clang-format says; --fix makes it so."""
import re
import subprocess
import sys

import tree

PLACE = re.compile(r"^(.+?):(\d+):\d+: (?:error|warning): ")


def main():
    fix = "--fix" in sys.argv
    if fix:
        sys.argv.remove("--fix")
    root = tree.root_from_arguments()
    findings = tree.Findings(root)
    files = [str(path) for path in tree.c_files(root)]
    if not files:
        findings.finish()
    if fix:
        sys.exit(subprocess.run([tree.tool("clang-format"), "-i", "--style=file", *files], check=False).returncode)
    run = subprocess.run([tree.tool("clang-format"), "--style=file", "--dry-run", "-Werror", *files],
                         check=False, capture_output=True, text=True)
    seen = set()
    for line in run.stderr.splitlines():
        place = PLACE.match(line)
        if place and place[1] not in seen:  # the first place of a file is enough
            seen.add(place[1])
            findings.add(place[1], int(place[2]), "not formatted", "./dev fmt")
    if run.returncode != 0 and not seen:
        sys.exit(f"error: clang-format failed: {run.stderr}")
    findings.finish()


if __name__ == "__main__":
    main()
