#!/usr/bin/python3
"""tidy.py ROOT [BUILD]: clang-tidy, by the rules of .clang-tidy, on everything but the tests."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

import tree

FOLDERS = ("src", "sim", "examples")  # headers come along with the sources
SECONDS_A_FILE = 180
ERRNO = pathlib.Path(__file__).resolve().parent / "errno_model.h"
PLACE = re.compile(r"^(\S.*?):(\d+):\d+: (?:error|warning): (.*)$")


def check(source, build):
    run = subprocess.run([tree.tool("clang-tidy"), "-p", str(build), "--quiet",
                          f"--extra-arg-before=-include{ERRNO}", str(source)], check=False, capture_output=True,
                         text=True, timeout=SECONDS_A_FILE)
    return source, run


def main():
    root = tree.root_from_arguments()
    build = tree.build_from_arguments(root)
    findings = tree.Findings(root)
    sources = sorted({source for source, _ in tree.compiled(root, build, FOLDERS) if source.suffix == ".c"},
                     key=lambda path: -path.stat().st_size)  # the longest first: no straggler at the end
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, run in pool.map(check, sources, [build] * len(sources)):
            places = [place for place in map(PLACE.match, run.stdout.splitlines()) if place]
            for place in places:
                path = pathlib.Path(os.path.normpath(build / place[1]))  # meson compiles with relative paths
                if path.is_relative_to(root):
                    findings.add(path, int(place[2]), place[3].replace(",-warnings-as-errors", ""))
            if run.returncode != 0 and not places:
                print(run.stdout, run.stderr, file=sys.stderr)
                findings.add(source, 1, "clang-tidy could not read this file", "its words are above")
    findings.finish()


if __name__ == "__main__":
    main()
